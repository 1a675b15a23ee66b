// The fused tensor-core family as a plan: what it keeps for a problem, and the launches of a call. What it chooses from
// is in choices.cu, device code in convolve.cuh, uniform.cuh and spectrum.cuh; cuda/DESIGN.md explains both.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "../../host/window.h"
#include "choice.h"
#include "spectrum_params.h"
#include "table_cache.h"
#include "tensor_maps.h"

namespace ffc::mma {
namespace {

// Tensor copies need code compiled for 9.0, and a driver that encodes their maps.
Choice withMaps(Choice c) {
  if (!c.maps.tilesPerSet && !c.uniform.tilesPerSet) return c;
  if (!isCodeFor9(c.instance->convolve) || !encodesMaps()) c.maps = c.uniform = {};
  return c;
}

class FusedMma final : public GpuAlgorithm {
 public:
  FusedMma(const ConvProblem& problem, const GpuLimits& limits, const Choice& choice, TableCache& cache)
      : problem_(problem), choice_(choice), window_(kernelWindow(problem)) {
    const Instance& i = *choice.instance;
    const SpectrumInstance& s = *choice.spectrum;
    tables_ = tablesOf(choice, cache, problem.quarters());
    spectrumTables_ = spectrumTablesOf(choice, cache, problem.quarters());
    if (problem.mask) maskTable_ = cache.planTable(problem.mask->bytes());
    gain_ = float(i.gain(choice.log2N2));
    allowSharedMemory(problem.skip ? i.convolveSkip : i.convolve, std::max(choice.copies.sharedBytes, choice.maps.sharedBytes));
    for (const void* function : i.sets)
      if (function && choice.uniform.sharedBytes) allowSharedMemory(function, choice.uniform.sharedBytes);
    allowSharedMemory(s.transform, s.sharedBytes);
    earlyTransform_ = canStartEarly(s.transform, limits);
    const void* const wholeSets = i.setsOf(RowShape::whole);
    earlySets_ = wholeSets && canStartEarly(wholeSets, limits);
    transform_ = DeviceFunction(s.transform), convolve_ = DeviceFunction(problem.skip ? i.convolveSkip : i.convolve);
    for (size_t shape = 0; shape < rowShapes; shape++) sets_[shape] = DeviceFunction(i.sets[shape]);
    info_.algorithm = i.packed ? FFC_ALGORITHM_OVERLAP_SAVE : FFC_ALGORITHM_FUSED_MMA;
    info_.precision = i.accurate ? FFC_PRECISION_ACCURATE : FFC_PRECISION_FAST;
    info_.order = 0;
    for (const int radix : {i.slices, 16, 1 << choice.log2N2, i.radix, 16})
      if (radix > 1) info_.radices[info_.order++] = radix;
    info_.inPlace = choice.segments == 1 && problem.outputLength == problem.length;
    info_.transformLength = choice.points;
    info_.segments = choice.segments * i.halves;
    info_.spectrumBytes = launches() * (spectrumBytes() + exponentBytes());
    blocks_ = limits.multiprocessors;
    if (i.scratchBytes) {
      const int64_t affordable = (limits.scratchLimitBytes - lineRoom()) / i.scratchBytes;
      blocks_ = int(std::min({int64_t(blocks_), std::max<int64_t>(1, affordable), problem.rows()}));
      info_.workspaceBytes = blocks_ * i.scratchBytes + lineRoom();
    }
  }

  const PlanInfo& info() const override { return info_; }

