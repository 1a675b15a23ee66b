// The first and the last pass on tensor cores: transforms over n1 for a tile of neighbouring columns. A tile is what the 16
// warps of a block see as 16 x 16 R rows of `width` columns: N1 = 16 C R, C = 1 << log2Inner, and 16 / C groups of columns side
// by side, told apart by the upper part of the warps' digit w.
//   digits n1 = a | m | b (radices 16, C, R), k1 = ka + 16 (km + C kb)
//   outer   (warp w = group | m)  a <-> ka: one complex 16 x 16 matrix per m, with the shift and the twiddle of m; a warp brings
//           in the samples of its own rows, and the next tile's as soon as they are in registers
//   inner   (one ka a warp)       m <-> km by the half-cost transform (mma/DESIGN), b <-> kb a butterfly in registers
// Between them lies one exchange through shared memory; inner works in place on the rows of its own warp, and the same warp moves
// them to or from scratch, without a barrier. In a frequency-sparse plan a warp whose ka has no kept row skips inner and moves
// nothing. Two blocks share a multiprocessor (one for R = 4), so that one computes while the
// other waits for memory.
//
// Of a band of low frequencies (rate > 1) the ring has a number for every second or fourth sample. The first pass makes the numbers of a
// tile from samples, four rows of a warp at a time; each tile of the last pass overlaps the next one by the eight columns that its
// outputs need as neighbours.
#pragma once
#include "../mma/arithmetic.cuh"
#include "../mma/staging.cuh"
#include "tensor_config.h"
#include "tensor_largest.cuh"
#include "tensor_order.cuh"
#include "tensor_params.h"
#include "tensor_resampling.cuh"

namespace ffc::mma {

template <class C>
struct Columns {
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
  // The outer digit of the rows that this warp transforms. A scheduler has every fourth warp; this order, a Latin square, deals it
  // both neighbouring digits and every second or fourth one, so that what a pattern keeps is shared by all four.
  const int ka;
  u32 samples, points, word;  // shared memory: real samples, complex points (real plane, imaginary plane), largest values
  u32 atSamples, atOuter, atInner, atPaired;  // this lane's row in the 8x8 matrices
  u32 matrix[2][4], inner[2][4];

  FFC_DEVICE explicit Columns(const ColumnParams& params)
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

  // Piece `piece` of row `row` of a fragment: eight rows of one piece (consecutive, or the ones that are paired), and eight
  // fragments `mix` at one row and piece, lie in different 16-byte columns of a bank line. A neighbouring pair of pieces is an XOR with 32.
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

  // ---------------------------------------------------------------- tiles

