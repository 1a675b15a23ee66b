// The CPU engine against float64: every mode, type, gate and instruction set, odd lengths, forced algorithms, in
// place, strides, cancellation. Built by scripts/cpu_bench.mk; ends with "engine: N checks passed, N failed".
#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "../../cuda/cpu/engine_variant.h"
#include "../../cuda/cpu/scratch.h"
#include "../../cuda/host/status.h"
#include "engine_oracle.h"

namespace {

int passed = 0, failed = 0;

void report(bool good, const std::string& what) {
  good ? ++passed : ++failed;
  if (!good) std::printf("FAILED %s\n", what.c_str());
}

// ----------------------------------------------------------------------------------------------- cases

// Those that this machine can run, the widest first.
const std::vector<const SimdKernels*>& instructionSets() {
  static const std::vector<const SimdKernels*> sets = [] {
    std::vector<const SimdKernels*> found;
#if defined(__x86_64__)
    const bool avx2 =
        __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
      found.push_back(&simdKernelsAvx512());
    if (avx2) found.push_back(&simdKernelsAvx2());
#endif
    found.push_back(&simdKernelsBaseline());
    return found;
  }();
  return sets;
}

struct Case {
  int32_t mode = FFC_MODE_CAUSAL, algorithm = FFC_ALGORITHM_AUTO;
  int64_t batch = 1, channels = 1, length = 1, kernelLength = 1;
  Dtype dtype = Dtype::float32, kernelDtype = Dtype::float32;
  uint32_t flags = 0;
  int set = 0;  // index into instructionSets()
  bool inPlace = false, gapped = false;
  int threads = 2;

