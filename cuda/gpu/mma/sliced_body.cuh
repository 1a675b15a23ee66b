// Sequences of K M points, M = 4096 R, in K slices one after the other: slice k0 is the M-point transform of
// x'[m] = sum over n0 of e(n0 (k0 - 1/4) / K) x[n0 M + m], its results are z_k0[m], and the last slice's turn ends with
// y[n0 M + m] = Re sum over k0 of e(-n0 (k0 - 1/4) / K) z_k0[m]. The samples are read once and stay in shared memory
// (sliced_staging.cuh); results of earlier slices wait with the thread that unfolds them, so nothing is exchanged between blocks.
//
// Interval k0 of a sequence, with what a warp does between arriving at a barrier (>) and waiting there (<):
//   middle(k0)
//   > first(k0 + 1) of folded samples, in registers <
//   the operands of last(k0) leave the exchange buffer, and those results enter
//   > last(k0), whose complex results are kept <
// In the last interval the samples of the next sequence take the place of these during the middle. Between its barriers
// are last(K - 1), which unfolds the results of all slices, and first(0) of the next sequence.
// A warp's twiddles change with the slice. They are its own, so it replaces them itself while the others are still at work.
// Rows of two halves (Config::halves) are two sequences of one block, one after the other: the middle of the first half multiplies
// by both segments of the kernel and leaves the second product with the thread that adds it to its own a sequence later.
// Frequency-sparse (Config::oneSlice): one slice has a turn, and the results of the others are zeros.
#pragma once
#include "sliced/unfold_results.cuh"

namespace ffc::mma {

template <class C>
struct SlicedConvolution : SlicedUnfold<C> {
  using Base = SlicedUnfold<C>;
  using typename Base::Layout, typename Base::Kept;
  using Base::staging, Base::firstSlice, Base::warp, Base::lane, Base::image, Base::K, Base::M, Base::p;
  using Base::lastSlice, Base::nextSlice, Base::exchange, Base::matrixOut, Base::loadFirst, Base::R;
  using Base::foldedFirst, Base::parity, Base::addressOuter, Base::addWrapped, Base::keepResults, Base::turnsTaken;
  using Base::runFirst, Base::loadLast, Base::allKept, Base::storeWrapped, Base::unfoldBoth, Base::unfold;

  FFC_DEVICE explicit SlicedConvolution(const Params& params) : Base(params) {
    if (staging.maps && threadIndex() == 0) barrierInit(staging.barrier);
    splitInit(staging.middleDone);
    splitInit(staging.exchanged);
    if (threadIndex() < 2) sharedStore4(staging.largestOf(threadIndex()), 0);
    staging.slice = firstSlice();
    Base::loadTables();
    Base::finishTables();
  }

  // This warp's twiddles of another slice: see TableLayout.
  FFC_DEVICE void copyTables(int slice) const {
    constexpr int imageOfWarp = C::imageBytes / 16, steps = C::accurate ? (R > 1 ? 128 : 0) : 64 * C::storedPowers;
    const char* from = reinterpret_cast<const char*>(Base::tables(slice) + Layout::image);
    const int own = warp * imageOfWarp + lane * 16;
#pragma unroll
    for (int i = 0; i < imageOfWarp; i += 512) copyAsync16(image + own + i, from + own + i);
    if (lane < steps / 16) {
      const int at = C::imageBytes + warp * steps + lane * 16;
      copyAsync16(image + at, from + at);
    }
  }

  // Neighbours work on the same channel at about the same time: each orders its share of the slice after the next one.
  FFC_DEVICE void prefetchSpectrum(int set, int slice) const {
    if (threadIndex() != 0) return;
    if (slice >= K) slice = C::oneSlice ? firstSlice() : slice - K, set++;
    if (set >= staging.sets) return;
    constexpr int bytes = M * (C::spectrumFloats ? 8 : 4);
    const int sequence = staging.sequenceOf(set), channel = staging.channelOf(sequence), b = sequence - channel * p.batch;
    const int shares = p.batch >= 8 ? 8 : p.batch >= 4 ? 4 : p.batch >= 2 ? 2 : 1;
    const int64_t first = (int64_t(p.sharedSpectrum ? 0 : channel) * C::halves * K + slice) * bytes + (b & (shares - 1)) * (bytes / shares);
    prefetchBulk(static_cast<const char*>(p.spectrum) + first, bytes / shares);
    if constexpr (C::halves > 1)
      if (!staging.second(set)) prefetchBulk(static_cast<const char*>(p.spectrum) + first + K * bytes, bytes / shares);
  }

