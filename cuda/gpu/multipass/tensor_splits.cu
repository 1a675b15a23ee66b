// Which splits of the three passes on tensor cores serve a problem; the planner is offered all of the shortest ones.
#include <algorithm>
#include <limits>

#include "../launch.h"
#include "band.h"
#include "kept_rows.h"
#include "multipass.h"
#include "tensor_spectrum.h"
#include "tensor_split.h"

namespace ffc {

// A pair needs chunks of so many sequences, or what begins anew with every k1 of the rows costs more than launches gain
// that overlap (52 sequences of 2M: 1 % slower, 64 of 1M: 3 % faster), and launches that last (2^24 points: 1 % faster,
// 2^25: 4 %).
constexpr int64_t leastPaired = 64, leastPairedPoints = int64_t{1} << 24;

Chunks chunksOf(const ConvProblem& problem, const TensorSplit& s, int64_t keptPoints, int64_t scratchBytes, bool canPair) {
  const int64_t perSequence = keptPoints * 4 + (int64_t{1} << s.log2Tiles());
  const int64_t launchable = std::numeric_limits<int32_t>::max() >> std::max(s.log2Tiles(), s.log2N1);
  // Of one size: the rows of few sequences make tables for nearly each.
  const auto ofOneSize = [&](int64_t bytes, int together) {
    const int64_t most = together * std::max<int64_t>(1, std::min(bytes / perSequence, launchable));
    const int64_t turns = (problem.rows() + most - 1) / most;
    return (problem.rows() + together * turns - 1) / (together * turns);
  };
  const int64_t whole = ofOneSize(scratchBytes, 1), half = ofOneSize((scratchBytes - 256) / 2, 2);  // aligned between them
  if (canPair && half >= leastPaired && half * keptPoints >= leastPairedPoints) return {half, 2};
  return {whole, 1};
}

namespace {

using namespace gpu;
using mma::TensorColumnInstance;
using mma::TensorRowInstance;

// Rows of any number up to 2^30 (mma/params.h, setDivisor), and tiles of a launch in 31 bits.
constexpr int64_t mostRows = int64_t{1} << 30;

// Whether pieces of rows may have no kept frequency: patterns of bins, and classes finer than rows.
bool readsPieces(const ConvProblem& problem, int64_t n1) {
  return problem.mask && (!problem.mask->view().classes || problem.mask->view().block > n1);
}

constexpr int64_t fewestPoints = 32 * 4096;  // of any split

const std::vector<TensorColumnInstance>& columnInstances() {
  static const std::vector<TensorColumnInstance> list = [] {
    std::vector<TensorColumnInstance> all;
    mma::addFastColumns(all);
    mma::addAccurateColumns(all);
    return all;
  }();
  return list;
}
const std::vector<TensorRowInstance>& rowInstances() {
  static const std::vector<TensorRowInstance> list = [] {
    std::vector<TensorRowInstance> all;
    mma::addFastRows(all);
    mma::addAccurateRows(all);
    return all;
  }();
  return list;
}

// Slots of the row pass: more hide more latency.
int slotsOf(const TensorRowInstance& row, int64_t sharedMemory) {
  int slots = row.mostSlots;
  while (slots >= row.leastSlots && row.sharedBytes(slots) > sharedMemory) slots--;
  return slots;
}

MultiPassShape shapeOf(const ConvProblem& problem, const TensorSplit& s, const GpuLimits& limits) {
  MultiPassShape shape;
  shape.columns = s.n1();
  shape.rowPoints = s.n2();
  shape.run = s.column.width << (4 - s.log2Inner);
  shape.scratchBytes = 4;
  shape.tensorCores = true;
  shape.rate = s.column.rate;
  shape.overlap = s.column.rate > 1 ? s.column.width / (8.0 * s.column.ownPieces) : 1;
  shape.addsSkip = s.addsSkip;
  if (s.kept) {
    shape.keptRows = s.kept->share();
    // A few rows tell how it is with the others.
    if (s.row.pieces) shape.keptPieces = KeptPieces(*problem.mask, *s.kept, static_cast<int>(s.n2() >> 12), 8).share;
  }
  const auto chunksWith = [&](int64_t scratchBytes) {
    const auto keptPoints = static_cast<int64_t>(static_cast<double>(s.points()) * shape.keptRows);
    // The launches of a pair overlap and are counted as one.
    const int64_t chunk = chunksOf(problem, s, keptPoints, scratchBytes, false).sequences;
    return (problem.rows() + chunk - 1) / chunk;
  };
  shape.chunks = chunksWith(limits.scratchLimitBytes);
  shape.usualChunks = chunksWith(usualScratchBytes);
  shape.columnRadices = s.columnRadices();
  shape.rowRadices = s.rowRadices();
  return shape;
}

}  // namespace

void offerTensorPasses(const ConvProblem& problem, const KernelWindow& window, const GpuLimits& limits,
                       TableCache& cache, Offers& offers) {
  if (problem.dtype == Dtype::float32) return;  // the float32 passes are offered for everything
  // Rows are numbered up to 2^30.
  if (limits.computeMajor < 8 || problem.rows() > mostRows) return;
  const int64_t samples = ringSamples(problem, window), sharedMemory = sharedMemoryFor(tensorSpectrumInstances().front().transform, limits);
  const bool accurate = problem.precision == FFC_PRECISION_ACCURATE, bf16 = problem.dtype == Dtype::bfloat16;
  int64_t shortest = std::numeric_limits<int64_t>::max();
  std::vector<TensorSplit> list;
  std::vector<int> slots;
  const FilterClass quality = accurate ? FilterClass::accurate : FilterClass::fast;
  const auto resampling = resamplingOf(problem, quality, fewestPoints);
  const ConvProblem atLowRate = atRate(problem, resampling.get());
  for (const TensorColumnInstance& column : columnInstances()) {
    if (column.rate != 1 && !(resampling && column.rate == resampling->rate())) continue;
    const ConvProblem& onRing = column.rate == 1 ? problem : atLowRate;
    // Beside the rounding of its outputs, bfloat16 leaves no room for columns of three radices in halves (2.22e-3 at
    // 8M).
    if (column.accurate != (accurate || (bf16 && column.radix > 1)) || column.bf16 != bf16) continue;
    if (column.sharedBytes > sharedMemory) continue;
    for (int log2Inner = column.radix == 1 ? 1 : 4; log2Inner <= 4; log2Inner++)
      for (const TensorRowInstance& row : rowInstances()) {
        const int slotsOfRow = slotsOf(row, sharedMemory);
        if (row.accurate != accurate || slotsOfRow < row.leastSlots) continue;
        // Rows of 16384 points for 16M only: 256 of them took 6.2 ps a sample (accurate 8.0) where 1024 of 4096 take
        // 6.3 (7.0).
        if (row.points > 2 * mma::tilePoints && column.radix == 1) continue;
        TensorSplit s{column, row, log2Inner, 4 + log2Inner + log2Exactly(column.radix), log2Exactly(row.points),
                      column.rate == 1 ? nullptr : resampling};
        if (s.log2Tiles() > column.log2MostTiles) continue;
        // Rows of 16384 points have no form that reads pieces: theirs holds zeros.
        if (row.pieces != (row.points <= 2 * mma::tilePoints && readsPieces(onRing, s.n1()))) continue;
        // Inputs fill the real part alone; what is longer than N goes through the float32 passes, which pack both.
        if (problem.mask && s.samples() != problem.mask->points()) continue;
        if (s.samples() < problem.length || 2 * s.samples() < samples) continue;
        if (problem.mask) {
          // Tiles that overlap look up no rows: of a band at a part of the rate only the narrowest, of fewer frequencies than there are
          // rows, have empty ones.
          s.kept = std::make_shared<KeptRowTables>(*onRing.mask, static_cast<int>(s.n1()), column.rate > 1);
          s.addsSkip = problem.skip && (column.rate > 1 || s.kept->share() < 1);
        }
        shortest = std::min(shortest, s.samples());
        list.push_back(s);
        slots.push_back(slotsOfRow);
      }
  }
  for (size_t i = 0; i < list.size(); i++) {
    if (list[i].samples() > shortest) continue;
    const ConvProblem& onRing = list[i].resampling ? atLowRate : problem;
    offers.add(multiPassCandidate(onRing, shapeOf(onRing, list[i], limits), sizeOf(limits)),
               [onRing, &limits, &cache, window, split = list[i], ring = slots[i]] {
                 return makeTensorPasses(onRing, window, split, ring, limits, cache);
               });
  }
}

}  // namespace ffc
