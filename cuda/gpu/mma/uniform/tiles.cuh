// The phases of one interval, tile by tile: first() of a set, the middle of the one before it and last() of the one
// before that.
#pragma once
#include "sets.cuh"

namespace ffc::mma {

template <class C, class Copies>
struct UniformTiles : UniformSets<C, Copies> {
  using Base = UniformSets<C, Copies>;
  using Base::R, Base::fragment, Base::addressOuter, Base::staging, Base::largest, Base::first, Base::exponentBefore;
  using Base::products, Base::fetchAhead, Base::channelEnds, Base::p;
  using Base::Base;

  // ---- one tile of an interval
  struct Interval {
    u32 middle, outer;        // exchange buffers
    u32 stage, pre, post;     // slots
    u32 noteIn, noteOut;      // of this warp's first sequence
  };
  struct Operands {
    u32 u[4], gate[4], xr[4], xi[4];
  };
  template <bool doFirst, bool doLast>
  FFC_DEVICE void fetch(Operands& o, const Interval& at, int tile, int b) const {
    const u32 offset = Copies::tileOffset(tile) + fragment[b], block = at.outer + (tile * R + b) * exchangeBytes;
    if constexpr (doFirst) {
      loadTransposed(at.stage + offset, o.u[0], o.u[1], o.u[2], o.u[3]);
      if constexpr (C::gated) loadTransposed(at.pre + offset, o.gate[0], o.gate[1], o.gate[2], o.gate[3]);
    }
    if constexpr (doLast) Base::loadPlanes(block + addressOuter, o.xr, o.xi);
  }
  template <bool doFirst, bool doLast, bool exact, bool scaled>
  FFC_DEVICE void compute(Operands& o, const Interval& at, int tile, int b) {
    const u32 offset = Copies::tileOffset(tile) + fragment[b], block = at.outer + (tile * R + b) * exchangeBytes;
    if constexpr (doFirst) {
      u32 inputScale = floatBits(1.0f), rest[4];
      if constexpr (exact) inputScale = floatBits(powerOfTwo(staging.inputExponent(at.noteIn + tile * 64)));
      if constexpr (C::gated)
        prepareGated<C>(o.u, rest, o.gate, true, inputScale);
      else if constexpr (exact)
        prepare<C>(o.u, inputScale);
      else
        prepareUnscaled<C>(o.u);
      if constexpr (C::rowScaled && !exact && !C::watchesOutputs) {
        const u32 most = largestHalves(largestHalves(o.u[0], o.u[1]), largestHalves(o.u[2], o.u[3]));
        largest = largestHalves(largest, most);
        sharedStoreIfNotBelow(most, lowestUnscaled, at.noteIn + tile * 64, 1);
      }
      first(o.u, rest, block);
    }
    if constexpr (doLast) {
      int e = exponentBefore;
      if constexpr (exact) e -= staging.inputExponent(at.noteOut + tile * 64);
      Base::template last<Copies::partial>(
          o.xr, o.xi, at.stage + offset, C::gated, at.post + offset, scaled, scaled ? floatBits(powerOfTwo(e)) : 0,
          [&](u32(&out)[4]) {
            if constexpr (C::watchesOutputs && !exact) products = bfloatFma(out[0], out[2], products);
          });
    }
  }
  template <bool doFirst, bool doMiddle, bool doLast, bool exact, bool scaled>
  FFC_DEVICE void runTile(const Interval& at, int tile, bool last) {
    Operands o;
    auto fetchNow = [&] { fetch<doFirst, doLast>(o, at, tile, 0); };
    if constexpr (C::fetchFirst || !doMiddle) fetchNow();
    if constexpr (doMiddle)
      middleOf(at, tile, last, [&] {
        if constexpr (!C::fetchFirst) fetchNow();
      });
    compute<doFirst, doLast, exact, scaled>(o, at, tile, 0);
#pragma unroll
    for (int b = 1; b < R; b++) {
      fetch<doFirst, doLast>(o, at, tile, b);
      compute<doFirst, doLast, exact, scaled>(o, at, tile, b);
    }
  }
  template <class BeforeLast>
  FFC_DEVICE void middleOf(const Interval& at, int tile, bool last, BeforeLast&& beforeLast) {
    constexpr SpectrumFrom from = C::spectrumRegisters   ? SpectrumFrom::registers
                                  : C::spectrumResident ? SpectrumFrom::shared
                                                        : SpectrumFrom::memory;
    Base::template middle<from>(at.middle + tile * (R * exchangeBytes), beforeLast, typename Base::Nothing{}, [&] {
      if constexpr (C::spectrumAhead) {
        if (last) fetchAhead(channelEnds);
      }
    });
  }
  template <bool doFirst, bool doMiddle, bool doLast, bool exact, bool scaled>
  FFC_DEVICE void runTiles(const Interval& at) {
    if constexpr (C::uniformTiles == 1) return runTile<doFirst, doMiddle, doLast, exact, scaled>(at, 0, true);
    if (!exact && C::uniformUnroll > 1 && p.tilesPerSet == C::uniformTiles) {
#pragma unroll(C::uniformUnroll)
      for (int tile = 0; tile < C::uniformTiles; tile++)
        runTile<doFirst, doMiddle, doLast, exact, scaled>(at, tile, tile == C::uniformTiles - 1);
    } else {
#pragma unroll 1
      for (int tile = 0; tile < p.tilesPerSet; tile++)
        runTile<doFirst, doMiddle, doLast, exact, scaled>(at, tile, tile == p.tilesPerSet - 1);
    }
  }
  // The first and the last intervals of a block. Where tiles are interleaved at all, here too: of 24 intervals, as many
  // as a block has at 1024 points and 64 rows, these are four. Sets of four tiles in the accurate class: 512 points
  // 0.0621 to 0.0606 ms.
  template <bool exact, bool scaled>
  FFC_DEVICE void runEdge(const Interval& at, bool doFirst, bool doMiddle, bool doLast) {
    if constexpr (!exact && (C::uniformUnroll > 1 || (C::turnsInCache && !Copies::wraps))) {
      if (doMiddle && doFirst)
        return runTiles<true, true, false, exact, scaled>(at);
      if (doMiddle && doLast)
        return runTiles<false, true, true, exact, scaled>(at);
    }
    const int tiles = C::uniformTiles == 1 ? 1 : p.tilesPerSet;
#pragma unroll 1
    for (int tile = 0; tile < tiles; tile++) {
      if (doMiddle) middleOf(at, tile, tile == p.tilesPerSet - 1, [] {});
      if (doFirst) runTile<true, false, false, exact, scaled>(at, tile, false);
      if (doLast) runTile<false, false, true, exact, scaled>(at, tile, false);
    }
  }

};

}  // namespace ffc::mma
