// Convolutions in a ring of N points, x^N = i, of rows that reach past it by a few numbers, for the slots of a filter bank
// (host/filter_bank.h). A channel is a slot of a kernel.
#pragma once
#include <cuda_runtime.h>

#include <cstdint>
#include <memory>

#include "../algorithm.h"

namespace ffc {
namespace mma {
struct Choice;
}

class SlotRing {
 public:
  virtual ~SlotRing() = default;
  virtual int64_t points() const = 0;
  virtual int64_t spectrumBytes() const = 0;  // of all channels, and what belongs to them
  // Spectra of `count` channels from the first one on, of their [channel][2N] taps. Index k of channel c's is multiplied by
  // weights[c % slots][k].
  virtual void computeSpectra(void* spectra, int64_t first, int64_t count, const float* taps, const float* weights, int slots,
                              cudaStream_t stream) const = 0;
  // Rows of those channels in place, [channel][row][pitch], `length` numbers each.
  virtual void convolve(const void* spectra, int64_t first, int64_t count, void* rows, int64_t rowsOfChannel, int64_t pitch, int64_t length,
                        cudaStream_t stream) const = 0;
  // Results are those of normalised spectra, to be multiplied by 2^exponent, [channel]; a kernel without taps has `nothing`. Null:
  // results are what they are.
  virtual const int32_t* exponents(const void* spectra) const { return static_cast<void>(spectra), nullptr; }
  static constexpr int32_t nothing = -1000;
};

// Numbers are halves; rows reach past the ring by eight of them.
std::unique_ptr<SlotRing> makeHalfRing(const mma::Choice& choice, int64_t channels, int multiprocessors, TableCache& cache);
// Numbers are floats; rows reach past the ring by as many as it has at most. The planner's view of the transform, of no points where there is none.
Fp32Shape floatRingShape(int64_t points, const GpuLimits& limits);
std::unique_ptr<SlotRing> makeFloatRing(int64_t points, int64_t channels, const GpuLimits& limits, TableCache& cache);

}  // namespace ffc
