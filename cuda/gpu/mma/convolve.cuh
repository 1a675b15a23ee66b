// Which order of the work serves a configuration.
#pragma once
#include "body.cuh"
#include "long_body.cuh"
#include "sliced_body.cuh"

namespace ffc::mma {

template <class C>
FFC_DEVICE void convolve(const Params& p) {
  if constexpr (C::slices > 1) {
    SlicedConvolution<C> convolution(p);
    convolution.run();
  } else if constexpr (C::R >= 3 && !C::packed && !C::sparse) {
    // One row a tile: N2 = 16.
    if (hasTensorCopies && p.useMaps && p.log2N2 == 4 && !p.skip && (C::rowScaled || withoutExponents<C>(p))) {
      LongConvolution<WholeRows<C>> convolution(p);
      convolution.run();
    } else {
      LongConvolution<C> convolution(p);
      convolution.run();
    }
  } else {
    Convolution<C> convolution(p);
    convolution.run();
  }
}

}  // namespace ffc::mma
