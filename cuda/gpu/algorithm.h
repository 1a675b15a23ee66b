// What one way of convolving on the GPU provides. A plan (plan.cu) asks each family in turn what it offers and makes
// the offer that the planner prefers; everything else about a plan is the same for all of them.
#pragma once
#include <cuda_runtime.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "../host/backend.h"
#include "../planner/ranking.h"
#include "../planner/gpu_costs.h"

namespace ffc {

// The scratch limit of a context that asks for none. Plans are ranked as if it were the limit of all contexts.
constexpr int64_t usualScratchBytes = int64_t{1} << 30;

// What a kernel may use on this device. Read once from the device; the context may lower the limits so that
// one machine can stand in for a smaller one in tests.
struct GpuLimits {
  int ordinal = 0;
  int computeMajor = 0, computeMinor = 0;  // 8.0 when the context is portable
  int multiprocessors = 0;
  int64_t sharedMemoryPerBlock = 0;  // opt-in limit of one block, static part included
  int64_t l2Bytes = 0;
  int64_t scratchLimitBytes = 0;  // device memory a convolution may use between its passes or slices
};

// Constant tables (twiddles, DFT matrices) live on the device once per context, not once per plan.
// `key` names the content; `make` computes it on the host in float64 and rounds.
class TableCache {
 public:
  virtual ~TableCache() = default;
  virtual std::shared_ptr<Buffer> table(const std::string& key,
                                        const std::function<std::vector<uint8_t>()>& make) = 0;
  // A table of one plan, which goes with it.
  virtual std::shared_ptr<Buffer> planTable(const std::vector<uint8_t>& bytes) = 0;
};

// Device addresses of one forward call; absent tensors are null.
struct ForwardPointers {
  const void *u = nullptr, *preGate = nullptr, *postGate = nullptr, *skip = nullptr;
  void *y = nullptr, *workspace = nullptr;
};

// What a row costs and what of it a frequency-sparse plan skips; bytes of device memory.
struct SkippedWork {
  double flops = 0, flopsSkipped = 0, bytes = 0, bytesSkipped = 0;
};

// Rows that read the same spectrum: one from memory, the others from the cache.
inline double rowsOfSpectrum(const ConvProblem& p) { return static_cast<double>(p.sharedKernel ? p.rows() : p.batch); }

class GpuAlgorithm {
 public:
  virtual ~GpuAlgorithm() = default;
  virtual const PlanInfo& info() const = 0;
  // Asked of frequency-sparse plans only.
  virtual SkippedWork skippedWork() const { return {}; }
  // Both enqueue on `stream` and throw Error if the launch fails. `spectrum` has info().spectrumBytes.
  virtual void computeSpectrum(void* spectrum, const void* kernel, cudaStream_t stream) const = 0;
  virtual void forward(const void* spectrum, const ForwardPointers& tensors, cudaStream_t stream) const = 0;
};

// Collects what the families offer for one problem. Offering allocates nothing and launches nothing: an offer is a
// count of its work and a function that makes it, called for the chosen one alone.
class Offers {
 public:
  using Make = std::function<std::unique_ptr<GpuAlgorithm>()>;
  void add(Candidate candidate, Make make) {
    candidates_.list.push_back(std::move(candidate));
    makes_.push_back(std::move(make));
  }
  // All offers so far are made into what `wrapper` makes of them.
  void wrap(const std::function<std::unique_ptr<GpuAlgorithm>(std::unique_ptr<GpuAlgorithm>)>& wrapper) {
    for (Make& make : makes_) make = [wrapper, inner = std::move(make)] { return wrapper(inner()); };
  }
  // Those of another list follow.
  void append(Offers&& others) {
    std::move(others.candidates_.list.begin(), others.candidates_.list.end(), std::back_inserter(candidates_.list));
    std::move(others.candidates_.refusals.begin(), others.candidates_.refusals.end(), std::back_inserter(candidates_.refusals));
    std::move(others.makes_.begin(), others.makes_.end(), std::back_inserter(makes_));
  }
  void refuse(const char* family, const std::string& reason) { candidates_.refusals.push_back({family, reason}); }
  const Candidates& candidates() const { return candidates_; }
  std::unique_ptr<GpuAlgorithm> make(size_t index) const { return makes_[index](); }

 private:
  Candidates candidates_;
  std::vector<Make> makes_;
};

inline GpuSize sizeOf(const GpuLimits& limits) { return {limits.multiprocessors, limits.sharedMemoryPerBlock}; }

// Each offers every variant that can run the problem on such a device, or says why there is none. What the problem's
// `algorithm` asks for is the planner's business. The arguments outlive the offers.
void offerDirect(const ConvProblem&, const GpuLimits&, TableCache&, Offers&);
void offerFusedFp32(const ConvProblem&, const GpuLimits&, TableCache&, Offers&);
void offerFusedMma(const ConvProblem&, const GpuLimits&, TableCache&, Offers&);
void offerMultiPass(const ConvProblem&, const GpuLimits&, TableCache&, Offers&);
void offerFilterBank(const ConvProblem&, const GpuLimits&, TableCache&, Offers&);

// Throws Error with a fitting status if `code` is not cudaSuccess; `what` says what was tried.
void checkCuda(cudaError_t code, const char* what);

// Lets a device function of the current device be launched with so much dynamic shared memory. Plans that share a
// function may want different amounts and live at the same time: what one was given is never taken back.
void allowSharedMemory(const void* function, int64_t bytes);

}  // namespace ffc
