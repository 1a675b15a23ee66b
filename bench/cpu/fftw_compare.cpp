// This library's CPU engine beside FFTW on the same machine, in the same run, on the same threads: float32,
// causal, kernel spectra computed beforehand on both sides, FFTW_MEASURE plans. The programs take turns, so that
// whatever else the machine does meets both. Prints a table; --json FILE appends one line per measurement.
//
// FFTW runs rfft, product, irfft per block with everything it can reuse; for a long row it may use one transform
// or overlap-save with any of several block lengths, and its best time counts.
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#if __has_include(<fftw3.h>)
#include <fftw3.h>
#define HAVE_FFTW 1
#endif

#include "../../cuda/cpu/engine.h"
#include "../../cuda/cpu/scratch.h"

namespace {

using namespace ffc;

struct Problem {
  int64_t batch, channels, length, kernelLength;
};

void pinTo(int first, int last) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int cpu = first; cpu <= last; ++cpu) CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) std::perror("sched_setaffinity");
}

// Gives each thread of the pool a core of its own. On a busy machine the system otherwise puts both threads of a
// run that lasts a millisecond on one core, and the figures tell nothing about the programs.
void pinEach(ThreadPool& pool) {
  std::atomic<int> arrived{0};
  pool.parallelFor(pool.threads(), [&](int64_t) {
    const int cpu = arrived++;
    while (arrived < pool.threads()) {  // holds this thread until every other has an index too
    }
    pinTo(cpu, cpu);
  });
}

