// The host side of the multi-pass convolution: the split N = N1 N2, scratch, chunks of sequences, launches.
#include <algorithm>
#include <cmath>
#include <limits>

#include "../core/fft_shape.h"
#include "band.h"
#include "instance.h"
#include "kept_rows.h"
#include "multipass.h"
#include "resampling_passes.h"

namespace ffc {

using namespace gpu;

namespace {

constexpr int fineBits = 12;

std::vector<float2> makeTurns(int64_t points) {
  const int64_t turns = 4 * points, coarse = (turns >> fineBits) + 1;
  std::vector<float2> table;
  table.reserve((1 << fineBits) + coarse);
  for (int64_t m = 0; m < (1 << fineBits); ++m) table.push_back(tableRoot(-static_cast<double>(m) / turns));
  for (int64_t m = 0; m < coarse; ++m)
    table.push_back(tableRoot(-static_cast<double>(m << fineBits) / turns));
  return table;
}

}  // namespace

std::shared_ptr<Buffer> turnTable(int64_t points, TableCache& cache) {
  return cache.table("turns/" + std::to_string(points), [points] { return tableBytes(makeTurns(points)); });
}

TurnTable turnsOf(const Buffer& table) {
  const float2* fine = static_cast<const float2*>(table.data());
  return {fine + (1 << fineBits), fine, fineBits};
}

namespace {

struct Split {
  ColumnInstance column;
  RowInstance row;
  std::shared_ptr<const Resampling> resampling;  // of a band at a part of the sampling rate
  std::shared_ptr<const KeptRowTables> kept;     // of a pattern
  int rate() const { return resampling ? resampling->rate() : 1; }
  int64_t points() const { return int64_t{column.points} * row.points; }
};

// The shortest split. Those of fewer than 256 columns are for patterns alone, with the shortest rows: dense sequences of that length go in
// one block.
constexpr int64_t fewestPoints = 64 * 256;
constexpr int shortestRow = 256, fewestDenseColumns = 256;

// Every split that holds `samples` real samples and is not much longer than the shortest that does. A frequency-sparse
// plan needs the very points of its grid.
std::vector<Split> splits(const ConvProblem& p, int64_t samples, bool half, const GpuLimits& limits,
                          const std::shared_ptr<const Resampling>& resampling = nullptr) {
  std::vector<Split> list;
  int64_t shortest = std::numeric_limits<int64_t>::max();
  for (const ColumnInstance& column : half ? halfColumnInstances() : floatColumnInstances()) {
    if (column.spectrumOnly || column.sharedBytes > limits.sharedMemoryPerBlock) continue;
    for (const RowInstance& row : half ? halfRowInstances() : floatRowInstances()) {
      if (row.sharedBytes > limits.sharedMemoryPerBlock) continue;
      if (column.points < fewestDenseColumns && (!p.mask || row.points > shortestRow)) continue;
      Split split{column, row, resampling, nullptr};
      if (2 * split.points() < samples) continue;
      if (p.mask && (split.points() != p.mask->points() || !column.sparseForward)) continue;
      if (p.mask) split.kept = std::make_shared<KeptRowTables>(*p.mask, column.points, false);
      shortest = std::min(shortest, split.points());
      list.push_back(split);
    }
  }
  list.erase(std::remove_if(list.begin(), list.end(), [&](const Split& s) { return s.points() > 2 * shortest; }), list.end());
  return list;
}

MultiPassShape shapeOf(const ConvProblem& problem, const Split& split, bool half, const GpuLimits& limits) {
  MultiPassShape s;
  s.columns = split.column.points;
  s.rowPoints = split.row.points;
  s.run = split.column.columns;
  s.scratchBytes = half ? 4 : 8;
  s.rate = split.rate();
  if (split.resampling) s.filterTaps = split.resampling->taps();
  s.addsSkip = problem.skip;
  if (split.kept) s.keptRows = split.kept->share();
  const auto chunksWith = [&](int64_t scratchBytes) {
    const double numbers = split.resampling ? sizeof(float) : 0;
    const double perSequence = static_cast<double>(split.points()) * (s.keptRows * s.scratchBytes + numbers);
    const double affordable = std::max(1.0, std::floor(static_cast<double>(scratchBytes) / perSequence));
    return static_cast<int64_t>(std::ceil(static_cast<double>(problem.rows()) / affordable));
  };
  s.chunks = chunksWith(limits.scratchLimitBytes);
  s.usualChunks = chunksWith(usualScratchBytes);
  s.columnRadices = split.column.radices;
  s.rowRadices = split.row.radices;
  return s;
}

class MultiPass final : public GpuAlgorithm {
 public:
  MultiPass(const ConvProblem& problem, const KernelWindow& window, const Split& split, bool half,
            const GpuLimits& limits, TableCache& cache)
      : problem_(problem), split_(split), half_(half) {
    const int64_t points = split.points(), n1 = split.column.points, n2 = split.row.points;
    const int64_t elementBytes = half ? 4 : 8;
    p_.points = points;
    p_.quarters = problem.quarters();
    p_.n1 = static_cast<int>(n1);
    p_.n2 = static_cast<int>(n2);
    p_.log2Columns = log2Of(split.column.columns);
    p_.tiles = static_cast<int>(n2 / split.column.columns);
    p_.batch = problem.batch;
    p_.dtype = problem.dtype;
    rows_.uStride = p_.uStride = problem.u;
    rows_.preStride = p_.preStride = problem.pre;
    rows_.postStride = p_.postStride = problem.post;
    rows_.yStride = p_.yStride = problem.y;
    rows_.skipDtype = p_.skipDtype = problem.skipDtype;
    p_.length = problem.length;
    p_.outputLength = problem.outputLength;
    p_.taps = kernelTaps(problem, window);
    p_.taps.lead = window.offset;
    p_.taps.circularImage = problem.circular() && p_.quarters;
    p_.sharedSpectrum = problem.sharedKernel;

    columnTables_ = columnTable(split.column, p_.quarters, cache);
    rowTables_ = cache.table(split.row.tableKey, split.row.tables);
    turns_ = turnTable(points, cache);
    p_.columnTables = static_cast<const float2*>(columnTables_->data());
    p_.rowTables = static_cast<const float2*>(rowTables_->data());
    p_.turns = turnsOf(*turns_);

    p_.rows = p_.n1;
    if (problem.mask) {
      kept_ = KeptOnDevice(*problem.mask, *split.kept, split.column.radices, cache);
      kept_.tell(p_);
    }
    if (split.resampling) planFilters(cache);
    scratchBytes_ = p_.rows * n2 * elementBytes;
    numberBytes_ = rows_.pitch * static_cast<int64_t>(sizeof(float));
    scaleBytes_ = half ? (p_.tiles + p_.rows) * static_cast<int64_t>(sizeof(float)) : 0;
    // A launch has at most 2^31 - 1 blocks.
    const int64_t launchable = std::numeric_limits<int32_t>::max() / std::max<int64_t>(p_.tiles, n1);
    const int64_t affordable = std::max<int64_t>(1, limits.scratchLimitBytes / (scratchBytes_ + scaleBytes_ + numberBytes_));
    chunk_ = std::min({problem.rows(), affordable, launchable});
    spectra_ = problem.sharedKernel ? 1 : problem.channels;
    spectrumChunk_ = std::min(spectra_, launchable);

    info_.algorithm = FFC_ALGORITHM_MULTI_PASS;
    info_.order = 0;
    info_.precision = problem.precision;
    for (const std::vector<int>* radices : {&split.column.radices, &split.row.radices})
      for (int radix : *radices)
        if (info_.order < 8) info_.radices[info_.order++] = radix;
    info_.inPlace = problem.outputLength == problem.length;  // a thread reads u (skip) where it writes y, before
    info_.transformLength = points;  // at the lower rate, if there is one
    info_.spectrumBytes = alignedUp(spectra_ * scratchBytes_) + spectra_ * scaleBytes_;
    info_.workspaceBytes = alignedUp(chunk_ * scratchBytes_) + chunk_ * (scaleBytes_ + numberBytes_);

    for (const void* function : {columnsOfKernel(), columnsForward(), columnsInverse()})
      allowSharedMemory(function, split.column.sharedBytes);
    for (const void* function : {split.row.convolve, split.row.spectrum})
      allowSharedMemory(function, split.row.sharedBytes);
  }