  // Real multiply-adds of the matrices count as two operations. Without digits nothing is skipped, the spectrum holds
  // zeros.
  SkippedWork skippedWork() const override {
    SkippedWork w;
    const int halves = choice_.instance->halves;
    const double points = double(choice_.points) * double(choice_.segments) * halves;
    const int n2 = 1 << choice_.log2N2, radix = choice_.instance->radix;
    const bool few = choice_.instance->ofDigits;
    const double turns = choice_.onlySlice >= 0 ? 1.0 / choice_.instance->slices : 1;
    const double kept = few ? double(choice_.digits.size()) / 16 : turns;
    const auto add = [&](double operations, double share) {
      w.flops += points * operations;
      w.flopsSkipped += points * operations * (1 - share);
    };
    // The outer digit lies between real and complex numbers, there and back; inner ones have real matrices (half cost).
    // In slices it is complex on both sides.
    add(2 * (choice_.instance->slices > 1 ? 8 : 4) * 16, few ? fewDigits / 16.0 : turns);
    add(2 * (4 * (n2 > 1 ? n2 : 0) + (radix > 1 ? 5 * std::log2(radix) + 6.0 * (radix - 1) / radix : 0) + 4 * 16) + 3 * (halves + 1), kept);
    const double spectrum = double(bytesPerChannel()) * double(choice_.segments) / rowsOfSpectrum(problem_);
    w.bytes = double(problem_.length + problem_.outputLength) * dtypeBytes(problem_.dtype) + spectrum;
    w.bytesSkipped = spectrum * (1 - kept);
    return w;
  }

  void computeSpectrum(void* spectrum, const void* kernel, cudaStream_t stream) const override {
    const SpectrumInstance& s = *choice_.spectrum;
    SpectrumParams p;
    p.taps = gpu::kernelTaps(problem_, window_);
    p.taps.kernel = kernel;
    p.taps.circularImage = problem_.circular() && problem_.quarters() && !packed();
    p.quarters = problem_.quarters();
    for (int slice = 0; slice < s.slices; slice++) p.tables[slice] = static_cast<const float2*>(spectrumTables_[slice]->data());
    p.gain = gain_;
    if (maskTable_) {
      p.mask = problem_.mask->view();
      p.mask.keep = static_cast<const uint8_t*>(maskTable_->data());
    }
    p.channels = int32_t(spectra());
    p.radix = choice_.instance->radix;
    p.log2N2 = choice_.log2N2;
    p.slices = choice_.instance->slices;
    p.floats = choice_.instance->spectrumFloats;
    const bool rowScaled = choice_.instance->gated || choice_.instance->element == Element::bfloat16;
    p.window = windowFor(rowScaled);
    hideTaps(p);
    for (int64_t segment = 0; segment < launches(); segment++) {
      p.taps.lead = window_.offset + segment * choice_.points;
      p.spectrum = spectrumOf(spectrum, segment);
      p.exponent = exponentsOf(spectrum, segment);
      const LaunchShape shape{std::min<int64_t>(spectra(), 1 << 20), s.threads, s.sharedBytes, 1, earlyTransform_};
      launchKernel(transform_, shape, p, stream, "launching the kernel transform");
    }
  }

  void forward(const void* spectrum, const ForwardPointers& t, cudaStream_t stream) const override {
    // Sequences of one launch are numbered with 30 bits.
    const int64_t mostBatch = std::max<int64_t>(1, (1 << 15) / perRow());
    const int64_t mostChannels = std::min<int64_t>(1 << 14, (1 << 29) / (mostBatch * perRow()));
    for (int64_t h = 0; h < problem_.channels; h += mostChannels)
      for (int64_t b = 0; b < problem_.batch; b += mostBatch)
        for (int64_t segment = 0; segment < launches(); segment++)
          launch(spectrum, t, b, std::min(mostBatch, problem_.batch - b), h, std::min(mostChannels, problem_.channels - h),
                 segment, stream);
  }

