// The rings of 16-bit rows: the fused family's instances in slices and for sets of one channel, which take eight samples past the ring for rows
// that begin anywhere.
#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "../../host/status.h"
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
  HalfRing(const Choice& choice, int64_t channels, int64_t period, int blocks, TableCache& cache)
      : choice_(choice),
        period_(period),
        blocks_(blocks),
        gain_(float(choice.instance->gain(choice.log2N2))),
        transform_(choice.spectrum->transform),
        convolve_(choice.instance->convolve),
        tables_(tablesOf(choice, cache)),
        spectrumTables_(spectrumTablesOf(choice, cache)),
        exponentsAt_(alignedUp(channels * bytesOfChannel())),
        zerosAt_(exponentsAt_ + alignedUp(channels * 4)),
        bytes_(zerosAt_ + alignedUp(channels * 4)) {
    if (choice_.maps.tilesPerSet && (!isCodeFor9(choice.instance->convolve) || !encodesMaps())) choice_.maps = {};
    if (sets())
      for (size_t shape = 0; shape < rowShapes; shape++) {
        allowSharedMemory(choice.instance->sets[shape], choice_.uniform.sharedBytes);
        sets_[shape] = DeviceFunction(choice.instance->sets[shape]);
      }
    else
      allowSharedMemory(choice.instance->convolve, std::max(choice_.copies.sharedBytes, choice_.maps.sharedBytes));
    allowSharedMemory(choice.spectrum->transform, choice.spectrum->sharedBytes);
  }

  int64_t points() const override { return choice_.points; }
  int64_t spectrumBytes() const override { return bytes_; }
  int64_t workspaceBytes() const override { return blocks_ * choice_.instance->scratchBytes; }
  const int32_t* exponents(const void* spectra) const override {
    return reinterpret_cast<const int32_t*>(static_cast<const char*>(spectra) + exponentsAt_);
  }

  void computeSpectra(void* spectra, int64_t first, int64_t count, const SlotTaps& taps, const float2* weights, int slots,
                      cudaStream_t stream) const override {
    char* const base = static_cast<char*>(spectra);
    checkCuda(cudaMemsetAsync(base + zerosAt_ + first * 4, 0, count * 4, stream), "clearing the exponents of a filter bank");
    const SpectrumInstance& s = *choice_.spectrum;
    SpectrumParams p;
    p.taps.kernel = taps.data;
    p.taps.kernelLength = p.taps.count = p.taps.partTaps = p.taps.channelStride = taps.count;
    p.taps.period = period_;
    p.taps.circularImage = period_ > 0;
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

  void convolve(const void* spectra, int64_t first, int64_t count, const SlotRows& rows, void* workspace, cudaStream_t stream) const override {
    const char* const base = static_cast<const char*>(spectra);
    // Sequences of one launch are numbered with 30 bits.
    const int64_t mostRows = 1 << 15, mostChannels = 1 << 14;
    for (int64_t h = 0; h < count; h += mostChannels)
      for (int64_t b = 0; b < rows.ofChannel; b += mostRows) {
        Params p;
        p.u.batchStride = 2 * rows.rowStride;
        p.u.channelStride = 2 * rows.channelStride;
        p.u.data = static_cast<char*>(rows.data) + h * p.u.channelStride + b * p.u.batchStride;
        p.y = p.u;
        p.spectrum = base + (first + h) * bytesOfChannel();
        p.exponent = reinterpret_cast<const int32_t*>(base + zerosAt_) + first + h;
        p.spectrumGain = gain_;
        p.tables = tables_->data();
        p.results = workspace;
        p.log2N2 = choice_.log2N2;
        p.batch = int32_t(std::min(mostRows, rows.ofChannel - b));
        p.channels = int32_t(std::min(mostChannels, count - h));
        setDivisor(p.batchMagic, p.batchShift, uint32_t(p.batch));
        p.length = p.outLength = int32_t(rows.length);
        p.inPlace = 1;
        p.tiles = int32_t(((int64_t(p.batch) * p.channels << choice_.log2N2) + 15) / 16);
        if (sets()) {
          launchSets(p, stream);
          continue;
        }
        p.phased = 1;
        p.wraps = rows.length > choice_.points;
        // The ring's own numbers may come by tensor copies; what reaches past it never does.
        Params inRing = p;
        inRing.length = int32_t(choice_.points);
        p.useMaps = choice_.maps.tilesPerSet && rows.length >= choice_.points && encodeSliced(choice_, inRing, p.batch, p.channels) && !inRing.headParts;
        if (p.useMaps) p.maps = inRing.maps;
        const Launch& shape = p.useMaps ? choice_.maps : choice_.copies;
        p.tilesPerSet = shape.tilesPerSet;
        p.slots = shape.slots;
        launchKernel(convolve_, {std::min<int64_t>(p.tiles, blocks_), threads, shape.sharedBytes, 1, false}, p, stream,
                     "launching the convolutions of a filter bank's slots");
      }
  }

 private:
  bool sets() const { return choice_.uniform.tilesPerSet > 0; }
  void launchSets(Params& p, cudaStream_t stream) const {
    const Launch& shape = choice_.uniform;
    const int rowsPerSet = shape.tilesPerSet * (16 >> choice_.log2N2);
    const bool whole = p.length == choice_.points;
    p.useMaps = whole ? encodeWhole(choice_, p, p.batch, p.channels, rowsPerSet) : encodePartial(choice_, p, p.batch, p.channels, rowsPerSet);
    if (!p.useMaps) throw Error(FFC_INTERNAL_ERROR, "the rows of a filter bank's slots cannot be described to the tensor copies");
    p.tilesPerSet = shape.tilesPerSet;
    p.slots = shape.slots;
    const int64_t most = int64_t(p.channels) * ((p.batch + rowsPerSet - 1) / rowsPerSet), blocks = std::min<int64_t>(most, blocks_);
    describeUniform(p, rowsPerSet, int(blocks));
    const RowShape rowShape = whole ? RowShape::whole : partialShapeOf(p);
    launchKernel(sets_[static_cast<size_t>(rowShape)], {blocks, threads, shape.sharedBytes, 1, false}, p, stream,
                 "launching the convolutions of a filter bank's slots");
  }
  int64_t bytesOfChannel() const { return choice_.points * (choice_.instance->spectrumFloats ? 8 : 4); }

  Choice choice_;
  int64_t period_;
  int blocks_;
  float gain_;
  DeviceFunction transform_, convolve_;
  std::array<DeviceFunction, rowShapes> sets_;  // of one channel, by RowShape
  std::shared_ptr<Buffer> tables_;
  std::array<std::shared_ptr<Buffer>, 8> spectrumTables_;
  int64_t exponentsAt_, zerosAt_, bytes_;
};

}  // namespace
}  // namespace mma

std::unique_ptr<SlotRing> makeHalfRing(const mma::Choice& choice, int64_t channels, int64_t period, int blocks, TableCache& cache) {
  return std::make_unique<mma::HalfRing>(choice, channels, period, blocks, cache);
}

}  // namespace ffc