  const PlanInfo& info() const override { return info_; }
  SkippedWork skippedWork() const override {
    SkippedWork w;
    // A ring of fewer points is so many points that are skipped.
    const double part = 1.0 / split_.rate(), points = static_cast<double>(p_.points) / part;
    const double rows = part * static_cast<double>(p_.rows) / p_.n1;
    // 5 N log2 N a transform, 6 N a product; there and back.
    const auto add = [&](double operations, double share) {
      w.flops += operations * points;
      w.flopsSkipped += operations * points * (1 - share);
    };
    const std::vector<int>& radices = split_.column.radices;
    const double digits = static_cast<double>(p_.kept.firstDigitCount) / radices[0];
    for (size_t j = 0; j < radices.size(); ++j)
      add(10 * std::log2(radices[j]), part * (!dropsRows() || j == 0 ? 1.0 : j + 1 < radices.size() ? digits : kept_.lastStageShare));
    add(12, rows);                                  // the outer factors
    add(10 * std::log2(split_.row.points) + 6, rows);
    const double element = half_ ? 4 : 8;
    const double moved = (4 + 1 / rowsOfSpectrum(problem_)) * element * points;  // scratch is written and read twice, the spectrum is read
    w.bytes = static_cast<double>(problem_.length + problem_.outputLength) * dtypeBytes(problem_.dtype) + moved;
    w.bytesSkipped = moved * (1 - rows);
    if (split_.resampling) {
      // What the filters do instead: a product for each tap and number of the ring, which are written and read, twice.
      w.flopsSkipped -= 2 * 2 * points * part * split_.resampling->taps();
      w.bytesSkipped -= 4 * sizeof(float) * points * part;
    }
    return w;
  }

