// Which order of the work serves a configuration.
#pragma once
#include "body.cuh"
#include "long_body.cuh"
#include "sliced_body.cuh"
#include "window_body.cuh"

namespace ffc::mma {

template <class C>
FFC_DEVICE void convolveWindows(const Params& p) {
  if constexpr (C::gated && !C::onlyFirstGate && !C::onlyLastGate) {
    if (!p.post.data) return convolveWindows<OnlyFirstGate<C>>(p);
    if (!p.pre.data) return convolveWindows<OnlyLastGate<C>>(p);
  }
  WindowConvolution<C> convolution(p);
  convolution.run();
}

// Rows of the long order by tensor copies, without a skip factor.
template <class C, bool partial>
FFC_DEVICE void convolveLongRows(const Params& p) {
  if constexpr (C::rowScaled && !C::accurate) {
    int from = 0;
    // Outputs that come round are stored before they have been judged, over samples if y is u.
    if (!(partial && p.wraps && p.inPlace)) {
      LongConvolution<UnscaledRows<C, partial>> convolution(p);
      from = convolution.run();
      if (from < 0) return;
    }
    LongConvolution<WholeRows<C, partial>, true> convolution(p);
    convolution.run(from);
  } else {
    LongConvolution<WholeRows<C, partial>> convolution(p);
    convolution.run();
  }
}

template <class C>
FFC_DEVICE void convolve(const Params& p) {
  if constexpr (C::slices > 1) {
    if constexpr (C::wholeCode) {
      const bool aligned = !((reinterpret_cast<uint64_t>(p.y.data) | p.y.batchStride | p.y.channelStride) & 15);
      const bool whole = p.length == SlicedStaging<C>::points * C::slices * C::halves && p.outLength == p.length;
      if (hasTensorCopies && p.useMaps && !p.skip && whole && aligned && (C::rowScaled || withoutExponents<C>(p))) {
        SlicedConvolution<WholeSequences<C>> convolution(p);
        convolution.run();
        return;
      }
    }
    SlicedConvolution<C> convolution(p);
    convolution.run();
  } else if constexpr (C::R >= 3 && !C::packed && !C::sparse) {
    // One row a tile: N2 = 16.
    const bool resident = C::residentBlocks == 0 || p.residentAt;
    if (hasTensorCopies && p.useMaps && p.log2N2 == 4 && !p.skip && resident && (C::rowScaled || withoutExponents<C>(p))) {
      if constexpr (C::longRows)
        if (p.headParts) return convolveLongRows<C, true>(p);
      if constexpr (C::residentBlocks > 0) {
        WindowConvolution<WholeRows<C>> convolution(p);
        convolution.run();
      } else {
        convolveLongRows<C, false>(p);
      }
    } else {
      LongConvolution<C> convolution(p);
      convolution.run();
    }
  } else if constexpr (C::packed && C::R == 4 && C::accurate) {
    const bool resident = C::residentBlocks == 0 || p.residentAt;
    if (hasTensorCopies && p.useMaps && !p.skip && resident && (C::rowScaled || withoutExponents<C>(p))) {
      convolveWindows<WholeWindows<C>>(p);
    } else {
      Convolution<C> convolution(p);
      convolution.run();
    }
  } else {
    Convolution<C> convolution(p);
    convolution.run();
  }
}

}  // namespace ffc::mma
