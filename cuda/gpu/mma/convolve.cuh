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

template <class C>
FFC_DEVICE void convolve(const Params& p) {
  if constexpr (C::slices > 1) {
    if constexpr (C::oneMiddle) {
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
        if (p.headParts) {
          LongConvolution<WholeRows<C, true>> convolution(p);
          convolution.run();
          return;
        }
      std::conditional_t<(C::residentBlocks > 0), WindowConvolution<WholeRows<C>>, LongConvolution<WholeRows<C>>> convolution(p);
      convolution.run();
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
