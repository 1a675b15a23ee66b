// A fixed set of workers. Several callers may run loops at once; their work is interleaved.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>

namespace ffc {

class ThreadPool {
 public:
  explicit ThreadPool(int threads);  // the calling thread is one of them: threads - 1 are started
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  int threads() const;
  // Calls body(index) for 0 <= index < count, each once, in any order, on the workers and the calling thread;
  // returns when all are done. The first exception stops the rest and is rethrown here.
  void parallelFor(int64_t count, const std::function<void(int64_t index)>& body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ffc
