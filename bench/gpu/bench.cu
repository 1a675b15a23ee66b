// Native harness for the CUDA backend, through the public C ABI: correctness of a table of cases against float64, and
// times by CUDA events, as JSON lines.
//
//   bench --lib build/libflashfftconv.so [--check] [--cover] [--speed] [--in-row] [--filter TEXT] [--without TEXT] [--out FILE] [--commit ID]
//         [--dirty 0|1] [--seconds LIMIT] [--part I/N] [--portable] [--shared-kb N]
//
// --in-row times calls in a row on different tensors, as a model makes them, where --speed times one between two events.
// --cover runs a few small cases of every compiled instance, for tools that slow a program down (compute-sanitizer).
// --part 1/3 runs the second third of what --check or --cover would.
// --portable and --shared-kb make every case run as on a smaller device. TEXT is a part of a case's name; of --filter, one
// of several with commas between them.
#include <cuda_runtime.h>

#include <cstdio>
#include <map>
#include <memory>
#include <regex>
#include <set>

#include "case_lists.h"
#include "runner.h"

using namespace bench;

namespace {

void cuda(cudaError_t code) {
  if (code != cudaSuccess) throw std::runtime_error(cudaGetErrorString(code));
}

__global__ void copyKernel(const float4* __restrict__ from, float4* __restrict__ to, int64_t count) {
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += int64_t{gridDim.x} * blockDim.x)
    to[i] = from[i];
}

// The best copy of this run, bytes read plus bytes written: what "memory floor" divides by.
double copyGBps() {
  const int64_t bytes = int64_t{1} << 30;
  void *from, *to;
  cuda(cudaMalloc(&from, bytes));
  cuda(cudaMalloc(&to, bytes));
  cuda(cudaMemset(from, 1, bytes));
  cudaEvent_t begin, end;
  cuda(cudaEventCreate(&begin));
  cuda(cudaEventCreate(&end));
  double best = 0;
  for (int i = 0; i < 20; ++i) {
    cuda(cudaEventRecord(begin));
    if (i % 2)
      copyKernel<<<132 * 16, 512>>>(static_cast<const float4*>(from), static_cast<float4*>(to), bytes / 16);
    else
      cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice));
    cuda(cudaEventRecord(end));
    cuda(cudaEventSynchronize(end));
    float ms;
    cuda(cudaEventElapsedTime(&ms, begin, end));
    best = std::max(best, 2.0 * bytes / ms * 1e-6);
  }
  cudaFree(from);
  cudaFree(to);
  return best;
}

// Of a flat member of the planner's JSON.
double numberIn(const std::string& json, const std::string& key) {
  const std::string name = "\"" + key + "\":";
  const size_t at = json.find(name);
  if (at == std::string::npos) throw std::runtime_error("no " + key + " in " + json);
  return std::stod(json.substr(at + name.size()));
}

// Whether one of the texts with commas between them is a part of the name.
bool containsAny(const std::string& name, const std::string& texts) {
  for (size_t begin = 0; begin <= texts.size();) {
    const size_t end = std::min(texts.find(',', begin), texts.size());
    if (name.find(texts.substr(begin, end - begin)) != std::string::npos) return true;
    begin = end + 1;
  }
  return false;
}

}  // namespace

