// How a fine filter bank's sums (host/filter_bank.h, D = 512, 1024 blocks) are taken apart, for the device functions and for those who make their tables.
//
// With w_b = pi (2 b + 1) / 2048 and samples n = 512 c + 256 + r of cell c, number m of slot b is made of the cells c = m - 8 .. m under the filter, in float32 of m - 15 .. m,
//   d_b[m] = +- sum over n of 2 h[512 m + 511 - n] u[n] (cos, m odd: sin)(w_b (n - 255.5)).
// These cosines change sign after 2048 places and about each 1024th, the sines repeat there, and sin is cos with the places in reverse, but for signs
// that depend on b mod 2, which reversed slots do without. So a number's samples are folded to 1024 values v (fine_term.cuh), a multiply-add for a sample and
// cell, and d_b[m] = sum_q v[q] cos(pi (2 b + 1) (2 q + 1) / 4096), a DCT-IV of which the kept b are wanted. As complex numbers
//   p_t = v[2 t] + i v[1023 - 2 t],   Y_k = sum_t p_t e^{-2 pi i (t + 1/4) (k + 1/4) / 512},   d_2k = Re Y_k,   d_(1023 - 2k) = -Im Y_k
// it takes two steps, t = t0 + 32 t1 and k = k0 + 16 k1: outer, t1 -> k0 for each t0, and inner, t0 -> k1 for each k0. The way back is the transpose.
// 16-bit rows do them by matrices on tensor cores (fine_half.h), float32 by radix 2 in registers (fine_float.h).
#pragma once
#include "../../host/filter_bank.h"

namespace ffc::gpu {

constexpr int fineValues = 2 * fineRate;
constexpr int fineColumns = 256;  // r and -1 - r of a cell are a column
constexpr int fineT0 = 32, fineT1 = 16, fineK0 = 16, fineK1 = 32;
static_assert(fineT0 * fineT1 == fineRate && fineK0 * fineK1 == fineRate);

}  // namespace ffc::gpu
