// Which order of the work serves a configuration.
#pragma once
#include "body.cuh"
#include "cluster_body.cuh"
#include "long_body.cuh"

namespace ffc::mma {

template <class C>
FFC_DEVICE void convolve(const Params& p) {
  if constexpr (C::cluster > 1) {
    if constexpr (hasClusters) {
      ClusterConvolution<C> convolution(p);
      convolution.run();
    }
  } else {
    std::conditional_t<(C::R >= 3 && !C::packed), LongConvolution<C>, Convolution<C>> convolution(p);
    convolution.run();
  }
}

}  // namespace ffc::mma
