// Which order of the work serves a configuration.
#pragma once
#include <type_traits>

#include "body.cuh"
#include "column_body.cuh"
#include "long_body.cuh"
#include "sliced_body.cuh"
#include "window_body.cuh"

namespace ffc::mma {

// All sets of the block, in this order of the work.
template <class Order>
FFC_DEVICE void runAll(const Params& p) {
  Order convolution(p);
  convolution.run();
}

template <class C>
FFC_DEVICE void convolveWindows(const Params& p) {
  if constexpr (C::gated && !C::onlyFirstGate && !C::onlyLastGate) {
    if (!p.post.data) return convolveWindows<OnlyFirstGate<C>>(p);
    if (!p.pre.data) return convolveWindows<OnlyLastGate<C>>(p);
  }
  runAll<WindowConvolution<C>>(p);
}

// The first of the block's sets that needs scales, everything before it done; or -1.
template <class C>
FFC_DEVICE int runUnscaled(const Params& p) {
  LongConvolution<C> convolution(p);
  return convolution.run();
}
// Rows of the long order by tensor copies, with a skip term (AddsSkip) or without.
template <class C, bool partial>
FFC_DEVICE void convolveLongRows(const Params& p) {
  using Rows = WholeRows<C, partial>;
  if constexpr (C::residentBlocks > 0 && partial) {
    runAll<WindowConvolution<Rows>>(p);
  } else if constexpr (C::residentBlocks > 0) {
    runAll<ColumnConvolution<Rows>>(p);
  } else if constexpr (C::rowScaled && !C::accurate) {
    int from = 0;
    // Outputs that come round are stored before they have been judged, over samples if y is u.
    if (!(partial && p.wraps && p.inPlace)) {
      using Unscaled = UnscaledRows<C, partial>;
      if constexpr (C::skipKernel)
        from = runUnscaled<Unscaled>(p);
      else
        from = p.skip ? runUnscaled<AddsSkip<Unscaled>>(p) : runUnscaled<Unscaled>(p);
      if (from < 0) return;
    }
    // With a term of zero where there is none.
    LongConvolution<std::conditional_t<C::skipKernel, Rows, AddsSkip<Rows>>, true> convolution(p);
    convolution.run(from);
  } else if constexpr (C::skipKernel) {
    runAll<LongConvolution<Rows>>(p);
  } else {
    p.skip ? runAll<LongConvolution<AddsSkip<Rows>>>(p) : runAll<LongConvolution<Rows>>(p);
  }
}

// Code that needs tensor copies is not even compiled where there are none.
template <class C>
FFC_DEVICE void convolve(const Params& p) {
  const auto plain = [&] { return C::rowScaled || withoutExponents<C>(p); };
  if constexpr (C::slices > 1) {
    if constexpr (hasTensorCopies && C::wholeCode) {
      const bool aligned = !((reinterpret_cast<uint64_t>(p.y.data) | p.y.batchStride | p.y.channelStride) & 15);
      const bool whole = p.length == SlicedStaging<C>::points * C::slices * C::halves && p.outLength == p.length;
      if (p.useMaps && !p.headParts && whole && aligned && plain()) return runAll<SlicedConvolution<WholeSequences<C>>>(p);
    }
    runAll<SlicedConvolution<C>>(p);
  } else if constexpr (C::R >= 3 && !C::packed && !C::sparse) {
    if constexpr (hasTensorCopies) {
      // One row a tile: N2 = 16.
      const bool resident = C::residentBlocks == 0 || p.residentAt;
      if (p.useMaps && p.log2N2 == 4 && resident && plain()) {
        if constexpr (C::longRows)
          if (p.headParts) return convolveLongRows<C, true>(p);
        return convolveLongRows<C, false>(p);
      }
    }
    runAll<LongConvolution<C>>(p);
  } else if constexpr (C::packed && C::R == 4 && C::accurate) {
    if constexpr (hasTensorCopies) {
      const bool resident = C::residentBlocks == 0 || p.residentAt;
      if (p.useMaps && !p.skip && resident && plain()) return convolveWindows<WholeWindows<C>>(p);
    }
    runAll<Convolution<C>>(p);
  } else {
    runAll<Convolution<C>>(p);
  }
}

}  // namespace ffc::mma
