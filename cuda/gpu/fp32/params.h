// What one launch of the fused float32 convolution needs to know. Sizes are samples, strides are elements.
#pragma once
#include <cuda_runtime.h>

#include <cstdint>

#include "../../host/frequency_mask.h"
#include "../../host/problem.h"
#include "../core/kernel_taps.cuh"

namespace ffc::gpu {

// Frequency-sparse: the values of the first digit k_0, one of 16, that have a kept frequency, four bits each and as a set.
struct KeptDigits {
  uint64_t list = 0;
  uint32_t set = 0;
  int32_t count = 0;
  FFC_HD int at(int i) const { return static_cast<int>(list >> (4 * i)) & 15; }
};

struct Fp32ConvParams {
  const void *u, *preGate, *postGate, *skip;
  void* y;
  const float2 *spectrum, *tables;
  Strides uStride, preStride, postStride, yStride;
  Dtype dtype, skipDtype;
  int64_t batch;
  int64_t units;            // rows * segments; rows run through the batch first, so that neighbours share a spectrum
  int64_t segments;         // pieces a row's output is cut into
  int64_t segmentOutputs;   // samples of y that one segment yields, at most 2N
  int64_t length, outputLength;
  int64_t windowBegin;      // segment s, part p sees u from windowBegin + s * segmentOutputs - p * partTaps on
  int64_t parts, partTaps;  // the kernel's parts; 1 unless the kernel is longer than one transform carries
  int64_t spectrumChannelStride;  // float2 elements; 0 for a shared kernel
  int32_t quarters = 1;     // of the ring's frequencies, k - quarters / 4; 0: it is circular, of some digits only
  bool periodic;            // u continues periodically outside 0 .. length-1 (circular, several segments)
  KeptDigits kept;
};

struct Fp32SpectrumParams {
  KernelTaps taps;
  KeptFrequencies mask;  // keep is null unless the plan is frequency-sparse
  const float2* weights;  // or null: factors of frequency k of unit u, [u mod slots][k]
  int32_t slots;
  float2* spectrum;
  const float2* tables;
  int64_t units;  // channels * parts
  int64_t parts;
};

}  // namespace ffc::gpu
