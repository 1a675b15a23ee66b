// Rows of a filter bank's passes and the tiles that they are cut into; pieces of eight samples on their way into shared memory.
#pragma once
#include "../mma/staging/samples.cuh"
#include "bank_rows.h"
#include "products.h"

namespace ffc::gpu {
namespace {

using namespace mma;

struct BankParams {
  BankRows rows;
  const uint4* table = nullptr;
  u32 tiles = 0, tilesOfRow = 1;
  bool again = false;  // analyse(): only rows that have been scaled by too small a sample

  // Tiles of `tile` numbers of the first so many of each row of a chunk.
  void cut(const BankRows& of, int64_t numbers, int tile) {
    rows = of;
    tilesOfRow = static_cast<u32>((numbers + tile - 1) / tile);
    tiles = of.chunk.groups * of.chunk.rows * tilesOfRow;
  }
};

template <bool bf16>
FFC_DEVICE float2 unpackPair(u32 w) {
  return bf16 ? float2{asFloat(w << 16), asFloat(w & 0xffff0000u)} : unpackHalf(w);
}
template <bool bf16>
FFC_DEVICE u32 packPair(float a, float b) {
  return bf16 ? packBfloat(a, b) : packHalf(a, b);
}
FFC_DEVICE float loadFloat(const float* p) { return asFloat(loadConstant4(p)); }
FFC_DEVICE float powerOfTwo(int e) { return asFloat(u32(127 + e) << 23); }

// Of the first one of a row's elements, so many bytes each.
template <int bytes = 2>
FFC_DEVICE uint64_t addressOfRow(const void* data, const Strides& s, u32 channel, u32 batch) {
  return data ? reinterpret_cast<uint64_t>(data) + bytes * (batch * s.batch + channel * s.channel) : 0;
}

// A row of the chunk.
struct BankRow {
  u32 group, ofGroup;  // within the chunk
  u32 channel, batch;
  FFC_DEVICE BankRow(const BankRows& r, u32 row) {
    group = row / r.chunk.rows;
    ofGroup = row - group * r.chunk.rows;
    const u32 whole = (r.chunk.firstGroup + group) * r.rowsOfGroup + r.chunk.firstRow + ofGroup;
    channel = whole / r.batch;
    batch = whole - channel * r.batch;
  }
  // `bytes` of a sample, and of a number.
  template <int bytes = 2>
  FFC_DEVICE uint64_t addressOf(const void* data, const Strides& s) const {
    return addressOfRow<bytes>(data, s, channel, batch);
  }
  // Of the first slot; the others' follow each other, slotBytes() apart.
  template <int bytes = 2>
  FFC_DEVICE uint64_t numbersOf(const BankRows& r) const {
    return reinterpret_cast<uint64_t>(r.numbers) + bytes * ((int64_t(group * r.slots) * r.chunk.rows + ofGroup) * r.pitch);
  }
};
FFC_DEVICE int64_t slotBytes(const BankRows& r) { return int64_t(r.chunk.rows) * r.pitch * 2; }

// Where a block is among its tiles, which follow each other: the tile of its row, and the row.
struct BankTile {
  u32 row, ofRow, left;
  FFC_DEVICE explicit BankTile(const BankParams& p) {
    const u32 first = u32(uint64_t(p.tiles) * blockIndex() / gridSize()), end = u32(uint64_t(p.tiles) * (blockIndex() + 1) / gridSize());
    left = end - first;
    row = first / p.tilesOfRow;
    ofRow = first - row * p.tilesOfRow;
  }
  // To the tile before, if the block begins within a row. Whether it does.
  FFC_DEVICE bool stepBack() {
    const bool within = ofRow > 0;
    if (within) ofRow--, left++;
    return within;
  }
  // To the next row.
  FFC_DEVICE void skipRow(const BankParams& p) {
    left -= min(left, p.tilesOfRow - ofRow);
    ofRow = 0, row++;
  }
  // Whether another row begins.
  FFC_DEVICE bool advance(const BankParams& p) {
    left--;
    if (++ofRow < p.tilesOfRow) return false;
    ofRow = 0, row++;
    return left > 0;
  }
};

// Eight samples of a row from sample n on, those outside 0 .. length - 1 zero.
FFC_DEVICE uint4 gather(uint64_t row, int n, int length) {
  u32 w[4];
#pragma unroll
  for (int i = 0; i < 4; i++) {
    u32 pair = 0;
#pragma unroll
    for (int e = 0; e < 2; e++) {
      const int at = n + 2 * i + e;
      if (at >= 0 && at < length) pair |= u32(reinterpret_cast<const uint16_t*>(row)[at]) << (16 * e);
    }
    w[i] = pair;
  }
  return {w[0], w[1], w[2], w[3]};
}
// Lines of 128 bytes on their way to L2, one for each thread: from sample `first` of a row on, `count` samples of so many bytes.
template <int bytes>
FFC_DEVICE void prefetchSamples(uint64_t row, int64_t first, int count, int length) {
  const int64_t line = 128 * int64_t(threadIndex()), at = first * bytes + line;
  if (line < count * bytes && at >= 0 && at < int64_t(length) * bytes) prefetch(reinterpret_cast<const void*>(row + at));
}
FFC_DEVICE bool aligned(uint64_t row) { return (row & 15) == 0; }
// Eight rows of a matrix that lie D / 8 residues pieces of 16 bytes apart have banks of their own.
FFC_DEVICE u32 placeOfPiece(int piece) { return u32(piece ^ (piece >> 5 & 7)) * 16; }

// `Count` pieces of eight samples, from sample `first` of a row on, on their way to shared memory: a thread's own are those of which it
// orders the copies and which it takes when they are there. Rows that are not aligned are read when they are taken.
template <int Count, int Threads>
struct Pieces {
  static constexpr int rounds = (Count + Threads - 1) / Threads;
  u32 place;
  // body(piece)
  template <class Body>
  FFC_DEVICE static void forOwn(Body&& body) {
#pragma unroll
    for (int i = 0; i < rounds; i++) {
      const int piece = i * Threads + threadIndex();
      if (Count % Threads == 0 || i + 1 < rounds || piece < Count) body(piece);
    }
  }
  // turned: to where matrices are read (placeOfPiece()). atOnce: those of rows that are not aligned, too, which nobody takes.
  // Circular: before sample 0 lies the one before sample `around`, a multiple of eight.
  template <bool turned = false, bool atOnce = turned>
  FFC_DEVICE void order(uint64_t row, int first, int length, int around = 0) const {
    const auto to = [&](int piece) { return place + (turned ? placeOfPiece(piece) : piece * 16); };
    if (!aligned(row)) {
      if constexpr (atOnce)
#pragma unroll 1
        for (int piece = threadIndex(); piece < Count; piece += Threads) sharedStore16(to(piece), gather(row, sampleOf(piece, first, around), length));
      return;
    }
    if (first >= 0 && first + 8 * Count <= length) {
      const char* const from = reinterpret_cast<const char*>(row) + 2 * int64_t(first);
      forOwn([&](int piece) { copyAsync16(to(piece), from + piece * 16); });
      return;
    }
    forOwn([&](int piece) {
      const int n = sampleOf(piece, first, around), there = n < 0 ? 0 : min(8, max(0, length - n));
      copyAsyncPart16(to(piece), reinterpret_cast<const void*>(row + 2 * int64_t(there ? n : 0)), 2 * there);
    });
  }
  FFC_DEVICE uint4 take(int piece, uint64_t row, int first, int length, int around = 0) const {
    return aligned(row) ? sharedLoad16(place + piece * 16) : gather(row, sampleOf(piece, first, around), length);
  }

 private:
  FFC_DEVICE static int sampleOf(int piece, int first, int around) {
    const int n = first + 8 * piece;
    return n < 0 ? n + around : n;
  }
};

}  // namespace
}  // namespace ffc::gpu
