// The convolution sum as written, for short kernels or short rows, where it beats a transform and is exact to a few
// roundings. A group of 1 to 128 threads takes a tile of 8 outputs a thread; u's window and the taps lie in shared
// memory, and each thread slides over them with 15 samples in registers: 64 multiply-adds for 8 + 2 loads.
#include <algorithm>

#include "../../host/status.h"
#include "../../host/window.h"
#include "../algorithm.h"
#include "../core/kernel_taps.cuh"

namespace ffc {
namespace {

using namespace gpu;

constexpr int blockThreads = 128;
constexpr int perThread = 8;   // outputs; also the taps of one step
constexpr int mostTaps = 256;  // of one pass; longer kernels take several, whose sums are added last

struct DirectParams {
  const void *u, *preGate, *postGate, *skip;
  void* y;
  const float* taps;  // float32, trimmed and folded, (channels, count)
  Strides uStride, preStride, postStride, yStride;
  Dtype dtype, skipDtype;
  int64_t batch, units, tiles;  // units = rows * tiles
  int64_t length, outputLength, offset, count, tapStride;
  int logThreads;               // of a group
  int passTaps;                 // a multiple of 8
  int windowFloats, groupFloats;
  bool circular;
};

// One gap after every 8 samples: threads read at stride 8, and 9 is prime to the 32 banks.
FFC_HD constexpr int windowIndex(int sample) { return sample + sample / 8; }

struct DirectPlace {
  int64_t channel, begin;  // begin: first output of the tile
  int64_t u, pre, post, y;  // element index of the row's sample 0
};

__device__ __forceinline__ DirectPlace placeOf(const DirectParams& p, int64_t unit) {
  int64_t row, channel;
  if (p.units <= 0x7fffffff) {  // 32-bit divisions are much cheaper
    row = static_cast<uint32_t>(unit) / static_cast<uint32_t>(p.tiles);
    channel = static_cast<uint32_t>(row) / static_cast<uint32_t>(p.batch);
  } else {
    row = unit / p.tiles;
    channel = row / p.batch;
  }
  const int64_t b = row - channel * p.batch;
  const auto at = [&](const Strides& s) { return b * s.batch + channel * s.channel; };
  return {channel, (unit - row * p.tiles) << (p.logThreads + 3), at(p.uStride), at(p.preStride), at(p.postStride),
          at(p.yStride)};
}

// u[index] * gate[index], 0 outside the row, or its periodic continuation.
__device__ __forceinline__ float sampleAt(const DirectParams& p, const DirectPlace& place, int64_t index) {
  if (p.circular) {
    if (p.length < 0x40000000 && index > -0x40000000 && index < 0x40000000) {
      const int remainder = static_cast<int>(index) % static_cast<int>(p.length);
      index = remainder < 0 ? remainder + p.length : remainder;
    } else {
      index %= p.length;
      if (index < 0) index += p.length;
    }
  } else if (index < 0 || index >= p.length) {
    return 0.0f;
  }
  const float value = loadElement(p.u, place.u + index, p.dtype);
  return p.preGate ? value * loadElement(p.preGate, place.pre + index, p.dtype) : value;
}

// sampleAt(from + i) for 0 <= i < span, without its divisions and with four loads of a thread in flight. An inactive
// group's window (span 0) stays as it is: nothing that comes from it is written.
__device__ __forceinline__ void stageWindow(const DirectParams& p, const DirectPlace& place, int64_t from, int span,
                                            int thread, int groupThreads, float* window) {
  const int first = from < -span ? span : from < 0 ? static_cast<int>(-from) : 0;
  const int64_t inside = p.length - from;
  const unsigned width = inside > first ? static_cast<unsigned>((inside < span ? inside : span) - first) : 0;
  withType(p.dtype, [&](auto tag) {
    using T = decltype(tag);
    const T* u = static_cast<const T*>(p.u) + (place.u + from);
    const T* gate = static_cast<const T*>(p.preGate) + (place.pre + from);
#pragma unroll 4
    for (int i = thread; i < span; i += groupThreads) {
      float value = 0.0f;
      if (static_cast<unsigned>(i - first) < width) {
        value = toFloat(u[i]);
        if (p.preGate) value *= toFloat(gate[i]);
      }
      window[windowIndex(i)] = value;
    }
  });
}

__global__ void __launch_bounds__(blockThreads, 7) directConv(const __grid_constant__ DirectParams p) {
  extern __shared__ float4 directShared[];
  const int groupThreads = 1 << p.logThreads, tile = groupThreads * perThread, groups = blockThreads >> p.logThreads;
  const int group = threadIdx.x >> p.logThreads, thread = threadIdx.x & (groupThreads - 1);
  float* window = reinterpret_cast<float*>(directShared) + group * p.groupFloats;
  float* taps = window + p.windowFloats;

  for (int64_t base = int64_t{blockIdx.x} * groups; base < p.units; base += int64_t{gridDim.x} * groups) {
    const bool active = base + group < p.units;
    const DirectPlace place = placeOf(p, active ? base + group : 0);
    float sum[perThread] = {};
    for (int64_t pass = 0; pass < p.count; pass += p.passTaps) {
      // Tap pass + j meets, for output begin + n, sample begin + n + offset - pass - j = from + n + (passTaps-1) - j.
      const int64_t from = place.begin + p.offset - pass - (p.passTaps - 1);
      const int span = tile + p.passTaps - 1;
      if (groups == 1 && !p.circular && (from + span <= 0 || from >= p.length)) continue;  // silence
      __syncthreads();  // the last pass, or the last unit's outputs, have been read
      for (int j = thread; j < p.passTaps; j += groupThreads)
        taps[j] = active && pass + j < p.count ? p.taps[place.channel * p.tapStride + pass + j] : 0.0f;
      if (p.circular) {
        for (int i = thread; i < span; i += groupThreads)
          window[windowIndex(i)] = active ? sampleAt(p, place, from + i) : 0.0f;
      } else {
        stageWindow(p, place, from, active ? span : 0, thread, groupThreads, window);
      }
      __syncthreads();

      float part[perThread] = {}, v[2 * perThread - 1];
      int s = perThread * thread + p.passTaps - perThread;
#pragma unroll
      for (int i = 0; i < perThread - 1; ++i) v[i] = window[windowIndex(s + perThread) + i];
#pragma unroll 1
      for (int j = 0; j < p.passTaps; j += perThread, s -= perThread) {
        // v[i] = sample s + i; what was the lower half moves up.
#pragma unroll
        for (int i = perThread - 2; i >= 0; --i) v[perThread + i] = v[i];
        const float* at = window + windowIndex(s);
#pragma unroll
        for (int i = 0; i < perThread; ++i) v[i] = at[i];
        const float4 k0 = *reinterpret_cast<const float4*>(taps + j), k1 = *reinterpret_cast<const float4*>(taps + j + 4);
        const float k[perThread] = {k0.x, k0.y, k0.z, k0.w, k1.x, k1.y, k1.z, k1.w};
#pragma unroll
        for (int q = 0; q < perThread; ++q)
#pragma unroll
          for (int i = 0; i < perThread; ++i) part[i] = fmaf(k[q], v[perThread - 1 + i - q], part[i]);
      }
#pragma unroll
      for (int i = 0; i < perThread; ++i) sum[i] += part[i];
    }

    // Through shared memory once more, so that neighbours in y are written by neighbouring threads.
    __syncthreads();
#pragma unroll
    for (int i = 0; i < perThread; ++i) window[windowIndex(perThread * thread) + i] = sum[i];
    __syncthreads();
    if (active) {
      const int64_t left = p.outputLength - place.begin;
      const int count = left < tile ? static_cast<int>(left) : tile;
      const float skip = p.skip ? loadElement(p.skip, place.channel, p.skipDtype) : 0.0f;
      if (!p.skip && !p.postGate) {
        withType(p.dtype, [&](auto tag) {
          using T = decltype(tag);
          T* y = static_cast<T*>(p.y) + (place.y + place.begin);
#pragma unroll 4
          for (int i = thread; i < count; i += groupThreads) y[i] = fromFloat<T>(window[windowIndex(i)]);
        });
        continue;
      }
      withType(p.dtype, [&](auto tag) {
        using T = decltype(tag);
#pragma unroll 4
        for (int i = thread; i < count; i += groupThreads) {
          const int64_t n = place.begin + i;
          float value = window[windowIndex(i)];
          if (p.skip) value = fmaf(skip, sampleAt(p, place, n), value);  // outputs and samples share their index here
          if (p.postGate) value *= toFloat(static_cast<const T*>(p.postGate)[place.post + n]);
          static_cast<T*>(p.y)[place.y + n] = fromFloat<T>(value);
        }
      });
    }
  }
}

// The taps in use as float32: what a spectrum is to a transform.
__global__ void gatherTaps(const __grid_constant__ KernelTaps taps, float* out, int64_t elements) {
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < elements; i += int64_t{gridDim.x} * blockDim.x) {
    const int64_t channel = i / taps.count;
    out[i] = taps.tap(i - channel * taps.count, 0, channel);
  }
}

class Direct : public GpuAlgorithm {
 public:
  explicit Direct(const ConvProblem& p) {
    params_ = {};
    const KernelWindow window = kernelWindow(p);
    taps_ = kernelTaps(p, window);
    params_.offset = window.offset;
    kernels_ = p.sharedKernel ? 1 : p.channels;

    params_.uStride = p.u;
    params_.preStride = p.pre;
    params_.postStride = p.post;
    params_.yStride = p.y;
    params_.dtype = p.dtype;
    params_.skipDtype = p.skipDtype;
    params_.batch = p.batch;
    params_.length = p.length;
    params_.outputLength = p.outputLength;
    params_.circular = p.circular();
    params_.count = taps_.count;
    params_.tapStride = p.sharedKernel ? 0 : taps_.count;
    while (params_.logThreads < 7 && (int64_t{perThread} << params_.logThreads) < p.outputLength) ++params_.logThreads;
    const int tile = perThread << params_.logThreads;
    // Short rows share a block, and its shared memory: fewer taps a pass then.
    const int most = std::min(mostTaps, std::max(32, 2 * tile));
    params_.passTaps = static_cast<int>(std::min<int64_t>(most, (taps_.count + 7) / 8 * 8));
    params_.windowFloats = (windowIndex(tile + params_.passTaps) + 4) / 4 * 4;
    params_.groupFloats = params_.windowFloats + params_.passTaps;
    params_.tiles = (p.outputLength + tile - 1) / tile;
    params_.units = p.rows() * params_.tiles;
    sharedBytes_ = (blockThreads >> params_.logThreads) * params_.groupFloats * static_cast<int>(sizeof(float));

    info_.algorithm = FFC_ALGORITHM_DIRECT;
    info_.precision = p.precision;
    info_.order = 1;
    info_.inPlace = params_.tiles == 1;  // a tile reads what its neighbour writes
    info_.spectrumBytes = kernels_ * taps_.count * static_cast<int64_t>(sizeof(float));
  }

