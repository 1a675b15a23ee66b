// Numbers of all slots to samples: a warp has the coefficients of its residues in registers, 32 rows of samples by 9 x 16 numbers, or by 5 x
// 2 x 8.
#pragma once
#include "row_scale.cuh"
#include "slot_ring.h"

namespace ffc::gpu {
namespace {

// Numbers of a tile and those behind it, eight of a slot in a piece: as they come, first those of even slots; then [number][slot] with
// another number's place after every eight, so that eight rows of a matrix, eight numbers apart, lie in banks of their own. Words are
// pairs of slots; of sixteen in the order 0 4 1 5 2 6 3 7, since a lane takes pairs c and c + 4. Samples are floats on their way out,
// [number][D], 32 bytes more after every sixteen numbers; of odd numbers neighbouring fours are exchanged, for those who read eight.
constexpr int numberPieces = (tileNumbers + neighbours) / 8;
constexpr int outAt = 0, outBytes = tileNumbers * D * 4 + tileNumbers / 16 * 32;
FFC_DEVICE u32 placeOfOutput(int m, int q) { return u32((m * D + (q ^ ((m & 1) << 2))) * 4 + (m >> 4) * 32); }
template <int Together>
struct NumbersOfTile {
  static constexpr int slots = Product<Together>::slots, pairs = slots / 2, bytes = 2 * slots;  // of a number
  static constexpr int turnedAt = outAt + outBytes, turnedBytes = numberPieces * 9 * bytes;
  static constexpr int arrivingAt = turnedAt + turnedBytes, arrivingBytes = numberPieces * slots * 16;
  // The post gate's samples; u's and the pre-gate's, of which the skip term is made.
  static constexpr int factorsAt = arrivingAt + arrivingBytes, factorBytes = tileNumbers * D * 2;
  static constexpr int sharedBytes(bool gated, bool skips) { return factorsAt + (skips ? 3 : gated ? 1 : 0) * factorBytes; }
  FFC_DEVICE static u32 placeOf(int m) { return u32((m + (m >> 3)) * bytes); }
  FFC_DEVICE static u32 wordOf(int pair) { return Together == 1 ? (pair < 4 ? 2 * pair : 2 * pair - 7) : pair; }
  FFC_DEVICE static u32 arriving(int piece, int pair, int odd) { return u32(((odd * numberPieces + piece) * pairs + pair) * 16); }
};

template <bool bf16, bool gated, bool skips, int Together>
__global__ void __launch_bounds__(Product<Together>::threads, 2) synthesiseRows(const __grid_constant__ BankParams p) {
  const BankRows& r = p.rows;
  const u32 base = sharedBase();
  using Shape = Product<Together>;
  constexpr int residuesOfWarp = Shape::residuesOfWarp;
  const int thread = threadIndex(), lane = thread & 31, residue = (thread >> 5) * residuesOfWarp, g = lane >> 2, c = lane & 3;
  using Numbers = NumbersOfTile<Together>;
  constexpr int halvesOfCell = D / 16, cellSteps = Shape::cellSteps, pairsOfSlots = Numbers::pairs;
  u32 a[residuesOfWarp][cellSteps][halvesOfCell][4];
#pragma unroll
  for (int q = 0; q < residuesOfWarp; q++)
#pragma unroll
    for (int i = 0; i < cellSteps; i++)
#pragma unroll
      for (int h = 0; h < halvesOfCell; h++) {
        const uint4 v = loadConstant16(p.table + (((residue + q) * cellSteps + i) * halvesOfCell + h) * 32 + lane);
        u32(&to)[4] = a[q][i][h];
        to[0] = v.x, to[1] = v.y, to[2] = v.z, to[3] = v.w;
      }
  // This thread turns pieces of two neighbouring slots, of which it has ordered the copies itself.
  const int pair = thread & (pairsOfSlots - 1);
  const auto forNumbers = [&](auto&& body) {
    constexpr int atOnce = Shape::threads / pairsOfSlots;
#pragma unroll
    for (int i = 0; i < (numberPieces + atOnce - 1) / atOnce; i++) {
      const int piece = i * atOnce + thread / pairsOfSlots;
      if (piece < numberPieces) body(piece);
    }
  };
  using Own = Pieces<tileNumbers * D / 8, Shape::threads>;
  u32 channel, batch;  // of the tile whose numbers are on their way
  uint64_t numbers;
  int exponent;     // of the samples
  u32 levels[2];    // of this thread's slots, to bring all of them to the largest exponent
  const auto begin = [&](u32 ofChunk) {
    const BankRow row(r, ofChunk);
    channel = row.channel, batch = row.batch;
    numbers = row.numbersOf(r) + 2 * pair * slotBytes(r);
    const int32_t* const exponents = r.exponents + int64_t(r.chunk.firstGroup + row.group) * r.slots;
    const int own = lane < r.slots ? int(loadFresh4(exponents + lane)) : SlotRing::nothing;
    const int most = int(warpMax(u32(own + 1024))) - 1024;
    exponent = most - (r.largest ? RowScale(r, ofChunk, true).exponent() : plainExponent) - coefficientExponent;
#pragma unroll
    for (int e = 0; e < 2; e++) {
      const int below = int(fromLane(u32(own), 2 * pair + e)) - most;
      levels[e] = lowTwice(packHalf(below < -24 ? 0.0f : powerOfTwo(below), 0));
    }
  };
  const auto order = [&](u32 ofRow) {
    const int firstNumber = int(ofRow) * tileNumbers;
    forNumbers([&](int piece) {
#pragma unroll
      for (int e = 0; e < 2; e++) {
        const int slot = 2 * pair + e;
        int m = firstNumber + 8 * piece;
        if (m >= r.count) m -= r.around;
        const bool there = slot < r.slots && u32(m) < u32(r.count);
        copyAsyncPart16(base + Numbers::arrivingAt + Numbers::arriving(piece, pair, e),
                        reinterpret_cast<const void*>(there ? numbers + e * slotBytes(r) + 2 * m : uint64_t(r.numbers)), there ? 16 : 0);
      }
    });
  };

  BankTile tile(p);
  if (tile.left == 0) return;
  begin(tile.row);
  order(tile.ofRow);
  while (tile.left > 0) {
    copyAsyncWaitAll();
    forNumbers([&](int piece) {
      const uint4 even = sharedLoad16(base + Numbers::arrivingAt + Numbers::arriving(piece, pair, 0));
      const uint4 odd = sharedLoad16(base + Numbers::arrivingAt + Numbers::arriving(piece, pair, 1));
      const u32 v[4] = {even.x, even.y, even.z, even.w}, w[4] = {odd.x, odd.y, odd.z, odd.w};
      const u32 to = base + Numbers::turnedAt + Numbers::placeOf(8 * piece) + Numbers::wordOf(pair) * 4;
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const u32 first = halfMul(v[i], levels[0]), second = halfMul(w[i], levels[1]);
        sharedStore4(to + 2 * i * Numbers::bytes, lowHalves(first, second));
        sharedStore4(to + (2 * i + 1) * Numbers::bytes, highHalves(first, second));
      }
    });
    blockSync();
    const int firstNumber = int(tile.ofRow) * tileNumbers;
    // This tile's samples of other tensors, which are wanted at its end.
    const u32 ownChannel = channel, ownBatch = batch;
    const auto rowOf = [&](const void* data, const Strides& s) { return addressOfRow(data, s, ownChannel, ownBatch); };
    const u32 factors = base + Numbers::factorsAt;
    const Own posts{factors}, samples{factors + Numbers::factorBytes}, pres{factors + 2 * Numbers::factorBytes};
    if constexpr (gated) posts.order(rowOf(r.post, r.postStride), firstNumber * D, r.outputLength);
    if constexpr (skips) {
      samples.order(rowOf(r.u, r.uStride), firstNumber * D, r.outputLength);
      if (r.pre) pres.order(rowOf(r.pre, r.preStride), firstNumber * D, r.outputLength);
    }
    if constexpr (gated || skips) copyAsyncCommit();
    // A power of two of any size in two factors.
    const int within = max(-126, min(127, exponent)), beyond = max(-126, min(127, exponent - within));
    const float scale = powerOfTwo(within), rest = powerOfTwo(beyond);
    if (tile.advance(p)) begin(tile.row);
    if (tile.left > 0) order(tile.ofRow);
    if constexpr (gated || skips) copyAsyncCommit();

    // Samples D m .. D m + D - 1 are made of the numbers m .. m + 8.
    constexpr int together = 2;
    const u32 ofLane = base + Numbers::turnedAt + Numbers::placeOf(8 * g) + c * (Together == 1 ? 8 : 4);
#pragma unroll 1
    for (int first = 0; first < groupsOfTile; first += together) {
      float d[residuesOfWarp][together][halvesOfCell][4] = {};
#pragma unroll
      for (int i = 0; i < cellSteps + residuesOfWarp - 1; i++)
#pragma unroll
        for (int group = 0; group < together; group++) {
          const u32 from = ofLane + (first + group) * Numbers::placeOf(64);
          const auto cell = [&](int after) { return from + Numbers::placeOf(residue + after); };
          u32 b[2];
          if constexpr (Together == 1) {
            const uint64_t both = sharedLoad8(cell(i));
            b[0] = u32(both), b[1] = u32(both >> 32);
          } else {
            b[0] = sharedLoad4(cell(2 * i));
            b[1] = 2 * i + 1 < cells ? sharedLoad4(cell(2 * i + 1)) : 0;
          }
#pragma unroll
          for (int q = 0; q < residuesOfWarp; q++)
#pragma unroll
            for (int h = 0; h < halvesOfCell; h++)
              if (i >= q && i - q < cellSteps) mmaFloatAdd(d[q][group][h], a[q][i - q][h], b[0], b[1]);
        }
#pragma unroll
      for (int q = 0; q < residuesOfWarp; q++) {
        const u32 outOfLane = base + outAt + placeOfOutput(16 * c + residue + q, g) + first * placeOfOutput(64, 0);
#pragma unroll
        for (int group = 0; group < together; group++)
#pragma unroll
          for (int h = 0; h < halvesOfCell; h++)
#pragma unroll
            for (int i = 0; i < 4; i++)
              // q = 16 h + g + 8 (i / 2), m = 64 (first + group) + 8 (2 c + i mod 2) + residue
              sharedStore4(outOfLane + (16 * h + 8 * (i >> 1)) * 4 + (i & 1) * 8 * D * 4 + group * placeOfOutput(64, 0), floatBits(scale * d[q][group][h][i]));
      }
    }
    if constexpr (gated || skips) copyAsyncWaitButOne();  // the next tile's numbers
    blockSync();
    const uint64_t toRow = rowOf(r.y, r.yStride), postRow = rowOf(r.post, r.postStride);
    const uint64_t uRow = skips ? rowOf(r.u, r.uStride) : 0, preRow = skips ? rowOf(r.pre, r.preStride) : 0;
    const float skip = skips ? skipLoad(r.skip, int(ownChannel), r.skipType) : 0.0f;
    const bool whole = aligned(toRow) && (firstNumber + tileNumbers) * D <= r.outputLength;
    Own::forOwn([&](int piece) {
      const int m = piece / (D / 8), q = piece % (D / 8) * 8, n = firstNumber * D + 8 * piece;
      const uint4 x0 = sharedLoad16(base + outAt + placeOfOutput(m, q)), x1 = sharedLoad16(base + outAt + placeOfOutput(m, q + 4));
      float x[8] = {asFloat(x0.x), asFloat(x0.y), asFloat(x0.z), asFloat(x0.w), asFloat(x1.x), asFloat(x1.y), asFloat(x1.z), asFloat(x1.w)};
      if (beyond != 0)
#pragma unroll
        for (int j = 0; j < 8; j++) x[j] *= rest;
      const auto pairsOf = [&](const Own& own, uint64_t row, auto&& body) {
        const uint4 v = own.take(piece, row, firstNumber * D, r.outputLength);
        const u32 w[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
        for (int j = 0; j < 4; j++) {
          const float2 s = unpackPair<bf16>(w[j]);
          body(2 * j, s.x), body(2 * j + 1, s.y);
        }
      };
      if constexpr (skips) {
        float added[8];
        pairsOf(samples, uRow, [&](int j, float s) { added[j] = skip * s; });
        if (preRow) pairsOf(pres, preRow, [&](int j, float s) { added[j] *= s; });
#pragma unroll
        for (int j = 0; j < 8; j++) x[j] += added[j];
      }
      if constexpr (gated) pairsOf(posts, postRow, [&](int j, float s) { x[j] *= s; });
      u32 w[4];
#pragma unroll
      for (int j = 0; j < 4; j++) w[j] = packPair<bf16>(x[2 * j], x[2 * j + 1]);
      if (whole || (aligned(toRow) && n + 8 <= r.outputLength)) {
        storeStream16(reinterpret_cast<void*>(toRow + 2 * int64_t(n)), uint4{w[0], w[1], w[2], w[3]});
        return;
      }
#pragma unroll
      for (int j = 0; j < 8; j++)
        if (n + j < r.outputLength) reinterpret_cast<uint16_t*>(toRow)[n + j] = uint16_t(w[j >> 1] >> (16 * (j & 1)));
    });
  }
}

}  // namespace
}  // namespace ffc::gpu
