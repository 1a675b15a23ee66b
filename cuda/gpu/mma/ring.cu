// The rings of 16-bit rows: the fused family's instances in slices, which take eight samples past the ring for rows that begin anywhere.
#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "../bank/slot_ring.h"
#include "../multipass/multipass.h"
#include "choice.h"
#include "spectrum_params.h"
#include "table_cache.h"
#include "tensor_maps.h"

namespace ffc {
namespace mma {
namespace {

// Of `channels` channels: spectra, exponents, zeros for those that the convolution adds to its results.
class HalfRing final : public SlotRing {
 public:
  HalfRing(const Choice& choice, int64_t channels, int multiprocessors, TableCache& cache)
      : choice_(choice),
        multiprocessors_(multiprocessors),
        gain_(float(choice.instance->gain(choice.log2N2))),
        transform_(choice.spectrum->transform),
        convolve_(choice.instance->convolve),
        tables_(tablesOf(choice, cache)),
        spectrumTables_(spectrumTablesOf(choice, cache)),
        exponentsAt_(alignedUp(channels * bytesOfChannel())),
        zerosAt_(exponentsAt_ + alignedUp(channels * 4)),
        bytes_(zerosAt_ + alignedUp(channels * 4)) {
    if (choice_.maps.tilesPerSet && (!isCodeFor9(choice.instance->convolve) || !encodesMaps())) choice_.maps = {};
    allowSharedMemory(choice.instance->convolve, std::max(choice_.copies.sharedBytes, choice_.maps.sharedBytes));
    allowSharedMemory(choice.spectrum->transform, choice.spectrum->sharedBytes);
  }

  int64_t points() const override { return choice_.points; }
  int64_t spectrumBytes() const override { return bytes_; }
  const int32_t* exponents(const void* spectra) const override {
    return reinterpret_cast<const int32_t*>(static_cast<const char*>(spectra) + exponentsAt_);
  }

  void computeSpectra(void* spectra, int64_t first, int64_t count, const float* taps, const float* weights, int slots,
                      cudaStream_t stream) const override {
    char* const base = static_cast<char*>(spectra);
    checkCuda(cudaMemsetAsync(base + zerosAt_ + first * 4, 0, count * 4, stream), "clearing the exponents of a filter bank");
    const SpectrumInstance& s = *choice_.spectrum;
    SpectrumParams p;
    p.taps.kernel = taps;
    p.taps.kernelLength = p.taps.count = p.taps.partTaps = p.taps.channelStride = 2 * choice_.points;
    for (int slice = 0; slice < s.slices; slice++) p.tables[slice] = static_cast<const float2*>(spectrumTables_[slice]->data());
    p.gain = gain_;
    p.channels = int32_t(count);
    p.radix = choice_.instance->radix;
    p.log2N2 = choice_.log2N2;
    p.slices = choice_.instance->slices;
    p.floats = choice_.instance->spectrumFloats;
    p.window = windowFor(true);
    p.weights = weights;
    p.slots = slots;
    p.exponentOfNothing = nothing;
    p.spectrum = base + first * bytesOfChannel();
    p.exponent = reinterpret_cast<int32_t*>(base + exponentsAt_) + first;
    launchKernel(transform_, {std::min<int64_t>(count, 1 << 20), s.threads, s.sharedBytes, 1, false}, p, stream,
                 "launching the transform of a filter bank's kernels");
  }

  void convolve(const void* spectra, int64_t first, int64_t count, void* rows, int64_t rowsOfChannel, int64_t pitch, int64_t length,
                cudaStream_t stream) const override {
    const char* const base = static_cast<const char*>(spectra);
    // Sequences of one launch are numbered with 30 bits.
    const int64_t mostRows = 1 << 15, mostChannels = 1 << 14;
    for (int64_t h = 0; h < count; h += mostChannels)
      for (int64_t b = 0; b < rowsOfChannel; b += mostRows) {
        Params p;
        p.u.batchStride = 2 * pitch;
        p.u.channelStride = 2 * pitch * rowsOfChannel;
        p.u.data = static_cast<char*>(rows) + h * p.u.channelStride + b * p.u.batchStride;
        p.y = p.u;
        p.spectrum = base + (first + h) * bytesOfChannel();
        p.exponent = reinterpret_cast<const int32_t*>(base + zerosAt_) + first + h;
        p.spectrumGain = gain_;
        p.tables = tables_->data();
        p.log2N2 = choice_.log2N2;
        p.batch = int32_t(std::min(mostRows, rowsOfChannel - b));
        p.channels = int32_t(std::min(mostChannels, count - h));
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
        launchKernel(convolve_, {std::min<int64_t>(p.tiles, multiprocessors_), threads, shape.sharedBytes, 1, false}, p, stream,
                     "launching the convolutions of a filter bank's slots");
      }
  }

 private:
  int64_t bytesOfChannel() const { return choice_.points * (choice_.instance->spectrumFloats ? 8 : 4); }

  Choice choice_;
  int multiprocessors_;
  float gain_;
  DeviceFunction transform_, convolve_;
  std::shared_ptr<Buffer> tables_;
  std::array<std::shared_ptr<Buffer>, 8> spectrumTables_;
  int64_t exponentsAt_, zerosAt_, bytes_;
};

}  // namespace
}  // namespace mma

std::unique_ptr<SlotRing> makeHalfRing(const mma::Choice& choice, int64_t channels, int multiprocessors, TableCache& cache) {
  return std::make_unique<mma::HalfRing>(choice, channels, multiprocessors, cache);
}

}  // namespace ffc
