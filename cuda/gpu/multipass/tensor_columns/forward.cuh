// The first pass: real samples to complex points, over n1.
#pragma once
#include "decimated.cuh"

namespace ffc::mma {

template <class C>
struct ColumnsForward : DecimatedSamples<C> {
  using Base = DecimatedSamples<C>;
  using typename Base::Pair, typename Base::A, typename Base::Factor, typename Base::Layout, typename Base::Tile;
  using Base::R, Base::pairs, Base::atSamples, Base::blockBytes, Base::magnitude, Base::floatOfMagnitude;
  using Base::matrix, Base::atOuter, Base::atInner, Base::inner, Base::atPaired, Base::resampled, Base::loadMatrix;
  using Base::table, Base::ka, Base::p, Base::anyRowKept, Base::word, Base::tiles, Base::orderRaw, Base::tileAt;
  using Base::load, Base::lane, Base::samplePieces, Base::fetchAhead, Base::decimateOwn, Base::largerSize;
  using Base::fetchFilters, Base::warp, Base::leftOver, Base::layDown, Base::fetchGate, Base::largestGated, Base::applyGate;
  using Base::addLeftOver, Base::forOwnPoints;
  using Base::Base;

  // This warp's samples as operands: the next tile's may then come into their place.
  FFC_DEVICE void takeSamples(u32 (&x)[R][pairs][4]) const {
#pragma unroll
    for (int b = 0; b < R; b++)
#pragma unroll
      for (int j = 0; j < pairs; j++)
        loadTransposed((atSamples + b * blockBytes) ^ (j * 32), x[b][j][0], x[b][j][1], x[b][j][2], x[b][j][3]);
    warpSync();
  }
  FFC_DEVICE static u32 largestOf(const u32 (&x)[R][pairs][4]) {
    u32 most = 0;
#pragma unroll
    for (int b = 0; b < R; b++)
#pragma unroll
      for (int j = 0; j < pairs; j++) most = largerHalves(most, magnitude(uint4{x[b][j][0], x[b][j][1], x[b][j][2], x[b][j][3]}));
    return floatOfMagnitude(most);
  }

  // ka of all rows, m of this warp; real samples to complex points.
  template <bool convert>
  FFC_DEVICE void outerForward(u32 (&samplesOf)[R][pairs][4], u32 scale) const {
#pragma unroll
    for (int b = 0; b < R; b++)
#pragma unroll
      for (int j = 0; j < pairs; j++) {
        u32(&x)[4] = samplesOf[b][j];
        u32 re[4], im[4];
        if constexpr (convert) prepare<C>(x, scale);
#pragma unroll
        for (int t = 0; t < 2; t++) {
          Pair r[2], i[2];
          A::dot(r, matrix[0], x[2 * t], x[2 * t + 1]);
          A::dot(i, matrix[1], x[2 * t], x[2 * t + 1]);
          re[2 * t] = A::pack(r[0]), re[2 * t + 1] = A::pack(r[1]);
          im[2 * t] = A::pack(i[0]), im[2 * t + 1] = A::pack(i[1]);
        }
        const u32 to = (atOuter + b * blockBytes) ^ (j * 32);
        storeMatrices(to, re[0], re[1], re[2], re[3]);
        storeMatrices(to + C::planeBytes, im[0], im[1], im[2], im[3]);
      }
  }

  FFC_DEVICE Factor stepForward(const u32* steps, int b, int s) const {
    const u32 re = steps[((b - 1) * 2 + s) * 2], im = steps[((b - 1) * 2 + s) * 2 + 1];
    if constexpr (C::accurate)
      return {{asFloat(re), asFloat(re)}, {asFloat(im), asFloat(im)}};
    else
      return A::factor(re, im);
  }

  FFC_DEVICE void innerForward(const u32* steps) const {
#pragma unroll
    for (int j = 0; j < pairs; j++) {
      u32 outRe[R][4], outIm[R][4];
      u32 xr[R][4], xi[R][4];
#pragma unroll
      for (int b = 0; b < R; b++) {
        const u32 from = (atInner + b * blockBytes) ^ (j * 32);
        loadTransposed(from, xr[b][0], xr[b][1], xr[b][2], xr[b][3]);
        loadTransposed(from + C::planeBytes, xi[b][0], xi[b][1], xi[b][2], xi[b][3]);
      }
#pragma unroll
      for (int t = 0; t < 2; t++) {
        Pair re[2][R], im[2][R];
#pragma unroll
        for (int b = 0; b < R; b++) {
          Pair x[2], y[2];
          A::dot(x, inner[0], xr[b][2 * t], xr[b][2 * t + 1]);
          A::dot(y, inner[0], xi[b][2 * t], xi[b][2 * t + 1]);
          re[0][b] = A::sub(x[0], y[1]);
          im[0][b] = A::add(x[1], y[0]);
          re[1][b] = A::add(x[0], y[1]);
          im[1][b] = A::sub(y[0], x[1]);
        }
#pragma unroll
        for (int s = 0; s < 2; s++) {
#pragma unroll
          for (int b = 1; b < R; b++) A::multiply(re[s][b], im[s][b], stepForward(steps, b, s));
          if constexpr (R > 1) Butterfly<A, R, false>::run(re[s], im[s]);
#pragma unroll
          for (int b = 0; b < R; b++) outRe[b][2 * t + s] = A::pack(re[s][b]), outIm[b][2 * t + s] = A::pack(im[s][b]);
        }
      }
#pragma unroll
      for (int b = 0; b < R; b++) {
        const u32 to = (atPaired + b * blockBytes) ^ (j * 32);
        storeMatrices(to, outRe[b][0], outRe[b][1], outRe[b][2], outRe[b][3]);
        storeMatrices(to + C::planeBytes, outIm[b][0], outIm[b][1], outIm[b][2], outIm[b][3]);
      }
    }
  }