// One way of computing the problem; `run` fills y.
struct Contender {
  std::string name;
  std::function<void(float* y)> run;
  bool ownThreads = false;  // it starts threads itself, which must not inherit one core from the caller
  std::vector<double> ms;
  double best() const { return *std::min_element(ms.begin(), ms.end()); }
  double median() const {
    std::vector<double> sorted = ms;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
};

Contender ours(const Problem& q, const std::vector<float>& u, const std::vector<float>& k, ThreadPool& pool,
               bool portable) {
  ffc_conv_desc d = {};
  d.struct_size = sizeof d;
  d.mode = FFC_MODE_CAUSAL;
  d.dtype = d.kernel_dtype = FFC_DTYPE_FLOAT32;
  d.batch = q.batch, d.channels = q.channels, d.length = q.length, d.kernel_length = q.kernelLength;
  CpuEngineOptions options;
  options.threads = pool.threads();
  options.portable = portable;
  std::shared_ptr<CpuEngine> engine = makeCpuEngine(makeProblem(d), options);
  std::shared_ptr<float> spectrum(allocateFloats(engine->info().spectrumBytes / 4, "the bench's spectra").release(),
                                  std::free);
  engine->computeSpectrum(spectrum.get(), k.data(), pool, Progress());
  const std::string name = std::string(cpuInstructionSet(portable)) + ", " + std::to_string(pool.threads()) +
                           (pool.threads() == 1 ? " thread" : " threads");
  std::printf("  plan: %s\n", engine->explainJson().c_str());
  return {name,
          [engine, spectrum, &u, &pool](float* y) {
            HostTensors tensors;
            tensors.u = u.data();
            tensors.y = y;
            engine->forward(spectrum.get(), tensors, pool, Progress{});
          },
          false,
          {}};
}

#ifdef HAVE_FFTW
// Real transforms of `size` points over blocks; each worker has its own buffers. `planThreads` > 1: FFTW's own
// threads share each transform instead, where there is but one block.
Contender fftw(const Problem& q, const std::vector<float>& u, const std::vector<float>& k, ThreadPool& pool,
               int64_t size, int planThreads) {
  struct State {
    fftwf_plan forward, inverse;
    std::vector<float*> real;
    std::vector<fftwf_complex*> bins;
    fftwf_complex* kernels;
    int64_t size, bins_, step, segments;
  };
  auto* s = new State();  // lives as long as the program: FFTW plans are not worth counting here
  s->size = size;
  s->bins_ = size / 2 + 1;
  const bool whole = size >= q.length + q.kernelLength - 1;
  s->step = whole ? q.length : size - q.kernelLength + 1;
  s->segments = (q.length + s->step - 1) / s->step;
  const int workers = planThreads > 1 ? 1 : pool.threads();
  for (int i = 0; i < workers; ++i) {
    s->real.push_back(fftwf_alloc_real(static_cast<size_t>(size)));
    s->bins.push_back(fftwf_alloc_complex(static_cast<size_t>(s->bins_)));
  }
  s->kernels = fftwf_alloc_complex(static_cast<size_t>(s->bins_ * q.channels));
  fftwf_plan_with_nthreads(planThreads);
  s->forward = fftwf_plan_dft_r2c_1d(static_cast<int>(size), s->real[0], s->bins[0], FFTW_MEASURE);
  s->inverse = fftwf_plan_dft_c2r_1d(static_cast<int>(size), s->bins[0], s->real[0], FFTW_MEASURE);
  for (int64_t h = 0; h < q.channels; ++h) {
    std::fill_n(s->real[0], size, 0.0f);
    std::copy_n(k.data() + h * q.kernelLength, q.kernelLength, s->real[0]);
    fftwf_execute_dft_r2c(s->forward, s->real[0], s->bins[0]);
    for (int64_t f = 0; f < s->bins_; ++f)
      for (int part = 0; part < 2; ++part)
        s->kernels[h * s->bins_ + f][part] = s->bins[0][f][part] / static_cast<float>(size);
  }
  const int64_t from = whole ? 0 : q.kernelLength - 1;
  const auto block = [s, q, from, &u](int64_t unit, int worker, float* y) {
    const int64_t segment = unit % s->segments, row = unit / s->segments;  // channel-major: one kernel, then the next
    const int64_t h = row / q.batch, b = row % q.batch, offset = (b * q.channels + h) * q.length;
    float* x = s->real[worker];
    const int64_t begin = segment * s->step - from, first = std::max<int64_t>(0, begin),
                  last = std::min(q.length, begin + s->size);
    std::fill_n(x, first - begin, 0.0f);
    std::copy(u.data() + offset + first, u.data() + offset + last, x + (first - begin));
    std::fill(x + (last - begin), x + s->size, 0.0f);
    fftwf_complex* z = s->bins[worker];
    fftwf_execute_dft_r2c(s->forward, x, z);
    const fftwf_complex* g = s->kernels + h * s->bins_;
    for (int64_t f = 0; f < s->bins_; ++f) {
      const float re = z[f][0] * g[f][0] - z[f][1] * g[f][1], im = z[f][0] * g[f][1] + z[f][1] * g[f][0];
      z[f][0] = re;
      z[f][1] = im;
    }
    fftwf_execute_dft_c2r(s->inverse, z, x);
    const int64_t count = std::min(s->step, q.length - segment * s->step);
    std::copy_n(x + from, count, y + offset + segment * s->step);
  };
  std::string name = "FFTW " + std::to_string(size) + (whole ? " whole" : " overlap-save") +
                     (planThreads > 1 ? ", its own " : ", ") + std::to_string(pool.threads()) +
                     (pool.threads() == 1 ? " thread" : " threads");
  return {name,
          [=, &pool](float* y) {
            const int64_t units = q.batch * q.channels * s->segments;
            if (workers == 1) {
              for (int64_t i = 0; i < units; ++i) block(i, 0, y);
              return;
            }
            pool.parallelFor(workers, [&](int64_t w) {  // equal shares
              for (int64_t i = units * w / workers; i < units * (w + 1) / workers; ++i)
                block(i, static_cast<int>(w), y);
            });
          },
          planThreads > 1,
          {}};
}

void addPeers(std::vector<Contender>& contenders, const Problem& q, const std::vector<float>& u,
              const std::vector<float>& k, ThreadPool& one, ThreadPool& two) {
  std::vector<int64_t> sizes;
  int64_t power = 2;
  while (power < q.kernelLength) power *= 2;
  if (q.kernelLength <= q.length / 4)
    for (int64_t size = 2 * power; size <= 8 * power && size < q.length; size *= 2) sizes.push_back(size);
  int64_t whole = 0;  // the shortest length of small factors, which FFTW likes
  for (int64_t n = q.length + q.kernelLength - 1; !whole; ++n) {
    int64_t rest = n;
    for (const int64_t factor : {2, 3, 5, 7})
      while (rest % factor == 0) rest /= factor;
    if (rest == 1 && n % 32 == 0) whole = n;
  }
  sizes.push_back(whole);
  for (const int64_t size : sizes) {
    contenders.push_back(fftw(q, u, k, two, size, 1));
    if (q.batch * q.channels == 1 && size == whole) contenders.push_back(fftw(q, u, k, two, size, 2));
  }
  contenders.push_back(fftw(q, u, k, one, whole, 1));
}
#endif

double relativeDifference(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double d = static_cast<double>(a[i]) - b[i];
    difference += d * d;
    norm += static_cast<double>(b[i]) * b[i];
  }
  return std::sqrt(difference / norm);
}

