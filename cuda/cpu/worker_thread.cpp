#include "worker_thread.h"

#include <pthread.h>
#include <signal.h>

namespace ffc {
namespace {

// A new thread inherits its starter's mask; the starter gets its own back even when the start fails.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    blocked_ = pthread_sigmask(SIG_SETMASK, &all, &before_) == 0;
  }
  ~AllSignalsBlocked() {
    if (blocked_) pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t before_;
  bool blocked_;
};

}  // namespace

std::thread startWorkerThread(const char* name, std::function<void()> body) {
  AllSignalsBlocked guard;
  std::thread thread(std::move(body));
  pthread_setname_np(thread.native_handle(), name);  // cosmetic: a failure changes nothing
  return thread;
}

}  // namespace ffc
