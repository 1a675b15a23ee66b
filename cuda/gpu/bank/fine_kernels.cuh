// Kernels to the taps of a fine bank's slots (fine.h), in float32 on CUDA cores: a block makes eight numbers of a row.
#pragma once
#include "fine_fold.cuh"

namespace ffc::gpu {
namespace {

constexpr int fineKernelThreads = 256;
static_assert(fineKernelThreads == fineColumns && fineKernelThreads == fineRun * fineT0);

struct FineKernelParams {
  BankRows rows;
  const float* weights = nullptr;  // FineTables
  const float2* outer = nullptr;   // [k0][t1]: e^{-2 pi i t1 (k0 + 1/4) / 16} / 4
  const float2* turns = nullptr;   // [k0][t0]: e^{-2 pi i (t0 + 1/4) (k0 + 1/4) / 512}
  const float2* inner = nullptr;   // [t0][slot]: what the real and the imaginary part are multiplied by
  const int8_t* k0OfSlot = nullptr;
  uint32_t runsOfRow = 1;          // of eight numbers
};

// In shared memory: values, [number][q]; in their place [number][k0][t0] complex, rows of t0 8 bytes further apart; the outer matrix.
constexpr int pitchOfK0 = (fineT0 + 1) * 8, pitchOfNumber = fineK0 * pitchOfK0, outerMatrixAt = fineRun * pitchOfNumber;
constexpr int fineKernelBytes = outerMatrixAt + fineK0 * fineT1 * 8;
static_assert(pitchOfNumber >= fineValues * 4);

FFC_DEVICE float2 complexOf(uint64_t v) { return {asFloat(u32(v)), asFloat(u32(v >> 32))}; }
FFC_DEVICE uint64_t wordsOf(float2 v) { return uint64_t(floatBits(v.y)) << 32 | floatBits(v.x); }
// a + b c
FFC_DEVICE float2 complexFma(float2 b, float2 c, float2 a) {
  return {fmaf(-b.y, c.y, fmaf(b.x, c.x, a.x)), fmaf(b.y, c.x, fmaf(b.x, c.y, a.y))};
}

FFC_DEVICE void analyseFineKernelsOf(const FineKernelParams& p) {
  const BankRows& r = p.rows;
  const u32 base = sharedBase();
  const int thread = threadIndex();
  const u32 ofChunk = blockIndex() / p.runsOfRow;
  const int firstNumber = int(blockIndex() - ofChunk * p.runsOfRow) * fineRun;
  const BankRow row(r, ofChunk);
  const float* const u = reinterpret_cast<const float*>(row.addressOf<4>(r.u, r.uStride));
  sharedStore8(base + outerMatrixAt + thread * 8, wordsOf(p.outer[thread]));

  // The fold: a thread has a column.
  float x[2 * fineRun][2], weight[fineCells];
#pragma unroll
  for (int k = 0; k < 2 * fineRun; k++)
#pragma unroll
    for (int side = 0; side < 2; side++) {
      const int64_t cell = firstNumber - (fineCells - 1) + k, n = (cell < 0 ? cell + r.around : cell) * fineRate + (side ? fineColumns - 1 - thread : fineColumns + thread);
      x[k][side] = n >= 0 && n < r.length ? u[n] : 0.0f;
    }
#pragma unroll
  for (int i = 0; i < fineCells; i++) weight[i] = p.weights[i * fineColumns + thread];
#pragma unroll
  for (int m = 0; m < fineRun; m++) {
    float v[4] = {};
#pragma unroll
    for (int i = 0; i < fineCells; i++)
#pragma unroll
      for (int side = 0; side < 2; side++) {
        const FoldTerm term = foldTerm(m, i, side);
        const float w = weight[side ? fineCells - 1 - i : i];
        v[term.value] = fmaf(term.minus ? -w : w, x[m + i][side], v[term.value]);
      }
    const u32 to = base + m * pitchOfNumber;
    sharedStore4(to + thread * 4, floatBits(v[0]));
    sharedStore4(to + (fineRate - 1 - thread) * 4, floatBits(v[1]));
    sharedStore4(to + (fineRate + thread) * 4, floatBits(v[2]));
    sharedStore4(to + (fineValues - 1 - thread) * 4, floatBits(v[3]));
  }
  blockSync();

  // The outer step: a thread has one t0 of a number.
  const int t0 = thread % fineT0;
  const u32 own = base + thread / fineT0 * pitchOfNumber;
  float2 z[fineT1];
#pragma unroll
  for (int t1 = 0; t1 < fineT1; t1++) {
    const int t = t0 + fineT0 * t1;
    z[t1] = {asFloat(sharedLoad4(own + 2 * t * 4)), asFloat(sharedLoad4(own + (fineValues - 1 - 2 * t) * 4))};
  }
  blockSync();
#pragma unroll 1
  for (int k0 = 0; k0 < fineK0; k0++) {
    float2 sum = {0, 0};
#pragma unroll
    for (int t1 = 0; t1 < fineT1; t1++) sum = complexFma(complexOf(sharedLoad8(base + outerMatrixAt + (k0 * fineT1 + t1) * 8)), z[t1], sum);
    sharedStore8(own + k0 * pitchOfK0 + t0 * 8, wordsOf(complexFma(sum, p.turns[k0 * fineT0 + t0], {0, 0})));
  }
  blockSync();

  // The inner step: a thread makes two numbers of a slot.
  constexpr int together = 2;
  float* const numbers = reinterpret_cast<float*>(row.numbersOf<4>(r));
  const int64_t apart = int64_t(r.chunk.rows) * r.pitch;
  for (int item = thread; item < r.slots * (fineRun / together); item += fineKernelThreads) {
    const int slot = item % r.slots, first = item / r.slots * together;
    const u32 from = base + first * pitchOfNumber + p.k0OfSlot[slot] * pitchOfK0;
    float sum[together] = {};
#pragma unroll 4
    for (int t = 0; t < fineT0; t++) {
      const float2 w = p.inner[t * r.slots + slot];
#pragma unroll
      for (int m = 0; m < together; m++) {
        const float2 v = complexOf(sharedLoad8(from + m * pitchOfNumber + t * 8));
        sum[m] = fmaf(w.y, v.y, fmaf(w.x, v.x, sum[m]));
      }
    }
#pragma unroll
    for (int m = 0; m < together; m++)
      if (firstNumber + first + m < r.count) numbers[slot * apart + firstNumber + first + m] = sum[m];
  }
}

}  // namespace
}  // namespace ffc::gpu
