// Samples to numbers of all slots in float32. A lane folds a pair of columns, of 16 numbers one after the other, with the last 16 rows of
// its columns in registers; then the warp multiplies what its two halves have folded, 32 numbers, by the slots' cosines. Warps do
// not wait for each other.
#pragma once
#include "fold.cuh"

namespace ffc::gpu {
namespace {

// Of a warp: P and Q of both classes, [pair][number of either half], pairs 16 bytes further apart; of the ends, [pair][number], 8 bytes.
constexpr int foldedPair = 2 * chunkNumbers * 16 + 16, foldedBytes = pairsOfRow * foldedPair;
constexpr int foldedEndPair = 2 * chunkNumbers * 8 + 8, foldedEndBytes = pairsOfRow * foldedEndPair;
template <bool ends>
constexpr int foldedBytesOfWarp = foldedBytes + (ends ? foldedEndBytes : 0);
template <bool ends>
constexpr int foldAnalysisBytes = tableBytesOfFold<ends> + foldWarps * foldedBytesOfWarp<ends>;

template <bool gated, bool ends>
FFC_DEVICE void foldRowsOf(const FoldParams& p) {
  const BankRows& r = p.rows;
  const FoldWarp<ends> at(p, foldedBytesOfWarp<ends>);
  if (at.unit >= p.units) return;
  const u32 tables = at.tables, folded = at.own, foldedEnds = folded + foldedBytes;
  const float(&weight)[foldCells] = at.weight;
  const BankRow row(r, at.row(p));
  const float* const u = reinterpret_cast<const float*>(row.addressOf<4>(r.u, r.uStride));
  const float* const pre = reinterpret_cast<const float*>(row.addressOf<4>(r.pre, r.preStride));
  float* const numbers = reinterpret_cast<float*>(row.numbersOf<4>(r));
  const int64_t apart = int64_t(r.chunk.rows) * r.pitch;
  // Columns `pair` and 31 - pair of row i, zeros outside the tensor. Circular: before the first row are the last ones.
  const auto load = [&](const float* from, int i) {
    if (i < 0) i += r.around;
    const int n = D * i + at.pair, m = D * i + D - 1 - at.pair;
    return float2{u32(n) < u32(r.length) ? loadFloat(from + n) : 0.0f, u32(m) < u32(r.length) ? loadFloat(from + m) : 0.0f};
  };
  const auto times = [](float2 a, float2 b) { return float2{a.x * b.x, a.y * b.y}; };

  constexpr int ahead = 4;  // rows that are on their way
  float2 window[foldCells], coming[ahead], gates[gated ? ahead : 1];
#pragma unroll
  for (int i = 1; i < foldCells; i++) {
    window[i] = load(u, at.first - foldCells + i);
    if constexpr (gated) window[i] = times(window[i], load(pre, at.first - foldCells + i));
  }
#pragma unroll
  for (int i = 0; i < ahead; i++) {
    coming[i] = load(u, at.first + i);
    if constexpr (gated) gates[i] = load(pre, at.first + i);
  }
  const int firstOfWarp = at.firstOfWarp;
#pragma unroll 1
  for (int done = 0; done < p.pieceNumbers && firstOfWarp + done < r.count; done += chunkNumbers) {
    const int first = at.first + done;
#pragma unroll
    for (int m = 0; m < chunkNumbers; m++) {
      window[m] = gated ? times(coming[m % ahead], gates[gated ? m % ahead : 0]) : coming[m % ahead];
      coming[m % ahead] = load(u, first + m + ahead);
      if constexpr (gated) gates[m % ahead] = load(pre, first + m + ahead);
      // Even numbers: the real parts' sum has V_0, the imaginary parts' difference V_2; odd ones: the other way round. V_1 of one column and
      // V_3 of the other occur together.
      constexpr float h = rootHalf;
      const bool odd = m & 1;
      float sum = 0, difference = 0, a = 0, b = 0, endA = 0, endB = 0;
#pragma unroll
      for (int t = 0; t < foldCells; t++) {
        const int i = (m - t) & (foldCells - 1), j = i & 3;
        const float2 x = window[i];
        const float s = signOfRow(i), left = s * weight[t], right = s * weight[foldCells - 1 - t];
        if (j == 1)
          a = fmaf(left, x.x, a), b = fmaf(right, x.y, b);
        else if (j == 3)
          a = fmaf(odd ? right : -right, x.y, a), b = fmaf(odd ? left : -left, x.x, b);
        else if ((j == 0) != odd)
          sum = fmaf(left, x.x, sum), sum = fmaf(right, x.y, sum);
        else
          difference = fmaf(left, x.x, difference), difference = fmaf(-right, x.y, difference);
      }
      const float plus = h * (a + b), minus = h * (a - b), s = signOfNumber(m);
      const float firstP = odd ? -sum - plus : sum + plus, firstQ = -difference - minus;
      const float secondP = sum - plus, secondQ = odd ? minus - difference : difference - minus;
      storeFour(folded + at.pair * foldedPair + (at.half * chunkNumbers + m) * 16, s * firstP, s * firstQ, s * secondP, s * secondQ);
      if constexpr (ends) {
#pragma unroll
        for (int t4 = 0; t4 < endCells; t4 += 4) {
          const Four w = endWeights(tables, t4, at.pair);
#pragma unroll
          for (int e = 0; e < 4; e++) {
            const int t = beforeEndCells + t4 + e;
            endA = fmaf(w.of[e], window[(m - t) & (foldCells - 1)].x, endA);
            endB = fmaf(w.of[e], window[(m - (foldCells - 1 - t)) & (foldCells - 1)].y, endB);
          }
        }
        sharedStore8(foldedEnds + at.pair * foldedEndPair + (at.half * chunkNumbers + m) * 8,
                     uint64_t(floatBits(endA - endB)) << 32 | floatBits(endA + endB));
      }
    }
    warpSync();
    // Eight lanes make four slots of the chunk's 32 numbers, a lane those of g, g + 8, g + 16, g + 24. Where one or two fours are left,
    // all 32 lanes share them: each eight has a part of the pairs of columns.
    const int g = at.lane & 7, eight = at.lane >> 3;
#pragma unroll 1
    for (int some = 0; some < p.quads; some += 4) {
      const int left = p.quads - some, parts = left == 1 ? 4 : left == 2 ? 2 : 1, part = left == 2 ? eight >> 1 : left == 1 ? eight : 0;
      const int quad = some + (left == 1 ? 0 : left == 2 ? eight & 1 : eight);
      if (quad >= p.quads) continue;
      const bool atEnds = ends && quad >= p.endOfClass[1];
      const u32 from = atEnds ? foldedEnds + 8 * g : folded + (quad < p.endOfClass[0] ? 0 : 8) + 16 * g;
      const int pairStride = atEnds ? foldedEndPair : foldedPair, eightNumbers = atEnds ? 64 : 128;
      const u32 own = tables + quad * quadBytes;
      float d[slotsOfQuad][4] = {};
#pragma unroll 1
      for (int pair4 = part * (pairsOfRow / parts); pair4 < (part + 1) * (pairsOfRow / parts); pair4 += 4)
#pragma unroll
        for (int pair = pair4; pair < pair4 + 4; pair++) {
          const Four alpha = sharedFour(own + pair * 16), beta = sharedFour(own + (pairsOfRow + pair) * 16);
#pragma unroll
          for (int e = 0; e < 4; e++) {
            const uint64_t both = sharedLoad8(from + pair * pairStride + e * eightNumbers);
            const float2 v = {asFloat(u32(both)), asFloat(u32(both >> 32))};
#pragma unroll
            for (int j = 0; j < slotsOfQuad; j++) d[j][e] = fmaf(beta.of[j], v.y, fmaf(alpha.of[j], v.x, d[j][e]));
          }
        }
      const auto addLane = [&](int other) {
#pragma unroll
        for (int j = 0; j < slotsOfQuad; j++)
#pragma unroll
          for (int e = 0; e < 4; e++) d[j][e] += asFloat(fromLane(floatBits(d[j][e]), at.lane ^ other));
      };
      if (parts > 1) addLane(16);
      if (parts > 2) addLane(8);
      const u32 slots = p.slotsOf[quad];
#pragma unroll
      for (int j = 0; j < slotsOfQuad; j++) {
        const u32 slot = (slots >> (8 * j)) & 0xff;
        float* const to = numbers + slot * apart + firstOfWarp + done + g;
#pragma unroll
        for (int e = 0; e < 4; e++) {
          const int m = (e >> 1) * p.pieceNumbers + 8 * (e & 1);
          if (slot != noSlot && (e & (parts - 1)) == part && firstOfWarp + done + g + m < r.count) to[m] = d[j][e];
        }
      }
    }
    warpSync();
  }
}

}  // namespace
}  // namespace ffc::gpu
