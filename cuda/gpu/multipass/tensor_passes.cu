// The three passes on tensor cores as a plan: scratch, chunks of sequences, the kernel's spectrum, launches.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "../core/fft_shape.h"
#include "../launch.h"
#include "band.h"
#include "instance.h"
#include "kept_rows.h"
#include "multipass.h"
#include "tensor_instance.h"
#include "tensor_params.h"
#include "tensor_spectrum.h"
#include "tensor_split.h"
#include "tensor_tables.h"

namespace ffc {
namespace {

using namespace gpu;

// For each number: 5 log2(radix), and its share of the twiddles.
double butterflyOperations(int radix) { return radix > 1 ? 5 * std::log2(radix) + 6.0 * (radix - 1) / radix : 0; }

class TensorPasses final : public GpuAlgorithm {
 public:
  TensorPasses(const ConvProblem& problem, const KernelWindow& window, const TensorSplit& split, int slots,
               const GpuLimits& limits, TableCache& cache)
      : problem_(problem), split_(split), slots_(slots), limits_(limits) {
    const int64_t points = split.points();
    accurate_ = problem.precision == FFC_PRECISION_ACCURATE;
    gain_ = static_cast<float>(split.row.gain(4));
    spectra_ = problem.sharedKernel ? 1 : problem.channels;
    quarters_ = problem.quarters();
    const std::string shape = std::to_string(split.log2N1) + "/" + std::to_string(split.log2N2) + (accurate_ ? "/accurate" : "/fast");
    const int log2Inner = split.log2Inner;
    columnTables_ = cache.table("tensor-columns/" + std::to_string(split.column.radix) + (split.column.accurate ? "a/" : "f/") + shape + (quarters_ ? "" : "/circular"),
                                [this, &split, log2Inner] { return bytesOf(split.column.tables(log2Inner, quarters_)); });
    rowTables_ = cache.table("tensor-rows/" + shape, [&split] { return bytesOf(split.row.tables(4, 1)); });
    rowCount_ = split.n1();
    if (problem.mask) {
      for (const ColumnInstance& i : accurate_ ? floatColumnInstances() : halfColumnInstances())
        if (i.points == split.n1()) kept_ = KeptOnDevice(*problem.mask, *split.kept, i.radices, cache);
      rowCount_ = kept_.rows;
      numerators_ = numeratorTable(split.kept->rowOfSlot, cache);
      if (split.row.pieces) {
        const KeptPieces pieces(*problem.mask, *split.kept, static_cast<int>(split.n2() >> 12), split.kept->rowOfSlot.size());
        pieces_ = cache.planTable(pieces.bits);
        keptPieces_ = pieces.share;
      }
    } else {
      std::vector<int16_t> all(rowCount_);
      std::iota(all.begin(), all.end(), 0);
      numerators_ = numeratorTable(all, cache);
    }
    if (const Resampling* resampling = split.resampling.get()) {
      // Products with a gate are halves.
      filters_ = cache.planTable(bytesOf(split.column.filters(*resampling, problem.dtype == Dtype::bfloat16 && !problem.preGate)));
      columns_.filters = filters_->data();
      columns_.alternates = resampling->alternates();
      kernelFilter_ = kernelFilterTable(*resampling, cache);
    }
    planColumns();
    planRows();
    planSpectrum(window, cache);

    const void* const last = split.addsSkip ? split.column.inverseAndSkip : split.column.inverse;
    early_ = canStartEarly(split.column.forward, limits) && canStartEarly(split.row.convolve, limits) && canStartEarly(last, limits);
    chunks_ = chunksOf(problem, split, keptPoints(), limits.scratchLimitBytes, early_);
    info_.algorithm = FFC_ALGORITHM_MULTI_PASS;
    info_.order = 0;
    info_.precision = problem.precision;
    for (const std::vector<int>& radices : {split.columnRadices(), split.rowRadices()})
      for (const int radix : radices)
        if (info_.order < 8) info_.radices[info_.order++] = radix;
    // The first pass has read all rows of a chunk before the last writes, which for a skip term reads them once more, a lane where it writes.
    info_.inPlace = problem.outputLength == problem.length;
    info_.transformLength = points;
    info_.spectrumBytes = exponentsAt() + spectra_ * 8 + tileScaleBytes();
    info_.workspaceBytes = (chunks_.buffers - 1) * bufferBytes() + codesAt() + (chunks_.sequences << columns_.log2Tiles);

    allowSharedMemory(split.column.forward, split.column.sharedBytes);
    allowSharedMemory(last, split.column.sharedBytes);
    allowSharedMemory(split.row.convolve, rowBytes());
    first_ = DeviceFunction(split.column.forward), middle_ = DeviceFunction(split.row.convolve), last_ = DeviceFunction(last);
  }

