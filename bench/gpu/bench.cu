// Native harness for the CUDA backend, through the public C ABI: correctness of a table of cases against float64, and
// times by CUDA events, as JSON lines.
//
//   bench --lib build/libflashfftconv.so [--check] [--cover] [--speed] [--filter TEXT] [--out FILE] [--commit ID]
//         [--dirty 0|1] [--seconds LIMIT] [--portable] [--shared-kb N]
//
// --cover runs a few small cases of every compiled instance, for tools that slow a program down (compute-sanitizer).
// --portable and --shared-kb make every case run as on a smaller device.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <random>
#include <regex>
#include <set>
#include <thread>

#include "library.h"
#include "reference.h"
#include "sparse.h"

using namespace bench;

namespace {

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void cuda(cudaError_t code) {
  if (code != cudaSuccess) throw std::runtime_error(cudaGetErrorString(code));
}

// ------------------------------------------------------------------------------------------------ numbers

int64_t bytesOf(int dtype) { return dtype == FFC_DTYPE_FLOAT32 ? 4 : 2; }

void store(void* data, int64_t i, int dtype, float v) {
  if (dtype == FFC_DTYPE_FLOAT32) static_cast<float*>(data)[i] = v;
  if (dtype == FFC_DTYPE_FLOAT16) static_cast<__half*>(data)[i] = __float2half_rn(v);
  if (dtype == FFC_DTYPE_BFLOAT16) static_cast<__nv_bfloat16*>(data)[i] = __float2bfloat16_rn(v);
}

double load(const void* data, int64_t i, int dtype) {
  if (dtype == FFC_DTYPE_FLOAT32) return static_cast<const float*>(data)[i];
  if (dtype == FFC_DTYPE_FLOAT16) return __half2float(static_cast<const __half*>(data)[i]);
  return __bfloat162float(static_cast<const __nv_bfloat16*>(data)[i]);
}

const char* dtypeNames[] = {"", "float32", "float16", "bfloat16"};
const char* modeNames[] = {"", "causal", "circular", "full", "same", "valid"};
const char* algorithmNames[] = {"auto", "direct", "fft", "overlap-save", "fused-mma", "fused-fp32", "multi-pass"};

// -------------------------------------------------------------------------------------------------- cases

struct Case {
  int mode = FFC_MODE_CAUSAL, dtype = FFC_DTYPE_FLOAT32, kernelDtype = FFC_DTYPE_FLOAT32;
  int precision = FFC_PRECISION_DEFAULT, algorithm = FFC_ALGORITHM_AUTO;
  uint32_t flags = 0;
  int64_t batch = 1, channels = 1, length = 1, kernelLength = 1;
  int64_t rowGap = 0;       // extra elements between rows of u, gates and y (an odd number leaves them unaligned)
  bool inPlace = false;
  int64_t sharedLimit = 0;  // pretend a smaller device
  bool portable = false;
  bool hostArrays = false;  // through ffc_convolve_host
  int64_t checkedRows = 24;
  std::string candidate;  // of the planner's, by name
  Pattern pattern;          // frequency-sparse

  int gates() const { return !!(flags & FFC_CONV_PRE_GATE) + !!(flags & FFC_CONV_POST_GATE); }
  std::string name() const {
    std::string s = std::string(modeNames[mode]) + "/" + dtypeNames[dtype] + "/" + algorithmNames[algorithm] + "/B" +
                    std::to_string(batch) + "/H" + std::to_string(channels) + "/L" + std::to_string(length) + "/K" +
                    std::to_string(kernelLength) + "/g" + std::to_string(gates());
    if (kernelDtype != FFC_DTYPE_FLOAT32) s += std::string("/k-") + dtypeNames[kernelDtype];
    if (precision) s += precision == FFC_PRECISION_FAST ? "/fast" : "/accurate";
    if (flags & FFC_CONV_SKIP) s += "/skip";
    if (flags & FFC_CONV_SHARED_KERNEL) s += "/shared";
    if (rowGap) s += "/gap" + std::to_string(rowGap);
    if (inPlace) s += "/in-place";
    if (sharedLimit) s += "/smem" + std::to_string(sharedLimit);
    if (portable) s += "/portable";
    if (hostArrays) s += "/host";
    if (!candidate.empty()) s += "/by-name/" + candidate;
    if (!pattern.name.empty()) s += "/sparse-" + pattern.name;
    return s;
  }
  int64_t outputLength() const {
    const int64_t L = length, K = kernelLength;
    if (mode == FFC_MODE_FULL) return L + K - 1;
    if (mode == FFC_MODE_VALID) return std::max(L, K) - std::min(L, K) + 1;
    return L;
  }
  int64_t outputOffset() const {
    if (mode == FFC_MODE_SAME) return (kernelLength - 1) / 2;
    if (mode == FFC_MODE_VALID) return std::min(length, kernelLength) - 1;
    return 0;
  }
  // A kernel much shorter than a long row.
  bool partial() const { return length >= 65536 && kernelLength * 8 <= length; }
  bool fast() const {
    return precision == FFC_PRECISION_FAST || (precision == FFC_PRECISION_DEFAULT && dtype == FFC_DTYPE_BFLOAT16);
  }
  // Relative L2 error allowed against float64 on the rounded inputs: the documented classes. They hold for many
  // samples; a few may all lie where rounding to the output's type is worst (twice the average error or more).
  // Outputs with few frequencies repeat themselves: they count as so many independent ones as frequencies are kept. And rows
  // of one size do not average over where in their binade they lie, which for the rounding to bfloat16 is up to 5 %.
  double tolerance(int64_t samples) const {
    const double kept = pattern ? 1 - pattern.zeros(sparsePoints(length)) : 1.0;
    return tolerance() * (pattern ? 1.05 : 1.0) * (1.0 + 1.5 / std::sqrt(std::max(1.0, kept * double(samples))));
  }
  double tolerance() const {
    const bool longRow = length > 8192;
    if (dtype == FFC_DTYPE_BFLOAT16) return fast() ? (longRow ? 2.15e-3 : 2.0e-3) : 1.75e-3;
    if (dtype == FFC_DTYPE_FLOAT16) return fast() ? (longRow ? 1.4e-3 : 1.1e-3) : 6e-4;
    return fast() ? 8e-4 : 1e-6;
  }
};

// One (B, H, samples) tensor with guards around it and gaps between its rows. Its values repeat a table of random
// numbers, so that large ones are filled fast and any row can be recomputed.
struct Layout {
  int64_t batch, channels, samples, gap, guard = 64;
  int64_t channelStride() const { return samples + gap; }
  int64_t batchStride() const { return channels * channelStride() + gap; }
  int64_t elements() const { return 2 * guard + (batch - 1) * batchStride() + channels * channelStride(); }
  int64_t at(int64_t b, int64_t h) const { return guard + b * batchStride() + h * channelStride(); }
};

class Random {
 public:
  explicit Random(unsigned seed) : values_(size) {
    std::mt19937_64 generator(seed);
    std::normal_distribution<float> normal;
    for (float& v : values_) v = normal(generator);
  }
  // The table rounded to a dtype.
  const std::vector<uint8_t>& rounded(int dtype) {
    auto& bytes = rounded_[dtype];
    if (bytes.empty()) {
      bytes.resize(size * bytesOf(dtype));
      for (int64_t i = 0; i < size; ++i) store(bytes.data(), i, dtype, values_[i]);
    }
    return bytes;
  }
  double at(int64_t element, int dtype) { return load(rounded(dtype).data(), element % size, dtype); }
  static constexpr int64_t size = 4194301;  // prime, so that rows do not repeat

