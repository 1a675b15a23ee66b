// The outer phases of rows: first, n1 -> k1 of complex points on their way to the middle, and last, its conjugate transpose, both in place in
// a slot.
#pragma once
#include "factors.cuh"

namespace ffc::mma {

template <class C>
struct RowOuterPhases : RowFactors<C> {
  using Base = RowFactors<C>;
  using typename Base::A, typename Base::Pair;
  using Base::Q, Base::rows, Base::mixed, Base::factorAt, Base::addressOuter, Base::planeBytes, Base::matrixIn, Base::matrixOut;
  using Base::Base;

  // Of n3h = b: 16 x 16 points, n1 by n3l, of this warp's n2.
  struct Operands {
    u32 re[4], im[4];
  };
  FFC_DEVICE u32 outerAt(u32 row, int b) const { return row + (addressOuter ^ (b * 32)); }
  FFC_DEVICE void fetch(u32 row, int b, Operands& o) const {
    loadTransposed(outerAt(row, b), o.re[0], o.re[1], o.re[2], o.re[3]);
    loadTransposed(outerAt(row, b) + planeBytes, o.im[0], o.im[1], o.im[2], o.im[3]);
  }
  FFC_DEVICE void first(u32 row, int b, Operands o, uint64_t factorPairs) const {
    const u32 low = u32(factorPairs), high = u32(factorPairs >> 32);
    u32 re[4], im[4];
#pragma unroll
    for (int t = 0; t < 2; t++) {
      u32(&x)[4] = o.re, (&y)[4] = o.im;
      x[2 * t] = halfMul(x[2 * t], low), x[2 * t + 1] = halfMul(x[2 * t + 1], high);
      y[2 * t] = halfMul(y[2 * t], low), y[2 * t + 1] = halfMul(y[2 * t + 1], high);
      Pair r[2], i[2];
      A::dot2(r, matrixIn[0], x[2 * t], x[2 * t + 1], matrixIn[1], halfNegate(y[2 * t]), halfNegate(y[2 * t + 1]));
      A::dot2(i, matrixIn[0], y[2 * t], y[2 * t + 1], matrixIn[1], x[2 * t], x[2 * t + 1]);
      re[2 * t] = A::pack(r[0]), re[2 * t + 1] = A::pack(r[1]);
      im[2 * t] = A::pack(i[0]), im[2 * t + 1] = A::pack(i[1]);
    }
    storeMatrices(outerAt(row, b), re[0], re[1], re[2], re[3]);
    storeMatrices(outerAt(row, b) + planeBytes, im[0], im[1], im[2], im[3]);
  }
  // The rows of a set. Factors of n1 = 2c, 2c + 1 and of n1 + 8 are the same for all n3h.
  template <bool whole>
  FFC_DEVICE void firsts(u32 slot, u32 factorsOfSet, int count) const {
    if constexpr (whole && mixed) {
      Operands o[rows];
      uint64_t pairs[rows];
#pragma unroll
      for (int i = 0; i < rows; i++)
        fetch(slot + i * C::rowBytes, 0, o[i]), pairs[i] = sharedLoad8(factorsOfSet + i * C::factorWords * 4 + factorAt);
#pragma unroll
      for (int i = 0; i < rows; i++) first(slot + i * C::rowBytes, 0, o[i], pairs[i]);
    } else {
#pragma unroll
      for (int i = 0; i < rows; i++) {
        if (!whole && i >= count) break;
        const uint64_t pairs = sharedLoad8(factorsOfSet + i * C::factorWords * 4 + factorAt);
#pragma unroll
        for (int b = 0; b < Q; b++) {
          Operands o;
          fetch(slot + i * C::rowBytes, b, o);
          first(slot + i * C::rowBytes, b, o, pairs);
        }
      }
    }
  }

  // The conjugate transpose.
  FFC_DEVICE void last(u32 row, int b, const Operands& o) const {
    const u32(&x)[4] = o.re, (&y)[4] = o.im;
    u32 re[4], im[4];
#pragma unroll
    for (int t = 0; t < 2; t++) {
      Pair r[2], i[2];
      A::dot2(r, matrixOut[0], x[2 * t], x[2 * t + 1], matrixOut[1], y[2 * t], y[2 * t + 1]);
      A::dot2(i, matrixOut[0], y[2 * t], y[2 * t + 1], matrixOut[1], halfNegate(x[2 * t]), halfNegate(x[2 * t + 1]));
      re[2 * t] = A::pack(r[0]), re[2 * t + 1] = A::pack(r[1]);
      im[2 * t] = A::pack(i[0]), im[2 * t + 1] = A::pack(i[1]);
    }
    storeMatrices(outerAt(row, b), re[0], re[1], re[2], re[3]);
    storeMatrices(outerAt(row, b) + planeBytes, im[0], im[1], im[2], im[3]);
  }
  FFC_DEVICE void last(u32 row) const {
#pragma unroll
    for (int b = 0; b < Q; b++) {
      Operands o;
      fetch(row, b, o);
      last(row, b, o);
    }
  }
};

}  // namespace ffc::mma
