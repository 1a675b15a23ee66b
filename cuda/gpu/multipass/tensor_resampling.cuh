// Between samples and a ring of 1 / rate of their number, on the way into the first pass and out of the last (host/resampling.h has
// the formulas). With 5 rate taps g and the ring's numbers d, z:
//   decimation      d[m] = sum_j g[j] u[rate m + rate - 1 - j]              reads 4 rate samples before those of m
//   interpolation   y[rate q + r] = sum_i g[rate i + rate - 1 - r] z[q + i]   reads 4 numbers behind q
// Each is the transpose of the other, so that together they have no delay. A lane makes 8 neighbouring numbers, or outputs.
#pragma once
#include <type_traits>

#include "../mma/arithmetic.cuh"
#include "../mma/staging.cuh"
#include "tensor_config.h"

namespace ffc::mma {

template <class C>
FFC_DEVICE void unpackSamples(uint4 v, float (&x)[8]) {
  const u32 w[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
  for (int i = 0; i < 4; i++) {
    const float2 pair = unpackElements<C>(w[i]);
    x[2 * i] = pair.x, x[2 * i + 1] = pair.y;
  }
}
// Samples of a tensor that is read beside the pieces in shared memory: first .. first + 7 of a row, zero outside.
template <class C>
FFC_DEVICE void multiplySamples(float (&x)[8], uint64_t row, int first, int length) {
  float f[8];
  unpackSamples<C>(gatherPiece(row, first, length), f);
#pragma unroll
  for (int i = 0; i < 8; i++) x[i] *= f[i];
}

// Where piece `piece` of a row lies: lanes that read every second or fourth one find them in different banks.
template <int rate>
FFC_DEVICE int turnedPiece(int piece) {
  return piece ^ (piece >> 3 & (rate - 1));
}

// Adds what the eight samples t .. t + 7, t = rate m - 4 rate + 8 piece, contribute to the numbers m .. m + 7.
template <int rate, int piece>
FFC_DEVICE void decimate(float (&sum)[8], const float (&x)[8], const float* taps) {
#pragma unroll
  for (int o = 0; o < 8; o++)
#pragma unroll
    for (int i = 0; i < 8; i++) {
      const int j = rate * (o + 1 + ringNeighbours) - 1 - 8 * piece - i;
      if (j >= 0 && j < rate * (1 + ringNeighbours)) sum[o] += taps[j] * x[i];
    }
}

// The eight outputs that begin with those of z[0].
template <int rate>
FFC_DEVICE void interpolate(float (&y)[8], const float (&z)[8 / rate + ringNeighbours], const float* taps) {
#pragma unroll
  for (int o = 0; o < 8; o++) {
    const int q = o / rate, r = o % rate;
    y[o] = 0;
#pragma unroll
    for (int i = 0; i <= ringNeighbours; i++) y[o] += taps[rate * i + rate - 1 - r] * z[q + i];
  }
}

// body(a constant number) for 0 .. count - 1.
template <int count, int first = 0, class Body>
FFC_DEVICE void forEachPiece(Body&& body) {
  if constexpr (first < count) {
    body(std::integral_constant<int, first>());
    forEachPiece<count, first + 1>(body);
  }
}

}  // namespace ffc::mma
