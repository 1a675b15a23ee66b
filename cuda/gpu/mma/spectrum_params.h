// What a launch of a kernel transform gets.
#pragma once
#include "../../host/frequency_mask.h"
#include "../core/kernel_taps.cuh"
#include "params.h"

namespace ffc::mma {

struct SpectrumParams {
  gpu::KernelTaps taps;
  KeptFrequencies mask;         // keep is null unless the plan is frequency-sparse
  void* spectrum = nullptr;     // per channel N groups' worth of numbers, see spectrumGroup()
  int32_t* exponent = nullptr;  // per channel
  const float2* tables[8] = {};  // per slice
  float gain = 1;
  int32_t channels = 0, radix = 1, log2N2 = 0;
  int32_t quarters = 1;         // of the ring's frequencies
  int32_t slices = 1;           // frequency f belongs to slice f mod slices, as its frequency f / slices
  SpectrumWindow window = {0, 0};
  // Taps before the first and from the second on are hidden (HiddenTaps); `hiddenHigh` below window.high: it matters.
  int64_t hiddenBefore = 0, hiddenFrom = 0;
  int32_t hiddenHigh = 127;
  bool floats = false;          // Config::spectrumFloats
  // Slots of a filter bank (ring.h), one after the other as channels: what a number of each one's spectrum is multiplied by, [slot][k],
  // and the exponent of a kernel without taps.
  const float2* weights = nullptr;
  int32_t slots = 1, exponentOfNothing = 0;
};

}  // namespace ffc::mma