  const PlanInfo& info() const override { return info_; }

  // Real multiply-adds of the matrices count as two operations. The columns' outer digit is computed for all rows, their inner
  // one where a row of the same ka is kept.
  SkippedWork skippedWork() const override {
    SkippedWork w;
    // A ring of fewer points is so many points that are skipped.
    const double points = static_cast<double>(split_.samples()), part = 1.0 / split_.column.rate;
    const double share = part * static_cast<double>(rowCount_) / static_cast<double>(split_.n1());
    const auto twoWays = [&](double operations, double kept) {
      w.flops += 2 * points * operations;
      w.flopsSkipped += 2 * points * operations * (1 - kept);
    };
    // The outer digit of the columns lies between real and complex numbers, that of the rows between complex ones; inner digits
    // have real matrices (half cost).
    twoWays(4 * 16, part);
    twoWays(4.0 * (1 << split_.log2Inner) + butterflyOperations(split_.column.radix), part * kept_.outerShare);
    twoWays(8 * 16 + 2 * 4 * 16 + butterflyOperations(split_.row.points / mma::tilePoints) + 3, share);
    // Which the filters do instead, a product for each tap and number of the ring.
    if (split_.resampling) w.flopsSkipped -= 2 * points * part * 2 * split_.resampling->taps();
    // Scratch is written and read twice, the spectrum is read.
    const double scratch = points * 4 * 4, spectrum = points * static_cast<double>(elementBytes()) / rowsOfSpectrum(problem_);
    w.bytes = static_cast<double>(problem_.length + problem_.outputLength) * dtypeBytes(problem_.dtype) + scratch + spectrum;
    const double added = split_.addsSkip ? static_cast<double>(problem_.length) * dtypeBytes(problem_.dtype) * (1 + problem_.preGate) : 0;
    w.bytesSkipped = scratch * (1 - share) + spectrum * (1 - share * keptPieces_) - added;
    return w;
  }

  void computeSpectrum(void* spectrum, const void* kernel, cudaStream_t stream) const override {
    TensorSpectrumParams s;
    s.gain = gain_;
    s.passes = spectrumPasses_;
    s.pieces = split_.row.pieces;
    MultiPassParams& p = s.passes;
    p.taps.kernel = kernel;
    char* const base = static_cast<char*>(spectrum);
    s.exponent = reinterpret_cast<int32_t*>(base + exponentsAt());
    s.largest = reinterpret_cast<unsigned*>(s.exponent + spectra_);
    p.scratch = base;
    if (!accurate_) p.tileScale = reinterpret_cast<float*>(s.largest + spectra_);
    checkCuda(cudaMemsetAsync(s.largest, 0, spectra_ * 4, stream), "clearing the largest components of kernel spectra");
    const auto& column = spectrumColumn_;
    launchPass(problem_.mask ? column.sparseForward : column.forward, spectra_ * p.tiles, column.threads,
               column.sharedBytes, p, stream, "the columns of a kernel spectrum");
    for (s.write = 0; s.write < 2; s.write++)
      launchPass(spectrumRow_.transform, spectra_ * rowCount_, spectrumRow_.threads, spectrumRow_.sharedBytes, s, stream,
                 "the rows of a kernel spectrum");
  }

