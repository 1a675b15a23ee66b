// Numbers in registers: halves and bfloat16 numbers in pairs, rounded after every operation, floats, integers.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "halves.h"
#include "memory.h"
#include "types.h"

namespace ffc::mma {

using std::max, std::min;
FFC_DEVICE void keepInRegister(u32&) {}

FFC_DEVICE u32 halfAdd(u32 a, u32 b) {
  using namespace emulation;
  return pair(double(low(a)) + low(b), double(high(a)) + high(b));
}
FFC_DEVICE u32 halfSub(u32 a, u32 b) {
  using namespace emulation;
  return pair(double(low(a)) - low(b), double(high(a)) - high(b));
}
FFC_DEVICE u32 halfMul(u32 a, u32 b) {
  using namespace emulation;
  return pair(double(low(a)) * low(b), double(high(a)) * high(b));
}
FFC_DEVICE u32 halfFma(u32 a, u32 b, u32 c) {
  using namespace emulation;
  return pair(double(low(a)) * low(b) + low(c), double(high(a)) * high(b) + high(c));
}
FFC_DEVICE u32 halfNegate(u32 a) { return a ^ 0x80008000u; }
FFC_DEVICE u32 lowTwice(u32 x) { return (x & 0xffffu) * 0x10001u; }
FFC_DEVICE u32 highTwice(u32 x) { return (x >> 16) * 0x10001u; }
FFC_DEVICE u32 packHalf(float a, float b) { return emulation::pair(a, b); }
FFC_DEVICE float2 unpackHalf(u32 x) { return {emulation::low(x), emulation::high(x)}; }
FFC_DEVICE float asFloat(u32 bits) {
  float f;
  std::memcpy(&f, &bits, 4);
  return f;
}
FFC_DEVICE u32 floatBits(float x) {
  u32 bits;
  std::memcpy(&bits, &x, 4);
  return bits;
}
FFC_DEVICE u32 packBfloat(float a, float b) {
  auto round = [](float x) { return std::isnan(x) ? 0x7fffu : (floatBits(x) + 0x7fff + (floatBits(x) >> 16 & 1)) >> 16; };
  return round(a) | round(b) << 16;
}
FFC_DEVICE u32 largerHalves(u32 a, u32 b) {
  return std::max(a & 0xffffu, b & 0xffffu) | std::max(a >> 16, b >> 16) << 16;
}
FFC_DEVICE u32 largestBfloats(u32 a, u32 b) { return largerHalves(a & 0x7fff7fffu, b & 0x7fff7fffu); }
FFC_DEVICE u32 largestHalves(u32 a, u32 b) {
  using namespace emulation;
  auto larger = [](float x, float y) { return std::fmax(std::fabs(x), std::fabs(y)); };
  return pair(larger(low(a), low(b)), larger(high(a), high(b)));
}
FFC_DEVICE void sharedStoreIfNotBelow(u32 halves, u32 limit, u32 address, u32 value) {
  using namespace emulation;
  if (low(halves) >= low(limit) || high(halves) >= high(limit)) sharedPut(address, value);
}
FFC_DEVICE u32 bfloatMul(u32 a, u32 b) {
  return packBfloat(asFloat(a << 16) * asFloat(b << 16), asFloat(a & 0xffff0000u) * asFloat(b & 0xffff0000u));
}
FFC_DEVICE u32 bfloatFma(u32 a, u32 b, u32 c) {
  return packBfloat(asFloat(a << 16) * asFloat(b << 16) + asFloat(c << 16),
                    asFloat(a & 0xffff0000u) * asFloat(b & 0xffff0000u) + asFloat(c & 0xffff0000u));
}
FFC_DEVICE float2 rootOfUnity(u32 m, int bits) {
  const double angle = -2 * 3.14159265358979323846 * (m & ((1u << bits) - 1)) / std::ldexp(1.0, bits);
  return {float(std::cos(angle)), float(std::sin(angle))};
}

FFC_DEVICE u32 lowHalves(u32 a, u32 b) { return (a & 0xffffu) | b << 16; }
FFC_DEVICE u32 highHalves(u32 a, u32 b) { return a >> 16 | (b & 0xffff0000u); }
FFC_DEVICE u32 funnelShift(u32 low, u32 high, u32 bits) { return u32((uint64_t(high) << 32 | low) >> bits); }
FFC_DEVICE u32 highProduct(u32 a, u32 b) { return u32((uint64_t(a) * b) >> 32); }

}  // namespace ffc::mma
