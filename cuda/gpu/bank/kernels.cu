#include "kernels.h"

#include <cmath>

#include "../mma/table_cache.h"
#include "../multipass/multipass.h"
#include "resample.cuh"

namespace ffc::gpu {

BankKernels::BankKernels(const FilterBank& bank, const FrequencyMask& mask, TableCache& cache)
    : function_(bank.filters().reach == filtersOfHalves.reach ? reinterpret_cast<const void*>(&resampleKernels<filtersOfHalves.reach>)
                                                              : reinterpret_cast<const void*>(&resampleKernels<filtersOfFloats.reach>)),
      slots_(bank.slots()),
      points_(bank.points()) {
  std::vector<float> turns;
  for (int slot = 0; slot < slots_; slot++)
    for (int m = 0; m < residues; m++) {
      const double angle = SlotFilter::pi * ((bank.turn(slot) * m) % residues) / 4;
      turns.push_back(static_cast<float>(std::cos(angle)));
      turns.push_back(static_cast<float>(std::sin(angle)));
    }
  const int reach = bank.filters().reach;
  const std::vector<float> filters = bank.kernelFilters();
  std::vector<float> bySlots(static_cast<size_t>(reach + 1) * mostSlots * 2);
  for (int slot = 0; slot < slots_; slot++)
    for (int j = 0; j <= reach; j++)
      for (int part = 0; part < 2; part++) bySlots[(j * mostSlots + slot) * 2 + part] = filters[(slot * (reach + 1) + j) * 2 + part] * (j ? 1.0f : 0.5f);
  filters_ = cache.planTable(mma::bytesOf(bySlots));
  turns_ = cache.planTable(mma::bytesOf(turns));
  weights_ = cache.planTable(mma::bytesOf(bank.weights(mask)));
}

void BankKernels::resample(const KernelTaps& kernel, int64_t firstGroup, int64_t groups, float* taps, cudaStream_t stream) const {
  ResampleParams p;
  p.taps = kernel;
  p.filters = static_cast<const float4*>(filters_->data());
  p.turns = static_cast<const float2*>(turns_->data());
  p.to = taps;
  p.firstGroup = firstGroup;
  p.points = points_;
  p.slots = slots_;
  p.tilesOfGroup = static_cast<int32_t>(2 * points_ / resampledNumbers);
  launchPass(function_, groups * p.tilesOfGroup, resampledThreads, 0, p, stream, "taps of the slots of a filter bank");
}

}  // namespace ffc::gpu
