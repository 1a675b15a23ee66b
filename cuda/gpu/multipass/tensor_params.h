// The multi-pass convolution on tensor cores: what its launches get. Three passes over a complex scratch in halves, with
// the split of params.h, N = N1 N2, n = n1 N2 + n2, k = k1 + N1 k2:
//   columns forward   real samples, gates; N1-point transforms over n1 at the frequencies k1 - 1/4
//   rows              N2-point transforms at the frequencies k2 + (k1 - 1/4) / N1, times the spectrum, and back
//   columns inverse   N1-point transforms back, real part, gates, store
// The factor between columns and rows is a shift of the row's frequencies by a fraction that depends on the row, and
// a shift is free in a transform by tables: a row pass makes its tables when k1 changes (tensor_rows/shifted_tables.cuh).
//
// Frequency-sparse plans have only the rows k1 with a kept frequency in scratch, one after the other.
//
// Scratch: [sequence][row k1][real plane, imaginary plane][4096 Q / 8 pieces of 16 bytes], N2 = 4096 Q. The low three bits of a
// piece's number are XORed with pieceTurn(), so that the row in shared memory, a plain copy, is free of bank conflicts.
//
// Range. A sequence's values are brought to a common power of two once its largest sample is known, which is when
// the first pass is over: all transforms are unitary, so no value exceeds the sequence's norm, and the exponent of
// sequenceExponent() keeps that below 2^16 in the rows. Before that, the first pass stores its results times 2^-p, p = log2(N1) / 2,
// which no sample overflows; bfloat16 and gated samples are brought to [64, 128) tile by tile.
#pragma once
#include "../mma/params.h"

namespace ffc::mma {

// Chunks of sequences go through in pairs, each in its half of scratch, pass by pass in turns: a launch needs nothing of the one right
// before it in the stream, only of what is before that, and may work while that one ends.
struct PassOrder {
  // Where a block, amid its work, waits for the launch before, and then lets the next one start: which therefore starts when all but
  // this launch has ended. Columns: tiles of the grid until then; rows: rows that the block has left. Negative: before all work.
  int32_t meet = -1;
  int32_t paired = 0;  // the next launch may rely on this one's wait
};

struct ColumnParams {
  Rows u, pre, post, y;
  const void* tables = nullptr;
  char* scratch = nullptr;
  int64_t sequenceBytes = 0;         // of scratch
  const int16_t* slotOf = nullptr;   // frequency-sparse: [N1], the row of scratch that has k1, or -1; null: all are there
  uint8_t* largest = nullptr;        // [sequence of the launch][tile]: largestCode() of its largest |u pre|
  const int32_t* exponent = nullptr;  // per channel: the true spectrum is the stored one times 2^exponent
  const void* skip = nullptr;  // per channel: of the spectrum, or for a last pass that adds it to outputs
  float spectrumGain = 1;
  int32_t skipType = 0, sharedSpectrum = 0;
  int32_t first = 0, sequences = 0;  // rows of the problem, (channel, batch) with the batch fastest
  PassOrder order;
  int32_t batch = 1;
  uint32_t batchMagic = 0, batchShift = 0;
  int32_t log2Inner = 0;             // of the radix n2 -> k2 of the column transform: N1 = 16 (1 << log2Inner) R
  int32_t log2Q = 0;                 // N2 = 4096 Q
  int32_t log2Tiles = 0;             // of a sequence
  int32_t length = 0, outLength = 0;
  int32_t phased = 0;                // rows may be shifted by up to 7 samples to keep 16-byte accesses aligned
  int32_t imaginary = 0;             // outputs are the imaginary part: samples N .. 2N of the result
  int32_t rangeExponent = 0, mostExponent = 0;  // see sequenceExponent()
  // With more than one sample a point: the filters (FilterTables, tensor_filters.h), which may change sign with every 16 points; tiles
  // of a sequence in the last pass, where tiles overlap.
  const void* filters = nullptr;
  int32_t alternates = 0;
  int32_t outTiles = 0;
  int32_t quarters = 1;  // frequencies are k1 - quarters / 4; with 0 the ring is x^N = 1, and filters run around its rows, which have N samples
};

struct RowParams : Params {
  char* scratch = nullptr;
  int64_t sequenceBytes = 0;
  const uint8_t* largest = nullptr;
  int32_t scaledTiles = 0;             // samples were scaled tile by tile
  int32_t first = 0, sequences = 0;
  PassOrder order;
  int32_t log2N1 = 0;
  int32_t rows = 0;                    // of a sequence in scratch: N1, or fewer in a frequency-sparse plan
  const uint32_t* numerators = nullptr;  // 4 k1 - quarters of each: the numerator of its frequency k1 - quarters / 4 over 4
  const uint8_t* pieces = nullptr;     // somePieces: [row of scratch][thread], see Phases::pieces
  int32_t log2TileShare = 0;   // 64-column groups (32-column groups where wide is 0) of one column tile
  int32_t halfTiles = 0;       // column tiles are 32 columns wide
  int32_t columnExponent = 0;  // p: the columns' results are 2^-p of a unitary transform's
  int32_t rangeExponent = 0, mostExponent = 0;
};

// The spectrum of a row where it is read piece by piece: what spectrumGroup() has next to each other, the four c of a frequency, are
// pieces with 16 neighbouring k2 of one c between them. A band of the row's frequencies is a set of c, so it is a set of such lines.
FFC_MMA_SHARED constexpr int pieceGroup(int Q, int ka, int kb, int k2, int c) { return ((ka * Q + kb) * 4 + c) * 16 + k2; }

// The first pass leaves one byte of each tile, a plain store: nothing has to be cleared before it, and nothing of an earlier call is
// ever read. Whoever needs a sequence's largest sample looks at its tiles. The byte is the biased exponent of the sample's float
// bits; 0 says that all are zero, so what is smaller than normal floats has 1.
FFC_MMA_SHARED inline int largestCode(uint32_t bits) {
  const int biased = int(bits >> 23);
  return biased == 0 && bits != 0 ? 1 : biased;
}
// Exponents of powers of two. This one brings a tile's largest sample into [64, 128); zeros may have any.
FFC_MMA_SHARED inline int tileExponent(int largest) { return 133 - largest > 126 ? 126 : 133 - largest; }
constexpr int unscaledTile = 133;  // the code whose exponent is 0
// This one brings a sequence with this largest sample to values whose unitary transform of N points stays below 2^16: largest 2^e <
// 2^(range + 1), range = 15 - log2(N) / 2. Small samples of unscaled tiles stop at `most`, so that the factor of the rows is a half.
FFC_MMA_SHARED inline int sequenceExponent(int largest, int range, int most) {
  if (largest == 0) return 0;
  const int e = range + 127 - largest;
  return e > most ? most : e < -126 ? -126 : e;
}

// What the low three bits of the number of a piece are XORed with: group = number / 8.
FFC_MMA_SHARED constexpr int pieceTurn(int group, int log2Q) {
  return ((group & ((2 << log2Q) - 1)) ^ (group >> (2 + log2Q))) & 7;
}

}  // namespace ffc::mma
