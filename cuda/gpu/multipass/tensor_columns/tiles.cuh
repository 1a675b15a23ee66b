// Tiles of columns: what a warp and its lanes keep for them, which tiles there are, and where their complex points lie
// in shared memory and in scratch. tensor_columns.cuh has the digits.
#pragma once
#include "../../mma/arithmetic.cuh"
#include "../../mma/staging/pieces.cuh"
#include "../../mma/staging/samples.cuh"
#include "../tensor_config.h"
#include "../tensor_largest.cuh"
#include "../tensor_order.cuh"
#include "../tensor_params.h"

namespace ffc::mma {

template <class C>
struct ColumnTiles {
  static constexpr int R = C::R;
  static constexpr bool resampled = C::rate > 1;
  using A = std::conditional_t<C::accurate, FloatArithmetic, HalfArithmetic>;
  using Pair = typename A::Pair;
  using Factor = typename A::Factor;
  using Layout = ColumnTables<C>;
  static constexpr int log2Pieces = C::pieces == 8 ? 3 : 2;
  static constexpr int pairs = C::width / 16;       // of 8-column halves
  static constexpr u32 blockBytes = 16 * C::fragmentBytes;  // all rows of one b
  static constexpr int ownPasses = 16 * C::pieces / 32;     // 16-byte pieces of a lane in 16 rows

  const ColumnParams& p;
  const int warp, lane, g, c;
  // The outer digit of the rows that this warp transforms. A scheduler has every fourth warp; this order, a Latin
  // square, deals it both neighbouring digits and every second or fourth one, so that what a pattern keeps is shared by
  // all four.
  const int ka;
  u32 samples, points, word;  // shared memory: real samples, complex points (real plane, imaginary plane), largest values
  u32 atSamples, atOuter, atInner, atPaired;  // this lane's row in the 8x8 matrices
  u32 matrix[2][4], inner[2][4];

  FFC_DEVICE explicit ColumnTiles(const ColumnParams& params)
      : p(params), warp(threadIndex() >> 5), lane(threadIndex() & 31), g(lane >> 2), c(lane & 3),
        ka((warp & 12) | ((warp - (warp >> 2)) & 3)) {
    samples = sharedBase();
    points = samples + R * 16 * C::ownSampleBytes;
    word = points + 2 * C::planeBytes;
    const int row8 = lane & 7, half = lane >> 3 & 1, piece = lane >> 4, row = half * 8 + row8;
    atSamples = samples + warp * C::ownSampleBytes + place(row, piece, 0);
    atOuter = points + row * C::fragmentBytes + place(warp, piece, row);
    atInner = points + ka * C::fragmentBytes + place(row, piece, ka);
    // The half-cost transform yields +f and -f: rows j of the first half, mirrored rows of the second.
    const int inside = (1 << p.log2Inner) / 2, j = row8 & (inside - 1), base = (row8 - j) * 2;
    atPaired = points + ka * C::fragmentBytes + place(base + (half ? 2 * inside - 1 - j : j), piece, ka);
  }

  // Of this warp's.
  FFC_DEVICE bool anyRowKept() const {
    if (!p.slotOf) return true;
    u32 any = 0;
    for (int i = lane; i < R << p.log2Inner; i += 32) any |= p.slotOf[ka + 16 * i] >= 0;
    return warpMax(any) != 0;
  }

  // Piece `piece` of row `row` of a fragment: eight rows of one piece (consecutive, or the ones that are paired), and
  // eight fragments `mix` at one row and piece, lie in different 16-byte columns of a bank line. A neighbouring pair of
  // pieces is an XOR with 32.
  FFC_DEVICE static u32 place(int row, int piece, int mix) {
    if constexpr (C::pieces == 8)
      return row * 128 + ((piece ^ row ^ (row & 8 ? 7 : 0) ^ mix) & 7) * 16;
    else
      return (row >> 1) * 128 + ((((row & 1) * 4 + piece) ^ (row >> 1 & 3) ^ mix) & 7) * 16;
  }

  FFC_DEVICE u32 table(int offset, int i) const {
    return loadConstant4(static_cast<const u32*>(p.tables) + offset + i * 32 + lane);
  }
  FFC_DEVICE void loadMatrix(u32 (&to)[4], int index) const {
    const uint4 v = loadConstant16(static_cast<const uint4*>(p.tables) + warp * 128 + index * 32 + lane);
    to[0] = v.x, to[1] = v.y, to[2] = v.z, to[3] = v.w;
  }

  struct Tile {
    int sequence, index;  // within the launch, within the sequence
    int b, h;
  };
  FFC_DEVICE Tile tileAt(int t) const { return tileOf(t >> p.log2Tiles, t & ((1 << p.log2Tiles) - 1)); }
  FFC_DEVICE Tile tileOf(int sequence, int index) const {
    Tile tile;
    tile.sequence = sequence;
    tile.index = index;
    const int row = p.first + tile.sequence;
    tile.h = p.batchMagic ? int(highProduct(row, p.batchMagic) >> p.batchShift) : row;
    tile.b = row - tile.h * p.batch;
    return tile;
  }
  FFC_DEVICE int tiles() const { return p.sequences << p.log2Tiles; }
  FFC_DEVICE static uint64_t rowOf(const Rows& r, const Tile& t) {
    return reinterpret_cast<uint64_t>(r.data) + int64_t(t.b) * r.batchStride + int64_t(t.h) * r.channelStride;
  }
  FFC_DEVICE int phaseOf(const Tile& t) const { return p.phased ? int(rowOf(p.u, t) >> 1) & 7 : 0; }
  FFC_DEVICE int columnsOf(const Tile& t) const { return t.index << (4 - p.log2Inner + log2Pieces + 3); }

  // This warp's rows of complex points: body(shared address, address in scratch, is it kept) for each 16-byte piece. A
  // warp moves rows of 128 (or 64) bytes.
  template <class Body>
  FFC_DEVICE void forOwnPoints(const Tile& t, Body&& body) const {
    const u32 plane = 8192u << p.log2Q;
    char* const sequence = p.scratch + t.sequence * p.sequenceBytes;
    const int first = t.index << (4 - p.log2Inner), inside = (1 << p.log2Inner) - 1;
#pragma unroll
    for (int i = 0; i < ownPasses; i++) {
      const int row = (lane >> log2Pieces) + i * (32 >> log2Pieces);
      const int unit = first + (row >> p.log2Inner);  // group of columns
      const int group = C::pieces == 8 ? unit : unit >> 1;
      const int piece = (lane & (C::pieces - 1)) + (C::pieces == 8 ? 0 : (unit & 1) * 4);
      const u32 within = group * 128 + (piece ^ pieceTurn(group, p.log2Q)) * 16;
      char* at = sequence + (u32(ka + 16 * (row & inside)) * (2 * plane) + within);  // rows of one b lie within 2^32 bytes
      const u32 shared = points + ka * C::fragmentBytes + place(row, lane & (C::pieces - 1), ka);
#pragma unroll
      for (int b = 0; b < R; b++) {
        bool kept = true;
        if (p.slotOf) {
          const int slot = p.slotOf[ka + 16 * ((row & inside) + (b << p.log2Inner))];
          kept = slot >= 0;
          at = sequence + (int64_t(slot) * (2 * plane) + within);
        }
        body(shared + b * blockBytes, at, kept);
        body(shared + b * blockBytes + C::planeBytes, at + plane, kept);
        if (b + 1 < R) at += u32(32 << p.log2Inner) * plane;
      }
    }
  }
};

}  // namespace ffc::mma
