// One compiled shape of a tensor-core pass; the lists in tensor_*_instances*.cu are the manifest.
#pragma once
#include <cstdint>
#include <vector>

#include "../../host/resampling.h"

namespace ffc::mma {

struct TensorColumnInstance {
  bool bf16 = false, accurate = false;
  int radix = 1, width = 64;  // N1 = 16 (1 << log2Inner) radix, columns of a group
  int rate = 1;  // samples for each point of the ring
  int ownPieces = 8;  // of a group, 8 columns each, whose outputs the last pass stores
  int sharedBytes = 0, blocks = 1, log2MostTiles = 0;
  const void *forward = nullptr, *inverse = nullptr, *inverseAndSkip = nullptr;
  std::vector<uint32_t> (*tables)(int log2Inner, int quarters) = nullptr;
  std::vector<uint32_t> (*filters)(const Resampling& filters, bool bfloat) = nullptr;  // of another rate (tensor_filters.h)
};

struct TensorRowInstance {
  int points = 0;  // 4096 Q
  bool accurate = false;
  bool pieces = false;  // reads pieces of the spectrum
  int rows = 1;  // that share an interval
  int leastSlots = 0, mostSlots = 0;
  int (*sharedBytes)(int slots) = nullptr;
  const void* convolve = nullptr;
  std::vector<uint32_t> (*tables)(int log2N2, int quarters) = nullptr;
  double (*gain)(int log2N2) = nullptr;
};

// Each list lives in a translation unit of its own, so that a parallel build shares the work.
void addFastColumns(std::vector<TensorColumnInstance>& list);
void addAccurateColumns(std::vector<TensorColumnInstance>& list);
void addFastRows(std::vector<TensorRowInstance>& list);
void addAccurateRows(std::vector<TensorRowInstance>& list);

}  // namespace ffc::mma
