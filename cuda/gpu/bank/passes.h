// What lies around the convolutions of a filter bank's slots (host/filter_bank.h has the formulas), and its kernels' way there:
//   measure     gated samples, some of them -> the largest of each part of a row
//   analyse     gated samples, scaled by their row's largest -> numbers of the slots' rings, halves; where the largest of all turns out to
//               be much larger than those that were looked at, once more
//   synthesise  what the rings made of them -> samples, gated
//   resample    taps of kernels -> taps of the rings
#pragma once
#include <cuda_runtime.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "../../host/filter_bank.h"
#include "../algorithm.h"
#include "../core/kernel_taps.cuh"

namespace ffc::gpu {

// A row's largest sample is looked for in so many parts, of each in every `bankSampled`-th piece of a few kilobytes.
constexpr int bankParts = 32, bankSampled = 8;

// Rows of the problem are numbered channel by channel. Those that share their spectra are a group: a channel's, or all of them. A chunk
// has `groups` groups from firstGroup on, of each the `rows` rows from firstRow on, and numbers of these, [group][slot][row][pitch].
// A chunk has fewer than 2^32 tiles, a problem fewer than 2^32 rows.
struct BankChunk {
  uint32_t firstGroup = 0, groups = 1, firstRow = 0, rows = 1;
};

struct BankRows {
  const void *u = nullptr, *pre = nullptr, *post = nullptr;  // absent gates are null
  void* y = nullptr;
  Strides uStride, preStride, postStride, yStride;
  int32_t length = 0, outputLength = 0;
  uint32_t batch = 1, rowsOfGroup = 1;  // rows of a channel
  BankChunk chunk;
  void* numbers = nullptr;   // halves
  int32_t slots = 0, pitch = 0;
  int32_t count = 0;         // numbers of a row, pitch of them at most
  // Float bits: [row of the chunk][bankParts], and of all samples, [row of the chunk]. Null where rows are not measured: float16 without a
  // gate.
  uint32_t *largest = nullptr, *largestOfAll = nullptr;
  const int32_t* exponents = nullptr;  // [group][slot]: what the slots make is to be multiplied by 2^exponent
};

// Of the matrices' products; of half as many slots, two numbers are made by one.
inline int slotsOfProduct(int slots) { return slots <= FilterBank::most / 2 ? FilterBank::most / 2 : FilterBank::most; }

class BankPasses {
 public:
  BankPasses(const FilterBank& bank, const FrequencyMask& mask, bool bf16, int multiprocessors, TableCache& cache);
  void measure(const BankRows& rows, cudaStream_t stream) const;
  void analyse(const BankRows& rows, cudaStream_t stream) const;
  void synthesise(const BankRows& rows, cudaStream_t stream) const;
  // Of `groups` kernels from the first one on, 2N / D taps for each slot: [group][slot][tap].
  void resample(const KernelTaps& kernel, int64_t firstGroup, int64_t groups, float* taps, cudaStream_t stream) const;
  const float* weights() const;  // [slot][index of the ring's spectrum]

 private:
  int together() const { return FilterBank::most / slotsOfProduct(slots_); }

  bool bf16_;
  int multiprocessors_, slots_;
  int64_t points_;
  std::shared_ptr<Buffer> analysis_, synthesis_, kernelFilters_, turns_, weights_;
};

}  // namespace ffc::gpu
