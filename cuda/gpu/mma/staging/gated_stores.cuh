// Outputs that meet their gate on their way out (gateAtStore): last() leaves unscaled sums, and a gate is read when it
// is needed.
#pragma once
#include "pieces.cuh"
#include "shares.cuh"

namespace ffc::mma {

template <class C>
struct GatedStores : CopyShares<C> {
  using Base = CopyShares<C>;
  using Base::p, Base::windowBytes, Base::forWarpCopies, Base::exponentOf, Base::tileBytes, Base::partSamples;
  using Base::isOutput, Base::columnsBytes;
  using Base::Base;

  // gateAtStore: from the unscaled sums that last() has left to outputs. Eight values of the gate, which may begin
  // anywhere.
  FFC_DEVICE uint4 gateOf(uint64_t post, int first) const {
    const uint64_t at = post + int64_t(first) * 2;
    if (first >= 0 && first + 8 <= p.outLength && (at & 15) == 0) return loadStream16(reinterpret_cast<const void*>(at));
    return gatherSamples(reinterpret_cast<const char*>(post), first, p.outLength, false);
  }
  FFC_DEVICE uint4 gatedOutputs(u32 at, uint4 gate, float scale) const {
    const uint4 sums = sharedLoad16(at), left = C::splitOutputs ? sharedLoad16(at - windowBytes) : sums;
    const u32 s[4] = {sums.x, sums.y, sums.z, sums.w}, r[4] = {left.x, left.y, left.z, left.w};
    const u32 f[4] = {gate.x, gate.y, gate.z, gate.w};
    u32 out[4];
#pragma unroll
    for (int i = 0; i < 4; i++) {
      float2 v = unpackHalf(s[i]);
      if constexpr (C::splitOutputs) {
        const float2 w = unpackHalf(r[i]);
        v.x += w.x, v.y += w.y;
      }
      v.x *= scale, v.y *= scale;
      if (p.post.data) {
        const float2 w = unpackElements<C>(f[i]);
        v.x *= w.x, v.y *= w.y;
      }
      out[i] = C::bf16 ? packBfloat(v.x, v.y) : packHalf(v.x, v.y);
    }
    return uint4{out[0], out[1], out[2], out[3]};
  }
  // A warp takes the groups of columns that it fills again, eight lanes a line of 128 bytes, half of them at a time:
  // what is asked for together is on its way together.
  FFC_DEVICE void storeGated(int set, u32 slot) const {
    constexpr int rounds = 8, together = 4;
    // Otherwise what follows from it is kept from set to set, in local memory.
    u32 ofWarp = threadIndex() & 31;
    keepInRegister(ofWarp);
    const int lane = int(ofWarp);
    forWarpCopies(set, [&](int b, int h, int part, int group, u32 offset) {
      const auto rowOf = [&](const Rows& t) {
        return reinterpret_cast<uint64_t>(t.data) + int64_t(b) * t.batchStride + int64_t(h) * t.channelStride;
      };
      const float scale = asFloat(sharedLoad4(exponentOf(set, int(offset / tileBytes))));
#pragma unroll
      for (int g = 0; g < C::copyGroups; g++)
#pragma unroll
        for (int half = 0; half < rounds; half += together) {
          uint4 gate[together];
          const auto positionOf = [&](int i) {
            return ((lane >> 3) + 4 * (half + i)) * partSamples + (group + g) * 64 + (lane & 7) * 8;
          };
          const auto wanted = [&](int i) {
            return isOutput(positionOf(i)) && u32(part * partSamples + positionOf(i)) < u32(p.outLength);
          };
#pragma unroll
          for (int i = 0; i < together; i++) {
            gate[i] = uint4{0, 0, 0, 0};
            if (p.post.data && wanted(i))
              gate[i] = loadStream16(reinterpret_cast<const void*>(rowOf(p.post) + int64_t(part * partSamples + positionOf(i)) * 2));
          }
#pragma unroll
          for (int i = 0; i < together; i++) {
            if (!wanted(i)) continue;
            const int row = (lane >> 3) + 4 * (half + i);
            const u32 at = slot + offset + g * columnsBytes + row * 128 + ((lane ^ row) & 7) * 16;
            storeStream16(reinterpret_cast<void*>(rowOf(p.y) + int64_t(part * partSamples + positionOf(i)) * 2),
                          gatedOutputs(at, gate[i], scale));
          }
        }
    });
    warpSync();  // one lane lets the next samples in
  }
  // The gate that storeGated() will want an interval later, on its way into the second-level cache: a line a lane.
  FFC_DEVICE void prefetchGate(int set) const {
    forWarpCopies(set, [&](int b, int h, int part, int group, u32) {
      const int position = (threadIndex() & 31) * partSamples + group * 64, first = part * partSamples + position;
      if (isOutput(position) && u32(first) < u32(p.outLength))
        prefetch(p.post.data + int64_t(b) * p.post.batchStride + int64_t(h) * p.post.channelStride + int64_t(first) * 2);
    });
  }
};

}  // namespace ffc::mma
