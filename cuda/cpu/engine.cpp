#include "engine.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>
#include <new>
#include <vector>

#include "conv_layout.h"
#include "cost_model.h"
#include "engine_variant.h"
#include "scratch.h"
#include "transform_plan.h"
#include "../host/algorithm_name.h"
#include "../host/fft64.h"
#include "../host/frequency_mask.h"
#include "../host/number_text.h"
#include "../planner/ranking.h"
#include "../planner/defaults.h"

namespace ffc {
namespace {

const SimdKernels& simdKernels(bool portable) {
#if defined(__x86_64__)
  if (!portable) {
    const bool avx2 =
        __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
      return simdKernelsAvx512();
    if (avx2) return simdKernelsAvx2();
  }
#endif
  (void)portable;
  return simdKernelsBaseline();
}

int64_t roundUp(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }

const char* at(const void* base, int64_t elements, Dtype dtype) {
  return base ? static_cast<const char*>(base) + elements * dtypeBytes(dtype) : nullptr;
}

// Counts finished work; several threads report, the caller sees a number that only grows. The unit is a block of a
// row, or where all threads share one transform, a vector of it.
class Meter {
 public:
  Meter(const Progress& progress, int64_t total) : progress_(progress), total_(total) {
    progress_.report(0);
    checkCancelled();
  }
  void checkCancelled() const { progress_.throwIfCancelled(); }
  void done(int64_t units) {
    if (!progress_.words) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    done_ += units;
    progress_.report(static_cast<double>(done_) / static_cast<double>(total_));
  }

 private:
  const Progress& progress_;
  const int64_t total_;
  std::mutex mutex_;
  int64_t done_ = 0;
};

class Engine : public CpuEngine {
 public:
  Engine(const ConvProblem& problem, const SimdKernels& simd, int threads, const Constants& constants)
      : problem_(problem),
        simd_(simd),
        threads_(std::max(1, threads)),
        taps_(kernelTaps(problem)),
        choice_(chooseFrom(cpuCandidates(problem, taps_, simd_.lanes, threads_, constants), constants)) {
    if (choice_.points) {
      plan_ = std::make_unique<TransformPlan>(choice_.points, simd_.lanes, cyclic() ? 0 : 1);
      if (choice_.ofPattern) plan_->skip([this](int64_t k) { return problem_.mask->keeps(k); });
      layout_ = choice_.ofPattern ? wholeRow(problem_, choice_.points) : blockLayout(problem_, taps_, 2 * choice_.points);
      spectrumRowFloats_ = 2 * choice_.points;
    } else {
      layout_.segments = choice_.segments;
      layout_.step = choice_.step;
      spectrumRowFloats_ = roundUp(taps_.count, 16);
    }
    const int64_t scratchFloats =
        choice_.points ? 2 * choice_.points : directInputFloats() + roundUp(choice_.step, simd_.lanes);
    scratch_ = std::make_unique<ScratchPool>(scratchFloats);
    if (taps_.folded && problem_.mask && !choice_.ofPattern) {
      checkHostHas(Fft64::bytesFor(problem_.length), "the transform that masks kernels");
      maskingTransform_ = std::make_unique<const Fft64>(problem_.length);
    }
    fillInfo();
  }

  const PlanInfo& info() const override { return info_; }
  std::string explainJson() const override;
  void computeSpectrum(void* spectrum, const void* kernel, ThreadPool& pool, const Progress& progress) const override;
  void forward(const void* spectrum, const HostTensors& tensors, ThreadPool& pool,
               const Progress& progress) const override;

 private:
  // One row of a call.
  struct Row {
    RowSource source;
    RowSink sink;
    const float* spectrum = nullptr;
  };

  CpuCandidate chooseFrom(const std::vector<CpuCandidate>& list, const Constants& constants);
  void fillInfo();
  // Where no transform has the frequencies of a circular pattern the kernel is masked instead of its spectrum.
  bool cyclic() const { return choice_.ofPattern && problem_.circular(); }
  void dropFrequencies(float* spectrumRow) const;
  std::string explainSparsity() const;
  int64_t kernelRows() const { return problem_.sharedKernel ? 1 : problem_.channels; }
  int64_t directInputFloats() const { return roundUp(taps_.count + choice_.step + 64, 16); }
  RowSource kernelSource(const void* kernel, int64_t row, std::vector<float>& folded) const;
  int64_t foldingBytes() const;
  void transformKernel(float* target, const RowSource& source) const;
  void transformKernelShared(float* target, const RowSource& source, ThreadPool& pool, Meter& meter) const;
  Row row(const void* spectrum, const HostTensors& tensors, int64_t index, const void* samples) const;
  void runBlock(const Row& row, int64_t segment, float* scratch) const;
  void runDirect(const Row& row, int64_t segment, float* scratch) const;
  void runShared(const Row& row, int64_t segment, float* scratch, ThreadPool& pool, Meter& meter) const;
  template <class First, class Blocks>
  void shareForward(float* data, ThreadPool& pool, const First& first, const Blocks& blocks, bool andBack) const;
  void forwardRows(const void* spectrum, const HostTensors& tensors, int64_t firstRow, int64_t rows,
                   const char* copies, ThreadPool& pool, Meter& meter) const;