int main(int count, char** arguments) {
  std::string path = "build/libflashfftconv.so", filter, without, out, commit = "unknown", dirty = "0";
  bool checks = false, cover = false, speed = false, inRow = false, portable = false;
  int64_t sharedLimit = 0;
  double limit = 1e9;
  int part = 0, parts = 1;
  for (int i = 1; i < count; ++i) {
    const std::string name = arguments[i];
    const auto value = [&] {
      if (i + 1 >= count) throw std::runtime_error(name + " needs a value");
      return std::string(arguments[++i]);
    };
    if (name == "--lib") path = value();
    else if (name == "--filter") filter = value();
    else if (name == "--without") without = value();
    else if (name == "--out") out = value();
    else if (name == "--commit") commit = value();
    else if (name == "--dirty") dirty = value();
    else if (name == "--seconds") limit = std::stod(value());
    else if (name == "--part") {
      if (std::sscanf(value().c_str(), "%d/%d", &part, &parts) != 2 || part < 0 || part >= parts)
        throw std::runtime_error("--part needs I/N, I from 0 to N - 1");
    } else if (name == "--check") checks = true;
    else if (name == "--cover") cover = true;
    else if (name == "--portable") portable = true;
    else if (name == "--shared-kb") sharedLimit = std::stoll(value()) * 1024;
    else if (name == "--speed") speed = true;
    else if (name == "--in-row") speed = inRow = true;
    else return std::fprintf(stderr, "unknown argument %s\n", arguments[i]), 2;
  }
  try {
    const Library library(path);
    std::FILE* file = out.empty() ? stdout : std::fopen(out.c_str(), "w");
    if (!file) throw std::runtime_error("cannot write " + out);
    Numbers numbers;
    std::map<std::pair<int64_t, bool>, std::unique_ptr<Runner>> runners;
    const auto runner = [&](const Case& c) -> Runner& {
      auto& r = runners[{c.sharedLimit, c.portable}];
      if (!r) r = std::make_unique<Runner>(library, numbers, c.sharedLimit, c.portable);
      return *r;
    };
    const auto wanted = [&](const Case& c) {
      const std::string name = c.name();
      return containsAny(name, filter) && (without.empty() || name.find(without) == std::string::npos);
    };
    const double begin = seconds();
    int candidates = 0;
    const auto mine = [&] { return candidates++ % parts == part; };
    int passed = 0, failed = 0, left = 0;
    const auto joined = [](std::vector<Case> list, const std::vector<Case>& more) {
      list.insert(list.end(), more.begin(), more.end());
      return list;
    };
    const auto check = [&](const Case& c) {
      const Result r = runner(c).run(c, false);
      r.failure.empty() ? ++passed : ++failed;
      std::fprintf(file, "{\"check\":\"%s\",\"ran\":\"%s\",\"transform\":%lld,\"relL2\":%.3e,\"tolerance\":%.2e,\"rows\":%lld,\"ok\":%s}\n",
                   c.name().c_str(), algorithmNames[r.info.algorithm], (long long)r.info.transform_length, r.relL2, c.tolerance(),
                   (long long)r.checkedRows, r.failure.empty() ? "true" : "false");
      if (!r.failure.empty() && failed <= 12) std::printf("FAILED %s [%s N=%lld]: %s\n", c.name().c_str(),
                  algorithmNames[r.info.algorithm], (long long)r.info.transform_length, r.failure.c_str());
    };
    // In the planner's JSON: what the plan runs, and each of the list.
    const std::regex chosenName("\"candidate\":\"([^\"]*)\""), everyName("\"name\":\"([^\"]*)\"");
    std::set<std::string> kinds;
    std::vector<Case> list;
    if (checks) list = joined(checkCases(), sparseCases(false));
    if (cover) list = coverCandidates();
    for (Case c : list) {
      if (c.sharedLimit == 0) c.sharedLimit = sharedLimit;
      c.portable |= portable;
      if (!wanted(c)) continue;
      if (seconds() - begin > limit) {
        ++left;
        continue;
      }
      ffc_plan_info info{};
      std::string explanation;
      if (cover && (!runner(c).offered(c, info, &explanation) || !kinds.insert(kindOf(c, info)).second)) continue;
      if (cover)
        for (const std::string& name : matches(explanation, chosenName))
          for (const std::string& part : partsOf(c, name)) kinds.insert(part);
      // In place needs a transform that holds the row, and a name its transform, which a smaller device may not have.
      if (c.sharedLimit > 0 && (c.inPlace || !c.candidate.empty()) && !(runner(c).offered(c, info) && info.in_place)) continue;
      // So does a pattern in a family that is asked for: several passes serve it there.
      if (c.sharedLimit > 0 && c.pattern && c.algorithm == FFC_ALGORITHM_FUSED_FP32 && !runner(c).offered(c, info)) continue;
      if (mine()) check(c);
    }
    if (cover)
      for (Case c : problemsForEveryCandidate()) {
        ffc_plan_info info{};
        std::string explanation;
        if (!runner(c).offered(c, info, &explanation)) continue;
        for (const std::string& name : matches(explanation, everyName)) {
          bool fresh = false;
          for (const std::string& part : partsOf(c, name)) fresh |= kinds.insert(part).second;
          c.candidate = name;
          if (!fresh || !wanted(c) || !mine()) continue;
          seconds() - begin > limit ? void(++left) : check(c);
        }
      }
    if (checks || cover) std::printf("%d passed, %d failed%s\n", passed, failed, left ? (", " + std::to_string(left) + " not run (time)").c_str() : "");
    if (speed) {
      cudaDeviceProp properties;
      cuda(cudaGetDeviceProperties(&properties, 0));
      int driver = 0;
      cuda(cudaDriverGetVersion(&driver));
      const double copy = copyGBps();
      std::printf("%s, copy %.0f GB/s\n", properties.name, copy);
      const size_t denseCases = speedCases().size();
      size_t number = 0;
      std::map<std::string, double> powerMs;  // of rows as long as a power of two, a sample
      double denseMs = 0;  // of the dense case that the sparse ones after it are compared with
      for (Case c : joined(speedCases(), sparseCases(true))) {
        const bool sparseOp = number++ >= denseCases;
        if (c.sharedLimit == 0) c.sharedLimit = sharedLimit;
        c.portable |= portable;
        if (!wanted(c)) continue;
        if (seconds() - begin > limit) {
          ++left;
          continue;
        }
        const Result r = runner(c).run(c, true, inRow);
        const double rows = static_cast<double>(c.batch * c.channels), scale = 49152.0 / rows;
        const double bytes = rows * bytesOf(c.dtype) * ((1.0 + !!(c.flags & FFC_CONV_PRE_GATE)) * c.length +
                                                        (1.0 + !!(c.flags & FFC_CONV_POST_GATE)) * c.outputLength());
        const double floorMs = bytes / copy * 1e-6;
        if (!c.pattern) denseMs = r.medianMs;
        // The time of a sample beside that of rows of the next power of two, where this run has measured them before.
        int64_t power = 1;
        while (power < c.length) power *= 2;
        const std::string like = std::string(modeNames[c.mode]) + "/" + dtypeNames[c.dtype] + (c.fast() ? "/fast/" : "/accurate/") +
                                 std::to_string(c.gates()) + "/" + std::to_string(c.batch) + "x" + std::to_string(c.channels) + "/" +
                                 std::to_string(power);
        const bool longKernel = c.kernelLength == c.length && !c.pattern && c.algorithm == FFC_ALGORITHM_AUTO && !(c.flags & FFC_CONV_SKIP);
        const double perSample = r.medianMs / static_cast<double>(c.length);
        if (longKernel && power == c.length) powerMs[like] = perSample;
        const double powerRatio = longKernel && powerMs.count(like) && powerMs[like] > 0 ? perSample / powerMs[like] : 0.0;
        std::string sparse = inRow ? "\"inRow\":true," : "";
        if (!sparseOp && c.flags & FFC_CONV_SKIP) sparse += "\"skip\":true,";
        if (sparseOp) {
          // What the plan says of a row, for all of them; a dense plan skips nothing.
          ffc_plan_info info{};
          std::string explanation;
          if (c.pattern) runner(c).offered(c, info, &explanation);
          const auto counted = [&](const char* key) { return rows * numberIn(explanation, key); };
          char text[320];
          std::snprintf(text, sizeof text, "\"sparsity\":%.6f,\"pattern\":\"%s\",\"skip\":%s,\"speedupVsDense\":%.4f,",
                        c.pattern ? c.pattern.zeros(c.mode == FFC_MODE_CIRCULAR ? c.length / 2 + 1 : sparsePoints(c.length)) : 0.0,
                        c.pattern ? c.pattern.name.c_str() : "dense", c.flags & FFC_CONV_SKIP ? "true" : "false",
                        r.medianMs > 0 ? denseMs / r.medianMs : 0.0);
          sparse += text;
          if (c.pattern) {
            std::snprintf(text, sizeof text, "\"flops\":%.6g,\"skippedFlops\":%.6g,\"movedBytes\":%.6g,\"skippedBytes\":%.6g,",
                          counted("rowFlops"), counted("rowFlopsSkipped"), counted("rowBytes"), counted("rowBytesSkipped"));
            sparse += text;
          }
        }
        std::fprintf(file,
                     "{\"commit\":\"%s\",\"dirty\":%s,\"device\":\"%s\",\"driver\":%d,\"copyGBps\":%.1f,\"op\":\"%s\",%s"
                     "\"mode\":\"%s\",\"dtype\":\"%s\",\"precision\":\"%s\",\"batch\":%lld,\"channels\":%lld,\"length\":%lld,"
                     "\"kernelLength\":%lld,\"gates\":%d,\"medianMs\":%.5f,\"scaledMs\":%.5f,\"floorMs\":%.5f,\"floorRatio\":%.4f,"
                     "\"relL2\":%.3e,\"peakBytes\":%lld,\"minMs\":%.5f,\"maxMs\":%.5f,\"calls\":%d,\"spectrumMs\":%.5f,\"freshMs\":%.5f,\"freshRatio\":%.4f,\"powerRatio\":%.4f,\"requested\":\"%s\","
                     "\"algorithm\":\"%s\",\"transformLength\":%lld,\"segments\":%lld,\"failure\":\"%s\"}\n",
                     commit.c_str(), dirty == "1" ? "true" : "false", properties.name, driver, copy, sparseOp ? "sparse" : c.partial() ? "partial" : "forward",
                     sparse.c_str(), modeNames[c.mode],
                     dtypeNames[c.dtype], c.fast() ? "fast" : "accurate", (long long)c.batch, (long long)c.channels,
                     (long long)c.length, (long long)c.kernelLength, c.gates(), r.medianMs, r.medianMs * scale, floorMs * 1.0,
                     r.medianMs > 0 ? floorMs / r.medianMs : 0.0, r.relL2, (long long)r.peakBytes, r.minMs, r.maxMs, r.calls, r.spectrumMs,
                     r.freshMs, r.medianMs > 0 ? r.freshMs / r.medianMs : 0.0, powerRatio, algorithmNames[c.algorithm], algorithmNames[r.info.algorithm], (long long)r.info.transform_length,
                     (long long)r.info.segments, r.failure.c_str());
        std::fflush(file);
        std::printf("%s N%lld %s: %.3f ms (x%.2f = %.3f) floor %.3f err %.1e sp %.3f fresh x%.2f dense/this %.2f power x%.2f%s%s\n", c.name().c_str(),
                    (long long)r.info.transform_length, algorithmNames[r.info.algorithm], r.medianMs, scale, r.medianMs * scale,
                    r.medianMs > 0 ? floorMs / r.medianMs : 0.0, r.relL2, r.spectrumMs,
                    r.medianMs > 0 ? r.freshMs / r.medianMs : 0.0,
                    c.pattern && r.medianMs > 0 ? denseMs / r.medianMs : 1.0, powerRatio, r.failure.empty() ? "" : " FAILED ", r.failure.c_str());
        if (!r.failure.empty()) ++failed;
      }
    }
    if (speed && left) std::printf("%d cases not run (time)\n", left);
    if (file != stdout) std::fclose(file);
    return failed ? 1 : 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
  }
}
