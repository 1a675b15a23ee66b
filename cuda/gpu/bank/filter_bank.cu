// Frequency-sparse plans whose frequencies lie in a few blocks anywhere in the spectrum (host/filter_bank.h): each block is a slot of its own
// at a 32nd of the rate, where one block of the device convolves a whole row.
#include <algorithm>
#include <limits>

#include "../mma/ring.h"
#include "../multipass/multipass.h"
#include "passes.h"

namespace ffc {
namespace {

using namespace gpu;

// Kernels at the lower rate are taps of 2N numbers for each slot, of which so many bytes lie behind the spectra.
constexpr int64_t mostTapBytes = int64_t{32} << 20;

// Float16 samples are as large as the rings take them.
bool measuresRows(const ConvProblem& problem) { return problem.preGate || problem.dtype == Dtype::bfloat16; }

class FilterBankPlan final : public GpuAlgorithm {
 public:
  FilterBankPlan(const ConvProblem& problem, const FilterBank& bank, const mma::Choice& ring, const GpuLimits& limits, TableCache& cache)
      : problem_(problem),
        multiprocessors_(limits.multiprocessors),
        slots_(bank.slots()),
        ring_(ring, cache),
        passes_(bank, *problem.mask, problem.dtype == Dtype::bfloat16, limits.multiprocessors, cache) {
    groups_ = problem.sharedKernel ? 1 : problem.channels;
    rowsOfGroup_ = problem.rows() / groups_;
    chunk_ = chunkOf(problem, bank, limits.scratchLimitBytes);
    const int64_t channels = groups_ * slots_;
    exponentsAt_ = alignedUp(channels * ring_.spectrumBytes());
    zerosAt_ = exponentsAt_ + alignedUp(channels * 4);
    tapsAt_ = zerosAt_ + alignedUp(channels * 4);
    groupsOfTaps_ = std::clamp<int64_t>(mostTapBytes / tapBytes(), 1, groups_);
    largestAt_ = alignedUp(int64_t{chunk_.groups} * chunk_.rows * slots_ * pitch() * 2);
    info_.algorithm = FFC_ALGORITHM_MULTI_PASS;
    info_.precision = problem.precision;
    info_.order = 0;
    for (const int radix : {ring.instance->slices, 16, 1 << ring.log2N2, ring.instance->radix, 16})
      if (radix > 1) info_.radices[info_.order++] = radix;
    info_.inPlace = problem.outputLength == problem.length;  // a chunk's rows are read before they are written
    info_.transformLength = ring_.points();
    info_.segments = slots_;
    info_.spectrumBytes = tapsAt_ + groupsOfTaps_ * tapBytes();
    info_.workspaceBytes = largestAt_ + alignedUp(int64_t{chunk_.groups} * chunk_.rows * (bankParts + 1) * 4);
  }

  const PlanInfo& info() const override { return info_; }

  // Against the passes over the whole spectrum: transforms by products of 16 points, half of them at half cost, there and back, and 4
  // bytes of scratch a point, written and read twice. Real multiply-adds count as two operations. The filters are products, too: with more than
  // eight slots they are more than all that is skipped, and what is saved are bytes.
  SkippedWork skippedWork() const override {
    SkippedWork w;
    const double points = static_cast<double>(problem_.mask->points()), part = static_cast<double>(slots_) / FilterBank::rate;
    const double element = problem_.precision == FFC_PRECISION_ACCURATE ? 8 : 4;
    w.flops = points * 2 * (2 * 4 * 16 + 8 * 16 + 2 * 4 * 16 + 3);
    const double filters = 2 * 2 * slotsOfProduct(slots_) * static_cast<double>(FilterBank::cells);
    const double ring = 2 * 8 * 16 + 2 * (2 * 4 * 16 + 14.5) + 6;
    w.flopsSkipped = w.flops - points * (filters + part * ring);
    const double scratch = points * 4 * 4, spectrum = points * element / rowsOfSpectrum(problem_), samples = static_cast<double>(problem_.length) * 2;
    w.bytes = 2 * samples + scratch + spectrum;
    // A slot's number has two bytes and passes four times; some samples are read once more, for their largest.
    w.bytesSkipped = w.bytes - samples * (2 + (measuresRows(problem_) ? 1.0 / bankSampled : 0)) - points * part * 2 * 4 - spectrum * part;
    return w;
  }

  void computeSpectrum(void* spectrum, const void* kernel, cudaStream_t stream) const override {
    char* const base = static_cast<char*>(spectrum);
    const int64_t channels = groups_ * slots_;
    checkCuda(cudaMemsetAsync(base + zerosAt_, 0, channels * 4, stream), "clearing the exponents of a filter bank");
    KernelTaps taps = kernelTaps(problem_, kernelWindow(problem_));
    taps.kernel = kernel;
    float* const ringTaps = reinterpret_cast<float*>(base + tapsAt_);
    for (int64_t group = 0; group < groups_; group += groupsOfTaps_) {
      const int64_t count = std::min(groupsOfTaps_, groups_ - group), first = group * slots_;
      passes_.resample(taps, group, count, ringTaps, stream);
      ring_.computeSpectra(base + first * ring_.spectrumBytes(), reinterpret_cast<int32_t*>(base + exponentsAt_) + first, ringTaps, count * slots_,
                           passes_.weights(), slots_, stream);
    }
  }