  std::string text() const {
    static const char* modes[] = {"", "causal", "circular", "full", "same", "valid"};
    char line[256];
    std::snprintf(line, sizeof line,
                  "%s algorithm=%d B=%lld H=%lld L=%lld K=%lld dtype=%d/%d flags=%u %s %s%s threads=%d",
                  modes[mode], algorithm, static_cast<long long>(batch), static_cast<long long>(channels),
                  static_cast<long long>(length), static_cast<long long>(kernelLength), static_cast<int>(dtype),
                  static_cast<int>(kernelDtype), flags, instructionSets()[set % instructionSets().size()]->name, inPlace ? "in-place " : "",
                  gapped ? "gapped" : "", threads);
    return line;
  }
};

ffc_conv_desc describe(const Case& c, int64_t gap, int64_t yRow) {
  ffc_conv_desc d = {};
  d.struct_size = sizeof d;
  d.mode = c.mode;
  d.dtype = static_cast<int32_t>(c.dtype);
  d.kernel_dtype = static_cast<int32_t>(c.kernelDtype);
  d.algorithm = c.algorithm;
  d.flags = c.flags;
  d.batch = c.batch;
  d.channels = c.channels;
  d.length = c.length;
  d.kernel_length = c.kernelLength;
  if (gap) {
    d.u_channel_stride = c.length + gap;
    d.pre_gate_channel_stride = (c.flags & FFC_CONV_PRE_GATE) ? c.length + 2 * gap : 0;
    d.post_gate_channel_stride = (c.flags & FFC_CONV_POST_GATE) ? yRow + 3 * gap : 0;
    d.y_channel_stride = yRow + gap;
    if (!(c.flags & FFC_CONV_SHARED_KERNEL)) d.kernel_channel_stride = c.kernelLength + gap;
  }
  return d;
}

int64_t extent(const Strides& s, const ConvProblem& p, int64_t samples) {
  return s.batch * (p.batch - 1) + s.channel * (p.channels - 1) + samples;
}

double unitOf(Dtype dtype) {  // half a unit in the last place, relative
  return dtype == Dtype::float32 ? 6e-8 : dtype == Dtype::float16 ? 4.9e-4 : 3.9e-3;
}

void run(const Case& c, ThreadPool& pool) try {
  ConvProblem p = makeProblem(describe(c, 0, 0));
  if (c.gapped) p = makeProblem(describe(c, 5, p.outputLength));
  if (c.inPlace) p.y = p.u;
  std::mt19937 random(static_cast<uint32_t>(c.length * 31 + c.kernelLength * 7 + c.mode));
  Tensor u(c.dtype, std::max(extent(p.u, p, p.length), c.inPlace ? extent(p.y, p, p.outputLength) : 0));
  Tensor pre(c.dtype, p.preGate ? extent(p.pre, p, p.length) : 0);
  Tensor post(c.dtype, p.postGate ? extent(p.post, p, p.outputLength) : 0);
  const int64_t kernels = p.sharedKernel ? 1 : p.channels;
  Tensor kernel(c.kernelDtype, p.kernelChannelStride * (kernels - 1) + p.kernelLength);
  Tensor skip(c.kernelDtype, p.skip ? p.channels : 0);
  Tensor separate(c.dtype, c.inPlace ? 0 : extent(p.y, p, p.outputLength));
  u.randomise(random, 1.0);
  pre.randomise(random, 1.0);
  post.randomise(random, 1.0);
  kernel.randomise(random, 1.0 / std::sqrt(static_cast<double>(std::min(p.length, p.kernelLength))));
  skip.randomise(random, 1.0);
  const Tensor original = u;
  Tensor& y = c.inPlace ? u : separate;

  const auto engine = makeCpuEngineWith(*instructionSets()[c.set % instructionSets().size()], p, c.threads);
  const FloatBlock spectrum = allocateFloats(engine->info().spectrumBytes / 4, "a test's spectrum");
  std::fill_n(spectrum.get(), engine->info().spectrumBytes / 4, NAN);
  engine->computeSpectrum(spectrum.get(), kernel.data(), pool, Progress());
  HostTensors tensors;
  tensors.u = u.data();
  tensors.preGate = p.preGate ? pre.data() : nullptr;
  tensors.postGate = p.postGate ? post.data() : nullptr;
  tensors.skip = p.skip ? skip.data() : nullptr;
  tensors.y = y.data();
  int32_t words[2] = {-1, 0};
  engine->forward(spectrum.get(), tensors, pool, Progress{words});

  std::string wrong;
  if (words[0] != 1000) wrong += " progress ended at " + std::to_string(words[0]);
  if (!u.guardsIntact() || !y.guardsIntact()) wrong += " guards overwritten";
  if (c.algorithm && engine->info().algorithm != c.algorithm) wrong += " another algorithm ran";
  // Outside the rows y must still be NaN.
  std::vector<char> inside(static_cast<size_t>(c.inPlace ? 0 : extent(p.y, p, p.outputLength)), 0);
  double error = 0, norm = 0, worst = 0, peak = 0, fewOutputsNorm = 0;
  for (int64_t b = 0; b < p.batch; ++b)
    for (int64_t h = 0; h < p.channels; ++h) {
      Doubles v(static_cast<size_t>(p.length)), k(static_cast<size_t>(p.kernelLength));
      for (int64_t i = 0; i < p.length; ++i) {
        v[i] = original.get(b * p.u.batch + h * p.u.channel + i);
        if (p.preGate) {
          // The engine multiplies in float32.
          v[i] = static_cast<float>(v[i] * pre.get(b * p.pre.batch + h * p.pre.channel + i));
        }
      }
      for (int64_t i = 0; i < p.kernelLength; ++i)
        k[i] = kernel.get((p.sharedKernel ? 0 : h * p.kernelChannelStride) + i);
      const Doubles full = fullConvolution(v, k);
      double energy = 0;
      for (const double x : full) energy += x * x;
      fewOutputsNorm += energy / static_cast<double>(full.size()) * static_cast<double>(p.outputLength);
      for (int64_t n = 0; n < p.outputLength; ++n) {
        double r = 0;
        if (p.circular())
          for (int64_t m = n; m < static_cast<int64_t>(full.size()); m += p.length) r += full[m];
        else
          r = full[n + p.outputOffset];
        if (p.skip) r += skip.get(h) * v[n];
        if (p.postGate) r *= post.get(b * p.post.batch + h * p.post.channel + n);
        const int64_t index = b * p.y.batch + h * p.y.channel + n;
        const double difference = y.get(index) - r;
        if (!std::isfinite(difference)) wrong += wrong.size() < 60 ? " not finite at " + std::to_string(n) : "";
        error += difference * difference;
        norm += r * r;
        worst = std::max(worst, std::fabs(difference));
        peak = std::max(peak, std::fabs(r));
        if (!c.inPlace) inside[index] = 1;
      }
    }
  for (size_t i = 0; i < inside.size(); ++i)
    if (!inside[i] && !std::isnan(separate.get(static_cast<int64_t>(i)))) {
      wrong += " written outside its rows";
      break;
    }
  // A handful of outputs may all be near zero by chance; their error is that of the convolution they are part of.
  if (p.outputLength * p.rows() < 16) norm = std::max(norm, fewOutputsNorm), peak = std::max(peak, std::sqrt(norm));
  const double relative = std::sqrt(error / std::max(norm, 1e-300));
  const double points = static_cast<double>(p.length + p.kernelLength);
  // float32 rounding grows with the logarithm of the length; the 16-bit types add half a unit of the output.
  const double bound = 1e-7 * std::max(3.0, std::log2(points)) + (c.dtype == Dtype::float32 ? 0 : unitOf(c.dtype));
  if (!(relative <= bound)) wrong += " relative error " + std::to_string(relative / bound) + " times the bound";
  if (!(worst <= 12 * bound * peak)) wrong += " largest error " + std::to_string(worst / peak) + " of the peak";
  report(wrong.empty(), c.text() + ":" + wrong);
} catch (const Error& e) {
  report(false, c.text() + ": threw " + e.what());
}

void testOracle() {
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  Doubles u(1000), k(777);
  for (double& x : u) x = normal(random);
  for (double& x : k) x = normal(random);
  const Doubles a = fullDirect(u, k), b = fullConvolution(u, k, true);
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::fabs(a[i] - b[i]));
  report(worst < 1e-11, "the two float64 oracles agree");
  const Doubles shifted = fullDirect({1, 2, 3}, {0, 1});
  report(shifted == Doubles({0, 1, 2, 3}), "a shift by direct sum");
}

