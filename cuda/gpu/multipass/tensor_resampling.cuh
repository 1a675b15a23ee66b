// What lies between samples and a ring of 1 / rate of their number (host/resampling.h has the formulas, tensor_filters.h the matrices): the
// first pass makes numbers of the ring from samples, the last one samples from numbers. Each is the transpose of the other, so that
// together they have no delay.
#pragma once
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
// Of halves, whatever the tensors are.
struct Halves {
  static constexpr bool bf16 = false;
};
template <class C>
FFC_DEVICE uint4 packSamples(const float (&x)[8]) {
  u32 w[4];
#pragma unroll
  for (int i = 0; i < 4; i++) w[i] = C::bf16 ? packBfloat(x[2 * i], x[2 * i + 1]) : packHalf(x[2 * i], x[2 * i + 1]);
  return {w[0], w[1], w[2], w[3]};
}
// Samples of a tensor that is read beside the pieces in shared memory: first .. first + 7 of a row, zero outside.
template <class C>
FFC_DEVICE void multiplySamples(float (&x)[8], uint64_t row, int first, int length) {
  float f[8];
  unpackSamples<C>(gatherPiece(row, first, length), f);
#pragma unroll
  for (int i = 0; i < 8; i++) x[i] *= f[i];
}

// Where piece `piece` of a row of samples lies: what 16 numbers are made of begins with every 2 rate-th piece, and those for four of them,
// in two rows that are 9 rate pieces apart, are read at once, from different banks.
template <int rate>
FFC_DEVICE int turnedPiece(int piece) {
  return piece ^ (piece >> 3 & (rate - 1));
}

}  // namespace ffc::mma
