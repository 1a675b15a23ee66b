// Kernels on their way to a filter bank's rings: to taps at the lower rate, and what the rings' spectra are multiplied by.
#pragma once
#include <cuda_runtime.h>

#include "../../host/filter_bank.h"
#include "../algorithm.h"
#include "../core/kernel_taps.cuh"

namespace ffc::gpu {

class BankKernels {
 public:
  BankKernels(const FilterBank& bank, const FrequencyMask& mask, TableCache& cache);
  // Of `groups` kernels from the first one on, 2N / D taps for each slot: [group][slot][tap].
  void resample(const KernelTaps& kernel, int64_t firstGroup, int64_t groups, float* taps, cudaStream_t stream) const;
  const float* weights() const { return static_cast<const float*>(weights_->data()); }  // [slot][index of the ring's spectrum]

 private:
  const void* function_;
  int slots_;
  int64_t points_;
  std::shared_ptr<Buffer> filters_, turns_, weights_;
};

}  // namespace ffc::gpu
