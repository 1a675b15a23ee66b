// The largest sample of every row, which decides the power of two that brings the row into the range of halves.
#pragma once
#include "gated_stores.cuh"

namespace ffc::mma {

template <class C>
struct RowScales : GatedStores<C> {
  using Base = GatedStores<C>;
  using typename Base::Place;
  using Base::maps, Base::sets, Base::barriers, Base::stagesPost, Base::slots, Base::slotOf, Base::slotOfPre, Base::R;
  using Base::packedPiece, Base::piece, Base::windowBytes, Base::multiplies, Base::largerOf, Base::largestOf;
  using Base::tilesPerSet, Base::tileBytes, Base::p, Base::log2Sequences;
  using Base::Base;

  FFC_DEVICE void awaitInput(int set, Place at) const {
    if (maps && set < sets) barrierWait(barriers + at.slot * 8, at.parity);
  }
  FFC_DEVICE void awaitPost(int set) const {
    if (maps && stagesPost()) barrierWait(barriers + (slots() + u32(set) % C::buffers) * 8, set / C::buffers & 1);
  }

  // The largest |u * pre| of every row, as the upper half of its float bits, which order like integers. Each thread
  // looks at the pieces it copied itself; the pieces of one warp lie in one row.
  FFC_DEVICE void findScale(int set, Place at) const {
    if constexpr (C::rowScaled) {
      if (set >= sets) return;
      awaitInput(set, at);
      const u32 slot = slotOf(at), slotPre = slotOfPre(set);
      constexpr int most = C::mostTiles * R;
      u32 largest[most], own = threadIndex();
      if constexpr (C::wholeWindows) keepInRegister(own);  // as in storeGated()
      const auto place = [&](int r) { return C::wholeWindows ? packedPiece(int(own) + r * threads) : piece(r); };
      if constexpr (C::wholeWindows) {
        // Products in halves, a third of the work of those in floats: enough for a power of two where they neither
        // overflow nor lose digits.
        u32 pair = 0;
#pragma unroll
        for (int i = 0; i < 2 * R; i++) {
          const u32 offset = (place(i / 2) & 4095) * 16 + i % 2 * windowBytes;
          const uint4 v = sharedLoad16(slot + offset);
          u32 u[4] = {v.x, v.y, v.z, v.w};
          if (multiplies()) {
            const uint4 q = sharedLoad16(slotPre + offset);
            const u32 f[4] = {q.x, q.y, q.z, q.w};
#pragma unroll
            for (int j = 0; j < 4; j++) u[j] = halfMul(u[j], f[j]);
          }
#pragma unroll
          for (int j = 0; j < 4; j++) pair = largestHalves(pair, u[j]);
        }
        const u32 bits = warpMax(largerOf(pair & 0xffffu, pair >> 16));
        constexpr u32 least = 0x1400, infinity = 0x7c00;  // 2^-10
        if (!multiplies() || (bits >= least && bits < infinity)) {
          if ((own & 31) == 0) sharedMax(largestOf(set, 0), floatBits(unpackHalf(bits).x) >> 16);
          return;
        }
      }
#pragma unroll
      for (int i = 0; i < most; i++) {
        largest[i] = 0;
        if (i / R >= tilesPerSet()) continue;
#pragma unroll
        for (int w = 0; w < C::windows; w++) {
          const u32 offset = i / R * tileBytes + (place(i % R) & 4095) * 16 + w * windowBytes;
          largest[i] = largerOf(largest[i], largestOfPiece(slot + offset, slotPre + offset));
        }
      }
#pragma unroll
      for (int i = 0; i < most; i++) largest[i] = warpMax(largest[i]);
      if constexpr (C::packed) {
        // A lane for each tile, which is one row.
        u32 mine = 0;
#pragma unroll
        for (int i = 0; i < most; i++)
          if (int(threadIndex() & 31) == i / R) mine = largerOf(mine, largest[i]);
        if (int(threadIndex() & 31) < tilesPerSet()) sharedMax(largestOf(set, threadIndex() & 31), mine);
        return;
      }
#pragma unroll
      for (int i = 0; i < most; i++)
        if (i / R < p.tilesPerSet && (threadIndex() & 31) == 0)
          sharedMax(largestOf(set, (i / R << log2Sequences) + int(piece(i % R) >> 24)), largest[i]);
    }
  }
  FFC_DEVICE u32 largestOfPiece(u32 at, u32 atPre) const {
    const uint4 v = sharedLoad16(at);
    const u32 w[4] = {v.x, v.y, v.z, v.w};
    u32 largest = 0;
    if (C::gated && p.pre.data) {
      const uint4 q = sharedLoad16(atPre);
      const u32 f[4] = {q.x, q.y, q.z, q.w};
#pragma unroll
      for (int j = 0; j < 4; j++) {
        const float2 x = unpackElements<C>(w[j]), y = unpackElements<C>(f[j]);
        largest = largerOf(largest, largerOf(floatBits(x.x * y.x) & 0x7fffffffu, floatBits(x.y * y.y) & 0x7fffffffu));
      }
      return largest >> 16;
    }
#pragma unroll
    for (int j = 0; j < 4; j++) largest = largerHalves(largest, w[j] & 0x7fff7fffu);
    largest = largerOf(largest & 0xffffu, largest >> 16);
    return C::bf16 ? largest : floatBits(unpackHalf(largest).x) >> 16;
  }
};

}  // namespace ffc::mma
