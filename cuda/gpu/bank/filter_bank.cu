// Frequency-sparse plans, causal or circular, whose frequencies lie in a few blocks anywhere in the spectrum (host/filter_bank.h): each block is a slot of its own
// at a 32nd of the rate, or a 512th, where one block of the device, or a cluster of two in float32, convolves a whole row.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "../mma/choice.h"
#include "../multipass/multipass.h"
#include "fine_half.h"
#include "fold_tables.h"
#include "kernels.h"
#include "passes.h"
#include "slot_ring.h"

namespace ffc {
namespace {

using namespace gpu;

// Shorter rows are convolved whole in less time than their filters take.
constexpr int64_t leastFloatPoints = 4096 / coarseRate;

bool floats(const ConvProblem& problem) { return problem.dtype == Dtype::float32; }
bool isFine(const FilterBank& bank) { return bank.filters().rate == fineRate; }
int64_t numberBytes(const ConvProblem& problem) { return floats(problem) ? 4 : 2; }

// Float16 samples are as large as the rings of a coarse bank take them; in fine slots noise is much smaller than a tone. Numbers in float32 have any size.
bool measuresRows(const ConvProblem& problem, const FilterBank& bank) {
  return !floats(problem) && (problem.preGate || problem.dtype == Dtype::bfloat16 || isFine(bank));
}
int64_t measuredBytes(const ConvProblem& problem, const FilterBank& bank) { return measuresRows(problem, bank) ? (bankParts + 1) * 4 : 0; }  // of a row

// Numbers of a row: the ring's, and eights of those that reach past it. Circular rows do not.
int64_t pitchOf(const FilterBank& bank) {
  return bank.points() + (bank.circular() ? 0 : bank.filters().beyondRing());
}

// Rows that share their spectra are a group.
int64_t groupsOf(const ConvProblem& problem) { return problem.sharedKernel ? 1 : problem.channels; }
int64_t rowsOfGroup(const ConvProblem& problem) { return problem.rows() / groupsOf(problem); }

// Multiply-adds of 16-bit filters for a sample, one way: all slots of a matrix, or of a fine bank (fine_half.h) two steps.
double filterProducts(const FilterBank& bank) {
  if (!isFine(bank)) return slotsOfProduct(bank.slots()) * static_cast<double>(bank.filters().cells);
  return (double{fineT0} * 4 * fineK0 * fineT1 + double{fineRowsOfTile} * 2 * fineT0 * fineHalfBankTiles(bank)) / fineRate;
}
// Of a fine bank in float32: butterflies of six for 16 and for 32 points of every 512 (fine_float.cuh), and two for a slot.
double transformProducts(const FilterBank& bank) { return 6.0 * (fineT0 * 32 + fineK0 * 80) / fineRate + 2.0 * bank.slots() / fineRate; }
// Of a fine bank's folds.
double foldProducts(const FilterBank& bank) { return isFine(bank) ? bank.filters().cells : 0; }

class FilterBankPlan final : public GpuAlgorithm {
 public:
  FilterBankPlan(const ConvProblem& problem, const FilterBank& bank, std::unique_ptr<SlotRing> ring, const std::vector<int>& radices,
                 std::unique_ptr<BankPasses> passes, const GpuLimits& limits, TableCache& cache)
      : problem_(problem),
        slots_(bank.slots()),
        rate_(bank.filters().rate),
        products_((isFine(bank) && floats(problem) ? transformProducts(bank) : filterProducts(bank)) + foldProducts(bank)),
        circular_(bank.circular()),
        measured_(measuresRows(problem, bank)),
        pitch_(pitchOf(bank)),
        groups_(groupsOf(problem)),
        rowsOfGroup_(ffc::rowsOfGroup(problem)),
        ring_(std::move(ring)),
        passes_(std::move(passes)),
        kernels_(bank, *problem.mask, kernelWindow(problem).count, groups_, limits, cache),
        chunk_(chunkOf(problem, bank, limits.scratchLimitBytes - ring_->workspaceBytes())) {
    kernelsAt_ = alignedUp(ring_->spectrumBytes());
    largestAt_ = alignedUp(int64_t{chunk_.groups} * chunk_.rows * slots_ * pitch_ * numberBytes(problem));
    info_.algorithm = FFC_ALGORITHM_MULTI_PASS;
    info_.precision = problem.precision;
    info_.order = static_cast<int32_t>(radices.size());
    std::copy(radices.begin(), radices.end(), info_.radices);
    info_.inPlace = problem.outputLength == problem.length;  // a chunk's rows are read before they are written
    info_.transformLength = ring_->points();
    info_.segments = slots_;
    info_.spectrumBytes = kernelsAt_ + kernels_.workspaceBytes();
    ringAt_ = largestAt_ + alignedUp(int64_t{chunk_.groups} * chunk_.rows * measuredBytes(problem, bank));
    info_.workspaceBytes = ringAt_ + ring_->workspaceBytes();
  }

