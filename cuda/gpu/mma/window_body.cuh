// The order of the work where a set is one tile that tensor copies bring, packed samples (WholeWindows) or a row that does not fill 16384
// points in the accurate class (long_rows.cuh): an interval is
// middle(j), barrier, last(j) + first(j + 1) in place, barrier. Interval -1 does nothing but the first phase of set 0, and what the
// outer phases compute for sets that do not exist goes where nobody looks, so that one copy of the code without branches serves
// every interval: the choices of body.cuh were an eighth of the instructions, and the registers for them were spilled.
#pragma once
#include "body.cuh"
#include "long_rows.cuh"

namespace ffc::mma {

template <class C>
struct WindowConvolution : Convolution<C> {
  using Base = Convolution<C>;
  using Base::R, Base::p, Base::staging, Base::spectrumUntil;
  using Operands = typename Base::Operands;
  using Place = typename Staging<C>::Place;
  static_assert(C::oneTile && C::buffers == 1 && C::mostTiles == 1 && !C::outerRegisters);

  FFC_DEVICE explicit WindowConvolution(const Params& params) : Base(params) {}

  // The only slot, and the parity of its barrier for input `set`.
  FFC_DEVICE static Place placeOf(int set) { return {0, u32(set) & 1}; }

  FFC_DEVICE LongRows<C> rows() const { return {p, staging}; }
  FFC_DEVICE void load(int set) const { C::partialRows ? rows().load(set, placeOf(set)) : staging.load(set, placeOf(set)); }
  FFC_DEVICE void store(int set) const { C::partialRows ? rows().store(set, placeOf(set)) : staging.store(set, placeOf(set)); }
  FFC_DEVICE void trim(int set) const {
    if constexpr (C::partialRows) rows().trim(set, placeOf(set));
  }

  // Rows: the matrices of the outer phases are on their way while warps wait for each other at the end of the middle, where registers
  // are free again.
  static constexpr bool outerBefore = C::wholeRows;

  template <bool firstWindow>
  FFC_DEVICE void runOuter(int in, int out) {
    if constexpr (!outerBefore) Base::loadOuter();
    staging.awaitInput(in, placeOf(in));
    const auto outer = Base::outerOf(in, out, placeOf(in));
    // What comes round is seen to before and after the others, when registers are free.
    const bool wraps = C::partialRows && p.wraps && Base::warp == 0;
    if (C::partialRows && wraps) {
      const int wrapped = rows().wrapped(out);
      u32 xr[4], xi[4];
      Base::loadPlanes(outer.exchange + Base::addressOuter, xr, xi);
      if (wrapped > 0) rows().storeWrapped(out, wrapped, rows().wrappedSums(*this, xr, xi, false, 0));
    }
    // Ungated it takes 1 % longer with operands fetched ahead, with gates 1 to 5 % less.
    constexpr int ahead = C::gated ? 1 : 0;
    Operands o[R];
    if (ahead) Base::template fetch<true, true>(outer, o[0], 0, 0);
#pragma unroll
    for (int b = 0; b < R; b++) {
      if (b + ahead < R) Base::template fetch<true, true>(outer, o[b + ahead], 0, b + ahead);
      Base::template compute<true, true, true, firstWindow>(outer, o[b], 0, b);
    }
    if (C::partialRows && wraps) {
      const int wrapped = rows().wrapped(in);
      if (wrapped > 0) rows().addWrapped(*this, in, wrapped, 0, outer.exchange);
    }
  }

  FFC_DEVICE void run() {
    const int sets = staging.sets;
    if (sets == 0) return;
    for (int set = 0; set < 2; set++) staging.prepareRows(set);
    blockSync();
    load(0);
    trim(0);
    staging.finishLoads();
    staging.findScale(0, placeOf(0));
    blockSync();
    // Where the history fills the first window, it holds no outputs.
    const bool bothWindows = !C::gated && (!C::packed || p.history < R * tilePoints);
    for (int set = -1; set < sets; set++) {
      Base::renewAddresses();
      store(set - 1);
      if (set >= 0) {
        staging.loadPost(set);
        staging.prepareRows(set + 2);
        staging.finishRows(set);
        if constexpr (C::wholeRows) {
          if (set >= spectrumUntil) Base::loadWholeSpectrum(set);
        } else if (staging.firstTile + set >= spectrumUntil) {
          Base::loadSpectrum(staging.firstTile + set);
        }
        // What the next samples replace is out by half of the middle.
        const auto loadNext = [&] { load(set + 1); };
        Base::template middle<C::addsSkip ? SpectrumFrom::memory : SpectrumFrom::memoryWithoutSkip>(Base::exchangeOf(set, 0), typename Base::Nothing{}, loadNext);
        if constexpr (outerBefore) Base::loadOuter();
        trim(set + 1);
        staging.finishLoads();
        staging.findScale(set + 1, placeOf(set + 1));
        blockSync();
      } else if (outerBefore) {
        Base::loadOuter();  // not before the loop: registers that are live around it would be spilled in the middle
      }
      if (!C::packed || bothWindows)
        runOuter<!C::gated>(set + 1, set);
      else
        runOuter<false>(set + 1, set);
      staging.finishLoads();
      blockSync();
    }
    store(sets - 1);
    staging.finishStores();
  }
};

}  // namespace ffc::mma
