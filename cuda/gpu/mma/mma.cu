// The fused tensor-core family as a plan: which transform serves a problem, with how much shared memory, and the
// launches of a call. Device code is in phases.cuh, body.cuh and spectrum.cuh; cuda/DESIGN.md explains both.
#include <cuda.h>
#include <cudaTypedefs.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>

#include "../../host/window.h"
#include "../launch.h"
#include "instance.h"
#include "spectrum_params.h"

namespace ffc {
namespace mma {
namespace {

const std::vector<Instance>& instances() {
  static const std::vector<Instance> list = [] {
    std::vector<Instance> all;
    addRadix1Single(all);
    addRadix1(all);
    addRadix2(all);
    addRadix3(all);
    addRadix4(all);
    addPacked(all);
    addPackedLong(all);
    addSparse(all);
    addSliced2(all);
    addSliced4(all);
    addHalves(all);
    return all;
  }();
  return list;
}

const std::vector<SpectrumInstance>& spectra() {
  static const std::vector<SpectrumInstance> list = [] {
    std::vector<SpectrumInstance> all;
    addShortSpectra(all);
    addLongSpectra(all);
    return all;
  }();
  return list;
}

struct Launch {
  int tilesPerSet = 0, slots = 0;
  int64_t sharedBytes = 0;
  int64_t residentAt = 0;  // see Params
};

struct Choice {
  const Instance* instance = nullptr;
  const SpectrumInstance* spectrum = nullptr;
  int log2N2 = 0;
  // A whole row in one transform takes as many launches as it has segments of N outputs. Packed, the segments of all
  // rows are sequences of one launch, see Params.
  int64_t points = 0, segments = 0;
  int64_t step = 0, history = 0;
  Launch copies, maps;  // without and with tensor copies; maps.tilesPerSet is 0 where they cannot be used
  Launch uniform;       // sets of one channel, with tensor copies of their own; tilesPerSet is 0 where there are none
  std::vector<int> digits;  // frequency-sparse: the values of k1 that an instance of few computes
  uint32_t keptSlices = 0;  // frequency-sparse: those of a sequence that have a turn; 0: all
};

// As many tiles between two barriers as shared memory takes, and no more than leave each block a few sets to overlap. A
// slot to spare lets copies run ahead, which is worth half as many tiles again: 4096 points in the accurate class took
// 0.452 ms with three tiles and a slot to spare, 0.485 with four tiles, 0.494 with two and a slot to spare.
Launch launchOf(const Instance& i, int log2N2, bool pre, bool post, bool maps, int64_t limit, int64_t tilesPerBlock) {
  int most = i.mostTiles;
  while (most > 1 && tilesPerBlock < 3 * most) most /= 2;
  Launch best;
  for (int tiles = most; tiles >= 1; tiles--)
    for (int spare = maps && !i.residentBytes && (i.buffers == 2 || !i.packed || (i.mostTiles == 1 && !i.accurate)); spare >= 0; spare--) {
      const int64_t bytes = i.sharedBytes(tiles, log2N2, i.buffers + spare, pre, post, maps);
      const int worth = tiles * (2 + spare), bestWorth = best.tilesPerSet * (2 + best.slots - i.buffers);
      if (bytes <= limit && (!best.tilesPerSet || worth > bestWorth)) best = {tiles, i.buffers + spare, bytes};
    }
  // In pieces of 16 bytes.
  const int64_t end = (best.sharedBytes + 15) / 16 * 16;
  if (i.residentBytes && best.tilesPerSet && end + i.residentBytes <= limit) {
    best.residentAt = end;
    best.sharedBytes = end + i.residentBytes;
  }
  return best;
}

// Sets of one channel, if that is worth it: where a channel has few rows, many of a set's places stay empty, and the general
// driver takes less time, though it needs a third more a tile.
Launch uniformLaunchOf(const Instance& i, int log2N2, const ConvProblem& p, const GpuLimits& limits) {
  if (!i.uniform) return {};
  // In tiles: those of the busiest block, something for every barrier, and an interval and a half to fill and drain.
  const auto time = [&](int64_t sets, double tilesPerSet) {
    return (double((sets + limits.multiprocessors - 1) / limits.multiprocessors) + 1.5) * tilesPerSet;
  };
  Launch best;
  double least = 1.35 * time((p.rows() << log2N2) / 16 + 1, 1.0);
  for (int tiles = i.uniformTiles; tiles >= 1; tiles--) {
    const int64_t bytes = i.uniformBytes(tiles, log2N2), rows = tiles * (16 >> log2N2);
    // The full number of tiles may have a form of its own, in which the compiler interleaves them: 256 points in halves of such
    // sets took 0.0299 ms, in whole ones 0.0279.
    const bool interleaved = i.interleaves && tiles == i.uniformTiles;
    const double t = time((p.batch + rows - 1) / rows * p.channels, (interleaved ? 0.85 : 1.0) * tiles + 0.3);
    if (bytes <= limits.sharedMemoryPerBlock && t < least) best = {tiles, i.uniformSlots, bytes}, least = t;
  }
  return best;
}

// Segments of N outputs that a transform of N points needs, or 0 if it cannot serve the problem: the input must fit
// into N samples, and no wrapped sample may land on an output.
int64_t segmentsWith(int64_t N, const ConvProblem& p, const KernelWindow& window) {
  if (p.mask && N != p.mask->points()) return 0;
  if (p.length > N || ringSamples(p, window) > 2 * N) return 0;
  return (p.outputLength + N - 1) / N;
}
// Two halves of N samples in one sequence each, where no output of the first depends on samples of the second: 1, or 0 as above.
int64_t segmentsOfHalves(int64_t N, const ConvProblem& p, const KernelWindow& window) {
  if (p.mask || p.circular() || window.offset != 0) return 0;
  const int64_t longest = std::max(p.length, p.outputLength);
  if (p.length <= N || p.outputLength <= N || longest > 2 * N) return 0;
  // Rows that begin anywhere are shifted; without room for that they would go sample by sample, and three passes are faster.
  const auto aligned = [](const Strides& s) { return s.batch % 8 == 0 && s.channel % 8 == 0; };
  return longest + 7 <= 2 * N || (aligned(p.u) && aligned(p.y));
}

// Packed: blocks of 2N samples, in which output p needs the samples from p + offset - (taps - 1) to p + offset. Segments
// are 0 where that leaves less than an eighth of the block.
struct Segments {
  int64_t count = 0, step = 0, history = 0;
};
Segments packedSegments(int64_t N, const ConvProblem& p, const KernelWindow& window, bool splitOutputs) {
  if (p.mask) return {};  // the frequencies of a pattern are those of one transform of the whole row
  constexpr int64_t longest = int64_t{1} << 30;  // sample numbers are 32 bits wide on the device
  if (p.length > longest || p.outputLength > longest) return {};
  Segments s;
  // Tensor copies move sixteenths of N samples. Where they cannot serve, pieces of 16 bytes are fine enough.
  const int64_t part = !p.circular() && p.length % (N / 16) == 0 && p.outputLength % (N / 16) == 0 ? N / 16 : 8;
  s.history = (std::max<int64_t>(0, window.count - 1 - window.offset) + part - 1) / part * part;
  if (splitOutputs) s.history = std::max(s.history, N);
  s.step = (2 * N - window.offset - s.history) / part * part;
  if (s.step < N / 4) return {};
  s.count = (p.outputLength + 7 + s.step - 1) / s.step;  // rows may be shifted by up to 7 samples
  return s;
}

// The values of k1 that have a kept frequency.
std::vector<int> keptDigits(const FrequencyMask& mask) {
  std::vector<int> digits;
  for (int k1 = 0; k1 < 16; k1++) {
    bool kept = false;
    for (int64_t k = k1; k < mask.points() && !kept; k += 16) kept = mask.keeps(k);
    if (kept) digits.push_back(k1);
  }
  return digits;
}

// Which of K slices have a kept frequency: bit k0 for k = k0 mod K.
uint32_t keptSlicesOf(const FrequencyMask& mask, int slices) {
  uint32_t kept = 0;
  for (int64_t k = 0; k < mask.points(); k++)
    if (mask.keeps(k)) kept |= 1u << (k % slices);
  return kept;
}
int countOf(uint32_t bits) {
  int count = 0;
  for (; bits; bits &= bits - 1) count++;
  return count;
}

// Of a tensor map: a row has so many parts of N / 16 samples, the n1 of a sequence or (packed) any number of them, and a
// box takes so many, and so many groups of 64 samples of each (0: all).
struct Parts {
  int64_t all = 16, box = 16, boxGroups = 0;
};

PFN_cuTensorMapEncodeTiled_v12000 encodeFunction() {
  static const PFN_cuTensorMapEncodeTiled_v12000 function = [] {
    void* found = nullptr;
    cudaDriverEntryPointQueryResult result;
    if (cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &found, 12000, cudaEnableDefault, &result) !=
            cudaSuccess ||
        result != cudaDriverEntryPointSuccess) {
      cudaGetLastError();  // an older driver: plain copies serve
      found = nullptr;
    }
    return reinterpret_cast<PFN_cuTensorMapEncodeTiled_v12000>(found);
  }();
  return function;
}

// Tensor copies need code compiled for 9.0, and a driver that encodes their maps.
Choice withMaps(Choice c) {
  if (!c.maps.tilesPerSet && !c.uniform.tilesPerSet) return c;
  if (!isCodeFor9(c.instance->convolve) || !encodeFunction()) c.maps = c.uniform = {};
  return c;
}

class FusedMma final : public GpuAlgorithm {
 public:
  FusedMma(const ConvProblem& problem, const GpuLimits& limits, const Choice& choice, TableCache& cache)
      : problem_(problem), choice_(choice), window_(kernelWindow(problem)) {
    const Instance& i = *choice.instance;
    const SpectrumInstance& s = *choice.spectrum;
    // One set of tables for each configuration: what they hold, and where, depends on all of it.
    const std::string key = "mma/" + std::to_string(reinterpret_cast<uintptr_t>(i.tables)) + "/" + std::to_string(choice.log2N2);
    tables_ = i.ofDigits ? cache.planTable(bytesOf(i.ofDigits(i.tables(choice.log2N2), choice.digits)))
                         : cache.table(key, [&] { return bytesOf(i.tables(choice.log2N2)); });
    for (int slice = 0; slice < s.slices; slice++)
      spectrumTables_[slice] = cache.table("mma/spectrum" + std::to_string(s.points) + "/" + std::to_string(slice),
                                           [&] { return s.tables(slice); });
    if (problem.mask) maskTable_ = cache.planTable(problem.mask->bytes());
    gain_ = float(i.gain(choice.log2N2));
    allowSharedMemory(i.convolve, std::max(choice.copies.sharedBytes, choice.maps.sharedBytes));
    for (const void* function : {i.uniform, i.partial, i.wrapping})
      if (function && choice.uniform.sharedBytes) allowSharedMemory(function, choice.uniform.sharedBytes);
    allowSharedMemory(s.transform, s.sharedBytes);
    earlyTransform_ = canStartEarly(s.transform, limits);
    earlySets_ = i.uniform && canStartEarly(i.uniform, limits);
    transform_ = DeviceFunction(s.transform), convolve_ = DeviceFunction(i.convolve);
    uniform_ = DeviceFunction(i.uniform), partial_ = DeviceFunction(i.partial), wrapping_ = DeviceFunction(i.wrapping);
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

  // Real multiply-adds of the matrices count as two operations. Without digits nothing is skipped, the spectrum holds zeros.
  SkippedWork skippedWork() const override {
    SkippedWork w;
    const int halves = choice_.instance->halves;
    const double points = double(choice_.points) * double(choice_.segments) * halves;
    const int n2 = 1 << choice_.log2N2, radix = choice_.instance->radix;
    const bool few = choice_.instance->ofDigits;
    const double turns = choice_.keptSlices ? double(countOf(choice_.keptSlices)) / choice_.instance->slices : 1;
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
    p.taps.circularImage = problem_.circular() && !packed();
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
  static std::vector<uint8_t> bytesOf(const std::vector<uint32_t>& words) {
    std::vector<uint8_t> bytes(words.size() * 4);
    std::memcpy(bytes.data(), words.data(), bytes.size());
    return bytes;
  }
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

  struct Map {
    std::array<int64_t, 5> size, stride, box;  // elements; bytes, from the second dimension on; elements
  };
  static CUtensorMapSwizzle swizzleOf(int64_t samples) {
    return samples == 64 ? CU_TENSOR_MAP_SWIZZLE_128B : samples == 32 ? CU_TENSOR_MAP_SWIZZLE_64B : CU_TENSOR_MAP_SWIZZLE_32B;
  }
  static bool encode(unsigned char* to, char* data, const Map& m, int rank, CUtensorMapSwizzle swizzle) {
    cuuint64_t size[5], stride[5];
    cuuint32_t box[5], step[5];
    if (reinterpret_cast<uintptr_t>(data) % 16) return false;
    for (int i = 0; i < rank; i++) {
      size[i] = cuuint64_t(m.size[i]), box[i] = cuuint32_t(m.box[i]), step[i] = 1;
      if (i == rank - 1) break;
      // A dimension of one row may have any stride; the encoder wants multiples of 16 below 2^40.
      stride[i] = m.size[i + 1] > 1 ? cuuint64_t(m.stride[i]) : 16;
      if (stride[i] % 16) return false;
    }
    CUtensorMap map;
    static_assert(sizeof(map) == 128);
    if (encodeFunction()(&map, CU_TENSOR_MAP_DATA_TYPE_UINT16, cuuint32_t(rank), data, size, stride, box, step,
                         CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle, CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
                         CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) != CUDA_SUCCESS)
      return false;
    std::memcpy(to, &map, sizeof(map));
    return true;
  }

  // A map of (64 samples, 16 n1, N / 1024, batch, channels), N the points of a slice, whose boxes of `rows` rows land in the order of a staging
  // slot. Below 1024 points the samples of a row n1 are 32 or 16, and swizzled within as many bytes.
  bool encode(unsigned char* to, const Rows& r, int64_t batch, int64_t channels, int rows, Parts parts = {}) const {
    const int64_t N = choice_.points / choice_.instance->slices, samples = std::min<int64_t>(64, N / 16), groups = std::max<int64_t>(1, N / 1024);
    const Map map{{samples, parts.all, groups, batch, channels},
                  {N / 8, 128, r.batchStride, r.channelStride},
                  {samples, parts.box, parts.boxGroups ? parts.boxGroups : groups, rows, 1}};
    return encode(to, const_cast<char*>(r.data), map, 5, swizzleOf(samples));
  }

  // Tensor copies of rows that may begin anywhere: those of a channel, and of all tensors, begin at the same phase. `anywhere`:
  // not all at multiples of 16 bytes.
  static bool samePhases(const Params& p, int64_t channels, bool& anywhere) {
    anywhere = p.length % 8 != 0;
    for (const Rows* r : {&p.u, &p.y, &p.pre, &p.post}) {
      if (!r->data) continue;
      anywhere |= past16(*r) || (channels > 1 && r->channelStride % 16);
      if (past16(*r) != past16(p.u) || (channels > 1 && (r->channelStride - p.u.channelStride) % 16)) return false;
      // A coordinate has 31 bits.
      if (r->channelStride < 0 || channels * r->channelStride >= int64_t{1} << 34) return false;
    }
    return true;
  }
  static int64_t past16(const Rows& r) { return reinterpret_cast<uintptr_t>(r.data) % 16; }
  static int64_t rowStarts(const Rows& r, int64_t channels) { return ((channels - 1) * r.channelStride + 14) / 16 + 1; }

  // Rows of the long order that do not fill their transform (long_rows.cuh). Maps of u, y: of the groups with a line more, of the
  // others; of y the first group is one of its own.
  bool encodeLong(Params& p, int64_t batch, int64_t channels) const {
    const int64_t part = choice_.points / 16, groups = part / 64;
    bool anywhere = false;
    if (p.length != p.outLength || p.length <= choice_.points / 2 || p.skip || !samePhases(p, channels, anywhere)) return false;
    p.wholeParts = int32_t(p.length / part);
    p.longGroups = int32_t(p.length % part / 64);
    p.headParts = 1;
    p.wraps = p.length + 7 > choice_.points;
    const auto encodeGroups = [&](unsigned char* to, const Rows& r, int64_t lines, int64_t boxLines, int64_t boxGroups) {
      const Map map{{64, lines, groups, batch, rowStarts(r, channels)}, {part * 2, 128, r.batchStride, 16}, {64, boxLines, boxGroups, 1, 1}};
      return encode(to, const_cast<char*>(r.data) - past16(r), map, 5, swizzleOf(64));
    };
    const int64_t lines = p.wholeParts, longer = p.longGroups, second = std::max<int64_t>(1, longer);
    return (!longer || encodeGroups(p.maps.u, p.u, lines + 1, 16, longer)) && encodeGroups(p.rests.u, p.u, lines, 16, groups - longer) &&
           encodeGroups(p.longRests.y, p.y, lines + (longer > 0), 15, 1) &&
           (second < 2 || encodeGroups(p.maps.y, p.y, lines + 1, 16, second - 1)) &&
           encodeGroups(p.rests.y, p.y, lines, 16, groups - second);
  }

  // Partial rows (set_copies.cuh): a map of the whole rows n1, and those of the samples that are left.
  bool encodePartial(Params& p, int64_t batch, int64_t channels) const {
    // Up to N / 2 samples a shorter transform serves, and the device keeps no more than half of the rows n1 at zero.
    if (p.length != p.outLength || p.length <= choice_.points / 2) return false;
    bool anywhere = false;
    if (!samePhases(p, channels, anywhere)) return false;
    p.wraps = anywhere && p.length + 7 > choice_.points;
    if (p.wraps && !choice_.instance->wrapping) return false;
    const PartialRows rows(p.length, choice_.points, anywhere);
    p.wholeParts = int32_t(rows.whole), p.headParts = int32_t(rows.head), p.restParts = int32_t(rows.rest);
    const int64_t part = choice_.points / 16, samples = std::min<int64_t>(64, part), groups = std::max<int64_t>(1, part / 64);
    const auto encodeRows = [&](const Rows& r, unsigned char* whole, unsigned char* rest, unsigned char* longer) {
      if (!r.data) return true;
      char* const begin = const_cast<char*>(r.data) - past16(r);
      const int64_t sequences = 16 >> choice_.log2N2, count = rowStarts(r, channels);
      const auto encodeRest = [&](unsigned char* to, int64_t until) {
        const Map map{{until, batch, count}, {r.batchStride, 16}, {std::min<int64_t>(256, part), sequences, 1}};
        return encode(to, begin, map, 3, CU_TENSOR_MAP_SWIZZLE_NONE);
      };
      const int64_t shared = rows.whole - rows.head;  // rows n1 of one copy
      const Map map{{samples, shared, groups, batch, count}, {part * 2, 128, r.batchStride, 16}, {samples, shared, groups, sequences, 1}};
      return encode(whole, begin + rows.head * part * 2, map, 5, swizzleOf(samples)) &&
             encodeRest(rest, longer ? rows.samples : rows.stored) && (!longer || encodeRest(longer, rows.longerSamples));
    };
    return encodeRows(p.u, p.maps.u, p.rests.u, p.longRests.u) && encodeRows(p.y, p.maps.y, p.rests.y, nullptr) &&
           encodeRows(p.pre, p.maps.pre, p.rests.pre, p.longRests.pre) &&
           encodeRows(p.post, p.maps.post, p.rests.post, p.longRests.post);
  }

  // Inputs come in boxes of 2N samples, zero outside their rows; y leaves in boxes of the outputs that are right.
  bool encodePacked(Params& p, int64_t batch, int64_t channels) const {
    const int64_t part = choice_.points / 16;
    if (p.periodic || p.length % part || p.outLength % part || p.history % part || p.step % part) return false;
    const int groups = choice_.instance->copyGroups;
    const Parts in = {p.length / part, 32, groups}, out = {p.outLength / part, 32, groups};
    const Parts stored = {p.outLength / part, p.step / part, 1};
    return encode(p.maps.u, p.u, batch, channels, 1, in) && encode(p.maps.y, p.y, batch, channels, 1, stored) &&
           (!p.pre.data || encode(p.maps.pre, p.pre, batch, channels, 1, in)) &&
           (!p.post.data || encode(p.maps.post, p.post, batch, channels, 1, out));
  }

  // In slices: sixteenths of a part in boxes of a whole part, zero outside their rows. Only u comes by tensor copies; whole rows of
  // the gates, in aligned pieces.
  bool encodeSliced(Params& p, int64_t batch, int64_t channels) const {
    const int64_t part = choice_.points / choice_.instance->slices / 16;
    const auto aligned = [](const Rows& r) {
      return reinterpret_cast<uintptr_t>(r.data) % 16 == 0 && r.batchStride % 16 == 0 && r.channelStride % 16 == 0;
    };
    if (p.length % part || !aligned(p.pre) || !aligned(p.post)) return false;
    if (choice_.instance->gated && (p.length != choice_.points || p.outLength != choice_.points)) return false;
    return encode(p.maps.u, p.u, batch, channels, 1, {p.length / part, 16, 0});
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
    p.keptSlices = choice_.keptSlices;
    p.digitCount = int32_t(choice_.digits.size());
    for (int i = 0; i < p.digitCount; i++) p.digits |= uint32_t(choice_.digits[i]) << (4 * i);
    const int sequences = 16 >> choice_.log2N2;
    p.tiles = int32_t((int64_t(p.batch) * channels + sequences - 1) / sequences);
    // Room for the seven samples by which a row may be shifted to keep its accesses aligned.
    const int64_t places = choice_.points * i.halves;
    const bool reaches = p.length + 7 > places || p.outLength + 7 > places, wrapsSlices = i.slices > 1 && i.halves == 1;
    p.phased = packed() || !reaches || wrapsSlices;
    const bool whole = p.length == choice_.points && p.outLength == choice_.points;
    const auto encodeAll = [&](int rows) {
      return encode(p.maps.u, p.u, batch, channels, rows) && encode(p.maps.y, p.y, batch, channels, rows) &&
             (!p.pre.data || encode(p.maps.pre, p.pre, batch, channels, rows)) &&
             (!p.post.data || encode(p.maps.post, p.post, batch, channels, rows));
    };
    const bool sets = choice_.uniform.tilesPerSet > 0, wholeSets = sets && whole && encodeAll(choice_.uniform.tilesPerSet * sequences);
    const bool partialSets = sets && !wholeSets && encodePartial(p, batch, channels), uniform = wholeSets || partialSets;
    const bool fullTiles = whole && batch * channels % sequences == 0;
    const auto encodeFor = [&] {
      if (packed()) return encodePacked(p, batch, channels);
      return i.slices > 1 ? encodeSliced(p, batch, channels) : fullTiles && encodeAll(1);
    };
    p.useMaps = uniform || (choice_.maps.tilesPerSet && encodeFor());
    const bool longPartial = !p.useMaps && i.longRows && choice_.log2N2 == 4 && choice_.maps.tilesPerSet && encodeLong(p, batch, channels);
    if (!uniform && !longPartial) p.headParts = 0, p.wraps = wrapsSlices && reaches && !p.useMaps && !alignedRows(p.u);
    p.useMaps |= longPartial;
    Launch shape = uniform ? choice_.uniform : p.useMaps ? choice_.maps : choice_.copies;
    // A channel with an exponent goes by plain copies.
    if (longPartial) shape.sharedBytes = std::max(shape.sharedBytes, choice_.copies.sharedBytes);
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
    const DeviceFunction& ofSets = wholeSets ? uniform_ : p.wraps ? wrapping_ : partial_;
    launchKernel(uniform ? ofSets : convolve_,
                 {blocks, threads, shape.sharedBytes, 1, uniform && earlySets_}, p, stream, "launching the fused convolution");
  }

  ConvProblem problem_;
  Choice choice_;
  KernelWindow window_;
  int blocks_ = 0;  // of a launch, at most
  float gain_ = 1;
  bool earlyTransform_ = false, earlySets_ = false;
  DeviceFunction transform_, convolve_, uniform_, partial_, wrapping_;
  PlanInfo info_;
  std::shared_ptr<Buffer> tables_, maskTable_;
  std::array<std::shared_ptr<Buffer>, 8> spectrumTables_;
};

}  // namespace
}  // namespace mma

void offerFusedMma(const ConvProblem& problem, const GpuLimits& limits, TableCache& cache, Offers& offers) {
  using namespace mma;
  const auto refuse = [&](const std::string& reason) { offers.refuse("fused-mma", reason); };
  if (problem.dtype == Dtype::float32) return refuse("the tensor-core family is for float16 and bfloat16 tensors");
  if (limits.computeMajor < 8) return refuse("the tensor-core family needs compute capability 8.0");
  const Element element = problem.dtype == Dtype::float16 ? Element::float16 : Element::bfloat16;
  const bool accurate = problem.precision == FFC_PRECISION_ACCURATE, gated = problem.preGate || problem.postGate;
  const KernelWindow window = kernelWindow(problem);
  const int64_t sharedMemory = sharedMemoryFor(spectra().front().transform, limits);
  std::vector<Choice> choices;
  bool longEnough = false;
  // A skip term is a tap that every frequency gains.
  std::vector<int> digits;
  if (problem.mask && !problem.skip) digits = keptDigits(*problem.mask);
  const bool fewEnough = !digits.empty() && int(digits.size()) <= fewDigits;
  int64_t longest = 0;
  const int64_t shorter = problem.mask ? problem.length : std::min(problem.length, problem.kernelLength);
  for (const Instance& i : instances()) {
    if (i.element != element || i.accurate != accurate || i.gated != gated) continue;
    if (i.ofDigits && !fewEnough) continue;
    if (i.someSlices && digits.empty()) continue;
    // 3 * 2^a points below 12288 were never the quickest, and have 1.2e-3 where the fast class promises 1.1e-3.
    const int leastN2 = i.packed || i.slices > 1 || i.ofDigits || i.radix == 3 ? 4 : i.pairwise ? 1 : 0;
    for (int log2N2 = leastN2; log2N2 <= (i.pairwise ? 4 : 0); log2N2++) {
      const int64_t N = (int64_t(256 * i.radix) << log2N2) * i.slices;
      // Up to 8192 samples the fast class promises 1.1e-3 (float16) and 2.0e-3 (bfloat16). Radix 4 and 8, and transforms
      // of more than 8192 points, reach 1.3e-3 and 2.05e-3, which is what it promises to longer rows.
      if (!accurate && problem.length <= 8192 && (i.radix > 3 || N > 8192)) continue;
      // Four slices with a spectrum of halves reach 6.3e-4 in the accurate class (bfloat16 1.77e-3), which is promised from there on
      // where transforms of 32768 points, or windows, do not serve.
      if (accurate && !i.spectrumFloats && shorter <= 32768) continue;
      if (!i.packed) longest = std::max(longest, N * i.halves);
      const auto spectrum = std::find_if(spectra().begin(), spectra().end(),
                                         [&](const SpectrumInstance& s) { return s.points == N && s.halves == i.halves; });
      const Segments segments = i.packed       ? packedSegments(N, problem, window, i.splitOutputs)
                                : i.halves > 1 ? Segments{segmentsOfHalves(N, problem, window)}
                                               : Segments{segmentsWith(N, problem, window)};
      if (!segments.count) continue;
      longEnough = true;
      if (spectrum == spectra().end() || spectrum->sharedBytes > sharedMemory) continue;
      const int64_t tiles = ((problem.rows() * (i.packed ? segments.count : 1)) << log2N2) / 16;
      const int64_t tilesPerBlock = (tiles + limits.multiprocessors - 1) / limits.multiprocessors;
      Choice c{&i, &*spectrum, log2N2, N, segments.count, segments.step, segments.history, {}, {}, {}, {}};
      if (i.ofDigits) c.digits = digits;
      if (i.someSlices) c.keptSlices = keptSlicesOf(*problem.mask, i.slices);
      if (i.someSlices && countOf(c.keptSlices) == i.slices) continue;
      c.copies = launchOf(i, log2N2, problem.preGate, problem.postGate, false, sharedMemory, tilesPerBlock);
      if (!c.copies.tilesPerSet) continue;
      if (limits.computeMajor >= 9) {
        c.uniform = uniformLaunchOf(i, log2N2, problem, limits);
        // The general driver's slots have a layout for rows n1 of whole lines only.
        if (N % 1024 == 0)
          c.maps = launchOf(i, log2N2, problem.preGate, problem.postGate, true, sharedMemory, tilesPerBlock);
      }
      choices.push_back(c);
    }
  }
  if (choices.empty())
    return refuse(longEnough ? "no tensor-core transform that is long enough fits into this device's shared memory of " +
                                   std::to_string(sharedMemory) + " bytes per block" +
                                   (gated ? " together with its gates" : "")
                             : "the tensor-core family transforms at most " + std::to_string(longest) +
                                   " samples at once, or in overlapping blocks of which the kernel must leave an eighth; "
                                   "this problem needs more");
  // Of few digits a transform is always faster than with all of them, but where rows that do not fill it have a driver.
  const int64_t row = std::min(problem.length, problem.outputLength);
  const auto superseded = [&](const Choice& c) {
    if (!c.digits.empty() || c.keptSlices || (row != c.points && c.uniform.tilesPerSet)) return false;
    return std::any_of(choices.begin(), choices.end(), [&](const Choice& other) {
      return (!other.digits.empty() || other.keptSlices) && other.points == c.points && other.segments == c.segments;
    });
  };
  int64_t least = std::numeric_limits<int64_t>::max();
  const auto pointsOf = [](const Choice& c) { return c.points * c.segments * c.instance->halves; };
  for (const Choice& c : choices) least = std::min(least, pointsOf(c));
  for (const Choice& c : choices) {
    if (pointsOf(c) > 4 * least || superseded(c)) continue;  // mostly silence
    MmaShape shape;
    shape.radix = c.instance->radix;
    shape.slices = c.instance->slices;
    shape.halves = c.instance->halves;
    shape.n2 = 1 << c.log2N2;
    shape.points = c.points;
    shape.segments = c.segments;
    shape.accurate = accurate;
    shape.spectrumFloats = c.instance->spectrumFloats;
    shape.scaled = gated || element == Element::bfloat16;
    shape.uniform = c.uniform.tilesPerSet > 0;
    shape.packed = c.instance->packed;
    if (c.instance->ofDigits) shape.digits = int(c.digits.size());
    shape.turns = countOf(c.keptSlices);
    shape.streamedSpectrum = c.instance->radix > 2 || (accurate && c.instance->radix > 1);
    offers.add(fusedMmaCandidate(problem, shape, sizeOf(limits)),
               [&problem, &limits, &cache, c] { return std::make_unique<FusedMma>(problem, limits, withMaps(c), cache); });
  }
}

}  // namespace ffc
