// Runs one case through the C ABI: fills its tensors, judges the result against float64, times it.
#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "case.h"
#include "library.h"
#include "reference.h"

namespace bench {

inline double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

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
// A row of calls: so many, on tensors of so many bytes or more in turn, which is eight times what the second-level cache of the largest
// devices holds.
constexpr int callsInRow = 20;
constexpr int64_t rowBytes = int64_t{400} << 20;

// Two events around a piece of work.
class EventTimer {
 public:
  EventTimer(const Library& library, ffc_context context) : lib_(library) {
    lib_.call(lib_.ffc_event_create, context, &begin_);
    lib_.call(lib_.ffc_event_create, context, &end_);
  }
  EventTimer(const EventTimer&) = delete;
  ~EventTimer() {
    lib_.ffc_event_destroy(begin_, nullptr);
    lib_.ffc_event_destroy(end_, nullptr);
  }
  template <class Work>
  double milliseconds(Work&& work) const {
    lib_.call(lib_.ffc_event_record, begin_, ffc_stream{0});
    work();
    lib_.call(lib_.ffc_event_record, end_, ffc_stream{0});
    lib_.call(lib_.ffc_event_synchronize, end_);
    double ms = 0;
    lib_.call(lib_.ffc_event_elapsed_ms, begin_, end_, &ms);
    return ms;
  }

 private:
  const Library& lib_;
  ffc_event begin_ = 0, end_ = 0;
};

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

  ffc_status createPlan(const Case& c, const ffc_conv_desc& d, ffc_plan* plan, ffc_error* error) const {
    ffc_sparsity sparsity{};
    sparsity.struct_size = sizeof sparsity;
    sparsity.kind = c.pattern.kind;
    sparsity.block = c.pattern.block;
    sparsity.keep_count = static_cast<int64_t>(c.pattern.keep.size());
    return lib_.ffc_plan_create_candidate(context_, &d, c.pattern ? &sparsity : nullptr,
                                          c.pattern ? c.pattern.keep.data() : nullptr, c.candidate.c_str(), plan, error);
  }

  // Whether there is a plan for it; a forced algorithm or candidate need not be offered. With the planner's reasons, if
  // asked for.
  bool offered(const Case& c, ffc_plan_info& info, std::string* explanation = nullptr) const {
    const Layout in{c.batch, c.channels, c.length, c.rowGap}, out{c.batch, c.channels, c.outputLength(), c.rowGap};
    const ffc_conv_desc d = descriptor(c, in, out);
    ffc_plan plan = 0;
    ffc_error error{};
    error.struct_size = sizeof error;
    const ffc_status status = createPlan(c, d, &plan, &error);
    if (status == FFC_UNSUPPORTED || (status == FFC_INVALID_ARGUMENT && !c.candidate.empty())) return false;
    if (status == FFC_LIMIT_EXCEEDED && c.sharedLimit > 0) return false;
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

  // `inRow`: see timeInRow().
  Result run(const Case& c, bool timed, bool inRow = false) {
    Result r;
    std::vector<ffc_buffer> buffers;
    ffc_plan plan = 0;
    ffc_spectrum spectrum = 0;
    try {
      lib_.call(lib_.ffc_memory_reset_peak, context_);
      run(c, timed, inRow, r, buffers, plan, spectrum);
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

  void run(const Case& c, bool timed, bool inRow, Result& r, std::vector<ffc_buffer>& buffers, ffc_plan& plan,
           ffc_spectrum& spectrum) {
    const Layout in{c.batch, c.channels, c.length, c.rowGap}, out{c.batch, c.channels, c.outputLength(), c.rowGap};
    const int64_t element = bytesOf(c.dtype), kernels = c.flags & FFC_CONV_SHARED_KERNEL ? 1 : c.channels;
    const ffc_conv_desc d = descriptor(c, in, out);
    if (c.hostArrays) return runHost(c, d, in, out, r);
    ffc_error error{};
    error.struct_size = sizeof error;
    if (const ffc_status status = createPlan(c, d, &plan, &error); status != FFC_OK)
      throw std::runtime_error(std::to_string(status) + ": " + error.message);
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
    if (r.failure.empty() && timed) inRow ? timeInRow(r, plan, spectrum, rowOf(buffers, a, in, out, element)) : time(c, r, plan, spectrum, a, kernel);
  }

  // The tensors of a row of calls: copies of these.
  std::vector<ffc_forward_args> rowOf(std::vector<ffc_buffer>& buffers, const ffc_forward_args& a, const Layout& in, const Layout& out, int64_t element) {
    const int64_t bytes = (in.elements() * (1 + !!a.pre_gate) + out.elements() * (1 + !!a.post_gate)) * element;
    std::vector<ffc_forward_args> row = {a};
    while (row.size() < callsInRow && static_cast<int64_t>(row.size()) * bytes < rowBytes) {
      ffc_forward_args next = a;
      const auto again = [&](ffc_buffer& tensor, int64_t elements) {
        if (!tensor) return;
        const ffc_buffer from = tensor;
        tensor = allocate(buffers, elements * element);
        lib_.call(lib_.ffc_buffer_copy, tensor, int64_t{0}, from, int64_t{0}, elements * element, ffc_stream{0});
      };
      again(next.u, in.elements()), again(next.pre_gate, in.elements());
      again(next.y, out.elements()), again(next.post_gate, out.elements());
      row.push_back(next);
    }
    return row;
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
    const bool circular = c.mode == FFC_MODE_CIRCULAR;
    const std::vector<double> full = !c.pattern ? fullConvolution(v, k) : (circular ? circularSparseConvolution : sparseConvolution)(v, k, c.pattern);
    std::vector<double> y(c.outputLength());
    if (circular)
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

  // What a call takes among others, as a model makes them: a row of calls between two events, on so many tensors that none finds its
  // samples in the cache. A single call between two events shows what is around it, too: 4 microseconds, when it is empty.
  void timeInRow(Result& r, ffc_plan plan, ffc_spectrum spectrum, const std::vector<ffc_forward_args>& row) const {
    const EventTimer timer(lib_, context_);
    r.calls = callsInRow;
    const auto calls = [&] {
      for (int i = 0; i < r.calls; ++i) lib_.call(lib_.ffc_forward, plan, spectrum, &row[i % row.size()], ffc_stream{0});
    };
    for (int i = 0; i < 2; ++i) timer.milliseconds(calls);
    std::vector<double> ms;
    for (int i = 0; i < 7; ++i) ms.push_back(timer.milliseconds(calls) / r.calls);
    keepTimes(r, ms);
  }
  static void keepTimes(Result& r, std::vector<double>& ms) {
    std::sort(ms.begin(), ms.end());
    r.medianMs = ms[ms.size() / 2];
    r.minMs = ms.front();
    r.maxMs = ms.back();
  }

  void time(const Case& c, Result& r, ffc_plan plan, ffc_spectrum spectrum, const ffc_forward_args& a, ffc_buffer kernel) {
    const EventTimer timer(lib_, context_);
    const auto measure = [&](auto&& work) { return timer.milliseconds(work); };
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
    keepTimes(r, ms);
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
  }

  const Library& lib_;
  ffc_context context_ = 0;
  Numbers& numbers_;
  Random &u_ = numbers_.u, &pre_ = numbers_.pre, &post_ = numbers_.post, &kernel_ = numbers_.kernel, &skip_ = numbers_.skip;
};

}  // namespace bench
