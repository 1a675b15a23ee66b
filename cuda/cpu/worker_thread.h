// Starts the library's own threads, so that they disturb the host program as little as possible.
#pragma once
#include <functional>
#include <thread>

namespace ffc {

// The new thread has every signal blocked: a host program's handlers run on the host program's threads.
// `name` has at most 15 characters (the kernel's limit). Throws std::system_error when no thread can be started.
std::thread startWorkerThread(const char* name, std::function<void()> body);

// Tells the core that this is a spin loop: saves power and gives a hyperthread sibling the core.
inline void spinPause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace ffc