 private:
  std::vector<float> values_;
  std::map<int, std::vector<uint8_t>> rounded_;
};

// What all tensors are filled from; making it takes a second.
struct Numbers {
  Random u{1}, pre{2}, post{3}, kernel{4}, skip{5};
};

struct Result {
  double relL2 = 0, maxError = 0, medianMs = 0, minMs = 0, maxMs = 0, spectrumMs = 0, freshMs = 0;
  int64_t peakBytes = 0, checkedRows = 0;
  int calls = 1;  // timed together
  ffc_plan_info info{};
  std::string failure;
};

constexpr int64_t smallCallBytes = int64_t{16} << 20;

class Runner {
 public:
  Runner(const Library& library, Numbers& numbers, int64_t sharedLimit, bool portable) : lib_(library), numbers_(numbers) {
    ffc_context_desc desc{};
    desc.struct_size = sizeof desc;
    desc.device_type = FFC_DEVICE_CUDA;
    desc.shared_memory_limit_bytes = sharedLimit;
    desc.flags = portable ? FFC_CONTEXT_PORTABLE : 0;
    lib_.call(lib_.ffc_context_create, &desc, &context_);
  }
  ~Runner() { lib_.ffc_context_destroy(context_, nullptr); }

  void createPlan(const Case& c, const ffc_conv_desc& d, ffc_plan* plan) const {
    ffc_sparsity sparsity{};
    sparsity.struct_size = sizeof sparsity;
    sparsity.kind = c.pattern.kind;
    sparsity.block = c.pattern.block;
    sparsity.keep_count = static_cast<int64_t>(c.pattern.keep.size());
    lib_.call(lib_.ffc_plan_create_candidate, context_, &d, static_cast<const ffc_sparsity*>(c.pattern ? &sparsity : nullptr),
              c.pattern ? c.pattern.keep.data() : nullptr, c.candidate.c_str(), plan);
  }

  // Whether there is a plan for it; a forced algorithm need not be offered. With the planner's reasons, if asked for.
  bool offered(const Case& c, ffc_plan_info& info, std::string* explanation = nullptr) const {
    const Layout in{c.batch, c.channels, c.length, c.rowGap}, out{c.batch, c.channels, c.outputLength(), c.rowGap};
    const ffc_conv_desc d = descriptor(c, in, out);
    ffc_plan plan = 0;
    ffc_error error{};
    error.struct_size = sizeof error;
    const ffc_status status = lib_.ffc_plan_create(context_, &d, &plan, &error);
    if (status == FFC_UNSUPPORTED) return false;
    if (status != FFC_OK) throw std::runtime_error(c.name() + ": " + error.message);
    info.struct_size = sizeof info;
    lib_.call(lib_.ffc_plan_info_get, plan, &info);
    if (explanation) {
      size_t needed = 0;
      lib_.call(lib_.ffc_plan_explain, plan, static_cast<char*>(nullptr), size_t{0}, &needed);
      explanation->resize(needed + 1);
      lib_.call(lib_.ffc_plan_explain, plan, explanation->data(), explanation->size(), &needed);
      explanation->resize(needed);
    }
    lib_.call(lib_.ffc_plan_destroy, plan);
    return true;
  }

  Result run(const Case& c, bool timed) {
    Result r;
    std::vector<ffc_buffer> buffers;
    ffc_plan plan = 0;
    ffc_spectrum spectrum = 0;
    try {
      lib_.call(lib_.ffc_memory_reset_peak, context_);
      run(c, timed, r, buffers, plan, spectrum);
    } catch (const std::exception& e) {
      r.failure = e.what();
    }
    lib_.ffc_spectrum_destroy(spectrum, nullptr);
    lib_.ffc_plan_destroy(plan, nullptr);
    for (const ffc_buffer b : buffers) lib_.ffc_buffer_destroy(b, nullptr);
    return r;
  }

 private:
  ffc_buffer allocate(std::vector<ffc_buffer>& list, int64_t bytes) {
    ffc_buffer b = 0;
    lib_.call(lib_.ffc_buffer_create, context_, bytes, &b);
    list.push_back(b);
    return b;
  }

  void fill(ffc_buffer buffer, int64_t elements, int dtype, Random& values) {
    const auto& table = values.rounded(dtype);
    int64_t done = std::min(Random::size, elements);
    lib_.call(lib_.ffc_buffer_write, buffer, int64_t{0}, static_cast<const void*>(table.data()), done * bytesOf(dtype), ffc_stream{0});
    for (int64_t next; done < elements; done += next) {  // whole tables until the last copy
      next = std::min(done, elements - done);
      lib_.call(lib_.ffc_buffer_copy, buffer, done * bytesOf(dtype), buffer, int64_t{0}, next * bytesOf(dtype), ffc_stream{0});
    }
  }

  static ffc_conv_desc descriptor(const Case& c, const Layout& in, const Layout& out) {
    ffc_conv_desc d{};
    d.struct_size = sizeof d;
    d.mode = c.mode;
    d.dtype = c.dtype;
    d.kernel_dtype = c.kernelDtype;
    d.precision = c.precision;
    d.algorithm = c.algorithm;
    d.flags = c.flags;
    d.batch = c.batch;
    d.channels = c.channels;
    d.length = c.length;
    d.kernel_length = c.kernelLength;
    d.u_batch_stride = d.pre_gate_batch_stride = in.batchStride();
    d.u_channel_stride = d.pre_gate_channel_stride = in.channelStride();
    d.y_batch_stride = d.post_gate_batch_stride = out.batchStride();
    d.y_channel_stride = d.post_gate_channel_stride = out.channelStride();
    return d;
  }

  // The same problem on host arrays, with the same guards; also progress, and stopping before the start.
  void runHost(const Case& c, const ffc_conv_desc& d, const Layout& in, const Layout& out, Result& r) {
    const int64_t element = bytesOf(c.dtype), kernels = c.flags & FFC_CONV_SHARED_KERNEL ? 1 : c.channels;
    const auto filled = [](Random& values, int64_t elements, int dtype, bool used) {
      std::vector<uint8_t> bytes(used ? elements * bytesOf(dtype) : 0);
      const auto& table = values.rounded(dtype);
      for (size_t i = 0; i < bytes.size(); i += table.size())
        std::memcpy(&bytes[i], table.data(), std::min(table.size(), bytes.size() - i));
      return bytes;
    };
    const auto u = filled(u_, in.elements(), c.dtype, true), kernel = filled(kernel_, kernels * c.kernelLength, c.kernelDtype, true);
    const auto pre = filled(pre_, in.elements(), c.dtype, c.flags & FFC_CONV_PRE_GATE);
    const auto post = filled(post_, out.elements(), c.dtype, c.flags & FFC_CONV_POST_GATE);
    const auto skip = filled(skip_, c.channels, c.kernelDtype, c.flags & FFC_CONV_SKIP);
    std::vector<uint8_t> y(out.elements() * element, 0xff);
    const auto at = [&](const std::vector<uint8_t>& v, const Layout& l) -> const void* {
      return v.empty() ? nullptr : v.data() + l.guard * element;
    };
    const auto convolve = [&](int32_t* progress) {
      lib_.call(lib_.ffc_convolve_host, context_, &d, at(u, in), static_cast<const void*>(kernel.data()), at(pre, in),
                at(post, out), skip.empty() ? nullptr : static_cast<const void*>(skip.data()),
                const_cast<void*>(at(y, out)), progress);
    };
    int32_t stopped[2] = {0, 1};
    try {
      convolve(stopped);
      r.failure = "a call that was cancelled before it began ran to its end";
      return;
    } catch (const std::exception& e) {
      if (std::strncmp(e.what(), "500", 3) != 0) throw;
    }
    int32_t progress[2] = {0, 0};
    const double begin = seconds();
    convolve(progress);
    r.medianMs = (seconds() - begin) * 1e3;
    if (progress[0] != 1000) r.failure = "progress ended at " + std::to_string(progress[0]);
    check(c, r, out, false, [&](int64_t offset, void* target, int64_t bytes) { std::memcpy(target, &y[offset], bytes); });
  }