// All 65536 patterns of both 16-bit types through every instruction set.
void testConversions() {
  std::vector<uint16_t> patterns(65536);
  for (int i = 0; i < 65536; ++i) patterns[i] = static_cast<uint16_t>(i);
  const FloatBlock floats = allocateFloats(65536, "a test");
  std::mt19937 random(5);
  for (const SimdKernels* set : instructionSets())
    for (const int32_t dtype : {FFC_DTYPE_FLOAT16, FFC_DTYPE_BFLOAT16}) {
      const bool half = dtype == FFC_DTYPE_FLOAT16;
      const std::string name = std::string(set->name) + (half ? " float16" : " bfloat16");
      RowSource source;
      source.samples = patterns.data();
      source.dtype = dtype;
      source.length = 65536;
      set->loadRow(floats.get(), source, 0, 65536 / set->lanes);
      int wrong = 0;
      for (int i = 0; i < 65536; ++i) {
        const float expected = half ? halfToFloat(patterns[i]) : bfloatToFloat(patterns[i]);
        if (std::isnan(expected) ? !std::isnan(floats[i]) : std::memcmp(&expected, &floats[i], 4) != 0) ++wrong;
      }
      report(wrong == 0, name + " reads: " + std::to_string(wrong) + " wrong");
      for (int round = 0; round < 40; ++round) {
        std::vector<float> values(4096);
        for (float& v : values) {
          uint32_t bits = random();
          // Rounds of ties, of the range of half subnormals, and of everything.
          if (round % 4 == 1) bits = (bits & 0xffffe000u) | (half ? 0x1000u : 0u);
          if (round % 4 == 2) bits = (bits & 0x807fffffu) | ((100 + bits % 50) << 23);
          if (round % 4 == 3) bits = (bits & 0xffff0000u) | 0x8000u;
          std::memcpy(&v, &bits, 4);
        }
        const FloatBlock aligned = allocateFloats(4096, "a test");
        std::copy(values.begin(), values.end(), aligned.get());
        std::vector<uint16_t> out(4096, 0);
        RowSink sink;
        sink.y = out.data();
        sink.dtype = dtype;
        set->storeRow(aligned.get(), sink, OutputSpan{0, 0, 4096}, 4096 / set->lanes);
        int bad = 0;
        for (int i = 0; i < 4096; ++i) {
          const uint16_t expected = half ? floatToHalf(values[i]) : floatToBfloat(values[i]);
          if (std::isnan(values[i]) ? !std::isnan(half ? halfToFloat(out[i]) : bfloatToFloat(out[i]))
                                    : out[i] != expected)
            ++bad;
        }
        report(bad == 0, name + " writes: " + std::to_string(bad) + " wrong in round " + std::to_string(round));
      }
    }
}

