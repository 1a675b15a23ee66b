#include "kernels.h"

#include <algorithm>

#include "../mma/table_cache.h"
#include "../multipass/multipass.h"

namespace ffc::gpu {
namespace {

constexpr int rowThreads = 256;
// Taps and rows of kernels that are there at a time have about so many bytes.
constexpr int64_t mostBytes = int64_t{64} << 20;

struct RowParams {
  KernelTaps taps;
  float* rows;
  int64_t firstGroup, count, all;
  float scale;
};

// [group][tap] times D^2: one D that FilterBank::weights() want, and one for the numbers that are left out.
__global__ void __launch_bounds__(rowThreads) kernelRows(const __grid_constant__ RowParams p) {
  for (int64_t i = blockIdx.x * int64_t{rowThreads} + threadIdx.x; i < p.all; i += gridDim.x * int64_t{rowThreads})
    p.rows[i] = p.scale * p.taps.tap(i % p.count, 0, p.firstGroup + i / p.count);
}

}  // namespace

BankKernels::BankKernels(const FilterBank& bank, const FrequencyMask& mask, int64_t kernelTaps, int64_t groups, const GpuLimits& limits, TableCache& cache)
    : slots_(bank.slots()),
      kernelTaps_(kernelTaps),
      taps_(bank.points() + (bank.circular() ? 0 : filtersOfKernels(bank.filters()).beyondRing())),
      rate_(bank.filters().rate),
      around_(bank.circular() ? bank.points() : 0),
      blocks_(int64_t{limits.multiprocessors} * 8),
      passes_(makePassesOfFloats(FilterBank(mask, filtersOfKernels(bank.filters())), limits.multiprocessors, cache)) {
  const int64_t bytesOfGroup = (slots_ * taps_ + kernelTaps_) * 4;
  groups_ = std::clamp<int64_t>(mostBytes / bytesOfGroup, 1, groups);
  rowsAt_ = alignedUp(groups_ * slots_ * taps_ * 4);
  weightsAt_ = rowsAt_ + alignedUp(groups_ * kernelTaps_ * 4);
  keptAt_ = bytes_ = weightsAt_;
  if (!bank.circular()) {
    weights_ = cache.planTable(mma::bytesOf(bank.weights(mask)));
    return;
  }
  const FilterBank::WeightKernels weights = bank.weightKernels(mask);
  weights_ = cache.planTable(mma::bytesOf(weights.weights));
  weighing_ = makeFloatRing(floatRingShape(bank.points(), true, limits), slots_, bank.points(), limits, cache);
  keptAt_ += alignedUp(weighing_->spectrumBytes());
  bytes_ = keptAt_;
  if (weights.kept.empty()) return;
  kept_ = cache.planTable(mma::bytesOf(weights.kept));
  bytes_ += alignedUp(weighing_->spectrumBytes());
}

void BankKernels::prepare(void* workspace, cudaStream_t stream) const {
  const auto transform = [&](int64_t at, const Buffer& kernels) {
    weighing_->computeSpectra(static_cast<char*>(workspace) + at, 0, slots_, {static_cast<const float*>(kernels.data()), taps_}, nullptr, slots_, stream);
  };
  if (weighing_) transform(weightsAt_, *weights_);
  if (kept_) transform(keptAt_, *kept_);
}

const float* BankKernels::makeTaps(const KernelTaps& kernel, int64_t firstGroup, int64_t groups, void* workspace, cudaStream_t stream) const {
  char* const base = static_cast<char*>(workspace);
  RowParams p;
  p.taps = kernel;
  p.rows = reinterpret_cast<float*>(base + rowsAt_);
  p.firstGroup = firstGroup;
  p.count = kernelTaps_;
  p.all = groups * kernelTaps_;
  p.scale = static_cast<float>(rate_ * rate_);
  launchPass(reinterpret_cast<const void*>(&kernelRows), std::min((p.all + rowThreads - 1) / rowThreads, blocks_), rowThreads, 0, p, stream,
             "kernels of a filter bank");
  BankRows r;
  r.u = p.rows;
  r.uStride = {0, kernelTaps_};
  r.length = static_cast<int32_t>(kernelTaps_);
  r.chunk.groups = static_cast<uint32_t>(groups);
  r.numbers = base;
  r.slots = slots_;
  r.pitch = r.count = static_cast<int32_t>(taps_);
  r.around = static_cast<int32_t>(around_);
  passes_->analyse(r, stream);
  const SlotRows rows{base, groups, slots_ * taps_, taps_, taps_};
  if (weighing_) weighing_->convolve(base + weightsAt_, 0, slots_, rows, nullptr, stream);
  if (kept_) weighing_->convolve(base + keptAt_, 0, slots_, rows, nullptr, stream);
  return reinterpret_cast<const float*>(base);
}

}  // namespace ffc::gpu
