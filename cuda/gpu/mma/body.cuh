// The fused convolution of one launch: every row of u is read once, transformed, multiplied by the spectrum of its
// channel, transformed back and written once; everything between stays on the chip. This is the order of the work; the
// work itself is in phases.cuh.
//
// Between the phases lie two exchanges through shared memory. With two exchange buffers, interval j runs middle(set j),
// last(set j-1) and first(set j+1) and ends with one barrier; with one buffer an interval is middle(j), barrier,
// last(j) + first(j+1) in place, barrier. last() overwrites the staged samples that first() has just consumed; at
// the start of the next interval each thread stores the 16-byte pieces of y it owns and refills the same pieces.
#pragma once
#include "phases.cuh"

namespace ffc::mma {

template <class C>
struct Convolution : Phases<C> {
  using Base = Phases<C>;
  using Base::R, Base::p, Base::warp, Base::staging, Base::exchange, Base::addressOuter, Base::spectrumUntil;
  using Base::loadOuter, Base::loadSpectrum, Base::first;

  FFC_DEVICE explicit Convolution(const Params& params) : Base(params) {
    if (staging.maps) staging.initBarriers(p.slots + C::buffers);
    staging.plain = C::oneTile ? !C::rowScaled : withoutExponents<C>(p);
    Base::loadTables();
    Base::finishTables();
  }

  FFC_DEVICE u32 exchangeOf(int set, int tile) const {
    return exchange + ((C::buffers == 2 ? set & 1 : 0) * staging.tilesPerSet() + tile) * (R * C::blockBytes);
  }

  // The tiles in whose middle this warp has a k1: of few digits two warps have the same one, in tiles of their own.
  static constexpr int tileStep = C::sparse ? warps / fewDigits : 1;
  FFC_DEVICE int ownTile() const { return C::sparse ? warp / fewDigits : 0; }

  // One tile a set and no slot to spare: the next samples are sent for in the middle of the interval, when what they replace
  // has been read, instead of waiting for that.
  static constexpr bool loadHalfway = C::packed && C::mostTiles == 1;

  // All tiles of the set use the spectrum at hand.
  FFC_DEVICE bool spectrumLasts(int set) const {
    return staging.firstTile + (set + 1) * p.tilesPerSet <= spectrumUntil;
  }
  // `steady`: code without branches, for sets for which nothing out of the ordinary is to be done. Then the compiler can
  // mix the phases and tiles of an interval.
  template <bool steady, class BeforeLast, class Halfway = typename Base::Nothing>
  FFC_DEVICE void runMiddle(int set, int tile, BeforeLast&& beforeLast, Halfway&& halfway = {}) {
    const int global = staging.firstTile + set * p.tilesPerSet + tile;
    if constexpr (C::spectrumRing)  // of few digits; there is no skip term
      Base::turnRing(tile + tileStep < p.tilesPerSet ? global + tileStep : global - tile + p.tilesPerSet + ownTile());
    else if (!steady && global >= spectrumUntil)
      loadSpectrum(global);
    constexpr SpectrumFrom from = C::spectrumRegisters ? SpectrumFrom::registers
                                  : C::spectrumRing    ? SpectrumFrom::ringWithoutSkip
                                  : steady             ? SpectrumFrom::memoryWithoutSkip
                                                       : SpectrumFrom::memory;
    Base::template middle<from>(exchangeOf(set, tile), beforeLast, halfway);
  }
  template <bool steady>
  FFC_DEVICE void runMiddle(int set, int tile) {
    runMiddle<steady>(set, tile, [] {});
  }

