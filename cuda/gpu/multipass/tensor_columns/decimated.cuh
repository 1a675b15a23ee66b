// From samples to the ring's numbers where it has fewer of these: the first pass makes those of a tile, four rows of a warp at a time.
#pragma once
#include "resampled.cuh"

namespace ffc::mma {

template <class C>
struct DecimatedSamples : ResampledColumns<C> {
  using Base = ResampledColumns<C>;
  using typename Base::Tile, typename Base::Filters;
  using Base::p, Base::lane, Base::ka, Base::points, Base::place, Base::rowOf, Base::warp, Base::columnsOf, Base::samples;
  using Base::word, Base::g, Base::c, Base::filterStep, Base::negated;
  using Base::Base;

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
};

}  // namespace ffc::mma