  FFC_DEVICE void runMiddle(int set, int slice) {
    const bool last = slice == lastSlice();
    const int next = last ? firstSlice() : nextSlice(slice);
    staging.slice = slice;
    if constexpr (C::accurate) Base::renewAddresses();
    copyAsyncWaitAll();  // the twiddles of this slice
    warpSync();
    if constexpr (C::warpScaled) {
      const int row = staging.inputExponent(set);
#pragma unroll
      for (int hi = 0; hi < 2; hi++) Base::columnScale[hi] = Base::evenTwo(staging.columnExponent(set, 2 * Base::c + 8 * hi), row);
    }
    const int channel = staging.channelOf(staging.sequenceOf(set));
#pragma unroll
    for (int s = 0; s < 2; s++) Base::chooseSpectrum(s, channel);
    if constexpr (C::halves > 1) {
      const bool second = staging.second(set);
      constexpr int pieces = M / 4;  // of a slice
      Base::spectrumFrom = static_cast<const uint4*>(p.spectrum) + (int64_t(p.sharedSpectrum ? 0 : channel) * (2 * K) + slice) * pieces;
      Base::crossFrom = second ? staging.crossProducts(slice) : Base::spectrumFrom + K * pieces;
      Base::crossTo = second ? nullptr : staging.crossProducts(slice);
      if constexpr (C::rowScaled)
        if (second && lane == 0) sharedStore4(staging.crossScaleAt(), staging.crossScale(set));
      for (int s = 0; s < 2; s++) Base::orderCross(exchange, 0, s);  // with the first copies of the spectrum
    }
    // The outer phases' matrices come from L2. Unfolding leaves no registers for those of first().
    const auto beforeLast = [&] {
      if (C::firstLate) return;
      if (last && !C::unfoldByMatrix) Base::loadOuter(matrixOut, slice, 2);
      if (!last) loadFirst(next);
    };
    constexpr SpectrumFrom from = C::spectrumInExchange ? SpectrumFrom::exchange : SpectrumFrom::memory;
    constexpr SpectrumFrom fromWithoutSkip = C::spectrumInExchange ? SpectrumFrom::exchangeWithoutSkip : SpectrumFrom::memoryWithoutSkip;
    Base::template middle<C::addsSkip ? from : fromWithoutSkip>(exchange, beforeLast);
    warpSync();
    if constexpr (C::halves > 1)
      if (staging.second(set)) staging.dropCross(slice);
    if constexpr (!C::firstLate) copyTables(next);
  }

  // After the middle: last() of a slice, which is not the sequence's last one, and first() of the next.
  FFC_DEVICE void runOuter(int slice) {
    splitArrive(staging.middleDone);
    if constexpr (C::firstLate) {
      loadFirst(nextSlice(slice));
      copyTables(nextSlice(slice));
    }
    u32 re[R][4], im[R][4];
#pragma unroll
    for (int b = 0; b < R; b++) foldedFirst(b, re[b], im[b]);
    if constexpr (!C::unfoldByMatrix) Base::loadOuter(matrixOut, slice, 2);
    splitWait(staging.middleDone, parity(slice));
#pragma unroll
    for (int b = 0; b < R; b++) Base::exchangePlanes(exchange + b * exchangeBytes + addressOuter, re[b], im[b]);
    if (staging.wraps()) addWrapped();
    splitArrive(staging.exchanged);
#pragma unroll
    for (int b = 0; b < R; b++) keepResults(slice, b, re[b], im[b]);
    splitWait(staging.exchanged, parity(slice));
    turnsTaken++;
  }

  // The samples of a set have landed, and those of this warp's column are in range.
  FFC_DEVICE void finishInput(int set) const {
    if (!staging.maps || staging.wraps() || staging.parted()) copyAsyncWaitAll();
    staging.awaitInput(set);
    staging.placeRest(set);
    warpSync();
    staging.scaleColumn(set);
    warpSync();
  }

  // What a middle has behind it: copies of the next samples in the last slice's, which are in L2 by then
  // (unless samplesLeave).
  FFC_DEVICE void orderAhead(int set, int slice) const {
    // Spectra of floats that no neighbour shares, three slices of each block, would not stay in L2.
    const int ahead = C::spectrumFloats && p.batch == 1 ? 1 : 2;
    if (slice == lastSlice()) {
      staging.load(set + 1);
      staging.prefetchPost(set);
      prefetchSpectrum(set, K - 1 + ahead);
    } else {
      if (nextSlice(slice) == lastSlice()) staging.prefetch(set + 1);  // not earlier: it would have left L2 again
      prefetchSpectrum(set, slice + ahead);
    }
  }
  // The intervals of a set up to the end of the last one's middle (oneMiddle: the same code).
  FFC_DEVICE void runSlices(int set) {
#pragma unroll 1
    for (int slice = firstSlice(); C::oneMiddle || slice < lastSlice(); slice = nextSlice(slice)) {
      orderAhead(set, slice);
      runMiddle(set, slice);
      if (C::oneMiddle && slice == lastSlice()) return;
      runOuter(slice);
    }
    orderAhead(set, lastSlice());
    runMiddle(set, lastSlice());
  }

  FFC_DEVICE void run() {
    if (staging.sets <= 0) return;
    blockSync();
    staging.load(0);
    finishInput(0);
    loadFirst(firstSlice());
    runFirst();
    blockSync();
    for (int set = 0; set < staging.sets; set++) {
      runSlices(set);
      splitArrive(staging.middleDone);
      if constexpr (C::unfoldByMatrix)
        loadLast();
      else if constexpr (C::firstLate)
        Base::loadOuter(matrixOut, lastSlice(), 2);
      if constexpr (C::firstLate) copyTables(firstSlice());
      finishInput(set + 1);
      Kept first[K - 1];
      if constexpr (C::keptAhead) allKept(0, first);
      splitWait(staging.middleDone, parity(K - 1));
      if (staging.wraps()) storeWrapped(set);
      if constexpr (C::unfoldByMatrix)
        unfoldBoth(set);
      else
        unfold(set, first);
      runFirst();
      splitArrive(staging.exchanged);
      if constexpr (K > 2) Base::loadInner();  // so that unfolding has their registers
      splitWait(staging.exchanged, parity(K - 1));
      turnsTaken++;
    }
  }
};

}  // namespace ffc::mma
