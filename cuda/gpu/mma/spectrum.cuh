// Kernel spectra in the order and the number format of the fused convolution. One block transforms the taps of one
// channel in float32 (core/block_fft.cuh), finds the largest component, scales by a power of two where it
// lies outside the window, and writes fragments. A transform that does not fit into shared memory is cut into slices k = k0 + C k'
// (see cuda/DESIGN.md, "Slices").
#pragma once
#include "../core/block_fft.cuh"
#include "device.cuh"
#include "spectrum_params.h"

namespace ffc::mma {

// The power of two taken off a spectrum whose largest component is `most`: most < 2^size, and size is brought into the
// window; an all-zero kernel gets 0.
__device__ __forceinline__ int spectrumExponent(float most, SpectrumWindow window) {
  const int biased = int(__float_as_uint(most) >> 23 & 255), size = biased == 0 ? window.low : biased - 126;
  return size < window.low ? size - window.low : size > window.high ? size - window.high : 0;
}
// In two factors: 2^-exponent alone may leave the range of a float.
__device__ __forceinline__ float scaleDown(float x, int exponent) {
  return x * ldexpf(1.0f, -exponent / 2) * ldexpf(1.0f, -exponent - (-exponent / 2));
}

// The 16 frequencies j of one (k1, kb, k2) as four groups from `group` on, next to each other as spectrumGroup() has them, or further
// apart.
__device__ __forceinline__ void storeBins(const float2 (&x)[16], float scale, bool floats, void* spectrum, int64_t group, int apart = 1) {
#pragma unroll
  for (int c = 0; c < 4; c++) {
    const float2 a = x[gpu::slot<16>(2 * c)], b = x[gpu::slot<16>(2 * c + 1)];
    const float2 d = x[gpu::slot<16>(15 - 2 * c)], e = x[gpu::slot<16>(14 - 2 * c)];
    const float v[8] = {a.x, b.x, a.y, b.y, d.x, e.x, d.y, e.y};
    if (floats) {
      float4* to = static_cast<float4*>(spectrum) + (group + c * apart) * 2;
      to[0] = {v[0] * scale, v[1] * scale, v[2] * scale, v[3] * scale};
      to[1] = {v[4] * scale, v[5] * scale, v[6] * scale, v[7] * scale};
    } else {
      __half2 h[4];
#pragma unroll
      for (int i = 0; i < 4; i++) h[i] = __floats2half2_rn(v[2 * i] * scale, v[2 * i + 1] * scale);
      static_cast<uint4*>(spectrum)[group + c * apart] = *reinterpret_cast<uint4*>(h);
    }
  }
}

// Rows of two halves of N samples (Config::halves) have two segments of the kernel: the taps that reach from a half into itself, and
// all of them by which the first half reaches into the second, N samples further on.
__device__ __forceinline__ gpu::KernelTaps segmentOf(gpu::KernelTaps taps, int half, int N) {
  if (half)
    taps.lead += N;
  else if (taps.partTaps > N)
    taps.partTaps = N;
  return taps;
}

template <class Shape, int C, int halves>
__global__ void __launch_bounds__(Shape::threads) kernelSpectrum(const SpectrumParams p) {
  constexpr int M = Shape::points, N = C * M, last = Shape::stages - 1;
  static_assert(Shape::radixOf(last) == 16, "one butterfly of the last stage must yield all j of one (k1, k2, kb)");
  extern __shared__ __align__(16) unsigned char raw[];
  float2* shared = reinterpret_cast<float2*>(raw);
  uint32_t* largest = reinterpret_cast<uint32_t*>(shared + Shape::paddedPoints);
  float* hidden = reinterpret_cast<float*>(largest + 1);
  const int thread = threadIdx.x;

  letNextKernelStart();
  awaitEarlierWork();  // taps may just be written, and the spectrum still be read
  for (int channel = blockIdx.x; channel < p.channels; channel += gridDim.x) {
    if (thread == 0) *largest = 0;
    if (p.hiddenHigh < p.window.high && thread < 32) {
      // By one warp, always in the same order.
      float sum = 0;
      for (int64_t i = thread; i < p.hiddenBefore; i += 32) sum += fabsf(p.taps.tap(i, 0, channel));
      for (int64_t i = p.hiddenFrom + thread; i < p.taps.count; i += 32) sum += fabsf(p.taps.tap(i, 0, channel));
#pragma unroll
      for (int lanes = 16; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(~0u, sum, lanes);
      if (thread == 0) *hidden = sum;
    }
    // Two rounds where there are several slices or segments, because the scale must be known before anything is written; with one
    // slice the samples are still in shared memory for the second round.
    float scale = 1;
    for (int round = 0; round < 2; round++) {
      for (int part = 0; part < halves * C; part++) {
        const int k0 = part % C, half = part / C;
        const gpu::KernelTaps taps = halves == 1 ? p.taps : segmentOf(p.taps, half, N);
        __syncthreads();
        if (halves * C > 1 || round == 0) {
          // x'[m] = sum over n0 of e^{-2 pi i n0 (k0 - quarters / 4) / C} x[n0 M + m].
          for (int m = thread; m < M; m += Shape::threads) {
            float2 sum = {0, 0};
            for (int n0 = 0; n0 < C; n0++) {
              const int n = n0 * M + m;
              const float2 x = {taps.at(n, N, 0, channel), taps.at(n + N, N, 0, channel)};
              float sine, cosine;
              sincospif(-2.0f * n0 * (k0 - 0.25f * p.quarters) / C, &sine, &cosine);
              const float2 turned = C > 1 ? gpu::complexProduct(x, float2{cosine, sine}) : x;
              sum.x += turned.x;
              sum.y += turned.y;
            }
            shared[Shape::padded(m)] = sum;
          }
          __syncthreads();
          gpu::forwardMiddleStages<Shape, 0>(shared, p.tables[k0], thread);
          __syncthreads();
        }
        for (int hi = thread; hi < Shape::outer(last); hi += Shape::threads) {
          float2 x[16];
          gpu::forwardLast<Shape>(x, shared, p.tables[k0], hi);
          // x[j] has frequency whole + j N / 16. Weights change what is the largest of them.
          const int whole = k0 + C * Shape::frequencyOfHigh(hi);
          if (p.weights) {
            const float2* const weights = p.weights + channel % p.slots * N + whole;
#pragma unroll
            for (int j = 0; j < 16; j++) {
              float2& v = x[gpu::slot<16>(j)];
              v = gpu::complexProduct(v, __ldg(weights + j * (N / 16)));
            }
          }
          if (round == 0) {
            uint32_t most = 0;
#pragma unroll
            for (int q = 0; q < 16; q++)
              most = max(most, max(__float_as_uint(x[q].x) & 0x7fffffffu, __float_as_uint(x[q].y) & 0x7fffffffu));
            atomicMax(largest, most);
            continue;
          }
          if (p.mask.keep) {
#pragma unroll
            for (int j = 0; j < 16; j++)
              if (!p.mask.keeps(whole + j * (N / 16))) x[gpu::slot<16>(j)] = {0, 0};
          }
          const int slice = whole % p.slices, f = whole / p.slices;
          const int n2 = 1 << p.log2N2, k1 = f & 15, k2 = f >> 4 & (n2 - 1), kb = f >> (4 + p.log2N2);
          const int64_t group = (int64_t(channel * halves + half) * p.slices + slice) * (N / 4 / p.slices) + spectrumGroup(p.radix, n2, k1, kb, k2, 0);
          storeBins(x, scale, p.floats, p.spectrum, group);
        }
      }
      if (round == 0) {
        __syncthreads();
        // largest * gain < 2^size; an all-zero kernel gets exponent 0.
        const float most = __uint_as_float(*largest) * p.gain;
        SpectrumWindow window = p.window;
        if (p.hiddenHigh < window.high && *hidden * p.gain >= hiddenPart * most) window.high = p.hiddenHigh;
        const int exponent = spectrumExponent(most, window);
        scale = scaleDown(p.gain, exponent);
        if (thread == 0) p.exponent[channel] = most > 0 ? exponent : p.exponentOfNothing;
      }
    }
    __syncthreads();
  }
}

}  // namespace ffc::mma