  struct Tile {
    int sequence, index;  // within the launch, within the sequence
    int b, h;
  };
  FFC_DEVICE Tile tileAt(int t) const {
    Tile tile;
    tile.sequence = t >> p.log2Tiles;
    tile.index = t & ((1 << p.log2Tiles) - 1);
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

  // Of the last pass, resampled: groups begin ownPieces after one another, so that each has its neighbours in its last piece. The ring's
  // last numbers have the first ones of the next row as neighbours: piece N2 / 8, which is piece 0 moved by a row (turnNeighbours).
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
  // Moved by a row: times e^{2 pi i (k1 - 1/4) / N1}. Of the last row they become what follows the ring: its imaginary part.
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

  // This warp's rows of complex points: body(shared address, address in scratch, is it kept) for each 16-byte piece. A warp moves rows of
  // 128 (or 64) bytes.
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

  // ---------------------------------------------------------------- real samples

  FFC_DEVICE static u32 magnitude(uint4 v) {
    const u32 mask = 0x7fff7fffu;
    const u32 m = largerHalves(largerHalves(v.x & mask, v.y & mask), largerHalves(v.z & mask, v.w & mask));
    return m;
  }
  FFC_DEVICE static u32 floatOfMagnitude(u32 pair) {
    const u32 m = (pair & 0xffffu) > pair >> 16 ? pair & 0xffffu : pair >> 16;
    return C::bf16 ? m << 16 : floatBits(unpackHalf(m).x);
  }
  FFC_DEVICE static uint4 pieceOf(uint64_t row, int first, int length) {
    const uint64_t at = row + int64_t(first) * 2;
    if (first >= length || first + 8 <= 0) return uint4{0, 0, 0, 0};
    if (first >= 0 && first + 8 <= length && (at & 15) == 0) return loadStream16(reinterpret_cast<const void*>(at));
    return gatherSamples(reinterpret_cast<const char*>(row), first, length, false);
  }
  FFC_DEVICE static void fill(u32 target, uint64_t row, int first, int length) {
    const uint64_t at = row + int64_t(first) * 2;
    if (first >= 0 && first + 8 <= length && (at & 15) == 0)
      copyAsync16(target, reinterpret_cast<const void*>(at));
    else
      sharedStore16(target, pieceOf(row, first, length));
  }

  // This warp's samples, which no other warp touches: body(piece of the lane, shared address, sample number). A warp moves
  // runs of 128 (or 64) bytes.
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
    forOwnSamples(tile, [&](int, u32 shared, int n) { fill(shared, row, n - phase, p.length); });
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
    forOwnSamples(t, [&](int i, u32, int n) { gate[i] = pieceOf(row, n - phase, p.length); });
  }
  // Products are made twice: for their maximum, which the scale of the tile follows from, and to be stored in the samples' place.
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

  // ---------------------------------------------------------------- real samples of another rate

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
  // This warp's share of the ring's real numbers, each piece of eight at a scale of its own until that of the tile is known:
  // times 2^tileExponent(code). Returns the codes, a byte a piece. The first rows' samples are on their way.
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
  // The filter reaches past the last sample: numbers N .. N + 3 of the ring's real ones, which are the imaginary part of 0 .. 3. Lanes
  // with i in their low two bits have number N + i.
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
  // The lines of this warp's samples, on their way from device memory together. Ordered a tile earlier, they would fill the
  // second-level cache: 128 KB for each block.
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
  // The real part of this warp's rows lies in the samples' place, halved; outputs are those of the group's own pieces. Neighbouring
  // lanes have neighbouring ones, eight each.
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

  // ---------------------------------------------------------------- forward

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

  FFC_DEVICE void forward() {
    if constexpr (!resampled) {
      loadMatrix(matrix[0], 0);
      loadMatrix(matrix[1], 1);
    }
#pragma unroll
    for (int i = 0; i < 4; i++) inner[0][i] = table(Layout::inner, i);
    u32 steps[R > 1 ? Layout::forwardSteps : 1];
    if constexpr (R > 1) {
#pragma unroll
      for (int i = 0; i < Layout::forwardSteps; i++) steps[i] = table(Layout::steps + ka * Layout::stepRegisters * 32, i);
    }
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
        u32 numbers[samplePieces][4];
        fetchAhead(tile);
        const u32 codes = decimateOwn(tile, numbers);
        u32 most = largestOfCodes(codes);
        float behind = 0;
        if (tile.index == 0 && warp == 0) {
          behind = leftOver(tile);
          const u32 size = floatBits(behind) & 0x7fffffffu;
          most = size > most ? size : most;
        }
        note(most);
        blockSync();  // points are free: all warps have moved theirs to scratch; and the largest number is known
        const int largest = largestCode(sharedLoad4(word + turn * 4));
        exponent = tileExponent(largest);
        if (tile.index == 0 && warp == 0 && lane < ringNeighbours) sharedStore4(word + 16 + lane * 4, floatBits(behind));
        // For each tile: while numbers are made there is no room for matrices.
#pragma unroll
        for (int i = 0; i < 2; i++) {
          const uint4 v = loadFresh16(static_cast<const uint4*>(p.tables) + warp * 128 + i * 32 + lane);
          matrix[i][0] = v.x, matrix[i][1] = v.y, matrix[i][2] = v.z, matrix[i][3] = v.w;
        }
        layDown(tile, numbers, codes, largest);
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
        if (tile.index == 0) addLeftOver(exponent);
      forOwnPoints(tile, [](u32 shared, char* at, bool kept) {
        if (kept) storePoints(at, sharedLoad16(shared));
      });
    }
  }