 private:
  // Tap i moves the input to i - offset, and the outputs see a part of that.
  void hideTaps(SpectrumParams& p) const {
    if (p.window.high == 0 || problem_.circular()) return;
    const HiddenTaps hidden = choice_.instance->hidden(choice_.log2N2);
    p.hiddenFrom = std::max<int64_t>(0, window_.offset + problem_.outputLength - hidden.taps);
    p.hiddenBefore = std::clamp<int64_t>(window_.offset + hidden.taps + 1 - problem_.length, 0, p.hiddenFrom);
    if (p.hiddenBefore > 0 || p.hiddenFrom < p.taps.count) p.hiddenHigh = hidden.high;
  }
  bool packed() const { return choice_.instance->packed; }
  int64_t launches() const { return packed() ? 1 : choice_.segments; }
  int64_t perRow() const { return packed() ? choice_.segments : 1; }  // sequences of a row in one launch
  int64_t spectra() const { return problem_.sharedKernel ? 1 : problem_.channels; }
  // A workspace begins at 16 bytes; rows of two halves drop whole lines of theirs.
  int64_t lineRoom() const { return choice_.instance->halves > 1 ? 128 - 16 : 0; }
  int64_t bytesPerChannel() const { return choice_.points * choice_.instance->halves * (choice_.instance->spectrumFloats ? 8 : 4); }
  int64_t spectrumBytes() const { return spectra() * bytesPerChannel(); }
  int64_t exponentBytes() const { return (spectra() * 4 + 255) / 256 * 256; }
  char* spectrumOf(void* base, int64_t segment) const {
    return static_cast<char*>(base) + segment * (spectrumBytes() + exponentBytes());
  }
  int32_t* exponentsOf(void* base, int64_t segment) const {
    return reinterpret_cast<int32_t*>(spectrumOf(base, segment) + spectrumBytes());
  }

  static Rows rowsOf(const void* data, const Strides& strides, int64_t b, int64_t h, int64_t firstSample = 0) {
    Rows r;
    if (!data) return r;
    r.batchStride = strides.batch * 2;
    r.channelStride = strides.channel * 2;
    r.data = static_cast<const char*>(data) + b * r.batchStride + h * r.channelStride + firstSample * 2;
    return r;
  }

