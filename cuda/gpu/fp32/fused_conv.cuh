// The fused float32 convolution: one group of threads reads a window of u (times its gate), transforms it,
// multiplies by the kernel spectrum, transforms back and writes y. Nothing in between leaves the chip.
#pragma once
#include "../core/block_fft.cuh"
#include "../core/older_devices.h"
#include "params.h"

namespace ffc::gpu {

// A group's place in the work: which row, which piece of its output.
struct Fp32Unit {
  int64_t channel, batch, segment;

  static __device__ __forceinline__ Fp32Unit of(int64_t unit, const Fp32ConvParams& p) {
    int64_t row, channel;
    if (p.units <= 0x7fffffff) {  // 32-bit divisions are several times cheaper, and this is nearly always so
      const uint32_t segments = static_cast<uint32_t>(p.segments), batch = static_cast<uint32_t>(p.batch);
      const uint32_t small = static_cast<uint32_t>(unit);
      row = segments == 1 ? small : small / segments;
      channel = static_cast<uint32_t>(row) / batch;
    } else {
      row = unit / p.segments;
      channel = row / p.batch;
    }
    return {channel, row - channel * p.batch, unit - row * p.segments};
  }
};

// The same number, but the compiler cannot know: what depends on it is computed again after this point instead of
// being carried in registers through a transform, where none are to spare.
__device__ __forceinline__ int64_t forgotten(int64_t value) {
  asm volatile("" : "+l"(value));
  return value;
}

FFC_HD int64_t rowOffset(const Strides& s, int64_t batch, int64_t channel) {
  return batch * s.batch + channel * s.channel;
}

FFC_HD int clampToInt(int64_t value, int most) {
  return value < 0 ? 0 : value > most ? most : static_cast<int>(value);
}

// v[q] = at[q * Step] where inside(q), else 0. All loads come before the first conversion: under the condition of its load, a conversion
// would wait for it before the next load is issued.
template <int Step, class T, int Count, class Inside>
__device__ __forceinline__ void loadWhere(float (&v)[Count], const T* at, Inside&& inside) {
  T loaded[Count];
#pragma unroll
  for (int q = 0; q < Count; ++q) {
    loaded[q] = fromFloat<T>(0.0f);
    if (inside(q)) loaded[q] = at[q * Step];
  }
#pragma unroll
  for (int q = 0; q < Count; ++q) v[q] = toFloat(loaded[q]);
}

// Samples begin + n, 0 <= n < 2N, of a row of u times its gate: n < N in .x, the rest in .y. Zero outside the row.
// Points: N, where it is not the shape's own (a transform split over blocks).
template <class Shape, bool Periodic, int Points = Shape::points>
struct Fp32Loader {
  const Fp32ConvParams& p;
  int64_t uRow, preRow;  // element index of sample 0
  int64_t begin;
  int first, last;       // n of the first sample inside the row, and one past the last

  __device__ Fp32Loader(const Fp32ConvParams& params, const Fp32Unit& unit, int64_t windowBegin, bool active)
      : p(params),
        uRow(rowOffset(params.uStride, unit.batch, unit.channel)),
        preRow(rowOffset(params.preStride, unit.batch, unit.channel)),
        begin(windowBegin) {
    if (Periodic && p.periodic) {
      begin %= p.length;
      if (begin < 0) begin += p.length;
      first = 0;
      last = active ? 2 * Points : 0;
    } else {
      first = clampToInt(-begin, 2 * Points);
      last = active ? clampToInt(p.length - begin, 2 * Points) : 0;
    }
  }

  __device__ bool empty() const { return last <= first; }

  // Part of a column: samples lo + half + (q0 + q) * inner.
  template <class T, int Count>
  __device__ __forceinline__ void column(float (&v)[Count], const void* data, int64_t row, int lo, int half,
                                         int q0 = 0) const {
    constexpr int inner = Shape::inner(0);
    const int start = lo + half + q0 * inner;
    if constexpr (Periodic) {
      if (p.periodic) {
#pragma unroll
        for (int q = 0; q < Count; ++q) {
          int64_t index = begin + (start + q * inner);  // the planner keeps 2N <= 2 * length here
          if (index >= p.length) index -= p.length;
          if (index >= p.length) index -= p.length;
          v[q] = toFloat(static_cast<const T*>(data)[row + index]);
        }
        return;
      }
    }
    const T* at = static_cast<const T*>(data) + (row + begin + start);
    const int from = start - first;
    const unsigned span = static_cast<unsigned>(last - first);
    loadWhere<inner>(v, at, [&](int q) { return static_cast<unsigned>(from + q * inner) < span; });
  }

