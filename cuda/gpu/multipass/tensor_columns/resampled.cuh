// The same for a band of frequencies, whose ring has a number for every second or fourth sample
// (tensor_resampling.cuh): the first pass makes the numbers of a tile from samples, and tiles of the last one overlap
// by the neighbours that its outputs need.
#pragma once
#include "../tensor_filters.h"
#include "../tensor_resampling.cuh"
#include "samples.cuh"
#include "skip_term.cuh"

namespace ffc::mma {

template <class C>
struct ResampledColumns : ColumnSamples<C> {
  using Base = ColumnSamples<C>;
  using typename Base::Tile;
  using Base::p, Base::lane, Base::ownPasses, Base::log2Pieces, Base::ka, Base::points, Base::place, Base::rowOf, Base::tileOf;
  using Base::warp, Base::columnsOf, Base::samples, Base::word, Base::g, Base::c;
  using Base::Base;
  using Filters = FilterTables<C>;

  // ---- filters
  FFC_DEVICE u32 filters() const { return word + 16 + C::leftOverBytes; }
  // Those of this pass, from a word of the table on; a block-wide barrier has to follow.
  FFC_DEVICE void fetchFilters(int from, int bytes) const {
    const char* const source = static_cast<const char*>(p.filters) + from * 4;
    for (int i = threadIndex() * 16; i < bytes; i += threads * 16) sharedStore16(filters() + i, loadConstant16(source + i));
  }
  FFC_DEVICE uint4 filterStep(int step) const { return sharedLoad16(filters() + step * C::filterStepBytes + lane * 16); }
  // Whether the coefficients for these sixteen numbers of the ring are minus those of the matrices.
  FFC_DEVICE bool negated(int sixteen) const { return p.alternates && (sixteen & 1); }

  // Of the last pass, resampled: groups begin ownPieces after one another, so that each has its neighbours in its last
  // piece. The ring's last numbers have the first ones of the next row as neighbours: piece N2 / 8, which is piece 0
  // moved by a row (turnNeighbours).
  FFC_DEVICE Tile overlappedTileAt(int t) const {
    const int sequence = t / p.outTiles;
    return tileOf(sequence, t - sequence * p.outTiles);
  }
  FFC_DEVICE int rowPieces() const { return 512 << p.log2Q; }  // N2 / 8
  FFC_DEVICE int firstPieceOf(const Tile& t, int group) const { return ((t.index << (4 - p.log2Inner)) + group) * C::ownPieces; }
  // body(shared address, address in scratch, is there such a piece) for each.
  template <class Body>
  FFC_DEVICE void forOverlappedPoints(const Tile& t, Body&& body) const {
    const u32 plane = 8192u << p.log2Q;
    const int inside = (1 << p.log2Inner) - 1, piece = lane & (C::pieces - 1);
    char* const sequence = p.scratch + t.sequence * p.sequenceBytes;
#pragma unroll
    for (int i = 0; i < ownPasses; i++) {
      const int row = (lane >> log2Pieces) + i * (32 >> log2Pieces);
      const int number = firstPieceOf(t, row >> p.log2Inner) + piece;
      const bool there = number <= rowPieces();
      const int inRow = number < rowPieces() ? number : 0, group = inRow >> 3;
      const u32 within = group * 128 + ((inRow & 7) ^ pieceTurn(group, p.log2Q)) * 16;
      char* const at = sequence + (u32(ka + 16 * (row & inside)) * (2 * plane) + within);
      const u32 shared = points + ka * C::fragmentBytes + place(row, piece, ka);
      body(shared, at, there);
      body(shared + C::planeBytes, at + plane, there);
    }
  }
  // Moved by a row: times e^{2 pi i (k1 - quarters / 4) / N1}. Of the last row they become what follows the ring: its imaginary
  // part, or its beginning.
  FFC_DEVICE void turnNeighbours(const Tile& t) const {
    const int piece = rowPieces() - firstPieceOf(t, (lane & 15) >> p.log2Inner), inside = (1 << p.log2Inner) - 1;
    if (lane < 16 && piece >= 0 && piece < C::pieces) {
      const u32 at = points + ka * C::fragmentBytes + place(lane, piece, ka);
      const float2 w = rootOfUnity(4 * (ka + 16 * (lane & inside)) - p.quarters, 6 + p.log2Inner);  // e^{-2 pi i m / 2^bits}
      uint4 re = sharedLoad16(at), im = sharedLoad16(at + C::planeBytes);
      u32 x[4] = {re.x, re.y, re.z, re.w}, y[4] = {im.x, im.y, im.z, im.w};
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const float2 a = unpackHalf(x[i]), b = unpackHalf(y[i]);
        x[i] = packHalf(a.x * w.x + b.x * w.y, a.y * w.x + b.y * w.y);
        y[i] = packHalf(b.x * w.x - a.x * w.y, b.y * w.x - a.y * w.y);
      }
      sharedStore16(at, uint4{x[0], x[1], x[2], x[3]});
      sharedStore16(at + C::planeBytes, uint4{y[0], y[1], y[2], y[3]});
    }
    warpSync();
  }