  void forward(const void* spectrum, const ForwardPointers& t, cudaStream_t stream) const override {
    mma::ColumnParams c = columns_;
    mma::RowParams r = rows_;
    const char* const spectra = static_cast<const char*>(spectrum);
    char* const scratch = static_cast<char*>(t.workspace);
    c.u = rowsOf(t.u, problem_.u);
    if (problem_.preGate) c.pre = rowsOf(t.preGate, problem_.pre);
    r.spectrum = spectra;
    r.exponent = c.exponent = reinterpret_cast<const int32_t*>(spectra + exponentsAt());
    if (problem_.skip) c.skip = t.skip;
    if (!split_.addsSkip) r.skip = c.skip;
    const int64_t size = chunks_.sequences, together = chunks_.buffers * size;
    for (int64_t begin = 0; begin < problem_.rows(); begin += together) {
      const int64_t end = std::min(problem_.rows(), begin + together);
      c.order.paired = r.order.paired = end - begin > size;
      bool begun = begin > 0;  // work of another chunk of this call is right before the next launch
      const auto forEach = [&](auto&& launch) {
        for (int64_t first = begin; first < end; first += size, begun = true) {
          c.first = r.first = static_cast<int32_t>(first);
          c.sequences = r.sequences = static_cast<int32_t>(std::min(size, end - first));
          c.scratch = r.scratch = scratch + (first > begin ? bufferBytes() : 0);
          r.largest = c.largest = reinterpret_cast<uint8_t*>(c.scratch + codesAt());
          launch(begun && c.order.paired);
        }
      };
      // Early, the first pass takes room and memory traffic from what still runs. A call of a few microseconds gains its launch, half a
      // microsecond; one of milliseconds loses one or two per cent (4M and 16M samples, 8 rows a channel).
      forEach([&](bool meets) {
        const bool early = early_ && (c.order.paired || c.sequences * split_.points() <= mostEarlyPoints);
        launchColumns(first_, c, int64_t{1} << c.log2Tiles, early, meets, stream, "the first pass");
      });
      forEach([&](bool meets) {
        const int64_t rows = c.sequences * rowCount_, blocks = std::min<int64_t>(rows, limits_.multiprocessors);
        r.order.meet = meets ? static_cast<int32_t>(rows / blocks / 2) : -1;
        launchKernel(middle_, {blocks, mma::threads, rowBytes(), 1, early_}, r, stream, "the middle pass");
      });
      // Samples N .. 2N of the result are the imaginary part of the same transform.
      for (int64_t done = 0; done < problem_.outputLength; done += split_.samples()) {
        c.imaginary = done > 0;
        c.outLength = static_cast<int32_t>(std::min(split_.samples(), problem_.outputLength - done));
        c.y = rowsOf(t.y, problem_.y, done);
        if (problem_.postGate) c.post = rowsOf(t.postGate, problem_.post, done);
        forEach([&](bool meets) { launchColumns(last_, c, split_.outTiles(), early_, meets, stream, "the last pass"); });
      }
    }
  }

 private:
  static constexpr int64_t mostEarlyPoints = int64_t{1} << 25;
  static std::vector<uint8_t> bytesOf(const std::vector<uint32_t>& words) {
    const uint8_t* data = reinterpret_cast<const uint8_t*>(words.data());
    return {data, data + words.size() * 4};
  }
  static mma::Rows rowsOf(const void* data, const Strides& strides, int64_t firstSample = 0) {
    mma::Rows r;
    r.data = static_cast<const char*>(data) + firstSample * 2;
    r.batchStride = strides.batch * 2;
    r.channelStride = strides.channel * 2;
    return r;
  }
  std::shared_ptr<Buffer> numeratorTable(const std::vector<int16_t>& rows, TableCache& cache) const {
    std::vector<uint32_t> numerators;
    for (const int16_t k1 : rows) numerators.push_back(4 * static_cast<uint32_t>(k1) - static_cast<uint32_t>(quarters_));
    return cache.planTable(bytesOf(numerators));
  }
  int64_t keptPoints() const { return rowCount_ * split_.n2(); }  // of a sequence, in scratch and in the spectrum
  bool scaledTiles() const { return problem_.dtype == Dtype::bfloat16 || problem_.preGate || split_.column.rate > 1; }
  // Of scratch: the codes of its tiles follow a chunk's points, another chunk follows them.
  int64_t codesAt() const { return alignedUp(chunks_.sequences * keptPoints() * 4); }
  int64_t bufferBytes() const { return codesAt() + alignedUp(chunks_.sequences << columns_.log2Tiles); }
  int64_t elementBytes() const { return accurate_ ? 8 : 4; }  // of a spectrum
  int64_t exponentsAt() const { return alignedUp(spectra_ * keptPoints() * elementBytes()); }
  int64_t tileScaleBytes() const { return accurate_ ? 0 : spectra_ * spectrumPasses_.tiles * int64_t{4}; }
  int rowBytes() const { return split_.row.sharedBytes(slots_); }

