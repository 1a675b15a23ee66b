/* The oracle of the native drivers: float64, the sums as the header writes them, and the three dtypes in plain C. */
#ifndef FFC_TESTS_REFERENCE_H
#define FFC_TESTS_REFERENCE_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../cuda/include/flashfftconv.h"

static inline int64_t dtype_bytes(int32_t dtype) { return dtype == FFC_DTYPE_FLOAT32 ? 4 : 2; }

/* Half the distance between 1 and the next number: the relative error of rounding once. */
static inline double dtype_epsilon(int32_t dtype) {
  return dtype == FFC_DTYPE_FLOAT32 ? ldexp(1, -24) : dtype == FFC_DTYPE_FLOAT16 ? ldexp(1, -11) : ldexp(1, -8);
}

static inline uint16_t float16_bits(double value) {
  const uint16_t sign = value < 0 ? 0x8000u : 0u;
  const double x = fabs(value);
  int exponent;
  if (x < ldexp(1, -14)) return (uint16_t)(sign | (uint16_t)nearbyint(ldexp(x, 24))); /* subnormal */
  frexp(x, &exponent); /* x = f 2^exponent, f in [1/2, 1) */
  {
    /* The mantissa may round up to 2048; adding carries it into the exponent, which is then right too. */
    const uint32_t mantissa = (uint32_t)nearbyint(ldexp(x, 11 - exponent));
    return (uint16_t)(sign | (((uint32_t)(exponent + 14) << 10) + (mantissa - 1024u)));
  }
}

static inline void store_value(void* data, int32_t dtype, int64_t index, double value) {
  if (dtype == FFC_DTYPE_FLOAT32) {
    ((float*)data)[index] = (float)value;
  } else if (dtype == FFC_DTYPE_FLOAT16) {
    ((uint16_t*)data)[index] = float16_bits(value);
  } else {
    const float rounded = (float)value;
    uint32_t bits;
    memcpy(&bits, &rounded, 4);
    ((uint16_t*)data)[index] = (uint16_t)((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
  }
}

static inline double load_value(const void* data, int32_t dtype, int64_t index) {
  if (dtype == FFC_DTYPE_FLOAT32) return ((const float*)data)[index];
  {
    const uint16_t half = ((const uint16_t*)data)[index];
    if (dtype == FFC_DTYPE_BFLOAT16) {
      const uint32_t bits = (uint32_t)half << 16;
      float value;
      memcpy(&value, &bits, 4);
      return value;
    } else {
      const int exponent = (half >> 10) & 31, mantissa = half & 1023;
      const double size = exponent == 31  ? (mantissa ? NAN : INFINITY)
                          : exponent == 0 ? ldexp(mantissa, -24)
                                          : ldexp(1024 + mantissa, exponent - 25);
      return half & 0x8000 ? -size : size;
    }
  }
}

static inline int64_t reference_output_length(int32_t mode, int64_t length, int64_t kernel_length) {
  if (mode == FFC_MODE_FULL) return length + kernel_length - 1;
  if (mode == FFC_MODE_VALID) return (length > kernel_length ? length - kernel_length : kernel_length - length) + 1;
  return length;
}

/* One row: y = post * (conv(u * pre, k) + d * (u * pre)). pre and post may be NULL, d 0. `scale`, if given, receives
 * the same sum of absolute values: what rounding errors are proportional to. */
static inline void reference_row(int32_t mode, int64_t length, int64_t kernel_length, const double* u,
                                 const double* kernel, const double* pre, const double* post, double d, double* y,
                                 double* scale) {
  const int64_t n_outputs = reference_output_length(mode, length, kernel_length);
  const int64_t shorter = length < kernel_length ? length : kernel_length;
  const int64_t first = mode == FFC_MODE_SAME ? (kernel_length - 1) / 2 : mode == FFC_MODE_VALID ? shorter - 1 : 0;
  int64_t n, j;
  for (n = 0; n < n_outputs; ++n) {
    double sum = 0, size = 0;
    for (j = 0; j < kernel_length; ++j) {
      int64_t at = n + first - j;
      double term;
      if (mode == FFC_MODE_CIRCULAR) at = ((at % length) + length) % length;
      if (at < 0 || at >= length) continue;
      term = kernel[j] * u[at] * (pre ? pre[at] : 1);
      sum += term;
      size += fabs(term);
    }
    if (d != 0) {
      sum += d * u[n] * (pre ? pre[n] : 1);
      size += fabs(d * u[n] * (pre ? pre[n] : 1));
    }
    y[n] = sum * (post ? post[n] : 1);
    if (scale) scale[n] = size * (post ? fabs(post[n]) : 1);
  }
}

/* Bound for ||y - ref|| / ||ref|| over all outputs: the rounding of y to its dtype (twice its half unit, a margin of
 * two), and float32 arithmetic, whose error an FFT spreads evenly over the outputs and which grows with the logarithm
 * of its length (16 half units cover every length used here). */
static inline double relative_tolerance(int32_t dtype) {
  return 2 * dtype_epsilon(dtype) + 16 * dtype_epsilon(FFC_DTYPE_FLOAT32);
}

#endif
