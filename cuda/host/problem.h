// One convolution problem, validated and completed: every default is resolved, every stride is given.
// Both backends start from this struct and from nothing else.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "../include/flashfftconv.h"

namespace ffc {

enum class Dtype : int32_t { float32 = FFC_DTYPE_FLOAT32, float16 = FFC_DTYPE_FLOAT16, bfloat16 = FFC_DTYPE_BFLOAT16 };

constexpr int64_t dtypeBytes(Dtype dtype) { return dtype == Dtype::float32 ? 4 : 2; }

// Element strides of one (batch, channels, samples) tensor; samples are contiguous.
struct Strides {
  int64_t batch = 0, channel = 0;
};

class FrequencyMask;  // frequency_mask.h

struct ConvProblem {
  int32_t mode = FFC_MODE_CAUSAL;
  int32_t algorithm = FFC_ALGORITHM_AUTO;
  int32_t precision = FFC_PRECISION_ACCURATE;  // never DEFAULT
  Dtype dtype = Dtype::float32, kernelDtype = Dtype::float32, skipDtype = Dtype::float32;
  bool preGate = false, postGate = false, skip = false, sharedKernel = false;
  int64_t batch = 0, channels = 0, length = 0, kernelLength = 0;
  // y[n] = full[n + outputOffset] for 0 <= n < outputLength, where full = linear convolution (zero outside
  // 0 .. L+K-2). In circular mode outputOffset is 0 and y[n] = sum_m full[n + m L].
  int64_t outputLength = 0, outputOffset = 0;
  Strides u, pre, post, y;
  int64_t kernelChannelStride = 0;  // 0 when sharedKernel
  std::shared_ptr<const FrequencyMask> mask;  // null: every frequency of the kernel counts
  std::string candidate;            // the planner must take this one; empty: its choice

  bool circular() const { return mode == FFC_MODE_CIRCULAR; }
  // A ring has the frequencies k - quarters / 4: x^N = i, which takes every mode, or x^P = 1, whose frequencies are those of a circular
  // pattern. P has to be a length of transforms then.
  int quarters() const { return mask && circular() ? 0 : 1; }
  int64_t rows() const { return batch * channels; }
};

// Checks `desc` and completes it. Throws Error (INVALID_ARGUMENT, INVALID_SHAPE, INVALID_DTYPE, LIMIT_EXCEEDED).
ConvProblem makeProblem(const ffc_conv_desc& desc);

}  // namespace ffc