  void run(const Case& c, bool timed, Result& r, std::vector<ffc_buffer>& buffers, ffc_plan& plan,
           ffc_spectrum& spectrum) {
    const Layout in{c.batch, c.channels, c.length, c.rowGap}, out{c.batch, c.channels, c.outputLength(), c.rowGap};
    const int64_t element = bytesOf(c.dtype), kernels = c.flags & FFC_CONV_SHARED_KERNEL ? 1 : c.channels;
    const ffc_conv_desc d = descriptor(c, in, out);
    if (c.hostArrays) return runHost(c, d, in, out, r);
    createPlan(c, d, &plan);
    r.info.struct_size = sizeof r.info;
    lib_.call(lib_.ffc_plan_info_get, plan, &r.info);
    if (c.algorithm != FFC_ALGORITHM_AUTO && r.info.algorithm != c.algorithm) {
      r.failure = "another algorithm was planned than the one asked for";
      return;
    }
    lib_.call(lib_.ffc_spectrum_create, plan, &spectrum);

    ffc_forward_args a{};
    a.struct_size = sizeof a;
    a.u = allocate(buffers, in.elements() * element);
    fill(a.u, in.elements(), c.dtype, u_);
    a.u_offset_bytes = in.guard * element;
    if (c.flags & FFC_CONV_PRE_GATE) {
      a.pre_gate = allocate(buffers, in.elements() * element);
      fill(a.pre_gate, in.elements(), c.dtype, pre_);
      a.pre_gate_offset_bytes = in.guard * element;
    }
    if (c.flags & FFC_CONV_POST_GATE) {
      a.post_gate = allocate(buffers, out.elements() * element);
      fill(a.post_gate, out.elements(), c.dtype, post_);
      a.post_gate_offset_bytes = out.guard * element;
    }
    if (c.flags & FFC_CONV_SKIP) {
      a.skip = allocate(buffers, c.channels * bytesOf(c.kernelDtype));
      fill(a.skip, c.channels, c.kernelDtype, skip_);
    }
    a.y = c.inPlace ? a.u : allocate(buffers, out.elements() * element);
    a.y_offset_bytes = out.guard * element;
    if (!c.inPlace) lib_.call(lib_.ffc_buffer_fill, a.y, int64_t{0}, out.elements() * element, 0xff, ffc_stream{0});
    const ffc_buffer kernel = allocate(buffers, kernels * c.kernelLength * bytesOf(c.kernelDtype));
    fill(kernel, kernels * c.kernelLength, c.kernelDtype, kernel_);

    lib_.call(lib_.ffc_spectrum_compute, spectrum, kernel, int64_t{0}, ffc_stream{0});
    lib_.call(lib_.ffc_forward, plan, spectrum, static_cast<const ffc_forward_args*>(&a), ffc_stream{0});
    lib_.call(lib_.ffc_stream_synchronize, context_, ffc_stream{0});
    ffc_memory_info memory{};
    memory.struct_size = sizeof memory;
    lib_.call(lib_.ffc_memory_info_get, context_, &memory);
    r.peakBytes = memory.peak_bytes;

    check(c, r, out, timed, [&](int64_t offset, void* target, int64_t bytes) {
      lib_.call(lib_.ffc_buffer_read, a.y, offset, target, bytes, ffc_stream{0});
    });
    if (r.failure.empty() && timed) time(c, r, plan, spectrum, a, kernel);
  }

  // *energy: what the squares of y would sum to if no products cancelled. A row of very few outputs may happen to be
  // nearly zero, and an error relative to that says nothing. `only`: the outputs wanted, as sums; empty: all.
  std::vector<double> reference(const Case& c, int64_t b, int64_t h, const std::vector<int64_t>& only, double* energy) {
    const Layout in{c.batch, c.channels, c.length, c.rowGap}, out{c.batch, c.channels, c.outputLength(), c.rowGap};
    std::vector<double> v(c.length), k(c.kernelLength);
    const int64_t kh = c.flags & FFC_CONV_SHARED_KERNEL ? 0 : h;
    for (int64_t n = 0; n < c.length; ++n) {
      v[n] = u_.at(in.at(b, h) + n, c.dtype);
      if (c.flags & FFC_CONV_PRE_GATE) v[n] *= pre_.at(in.at(b, h) + n, c.dtype);
    }
    for (int64_t j = 0; j < c.kernelLength; ++j) k[j] = kernel_.at(kh * c.kernelLength + j, c.kernelDtype);
    *energy = 0;
    if (!only.empty()) {
      std::vector<double> sums;
      for (const int64_t n : only) {
        const int64_t last = n + c.outputOffset();  // the sample that meets tap 0
        double sum = 0;
        for (int64_t j = std::max<int64_t>(0, last - c.length + 1); j <= std::min(c.kernelLength - 1, last); ++j) sum += k[j] * v[last - j];
        if (c.flags & FFC_CONV_SKIP) sum += skip_.at(h, c.kernelDtype) * v[n];
        sums.push_back(c.flags & FFC_CONV_POST_GATE ? sum * post_.at(out.at(b, h) + n, c.dtype) : sum);
      }
      return sums;
    }
    const std::vector<double> full = c.pattern ? sparseConvolution(v, k, c.pattern) : fullConvolution(v, k);
    std::vector<double> y(c.outputLength());
    if (c.mode == FFC_MODE_CIRCULAR)
      for (size_t n = 0; n < full.size(); ++n) y[n % c.length] += full[n];
    else
      for (size_t n = 0; n < y.size(); ++n)
        y[n] = n + c.outputOffset() < full.size() ? full[n + c.outputOffset()] : 0.0;
    for (size_t n = 0; n < y.size(); ++n) {
      if (c.flags & FFC_CONV_SKIP) y[n] += skip_.at(h, c.kernelDtype) * v[n];
      if (c.flags & FFC_CONV_POST_GATE) y[n] *= post_.at(out.at(b, h) + n, c.dtype);
    }
    if (c.mode != FFC_MODE_CIRCULAR && y.size() < 64)
      for (size_t n = 0; n < y.size(); ++n) {
        const double gate = c.flags & FFC_CONV_POST_GATE ? post_.at(out.at(b, h) + n, c.dtype) : 1.0;
        for (int64_t j = 0; j < c.kernelLength; ++j) {
          const int64_t i = static_cast<int64_t>(n) + c.outputOffset() - j;
          if (i >= 0 && i < c.length) *energy += k[j] * v[i] * gate * (k[j] * v[i] * gate);
        }
      }
    return y;
  }

