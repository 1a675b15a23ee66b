// Rows that went through the long order as they are (UnscaledRows): whether halves could hold what became of them is seen
// by their outputs, before these are stored.
//
// An overflow anywhere leaves numbers that are not finite in all 16 outputs n1 of a column at least, of which some lane sees one. A row
// that is too small has outputs of a small norm. Each lane adds up the squares of half of its outputs, those of both halves of a row and
// of each column, before their gate; all lanes add that to one word of their set, and the verdict on it is read an interval later.
#pragma once
#include "staging/samples.cuh"

namespace ffc::mma {

// The least sum of squares of those outputs, before the exponent of the spectrum. What halves below the normal ones lose of a row has a
// norm of 6e-6 (16384 points, kernels of one tap, a few or many; emulated), 2.7e-4 of the norm of such a row. White samples and kernels
// come to that with an rms of 0.016.
constexpr float leastSquaresOfRow = 1.0f / 2048;

// What a lane has seen of a set's outputs, and what brings these to the scale of the row's own.
template <class C>
struct LaneWatch {
  u32 scale;        // as float bits
  u32 squares = 0;  // as two bfloat16 numbers
  float gatedSquares = 0;
  FFC_DEVICE void operator()(u32 (&y)[4]) {
    if constexpr (C::watchesRows && !C::gated) {
      squares = bfloatFma(y[0], y[0], bfloatFma(y[3], y[3], squares));
#pragma unroll
      for (int i = 0; i < 4; i++) y[i] = bfloatMul(y[i], bfloatPair(scale));
    }
  }
  FFC_DEVICE void operator()(float2 v) { gatedSquares = fmaf(v.x, v.x, fmaf(v.y, v.y, gatedSquares)); }
  FFC_DEVICE float sum() const {
    const float2 v = unpackElements<C>(squares);
    return C::gated ? gatedSquares : v.x + v.y;
  }
};

template <class C>
struct LongWatch {
  // Interval j clears the word of set j, adds to that of set j - 1 and reads that of set j - 2; with one exchange buffer it adds to that of
  // set j, behind a barrier, and reads that of set j - 1.
  static constexpr int ring = 4;
  static constexpr int bytes = ring * 4;
  // In the word a sum of 1 is 2^24, of which a lane adds at most 2^17 and 512 lanes 2^26; a warp with a number that is not finite adds 2^27.
  static constexpr float unit = 16777216, mostOfLane = 131072;
  static constexpr u32 notFinite = 1u << 27;
  u32 words;

  FFC_DEVICE u32 wordOf(int set) const { return words + (set & (ring - 1)) * 4; }
  FFC_DEVICE void clear(int set) const {
    if (threadIndex() == 0) sharedStore4(wordOf(set), 0);
  }
  FFC_DEVICE void note(int set, float sum) const {
    u32 all = warpSum(u32(fminf(sum * unit, mostOfLane)));  // of what is not a number, the other one is the minimum
    if (warpBallot(!(sum < 1e30f))) all = notFinite;
    if ((threadIndex() & 31) == 0) sharedAdd(wordOf(set), all);
  }
  FFC_DEVICE bool refuses(int set) const {
    const u32 word = sharedLoad4(wordOf(set));
    return word < u32(leastSquaresOfRow * unit) || word >= notFinite;
  }
};

}  // namespace ffc::mma