  const PlanInfo& info() const override { return info_; }

  // Against the passes over the whole spectrum: scratch is written and read twice.
  SkippedWork skippedWork() const override {
    SkippedWork w;
    const double points = static_cast<double>(problem_.mask->points()), part = static_cast<double>(slots_) / rate_;
    const double bytes = static_cast<double>(numberBytes(problem_)), element = floats(problem_) || problem_.precision == FFC_PRECISION_ACCURATE ? 8 : 4;
    double filters, ring;
    if (floats(problem_)) {
      // 5 N log2 N a transform and 6 N a product, there and back. A fold (fold.h) of a pair of samples, two operations a multiply-add; of a fine bank, as below.
      w.flops = points * (10 * std::log2(points) + 18);
      filters = rate_ == fineRate ? 2 * 2 * products_ : 2 * (2 * foldCells + 6 + 2 * slots_);
      ring = 10 * std::log2(points / rate_) + 6;
    } else {
      // By products of 16 points, half of them at half cost. Real multiply-adds count as two operations. The filters are products, too: of a coarse
      // bank with more than eight slots they are more than all that is skipped, and what is saved are bytes.
      w.flops = points * 2 * (2 * 4 * 16 + 8 * 16 + 2 * 4 * 16 + 3);
      filters = 2 * 2 * products_;
      ring = 2 * 8 * 16 + 2 * (2 * 4 * 16 + 14.5) + 6;
    }
    w.flopsSkipped = w.flops - points * (filters + part * ring);
    const double scratch = points * 2 * bytes * 4, spectrum = points * element / rowsOfSpectrum(problem_), samples = static_cast<double>(problem_.length) * bytes;
    w.bytes = 2 * samples + scratch + spectrum;
    // A slot's number passes four times; some samples are read once more, for their largest, and all of them for a skip term.
    w.bytesSkipped = w.bytes - samples * (2 + (measured_ ? 1.0 / bankSampled : 0) + (problem_.skip ? 1 : 0)) - points * part * bytes * 4 - spectrum * part;
    return w;
  }

  void computeSpectrum(void* spectrum, const void* kernel, cudaStream_t stream) const override {
    KernelTaps taps = kernelTaps(problem_, kernelWindow(problem_));
    taps.kernel = kernel;
    void* const workspace = static_cast<char*>(spectrum) + kernelsAt_;
    kernels_.prepare(workspace, stream);
    for (int64_t group = 0; group < groups_; group += kernels_.groupsAtOnce()) {
      const int64_t count = std::min(kernels_.groupsAtOnce(), groups_ - group);
      const SlotTaps ofRing{kernels_.makeTaps(taps, group, count, workspace, stream), kernels_.tapsOfSlot()};
      ring_->computeSpectra(spectrum, group * slots_, count * slots_, ofRing, kernels_.weights(), slots_, stream);
    }
  }