  FFC_DEVICE void run() {
    if constexpr (!resampled) {
      loadMatrix(matrix[0], 0);
      loadMatrix(matrix[1], 1);
#pragma unroll
      for (int i = 0; i < 4; i++) inner[0][i] = table(Layout::inner, i);
    }
    u32 steps[R > 1 ? Layout::forwardSteps : 1];
    if constexpr (R > 1) {
#pragma unroll
      for (int i = 0; i < Layout::forwardSteps; i++) steps[i] = table(Layout::steps + ka * Layout::stepRegisters * 32, i);
    }
    if constexpr (resampled) fetchFilters(Base::Filters::down, C::downBytes);
    const bool gated = p.pre.data != nullptr, active = anyRowKept();
    // Two words for the largest sample, used in turn: the one is published and cleared while the other collects.
    if (threadIndex() < 2) sharedStore4(word + threadIndex() * 4, 0);
    blockSync();
    beginPass(p.order);
    int t = blockIndex();
    if (t < tiles()) {
      if constexpr (resampled)
        orderRaw(tileAt(t), 0);
      else
        load(t);
    }
    for (int turn = 0; t < tiles(); t += gridSize(), turn ^= 1) {
      const Tile tile = tileAt(t);
      const int next = t + gridSize();
      auto note = [&](u32 most) {
        most = warpMax(most);
        if (lane == 0) sharedMax(word + turn * 4, most);
      };
      u32 x[R][pairs][4];
      int exponent = 0;
      if constexpr (resampled) {
        float numbers[4][2][4];
        fetchAhead(tile);
        u32 most = decimateOwn(tile, numbers);
        float behind = 0;
        if (tile.index == 0 && warp == 0 && p.quarters) {
          behind = leftOver(tile);
          most = largerSize(most, behind);
        }
        note(most);
        blockSync();  // points are free: all warps have moved theirs to scratch; and the largest number is known
        exponent = tileExponent(largestCode(sharedLoad4(word + turn * 4)));
        if (tile.index == 0 && warp == 0 && lane < ringNeighbours) sharedStore4(word + 16 + lane * 4, floatBits(behind));
        // For each tile: while numbers are made there is no room for matrices.
#pragma unroll
        for (int i = 0; i < 2; i++) {
          const uint4 v = loadFresh16(static_cast<const uint4*>(p.tables) + warp * 128 + i * 32 + lane);
          matrix[i][0] = v.x, matrix[i][1] = v.y, matrix[i][2] = v.z, matrix[i][3] = v.w;
        }
#pragma unroll
        for (int i = 0; i < 4; i++) inner[0][i] = loadFresh4(static_cast<const u32*>(p.tables) + Layout::inner + i * 32 + lane);
        layDown(numbers, powerOfTwo(exponent));
        warpSync();
        takeSamples(x);
        if (next < tiles()) orderRaw(tileAt(next), 0);
        outerForward<false>(x, 0);
      } else if (gated) {
        uint4 gate[samplePieces];
        fetchGate(tile, gate);
        copyAsyncWaitAll();
        note(largestGated(tile, gate));
        blockSync();
        exponent = tileExponent(largestCode(sharedLoad4(word + turn * 4)));
        applyGate(tile, gate, powerOfTwo(exponent));
        warpSync();
        takeSamples(x);
        if (next < tiles()) load(next);
        outerForward<false>(x, 0);
      } else {
        copyAsyncWaitAll();
        warpSync();
        takeSamples(x);
        if (next < tiles()) load(next);
        note(largestOf(x));
        blockSync();  // points are free: all warps have moved theirs to scratch; and the largest sample is known
        if constexpr (C::bf16) exponent = tileExponent(largestCode(sharedLoad4(word + turn * 4)));
        outerForward<C::bf16>(x, C::bf16 ? floatBits(powerOfTwo(exponent)) : 0);
      }
      blockSync();  // points are complete
      if (threadIndex() == 0) {
        p.largest[t] = uint8_t(largestCode(sharedLoad4(word + turn * 4)));
        sharedStore4(word + turn * 4, 0);
        if (t - blockIndex() == p.order.meet) meetEarlierWork();
      }
      if (!active) continue;
      innerForward(steps);
      warpSync();
      if constexpr (resampled)
        if (tile.index == 0 && p.quarters) addLeftOver(exponent);
      forOwnPoints(tile, [](u32 shared, char* at, bool kept) {
        if (kept) storePoints(at, sharedLoad16(shared));
      });
    }
  }
};

}  // namespace ffc::mma
