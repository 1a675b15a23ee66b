// Numbers of all slots to samples in float32: the transpose of fold_analyse.cuh. A lane makes a pair of columns; 16 rows of them that
// are not complete yet are in its registers. Number m is the first one of row m and the last one of row m - 15. Warps do not wait
// for each other.
#pragma once
#include "fold.cuh"

namespace ffc::gpu {
namespace {

// Numbers of half a warp: [slot][number of the chunk], those of the next chunk in another place; halves lie 16 bytes further apart, for
// lanes of both that read at once.
constexpr int numbersOfHalf = mostQuads * slotsOfQuad * chunkNumbers * 4 + 16, numbersOfWarp = 2 * 2 * numbersOfHalf;
template <bool ends>
constexpr int foldSynthesisBytes = tableBytesOfFold<ends> + foldWarps * numbersOfWarp;

template <bool gated, bool skips, bool ends>
FFC_DEVICE void unfoldRowsOf(const FoldParams& p) {
  const BankRows& r = p.rows;
  const FoldWarp<ends> at(p, numbersOfWarp);
  if (at.unit >= p.units) return;
  const u32 tables = at.tables, own = at.own + at.half * numbersOfHalf;
  const float(&weight)[foldCells] = at.weight;
  const BankRow row(r, at.row(p));
  const float* const u = reinterpret_cast<const float*>(row.addressOf<4>(r.u, r.uStride));
  const float* const pre = reinterpret_cast<const float*>(row.addressOf<4>(r.pre, r.preStride));
  const float* const post = reinterpret_cast<const float*>(row.addressOf<4>(r.post, r.postStride));
  float* const y = reinterpret_cast<float*>(row.addressOf<4>(r.y, r.yStride));
  const uint64_t numbers = row.numbersOf<4>(r);
  const int64_t apart = int64_t(r.chunk.rows) * r.pitch * 4;
  const float skip = skips ? skipLoad(r.skip, int(row.channel), r.skipType) : 0.0f;
  // Pieces of four numbers: a quad's sixteen by the lanes of a half.
  const auto order = [&](int first, u32 to) {
#pragma unroll 1
    for (int quad = 0; quad < p.quads; quad++) {
      const u32 slot = (p.slotsOf[quad] >> (8 * (at.pair >> 2))) & 0xff;
      int m = first + 4 * (at.pair & 3);
      if (m >= r.count) m -= r.around;
      const bool there = slot != noSlot && u32(m) < u32(r.count);
      copyAsyncPart16(to + ((quad * slotsOfQuad + (at.pair >> 2)) * chunkNumbers + 4 * (at.pair & 3)) * 4,
                      reinterpret_cast<const void*>(there ? numbers + slot * apart + 4 * int64_t(m) : numbers), there ? 16 : 0);
    }
  };

  const int firstOfWarp = at.firstOfWarp, end = min(r.outputLength, D * (at.first + p.pieceNumbers));
  float2 rows[foldCells] = {};
  order(at.first, own);
  // Of the numbers behind a piece, the rows before them need fifteen.
#pragma unroll 1
  for (int done = 0; done <= p.pieceNumbers && D * (firstOfWarp + done - chunkNumbers) < r.outputLength; done += chunkNumbers) {
    const int first = at.first + done, turn = done / chunkNumbers & 1;
    const u32 arrived = own + turn * 2 * numbersOfHalf;
    copyAsyncWaitAll();
    warpSync();
    order(first + chunkNumbers, own + (turn ^ 1) * 2 * numbersOfHalf);
#pragma unroll
    for (int group = 0; group < chunkNumbers; group += 4) {
      // sum over the slots of alpha z and of beta z, of four numbers.
      float x[foldClasses][4] = {}, z[foldClasses][4] = {};
      int quad = 0;
#pragma unroll
      for (int c = 0; c < (ends ? 3 : 2); c++) {
#pragma unroll 1
        for (; quad < p.endOfClass[c]; quad++) {
          const u32 ofQuad = tables + quad * quadBytes + at.pair * 16;
          const Four alpha = sharedFour(ofQuad), beta = sharedFour(ofQuad + pairsOfRow * 16);
#pragma unroll
          for (int j = 0; j < slotsOfQuad; j++) {
            const Four number = sharedFour(arrived + ((quad * slotsOfQuad + j) * chunkNumbers + group) * 4);
#pragma unroll
            for (int e = 0; e < 4; e++) {
              x[c][e] = fmaf(alpha.of[j], number.of[e], x[c][e]);
              z[c][e] = fmaf(beta.of[j], number.of[e], z[c][e]);
            }
          }
        }
      }
      const auto within = [&](int n) { return n >= D * at.first && n < end; };
      const auto samples = [&](const float* from, int e) {
        const int n = D * (first + group + e - (foldCells - 1)), left = n + at.pair, right = n + D - 1 - at.pair;
        return float2{within(left) ? loadFloat(from + left) : 0.0f, within(right) ? loadFloat(from + right) : 0.0f};
      };
      // What the skip term adds to each row, and what the sum is multiplied by.
      float2 added[skips ? 4 : 1], gates[gated ? 4 : 1];
      if constexpr (skips) {
#pragma unroll
        for (int e = 0; e < 4; e++) added[e] = samples(u, e);
        if (pre)
#pragma unroll
          for (int e = 0; e < 4; e++) {
            const float2 f = samples(pre, e);
            added[e] = {added[e].x * f.x, added[e].y * f.y};
          }
      }
      if constexpr (gated)
#pragma unroll
        for (int e = 0; e < 4; e++) gates[e] = samples(post, e);
#pragma unroll
      for (int e = 0; e < 4; e++) {
        const int m = group + e;
        const bool odd = m & 1;
        constexpr float h = rootHalf;
        const float s = signOfNumber(m), p1 = s * x[0][e], p3 = s * x[1][e], q1 = s * z[0][e], q3 = s * z[1][e];
        // What V_0 and V_2, and what V_1 of one column and V_3 of the other are to be multiplied by.
        const float sum = odd ? p3 - p1 : p1 + p3, difference = odd ? -q1 - q3 : q3 - q1;
        const float plus = odd ? -h * (p1 + p3) : h * (p1 - p3), minus = odd ? h * (q3 - q1) : -h * (q1 + q3);
        const float a = plus + minus, b = plus - minus;
#pragma unroll
        for (int t = 0; t < foldCells; t++) {
          const int i = (m - t) & (foldCells - 1), j = i & 3;
          const float sign = signOfRow(i), left = sign * weight[t], right = sign * weight[foldCells - 1 - t];
          float2& v = rows[i];
          if (t == 0) v = {0.0f, 0.0f};
          if (j == 1)
            v = {fmaf(left, a, v.x), fmaf(right, b, v.y)};
          else if (j == 3)
            v = {fmaf(odd ? left : -left, b, v.x), fmaf(odd ? right : -right, a, v.y)};
          else if ((j == 0) != odd)
            v = {fmaf(left, sum, v.x), fmaf(right, sum, v.y)};
          else
            v = {fmaf(left, difference, v.x), fmaf(-right, difference, v.y)};
        }
        if constexpr (ends) {
          const float endA = x[2][e] + z[2][e], endB = x[2][e] - z[2][e];
#pragma unroll
          for (int t4 = 0; t4 < endCells; t4 += 4) {
            const Four w = endWeights(tables, t4, at.pair);
#pragma unroll
            for (int k = 0; k < 4; k++) {
              const int t = beforeEndCells + t4 + k;
              float& left = rows[(m - t) & (foldCells - 1)].x;
              float& right = rows[(m - (foldCells - 1 - t)) & (foldCells - 1)].y;
              left = fmaf(w.of[k], endA, left), right = fmaf(w.of[k], endB, right);
            }
          }
        }
        float2 v = rows[(m + 1) & (foldCells - 1)];
        if constexpr (skips) v = {fmaf(skip, added[e].x, v.x), fmaf(skip, added[e].y, v.y)};
        if constexpr (gated) v = {v.x * gates[e].x, v.y * gates[e].y};
        const int n = D * (first + m - (foldCells - 1)), left = n + at.pair, right = n + D - 1 - at.pair;
        if (within(left)) y[left] = v.x;
        if (within(right)) y[right] = v.y;
      }
    }
    warpSync();
  }
}

}  // namespace
}  // namespace ffc::gpu
