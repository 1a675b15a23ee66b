// What both ways of a fine filter bank of 16-bit rows share on the device: where values and what the steps exchange lie in shared memory, how a fold
// computes, and the matrices.
#pragma once
#include "fine_half.h"
#include "fine_term.cuh"
#include "row_scale.cuh"

namespace ffc::gpu {
namespace {

struct HalfFineParams : BankParams {
  HalfFineTables of;
};

// Numbers are so many powers of two larger than the samples' scale makes them: a tone 3700 (14700 in a row whose largest sample was seen four times too small),
// of which rings make twice to six times as much; and an impulse, which has nine numbers of a 300th of it, is still no subnormal half there.
constexpr int ringExponent = 4;

// By what power of two a row's samples are multiplied. Halves without a gate take it as a half.
template <bool bf16>
FFC_DEVICE int fineExponent(const BankRows& r, u32 row, bool judge) {
  const int exponent = RowScale(r, row, judge).exponent();
  return bf16 || r.pre ? exponent : min(15, exponent);
}

// ---- values: v[q] of a number and t0 are a row of 32, in the columns' order (fine_half_tables.h), 64 bytes; those of t0 and t0 + 1 share a line. Numbers are in
// groups of eight, which are a matrix' rows or columns; its pieces of 16 bytes are XORed with t0 / 2 and the place in the group, so that eight numbers of
// a t0, and 16 t0 of a number (half a warp of columns), lie in banks of their own.
constexpr int bytesOfNumber = fineValues * 2, bytesOfGroup = 8 * bytesOfNumber;
FFC_DEVICE u32 placeOfValues(int inGroup, int t0, int piece) {
  return u32(inGroup * bytesOfNumber + (t0 >> 1) * 128 + (((t0 & 1) * 4 + piece) ^ ((t0 >> 1) & 7) ^ inGroup) * 16);
}
// From a number to a further one of its group, which has another XOR; groups are aligned to 128 bytes.
FFC_DEVICE constexpr u32 furtherInGroup(u32 address, int numbers) { return (address ^ u32(numbers * 16)) + u32(numbers * bytesOfNumber); }
// A column's r and r + 1 for an even r: four values each. t0 of the first is this lane, of the second 31 - lane; t1 are those of the column's 64.
struct ColumnPair {
  int pair;           // r / 2
  u32 first, second;  // of the first number of a group
  FFC_DEVICE explicit ColumnPair(int thread) : pair(thread & (fineColumns / 2 - 1)) {
    const int lane = thread & 31, t1 = pair >> 5, even = t1 ^ (lane & 1), other = 31 - lane, odd = (7 - t1) ^ (other & 1);
    first = placeOfValues(0, lane, even >> 1) + (even & 1) * 8;
    second = placeOfValues(0, other, odd >> 1) + (odd & 1) * 8;
  }
};
// v[r], v[511 - r], v[512 + r], v[1023 - r] in the order in which a line has them.
FFC_DEVICE constexpr int valueAt(int place, bool ofOdd) { return ofOdd ? (place + 1) & 3 : -place & 3; }
FFC_DEVICE constexpr int placeOfValue(int value, bool ofOdd) { return ofOdd ? (value + 3) & 3 : -value & 3; }

// ---- pieces of eight numbers between the steps. There: [group][k0][part of t0]; back: [group][t0][part of k0], XORed with the slower digit.
constexpr int betweenBytes = fineGroups * bytesOfGroup;
FFC_DEVICE u32 placeBetweenThere(int group, int k0, int part) { return u32(((group * fineK0 + k0) * 2 * fineT0 + (part ^ (k0 & 7))) * 16); }
FFC_DEVICE u32 placeBetweenBack(int group, int t0, int part) { return u32(((group * fineT0 + t0) * 2 * fineK0 + (part ^ (t0 & 7))) * 16); }

// ---- tables in shared memory: the weights, and the slots of the tiles' rows.
FFC_MMA_SHARED constexpr int alignedShared(int bytes) { return (bytes + 127) / 128 * 128; }
constexpr int fineWeightsBytes = halfFineCells * fineColumns * 4, fineTablesBytes = fineWeightsBytes + alignedShared(mostFineTiles * fineRowsOfTile * 4);
FFC_DEVICE int fineSlot(u32 tables, int row) { return int(sharedLoad4(tables + fineWeightsBytes + 4 * row)); }

// How a fold computes with pairs of samples, r and r + 1: in floats, or in halves, which cost the fast class 3e-4.
struct FoldFloats {
  using Pair = float2;
  static constexpr bool halves = false;
  FFC_DEVICE static Pair of(float2 v) { return v; }
  FFC_DEVICE static Pair multiplyAdd(Pair w, Pair s, Pair to, bool minus) { return {fmaf(minus ? -w.x : w.x, s.x, to.x), fmaf(minus ? -w.y : w.y, s.y, to.y)}; }
  FFC_DEVICE static Pair exchanged(Pair v) { return {v.y, v.x}; }
  FFC_DEVICE static u32 firsts(Pair a, Pair b) { return packHalf(a.x, b.x); }
  FFC_DEVICE static u32 seconds(Pair a, Pair b) { return packHalf(a.y, b.y); }
  // One half of a word and one of another.
  FFC_DEVICE static Pair halvesOf(u32 a, bool highOfA, u32 b, bool highOfB) {
    const float2 x = unpackHalf(a), y = unpackHalf(b);
    return {highOfA ? x.y : x.x, highOfB ? y.y : y.x};
  }
  FFC_DEVICE static float2 floats(Pair v) { return v; }
  // Of a product of 16 x 16 by 16 x 8, a lane's four sums, and pairs of these.
  struct Sums {
    float of[4] = {};
    FFC_DEVICE void add(const u32 (&a)[4], u32 b0, u32 b1) { mmaFloatAdd(of, a, b0, b1); }
    FFC_DEVICE u32 pair(int i) const { return packHalf(of[2 * i], of[2 * i + 1]); }
  };
};
struct FoldHalves {
  using Pair = u32;
  static constexpr bool halves = true;
  FFC_DEVICE static Pair of(float2 v) { return packHalf(v.x, v.y); }
  FFC_DEVICE static Pair multiplyAdd(Pair w, Pair s, Pair to, bool minus) { return halfFma(minus ? halfNegate(w) : w, s, to); }
  FFC_DEVICE static Pair exchanged(Pair v) { return funnelShift(v, v, 16); }
  FFC_DEVICE static u32 firsts(Pair a, Pair b) { return lowHalves(a, b); }
  FFC_DEVICE static u32 seconds(Pair a, Pair b) { return highHalves(a, b); }
  FFC_DEVICE static Pair halvesOf(u32 a, bool highOfA, u32 b, bool highOfB) {
    if (highOfA == highOfB) return highOfA ? highHalves(a, b) : lowHalves(a, b);
    return highOfA ? funnelShift(a, b, 16) : (a & 0xffffu) | (b & 0xffff0000u);
  }
  FFC_DEVICE static float2 floats(Pair v) { return unpackHalf(v); }
  struct Sums {
    u32 of[2] = {};
    FFC_DEVICE void add(const u32 (&a)[4], u32 b0, u32 b1) { mmaHalfAdd(of, a, b0, b1); }
    FFC_DEVICE u32 pair(int i) const { return of[i]; }
  };
};
// Before anyone reads them. Weights are pairs of r and r + 1, times `scale`.
template <class Fold>
FFC_DEVICE void loadHalfFineTables(const HalfFineParams& p, u32 to, float scale) {
  for (int i = threadIndex(); i < halfFineCells * fineColumns / 2; i += halfFineThreads) {
    const uint2 w = loadConstant8(p.of.weights + 2 * i);
    const float2 pair = {scale * asFloat(w.x), scale * asFloat(w.y)};
    if constexpr (Fold::halves)
      sharedStore4(to + 4 * i, Fold::of(pair));
    else
      sharedStore8(to + 8 * i, uint64_t(floatBits(pair.y)) << 32 | floatBits(pair.x));
  }
  for (int i = threadIndex(); i < p.of.firstTile[fineK0] * fineRowsOfTile; i += halfFineThreads) sharedStore4(to + fineWeightsBytes + 4 * i, u32(p.of.slots[i]));
  blockSync();
}
// A thread's weights times a power of two.
template <class Fold>
struct FineWeights {
  typename Fold::Pair of[halfFineCells];
  FFC_DEVICE FineWeights(u32 tables, int pair, float scale) {
#pragma unroll
    for (int i = 0; i < halfFineCells; i++)
      if constexpr (Fold::halves) {
        of[i] = halfMul(sharedLoad4(tables + (i * fineColumns / 2 + pair) * 4), lowTwice(packHalf(scale, 0)));
      } else {
        const uint64_t w = sharedLoad8(tables + (i * fineColumns / 2 + pair) * 8);
        of[i] = {asFloat(u32(w)) * scale, asFloat(u32(w >> 32)) * scale};
      }
  }
  FFC_DEVICE typename Fold::Pair at(int i, bool mirrored) const { return of[mirrored ? halfFineCells - 1 - i : i]; }
};

FFC_DEVICE void loadFragment(u32 (&a)[4], const void* table, int index) {
  const uint4 v = loadConstant16(static_cast<const uint4*>(table) + index * 32 + (threadIndex() & 31));
  a[0] = v.x, a[1] = v.y, a[2] = v.z, a[3] = v.w;
}
// The matrices of both of a warp's t0.
struct OuterMatrices {
  u32 of[2][2][2][4];
  FFC_DEVICE OuterMatrices(const void* table, int warp) {
#pragma unroll
    for (int t0 = 0; t0 < 2; t0++)
#pragma unroll
      for (int i = 0; i < 2; i++)
#pragma unroll
        for (int j = 0; j < 2; j++) loadFragment(of[t0][i][j], table, ((2 * warp + t0) * 2 + i) * 2 + j);
  }
  // Both halves of the rows, of so many groups of numbers side by side, so that none waits for itself: b [group][t0][4].
  template <class Sums, int groups>
  FFC_DEVICE void multiply(Sums (&d)[groups][2][2], const u32 (&b)[groups][2][4]) const {
#pragma unroll
    for (int j = 0; j < 2; j++)
#pragma unroll
      for (int group = 0; group < groups; group++)
#pragma unroll
        for (int t0 = 0; t0 < 2; t0++)
#pragma unroll
          for (int i = 0; i < 2; i++) d[group][t0][i].add(of[t0][i][j], b[group][t0][2 * j], b[group][t0][2 * j + 1]);
  }
  // The outer step of all groups of a tile: load(group, t0, b), store(group, t0, both halves of the rows).
  template <class Sums, class Load, class Store>
  FFC_DEVICE void step(Load&& load, Store&& store) const {
    constexpr int together = 2;
#pragma unroll
    for (int first = 0; first < fineGroups; first += together) {
      u32 b[together][2][4];
      Sums d[together][2][2];
#pragma unroll
      for (int i = 0; i < together; i++)
#pragma unroll
        for (int t0 = 0; t0 < 2; t0++) load(first + i, t0, b[i][t0]);
      multiply(d, b);
#pragma unroll
      for (int i = 0; i < together; i++)
#pragma unroll
        for (int t0 = 0; t0 < 2; t0++) store(first + i, t0, d[i][t0]);
    }
  }
};
// The matrices of the inner step of a warp's tiles, one k0's. Those of the first tile, often the only one, stay where there are registers.
template <bool resident>
struct InnerMatrices {
  const void* table;
  int firstTile, endTile;
  u32 first[4][4];
  FFC_DEVICE InnerMatrices(const HalfFineParams& p, const void* matrices, int warp) : table(matrices), firstTile(p.of.firstTile[warp]), endTile(p.of.firstTile[warp + 1]) {
    if (resident && firstTile < endTile) load(first, firstTile);
  }
  // body(tile, matrices)
  template <class Body>
  FFC_DEVICE void forTiles(Body&& body) {
    if (firstTile == endTile) return;
    if (!resident) load(first, firstTile);
    body(firstTile, first);
#pragma unroll 1
    for (int tile = firstTile + 1; tile < endTile; tile++) {
      u32 a[4][4];
      load(a, tile);
      body(tile, a);
    }
  }

 private:
  FFC_DEVICE void load(u32 (&a)[4][4], int tile) const {
#pragma unroll
    for (int i = 0; i < 4; i++) loadFragment(a[i], table, tile * 4 + i);
  }
};

}  // namespace
}  // namespace ffc::gpu
