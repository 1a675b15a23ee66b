// float32 complex numbers (float2) and constants on the unit circle.
#pragma once
#include <cuda_runtime.h>

#include "scalar.cuh"

namespace ffc::gpu {

FFC_HD float2 complexProduct(float2 a, float2 b) {
  return {fmaf(a.x, b.x, -(a.y * b.y)), fmaf(a.x, b.y, a.y * b.x)};
}

// cos(2 pi num / den) with the angle reduced to an eighth of a turn first, so that the series is exact to
// float64 rounding. Meant for constant expressions: folding it after unrolling takes the compiler twenty times longer.
FFC_HD constexpr double cosTurn(int num, int den) {
  num %= den;
  if (num < 0) num += den;
  if (2 * num > den) num = den - num;  // cos is even
  bool negative = false;
  if (4 * num > den) {
    num = den - 2 * num;  // cos(x) = -cos(pi - x): num/den -> 1/2 - num/den, over 2*den to stay whole
    den *= 2;
    negative = true;
  }
  const bool useSine = 8 * num > den;  // cos(x) = sin(pi/2 - x)
  const double turns = useSine ? double(den - 4 * num) / (4.0 * den) : double(num) / den;
  const double x = 6.283185307179586476925286766559 * turns, z = x * x;
  double value = 0;
  if (useSine)
    value = x * (1 - z / 6 * (1 - z / 20 * (1 - z / 42 * (1 - z / 72 * (1 - z / 110 * (1 - z / 156 * (1 - z / 210)))))));
  else
    value = 1 - z / 2 * (1 - z / 12 * (1 - z / 30 * (1 - z / 56 * (1 - z / 90 * (1 - z / 132 * (1 - z / 182 * (1 - z / 240)))))));
  return negative ? -value : value;
}

// e^{2 pi i num / den}
FFC_HD constexpr float2 unitRoot(int num, int den) {
  return {static_cast<float>(cosTurn(num, den)), static_cast<float>(cosTurn(4 * num - den, 4 * den))};
}

// e^{2 pi i step q / den} for q = 0, 1, ..., computed while compiling.
template <int Count>
struct RootTable {
  float re[Count] = {}, im[Count] = {};
  FFC_HD constexpr RootTable(int step, int den) {
    for (int q = 0; q < Count; ++q) {
      re[q] = static_cast<float>(cosTurn(step * q, den));
      im[q] = static_cast<float>(cosTurn(4 * step * q - den, 4 * den));
    }
  }
};

}  // namespace ffc::gpu
