// Numbers of all slots of a fine bank to samples (fine.h), the transpose of fine_half_analyse.cuh. Two intervals a tile of 32 numbers, with a barrier after each:
//   outer step of tile j: between -> values
//   inner step of tile j + 1: numbers -> between;  unfold of tile j: values -> samples of 32 cells, the last eight numbers of the tile before being there yet
#pragma once
#include "fine_half.cuh"

namespace ffc::gpu {
namespace {

// Five groups of values come round. Numbers as they arrive: [tile of rows][row][32], pieces of eight XORed with half of the row, of two tiles; and the
// slots' levels, halves, in the rows' order.
constexpr int groupsOfRing = fineGroups + 1;
constexpr int ringAt = 0, backBetweenAt = ringAt + groupsOfRing * bytesOfGroup, fineLevelsAt = backBetweenAt + betweenBytes;
constexpr int fineLevelsBytes = alignedShared(mostFineTiles * fineRowsOfTile * 2), arrivingTile = fineRowsOfTile * halfFineTile * 2, backTablesAt = fineLevelsAt + fineLevelsBytes, fineArrivingAt = backTablesAt + fineTablesBytes;
static_assert(backBetweenAt % 128 == 0 && fineArrivingAt % 128 == 0, "places are XORed within lines");
FFC_MMA_SHARED constexpr int halfFineSynthesisBytes(int tiles) { return fineArrivingAt + 2 * tiles * arrivingTile; }
// Powers of two that keep halves within their range: of the numbers, and of the weights, whose sums are a 512th of them. A tone's samples are up to 3700 then,
// if the kernel does not make them larger.
constexpr int numbersExponent = 1, weightsExponent = 6;
FFC_DEVICE u32 placeOfArriving(int row, int piece) { return u32(row * halfFineTile * 2 + (piece ^ (row >> 1 & 3)) * 16); }

// Samples n and n + 1 of a row, n even, those beyond its length zero.
FFC_DEVICE u32 loadSamples(uint64_t row, int n, int length) {
  if ((row & 3) == 0 && n + 1 < length) return loadConstant4(reinterpret_cast<const void*>(row + 2 * int64_t(n)));
  const uint16_t* const at = reinterpret_cast<const uint16_t*>(row) + n;
  return (n < length ? at[0] : 0u) | (n + 1 < length ? u32(at[1]) << 16 : 0u);
}
FFC_DEVICE void storeSamples(uint64_t row, int n, int length, u32 pair) {
  if ((row & 3) == 0 && n + 1 < length) {
    *reinterpret_cast<u32*>(row + 2 * int64_t(n)) = pair;
    return;
  }
  uint16_t* const at = reinterpret_cast<uint16_t*>(row) + n;
  if (n < length) at[0] = uint16_t(pair);
  if (n + 1 < length) at[1] = uint16_t(pair >> 16);
}

// more: a gate, a skip term or both.
template <bool bf16, bool more, class Fold>
FFC_DEVICE void synthesiseFineHalvesOf(const HalfFineParams& p) {
  const BankRows& r = p.rows;
  const u32 base = sharedBase(), values = base + ringAt, between = base + backBetweenAt, levels = base + fineLevelsAt;
  const int thread = threadIndex(), lane = thread & 31, warp = thread >> 5, c = lane & 3, n = lane & 7, matrix = lane >> 3;
  const int tiles = p.of.firstTile[fineK0];
  const u32 tables = base + backTablesAt;
  BankTile arriving(p);
  if (arriving.left == 0) return;
  // A block that begins within a row needs the tile before, too, and stores nothing of it.
  bool before = arriving.stepBack();
  BankTile made = arriving, stored = arriving;
  loadHalfFineTables<Fold>(p, tables, float(1 << weightsExponent));
  const OuterMatrices outer(p.of.outerBack, warp);

  uint64_t numbers, y, post, u, pre, others = 0;
  float skip = 0;
  int exponent, nextExponent = 0;
  const auto beginArriving = [&] { numbers = BankRow(r, arriving.row).numbersOf(r); };
  const auto beginStored = [&] {
    const BankRow row(r, stored.row);
    y = row.addressOf(r.y, r.yStride);
    if constexpr (more) {
      post = row.addressOf(r.post, r.postStride), u = row.addressOf(r.u, r.uStride), pre = row.addressOf(r.pre, r.preStride);
      if (r.skip) skip = skipLoad(r.skip, int(row.channel), r.skipType);
      others = post | (r.skip ? u | pre : 0);
    }
    exponent = nextExponent;
  };
  // What brings a row's slots to the largest of their exponents, for all warps.
  const auto beginMade = [&] {
    const BankRow row(r, made.row);
    const int32_t* const exponents = r.exponents + int64_t(r.chunk.firstGroup + row.group) * r.slots;
    int most = exponentOfNothing;
    for (int slot = lane; slot < r.slots; slot += 32) most = max(most, int(loadFresh4(exponents + slot)));
    most = int(warpMax(u32(most + 1024))) - 1024;
    nextExponent = most - fineExponent<bf16>(r, made.row, true) - ringExponent - numbersExponent - weightsExponent;
    for (int at = thread; at < tiles * fineRowsOfTile; at += halfFineThreads) {
      const int slot = fineSlot(tables, at), below = slot < 0 ? -100 : int(loadFresh4(exponents + slot)) - most;
      sharedStore2(levels + 2 * at, uint16_t(packHalf(below < -24 ? 0.0f : powerOfTwo(below + numbersExponent), 0)));
    }
  };
  const auto order = [&](u32 turn) {
    if (arriving.left == 0) return;
    const u32 to = base + fineArrivingAt + turn * tiles * arrivingTile;
    const int64_t apart = slotBytes(r);
    constexpr int pieces = fineGroups, rowsAtOnce = halfFineThreads / pieces;
    int m = int(arriving.ofRow) * halfFineTile + 8 * (thread % pieces);
    if (m >= r.count) m -= r.around;
    const bool inRow = u32(m) < u32(r.count);
    const uint64_t source = numbers + 2 * m;
#pragma unroll 1
    for (int row = thread / pieces; row < tiles * fineRowsOfTile; row += rowsAtOnce) {
      const int slot = fineSlot(tables, row);
      const bool there = inRow && slot >= 0;
      copyAsyncPart16(to + placeOfArriving(row, thread % pieces), reinterpret_cast<const void*>(there ? source + slot * apart : uint64_t(r.numbers)), there ? 16 : 0);
    }
    if (arriving.advance(p)) beginArriving();
  };

  // A warp has one k0, of which there may be no slot.
  InnerMatrices<Fold::halves && !more> inner(p, p.of.innerBack, warp);
  const u32 fromArriving = placeOfArriving(lane % 16, lane >> 4), toBetween = between + placeBetweenBack(0, (matrix & 1) * 8 + n, 2 * warp + (matrix >> 1));
  const auto innerStep = [&](u32 turn) {
    if (made.left == 0) return;
    constexpr int groups = 2;
    const u32 from = fromArriving + base + fineArrivingAt + turn * tiles * arrivingTile;
#pragma unroll 1
    for (int first = 0; first < fineGroups; first += groups) {
      typename Fold::Sums d[groups][4];
      inner.forTiles([&](int tile, const u32 (&a)[4][4]) {
        u32 b[groups][2];
        loadTransposed((from ^ u32(first * 16)) + tile * arrivingTile, b[0][0], b[0][1], b[1][0], b[1][1]);
        // A lane's rows are 2 c, 2 c + 1 and eight further.
        const u32 low = sharedLoad4(levels + (tile * fineRowsOfTile + 2 * c) * 2), high = sharedLoad4(levels + (tile * fineRowsOfTile + 2 * c + 8) * 2);
#pragma unroll
        for (int group = 0; group < groups; group++) {
          b[group][0] = halfMul(b[group][0], low), b[group][1] = halfMul(b[group][1], high);
#pragma unroll
          for (int i = 0; i < 4; i++) d[group][i].add(a[i], b[group][0], b[group][1]);
        }
      });
      // Of 16 t0 the real parts, then the imaginary parts.
#pragma unroll
      for (int group = 0; group < groups; group++)
#pragma unroll
        for (int i = 0; i < 4; i += 2) {
          const auto &real = d[group][i], &imaginary = d[group][i + 1];
          storeMatrices(toBetween + placeBetweenBack(first + group, 8 * i, 0), real.pair(0), real.pair(1), imaginary.pair(0), imaginary.pair(1));
        }
    }
    made.advance(p);
  };

  // Of a warp's second t0 another bit of a piece is set.
  const u32 fromBetween = between + placeBetweenBack(0, 2 * warp, lane), toValues = values + placeOfValues(n, 2 * warp, matrix);
  const auto outerStep = [&](int firstGroup) {
    using Sums = typename Fold::Sums;
    outer.template step<Sums>(
        [&](int group, int t0, u32(&b)[4]) { loadTransposed((fromBetween ^ (t0 * 16)) + placeBetweenBack(group, t0, 0) - t0 * 16, b[0], b[1], b[2], b[3]); },
        [&](int group, int t0, const Sums(&e)[2]) {
          const int ofRing = firstGroup + group - (firstGroup + group < groupsOfRing ? 0 : groupsOfRing);
          storeTransposed((toValues ^ (t0 * 64)) + ofRing * bytesOfGroup, e[0].pair(0), e[0].pair(1), e[1].pair(0), e[1].pair(1));
        });
  };

  // Cells 8 a .. 8 a + 7 of the 32 that begin eight before the tile's numbers; their numbers are those of group a - 1 and a.
  const int a = thread / (fineColumns / 2);
  const auto unfold = [&](int firstGroup) {
    // What other tensors have in the next tile: a cell is asked for where it is used, and would be waited for longer than it takes.
    if constexpr (more) {
      const int64_t next = (int64_t(stored.ofRow) + 1) * halfFineTile * fineRate - fineRun * fineRate;
      const auto prefetchNext = [&](uint64_t row) { prefetchSamples<2>(row, next, halfFineTile * fineRate, r.outputLength); };
      if (post) prefetchNext(post);
      if (r.skip) prefetchNext(u);
      if (r.skip && pre) prefetchNext(pre);
    }
    // A power of two of any size in two factors; that of halves is left for the sums.
    constexpr bool direct = Fold::halves && !bf16;
    const int within = direct ? max(-14, min(15, exponent)) : max(-60, min(60, exponent)), beyond = max(-126, min(127, exponent - within));
    const float scale = powerOfTwo(within), rest = powerOfTwo(beyond);
    const ColumnPair column(thread);
    const FineWeights<Fold> weights(tables, column.pair, Fold::halves ? 1.0f : scale);
    const int firstCell = int(stored.ofRow) * halfFineTile - fineRun + fineRun * a;
    const auto groupOf = [&](int after) {
      const int at = firstGroup + a + after;
      return values + (at < 0 ? at + groupsOfRing : at < groupsOfRing ? at : at - groupsOfRing) * bytesOfGroup;
    };
    typename Fold::Pair x[fineRun][2] = {};
    if (!before && firstCell >= 0 && firstCell * fineRate < r.outputLength) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const u32 group = groupOf(half - 1), ofFirst = group + column.first, ofSecond = group + column.second;
#pragma unroll
        for (int m = 0; m < fineRun; m++) {
          const uint64_t first = sharedLoad8(furtherInGroup(ofFirst, m)), second = sharedLoad8(furtherInGroup(ofSecond, m));
          const u32 even[2] = {u32(first), u32(first >> 32)}, odd[2] = {u32(second), u32(second >> 32)};
          typename Fold::Pair v[4];
#pragma unroll
          for (int q = 0; q < 4; q++) {
            const int a = placeOfValue(q, false), b = placeOfValue(q, true);
            v[q] = Fold::halvesOf(even[a >> 1], a & 1, odd[b >> 1], b & 1);
          }
#pragma unroll
          for (int cell = 0; cell < fineRun; cell++) {
            const int i = halfFineCells - 1 - (half * fineRun + m - cell);
            if (i < 0 || i >= halfFineCells) continue;
#pragma unroll
            for (int side = 0; side < 2; side++) {
              const FoldTerm term = foldTerm(m, m + i, side);
              x[cell][side] = Fold::multiplyAdd(weights.at(i, side), v[term.value], x[cell][side], term.minus);
            }
          }
        }
      }
      const u32 scales = lowTwice(packHalf(scale, 0));
      // Of halves, as they are stored; of others, and where more is to be done, floats.
      const auto sumOf = [&](int cell, int side) {
        float2 s = Fold::floats(side ? Fold::exchanged(x[cell][side]) : x[cell][side]);
        if constexpr (Fold::halves) s.x *= scale, s.y *= scale;
        return s;
      };
      const auto pairOf = [&](int cell, int side) {
        if constexpr (direct) {
          return halfMul(side ? Fold::exchanged(x[cell][side]) : x[cell][side], scales);
        } else {
          const float2 s = sumOf(cell, side);
          return packPair<bf16>(s.x, s.y);
        }
      };
      // With what a skip term and a gate make of it.
      const auto finished = [&](float2 sum, u32 ofU, u32 ofPre, u32 ofPost) {
        if (r.skip) {
          const float2 own = unpackPair<bf16>(ofU), gate = pre ? unpackPair<bf16>(ofPre) : float2{1, 1};
          sum.x = fmaf(skip * own.x, gate.x, sum.x), sum.y = fmaf(skip * own.y, gate.y, sum.y);
        }
        if (post) {
          const float2 gate = unpackPair<bf16>(ofPost);
          sum.x *= gate.x, sum.y *= gate.y;
        }
        return packPair<bf16>(sum.x, sum.y);
      };
      if (beyond == 0 && ((y | (more ? others : 0)) & 3) == 0 && (firstCell + fineRun) * fineRate <= r.outputLength) {
        const int64_t first = 2 * int64_t(firstCell * fineRate + fineColumns), sides[2] = {first + 4 * column.pair, first - 4 - 4 * column.pair};
        // What other tensors have there is asked for some cells at a time.
        constexpr int together = more ? fineRun / 4 : fineRun;
#pragma unroll
        for (int begin = 0; begin < fineRun; begin += together) {
          u32 ofU[together][2], ofPre[together][2], ofPost[together][2];
          const auto ask = [&](u32 (&words)[together][2], uint64_t row) {
#pragma unroll
            for (int i = 0; i < together; i++)
#pragma unroll
              for (int side = 0; side < 2; side++) words[i][side] = loadConstant4(reinterpret_cast<const void*>(row + sides[side] + (begin + i) * fineRate * 2));
          };
          if constexpr (more) {
            if (r.skip) ask(ofU, u);
            if (r.skip && pre) ask(ofPre, pre);
            if (post) ask(ofPost, post);
          }
#pragma unroll
          for (int i = 0; i < together; i++)
#pragma unroll
            for (int side = 0; side < 2; side++) {
              u32 pair;
              if constexpr (more)
                pair = finished(sumOf(begin + i, side), ofU[i][side], ofPre[i][side], ofPost[i][side]);
              else
                pair = pairOf(begin + i, side);
              *reinterpret_cast<u32*>(y + sides[side] + (begin + i) * fineRate * 2) = pair;
            }
        }
      } else {
#pragma unroll
        for (int cell = 0; cell < fineRun; cell++)
#pragma unroll
          for (int side = 0; side < 2; side++) {
            const int at = (firstCell + cell) * fineRate + fineColumns + (side ? -2 - 2 * column.pair : 2 * column.pair);
            float2 s = sumOf(cell, side);
            s.x *= rest, s.y *= rest;
            u32 pair;
            if constexpr (more)
              pair = finished(s, r.skip ? loadSamples(u, at, r.outputLength) : 0, r.skip && pre ? loadSamples(pre, at, r.outputLength) : 0,
                              post ? loadSamples(post, at, r.outputLength) : 0);
            else
              pair = packPair<bf16>(s.x, s.y);
            storeSamples(y, at, r.outputLength, pair);
          }
      }
    }
    before = false;
    if (stored.advance(p)) beginStored();
  };

  beginArriving();
  beginMade();
  beginStored();
  order(0);
  copyAsyncCommit();
  order(1);
  copyAsyncCommit();
  int firstGroup = 0;
  u32 row = stored.row;
  // The first time there is only an inner step.
  bool begun = false;
  for (u32 turn = 1; stored.left > 0; turn ^= 1, begun = true) {
    if (begun) {
      order(turn);
      copyAsyncCommit();
      // Levels of the next tile's row: those of this tile's have been read.
      if (made.left > 0 && made.row != row) row = made.row, beginMade();
      outerStep(firstGroup);
    }
    copyAsyncWaitButOne();
    blockSync();
#pragma unroll 1
    for (int part = 0; part < 2; part++)
      if (!((part ^ (warp >> 2)) & 1))
        innerStep(turn ^ 1);
      else if (begun)
        unfold(firstGroup);
    if (begun) firstGroup = firstGroup == 0 ? groupsOfRing - 1 : firstGroup - 1;  // 32 numbers further
    blockSync();
  }
}

}  // namespace
}  // namespace ffc::gpu
