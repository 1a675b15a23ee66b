// Convolutions for the slots of a filter bank (host/filter_bank.h): in a ring of N points, x^N = i, of rows that reach past it by a few
// numbers; or circular ones of a period of at most N. A channel is a slot of a kernel.
#pragma once
#include <cuda_runtime.h>

#include <cstdint>
#include <memory>

#include "../algorithm.h"
#include "bank_rows.h"

namespace ffc {
namespace mma {
struct Choice;
}

// Taps of channels, one after the other, that lie at the beginning of a row of 2N numbers, or of a period.
struct SlotTaps {
  const float* data = nullptr;
  int64_t count = 0;
};

// Rows of numbers: row b of channel c begins at b * rowStride + c * channelStride, counted in numbers.
struct SlotRows {
  void* data = nullptr;
  int64_t ofChannel = 0, rowStride = 0, channelStride = 0, length = 0;
};

class SlotRing {
 public:
  virtual ~SlotRing() = default;
  virtual int64_t points() const = 0;
  virtual int64_t spectrumBytes() const = 0;  // of all channels, and what belongs to them
  // Spectra of `count` channels from the first one on. Unless weights are null, index k of channel c's is multiplied by
  // weights[c % slots][k].
  virtual void computeSpectra(void* spectra, int64_t first, int64_t count, const SlotTaps& taps, const float2* weights, int slots,
                              cudaStream_t stream) const = 0;
  // Rows of those channels in place, with so much scratch.
  virtual int64_t workspaceBytes() const { return 0; }
  virtual void convolve(const void* spectra, int64_t first, int64_t count, const SlotRows& rows, void* workspace, cudaStream_t stream) const = 0;
  // Results are those of normalised spectra, to be multiplied by 2^exponent, [channel]; a kernel without taps has `nothing`. Null:
  // results are what they are.
  virtual const int32_t* exponents(const void* spectra) const { return static_cast<void>(spectra), nullptr; }
  static constexpr int32_t nothing = gpu::exponentOfNothing;
};

// Numbers are halves; rows reach past the ring by eight of them. period: of circular rows, or 0. By so many blocks, which have scratch of their own.
std::unique_ptr<SlotRing> makeHalfRing(const mma::Choice& choice, int64_t channels, int64_t period, int blocks, TableCache& cache);
// Numbers are floats; rows reach past the ring by as many as it has at most. The planner's view of the transform: of so many points, or circular of as
// many as it takes; of no points where there is none.
Fp32Shape floatRingShape(int64_t points, bool circular, const GpuLimits& limits);
std::unique_ptr<SlotRing> makeFloatRing(const Fp32Shape& shape, int64_t channels, int64_t period, const GpuLimits& limits, TableCache& cache);

}  // namespace ffc
