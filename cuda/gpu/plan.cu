// One convolution, planned: which algorithm, and why.
#include <cstdio>

#include "../host/algorithm_name.h"
#include "../host/status.h"
#include "device.h"

namespace ffc {

namespace {

struct Candidate {
  const char* name;
  std::unique_ptr<GpuAlgorithm> algorithm;  // null: cannot run this problem
  std::string why;                          // the reason, if so
  double cost = 0;                          // picoseconds per row
};

std::vector<Candidate> allCandidates(const ConvProblem& p, const GpuLimits& limits, TableCache& tables) {
  struct Family {
    const char* name;
    GpuAlgorithmFactory make;
  };
  const Family families[] = {{"direct", &makeDirect},
                             {"fused-mma", &makeFusedMma},
                             {"fused-fp32", &makeFusedFp32},
                             {"multi-pass", &makeMultiPass}};
  std::vector<Candidate> list;
  for (const Family& family : families) {
    Candidate c{family.name, nullptr, {}, 0};
    c.algorithm = family.make(p, limits, tables, &c.why);
    if (c.algorithm) c.cost = c.algorithm->rowPicoseconds();
    list.push_back(std::move(c));
  }
  return list;
}

std::string reasons(const std::vector<Candidate>& list) {
  std::string text;
  for (const Candidate& c : list)
    if (!c.algorithm) text += (text.empty() ? "" : "; ") + std::string(c.name) + ": " + c.why;
  return text;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

class CudaSpectrum : public Spectrum {
 public:
  explicit CudaSpectrum(std::shared_ptr<Buffer> buffer) : buffer_(std::move(buffer)) {}
  void* data() const { return buffer_->data(); }

 private:
  std::shared_ptr<Buffer> buffer_;
};

class CudaConvPlan : public ConvPlan {
 public:
  CudaConvPlan(std::shared_ptr<CudaDevice> device, const ConvProblem& problem)
      : device_(std::move(device)), problem_(problem) {
    if (problem_.mask)
      throw Error(FFC_UNSUPPORTED, "frequency-sparse plans are offered on the cpu device only");
    candidates_ = allCandidates(problem_, device_->limits(), *device_);
    const Candidate* best = nullptr;
    for (const Candidate& c : candidates_) {
      if (!c.algorithm) continue;
      // Each family honours a forced algorithm by itself: it declines when asked for another.
      if (!best || c.cost < best->cost) best = &c;
    }
    if (!best) refuse();
    chosen_ = best->algorithm.get();
    chosenName_ = best->name;
  }

  const ConvProblem& problem() const override { return problem_; }
  const PlanInfo& info() const override { return chosen_->info(); }

  std::string explainJson() const override {
    const PlanInfo& info = chosen_->info();
    std::string json = "{\"backend\":\"cuda\",\"algorithm\":" + quoted(algorithmName(info.algorithm)) +
                       ",\"family\":" + quoted(chosenName_) +
                       ",\"precision\":" + quoted(info.precision == FFC_PRECISION_FAST ? "fast" : "accurate") +
                       ",\"transformLength\":" + std::to_string(info.transformLength) +
                       ",\"segments\":" + std::to_string(info.segments) + ",\"radices\":[";
    for (int i = 0; i < info.order && info.radices[i]; ++i) json += (i ? "," : "") + std::to_string(info.radices[i]);
    json += "],\"spectrumBytes\":" + std::to_string(info.spectrumBytes) +
            ",\"workspaceBytes\":" + std::to_string(info.workspaceBytes) + ",\"candidates\":[";
    bool first = true;
    for (const Candidate& c : candidates_) {
      json += first ? "" : ",";
      first = false;
      json += "{\"family\":" + quoted(c.name) + ",\"usable\":" + (c.algorithm ? "true" : "false");
      if (c.algorithm) {
        char cost[32];
        std::snprintf(cost, sizeof cost, "%.6g", c.cost);
        json += std::string(",\"cost\":") + cost + ",\"reason\":" +
                quoted(c.algorithm.get() == chosen_ ? "the cheapest that can run it" : "costs more");
      } else {
        json += ",\"reason\":" + quoted(c.why);
      }
      json += "}";
    }
    return json + "],\"costUnit\":\"picoseconds of one row\"}";
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
  [[noreturn]] void refuse() const {
    const std::string why = reasons(candidates_);
    if (problem_.algorithm != FFC_ALGORITHM_AUTO)
      throw Error(FFC_UNSUPPORTED, std::string("algorithm ") + algorithmName(problem_.algorithm) +
                                       " cannot run this problem on this device. " + why +
                                       ". Algorithm 0 (auto) lets the planner choose");
    throw Error(FFC_LIMIT_EXCEEDED, "no CUDA algorithm runs length " + std::to_string(problem_.length) +
                                        " with a kernel of " + std::to_string(problem_.kernelLength) + " samples here. " +
                                        why + ". The cpu backend has no such limit");
  }

  // Before the candidates: their tables live on it.
  std::shared_ptr<CudaDevice> device_;
  ConvProblem problem_;
  std::vector<Candidate> candidates_;
  GpuAlgorithm* chosen_ = nullptr;
  const char* chosenName_ = "";
};

}  // namespace

std::shared_ptr<ConvPlan> makeCudaPlan(const std::shared_ptr<CudaDevice>& device, const ConvProblem& problem) {
  return std::make_shared<CudaConvPlan>(device, problem);
}

}  // namespace ffc
