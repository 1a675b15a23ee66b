// What a launch of the fused convolution gets, and the layouts that its host and device sides share.
#pragma once
#include <algorithm>
#include <cstdint>

#ifdef __CUDACC__
#define FFC_MMA_SHARED __host__ __device__
#else
#define FFC_MMA_SHARED
#endif

namespace ffc::mma {

// Rows of one tensor: address of sample 0 of row (b, h) is data + b * batchStride + h * channelStride (bytes).
struct Rows {
  const char* data = nullptr;
  int64_t batchStride = 0, channelStride = 0;
};

// Rows of the driver for sets of one channel (uniform.cuh). Whole: they fill their transform. Aligned: they do not, but begin at
// multiples of 16 bytes and are multiples of eight samples long, so that no piece of 16 bytes has samples of two rows. Anywhere: any
// others. Wrapping: those of them that may reach past N when they are shifted.
enum class RowShape { whole, aligned, anywhere, wrapping };
constexpr int rowShapes = 4;

// Where every row is whole (N samples) and aligned to 16 bytes, the tensor copies of compute capability 9.0 move
// sequences between device memory and the staging slots; these are their CUtensorMaps.
struct alignas(64) TensorMaps {
  unsigned char u[128], y[128], pre[128], post[128];
};

struct Params {
  TensorMaps maps, rests, longRests;  // rests: of partial rows (set_copies.cuh, long_rows.cuh), or columns of whole ones (column_body.cuh)
  int32_t useMaps = 0;
  int32_t bothGates = 0;        // there are slots for both gates, of which one may be absent
  int32_t residentAt = 0;       // from the beginning of shared memory to the spectrum's blocks in it; 0: it has none there
  int32_t slots = 0;            // staging slots of u and y: as many as exchange buffers, or more for copies to run ahead
  Rows u, pre, post, y;         // absent gates: data is null
  const void* spectrum = nullptr;   // per channel N complex halves in the order of spectrumSlot()
  const int32_t* exponent = nullptr;  // per channel: the true spectrum is the stored one times 2^exponent; mostly 0
                                      // where rows are not scaled (see SpectrumWindow)
  const void* skip = nullptr;   // per channel, or null
  float spectrumGain = 1;       // what the spectrum holds beyond the kernel's own: undoes the matrices' scales
  int32_t skipType = 0;         // FFC_DTYPE_* of skip
  const void* tables = nullptr;
  int32_t log2N2 = 0;           // N2: the part of the warps' digit inside one sequence; 16 / N2 sequences a tile
  int32_t batch = 0, channels = 0;  // batch: sequences of a channel
  uint32_t batchMagic = 0, batchShift = 0;  // sequence / batch = (sequence * magic) >> 32 >> shift, see divisor()
  int32_t length = 0;           // valid input samples
  int32_t outLength = 0;        // samples to store
  // Packed: a row of the batch is so many sequences, one after the other in the numbering. Segment s takes the samples
  // s step - history ... + 2N of u and of the full product, and stores the `step` outputs from s step on: those before are
  // reached by what wraps. Both are multiples of 8, to keep accesses aligned.
  int32_t segments = 1, step = 0, history = 0;
  int32_t periodic = 0;         // samples before the row are those of its end
  int32_t tiles = 0;            // ceil(batch * channels * N2 / 16)
  int32_t tilesPerSet = 0;      // tiles between two barriers
  // Sets of one channel (uniform.cuh): how many a channel has, with the numbers of its divisor, and the whole channels that
  // each block takes.
  int32_t setsPerChannel = 0, wholeChannels = 0;
  uint32_t setsMagic = 0, setsShift = 0;
  // Partial rows in sets of one channel: whole rows n1, of which the first may have a copy of its own (rows that begin
  // anywhere), and rows n1 behind them that have samples.
  int32_t wholeParts = 16, headParts = 0, restParts = 0;
  int32_t longGroups = 0;       // the long order, and slices: groups of 64 samples that have a line more (long_rows.cuh)
  int32_t wraps = 0;            // some may reach past N when they are shifted
  int32_t phased = 0;           // rows may be shifted by up to 7 samples to keep 16-byte accesses aligned
  int32_t sharedSpectrum = 0;   // all channels use spectrum 0
  int32_t inPlace = 0;          // y is u
  // Frequency-sparse: the kept values of k1, four bits each, and how many there are (Config::sparse).
  uint32_t digits = 0;
  int32_t digitCount = 0;
  void* results = nullptr;      // slices: room for those of each block, Config::scratchBytes
  int32_t onlySlice = 0;        // frequency-sparse: the slice with the kept frequencies (Config::oneSlice)
  int32_t quarters = 1;         // and of the ring's frequencies, k - quarters / 4; in the tables otherwise
};

// Division of 0 <= n < 2^30 by d >= 1: exact with magic = ceil(2^(32 + shift) / d), shift = floor(log2(d)) - 1 or so
// that the magic fills 32 bits; d = 1 is marked by magic 0.
inline void setDivisor(uint32_t& magic, uint32_t& shift, uint32_t d) {
  magic = shift = 0;
  if (d == 1) return;
  while ((uint64_t(1) << (shift + 1)) < d) shift++;
  magic = uint32_t(((uint64_t(1) << (32 + shift)) + d - 1) / d);
}
// How partial rows of `length` samples travel (set_copies.cuh): rows n1 whose samples are all there, the first with a copy of
// its own, and others. Rows that begin anywhere have up to seven samples more. The maps of the rest, in samples from the
// beginning of the row or the multiple of 16 bytes before it: of loads, of two kinds of phases; of stores.
struct PartialRows {
  int64_t whole = 0, head = 0, rest = 0;
  int64_t samples = 0, longerSamples = 0, stored = 0;

