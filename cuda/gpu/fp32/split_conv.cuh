// One row over the two blocks of a cluster, for transforms that do not fit into one block's shared memory.
//
// x^N - i = (x^M - z0)(x^M - z1) with M = N / 2: block `half` takes the frequencies k = half (mod 2). It folds the
// window, x'[m] = a[m] + e^{-2 pi i (half - 1/4) / 2} a[M + m], and runs the M-point transform with shift
// (1/4 - half) / 2, product and inverse included, by itself. Only the results meet, once: with c = e^{-i pi / 4},
//   z[m] = z0[m] + z1[m],   z[M + m] = c (z0[m] - z1[m])      (1/N is in the spectrum),
// each block finishing half of the m, one half of its operands read from the other's shared memory.
#pragma once
#include <cooperative_groups.h>

#include "fused_conv.cuh"
#include "instance.h"

namespace ffc::gpu {

constexpr int splitBlocks = 2;

// Window or kernel samples of one block: a[m] + fold * a[M + m].
FFC_HD float2 splitFold(int half) {
  constexpr float root = 0.70710678118654752440f;  // e^{i pi / 4}, and its negative for the odd frequencies
  return half ? float2{-root, -root} : float2{root, root};
}

// The part of the closing twist that depends on the digit: e^{-2 pi i q shift / R0}, shift = 1/8 or -3/8.
template <class Shape>
struct SplitTurns {
  static constexpr int radix = Shape::radixOf(0);
  FFC_HD static constexpr RootTable<radix> even() { return RootTable<radix>(-1, 8 * radix); }
  FFC_HD static constexpr RootTable<radix> odd() { return RootTable<radix>(3, 8 * radix); }
};

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900

template <class Shape>
__device__ __forceinline__ void splitLoad(const Fp32Loader<Shape, false, 2 * Shape::points>& load,
                                          float2 (&x)[Shape::radixOf(0)], int lo, float2 fold) {
  constexpr int R = Shape::radixOf(0), M = Shape::points;
  const Fp32ConvParams& p = load.p;
  withType(p.dtype, [&](auto tag) {
    using T = decltype(tag);
    float v[R];
    load.template gatedColumn<T>(v, lo, 0);
#pragma unroll
    for (int q = 0; q < R; ++q) x[q] = {v[q], 0.0f};
    load.template gatedColumn<T>(v, lo, M);
#pragma unroll
    for (int q = 0; q < R; ++q) x[q] = {fmaf(v[q], fold.x, x[q].x), v[q] * fold.y};
    if (load.last > 2 * M) {  // the imaginary half of the packed window
      load.template gatedColumn<T>(v, lo, 2 * M);
#pragma unroll
      for (int q = 0; q < R; ++q) x[q].y += v[q];
      load.template gatedColumn<T>(v, lo, 3 * M);
#pragma unroll
      for (int q = 0; q < R; ++q) x[q] = {fmaf(-v[q], fold.y, x[q].x), fmaf(v[q], fold.x, x[q].y)};
    }
  });
}

template <class Shape>
__device__ __forceinline__ void splitConvolveUnit(const Fp32ConvParams& p, float2* shared, int half, int64_t unit) {
  namespace cg = cooperative_groups;
  constexpr int last = Shape::stages - 1, R = Shape::radixOf(last), outer = Shape::outer(last), M = Shape::points;
  const int thread = threadIdx.x;
  const Fp32Unit place = Fp32Unit::of(unit, p);
  const float2* tables = p.tables + half * Shape::tableSize();
  const float4* spectrum =
      reinterpret_cast<const float4*>(p.spectrum + place.channel * p.spectrumChannelStride + half * M);
  {
    const Fp32Loader<Shape, false, 2 * M> load(p, place, p.windowBegin + place.segment * p.segmentOutputs, true);
    const float2 fold = splitFold(half);
    forwardFirst<Shape, false>(shared, tables, thread, [&](auto& x, int lo) { splitLoad<Shape>(load, x, lo, fold); });
  }
  groupSync<Shape>();
  forwardMiddleStages<Shape>(shared, tables, thread);
#pragma unroll 1
  for (int hi = thread; hi < outer; hi += Shape::threads) {
    float2 x[R], z[R];
    forwardLast<Shape>(x, shared, tables, hi);
    forSpectrumPairs<Shape>(hi, [&](int q, int at) {
      const float4 k = __ldg(spectrum + at);
      z[q] = complexProduct(x[slot<R>(q)], {k.x, k.y});
      z[q + 1] = complexProduct(x[slot<R>(q + 1)], {k.z, k.w});
    });
    inverseFirst<Shape>(z, shared, hi);
  }
  groupSync<Shape>();
  inverseMiddleStages<Shape>(shared, tables, thread);
  inverseLast<Shape>(shared, tables, thread, [&](const auto& z, int lo) {
    constexpr int R0 = Shape::radixOf(0);
    constexpr RootTable<R0> even = SplitTurns<Shape>::even(), odd = SplitTurns<Shape>::odd();
    // Back to where this thread read them from: nobody else touches these positions.
    float2* at = shared + Shape::padded(lo);
#pragma unroll
    for (int q = 0; q < R0; ++q)
      at[digitOffset(q, Shape::inner(0))] =
          complexProduct(z[slot<R0>(q)], {half ? odd.re[q] : even.re[q], half ? odd.im[q] : even.im[q]});
  });

  auto cluster = cg::this_cluster();
  cluster.sync();  // both halves are complete
  const float2* other = cluster.map_shared_rank(shared, half ^ 1);
  const Fp32Storer<Shape> store(p, place, true, 4 * M);
  constexpr float root = 0.70710678118654752440f;
  constexpr int step = 8;  // remote reads in flight per thread
  withType(p.dtype, [&](auto tag) {
    using T = decltype(tag);
#pragma unroll 1
    for (int m0 = half * (M / 2) + thread; m0 < (half + 1) * (M / 2); m0 += step * Shape::threads) {
      float2 sum[step], difference[step];
#pragma unroll
      for (int i = 0; i < step; ++i) {
        const int at = Shape::padded(m0 + i * Shape::threads);
        const float2 theirs = other[at], mine = shared[at];
        sum[i] = {mine.x + theirs.x, mine.y + theirs.y};
        difference[i] = {mine.x - theirs.x, mine.y - theirs.y};
        if (half) difference[i] = {-difference[i].x, -difference[i].y};
      }
      float v[step];
#pragma unroll
      for (int i = 0; i < step; ++i) v[i] = sum[i].x;
      store.template column<T, Shape::threads>(v, m0);
#pragma unroll
      for (int i = 0; i < step; ++i) v[i] = root * (difference[i].x + difference[i].y);
      store.template column<T, Shape::threads>(v, m0 + M);
      if (store.count > 2 * M) {
#pragma unroll
        for (int i = 0; i < step; ++i) v[i] = sum[i].y;
        store.template column<T, Shape::threads>(v, m0 + 2 * M);
#pragma unroll
        for (int i = 0; i < step; ++i) v[i] = root * (difference[i].y - difference[i].x);
        store.template column<T, Shape::threads>(v, m0 + 3 * M);
      }
    }
  });
  cluster.sync();  // the other block has read ours; the next unit may overwrite, or the block end
}

#endif

template <class Shape>
__global__ void __launch_bounds__(Shape::threads, 1) splitConv(const __grid_constant__ Fp32ConvParams p) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  static_assert(Shape::points % (16 * Shape::threads) == 0, "whole steps of the closing loop");
  extern __shared__ float2 sharedMemory[];
  for (int64_t unit = blockIdx.x / splitBlocks; unit < p.units; unit += gridDim.x / splitBlocks)
    splitConvolveUnit<Shape>(p, sharedMemory, static_cast<int>(blockIdx.x % splitBlocks), unit);
#endif
}

