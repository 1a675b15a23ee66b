// Eight samples at a time, 16 bytes: the unit in which rows move where tensor copies do not serve. Rows may begin
// anywhere.
#pragma once
#include "../device.cuh"
#include "../params.h"

namespace ffc::mma {

// Eight samples from an address that is not a multiple of 16, `first` being the index of the first of them in a row
// of `length`. Outside the row: zero, or before a periodic one its end.
FFC_DEVICE uint4 gatherSamples(const char* row, int first, int length, bool periodic) {
  const uint64_t at = reinterpret_cast<uint64_t>(row) + int64_t(first) * 2;
  u32 w[8];
  if (first >= 8 && first + 16 <= length) {
    // Both 16-byte pieces that it touches lie in the row.
    const uint4 low = loadStream16(reinterpret_cast<const void*>(at & ~uint64_t(15)));
    const uint4 high = loadStream16(reinterpret_cast<const void*>((at & ~uint64_t(15)) + 16));
    const u32 v[8] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
    const u32 shift = u32(at & 15);
#pragma unroll
    for (int i = 0; i < 6; i++) w[i] = shift & 8 ? v[i + 2] : v[i];
#pragma unroll
    for (int i = 0; i < 5; i++) w[i] = shift & 4 ? w[i + 1] : w[i];
#pragma unroll
    for (int i = 0; i < 4; i++) w[i] = funnelShift(w[i], w[i + 1], (shift & 2) * 8);
  } else {
    const uint16_t* samples = reinterpret_cast<const uint16_t*>(row);
#pragma unroll
    for (int i = 0; i < 4; i++) {
      w[i] = 0;
#pragma unroll
      for (int half = 0; half < 2; half++) {
        int n = first + 2 * i + half;
        if (periodic && n < 0) n += length;
        if (n >= 0 && n < length) w[i] |= u32(samples[n]) << (16 * half);
      }
    }
  }
  return uint4{w[0], w[1], w[2], w[3]};
}

// Eight samples of a row to shared memory, zeros outside the row; to a register; from a register, nothing outside.
FFC_DEVICE void fillPiece(u32 target, uint64_t row, int first, int length, bool periodic) {
  const uint64_t at = row + int64_t(first) * 2;
  if (first >= 0 && first + 8 <= length && (at & 15) == 0)
    copyAsync16(target, reinterpret_cast<const void*>(at));
  else if (first >= length || first + 8 <= 0)
    sharedStore16(target, uint4{0, 0, 0, 0});
  else
    sharedStore16(target, gatherSamples(reinterpret_cast<const char*>(row), first, length, periodic));
}
FFC_DEVICE uint4 gatherPiece(uint64_t row, int first, int length) {
  const uint64_t at = row + int64_t(first) * 2;
  if (first >= 0 && first + 8 <= length && (at & 15) == 0) return loadStream16(reinterpret_cast<const void*>(at));
  if (first >= length || first + 8 <= 0) return uint4{0, 0, 0, 0};
  return gatherSamples(reinterpret_cast<const char*>(row), first, length, false);
}
FFC_DEVICE void drainPiece(uint4 v, uint64_t row, int first, int length) {
  const uint64_t at = row + int64_t(first) * 2;
  if (first >= 0 && first + 8 <= length && (at & 15) == 0) {
    storeStream16(reinterpret_cast<void*>(at), v);
  } else {
    uint16_t* samples = reinterpret_cast<uint16_t*>(row);
    const u32 w[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
    for (int i = 0; i < 8; i++) {
      const int n = first + i;
      if (n >= 0 && n < length) samples[n] = uint16_t(w[i >> 1] >> (16 * (i & 1)));
    }
  }
}

// Where the rows of a channel begin, in bytes from the multiple of 16 on before the tensor.
FFC_DEVICE uint64_t rowStart(const Rows& rows, int channel) {
  return (reinterpret_cast<uint64_t>(rows.data) & 15) + int64_t(channel) * rows.channelStride;
}
// Samples between such a multiple and the row.
FFC_DEVICE int rowPhase(const Rows& rows, int channel) {
  return int((u32(reinterpret_cast<uint64_t>(rows.data)) + u32(channel) * u32(rows.channelStride)) >> 1 & 7);
}
// Of a piece of eight samples, those from `from` up to `to`: the mask of its i-th word.
FFC_DEVICE u32 keptSamples(int i, int from, int to) {
  return (2 * i >= from && 2 * i < to ? 0xffffu : 0u) | (2 * i + 1 >= from && 2 * i + 1 < to ? 0xffff0000u : 0u);
}
// A piece to shared memory, with the others zero.
FFC_DEVICE void storeKept(u32 place, uint4 v, int from, int to) {
  u32 w[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
  for (int i = 0; i < 4; i++) w[i] &= keptSamples(i, from, to);
  sharedStore16(place, uint4{w[0], w[1], w[2], w[3]});
}

}  // namespace ffc::mma
