// Convolutions in a ring of N points, x^N = i, of rows that reach past it by up to eight numbers: the slots of a filter bank
// (host/filter_bank.h). Kernels are 2N real taps of the ring. By the fused family's instances in slices, which take eight samples past the
// ring for rows that begin anywhere.
#pragma once
#include <array>
#include <memory>

#include "choice.h"

namespace ffc::mma {

class RingConvolution {
 public:
  RingConvolution(const Choice& choice, TableCache& cache);

  int64_t points() const { return choice_.points; }
  int64_t spectrumBytes() const { return choice_.points * (choice_.instance->spectrumFloats ? 8 : 4); }  // of a channel
  // Spectra of so many channels, [channel][2N] taps, normalised by powers of two; exponents (true = stored times 2^exponent; a kernel
  // without taps has `nothing`). `weights` as in SpectrumParams.
  static constexpr int32_t nothing = -1000;
  void computeSpectra(void* spectra, int32_t* exponents, const float* taps, int64_t channels, const float* weights, int slots,
                      cudaStream_t stream) const;
  // Rows of halves in place, [channel][row][pitch], `length` numbers each (points() + 8 at most); results are those of the normalised spectra.
  // `zeros` are a channel's number of integers.
  void convolve(void* rows, int64_t channels, int64_t rowsOfChannel, int64_t pitch, int64_t length, const void* spectra, const int32_t* zeros,
                int multiprocessors, cudaStream_t stream) const;

 private:
  Choice choice_;
  float gain_;
  DeviceFunction transform_, convolve_;
  std::shared_ptr<Buffer> tables_;
  std::array<std::shared_ptr<Buffer>, 8> spectrumTables_;
};

}  // namespace ffc::mma
