#include "circular_mask.h"

#include <algorithm>

#include "../host/fft64.h"
#include "../host/frequency_mask.h"
#include "core/kernel_taps.cuh"

namespace ffc {
namespace {

constexpr int foldThreads = 256;
// Bins for each one that is kept, up to which kernels are masked once.
constexpr int64_t mostPerKept = 16;

// Kernels as the circular grid sees them: summed modulo the period, one row after the other.
__global__ void __launch_bounds__(foldThreads) foldKernels(gpu::KernelTaps taps, float* rows, int64_t samples) {
  for (int64_t i = blockIdx.x * int64_t{foldThreads} + threadIdx.x; i < samples; i += gridDim.x * int64_t{foldThreads})
    rows[i] = taps.tap(i % taps.period, 0, i / taps.period);
}

int64_t aligned(int64_t bytes) { return (bytes + 255) / 256 * 256; }

// Beside the spectrum of the dense plan lie what makes it: the kernels' rows twice, the pattern's spectrum, scratch.
class CircularMask final : public GpuAlgorithm {
 public:
  CircularMask(const ConvProblem& problem, std::unique_ptr<GpuAlgorithm> masking, std::unique_ptr<GpuAlgorithm> convolution,
               const GpuLimits& limits, TableCache& cache)
      : taps_(gpu::kernelTaps(problem, kernelWindow(problem))),
        masking_(std::move(masking)),
        convolution_(std::move(convolution)),
        info_(convolution_->info()) {
    // What float32 leaves of a dropped frequency is small beside the whole kernel, but not beside what a pattern with few
    // frequencies keeps. The second time nothing is left to leave.
    turns_ = mostPerKept * problem.mask->keptBins() < problem.mask->bins() ? 2 : 1;
    samples_ = (problem.sharedKernel ? 1 : problem.channels) * problem.length;
    blocks_ = std::min<int64_t>((samples_ + foldThreads - 1) / foldThreads, int64_t{limits.multiprocessors} * 8);
    std::vector<double> impulse(static_cast<size_t>(problem.length), 0.0);
    impulse[0] = 1;
    maskCircularRow(*problem.mask, Fft64(problem.length), impulse);
    const std::vector<float> pattern(impulse.begin(), impulse.end());
    const auto* bytes = reinterpret_cast<const uint8_t*>(pattern.data());
    pattern_ = cache.planTable({bytes, bytes + pattern.size() * sizeof(float)});
    rowsAt_[0] = aligned(info_.spectrumBytes);
    rowsAt_[1] = rowsAt_[0] + aligned(samples_ * 4);
    patternAt_ = rowsAt_[1] + aligned(samples_ * 4);
    workspaceAt_ = patternAt_ + aligned(masking_->info().spectrumBytes);
    info_.spectrumBytes = workspaceAt_ + masking_->info().workspaceBytes;
  }

  const PlanInfo& info() const override { return info_; }
  SkippedWork skippedWork() const override { return convolution_->skippedWork(); }

  void computeSpectrum(void* spectrum, const void* kernel, cudaStream_t stream) const override {
    char* const base = static_cast<char*>(spectrum);
    float* const rows[2] = {reinterpret_cast<float*>(base + rowsAt_[0]), reinterpret_cast<float*>(base + rowsAt_[1])};
    gpu::KernelTaps taps = taps_;
    taps.kernel = kernel;
    foldKernels<<<static_cast<unsigned>(blocks_), foldThreads, 0, stream>>>(taps, rows[0], samples_);
    checkCuda(cudaGetLastError(), "folding kernels");
    masking_->computeSpectrum(base + patternAt_, pattern_->data(), stream);
    for (int turn = 0; turn < turns_; ++turn) {
      ForwardPointers tensors;
      tensors.u = rows[turn % 2];
      tensors.y = rows[1 - turn % 2];
      if (masking_->info().workspaceBytes > 0) tensors.workspace = base + workspaceAt_;
      masking_->forward(base + patternAt_, tensors, stream);
    }
    convolution_->computeSpectrum(spectrum, rows[turns_ % 2], stream);
  }

  void forward(const void* spectrum, const ForwardPointers& tensors, cudaStream_t stream) const override {
    convolution_->forward(spectrum, tensors, stream);
  }

 private:
  gpu::KernelTaps taps_;
  std::unique_ptr<GpuAlgorithm> masking_, convolution_;
  PlanInfo info_;
  std::shared_ptr<Buffer> pattern_;  // its kernel: one period of float32 samples
  int64_t samples_ = 0, blocks_ = 0;
  int turns_ = 1;
  int64_t rowsAt_[2] = {}, patternAt_ = 0, workspaceAt_ = 0;  // within a spectrum
};

}  // namespace

ConvProblem maskedProblem(const ConvProblem& problem) {
  ConvProblem p = problem;
  p.mask = nullptr;
  p.kernelDtype = Dtype::float32;
  p.kernelLength = p.length;
  p.kernelChannelStride = p.sharedKernel ? 0 : p.length;
  return p;
}

ConvProblem maskingProblem(const ConvProblem& problem) {
  ConvProblem p = maskedProblem(problem);
  p.algorithm = FFC_ALGORITHM_AUTO;
  p.candidate.clear();
  p.precision = FFC_PRECISION_ACCURATE;
  p.dtype = Dtype::float32;
  p.preGate = p.postGate = p.skip = false;
  p.batch = problem.sharedKernel ? 1 : problem.channels;
  p.channels = 1;
  p.sharedKernel = true;
  p.kernelChannelStride = 0;
  p.u = p.pre = p.post = p.y = {p.length, p.length};
  return p;
}

std::unique_ptr<GpuAlgorithm> circularMask(const ConvProblem& problem, std::unique_ptr<GpuAlgorithm> masking,
                                           std::unique_ptr<GpuAlgorithm> convolution, const GpuLimits& limits, TableCache& cache) {
  return std::make_unique<CircularMask>(problem, std::move(masking), std::move(convolution), limits, cache);
}

}  // namespace ffc
