// Taps of kernels to those of the slots' rings, at the lower rate.
#pragma once
#include "../core/kernel_taps.cuh"
#include "products.h"

namespace ffc::gpu {
namespace {

constexpr int resampledNumbers = 128, resampledThreads = 128, numbersOfThread = 4;

struct ResampleParams {
  KernelTaps taps;
  const float4* filters;  // [0 .. reach][two of 16 slots]: p, q
  const float2* turns;    // [slot][number mod 8]: cosine, sine of D w0 m
  float* to;
  int64_t firstGroup, points;  // of a slot's ring
  int32_t slots, tilesOfGroup;
};

__device__ __forceinline__ int placeOfTap(int i) { return i + (i >> 5); }

// A block: 128 numbers of all slots of a group; a thread: four of them for four slots, or what is left of these.
template <int reach>
__global__ void __launch_bounds__(resampledThreads) resampleKernels(const __grid_constant__ ResampleParams p) {
  constexpr int windowTaps = (resampledNumbers - 1) * D + 2 * reach + 1;
  __shared__ float window[windowTaps + windowTaps / 32 + 1];
  constexpr int slotsOfThread = mostSlots / (resampledThreads * numbersOfThread / resampledNumbers);
  const int64_t group = blockIdx.x / p.tilesOfGroup;
  const int64_t first = int64_t(blockIdx.x - group * p.tilesOfGroup) * resampledNumbers, around = 2 * p.points * D, channel = p.firstGroup + group;
  bool any = false;
  for (int i = threadIdx.x; i < windowTaps; i += resampledThreads) {
    int64_t at = first * D - reach + i;
    const bool wrapped = at < 0 || at >= around;
    if (wrapped) at += at < 0 ? around : -around;
    const float tap = at < p.taps.count ? p.taps.tap(at, 0, channel) : 0.0f;
    window[placeOfTap(i)] = wrapped ? -tap : tap;
    any |= tap != 0;  // NaN, too
  }
  any = __syncthreads_or(any);
  constexpr int lanes = resampledNumbers / numbersOfThread;
  const int number = threadIdx.x % lanes, middle = reach + number * D, firstSlot = threadIdx.x / lanes * slotsOfThread;
  float even[numbersOfThread][slotsOfThread] = {}, odd[numbersOfThread][slotsOfThread] = {};
  if (any && firstSlot < p.slots) {
    const float4* filter = p.filters + firstSlot / 2;
#pragma unroll 2
    for (int j = 0; j <= reach; ++j) {
      float4 f[slotsOfThread / 2];
#pragma unroll
      for (int s = 0; s < slotsOfThread / 2; s++) f[s] = __ldg(filter + j * (mostSlots / 2) + s);
#pragma unroll
      for (int n = 0; n < numbersOfThread; n++) {
        // Where j is 0 the odd part has a factor of 0, and the even part half of it.
        const float before = window[placeOfTap(middle + n * lanes * D - j)], behind = window[placeOfTap(middle + n * lanes * D + j)];
        const float sum = behind + before, difference = behind - before;
#pragma unroll
        for (int s = 0; s < slotsOfThread; s += 2) {
          even[n][s] += f[s / 2].x * sum, odd[n][s] += f[s / 2].y * difference;
          even[n][s + 1] += f[s / 2].z * sum, odd[n][s + 1] += f[s / 2].w * difference;
        }
      }
    }
  }
#pragma unroll
  for (int s = 0; s < slotsOfThread; s++) {
    const int slot = firstSlot + s;
    if (slot >= p.slots) break;
    const float2 turn = __ldg(p.turns + slot * residues + number % residues);
#pragma unroll
    for (int n = 0; n < numbersOfThread; n++)
      p.to[(group * p.slots + slot) * 2 * p.points + first + number + n * lanes] = turn.x * even[n][s] - turn.y * odd[n][s];
  }
}
static_assert(resampledNumbers / numbersOfThread % residues == 0);

}  // namespace
}  // namespace ffc::gpu