  template <class T, int R>
  __device__ __forceinline__ void gatedColumn(float (&v)[R], int lo, int half) const {
    column<T>(v, p.u, uRow, lo, half);
    if (p.preGate) {
      constexpr int part = R % 8 ? R : 8;  // registers again
#pragma unroll
      for (int q0 = 0; q0 < R; q0 += part) {
        float gate[part];
        column<T>(gate, p.preGate, preRow, lo, half, q0);
#pragma unroll
        for (int q = 0; q < part; ++q) v[q0 + q] *= gate[q];
      }
    }
  }

  template <int R>
  __device__ __forceinline__ void operator()(float2 (&x)[R], int lo) const {
    if (empty()) {
#pragma unroll
      for (int q = 0; q < R; ++q) x[q] = {0.0f, 0.0f};
      return;
    }
    withType(p.dtype, [&](auto tag) {
      using T = decltype(tag);
      float re[R];
      gatedColumn<T>(re, lo, 0);
#pragma unroll
      for (int q = 0; q < R; ++q) x[q] = {re[q], 0.0f};
      if (last > Points) {
        float im[R];
        gatedColumn<T>(im, lo, Points);
#pragma unroll
        for (int q = 0; q < R; ++q) x[q].y = im[q];
      }
    });
  }
};

// Adds the skip term, applies the post gate, rounds and writes. Samples n of the segment, 0 <= n < count. AnyQuarters: the ring may be circular.
template <class Shape, bool AnyQuarters = false>
struct Fp32Storer {
  const Fp32ConvParams& p;
  int64_t uAt, preAt, postAt, yAt;  // element index of the segment's sample 0
  int count;
  float skip;

  __device__ Fp32Storer(const Fp32ConvParams& params, const Fp32Unit& unit, bool active,
                        int most = 2 * Shape::points)
      : p(params) {
    const int64_t begin = unit.segment * p.segmentOutputs;
    const int64_t left = p.outputLength - begin;
    count = active ? clampToInt(left < p.segmentOutputs ? left : p.segmentOutputs, most) : 0;
    uAt = rowOffset(p.uStride, unit.batch, unit.channel) + begin;
    preAt = rowOffset(p.preStride, unit.batch, unit.channel) + begin;
    postAt = rowOffset(p.postStride, unit.batch, unit.channel) + begin;
    yAt = rowOffset(p.yStride, unit.batch, unit.channel) + begin;
    skip = p.skip && active ? loadElement(p.skip, unit.channel, p.skipDtype) : 0.0f;
  }

  // Samples n0 + q * Stride.
  template <class T, int Stride, int Count>
  __device__ __forceinline__ void column(float (&value)[Count], int n0) const {
    float factor[Count];
    const auto fetch = [&](const void* data, int64_t at) {
      const T* from = static_cast<const T*>(data) + (at + n0);
      loadWhere<Stride>(factor, from, [&](int q) { return n0 + q * Stride < count; });
    };
    if (p.skip) {
      float sample[Count];
      fetch(p.u, uAt);
#pragma unroll
      for (int q = 0; q < Count; ++q) sample[q] = skip * factor[q];
      if (p.preGate) {
        fetch(p.preGate, preAt);
#pragma unroll
        for (int q = 0; q < Count; ++q) sample[q] *= factor[q];
      }
#pragma unroll
      for (int q = 0; q < Count; ++q) value[q] += sample[q];
    }
    if (p.postGate) {
      fetch(p.postGate, postAt);
#pragma unroll
      for (int q = 0; q < Count; ++q) value[q] *= factor[q];
    }
    T* y = static_cast<T*>(p.y) + (yAt + n0);
#pragma unroll
    for (int q = 0; q < Count; ++q)
      if (n0 + q * Stride < count) y[q * Stride] = fromFloat<T>(value[q]);
  }