  void forward(const void* spectrum, const ForwardPointers& t, cudaStream_t stream) const override {
    char* const scratch = static_cast<char*>(t.workspace);
    BankRows r;
    r.u = t.u, r.y = t.y;
    r.skip = t.skip;
    r.skipType = static_cast<int32_t>(problem_.skipDtype);
    if (problem_.preGate) r.pre = t.preGate;
    if (problem_.postGate) r.post = t.postGate;
    r.uStride = problem_.u, r.preStride = problem_.pre, r.postStride = problem_.post, r.yStride = problem_.y;
    r.length = static_cast<int32_t>(problem_.length);
    r.outputLength = static_cast<int32_t>(problem_.outputLength);
    r.batch = static_cast<uint32_t>(problem_.batch);
    r.rowsOfGroup = static_cast<uint32_t>(rowsOfGroup_);
    r.numbers = scratch;
    r.slots = slots_;
    r.pitch = r.count = static_cast<int32_t>(pitch_);
    if (circular_) r.around = r.count;
    if (measured_) {
      r.largest = reinterpret_cast<uint32_t*>(scratch + largestAt_);
      r.largestOfAll = r.largest + int64_t{chunk_.groups} * chunk_.rows * bankParts;
    }
    r.exponents = ring_->exponents(spectrum);
    for (int64_t group = 0; group < groups_; group += chunk_.groups)
      for (int64_t row = 0; row < rowsOfGroup_; row += chunk_.rows) {
        r.chunk.firstGroup = static_cast<uint32_t>(group);
        r.chunk.groups = static_cast<uint32_t>(std::min<int64_t>(chunk_.groups, groups_ - group));
        r.chunk.firstRow = static_cast<uint32_t>(row);
        r.chunk.rows = static_cast<uint32_t>(std::min<int64_t>(chunk_.rows, rowsOfGroup_ - row));
        passes_->analyse(r, stream);
        const SlotRows numbers{scratch, r.chunk.rows, pitch_, pitch_ * r.chunk.rows, r.count};
        ring_->convolve(spectrum, group * slots_, int64_t{r.chunk.groups} * slots_, numbers, scratch + ringAt_, stream);
        passes_->synthesise(r, stream);
      }
  }

  // Groups, or where these do not fit rows of one, of which numbers fit into so much scratch; chunks of about one size.
  static BankChunk chunkOf(const ConvProblem& problem, const FilterBank& bank, int64_t scratchLimit) {
    const int64_t groups = groupsOf(problem), rows = ffc::rowsOfGroup(problem);
    const int64_t bytes = bank.slots() * pitchOf(bank) * numberBytes(problem) + measuredBytes(problem, bank);
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
    const int64_t groups = groupsOf(problem), rows = ffc::rowsOfGroup(problem);
    return ((groups + c.groups - 1) / c.groups) * ((rows + c.rows - 1) / c.rows);
  }

