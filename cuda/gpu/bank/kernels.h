// Kernels on their way to a filter bank's rings: to taps at the lower rate, and what the rings' spectra are multiplied by.
#pragma once
#include <cuda_runtime.h>

#include "../../host/filter_bank.h"
#include "../algorithm.h"
#include "../core/kernel_taps.cuh"
#include "passes.h"
#include "slot_ring.h"

namespace ffc::gpu {

// Kernels are rows of floats, which the analysis of float32 rows takes, whatever the dtype of the tensors. Weights of causal banks are factors of the
// rings' spectra. Circular taps are convolved with theirs (FilterBank::weightKernels()), which takes a ring of its own, in float32.
class BankKernels {
 public:
  // Kernels of so many taps at most; groups are made into taps so many at a time.
  BankKernels(const FilterBank& bank, const FrequencyMask& mask, int64_t kernelTaps, int64_t groups, const GpuLimits& limits, TableCache& cache);
  int64_t tapsOfSlot() const { return taps_; }
  int64_t groupsAtOnce() const { return groups_; }
  int64_t workspaceBytes() const { return bytes_; }
  // Before any taps are made.
  void prepare(void* workspace, cudaStream_t stream) const;
  // Of `groups` kernels from the first one on: [group][slot][tap], in the workspace.
  const float* makeTaps(const KernelTaps& kernel, int64_t firstGroup, int64_t groups, void* workspace, cudaStream_t stream) const;
  // [slot][index of the ring's spectrum], or null: taps are weighed.
  const float2* weights() const { return weighing_ ? nullptr : static_cast<const float2*>(weights_->data()); }

 private:
  int slots_;
  int64_t kernelTaps_, taps_, rate_, around_, groups_, blocks_;
  std::unique_ptr<BankPasses> passes_;
  std::shared_ptr<Buffer> weights_, kept_;  // kept_: or null
  std::unique_ptr<SlotRing> weighing_;
  int64_t rowsAt_ = 0, weightsAt_ = 0, keptAt_ = 0, bytes_ = 0;  // within a workspace; taps are at its begin
};

}  // namespace ffc::gpu
