#include "ring.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "spectrum_params.h"
#include "table_cache.h"
#include "tensor_maps.h"

namespace ffc::mma {

RingConvolution::RingConvolution(const Choice& choice, TableCache& cache)
    : choice_(choice),
      gain_(float(choice.instance->gain(choice.log2N2))),
      transform_(choice.spectrum->transform),
      convolve_(choice.instance->convolve),
      tables_(tablesOf(choice, cache)),
      spectrumTables_(spectrumTablesOf(choice, cache)) {
  if (choice_.maps.tilesPerSet && (!isCodeFor9(choice.instance->convolve) || !encodesMaps())) choice_.maps = {};
  allowSharedMemory(choice.instance->convolve, std::max(choice_.copies.sharedBytes, choice_.maps.sharedBytes));
  allowSharedMemory(choice.spectrum->transform, choice.spectrum->sharedBytes);
}

void RingConvolution::computeSpectra(void* spectra, int32_t* exponents, const float* taps, int64_t channels, const float* weights, int slots,
                                     cudaStream_t stream) const {
  const SpectrumInstance& s = *choice_.spectrum;
  SpectrumParams p;
  p.taps.kernel = taps;
  p.taps.kernelLength = p.taps.count = p.taps.partTaps = p.taps.channelStride = 2 * choice_.points;
  for (int slice = 0; slice < s.slices; slice++) p.tables[slice] = static_cast<const float2*>(spectrumTables_[slice]->data());
  p.gain = gain_;
  p.channels = int32_t(channels);
  p.radix = choice_.instance->radix;
  p.log2N2 = choice_.log2N2;
  p.slices = choice_.instance->slices;
  p.floats = choice_.instance->spectrumFloats;
  p.window = windowFor(true);
  p.weights = weights;
  p.slots = slots;
  p.exponentOfNothing = nothing;
  p.spectrum = spectra;
  p.exponent = exponents;
  launchKernel(transform_, {std::min<int64_t>(channels, 1 << 20), s.threads, s.sharedBytes, 1, false}, p, stream,
               "launching the transform of a filter bank's kernels");
}

void RingConvolution::convolve(void* rows, int64_t channels, int64_t rowsOfChannel, int64_t pitch, int64_t length, const void* spectra,
                               const int32_t* zeros, int multiprocessors, cudaStream_t stream) const {
  // Sequences of one launch are numbered with 30 bits.
  const int64_t mostRows = 1 << 15, mostChannels = 1 << 14;
  for (int64_t h = 0; h < channels; h += mostChannels)
    for (int64_t b = 0; b < rowsOfChannel; b += mostRows) {
      Params p;
      p.u.batchStride = 2 * pitch;
      p.u.channelStride = 2 * pitch * rowsOfChannel;
      p.u.data = static_cast<char*>(rows) + h * p.u.channelStride + b * p.u.batchStride;
      p.y = p.u;
      p.spectrum = static_cast<const char*>(spectra) + h * spectrumBytes();
      p.exponent = zeros;
      p.spectrumGain = gain_;
      p.tables = tables_->data();
      p.log2N2 = choice_.log2N2;
      p.batch = int32_t(std::min(mostRows, rowsOfChannel - b));
      p.channels = int32_t(std::min(mostChannels, channels - h));
      setDivisor(p.batchMagic, p.batchShift, uint32_t(p.batch));
      p.length = p.outLength = int32_t(length);
      p.phased = p.wraps = p.inPlace = 1;
      p.tiles = p.batch * p.channels;
      // The ring's own numbers may come by tensor copies; what reaches past it never does.
      Params inRing = p;
      inRing.length = int32_t(choice_.points);
      p.useMaps = choice_.maps.tilesPerSet && length >= choice_.points && encodeSliced(choice_, inRing, p.batch, p.channels);
      if (p.useMaps) p.maps = inRing.maps;
      const Launch& shape = p.useMaps ? choice_.maps : choice_.copies;
      p.tilesPerSet = shape.tilesPerSet;
      p.slots = shape.slots;
      launchKernel(convolve_, {std::min<int64_t>(p.tiles, multiprocessors), threads, shape.sharedBytes, 1, false}, p, stream,
                   "launching the convolutions of a filter bank's slots");
    }
}

}  // namespace ffc::mma