  // ---------------------------------------------------------------- inverse

  FFC_DEVICE Factor stepBackward(const u32* steps, int b, int s) const {
    if constexpr (C::accurate) {
      const u32* at = steps + ((b - 1) * 2 + s) * 4;
      return {{asFloat(at[0]), asFloat(at[1])}, {asFloat(at[2]), asFloat(at[3])}};
    } else {
      const u32* at = steps + ((b - 1) * 2 + s) * 2;
      return A::factor(at[0], at[1]);
    }
  }

  FFC_DEVICE void innerInverse(const u32* steps) const {
#pragma unroll
    for (int j = 0; j < pairs; j++) {
      u32 xr[R][4], xi[R][4];
#pragma unroll
      for (int b = 0; b < R; b++) {
        // Plain rows where nothing is summed before the product, so that no sum is rounded.
        const u32 from = ((C::accurate && R == 1 ? atInner : atPaired) + b * blockBytes) ^ (j * 32);
        loadTransposed(from, xr[b][0], xr[b][1], xr[b][2], xr[b][3]);
        loadTransposed(from + C::planeBytes, xi[b][0], xi[b][1], xi[b][2], xi[b][3]);
      }
      u32 outRe[R][4], outIm[R][4];
#pragma unroll
      for (int t = 0; t < 2; t++) {
        if constexpr (C::accurate && R == 1) {
          Pair x[2], y[2];
          A::dot2(x, inner[0], xr[0][2 * t], xr[0][2 * t + 1], inner[1], halfNegate(xi[0][2 * t]), halfNegate(xi[0][2 * t + 1]));
          A::dot2(y, inner[0], xi[0][2 * t], xi[0][2 * t + 1], inner[1], xr[0][2 * t], xr[0][2 * t + 1]);
          outRe[0][2 * t] = A::pack(x[0]), outRe[0][2 * t + 1] = A::pack(x[1]);
          outIm[0][2 * t] = A::pack(y[0]), outIm[0][2 * t + 1] = A::pack(y[1]);
        } else {
          Pair re[2][R], im[2][R];
#pragma unroll
          for (int s = 0; s < 2; s++) {
#pragma unroll
            for (int b = 0; b < R; b++) re[s][b] = A::unpack(xr[b][2 * t + s]), im[s][b] = A::unpack(xi[b][2 * t + s]);
            if constexpr (R > 1) Butterfly<A, R, true>::run(re[s], im[s]);
#pragma unroll
            for (int b = 1; b < R; b++) A::multiplyConjugate(re[s][b], im[s][b], stepBackward(steps, b, s));
          }
#pragma unroll
          for (int b = 0; b < R; b++) {
            Pair x[2], y[2];
            A::dot(x, inner[0], A::pack(A::add(re[0][b], re[1][b])), A::pack(A::sub(im[0][b], im[1][b])));
            A::dot(y, inner[0], A::pack(A::add(im[0][b], im[1][b])), A::pack(A::sub(re[1][b], re[0][b])));
            outRe[b][2 * t] = A::pack(x[0]), outRe[b][2 * t + 1] = A::pack(x[1]);
            outIm[b][2 * t] = A::pack(y[0]), outIm[b][2 * t + 1] = A::pack(y[1]);
          }
        }
      }
#pragma unroll
      for (int b = 0; b < R; b++) {
        const u32 to = (atInner + b * blockBytes) ^ (j * 32);
        storeMatrices(to, outRe[b][0], outRe[b][1], outRe[b][2], outRe[b][3]);
        storeMatrices(to + C::planeBytes, outIm[b][0], outIm[b][1], outIm[b][2], outIm[b][3]);
      }
    }
  }

