// How complex intermediates lie in device memory: float32 pairs, or float16 pairs with a power-of-two scale per
// tile or row. The scale follows from a bound on the values that is known before they are written, so it is
// generous: float16 spends a few of its 40 binary orders of magnitude on it and no precision.
// Storage::withType is the one over the dtypes of samples that have this storage; each dtype less is a third less code
// of the columns. (Kernel taps have any dtype with either storage, and are read elsewhere.)
#pragma once
#include <cuda_fp16.h>

#include "../core/complex.cuh"
#include "../core/scalar.cuh"

namespace ffc::gpu {

struct FloatStorage {
  using Element = float2;
  static constexpr bool scaled = false;
  static __device__ __forceinline__ Element pack(float2 v, float) { return v; }
  static __device__ __forceinline__ float2 unpack(Element v, float) { return v; }
  template <class Body>
  static __device__ __forceinline__ void withType(Dtype, Body&& body) {
    body(float{});
  }
};

struct HalfStorage {
  using Element = __half2;
  static constexpr bool scaled = true;
  static __device__ __forceinline__ Element pack(float2 v, float scale) {
    return __floats2half2_rn(v.x * scale, v.y * scale);
  }
  static __device__ __forceinline__ float2 unpack(Element v, float inverseScale) {
    const float2 f = __half22float2(v);
    return {f.x * inverseScale, f.y * inverseScale};
  }
  template <class Body>
  static __device__ __forceinline__ void withType(Dtype dtype, Body&& body) {
    if (dtype == Dtype::float16)
      body(__half{});
    else
      body(__nv_bfloat16{});
  }
};

// The largest power of two s with bound * s <= 2^15; 1 for a bound of 0, and for one that is not finite: then
// infinities and NaNs of the input go through as such. Both s and 1 / s are normal numbers.
__device__ __forceinline__ float scaleForBound(float bound) {
  if (!(bound > 0.0f) || !(bound < 3.0e38f)) return 1.0f;
  const int exponent = static_cast<int>((__float_as_uint(bound) >> 23) & 255) - 127;  // bound < 2^(exponent + 1)
  const int power = min(max(14 - exponent, -120), 120);
  return __uint_as_float(static_cast<uint32_t>(power + 127) << 23);
}

__device__ __forceinline__ float reciprocalPowerOfTwo(float scale) {
  return __uint_as_float((254u << 23) - __float_as_uint(scale));
}

// The largest of non-negative values into one word of shared memory: their bits order like integers. All lanes of
// `mask` call it together; the word is valid after the next barrier.
__device__ __forceinline__ void sharedMaximum(unsigned* word, float value, unsigned mask) {
  const unsigned most = __reduce_max_sync(mask, __float_as_uint(value));
  if (static_cast<int>(threadIdx.x % 32) == __ffs(mask) - 1) atomicMax(word, most);
}

}  // namespace ffc::gpu
