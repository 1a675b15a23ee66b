// The launches of a fine filter bank's passes of float32 rows (fine_float.cuh), and the tables that they read.
#include "../mma/table_cache.h"
#include "../multipass/multipass.h"
#include "fine_float_analyse.cuh"
#include "fine_float_synthesise.cuh"
#include "fine_float_tables.h"
#include "passes.h"

namespace ffc::gpu {
namespace {

// So many blocks wait for each other's barriers where shared memory has room for them.
constexpr int blocksAtOnce = 2;

template <bool gated>
__global__ void __launch_bounds__(floatFineThreads, blocksAtOnce) analyseFineFloats(const __grid_constant__ FloatFineParams p) {
  analyseFineFloatsOf<gated>(p);
}
template <bool gated, bool skips>
__global__ void __launch_bounds__(floatFineThreads, blocksAtOnce) synthesiseFineFloats(const __grid_constant__ FloatFineParams p) {
  synthesiseFineFloatsOf<gated, skips>(p);
}

using Pass = const void*;
Pass analysisOf(bool gated) {
  return chosen([](auto g) { return reinterpret_cast<Pass>(&analyseFineFloats<g()>); }, gated);
}
Pass synthesisOf(bool gated, bool skips) {
  return chosen([](auto g, auto s) { return reinterpret_cast<Pass>(&synthesiseFineFloats<g(), s()>); }, gated, skips);
}

class FineFloatPasses final : public BankPasses {
 public:
  FineFloatPasses(const FilterBank& bank, int multiprocessors, TableCache& cache)
      : blocks_(multiprocessors * blocksAtOnce),
        analysisBytes_(floatFineAnalysisBytes(bank.slots())),
        synthesisBytes_(floatFineSynthesisBytes(bank.slots())) {
    const FloatFineWords words(bank);
    params_.weights = static_cast<const float*>(owned_.keep(cache, words.weights));
    params_.slots = static_cast<const FineSlot*>(owned_.keep(cache, words.slots));
    params_.frequencies = static_cast<const FineFrequency*>(owned_.keep(cache, words.frequencies));
    params_.turnsThere = static_cast<const float2*>(owned_.keep(cache, words.turnsThere));
    params_.turnsBack = static_cast<const float2*>(owned_.keep(cache, words.turnsBack));
    params_.kept = static_cast<int32_t>(words.frequencies.size());
    for (const bool gated : {false, true}) {
      allowSharedMemory(analysisOf(gated), analysisBytes_);
      for (const bool skips : {false, true}) allowSharedMemory(synthesisOf(gated, skips), synthesisBytes_);
    }
  }

  void analyse(const BankRows& rows, cudaStream_t stream) const override {
    launch(analysisOf(rows.pre), rows, rows.count, analysisBytes_, stream, "the analysis of a fine filter bank");
  }
  void synthesise(const BankRows& rows, cudaStream_t stream) const override {
    // The last cell's samples are made of numbers up to fifteen further.
    launch(synthesisOf(rows.post, rows.skip), rows, (rows.outputLength + fineRate - 1) / fineRate + floatFineCells - 1, synthesisBytes_, stream, "the synthesis of a fine filter bank");
  }

 private:
  void launch(Pass pass, const BankRows& rows, int64_t numbers, int sharedBytes, cudaStream_t stream, const char* what) const {
    FloatFineParams p = params_;
    p.cut(rows, numbers, floatFineTile);
    launchPass(pass, std::min<int64_t>(p.tiles, blocks_), floatFineThreads, sharedBytes, p, stream, what);
  }

  FloatFineParams params_;
  int blocks_, analysisBytes_, synthesisBytes_;
  mma::PlanTables owned_;
};

}  // namespace

int64_t fineFloatBankBytes(int slots) { return std::max(floatFineAnalysisBytes(slots), floatFineSynthesisBytes(slots)); }
std::unique_ptr<BankPasses> makeFineFloatPasses(const FilterBank& bank, int multiprocessors, TableCache& cache) {
  return std::make_unique<FineFloatPasses>(bank, multiprocessors, cache);
}

}  // namespace ffc::gpu