  // The spectrum's own memory serves as scratch: its rows are transformed in place.
  void computeSpectrum(void* spectrum, const void* kernel, cudaStream_t stream) const override {
    MultiPassParams p = p_;
    p.taps.kernel = kernel;
    p.readTaps = true;
    p.batch = 1;
    char* const scales = static_cast<char*>(spectrum) + alignedUp(spectra_ * scratchBytes_);
    for (int64_t first = 0; first < spectra_; first += spectrumChunk_) {
      p.sequences = std::min(spectrumChunk_, spectra_ - first);
      p.first = 0;
      // The chunk starts at channel `first`: taps and results move along.
      p.taps.kernel = static_cast<const char*>(kernel) +
                      first * p.taps.channelStride * dtypeBytes(p.taps.dtype);
      p.scratch = p.spectrum = static_cast<char*>(spectrum) + first * scratchBytes_;
      if (half_) {
        p.spectrumScale = reinterpret_cast<float*>(scales) + first * p.rows;
        p.tileScale = reinterpret_cast<float*>(scales) + spectra_ * p.rows + first * p.tiles;
      }
      launchColumns(columnsOfKernel(), p, stream, "the columns of a kernel spectrum");
      launchRows(split_.row.spectrum, p, stream, "the rows of a kernel spectrum");
    }
  }

  void forward(const void* spectrum, const ForwardPointers& tensors, cudaStream_t stream) const override {
    MultiPassParams p = p_;
    p.u = tensors.u;
    p.preGate = tensors.preGate;
    p.postGate = tensors.postGate;
    p.skip = tensors.skip;
    p.y = tensors.y;
    p.spectrum = const_cast<void*>(spectrum);
    p.scratch = tensors.workspace;
    if (half_) {
      p.spectrumScale = reinterpret_cast<float*>(static_cast<char*>(p.spectrum) + alignedUp(spectra_ * scratchBytes_));
      p.rowScale = reinterpret_cast<float*>(static_cast<char*>(p.scratch) + alignedUp(chunk_ * scratchBytes_));
      p.tileScale = p.rowScale + chunk_ * p.rows;
    }
    ResampledRows rows = rows_;
    if (filters_) {
      rows.u = static_cast<const float*>(tensors.u);
      rows.preGate = static_cast<const float*>(tensors.preGate);
      rows.postGate = static_cast<const float*>(tensors.postGate);
      rows.skip = tensors.skip;
      rows.y = static_cast<float*>(tensors.y);
      rows.numbers = reinterpret_cast<float*>(static_cast<char*>(p.scratch) + alignedUp(chunk_ * scratchBytes_));
      p.preGate = p.postGate = p.skip = nullptr;
    }
    for (p.first = 0; p.first < problem_.rows(); p.first += chunk_) {
      p.sequences = std::min(chunk_, problem_.rows() - p.first);
      if (filters_) {
        rows.first = p.first, rows.sequences = p.sequences;
        // Passes look for row s of the problem where it would be if the numbers of all rows lay there. The last pass writes numbers when
        // the first one has read them.
        p.u = p.y = reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(rows.numbers) - static_cast<uintptr_t>(p.first * numberBytes_));
        filters_->decimate(rows, stream);
      }
      launchColumns(columnsForward(), p, stream, "the first pass");
      launchRows(split_.row.convolve, p, stream, "the middle pass");
      launchColumns(columnsInverse(), p, stream, "the last pass");
      if (filters_) filters_->interpolate(rows, stream);
    }
  }

 private:
  // A pattern that keeps some of every row leaves the columns nothing to skip; the code that can costs them 3 to 11 %.
  bool dropsRows() const { return p_.rows < p_.n1; }
  bool ofPattern() const { return dropsRows() || p_.quarters == 0; }
  const void* columnsForward() const { return ofPattern() ? split_.column.sparseForward : split_.column.forward; }
  const void* columnsOfKernel() const { return split_.resampling ? split_.column.sparseForward : columnsForward(); }
  const void* columnsInverse() const { return ofPattern() ? split_.column.sparseInverse : split_.column.inverse; }