  int sharedBytes() const { return sharedBytes_; }
  const PlanInfo& info() const override { return info_; }
  DirectShape shape() const {
    DirectShape s;
    s.taps = taps_.count;
    s.units = params_.units;
    s.tile = perThread << params_.logThreads;
    s.unitsPerBlock = blockThreads >> params_.logThreads;
    s.threads = blockThreads;
    s.sharedBytes = sharedBytes_;
    return s;
  }

  void computeSpectrum(void* spectrum, const void* kernel, cudaStream_t stream) const override {
    KernelTaps taps = taps_;
    taps.kernel = kernel;
    const int64_t elements = kernels_ * taps.count;
    const auto blocks = static_cast<unsigned>(std::min<int64_t>((elements + 255) / 256, 0x7fffffff));
    gatherTaps<<<blocks, 256, 0, stream>>>(taps, static_cast<float*>(spectrum), elements);
    checkCuda(cudaGetLastError(), "launching the gathering of kernel taps");
  }

  void forward(const void* spectrum, const ForwardPointers& t, cudaStream_t stream) const override {
    DirectParams params = params_;
    params.u = t.u;
    params.preGate = t.preGate;
    params.postGate = t.postGate;
    params.skip = t.skip;
    params.y = t.y;
    params.taps = static_cast<const float*>(spectrum);
    const int64_t groups = blockThreads >> params.logThreads;
    const auto blocks = static_cast<unsigned>(std::min<int64_t>((params.units + groups - 1) / groups, 0x7fffffff));
    directConv<<<blocks, blockThreads, sharedBytes_, stream>>>(params);
    checkCuda(cudaGetLastError(), "launching a direct convolution");
  }

 private:
  PlanInfo info_;
  DirectParams params_;
  KernelTaps taps_;
  int64_t kernels_ = 1;
  int sharedBytes_ = 0;
};

}  // namespace

void offerDirect(const ConvProblem& p, const GpuLimits& limits, TableCache&, Offers& offers) {
  if (p.mask) return offers.refuse("direct", "a direct sum has no spectrum to drop frequencies from");
  const Direct direct(p);
  // 48 KB needs no opting in and exists everywhere.
  if (direct.sharedBytes() > 48 * 1024) throw Error(FFC_INTERNAL_ERROR, "a direct convolution planned too much shared memory");
  offers.add(directCandidate(p, direct.shape(), sizeOf(limits)), [p] { return std::make_unique<Direct>(p); });
}

}  // namespace ffc
