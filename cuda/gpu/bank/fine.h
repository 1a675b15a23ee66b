// How a fine filter bank's sums (host/filter_bank.h, D = 512, 1024 blocks) are taken apart, for the device functions and for those who make their tables.
//
// With w_b = pi (2 b + 1) / 2048 and samples n = 512 c + 256 + r of cell c, number m of slot b is made of the cells c = m - 8 .. m under the filter
//   d_b[m] = +- sum over n of 2 h[512 m + 511 - n] u[n] (cos, m odd: sin)(w_b (n - 255.5)).
// These cosines change sign after 2048 places and about each 1024th, the sines repeat there, and sin is cos with the places in reverse, but for signs
// that depend on b mod 2, which reversed slots do without. So a number's samples are folded to 1024 values v (fine_fold.cuh), nine multiply-adds a
// sample, and d_b[m] = sum_q v[q] cos(pi (2 b + 1) (2 q + 1) / 4096), a DCT-IV of which the kept b are wanted. As complex numbers
//   p_t = v[2 t] + i v[1023 - 2 t],   Y_k = sum_t p_t e^{-2 pi i (t + 1/4) (k + 1/4) / 512},   d_2k = Re Y_k,   d_(1023 - 2k) = -Im Y_k
// it takes two steps, t = t0 + 32 t1 and k = k0 + 16 k1:
//   outer  t1 -> k0, for each t0 a real matrix of 32 x 32, with all that depends on t0 and k0 in it
//   inner  t0 -> k1, for each k0 the rows of its kept slots by 64, in tiles of 16 rows
// which is 32 * 32 * 32 + 16 * 64 * (rows of tiles) multiply-adds for 512 samples: what no slot keeps is skipped. The way back is the transpose.
#pragma once
#include "../../host/filter_bank.h"
#include "bank_rows.h"

namespace ffc::gpu {

constexpr int fineCells = fineFiltersOfHalves.cells, fineValues = 2 * fineRate;
constexpr int fineColumns = 256;  // r and -1 - r of a cell are a column
constexpr int fineT0 = 32, fineT1 = 16, fineK0 = 16, fineK1 = 32;
static_assert(fineT0 * fineT1 == fineRate && fineK0 * fineK1 == fineRate && fineCells == 9);
// Of a block: a warp has two t0 and one k0 for the steps. A tile has so many numbers, and as many cells; a thread folds a run of them.
constexpr int fineWarps = 16, fineThreads = 32 * fineWarps, fineTile = 32, fineRun = 8, fineGroups = fineTile / 8;
static_assert(fineThreads * fineRun == fineColumns / 2 * fineTile);
constexpr int fineRowsOfTile = 16, mostFineTiles = 35;
static_assert(fineSlots / fineRowsOfTile + fineK0 <= mostFineTiles);

struct FineTables {
  // Of column r, [tap of nine cells][r]: 2 h sqrt(512), because the steps' matrices are unitary.
  const float* weights = nullptr;
  // [t0][row half][column half][lane][4 words]: rows k0, real and imaginary part; columns in the order of fine_fold.cuh. Back: the transpose.
  const void *outer = nullptr, *outerBack = nullptr;
  // [tile][step][lane][4 words]: rows are slots, steps have 16 columns of t0, real and imaginary part each. Back: steps are rows.
  const void *inner = nullptr, *innerBack = nullptr;
  const int16_t* slots = nullptr;  // of the tiles' rows; -1: none
  uint8_t firstTile[fineK0 + 1] = {};
};

// Of floats (fine_float.cuh): a slot's numbers are x re + y im of the complex value at `place` of each transform. The way back, by kept frequencies: the value at `place` is
// x real + y imaginary + i (y real - x imaginary) of a number of d_2k and one of d_(1023 - 2k), of which one may be none, `slots`.
struct FineSlot {
  uint32_t place;
  float x, y;
  uint32_t unused;
};
struct FineFrequency {
  uint32_t place;
  uint16_t real, imaginary;
  float x, y;
};
static_assert(sizeof(FineSlot) == 16 && sizeof(FineFrequency) == 16);

}  // namespace ffc::gpu
