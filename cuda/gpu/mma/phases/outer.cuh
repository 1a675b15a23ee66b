// The outer phases: first, n1 -> k1 of samples, and last, k1 -> n1 of what the middle has left.
#pragma once
#include "middle.cuh"

namespace ffc::mma {

template <class C, class StagingOf>
struct OuterPhases : MiddlePhase<C, StagingOf> {
  using Base = MiddlePhase<C, StagingOf>;
  using typename Base::A, typename Base::Pair;
  using Base::R, Base::addressOuter, Base::blockPlane, Base::matrixIn, Base::matrixOut, Base::p, Base::staging;
  using Base::upperRows;
  // The last sum goes straight into the output's rounding: float wherever more than a half is made of it.
  using Last = std::conditional_t<C::accurate || C::bf16 || C::gated, FloatArithmetic, HalfArithmetic>;

  using Base::Base;

  // first: samples, and what their halves leave of products -> one exchange block. Half accumulators round each sum
  // once, as its place in the exchange does; the rest is too small to be rounded off. Two terms would be rounded twice.
  static constexpr int firstParts = C::sparse ? 1 : 2;  // real, imaginary; of few digits both in one
  template <int windows>
  FFC_DEVICE void first(const u32 (&u)[windows][4], const u32 (&rest)[windows][4], u32 block) {
    u32 out[firstParts][4];
    firstSums(u, rest, out);
#pragma unroll
    for (int part = 0; part < firstParts; part++)
      storeMatrices(block + addressOuter + part * blockPlane, out[part][0], out[part][1], out[part][2], out[part][3]);
  }
  template <int windows>
  FFC_DEVICE void firstSums(const u32 (&u)[windows][4], const u32 (&rest)[windows][4], u32 (&out)[firstParts][4]) const {
    using Sum = std::conditional_t<C::accurate && C::packed, FloatArithmetic, HalfArithmetic>;
#pragma unroll
    for (int t = 0; t < 2; t++)
#pragma unroll
      for (int part = 0; part < firstParts; part++) {
        typename Sum::Pair d[2];
        if constexpr (C::splitProduct)
          Sum::dot2(d, matrixIn[part], rest[0][2 * t], rest[0][2 * t + 1], matrixIn[part], u[0][2 * t], u[0][2 * t + 1]);
        else
          Sum::dot(d, matrixIn[part], u[0][2 * t], u[0][2 * t + 1]);
        if constexpr (C::packed) {
          // (Mr + i Mi) (a + i b) = Mr a - Mi b + i (Mi a + Mr b)
          auto add = [&](const u32(&b)[4]) {
            const u32 b0 = part ? b[2 * t] : halfNegate(b[2 * t]), b1 = part ? b[2 * t + 1] : halfNegate(b[2 * t + 1]);
            Sum::dotAdd(d, matrixIn[1 - part], b0, b1);
          };
          if constexpr (C::splitProduct) add(rest[1]);
          add(u[1]);
        }
        out[part][2 * t] = Sum::pack(d[0]), out[part][2 * t + 1] = Sum::pack(d[1]);
      }
  }

  FFC_DEVICE void first(const u32 (&u)[4], const u32 (&rest)[4], u32 block) {
    const u32 a[1][4] = {{u[0], u[1], u[2], u[3]}}, b[1][4] = {{rest[0], rest[1], rest[2], rest[3]}};
    first(a, b, block);
  }

  // Both planes of an exchange block, real and imaginary parts; `at`: this lane's row in the first.
  FFC_DEVICE static void loadPlanes(u32 at, u32 (&re)[4], u32 (&im)[4]) {
    loadTransposed(at, re[0], re[1], re[2], re[3]);
    loadTransposed(at + blockPlane, im[0], im[1], im[2], im[3]);
  }
  FFC_DEVICE static void storePlanes(u32 at, const u32 (&re)[4], const u32 (&im)[4]) {
    storeMatrices(at, re[0], re[1], re[2], re[3]);
    storeMatrices(at + blockPlane, im[0], im[1], im[2], im[3]);
  }
  // Operands of last() leave, and results of first() take their place.
  FFC_DEVICE static void exchangePlanes(u32 at, u32 (&re)[4], u32 (&im)[4]) {
    u32 x[4], y[4];
    loadPlanes(at, x, y);
    storePlanes(at, re, im);
#pragma unroll
    for (int i = 0; i < 4; i++) re[i] = x[i], im[i] = y[i];
  }

