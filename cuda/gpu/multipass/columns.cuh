// The first and the last pass: transforms over n1 for a tile of neighbouring columns n2. Lanes run over the
// columns, so that every access to device memory is a run of neighbouring samples; threads of one column are
// blockDim / columns apart.
#pragma once
#include "../core/block_fft.cuh"
#include "params.h"
#include "storage.cuh"

namespace ffc::gpu {

__device__ __forceinline__ float2 turn(const TurnTable& table, uint32_t m) {
  return complexProduct(__ldg(table.coarse + (m >> table.bits)), __ldg(table.fine + (m & ((1u << table.bits) - 1))));
}

FFC_HD float2 conjugate(float2 a) { return {a.x, -a.y}; }

// A column tile of one sequence, as one thread sees it.
template <class Shape>
struct ColumnTile {
  // An odd distance between columns puts the half warp of one access on 16 different banks.
  static constexpr int pitch = Shape::paddedPoints | 1;
  static constexpr int lastRadix = Shape::radixOf(Shape::stages - 1), lastOuter = Shape::outer(Shape::stages - 1);

  float2* shared;
  int thread;
  uint32_t n2;
  int64_t sequence;  // within the launch
  int64_t channel, batch;

  __device__ ColumnTile(const MultiPassParams& p, float2* sharedMemory) {
    const int column = threadIdx.x & ((1 << p.log2Columns) - 1);
    shared = sharedMemory + column * pitch;
    thread = threadIdx.x >> p.log2Columns;
    // Fewer than 2^32 rows of such a length: divisions of 64 bits take twice as many instructions.
    const uint32_t index = blockIdx.x / p.tiles, row = static_cast<uint32_t>(p.first) + index, batches = static_cast<uint32_t>(p.batch);
    n2 = ((blockIdx.x - index * p.tiles) << p.log2Columns) + column;
    sequence = index;
    channel = row / batches;
    batch = row % batches;
  }

  __device__ int64_t tile(const MultiPassParams& p) const { return sequence * p.tiles + (n2 >> p.log2Columns); }
  // This column of the sequence's scratch; row k1 is k1 * n2 elements on, fewer than 2^24, so 32 bits do.
  template <class Element>
  __device__ Element* column(const MultiPassParams& p) const {
    return static_cast<Element*>(p.scratch) + (sequence * (int64_t{p.rows} * p.n2) + n2);
  }

  // e^{-2 pi i n2 f / N} over the frequencies k1 = first + q lastOuter that one butterfly holds: a factor for the
  // first, and its steps, which are the same for all butterflies of a thread. Powers 1, 2, 4 .. of the step come
  // from the table, so that no rounding error is squared up.
  __device__ void steps(const MultiPassParams& p, float2 (&step)[lastRadix]) const {
    step[0] = {1.0f, 0.0f};
#pragma unroll
    for (int q = 1; q < lastRadix; ++q) {
      const int high = 1 << log2Of(q);
      if (q == high)
        step[q] = turn(p.turns, n2 * static_cast<uint32_t>(4 * lastOuter * q));
      else
        step[q] = complexProduct(step[high], step[q - high]);
    }
  }