  FFC_DEVICE u32 rawAt(int i) const { return samples + warp * C::ownSampleBytes + i % C::rawBuffers * C::rawBytes; }
  // The samples that rows 4 i .. 4 i + 3 of this warp's numbers are made of: body(shared address, first sample) for each piece.
  template <class Body>
  FFC_DEVICE void forRaw(const Tile& t, int i, Body&& body) const {
    const int m = warp & ((1 << p.log2Inner) - 1), column = columnsOf(t) + (warp >> p.log2Inner) * C::width;
    const u32 to = rawAt(i);
    for (int e = lane; e < C::rawRows * C::rawPieces; e += 32) {
      const int a = e / C::rawPieces, piece = e - a * C::rawPieces;
      const int n = (((a + C::rawRows * i) << p.log2Inner | m) << (12 + p.log2Q)) + column - ringNeighbours;
      const int first = C::rate * n + 8 * piece;
      body(to + (a * C::rawPieces + turnedPiece<C::rate>(piece)) * 16, p.quarters ? first : first & (p.length - 1));
    }
  }
  FFC_DEVICE void orderRaw(const Tile& t, int i) const {
    const uint64_t row = rowOf(p.u, t);
    forRaw(t, i, [&](u32 shared, int first) { fillPiece(shared, row, first, p.length, false); });
    copyAsyncCommit();
  }
  // Products with the gate in the samples' place, halves times the power of two that is returned.
  FFC_DEVICE float gateRaw(const Tile& t, int i) const {
    const uint64_t gate = rowOf(p.pre, t);
    const auto forProducts = [&](auto&& body) {
      forRaw(t, i, [&](u32 shared, int first) {
        float x[8];
        unpackSamples<C>(sharedLoad16(shared), x);
        multiplySamples<C>(x, gate, first, p.length);
        body(x, shared);
      });
    };
    u32 most = 0;
    forProducts([&](const float(&x)[8], u32) {
#pragma unroll
      for (int o = 0; o < 8; o++) most = largerSize(most, x[o]);
    });
    const int exponent = tileExponent(largestCode(warpMax(most)));
    const float scale = powerOfTwo(exponent);
    forProducts([&](const float(&x)[8], u32 shared) {
      sharedStore16(shared, uint4{packHalf(x[0] * scale, x[1] * scale), packHalf(x[2] * scale, x[3] * scale),
                              packHalf(x[4] * scale, x[5] * scale), packHalf(x[6] * scale, x[7] * scale)});
    });
    warpSync();
    return powerOfTwo(-exponent);
  }
  FFC_DEVICE static u32 largerSize(u32 most, float x) {
    const u32 size = floatBits(x) & 0x7fffffffu;
    return size > most ? size : most;
  }

