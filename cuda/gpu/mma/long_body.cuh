// The order of the work for radix 3 and up: one tile a set, and a middle that is long enough to be worth hiding.
//
// With two exchange buffers interval j runs middle(j), last(j - 1) and first(j + 1) and ends with one barrier. Half of the
// warps of each scheduler begin with middle(), the others with the outer phases, so that tensor-heavy and memory-heavy
// code overlap without being mixed in the source. With one buffer an interval is middle(j), barrier, last(j) +
// first(j + 1) in place, barrier. Interval -1 does nothing but the first phase of set 0, and what the outer phases compute
// for sets that do not exist goes where nobody looks: one copy of the code without branches serves every interval.
#pragma once
#include "phases.cuh"

namespace ffc::mma {

template <class C>
struct LongConvolution : Phases<C> {
  using Base = Phases<C>;
  using Base::R, Base::p, Base::warp, Base::staging, Base::exchange, Base::addressOuter, Base::spectrumUntil;
  static_assert(C::mostTiles == 1 && !C::spectrumRegisters);

  FFC_DEVICE explicit LongConvolution(const Params& params) : Base(params) {
    if (staging.maps) staging.initBarriers(p.slots + C::buffers);
    Base::loadTables();
  }

  FFC_DEVICE u32 exchangeOf(int set) const {
    return exchange + (C::buffers == 2 ? set & 1 : 0) * (R * exchangeBytes);
  }

  template <class Halfway>
  FFC_DEVICE void runMiddle(int set, Halfway halfway) {
    const int tile = staging.firstTile + set;
    if constexpr (C::spectrumRing) Base::turnRing(tile + 1);
    if ((!C::spectrumRing || p.skip) && tile >= spectrumUntil) Base::loadSpectrum(tile);
    constexpr SpectrumFrom from = C::spectrumRing ? SpectrumFrom::ring : SpectrumFrom::memory;
    constexpr SpectrumFrom fromWithoutSkip = C::spectrumRing ? SpectrumFrom::ringWithoutSkip : SpectrumFrom::memoryWithoutSkip;
    if (p.skip)
      Base::template middle<from>(exchangeOf(set), typename Base::Nothing{}, halfway);
    else
      Base::template middle<fromWithoutSkip>(exchangeOf(set), typename Base::Nothing{}, halfway);
  }

  // first() of set `in` and last() of set `out` share a staging slot and an exchange buffer: their operands, fetched
  // together, are replaced together.
  FFC_DEVICE void runOuter(int in, int out, typename Staging<C>::Place at) {
    Base::loadOuter();
    staging.awaitInput(in, at);
    if (out >= 0) staging.awaitPost(out);
    const u32 stage = staging.slotOf(at), pre = staging.slotOfPre(in & 7), post = p.post.data ? staging.slotOfPost(out & 7) : 0;
    const int row = warp >> p.log2N2;  // this warp's sequence
    const u32 scaleAt = staging.exponentOf(out, row);
    const bool scaled = !C::rowScaled && !staging.plain;
    const u32 scaleIn = C::rowScaled ? floatBits(powerOfTwo(staging.inputExponent(staging.largestOf(in, row)))) : 0;
#pragma unroll
    for (int b = 0; b < R; b++) {
      const u32 offset = staging.fragment(0, b), block = exchangeOf(in) + b * exchangeBytes;
      u32 u[4], rest[4], gate[4], xr[4], xi[4];
      loadTransposed(stage + offset, u[0], u[1], u[2], u[3]);
      if constexpr (C::gated)
        if (p.pre.data) loadTransposed(pre + offset, gate[0], gate[1], gate[2], gate[3]);
      loadTransposed(block + addressOuter, xr[0], xr[1], xr[2], xr[3]);
      loadTransposed(block + addressOuter + 8192, xi[0], xi[1], xi[2], xi[3]);
      if constexpr (C::gated)
        prepareGated<C>(u, rest, gate, p.pre.data != nullptr, scaleIn);
      else
        prepare<C>(u, scaleIn);
      Base::first(u, rest, block);
      Base::last(xr, xi, stage + offset, post, post + offset, scaled, C::rowScaled || scaled ? sharedLoad4(scaleAt) : 0);
    }
  }

  FFC_DEVICE void run() {
    const int sets = staging.sets;
    if (sets == 0) return;
    for (int set = 0; set <= staging.lead; set++) staging.prepareRows(set);
    if constexpr (C::spectrumRing) Base::startRing(staging.firstTile);
    blockSync();
    typename Staging<C>::Place ahead = {0, 0};           // of the set that load() fetches next
    typename Staging<C>::Place at = {p.slots - 1, 1};    // of input `set`, which y of set - buffers has replaced
    for (int set = 0; set < staging.lead - 1; set++, ahead = staging.following(ahead)) staging.load(set, ahead);
    if (C::buffers == 1) staging.load(0, ahead);
    staging.finishLoads();
    staging.findScale(0, {0, 0});
    blockSync();
    // The slot that store() empties is the one that load() fills, unless there is a slot to spare. Tensor copies into
    // the slot must then wait until the store has read it, so they are issued later in the interval.
    const bool spare = p.slots > C::buffers, loadLate = staging.maps && !spare && C::buffers == 2;
    for (int set = -1; set < sets + C::buffers - 1; set++) {
      if (!spare) staging.store(set - C::buffers, at);
      if (!loadLate && set + staging.lead > 0) staging.load(set + staging.lead, ahead);
      if (spare) staging.store(set - C::buffers, at);
      at = staging.following(at);
      if (set >= 0) {
        staging.loadPost(set);
        staging.prepareRows(set + staging.lead + 1);
        staging.finishRows(set);
      }
      if constexpr (C::buffers == 2) {
        const int middleTurn = (warp >> 2) & 1;
#pragma unroll 1
        for (int turn = 0; turn < 2; turn++) {
          if (turn == middleTurn) {
            if (set >= 0 && set < sets)
              runMiddle(set, [&] {
                if (loadLate) staging.load(set + C::buffers, ahead);
              });
            else if (loadLate)
              staging.load(set + C::buffers, ahead);
          } else {
            runOuter(set + 1, set - 1, at);
          }
        }
        // Without row tables nothing but the ring is copied asynchronously, and that waits for itself.
        if (staging.maps && staging.plain)
          fenceTensorCopies();
        else
          staging.finishLoads();
        staging.findScale(set + 2, staging.following(at));
        blockSync();
      } else {
        if (set >= 0) {
          runMiddle(set, typename Base::Nothing{});
          staging.finishLoads();
          staging.findScale(set + 1, at);
          blockSync();
        }
        runOuter(set + 1, set, at);
        staging.finishLoads();
        blockSync();
      }
      ahead = staging.following(ahead);
    }
    staging.store(sets - 1, at);
    staging.finishStores();
  }
};

}  // namespace ffc::mma
