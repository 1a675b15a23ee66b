// The middle pass: one group of threads transforms a row of N2 points, multiplies by the kernel spectrum and
// transforms back, in place in scratch; or leaves the transform as the kernel spectrum.
#pragma once
#include "../core/block_fft.cuh"
#include "params.h"
#include "storage.cuh"

namespace ffc::gpu {

// The lanes of this thread's warp that work on the same row.
template <class Shape>
__device__ __forceinline__ unsigned warpMask() {
  if constexpr (Shape::threads >= 32) return 0xffffffffu;
  else return ((1u << Shape::threads) - 1) << (threadIdx.x % 32 / Shape::threads * Shape::threads);
}

// At frequency k - quarters / 4 of `points`: what the filters before and behind the product (host/resampling.h) leave of one.
template <class Real>
__device__ Real responseAt(const Response& response, int64_t k, int64_t points, int quarters) {
  const Real shift = quarters * Real(0.25), f = 2 * k < points ? k - shift : points - k + shift;
  return response.squared(2 * Real(3.14159265358979323846) * fabs(f) / (static_cast<Real>(points) * response.rate));
}

// A row of scratch through the first stage into shared memory; see(x) is called with every value.
template <class Shape, class Storage, class See>
__device__ __forceinline__ void loadRow(float2* shared, const MultiPassParams& p, const typename Storage::Element* row,
                                        int64_t sequence, int thread, See&& see) {
  constexpr int R0 = Shape::radixOf(0), inner0 = Shape::inner(0);
  const float* tileScale = Storage::scaled ? p.tileScale + sequence * p.tiles : nullptr;
  forwardFirst<Shape, false>(shared, p.rowTables, thread, [&](float2(&x)[R0], int lo) {
    typename Storage::Element raw[R0];
#pragma unroll
    for (int q = 0; q < R0; ++q) raw[q] = row[lo + q * inner0];
#pragma unroll
    for (int q = 0; q < R0; ++q) {
      const int n2 = lo + q * inner0;
      const float inverse = Storage::scaled ? reciprocalPowerOfTwo(__ldg(tileScale + (n2 >> p.log2Columns))) : 1.0f;
      x[q] = Storage::unpack(raw[q], inverse);
      see(x[q]);
    }
  });
}

// Rows per block: transforms of one block. `k1` counts the rows that are in scratch; which frequencies they have, only a
// masked spectrum has to know. Rows are taken in the order (k1, sequence) with the sequence fastest:
// neighbouring sequences share a channel, hence the spectrum row, which then comes from L2.
template <class Shape, class Storage, int Rows, int MinBlocks, bool SpectrumOnly>
__global__ void __launch_bounds__(Shape::threads* Rows, MinBlocks)
    transformRows(const __grid_constant__ MultiPassParams p) {
  using Element = typename Storage::Element;
  constexpr int R0 = Shape::radixOf(0), inner0 = Shape::inner(0);
  constexpr int last = Shape::stages - 1, R = Shape::radixOf(last), outer = Shape::outer(last);
  extern __shared__ float2 sharedMemory[];
  __shared__ unsigned mostOf[Rows];
  const int group = threadIdx.x / Shape::threads, thread = threadIdx.x % Shape::threads;
  float2* shared = sharedMemory + group * Shape::paddedPoints;
  // A launch has fewer than 2^31 rows, and so has a problem of such long ones: divisions of 64 bits take twice as many instructions.
  const uint32_t index = blockIdx.x * Rows + group, sequences = static_cast<uint32_t>(p.sequences);
  const bool active = index < sequences * p.rows;
  const uint32_t safe = active ? index : 0;
  const int64_t k1 = safe / sequences, sequence = safe % sequences;
  const int64_t channel = (static_cast<uint32_t>(p.first) + static_cast<uint32_t>(sequence)) / static_cast<uint32_t>(p.batch);
  Element* row = static_cast<Element*>(p.scratch) + (sequence * p.rows + k1) * p.n2;
  if (Storage::scaled && thread == 0) mostOf[group] = 0;
  if (Storage::scaled) groupSync<Shape>();

  float largest = 0;
  loadRow<Shape, Storage>(shared, p, row, sequence, thread, [&](float2 v) {
    if (Storage::scaled && SpectrumOnly) largest = fmaxf(largest, fmaxf(fabsf(v.x), fabsf(v.y)));
  });
  if constexpr (Storage::scaled && SpectrumOnly) sharedMaximum(&mostOf[group], largest, warpMask<Shape>());
  groupSync<Shape>();
  forwardMiddleStages<Shape>(shared, p.rowTables, thread);

  // The spectrum row lies in the order in which lanes read it: butterfly `hi`, output q at q * outer + hi.
  const int64_t spectrumRow = (p.sharedSpectrum ? 0 : channel) * p.rows + k1;
  Element* spectrum = static_cast<Element*>(p.spectrum) + spectrumRow * p.n2;
  if constexpr (SpectrumOnly) {
    // 1 / N belongs to the inverse transform; here it costs nothing.
    const float unit = 1.0f / static_cast<float>(p.points);
    float scale = 1.0f;
    if constexpr (Storage::scaled) scale = scaleForBound(__uint_as_float(mostOf[group]) * unit * (1.4143f * Shape::points));
    if (Storage::scaled && active && thread == 0) p.spectrumScale[spectrumRow] = scale;
    for (int hi = thread; hi < outer; hi += Shape::threads) {
      float2 x[R];
      forwardLast<Shape>(x, shared, p.rowTables, hi);
      if (!active) continue;
#pragma unroll
      for (int q = 0; q < R; ++q) {
        float2 v = x[slot<R>(q)];
        if (p.mask.keep) {
          const int64_t k = p.rowOfSlot[k1] + int64_t{p.n1} * (Shape::frequencyOfHigh(hi) + q * outer);
          float factor = p.mask.keeps(k) ? 1 : 0;
          if (factor != 0 && p.response.count) factor = static_cast<float>(1 / responseAt<double>(p.response, k, p.points, p.quarters));
          v = {v.x * factor, v.y * factor};
        }
        spectrum[q * outer + hi] = Storage::pack({v.x * unit, v.y * unit}, scale);
      }
    }
    return;
  } else {
    const float inverseSpectrum = Storage::scaled ? reciprocalPowerOfTwo(__ldg(p.spectrumScale + spectrumRow)) : 1.0f;
    for (int hi = thread; hi < outer; hi += Shape::threads) {
      float2 x[R], z[R];
      Element k[R];
#pragma unroll
      for (int q = 0; q < R; ++q) k[q] = __ldg(spectrum + q * outer + hi);
      forwardLast<Shape>(x, shared, p.rowTables, hi);
#pragma unroll
      for (int q = 0; q < R; ++q) {
        z[q] = complexProduct(x[slot<R>(q)], Storage::unpack(k[q], inverseSpectrum));
        if (Storage::scaled) largest = fmaxf(largest, fmaxf(fabsf(z[q].x), fabsf(z[q].y)));
      }
      inverseFirst<Shape>(z, shared, hi);
    }
    if constexpr (Storage::scaled) sharedMaximum(&mostOf[group], largest, warpMask<Shape>());
    groupSync<Shape>();
    inverseMiddleStages<Shape>(shared, p.rowTables, thread);
    float scale = 1.0f;
    if constexpr (Storage::scaled) {
      scale = scaleForBound(__uint_as_float(mostOf[group]) * (1.4143f * Shape::points));
      if (active && thread == 0) p.rowScale[sequence * p.rows + k1] = scale;
    }
    inverseLast<Shape>(shared, p.rowTables, thread, [&](const float2(&z)[R0], int lo) {
      if (!active) return;
#pragma unroll
      for (int q = 0; q < R0; ++q) row[lo + q * inner0] = Storage::pack(z[slot<R0>(q)], scale);
    });
  }
}

}  // namespace ffc::gpu