  // This warp's share of the ring's real numbers: [i] of rows 4 i + g / 4 and 4 i + g / 4 + 2, numbers 4c .. 4c + 3 of the
  // (g mod 4)-th sixteen of the group's. The first rows' samples are on their way. Returns the largest, as bits of a float.
  FFC_DEVICE u32 decimateOwn(const Tile& t, float (&numbers)[4][2][4]) const {
    u32 most = 0;
#pragma unroll
    for (int i = 0; i < 4; i++) {
      if (C::rawBuffers > 1 && i < 3) {
        orderRaw(t, i + 1);
        copyAsyncWaitButOne();
      } else {
        copyAsyncWaitAll();
      }
      warpSync();
      const bool gated = p.pre.data != nullptr;
      const float scale = gated ? gateRaw(t, i) : 1;
      float sum[2][4] = {};
      const u32 row = rawAt(i) + (lane >> 2 & 3) * C::rawPieces * 16;
      const int first = (lane & 3) * 2 * C::rate + (lane >> 4);
#pragma unroll
      for (int step = 0; step < C::downSteps; step++) {
        u32 x[4];
        loadMatrices(row + turnedPiece<C::rate>(first + 2 * step) * 16, x[0], x[1], x[2], x[3]);
#pragma unroll
        for (int part = 0; part < C::downParts; part++) {
          const uint4 f = filterStep(part * C::downSteps + step);
          addProduct(sum[0], x, f.x, f.y, gated);
          addProduct(sum[1], x, f.z, f.w, gated);
        }
      }
      warpSync();
      if (C::rawBuffers == 1 && i < 3) orderRaw(t, i + 1);
#pragma unroll
      for (int below = 0; below < 2; below++)
#pragma unroll
        for (int o = 0; o < 4; o++) {
          numbers[i][below][o] = sum[o >> 1][2 * below + (o & 1)] * scale;
          most = largerSize(most, numbers[i][below][o]);
        }
    }
    return most;
  }
  // Gated products are halves, whatever the samples are.
  FFC_DEVICE static void addProduct(float (&sum)[4], const u32 (&x)[4], u32 b0, u32 b1, bool gated) {
    if (C::bf16 && !gated)
      mmaBfloatAdd(sum, x, b0, b1);
    else
      mmaFloatAdd(sum, x, b0, b1);
  }
  // At the scale of the tile, where the others have their samples.
  FFC_DEVICE void layDown(const float (&numbers)[4][2][4], float scale) const {
    const float factor = negated(g & 3) ? -scale : scale;
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
      for (int below = 0; below < 2; below++) {
        const float(&v)[4] = numbers[i][below];
        const u32 at = samples + warp * C::ownSampleBytes + place(4 * i + (g >> 2) + 2 * below, 2 * (g & 3) + (c >> 1), 0) + (c & 1) * 8;
        sharedStore8(at, packHalf(v[0] * factor, v[1] * factor) | uint64_t(packHalf(v[2] * factor, v[3] * factor)) << 32);
      }
  }
  // The filter reaches past the last sample: numbers N .. N + 7 of the ring's real ones, which are the imaginary part
  // of 0 .. 7. Lanes with i in their low three bits have number N + i.
  FFC_DEVICE float leftOver(const Tile& t) const {
    const uint64_t row = rowOf(p.u, t), gate = rowOf(p.pre, t);
    const int last = C::rate * ((lane & 7) + 1 + (16 << (p.log2Inner + 12 + p.log2Q))) - 1;
    const u32* const taps = static_cast<const u32*>(p.filters) + Filters::ends + (lane & 7) * Filters::taps;
    const auto sampleAt = [](uint64_t tensor, int n) {
      const char* const at = reinterpret_cast<const char*>(tensor) + int64_t(n) * 2;
      return unpackElements<C>(loadFresh1(at) | loadFresh1(at + 1) << 8).x;
    };
    float sum = 0;
#pragma unroll 1
    for (int j = lane >> 3; j < Filters::taps; j += 4) {
      const int n = last - j;
      if (n < p.length) sum += asFloat(loadConstant4(taps + j)) * sampleAt(row, n) * (p.pre.data ? sampleAt(gate, n) : 1);
    }
#pragma unroll
    for (int other = 8; other < 32; other *= 2) sum += asFloat(fromLane(floatBits(sum), lane ^ other));
    return sum;
  }
  // They lie in row n1 = 0, which has the factor 1 in every k1: scaled as the matrices scale it.
  FFC_DEVICE void addLeftOver(int exponent) const {
    const int log2N1 = 4 + p.log2Inner;
    const float scale = powerOfTwo(exponent - (log2N1 + 1) / 2) * (log2N1 & 1 ? 0.70710678f : 1) * powerOfTwo(-(log2N1 / 2));
    if (lane < 1 << p.log2Inner) {
      const u32 at = points + C::planeBytes + ka * C::fragmentBytes + place(lane, 0, ka), from = word + 16;
      const uint4 v = sharedLoad16(at), low = sharedLoad16(from), high = sharedLoad16(from + 16);
      const auto sum = [scale](u32 pair, u32 x, u32 y) {
        const float2 f = unpackHalf(pair);
        return packHalf(f.x + asFloat(x) * scale, f.y + asFloat(y) * scale);
      };
      sharedStore16(at, uint4{sum(v.x, low.x, low.y), sum(v.y, low.z, low.w), sum(v.z, high.x, high.y), sum(v.w, high.z, high.w)});
    }
    warpSync();
  }
  // The lines of this warp's samples, on their way from device memory together. Ordered a tile earlier, they would fill
  // the second-level cache: 128 KB for each block.
  FFC_DEVICE void fetchAhead(const Tile& t) const {
    const uint64_t row = rowOf(p.u, t), gate = rowOf(p.pre, t);
    const int m = warp & ((1 << p.log2Inner) - 1), n1 = ((lane & 15) << p.log2Inner) + m;
    const int column = columnsOf(t) + (warp >> p.log2Inner) * C::width;
    for (int i = lane >> 4; i < C::rate; i += 2) {
      const int n = C::rate * ((n1 << (12 + p.log2Q)) + column) + 64 * i;
      if (n >= p.length) continue;
      prefetch(reinterpret_cast<const void*>(row + int64_t(n) * 2));
      if (p.pre.data) prefetch(reinterpret_cast<const void*>(gate + int64_t(n) * 2));
    }
  }
  // What is read beside this warp's outputs: runs of them, which may begin amid a line.
  template <class Skip>
  FFC_DEVICE void fetchBeside(const Tile& t, const Skip& skip) const {
    constexpr int run = 8 * C::rate * C::ownPieces;
    const int m = warp & ((1 << p.log2Inner) - 1), rowSamples = 8 * C::rate * rowPieces();
    const int from = rowSamples * ((lane & 15) << p.log2Inner | m) + 8 * C::rate * firstPieceOf(t, warp >> p.log2Inner);
    for (int i = 64 * (lane >> 4); i < run + 63; i += 128) skip.fetch(from + (i < run ? i : run - 1));
  }
  // The real part of this warp's rows lies in the samples' place, halved; outputs are those of the group's own pieces, 32 at a
  // time: a lane has eight of rows g and g + 8, four lanes those of a row. They go by way of the points' place, which is this warp's until it
  // orders the next tile: up to 128 outputs of its 16 rows, so that runs of whole lines leave together. In runs of 64 bytes requests to the
  // second-level cache were what the last pass waited for.
  static constexpr int stepOutputs = 32, runOutputs = 128;
  FFC_DEVICE u32 outputsAt(int row, int piece) const {
    return points + ka * C::fragmentBytes + (row >> 3) * C::planeBytes + (row & 7) * (2 * runOutputs) + (piece ^ (row & 1) << 2) * 16;
  }
  template <class Skip>
  FFC_DEVICE void storeInterpolated(const Tile& t, int exponent, const Skip& skip) const {
    const float scale = powerOfTwo(exponent + 1);
    // What is still to meet other samples waits as halves, halved once more: the filter may make the largest larger.
    const bool meets = Skip::present || p.post.data;
    constexpr int runPieces = runOutputs / (8 * C::rate);
#pragma unroll 1
    for (int first = 0; first < C::ownPieces; first += runPieces) {
      interpolate(firstPieceOf(t, warp >> p.log2Inner) + first, first, meets ? 0.5f : scale, meets);
      warpSync();
      storeRuns(t, first, 2 * scale, skip, meets);
      warpSync();
    }
  }
  // A run's outputs times `scale`, from the group's piece `first` on, which is the row's piece `inRow`; as halves, or as they are stored.
  FFC_DEVICE void interpolate(int inRow, int first, float scale, bool halves) const {
    const auto piecesFrom = [&](int piece, u32(&x)[4]) {
      // Behind the last one none is needed: its outputs are not stored, and others have zeros in the filter.
      const int own = piece + (lane >> 4) < C::pieces ? piece + (lane >> 4) : C::pieces - 1;
      loadMatrices(samples + warp * C::ownSampleBytes + place(lane & 15, own, 0), x[0], x[1], x[2], x[3]);
    };
#pragma unroll 1
    for (int i = 0; i < runOutputs / stepOutputs && first + i * C::upPieces < C::ownPieces; i++) {
      const int piece = first + i * C::upPieces, ofRow = inRow + i * C::upPieces;
      float sum[4][4] = {};
      u32 x[4], behind[4];
      piecesFrom(piece, x);
      if constexpr (C::upSteps == 3) {
        piecesFrom(piece + 2, behind);
        behind[2] = behind[3] = 0;
      }
#pragma unroll
      for (int part = 0; part < C::upParts; part++) {
        u32 f[4 * C::upSteps];
#pragma unroll
        for (int step = 0; step < C::upSteps; step++) {
          const uint4 v = filterStep((part * 2 + (ofRow & 1)) * C::upSteps + step);
          f[4 * step] = v.x, f[4 * step + 1] = v.y, f[4 * step + 2] = v.z, f[4 * step + 3] = v.w;
        }
#pragma unroll
        for (int b = 0; b < 4; b++) {
          mmaFloatAdd(sum[b], x, f[b * C::upSteps], f[b * C::upSteps + 1]);
          if constexpr (C::upSteps == 3) mmaFloatAdd(sum[b], behind, f[b * C::upSteps + 2], 0);
        }
      }
      const float factor = negated(ofRow >> 1) ? -scale : scale;
#pragma unroll
      for (int below = 0; below < 2; below++) {
        u32 out[4];
#pragma unroll
        for (int o = 0; o < 4; o++) {
          const float a = sum[o][2 * below] * factor, b = sum[o][2 * below + 1] * factor;
          out[o] = C::bf16 && !halves ? packBfloat(a, b) : packHalf(a, b);
        }
        sharedStore16(outputsAt(g + 8 * below, 4 * i + c), uint4{out[0], out[1], out[2], out[3]});
      }
    }
  }
  // Half a warp stores a row's run, beginning with the group's piece `first`.
  template <class Skip>
  FFC_DEVICE void storeRuns(const Tile& t, int first, float scale, const Skip& skip, bool meets) const {
    const uint64_t outRow = rowOf(p.y, t), post = rowOf(p.post, t);
    const int m = warp & ((1 << p.log2Inner) - 1), rowSamples = 8 * C::rate * rowPieces(), piece = lane & 15;
    const int ofGroup = 8 * (C::rate * first + piece), inRow = 8 * C::rate * firstPieceOf(t, warp >> p.log2Inner) + ofGroup;
    if (ofGroup >= 8 * C::rate * C::ownPieces || inRow >= rowSamples) return;
    const auto outputOf = [&](int row) { return rowSamples * (row << p.log2Inner | m) + inRow; };
    constexpr int together = 2;  // rows whose samples are asked for at once; of four registers are spilled
#pragma unroll 1
    for (int from = lane >> 4; from < 16; from += 2 * together) {
      typename Skip::Samples beside[together];
#pragma unroll
      for (int i = 0; i < together; i++) beside[i] = skip.samplesAt(outputOf(from + 2 * i));
#pragma unroll
      for (int i = 0; i < together; i++) {
        const int row = from + 2 * i, at = outputOf(row);
        if (at >= p.outLength) continue;
        uint4 v = sharedLoad16(outputsAt(row, piece));
        if (meets) {
          float y[8];
          unpackHalves(v, y);
#pragma unroll
          for (int o = 0; o < 8; o++) y[o] *= scale;
          skip.addTo(y, beside[i], at);
          if (p.post.data) multiplySamples<C>(y, post, at, p.outLength);
          v = packSamples<C>(y);
        }
        drainPiece(v, outRow, at, p.outLength);
      }
    }
  }
};

}  // namespace ffc::mma
