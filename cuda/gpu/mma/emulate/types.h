// What nvcc would supply to the emulated code, and the word that all of it is about.
#pragma once
#include <cstdint>

#define FFC_DEVICE inline

struct float2 {
  float x, y;
};
struct uint2 {
  uint32_t x, y;
};
struct uint4 {
  uint32_t x, y, z, w;
};

namespace ffc::mma {

using u32 = uint32_t;

}  // namespace ffc::mma
