// The pattern of a float16 plan, from blocks of neighbouring bins.
#pragma once
#include <cstdint>
#include <vector>

#include "../../cuda/host/frequency_mask.h"

inline ffc::FrequencyMask patternOf(int64_t length, int64_t block, const std::vector<uint8_t>& keep, int32_t mode = FFC_MODE_CAUSAL) {
  ffc_conv_desc d{};
  d.struct_size = sizeof d;
  d.mode = mode;
  d.dtype = d.kernel_dtype = FFC_DTYPE_FLOAT16;
  d.batch = d.channels = 1;
  d.length = d.kernel_length = length;
  ffc_sparsity sparsity{};
  sparsity.struct_size = sizeof sparsity;
  sparsity.kind = FFC_SPARSITY_BLOCKS;
  sparsity.block = block;
  sparsity.keep_count = static_cast<int64_t>(keep.size());
  return ffc::FrequencyMask(ffc::makeProblem(d), sparsity, keep.data());
}
