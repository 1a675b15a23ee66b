#include <algorithm>
#include <string>

#include "backend.h"

namespace ffc {

void MemoryLedger::acquire(int64_t bytes) {
  if (bytes < 0) throw Error(FFC_INTERNAL_ERROR, "a negative number of bytes was asked of the memory ledger");
  int64_t live = liveBytes.load(std::memory_order_relaxed), next;
  do {
    const bool overflow = __builtin_add_overflow(live, bytes, &next);
    if (overflow || (limitBytes > 0 && next > limitBytes))
      throw Error(FFC_OUT_OF_MEMORY, std::to_string(bytes) + " bytes were asked for; the memory_limit_bytes is " +
                                         std::to_string(limitBytes) + ", and " + std::to_string(live) + " are in use");
  } while (!liveBytes.compare_exchange_weak(live, next, std::memory_order_relaxed));
  int64_t peak = peakBytes.load(std::memory_order_relaxed);
  while (peak < next && !peakBytes.compare_exchange_weak(peak, next, std::memory_order_relaxed)) {
  }
}

void MemoryLedger::release(int64_t bytes) { liveBytes.fetch_sub(bytes, std::memory_order_relaxed); }

}  // namespace ffc