  // read(offset in bytes, target, bytes) fetches a piece of y. Sampled: some rows, and no look at the rest.
  template <class Read>
  void check(const Case& c, Result& r, const Layout& out, bool sampled, Read&& read) {
    // The tables are made before threads read them.
    for (Random* t : {&u_, &pre_, &post_, &kernel_, &skip_}) t->rounded(c.dtype), t->rounded(c.kernelDtype);
    const int64_t element = bytesOf(c.dtype), rows = c.batch * c.channels;
    std::vector<int64_t> chosen;
    const int64_t most = sampled ? 5 : c.checkedRows;
    for (int64_t i = 0; i < std::min(most, rows); ++i) chosen.push_back(rows <= most ? i : i * (rows - 1) / (most - 1));
    std::vector<double> errors(chosen.size()), norms(chosen.size()), worst(chosen.size());
    std::vector<std::vector<uint8_t>> data(chosen.size());
    for (size_t i = 0; i < chosen.size(); ++i) {
      data[i].resize(out.samples * element);
      read(out.at(chosen[i] / c.channels, chosen[i] % c.channels) * element, data[i].data(), out.samples * element);
    }
    // A reference of a million samples and more takes seconds; where many cases are timed, some outputs of each row are
    // enough: 10^9 products, and the ends.
    std::vector<int64_t> only;
    if (sampled && c.length > 1 << 19 && c.mode != FFC_MODE_CIRCULAR && !c.pattern) {
      std::mt19937_64 generator(6);
      only = {0, out.samples - 1};
      const int64_t count = std::clamp<int64_t>((int64_t{1} << 30) / c.kernelLength, 128, 4096);
      while (static_cast<int64_t>(only.size()) < count) only.push_back(static_cast<int64_t>(generator() % out.samples));
    }
    const int64_t compared = only.empty() ? out.samples : static_cast<int64_t>(only.size());
    std::atomic<size_t> next{0};
    std::atomic<bool> finite{true};
    const auto work = [&] {
      for (size_t i; (i = next++) < chosen.size();) {
        double energy;
        const std::vector<double> want = reference(c, chosen[i] / c.channels, chosen[i] % c.channels, only, &energy);
        if (!only.empty())
          for (int64_t n = 0; n < out.samples; ++n)
            if (!std::isfinite(load(data[i].data(), n, c.dtype))) finite = false;
        for (int64_t n = 0; n < compared; ++n) {
          const double e = load(data[i].data(), only.empty() ? n : only[n], c.dtype) - want[n];
          errors[i] += e * e;
          norms[i] += want[n] * want[n];
          if (!(std::abs(e) <= worst[i])) worst[i] = std::abs(e);
        }
        norms[i] = std::max(norms[i], energy);
      }
    };
    std::vector<std::thread> threads;
    for (unsigned t = 1; t < std::min<unsigned>(16, std::max(1u, std::thread::hardware_concurrency())); ++t)
      threads.emplace_back(work);
    work();
    for (auto& t : threads) t.join();
    double error = 0, norm = 0;
    for (size_t i = 0; i < chosen.size(); ++i) {
      error += errors[i];
      norm += norms[i];
      if (!(worst[i] <= r.maxError)) r.maxError = worst[i];
    }
    r.relL2 = std::sqrt(error / norm);
    r.checkedRows = static_cast<int64_t>(chosen.size());
    if (!finite) {
      r.failure = "an output is not a number";
      return;
    }
    const double allowed = c.tolerance(r.checkedRows * compared);
    if (!(r.relL2 <= allowed)) {
      r.failure = "relative L2 error " + std::to_string(r.relL2 * 1e6) + "e-6, allowed " + std::to_string(allowed * 1e6) + "e-6";
      return;
    }
    if (sampled || c.inPlace) return;
    // Every byte: outputs written (no poison left), everything else untouched.
    std::vector<uint8_t> all(out.elements() * element), expectPoison(out.elements(), 1);
    read(0, all.data(), out.elements() * element);
    for (int64_t b = 0; b < c.batch; ++b)
      for (int64_t h = 0; h < c.channels; ++h)
        std::fill_n(expectPoison.begin() + out.at(b, h), out.samples, 0);
    for (int64_t i = 0; i < out.elements(); ++i) {
      bool poison = true;
      for (int64_t j = 0; j < element; ++j) poison &= all[i * element + j] == 0xff;
      if (poison != !!expectPoison[i]) {
        r.failure = poison ? "an output was never written" : "memory outside the output was written";
        r.failure += " (element " + std::to_string(i - out.guard) + ")";
        return;
      }
    }
  }

  void time(const Case& c, Result& r, ffc_plan plan, ffc_spectrum spectrum, const ffc_forward_args& a, ffc_buffer kernel) {
    ffc_event begin = 0, end = 0;
    lib_.call(lib_.ffc_event_create, context_, &begin);
    lib_.call(lib_.ffc_event_create, context_, &end);
    const auto measure = [&](auto&& work) {
      lib_.call(lib_.ffc_event_record, begin, ffc_stream{0});
      work();
      lib_.call(lib_.ffc_event_record, end, ffc_stream{0});
      lib_.call(lib_.ffc_event_synchronize, end);
      double ms = 0;
      lib_.call(lib_.ffc_event_elapsed_ms, begin, end, &ms);
      return ms;
    };
    // A call on little data takes less than the gap between two events around it; several in a row show what it takes.
    // All of it stays in the second-level cache either way, as it does in a loop of single calls.
    const int64_t touched = c.batch * c.channels * (c.length + c.outputLength()) * bytesOf(c.dtype);
    r.calls = touched <= smallCallBytes ? 20 : 1;
    const auto forward = [&] {
      for (int i = 0; i < r.calls; ++i) lib_.call(lib_.ffc_forward, plan, spectrum, &a, ffc_stream{0});
    };
    for (int i = 0; i < 3; ++i) measure(forward);
    std::vector<double> ms;
    for (int i = 0; i < 15; ++i) ms.push_back(measure(forward) / r.calls);
    std::sort(ms.begin(), ms.end());
    r.medianMs = ms[ms.size() / 2];
    r.minMs = ms.front();
    r.maxMs = ms.back();
    const auto transform = [&] { lib_.call(lib_.ffc_spectrum_compute, spectrum, kernel, int64_t{0}, ffc_stream{0}); };
    r.spectrumMs = measure(transform);
    for (int i = 0; i < 4; ++i) r.spectrumMs = std::min(r.spectrumMs, measure(transform));
    // A kernel that changes with every call, as in training: its transform is part of the call.
    const auto fresh = [&] {
      for (int i = 0; i < r.calls; ++i) {
        transform();
        lib_.call(lib_.ffc_forward, plan, spectrum, &a, ffc_stream{0});
      }
    };
    measure(fresh);
    for (double& m : ms) m = measure(fresh) / r.calls;
    std::sort(ms.begin(), ms.end());
    r.freshMs = ms[ms.size() / 2];
    lib_.ffc_event_destroy(begin, nullptr);
    lib_.ffc_event_destroy(end, nullptr);
  }

