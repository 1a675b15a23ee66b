#include "stream.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "../host/failure.h"
#include "worker_thread.h"

namespace ffc {

struct CpuStream::Core {
  std::mutex mutex;
  std::condition_variable work;      // the thread waits: for work, or for the end
  std::condition_variable progress;  // callers wait: for `finished` to grow, or for their item to be done
  std::deque<std::function<void()>> queue;
  bool busy = false;  // an item runs now: on the thread, or in a caller's runAndWait()
  bool started = false, closing = false;
  uint64_t enqueued = 0, finished = 0;
  Failure failure;  // the first since the last synchronize

  void threadMain() {
    std::unique_lock<std::mutex> lock(mutex);
    for (;;) {
      work.wait(lock, [this] { return (closing && queue.empty()) || (!queue.empty() && !busy); });
      if (queue.empty()) return;
      std::function<void()> item = std::move(queue.front());
      queue.pop_front();
      busy = true;
      lock.unlock();
      Failure result;
      try {
        item();
      } catch (...) {
        result = currentFailure();
      }
      item = nullptr;  // may destroy buffers, plans, the device, even this stream's CpuStream: nothing is locked
      lock.lock();
      if (failure.status == FFC_OK) failure = std::move(result);
      finishOne();
    }
  }

  void finishOne() {
    busy = false;
    ++finished;
    progress.notify_all();
  }

  void throwFailure() {
    if (failure.status == FFC_OK) return;
    const Failure first = std::move(failure);
    failure = Failure();
    throw Error(first.status, first.text);
  }
};

CpuStream::CpuStream() : core_(std::make_shared<Core>()) {}

CpuStream::~CpuStream() {
  // Under the mutex: the thread may be between its check and its wait.
  std::lock_guard<std::mutex> lock(core_->mutex);
  core_->closing = true;
  core_->work.notify_one();
}

void CpuStream::enqueue(std::function<void()> work) {
  std::unique_lock<std::mutex> lock(core_->mutex);
  if (!core_->started) {
    startWorkerThread("ffc-stream", [core = core_] { core->threadMain(); }).detach();
    core_->started = true;
  }
  core_->queue.push_back(std::move(work));
  ++core_->enqueued;
  lock.unlock();
  core_->work.notify_one();
}

void CpuStream::runAndWait(const std::function<void()>& work) {
  Core& core = *core_;
  std::unique_lock<std::mutex> lock(core.mutex);
  if (core.queue.empty() && !core.busy) {
    // Nothing to wait for: run here, and save waking the thread (or starting it).
    core.throwFailure();
    core.busy = true;
    ++core.enqueued;
    lock.unlock();
    struct Done {
      Core& core;
      ~Done() {
        std::lock_guard<std::mutex> relock(core.mutex);
        core.finishOne();
        core.work.notify_one();  // work enqueued meanwhile
      }
    } done{core};
    work();
    return;
  }
  lock.unlock();
  Failure result;
  bool done = false;  // under core.mutex, as `result`; this call outlives the item, which may point to both
  enqueue([&] {
    Failure mine;
    {
      std::lock_guard<std::mutex> itemLock(core.mutex);
      mine = std::move(core.failure);
      core.failure = Failure();
    }
    try {
      if (mine.status == FFC_OK) work();
    } catch (...) {
      mine = currentFailure();
    }
    std::lock_guard<std::mutex> itemLock(core.mutex);
    result = std::move(mine);
    done = true;
    core.progress.notify_all();
  });
  lock.lock();
  core.progress.wait(lock, [&] { return done; });
  if (result.status != FFC_OK) throw Error(result.status, result.text);
}

void CpuStream::synchronize() {
  std::unique_lock<std::mutex> lock(core_->mutex);
  const uint64_t earlier = core_->enqueued;
  core_->progress.wait(lock, [&] { return core_->finished >= earlier; });
  core_->throwFailure();
}

struct CpuEvent::Mark {
  using Clock = std::chrono::steady_clock;
  std::mutex mutex;
  std::condition_variable reached;
  uint64_t recorded = 0, passed = 0;  // how often record() was called, and the last of those the stream reached
  Clock::time_point time;
};

CpuEvent::CpuEvent() : mark_(std::make_shared<Mark>()) {}

void CpuEvent::record(const std::shared_ptr<Stream>& stream) {
  uint64_t ticket;
  {
    std::lock_guard<std::mutex> lock(mark_->mutex);
    ticket = ++mark_->recorded;
  }
  auto pass = [mark = mark_, ticket] {
    std::lock_guard<std::mutex> lock(mark->mutex);
    // Recorded on two streams at once, the later record() counts, whichever stream gets there first.
    if (ticket > mark->passed) {
      mark->passed = ticket;
      mark->time = Mark::Clock::now();
    }
    mark->reached.notify_all();
  };
  try {
    static_cast<CpuStream&>(*stream).enqueue(pass);
  } catch (...) {
    pass();  // so that nobody waits for a point that no stream will reach
    throw;
  }
}

void CpuEvent::synchronize() {
  std::unique_lock<std::mutex> lock(mark_->mutex);
  const uint64_t ticket = mark_->recorded;
  mark_->reached.wait(lock, [&] { return mark_->passed >= ticket; });
}

double CpuEvent::elapsedMsSince(const Event& begin) const {
  const auto timeOf = [](Mark& mark, const char* name) {
    std::lock_guard<std::mutex> lock(mark.mutex);
    if (mark.recorded == 0) throw Error(FFC_NOT_READY, std::string("the ") + name + " event was never recorded");
    if (mark.passed < mark.recorded)
      throw Error(FFC_NOT_READY, std::string("the stream has not reached the ") + name +
                                     " event yet; ffc_event_synchronize() waits for it");
    return mark.time;
  };
  const auto first = timeOf(*static_cast<const CpuEvent&>(begin).mark_, "begin");
  const auto last = timeOf(*mark_, "end");
  return std::chrono::duration<double, std::milli>(last - first).count();
}

}  // namespace ffc