void compare(const Problem& q, int rounds, FILE* json, bool peers, bool pin, ThreadPool& one, ThreadPool& two) {
  std::printf("\nB=%lld H=%lld L=%lld K=%lld, causal, float32\n", static_cast<long long>(q.batch),
              static_cast<long long>(q.channels), static_cast<long long>(q.length),
              static_cast<long long>(q.kernelLength));
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> u(static_cast<size_t>(q.batch * q.channels * q.length)), y(u.size()), first;
  std::vector<float> k(static_cast<size_t>(q.channels * q.kernelLength));
  for (float& x : u) x = normal(random);
  for (float& x : k) x = normal(random) * 0.01f;

  std::vector<Contender> contenders;
  contenders.push_back(ours(q, u, k, two, false));
  contenders.push_back(ours(q, u, k, one, false));
  contenders.push_back(ours(q, u, k, two, true));
#ifdef HAVE_FFTW
  if (peers) addPeers(contenders, q, u, k, one, two);
#else
  (void)peers;
#endif
  for (int round = 0; round <= rounds; ++round)
    for (Contender& c : contenders) {
      std::fill(y.begin(), y.end(), NAN);
      if (pin && c.ownThreads) pinTo(0, two.threads() - 1);
      if (pin && !c.ownThreads) pinEach(two);
      const auto begin = std::chrono::steady_clock::now();
      c.run(y.data());
      const std::chrono::duration<double, std::milli> ms = std::chrono::steady_clock::now() - begin;
      if (round) {
        c.ms.push_back(ms.count());
        continue;
      }
      // The first round warms up and checks that all compute the same thing.
      if (first.empty()) first = y;
      const double difference = relativeDifference(y, first);
      if (!(difference < 1e-5)) {
        std::fprintf(stderr, "%s differs by %g: the comparison is void\n", c.name.c_str(), difference);
        std::exit(1);
      }
    }
  std::printf("  %-44s %10s %10s\n", "", "median ms", "best ms");
  double peerMedian = 1e300, peerBest = 1e300;
  for (const Contender& c : contenders) {
    std::printf("  %-44s %10.3f %10.3f\n", c.name.c_str(), c.median(), c.best());
    if (json)
      std::fprintf(json,
                   "{\"name\":\"%s\",\"batch\":%lld,\"channels\":%lld,\"length\":%lld,\"kernelLength\":%lld,"
                   "\"medianMs\":%.4f,\"bestMs\":%.4f,\"rounds\":%d}\n",
                   c.name.c_str(), static_cast<long long>(q.batch), static_cast<long long>(q.channels),
                   static_cast<long long>(q.length), static_cast<long long>(q.kernelLength), c.median(), c.best(),
                   rounds);
    if (c.name.rfind("FFTW", 0) != 0) continue;
    peerMedian = std::min(peerMedian, c.median());
    peerBest = std::min(peerBest, c.best());
  }
  std::printf("  two threads against one: %.2fx (median), %.2fx (best)\n",
              contenders[1].median() / contenders[0].median(), contenders[1].best() / contenders[0].best());
  if (peerBest < 1e299)
    std::printf("  time against the best FFTW: %.2fx (median), %.2fx (best)\n", contenders[0].median() / peerMedian,
                contenders[0].best() / peerBest);
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  int rounds = 11;
  FILE* json = nullptr;
  bool peers = true, pin = false;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--json" && i + 1 < argc) {
      json = std::fopen(argv[++i], "a");
      if (!json) return std::perror(argv[i]), 1;
    } else if (option == "--rounds" && i + 1 < argc) {
      rounds = std::max(1, std::atoi(argv[++i]));
    } else if (option == "--ours") {
      peers = false;
    } else if (option == "--pin") {
      pin = true;
    } else {
      std::fprintf(stderr, "usage: %s [--ours] [--pin] [--rounds N] [--json FILE]\n", argv[0]);
      return 2;
    }
  }
#ifdef HAVE_FFTW
  fftwf_init_threads();
#else
  std::printf("FFTW's headers are not installed (Debian: libfftw3-dev): only this library is measured.\n");
#endif
  ThreadPool one(1), two(2);
  compare({8, 64, 8192, 8192}, rounds, json, peers, pin, one, two);
  compare({1, 1, 1 << 20, 96000}, rounds, json, peers, pin, one, two);
  compare({8, 64, 1024, 1024}, rounds, json, peers, pin, one, two);
  if (json && std::fclose(json) != 0) return std::perror("--json"), 1;
  return 0;
}