  const Library& lib_;
  ffc_context context_ = 0;
  Numbers& numbers_;
  Random &u_ = numbers_.u, &pre_ = numbers_.pre, &post_ = numbers_.post, &kernel_ = numbers_.kernel, &skip_ = numbers_.skip;
};

// ---------------------------------------------------------------------------------------------- the ceiling

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

// -------------------------------------------------------------------------------------------- case tables

std::vector<Case> checkCases() {
  std::vector<Case> list;
  std::mt19937 random(7);
  const auto pick = [&](std::initializer_list<int64_t> options) { return options.begin()[random() % options.size()]; };
  const auto add = [&](int mode, int dtype, int algorithm, int64_t length, int64_t kernel) -> Case& {
    Case c;
    c.mode = mode;
    c.dtype = dtype;
    c.algorithm = algorithm;
    c.length = length;
    c.kernelLength = kernel;
    const bool small = length + kernel < 3000;
    c.batch = small ? pick({1, 2, 3, 5}) : pick({1, 2, 3});
    c.channels = small ? pick({1, 3, 7}) : pick({1, 2});
    c.kernelDtype = static_cast<int>(pick({1, 1, 2, 3}));
    if (c.dtype == FFC_DTYPE_FLOAT32) c.kernelDtype = FFC_DTYPE_FLOAT32;
    c.flags = random() & (FFC_CONV_PRE_GATE | FFC_CONV_POST_GATE | FFC_CONV_SKIP);
    if (random() % 5 == 0) c.flags |= FFC_CONV_SHARED_KERNEL;
    if (mode == FFC_MODE_FULL || mode == FFC_MODE_VALID) c.flags &= ~uint32_t{FFC_CONV_SKIP};
    c.rowGap = pick({0, 0, 1, 3, 8});
    list.push_back(c);
    return list.back();
  };
  // Every length 1 .. 300, with each family that has no lower limit.
  for (int64_t length = 1; length <= 300; ++length)
    for (const int algorithm : {FFC_ALGORITHM_AUTO, FFC_ALGORITHM_DIRECT, FFC_ALGORITHM_FUSED_FP32})
      add(1 + static_cast<int>(random() % 5), 1 + static_cast<int>(random() % 3), algorithm, length,
          1 + random() % (2 * length));
  const int64_t lengths[] = {383, 385, 511, 513, 700, 768, 1000, 1024, 1025, 1536, 1999, 2048, 2049, 3072, 4095, 4096, 4097,
                             5000, 6144, 8191, 8192, 8193, 10000, 12288, 12289, 16384, 16385, 20000, 24576, 24577, 32767, 32768};
  for (const int64_t length : lengths)
    for (int mode = 1; mode <= 5; ++mode)
      for (int dtype = 1; dtype <= 3; ++dtype) {
        add(mode, dtype, FFC_ALGORITHM_AUTO, length, pick({length, length / 2 + 1, int64_t(1 + random() % (2 * length))}));
        if (dtype != 1) add(mode, dtype, FFC_ALGORITHM_FUSED_FP32, length, pick({length, int64_t(1 + random() % length)}));
      }
  // Windows of a row, short kernels on long rows, and rows longer than any transform.
  for (const int64_t length : {5000, 40000, 100000, 262144})
    for (const int64_t kernel : {3, 100, 1000, 5000, 30000})
      for (const int mode : {FFC_MODE_CAUSAL, FFC_MODE_CIRCULAR, FFC_MODE_FULL, FFC_MODE_SAME, FFC_MODE_VALID}) {
        if (length < 40000 && mode == FFC_MODE_CIRCULAR) continue;
        add(mode, FFC_DTYPE_FLOAT32, length < 40000 ? FFC_ALGORITHM_OVERLAP_SAVE : FFC_ALGORITHM_AUTO, length, kernel);
      }
  // Short kernels on 16-bit rows: lengths around every power of two, and rows of one segment and of many.
  for (int64_t power = 1; power <= 16384; power *= 2)
    for (const int64_t kernel : {power - 1, power, power + 1})
      for (int dtype = 2; dtype <= 3; ++dtype)
        for (const int64_t length : {kernel, int64_t{10007}, int64_t{32768}, int64_t{100003}}) {
          if (kernel < 1 || length < kernel) continue;
          const int mode = 1 + static_cast<int>(random() % 5);
          Case& c = add(mode, dtype, FFC_ALGORITHM_OVERLAP_SAVE, length, kernel);
          c.precision = static_cast<int>(pick({FFC_PRECISION_FAST, FFC_PRECISION_FAST, FFC_PRECISION_ACCURATE}));
          if (mode == FFC_MODE_CIRCULAR && length < 8192) c.mode = FFC_MODE_CAUSAL;
          if (length < 1000) c.batch = 5, c.channels = 7;  // samples enough for the tolerance
        }
  for (const int dtype : {2, 3})
    for (const int mode : {1, 2, 3, 4, 5})
      for (const int64_t kernel : {300, 3000, 13000}) {
        Case& c = add(mode, dtype, FFC_ALGORITHM_OVERLAP_SAVE, 40000, kernel);
        c.precision = FFC_PRECISION_FAST;
        c.batch = 5;
        c.channels = 37;
        c.rowGap = 0;
      }
  // Smaller devices.
  for (const int64_t shared : {163 * 1024, 99 * 1024})
    for (const int64_t length : {1000, 4096, 8192, 9000, 16384, 20000, 32768})
      for (const int mode : {FFC_MODE_CAUSAL, FFC_MODE_CIRCULAR, FFC_MODE_FULL, FFC_MODE_SAME})
        for (int dtype = 1; dtype <= 3; ++dtype) {
          Case& c = add(mode, dtype, FFC_ALGORITHM_AUTO, length, length);
          c.sharedLimit = shared;
          c.portable = true;
        }
  // In place: y is u. One window per row.
  for (const int64_t length : {1, 7, 64, 1000, 4096, 16384}) {
    Case& c = add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT32, FFC_ALGORITHM_FUSED_FP32, length, length);
    c.inPlace = true;
  }
  // Host arrays: small ones, and some large enough to go through in tiles of several shapes.
  for (const int64_t length : {1, 50, 3000, 20000, 100000}) {
    Case& c = add(1 + static_cast<int>(random() % 5), 1 + static_cast<int>(random() % 3), FFC_ALGORITHM_AUTO, length, length / 2 + 1);
    c.hostArrays = true;
    c.rowGap = 0;  // that call takes packed arrays
  }
  for (const int64_t batch : {1, 7, 300}) {
    Case& c = add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT32, FFC_ALGORITHM_AUTO, 1024, 1024);
    c.batch = batch;
    c.channels = 30011 / batch;
    c.hostArrays = true;
    c.rowGap = 0;  // that call takes packed arrays
  }
  // Many rows, so that several units share a block and blocks walk.
  for (int dtype = 1; dtype <= 3; ++dtype) {
    for (const int64_t length : {16, 100, 1000}) {
      Case& c = add(FFC_MODE_CAUSAL, dtype, FFC_ALGORITHM_AUTO, length, length);
      c.batch = 37;
      c.channels = 1001;
    }
  }
  return list;
}

