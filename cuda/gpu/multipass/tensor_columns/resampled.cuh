// The same for a band of frequencies, whose ring has a number for every second or fourth sample
// (tensor_resampling.cuh): the filters between samples and numbers.
#pragma once
#include "../tensor_filters.h"
#include "../tensor_resampling.cuh"
#include "samples.cuh"

namespace ffc::mma {

template <class C>
struct ResampledColumns : ColumnSamples<C> {
  using Base = ColumnSamples<C>;
  using Base::p, Base::lane, Base::word;
  using Base::Base;
  using Filters = FilterTables<C>;

  FFC_DEVICE u32 filters() const { return word + 16 + C::leftOverBytes; }
  // Those of this pass, from a word of the table on; a block-wide barrier has to follow.
  FFC_DEVICE void fetchFilters(int from, int bytes) const {
    const char* const source = static_cast<const char*>(p.filters) + from * 4;
    for (int i = threadIndex() * 16; i < bytes; i += threads * 16) sharedStore16(filters() + i, loadConstant16(source + i));
  }
  FFC_DEVICE uint4 filterStep(int step) const { return sharedLoad16(filters() + step * C::filterStepBytes + lane * 16); }
  // Whether the coefficients for these sixteen numbers of the ring are minus those of the matrices.
  FFC_DEVICE bool negated(int sixteen) const { return p.alternates && (sixteen & 1); }
};

}  // namespace ffc::mma