  // 4 f = 4 k1 - quarters; for k1 = 0 that is not positive.
  __device__ float2 factor(const MultiPassParams& p, int k1) const {
    const int f = 4 * k1 - p.quarters;
    return f > 0 ? turn(p.turns, n2 * static_cast<uint32_t>(f)) : conjugate(turn(p.turns, n2 * static_cast<uint32_t>(-f)));
  }
};

template <class Shape, int Sign, bool Sparse, int Stage = Sign < 0 ? 1 : Shape::stages - 2>
__device__ __forceinline__ void columnMiddleStages(float2* shared, const float2* tables, int thread,
                                                   const KeptRows& kept) {
  if constexpr (Stage >= 1 && Stage < Shape::stages - 1) {
    if constexpr (Sparse)
      keptMiddleStage<Shape, Stage, Sign>(shared, tables, thread, kept.firstDigitCount,
                                          [&](int i) { return __ldg(kept.firstDigitList + i); });
    else
      middleStage<Shape, Stage, Sign>(shared, tables, thread);
    __syncthreads();
    columnMiddleStages<Shape, Sign, Sparse, Stage - Sign>(shared, tables, thread, kept);
  }
}

// Samples from n to the end of a row; a column reaches no further than 2^24.
__device__ __forceinline__ int samplesLeft(int64_t length, int64_t n) {
  return static_cast<int>(min(max(length - n, int64_t{0}), int64_t{1} << 30));
}

// Elements n, n + step, .. of a row of real samples, step = inner N2; zero from `length` on.
template <class Shape, class Storage, int Count>
__device__ __forceinline__ void loadColumn(float (&v)[Count], const void* data, int64_t row, const MultiPassParams& p,
                                           int64_t n, int64_t length) {
  const int step = Shape::inner(0) * p.n2, left = samplesLeft(length, n);
  Storage::withType(p.dtype, [&](auto tag) {
    using T = decltype(tag);
    const T* at = static_cast<const T*>(data) + (row + n);
#pragma unroll
    for (int q = 0; q < Count; ++q) v[q] = q * step < left ? toFloat(at[q * step]) : 0.0f;
  });
}

template <class Shape, class Storage, int Count>
__device__ __forceinline__ void loadGated(float (&v)[Count], const MultiPassParams& p, const ColumnTile<Shape>& tile,
                                          int64_t n) {
  loadColumn<Shape, Storage>(v, p.u, tile.batch * p.uStride.batch + tile.channel * p.uStride.channel, p, n, p.length);
  if (!p.preGate) return;
  float gate[Count];
  const int64_t row = tile.batch * p.preStride.batch + tile.channel * p.preStride.channel;
  loadColumn<Shape, Storage>(gate, p.preGate, row, p, n, p.length);
#pragma unroll
  for (int q = 0; q < Count; ++q) v[q] *= gate[q];
}

template <class Shape, class Storage, int Threads, int MinBlocks, bool Sparse>
__global__ void __launch_bounds__(Threads, MinBlocks) columnsForward(const __grid_constant__ MultiPassParams p) {
  constexpr int R = Shape::radixOf(0), inner = Shape::inner(0);
  extern __shared__ float2 sharedMemory[];
  __shared__ unsigned most;
  const ColumnTile<Shape> tile(p, sharedMemory);
  if (Storage::scaled && threadIdx.x == 0) most = 0;
  if (Storage::scaled) __syncthreads();
  float largest = 0;
  forwardFirst<Shape, false>(tile.shared, p.columnTables, tile.thread, [&](float2(&x)[R], int lo) {
    const int64_t n = static_cast<int64_t>(lo) * p.n2 + tile.n2, step = static_cast<int64_t>(inner) * p.n2;
    if (p.readTaps) {
#pragma unroll
      for (int q = 0; q < R; ++q) {
        const int64_t at = n + q * step;
        if (Sparse && p.resampled.filter)
          x[q] = {p.resampled.at(p.taps, at, tile.channel), p.resampled.at(p.taps, at + p.points, tile.channel)};
        else
          x[q] = {p.taps.at(at, p.points, 0, tile.channel), p.taps.at(at + p.points, p.points, 0, tile.channel)};
      }
    } else {
      float re[R];
      loadGated<Shape, Storage>(re, p, tile, n);
#pragma unroll
      for (int q = 0; q < R; ++q) x[q] = {re[q], 0.0f};
      if (p.length > p.points + n) {
        float im[R];
        loadGated<Shape, Storage>(im, p, tile, n + p.points);
#pragma unroll
        for (int q = 0; q < R; ++q) x[q].y = im[q];
      }
    }
    if constexpr (Storage::scaled) {
#pragma unroll
      for (int q = 0; q < R; ++q) largest = fmaxf(largest, fmaxf(fabsf(x[q].x), fabsf(x[q].y)));
    }
  });
  if constexpr (Storage::scaled) sharedMaximum(&most, largest, 0xffffffffu);
  __syncthreads();
  columnMiddleStages<Shape, -1, Sparse>(tile.shared, p.columnTables, tile.thread, p.kept);

  float scale = 1.0f;
  if constexpr (Storage::scaled) {
    // |X[k1]| <= sqrt(2) N1 max(|re|, |im|)
    scale = scaleForBound(__uint_as_float(most) * (1.4143f * Shape::points));
    if (threadIdx.x == 0) p.tileScale[tile.tile(p)] = scale;
  }
  constexpr int lastR = ColumnTile<Shape>::lastRadix, lastOuter = ColumnTile<Shape>::lastOuter;
  float2 step[lastR];
  tile.steps(p, step);
  auto* scratch = tile.template column<typename Storage::Element>(p);
  const int butterflies = Sparse ? p.kept.butterflyCount : lastOuter;
  for (int i = tile.thread; i < butterflies; i += Shape::threads) {
    const int hi = Sparse ? __ldg(p.kept.butterflies + i) : i;
    if (Sparse && hi < 0) continue;
    float2 x[lastR];
    forwardLast<Shape>(x, tile.shared, p.columnTables, hi);
    const int k1 = Shape::frequencyOfHigh(hi);
    const float2 first = tile.factor(p, k1);
    int row[lastR];
#pragma unroll
    for (int q = 0; q < lastR; ++q) row[q] = Sparse ? __ldg(p.kept.slotOf + k1 + q * lastOuter) : k1 + q * lastOuter;
#pragma unroll
    for (int q = 0; q < lastR; ++q) {
      if (Sparse && row[q] < 0) continue;
      scratch[row[q] * p.n2] = Storage::pack(complexProduct(x[slot<lastR>(q)], complexProduct(first, step[q])), scale);
    }
  }
}

// Samples n, n + step, .. of a row of y: skip term, post gate, rounding, store. In pieces, each with all loads before
// its first store: the compiler must assume that y aliases the inputs and would wait for every load in turn, and a
// whole column's gates at once would not fit the registers.
template <class Shape, class Storage, int R>
__device__ __forceinline__ void storeColumn(float (&v)[R], const MultiPassParams& p, const ColumnTile<Shape>& tile,
                                            int64_t n, float skip) {
  constexpr int piece = R % 4 == 0 ? 4 : R;
  const int step = Shape::inner(0) * p.n2, left = samplesLeft(p.outputLength, n);
#pragma unroll
  for (int begin = 0; begin < R; begin += piece) {
    const int64_t from = n + static_cast<int64_t>(begin) * step;
    if (p.skip) {
      float u[piece];
      loadGated<Shape, Storage>(u, p, tile, from);
#pragma unroll
      for (int q = 0; q < piece; ++q) v[begin + q] = fmaf(skip, u[q], v[begin + q]);
    }
    if (p.postGate) {
      float post[piece];
      const int64_t row = tile.batch * p.postStride.batch + tile.channel * p.postStride.channel;
      loadColumn<Shape, Storage>(post, p.postGate, row, p, from, p.outputLength);
#pragma unroll
      for (int q = 0; q < piece; ++q) v[begin + q] *= post[q];
    }
  }
  Storage::withType(p.dtype, [&](auto tag) {
    using T = decltype(tag);
    T* y = static_cast<T*>(p.y) + (tile.batch * p.yStride.batch + tile.channel * p.yStride.channel + n);
#pragma unroll
    for (int q = 0; q < R; ++q)
      if (q * step < left) y[q * step] = fromFloat<T>(v[q]);
  });
}

template <class Shape, class Storage, int Threads, int MinBlocks, bool Sparse>
__global__ void __launch_bounds__(Threads, MinBlocks) columnsInverse(const __grid_constant__ MultiPassParams p) {
  constexpr int lastR = ColumnTile<Shape>::lastRadix, lastOuter = ColumnTile<Shape>::lastOuter;
  constexpr int R = Shape::radixOf(0);
  extern __shared__ float2 sharedMemory[];
  const ColumnTile<Shape> tile(p, sharedMemory);
  {
    float2 step[lastR];
    tile.steps(p, step);
    const auto* scratch = tile.template column<const typename Storage::Element>(p);
    const int butterflies = Sparse ? p.kept.butterflyCount : lastOuter;
    for (int i = tile.thread; i < butterflies; i += Shape::threads) {
      int hi = Sparse ? __ldg(p.kept.butterflies + i) : i;
      float2 z[lastR];
      if (Sparse && hi < 0) {
        float2* at = tile.shared + Shape::padded((-1 - hi) * lastR);
#pragma unroll
        for (int n = 0; n < lastR; ++n) at[digitOffset(n, 1)] = {0.0f, 0.0f};
        continue;
      }
      const int k1 = Shape::frequencyOfHigh(hi);
      const float2 first = tile.factor(p, k1);
      int row[lastR];
#pragma unroll
      for (int q = 0; q < lastR; ++q) row[q] = Sparse ? __ldg(p.kept.slotOf + k1 + q * lastOuter) : k1 + q * lastOuter;
      // All loads before the first use: a branch around each of them would wait for one after the other.
      typename Storage::Element raw[lastR];
      float scale[lastR];
#pragma unroll
      for (int q = 0; q < lastR; ++q) {
        raw[q] = {};
        scale[q] = 1.0f;
        if (Sparse && row[q] < 0) continue;
        raw[q] = scratch[row[q] * p.n2];
        if (Storage::scaled) scale[q] = __ldg(p.rowScale + tile.sequence * p.rows + row[q]);
      }
#pragma unroll
      for (int q = 0; q < lastR; ++q) z[q] = Storage::unpack(raw[q], reciprocalPowerOfTwo(scale[q]));
#pragma unroll
      for (int q = 0; q < lastR; ++q) z[q] = complexProduct(z[q], conjugate(complexProduct(first, step[q])));
      inverseFirst<Shape>(z, tile.shared, hi);
    }
  }
  __syncthreads();
  columnMiddleStages<Shape, 1, Sparse>(tile.shared, p.columnTables, tile.thread, p.kept);
  const float skip = p.skip ? loadElement(p.skip, tile.channel, p.skipDtype) : 0.0f;
  const uint32_t digits = Sparse ? p.kept.firstDigits : 0xffffffffu;
  inverseLast<Shape>(tile.shared, p.columnTables, tile.thread, digits, [&](const float2(&z)[R], int lo) {
    const int64_t n = static_cast<int64_t>(lo) * p.n2 + tile.n2;
    constexpr ClosingTurns<Shape> turns = closingTurns<Shape>();
    float v[R];
#pragma unroll
    for (int q = 0; q < R; ++q) {
      const float2 x = z[slot<R>(q)];
      v[q] = Sparse && p.quarters == 0 ? x.x : fmaf(x.x, turns.re[q], -(x.y * turns.im[q]));
    }
    storeColumn<Shape, Storage>(v, p, tile, n, skip);
    if (p.outputLength > p.points + n) {
#pragma unroll
      for (int q = 0; q < R; ++q) v[q] = fmaf(z[slot<R>(q)].x, turns.im[q], z[slot<R>(q)].y * turns.re[q]);
      storeColumn<Shape, Storage>(v, p, tile, n + p.points, skip);
    }
  });
}

}  // namespace ffc::gpu