  // Samples of this warp, complex points of all. `gated`: the post gate lies where the samples go.
  template <bool gated>
  FFC_DEVICE void outerInverse(int exponent) const {
    const float scale = powerOfTwo(exponent);
    const bool exact = !C::accurate && !C::bf16 && !gated && !resampled && exponent >= -14 && exponent <= 15;
    const u32 scalePair = exact ? packHalf(scale, scale) : 0;
    using Last = std::conditional_t<C::accurate || C::bf16, FloatArithmetic, HalfArithmetic>;
#pragma unroll
    for (int b = 0; b < R; b++)
#pragma unroll
      for (int j = 0; j < pairs; j++) {
        u32 xr[4], xi[4], post[4], out[4];
        const u32 from = (atOuter + b * blockBytes) ^ (j * 32), to = (atSamples + b * blockBytes) ^ (j * 32);
        loadTransposed(from, xr[0], xr[1], xr[2], xr[3]);
        loadTransposed(from + C::planeBytes, xi[0], xi[1], xi[2], xi[3]);
        if constexpr (gated) loadMatrices(to, post[0], post[1], post[2], post[3]);
        if (p.imaginary) {
          // The imaginary part is the real part of -i times the result.
#pragma unroll
          for (int i = 0; i < 4; i++) {
            const u32 x = xr[i];
            xr[i] = xi[i];
            xi[i] = halfNegate(x);
          }
        }
#pragma unroll
        for (int t = 0; t < 2; t++) {
          typename Last::Pair d[2];
          Last::dot2(d, matrix[0], xr[2 * t], xr[2 * t + 1], matrix[1], xi[2 * t], xi[2 * t + 1]);
#pragma unroll
          for (int half = 0; half < 2; half++) {
            u32& o = out[2 * t + half];
            if constexpr (std::is_same_v<Last, HalfArithmetic>) {
              if (exact) {
                o = halfMul(d[half], scalePair);
                continue;
              }
            }
            float2 v = asFloats(d[half]);
            v.x *= scale, v.y *= scale;
            if constexpr (gated) {
              const float2 f = unpackElements<C>(post[2 * t + half]);
              v.x *= f.x, v.y *= f.y;
            }
            o = C::bf16 && !resampled ? packBfloat(v.x, v.y) : packHalf(v.x, v.y);
          }
        }
        storeMatrices(to, out[0], out[1], out[2], out[3]);
      }
  }
  FFC_DEVICE static float2 asFloats(u32 pair) { return unpackHalf(pair); }
  FFC_DEVICE static float2 asFloats(float2 pair) { return pair; }

