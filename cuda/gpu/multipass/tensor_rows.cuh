// The middle pass on tensor cores: every row of scratch is read, transformed over n2, multiplied by its row of the spectrum,
// transformed back and written, in place in scratch and in place in shared memory. The transform is the fused convolution's
// (mma/phases.cuh) with complex input and output.
//
// Row k1 has the frequencies k2 + (k1 - quarters / 4) / N1: a shift, which is in the tables. A block works on rows of one k1, sequence after
// sequence, for as long as there are any, then makes the tables of the next k1. Within a run of rows, interval j is
// first(set j + 1), middle(set j), last(set j - 1), as in mma/body.cuh; set j - 2 is being stored, and sets up to j + ahead are on their
// way in, each in a slot of its own. There is one barrier an interval, in two halves: a warp arrives when it is done and waits after the
// next interval's first(), which needs nothing but its samples.
//
// The files of tensor_rows/, each of which adds to the one before it:
//   state.cuh            what a warp and its lanes keep, all of it
//   shifted_tables.cuh   the tables of one k1
//   copies.cuh           rows on their way from scratch and back
//   factors.cuh          what brings them to the range of their sequence
//   outer.cuh            first and last
//   spectrum.cuh         the spectrum, and the middle
// What remains is the pass.
#pragma once
#include "tensor_order.cuh"
#include "tensor_rows/spectrum.cuh"

namespace ffc::mma {

template <class C>
struct RowPass : RowSpectrum<C> {
  using Base = RowSpectrum<C>;
  using typename Base::Cursor, typename Base::Factors, typename Base::Operands;
  using Base::rows, Base::mixed, Base::q, Base::ahead, Base::bulk, Base::turn, Base::turnParity, Base::uniformWarp, Base::exchange;
  using Base::makeTables, Base::start, Base::together, Base::advance, Base::next, Base::barrierOf, Base::load, Base::store;
  using Base::storer, Base::firstReader, Base::fetchTiles, Base::storeExponent, Base::fetchFactors, Base::factorsOf;
  using Base::storeFactors, Base::fetch, Base::last, Base::beginBins, Base::fetchBins;
  using Base::Base;

  // Middle of the `middles` rows from `sequence` on, last of the `lasts` rows before them. whole: all of them are `rows`, and there
  // is no skip term; code without branches. Fetches the spectra of the `firsts` rows that follow.
  template <bool whole>
  FFC_DEVICE void interval(int sequence, int middles, int firsts, int lasts, u32 now, u32 before) {
    Operands out[2];
    if constexpr (whole && mixed) fetch(before, 0, out[0]);
#pragma unroll
    for (int i = 0; i < rows; i++) {
      const u32 row = i * C::rowBytes;
      if constexpr (whole && mixed) {
        Base::template runMiddle<true>(
            sequence + i, i, now + row, [&] { if (i + 1 < rows) fetch(before + row + C::rowBytes, 0, out[(i + 1) & 1]); },
            [&] { last(before + row, 0, out[i & 1]); });
        fetchBins(i);
      } else {
        if (whole || i < middles) Base::template runMiddle<whole>(sequence + i, i, now + row, [] {}, [] {});
        if (whole || i < firsts) fetchBins(i);
        if (whole || i < lasts) last(before + row);
      }
    }
  }

  FFC_DEVICE void waitTurn() { splitWait(turn, turnParity), turnParity ^= 1; }

  FFC_DEVICE void run() {
    blockSync();
    beginPass(q.order);
    Cursor at = start(), coming = at;
    u32 slot = exchange, comingSlot = slot;
    u32 parity = 0;  // of the slot's barrier, for the set that first() takes next
    for (int i = 0; i < ahead; i++) load(coming, comingSlot);
    while (at.left > 0) {
      // A run: the rows of one k1. The pipeline starts and ends empty.
      const int k1 = at.k1, count = together(at, at.left), sets = (count + rows - 1) / rows, wholeSets = count / rows;
      auto rowsOf = [&](int set) { return set < 0 || set >= sets ? 0 : set < wholeSets ? rows : count - wholeSets * rows; };
      makeTables(loadConstant4(q.numerators + k1));
      int sequence = at.sequence;
      Factors fetched;
      // The exponents of four sets at once, a warp a row.
      const int reader = uniformWarp - firstReader;
      fetchTiles(sequence, reader, C::factorSets * rows, fetched);
      storeExponent(0, reader, C::factorSets * rows, fetched);
      blockSync();
      for (int i = 0; i < 3; i++) {
        fetchFactors(sequence + i * rows, rowsOf(i), i, fetched);
        storeFactors(rowsOf(i), fetched, i);
      }
      beginBins(k1, sequence);
#pragma unroll
      for (int i = 0; i < rows; i++)
        if (i < rowsOf(0)) fetchBins(i);
      if (!bulk) copyAsyncWaitAll();
      blockSync();
      if (bulk) barrierWait(barrierOf(slot), parity);
      Base::template firsts<false>(slot, factorsOf(0), rowsOf(0));
      splitArrive(turn);
      u32 before = 0, older = 0;
      int set = 0;
      // steady: all sets that this interval has to do with are there and whole, and there is no skip term.
      auto step = [&](auto steadiness) {
        constexpr bool steady = decltype(steadiness)::value;
        auto size = [&](int set) { return steady ? rows : rowsOf(set); };
        const u32 after = next(slot);
        if ((steady || set < sets) && after == exchange) parity ^= 1;
        if (!bulk) waitTurn();  // the copies are other threads', too
        if (steady || set + 1 < sets) {
          if (bulk) barrierWait(barrierOf(after), parity);
          Base::template firsts<steady>(after, factorsOf(set + 1), size(set + 1));
        }
        if (bulk) waitTurn();
        if (steady || set >= 2) store(k1, sequence - 2 * rows, size(set - 2), older);
        if (steady || set < sets) load(coming, comingSlot);
        fetchFactors(sequence + 3 * rows, size(set + 3), set + 3, fetched);
        fetchTiles(sequence + 4 * rows, reader, rows, fetched);
        interval<steady>(sequence, size(set), size(set + 1), size(set - 1), slot, before);
        storeFactors(size(set + 3), fetched, set + 3);
        storeExponent(set + 4, reader, rows, fetched);
        if (bulk) {
          fenceTensorCopies();
          if (threadIndex() == storer) tensorStoresRead();  // the slot of set - 2 is free
        } else {
          copyAsyncWaitAll();
        }
        splitArrive(turn);
        older = before;
        before = slot;
        if (steady || set < sets) slot = after;
        set++, sequence += rows;
      };
      while (set < sets + 2) {
        if (set >= 2 && !q.skip)
          while (set + 3 < wholeSets) step(std::true_type());
        step(std::false_type());
      }
      waitTurn();
      advance(at, count);
    }
    if (bulk && threadIndex() == storer) tensorStoresDone();
  }
};

}  // namespace ffc::mma
