// Small complex transforms in registers with their twiddles inside the butterflies.
//
// radix<R, Sign>(x, powers) evaluates, for a number w given by its powers,
//   X[k] = sum_q x[q] * (w * e^{Sign 2 pi i k / R})^q,   0 <= k < R,
// as a tree of polynomial remainders: x mod (z^R - w^R) splits into x mod (z^{R/2} -+ w^{R/2}), and so on. Each
// split is a +- t b with a twiddle t, six multiply-adds (re, im of a + t b, then 2 a - that): no separate
// twiddle pass and the same cost per level for every radix. X[k] ends in x[slot<R>(k)].
//
// R = 2^p or 3 * 2^p. `powers` has powerCount(R) entries: for the factor 3 first w^{R/3}, w^{2R/3}, then
// w^{h} with h halving down to 1. They come from tables rounded once from float64: squaring w up instead would
// double its rounding error each time.
#pragma once
#include "complex.cuh"

namespace ffc::gpu {

constexpr FFC_HD int log2Of(int n) {
  int p = 0;
  while ((1 << (p + 1)) <= n) ++p;
  return p;
}

constexpr FFC_HD bool hasThree(int radix) { return radix % 3 == 0; }

constexpr FFC_HD int powerCount(int radix) {
  return hasThree(radix) ? 2 + log2Of(radix / 3) : log2Of(radix);
}

// The exponent of w in powers[level].
constexpr FFC_HD int powerExponent(int radix, int level) {
  if (!hasThree(radix)) return radix >> (level + 1);
  return level == 0 ? radix / 3 : level == 1 ? 2 * radix / 3 : (radix / 3) >> (level - 1);
}

constexpr FFC_HD int bitReverse(int value, int bits) {
  int out = 0;
  for (int i = 0; i < bits; ++i) out |= ((value >> i) & 1) << (bits - 1 - i);
  return out;
}

// The positions as a table that exists at compile time only: computed in a function, they would make the register
// arrays that they index live in local memory.
template <int R>
struct SlotTable {
  int at[R];
  constexpr SlotTable() : at() {
    for (int k = 0; k < R; ++k)
      at[k] = hasThree(R) ? (k % 3) * (R / 3) + bitReverse(k / 3, log2Of(R / 3)) : bitReverse(k, log2Of(R));
  }
};

template <int R>
constexpr FFC_HD int slot(int k) {
  constexpr SlotTable<R> table;
  return table.at[k];
}

// (a, b) <- (a + t b, a - t b)
FFC_HD void butterfly(float2& a, float2& b, float2 t) {
  const float re = fmaf(-t.y, b.y, fmaf(t.x, b.x, a.x));
  const float im = fmaf(t.y, b.x, fmaf(t.x, b.y, a.y));
  b = {fmaf(2.0f, a.x, -re), fmaf(2.0f, a.y, -im)};
  a = {re, im};
}

FFC_HD void plainButterfly(float2& a, float2& b) {
  const float2 difference = {a.x - b.x, a.y - b.y};
  a = {a.x + b.x, a.y + b.y};
  b = difference;
}

FFC_HD float2 quarterTurn(float2 t, int sign) { return sign > 0 ? float2{-t.y, t.x} : float2{t.y, -t.x}; }

// One node of the tree of remainders: the segment of 2 * Half points from Begin on, whose frequencies are = K
// (mod Step). The split's twiddle is t = w^Half e^{Sign 2 pi i K / (2 Step)}; turns past a quarter reuse the twiddle
// a quarter before, rotated for free. Everything but the data is a template argument, so that x stays in registers.
template <int R, int Half, int Begin, int K, int Step, int Level, int Sign, bool Unit>
FFC_HD void splitSegment(float2 (&x)[R], const float2* powers) {
  if constexpr (Half >= 1) {
    constexpr int den = 2 * Step;
    constexpr bool turned = 4 * K >= den;
    constexpr int num = turned ? 4 * K - den : 4 * K;  // in units of 1 / (4 den)
    constexpr bool trivial = num == 0;
    constexpr float rootRe = static_cast<float>(cosTurn(Sign * num, 4 * den));
    constexpr float rootIm = static_cast<float>(cosTurn(4 * Sign * num - 4 * den, 16 * den));
    float2 t = {rootRe, rootIm};
    if constexpr (!Unit) t = trivial ? powers[Level] : complexProduct(powers[Level], t);
    if (turned) t = quarterTurn(t, Sign);
#pragma unroll
    for (int i = 0; i < Half; ++i) {
      float2 &a = x[Begin + i], &b = x[Begin + Half + i];
      if (Unit && trivial) {
        if (turned) b = quarterTurn(b, Sign);
        plainButterfly(a, b);
      } else {
        butterfly(a, b, t);
      }
    }
    splitSegment<R, Half / 2, Begin, K, 2 * Step, Level + 1, Sign, Unit>(x, powers);
    splitSegment<R, Half / 2, Begin + Half, K + Step, 2 * Step, Level + 1, Sign, Unit>(x, powers);
  }
}

// Unit: w = 1, powers are not read.
template <int R, int Sign, bool Unit>
FFC_HD void radix(float2 (&x)[R], const float2* powers) {
  if constexpr (!hasThree(R)) {
    splitSegment<R, R / 2, 0, 0, 1, 0, Sign, Unit>(x, powers);
  } else {
    constexpr int third = R / 3;
    constexpr float sine = Sign * 0.86602540378443864676f;
#pragma unroll
    for (int i = 0; i < third; ++i) {
      const float2 a = x[i];
      const float2 b = Unit ? x[third + i] : complexProduct(x[third + i], powers[0]);
      const float2 c = Unit ? x[2 * third + i] : complexProduct(x[2 * third + i], powers[1]);
      const float2 sum = {b.x + c.x, b.y + c.y}, difference = {b.x - c.x, b.y - c.y};
      const float2 centre = {fmaf(-0.5f, sum.x, a.x), fmaf(-0.5f, sum.y, a.y)};
      x[i] = {a.x + sum.x, a.y + sum.y};
      x[third + i] = {fmaf(-sine, difference.y, centre.x), fmaf(sine, difference.x, centre.y)};
      x[2 * third + i] = {fmaf(sine, difference.y, centre.x), fmaf(-sine, difference.x, centre.y)};
    }
    if constexpr (third > 1) {
      // Frequencies = 0, 1, 2 (mod 3): the same levels with w turned by group / R.
      splitSegment<R, third / 2, 0, 0, 3, 0, Sign, Unit>(x, powers + 2);
      splitSegment<R, third / 2, third, 1, 3, 0, Sign, Unit>(x, powers + 2);
      splitSegment<R, third / 2, 2 * third, 2, 3, 0, Sign, Unit>(x, powers + 2);
    }
  }
}

}  // namespace ffc::gpu