void testCancellation(ThreadPool& pool) {
  for (const int64_t length : {int64_t{8192}, int64_t{1} << 18}) {
    Case c;
    c.batch = length == 8192 ? 64 : 1;
    c.length = c.kernelLength = length;
    const ConvProblem p = makeProblem(describe(c, 0, 0));
    const auto engine = makeCpuEngine(p, {2, false});
    std::vector<float> u(static_cast<size_t>(p.rows() * length), 1.0f), y(u.size());
    std::vector<float> k(static_cast<size_t>(length), 1.0f);
    const FloatBlock spectrum = allocateFloats(engine->info().spectrumBytes / 4, "a test's spectrum");
    engine->computeSpectrum(spectrum.get(), k.data(), pool, Progress());
    int32_t words[2] = {0, 1};
    HostTensors tensors;
    tensors.u = u.data();
    tensors.y = y.data();
    ffc_status status = FFC_OK;
    try {
      engine->forward(spectrum.get(), tensors, pool, Progress{words});
    } catch (const Error& e) {
      status = e.status();
    }
    report(status == FFC_CANCELLED, "cancelled before it began");
    words[1] = 0;
    std::thread stopper([&] {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      __atomic_store_n(&words[1], 1, __ATOMIC_RELAXED);
    });
    status = FFC_OK;
    try {
      for (int i = 0; i < 1000; ++i) engine->forward(spectrum.get(), tensors, pool, Progress{words});
    } catch (const Error& e) {
      status = e.status();
    }
    stopper.join();
    report(status == FFC_CANCELLED, "cancelled while it ran");
    words[1] = 0;
    engine->forward(spectrum.get(), tensors, pool, Progress{words});
    report(std::fabs(y[length - 1] - static_cast<double>(length)) < 1e-3 * static_cast<double>(length),
           "usable after a cancellation");
  }
}

void testRefusals() {
  Case c;
  c.length = c.kernelLength = 100;
  for (const int32_t algorithm : {FFC_ALGORITHM_FUSED_MMA, FFC_ALGORITHM_FUSED_FP32, FFC_ALGORITHM_MULTI_PASS}) {
    c.algorithm = algorithm;
    ffc_status status = FFC_OK;
    try {
      makeCpuEngine(makeProblem(describe(c, 0, 0)), {1, false});
    } catch (const Error& e) {
      status = e.status();
    }
    report(status == FFC_UNSUPPORTED, "a CUDA algorithm is refused");
  }
}

