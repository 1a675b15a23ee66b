// One convolution, planned: which algorithm, and why.
#include <algorithm>
#include <utility>

#include "../host/algorithm_name.h"
#include "../host/frequency_mask.h"
#include "../host/number_text.h"
#include "../host/status.h"
#include "circular_mask.h"
#include "device.h"

namespace ffc {

namespace {

class CudaSpectrum : public Spectrum {
 public:
  explicit CudaSpectrum(std::shared_ptr<Buffer> buffer) : buffer_(std::move(buffer)) {}
  void* data() const { return buffer_->data(); }

 private:
  std::shared_ptr<Buffer> buffer_;
};

// What the families offer for a problem on a device so limited. The arguments outlive it.
Offers offersFor(const ConvProblem& problem, const GpuLimits& limits, CudaDevice& device) {
  Offers offers;
  for (const auto offer : {&offerDirect, &offerFusedMma, &offerFusedFp32, &offerMultiPass, &offerFilterBank})
    offer(problem, limits, device, offers);
  return offers;
}

// The problem that all families are asked for: of a circular pattern, the dense one with kernels that have been masked before.
bool masksKernels(const ConvProblem& problem) { return problem.mask && problem.circular(); }
ConvProblem askedFor(const ConvProblem& problem) { return masksKernels(problem) ? maskedProblem(problem) : problem; }

// What there is for a problem, of which `asked` is askedFor(): of a circular pattern, what has its frequencies, or bands of
// them, and leaves work out; then what masks kernels, which is not taken where another is as quick, because its spectra
// cost convolutions.
Offers allOffersFor(const ConvProblem& problem, const ConvProblem& asked, const GpuLimits& limits, CudaDevice& device) {
  Offers offers = offersFor(asked, limits, device);
  if (!masksKernels(problem)) return offers;
  offers.wrap([&](std::unique_ptr<GpuAlgorithm> convolution) {
    GpuLimits small = limits;  // scratch that lives as long as the spectrum
    small.scratchLimitBytes = std::min(small.scratchLimitBytes, int64_t{64} << 20);
    const ConvProblem masking = maskingProblem(problem);
    const Offers ofMasking = offersFor(masking, small, device);
    const Ranking ranking(ofMasking.candidates(), masking, *device.constants());
    return circularMask(problem, ofMasking.make(ranking.index()), std::move(convolution), limits, device);
  });
  Offers all;
  for (const auto offer : {&offerFusedMma, &offerFusedFp32, &offerMultiPass, &offerFilterBank}) offer(problem, limits, device, all);
  all.append(std::move(offers));
  return all;
}

class CudaConvPlan : public ConvPlan {
 public:
  CudaConvPlan(std::shared_ptr<CudaDevice> device, const ConvProblem& problem)
      : device_(std::move(device)), problem_(problem), ranking_(choose()) {
    info_ = chosen_->info();
    // Asked for by another name than its own: the one transform or the windows of a family.
    if (problem_.algorithm != FFC_ALGORITHM_AUTO) info_.algorithm = problem_.algorithm;
  }

  const ConvProblem& problem() const override { return problem_; }
  const PlanInfo& info() const override { return info_; }

  std::string explainJson() const override {
    std::string json = "{\"backend\":\"cuda\",\"algorithm\":" + quotedJson(algorithmName(info_.algorithm)) +
                       ",\"precision\":" + quotedJson(info_.precision == FFC_PRECISION_FAST ? "fast" : "accurate") +
                       ",\"transformLength\":" + std::to_string(info_.transformLength) +
                       ",\"segments\":" + std::to_string(info_.segments) + ",\"radices\":[";
    for (int i = 0; i < info_.order && i < 8 && info_.radices[i]; ++i) json += (i ? "," : "") + std::to_string(info_.radices[i]);
    return json + "],\"spectrumBytes\":" + std::to_string(info_.spectrumBytes) +
           ",\"workspaceBytes\":" + std::to_string(info_.workspaceBytes) + ranking_.json() + sparsityJson() + "}";
  }

  std::shared_ptr<Spectrum> createSpectrum() override {
    return std::make_shared<CudaSpectrum>(device_->createBuffer(info().spectrumBytes));
  }

  // Arguments need no keeping: a buffer that is destroyed waits for the device first.
  void computeSpectrum(const std::shared_ptr<Spectrum>& spectrum, const Region& kernel,
                       const std::shared_ptr<Stream>& stream) override {
    device_->use();
    chosen_->computeSpectrum(static_cast<CudaSpectrum&>(*spectrum).data(), kernel.as<const void>(), streamOf(stream));
  }

  void forward(const std::shared_ptr<Spectrum>& spectrum, const ForwardArgs& args,
               const std::shared_ptr<Stream>& stream) override {
    device_->use();
    ForwardPointers tensors;
    tensors.u = args.u.as<const void>();
    tensors.preGate = args.preGate.as<const void>();
    tensors.postGate = args.postGate.as<const void>();
    tensors.skip = args.skip.as<const void>();
    tensors.y = args.y.as<void>();
    tensors.workspace = args.workspace.as<void>();
    const void* data = static_cast<const CudaSpectrum&>(*spectrum).data();
    if (info().workspaceBytes > 0 && !tensors.workspace) {
      auto& cudaStream = static_cast<CudaStream&>(*stream);
      std::lock_guard<std::mutex> lock(cudaStream.workspaceMutex());
      tensors.workspace = cudaStream.workspace(device_, info().workspaceBytes);
      chosen_->forward(data, tensors, cudaStream.get());
      return;
    }
    chosen_->forward(data, tensors, streamOf(stream));
  }

 private:
  std::string sparsityJson() const {
    if (!problem_.mask) return "";
    const SkippedWork w = chosen_->skippedWork();
    return ",\"sparsity\":" + problem_.mask->explainBegin() + ",\"rowFlops\":" + numberText(w.flops) +
           ",\"rowFlopsSkipped\":" + numberText(w.flopsSkipped) + ",\"rowBytes\":" + numberText(w.bytes) +
           ",\"rowBytesSkipped\":" + numberText(w.bytesSkipped) + "}";
  }

  Ranking choose() {
    const GpuLimits& limits = device_->limits();
    const ConvProblem asked = askedFor(problem_);
    const Offers offers = allOffersFor(problem_, asked, limits, *device_);
    Ranking ranking(offers.candidates(), asked, *device_->constants());
    chosen_ = offers.make(ranking.index());
    return ranking;
  }

  // Before the algorithm: its tables live on the device.
  std::shared_ptr<CudaDevice> device_;
  ConvProblem problem_;
  std::unique_ptr<GpuAlgorithm> chosen_;
  Ranking ranking_;
  PlanInfo info_;
};

}  // namespace

std::shared_ptr<ConvPlan> makeCudaPlan(const std::shared_ptr<CudaDevice>& device, const ConvProblem& problem) {
  return std::make_shared<CudaConvPlan>(device, problem);
}

std::string cudaCandidate(CudaDevice& device, const ConvProblem& problem) {
  const ConvProblem asked = askedFor(problem);
  const Offers offers = allOffersFor(problem, asked, device.limits(), device);
  return Ranking(offers.candidates(), asked, *device.constants()).candidate().name;
}

}  // namespace ffc
