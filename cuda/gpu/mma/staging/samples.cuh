// Samples as numbers: from the elements of the tensors to operands of halves, with a gate and a power of two, and what
// a skip factor does to the exponent of a spectrum.
#pragma once
#include "../config.h"
#include "../device.cuh"
#include "../params.h"

namespace ffc::mma {

// 2^e; 0 below the normal range, clipped above it.
FFC_DEVICE float powerOfTwo(int e) { return e < -126 ? 0.0f : asFloat(u32((e > 127 ? 127 : e) + 127) << 23); }

template <class C>
FFC_DEVICE float2 unpackElements(u32 x) {
  if constexpr (C::bf16)
    return {asFloat(x << 16), asFloat(x & 0xffff0000u)};
  else
    return unpackHalf(x);
}

// A power of two given by its float bits, twice as bfloat16.
FFC_DEVICE u32 bfloatPair(u32 floatOfPower) { return floatOfPower | floatOfPower >> 16; }

// Samples to half operands.
template <class C>
FFC_DEVICE void prepare(u32 (&u)[4], u32 scale) {
  if constexpr (C::bf16) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const float2 v = unpackElements<C>(bfloatMul(u[i], bfloatPair(scale)));
      u[i] = packHalf(v.x, v.y);
    }
  }
}
template <class C>
FFC_DEVICE void prepareUnscaled(u32 (&u)[4]) {
  if constexpr (C::bf16) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const float2 v = unpackElements<C>(u[i]);
      u[i] = packHalf(v.x, v.y);
    }
  }
}
template <class C>
FFC_DEVICE void prepareGatedUnscaled(u32 (&u)[4], const u32 (&gate)[4], bool gated) {
#pragma unroll
  for (int i = 0; i < 4; i++) {
    if constexpr (C::bf16) {
      float2 v = unpackElements<C>(u[i]);
      if (gated) {
        const float2 w = unpackElements<C>(gate[i]);
        v.x *= w.x, v.y *= w.y;
      }
      u[i] = packHalf(v.x, v.y);
    } else if (gated) {
      u[i] = halfMul(u[i], gate[i]);
    }
  }
}
// Products with the gate; `rest` is what rounding them to halves leaves.
template <class C>
FFC_DEVICE void prepareGated(u32 (&u)[4], u32 (&rest)[4], const u32 (&gate)[4], bool gated, u32 scale) {
  const float f = asFloat(scale);
#pragma unroll
  for (int i = 0; i < 4; i++) {
    float2 v = unpackElements<C>(u[i]);
    if (gated) {
      const float2 w = unpackElements<C>(gate[i]);
      v.x *= w.x, v.y *= w.y;
    }
    v.x *= f, v.y *= f;
    u[i] = packHalf(v.x, v.y);
    if constexpr (C::splitProduct) {
      const float2 rounded = unpackHalf(u[i]);
      rest[i] = packHalf(v.x - rounded.x, v.y - rounded.y);
    }
  }
}

FFC_DEVICE float skipLoad(const void* skip, int channel, int type) {
  if (type == 1) return static_cast<const float*>(skip)[channel];
  const u32 bits = static_cast<const uint16_t*>(skip)[channel];
  return type == 2 ? unpackHalf(bits).x : asFloat(bits << 16);
}

// The exponent of a channel's spectrum after d has been added to every frequency of it.
template <class C>
FFC_DEVICE int exponentWithSkip(int own, float d) {
  const int needed = d == 0.0f ? own : int((floatBits(d) >> 23) & 255) - 126 - spectrumWindow<C>().high;
  // Where the spectrum has no exponent of its own, a small d needs none either.
  return needed > own ? needed : own;
}

}  // namespace ffc::mma