// Candidates for --cover: every length at which a family changes its instance, in every type, class and gating, small and
// with the least rows that take a block through its steady loop. main() plans each and runs the first of each kind.
std::vector<Case> coverCandidates() {
  std::vector<Case> list;
  const auto add = [&](int algorithm, int dtype, int precision, int64_t length, int64_t kernel, bool gated) -> Case& {
    Case c;
    c.algorithm = algorithm;
    c.dtype = dtype;
    c.precision = precision;
    c.length = length;
    c.kernelLength = kernel;
    c.batch = 2;
    c.channels = 3;
    c.flags = gated ? FFC_CONV_PRE_GATE | FFC_CONV_POST_GATE | FFC_CONV_SKIP : 0;
    if (length > 1 << 18) c.checkedRows = 4;
    list.push_back(c);
    return list.back();
  };
  const auto smaller = [](Case& c, int64_t kilobytes) {
    c.sharedLimit = kilobytes * 1024;
    c.portable = kilobytes != 0;
  };
  constexpr int fast = FFC_PRECISION_FAST, accurate = FFC_PRECISION_ACCURATE;
  // Tensor cores: whole aligned rows (tensor copies), ragged ones and an odd batch in the fast class, and one gate where two
  // do not fit. A tile is 4096 points and more, and above 16384 a cluster of blocks has one; each of 132 multiprocessors,
  // or each cluster, gets three, or at 4096 points, where three sets of four tiles can be in flight, thirteen.
  const auto tensorCores = [&](int dtype, int precision, int64_t length, int64_t ragged, bool gated) -> Case& {
    Case& c = add(FFC_ALGORITHM_FUSED_MMA, dtype, precision, length - ragged, length - ragged, gated);
    const int64_t sets = length == 4096 && precision == fast && !ragged ? 13 : 3;
    const int64_t rows = length <= 4096 ? 132 * sets * 4096 / length : 132 * sets * std::min<int64_t>(16384, length) / length;
    c.batch = rows / c.channels / 2 * 2;
    c.rowGap = ragged;
    return c;
  };
  for (const int64_t length : {4096, 256, 8192, 12288, 16384, 24576, 32768, 49152, 65536, 98304, 131072})
    for (const int dtype : {FFC_DTYPE_FLOAT16, FFC_DTYPE_BFLOAT16})
      for (const int precision : {fast, accurate})
        for (const bool gated : {false, true}) {
          tensorCores(dtype, precision, length, 0, gated);
          if (precision == fast && (length <= 16384 || dtype == FFC_DTYPE_FLOAT16)) {
            tensorCores(dtype, precision, length, 3, gated);
            --tensorCores(dtype, precision, length, 0, gated).batch;  // sets that do not end with a channel
          }
          if (gated && length >= 12288) tensorCores(dtype, precision, length, 0, gated).flags = FFC_CONV_POST_GATE;
        }
  // Its other transforms share their code; one class.
  for (const int64_t length : {512, 768, 1024, 1536, 2048, 3072, 6144})
    add(FFC_ALGORITHM_FUSED_MMA, FFC_DTYPE_FLOAT16, fast, length, length, false);
  for (const int64_t length : {1, 100, 1000})
    add(FFC_ALGORITHM_DIRECT, FFC_DTYPE_FLOAT32, accurate, length, length, length == 100);
  // One transform a row; then windows, with kernels of one and of several parts.
  for (const int64_t length : {16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192,
                               12288, 16384, 24576, 32768})
    for (const bool gated : {false, true}) add(FFC_ALGORITHM_FUSED_FP32, FFC_DTYPE_FLOAT32, accurate, length, length, gated);
  for (const int64_t kernel : {100, 3000, 20000, 50000})
    for (const int64_t kilobytes : {0, 99})
      smaller(add(FFC_ALGORITHM_OVERLAP_SAVE, FFC_DTYPE_FLOAT32, accurate, 50000, kernel, false), kilobytes);
  // Several passes: every split, also those of smaller devices, with transforms of 5/8, 3/4 and 1 times a power of two.
  // Long ones with a kernel so short that the float64 reference is a direct sum: 2N - 31 samples still need N points.
  for (const int64_t kilobytes : {0, 163, 99})
    for (const int dtype : {FFC_DTYPE_FLOAT32, FFC_DTYPE_FLOAT16})
      for (const int precision : {fast, accurate})
        for (int64_t power = int64_t{1} << 15; power <= int64_t{1} << 24; power *= 2)
          for (const int64_t points : {power * 5 / 8 + 1, power * 3 / 4, power}) {
            if (dtype == FFC_DTYPE_FLOAT32 && precision == fast) continue;  // the same
            const bool isLong = power > 1 << 18;
            Case& c = add(FFC_ALGORITHM_MULTI_PASS, dtype, precision, isLong ? 2 * points - 31 : points,
                          isLong ? 32 : points, power == 1 << 17);
            smaller(c, kilobytes);
            if (isLong) c.batch = c.channels = 1;
          }
  // What the planner chooses by itself, in every mode.
  for (int mode = FFC_MODE_CAUSAL; mode <= FFC_MODE_VALID; ++mode)
    for (int dtype = FFC_DTYPE_FLOAT32; dtype <= FFC_DTYPE_BFLOAT16; ++dtype)
      for (const int64_t length : {200, 3000, 20000, 70000}) {
        Case& c = add(FFC_ALGORITHM_AUTO, dtype, FFC_PRECISION_DEFAULT, length, length / 2 + 1, false);
        c.mode = mode;
        c.flags = FFC_CONV_PRE_GATE;
        c.rowGap = 1;
      }
  return list;
}

// Problems whose candidates are all run by name, so that what the planner never prefers is run as well: rows of one
// transform, and rows that are long beside their kernels.
std::vector<Case> problemsForEveryCandidate() {
  std::vector<Case> list;
  for (const auto& [length, kernel] : {std::pair<int64_t, int64_t>{5000, 5000}, {65536, 500}})
    for (const int dtype : {FFC_DTYPE_FLOAT32, FFC_DTYPE_FLOAT16, FFC_DTYPE_BFLOAT16})
      for (const int precision : {FFC_PRECISION_ACCURATE, FFC_PRECISION_FAST})
        for (const bool gated : {false, true})
          for (const int64_t kilobytes : {0, 99}) {
            Case c;
            c.dtype = dtype;
            c.precision = precision;
            c.length = length;
            c.kernelLength = kernel;
            c.batch = c.channels = 2;
            c.flags = gated ? FFC_CONV_PRE_GATE | FFC_CONV_POST_GATE : 0;
            c.sharedLimit = kilobytes * 1024;
            c.portable = kilobytes != 0;
            list.push_back(c);
          }
  return list;
}

std::vector<std::string> matches(const std::string& text, const std::regex& pattern) {
  std::vector<std::string> found;
  for (std::sregex_iterator i(text.begin(), text.end(), pattern), end; i != end; ++i) found.push_back((*i)[1]);
  return found;
}

// The parts of a candidate that are device functions of their own: for several passes the columns and the rows. None for
// whole rows on tensor cores, which coverCandidates() lists itself.
std::vector<std::string> partsOf(const Case& c, const std::string& candidate) {
  const std::string storage = c.dtype != FFC_DTYPE_FLOAT32 ? c.fast() ? "/half-fast" : "/half-accurate" : "/float";
  std::smatch split;
  // On tensor cores the columns read and write their own dtype.
  if (std::regex_search(candidate, split, std::regex("^(multi-pass(?:/mma)?)/([0-9]+)x([0-9]+)/")))
    return {split[1].str() + "/columns" + split[2].str() + storage + (split[1].length() > 10 ? dtypeNames[c.dtype] : ""),
            split[1].str() + "/rows" + split[3].str() + storage};
  if (candidate.find("fp32") != std::string::npos || candidate == "direct") return {candidate};
  if (candidate.rfind("fused-mma/", 0) == 0) return {};
  return {candidate + "/" + dtypeNames[c.dtype] + storage + (c.gates() ? "/gated" : "")};
}

// Cases with the same kind run the same device functions in the same way.
std::string kindOf(const Case& c, const ffc_plan_info& info) {
  std::string kind = std::string(algorithmNames[info.algorithm]) + "/" + dtypeNames[c.dtype] + "/" +
                     (info.precision == FFC_PRECISION_FAST ? "fast" : "accurate");
  for (int i = 0; i < info.order; ++i) kind += (i ? "x" : "/") + std::to_string(info.radices[i]);
  if (info.algorithm == FFC_ALGORITHM_FUSED_MMA) kind += c.rowGap ? "/ragged" : c.batch % 2 ? "/odd" : "/whole";
  if (info.algorithm != FFC_ALGORITHM_MULTI_PASS) kind += "/g" + std::to_string(c.gates());
  if (info.segments > 1) kind += "/windows";
  return kind;
}