  // A column of results: its real parts are the first N samples of the segment, its imaginary parts the rest.
  template <int R>
  __device__ __forceinline__ void operator()(const float2 (&z)[R], int lo) const {
    constexpr ClosingTurns<Shape> turns = closingTurns<Shape>();
    // In parts: the loads of a part are in flight together, but not more than registers can take.
    constexpr int part = R % 8 ? R : 8, inner = Shape::inner(0);
    withType(p.dtype, [&](auto tag) {
      using T = decltype(tag);
#pragma unroll
      for (int q0 = 0; q0 < R; q0 += part) {
        float v[part];
#pragma unroll
        for (int q = 0; q < part; ++q) {
          const float2 a = z[slot<R>(q0 + q)];
          v[q] = AnyQuarters && p.quarters == 0 ? a.x : fmaf(a.x, turns.re[q0 + q], -(a.y * turns.im[q0 + q]));
        }
        column<T, inner>(v, lo + q0 * inner);
      }
      if (count <= Shape::points) return;
#pragma unroll
      for (int q0 = 0; q0 < R; q0 += part) {
        float v[part];
#pragma unroll
        for (int q = 0; q < part; ++q) {
          const float2 a = z[slot<R>(q0 + q)];
          v[q] = fmaf(a.x, turns.im[q0 + q], a.y * turns.re[q0 + q]);
        }
        column<T, inner>(v, lo + q0 * inner + Shape::points);
      }
    });
  }
};

// The spectrum's order: what butterfly `hi` of the last stage needs lies in R/2 float4 at stride outer, so that a
// warp reads 512 contiguous bytes at a time.
template <class Shape, class Use>
__device__ __forceinline__ void forSpectrumPairs(int hi, Use&& use) {
  constexpr int last = Shape::stages - 1, R = Shape::radixOf(last), outer = Shape::outer(last);
  static_assert(R % 2 == 0, "pairs");
#pragma unroll
  for (int q = 0; q < R; q += 2) use(q, (q / 2) * outer + hi);
}

// The middle stages of the values of k_0 that are kept.
template <class Shape, int Sign, int Stage = Sign < 0 ? 1 : Shape::stages - 2>
__device__ __forceinline__ void keptMiddleStages(float2* shared, const float2* tables, int thread, const KeptDigits& kept) {
  if constexpr (Stage >= 1 && Stage < Shape::stages - 1) {
    keptMiddleStage<Shape, Stage, Sign>(shared, tables, thread, kept.count, [&](int i) { return kept.at(i); });
    groupSync<Shape>();
    keptMiddleStages<Shape, Sign, Stage - Sign>(shared, tables, thread, kept);
  }
}

// `Sparse`: of the first digit's values, those in p.kept. All stages but the outermost do that much less, and so much of the spectrum is
// read. The ring may be circular.
template <class Shape, bool Partitioned, bool Sparse = false>
__device__ __forceinline__ void convolveUnit(const Fp32ConvParams& p, float2* shared, int thread, int64_t unit,
                                             bool active) {
  constexpr int last = Shape::stages - 1, R = Shape::radixOf(last), outer = Shape::outer(last);
  static_assert(!Sparse || (Shape::radixOf(0) == 16 && !Partitioned));
  const auto spectrumOf = [&](const Fp32Unit& at) {
    return reinterpret_cast<const float4*>(p.spectrum + at.channel * p.spectrumChannelStride);
  };
  if constexpr (!Partitioned) {
    {
      const Fp32Unit at = Fp32Unit::of(unit, p);
      const Fp32Loader<Shape, false> load(p, at, p.windowBegin + at.segment * p.segmentOutputs, active);
      forwardFirst<Shape, !Sparse>(shared, p.tables, thread, load);
    }
    groupSync<Shape>();
    if constexpr (Sparse)
      keptMiddleStages<Shape, -1>(shared, p.tables, thread, p.kept);
    else
      forwardMiddleStages<Shape>(shared, p.tables, thread);
    constexpr int perDigit = outer / Shape::radixOf(0);
    const int butterflies = Sparse ? p.kept.count * perDigit : outer;
#pragma unroll 1
    for (int i = thread; i < butterflies; i += Shape::threads) {
      const int hi = Sparse ? p.kept.at(i / perDigit) * perDigit + i % perDigit : i;
      float2 x[R], z[R];
      forwardLast<Shape>(x, shared, p.tables, hi);
      const float4* spectrum = spectrumOf(Fp32Unit::of(forgotten(unit), p));
      forSpectrumPairs<Shape>(hi, [&](int q, int at) {
        const float4 k = __ldg(spectrum + at);
        z[q] = complexProduct(x[slot<R>(q)], {k.x, k.y});
        z[q + 1] = complexProduct(x[slot<R>(q + 1)], {k.z, k.w});
      });
      inverseFirst<Shape>(z, shared, hi);
    }
  } else {
    // The products of all parts are summed in registers before one inverse transform.
    const Fp32Unit at = Fp32Unit::of(unit, p);
    const float4* spectrum = spectrumOf(at);
    const int64_t windowBegin = p.windowBegin + at.segment * p.segmentOutputs;
    constexpr int butterflies = outer / Shape::threads;
    static_assert(butterflies * Shape::threads == outer, "every thread keeps the same number of sums");
    float2 sum[butterflies][R];
#pragma unroll
    for (int b = 0; b < butterflies; ++b)
#pragma unroll
      for (int q = 0; q < R; ++q) sum[b][q] = {0.0f, 0.0f};
    for (int64_t part = 0; part < p.parts; ++part) {
      const Fp32Loader<Shape, true> load(p, at, windowBegin - part * p.partTaps, active);
      if (load.empty()) continue;  // the same for the whole block: one transform per block
      forwardFirst<Shape, true>(shared, p.tables, thread, load);
      groupSync<Shape>();
      forwardMiddleStages<Shape>(shared, p.tables, thread);
#pragma unroll
      for (int b = 0; b < butterflies; ++b) {
        float2 x[R];
        const int hi = thread + b * Shape::threads;
        forwardLast<Shape>(x, shared, p.tables, hi);
        forSpectrumPairs<Shape>(hi, [&](int q, int pair) {
          const float4 k = __ldg(spectrum + part * (Shape::points / 2) + pair);
          const float2 c = x[slot<R>(q)], d = x[slot<R>(q + 1)];
          float2 &s = sum[b][q], &t = sum[b][q + 1];
          s = {fmaf(c.x, k.x, fmaf(-c.y, k.y, s.x)), fmaf(c.x, k.y, fmaf(c.y, k.x, s.y))};
          t = {fmaf(d.x, k.z, fmaf(-d.y, k.w, t.x)), fmaf(d.x, k.w, fmaf(d.y, k.z, t.y))};
        });
      }
      groupSync<Shape>();  // all have read before the next part overwrites
    }
#pragma unroll
    for (int b = 0; b < butterflies; ++b) inverseFirst<Shape>(sum[b], shared, thread + b * Shape::threads);
  }
  groupSync<Shape>();
  if constexpr (Sparse)
    keptMiddleStages<Shape, 1>(shared, p.tables, thread, p.kept);
  else
    inverseMiddleStages<Shape>(shared, p.tables, thread);
  inverseLast<Shape>(shared, p.tables, thread, Sparse ? p.kept.set : 0xffffffffu,
                     Fp32Storer<Shape, Sparse>(p, Fp32Unit::of(forgotten(unit), p), active));
}

template <class Shape, int Rows>
constexpr int64_t fp32SharedBytes = int64_t{Rows} * Shape::paddedPoints * static_cast<int64_t>(sizeof(float2));

// Rows: transforms per block. A block walks over units with the grid's stride, so that any number of units runs
// on a grid of any size.
template <class Shape, int Rows, bool Partitioned, bool Sparse = false>
__device__ __forceinline__ void convolveUnits(const Fp32ConvParams& p) {
  static_assert(!Partitioned || Rows == 1, "parts are skipped per block");
  extern __shared__ float2 sharedMemory[];
  const int group = Rows == 1 ? 0 : threadIdx.x / Shape::threads;
  const int thread = Rows == 1 ? threadIdx.x : threadIdx.x % Shape::threads;
  float2* shared = sharedMemory + group * Shape::paddedPoints;
  for (int64_t base = int64_t{blockIdx.x} * Rows; base < p.units; base += int64_t{gridDim.x} * Rows) {
    const bool active = Rows == 1 || base + group < p.units;
    convolveUnit<Shape, Partitioned, Sparse>(p, shared, thread, active ? base + group : 0, active);
    groupSync<Shape>();  // the next unit overwrites what inverseLast reads
  }
}

template <class Shape, int Rows, int MinBlocks, bool Partitioned>
__global__ void __launch_bounds__(Shape::threads* Rows, MinBlocks) fusedConv(const __grid_constant__ Fp32ConvParams p) {
  if constexpr (compiledHere<fp32SharedBytes<Shape, Rows>>) convolveUnits<Shape, Rows, Partitioned>(p);
}

template <class Shape, int Rows, int MinBlocks>
__global__ void __launch_bounds__(Shape::threads* Rows, MinBlocks) fusedSparseConv(const __grid_constant__ Fp32ConvParams p) {
  if constexpr (compiledHere<fp32SharedBytes<Shape, Rows>>) convolveUnits<Shape, Rows, false, true>(p);
}

// Zeros the frequencies that a pattern drops, or weighs them, of butterfly `hi` of the last stage; frequency k of this transform is
// first + step k of the pattern's grid of so many points.
template <class Shape>
__device__ __forceinline__ void weighFrequencies(float2 (&x)[Shape::radixOf(Shape::stages - 1)], int hi, const Fp32SpectrumParams& p,
                                                 int64_t unit, int first, int step) {
  constexpr int last = Shape::stages - 1, R = Shape::radixOf(last);
  if (p.mask.keep) {
#pragma unroll
    for (int q = 0; q < R; ++q)
      if (!p.mask.keeps(first + step * (Shape::frequencyOfHigh(hi) + q * Shape::outer(last)))) x[slot<R>(q)] = {0.0f, 0.0f};
  } else if (p.weights) {
    const float2* const weights = p.weights + unit % p.slots * (step * Shape::points);
#pragma unroll
    for (int q = 0; q < R; ++q) {
      float2& v = x[slot<R>(q)];
      v = complexProduct(v, __ldg(weights + first + step * (Shape::frequencyOfHigh(hi) + q * Shape::outer(last))));
    }
  }
}

// One group transforms one part of one channel's kernel, scaled by 1/N for the inverse that will follow.
template <class Shape, int Rows>
__device__ __forceinline__ void transformKernels(const Fp32SpectrumParams& p) {
  constexpr int last = Shape::stages - 1, R = Shape::radixOf(last);
  constexpr float scale = 1.0f / Shape::points;
  extern __shared__ float2 sharedMemory[];
  const int group = Rows == 1 ? 0 : threadIdx.x / Shape::threads;
  const int thread = Rows == 1 ? threadIdx.x : threadIdx.x % Shape::threads;
  float2* shared = sharedMemory + group * Shape::paddedPoints;
  for (int64_t base = int64_t{blockIdx.x} * Rows; base < p.units; base += int64_t{gridDim.x} * Rows) {
    const bool active = Rows == 1 || base + group < p.units;
    const int64_t unit = active ? base + group : 0, channel = unit / p.parts, part = unit - channel * p.parts;
    float4* spectrum = reinterpret_cast<float4*>(p.spectrum + unit * Shape::points);
    blockForwardButterflies<Shape>(
        shared, p.tables, thread,
        [&](int n) -> float2 {
          return {p.taps.at(n, Shape::points, part, channel), p.taps.at(n + Shape::points, Shape::points, part, channel)};
        },
        [&](auto& x, int hi) {
          if (!active) return;
          weighFrequencies<Shape>(x, hi, p, unit, 0, 1);
          forSpectrumPairs<Shape>(hi, [&](int q, int at) {
            const float2 a = x[slot<R>(q)], b = x[slot<R>(q + 1)];
            spectrum[at] = {a.x * scale, a.y * scale, b.x * scale, b.y * scale};
          });
        });
    groupSync<Shape>();
  }
}

template <class Shape, int Rows>
__global__ void __launch_bounds__(Shape::threads* Rows, 1) kernelSpectrum(const __grid_constant__ Fp32SpectrumParams p) {
  if constexpr (compiledHere<fp32SharedBytes<Shape, Rows>>) transformKernels<Shape, Rows>(p);
}

}  // namespace ffc::gpu
