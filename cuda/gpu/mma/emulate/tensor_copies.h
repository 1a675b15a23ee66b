// Tensor copies and bulk copies, which happen at once, and the barriers in shared memory that say that they have.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "machine.h"
#include "memory.h"
#include "threads.h"

namespace ffc::mma {

constexpr bool hasTensorCopies = true;
FFC_DEVICE void prefetchMap(const void*) {}
FFC_DEVICE void prefetchBulk(const void*, u32) {}

// A barrier is (phase, arrivals still to come, bytes still to come), 16 + 16 + 32 bits.
struct EmulatedBarrier {
  uint16_t phase, arrivals;
  int32_t bytes;
  void settle() {
    if (arrivals == 0 && bytes == 0) phase++, arrivals = 1;
  }
};
inline EmulatedBarrier& barrierAt(u32 address) { return *reinterpret_cast<EmulatedBarrier*>(emulation::at(address, 8)); }
FFC_DEVICE void barrierInit(u32 barrier) { barrierAt(barrier) = {0, 1, 0}; }
FFC_DEVICE void barrierExpect(u32 barrier, u32 bytes) {
  barrierAt(barrier).bytes += int32_t(bytes);
  barrierAt(barrier).arrivals--;
  barrierAt(barrier).settle();
}
FFC_DEVICE void barrierWait(u32 barrier, u32 parity) {
  while ((barrierAt(barrier).phase & 1) == parity) emulation::machine.yield();
}
FFC_DEVICE void splitInit(u32 barrier) { barrierAt(barrier) = {0, emulation::blockThreads / 32, 0}; }
FFC_DEVICE void splitArrive(u32 barrier) {
  warpSync();
  EmulatedBarrier& b = barrierAt(barrier);
  if (emulation::machine.current % 32 == 0 && --b.arrivals == 0) b.phase++, b.arrivals = emulation::blockThreads / 32;
}
FFC_DEVICE void splitWait(u32 barrier, u32 parity) { barrierWait(barrier, parity); }

// What `map` points to: whole sequences, or parts of them.
struct TensorMap {
  char* data;
  int64_t batchStride, channelStride;
  int points, rows;  // of a box: samples of a row, and rows
  int batch;         // rows beyond it are zeros, and not stored
  // A box is so many of the tensor's sixteenths of `points`, and so many groups of each. Outside the tensor loads
  // give zeros and stores do nothing.
  int parts = 16, boxParts = 16, boxGroups = 0;
  int rowBytes() const {
    return boxGroups ? boxGroups * boxParts * 128 : points / 8 * boxParts;
  }
};
namespace emulation {
template <class Move>
inline void tensorCopy(u32 base, const void* map, int part, int group, int b, int h, Move move) {
  const TensorMap& m = *static_cast<const TensorMap*>(map);
  // Rows n1 of a group are 128 bytes long or, below 1024 points, as long as they are; 16-byte pieces are swizzled with the
  // number of the 128-byte line.
  const int pieces = std::min(8, m.points / 128), groups = m.boxGroups ? m.boxGroups : std::max(1, m.points / 1024);
  for (int r = 0; r < m.rows; r++) {
    char* row = m.data + (b + r) * m.batchStride + h * m.channelStride;
    for (int g = 0; g < groups; g++)
      for (int n1 = 0; n1 < m.boxParts; n1++)
        for (int i = 0; i < pieces; i++) {
          const int inBox = r * m.rowBytes() + (g * m.boxParts + n1) * pieces * 16;
          const int line = (base % 1024 + inBox) / 128, swizzled = i ^ (line & (pieces - 1));
          const bool inside = b + r < m.batch && part + n1 >= 0 && part + n1 < m.parts;
          char* global = row + (int64_t(part + n1) * (m.points / 16) + (group + g) * 64 + i * 8) * 2;
          move(at(base + inBox + swizzled * 16, 16), inside ? global : nullptr);
        }
  }
}
}  // namespace emulation

template <bool leaving = false>
FFC_DEVICE void tensorLoadPart(u32 target, const void* map, int part, int group, int b, int h, u32 barrier) {
  emulation::tensorCopy(target, map, part, group, b, h, [](unsigned char* shared, char* global) {
    global ? (void)std::memcpy(shared, global, 16) : (void)std::memset(shared, 0, 16);
  });
  const TensorMap& m = *static_cast<const TensorMap*>(map);
  barrierAt(barrier).bytes -= m.rowBytes() * m.rows;
  barrierAt(barrier).settle();
}
FFC_DEVICE void tensorStorePart(u32 source, const void* map, int part, int group, int b, int h) {
  emulation::tensorCopy(source, map, part, group, b, h, [](unsigned char* shared, char* global) {
    if (global) std::memcpy(global, shared, 16);
  });
}
FFC_DEVICE void tensorLoad(u32 target, const void* map, int b, int h, u32 barrier) {
  tensorLoadPart(target, map, 0, 0, b, h, barrier);
}
FFC_DEVICE void tensorStore(u32 source, const void* map, int b, int h) { tensorStorePart(source, map, 0, 0, b, h); }

// Maps of (samples, b, h): the first samples of a row that begins at `data`, in boxes of so many.
struct RestMap {
  char* data;
  int64_t batchStride, channelStride;
  int samples, batch, boxSamples, rows;
};
namespace emulation {
template <class Move>
inline void restCopy(u32 base, const void* map, int first, int b, int h, Move move) {
  const RestMap& m = *static_cast<const RestMap*>(map);
  for (int r = 0; r < m.rows; r++)
    for (int i = 0; i < m.boxSamples; i += 8) {
      const bool inside = b + r < m.batch && first + i < m.samples;
      char* const global = m.data + (b + r) * m.batchStride + h * m.channelStride + (first + i) * 2;
      if (reinterpret_cast<uintptr_t>(global) % 16 || (base + 2 * first) % 16) std::abort();
      move(at(base + (r * m.boxSamples + i) * 2, 16), inside ? global : nullptr);
    }
}
}  // namespace emulation
FFC_DEVICE void tensorLoadRest(u32 target, const void* map, int first, int b, int h, u32 barrier) {
  emulation::restCopy(target, map, first, b, h, [](unsigned char* shared, char* global) {
    global ? (void)std::memcpy(shared, global, 16) : (void)std::memset(shared, 0, 16);
  });
  const RestMap& m = *static_cast<const RestMap*>(map);
  barrierAt(barrier).bytes -= m.boxSamples * m.rows * 2;
  barrierAt(barrier).settle();
}
FFC_DEVICE void tensorStoreRest(u32 source, const void* map, int first, int b, int h) {
  emulation::restCopy(source, map, first, b, h, [](unsigned char* shared, char* global) {
    if (global) std::memcpy(global, shared, 16);
  });
}

FFC_DEVICE void bulkLoad(u32 target, const void* source, u32 bytes, u32 barrier) {
  std::memcpy(emulation::at(target, int(bytes)), source, bytes);
  barrierAt(barrier).bytes -= int32_t(bytes);
  barrierAt(barrier).settle();
}
FFC_DEVICE void bulkStore(void* target, u32 source, u32 bytes) { std::memcpy(target, emulation::at(source, int(bytes)), bytes); }
FFC_DEVICE void bulkCommit() {}
FFC_DEVICE void bulkStoresReadButOne() {}
FFC_DEVICE void tensorStoresRead() {}
FFC_DEVICE void tensorStoresDone() {}
FFC_DEVICE void fenceTensorCopies() {}

}  // namespace ffc::mma
