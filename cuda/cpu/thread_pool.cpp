#include "thread_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "worker_thread.h"

namespace ffc {
namespace {

// One parallelFor() in progress, on its caller's stack. `helpers` and `listed` change under the pool's mutex only;
// helpers is atomic because the caller also polls it without.
struct Loop {
  int64_t count;
  const std::function<void(int64_t)>* body;
  std::atomic<int64_t> next{0};
  std::atomic<int> helpers{0};  // workers that may still touch this struct
  std::condition_variable helpersGone;
  std::mutex errorMutex;
  std::exception_ptr error;

  bool exhausted() const { return next.load(std::memory_order_relaxed) >= count; }

  void runIndices() {
    for (int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) {
      try {
        (*body)(i);
      } catch (...) {
        std::lock_guard<std::mutex> lock(errorMutex);
        if (!error) error = std::current_exception();
        next.store(count, std::memory_order_relaxed);  // nobody takes another index
      }
    }
  }
};

// How long a worker without work, and a caller that waits for the last helper, look before they sleep. Waking a
// sleeper costs 5 to 50 us, so loops that follow one another closely (a convolution is several) should find the
// workers awake; longer would steal time from other programs.
constexpr std::chrono::microseconds spinTime{20};

template <class Condition>
bool spinUntil(Condition&& reached) {
  const auto end = std::chrono::steady_clock::now() + spinTime;
  do {
    for (int i = 0; i < 16; ++i) {  // reading the clock costs as much as a few pauses
      if (reached()) return true;
      spinPause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

}  // namespace

// Who waits for whom: workers sleep on `wake` for a loop with indices left. A caller first works through its own
// loop, so it only ever waits for helpers that are inside a body of it. A helper that starts a nested loop does the
// same one level deeper, where the waiting ends: no cycle, hence no deadlock, at any depth and from any threads.
struct ThreadPool::State {
  std::mutex mutex;
  std::condition_variable wake;
  std::vector<Loop*> loops;     // those that may still have indices to give
  std::atomic<int> listed{0};   // loops.size(), for workers that look without the mutex
  bool stopping = false;
  size_t turn = 0;              // helpers spread over the loops of several callers
  std::vector<std::thread> workers;

  void unlist(Loop* loop) {
    loops.erase(std::remove(loops.begin(), loops.end(), loop), loops.end());
    listed.store(static_cast<int>(loops.size()), std::memory_order_relaxed);
  }

  void work() {
    std::unique_lock<std::mutex> lock(mutex);
    for (;;) {
      if (loops.empty() && !stopping) {
        lock.unlock();
        spinUntil([this] { return listed.load(std::memory_order_relaxed) > 0; });
        lock.lock();
        wake.wait(lock, [this] { return stopping || !loops.empty(); });
      }
      if (stopping) return;
      Loop* loop = loops[turn++ % loops.size()];
      if (loop->exhausted()) {
        unlist(loop);
        continue;
      }
      loop->helpers.fetch_add(1, std::memory_order_relaxed);
      lock.unlock();
      loop->runIndices();
      lock.lock();
      unlist(loop);
      // The caller destroys the loop after it has seen 0 and then had the mutex: the notification is over by then.
      if (loop->helpers.fetch_sub(1, std::memory_order_release) == 1) loop->helpersGone.notify_one();
    }
  }

  void stopAndJoin() {
    {
      std::lock_guard<std::mutex> lock(mutex);
      stopping = true;
    }
    wake.notify_all();
    for (std::thread& worker : workers) worker.join();
  }
};

ThreadPool::ThreadPool(int threads) : state_(new State) {
  try {
    for (int i = 1; i < threads; ++i)
      state_->workers.push_back(startWorkerThread("ffc-pool", [state = state_.get()] { state->work(); }));
  } catch (...) {
    state_->stopAndJoin();
    throw;
  }
}

ThreadPool::~ThreadPool() { state_->stopAndJoin(); }

int ThreadPool::threads() const { return static_cast<int>(state_->workers.size()) + 1; }

void ThreadPool::parallelFor(int64_t count, const std::function<void(int64_t)>& body) {
  State& s = *state_;
  if (count <= 1 || s.workers.empty()) {
    for (int64_t i = 0; i < count; ++i) body(i);
    return;
  }
  Loop loop;
  loop.count = count;
  loop.body = &body;
  {
    std::lock_guard<std::mutex> lock(s.mutex);
    s.loops.push_back(&loop);
    s.listed.store(static_cast<int>(s.loops.size()), std::memory_order_relaxed);
  }
  // One system call wakes all sleepers; waking exactly as many as there is work for takes one each.
  if (count > static_cast<int64_t>(s.workers.size()))
    s.wake.notify_all();
  else
    for (int64_t i = 1; i < count; ++i) s.wake.notify_one();
  loop.runIndices();
  spinUntil([&] { return loop.helpers.load(std::memory_order_relaxed) == 0; });
  {
    std::unique_lock<std::mutex> lock(s.mutex);
    s.unlist(&loop);
    loop.helpersGone.wait(lock, [&] { return loop.helpers.load(std::memory_order_acquire) == 0; });
  }
  if (loop.error) std::rethrow_exception(loop.error);
}

}  // namespace ffc