  void forward(const void* spectrum, const ForwardPointers& t, cudaStream_t stream) const override {
    const char* const base = static_cast<const char*>(spectrum);
    char* const scratch = static_cast<char*>(t.workspace);
    BankRows r;
    r.u = t.u, r.y = t.y;
    if (problem_.preGate) r.pre = t.preGate;
    if (problem_.postGate) r.post = t.postGate;
    r.uStride = problem_.u, r.preStride = problem_.pre, r.postStride = problem_.post, r.yStride = problem_.y;
    r.length = static_cast<int32_t>(problem_.length);
    r.outputLength = static_cast<int32_t>(problem_.outputLength);
    r.batch = static_cast<uint32_t>(problem_.batch);
    r.rowsOfGroup = static_cast<uint32_t>(rowsOfGroup_);
    r.numbers = scratch;
    r.slots = slots_;
    r.pitch = r.count = static_cast<int32_t>(pitch());
    if (measuresRows(problem_)) {
      r.largest = reinterpret_cast<uint32_t*>(scratch + largestAt_);
      r.largestOfAll = r.largest + int64_t{chunk_.groups} * chunk_.rows * bankParts;
    }
    r.exponents = reinterpret_cast<const int32_t*>(base + exponentsAt_);
    for (int64_t group = 0; group < groups_; group += chunk_.groups)
      for (int64_t row = 0; row < rowsOfGroup_; row += chunk_.rows) {
        r.chunk.firstGroup = static_cast<uint32_t>(group);
        r.chunk.groups = static_cast<uint32_t>(std::min<int64_t>(chunk_.groups, groups_ - group));
        r.chunk.firstRow = static_cast<uint32_t>(row);
        r.chunk.rows = static_cast<uint32_t>(std::min<int64_t>(chunk_.rows, rowsOfGroup_ - row));
        if (r.largest) passes_.measure(r, stream);
        passes_.analyse(r, stream);
        ring_.convolve(scratch, int64_t{r.chunk.groups} * slots_, r.chunk.rows, pitch(), r.count, base + group * slots_ * ring_.spectrumBytes(),
                       reinterpret_cast<const int32_t*>(base + zerosAt_), multiprocessors_, stream);
        passes_.synthesise(r, stream);
      }
  }

  // Groups, or where these do not fit rows of one, of which numbers fit into so much scratch; chunks of about one size.
  static BankChunk chunkOf(const ConvProblem& problem, const FilterBank& bank, int64_t scratchLimit) {
    const int64_t groups = problem.sharedKernel ? 1 : problem.channels, rows = problem.rows() / groups;
    const int64_t bytes = bank.slots() * (bank.points() + FilterBank::neighbours) * 2 + (bankParts + 1) * 4;
    const auto even = [](int64_t all, int64_t most) {
      const int64_t pieces = (all + most - 1) / most;
      return static_cast<uint32_t>((all + pieces - 1) / pieces);
    };
    BankChunk chunk;
    chunk.groups = even(groups, std::max<int64_t>(1, scratchLimit / (rows * bytes)));
    chunk.rows = scratchLimit >= rows * bytes ? static_cast<uint32_t>(rows) : even(rows, std::max<int64_t>(1, scratchLimit / bytes));
    return chunk;
  }
  static int64_t chunksOf(const ConvProblem& problem, const FilterBank& bank, int64_t scratchLimit) {
    const BankChunk c = chunkOf(problem, bank, scratchLimit);
    const int64_t groups = problem.sharedKernel ? 1 : problem.channels, rows = problem.rows() / groups;
    return ((groups + c.groups - 1) / c.groups) * ((rows + c.rows - 1) / c.rows);
  }

 private:
  int64_t pitch() const { return ring_.points() + FilterBank::neighbours; }
  int64_t tapBytes() const { return slots_ * 2 * ring_.points() * 4; }  // of a group

  ConvProblem problem_;
  int multiprocessors_, slots_;
  mma::RingConvolution ring_;
  BankPasses passes_;
  int64_t groups_ = 1, rowsOfGroup_ = 1;  // rows that share their spectra
  int64_t groupsOfTaps_ = 1;              // whose taps are made at a time
  BankChunk chunk_;
  int64_t exponentsAt_ = 0, zerosAt_ = 0, tapsAt_ = 0;  // within a spectrum
  int64_t largestAt_ = 0;                               // within a workspace
  PlanInfo info_;
};

}  // namespace

void offerFilterBank(const ConvProblem& problem, const GpuLimits& limits, TableCache& cache, Offers& offers) {
  if (!problem.mask || problem.circular() || problem.skip || problem.dtype == Dtype::float32) return;
  if (problem.rows() > std::numeric_limits<uint32_t>::max()) return;
  const FilterBank bank(*problem.mask);
  if (!bank.slots()) return;
  const bool accurate = problem.precision == FFC_PRECISION_ACCURATE;
  const mma::Choice ring = mma::choiceOfRing(bank.points(), accurate, limits);
  if (!ring.instance) return;
  FilterBankShape shape;
  shape.slots = bank.slots();
  shape.slotsOfProduct = slotsOfProduct(bank.slots());
  shape.measured = measuresRows(problem);
  shape.rate = FilterBank::rate;
  shape.taps = FilterBank::taps;
  shape.chunks = FilterBankPlan::chunksOf(problem, bank, limits.scratchLimitBytes);
  shape.usualChunks = FilterBankPlan::chunksOf(problem, bank, usualScratchBytes);
  shape.ring.radix = ring.instance->radix;
  shape.ring.slices = ring.instance->slices;
  shape.ring.n2 = 1 << ring.log2N2;
  shape.ring.points = ring.points;
  shape.ring.accurate = accurate;
  shape.ring.spectrumFloats = ring.instance->spectrumFloats;
  shape.ring.streamedSpectrum = true;
  offers.add(filterBankCandidate(problem, shape, sizeOf(limits)), [&problem, &limits, &cache, bank, ring] {
    return std::make_unique<FilterBankPlan>(problem, bank, ring, limits, cache);
  });
}

}  // namespace ffc
