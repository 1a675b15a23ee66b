// The accurate class in two slices with a spectrum of halves, which there is room for in the exchange buffer, as in four slices: for
// the rings of a filter bank (ring.cu), to which what long rows have is promised.
#pragma once
#include "config.h"

namespace ffc::mma {

template <class C>
struct RoundedSpectrum : C {
  static constexpr bool spectrumFloats = false, spectrumInExchange = true;
};

}  // namespace ffc::mma
