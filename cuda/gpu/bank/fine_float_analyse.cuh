// Samples to numbers of all slots of a fine bank in float32. A block's tiles of 16 numbers follow each other; between fold, steps and what is stored
// of a tile there is a barrier each, for which other blocks fill in.
#pragma once
#include "fine_float.cuh"

namespace ffc::gpu {
namespace {

FFC_MMA_SHARED constexpr int floatFineAnalysisBytes(int slots) { return entriesAt + slots * 16; }

template <bool gated>
FFC_DEVICE void analyseFineFloatsOf(const FloatFineParams& p) {
  const BankRows& r = p.rows;
  const int thread = threadIndex(), lane = thread & 31, warp = thread >> 5;
  const u32 points = sharedBase(), turns = points + floatFineTables, entries = points + entriesAt;
  BankTile tile(p);
  if (tile.left == 0) return;
  loadFloatFineTables(points, p.turnsThere, p.slots, r.slots);
  const ColumnPoints own(points);
  const float *u = nullptr, *pre = nullptr;
  float* numbers = nullptr;
  const int64_t apart = int64_t(r.chunk.rows) * r.pitch;
  // Cell c is at c modulo 16. The next ones are asked for so many numbers ahead; a tile's first ones, and the weights, when its predecessor has been transformed.
  constexpr int ahead = 4;
  float2 window[floatFineCells], coming[ahead], gates[gated ? ahead : 1];
  float weight[floatFineCells];
  loadWeights(weight, p.weights);
  const auto ask = [&](const ColumnSamples& at, int i) {
    coming[i % ahead] = at.load(u, i);
    if constexpr (gated) gates[i % ahead] = at.load(pre, i);
  };
  for (bool begins = true; tile.left > 0; begins = tile.advance(p)) {
    const int first = int(tile.ofRow) * floatFineTile;
    const ColumnSamples at(first, r.length);
    if (begins) {
      const BankRow row(r, tile.row);
      u = reinterpret_cast<const float*>(row.addressOf<4>(r.u, r.uStride)), pre = reinterpret_cast<const float*>(row.addressOf<4>(r.pre, r.preStride));
      numbers = reinterpret_cast<float*>(row.numbersOf<4>(r));
      // Before the first cell lie zeros, or the last ones.
      const bool there = first > 0 || r.around > 0;
      const ColumnSamples before(there ? (first > 0 ? first : r.around) - floatFineCells : 0, there ? r.length : 0);
#pragma unroll
      for (int i = 1; i < floatFineCells; i++) {
        window[i] = before.load(u, i);
        if constexpr (gated) window[i] = product(window[i], before.load(pre, i));
      }
#pragma unroll
      for (int i = 0; i < ahead; i++) ask(at, i);
    }
    // Of the next tile.
    const auto prefetchNext = [&](const float* row) {
      prefetchSamples<4>(reinterpret_cast<uint64_t>(row), (int64_t(first) + floatFineTile + ahead) * fineRate, floatFineTile * fineRate, r.length);
    };
    prefetchNext(u);
    if constexpr (gated) prefetchNext(pre);
#pragma unroll
    for (int m = 0; m < floatFineTile; m++) {
      window[m] = coming[m % ahead];
      if constexpr (gated) window[m] = product(window[m], gates[m % ahead]);
      if (m + ahead < floatFineTile) ask(at, m + ahead);
      float v[4] = {};
#pragma unroll
      for (int i = 0; i < floatFineCells; i++)
#pragma unroll
        for (int side = 0; side < 2; side++) {
          const int cell = (m + i + 1) % floatFineCells;
          const FoldTerm term = foldTerm(m, cell, side);
          const float w = weight[side ? floatFineCells - 1 - i : i];
          v[term.value] = fmaf(term.minus ? -w : w, side ? window[cell].y : window[cell].x, v[term.value]);
        }
      storePoint(ofNumber(own.first, m), {v[0], v[3]});
      storePoint(ofNumber(own.second, m), {v[2], v[1]});
    }
    blockSync();

    // A warp's lanes are t0 of a number.
#pragma unroll 1
    for (int number = warp; number < floatFineTile; number += floatFineThreads / 32) {
      const u32 from = points + placeOfPoint(number, 0, lane & 15) + (lane & 16) * 8;
      float2 z[fineT1];
#pragma unroll
      for (int t1 = 0; t1 < fineT1; t1++) {
        const float2 v = loadPoint(furtherPoint(from, t1, 0));
        z[bitsReversed(t1, fineT1)] = exchangedParts(t1) ? float2{v.y, v.x} : v;
      }
      transform<false, false>(z, [](int size, int j) { return turnOf64<false>((4 * j + 1) * (16 / size)); });
#pragma unroll
      for (int k0 = 0; k0 < fineK0; k0++) storePoint(furtherPoint(from, k0, 0), z[k0]);
    }
    blockSync();

    // Half a warp's lanes are k0 of a number, whose points are this thread's own.
    {
      const int k0 = lane & 15;
      const u32 from = points + placeOfPoint(2 * warp + (lane >> 4), k0, 0), ofTurns = turns + k0 * 8;
      float2 z[fineT0];
#pragma unroll
      for (int t0 = 0; t0 < fineT0; t0++) z[bitsReversed(t0, fineT0)] = loadPoint(furtherPoint(from, 0, t0));
      transform<false, false>(z, [&](int size, int j) { return loadPoint(ofTurns + placeOfTurn(size, j) * (fineK0 * 8)); });
#pragma unroll
      for (int k1 = 0; k1 < fineK1; k1++) storePoint(furtherPoint(from, 0, k1), z[k1]);
    }
    blockSync();

#pragma unroll
    for (int i = 0; i < ahead; i++) ask(at, floatFineTile + i);
    // Eight lanes are the numbers of a slot, pairs of them.
    {
      constexpr int pairs = floatFineTile / 2, atOnce = floatFineThreads / pairs;
      const int number = thread % pairs * 2, firstSlot = thread / pairs;
      const u32 from = points + number * pointsOfNumber;
      float* to = numbers + firstSlot * apart + first + number;
      const bool inRow = first + number < r.count;  // a multiple of eight
#pragma unroll 4
      for (int slot = firstSlot; slot < r.slots; slot += atOnce, to += atOnce * apart) {
        const FineSlot s = slotAt(entries, slot);
        const u32 place = from + (s.place ^ u32(number * 8));
        const float2 v = loadPoint(place), w = loadPoint(ofNumber(place, 1));
        if (inRow) *reinterpret_cast<float2*>(to) = {fmaf(s.x, v.x, s.y * v.y), fmaf(s.x, w.x, s.y * w.y)};
      }
    }
    loadWeights(weight, p.weights);
    blockSync();
  }
}

}  // namespace
}  // namespace ffc::gpu
