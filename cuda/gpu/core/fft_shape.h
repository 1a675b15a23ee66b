// The shape of a complex transform done by one group of threads in shared memory, and the layout of its twiddle
// tables. Host code builds the tables with the same constants that the device indexes them with.
//
// Digits. N = R0 R1 ... (slowest digit first). n = sum n_j P_j with P_j = R_{j+1} R_{j+2} ..., and
// k = sum k_j Q_j with Q_j = R_0 ... R_{j-1}. Stage j replaces digit n_j by k_j in place, so after the forward
// stages the value of frequency k lies at position (k_0, k_1, ...) with k_0 slowest; the inverse runs the
// stages backwards and ends in natural order: no reordering pass anywhere.
//
// Frequencies are k - shift: X[k] = sum_n x[n] e^{-2 pi i n (k - shift) / N}. With shift = 1/4 the transform
// is the one modulo x^N - i, in which N complex points hold a negacyclic convolution of 2N real ones:
// a[n] + i a[n + N] stands for a real sequence of 2N samples whose wrap-around comes back with a minus sign.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "radix.cuh"

namespace ffc::gpu {

template <int Threads, int... Rs>
struct FftShape {
  static constexpr int threads = Threads;  // per transform
  static constexpr int stages = sizeof...(Rs);
  static constexpr int points = (Rs * ...);
  static_assert(stages >= 2, "the first and the last stage are different code");

  FFC_HD static constexpr int radixOf(int stage) {
    constexpr int list[] = {Rs...};
    return list[stage];
  }
  FFC_HD static constexpr int outer(int stage) {  // Q_j
    int q = 1;
    for (int j = 0; j < stage; ++j) q *= radixOf(j);
    return q;
  }
  FFC_HD static constexpr int inner(int stage) { return points / outer(stage + 1); }  // P_j

  // Shared memory position: one gap of a complex number after every 16, so that reads along any digit hit 16
  // different 8-byte banks (a half warp is what one access serves).
  FFC_HD static constexpr int padded(int position) { return position + position / 16; }
  static constexpr int paddedPoints = points + points / 16;

  // Frequency (without the shift) at `hi` = the position of digits 0 .. stages-2, for last digit 0; the last
  // digit adds outer(stages - 1) each.
  FFC_HD static constexpr int frequencyOfHigh(int hi) {
    int k = 0;
    for (int j = stages - 2; j >= 0; --j) {
      k += (hi % radixOf(j)) * outer(j);
      hi /= radixOf(j);
    }
    return k;
  }

  // Tables, in float2: for each forward stage powerCount x Q_j entries (power-major, indexed by position), for
  // each inverse stage powerCount x P_j, then P_0 entries of the closing twist.
  FFC_HD static constexpr int forwardTable(int stage) {
    int at = 0;
    for (int j = 0; j < stage; ++j) at += powerCount(radixOf(j)) * outer(j);
    return at;
  }
  FFC_HD static constexpr int inverseTable(int stage) {
    int at = forwardTable(stages);
    for (int j = 0; j < stage; ++j) at += powerCount(radixOf(j)) * inner(j);
    return at;
  }
  FFC_HD static constexpr int twistAt() { return inverseTable(stages); }
  FFC_HD static constexpr int tableSize() { return twistAt() + inner(0); }
};

// e^{2 pi i turns}, rounded once. `turns` is reduced first; callers keep it below 2^20 or so.
inline float2 tableRoot(double turns) {
  const double angle = 6.283185307179586476925286766559 * (turns - std::floor(turns));
  return {static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))};
}

// The tables of one shape and shift.
template <class Shape>
std::vector<float2> makeFftTables(double shift) {
  std::vector<float2> table(Shape::tableSize());
  for (int j = 0; j < Shape::stages; ++j) {
    const int radix = Shape::radixOf(j), outer = Shape::outer(j), inner = Shape::inner(j);
    for (int level = 0; level < powerCount(radix); ++level) {
      const int exponent = powerExponent(radix, level);
      for (int p = 0; p < outer; ++p) {
        int k = 0, rest = p;  // digits of p, fastest = stage j - 1
        for (int i = j - 1; i >= 0; --i) {
          k += (rest % Shape::radixOf(i)) * Shape::outer(i);
          rest /= Shape::radixOf(i);
        }
        table[Shape::forwardTable(j) + level * outer + p] = tableRoot(-exponent * (k - shift) / (double(outer) * radix));
      }
      for (int p = 0; p < inner; ++p)
        table[Shape::inverseTable(j) + level * inner + p] = tableRoot(double(exponent) * p / (double(radix) * inner));
    }
  }
  for (int p = 0; p < Shape::inner(0); ++p)
    table[Shape::twistAt() + p] = tableRoot(-shift * p / Shape::points);
  return table;
}

inline std::vector<uint8_t> tableBytes(const std::vector<float2>& table) {
  std::vector<uint8_t> bytes(table.size() * sizeof(float2));
  std::memcpy(bytes.data(), table.data(), bytes.size());
  return bytes;
}

}  // namespace ffc::gpu