  // Rows of numbers, one after the other in scratch, take the place of inputs and outputs.
  void planFilters(TableCache& cache) {
    const Resampling& resampling = *split_.resampling;
    filters_ = ResamplingPasses::of(resampling);
    kernelFilter_ = kernelFilterTable(resampling, cache);
    p_.resampled = resampledTaps(resampling, *kernelFilter_, problem_, p_.points * resampling.rate());
    p_.response = resampling.response;
    rows_.batch = problem_.batch;
    rows_.length = static_cast<int>(problem_.length);
    rows_.outputLength = static_cast<int>(problem_.outputLength);
    rows_.circular = p_.quarters == 0;
    p_.length = filters_->numbersOf(problem_.length, rows_.circular);
    p_.outputLength = filters_->numbersOf(problem_.outputLength, rows_.circular);
    rows_.pitch = (std::max(p_.length, p_.outputLength) + 31) / 32 * 32;  // whole lines
    p_.uStride = p_.yStride = {rows_.pitch, rows_.pitch * problem_.batch};
  }

  void launchColumns(const void* function, MultiPassParams& p, cudaStream_t stream, const char* what) const {
    launchPass(function, p.sequences * p.tiles, split_.column.threads, split_.column.sharedBytes, p, stream, what);
  }

  void launchRows(const void* function, MultiPassParams& p, cudaStream_t stream, const char* what) const {
    const int64_t rows = p.sequences * p.rows;
    launchPass(function, (rows + split_.row.rows - 1) / split_.row.rows, split_.row.threads, split_.row.sharedBytes, p,
               stream, what);
  }

  ConvProblem problem_;
  Split split_;
  bool half_;
  MultiPassParams p_;
  PlanInfo info_;
  std::shared_ptr<Buffer> columnTables_, rowTables_, turns_;
  KeptOnDevice kept_;
  std::unique_ptr<ResamplingPasses> filters_;  // of a band at a part of the sampling rate; its rows
  ResampledRows rows_;
  std::shared_ptr<Buffer> kernelFilter_;
  int64_t scratchBytes_ = 0, scaleBytes_ = 0, numberBytes_ = 0;  // of one sequence
  int64_t chunk_ = 0, spectra_ = 0, spectrumChunk_ = 0;
};

}  // namespace

void offerMultiPass(const ConvProblem& problem, const GpuLimits& limits, TableCache& cache, Offers& offers) {
  // They are numbered in 32 bits.
  if (problem.rows() > std::numeric_limits<uint32_t>::max())
    return offers.refuse("multi-pass", "there are " + std::to_string(problem.rows()) + " rows, and several passes work on fewer than 2^32");
  const KernelWindow window = kernelWindow(problem);
  offerTensorPasses(problem, window, limits, cache, offers);
  const int64_t samples = ringSamples(problem, window);
  // float16 intermediates keep 16-bit inputs and outputs as exact as float32 ones would to within their own rounding.
  const bool half = problem.dtype != Dtype::float32;
  const std::vector<Split> list = splits(problem, samples, half, limits);
  const auto offer = [&](const ConvProblem& onRing, const Split& split) {
    const MultiPassShape shape = shapeOf(onRing, split, half, limits);
    // What leaves nothing out serves circular patterns with kernels that have been masked before (plan.cu), and has quicker columns then.
    if (!onRing.quarters() && split.rate() == 1 && shape.keptRows == 1) return;
    offers.add(multiPassCandidate(onRing, shape, sizeOf(limits)),
               [onRing, &limits, &cache, window, split, half] {
                 return std::make_unique<MultiPass>(onRing, window, split, half, limits, cache);
               });
  };
  for (const Split& split : list) offer(problem, split);
  if (const auto resampling = half ? nullptr : resamplingOf(problem, FilterClass::float32, fewestPoints)) {
    const ConvProblem onRing = atRate(problem, resampling.get());
    for (const Split& split : splits(onRing, 2 * onRing.mask->points(), half, limits, resampling)) offer(onRing, split);
  }
  if (list.empty() && problem.mask)
    return offers.refuse("multi-pass", "the grid of this pattern has " + std::to_string(problem.mask->points()) +
                                            " points, and several passes work on 16384 to 16777216");
  if (list.empty())
    offers.refuse("multi-pass", "the convolution spans " + std::to_string(samples) +
                                    " samples and several passes hold at most 33554432 (16777216 causal); cut a longer "
                                    "input into pieces by overlap-save, with a kernel that is shorter");
}

}  // namespace ffc
