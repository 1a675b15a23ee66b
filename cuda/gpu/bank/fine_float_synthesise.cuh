// Numbers of all slots of a fine bank to samples in float32: the transpose of fine_float_analyse.cuh. Number m is the first one of cell m and the last one of cell
// m - 15; a thread has the 16 cells of its column that are not complete yet in registers. Numbers of the next tile are on their way from the first step on.
#pragma once
#include "fine_float.cuh"

namespace ffc::gpu {
namespace {

// Numbers as they arrive, [slot][number], and zeros in the place of a slot that is not kept.
constexpr int rowOfArrived = floatFineTile * 4, floatFineArrivedAt = entriesAt + fineSlots * 16;
FFC_MMA_SHARED constexpr int floatFineSynthesisBytes(int slots) { return floatFineArrivedAt + (slots + 1) * rowOfArrived; }

template <bool gated, bool skips>
FFC_DEVICE void synthesiseFineFloatsOf(const FloatFineParams& p) {
  const BankRows& r = p.rows;
  const int thread = threadIndex(), lane = thread & 31, warp = thread >> 5;
  const u32 points = sharedBase(), turns = points + floatFineTables, entries = points + entriesAt, arrived = points + floatFineArrivedAt;
  BankTile tile(p);
  if (tile.left == 0) return;
  // A block that begins within a row needs the tile before, too, and stores nothing of it.
  bool before = tile.stepBack();
  BankTile arriving = tile;

  loadFloatFineTables(points, p.turnsBack, p.frequencies, p.kept);
  if (thread < floatFineTile) sharedStore4(arrived + r.slots * rowOfArrived + thread * 4, 0);
  const ColumnPoints own(points);
#pragma unroll
  for (int m = 0; m < floatFineTile; m++) storePoint(ofNumber(own.first, m), {0, 0}), storePoint(ofNumber(own.second, m), {0, 0});
  // Pieces of four numbers.
  const auto order = [&] {
    if (arriving.left == 0) return;
    constexpr int pieces = floatFineTile / 4;
    int m = int(arriving.ofRow) * floatFineTile + 4 * (thread % pieces);
    if (m >= r.count) m -= r.around;
    const bool there = u32(m) < u32(r.count);
    const uint64_t apart = uint64_t(r.chunk.rows) * r.pitch * 4, from = BankRow(r, arriving.row).numbersOf<4>(r) + (there ? 4 * m : 0);
    for (int slot = thread / pieces; slot < r.slots; slot += floatFineThreads / pieces)
      copyAsyncPart16(arrived + slot * rowOfArrived + thread % pieces * 16, reinterpret_cast<const void*>(from + slot * apart), there ? 16 : 0);
    arriving.advance(p);
  };
  order();
  copyAsyncWaitAll();
  blockSync();

  // What a point is turned by when it is a sample's: e^{2 pi i t / 2048}; of exchanged parts the other way.
  const int odd = thread & 1, lowPoint = odd ? (fineRate - 1 - thread) / 2 : thread / 2;
  const auto turnOfPoint = [&](bool high) {
    const float2 v = rootOfUnity(u32(lowPoint + (high ? fineRate / 2 : 0)), 11);
    return float2{v.x, odd ? v.y : -v.y};
  };
  const float2 turnOfFirst = turnOfPoint(odd), turnOfSecond = turnOfPoint(!odd);
  const auto turned = [](float2 v, float2 by) { return float2{fmaf(-by.y, v.y, by.x * v.x), fmaf(by.y, v.x, by.x * v.y)}; };

  const float *u = nullptr, *pre = nullptr, *post = nullptr;
  float* y = nullptr;
  float skip = 0;
  float2 cells[floatFineCells];
  for (bool begins = true; tile.left > 0; begins = tile.advance(p), before = false) {
    const int first = int(tile.ofRow) * floatFineTile;
    if (begins) {
      const BankRow row(r, tile.row);
      y = reinterpret_cast<float*>(row.addressOf<4>(r.y, r.yStride));
      u = reinterpret_cast<const float*>(row.addressOf<4>(r.u, r.uStride)), pre = reinterpret_cast<const float*>(row.addressOf<4>(r.pre, r.preStride));
      post = reinterpret_cast<const float*>(row.addressOf<4>(r.post, r.postStride));
      if constexpr (skips) skip = skipLoad(r.skip, int(row.channel), r.skipType);
#pragma unroll
      for (int i = 0; i < floatFineCells; i++) cells[i] = {0, 0};
    }
    // Where no slot is, points are zeros.
    {
      constexpr int pairs = floatFineTile / 2;
      const u32 number = thread % pairs * 2, to = points + number * pointsOfNumber, from = arrived + number * 4;
#pragma unroll 4
      for (int i = thread / pairs; i < p.kept; i += floatFineThreads / pairs) {
        const FineFrequency f = frequencyAt(entries, i);
        const float2 real = loadPoint(from + f.real * rowOfArrived), imaginary = loadPoint(from + f.imaginary * rowOfArrived);
        const u32 place = to + (f.place ^ number * 8);
        storePoint(place, {fmaf(f.x, real.x, f.y * imaginary.x), fmaf(f.y, real.x, -f.x * imaginary.x)});
        storePoint(ofNumber(place, 1), {fmaf(f.x, real.y, f.y * imaginary.y), fmaf(f.y, real.y, -f.x * imaginary.y)});
      }
    }
    blockSync();
    order();

    // Half a warp's lanes are k0 of a number.
    {
      const u32 from = points + placeOfPoint(2 * warp + (lane >> 4), lane & 15, 0);
      float2 z[fineK1];
#pragma unroll
      for (int k1 = 0; k1 < fineK1; k1++) z[bitsReversed(k1, fineK1)] = loadPoint(furtherPoint(from, 0, k1));
      transform<true, true>(z, [](int size, int j) { return turnOf64<true>(j * (64 / size)); });
#pragma unroll
      for (int t0 = 0; t0 < fineT0; t0++) storePoint(furtherPoint(from, 0, t0), z[t0]);
    }
    blockSync();

    // A warp's lanes are t0 of a number.
#pragma unroll 1
    for (int of = warp; of < floatFineTile; of += floatFineThreads / 32) {
      const u32 from = points + placeOfPoint(of, 0, lane & 15) + (lane & 16) * 8, ofTurns = turns + lane * 8;
      float2 z[fineK0];
#pragma unroll
      for (int k0 = 0; k0 < fineK0; k0++) z[bitsReversed(k0, fineK0)] = loadPoint(furtherPoint(from, k0, 0));
      transform<true, false>(z, [&](int size, int j) { return loadPoint(ofTurns + placeOfTurn(size, j) * (fineT0 * 8)); });
#pragma unroll
      for (int t1 = 0; t1 < fineT1; t1++) storePoint(furtherPoint(from, t1, 0), exchangedParts(t1) ? float2{z[t1].y, z[t1].x} : z[t1]);
    }
    float weight[floatFineCells];
    loadWeights(weight, p.weights);
    blockSync();

    // Of the next tile.
    const auto prefetchNext = [&](const float* row) {
      prefetchSamples<4>(reinterpret_cast<uint64_t>(row), (int64_t(first) + 1) * fineRate, floatFineTile * fineRate, r.outputLength);
    };
    if constexpr (skips) {
      prefetchNext(u);
      if (pre) prefetchNext(pre);
    }
    if constexpr (gated) prefetchNext(post);
    // The cell that number m completes is m-th from here on. Before the first cell lie none.
    const ColumnSamples at(first - (floatFineCells - 1), before ? 0 : r.outputLength);
    const auto inRow = [&](int m) { return first > 0 || m == floatFineTile - 1; };
    constexpr int together = 4;
#pragma unroll
    for (int begin = 0; begin < floatFineTile; begin += together) {
      // What the skip term adds to the cells that these numbers complete, and what those are multiplied by.
      const auto load = [&](const float* row, int i) { return inRow(begin + i) ? at.load(row, begin + i) : float2{0, 0}; };
      float2 added[skips ? together : 1], gates[gated ? together : 1];
      if constexpr (skips) {
#pragma unroll
        for (int i = 0; i < together; i++) added[i] = load(u, i);
        if (pre)
#pragma unroll
          for (int i = 0; i < together; i++) added[i] = product(added[i], load(pre, i));
      }
      if constexpr (gated)
#pragma unroll
        for (int i = 0; i < together; i++) gates[i] = load(post, i);
#pragma unroll
      for (int e = 0; e < together; e++) {
        const int m = begin + e;
        const u32 ofFirst = ofNumber(own.first, m), ofSecond = ofNumber(own.second, m);
        const float2 firsts = turned(loadPoint(ofFirst), turnOfFirst), seconds = turned(loadPoint(ofSecond), turnOfSecond);
        storePoint(ofFirst, {0, 0}), storePoint(ofSecond, {0, 0});
        const float v[4] = {firsts.x, seconds.y, seconds.x, firsts.y};
#pragma unroll
        for (int i = 0; i < floatFineCells; i++) {
          const int cell = (m + i + 1) % floatFineCells;
#pragma unroll
          for (int side = 0; side < 2; side++) {
            const FoldTerm term = foldTerm(m, cell, side);
            const float w = weight[side ? floatFineCells - 1 - i : i];
            float& x = side ? cells[cell].y : cells[cell].x;
            x = fmaf(term.minus ? -w : w, v[term.value], i == floatFineCells - 1 ? 0.0f : x);
          }
        }
        float2 x = cells[(m + 1) % floatFineCells];
        if constexpr (skips) x = {fmaf(skip, added[e].x, x.x), fmaf(skip, added[e].y, x.y)};
        if constexpr (gated) x = product(x, gates[e]);
        if (inRow(m)) at.store(y, m, x);
      }
    }
    copyAsyncWaitAll();
    blockSync();
  }
}

}  // namespace
}  // namespace ffc::gpu
