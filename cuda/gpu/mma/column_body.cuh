// The order of the work for whole rows of 16384 points in the accurate class of float16, with one exchange buffer. A warp's column of the
// samples is one group of 64 of each row n1, so it orders the copies of its column itself, and no other warp sees its staged samples.
// What warps wait for is the exchange alone, at two barriers in halves. Interval j, with what a warp does between arriving at a barrier (>)
// and waiting there (<):
//   middle(j); halfway the column's next samples are sent for, when y(j - 1) has left their place
//   > first(j + 1), in registers <
//   the operands of last(j) leave the exchange buffer, and those results enter
//   > last(j), whose outputs the warp sends out <
// Interval -1 has no middle, and what last() makes of nothing there stays where it is. 16384 points (B = 64): 2.465 ms with barriers of
// the whole block and copies of whole rows (window_body.cuh), 2.353 so.
#pragma once
#include "body.cuh"

namespace ffc::mma {

template <class C>
struct ColumnConvolution : Convolution<C> {
  using Base = Convolution<C>;
  using Base::R, Base::p, Base::staging, Base::spectrumUntil, Base::exchange, Base::addressOuter;
  static constexpr u32 columnBytes = Staging<C>::columnsBytes;
  static_assert(C::wholeRows && !C::partialRows && !C::rowScaled && C::buffers == 1 && 2 * R == 8);

  FFC_DEVICE explicit ColumnConvolution(const Params& params) : Base(params) {
    splitInit(middleDone());
    splitInit(exchanged());
  }

  // Behind the barrier of the only slot and one that gates would have.
  FFC_DEVICE u32 middleDone() const { return staging.barriers + 16; }
  FFC_DEVICE u32 exchanged() const { return staging.barriers + 24; }
  static_assert(16 + 16 <= barrierBytes);

  // One lane of each warp, for its column of a set.
  template <class Body>
  FFC_DEVICE void forColumn(int set, Body&& body) const {
    if (u32(set) >= u32(staging.sets)) return;
    u32 thread = threadIndex();
    keepInRegister(thread);  // see PhaseState::renewAddresses()
    if (thread % 32) return;
    const auto at = staging.positionOf(set);
    body(int(thread / 32), staging.slotOf({0, 0}) + thread / 32 * columnBytes, at.row, at.channel);
  }
  FFC_DEVICE void loadColumn(int set) const {
    forColumn(set, [&](int column, u32 place, int b, int h) {
      if (column == 0) barrierExpect(staging.barriers, staging.slotBytes);
      tensorStoresRead();  // y has left this column
      tensorLoadPart(place, &p.rests.u, 0, column, b, h, staging.barriers);
    });
  }
  FFC_DEVICE void storeColumn(int set) const {
    fenceTensorCopies();
    warpSync();
    forColumn(set, [&](int column, u32 place, int b, int h) { tensorStorePart(place, &p.rests.y, 0, column, b, h); });
  }

  FFC_DEVICE void runOuter(int in, int out) {
    splitArrive(middleDone());
    const u32 parity = u32(in) & 1, stage = staging.slotOf({0, 0}), block = exchange + addressOuter;
    staging.awaitInput(in, {0, parity});
    u32 planes[R][2][4];  // results of first(), then operands of last(): real and imaginary
#pragma unroll
    for (int b = 0; b < R; b++) {
      u32 u[1][4], rest[1][4];
      loadTransposed(stage + staging.fragment(0, b), u[0][0], u[0][1], u[0][2], u[0][3]);
      prepare<C>(u[0], 0);
      Base::firstSums(u, rest, planes[b]);
    }
    splitWait(middleDone(), parity);
#pragma unroll
    for (int b = 0; b < R; b++) Base::exchangePlanes(block + b * exchangeBytes, planes[b][0], planes[b][1]);
    splitArrive(exchanged());
#pragma unroll
    for (int b = 0; b < R; b++) Base::last(planes[b][0], planes[b][1], stage + staging.fragment(0, b), false, 0, false, 0);
    storeColumn(out);
    splitWait(exchanged(), parity);
  }

  FFC_DEVICE void run() {
    const int sets = staging.sets;
    if (sets == 0) return;
    blockSync();
    loadColumn(0);
    for (int set = -1; set < sets; set++) {
      Base::renewAddresses();
      if (set >= 0) {
        if (set >= spectrumUntil) Base::loadWholeSpectrum(set);
        const auto loadNext = [&] { loadColumn(set + 1); };
        Base::template middle<C::addsSkip ? SpectrumFrom::memory : SpectrumFrom::memoryWithoutSkip>(exchange, typename Base::Nothing{}, loadNext);
      }
      Base::loadOuter();  // on their way while warps wait for each other
      runOuter(set + 1, set);
    }
    tensorStoresDone();
  }
};

}  // namespace ffc::mma
