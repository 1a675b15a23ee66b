// A thread has eight neighbouring numbers of the ring, after which the coefficients repeat but for a sign, so that which of them a
// multiply-add takes is known when it is compiled: an operand in the parameters of the launch, which costs no load while all of them
// fit the constants' first cache (2.3 KB do, with 3.8 KB everything took twice as long). Inputs come in the order of memory and lie in
// shared memory, four words apart after each thread's, so that eight lanes that read 16 bytes each meet all banks; outputs go out from
// registers, 32 bytes of two lanes side by side.
#include "resampling_passes.h"

#include "../algorithm.h"
#include "../core/scalar.cuh"
#include "multipass.h"

namespace ffc::gpu {
namespace {

// One number of the ring for `Rate` samples; filters reach over `Cells` of them.
template <int Rate, int Cells>
struct FilterShape {
  static constexpr int rate = Rate, cells = Cells, taps = Rate * Cells;
  static constexpr int own = Resampling::phases / Resampling::floatStep, ownSamples = own * Rate;  // of a thread
  static constexpr int threads = 128, numbers = threads * own, samples = numbers * Rate;  // of a block
  static constexpr int decimateBlocks = 10, interpolateBlocks = 8;  // of a multiprocessor: 48 and 64 registers a thread
  // Samples before those of the first number, and numbers behind the last: whole vectors.
  static constexpr int before = (Rate * (Cells - 1) + 3) / 4 * 4, behind = (Cells - 1 + 3) / 4 * 4;
  // In shared memory.
  FFC_HD static constexpr unsigned placeOfSample(unsigned i) { return i + i / ownSamples * 4; }
  FFC_HD static constexpr unsigned placeOfNumber(unsigned i) { return i + i / own * 4; }
};

template <class F>
struct FilterParams {
  float coefficients[F::own * F::taps];  // [number mod 8][tap]
  bool alternates;                       // and of the next eight numbers, minus these
  int numbers;                           // of a row
  unsigned tiles;                        // blocks of a row
  ResampledRows rows;
};

// The row that a block works on.
struct RowOfBlock {
  unsigned sequence, channel, batch;  // rows as long as these are never 2^32
  int tile;
  __device__ RowOfBlock(const ResampledRows& rows, unsigned tiles) {
    sequence = blockIdx.x / tiles;
    tile = static_cast<int>(blockIdx.x - sequence * tiles);
    const unsigned row = static_cast<unsigned>(rows.first) + sequence, batches = static_cast<unsigned>(rows.batch);
    channel = row / batches;
    batch = row - channel * batches;
  }
  template <class T>
  __device__ T* of(T* data, const Strides& stride) const {
    return data ? data + (batch * stride.batch + channel * stride.channel) : nullptr;
  }
};

__device__ __forceinline__ bool wholeVectors(const void* row) { return (reinterpret_cast<uintptr_t>(row) & 15) == 0; }
__device__ __forceinline__ float4 operator*(float4 a, float4 b) { return make_float4(a.x * b.x, a.y * b.y, a.z * b.z, a.w * b.w); }

// A block's share of a row of samples, times a gate if there is one: store(i, samples first + 4i .. first + 4i + 3); zero where there are
// none, or from the other end of a circular row. Several vectors at once, so that enough loads are on their way; those beyond the last whole
// round go with the first.
template <int Count, int Threads, class Store>
__device__ __forceinline__ void loadShare(const float* row, const float* gate, int first, int length, bool circular, Store&& store) {
  if (first >= 0 && first + Count <= length && wholeVectors(row + first) && (!gate || wholeVectors(gate + first))) {
    constexpr int rounds = Count / 4 / Threads, piece = rounds < 4 ? rounds : 4, rest = Count / 4 - rounds * Threads;
    static_assert(rounds % piece == 0);
    const float4* const samples = reinterpret_cast<const float4*>(row + first);
    const float4* const gates = reinterpret_cast<const float4*>(gate + first);
    const int thread = threadIdx.x, last = rounds * Threads + thread;
    if (thread < rest) store(last, gate ? __ldg(samples + last) * __ldg(gates + last) : __ldg(samples + last));
#pragma unroll 1
    for (int begin = thread; begin < rounds * Threads; begin += piece * Threads) {
      float4 v[piece];
#pragma unroll
      for (int q = 0; q < piece; ++q) v[q] = __ldg(samples + begin + q * Threads);
      if (gate) {
#pragma unroll
        for (int q = 0; q < piece; ++q) v[q] = v[q] * __ldg(gates + begin + q * Threads);
      }
#pragma unroll
      for (int q = 0; q < piece; ++q) store(begin + q * Threads, v[q]);
    }
    return;
  }
#pragma unroll 2
  for (int i = threadIdx.x; i < Count / 4; i += Threads) {
    float x[4];
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      int n = first + 4 * i + e;
      if (circular) n += n < 0 ? length : n >= length ? -length : 0;
      x[e] = 0;
      if (static_cast<unsigned>(n) < static_cast<unsigned>(length)) x[e] = gate ? __ldg(row + n) * __ldg(gate + n) : __ldg(row + n);
    }
    store(i, make_float4(x[0], x[1], x[2], x[3]));
  }
}

// Of two neighbouring lanes, an even one E and an odd one O, each with two vectors: E gets the first of both, O the second of both. What
// was E's is in `even`.
struct VectorsOfPair {
  float4 even, odd;
  __device__ __forceinline__ VectorsOfPair(float4 first, float4 second) {
    const bool isOdd = threadIdx.x & 1;
    const float4 given = isOdd ? first : second;
    const float4 got = make_float4(fromNeighbour(given.x), fromNeighbour(given.y), fromNeighbour(given.z), fromNeighbour(given.w));
    even = isOdd ? got : first;
    odd = isOdd ? second : got;
  }
  __device__ __forceinline__ static float fromNeighbour(float v) { return __shfl_xor_sync(0xffffffffu, v, 1); }
};

template <class F>
__global__ void __launch_bounds__(F::threads, F::decimateBlocks) decimateRows(const __grid_constant__ FilterParams<F> p) {
  __shared__ float4 shared[F::placeOfSample(F::samples + F::before) / 4 + 1];
  const int thread = threadIdx.x;
  const RowOfBlock row(p.rows, p.tiles);
  const int firstNumber = row.tile * F::numbers;
  loadShare<F::samples + F::before, F::threads>(row.of(p.rows.u, p.rows.uStride), row.of(p.rows.preGate, p.rows.preStride),
                                                F::rate * firstNumber - F::before, p.rows.length, p.rows.circular,
                                                [&](int i, float4 v) { shared[F::placeOfSample(4 * i) / 4] = v; });
  __syncthreads();

  float number[F::own] = {};
  const float4* const window = shared + thread * (F::ownSamples + 4) / 4;
#pragma unroll
  for (int i = 0; i < (F::ownSamples + F::before) / 4; ++i) {
    const float4 v = window[F::placeOfSample(4 * i) / 4];
    const float x[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
    for (int e = 0; e < 4; ++e)
#pragma unroll
      for (int m = 0; m < F::own; ++m) {
        const int tap = F::before + F::rate * (m + 1) - 1 - (4 * i + e);
        if (tap >= 0 && tap < F::taps) number[m] = fmaf(p.coefficients[m * F::taps + tap], x[e], number[m]);
      }
  }
  const float sign = p.alternates && (thread & 1) ? -1.0f : 1.0f;  // a block has an even number of eights
#pragma unroll
  for (int m = 0; m < F::own; ++m) number[m] *= sign;
  static_assert(F::own == 8);
  const VectorsOfPair vectors(make_float4(number[0], number[1], number[2], number[3]), make_float4(number[4], number[5], number[6], number[7]));
  // Rows of numbers are whole vectors; what is beyond the last number is not read.
  const int ofEven = firstNumber + (thread & ~1) * F::own + (thread & 1) * 4, ofOdd = ofEven + F::own;
  float* const numbers = p.rows.numbers + row.sequence * p.rows.pitch;
  if (ofEven < p.numbers) *reinterpret_cast<float4*>(numbers + ofEven) = vectors.even;
  if (ofOdd < p.numbers) *reinterpret_cast<float4*>(numbers + ofOdd) = vectors.odd;
}

// Outputs of a row: skip term, gate, store. y may be u: whoever reads a sample of u writes that of y.
struct OutputRow {
  const float *u, *preGate, *postGate;
  float *y, skip;
  int length;
  bool whole;  // vectors of all that is read and written are aligned
  __device__ OutputRow(const ResampledRows& rows, const RowOfBlock& row) {
    u = rows.skip ? row.of(rows.u, rows.uStride) : nullptr;
    preGate = rows.skip ? row.of(rows.preGate, rows.preStride) : nullptr;
    postGate = row.of(rows.postGate, rows.postStride);
    y = row.of(rows.y, rows.yStride);
    skip = rows.skip ? loadElement(rows.skip, row.channel, rows.skipDtype) : 0.0f;
    length = rows.outputLength;
    whole = wholeVectors(u) && wholeVectors(preGate) && wholeVectors(postGate) && wholeVectors(y);
  }
  // Samples n .. n + 3, as far as there are such; n is a multiple of 4.
  __device__ __forceinline__ void store(int n, float4 v) const {
    if (whole && n + 4 <= length) {
      const auto at = [n](const float* row) { return *reinterpret_cast<const float4*>(row + n); };
      if (u) {
        const float4 x = preGate ? at(u) * at(preGate) : at(u);
        v = make_float4(fmaf(skip, x.x, v.x), fmaf(skip, x.y, v.y), fmaf(skip, x.z, v.z), fmaf(skip, x.w, v.w));
      }
      if (postGate) v = v * at(postGate);
      *reinterpret_cast<float4*>(y + n) = v;
      return;
    }
    const float x[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      if (n + e >= length) continue;
      const float sum = u ? fmaf(skip, preGate ? u[n + e] * preGate[n + e] : u[n + e], x[e]) : x[e];
      y[n + e] = postGate ? sum * postGate[n + e] : sum;
    }
  }
};

template <class F>
__global__ void __launch_bounds__(F::threads, F::interpolateBlocks) interpolateRows(const __grid_constant__ FilterParams<F> p) {
  __shared__ float4 shared[F::placeOfNumber(F::numbers + F::behind) / 4 + 1];
  const int thread = threadIdx.x;
  const RowOfBlock row(p.rows, p.tiles);
  const int firstNumber = row.tile * F::numbers;
  loadShare<F::numbers + F::behind, F::threads>(
      p.rows.numbers + row.sequence * p.rows.pitch, nullptr, firstNumber, p.numbers, p.rows.circular, [&](int i, float4 v) {
        const float sign = p.alternates && (4 * i / F::own & 1) ? -1.0f : 1.0f;
        shared[F::placeOfNumber(4 * i) / 4] = make_float4(sign * v.x, sign * v.y, sign * v.z, sign * v.w);
      });
  __syncthreads();
  float z[F::own + F::behind];
  const float4* const window = shared + thread * (F::own + 4) / 4;
#pragma unroll
  for (int i = 0; i < (F::own + F::behind) / 4; ++i) {
    const float4 v = window[F::placeOfNumber(4 * i) / 4];
    z[4 * i] = v.x, z[4 * i + 1] = v.y, z[4 * i + 2] = v.z, z[4 * i + 3] = v.w;
  }
  const OutputRow out(p.rows, row);
  const int ofEven = F::rate * firstNumber + (thread & ~1) * F::ownSamples + (thread & 1) * 4, ofOdd = ofEven + F::ownSamples;
#pragma unroll
  for (int i = 0; i < F::ownSamples / 8; ++i) {
    float x[8] = {};
#pragma unroll
    for (int cell = 0; cell < F::cells; ++cell)
#pragma unroll
      for (int e = 0; e < 8; ++e) {
        const int m = (8 * i + e) / F::rate + cell, tap = F::rate * (cell + 1) - 1 - (8 * i + e) % F::rate;
        x[e] = fmaf(p.coefficients[m % F::own * F::taps + tap], z[m], x[e]);
      }
    const VectorsOfPair vectors(make_float4(x[0], x[1], x[2], x[3]), make_float4(x[4], x[5], x[6], x[7]));
    out.store(ofEven + 8 * i, vectors.even);
    out.store(ofOdd + 8 * i, vectors.odd);
  }
}

template <class F>
class PassesOf final : public ResamplingPasses {
 public:
  explicit PassesOf(const Resampling& filters) {
    for (int m = 0; m < F::own; ++m)
      for (int j = 0; j < F::taps; ++j) params_.coefficients[m * F::taps + j] = static_cast<float>(filters.coefficient(m, j));
    params_.alternates = filters.turn() / Resampling::floatStep % 2;
  }

  int numbersOf(int64_t samples, bool circular) const override {
    return static_cast<int>((samples + F::rate - 1) / F::rate) + (circular ? 0 : F::cells - 1);
  }
  void decimate(const ResampledRows& rows, cudaStream_t stream) const override {
    const int numbers = numbersOf(rows.length, rows.circular);
    launch(decimateRows<F>, rows, numbers, numbers, stream, "the filter before the first pass");
  }
  void interpolate(const ResampledRows& rows, cudaStream_t stream) const override {
    const int numbers = numbersOf(rows.outputLength, rows.circular);
    launch(interpolateRows<F>, rows, numbers, numbersOf(rows.outputLength, true), stream, "the filter behind the last pass");
  }

 private:
  // A block for each F::numbers of `cells`.
  template <class Function>
  void launch(Function* function, const ResampledRows& rows, int numbers, int cells, cudaStream_t stream, const char* what) const {
    FilterParams<F> p = params_;
    p.rows = rows;
    p.numbers = numbers;
    p.tiles = static_cast<unsigned>((cells + F::numbers - 1) / F::numbers);
    launchPass(reinterpret_cast<const void*>(function), rows.sequences * p.tiles, F::threads, 0, p, stream, what);
  }

  FilterParams<F> params_{};
};

}  // namespace

// One for each number of taps of FilterClass::float32 (Resampling::tapsPerRate).
std::unique_ptr<ResamplingPasses> ResamplingPasses::of(const Resampling& filters) {
  const int rate = filters.rate(), cells = filters.taps() / rate;
  if (rate == 2 && cells == 9) return std::make_unique<PassesOf<FilterShape<2, 9>>>(filters);
  if (rate == 2 && cells == 18) return std::make_unique<PassesOf<FilterShape<2, 18>>>(filters);
  if (rate == 4 && cells == 9) return std::make_unique<PassesOf<FilterShape<4, 9>>>(filters);
  if (rate == 4 && cells == 16) return std::make_unique<PassesOf<FilterShape<4, 16>>>(filters);
  throw Error(FFC_INTERNAL_ERROR, "there are no passes for filters of " + std::to_string(cells) + " times " + std::to_string(rate) + " taps");
}

}  // namespace ffc::gpu