 private:
  ConvProblem problem_;
  int slots_, rate_;
  double products_;
  bool circular_, measured_;
  int64_t pitch_, groups_, rowsOfGroup_;
  std::unique_ptr<SlotRing> ring_;
  std::unique_ptr<BankPasses> passes_;
  BankKernels kernels_;
  BankChunk chunk_;
  int64_t kernelsAt_ = 0;               // within a spectrum: what makes it
  int64_t largestAt_ = 0, ringAt_ = 0;  // within a workspace
  PlanInfo info_;
};

}  // namespace

namespace {

FilterBankShape shapeOf(const ConvProblem& problem, const FilterBank& bank) {
  FilterBankShape shape;
  shape.slots = bank.slots();
  shape.floats = floats(problem);
  shape.slotsOfProduct = slotsOfProduct(bank.slots());
  shape.measured = measuresRows(problem, bank);
  shape.rate = bank.filters().rate;
  shape.taps = bank.filters().taps();
  return shape;
}
// The rings' scratch counts, too.
void countChunks(FilterBankShape& shape, const ConvProblem& problem, const FilterBank& bank, const GpuLimits& limits, int64_t ofRings, int64_t usuallyOfRings) {
  shape.chunks = FilterBankPlan::chunksOf(problem, bank, limits.scratchLimitBytes - ofRings);
  shape.usualChunks = FilterBankPlan::chunksOf(problem, bank, usualScratchBytes - usuallyOfRings);
}
int64_t channelsOf(const ConvProblem& problem, const FilterBank& bank) { return groupsOf(problem) * bank.slots(); }
int64_t periodOf(const FilterBank& bank) { return bank.circular() ? bank.points() : 0; }

void offerFloatBank(const ConvProblem& problem, const FilterBank& bank, const GpuLimits& limits, TableCache& cache, Offers& offers) {
  FilterBankShape shape = shapeOf(problem, bank);
  countChunks(shape, problem, bank, limits, 0, 0);
  shape.floatRing = floatRingShape(bank.points(), bank.circular(), limits);
  if (!shape.floatRing.points || bank.points() < leastFloatPoints) return;
  if (isFine(bank)) {
    if (fineFloatBankBytes(bank.slots()) > limits.sharedMemoryPerBlock) return;
    shape.products = transformProducts(bank);
    shape.folds = foldProducts(bank);
  } else {
    const int64_t numbers = pitchOf(bank), rows = (problem.outputLength + coarseRate - 1) / coarseRate;
    shape.slotsOfProduct = slotsOfQuad * FoldTables::foursOf(bank);
    for (int slot = 0; slot < bank.slots(); slot++) shape.ends |= bank.atEnd(slot);
    shape.numbersThere = FoldPieces(numbers).computed(numbers, false);
    shape.numbersBack = FoldPieces(rows).computed(rows, true);
  }
  offers.add(filterBankCandidate(problem, shape, sizeOf(limits)), [&problem, &limits, &cache, bank, ring = shape.floatRing] {
    return std::make_unique<FilterBankPlan>(problem, bank, makeFloatRing(ring, channelsOf(problem, bank), periodOf(bank), limits, cache), ring.radices,
                                            makePassesOfFloats(bank, limits.multiprocessors, cache), limits, cache);
  });
}

// Of 16-bit rows.
void offerHalfBank(const ConvProblem& problem, const FilterBank& bank, const GpuLimits& limits, TableCache& cache, Offers& offers) {
  FilterBankShape shape = shapeOf(problem, bank);
  const bool accurate = problem.precision == FFC_PRECISION_ACCURATE, fine = isFine(bank);
  if (fine && fineHalfBankBytes(bank) > limits.sharedMemoryPerBlock) return;
  const mma::Choice ring = mma::choiceOfRing({bank.points(), bank.circular(), accurate, rowsOfGroup(problem), channelsOf(problem, bank)}, limits);
  if (!ring.instance || (bank.circular() && !floatRingShape(bank.points(), true, limits).points)) return;
  // Four slices keep results there; half of it is for them.
  const int64_t ofBlock = ring.instance->scratchBytes;
  const int blocks = ofBlock ? static_cast<int>(std::clamp<int64_t>(limits.scratchLimitBytes / 2 / ofBlock, 1, limits.multiprocessors)) : limits.multiprocessors;
  countChunks(shape, problem, bank, limits, blocks * ofBlock, limits.multiprocessors * ofBlock);
  shape.products = filterProducts(bank);
  shape.folds = foldProducts(bank);
  if (fine && ring.uniform.tilesPerSet) {
    const double ofSet = ring.uniform.tilesPerSet * (16 >> ring.log2N2), rows = static_cast<double>(rowsOfGroup(problem));
    shape.ringFilling = rows / (ofSet * std::ceil(rows / ofSet));
  }
  shape.ring.radix = ring.instance->radix;
  shape.ring.slices = ring.instance->slices;
  shape.ring.n2 = 1 << ring.log2N2;
  shape.ring.points = ring.points;
  shape.ring.accurate = accurate;
  shape.ring.uniform = ring.uniform.tilesPerSet > 0;
  shape.ring.spectrumFloats = ring.instance->spectrumFloats;
  shape.ring.streamedSpectrum = !shape.ring.uniform;
  std::vector<int> radices;
  for (const int radix : {ring.instance->slices, 16, 1 << ring.log2N2, ring.instance->radix, 16})
    if (radix > 1) radices.push_back(radix);
  offers.add(filterBankCandidate(problem, shape, sizeOf(limits)), [&problem, &limits, &cache, bank, ring, blocks, radices, fine, accurate] {
    const bool bf16 = problem.dtype == Dtype::bfloat16;
    return std::make_unique<FilterBankPlan>(problem, bank, makeHalfRing(ring, channelsOf(problem, bank), periodOf(bank), blocks, cache), radices,
                                            fine ? makeFineHalfPasses(bank, bf16, !accurate, limits.multiprocessors, cache) : makeHalfPasses(bank, bf16, limits.multiprocessors, cache),
                                            limits, cache);
  });
}

}  // namespace

void offerFilterBank(const ConvProblem& problem, const GpuLimits& limits, TableCache& cache, Offers& offers) {
  if (!problem.mask) return;
  if (problem.rows() > std::numeric_limits<uint32_t>::max()) return;
  const auto offer = [&](const BankFilters& filters, auto&& add) {
    const FilterBank bank(*problem.mask, filters);
    if (bank.slots()) add(problem, bank, limits, cache, offers);
  };
  const bool f = floats(problem);
  offer(f ? filtersOfFloats : filtersOfHalves, f ? offerFloatBank : offerHalfBank);
  offer(f ? fineFiltersOfFloats : fineFiltersOfHalves, f ? offerFloatBank : offerHalfBank);
}

}  // namespace ffc
