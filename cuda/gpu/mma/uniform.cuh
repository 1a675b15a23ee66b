// The order of work for the common shape: sets of one channel (the last of a channel may have fewer rows: copies leave out
// what lies beyond the batch). Then a spectrum changes between intervals only, and what the general driver (body.cuh) keeps
// per row is one register. How rows travel is a parameter (set_copies.cuh). Interval j is as there: middle(set j),
// last(set j - 1) and first(set j + 1), one barrier. Where that is quicker it is in two halves (Config::splitsIntervals): between arriving
// and waiting each warp does what the next interval begins with, which needs none of the others' results.
//
// Blocks take channels in turn, each a whole one, so that all blocks together read neighbouring rows (copies alone ran 4 %
// faster in that order); the channels that are left over are shared out by sets.
//
// Where samples may leave the range of a half (bfloat16, gates), finding each row's scale before first() costs a wait and a
// second look at every sample. So rows go through unscaled at first, the spectrum's exponent goes into the last matrix, and
// first() notes on the way whether all is well. A set with a row outside the window below, or of a channel with an exponent
// that the matrix cannot take, is not stored: from it on the block starts again with exact scales.
//
// In the fast class without gates not even that is needed (watchesOutputs): what tells is the outputs. An overflow leaves
// numbers that are not finite, in all 16 outputs n1 of a column at least; one multiply-add a tile finds them. Rows whose
// outputs are too small are found by a look at a few of them while they are being stored. The block then stores them again.
//
// A Config opts in by `uniform` and says its tiles; the host (mma.cu) then uses this driver wherever a problem has the shape.
#pragma once
#include "uniform/notes.cuh"

namespace ffc::mma {

template <class C, class Copies>
struct Uniform : RowNotes<C, Copies> {
  using Base = RowNotes<C, Copies>;
  using typename Base::Position, typename Base::Place, typename Base::Interval;
  using Base::R, Base::sets, Base::positionOf, Base::p, Base::useChannel, Base::finishFetch, Base::staging;
  using Base::clearNotes, Base::stopAt, Base::warp, Base::exchangeOf, Base::noteOf, Base::findLargest;
  using Base::takesWrapped, Base::orderWrapped, Base::largest, Base::noteOfSet, Base::prefetchSpectrum;
  using Base::slotBetween, Base::watchOutputs, Base::watch, Base::channelEnds, Base::exponent, Base::chooseChannel;
  using Base::putIntoMatrix, Base::inMatrix, Base::exponentStored, Base::exponentBefore, Base::noteOverflow;
  using Base::wholeSets;
  using Base::Base;

  // What follows from a value is found again after the tiles: kept over them, it would take registers that they need.
  FFC_DEVICE static int again(int value) {
    u32 v = u32(value);
    keepInRegister(v);
    return int(v);
  }

  // A barrier in two halves behind those of both runs' copies.
  FFC_DEVICE u32 intervalDone() const { return staging.barriers + 2 * 8 * Copies::barrierCount; }
  static_assert(2 * 8 * Copies::barrierCount + 8 <= barrierBytes);

