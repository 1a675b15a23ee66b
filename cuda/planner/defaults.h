// The constants that are shipped, and where they come from.
#pragma once
#include <cstdint>

#include "constants.h"

namespace ffc {

// What a GPU says of itself.
struct GpuFacts {
  int computeMajor = 0, computeMinor = 0, multiprocessors = 0;
  double clockHz = 0;               // the highest
  double memoryBytesPerSecond = 0;  // bus width times data rate; 0 where the driver does not say
};
Constants gpuConstants(const GpuFacts& facts);

Constants cpuConstants(int lanes, int threads);

}  // namespace ffc
