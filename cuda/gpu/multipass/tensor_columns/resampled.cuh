// The same for a band of low frequencies, whose ring has a number for every second or fourth sample
// (tensor_resampling.cuh): the first pass makes the numbers of a tile from samples, and tiles of the last one overlap
// by the neighbours that its outputs need.
#pragma once
#include "../tensor_resampling.cuh"
#include "samples.cuh"

namespace ffc::mma {

template <class C>
struct ResampledColumns : ColumnSamples<C> {
  using Base = ColumnSamples<C>;
  using typename Base::Tile;
  using Base::p, Base::lane, Base::ownPasses, Base::log2Pieces, Base::ka, Base::points, Base::place, Base::rowOf;
  using Base::warp, Base::columnsOf, Base::samples, Base::fill, Base::samplePieces, Base::forOwnSamples, Base::word;
  using Base::Base;

  // Of the last pass, resampled: groups begin ownPieces after one another, so that each has its neighbours in its last
  // piece. The ring's last numbers have the first ones of the next row as neighbours: piece N2 / 8, which is piece 0
  // moved by a row (turnNeighbours).
  FFC_DEVICE Tile overlappedTileAt(int t) const {
    Tile tile;
    tile.sequence = t / p.outTiles;
    tile.index = t - tile.sequence * p.outTiles;
    const int row = p.first + tile.sequence;
    tile.h = p.batchMagic ? int(highProduct(row, p.batchMagic) >> p.batchShift) : row;
    tile.b = row - tile.h * p.batch;
    return tile;
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
  // Moved by a row: times e^{2 pi i (k1 - 1/4) / N1}. Of the last row they become what follows the ring: its imaginary
  // part.
  FFC_DEVICE void turnNeighbours(const Tile& t) const {
    const int piece = rowPieces() - firstPieceOf(t, (lane & 15) >> p.log2Inner), inside = (1 << p.log2Inner) - 1;
    if (lane < 16 && piece >= 0 && piece < C::pieces) {
      const u32 at = points + ka * C::fragmentBytes + place(lane, piece, ka);
      const float2 w = rootOfUnity(4 * (ka + 16 * (lane & inside)) - 1, 6 + p.log2Inner);  // e^{-2 pi i m / 2^bits}
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

  // The samples that rows 4 i .. 4 i + 3 of this warp's numbers are made of, on their way.
  FFC_DEVICE void orderRaw(const Tile& t, int i) const {
    const uint64_t row = rowOf(p.u, t);
    const int m = warp & ((1 << p.log2Inner) - 1), column = columnsOf(t) + (warp >> p.log2Inner) * C::width;
    const u32 to = samples + warp * C::ownSampleBytes + i % C::rawBuffers * C::rawBytes;
    for (int e = lane; e < C::rawRows * C::rawPieces; e += 32) {
      const int a = e / C::rawPieces, piece = e - a * C::rawPieces;
      const int n = (((a + C::rawRows * i) << p.log2Inner | m) << (12 + p.log2Q)) + column - ringNeighbours;
      fill(to + (a * C::rawPieces + turnedPiece<C::rate>(piece)) * 16, row, C::rate * n + 8 * piece, p.length);
    }
    copyAsyncCommit();
  }
  // This warp's share of the ring's real numbers, each piece of eight at a scale of its own until that of the tile is
  // known: times 2^tileExponent(code). Returns the codes, a byte a piece. The first rows' samples are on their way.
  FFC_DEVICE u32 decimateOwn(const Tile& t, u32 (&numbers)[samplePieces][4]) const {
    u32 codes = 0;
    forOwnSamples(t, [&](int i, u32, int n) {
      if (C::rawBuffers > 1 && i + 1 < samplePieces) {
        orderRaw(t, i + 1);
        copyAsyncWaitButOne();
      } else {
        copyAsyncWaitAll();
      }
      warpSync();
      float sum[8] = {};
      const u32 from = samples + warp * C::ownSampleBytes + i % C::rawBuffers * C::rawBytes + (lane >> log2Pieces) * C::rawPieces * 16;
      const int mine = (lane & (C::pieces - 1)) * C::rate;
      forEachPiece<C::rate + C::rate * ringNeighbours / 8>([&](auto piece) {
        float x[8];
        unpackSamples<C>(sharedLoad16(from + turnedPiece<C::rate>(mine + decltype(piece)::value) * 16), x);
        if (p.pre.data) multiplySamples<C>(x, rowOf(p.pre, t), C::rate * (n - ringNeighbours) + 8 * decltype(piece)::value, p.length);
        decimate<C::rate, decltype(piece)::value>(sum, x, p.filter);
      });
      warpSync();
      if (C::rawBuffers == 1 && i + 1 < samplePieces) orderRaw(t, i + 1);
      u32 most = 0;
#pragma unroll
      for (int o = 0; o < 8; o++) {
        const u32 size = floatBits(sum[o]) & 0x7fffffffu;
        most = size > most ? size : most;
      }
      const int code = largestCode(most);
      const float scale = powerOfTwo(tileExponent(code));
#pragma unroll
      for (int o = 0; o < 4; o++) numbers[i][o] = packHalf(sum[2 * o] * scale, sum[2 * o + 1] * scale);
      codes |= u32(code) << (8 * i);
    });
    return codes;
  }
  FFC_DEVICE static u32 largestOfCodes(u32 codes) {
    u32 most = 0;
#pragma unroll
    for (int i = 0; i < samplePieces; i++) most = (codes >> (8 * i) & 255) > most ? codes >> (8 * i) & 255 : most;
    return most << 23;  // as bits of a float
  }
  // At the scale of the tile, where the others have their samples.
  FFC_DEVICE void layDown(const Tile& t, const u32 (&numbers)[samplePieces][4], u32 codes, int largest) const {
    forOwnSamples(t, [&](int i, u32 shared, int) {
      const int code = codes >> (8 * i) & 255;
      const float down = powerOfTwo(tileExponent(largest) - tileExponent(code));
      const u32 factor = packHalf(down, down);
      const u32(&v)[4] = numbers[i];
      sharedStore16(shared, uint4{halfMul(v[0], factor), halfMul(v[1], factor), halfMul(v[2], factor), halfMul(v[3], factor)});
    });
  }
  // The filter reaches past the last sample: numbers N .. N + 3 of the ring's real ones, which are the imaginary part
  // of 0 .. 3. Lanes with i in their low two bits have number N + i.
  FFC_DEVICE float leftOver(const Tile& t) const {
    const uint64_t row = rowOf(p.u, t), gate = rowOf(p.pre, t);
    const int last = C::rate * ((lane & 3) + 1 + (16 << (p.log2Inner + 12 + p.log2Q))) - 1;
    const auto sampleAt = [](uint64_t tensor, int n) {
      const char* const at = reinterpret_cast<const char*>(tensor) + int64_t(n) * 2;
      return unpackElements<C>(loadFresh1(at) | loadFresh1(at + 1) << 8).x;
    };
    float sum = 0;
#pragma unroll
    for (int i = 0; i < C::rate * (1 + ringNeighbours); i += 8) {
      const int j = i + (lane >> 2), n = last - j;
      if (j < C::rate * (1 + ringNeighbours) && n < p.length)
        sum += p.filter[j] * sampleAt(row, n) * (p.pre.data ? sampleAt(gate, n) : 1);
    }
#pragma unroll
    for (int other = 4; other < 32; other *= 2) sum += asFloat(fromLane(floatBits(sum), lane ^ other));
    return sum;
  }
  // They lie in row n1 = 0, which has the factor 1 in every k1: scaled as the matrices scale it.
  FFC_DEVICE void addLeftOver(int exponent) const {
    const int log2N1 = 4 + p.log2Inner;
    const float scale = powerOfTwo(exponent - (log2N1 + 1) / 2) * (log2N1 & 1 ? 0.70710678f : 1) * powerOfTwo(-(log2N1 / 2));
    if (lane < 1 << p.log2Inner) {
      const u32 at = points + C::planeBytes + ka * C::fragmentBytes + place(lane, 0, ka), from = word + 16;
      const uint4 values = sharedLoad16(from);
      uint4 v = sharedLoad16(at);
      const float2 a = unpackHalf(v.x), b = unpackHalf(v.y);
      v.x = packHalf(a.x + asFloat(values.x) * scale, a.y + asFloat(values.y) * scale);
      v.y = packHalf(b.x + asFloat(values.z) * scale, b.y + asFloat(values.w) * scale);
      sharedStore16(at, v);
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
  // The real part of this warp's rows lies in the samples' place, halved; outputs are those of the group's own pieces.
  // Neighbouring lanes have neighbouring ones, eight each.
  FFC_DEVICE void storeInterpolated(const Tile& t, int exponent) const {
    const uint64_t row = rowOf(p.y, t), post = rowOf(p.post, t);
    const float scale = powerOfTwo(exponent + 1);
    constexpr int inRow = C::ownPieces * C::rate, each = 8 / C::rate;  // lanes' shares of a row; numbers that a share begins after the last
    const int m = warp & ((1 << p.log2Inner) - 1);
    const int first = 8 * C::rate * firstPieceOf(t, warp >> p.log2Inner), rowSamples = 8 * C::rate * rowPieces();
#pragma unroll 2
    for (int e = lane; e < 16 * inRow; e += 32) {
      const int a = e / inRow, share = e - a * inRow;
      if (first + 8 * share >= rowSamples) continue;
      float z[each + ringNeighbours];
#pragma unroll
      for (int i = 0; i < each + ringNeighbours; i += 2) {
        const int number = each * share + i;
        const float2 pair = unpackHalf(sharedLoad4(samples + warp * C::ownSampleBytes + place(a, number >> 3, 0) + (number & 7) * 2));
        z[i] = pair.x * scale, z[i + 1] = pair.y * scale;
      }
      float y[8];
      interpolate<C::rate>(y, z, p.filter);
      const int at = rowSamples * (a << p.log2Inner | m) + first + 8 * share;
      if (at >= p.outLength) continue;
      if (p.post.data) multiplySamples<C>(y, post, at, p.outLength);
      u32 out[4];
#pragma unroll
      for (int o = 0; o < 4; o++) out[o] = C::bf16 ? packBfloat(y[2 * o], y[2 * o + 1]) : packHalf(y[2 * o], y[2 * o + 1]);
      drainPiece(uint4{out[0], out[1], out[2], out[3]}, row, at, p.outLength);
    }
  }
};

}  // namespace ffc::mma
