// The largest samples of rows, by which they are scaled.
#pragma once
#include "row_scale.cuh"

namespace ffc::gpu {
namespace {

// A warp has a part of a row.
constexpr int measureThreads = 256, partsOfBlock = measureThreads / 32;
static_assert(bankParts % partsOfBlock == 0);

template <bool bf16>
__global__ void __launch_bounds__(measureThreads) measureRows(const __grid_constant__ BankParams p) {
  const BankRows& r = p.rows;
  const u32 ofChunk = blockIdx.x / (bankParts / partsOfBlock);
  const int part = int(blockIdx.x % (bankParts / partsOfBlock)) * partsOfBlock + int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32;
  const BankRow row(r, ofChunk);
  const uint64_t u = row.addressOf(r.u, r.uStride), pre = row.addressOf(r.pre, r.preStride);
  const int share = ((r.length + bankParts - 1) / bankParts + 7) / 8 * 8, first = part * share, end = min(r.length, first + share);
  u32 most = 0, pairs = 0;  // of products, float bits; of samples, two by two, their own
  const auto look = [&](uint4 a, uint4 b) {
    const u32 x[4] = {a.x, a.y, a.z, a.w}, y[4] = {b.x, b.y, b.z, b.w};
#pragma unroll
    for (int i = 0; i < 4; i++) {
      if (!pre) {
        pairs = largerHalves(pairs, x[i] & 0x7fff7fffu);
        continue;
      }
      const float2 v = unpackPair<bf16>(x[i]), f = unpackPair<bf16>(y[i]);
      most = max(most, max(floatBits(v.x * f.x) & 0x7fffffffu, floatBits(v.y * f.y) & 0x7fffffffu));
    }
  };
  const bool whole = aligned(u) && aligned(pre) && first + share <= r.length;
  constexpr int together = 4, step = bankSampled * 8 * 32;
  int n = first + 8 * lane;
  if (whole)
    for (; n + (together - 1) * step < end; n += together * step) {
      uint4 a[together], b[together];
#pragma unroll
      for (int i = 0; i < together; i++) {
        a[i] = loadConstant16(reinterpret_cast<const void*>(u + 2 * int64_t(n + i * step)));
        if (pre) b[i] = loadConstant16(reinterpret_cast<const void*>(pre + 2 * int64_t(n + i * step)));
      }
#pragma unroll
      for (int i = 0; i < together; i++) look(a[i], pre ? b[i] : uint4{});
    }
  for (; n < end; n += step) look(gather(u, n, end), pre ? gather(pre, n, end) : uint4{});
  if (!pre) {
    const float2 v = unpackPair<bf16>(pairs);
    most = max(floatBits(v.x), floatBits(v.y));
  }
  most = warpMax(most);
  if (lane > 0) return;
  r.largest[int64_t(ofChunk) * bankParts + part] = most;
  if (part == 0) r.largestOfAll[ofChunk] = 0;
}

}  // namespace
}  // namespace ffc::gpu