  // first() of set `in` and last() of set `out` share a staging slot and an exchange buffer: their operands, fetched
  // together, are replaced together.
  struct Operands {
    u32 u[C::windows][4], gate[C::windows][4], xr[4], xi[4];
  };
  template <bool doFirst, bool doLast>
  FFC_DEVICE void fetch(Operands& o, u32 block, u32 stage, u32 pre) const {
    if constexpr (doFirst) {
#pragma unroll
      for (int w = 0; w < C::windows; w++) {
        u32(&u)[4] = o.u[w], (&gate)[4] = o.gate[w];
        loadTransposed(stage + w * staging.windowBytes, u[0], u[1], u[2], u[3]);
        if constexpr (C::wholeWindows)
          for (int i = 0; i < 4; i++) gate[i] = 0;  // otherwise an absent gate is kept from set to set, in local memory
        if constexpr (C::gated)
          if (staging.multiplies()) loadTransposed(pre + w * staging.windowBytes, gate[0], gate[1], gate[2], gate[3]);
      }
    }
    if constexpr (doLast) {
      loadTransposed(block + addressOuter, o.xr[0], o.xr[1], o.xr[2], o.xr[3]);
      if constexpr (!C::sparse) loadTransposed(block + addressOuter + Base::blockPlane, o.xi[0], o.xi[1], o.xi[2], o.xi[3]);
    }
  }
  // Slots and scales of one interval's outer phases.
  struct Outer {
    int in, out;
    u32 stage, pre, post, exchange;
    u32 largest, scale;  // of this warp's first sequence: maximum of the input, power of two of the output
  };
  using Place = typename Staging<C>::Place;
  FFC_DEVICE Outer outerOf(int in, int out, Place at) const {
    return {in, out, staging.slotOf(at), staging.slotOfPre(in), staging.stagesPost() ? staging.slotOfPost(out) : 0, exchangeOf(in, 0),
            staging.largestOf(in, warp >> p.log2N2), staging.exponentOf(out, warp >> p.log2N2)};
  }
  template <bool doFirst, bool doLast, bool steady, bool firstWindow = !C::splitOutputs>
  FFC_DEVICE void compute(const Outer& outer, Operands& o, int tile, int b) {
    const u32 block = outer.exchange + (tile * R + b) * C::blockBytes, offset = staging.fragment(tile, b);
    const u32 row = tile << (staging.log2Sequences + 2);
    if constexpr (doFirst) {
      u32 scale = 0;
      if constexpr (C::rowScaled) scale = floatBits(powerOfTwo(staging.inputExponent(outer.largest + row)));
      u32 rest[C::windows][4];
#pragma unroll
      for (int w = 0; w < C::windows; w++)
        if constexpr (C::gated)
          prepareGated<C>(o.u[w], rest[w], o.gate[w], staging.multiplies(), scale);
        else
          prepare<C>(o.u[w], scale);
      first(o.u, rest, block);
    }
    if constexpr (doLast) {
      const bool scaled = !C::gateAtStore && (C::rowScaled || (!steady && !staging.plain));
      Base::template last<false, firstWindow>(o.xr, o.xi, outer.stage + offset, outer.post, outer.post + offset, scaled,
                 scaled ? sharedLoad4(outer.scale + row) : 0);
    }
  }
  template <bool doFirst, bool doLast>
  FFC_DEVICE void fetch(const Outer& outer, Operands& o, int tile, int b) const {
    const u32 offset = staging.fragment(tile, b);
    fetch<doFirst, doLast>(o, outer.exchange + (tile * R + b) * C::blockBytes, outer.stage + offset, outer.pre + offset);
  }
  // `o`: those of b = 0.
  template <bool doFirst, bool doLast, bool steady>
  FFC_DEVICE void runOuter(const Outer& outer, Operands& o, int tile) {
    compute<doFirst, doLast, steady>(outer, o, tile, 0);
#pragma unroll
    for (int b = 1; b < R; b++) {
      fetch<doFirst, doLast>(outer, o, tile, b);
      compute<doFirst, doLast, steady>(outer, o, tile, b);
    }
  }
  template <bool doFirst, bool doLast>
  FFC_DEVICE void runOuter(const Outer& outer, int tile) {
    Operands o;
    fetch<doFirst, doLast>(outer, o, tile, 0);
    runOuter<doFirst, doLast, false>(outer, o, tile);
  }

  FFC_DEVICE void outerRange(int in, int out, Place at, bool doFirst, bool doLast) {
    if constexpr (!C::outerRegisters) loadOuter();
    if (doFirst) staging.awaitInput(in, at);
    if (doLast) staging.awaitPost(out);
    const Outer outer = outerOf(in, out, at);
    if (doFirst && doLast) {
#pragma unroll(C::outerUnroll)
      for (int tile = 0; tile < p.tilesPerSet; tile++) runOuter<true, true>(outer, tile);
      return;
    }
#pragma unroll 1
    for (int tile = 0; tile < p.tilesPerSet; tile++) {
      if (doFirst) runOuter<true, false>(outer, tile);
      if (doLast) runOuter<false, true>(outer, tile);
    }
  }

