// What the vector code offers to the engine. One source (simd_body.h) is compiled once per instruction set; the
// engine holds one of these tables. Plain structs and pointers only: an inline function of the standard library
// that both sides instantiate could be kept by the linker in its AVX-512 form and then run on a machine without.
#pragma once
#include <cstdint>

namespace ffc {

// One stage of a transform: blocks of `size` vectors are split into `radix` blocks of `stride` vectors.
struct TransformLevel {
  int radix = 0;
  int64_t size = 0, stride = 0;
  // Per position 0 <= m < stride, radix - 1 complex factors exp(-2 pi i m k / size), k >= 1, as (re, im) pairs.
  // The first level of a ring with quarters has all `radix` factors, with the quarter-sample shift: exp(-2 pi i m (k - 1/4) / size).
  // Null on the last level, whose factors are the lane factors.
  const float* twiddles = nullptr;
};

// A complex transform of `points` = vectors * lanes points at the frequencies k - quarters / 4. With one quarter it is the negacyclic
// transform of 2 * points real numbers a, packed as a[n] + i a[n + points]: products of such transforms are
// convolutions in which what runs past the end comes back with the opposite sign. With none it is the cyclic one of `points` numbers.
//
// Point n = m * lanes + j lies in lane j of vector m, so a transform over m works on all lanes alike, loads are
// contiguous, and one row alone fills the vectors. Memory order: vector m is `lanes` real parts, then `lanes`
// imaginary parts. Levels are decimated in frequency, in place; the last step is a transform across the lanes
// of `lanes` vectors at a time (transpose, then a transform over registers). The spectrum stays in that order,
// and the inverse runs the same steps backwards, so nothing is ever bit-reversed.
struct Transform {
  static constexpr int maxLevels = 20;
  int64_t points = 0, vectors = 0;
  int lanes = 0, levels = 0;
  int quarters = 1;
  TransformLevel level[maxLevels];
  // Lane factors exp(-2 pi i j (k(p) - quarters / 4) / points) for the vector at position p, in the layout of the data.
  // In factored form the table has one vector per block of the last level, and laneSteps the `radix` vectors
  // that lead from the first frequency of a block to the others: the full table of a long transform would cost
  // as much memory traffic as the data.
  const float* laneFactors = nullptr;
  const float* laneSteps = nullptr;  // null: laneFactors is complete
  // Frequency-sparse convolutions: keptGroups[g] of the first g groups of `lanes` vectors have a frequency that is
  // kept. Blocks without one are skipped, there and back, and count as zero. Null: everything is kept.
  const int32_t* keptGroups = nullptr;
};

// One row to read: samples[i] * gate[i], float32 after conversion. Outside 0 <= i < length it is zero, or, when
// periodic, the row repeated.
struct RowSource {
  const void* samples = nullptr;
  const void* gate = nullptr;
  int32_t dtype = 0;
  int64_t length = 0;
  bool periodic = false;
};

// One row to write: y[i] = post[i] * (value + skip * (samples[i] * gate[i])).
struct RowSink {
  void* y = nullptr;
  const void* post = nullptr;
  const void* skipSamples = nullptr;  // null: no skip term
  const void* skipGate = nullptr;
  float skip = 0;
  int32_t dtype = 0;
};

// Which results of a block go where: block position `from` + i is output `first` + i, 0 <= i < count.
struct OutputSpan {
  int64_t from = 0, first = 0, count = 0;
};

struct SimdKernels {
  const char* name;
  int lanes;
  // Reads the block that begins at source index `begin` and runs the first level, for positions m0 <= m < m1 of
  // its stride.
  void (*loadFirstLevel)(const Transform&, float* data, const RowSource&, int64_t begin, int64_t m0, int64_t m1);
  // Undoes the first level and writes the outputs.
  void (*storeFirstLevel)(const Transform&, float* data, const RowSink&, const OutputSpan&, int64_t m0, int64_t m1);
  // One level (not the first, not the last) of one block at vector `offset`.
  void (*forwardLevel)(const Transform&, int level, float* data, int64_t offset, int64_t m0, int64_t m1);
  void (*inverseLevel)(const Transform&, int level, float* data, int64_t offset, int64_t m0, int64_t m1);
  // `blocks` neighbouring blocks that enter `level`, the first at vector `offset`: the rest of the forward
  // transform, the product with the spectrum and the way back. They must fill a multiple of `lanes` vectors.
  void (*convolveBlocks)(const Transform&, int level, float* data, int64_t offset, int64_t blocks,
                         const float* spectrum);
  // The same for a kernel: forward only, times scale. The result is the spectrum.
  void (*transformBlocks)(const Transform&, int level, float* data, int64_t offset, int64_t blocks, float scale);
  // target[i] = source[begin + i], 0 <= i < vectors * lanes.
  void (*loadRow)(float* target, const RowSource&, int64_t begin, int64_t vectors);
  // Values of block positions 0 .. vectors * lanes - 1.
  void (*storeRow)(const float* values, const RowSink&, const OutputSpan&, int64_t vectors);
  // out[i] = sum_j taps[j] * x[i - j], 0 <= i < vectors * lanes; reads x[1 - count .. vectors * lanes - 1].
  void (*direct)(float* out, const float* x, const float* taps, int64_t count, int64_t vectors);
};

const SimdKernels& simdKernelsBaseline();
#if defined(__x86_64__)
const SimdKernels& simdKernelsAvx2();
const SimdKernels& simdKernelsAvx512();
#endif

}  // namespace ffc