  // Runs the block's sets from `from` on. Returns the set that needs exact scales, everything before it stored; or -1.
  template <bool exact, bool scaled>
  FFC_DEVICE int run(int from) {
    constexpr bool noting = C::rowScaled && !exact;
    // Whether a channel ends, and whether to stop, is found out again after the tiles: radix 2 has no registers for it over them.
    constexpr bool findsAgain = R > 1, lateEnds = findsAgain && !C::gated;
    constexpr bool split = C::template splitsIntervals<Copies::rowShape> && !exact;
    Copies::beginCopies(exact);
    if constexpr (split) splitInit(intervalDone());
    const int count = sets - from;
    const Position begin = positionOf(from);
    if (exact) Copies::load(0, {0, 0}, begin);
    int left = p.setsPerChannel - begin.set;  // sets of the current channel
    if (exact)
      useChannel(begin.channel);
    else
      finishFetch();
    const Place second = staging.following({0, 0});
    if (count > 1) Copies::load(1, second, positionOf(from + 1));
    if constexpr (C::rowScaled) {
      for (int set = 0; set < noteRing<C>; set++) clearNotes(set);
      if (threadIndex() < 2) sharedStore4(stopAt(threadIndex()), 0);
    }
    blockSync();
    if (count <= 0) return -1;
    if (noting && C::watchesOutputs && p.inPlace) {
      // Samples are no longer there when their outputs have been looked at: exact scales from the beginning.
      Copies::await({0, 0});
      if (count > 1) Copies::await(second);
      blockSync();
      return from;
    }
    Place at = {0, 0};  // of set + 1
    auto interval = [&](int set) {
      const int sequence = warp >> p.log2N2;
      return Interval{exchangeOf(set), exchangeOf(set + 1), staging.slotOf(at), staging.slotOfPre(set + 1),
                      staging.slotOfPost(set + 1), noteOf(set + 1) + sequence * 4, noteOf(set - 1) + sequence * 4};
    };
    Copies::await({0, 0});
    Copies::trim(0, {0, 0}, begin);
    if (exact && count > 1) Copies::trim(1, second, positionOf(from + 1));
    if (Copies::trims()) blockSync();
    if constexpr (exact) {
      findLargest(0, 0, begin);
      if (count > 1) {
        Copies::await(second);
        findLargest(1, 1, positionOf(from + 1));
      }
      blockSync();
    }
    if constexpr (!C::outerRegisters) Base::loadOuter();
    if (takesWrapped()) orderWrapped(begin);
    Base::template runEdge<exact, scaled>(interval(-1), true, false, false);
    if (takesWrapped()) Base::template addWrapped<exact>(interval(-1));
    if constexpr (noting && !C::watchesOutputs) {
      sharedStoreIfNotBelow(largest, aboveUnscaled, noteOfSet(0), 1);
      largest = 0;
    }
    if (!exact && count > 1) Copies::trim(1, second, positionOf(from + 1));
    fenceTensorCopies();
    split ? splitArrive(intervalDone()) : blockSync();
    // Unless outputs are watched, or rows have edges: some warps may still look at what the copies are to replace.
    const bool early = split && !C::watchesOutputs && !Copies::trims();
    for (int set = 0; set <= count; set++) {
      at = staging.following(at);
      const Place next = staging.following(at);  // of set + 2; the third slot is that of `set`, now with y of set - 2
      const bool loads = set + 2 < count;
      Interval now;
      Position following;  // of the next set
      int exponentAfter = exponent;
      const auto loadAhead = [&] {
        Copies::awaitStoresRead();  // y of set - 3 has left the slot of set + 2
        if (!loads) return;
        const Position ahead = positionOf(from + set + 2);
        Copies::load(set + 2, next, ahead);
        if (Copies::ordersFirst() && ahead.set == 0) prefetchSpectrum(ahead.channel);
      };
      const auto beginInterval = [&] {
        if (set + 1 < count) Copies::await(at);
        if (set > 0) Copies::awaitPost(set - 1);
        now = interval(set);
        if constexpr (!lateEnds) channelEnds = set + 1 < count && --left == 0;
        following = positionOf(from + set + 1);
        if (C::spectrumAhead && channelEnds) exponentAfter = chooseChannel(following.channel);
        if constexpr (!C::outerRegisters) putIntoMatrix(inMatrix);
      };
      if constexpr (split) {
        if (early && Copies::orders()) loadAhead();
        beginInterval();
        splitWait(intervalDone(), u32(set) & 1);
      }
      if (Copies::orders()) {
        if (!early) loadAhead();
        if (set >= 2) Copies::store(slotBetween(at, next), positionOf(from + set - 2));
        if (C::gated && set < count) Copies::loadPost(set, positionOf(from + set));
      }
      // What follows from the set's number is found where it is needed: other warps would wait for it.
      if (set >= 2 && Copies::storesEdges()) Copies::storeEdges(slotBetween(at, next), positionOf(from + again(set) - 2));
      u32 stop = 0;  // a word about set - 1, or (watchesOutputs) about set - 3
      if constexpr (exact) clearNotes(set + 4);
      if constexpr (noting) {
        if constexpr (!findsAgain) stop = sharedLoad4(stopAt(set - 1));
        if constexpr (C::watchesOutputs) {
          if (set >= 2) watchOutputs(set - 2, slotBetween(at, next), positionOf(from + set - 2).set * staging.rowsPerSet);
        } else if (warp == Copies::watchWarp && set < count) {
          watch(set, positionOf(from + set).set * staging.rowsPerSet);
        }
      }
      if constexpr (!split) beginInterval();
      if (takesWrapped()) {
        if (set + 1 < count) orderWrapped(positionOf(from + again(set) + 1));
        if (set > 0 && !stop) Base::template storeWrapped<exact, scaled>(interval(again(set)), positionOf(from + again(set) - 1));
      }
      if (set > 0 && set + 1 < count)
        Base::template runTiles<true, true, true, exact, scaled>(now);
      else
        Base::template runEdge<exact, scaled>(now, set + 1 < count, set < count, set > 0);
      if (takesWrapped() && set + 1 < count) Base::template addWrapped<exact>(interval(again(set)));
      const auto takeNotes = [&] {
        if constexpr (noting && C::watchesOutputs) {
          noteOverflow(set - 1);
        } else if constexpr (noting) {
          sharedStoreIfNotBelow(largest, aboveUnscaled, noteOfSet(set + 1), 1);
          largest = 0;
        }
        // In the next interval the word is that of another set.
        if constexpr (noting && findsAgain && split) stop = sharedLoad4(stopAt(again(set) - 1));
      };
      const auto trimAhead = [&] {
        if (!Copies::trimsTile() || set + 2 >= count) return;
        const Place fetched = {again(at.slot), u32(again(int(at.parity)))};
        Copies::trim(set + 2, staging.following(fetched), positionOf(from + again(set) + 2));
      };
      // Everything that others are to see comes before a warp arrives.
      if constexpr (split) {
        takeNotes();
        trimAhead();
        fenceTensorCopies();
        splitArrive(intervalDone());
      }
      exponentStored = exponentBefore;
      exponentBefore = exponent;
      if (noting && exponent != inMatrix) putIntoMatrix(exponent);
      if constexpr (!split) takeNotes();
      if constexpr (lateEnds) {
        following = positionOf(from + again(set) + 1);
        // The left-over channel after whole ones may have begun in another block.
        channelEnds = set + 1 < count && (following.set == 0 || from + set + 1 == wholeSets);
      }
      if (channelEnds) {
        left = p.setsPerChannel - following.set;
        if constexpr (C::spectrumAhead) {
          exponent = exponentAfter;
          finishFetch();
        } else {
          useChannel(following.channel);
        }
      }
      if constexpr (!split) trimAhead();
      if (exact && Copies::trims()) blockSync();
      if constexpr (exact)
        if (loads) {
          Copies::await(next);
          findLargest(set + 2, next.slot, positionOf(from + set + 2));
        }
      if constexpr (!split) {
        // In the next interval the word is that of another set.
        if constexpr (noting && findsAgain) stop = sharedLoad4(stopAt(again(set) - 1));
        fenceTensorCopies();
        blockSync();
      }
      if (noting && stop) {
        // y of set - 2 is on its way, that of set - 1 is not to be stored. Nothing may be under way when the slots are
        // filled anew, nor when outputs are stored again.
        if constexpr (split) splitWait(intervalDone(), u32(set + 1) & 1);
        if (loads) Copies::await(next);
        if (set < count) Copies::awaitPost(set);
        Copies::awaitStores();
        return from + set - (C::watchesOutputs ? 3 : 1);
      }
    }
    if constexpr (split) splitWait(intervalDone(), u32(count + 1) & 1);
    Copies::store(staging.slotOf(at), positionOf(from + count - 1));
    if (Copies::storesEdges()) Copies::storeEdges(staging.slotOf(at), positionOf(from + count - 1));
    int stopped = -1;
    if constexpr (noting && C::watchesOutputs) {
      watchOutputs(count - 1, staging.slotOf(at), positionOf(from + count - 1).set * staging.rowsPerSet);
      blockSync();
      for (int set = count - 1; set >= 0 && set >= count - 2; set--)
        if (sharedLoad4(stopAt(set + 2))) stopped = from + set;
    }
    Copies::awaitStores();
    return stopped;
  }
};

template <class C, class Copies>
FFC_DEVICE void convolveUniform(const Params& p) {
  using Driver = Uniform<C, Copies>;
  Driver uniform(p, true);
  if constexpr (C::rowScaled) {
    const int stopped = uniform.template run<false, false>(0);
    // With constants of its own: the first run is not to keep registers for this one, nor addresses of tables.
    if (stopped >= 0) Driver(p, false, C::R > 1 ? Driver::again(threadIndex()) : threadIndex()).template run<true, true>(stopped);
  } else if (uniform.staging.plain) {
    uniform.template run<false, false>(0);
  } else {
    uniform.template run<false, true>(0);
  }
}

template <class C, RowShape shape>
FFC_DEVICE void convolveSets(const Params& p) {
  if constexpr (C::cachedTurnsBelow > 0) {
    using InCache = TurnsInCache<C, shape != RowShape::wrapping>;
    if (p.log2N2 < C::cachedTurnsBelow) return convolveUniform<InCache, TensorCopies<InCache, shape>>(p);
  }
  convolveUniform<C, TensorCopies<C, shape>>(p);
}

}  // namespace ffc::mma
