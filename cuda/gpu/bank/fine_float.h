// Fine filter banks of float32 rows, and of kernels whatever the rows' dtype, on CUDA cores (fine.h): what the tables (fine_float_tables.h) have for each slot.
#pragma once
#include <cstdint>

#include "fine.h"

namespace ffc::gpu {

// A slot's numbers are x re + y im of the complex value at `place` of each transform. The way back, by kept frequencies: the value at `place` is
// x real + y imaginary + i (y real - x imaginary) of a number of d_2k and one of d_(1023 - 2k), of which one may be none, `slots`.
struct FineSlot {
  uint32_t place;
  float x, y;
  uint32_t unused;
};
struct FineFrequency {
  uint32_t place;
  uint16_t real, imaginary;
  float x, y;
};
static_assert(sizeof(FineSlot) == 16 && sizeof(FineFrequency) == 16);

}  // namespace ffc::gpu
