// 16-bit samples to the numbers of all slots of a fine bank (fine_half.h). Two intervals a tile of 32 numbers, with a barrier after each:
//   outer step of tile j: values -> between
//   inner step of tile j: between -> numbers;  fold of tile j + 1: samples -> values. Half of each scheduler's warps begin with the one, half with the
//   other: a fold hardly waits, and a step does little else (all with the step first: 0.52 to 0.61 ms of 402 million samples).
#pragma once
#include "fine_half.cuh"

namespace ffc::gpu {
namespace {

// Number m = 8 a + 2 g + e of a tile is column 2 a + e of group g, so that a lane's two columns of the four groups are eight neighbouring numbers.
// Cells m - 8 .. of a tile's numbers are samples of 40 cells. Without a gate those of the next tile come into another place; with one the gate's do.
constexpr int cellsOfTile = halfFineTile + halfFineCells - 1, fineSamplesBytes = cellsOfTile * fineRate * 2;
constexpr int fineValuesAt = 2 * fineSamplesBytes, fineBetweenAt = fineValuesAt + halfFineTile * bytesOfNumber;
constexpr int fineTablesAt = fineBetweenAt + betweenBytes, halfFineAnalysisBytes = fineTablesAt + fineTablesBytes;
static_assert(fineValuesAt % 128 == 0 && fineBetweenAt % 128 == 0, "places are XORed within lines");

template <bool bf16, bool gated, class Fold>
FFC_DEVICE void analyseFineHalvesOf(const HalfFineParams& p) {
  const BankRows& r = p.rows;
  const u32 base = sharedBase(), values = base + fineValuesAt, between = base + fineBetweenAt, tables = base + fineTablesAt;
  const int thread = threadIndex(), lane = thread & 31, warp = thread >> 5, g = lane >> 2, c = lane & 3, n = lane & 7, matrix = lane >> 3;
  // Once more: rows that were scaled well are left as they are.
  const auto skipRows = [&](BankTile& tile) {
    while (p.again && tile.left > 0 && !RowScale(r, tile.row, true).misjudged) tile.skipRow(p);
  };
  // The tiles as the stages see them: whose samples are ordered, folded, and whose numbers are stored.
  BankTile ordered(p);
  skipRows(ordered);
  if (ordered.left == 0) return;
  BankTile folded = ordered, stored = ordered;
  const auto advance = [&](BankTile& tile) {
    if (!tile.advance(p)) return false;
    skipRows(tile);
    return tile.left > 0;
  };
  loadHalfFineTables<Fold>(p, tables, float(1 << ringExponent));
  const OuterMatrices outer(p.of.outer, warp);

  uint64_t u, pre = 0, numbers;
  float scale;
  const auto beginOrdered = [&] {
    const BankRow row(r, ordered.row);
    u = row.addressOf(r.u, r.uStride);
    if constexpr (gated) pre = row.addressOf(r.pre, r.preStride);
  };
  const auto beginFolded = [&] { scale = powerOfTwo(fineExponent<bf16>(r, folded.row, p.again)); };
  const auto beginStored = [&] { numbers = BankRow(r, stored.row).numbersOf(r); };
  const auto order = [&](u32 to) {
    if (ordered.left == 0) return;
    const int first = (int(ordered.ofRow) * halfFineTile - (halfFineCells - 1)) * fineRate, around = fineRate * r.around;
    using Samples = Pieces<cellsOfTile * fineRate / 8, halfFineThreads>;
    Samples{base + to}.template order<false, true>(u, first, r.length, around);
    if constexpr (gated) Samples{base + fineSamplesBytes}.template order<false, true>(pre, first, r.length, around);
    if (advance(ordered)) beginOrdered();
  };

  // Numbers of this thread: 8 a .. 8 a + 7, even ones at place 2 a of a group, odd ones behind.
  const int a = thread / (fineColumns / 2);
  const auto fold = [&](u32 from) {
    if (folded.left == 0) return;
    using Pair = typename Fold::Pair;
    const ColumnPair column(thread);
    // Samples that only become halves are scaled before that, all others by their weights.
    constexpr bool scaledBefore = Fold::halves && (bf16 || gated);
    const FineWeights<Fold> weights(tables, column.pair, scaledBefore ? 1.0f : scale);
    // Cell k of the run's sixteen: samples r, r + 1 behind its middle, and -1 - r, -2 - r.
    const u32 samples = base + from + u32(fineRun * a * fineRate + fineColumns + 2 * column.pair) * 2, mirrored = samples - 8 * u32(column.pair) - 4;
    Pair x[2 * fineRun][2];
    u32 most = 0;  // of gated ones, float bits; of others, two by two, their own
    const auto load = [&](int k) {
      const auto at = [&](u32 address) {
        const u32 word = sharedLoad4(address + k * fineRate * 2);
        if (!gated && k >= halfFineCells - 1) most = largerHalves(most, word & 0x7fff7fffu);
        if constexpr (!bf16 && !gated && Fold::halves) {
          return word;
        } else {
          float2 v = unpackPair<bf16>(word);
          if constexpr (gated) {
            const float2 f = unpackPair<bf16>(sharedLoad4(address + fineSamplesBytes + k * fineRate * 2));
            v.x *= f.x, v.y *= f.y;
            if (k >= halfFineCells - 1) most = max(most, max(floatBits(v.x) & 0x7fffffffu, floatBits(v.y) & 0x7fffffffu));
          }
          if constexpr (scaledBefore) v.x *= scale, v.y *= scale;
          return Fold::of(v);
        }
      };
      x[k][0] = at(samples);
      x[k][1] = Fold::exchanged(at(mirrored));
    };
    const u32 first = furtherInGroup(values + column.first, 2 * a), second = furtherInGroup(values + column.second, 2 * a);
#pragma unroll
    for (int k = 0; k < halfFineCells - 1; k++) load(k);
#pragma unroll
    for (int m = 0; m < fineRun; m++) {
      load(m + halfFineCells - 1);
      Pair v[4] = {};
#pragma unroll
      for (int i = 0; i < halfFineCells; i++)
#pragma unroll
        for (int side = 0; side < 2; side++) {
          const FoldTerm term = foldTerm(m, m + i, side);
          v[term.value] = Fold::multiplyAdd(weights.at(i, side), x[m + i][side], v[term.value], term.minus);
        }
      const auto of = [&](int place, bool odd) { return v[valueAt(place, odd)]; };
      const u32 group = (m >> 1) * bytesOfGroup;
      sharedStore8(group + furtherInGroup(first, m & 1), uint64_t(Fold::firsts(of(2, false), of(3, false))) << 32 | Fold::firsts(of(0, false), of(1, false)));
      sharedStore8(group + furtherInGroup(second, m & 1), uint64_t(Fold::seconds(of(2, true), of(3, true))) << 32 | Fold::seconds(of(0, true), of(1, true)));
    }
    if constexpr (!gated) {
      const float2 v = unpackPair<bf16>(most);
      most = max(floatBits(v.x), floatBits(v.y));
    }
    most = warpMax(most);
    if (lane == 0 && !p.again) globalMax(r.largestOfAll + folded.row, most);
    if (advance(folded)) beginFolded();
  };

  // Of a warp's second t0 another bit of a piece is set.
  const u32 fromValues = values + placeOfValues(n, 2 * warp, matrix), toBetween = between + placeBetweenThere(0, (matrix & 1) * 8 + n, 4 * warp + (matrix >> 1));
  const auto outerStep = [&] {
    using Sums = typename Fold::Sums;
    outer.template step<Sums>([&](int group, int t0, u32(&b)[4]) { loadMatrices(group * bytesOfGroup + (fromValues ^ (t0 * 64)), b[0], b[1], b[2], b[3]); },
                              [&](int group, int t0, const Sums(&e)[2]) {
                                storeMatrices(placeBetweenThere(group, 0, 0) + (toBetween ^ (t0 * 32)), e[0].pair(0), e[0].pair(1), e[1].pair(0), e[1].pair(1));
                              });
  };

  // A warp has one k0.
  InnerMatrices<Fold::halves && !gated> inner(p, p.of.inner, warp);
  const u32 fromBetween = between + placeBetweenThere(0, warp, lane);
  const auto innerStep = [&] {
    constexpr int groups = fineGroups;
    const int firstNumber = int(stored.ofRow) * halfFineTile;
    const int64_t apart = slotBytes(r);
    inner.forTiles([&](int tile, const u32 (&a)[4][4]) {
      typename Fold::Sums d[groups];
#pragma unroll
      for (int i = 0; i < 4; i += 2) {
        u32 b[groups][4];
#pragma unroll
        for (int group = 0; group < groups; group++) loadTransposed(fromBetween + placeBetweenThere(group, 0, 16 * i), b[group][0], b[group][1], b[group][2], b[group][3]);
#pragma unroll
        for (int j = 0; j < 2; j++)
#pragma unroll
          for (int group = 0; group < groups; group++) d[group].add(a[i + j], b[group][2 * j], b[group][2 * j + 1]);
      }
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const int slot = fineSlot(tables, tile * fineRowsOfTile + 8 * half + g), m = firstNumber + 8 * c;
        u32 w[groups];
#pragma unroll
        for (int group = 0; group < groups; group++) w[group] = d[group].pair(half);
        if (slot >= 0 && m < r.count) storePoints(reinterpret_cast<void*>(numbers + slot * apart + 2 * m), {w[0], w[1], w[2], w[3]});
      }
    });
    if (advance(stored)) beginStored();
  };

  beginOrdered();
  beginFolded();
  beginStored();
  order(0);
  copyAsyncCommit();
  if constexpr (!gated) order(fineSamplesBytes), copyAsyncCommit();
  // The first time there is only a fold.
  bool begun = false;
  for (u32 own = fineSamplesBytes; stored.left > 0; own = fineSamplesBytes - own, begun = true) {
    if (begun) {
      order(gated ? 0 : own);
      copyAsyncCommit();
      outerStep();
    }
    if constexpr (gated)
      copyAsyncWaitAll();
    else
      copyAsyncWaitButOne();
    blockSync();
#pragma unroll 1
    for (int turn = 0; turn < 2; turn++)
      if ((turn ^ (warp >> 2)) & 1)
        fold(gated ? 0 : fineSamplesBytes - own);
      else if (begun)
        innerStep();
    blockSync();
  }
}

}  // namespace
}  // namespace ffc::gpu
