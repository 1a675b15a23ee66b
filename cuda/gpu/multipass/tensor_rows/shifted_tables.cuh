// The tables of one k1, made on the device when k1 changes: the matrices of the outer phases and the twiddles of the middle, with the
// shift of its frequencies in them.
#pragma once
#include "state.cuh"

namespace ffc::mma {

template <class C>
struct ShiftedTables : RowState<C> {
  using Base = RowState<C>;
  using Base::Q, Base::q, Base::lane, Base::image, Base::matrixIn, Base::matrixOut;
  using Base::forward, Base::backward, Base::stepIn, Base::stepOut, Base::stepsAt, Base::turnOut;
  using Base::Base;

  // Frequencies k + (k1 - quarters / 4) / N1 are multiples of 1 / 4 N1: numerators, exact in integers. f0: that of k = 0.
  FFC_DEVICE void makeTables(u32 f0) {
    const u32 N1 = 1u << q.log2N1;
    const int outerBits = q.log2N1 + 10, innerBits = q.log2N1 + 14 + C::log2Q;
    const int g = this->g, c = this->c, w = this->warp;  // of the members themselves the compiler makes other code
    auto outer = [&](int ka, int a) {
      const u32 F = 4 * N1 * ka + f0;
      const float2 v = rootOfUnity(16 * a * F + w * (F - 32 * N1), outerBits);
      return float2{v.x * 0.25f, v.y * 0.25f};
    };
    auto pairOf = [](float2 x, float2 y, u32& re, u32& im) { re = packHalf(x.x, y.x), im = packHalf(x.y, y.y); };
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const int row = g + 8 * (i & 1), column = 2 * c + 8 * (i >> 1);
      pairOf(outer(row, column), outer(row, column + 1), matrixIn[0][i], matrixIn[1][i]);
    }
    if constexpr (!C::longOrder) turnMatrix();
    const u32 own = 4 * N1 * w + f0;
    auto mirrored = [](int s, int j) { return s ? 15 - j : j; };
    auto twiddle = [&](int kb, int k2, int n) {
      const u32 turns = n * (own + 64 * N1 * k2) + n * kb * (1024 * N1) - n * (512 * Q * N1);
      const float2 v = rootOfUnity(turns, innerBits);
      constexpr float unit = Q == 1 ? 1.0f : Q == 2 ? 0.70710678f : 0.5f;
      return float2{v.x * unit, v.y * unit};
    };
    auto step = [&](int k2) { return rootOfUnity(16 * (own + 64 * N1 * k2), innerBits); };
    if constexpr (C::accurate) {
      // Turns (tan(angle / 2), sin(angle)) of every row k2 and column n3l of this warp's ka; see mma/arithmetic.cuh.
#pragma unroll 1
      for (int i = lane; i < 256; i += 32) {
        const int row = i >> 4, n = i & 15;
        const u32 turns = n * (own + 64 * N1 * mirrored(row >> 3, row & 7)) + n * C::centre * (1024 * N1) - n * (512 * Q * N1);
        const float2 v = rootOfUnity(turns, innerBits);
        sharedStore8(image + w * 2048 + row * 128 + turnSlot(row, n) * 8, wordsOf(float2{v.y / (1 + v.x), v.y}));
      }
      if (Q > 1 && lane < 16)
        sharedStore8(image + C::imageBytes + w * 128 + lane * 8, wordsOf(step(mirrored(lane >> 3, lane & 7))));
      warpSync();
      keepInRegister(turnOut);  // or loads of constants, which the backward turns are, would move across the stores
    } else if constexpr (!C::twiddleRegisters) {
      // In shared memory: the twiddles of kb = 0 as 8 x 8 matrices, real and imaginary, and the powers of the steps over n3h.
      const u32 at = image + w * 1024 + lane * 4;
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const int s = i & 1, column = 8 * (i >> 1) + 2 * c;
        u32 re, im;
        pairOf(twiddle(0, mirrored(s, g), column), twiddle(0, mirrored(s, g), column + 1), re, im);
        sharedStore4(at + i * 128, re), sharedStore4(at + i * 128 + 512, im);
      }
      static_assert(C::storedPowers == 2);
      const int i = lane & 15, power = 1 + (lane >> 4);
      const float2 v = rootOfUnity(power * 16 * (own + 64 * N1 * mirrored(i >> 3, i & 7)), innerBits);
      sharedStore4(stepsAt(power) + i * 4, packHalf(v.x, v.y));
      warpSync();
      keepInRegister(image);  // as above
    } else {
#pragma unroll
      for (int half = 0; half < 2; half++)
#pragma unroll
        for (int s = 0; s < 2; s++) {
          const int column = 8 * half + 2 * c;
#pragma unroll
          for (int kb = 0; kb < Q; kb++) {
            u32(&to)[8] = forward[kb];
            u32(&fro)[8] = backward[kb];
            const int i = 2 * (2 * half + s), j = 2 * (2 * s + half);
            pairOf(twiddle(kb, mirrored(s, g), column), twiddle(kb, mirrored(s, g), column + 1), to[i], to[i + 1]);
            fro[j] = transposed(to[i]), fro[j + 1] = transposed(to[i + 1]);
          }
        }
      if constexpr (Q > 1) {
#pragma unroll
        for (int s = 0; s < 2; s++) {
          const float2 v = step(mirrored(s, g));
#pragma unroll
          for (int part = 0; part < 2; part++) {
            stepIn[2 * s + part] = packHalf(part ? v.y : v.x, part ? v.y : v.x);
            stepOut[2 * s + part] = transposed(stepIn[2 * s + part]);
          }
        }
      }
    }
  }

  // What belongs to the way back is the transpose.
  FFC_DEVICE void turnMatrix() {
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
      for (int part = 0; part < 2; part++)
        matrixOut[part][i] = transposed(matrixIn[part][(i & 1) * 2 + (i >> 1)]);
  }

  FFC_DEVICE static uint64_t wordsOf(float2 v) { return floatBits(v.x) | uint64_t(floatBits(v.y)) << 32; }
};

}  // namespace ffc::mma
