// What comes before and behind the passes on CUDA cores of a band at a part of the sampling rate (host/resampling.h has the formulas):
//   decimate      gated samples -> numbers of the ring, in scratch
//   interpolate   numbers -> samples; skip term, gate
// float32; 16-bit tensors have the filters in the first and the last pass on tensor cores.
#pragma once
#include <cuda_runtime.h>

#include <memory>

#include "../../host/problem.h"
#include "../../host/resampling.h"

namespace ffc::gpu {

struct ResampledRows {
  const float *u = nullptr, *preGate = nullptr, *postGate = nullptr;
  const void* skip = nullptr;
  float* y = nullptr;
  Strides uStride, preStride, postStride, yStride;
  Dtype skipDtype = Dtype::float32;
  int length = 0, outputLength = 0;  // samples
  bool circular = false;             // filters run around rows, whose length is a multiple of the rate
  // A launch works on rows first .. first + sequences - 1, row s being channel s / batch, batch s % batch. Of them, [row][pitch].
  int64_t first = 0, sequences = 0, batch = 1;
  float* numbers = nullptr;
  int64_t pitch = 0;
};

class ResamplingPasses {
 public:
  // Throws Error (INTERNAL_ERROR) for filters of another class than float32.
  static std::unique_ptr<ResamplingPasses> of(const Resampling& filters);
  virtual ~ResamplingPasses() = default;
  // Numbers of the ring that so many samples reach, and that as many outputs are made of.
  virtual int numbersOf(int64_t samples, bool circular) const = 0;
  virtual void decimate(const ResampledRows& rows, cudaStream_t stream) const = 0;
  virtual void interpolate(const ResampledRows& rows, cudaStream_t stream) const = 0;
};

}  // namespace ffc::gpu
