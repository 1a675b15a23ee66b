// A split N = N1 N2 of the three passes on tensor cores, and how many sequences go through scratch together.
// tensor_splits.cu finds all that serve a problem, tensor_passes.cu makes a plan of one.
#pragma once
#include <memory>
#include <vector>

#include "../../host/frequency_mask.h"
#include "../../host/resampling.h"
#include "../../host/window.h"
#include "../algorithm.h"
#include "../mma/config.h"
#include "kept_rows.h"
#include "tensor_instance.h"

namespace ffc {

inline int log2Exactly(int64_t n) {
  int log2 = 0;
  while ((int64_t{1} << log2) < n) log2++;
  return log2;
}

struct TensorSplit {
  mma::TensorColumnInstance column;
  mma::TensorRowInstance row;
  int log2Inner = 0, log2N1 = 0, log2N2 = 0;
  std::shared_ptr<const Resampling> resampling;  // where the columns have another rate
  std::shared_ptr<const gpu::KeptRowTables> kept;  // of a pattern
  // The last pass adds the skip term to outputs. As a tap of the spectrum it would reach what a pattern leaves out.
  bool addsSkip = false;
  int64_t n1() const { return int64_t{1} << log2N1; }
  int64_t n2() const { return int64_t{1} << log2N2; }
  int64_t points() const { return n1() * n2(); }
  int64_t samples() const { return points() * column.rate; }
  // Of a sequence in the last pass. Groups that overlap come in the same tiles.
  int64_t outTiles() const {
    if (column.rate == 1) return int64_t{1} << log2Tiles();
    const int64_t groups = (n2() / 8 + column.ownPieces - 1) / column.ownPieces, together = int64_t{16} >> log2Inner;
    return (groups + together - 1) / together;
  }
  int log2Tiles() const { return log2N2 - (4 - log2Inner) - log2Exactly(column.width); }  // of a sequence
  std::vector<int> columnRadices() const {
    std::vector<int> list = {16, 1 << log2Inner};
    if (column.radix > 1) list.push_back(column.radix);
    return list;
  }
  std::vector<int> rowRadices() const {
    if (row.points == mma::tilePoints) return {16, 16, 16};
    return {16, 16, row.points / mma::tilePoints, 16};
  }
};

// Sequences that go through scratch together: each needs its points and what is known of its tiles.
struct Chunks {
  int64_t sequences = 0;
  int buffers = 1;  // two: chunks go in pairs, each through its half of scratch (PassOrder, tensor_params.h)
};
Chunks chunksOf(const ConvProblem& problem, const TensorSplit& split, int64_t keptPoints, int64_t scratchBytes, bool canPair);

// The problem's mask is that of the split's ring.
std::unique_ptr<GpuAlgorithm> makeTensorPasses(const ConvProblem& problem, const KernelWindow& window, const TensorSplit& split, int slots,
                                               const GpuLimits& limits, TableCache& cache);

}  // namespace ffc
