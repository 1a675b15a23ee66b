// Real samples of a tile, and their gate, between the tensors and shared memory: each warp those of its own rows.
#pragma once
#include "tiles.cuh"

namespace ffc::mma {

template <class C>
struct ColumnSamples : ColumnTiles<C> {
  using Base = ColumnTiles<C>;
  using typename Base::Tile;
  using Base::ownPasses, Base::R, Base::lane, Base::warp, Base::p, Base::columnsOf, Base::log2Pieces, Base::samples;
  using Base::blockBytes, Base::place, Base::tileAt, Base::rowOf, Base::phaseOf;
  using Base::Base;

  FFC_DEVICE static u32 magnitude(uint4 v) {
    const u32 mask = 0x7fff7fffu;
    const u32 m = largerHalves(largerHalves(v.x & mask, v.y & mask), largerHalves(v.z & mask, v.w & mask));
    return m;
  }
  FFC_DEVICE static u32 floatOfMagnitude(u32 pair) {
    const u32 m = (pair & 0xffffu) > pair >> 16 ? pair & 0xffffu : pair >> 16;
    return C::bf16 ? m << 16 : floatBits(unpackHalf(m).x);
  }
  // This warp's samples, which no other warp touches: body(piece of the lane, shared address, sample number). A warp
  // moves runs of 128 (or 64) bytes.
  static constexpr int samplePieces = ownPasses * R;  // of a lane
  template <class Body>
  FFC_DEVICE void forOwnSamples(const Tile& t, Body&& body) const {
    const int piece = lane & (C::pieces - 1), m = warp & ((1 << p.log2Inner) - 1);
    const int column = columnsOf(t) + (warp >> p.log2Inner) * C::width + piece * 8;
#pragma unroll
    for (int i = 0; i < ownPasses; i++) {
      const int a = (lane >> log2Pieces) + i * (32 >> log2Pieces);
#pragma unroll
      for (int b = 0; b < R; b++) {
        const int row = ((a << p.log2Inner) + m) * R + b;
        body(i * R + b, samples + b * blockBytes + warp * C::ownSampleBytes + place(a, piece, 0), (row << (12 + p.log2Q)) + column);
      }
    }
  }

  // A row of N samples on a 16-byte boundary: every piece is whole.
  FFC_DEVICE bool wholeRow(uint64_t row, int length) const {
    return (row & 15) == 0 && length >> (16 + p.log2Inner + (R == 4 ? 2 : 0) + p.log2Q) == 1;
  }
  FFC_DEVICE void load(int t) const {
    const Tile tile = tileAt(t);
    const uint64_t row = rowOf(p.u, tile);
    if (wholeRow(row, p.length)) {
      forOwnSamples(tile, [&](int, u32 shared, int n) { copyAsync16(shared, reinterpret_cast<const char*>(row) + u32(n) * 2); });
      return;
    }
    const int phase = phaseOf(tile);
    forOwnSamples(tile, [&](int, u32 shared, int n) { fillPiece(shared, row, n - phase, p.length, false); });
  }

  FFC_DEVICE void store(const Tile& t) const {
    const uint64_t row = rowOf(p.y, t);
    if (wholeRow(row, p.outLength)) {
      forOwnSamples(t, [&](int, u32 shared, int n) { storeStream16(reinterpret_cast<char*>(row) + u32(n) * 2, sharedLoad16(shared)); });
      return;
    }
    const int phase = phaseOf(t);
    forOwnSamples(t, [&](int, u32 shared, int n) {
      if (n - phase < p.outLength && n - phase + 8 > 0) drainPiece(sharedLoad16(shared), row, n - phase, p.outLength);
    });
  }

  FFC_DEVICE static void product(uint4 u, uint4 gate, float2 (&v)[4]) {
    const u32 a[4] = {u.x, u.y, u.z, u.w}, b[4] = {gate.x, gate.y, gate.z, gate.w};
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const float2 x = unpackElements<C>(a[i]), y = unpackElements<C>(b[i]);
      v[i] = {x.x * y.x, x.y * y.y};
    }
  }
  // The gate of this lane's samples.
  FFC_DEVICE void fetchGate(const Tile& t, uint4 (&gate)[samplePieces]) const {
    const uint64_t row = rowOf(p.pre, t);
    const int phase = phaseOf(t);
    forOwnSamples(t, [&](int i, u32, int n) { gate[i] = gatherPiece(row, n - phase, p.length); });
  }
  // Products are made twice: for their maximum, which the scale of the tile follows from, and to be stored in the
  // samples' place.
  FFC_DEVICE u32 largestGated(const Tile& t, const uint4 (&gate)[samplePieces]) const {
    u32 most = 0;
    forOwnSamples(t, [&](int piece, u32 shared, int) {
      float2 v[4];
      product(sharedLoad16(shared), gate[piece], v);
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const u32 x = floatBits(v[i].x) & 0x7fffffffu, y = floatBits(v[i].y) & 0x7fffffffu;
        most = x > most ? x : most;
        most = y > most ? y : most;
      }
    });
    return most;
  }
  FFC_DEVICE void applyGate(const Tile& t, const uint4 (&gate)[samplePieces], float scale) const {
    forOwnSamples(t, [&](int piece, u32 shared, int) {
      float2 v[4];
      product(sharedLoad16(shared), gate[piece], v);
      u32 h[4];
#pragma unroll
      for (int i = 0; i < 4; i++) h[i] = packHalf(v[i].x * scale, v[i].y * scale);
      sharedStore16(shared, uint4{h[0], h[1], h[2], h[3]});
    });
  }
};

}  // namespace ffc::mma