  FFC_DEVICE void run() {
    const int sets = staging.sets;
    if (sets == 0) return;
    for (int set = 0; set <= staging.lead; set++) staging.prepareRows(set);
    blockSync();
    Place at = {0, 0};  // of the set that first() takes next
    Place ahead = at;   // of the set that load() fetches next
    for (int set = 0; set < staging.lead; set++, ahead = staging.following(ahead)) staging.load(set, ahead);
    staging.finishLoads();
    staging.findScale(0, at);
    if constexpr (C::buffers == 2) staging.findScale(1, staging.following(at));
    blockSync();
    outerRange(0, 0, at, true, false);
    staging.finishLoads();
    blockSync();
    // The slot that store() empties is the one that load() fills, unless there is a slot to spare. Tensor copies into
    // the slot must then wait until the store has read it, so they are issued later in the interval.
    const bool ordinary = (C::rowScaled || staging.plain) && (C::spectrumRegisters || !p.skip);
    const bool spare = p.slots > C::buffers;
    const bool loadLate = staging.maps && !spare && (C::buffers == 2 || loadHalfway);
    const int ownTiles = C::sparse && Base::place() >= p.digitCount ? 0 : p.tilesPerSet;
    if constexpr (C::spectrumRing)
      if (ownTile() < ownTiles) Base::startRing(staging.firstTile + ownTile());
    for (int set = 0; set < sets + C::buffers - 1; set++) {
      // `at` is still the place of input `set`, now holding y of set - buffers.
      if (!spare) staging.store(set - C::buffers, at);
      if (!loadLate) staging.load(set + staging.lead, ahead);
      if (spare) staging.store(set - C::buffers, at);
      at = staging.following(at);
      staging.loadPost(set);
      staging.prepareRows(set + staging.lead + 1);
      staging.finishRows(set);
      const bool doMiddle = set < sets, doFirst = set + 1 < sets, doLast = C::buffers == 1 || set > 0;
      if constexpr (C::buffers == 2) {
        if (doMiddle && doFirst && doLast && ordinary && spectrumLasts(set)) {
          if constexpr (!C::outerRegisters) loadOuter();
          staging.awaitInput(set + 1, at);
          staging.awaitPost(set - 1);
          const Outer outer = outerOf(set + 1, set - 1, at);
#pragma unroll(C::unroll)
          for (int tile = 0; tile < p.tilesPerSet; tile++) {
            Operands o;
            if constexpr (C::fetchFirst) {
              fetch<true, true>(outer, o, tile, 0);
              runMiddle<true>(set, tile);
            } else {
              runMiddle<true>(set, tile, [&] { fetch<true, true>(outer, o, tile, 0); });
            }
            runOuter<true, true, true>(outer, o, tile);
          }
          if (loadLate) staging.load(set + C::buffers, ahead);
        } else {
#pragma unroll 1
          for (int tile = 0; doMiddle && tile < p.tilesPerSet; tile++) runMiddle<false>(set, tile);
          if (loadLate) staging.load(set + C::buffers, ahead);
          outerRange(set + 1, set - 1, at, doFirst, doLast);
        }
        staging.finishLoads();
        staging.findScale(set + 2, staging.following(at));
        blockSync();
      } else {
        const auto loadNext = [&] {
          if (loadHalfway && loadLate) staging.load(set + staging.lead, ahead);
        };
        if (C::spectrumRing || ((C::packed || C::sparse) && ordinary && spectrumLasts(set))) {
#pragma unroll(C::unroll)
          for (int tile = ownTile(); tile < ownTiles; tile += tileStep) runMiddle<true>(set, tile, [] {}, loadNext);
        } else {
#pragma unroll 1
          for (int tile = ownTile(); tile < ownTiles; tile += tileStep) runMiddle<false>(set, tile, [] {}, loadNext);
        }
        staging.finishLoads();
        staging.findScale(set + 1, at);
        blockSync();
        outerRange(set + 1, set, at, doFirst, true);
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
