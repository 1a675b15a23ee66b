// What a row pass of a kernel spectrum gets, and its compiled shapes.
#pragma once
#include <vector>

#include "params.h"

namespace ffc::gpu {

struct TensorSpectrumParams {
  MultiPassParams passes;
  float gain = 1;               // what the spectrum holds beyond the kernel's own
  unsigned* largest = nullptr;  // per channel: float bits of the largest component; zero before the first launch
  int32_t* exponent = nullptr;  // per channel
  int32_t write = 0;            // 0: find the largest component; 1: write
  bool pieces = false;          // in the order of mma::pieceGroup()
};

struct TensorSpectrumInstance {
  int points = 0, threads = 0;
  bool floats = false;
  int64_t sharedBytes = 0;
  const void* transform = nullptr;
  std::vector<uint8_t> (*tables)() = nullptr;
};
std::vector<TensorSpectrumInstance> tensorSpectrumInstances();

}  // namespace ffc::gpu
