// Memory of the CPU "device": aligned for the widest SIMD registers, counted, and refused honestly.
#pragma once
#include <cstdint>
#include <memory>

#include "../host/backend.h"

namespace ffc {

struct HostMemory {
  int64_t totalBytes = 0;      // of the machine, or of the control group this process lives in
  int64_t availableBytes = 0;  // what could be used now without swapping other programs out
};
HostMemory hostMemory();

// Linux promises more memory than there is and kills the process when it is touched, so large requests are checked
// against what there is. Throws Error(FFC_OUT_OF_MEMORY) naming `what`.
void checkHostHas(int64_t bytes, const char* what);
// The same for `bytes` each of several workers: for how many of them there is room, at least one and at most `wanted`.
int64_t workersHostHas(int64_t wanted, int64_t bytes, const char* what);

// One per core this process may run on (affinity), no more than its control group's CPU quota pays for.
int usableCores();

// A block that the ledger knows about. Aligned to 64 bytes (an AVX-512 register, a cache line); not initialised.
class HostBlock {
 public:
  // `ledger` must outlive the block. Throws Error(FFC_OUT_OF_MEMORY) naming `what`.
  HostBlock(MemoryLedger& ledger, int64_t bytes, const char* what);
  ~HostBlock();
  HostBlock(const HostBlock&) = delete;
  HostBlock& operator=(const HostBlock&) = delete;
  void* data() const { return data_; }

 private:
  MemoryLedger& ledger_;
  int64_t bytes_;
  void* data_ = nullptr;
};

}  // namespace ffc
