// Halves and bfloat16 numbers as floats, and floats rounded to halves.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "types.h"

namespace ffc::mma::emulation {

inline float halfToFloat(uint16_t h) {
  // Looked up: most of an emulation's time is conversions.
  static const std::vector<float> all = [] {
    std::vector<float> values(1 << 16);
    for (int i = 0; i < 1 << 16; i++) {
      const int e = i >> 10 & 31, m = i & 1023;
      const float v = e == 31 ? (m ? NAN : INFINITY) : e ? std::ldexp(1024.0f + m, e - 25) : std::ldexp(float(m), -24);
      values[i] = i & 0x8000 ? -v : v;
    }
    return values;
  }();
  return all[h];
}
// To nearest, ties to even.
inline uint16_t floatToHalf(double x) {
  uint64_t bits;
  std::memcpy(&bits, &x, 8);
  const uint16_t sign = bits >> 48 & 0x8000;
  const int e = int(bits >> 52 & 0x7ff) - 1023;
  if (e == 1024 && bits << 12) return 0x7fff;  // NaN
  if (e > 15) return sign | 0x7c00;
  if (e < -25) return sign;
  const uint64_t digits = (bits & ((uint64_t(1) << 52) - 1)) | uint64_t(1) << 52;
  const int least = std::max(e, -14), shift = 42 + least - e;  // digits behind a half's last
  const uint64_t rest = digits & ((uint64_t(1) << shift) - 1), middle = uint64_t(1) << (shift - 1);
  const uint64_t units = (digits >> shift) + (rest > middle || (rest == middle && (digits >> shift & 1)));
  return sign | uint16_t(std::min<uint64_t>(units + (uint64_t(least + 14) << 10), 0x7c00));
}
inline float floatOfBits(u32 bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}
inline float low(u32 x) { return halfToFloat(uint16_t(x)); }
inline float high(u32 x) { return halfToFloat(uint16_t(x >> 16)); }
inline u32 pair(double a, double b) { return floatToHalf(a) | u32(floatToHalf(b)) << 16; }

inline float lowBfloat(u32 x) { return floatOfBits(x << 16); }
inline float highBfloat(u32 x) { return floatOfBits(x & 0xffff0000u); }

}  // namespace ffc::mma::emulation