  void planColumns() {
    mma::ColumnParams& c = columns_;
    const int64_t points = split_.points();
    c.tables = columnTables_->data();
    c.quarters = quarters_;
    c.sequenceBytes = keptPoints() * 4;
    if (rowCount_ < split_.n1()) c.slotOf = kept_.columns.slotOf;
    c.spectrumGain = gain_;
    c.skipType = static_cast<int32_t>(problem_.skipDtype);
    c.sharedSpectrum = problem_.sharedKernel;
    c.batch = static_cast<int32_t>(problem_.batch);
    mma::setDivisor(c.batchMagic, c.batchShift, static_cast<uint32_t>(problem_.batch));
    c.log2Inner = split_.log2Inner;
    c.log2Q = split_.log2N2 - 12;
    c.log2Tiles = split_.log2Tiles();
    c.length = static_cast<int32_t>(problem_.length);
    // Room for the seven samples by which a row may be shifted to keep its accesses aligned.
    c.phased = split_.column.rate == 1 && problem_.length + 7 <= points && problem_.outputLength + 7 <= points;
    c.outTiles = static_cast<int32_t>(split_.outTiles());
    // The accurate rows leave a factor 2^(1/2) of radix 2 to the spectrum.
    c.rangeExponent = 15 - (split_.log2N1 + split_.log2N2 + 1) / 2 - (accurate_ && split_.row.points > mma::tilePoints);
    c.mostExponent = scaledTiles() ? 126 : 15 - mma::columnExponent(split_.log2N1);
  }

  void planRows() {
    mma::RowParams& r = rows_;
    r.tables = rowTables_->data();
    r.log2N2 = 4;
    r.slots = slots_;
    r.tilesPerSet = slots_ * split_.row.rows;
    r.useMaps = limits_.computeMajor >= 9;
    r.batch = columns_.batch, r.batchMagic = columns_.batchMagic, r.batchShift = columns_.batchShift;
    r.channels = static_cast<int32_t>(problem_.channels);
    r.spectrumGain = gain_;
    r.skipType = columns_.skipType;
    r.sharedSpectrum = columns_.sharedSpectrum;
    r.sequenceBytes = columns_.sequenceBytes;
    r.log2N1 = split_.log2N1;
    r.rows = static_cast<int32_t>(rowCount_);
    r.numerators = static_cast<const uint32_t*>(numerators_->data());
    if (pieces_) r.pieces = static_cast<const uint8_t*>(pieces_->data());
    r.log2TileShare = 4 - split_.log2Inner;
    r.halfTiles = split_.column.width == 32;
    r.scaledTiles = scaledTiles();
    r.columnExponent = mma::columnExponent(split_.log2N1);
    r.rangeExponent = columns_.rangeExponent;
    r.mostExponent = columns_.mostExponent;
  }