  PartialRows(int64_t length, int64_t points, bool anywhere) {
    const int64_t part = points / 16, up = (length + 7) / 8 * 8;
    head = anywhere;
    whole = (length - head) / part;  // at least one sample of a row that begins anywhere is in the rest
    rest = std::min(16 - whole, (length + 7 * head - whole * part + part - 1) / part);
    samples = up;
    longerSamples = up + 8;
    stored = length / 8 * 8;
  }
};

inline RowShape partialShapeOf(const Params& p) {
  return p.wraps ? RowShape::wrapping : p.headParts ? RowShape::anywhere : RowShape::aligned;
}
// Whether all tiles of a set travel by the same copies.
constexpr bool tilesTravelTogether(RowShape shape, int radix) {
  return shape == RowShape::whole || (shape == RowShape::aligned && radix == 1);
}

inline void describeUniform(Params& p, int rowsPerSet, int blocks) {
  p.setsPerChannel = (p.batch + rowsPerSet - 1) / rowsPerSet;
  p.wholeChannels = p.channels / blocks;
  setDivisor(p.setsMagic, p.setsShift, p.setsPerChannel);
}

// The powers of two within which the largest component of a stored spectrum may lie without an exponent of its own:
// (2^(low-1), 2^high]. With scaled rows the spectrum must be normalised to 1. Without, a transform of u times the true
// spectrum is as large as a transform of y (see spectrumExponent() for what y does not show), so outputs within the range keep
// it within the range; the window only has to keep the fractions of a half.
struct SpectrumWindow {
  int low, high;
};
FFC_MMA_SHARED constexpr SpectrumWindow windowFor(bool rowScaled) {
  return rowScaled ? SpectrumWindow{0, 0} : SpectrumWindow{-7, 13};
}
// Where rows have no scale of their own, a kernel may put much more behind the end of the outputs than into them: by its last
// taps, which few outputs see. Where the sizes of those that fewer than `taps` outputs see (there and at the other end) add up
// to so much of the spectrum's largest component, its stored components are to stay within 2^high, so that inputs of 1000
// do not overflow behind the product.
struct HiddenTaps {
  int taps, high;
};
constexpr float hiddenPart = 0.4f;

template <class C>
FFC_MMA_SHARED constexpr SpectrumWindow spectrumWindow() {
  return windowFor(C::rowScaled);
}

// Frequencies of a lane. Spectra are stored as groups of four complex numbers, 16 bytes: for (k1, kb, k2, c) the
// frequencies k1 + 16 k2 + 16 N2 (kb + R j) with j = 2c, 2c+1 (real parts, imaginary parts), then j = 15-2c, 14-2c.
// The half-cost transform yields +f and -f in one lane, hence the mirrored pair. Halves, or floats
// (32 bytes a group) in the accurate class up to two slices (Config::spectrumFloats).
FFC_MMA_SHARED constexpr int64_t spectrumGroup(int radix, int n2, int k1, int kb, int k2, int c) {
  return ((int64_t(k1) * radix + kb) * n2 + k2) * 4 + c;
}

// Where a turn lies in the 16 of its row. Rows are 128 bytes: without the XOR the eight rows that a warp reads at once
// (forward, two columns each) and the four rows (backward, four columns each) would fall on the same banks.
FFC_MMA_SHARED constexpr int turnSpread(int row) { return ((row >> 1 & 3) << 1) ^ ((row & 1) << 2); }
FFC_MMA_SHARED constexpr int turnSlot(int row, int n3l) { return (((n3l >> 1) ^ turnSpread(row)) << 1) | (n3l & 1); }

// ---- constant tables, in 32-bit words. A register table is stored as [register][lane]. Halves go in pairs, a
// word each; floats (accurate class) take a word each.
template <class C>
struct TableLayout {
  // The first and last matrices of warp n2: [n2][M re, M im, G re, G im][lane][4].
  static constexpr int outer = 0;
  // The half-cost matrices of n2 and n3l, each as A and as B operand: [RA, RF, RIA, RIB][4][lane].
  static constexpr int inner = outer + 16 * 512;
  // Step of the twiddle products over kb, halves: [forward 4, backward 4].
  static constexpr bool chained = C::powerProducts && !C::twiddleRegisters && !C::storedPowers;
  static constexpr int chain = inner + 16 * 32, chainRegisters = chained || C::turnTables ? 8 : 0;
  // Turns over kb, by one and two steps, forward: [steps - 1][t][tangent, sine]. Elsewhere one value for both numbers of a pair is a
  // word (tangent, sine).
  // Per k1. Twiddles in registers: forward [kb][2t+s][re, im], backward [kb][2s+half][re, im]. Or the matrix over n3l, as B operands of
  // the frequencies +f and -f: [re, im][+, -][2]. Then the steps over n3h,
  // where they are not in shared memory: [W 4, WP 4]; or turns over n3h by one and two steps: [forward 4, backward 8].
  static constexpr int frequency = chain + chainRegisters * 32;
  static constexpr int ownRegisters = C::twiddleRegisters ? 16 * C::R : C::ownMatrices ? 8 : 0;
  static constexpr int frequencyRegisters = ownRegisters + (C::powerProducts && !C::storedPowers ? 8 : C::turnTables ? 12 : 0);
  // Copied to shared memory. Halves: per k1 the 16 x 16 twiddles as 8 x 8 matrices, real then imaginary; then the power
  // tables, a word (re, im) each: [k1][b-1][8s + g], then [b-1][n3l]. Floats: turns [k1][8s + g][turnSlot()] of two words
  // (tangent, sine); then W [k1][8s + g] (re, im); then turns over kb [steps - 1][n3l].
  static constexpr int image = frequency + 16 * frequencyRegisters * 32;
  static constexpr int powers = image + C::imageBytes / 4;
  // How the parts of a sequence enter this slice: [n0 - 1][re, im], each twice as halves; or, per n2, matrices like the first
  // one, [n2][n0 - 1][re, im][lane][4].
  static constexpr int fold = image + C::twiddleBytes / 4;
  // unfoldByMatrix: the last matrices of the second part of a sequence, [n2][re, im][lane][4].
  static constexpr int unfold = fold + (C::foldByMatrix ? 16 * (C::slices - 1) * 256 : C::slices > 1 ? 8 : 0);
  static constexpr int words = unfold + (C::unfoldByMatrix ? 16 * 256 : 0);
};

}  // namespace ffc::mma
