// Where the taps of a convolution kernel go before they are transformed. In the ring of the right-angle
// transform (negacyclic, 2N real samples) a delay is a placement and a wrap-around is a minus sign, so every
// mode is the same transform of differently placed taps.
#pragma once
#include "../../host/window.h"
#include "scalar.cuh"

namespace ffc::gpu {

struct KernelTaps {
  const void* kernel = nullptr;
  int64_t channelStride = 0;  // 0: one kernel for all channels
  Dtype dtype = Dtype::float32;
  int64_t kernelLength = 0;   // K, as given
  int64_t first = 0, count = 0;  // the taps that can reach an output (linear), or 0 and the period (circular)
  int64_t period = 0;         // circular: taps are summed modulo this; 0: linear
  int64_t partTaps = 0;       // a long kernel is cut into parts of so many taps, each with its own spectrum
  int64_t lead = 0;           // tap i of a part goes to position i - lead (mod 2N, minus when wrapped)
  bool circularImage = false;  // and also to i - period: the wrap of a circular convolution within one window

  // Tap i of a part, 0 <= i < partTaps.
  FFC_HD float tap(int64_t i, int64_t part, int64_t channel) const {
    const int64_t j = part * partTaps + i;
    if (j >= count) return 0.0f;
    const int64_t base = channel * channelStride + first;
    if (period == 0 || kernelLength <= period)
      return j < kernelLength ? loadElement(kernel, base + j, dtype) : 0.0f;
    double sum = 0;  // a kernel that wraps many times would lose digits in float32
    for (int64_t t = j; t < kernelLength; t += period) sum += loadElement(kernel, base + t, dtype);
    return static_cast<float>(sum);
  }

  // The sample at a position of the real sequence of 2 * points samples.
  FFC_HD float at(int64_t position, int points, int64_t part, int64_t channel) const {
    float value = 0;
    const int64_t ahead = position + lead, wrapped = ahead - 2 * points;
    if (ahead < partTaps) value = tap(ahead, part, channel);
    if (wrapped >= 0 && wrapped < partTaps) value -= tap(wrapped, part, channel);
    if (circularImage) {
      const int64_t image = position + period - 2 * points;
      if (image >= 0 && image < partTaps) value -= tap(image, part, channel);
    }
    return value;
  }
};

// The taps of a problem in one part, placed at 0; the caller adds the address, the lead and the parts.
inline KernelTaps kernelTaps(const ConvProblem& p, const KernelWindow& w) {
  KernelTaps t;
  t.channelStride = p.kernelChannelStride;
  t.dtype = p.kernelDtype;
  t.kernelLength = p.kernelLength;
  t.first = w.first;
  t.count = t.partTaps = w.count;
  t.period = p.circular() ? p.length : 0;
  return t;
}

}  // namespace ffc::gpu