template <class Shape>
__global__ void __launch_bounds__(Shape::threads) splitSpectrum(const __grid_constant__ Fp32SpectrumParams p) {
  constexpr int last = Shape::stages - 1, R = Shape::radixOf(last), M = Shape::points;
  constexpr float scale = 1.0f / (2 * M);
  extern __shared__ float2 sharedMemory[];
  const int half = static_cast<int>(blockIdx.x % splitBlocks), thread = threadIdx.x;
  const float2 fold = splitFold(half);
  for (int64_t unit = blockIdx.x / splitBlocks; unit < p.units; unit += gridDim.x / splitBlocks) {
    float4* spectrum = reinterpret_cast<float4*>(p.spectrum + unit * (2 * M) + half * M);
    blockForwardButterflies<Shape>(
        sharedMemory, p.tables + half * Shape::tableSize(), thread,
        [&](int m) -> float2 {
          const float2 a = {p.taps.at(m, 2 * M, 0, unit), p.taps.at(m + 2 * M, 2 * M, 0, unit)};
          const float2 b = {p.taps.at(m + M, 2 * M, 0, unit), p.taps.at(m + 3 * M, 2 * M, 0, unit)};
          const float2 c = complexProduct(b, fold);
          return {a.x + c.x, a.y + c.y};
        },
        [&](auto& x, int hi) {
          weighFrequencies<Shape>(x, hi, p, unit, half, splitBlocks);
          forSpectrumPairs<Shape>(hi, [&](int q, int at) {
            const float2 a = x[slot<R>(q)], b = x[slot<R>(q + 1)];
            spectrum[at] = {a.x * scale, a.y * scale, b.x * scale, b.y * scale};
          });
        });
    groupSync<Shape>();
  }
}

template <int Threads, int... Radices>
Fp32Instance makeSplitInstance() {
  using Shape = FftShape<Threads, Radices...>;
  Fp32Instance instance;
  instance.points = splitBlocks * Shape::points;
  instance.threads = Threads;
  instance.rows = 1;
  instance.blocks = splitBlocks;
  instance.radices = {splitBlocks, Radices...};
  instance.sharedBytes = int64_t{Shape::paddedPoints} * static_cast<int64_t>(sizeof(float2));
  instance.convolve = reinterpret_cast<const void*>(&splitConv<Shape>);
  instance.spectrum = reinterpret_cast<const void*>(&splitSpectrum<Shape>);
  instance.tables = [](int) {
    std::vector<float2> both = makeFftTables<Shape>(0.125);
    const std::vector<float2> odd = makeFftTables<Shape>(-0.375);
    both.insert(both.end(), odd.begin(), odd.end());
    return tableBytes(both);
  };
  instance.tableKey = "fp32/split";
  for (int radix : instance.radices) instance.tableKey += "/" + std::to_string(radix);
  return instance;
}

}  // namespace ffc::gpu
