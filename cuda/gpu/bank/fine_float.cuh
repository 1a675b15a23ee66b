// Fine filter banks in float32 (fine.h), on CUDA cores; kernels of any dtype come to the lower rate so, too. What both ways share on the device.
//
// A block works on 16 numbers at a time, each of them a transform of 512 complex points in two steps by radix 2:
//   16 points  t1 -> k0, by a thread for each t0      32 points  t0 -> k1, by a thread for each k0
// with every factor e^{-2 pi i t (k + 1/4) / 512} in the butterflies' own; what is left, e^{-2 pi i (k + 1/4) / 2048}, only kept frequencies are multiplied by.
#pragma once
#include "fine_float.h"
#include "fine_term.cuh"

namespace ffc::gpu {
namespace {

// A thread has a column of the fold, r and -1 - r of all cells; as many numbers as cells, so that what is kept of a column comes round in registers.
constexpr int floatFineThreads = fineColumns, floatFineTile = 16, floatFineCells = fineFiltersOfFloats.cells;
static_assert(floatFineCells == floatFineTile && floatFineThreads == floatFineTile * fineK0 && floatFineThreads % fineT0 == 0);

struct FloatFineParams : BankParams {
  const float* weights = nullptr;  // [tap of 16 cells][r]: 2 h
  const FineSlot* slots = nullptr;
  const FineFrequency* frequencies = nullptr;
  const float2 *turnsThere = nullptr, *turnsBack = nullptr;  // of the second steps, [turn][k0] and [turn][t0]
  int32_t kept = 0;                                          // frequencies
};

// ---- complex points in shared memory, 8 bytes: [number][t1 or k0][t0 or k1], XORed so that 16 numbers, 16 k0 and 16 t0 each lie in banks of their own.
constexpr int pointsOfNumber = fineRate * 8, pointsOfK0 = fineT0 * 8, floatFinePoints = floatFineTile * pointsOfNumber;
FFC_MMA_SHARED constexpr u32 placeOfPoint(int number, int slow, int fast) { return u32(number * pointsOfNumber + slow * pointsOfK0 + (fast ^ slow ^ number) * 8); }
// From slow = fast = 0 of a number.
FFC_MMA_SHARED constexpr u32 furtherPoint(u32 address, int slow, int fast) { return (address ^ u32(((slow ^ fast) & 15) * 8)) + u32(slow * pointsOfK0 + (fast & 16) * 8); }
// Turns of the second step, for each k0 there and for each t0 back; one thread's each.
constexpr int turnsBytes = floatFineThreads * 8;
static_assert(turnsBytes == fineK0 * fineT0 / 2 * 8 && turnsBytes == fineT0 * fineT1 / 2 * 8);

FFC_DEVICE float2 loadPoint(u32 address) {
  const uint64_t v = sharedLoad8(address);
  return {asFloat(u32(v)), asFloat(u32(v >> 32))};
}
FFC_DEVICE void storePoint(u32 address, float2 v) { sharedStore8(address, uint64_t(floatBits(v.y)) << 32 | floatBits(v.x)); }

// ---- transforms in registers
// a + w b and a - w b: six multiply-adds, or four additions.
FFC_DEVICE void butterfly(float2& a, float2& b, float2 w, bool one) {
  const float2 sum = one ? float2{a.x + b.x, a.y + b.y} : float2{fmaf(-w.y, b.y, fmaf(w.x, b.x, a.x)), fmaf(w.y, b.x, fmaf(w.x, b.y, a.y))};
  b = one ? float2{a.x - b.x, a.y - b.y} : float2{fmaf(2.0f, a.x, -sum.x), fmaf(2.0f, a.y, -sum.y)};
  a = sum;
}
FFC_MMA_SHARED constexpr int bitsReversed(int index, int size) {
  int result = 0;
  for (int bit = 1; bit < size; bit *= 2) result = 2 * result + (index & bit ? 1 : 0);
  return result;
}
// Turns of the butterflies of so many points, for half of them; the others are a quarter of a circle further.
FFC_MMA_SHARED constexpr int placeOfTurn(int size, int j) { return size / 4 + j; }
// x[k] = sum over t of x_t e^{-+ 2 pi i t (k + shift) / n}, where x[t] holds x_t with t's bits reversed. turn(size, j) is e^{-+ 2 pi i (j + shift) / size}; plain: shift is 0.
template <bool back, bool plain, int n, class Turn>
FFC_DEVICE void transform(float2 (&x)[n], Turn&& turn) {
#pragma unroll
  for (int size = 2; size <= n; size *= 2)
#pragma unroll
    for (int j = 0; j < (size + 3) / 4; j++) {
      const float2 w = turn(size, j);
#pragma unroll
      for (int begin = 0; begin < n; begin += size) {
        butterfly(x[begin + j], x[begin + j + size / 2], w, plain && j == 0);
        if (size == 2) continue;
        float2 &a = x[begin + j + size / 4], &b = x[begin + j + size / 4 * 3];
        // Times -i, or i.
        b = back ? float2{-b.y, b.x} : float2{b.y, -b.x};
        butterfly(a, b, w, plain && j == 0);
      }
    }
}
// e^{-+ 2 pi i k / 64} for k up to 16.
template <bool back>
FFC_DEVICE constexpr float2 turnOf64(int k) {
  constexpr float cosines[17] = {1.0f,           0.99518472667f, 0.98078528040f, 0.95694033573f, 0.92387953251f, 0.88192126435f, 0.83146961230f, 0.77301045336f, 0.70710678119f,
                                 0.63439328416f, 0.55557023302f, 0.47139673683f, 0.38268343236f, 0.29028467725f, 0.19509032202f, 0.09801714033f, 0.0f};
  return {cosines[k], back ? cosines[16 - k] : -cosines[16 - k]};
}

FFC_DEVICE float2 product(float2 a, float2 b) { return {a.x * b.x, a.y * b.y}; }
// A thread's samples of the cells from `cell` on, 256 + r and 255 - r of each; those of cell + i are there as long as the row lasts.
struct ColumnSamples {
  int64_t first, second;
  int leftOfFirst, leftOfSecond;
  FFC_DEVICE ColumnSamples(int cell, int length)
      : first(int64_t(cell) * fineRate + fineColumns + threadIndex()), second(int64_t(cell) * fineRate + fineColumns - 1 - threadIndex()),
        leftOfFirst(length - int(first)), leftOfSecond(length - int(second)) {}
  FFC_DEVICE float2 load(const float* row, int i) const {
    return {i * fineRate < leftOfFirst ? loadFloat(row + first + i * fineRate) : 0.0f,
            i * fineRate < leftOfSecond ? loadFloat(row + second + i * fineRate) : 0.0f};
  }
  FFC_DEVICE void store(float* row, int i, float2 x) const {
    if (i * fineRate < leftOfFirst) row[first + i * fineRate] = x.x;
    if (i * fineRate < leftOfSecond) row[second + i * fineRate] = x.y;
  }
};
// A column's values v[r], v[511 - r], v[512 + r], v[1023 - r] are two points: t = r / 2 and t + 256 for an even r; for an odd one (511 - r) / 2 + 256 and (511 - r) / 2, with
// real and imaginary parts exchanged, which whoever has them as t1 knows.
FFC_DEVICE constexpr bool exchangedParts(int t1) { return t1 & 4; }
struct ColumnPoints {
  u32 first, second;  // v[r], v[1023 - r]; v[512 + r], v[511 - r]; of number 0
  FFC_DEVICE explicit ColumnPoints(u32 points) {
    const int r = threadIndex(), t = r & 1 ? (fineRate - 1 - r) / 2 : r / 2, low = placeOfPoint(0, t / fineT0, t % fineT0), high = placeOfPoint(0, t / fineT0 + 8, t % fineT0);
    first = points + u32(r & 1 ? high : low), second = points + u32(r & 1 ? low : high);
  }
};
FFC_DEVICE constexpr u32 ofNumber(u32 address, int number) { return (address ^ u32(number * 8)) + u32(number * pointsOfNumber); }

// A thread's weights.
FFC_DEVICE void loadWeights(float (&w)[floatFineCells], const float* weights) {
#pragma unroll
  for (int i = 0; i < floatFineCells; i++) w[i] = loadFloat(weights + i * fineColumns + threadIndex());
}

// ---- tables in shared memory, behind the points: a thread's turn of the second step, and an entry of 16 bytes for each slot (there) or kept frequency (back).
constexpr int floatFineTables = floatFinePoints, entriesAt = floatFineTables + turnsBytes;
FFC_DEVICE void loadFloatFineTables(u32 base, const float2* turns, const void* entries, int count) {
  const uint2 v = loadConstant8(turns + threadIndex());
  sharedStore8(base + floatFineTables + threadIndex() * 8, uint64_t(v.y) << 32 | v.x);
  for (int i = threadIndex(); i < count; i += floatFineThreads) sharedStore16(base + entriesAt + i * 16, loadConstant16(static_cast<const uint4*>(entries) + i));
}
FFC_DEVICE FineSlot slotAt(u32 entries, int index) {
  const uint4 v = sharedLoad16(entries + index * 16);
  return {v.x, asFloat(v.y), asFloat(v.z), v.w};
}
FFC_DEVICE FineFrequency frequencyAt(u32 entries, int index) {
  const uint4 v = sharedLoad16(entries + index * 16);
  return {v.x, uint16_t(v.y), uint16_t(v.y >> 16), asFloat(v.z), asFloat(v.w)};
}

}  // namespace
}  // namespace ffc::gpu