  void launch(const void* spectrum, const ForwardPointers& t, int64_t b, int64_t batch, int64_t h, int64_t channels,
              int64_t segment, cudaStream_t stream) const {
    const Instance& i = *choice_.instance;
    Params p;
    const int64_t firstOutput = segment * choice_.points;
    p.u = rowsOf(t.u, problem_.u, b, h);
    p.pre = rowsOf(problem_.preGate ? t.preGate : nullptr, problem_.pre, b, h);
    p.post = rowsOf(problem_.postGate ? t.postGate : nullptr, problem_.post, b, h, firstOutput);
    p.y = rowsOf(t.y, problem_.y, b, h, firstOutput);
    const int64_t firstSpectrum = problem_.sharedKernel ? 0 : h;
    void* const stored = const_cast<void*>(spectrum);  // read only
    p.spectrum = spectrumOf(stored, segment) + firstSpectrum * bytesPerChannel();
    p.exponent = exponentsOf(stored, segment) + firstSpectrum;
    if (problem_.skip) {
      p.skip = static_cast<const char*>(t.skip) + h * dtypeBytes(problem_.skipDtype);
      p.skipType = int32_t(problem_.skipDtype);
    }
    p.spectrumGain = gain_;
    p.tables = tables_->data();
    p.results = lineRoom() ? reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(t.workspace) + lineRoom()) & ~uintptr_t{127}) : t.workspace;
    p.log2N2 = choice_.log2N2;
    // Rows that are not shifted need not be seven samples longer: a segment less where outputs fill whole ones.
    const auto alignedRows = [](const Rows& r) {
      return (reinterpret_cast<uintptr_t>(r.data) | uint64_t(r.batchStride) | uint64_t(r.channelStride)) % 16 == 0;
    };
    const bool shifted = !alignedRows(p.u) || !alignedRows(p.y) || !alignedRows(p.pre) || !alignedRows(p.post);
    const int64_t segments =
        packed() && !shifted ? (problem_.outputLength + choice_.step - 1) / choice_.step : perRow();
    p.batch = int32_t(batch * segments);
    p.channels = int32_t(channels);
    setDivisor(p.batchMagic, p.batchShift, uint32_t(p.batch));
    p.length = int32_t(problem_.length);
    p.outLength = int32_t(packed() ? problem_.outputLength : std::min(choice_.points * i.halves, problem_.outputLength - firstOutput));
    p.segments = int32_t(segments);
    p.step = int32_t(choice_.step);
    p.history = int32_t(choice_.history);
    p.periodic = problem_.circular();
    p.sharedSpectrum = problem_.sharedKernel;
    p.inPlace = p.u.data == p.y.data;
    p.onlySlice = std::max(0, choice_.onlySlice);
    p.quarters = problem_.quarters();
    p.digitCount = int32_t(choice_.digits.size());
    for (int i = 0; i < p.digitCount; i++) p.digits |= uint32_t(choice_.digits[i]) << (4 * i);
    const int sequences = 16 >> choice_.log2N2;
    p.tiles = int32_t((int64_t(p.batch) * channels + sequences - 1) / sequences);
    // Room for the seven samples by which a row may be shifted to keep its accesses aligned.
    const int64_t places = choice_.points * i.halves;
    const bool reaches = p.length + 7 > places || p.outLength + 7 > places, wrapsSlices = i.slices > 1 && i.halves == 1 && problem_.quarters();
    p.phased = packed() || !reaches || wrapsSlices;
    const bool whole = p.length == choice_.points && p.outLength == choice_.points;
    const int rowsOfSet = choice_.uniform.tilesPerSet * sequences;
    const bool wholeSets = rowsOfSet > 0 && whole && encodeWhole(choice_, p, batch, channels, rowsOfSet);
    const bool partialSets = rowsOfSet > 0 && !wholeSets && encodePartial(choice_, p, batch, channels, rowsOfSet);
    const bool uniform = wholeSets || partialSets;
    const bool fullTiles = whole && batch * channels % sequences == 0;
    const auto encodeFor = [&] {
      if (packed()) return encodePacked(choice_, p, batch, channels);
      if (i.slices > 1) return encodeSliced(choice_, p, batch, channels);
      return fullTiles && encodeWhole(choice_, p, batch, channels, 1) && (!i.columns || encodeColumns(choice_, p, batch, channels));
    };
    p.useMaps = uniform || (choice_.maps.tilesPerSet && encodeFor());
    const bool longPartial = !p.useMaps && i.longRows && problem_.quarters() && choice_.log2N2 == 4 && choice_.maps.tilesPerSet &&
                             encodeLong(choice_, p, batch, channels);
    if (!uniform && !longPartial) {
      if (i.slices == 1 || !p.useMaps) p.headParts = 0;  // in slices it is encodeSliced() that says so
      p.wraps = wrapsSlices && reaches && !alignedRows(p.u);
    }
    p.useMaps |= longPartial;
    Launch shape = uniform ? choice_.uniform : p.useMaps ? choice_.maps : choice_.copies;
    // A channel with an exponent goes by plain copies, whose row tables are larger.
    if (longPartial) {
      shape.sharedBytes = std::max(shape.sharedBytes, choice_.copies.sharedBytes);
      shape.residentAt = choice_.copies.residentAt;
    }
    p.tilesPerSet = shape.tilesPerSet;
    p.slots = shape.slots;
    p.residentAt = int32_t(shape.residentAt);
    int64_t blocks = std::min(p.tiles, blocks_);
    if (uniform) {
      p.bothGates = i.gated;
      const int rowsPerSet = p.tilesPerSet * sequences;
      blocks = std::min<int64_t>(channels * ((batch + rowsPerSet - 1) / rowsPerSet), blocks_);
      describeUniform(p, rowsPerSet, int(blocks));
    }
    const RowShape rowShape = wholeSets ? RowShape::whole : partialShapeOf(p);
    launchKernel(uniform ? sets_[static_cast<size_t>(rowShape)] : convolve_,
                 {blocks, threads, shape.sharedBytes, 1, uniform && earlySets_}, p, stream, "launching the fused convolution");
  }

  ConvProblem problem_;
  Choice choice_;
  KernelWindow window_;
  int blocks_ = 0;  // of a launch, at most
  float gain_ = 1;
  bool earlyTransform_ = false, earlySets_ = false;
  DeviceFunction transform_, convolve_;
  std::array<DeviceFunction, rowShapes> sets_;  // of one channel, by RowShape
  PlanInfo info_;
  std::shared_ptr<Buffer> tables_, maskTable_;
  std::array<std::shared_ptr<Buffer>, 8> spectrumTables_;
};

}  // namespace

std::unique_ptr<GpuAlgorithm> makeFusedMma(const ConvProblem& problem, const GpuLimits& limits, const Choice& choice, TableCache& cache) {
  return std::make_unique<FusedMma>(problem, limits, withMaps(choice), cache);
}

}  // namespace ffc::mma