  const ConvProblem problem_;
  const SimdKernels& simd_;
  const int threads_;
  const KernelTaps taps_;
  std::unique_ptr<Ranking> ranking_;  // before choice_, whose making fills it
  const CpuCandidate choice_;
  BlockLayout layout_;
  std::unique_ptr<TransformPlan> plan_;
  std::unique_ptr<ScratchPool> scratch_;
  std::unique_ptr<const Fft64> maskingTransform_;  // of circular patterns; making it takes longer than using it
  int64_t spectrumRowFloats_ = 0;
  PlanInfo info_;
};

CpuCandidate Engine::chooseFrom(const std::vector<CpuCandidate>& list, const Constants& constants) {
  Candidates candidates;
  for (const CpuCandidate& c : list) candidates.list.push_back(c.cost);
  for (const char* family : {"fused-mma", "fused-fp32", "multi-pass"})
    if (problem_.algorithm != FFC_ALGORITHM_AUTO && std::string(family) == algorithmName(problem_.algorithm))
      candidates.refusals.push_back({family, "it is for CUDA devices only"});
  if (problem_.mask && !problem_.circular())
    for (const char* family : {"direct", "overlap-save"})
      candidates.refusals.push_back({family, "a causal frequency-sparse convolution needs one spectrum of the whole row"});
  ranking_ = std::make_unique<Ranking>(candidates, problem_, constants);
  return list[ranking_->index()];
}

void Engine::fillInfo() {
  info_.algorithm = choice_.cost.algorithm;
  info_.precision = FFC_PRECISION_ACCURATE;
  info_.inPlace = true;
  info_.transformLength = choice_.points;
  info_.segments = choice_.points ? choice_.segments : 1;
  info_.spectrumBytes = kernelRows() * spectrumRowFloats_ * static_cast<int64_t>(sizeof(float));
  info_.workspaceBytes = 0;
  if (!plan_) return;
  std::vector<int64_t> factors;
  const Transform& t = plan_->transform();
  for (int i = 0; i < t.levels; ++i) factors.push_back(t.level[i].radix);
  factors.push_back(t.lanes);
  // The description has room for eight: the slowest ones of a very long transform are told as one product.
  while (factors.size() > 8) factors[1] *= factors[0], factors.erase(factors.begin());
  info_.order = static_cast<int32_t>(factors.size());
  for (size_t i = 0; i < factors.size(); ++i) info_.radices[i] = static_cast<int32_t>(factors[i]);
}

std::string Engine::explainJson() const {
  std::string text = "{\"backend\":\"cpu\"";
  const auto add = [&](const char* name, const std::string& value) {
    text += ",\"" + std::string(name) + "\":" + value;
  };
  const auto quoted = [](const char* word) { return "\"" + std::string(word) + "\""; };
  add("instructionSet", quoted(simd_.name));
  add("lanes", std::to_string(simd_.lanes));
  add("threads", std::to_string(threads_));
  add("algorithm", quoted(algorithmName(choice_.cost.algorithm)));
  add("kernelTaps", std::to_string(taps_.count));
  add("outputLength", std::to_string(problem_.outputLength));
  add("blocksPerRow", std::to_string(choice_.segments));
  add("outputsPerBlock", std::to_string(choice_.step));
  if (plan_) {
    add("transformLength", std::to_string(choice_.points));
    add("blockLength", std::to_string(layout_.period));
    std::string radices;
    const Transform& t = plan_->transform();
    for (int i = 0; i < t.levels; ++i) radices += std::to_string(t.level[i].radix) + ",";
    add("radices", "[" + radices + std::to_string(t.lanes) + "]");
    add("threadsShareOneTransform", choice_.split ? "true" : "false");
  }
  add("scratchBytesPerWorker", std::to_string(scratch_->floats() * static_cast<int64_t>(sizeof(float))));
  if (problem_.mask) add("sparsity", explainSparsity());
  return text + ranking_->json() + "}";
}

// What one row costs and what of it is skipped: floating-point operations of the transforms, by the usual count of
// 5 N log2 N and 6 N for a product, and bytes of row, spectrum and output. Data between the levels is not counted: it
// stays in caches where it fits them.
std::string Engine::explainSparsity() const {
  double flops = 0, skipped = 0, bytesSkipped = 0;
  double bytes = static_cast<double>((problem_.length + problem_.outputLength) * dtypeBytes(problem_.dtype)) +
                 static_cast<double>(spectrumRowFloats_) * sizeof(float);
  if (plan_) {
    const Transform& t = plan_->transform();
    const auto kept = [&](int64_t size) {  // the share of the blocks of so many vectors that is not skipped
      if (!t.keptGroups) return 1.0;
      int64_t count = 0;
      for (int64_t at = 0; at < t.vectors; at += size)
        count += t.keptGroups[(at + size + t.lanes - 1) / t.lanes] != t.keptGroups[at / t.lanes];
      return static_cast<double>(count) / static_cast<double>((t.vectors + size - 1) / size);
    };
    const double points = static_cast<double>(t.points) * static_cast<double>(choice_.segments);
    const auto add = [&](double operations, double share) {
      flops += operations * points;
      skipped += operations * points * (1 - share);
    };
    for (int i = 0; i < t.levels; ++i)
      add(2 * 5 * std::log2(t.level[i].radix), i ? kept(i + 1 < t.levels ? t.level[i].size : t.lanes) : 1.0);
    add(2 * 5 * std::log2(t.lanes) + 6, kept(t.lanes));
    bytesSkipped = static_cast<double>(spectrumRowFloats_) * sizeof(float) * (1 - kept(t.lanes));
  } else {
    flops = 2.0 * static_cast<double>(taps_.count) * static_cast<double>(problem_.outputLength);
  }
  return problem_.mask->explainBegin() + ",\"rowFlops\":" + numberText(flops) + ",\"rowFlopsSkipped\":" +
         numberText(skipped) + ",\"rowBytes\":" + numberText(bytes) + ",\"rowBytesSkipped\":" +
         numberText(bytesSkipped) + "}";
}

void Engine::dropFrequencies(float* spectrumRow) const {
  const int lanes = plan_->transform().lanes;
  plan_->eachFrequency([&](int64_t place, int64_t k) {
    if (!problem_.mask->keeps(k)) spectrumRow[place] = spectrumRow[place + lanes] = 0.0f;
  });
}

RowSource Engine::kernelSource(const void* kernel, int64_t row, std::vector<float>& folded) const {
  RowSource source;
  source.samples = at(kernel, row * problem_.kernelChannelStride + taps_.first, problem_.kernelDtype);
  source.dtype = static_cast<int32_t>(problem_.kernelDtype);
  source.length = taps_.count;
  if (!taps_.folded) return source;
  // The whole kernel, read in row lengths and summed in float64; without the frequencies that are dropped.
  const int64_t length = problem_.length, vectors = (length + simd_.lanes - 1) / simd_.lanes;
  source.length = problem_.kernelLength;
  std::vector<double> sum(static_cast<size_t>(length), 0.0);
  const FloatBlock part = allocateFloats(vectors * simd_.lanes, "a folded kernel");
  for (int64_t begin = 0; begin < problem_.kernelLength; begin += length) {
    simd_.loadRow(part.get(), source, begin, vectors);
    for (int64_t i = 0; i < length; ++i) sum[i] += part[i];
  }
  if (maskingTransform_) maskCircularRow(*problem_.mask, *maskingTransform_, sum);
  folded.assign(sum.begin(), sum.end());
  source.samples = folded.data();
  source.dtype = FFC_DTYPE_FLOAT32;
  source.length = length;
  return source;
}

// What kernelSource() takes for a row of its own.
int64_t Engine::foldingBytes() const {
  if (!taps_.folded) return 0;
  const int64_t sum = problem_.length * static_cast<int64_t>(sizeof(double) + sizeof(float));
  const int64_t folded = problem_.length * static_cast<int64_t>(sizeof(float));
  return sum + std::max(folded, maskingTransform_ ? maskingBytes(problem_.length) : 0);
}

// A single transform on all threads: the first levels in strips, until there are enough blocks to go round, then
// whole blocks, then back. Every loop ends before the next begins, because each level needs all of the one before.
template <class First, class Blocks>
void Engine::shareForward(float* data, ThreadPool& pool, const First& first, const Blocks& blocks,
                          bool andBack) const {
  const Transform& t = plan_->transform();
  constexpr int64_t unit = 16;  // strips begin at multiples of the tiles in which the first level works
  const auto strips = [&](int64_t stride, const auto& body) {
    const int64_t strip = roundUp((stride + 8 * threads_ - 1) / (8 * threads_), unit);
    pool.parallelFor((stride + strip - 1) / strip,
                     [&](int64_t i) { body(i * strip, std::min(stride, (i + 1) * strip)); });
  };
  strips(t.level[0].stride, first);
  int level = 1;
  int64_t count = t.level[0].radix;
  const auto divisible = [&](int l) { return l < t.levels && t.level[l].size % t.lanes == 0; };
  while (count < 2 * threads_ && level + 1 < t.levels - 1 && divisible(level + 1) && t.level[level].stride >= 1024) {
    for (int64_t b = 0; b < count; ++b)
      strips(t.level[level].stride, [&](int64_t m0, int64_t m1) {
        simd_.forwardLevel(t, level, data, b * t.level[level].size, m0, m1);
      });
    count *= t.level[level++].radix;
  }
  if (divisible(level))
    pool.parallelFor(count, [&](int64_t b) { blocks(level, b * t.level[level].size, 1); });
  else
    blocks(level, 0, count);
  while (andBack && level > 1) {
    count /= t.level[--level].radix;
    for (int64_t b = 0; b < count; ++b)
      strips(t.level[level].stride, [&](int64_t m0, int64_t m1) {
        simd_.inverseLevel(t, level, data, b * t.level[level].size, m0, m1);
      });
  }
}

void Engine::transformKernel(float* target, const RowSource& source) const {
  const Transform& t = plan_->transform();
  simd_.loadFirstLevel(t, target, source, 0, 0, t.level[0].stride);
  // The inverse transform leaves a factor of `points`; the spectrum takes it out.
  simd_.transformBlocks(t, 1, target, 0, t.level[0].radix, static_cast<float>(1.0 / static_cast<double>(t.points)));
}

void Engine::transformKernelShared(float* target, const RowSource& source, ThreadPool& pool, Meter& meter) const {
  const Transform& t = plan_->transform();
  const float scale = static_cast<float>(1.0 / static_cast<double>(t.points));
  shareForward(
      target, pool,
      [&](int64_t m0, int64_t m1) {
        meter.checkCancelled();
        simd_.loadFirstLevel(t, target, source, 0, m0, m1);
        meter.done((m1 - m0) * t.level[0].radix);
      },
      [&](int level, int64_t offset, int64_t count) {
        meter.checkCancelled();
        simd_.transformBlocks(t, level, target, offset, count, scale);
        meter.done(count * t.level[level].size);
      },
      false);
}

void Engine::computeSpectrum(void* spectrum, const void* kernel, ThreadPool& pool, const Progress& progress) const {
  float* target = static_cast<float*>(spectrum);
  const int64_t wanted = std::min<int64_t>(threads_, kernelRows());
  const int64_t workers = workersHostHas(wanted, foldingBytes(), "the memory to fold a kernel in");
  if (plan_ && kernelRows() < threads_ && choice_.points >= (1 << 13)) {
    Meter meter(progress, kernelRows() * 2 * plan_->transform().vectors);  // each vector is loaded, then transformed
    for (int64_t i = 0; i < kernelRows(); ++i) {
      std::vector<float> folded;
      transformKernelShared(target + i * spectrumRowFloats_, kernelSource(kernel, i, folded), pool, meter);
      if (choice_.ofPattern) dropFrequencies(target + i * spectrumRowFloats_);
    }
    return;
  }
  Meter meter(progress, kernelRows());
  const auto computeRow = [&](int64_t i) {
    meter.checkCancelled();
    std::vector<float> folded;
    const RowSource source = kernelSource(kernel, i, folded);
    float* row = target + i * spectrumRowFloats_;
    if (plan_) {
      transformKernel(row, source);
      if (choice_.ofPattern) dropFrequencies(row);
    } else
      simd_.loadRow(row, source, 0, spectrumRowFloats_ / simd_.lanes);
    meter.done(1);
  };
  if (workers == wanted) return pool.parallelFor(kernelRows(), computeRow);
  // No more rows at once than there is memory for.
  pool.parallelFor(workers, [&](int64_t first) {
    for (int64_t i = first; i < kernelRows(); i += workers) computeRow(i);
  });
}

float scalar(const void* values, int64_t index, Dtype dtype, const SimdKernels& simd) {
  alignas(64) float vector[16];
  RowSource source;
  source.samples = at(values, index, dtype);
  source.dtype = static_cast<int32_t>(dtype);
  source.length = 1;
  simd.loadRow(vector, source, 0, 1);
  return vector[0];
}

// Row `index` counts batches within channels, so that consecutive rows use the same spectrum. `samples` replaces
// the row of u where that is about to be overwritten.
Engine::Row Engine::row(const void* spectrum, const HostTensors& tensors, int64_t index, const void* samples) const {
  const int64_t channel = index / problem_.batch, batch = index % problem_.batch;
  const auto rowOf = [&](const void* base, const Strides& s) {
    return at(base, batch * s.batch + channel * s.channel, problem_.dtype);
  };
  const int32_t dtype = static_cast<int32_t>(problem_.dtype);
  Row r;
  r.source.samples = samples ? samples : rowOf(tensors.u, problem_.u);
  r.source.gate = problem_.preGate ? rowOf(tensors.preGate, problem_.pre) : nullptr;
  r.source.dtype = dtype;
  r.source.length = problem_.length;
  r.source.periodic = problem_.circular() && !cyclic();
  r.sink.y = const_cast<char*>(rowOf(tensors.y, problem_.y));
  r.sink.post = problem_.postGate ? rowOf(tensors.postGate, problem_.post) : nullptr;
  if (problem_.skip) {
    r.sink.skipSamples = r.source.samples;
    r.sink.skipGate = r.source.gate;
    r.sink.skip = scalar(tensors.skip, channel, problem_.skipDtype, simd_);
  }
  r.sink.dtype = dtype;
  r.spectrum = static_cast<const float*>(spectrum) + (problem_.sharedKernel ? 0 : channel) * spectrumRowFloats_;
  return r;
}

void Engine::runBlock(const Row& r, int64_t segment, float* scratch) const {
  const Transform& t = plan_->transform();
  const int64_t stride = t.level[0].stride;
  simd_.loadFirstLevel(t, scratch, r.source, layout_.begin(segment), 0, stride);
  simd_.convolveBlocks(t, 1, scratch, 0, t.level[0].radix, r.spectrum);
  simd_.storeFirstLevel(t, scratch, r.sink, layout_.outputs(segment, problem_.outputLength), 0, stride);
}

void Engine::runDirect(const Row& r, int64_t segment, float* scratch) const {
  const OutputSpan span = layout_.outputs(segment, problem_.outputLength);
  const int64_t begin = span.first + taps_.offset;  // in the full convolution
  // Taps that meet an input of the row in some output of this tile.
  const bool periodic = r.source.periodic;
  const int64_t low = periodic ? 0 : std::max<int64_t>(0, begin - problem_.length + 1);
  const int64_t high = periodic ? taps_.count - 1 : std::min(taps_.count - 1, begin + span.count - 1);
  const int64_t count = high - low + 1, W = simd_.lanes;
  const int64_t vectors = (span.count + W - 1) / W;
  float* out = scratch;
  float* input = scratch + roundUp(choice_.step, W);
  simd_.loadRow(input, r.source, begin - high, (count - 1 + vectors * W + W - 1) / W);
  simd_.direct(out, input + count - 1, r.spectrum + low, count, vectors);
  simd_.storeRow(out, r.sink, span, vectors);
}

void Engine::runShared(const Row& r, int64_t segment, float* data, ThreadPool& pool, Meter& meter) const {
  const Transform& t = plan_->transform();
  const int64_t begin = layout_.begin(segment);
  const OutputSpan span = layout_.outputs(segment, problem_.outputLength);
  shareForward(
      data, pool,
      [&](int64_t m0, int64_t m1) {
        meter.checkCancelled();
        simd_.loadFirstLevel(t, data, r.source, begin, m0, m1);
        meter.done((m1 - m0) * t.level[0].radix);
      },
      [&](int level, int64_t offset, int64_t count) {
        meter.checkCancelled();
        simd_.convolveBlocks(t, level, data, offset, count, r.spectrum);
        meter.done(count * t.level[level].size);
      },
      true);
  const int64_t stride = t.level[0].stride, strip = roundUp((stride + 8 * threads_ - 1) / (8 * threads_), 16);
  pool.parallelFor((stride + strip - 1) / strip, [&](int64_t i) {
    meter.checkCancelled();
    const int64_t m0 = i * strip, m1 = std::min(stride, m0 + strip);
    simd_.storeFirstLevel(t, data, r.sink, span, m0, m1);
    meter.done((m1 - m0) * t.level[0].radix);
  });
}

// Rows firstRow .. firstRow + rows - 1; copies, if given, holds their inputs.
void Engine::forwardRows(const void* spectrum, const HostTensors& tensors, int64_t firstRow, int64_t rows,
                         const char* copies, ThreadPool& pool, Meter& meter) const {
  const auto rowAt = [&](int64_t i) {
    return row(spectrum, tensors, firstRow + i, copies ? at(copies, i * problem_.length, problem_.dtype) : nullptr);
  };
  const int64_t segments = layout_.segments, units = rows * segments;
  if (choice_.split) {
    const ScratchPool::Lease scratch(*scratch_);
    for (int64_t u = 0; u < units; ++u) runShared(rowAt(u / segments), u % segments, scratch.data(), pool, meter);
    return;
  }
  // Pieces long enough that handing them out costs nothing, short enough that the threads end together.
  constexpr double pieceNs = 50e3;
  const int64_t wanted = static_cast<int64_t>(std::ceil(pieceNs / choice_.blockNs));
  const int64_t piece = std::max<int64_t>(1, std::min(wanted, units / (4 * threads_)));
  pool.parallelFor((units + piece - 1) / piece, [&](int64_t index) {
    meter.checkCancelled();
    const ScratchPool::Lease scratch(*scratch_);
    const int64_t end = std::min(units, (index + 1) * piece);
    for (int64_t u = index * piece; u < end; ++u) {
      const Row r = rowAt(u / segments);
      if (plan_)
        runBlock(r, u % segments, scratch.data());
      else
        runDirect(r, u % segments, scratch.data());
    }
    meter.done(end - index * piece);
  });
}

void Engine::forward(const void* spectrum, const HostTensors& tensors, ThreadPool& pool,
                     const Progress& progress) const {
  const int64_t rows = problem_.rows(), segments = layout_.segments;
  // Where threads share one transform, each vector of it is loaded, convolved and stored.
  Meter meter(progress, rows * segments * (choice_.split ? 3 * plan_->transform().vectors : 1));
  // A block reads all its inputs before it writes, so a row of one block can be computed in place as it is. Of
  // several blocks each reads inputs that its neighbour overwrites: such rows are copied first, a few at a time.
  if (tensors.y != tensors.u || segments == 1) return forwardRows(spectrum, tensors, 0, rows, nullptr, pool, meter);
  const int64_t group = std::min<int64_t>(rows, (4 * threads_ + segments - 1) / segments);
  const int64_t rowBytes = problem_.length * dtypeBytes(problem_.dtype);
  const FloatBlock copies = allocateFloats((group * rowBytes + 3) / 4, "the copy of a row that is computed in place");
  char* const bytes = reinterpret_cast<char*>(copies.get());
  for (int64_t first = 0; first < rows; first += group) {
    const int64_t count = std::min(group, rows - first);
    pool.parallelFor(count, [&](int64_t i) {
      std::memcpy(bytes + i * rowBytes, row(spectrum, tensors, first + i, nullptr).source.samples,
                  static_cast<size_t>(rowBytes));
    });
    forwardRows(spectrum, tensors, first, count, bytes, pool, meter);
  }
}

}  // namespace

std::unique_ptr<CpuEngine> makeCpuEngineWith(const SimdKernels& simd, const ConvProblem& problem, int threads,
                                             std::shared_ptr<const Constants> constants) {
  if (!constants) constants = std::make_shared<Constants>(cpuConstants(simd.lanes, std::max(1, threads)));
  try {
    return std::make_unique<Engine>(problem, simd, threads, *constants);
  } catch (const std::bad_alloc&) {
    throw Error(FFC_OUT_OF_MEMORY, "the host has no memory left for the tables of this plan");
  }
}

std::unique_ptr<CpuEngine> makeCpuEngine(const ConvProblem& problem, const CpuEngineOptions& options) {
  return makeCpuEngineWith(simdKernels(options.portable), problem, options.threads, options.constants);
}

const char* cpuInstructionSet(bool portable) { return simdKernels(portable).name; }
int cpuLanes(bool portable) { return simdKernels(portable).lanes; }

}  // namespace ffc