  // last: one exchange block (xr, xi) -> staged outputs at `stage`: the real part, and of packed samples the imaginary
  // part, which is the real part of -i times the block, over the second window. All times `scale`, a power of two as
  // float bits, if `scaled` (the same for the warp). `keepsZeros`: see upperRows. `look` sees the outputs of the first
  // window before they are stored, and may change them; with gates it has seen half of them, two at a time, before these and the scale.
  struct Unseen {
    FFC_DEVICE void operator()(u32 (&)[4]) const {}
    FFC_DEVICE void operator()(float2) const {}
  };
  template <bool keepsZeros = false, bool firstWindow = !C::splitOutputs, class Look = Unseen>
  FFC_DEVICE void last(const u32 (&xr)[4], const u32 (&xi)[4], u32 stage, bool gate, u32 gateAt, bool scaled, u32 scale,
                       Look&& look = {}) {
    // The first window holds no outputs where the history fills it.
    if (firstWindow && (C::wholeWindows || !(C::packed && R == 4) || p.history < R * tilePoints))
      lastWindow<keepsZeros>(xr, xi, stage, gate, gateAt, scaled, scale, look);
    if constexpr (C::packed) {
      u32 minus[4];
#pragma unroll
      for (int i = 0; i < 4; i++) minus[i] = halfNegate(xr[i]);
      const u32 second = staging.windowBytes;
      lastWindow<false>(xi, minus, stage + second, gate, gateAt + second, scaled, scale, Unseen{});
    }
  }
  template <bool keepsZeros, class Look>
  FFC_DEVICE void lastWindow(const u32 (&xr)[4], const u32 (&xi)[4], u32 stage, bool gate, u32 gateAt, bool scaled, u32 scale,
                             Look&& look) {
    u32 out[4], rest[4];
    lastSums(out, rest, xr, xi, gate, gateAt, scaled, scale, look);
    look(out);
    if constexpr (keepsZeros) out[1] &= upperRows, out[3] &= upperRows;
    storeMatrices(stage, out[0], out[1], out[2], out[3]);
    if constexpr (C::splitOutputs) storeMatrices(stage - staging.windowBytes, rest[0], rest[1], rest[2], rest[3]);
  }
  // `rest`: what the outputs' halves leave of them (splitOutputs).
  template <class Look = Unseen>
  FFC_DEVICE void lastSums(u32 (&out)[4], u32 (&rest)[4], const u32 (&xr)[4], const u32 (&xi)[4], bool gate, u32 gateAt, bool scaled,
                           u32 scale, Look&& look = {}) const {
    u32 post[4];
    if constexpr (C::gated)
      if (gate) loadMatrices(gateAt, post[0], post[1], post[2], post[3]);
#pragma unroll
    for (int t = 0; t < 2; t++) {
      typename Last::Pair d[2];
      if constexpr (C::sparse)
        Last::dot(d, matrixOut[0], xr[2 * t], xr[2 * t + 1]);
      else
        Last::dot2(d, matrixOut[0], xr[2 * t], xr[2 * t + 1], matrixOut[1], xi[2 * t], xi[2 * t + 1]);
#pragma unroll
      for (int half = 0; half < 2; half++) {
        if constexpr (std::is_same_v<Last, HalfArithmetic>) {
          out[2 * t + half] = d[half];
        } else {
          float2 v = d[half];
          if constexpr (C::gated && C::watchesRows)
            if (half == t) look(v);
          if (C::gated && scaled) v.x *= asFloat(scale), v.y *= asFloat(scale);
          if constexpr (C::gated)
            if (gate) {
              const float2 f = unpackElements<C>(post[2 * t + half]);
              v.x *= f.x, v.y *= f.y;
            }
          out[2 * t + half] = C::bf16 && !C::gateAtStore ? packBfloat(v.x, v.y) : packHalf(v.x, v.y);
          if constexpr (C::splitOutputs) {
            const float2 rounded = unpackHalf(out[2 * t + half]);
            rest[2 * t + half] = packHalf(v.x - rounded.x, v.y - rounded.y);
          }
          if constexpr (C::bf16 && !C::gated)
            if (scaled) out[2 * t + half] = bfloatMul(out[2 * t + half], bfloatPair(scale));
        }
      }
    }
    if constexpr (!C::bf16 && !C::gated) {
      if (scaled) {
        const float f = asFloat(scale);
#pragma unroll
        for (int i = 0; i < 4; i++) {
          const float2 v = unpackElements<C>(out[i]);
          out[i] = packHalf(v.x * f, v.y * f);
        }
      }
    }
  }

  // ---- samples that come round behind N, as imaginary parts of the first ones

  // To one exchange block that first() has written: what imaginary samples `b`, halves of n1 = 2c and 2c + 1 in column
  // n3l = g, add to it. (Mr + i Mi) i b = -Mi b + i Mr b.
  FFC_DEVICE void addImaginary(u32 b, u32 block) const {
    u32 sums[2][4];
#pragma unroll
    for (int part = 0; part < 2; part++) {
      u32(&x)[4] = sums[part];
      loadMatrices(block + addressOuter + part * blockPlane, x[0], x[1], x[2], x[3]);
    }
#pragma unroll
    for (int part = 0; part < 2; part++) {
      u32(&x)[4] = sums[part];
      u32 sum[2] = {x[0], x[1]};
      mmaHalfAdd(sum, matrixIn[1 - part], part ? b : halfNegate(b), 0);
      storeMatrices(block + addressOuter + part * blockPlane, sum[0], sum[1], x[2], x[3]);
    }
  }
  // Of n1 = 0 and n2 = 0 the first and the last matrix have the same real number for all k1. So imaginary samples add a
  // multiple of themselves to the imaginary parts of all 16 rows k1, and imaginary outputs are a multiple of the sum
  // over these: no products of matrices, and all tiles of a set at once. (One tile after the other through the matrices
  // took 0.08 of 0.39 ms at 4096.)
  FFC_DEVICE static float ofMatrix(const u32 (&matrix)[2][4]) { return unpackHalf(fromLane(matrix[0][0], 0)).x; }
};

}  // namespace ffc::mma