// A NaN stays in its own row, and a tiny signal (subnormal products) is not flushed to zero.
void testRowsAreSeparate(ThreadPool& pool) {
  Case c;
  c.batch = 3;
  c.length = c.kernelLength = 1000;
  const ConvProblem p = makeProblem(describe(c, 0, 0));
  const auto engine = makeCpuEngine(p, {2, false});
  std::vector<float> u(3000, 0.0f), y(3000), k(1000, 0.0f);
  u[0] = 1.0f;
  u[1500] = NAN;
  u[2000] = 1e-40f;
  k[0] = 1.0f;
  const FloatBlock spectrum = allocateFloats(engine->info().spectrumBytes / 4, "a test's spectrum");
  engine->computeSpectrum(spectrum.get(), k.data(), pool, Progress());
  HostTensors tensors;
  tensors.u = u.data();
  tensors.y = y.data();
  engine->forward(spectrum.get(), tensors, pool, Progress{});
  bool good = std::fabs(y[0] - 1.0f) < 1e-6f && std::isnan(y[1500]);
  for (int i = 1; i < 1000; ++i) good = good && std::fabs(y[i]) < 1e-6f;
  for (int i = 2001; i < 3000; ++i) good = good && std::fabs(y[i]) < 1e-43f;
  report(good, "rows are separate");
  report(std::fabs(y[2000] / 1e-40 - 1) < 0.01, "a subnormal survives");
}

}  // namespace

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::string(argv[1]) == "--quick";
  testOracle();
  testConversions();
  testRefusals();
  ThreadPool one(1), two(2), three(3);
  testCancellation(two);
  testRowsAreSeparate(two);
  const auto pool = [&](int threads) -> ThreadPool& { return threads == 1 ? one : threads == 2 ? two : three; };

  const std::vector<int64_t> lengths = quick ? std::vector<int64_t>{1, 7, 64, 255, 1025}
                                             : std::vector<int64_t>{1,   2,   3,   7,   16,  31,   64,
                                                                    100, 255, 256, 257, 777, 1025, 2000};
  const int32_t algorithms[] = {FFC_ALGORITHM_AUTO, FFC_ALGORITHM_DIRECT, FFC_ALGORITHM_FFT,
                                FFC_ALGORITHM_OVERLAP_SAVE};
  const Dtype dtypes[] = {Dtype::float32, Dtype::float16, Dtype::bfloat16};
  int turn = 0;
  for (int32_t mode = 1; mode <= 5; ++mode)
    for (const int64_t length : lengths)
      for (const int64_t kernelLength : lengths)
        for (const int32_t algorithm : algorithms) {
          // The other dimensions take turns with co-prime periods, so that all pairs of values meet.
          Case c;
          c.mode = mode;
          c.algorithm = algorithm;
          c.length = length;
          c.kernelLength = kernelLength;
          c.dtype = dtypes[turn % 3];
          c.kernelDtype = dtypes[turn / 3 % 3];
          c.flags = static_cast<uint32_t>(turn * 7 / 5) & 15u;
          if (mode == FFC_MODE_FULL || mode == FFC_MODE_VALID) c.flags &= ~static_cast<uint32_t>(FFC_CONV_SKIP);
          c.batch = 1 + turn % 2;
          c.channels = 1 + turn % 5 / 2;
          c.threads = 1 + turn % 7 % 3;
          c.set = turn % 11;
          c.gapped = turn % 13 < 5;
          c.inPlace = turn % 17 < 4 && (mode == FFC_MODE_CAUSAL || mode == FFC_MODE_CIRCULAR || mode == FFC_MODE_SAME);
          run(c, pool(c.threads));
          ++turn;
        }
  // Every pair of gates, types and skip at one odd length, in both long-row algorithms.
  for (int32_t mode = 1; mode <= 5; ++mode)
    for (const Dtype dtype : dtypes)
      for (const Dtype kernelDtype : dtypes)
        for (uint32_t flags = 0; flags < 16; ++flags) {
          if ((flags & FFC_CONV_SKIP) && (mode == FFC_MODE_FULL || mode == FFC_MODE_VALID)) continue;
          for (const int set : {0, 1, 2}) {
            Case c;
            c.mode = mode;
            c.dtype = dtype;
            c.kernelDtype = kernelDtype;
            c.flags = flags;
            c.set = set;
            c.length = 1501;
            c.kernelLength = 333;
            c.channels = 2;
            c.algorithm = flags % 2 ? FFC_ALGORITHM_FFT : FFC_ALGORITHM_OVERLAP_SAVE;
            run(c, two);
          }
        }
  // Every transform length once: causal rows that just fit, and in place.
  const std::vector<int64_t> allSizes = {256,   288,   320,   384,   480,   512,   576,   640,   768,    960,
                                         1280,  1536,  2304,  3072,  4096,  7680,  8192,  9216,  10240,  12288,
                                         15360, 16384, 24576, 32768, 40960, 65536, 73728, 98304, 122880};
  const std::vector<int64_t> sizes = quick ? std::vector<int64_t>{4096, 7680, 8192, 20000} : allSizes;
  for (const int64_t size : sizes)
    for (const int set : {0, 1, 2}) {
      Case c;
      c.length = c.kernelLength = size;
      c.algorithm = FFC_ALGORITHM_FFT;
      c.set = set;
      c.inPlace = size % 512 == 0;
      run(c, two);
      c.mode = FFC_MODE_CIRCULAR;
      run(c, two);
    }
  const auto large = [&](int32_t mode, int64_t length, int64_t kernelLength, int32_t algorithm, bool inPlace, int set,
                         int threads) {
    Case c;
    c.mode = mode;
    c.length = length;
    c.kernelLength = kernelLength;
    c.algorithm = algorithm;
    c.inPlace = inPlace;
    c.set = set;
    c.threads = threads;
    run(c, pool(threads));
  };
  large(FFC_MODE_CAUSAL, 300001, 4801, FFC_ALGORITHM_AUTO, true, 0, 2);
  large(FFC_MODE_SAME, 300001, 4801, FFC_ALGORITHM_AUTO, true, 0, 3);
  large(FFC_MODE_CIRCULAR, 300001, 4801, FFC_ALGORITHM_AUTO, true, 2, 2);
  large(FFC_MODE_FULL, 1001, 300001, FFC_ALGORITHM_AUTO, false, 0, 2);
  large(FFC_MODE_FULL, 1001, 300001, FFC_ALGORITHM_DIRECT, false, 0, 2);
  large(FFC_MODE_VALID, 1001, 300001, FFC_ALGORITHM_OVERLAP_SAVE, false, 0, 2);
  if (!quick) {
    large(FFC_MODE_CAUSAL, 1 << 20, 96000, FFC_ALGORITHM_AUTO, false, 0, 2);
    large(FFC_MODE_CAUSAL, 1 << 20, 96000, FFC_ALGORITHM_AUTO, true, 0, 1);
    large(FFC_MODE_CAUSAL, 1 << 20, 1 << 20, FFC_ALGORITHM_AUTO, true, 0, 2);
    large(FFC_MODE_CAUSAL, 1 << 20, 1 << 20, FFC_ALGORITHM_FFT, false, 2, 3);
    large(FFC_MODE_CIRCULAR, 1000003, 1000003, FFC_ALGORITHM_FFT, false, 0, 2);
    large(FFC_MODE_SAME, (1 << 21) + 1, 777777, FFC_ALGORITHM_FFT, true, 0, 2);
    large(FFC_MODE_CAUSAL, int64_t{1} << 24, int64_t{1} << 24, FFC_ALGORITHM_FFT, false, 0, 2);
    large(FFC_MODE_CAUSAL, int64_t{1} << 24, 1 << 12, FFC_ALGORITHM_AUTO, false, 0, 2);
  }
  std::printf("engine: %d checks passed, %d failed\n", passed, failed);
  return failed ? 1 : 0;
}