  void planSpectrum(const KernelWindow& window, TableCache& cache) {
    for (const ColumnInstance& i : accurate_ ? floatColumnInstances() : halfColumnInstances())
      if (i.points == split_.n1()) spectrumColumn_ = i;
    for (const TensorSpectrumInstance& i : tensorSpectrumInstances())
      if (i.points == split_.n2() && i.floats == accurate_) spectrumRow_ = i;
    MultiPassParams& p = spectrumPasses_;
    p.points = split_.points();
    p.quarters = quarters_;
    p.n1 = p.rows = static_cast<int>(split_.n1());
    p.n2 = static_cast<int>(split_.n2());
    if (problem_.mask) kept_.tell(p);
    p.log2Columns = log2Exactly(spectrumColumn_.columns);
    p.tiles = p.n2 / spectrumColumn_.columns;
    p.batch = 1;
    p.sequences = spectra_;
    p.taps = kernelTaps(problem_, window);
    p.taps.lead = window.offset;
    p.taps.circularImage = problem_.circular() && quarters_;
    p.readTaps = true;
    if (split_.resampling) {
      p.response = split_.resampling->response;
      p.resampled = resampledTaps(*split_.resampling, *kernelFilter_, problem_, split_.samples());
    }
    spectrumColumnTables_ = columnTable(spectrumColumn_, quarters_, cache);
    spectrumRowTables_ = cache.table("tensor-spectrum/" + std::to_string(p.n2), spectrumRow_.tables);
    turns_ = turnTable(p.points, cache);
    p.columnTables = static_cast<const float2*>(spectrumColumnTables_->data());
    p.rowTables = static_cast<const float2*>(spectrumRowTables_->data());
    p.turns = turnsOf(*turns_);
    allowSharedMemory(problem_.mask ? spectrumColumn_.sparseForward : spectrumColumn_.forward, spectrumColumn_.sharedBytes);
    allowSharedMemory(spectrumRow_.transform, spectrumRow_.sharedBytes);
  }

  // tilesOfSequence: in this pass. meets: half-way, the launch before it.
  void launchColumns(const DeviceFunction& function, mma::ColumnParams& c, int64_t tilesOfSequence, bool early, bool meets, cudaStream_t stream,
                     const char* what) const {
    const int64_t tiles = c.sequences * tilesOfSequence;
    const int64_t blocks = std::min<int64_t>(tiles, int64_t{limits_.multiprocessors} * split_.column.blocks);
    c.order.meet = meets ? static_cast<int32_t>(tiles / blocks / 2 * blocks) : -1;
    launchKernel(function, {blocks, mma::threads, split_.column.sharedBytes, 1, early}, c, stream, what);
  }

  ConvProblem problem_;
  TensorSplit split_;
  int slots_;
  GpuLimits limits_;
  bool accurate_ = false;
  int quarters_ = 1;
  // A pass is set up while what the stream holds before it ends: the pass before it, the chunk before it or earlier calls. Each waits for the
  // end of that before it touches more than tables, so what it waits for includes all that came earlier.
  bool early_ = false;
  DeviceFunction first_, middle_, last_;
  float gain_ = 1;
  mma::ColumnParams columns_;
  mma::RowParams rows_;
  MultiPassParams spectrumPasses_;
  ColumnInstance spectrumColumn_;
  TensorSpectrumInstance spectrumRow_;
  PlanInfo info_;
  std::shared_ptr<Buffer> columnTables_, rowTables_, spectrumColumnTables_, spectrumRowTables_, turns_;
  KeptOnDevice kept_;
  std::shared_ptr<Buffer> numerators_, pieces_, filters_, kernelFilter_;
  double keptPieces_ = 1;  // share of the pieces of the kept rows' spectrum that is read
  int64_t rowCount_ = 0;  // of a sequence in scratch
  int64_t spectra_ = 0;
  Chunks chunks_;
};

}  // namespace

std::unique_ptr<GpuAlgorithm> makeTensorPasses(const ConvProblem& problem, const KernelWindow& window, const TensorSplit& split, int slots,
                                               const GpuLimits& limits, TableCache& cache) {
  return std::make_unique<TensorPasses>(problem, window, split, slots, limits, cache);
}

}  // namespace ffc
