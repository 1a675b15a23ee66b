// The launches of a fine filter bank's passes (fine.h) of 16-bit rows, and the tables that they read.
#include <algorithm>

#include "../mma/table_cache.h"
#include "../multipass/multipass.h"
#include "fine_half_analyse.cuh"
#include "fine_half_synthesise.cuh"
#include "fine_half_tables.h"
#include "passes.h"

namespace ffc::gpu {
namespace {

template <bool bf16, bool gated, bool fast>
__global__ void __launch_bounds__(halfFineThreads, 1) analyseFineHalves(const __grid_constant__ HalfFineParams p) {
  analyseFineHalvesOf<bf16, gated, std::conditional_t<fast, FoldHalves, FoldFloats>>(p);
}
template <bool bf16, bool more, bool fast>
__global__ void __launch_bounds__(halfFineThreads, 1) synthesiseFineHalves(const __grid_constant__ HalfFineParams p) {
  synthesiseFineHalvesOf<bf16, more, std::conditional_t<fast, FoldHalves, FoldFloats>>(p);
}

using Pass = const void*;
Pass analysisOf(bool bf16, bool gated, bool fast) {
  return chosen([](auto b, auto g, auto f) { return reinterpret_cast<Pass>(&analyseFineHalves<b(), g(), f()>); }, bf16, gated, fast);
}
Pass synthesisOf(bool bf16, bool more, bool fast) {
  return chosen([](auto b, auto m, auto f) { return reinterpret_cast<Pass>(&synthesiseFineHalves<b(), m(), f()>); }, bf16, more, fast);
}

class FineHalfPasses final : public BankPasses {
 public:
  FineHalfPasses(const FilterBank& bank, bool bf16, bool fast, int multiprocessors, TableCache& cache) : bf16_(bf16), fast_(fast), multiprocessors_(multiprocessors) {
    const HalfFineWords words(bank);
    tables_.weights = static_cast<const float*>(owned_.keep(cache, words.weights));
    tables_.outer = owned_.keep(cache, words.outer), tables_.outerBack = owned_.keep(cache, words.outerBack);
    tables_.inner = owned_.keep(cache, words.inner), tables_.innerBack = owned_.keep(cache, words.innerBack);
    tables_.slots = static_cast<const int16_t*>(owned_.keep(cache, words.slots));
    std::copy(std::begin(words.firstTile), std::end(words.firstTile), tables_.firstTile);
    for (const bool more : {false, true}) {
      allowSharedMemory(analysisOf(bf16, more, fast), halfFineAnalysisBytes);
      allowSharedMemory(synthesisOf(bf16, more, fast), synthesisBytes());
    }
  }

  void analyse(const BankRows& rows, cudaStream_t stream) const override {
    if (rows.largest) launchMeasure(rows, bf16_, stream);
    HalfFineParams p = paramsOf(rows, rows.count);
    for (int turn = 0; turn < (rows.largest ? 2 : 1); turn++, p.again = true)
      launch(analysisOf(bf16_, rows.pre, fast_), p, halfFineAnalysisBytes, stream, "the analysis of a fine filter bank");
  }
  void synthesise(const BankRows& rows, cudaStream_t stream) const override {
    // The last cell's samples are made of numbers up to eight further.
    HalfFineParams p = paramsOf(rows, (rows.outputLength + fineRate - 1) / fineRate + halfFineCells - 1);
    launch(synthesisOf(bf16_, rows.post || rows.skip, fast_), p, synthesisBytes(), stream, "the synthesis of a fine filter bank");
  }

 private:
  int synthesisBytes() const { return halfFineSynthesisBytes(tables_.firstTile[fineK0]); }
  HalfFineParams paramsOf(const BankRows& rows, int64_t numbers) const {
    HalfFineParams p;
    p.cut(rows, numbers, halfFineTile);
    p.of = tables_;
    return p;
  }
  void launch(Pass pass, HalfFineParams& p, int sharedBytes, cudaStream_t stream, const char* what) const {
    launchPass(pass, std::min<int64_t>(p.tiles, multiprocessors_), halfFineThreads, sharedBytes, p, stream, what);
  }

  bool bf16_, fast_;
  int multiprocessors_;
  HalfFineTables tables_;
  mma::PlanTables owned_;
};

}  // namespace

int64_t fineHalfBankBytes(const FilterBank& bank) { return std::max(halfFineAnalysisBytes, halfFineSynthesisBytes(HalfFineWords::tilesOf(bank))); }
int fineHalfBankTiles(const FilterBank& bank) { return HalfFineWords::tilesOf(bank); }

std::unique_ptr<BankPasses> makeFineHalfPasses(const FilterBank& bank, bool bf16, bool fast, int multiprocessors, TableCache& cache) {
  return std::make_unique<FineHalfPasses>(bank, bf16, fast, multiprocessors, cache);
}

}  // namespace ffc::gpu
