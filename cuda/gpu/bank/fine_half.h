// Fine filter banks of 16-bit rows, on tensor cores (fine.h):
//   outer  t1 -> k0, for each t0 a real matrix of 32 x 32, with all that depends on t0 and k0 in it
//   inner  t0 -> k1, for each k0 the rows of its kept slots by 64, in tiles of 16 rows
// which is 32 * 32 * 32 + 16 * 64 * (rows of tiles) multiply-adds for 512 samples: what no slot keeps is skipped.
#pragma once
#include <cstdint>

#include "fine.h"

namespace ffc::gpu {

constexpr int halfFineCells = fineFiltersOfHalves.cells;
static_assert(halfFineCells == 9);
// Of a block: a warp has two t0 and one k0 for the steps. A tile has so many numbers, and as many cells; a thread folds a run of them.
constexpr int fineWarps = 16, halfFineThreads = 32 * fineWarps, halfFineTile = 32, fineRun = 8, fineGroups = halfFineTile / 8;
static_assert(halfFineThreads * fineRun == fineColumns / 2 * halfFineTile);
constexpr int fineRowsOfTile = 16, mostFineTiles = 35;
static_assert(fineSlots / fineRowsOfTile + fineK0 <= mostFineTiles);

struct HalfFineTables {
  // Of column r, [tap of nine cells][r]: 2 h sqrt(512), because the steps' matrices are unitary.
  const float* weights = nullptr;
  // [t0][row half][column half][lane][4 words]: rows k0, real and imaginary part; columns in the order of fine_half.cuh. Back: the transpose.
  const void *outer = nullptr, *outerBack = nullptr;
  // [tile][step][lane][4 words]: rows are slots, steps have 16 columns of t0, real and imaginary part each. Back: steps are rows.
  const void *inner = nullptr, *innerBack = nullptr;
  const int16_t* slots = nullptr;  // of the tiles' rows; -1: none
  uint8_t firstTile[fineK0 + 1] = {};
};

}  // namespace ffc::gpu