std::vector<Case> speedCases() {
  std::vector<Case> list;
  const auto add = [&](int mode, int dtype, int precision, int64_t batch, int64_t channels, int64_t length, int64_t kernel,
                       bool gated, int algorithm = FFC_ALGORITHM_AUTO) {
    Case c;
    c.mode = mode;
    c.dtype = dtype;
    c.precision = precision;
    c.batch = batch;
    c.channels = channels;
    c.length = length;
    c.kernelLength = kernel;
    c.flags = gated ? FFC_CONV_PRE_GATE | FFC_CONV_POST_GATE : 0;
    c.algorithm = algorithm;
    list.push_back(c);
  };
  const auto batchFor = [](int64_t length) { return length <= 8192 ? 64 : length <= 16384 ? 32 : 16; };
  for (int64_t length = 256; length <= 32768; length *= 2)
    for (const bool gated : {false, true}) {
      const int64_t batch = batchFor(length);
      add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT32, FFC_PRECISION_ACCURATE, batch, 768, length, length, gated);
      add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT16, FFC_PRECISION_FAST, batch, 768, length, length, gated);
      add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT16, FFC_PRECISION_ACCURATE, batch, 768, length, length, gated);
      add(FFC_MODE_CAUSAL, FFC_DTYPE_BFLOAT16, FFC_PRECISION_FAST, batch, 768, length, length, gated);
    }
  for (int64_t length = 256; length <= 32768; length *= 2) {
    add(FFC_MODE_CIRCULAR, FFC_DTYPE_BFLOAT16, FFC_PRECISION_FAST, batchFor(length), 768, length, length, false);
    add(FFC_MODE_CIRCULAR, FFC_DTYPE_FLOAT16, FFC_PRECISION_FAST, batchFor(length), 768, length, length, false);
    add(FFC_MODE_CIRCULAR, FFC_DTYPE_FLOAT32, FFC_PRECISION_ACCURATE, batchFor(length), 768, length, length, false);
  }
  for (const int64_t length : {1100, 1500, 3000, 5000, 6000, 10000, 12000, 20000, 24000}) {
    add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT32, FFC_PRECISION_ACCURATE, batchFor(length), 768, length, length, false);
    add(FFC_MODE_CAUSAL, FFC_DTYPE_BFLOAT16, FFC_PRECISION_FAST, batchFor(length), 768, length, length, false);
  }
  for (const int64_t length : {256, 1024, 4096, 8192, 16384, 32768})
    for (const auto& [batch, channels] : {std::pair<int64_t, int64_t>{1, 768}, {4, 768}, {1, 16}, {64, 16}}) {
      add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT32, FFC_PRECISION_ACCURATE, batch, channels, length, length, false);
      add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT16, FFC_PRECISION_FAST, batch, channels, length, length, false);
      add(FFC_MODE_CAUSAL, FFC_DTYPE_BFLOAT16, FFC_PRECISION_FAST, batch, channels, length, length, false);
    }
  // Long sequences: B = 8 and as many channels as keep the work at 4 * 10^8 samples; then one row a channel.
  for (int64_t length = 65536; length <= (int64_t{1} << 24); length *= 2) {
    const int64_t channels = (int64_t{48} << 20) / length;
    add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT16, FFC_PRECISION_FAST, 8, channels, length, length, false);
    add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT16, FFC_PRECISION_ACCURATE, 8, channels, length, length, false);
    add(FFC_MODE_CAUSAL, FFC_DTYPE_BFLOAT16, FFC_PRECISION_FAST, 8, channels, length, length, false);
    if (length <= (1 << 20)) {
      add(FFC_MODE_CAUSAL, FFC_DTYPE_BFLOAT16, FFC_PRECISION_FAST, 8, channels, length, length, true);
      add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT32, FFC_PRECISION_ACCURATE, 8, channels, length, length, false);
    }
  }
  add(FFC_MODE_CAUSAL, FFC_DTYPE_BFLOAT16, FFC_PRECISION_FAST, 1, 256, 1 << 20, 1 << 20, false);
  // Short kernels on long sequences.
  for (const int64_t kernel : {512, 4096, 16384})  // a length that tensor copies do not serve
    add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT16, FFC_PRECISION_FAST, 1, 256, (1 << 20) + 8, kernel, false);
  for (const int64_t length : {1 << 20, 1 << 22})
    for (const int64_t batch : {1, 8})
      for (const int64_t kernel : {512, 4096, 16384}) {
        add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT16, FFC_PRECISION_FAST, batch, 256, length, kernel, false);
        add(FFC_MODE_CAUSAL, FFC_DTYPE_BFLOAT16, FFC_PRECISION_FAST, batch, 256, length, kernel, false);
        if (batch > 1) continue;
        add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT16, FFC_PRECISION_ACCURATE, batch, 256, length, kernel, false);
        add(FFC_MODE_CAUSAL, FFC_DTYPE_BFLOAT16, FFC_PRECISION_FAST, batch, 256, length, kernel, true);
        add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT32, FFC_PRECISION_ACCURATE, batch, 256, length, kernel, false);
      }
  // Where the direct product ends: the same kernel both ways.
  for (const int64_t kernel : {4, 16, 32, 64, 128})
    for (const int algorithm : {FFC_ALGORITHM_DIRECT, FFC_ALGORITHM_FUSED_FP32, FFC_ALGORITHM_AUTO}) {
      add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT32, FFC_PRECISION_ACCURATE, 64, 768, 1024, kernel, false, algorithm);
      add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT32, FFC_PRECISION_ACCURATE, 64, 768, kernel, kernel, false, algorithm);
    }
  return list;
}

// Patterns of a length: classes as a choice by energy leaves them, classes in order, and a low-pass. About 50, 75 and 91
// per cent zeros.
std::vector<Pattern> patternsFor(int64_t length) {
  std::vector<Pattern> list = {scattered(256, 128), scattered(256, 64), scattered(256, 23), lowest(length, 0.25)};
  for (const int64_t modulus : {2, 4, 11}) {
    Pattern p;
    p.name = "every" + std::to_string(modulus);
    p.block = 256;
    p.keep.assign(256, 0);
    for (int64_t c = 0; c < 256; c += modulus) p.keep[c] = 1;
    list.push_back(p);
  }
  return list;
}

