// Constant tables of the columns, computed in float64 and rounded once. Fragments as in mma/tables.h.
#pragma once
#include "../mma/tables.h"
#include "tensor_config.h"

namespace ffc::mma {

// Power of two taken off the columns' results, so that no sample overflows them: |X| <= sqrt(N1) max |x|.
constexpr int columnExponent(int log2Points) { return (log2Points + 1) / 2; }

// A circular ring's outer matrices have few different entries, whose roundings do not even out: 2.0e-4 to 2.9e-4 of them. Times this on
// the way there, and divided by it on the way back, they are 1.0e-4 to 1.6e-4 (searched).
constexpr double circularScale(int inside) { return inside == 2 ? 1.0529545 : inside == 4 ? 1.1319027 : inside == 8 ? 1.0700442 : 1.0019018; }

template <class C>
std::vector<uint32_t> makeColumnTables(int log2Inner, int quarters) {
  using Layout = ColumnTables<C>;
  using Complex = std::complex<double>;
  constexpr double pi = 3.14159265358979323846;
  const double shift = quarters / 4.0;  // of the ring's frequencies
  constexpr int R = C::R;
  const int inside = 1 << log2Inner, N1 = 16 * inside * R, log2N1 = 4 + log2Inner + (R == 4 ? 2 : 0);
  auto e = [&](double turns) { return std::polar(1.0, -2 * pi * turns); };
  // Unitary: the scale of the half-cost matrix, which keeps its rounding small, is undone here.
  auto outer = [&](int ka, int a, int warp) {
    const int m = warp % inside;
    const double f = ka - shift;
    return e(a * f / 16 + m * (f - 8) / (16.0 * inside)) * (0.25 / std::sqrt(double(R)) / halfCostScale(inside));
  };
  // Row n = (group, m), column j: eight cosines, eight sines.
  auto real = [&](int n, int column) {
    const int j = column % 8, group = n / inside, m = n % inside;
    if (j / (inside / 2) != group) return 0.0;
    const double angle = 2 * pi * m * (j % (inside / 2) + 0.5) / inside;
    return (column < 8 ? std::cos(angle) : -std::sin(angle)) / std::sqrt(double(inside)) * halfCostScale(inside);
  };
  // The inverse as a plain complex matrix: row (group, m), column (group, km).
  auto plain = [&](int n, int k) {
    if (n / inside != k / inside) return Complex(0);
    return std::conj(e(n % inside * (k % inside + 0.5) / inside)) / std::sqrt(double(inside)) * halfCostScale(inside);
  };
  const double there = quarters ? 1 : circularScale(inside), prescale = there * std::ldexp(1.0, -columnExponent(log2N1));

  std::vector<uint32_t> table(Layout::words);
  for (int lane = 0; lane < 32; lane++) {
    const int g = lane >> 2, c = lane & 3;
    for (int warp = 0; warp < 16; warp++)
      for (int i = 0; i < 4; i++) {
        const int row = g + 8 * (i & 1), column = 2 * c + 8 * (i >> 1);
        uint32_t* to = &table[Layout::outer + (warp * 128 + lane) * 4 + i];
        Complex x = outer(row, column, warp) * prescale, y = outer(row, column + 1, warp) * prescale;
        to[0] = halfPair(x.real(), y.real());
        to[128] = halfPair(x.imag(), y.imag());
        x = outer(column, row, warp) / there, y = outer(column + 1, row, warp) / there;
        to[256] = halfPair(x.real(), y.real());
        to[384] = halfPair(x.imag(), y.imag());
      }
    auto at = [&](int offset, int i) -> uint32_t& { return table[offset + i * 32 + lane]; };
    for (int i = 0; i < 4; i++) {
      const int row = g + 8 * (i & 1), column = 2 * c + 8 * (i >> 1);
      at(Layout::inner, i) = halfPair(real(column, row), real(column + 1, row));
      if (Layout::innerRegisters == 12) {
        const Complex x = plain(row, column), y = plain(row, column + 1);
        at(Layout::inner, 4 + i) = halfPair(x.real(), y.real());
        at(Layout::inner, 8 + i) = halfPair(x.imag(), y.imag());
      } else {
        at(Layout::inner, 4 + i) = halfPair(real(row, column), real(row, column + 1));
      }
    }
    for (int ka = 0; ka < 16 && R > 1; ka++)
      for (int b = 1; b < R; b++)
        for (int s = 0; s < 2; s++) {
          auto step = [&](int j) { return e(b * (ka - shift + 16 * (s ? inside - 1 - j : j)) / N1); };
          const int own = Layout::steps + ka * Layout::stepRegisters * 32, index = (b - 1) * 2 + s;
          const Complex w = step(g), x = step(2 * c), y = step(2 * c + 1);
          const int back = Layout::forwardSteps + index * (C::accurate ? 4 : 2);
          if (C::accurate) {
            at(own, index * 2) = floatWord(w.real()), at(own, index * 2 + 1) = floatWord(w.imag());
            at(own, back) = floatWord(x.real()), at(own, back + 1) = floatWord(y.real());
            at(own, back + 2) = floatWord(x.imag()), at(own, back + 3) = floatWord(y.imag());
          } else {
            at(own, index * 2) = halfPair(w.real(), w.real()), at(own, index * 2 + 1) = halfPair(w.imag(), w.imag());
            at(own, back) = halfPair(x.real(), y.real()), at(own, back + 1) = halfPair(x.imag(), y.imag());
          }
        }
  }
  return table;
}

}  // namespace ffc::mma
