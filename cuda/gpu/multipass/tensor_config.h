// Every number of the three passes on tensor cores, with its reason. Host and device read the same ones.
#pragma once
#include "../mma/config.h"

namespace ffc::mma {

// Points of the ring beside its own that an output of another rate is made of (host/resampling.h): a piece.
constexpr int ringNeighbours = 8;

// Columns of N1 = 32, 64, 128, 256 (R = 1) or 1024 (R = 4, N1 = 256 R) points. rate: samples for each point of the ring, of which more
// than one are brought to its rate on their way (tensor_resampling.cuh).
template <bool bf16_, bool accurate_, int radix_, int rate_ = 1>
struct ColumnConfig {
  static constexpr bool bf16 = bf16_, accurate = accurate_;
  static constexpr int R = radix_, rate = rate_;
  static_assert(rate == 1 || R == 1);
  // Columns of a group: runs of 128 bytes of 16-bit samples, as long as a line of L2, where shared memory allows (R = 4: 64 bytes).
  static constexpr int width = R == 1 ? 64 : 32;
  static constexpr int pieces = width / 8;          // of 16 bytes in a row of a group
  static constexpr int fragmentBytes = 32 * width;  // 16 rows of 16-bit numbers: one warp, one b
  static constexpr int planeBytes = R * 16 * fragmentBytes;
  // Pieces of a group whose outputs the last pass stores: those of another rate need the neighbours in the last one.
  static constexpr int ownPieces = rate > 1 ? pieces - 1 : pieces;
  // A warp's samples: 16 rows, or, on their way to the ring's rate, four longer ones with the samples before them.
  static constexpr int rawPieces = rate * pieces + rate * ringNeighbours / 8, rawRows = 4;  // 16 bytes each
  static constexpr int rawBytes = rawRows * rawPieces * 16, rawBuffers = rate == 2 ? 2 : 1;
  static constexpr int ownSampleBytes = rate > 1 ? rawBuffers * rawBytes : fragmentBytes;
  // Matrices of the filters (tensor_filters.h), in steps of 512 bytes. What rounding their entries leaves is a second part where it matters:
  // in the accurate class, and of bfloat16 entries. Up: for outputs that begin with an even piece, and with an odd one.
  static constexpr int downParts = accurate || bf16 ? 2 : 1, upParts = accurate ? 2 : 1;
  static constexpr int downSteps = rate * (16 + ringNeighbours) / 16, upSteps = rate == 2 ? 3 : 2, upPieces = 4 / rate;
  static constexpr int filterStepBytes = 512, downBytes = downParts * downSteps * filterStepBytes, upBytes = upParts * 2 * upSteps * filterStepBytes;
  static constexpr int filterBytes = rate == 1 ? 0 : downBytes > upBytes ? downBytes : upBytes;
  // Samples, real and imaginary plane: 96 KB for R = 1, two blocks on a multiprocessor (with another rate 103 to 106 KB); 192 KB for R = 4.
  // Then two words for the largest sample, what is left over behind the ring (ResampledColumns::leftOver), and filters.
  static constexpr int leftOverBytes = rate > 1 ? 4 * ringNeighbours : 0;
  static constexpr int sharedBytes = R * 16 * ownSampleBytes + 2 * planeBytes + 16 + leftOverBytes + filterBytes;
  static constexpr int blocks = R == 1 ? 2 : 1;
  // Of a sequence, whose codes a warp of the last pass has in registers: as many as rows of 8192 (R = 4: 16384) points make.
  static constexpr int log2MostTiles = R == 1 ? 7 : 9;
};

// Constant tables of the columns, in 32-bit words; [register][lane] unless said otherwise.
template <class C>
struct ColumnTables {
  // Outer matrices of warp w: [w][M re, M im, G re, G im][lane][4].
  static constexpr int outer = 0;
  // The half-cost matrix of m forward (4 registers); its inverse (4), or where nothing may be rounded before the product the
  // complex matrix (4 + 4).
  static constexpr int inner = outer + 16 * 512, innerRegisters = C::accurate && C::R == 1 ? 12 : 8;
  // Per ka: the twiddles between m and b, [b - 1][+f, -f][re, im]. Backward they differ within a pair of rows: a pair of halves
  // is still a word, floats are two.
  static constexpr int steps = inner + innerRegisters * 32;
  static constexpr int forwardSteps = 4 * (C::R - 1), backwardSteps = (C::accurate ? 8 : 4) * (C::R - 1);
  static constexpr int stepRegisters = forwardSteps + backwardSteps;
  static constexpr int words = steps + 16 * stepRegisters * 32;
};

// Rows of N2 = 4096 Q points: the body of the fused convolution between complex numbers, in place. pieces: of frequency-sparse
// plans whose rows have a kept frequency in some pieces of the spectrum only.
template <int Q, bool accurate_, bool pieces = false>
struct RowConfig : Config<Q, true, Element::float16, accurate_, false> {
  using Base = Config<Q, true, Element::float16, accurate_, false>;
  static constexpr bool rowLayout = true, rowScaled = true, somePieces = pieces;
  static constexpr int fixedExponent = 0;
  // Each row's twiddles are made on the device, as complex numbers.
  static constexpr bool turned = false, transposedTables = false, halfTurns = false, turnTables = false, turnRegisters = false;
  static constexpr bool summedSpectrum = false, summedProducts = false;
  static constexpr int storedChain = Q - 1;
  // Rows that share an interval between two barriers.
  static constexpr int rows = Q == 1 ? 2 : 1;
  static constexpr int rowBytes = Q * exchangeBytes;
  // Everything between the slots and the tables in shared memory counts in tiles; how many slots there are is up to the launch.
  static constexpr int buffers = 1;
  static constexpr bool outerRegisters = true;
  static constexpr int log2Q = Q == 1 ? 0 : Q == 2 ? 1 : 2;
  // Rows that fill 64 KB: three slots and nothing else (tensor_long_rows.cuh).
  static constexpr bool longOrder = Q == 4;
  // Products of products of twiddles would add up to an error beyond the bound of the fast class at 16M.
  static constexpr int storedPowers = longOrder && !accurate_ ? 2 : Base::storedPowers;
  static constexpr int powerBytes = longOrder && !accurate_ ? 64 * (16 * storedPowers + Q - 1) : Base::powerBytes;
  static constexpr int twiddleBytes = Base::imageBytes + powerBytes;
  // Factors of a row's samples: a pair of halves for each 64 (32) columns of two neighbouring n1. Those of set j + 3 are made while
  // set j + 1 may still need its own.
  static constexpr int factorWords = longOrder ? 0 : 64 * Q, factorSets = 4;
  static constexpr int factorBytes = factorSets * rows * factorWords * 4;
  // One word a row: what its sequence is scaled by, known one set ahead of the factors.
  static constexpr int exponentBytes = factorSets * rows * 4;
  // A slot holds a set: one each is in first, middle and last, one is being stored, the others are on their way in: at least one, because
  // first() begins before its interval's copies are ordered. In the long order one is worked on, one is being stored and filled again,
  // and one holds the row that is next.
  static constexpr int splitBarriers = longOrder ? 3 : 1;
  static constexpr int leastSlots = longOrder ? 3 : 5, mostSlots = longOrder ? 3 : 6;
  static constexpr int sharedBytes(int slots) {
    return slots * (rows * rowBytes + 8) + splitBarriers * 8 + twiddleBytes + Base::ringBytes + factorBytes + exponentBytes;
  }
};

}  // namespace ffc::mma
