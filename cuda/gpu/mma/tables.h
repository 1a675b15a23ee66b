// Constant tables of the fused convolution, computed in float64 and rounded once. The order of the words is that of
// TableLayout; the fragments are those of mma.sync.m16n8k16 (lane = 4 g + c):
//   A operand (16 x 16)  register lo + 2 hi: rows g + 8 lo, columns 2c, 2c+1 (+ 8 hi)
//   B operand (16 x 8)   register hi: rows 2c, 2c+1 (+ 8 hi), column g
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstdint>
#include <cstring>
#include <vector>

#include "config.h"
#include "params.h"

namespace ffc::mma {

inline uint16_t halfBits(double x) {
  const uint16_t sign = std::signbit(x) ? 0x8000 : 0;
  x = std::fabs(x);
  if (x == 0) return sign;
  int e = std::ilogb(x);
  if (e < -14) e = -14;  // subnormal: fixed spacing
  const double units = std::nearbyint(std::ldexp(x, 10 - e));  // ties to even in the default rounding mode
  if (units >= 2048 && e == 15) return sign | 0x7c00;
  // The integer carries over into the exponent field where rounding reaches the next binade.
  return sign | uint16_t(int(units) + ((e + 14) << 10));
}

inline uint32_t halfPair(double low, double high) { return halfBits(low) | uint32_t(halfBits(high)) << 16; }

inline uint32_t floatWord(double x) {
  const float f = float(x);
  uint32_t bits;
  std::memcpy(&bits, &f, 4);
  return bits;
}

// A row of the first matrix as halves. Samples of a constant meet the sum of the row, and the sum of 16 errors of the nearest
// halves is four times one of them, in each row; so where the errors do not cancel, some entries take the half on their other
// side: the least sum of squares of the errors and, with a third of the weight, of their sum. Of this matrix constants get
// 0.4e-4 instead of 1.6e-4, noise 1.67e-4 instead of 1.63e-4.
inline std::array<double, 16> halvesOfRow(const std::array<double, 16>& exact) {
  std::array<double, 16> error, other;  // of the half that is taken, of that on the other side
  double sum = 0, squares = 0;
  for (int i = 0; i < 16; i++) {
    const double step = std::ldexp(1.0, (exact[i] == 0 ? -14 : std::max(-14, std::ilogb(exact[i]))) - 10);
    error[i] = std::nearbyint(exact[i] / step) * step - exact[i];
    other[i] = error[i] + (error[i] < 0 ? step : -step);
    sum += error[i];
    squares += error[i] * error[i];
  }
  const auto gain = [&](int i) { return error[i] * error[i] - other[i] * other[i]; };
  for (;;) {  // one exchange or two at a time: each makes the total less
    double most = 1e-9 * squares;
    int first = -1, second = -1;
    for (int i = 0; i < 16; i++)
      for (int j = 0; j <= i; j++) {  // j = i: that one alone
        const double moved = sum + other[i] - error[i] + (j < i ? other[j] - error[j] : 0);
        const double total = gain(i) + (j < i ? gain(j) : 0) + (sum * sum - moved * moved) / 3;
        if (total > most) most = total, first = i, second = j;
      }
    if (first < 0) break;
    const auto exchange = [&](int i) {
      sum += other[i] - error[i];
      std::swap(error[i], other[i]);
    };
    exchange(first);
    if (second != first) exchange(second);
  }
  std::array<double, 16> halves;
  for (int i = 0; i < 16; i++) halves[i] = exact[i] + error[i];
  return halves;
}

// The entries of a half-cost matrix of n points take n / 2 distinct values. This factor on all of them was searched
// (2e6 steps in [0.5, 1]) for the least rounding error in half precision, weighted by occurrence: 1.3e-4 becomes 3.8e-5
// for 16 points, 1e-4 next to nothing for 2 and 4. Below 1 it also keeps the range; the spectrum undoes it.
constexpr double halfCostScale(int n) {
  return n == 2 ? 0.6912245 : n == 4 ? 0.961914 : n == 8 ? 0.65772975 : n == 16 ? 0.55759775 : 1.0;
}
// What a unitary transform becomes before it meets the spectrum. Turns are numbers of modulus 1 and leave both factors
// 1 / sqrt(R) to the spectrum.
template <class C>
double forwardScale(int log2N2) {
  const double scale = halfCostScale(16) * (C::pairwise ? halfCostScale(1 << log2N2) : 1.0);
  return std::ldexp(scale * std::sqrt(C::accurate || C::turned ? double(C::R) : 1.0), -C::fixedExponent);
}
// Where rows have no scale of their own, halves hold outputs of rms 0.01 as well as constants of 1000 over the longest row:
// after the product with the spectrum one number is sqrt(N) times as large as they. What the outputs do not show, because it
// lies behind their end, may be larger still. So that number is kept as small as outputs of 0.01 allow: 0.0244 to 0.0488 times
// that of a unitary transform, by this power of two off the spectrum, which the last matrix gives back. At half of that, inputs
// and outputs of 0.01 have 5.9e-4 in the accurate class and 1.39e-3 at 32768 points, at this 5.7e-4 and 1.27e-3 (of 1: 5.6e-4,
// 1.23e-3).
//
// Not where the matrices of the way back are made of those of the way there (transposedTables).
template <class C>
constexpr bool keepsRoom() {
  return !C::rowScaled && !C::transposedTables;
}
template <class C>
int spectrumExponent(int log2N2) {
  if (!keepsRoom<C>()) return 0;
  const double forward = forwardScale<C>(log2N2), product = std::ldexp(1 / forward, -2 * C::fixedExponent);
  return std::ilogb(product / 0.0244);
}
// After it two inverse half-cost matrices take off a half each, or more; these get a factor of 2.
template <class C>
constexpr int inverseExponent() {
  return keepsRoom<C>() ? 1 : 0;
}
template <class C>
double spectrumGain(int log2N2) {
  const double scale = std::ldexp(forwardScale<C>(log2N2), C::fixedExponent);
  return std::ldexp(1 / (scale * scale), -spectrumExponent<C>(log2N2));
}

// See HiddenTaps. A constant of 1000 is one number 1000 sqrt(N) times the forward scale before the product, which may take
// it to 65504 in its real and imaginary part (2^high). Outputs of rms 1000 beside a kernel that takes it further are at most
// 1 / ratio of what a spectrum of that size makes of the constant; so all but the last N / ratio^2 outputs or so are small, and
// what makes the spectrum large are as many taps, of which twice as many are looked at. Of more than N / 128 and 64 the sum would be
// as large as the spectra of white kernels; there the rule is for taps that stand out. Packed: a window has 1000 in both parts.
template <class C>
HiddenTaps hiddenTaps(int log2N2) {
  if (C::rowScaled) return {0, 0};
  const double N = (256.0 * C::R * C::slices) * (1 << log2N2);
  const double constant = (C::packed ? std::sqrt(2.0) : 1.0) * 1000 * std::sqrt(N) * forwardScale<C>(log2N2);
  const double ratio = 65504 / (constant * spectrumGain<C>(log2N2));
  return {int(std::min({64.0, N / 128, 2 * N / (ratio * ratio)})), std::ilogb(65504 / std::sqrt(2.0) / constant)};
}

// Of one slice: its transform has frequencies k - (quarters / 4 - slice) / slices.
template <class C>
std::vector<uint32_t> makeSliceTables(int log2N2, int slice, int quarters) {
  using Layout = TableLayout<C>;
  using Complex = std::complex<double>;
  constexpr int R = C::R;
  constexpr double pi = 3.14159265358979323846;
  const double shift = C::rowLayout ? 0 : (quarters / 4.0 - slice) / C::slices;  // rows bring their own
  const int N2 = 1 << log2N2, halfN2 = N2 / 2;
  const double N = 256.0 * N2 * R;
  auto e = [&](double turns) { return std::polar(1.0, -2 * pi * turns); };
  const double turnScale = C::halfTurns ? 1 / std::sqrt(double(R)) : 1;  // of the matrices over n3l, a power of two
  // Half-cost transform of 16 points at the frequencies j + 1/2: 8 cosines, then 8 sines, applied to the real and to
  // the imaginary parts; +f and -f follow by adding and subtracting. Unitary: 1/4.
  auto real16 = [&](int n, int column) {
    const double angle = 2 * pi * n * (column % 8 + 0.5) / 16;
    return (column < 8 ? std::cos(angle) : -std::sin(angle)) / 4 * halfCostScale(16) * turnScale;
  };
  // The same over n2, block-diagonal: sequence q has the rows q N2 .. and the columns j = q N2 / 2 .. of each kind.
  auto realN2 = [&](int n, int column) {
    if (!C::pairwise) return 0.0;
    const int q = n / N2, m = n % N2, j = column % 8;
    if (j / halfN2 != q) return 0.0;
    const double angle = 2 * pi * m * (j % halfN2 + 0.5) / N2;
    return (column < 8 ? std::cos(angle) : -std::sin(angle)) / std::sqrt(double(N2)) * halfCostScale(N2);
  };
  // Slow digit with everything that depends on n1 and n2 alone: its transform, the twist, the twiddle of n2 and the
  // half step of n2's own transform.
  auto outer = [&](int k1, int n1, int warp) {
    const int n2 = warp % N2;
    const double f = k1 - shift;
    return e(n1 * f / 16 + n2 * (f - 8) / (16.0 * N2)) * (0.25 / std::sqrt(double(C::slices)));
  };
  // Row half or column group s, index j of a fragment -> k2.
  auto k2Of = [&](int s, int j) { return !C::pairwise ? 0 : s ? N2 - 1 - j % halfN2 : j % halfN2; };
  auto step = [&](int k1, int k2) { return e(16 * (k1 - shift + 16 * k2) / N); };
  auto twiddle = [&](int kb, int k1, int k2, int n) {
    return e(n * ((k1 - shift + 16 * k2) / N + double(kb) / (16 * R) - 1.0 / 32)) / std::sqrt(double(R));
  };
  auto turnHalves = [&](uint32_t* to, double a, double b) {
    to[0] = halfPair(std::tan(-pi * a), std::tan(-pi * b)), to[32] = halfPair(std::sin(-2 * pi * a), std::sin(-2 * pi * b));
  };
  auto putTurn = [&](uint32_t* to, double turns) {
    to[0] = floatWord(std::tan(-pi * turns)), to[1] = floatWord(std::sin(-2 * pi * turns));
  };
  auto chain = [&](int n) { return e(n / (16.0 * R)); };
  // Turns of halves. Those over n3h are by steps of b - 1, so that the second step is the largest; where it is a quarter of a
  // turn or more (the second half of k2), half a turn is left to a change of sign. Those over n3l and kb are counted from the
  // middle of n3l's values and from kb = R / 2, where the half step of n3l cancels.
  auto stepTurns = [&](int k1, int k2, int s, int power) {
    return power * 16 * (k1 - shift + 16 * k2) / N - (power == 2 && s ? 0.5 : 0.0);
  };
  auto fromMiddle = [](int n) { return n - 7.5; };
  auto tangent = [](double turns) { return std::tan(-pi * turns); };
  auto sine = [](double turns) { return std::sin(-2 * pi * turns); };
  const double prescale = std::ldexp(1.0, -C::fixedExponent), inverse = std::ldexp(1.0, inverseExponent<C>());
  const double unscale = std::ldexp(
      1.0, C::fixedExponent + spectrumExponent<C>(log2N2) - inverseExponent<C>() * (C::pairwise ? 2 : 1));
  // The first matrix of a warp, times a number. Rows of several passes have no samples here.
  auto firstMatrix = [&](int warp, Complex factor) {
    std::array<std::array<Complex, 16>, 16> matrix;
    for (int k1 = 0; k1 < 16; k1++) {
      std::array<double, 16> re, im;
      for (int n1 = 0; n1 < 16; n1++) {
        const Complex exact = outer(k1, n1, warp) * factor * prescale;
        re[n1] = exact.real(), im[n1] = exact.imag();
      }
      if (!C::rowLayout) re = halvesOfRow(re), im = halvesOfRow(im);
      for (int n1 = 0; n1 < 16; n1++) matrix[k1][n1] = {re[n1], im[n1]};
    }
    return matrix;
  };
  // One as A operand: real parts, then imaginary ones at to + 128.
  auto putMatrix = [&](uint32_t* to, const std::array<std::array<Complex, 16>, 16>& matrix) {
    for (int lane = 0; lane < 32; lane++)
      for (int i = 0; i < 4; i++) {
        const auto& row = matrix[(lane >> 2) + 8 * (i & 1)];
        const int column = 2 * (lane & 3) + 8 * (i >> 1);
        to[lane * 4 + i] = halfPair(row[column].real(), row[column + 1].real());
        to[lane * 4 + i + 128] = halfPair(row[column].imag(), row[column + 1].imag());
      }
  };

  // The real part of the conjugate transpose of what samples were multiplied by, times X: re M^T re X + im M^T im X.
  auto putLastMatrix = [&](uint32_t* to, int warp, Complex factor) {
    for (int lane = 0; lane < 32; lane++)
      for (int i = 0; i < 4; i++) {
        const int row = (lane >> 2) + 8 * (i & 1), column = 2 * (lane & 3) + 8 * (i >> 1);
        const Complex a = outer(column, row, warp) * factor * unscale, b = outer(column + 1, row, warp) * factor * unscale;
        to[lane * 4 + i] = halfPair(a.real(), b.real());
        to[lane * 4 + i + 128] = halfPair(a.imag(), b.imag());
      }
  };
  std::vector<uint32_t> table(Layout::words);
  for (int warp = 0; warp < 16; warp++) {
    putMatrix(&table[Layout::outer + warp * 512], firstMatrix(warp, 1));
    putLastMatrix(&table[Layout::outer + warp * 512 + 256], warp, 1);
  }
  for (int lane = 0; lane < 32; lane++) {
    const int g = lane >> 2, c = lane & 3;
    auto at = [&](int offset, int i) -> uint32_t& { return table[offset + i * 32 + lane]; };
    auto putHalves = [&](int offset, int i, Complex a, Complex b) {
      at(offset, i) = halfPair(a.real(), b.real());
      at(offset, i + 1) = halfPair(a.imag(), b.imag());
    };
    for (int i = 0; i < 4; i++) {
      const int lo = i & 1, hi = i >> 1;
      at(Layout::inner, i) = halfPair(realN2(2 * c + 8 * hi, g + 8 * lo), realN2(2 * c + 1 + 8 * hi, g + 8 * lo));
      at(Layout::inner, 4 + i) = halfPair(real16(2 * c + 8 * lo, g + 8 * hi), real16(2 * c + 1 + 8 * lo, g + 8 * hi));
      at(Layout::inner, 8 + i) =
          halfPair(inverse * real16(g + 8 * lo, 2 * c + 8 * hi), inverse * real16(g + 8 * lo, 2 * c + 1 + 8 * hi));
      at(Layout::inner, 12 + i) =
          halfPair(inverse * realN2(g + 8 * hi, 2 * c + 8 * lo), inverse * realN2(g + 8 * hi, 2 * c + 1 + 8 * lo));
    }
    if constexpr (Layout::chained)
      for (int i = 0; i < 2; i++) {
        putHalves(Layout::chain, 2 * i, chain(8 * i + 2 * c), chain(8 * i + 2 * c + 1));
        putHalves(Layout::chain, 4 + 2 * i, chain(g + 8 * i), chain(g + 8 * i));
      }
    if constexpr (C::turnTables)
      for (int power = 1; power <= 2; power++)
        for (int i = 0; i < 2; i++) {
          const double unit = power / (16.0 * R);
          const double of0 = fromMiddle(8 * i + 2 * c) * unit, of1 = fromMiddle(8 * i + 2 * c + 1) * unit;
          const int at0 = 4 * (power - 1) + 2 * i;
          at(Layout::chain, at0) = halfPair(tangent(of0), tangent(of1));
          at(Layout::chain, at0 + 1) = halfPair(sine(of0), sine(of1));
        }
    for (int k1 = 0; k1 < 16; k1++) {
      const int own = Layout::frequency + k1 * Layout::frequencyRegisters * 32, steps = Layout::ownRegisters;
      if constexpr (C::ownMatrices) {
        for (int i = 0; i < 4; i++) {
          const int row = 2 * c + 8 * (i & 1), j = i >> 1 ? 15 - g : g;
          const auto entry = [&](int n) { return e(n * ((k1 - shift) / N + j / 16.0)) * (0.25 * halfCostScale(16)); };
          const Complex a = entry(row), b = entry(row + 1);
          at(own, i) = halfPair(a.real(), b.real());
          at(own, 4 + i) = halfPair(a.imag(), b.imag());
        }
        continue;
      }
      for (int outerHalf = 0; outerHalf < 2; outerHalf++)
        for (int s = 0; s < 2; s++) {
          // Forward: rows of half s, columns 8t + 2c, at 2t + s. Backward: rows g + 8 half, columns of group s, at
          // 2s + half.
          const int t = outerHalf, half = outerHalf;
          for (int kb = 0; kb < (C::twiddleRegisters ? R : 1); kb++) {
            const Complex f0 = twiddle(kb, k1, k2Of(s, g), 8 * t + 2 * c), f1 = twiddle(kb, k1, k2Of(s, g), 8 * t + 2 * c + 1);
            const Complex b0 = twiddle(kb, k1, k2Of(s, 2 * c), g + 8 * half), b1 = twiddle(kb, k1, k2Of(s, 2 * c + 1), g + 8 * half);
            if (C::turned) {
              auto put = [&](int i, int s0, int n0, int s1, int n1) {
                const auto turns = [&](int k2, int n) {
                  return (n - 7.5) * ((k1 - shift + 16 * k2) / N + double(kb) / (16 * R) - 1.0 / 32);
                };
                turnHalves(&at(own, i), turns(s0, n0), turns(s1, n1));
              };
              put(kb * 8 + 2 * (2 * t + s), k2Of(s, g), 8 * t + 2 * c, k2Of(s, g), 8 * t + 2 * c + 1);
              put((R + kb) * 8 + 2 * (2 * s + half), k2Of(s, 2 * c), g + 8 * half, k2Of(s, 2 * c + 1), g + 8 * half);
            } else if (C::twiddleRegisters) {
              putHalves(own, kb * 8 + 2 * (2 * t + s), f0, f1);
              putHalves(own, (R + kb) * 8 + 2 * (2 * s + half), b0, b1);
            } else if (C::halfTurns) {
              const double unit = (k1 - shift + 16 * k2Of(s, g)) / N, of0 = fromMiddle(8 * t + 2 * c) * unit;
              const double of1 = fromMiddle(8 * t + 2 * c + 1) * unit;
              uint32_t* m = &table[Layout::image + k1 * 256 + (s + 2 * t) * 32 + lane];
              m[0] = halfPair(tangent(of0), tangent(of1));
              m[128] = halfPair(sine(of0), sine(of1));
            } else if (!C::accurate) {
              // 8 x 8 matrices, matrix s + 2t: row g is the row of half s, columns 8t + 2c.
              uint32_t* m = &table[Layout::image + k1 * 256 + (s + 2 * t) * 32 + lane];
              m[0] = halfPair(f0.real(), f1.real());
              m[128] = halfPair(f0.imag(), f1.imag());
            }
          }
        }
      if (C::turnTables)
        for (int power = 1; power <= 2; power++)
          for (int s = 0; s < 2; s++) {
            const double of = stepTurns(k1, k2Of(s, g), s, power);
            const double of0 = stepTurns(k1, k2Of(s, 2 * c), s, power), of1 = stepTurns(k1, k2Of(s, 2 * c + 1), s, power);
            const int at0 = 4 + 4 * (power - 1) + 2 * s;
            at(own, 2 * (power - 1) + s) = halfPair(tangent(of), sine(of));
            at(own, at0) = halfPair(tangent(of0), tangent(of1));
            at(own, at0 + 1) = halfPair(sine(of0), sine(of1));
          }
      if (C::powerProducts && !C::storedPowers)
        for (int s = 0; s < 2; s++) {
          if (C::turned) {
            const auto turns = [&](int k2) { return 16 * (k1 - shift + 16 * k2) / N - 0.25; };
            turnHalves(&at(own, steps + 2 * s), turns(k2Of(s, g)), turns(k2Of(s, g)));
            turnHalves(&at(own, steps + 4 + 2 * s), turns(k2Of(s, 2 * c)), turns(k2Of(s, 2 * c + 1)));
            continue;
          }
          const Complex w = step(k1, k2Of(s, g)), b0 = step(k1, k2Of(s, 2 * c)), b1 = step(k1, k2Of(s, 2 * c + 1));
          putHalves(own, steps + 2 * s, w, w);
          putHalves(own, steps + 4 + 2 * s, b0, b1);
        }
    }
  }
  if constexpr (C::accurate && !C::ownMatrices) {
    uint32_t* steps = &table[Layout::powers];
    for (int k1 = 0; k1 < 16; k1++)
      for (int row = 0; row < 16; row++) {
        const int k2 = k2Of(row / 8, row % 8);
        for (int n = 0; n < 16; n++)
          putTurn(&table[Layout::image + (k1 * 16 + row) * 32 + 2 * turnSlot(row, n)],
                  n * ((k1 - shift + 16 * k2) / N + C::centre / (16.0 * R) - 1.0 / 32));
        if (R > 1) *steps++ = floatWord(step(k1, k2).real()), *steps++ = floatWord(step(k1, k2).imag());
      }
    for (int i = 1; i <= R / 2; i++)
      for (int n = 0; n < 16; n++, steps += 2) putTurn(steps, i * n / (16.0 * R));
  }
  if constexpr (C::storedPowers > 0 || C::halfTurns) {
    uint32_t* to = &table[Layout::powers];
    auto power = [](Complex z) { return halfPair(z.real(), z.imag()); };
    auto turn = [&](double turns) { return halfPair(tangent(turns), sine(turns)); };
    for (int k1 = 0; k1 < 16; k1++)
      for (int b = 1; b <= C::storedPowers; b++)
        for (int i = 0; i < 16; i++) {
          const int k2 = k2Of(i / 8, i % 8);
          *to++ = C::halfTurns ? turn(stepTurns(k1, k2, i / 8, b)) : power(e(16 * b * (k1 - shift + 16 * k2) / N));
        }
    for (int b = 1; b <= C::storedChain; b++)
      for (int n = 0; n < 16; n++) *to++ = C::halfTurns ? turn(fromMiddle(n) * b / (16.0 * R)) : power(e(b * n / (16.0 * R)));
  }
  // What part n0 of a sequence is multiplied by on its way into this slice.
  auto turnOf = [&](int n0) { return e(n0 * (slice - quarters / 4.0) / C::slices); };
  if constexpr (C::foldByMatrix) {
    for (int warp = 0; warp < 16; warp++)
      for (int n0 = 1; n0 < C::slices; n0++)
        putMatrix(&table[Layout::fold + (warp * (C::slices - 1) + n0 - 1) * 256], firstMatrix(warp, turnOf(n0)));
  }
  if constexpr (C::unfoldByMatrix)
    for (int warp = 0; warp < 16; warp++) putLastMatrix(&table[Layout::unfold + warp * 256], warp, turnOf(1));
  if constexpr (!C::foldByMatrix) {
    for (int n0 = 1; n0 < C::slices; n0++) {
      const Complex turn = turnOf(n0);
      table[Layout::fold + 2 * n0 - 2] = halfPair(turn.real(), turn.real());
      table[Layout::fold + 2 * n0 - 1] = halfPair(turn.imag(), turn.imag());
    }
  }
  return table;
}

// One slice after the other. Of the ring x^N = i, or with quarters = 0 of a circular one.
template <class C>
std::vector<uint32_t> makeTables(int log2N2, int quarters = 1) {
  std::vector<uint32_t> tables;
  for (int slice = 0; slice < C::slices; slice++) {
    const std::vector<uint32_t> next = makeSliceTables<C>(log2N2, slice, quarters);
    tables.insert(tables.end(), next.begin(), next.end());
  }
  return tables;
}

// What a frequency-sparse transform has in place of the tables of all 16 values of k1: those of these digits, in this order. The first and
// last matrices have the real parts in their first half and the imaginary ones in the second, and zeros where there are fewer digits.
template <class C>
std::vector<uint32_t> tablesOfDigits(const std::vector<uint32_t>& all, const std::vector<int>& digits) {
  using Layout = TableLayout<C>;
  std::vector<uint32_t> table = all;
  const int count = int(digits.size());
  for (int warp = 0; warp < 16; warp++)
    for (int lane = 0; lane < 32; lane++)
      for (int i = 0; i < 4; i++) {
        const int g = lane >> 2, c = lane & 3, lo = i & 1, hi = i >> 1;
        const auto word = [&](int matrix, int ofLane, int j) { return all[Layout::outer + ((warp * 4 + matrix) * 32 + ofLane) * 4 + j]; };
        // Row g of M, real (lo = 0) or imaginary: a row of k1.
        uint32_t* const to = &table[Layout::outer + (warp * 128 + lane) * 4 + i];
        to[0] = g < count ? word(lo, digits[g] % 8 * 4 + c, digits[g] / 8 + 2 * hi) : 0;
        // Columns 2c and 2c + 1 of G, real (hi = 0) or imaginary: columns of k1.
        to[256] = 0;
        for (int half = 0; half < 2; half++) {
          if (2 * c + half >= count) continue;
          const int k1 = digits[2 * c + half];
          to[256] |= (word(2 + hi, g * 4 + k1 % 8 / 2, lo + 2 * (k1 / 8)) >> (16 * (k1 % 2)) & 0xffff) << (16 * half);
        }
      }
  const auto pick = [&](int at, int wordsEach) {
    for (int i = 0; i < count; i++) std::copy_n(&all[at + digits[i] * wordsEach], wordsEach, &table[at + i * wordsEach]);
  };
  pick(Layout::frequency, Layout::frequencyRegisters * 32);
  if (C::imageBytes) pick(Layout::image, C::imageBytes / 64);
  // In the accurate class the first powers alone, 16 complex floats a k1.
  pick(Layout::powers, C::accurate ? (C::R > 1 ? 32 : 0) : C::storedPowers * 16);
  return table;
}

}  // namespace ffc::mma