std::vector<Case> sparseCases(bool speed) {
  std::vector<Case> list;
  std::mt19937 random(9);
  const auto add = [&](int dtype, int precision, int64_t length, int64_t batch, int64_t channels, int algorithm) {
    Case c;
    c.dtype = dtype;
    c.precision = precision;
    c.algorithm = algorithm;
    c.length = c.kernelLength = length;
    c.batch = batch;
    c.channels = channels;
    if (speed) {  // the dense one, to compare with
      c.pattern.name = "dense";
      list.push_back(c);
    }
    for (const Pattern& pattern : patternsFor(length)) {
      c.pattern = pattern;
      if (!speed) {
        c.flags = random() & (FFC_CONV_PRE_GATE | FFC_CONV_POST_GATE | FFC_CONV_SKIP);
        if (random() % 5 == 0) c.flags |= FFC_CONV_SHARED_KERNEL;
        c.rowGap = random() % 2;
        c.kernelLength = random() % 2 ? length : 1 + random() % length;
      }
      list.push_back(c);
    }
  };
  if (!speed) {
    for (const int64_t length : {1, 100, 256, 1000, 2048, 4096, 5000, 8192, 16384, 32768, 40000, 65536, 131072, 300000, 1048576, 4194304})
      for (int dtype = 1; dtype <= 3; ++dtype)
        for (const int precision : {FFC_PRECISION_FAST, FFC_PRECISION_ACCURATE})
          add(dtype, precision, length, length > 1000000 ? 1 : 2, length > 1000000 ? 2 : 3, FFC_ALGORITHM_AUTO);
    for (const int64_t length : {1000, 4096, 32768})
      add(FFC_DTYPE_BFLOAT16, FFC_PRECISION_DEFAULT, length, 2, 3, FFC_ALGORITHM_FUSED_FP32);
    for (const int64_t length : {65536, 1048576})
      add(FFC_DTYPE_FLOAT16, FFC_PRECISION_DEFAULT, length, 2, 3, FFC_ALGORITHM_MULTI_PASS);
    return list;
  }
  for (const int64_t length : {1 << 20, 1 << 22, 1 << 16, 1 << 18}) {
    add(FFC_DTYPE_FLOAT16, FFC_PRECISION_DEFAULT, length, 8, (int64_t{48} << 20) / length, FFC_ALGORITHM_AUTO);
    if (length == 1 << 20) {
      add(FFC_DTYPE_BFLOAT16, FFC_PRECISION_FAST, length, 8, 48, FFC_ALGORITHM_AUTO);
      add(FFC_DTYPE_FLOAT32, FFC_PRECISION_ACCURATE, length, 8, 48, FFC_ALGORITHM_AUTO);
    }
  }
  for (const int64_t length : {4096, 8192, 16384, 32768})
    for (const int dtype : {FFC_DTYPE_FLOAT16, FFC_DTYPE_FLOAT32})
      add(dtype, dtype == FFC_DTYPE_FLOAT16 ? FFC_PRECISION_FAST : FFC_PRECISION_ACCURATE, length, 16, 768, FFC_ALGORITHM_AUTO);
  return list;
}

}  // namespace

int main(int count, char** arguments) {
  std::string path = "build/libflashfftconv.so", filter, out, commit = "unknown", dirty = "0";
  bool checks = false, cover = false, speed = false, portable = false;
  int64_t sharedLimit = 0;
  double limit = 1e9;
  for (int i = 1; i < count; ++i) {
    const std::string name = arguments[i];
    const auto value = [&] {
      if (i + 1 >= count) throw std::runtime_error(name + " needs a value");
      return std::string(arguments[++i]);
    };
    if (name == "--lib") path = value();
    else if (name == "--filter") filter = value();
    else if (name == "--out") out = value();
    else if (name == "--commit") commit = value();
    else if (name == "--dirty") dirty = value();
    else if (name == "--seconds") limit = std::stod(value());
    else if (name == "--check") checks = true;
    else if (name == "--cover") cover = true;
    else if (name == "--portable") portable = true;
    else if (name == "--shared-kb") sharedLimit = std::stoll(value()) * 1024;
    else if (name == "--speed") speed = true;
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
    const double begin = seconds();
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
      if (c.name().find(filter) == std::string::npos) continue;
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
      // In place needs a transform that holds the row, which a smaller device may not have.
      if (c.inPlace && c.sharedLimit > 0 && runner(c).offered(c, info) && !info.in_place) continue;
      check(c);
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
          if (!fresh || c.name().find(filter) == std::string::npos) continue;
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
      double denseMs = 0;  // of the dense case that the sparse ones after it are compared with
      for (Case c : joined(speedCases(), sparseCases(true))) {
        const bool sparseOp = number++ >= denseCases;
        if (c.sharedLimit == 0) c.sharedLimit = sharedLimit;
        c.portable |= portable;
        if (c.name().find(filter) == std::string::npos) continue;
        if (seconds() - begin > limit) {
          ++left;
          continue;
        }
        const Result r = runner(c).run(c, true);
        const double rows = static_cast<double>(c.batch * c.channels), scale = 49152.0 / rows;
        const double bytes = rows * bytesOf(c.dtype) * ((1.0 + !!(c.flags & FFC_CONV_PRE_GATE)) * c.length +
                                                        (1.0 + !!(c.flags & FFC_CONV_POST_GATE)) * c.outputLength());
        const double floorMs = bytes / copy * 1e-6;
        if (!c.pattern) denseMs = r.medianMs;
        std::string sparse;
        if (sparseOp) {
          char text[160];
          std::snprintf(text, sizeof text, "\"sparsity\":%.6f,\"pattern\":\"%s\",\"speedupVsDense\":%.4f,",
                        c.pattern ? c.pattern.zeros(sparsePoints(c.length)) : 0.0, c.pattern ? c.pattern.name.c_str() : "dense",
                        r.medianMs > 0 ? denseMs / r.medianMs : 0.0);
          sparse = text;
        }
        std::fprintf(file,
                     "{\"commit\":\"%s\",\"dirty\":%s,\"device\":\"%s\",\"driver\":%d,\"copyGBps\":%.1f,\"op\":\"%s\",%s"
                     "\"mode\":\"%s\",\"dtype\":\"%s\",\"precision\":\"%s\",\"batch\":%lld,\"channels\":%lld,\"length\":%lld,"
                     "\"kernelLength\":%lld,\"gates\":%d,\"medianMs\":%.5f,\"scaledMs\":%.5f,\"floorMs\":%.5f,\"floorRatio\":%.4f,"
                     "\"relL2\":%.3e,\"peakBytes\":%lld,\"minMs\":%.5f,\"maxMs\":%.5f,\"calls\":%d,\"spectrumMs\":%.5f,\"freshMs\":%.5f,\"freshRatio\":%.4f,\"requested\":\"%s\","
                     "\"algorithm\":\"%s\",\"transformLength\":%lld,\"segments\":%lld,\"failure\":\"%s\"}\n",
                     commit.c_str(), dirty == "1" ? "true" : "false", properties.name, driver, copy, sparseOp ? "sparse" : c.partial() ? "partial" : "forward",
                     sparse.c_str(), modeNames[c.mode],
                     dtypeNames[c.dtype], c.fast() ? "fast" : "accurate", (long long)c.batch, (long long)c.channels,
                     (long long)c.length, (long long)c.kernelLength, c.gates(), r.medianMs, r.medianMs * scale, floorMs * 1.0,
                     r.medianMs > 0 ? floorMs / r.medianMs : 0.0, r.relL2, (long long)r.peakBytes, r.minMs, r.maxMs, r.calls, r.spectrumMs,
                     r.freshMs, r.medianMs > 0 ? r.freshMs / r.medianMs : 0.0, algorithmNames[c.algorithm], algorithmNames[r.info.algorithm], (long long)r.info.transform_length,
                     (long long)r.info.segments, r.failure.c_str());
        std::fflush(file);
        std::printf("%s N%lld %s: %.3f ms (x%.2f = %.3f) floor %.2f err %.1e sp %.3f fresh x%.2f dense/this %.2f%s%s\n", c.name().c_str(),
                    (long long)r.info.transform_length, algorithmNames[r.info.algorithm], r.medianMs, scale, r.medianMs * scale,
                    r.medianMs > 0 ? floorMs / r.medianMs : 0.0, r.relL2, r.spectrumMs,
                    r.medianMs > 0 ? r.freshMs / r.medianMs : 0.0,
                    c.pattern && r.medianMs > 0 ? denseMs / r.medianMs : 1.0, r.failure.empty() ? "" : " FAILED ", r.failure.c_str());
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
