// Streams and events of the CPU backend: work runs in order on a thread of the stream's own.
#pragma once
#include <functional>
#include <memory>

#include "../host/backend.h"

namespace ffc {

// The thread starts with the first enqueued work and is never joined: whoever drops the last reference, be it that
// very thread while it releases the work it has just done, returns at once, and the thread ends when its queue is
// empty. It owns what it needs (Core), and the library is linked so that unloading keeps its code (-z nodelete).
class CpuStream : public Stream {
 public:
  CpuStream();
  ~CpuStream() override;
  // Returns at once. What `work` holds is released on the stream's thread as soon as it has run.
  void enqueue(std::function<void()> work);
  // Runs `work` after everything enqueued so far, on whatever thread, and returns when it is done. First throws, once,
  // the kept failure of earlier work: a result that was never computed must not be read as if it were one. When
  // `work` itself throws, the caller gets that.
  void runAndWait(const std::function<void()>& work);
  void synchronize() override;

 private:
  struct Core;
  std::shared_ptr<Core> core_;
};

// The host clock at the moment the stream reaches the event.
class CpuEvent : public Event {
 public:
  CpuEvent();
  void record(const std::shared_ptr<Stream>& stream) override;
  void synchronize() override;
  double elapsedMsSince(const Event& begin) const override;

 private:
  struct Mark;
  std::shared_ptr<Mark> mark_;
};

}  // namespace ffc
