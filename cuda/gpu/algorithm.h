// What one way of convolving on the GPU provides. A plan (plan.cu) asks each factory in turn and keeps the
// algorithm that the planner prefers; everything else about a plan is the same for all of them.
#pragma once
#include <cuda_runtime.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "../host/backend.h"

namespace ffc {

// What a kernel may use on this device. Read once from the device; the context may lower the limits so that
// one machine can stand in for a smaller one in tests.
struct GpuLimits {
  int ordinal = 0;
  int computeMajor = 0, computeMinor = 0;  // 8.0 when the context is portable
  int multiprocessors = 0;
  int64_t sharedMemoryPerBlock = 0;  // opt-in limit of one block, static part included
  int64_t l2Bytes = 0;
  int64_t scratchLimitBytes = 0;  // device memory a multi-pass convolution may use between its passes
};

// Constant tables (twiddles, DFT matrices) live on the device once per context, not once per plan.
// `key` names the content; `make` computes it on the host in float64 and rounds.
class TableCache {
 public:
  virtual ~TableCache() = default;
  virtual std::shared_ptr<Buffer> table(const std::string& key,
                                        const std::function<std::vector<uint8_t>()>& make) = 0;
};

// Device addresses of one forward call; absent tensors are null.
struct ForwardPointers {
  const void *u = nullptr, *preGate = nullptr, *postGate = nullptr, *skip = nullptr;
  void *y = nullptr, *workspace = nullptr;
};

class GpuAlgorithm {
 public:
  virtual ~GpuAlgorithm() = default;
  virtual const PlanInfo& info() const = 0;
  // Predicted time of one row: that of a full call over its rows, measured on an H200 with rows enough to fill it
  // (bench/gpu). The planner takes the algorithm with the least.
  virtual double rowPicoseconds() const = 0;
  // Both enqueue on `stream` and throw Error if the launch fails. `spectrum` has info().spectrumBytes.
  virtual void computeSpectrum(void* spectrum, const void* kernel, cudaStream_t stream) const = 0;
  virtual void forward(const void* spectrum, const ForwardPointers& tensors, cudaStream_t stream) const = 0;
};

// Each returns null when it cannot run the problem on such a device; the reason goes to *why.
using GpuAlgorithmFactory = std::unique_ptr<GpuAlgorithm> (*)(const ConvProblem&, const GpuLimits&, TableCache&,
                                                              std::string* why);
std::unique_ptr<GpuAlgorithm> makeDirect(const ConvProblem&, const GpuLimits&, TableCache&, std::string* why);
std::unique_ptr<GpuAlgorithm> makeFusedFp32(const ConvProblem&, const GpuLimits&, TableCache&, std::string* why);
std::unique_ptr<GpuAlgorithm> makeFusedMma(const ConvProblem&, const GpuLimits&, TableCache&, std::string* why);
std::unique_ptr<GpuAlgorithm> makeMultiPass(const ConvProblem&, const GpuLimits&, TableCache&, std::string* why);

// Throws Error with a fitting status if `code` is not cudaSuccess; `what` says what was tried.
void checkCuda(cudaError_t code, const char* what);

}  // namespace ffc