  FFC_DEVICE void store(const Tile& t) const {
    const uint64_t row = rowOf(p.y, t);
    if (wholeRow(row, p.outLength)) {
      forOwnSamples(t, [&](int, u32 shared, int n) { storeStream16(reinterpret_cast<char*>(row) + u32(n) * 2, sharedLoad16(shared)); });
      return;
    }
    const int phase = phaseOf(t);
    forOwnSamples(t, [&](int, u32 shared, int n) {
      const int first = n - phase;
      const uint64_t at = row + int64_t(first) * 2;
      if (first >= p.outLength || first + 8 <= 0) return;
      const uint4 v = sharedLoad16(shared);
      if (first >= 0 && first + 8 <= p.outLength && (at & 15) == 0) {
        storeStream16(reinterpret_cast<void*>(at), v);
      } else {
        uint16_t* to = reinterpret_cast<uint16_t*>(row);
        const u32 w[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
        for (int i = 0; i < 8; i++)
          if (first + i >= 0 && first + i < p.outLength) to[first + i] = uint16_t(w[i >> 1] >> (16 * (i & 1)));
      }
    });
  }

  // Of the spectrum, with the skip factor; the rest is by how much the rows have scaled the sequence.
  FFC_DEVICE int outputExponent(const Tile& t) const {
    int e = int(loadConstant4(p.exponent + (p.sharedSpectrum ? 0 : t.h)));
    if (p.skip) e = exponentWithSkip<Rounded>(e, skipLoad(p.skip, t.h, p.skipType) * p.spectrumGain);
    return e;
  }
  // The rows' spectra are normalised.
  struct Rounded {
    static constexpr bool rowScaled = true;
  };

  FFC_DEVICE void inverse() {
    loadMatrix(matrix[0], 2);
    loadMatrix(matrix[1], 3);
#pragma unroll
    for (int i = 0; i < 4; i++) inner[0][i] = table(Layout::inner, 4 + i);
    if constexpr (C::accurate && R == 1) {
#pragma unroll
      for (int i = 0; i < 4; i++) inner[1][i] = table(Layout::inner, 8 + i);
    }
    u32 steps[R > 1 ? Layout::backwardSteps : 1];
    if constexpr (R > 1) {
#pragma unroll
      for (int i = 0; i < Layout::backwardSteps; i++)
        steps[i] = table(Layout::steps + ka * Layout::stepRegisters * 32, Layout::forwardSteps + i);
    }
    const bool active = anyRowKept();
    // Nothing else is ever written where the rows of this warp lie, so zeros stay.
    for (int i = lane; !active && i < R * C::fragmentBytes / 8; i += 32)
      sharedStore16(points + i % 2 * C::planeBytes + i / 2 % (C::fragmentBytes / 16) * 16 +
                        i / 2 / (C::fragmentBytes / 16) * blockBytes + ka * C::fragmentBytes,
                    uint4{0, 0, 0, 0});
    beginPass(p.order);
    const int count = resampled ? p.sequences * p.outTiles : tiles();
    for (int t = blockIndex(); t < count; t += gridSize()) {
      if (threadIndex() == 0 && t - blockIndex() == p.order.meet) meetEarlierWork();
      const Tile tile = resampled ? overlappedTileAt(t) : tileAt(t);
      // On their way at once and before the points, which loads behind them would have to wait for.
      TileCodes<(1 << C::log2MostTiles) / 128> codes;
      codes.fetch(p.largest + (int64_t(tile.sequence) << p.log2Tiles), p.log2Tiles, lane);
      const auto bring = [](u32 shared, char* at, bool kept) {
        if (kept)
          copyAsync16(shared, at);
        else
          sharedStore16(shared, uint4{0, 0, 0, 0});
      };
      if constexpr (resampled)
        forOverlappedPoints(tile, bring);
      else if (active)
        forOwnPoints(tile, bring);
      if (!resampled && p.post.data) {
        const uint64_t row = rowOf(p.post, tile);
        const int phase = phaseOf(tile);
        forOwnSamples(tile, [&](int, u32 shared, int n) { fill(shared, row, n - phase, p.outLength); });
      }
      const int ofSpectrum = outputExponent(tile);
      copyAsyncWaitAll();
      warpSync();
      if constexpr (resampled) turnNeighbours(tile);
      if (active) innerInverse(steps);
      const int exponent = ofSpectrum - sequenceExponent(codes.largest(), p.rangeExponent, p.mostExponent);
      blockSync();  // points of all warps are transformed
      if constexpr (resampled)
        outerInverse<false>(-1);
      else if (p.post.data)
        outerInverse<true>(exponent);
      else
        outerInverse<false>(exponent);
      blockSync();  // points are free
      if constexpr (resampled)
        storeInterpolated(tile, exponent);
      else
        store(tile);
      warpSync();   // samples are free (the next post gate)
    }
  }
};

}  // namespace ffc::mma
