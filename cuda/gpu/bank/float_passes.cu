// The launches of a filter bank's passes of float32 rows, and the tables that they read (fold.h).
#include "../mma/table_cache.h"
#include "../multipass/multipass.h"
#include "fold_analyse.cuh"
#include "fold_synthesise.cuh"
#include "fold_tables.h"
#include "passes.h"

namespace ffc::gpu {
namespace {

template <bool gated, bool ends>
__global__ void __launch_bounds__(foldThreads, gated ? 3 : 4) foldRows(const __grid_constant__ FoldParams p) {
  foldRowsOf<gated, ends>(p);
}
template <bool gated, bool skips, bool ends>
__global__ void __launch_bounds__(foldThreads, 4) unfoldRows(const __grid_constant__ FoldParams p) {
  unfoldRowsOf<gated, skips, ends>(p);
}

struct FoldPass {
  const void* function;
  int sharedBytes;
};
FoldPass analysisOf(bool gated, bool ends) {
  return chosen([](auto g, auto e) { return FoldPass{reinterpret_cast<const void*>(&foldRows<g(), e()>), foldAnalysisBytes<e()>}; }, gated, ends);
}
FoldPass synthesisOf(bool gated, bool skips, bool ends) {
  return chosen([](auto g, auto s, auto e) { return FoldPass{reinterpret_cast<const void*>(&unfoldRows<g(), s(), e()>), foldSynthesisBytes<e()>}; }, gated, skips,
                ends);
}

class FloatPasses final : public BankPasses {
 public:
  FloatPasses(const FilterBank& bank, TableCache& cache) {
    const FoldTables tables(bank, params_);
    weights_ = cache.planTable(mma::bytesOf(tables.weights));
    coefficients_ = cache.planTable(mma::bytesOf(tables.coefficients));
    params_.weights = static_cast<const float*>(weights_->data());
    params_.coefficients = static_cast<const float*>(coefficients_->data());
    const auto allow = [](const FoldPass& pass) { allowSharedMemory(pass.function, pass.sharedBytes); };
    for (const bool gated : {false, true}) {
      allow(analysisOf(gated, ends()));
      for (const bool skips : {false, true}) allow(synthesisOf(gated, skips, ends()));
    }
  }

  void analyse(const BankRows& rows, cudaStream_t stream) const override {
    launch(rows, rows.count, analysisOf(rows.pre, ends()), stream, "the analysis of a filter bank");
  }
  void synthesise(const BankRows& rows, cudaStream_t stream) const override {
    launch(rows, (rows.outputLength + D - 1) / D, synthesisOf(rows.post, rows.skip, ends()), stream, "the synthesis of a filter bank");
  }

 private:
  bool ends() const { return params_.endOfClass[2] > params_.endOfClass[1]; }
  void launch(const BankRows& rows, int64_t numbers, const FoldPass& pass, cudaStream_t stream, const char* what) const {
    FoldParams p = params_;
    p.rows = rows;
    p.cut(FoldPieces(numbers));
    launchPass(pass.function, (int64_t{p.units} + foldWarps - 1) / foldWarps, foldThreads, pass.sharedBytes, p, stream, what);
  }

  FoldParams params_;
  std::shared_ptr<Buffer> weights_, coefficients_;
};

}  // namespace

std::unique_ptr<BankPasses> makeFloatPasses(const FilterBank& bank, TableCache& cache) { return std::make_unique<FloatPasses>(bank, cache); }

}  // namespace ffc::gpu
