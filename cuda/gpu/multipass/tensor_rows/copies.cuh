// Rows on their way: which ones this block works on, their slots in shared memory, and the copies that bring them from scratch and back.
#pragma once
#include "../tensor_order.cuh"
#include "shifted_tables.cuh"

namespace ffc::mma {

template <class C>
struct RowCopies : ShiftedTables<C> {
  using Base = ShiftedTables<C>;
  using Base::rows, Base::q, Base::bulk, Base::barriers, Base::exchange, Base::image, Base::loader, Base::storer;
  using Base::Base;

  // The rows of this block from (k1, sequence) on. Sets are up to `rows` rows of one k1 and follow one another across k1.
  struct Cursor {
    int k1, sequence, left;
  };
  FFC_DEVICE Cursor start() const {
    const int64_t all = int64_t(q.sequences) * q.rows;
    const int64_t from = all * blockIndex() / gridSize(), until = all * (blockIndex() + 1) / gridSize();
    const int k1 = int(from / q.sequences);
    return {k1, int(from - int64_t(k1) * q.sequences), int(until - from)};
  }
  // Rows of one k1 from here on, at most so many.
  FFC_DEVICE int together(const Cursor& at, int most) const {
    const int inRun = q.sequences - at.sequence, count = at.left < inRun ? at.left : inRun;
    return count < most ? count : most;
  }
  FFC_DEVICE void advance(Cursor& at, int count) const {
    at.sequence += count;
    at.left -= count;
    if (at.sequence == q.sequences) at.sequence = 0, at.k1++;
  }
  FFC_DEVICE char* rowAt(int k1, int sequence) const {
    return q.scratch + (sequence * q.sequenceBytes + int64_t(k1) * C::rowBytes);
  }
  static constexpr u32 setBytes = rows * C::rowBytes;
  // Slots are known by their addresses; `exchange` is the first.
  FFC_DEVICE u32 next(u32 slot) const { return slot + setBytes == image ? exchange : slot + setBytes; }
  FFC_DEVICE u32 barrierOf(u32 slot) const { return barriers + (slot - exchange) / setBytes * 8; }

  // The next set into its slot, which the set stored two intervals ago has left. Bulk copies are the business of one thread, and so
  // is where they stand.
  FFC_DEVICE void load(Cursor& coming, u32& slot) const {
    if (bulk && threadIndex() != loader) return;
    const int count = together(coming, rows);
    if (coming.left > q.order.meet && coming.left - count <= q.order.meet) meetEarlierWork();
    if (bulk && count) {
      const u32 barrier = barrierOf(slot);
      barrierExpect(barrier, count * C::rowBytes);
#pragma unroll
      for (int i = 0; i < rows; i++)
        if (i < count)
          bulkLoad(slot + i * C::rowBytes, rowAt(coming.k1, coming.sequence + i), C::rowBytes, barrier);
    } else {
#pragma unroll 1
      for (int i = 0; i < count; i++)
#pragma unroll
        for (int j = 0; j < C::rowBytes / 16; j += threads) {
          const int piece = (j + threadIndex()) * 16;
          copyAsync16(slot + i * C::rowBytes + piece, rowAt(coming.k1, coming.sequence + i) + piece);
        }
    }
    advance(coming, count);
    slot = next(slot);
  }
  FFC_DEVICE void store(int k1, int sequence, int count, u32 slot) const {
    if (bulk) {
      if (threadIndex() != storer) return;
#pragma unroll
      for (int i = 0; i < rows; i++)
        if (i < count) bulkStore(rowAt(k1, sequence + i), slot + i * C::rowBytes, C::rowBytes);
      bulkCommit();
    } else {
#pragma unroll 1
      for (int i = 0; i < count; i++)
#pragma unroll
        for (int j = 0; j < C::rowBytes / 16; j += threads) {
          const int piece = (j + threadIndex()) * 16;
          storePoints(rowAt(k1, sequence + i) + piece, sharedLoad16(slot + i * C::rowBytes + piece));
        }
    }
  }
};

}  // namespace ffc::mma
