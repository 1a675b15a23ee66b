// Matrices of halves that a warp has in fragments: products, loads, stores and transposes, with the layouts of mma.sync, ldmatrix, stmatrix and
// movmatrix; and the count of wavefronts that the accesses need.
#pragma once
#include <algorithm>
#include <cstdint>

#include "halves.h"
#include "machine.h"
#include "memory.h"

namespace ffc::mma {

namespace emulation {
// Wavefronts that eight-row 16-byte accesses need: the most rows of one matrix that share a 16-byte bank column.
inline void countConflicts(int warp) {
  for (int i = 0; i < 4; i++) {
    int count[8] = {}, worst = 0;
    for (int r = 0; r < 8; r++) worst = std::max(worst, ++count[machine.exchange[warp * 32 + 8 * i + r][0] / 16 % 8]);
    machine.matrixWavefronts += worst;
  }
  machine.matrixInstructions++;
}

template <bool bf16 = false, class Out>
inline void multiply(const u32 (&a)[4], u32 b0, u32 b1, Out out) {
  const int me = machine.current, warp = me >> 5, g = (me & 31) >> 2, c = me & 3;
  for (int i = 0; i < 4; i++) machine.exchange[me][i] = a[i];
  machine.exchange[me][4] = b0, machine.exchange[me][5] = b1;
  warpWait();
  for (int i = 0; i < 4; i++) {
    const int row = g + 8 * (i >> 1), column = 2 * c + (i & 1);
    double sum = 0;
    for (int k = 0; k < 16; k++) {
      const u32 wa = machine.exchange[warp * 32 + (row & 7) * 4 + ((k & 7) >> 1)][(row >> 3) + 2 * (k >> 3)];
      const u32 wb = machine.exchange[warp * 32 + column * 4 + ((k & 7) >> 1)][4 + (k >> 3)];
      if (bf16)
        sum += double(k & 1 ? highBfloat(wa) : lowBfloat(wa)) * (k & 1 ? highBfloat(wb) : lowBfloat(wb));
      else
        sum += double(k & 1 ? high(wa) : low(wa)) * (k & 1 ? high(wb) : low(wb));
    }
    out(i, sum);
  }
  warpWait();
}
}  // namespace emulation

FFC_DEVICE void mmaHalf(u32 (&d)[2], const u32 (&a)[4], u32 b0, u32 b1) {
  double sum[4];
  emulation::multiply(a, b0, b1, [&](int i, double s) { sum[i] = s; });
  d[0] = emulation::pair(sum[0], sum[1]), d[1] = emulation::pair(sum[2], sum[3]);
}
FFC_DEVICE void mmaHalfAdd(u32 (&d)[2], const u32 (&a)[4], u32 b0, u32 b1) {
  double sum[4];
  emulation::multiply(a, b0, b1, [&](int i, double s) { sum[i] = s; });
  for (int i = 0; i < 2; i++) d[i] = emulation::pair(sum[2 * i] + emulation::low(d[i]), sum[2 * i + 1] + emulation::high(d[i]));
}
FFC_DEVICE void mmaFloatAdd(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1) {
  emulation::multiply(a, b0, b1, [&](int i, double s) { d[i] = float(s + d[i]); });
}
FFC_DEVICE void mmaBfloatAdd(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1) {
  emulation::multiply<true>(a, b0, b1, [&](int i, double s) { d[i] = float(s + d[i]); });
}

namespace emulation {
inline void loadMatrices(u32 address, bool transposed, u32& r0, u32& r1, u32& r2, u32& r3) {
  const int me = machine.current, warp = me >> 5, g = (me & 31) >> 2, c = me & 3;
  machine.exchange[me][0] = address;
  warpWait();
  if ((me & 31) == 0) countConflicts(warp);
  u32* r[4] = {&r0, &r1, &r2, &r3};
  for (int i = 0; i < 4; i++) {
    auto element = [&](int row, int column) {
      return u32(reinterpret_cast<uint16_t*>(at(machine.exchange[warp * 32 + 8 * i + row][0], 16))[column]);
    };
    *r[i] = transposed ? element(2 * c, g) | element(2 * c + 1, g) << 16 : element(g, 2 * c) | element(g, 2 * c + 1) << 16;
  }
  warpWait();
}
inline void storeMatrices(u32 address, bool transposed, const u32 (&r)[4]) {
  const int me = machine.current, warp = me >> 5, g = (me & 31) >> 2, c = me & 3;
  machine.exchange[me][0] = address;
  warpWait();
  if ((me & 31) == 0) countConflicts(warp);
  for (int i = 0; i < 4; i++)
    for (int e = 0; e < 2; e++) {
      const int row = transposed ? 2 * c + e : g, column = transposed ? g : 2 * c + e;
      reinterpret_cast<uint16_t*>(at(machine.exchange[warp * 32 + 8 * i + row][0], 16))[column] = uint16_t(r[i] >> (16 * e));
    }
  warpWait();
}
}  // namespace emulation

FFC_DEVICE void loadMatrices(u32 address, u32& r0, u32& r1, u32& r2, u32& r3) {
  emulation::loadMatrices(address, false, r0, r1, r2, r3);
}
FFC_DEVICE void loadTransposed(u32 address, u32& r0, u32& r1, u32& r2, u32& r3) {
  emulation::loadMatrices(address, true, r0, r1, r2, r3);
}
FFC_DEVICE void storeMatrices(u32 address, u32 r0, u32 r1, u32 r2, u32 r3) {
  emulation::storeMatrices(address, false, {r0, r1, r2, r3});
}
FFC_DEVICE void storeTransposed(u32 address, u32 r0, u32 r1, u32 r2, u32 r3) {
  emulation::storeMatrices(address, true, {r0, r1, r2, r3});
}

FFC_DEVICE u32 transposed(u32 value) {
  using namespace emulation;
  const int warp = machine.current >> 5, lane = machine.current & 31, g = lane >> 2, c = lane & 3;
  machine.exchange[machine.current][0] = value;
  warpWait();
  auto element = [&](int row, int column) { return machine.exchange[warp * 32 + row * 4 + column / 2][0] >> (16 * (column & 1)) & 0xffffu; };
  const u32 result = element(2 * c, g) | element(2 * c + 1, g) << 16;
  warpWait();
  return result;
}

}  // namespace ffc::mma
