// What both ways of a fold share on the device.
#pragma once
#include "fold.h"
#include "rows.cuh"

namespace ffc::gpu {
namespace {

constexpr float rootHalf = 0.70710678118654752440f;

// In shared memory quads lie 16 bytes further apart than they are long, for lanes that read several of them.
constexpr u32 quadBytes = 2 * pairsOfRow * 16 + 16;
constexpr int coefficientBytes = mostQuads * int(quadBytes);
// Of the filter at the ends: [four t][pair].
constexpr int endWeightBytes = endCells * pairsOfRow * 4;
template <bool ends>
constexpr int tableBytesOfFold = coefficientBytes + (ends ? endWeightBytes : 0);

struct Four {
  float of[4];
};
FFC_DEVICE Four sharedFour(u32 address) {
  const uint4 v = sharedLoad16(address);
  return {{asFloat(v.x), asFloat(v.y), asFloat(v.z), asFloat(v.w)}};
}
FFC_DEVICE void storeFour(u32 address, float x, float y, float z, float w) { sharedStore16(address, uint4{floatBits(x), floatBits(y), floatBits(z), floatBits(w)}); }

// A block's tables into shared memory, before anyone reads them.
template <bool ends>
FFC_DEVICE void loadFoldTables(const FoldParams& p, u32 to) {
  for (int i = threadIndex(); i < p.quads * 2 * pairsOfRow; i += foldThreads)
    sharedStore16(to + i / (2 * pairsOfRow) * quadBytes + i % (2 * pairsOfRow) * 16, loadConstant16(p.coefficients + 4 * i));
  if (ends)
    for (int i = threadIndex(); i < endCells * pairsOfRow; i += foldThreads)
      sharedStore4(to + coefficientBytes + ((i % endCells / 4 * pairsOfRow + i / endCells) * 4 + i % 4) * 4, loadConstant4(p.weights + foldCells * pairsOfRow + i));
  blockSync();
}
FFC_DEVICE Four endWeights(u32 tables, int t4, int pair) { return sharedFour(tables + coefficientBytes + (t4 / 4 * pairsOfRow + pair) * 16); }

// The lines that both ways begin with. This thread's pair of columns, half of its warp, and place of its warp's half: piece `half` of a unit.
template <bool ends>
struct FoldWarp {
  u32 tables, own;  // in shared memory: the block's, and this warp's part of what follows
  int lane, pair, half;
  u32 unit;
  int first, firstOfWarp;  // numbers, or rows of samples
  float weight[foldCells];
  FFC_DEVICE FoldWarp(const FoldParams& p, int bytesOfWarp) : tables(sharedBase()) {
    loadFoldTables<ends>(p, tables);
    own = tables + tableBytesOfFold<ends> + (threadIndex() >> 5) * bytesOfWarp;
    lane = threadIndex() & 31, pair = lane & 15, half = lane >> 4;
    unit = blockIndex() * foldWarps + (threadIndex() >> 5);
    firstOfWarp = int(unit % p.unitsOfRow) * 2 * p.pieceNumbers;
    first = firstOfWarp + half * p.pieceNumbers;
#pragma unroll
    for (int t = 0; t < foldCells; t++) weight[t] = loadFloat(p.weights + pair * foldCells + t);
  }
  FFC_DEVICE u32 row(const FoldParams& p) const { return unit / p.unitsOfRow; }
};

// Sign of row i in the fold, for 0 <= i < 16; of what number m makes of it, apart from that.
FFC_DEVICE constexpr float signOfRow(int i) { return (i >> 2) & 1 ? -1.0f : 1.0f; }
FFC_DEVICE constexpr float signOfNumber(int m) { return (m & 3) == 1 || (m & 3) == 2 ? -1.0f : 1.0f; }

}  // namespace
}  // namespace ffc::gpu
