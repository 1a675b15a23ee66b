// What sequences in slices keep beyond the phases' own constants, which slices have a turn, and first(): the samples of
// all parts of a sequence are folded with the constants of a slice (fold.cuh). sliced_body.cuh has the algebra and the
// order of the work.
#pragma once
#include "../fold.cuh"
#include "../phases.cuh"
#include "../sliced_staging.cuh"

namespace ffc::mma {

template <class C>
struct SlicedFold : Phases<C, SlicedStaging<C>> {
  using Base = Phases<C, SlicedStaging<C>>;
  using typename Base::Layout, typename Base::Pair, typename Base::A;
  using Base::p, Base::warp, Base::lane, Base::matrixIn, Base::staging, Base::exchange, Base::R, Base::addressOuter;
  using Base::Base;
  static constexpr int K = C::slices, M = SlicedStaging<C>::points;
  static_assert(K % 2 == 0, "parity()");

  int turnsTaken = 0;  // oneSlice: by this and by earlier sequences
  u32 turns[C::foldByMatrix ? 1 : K - 1][2];               // of the parts n0 >= 1 of the sequence
  u32 matrixParts[C::foldByMatrix ? K - 1 : 1][2][4];      // the same, times the first matrix
  u32 matrixLast[2][C::unfoldByMatrix ? 2 : 1][2][4];      // unfoldByMatrix: [n0][slice][re, im]

  // With slice + 1 at its uses the compiler orders other code.
  FFC_DEVICE int nextSlice(int slice) const {
    slice++;
    return slice;
  }
  FFC_DEVICE int firstSlice() const { return C::oneSlice ? p.onlySlice : 0; }
  FFC_DEVICE int lastSlice() const { return C::oneSlice ? p.onlySlice : K - 1; }

  // Of the two barriers within an interval: of the number of intervals before it.
  FFC_DEVICE u32 parity(int slice) const { return (C::oneSlice ? turnsTaken : slice) & 1; }

  // Matrices of this warp's n2, as many of them.
  FFC_DEVICE void loadParts(const u32* from, int count, u32 (*to)[2][4]) const {
#pragma unroll
    for (int n = 0; n < count; n++)
#pragma unroll
      for (int part = 0; part < 2; part++) {
        const uint4 v = loadTable16(from + (((warp * count + n) * 2 + part) * 32 + lane) * 4, keepingPolicy());
        to[n][part][0] = v.x, to[n][part][1] = v.y, to[n][part][2] = v.z, to[n][part][3] = v.w;
      }
  }
  // Constants of first() of a slice.
  FFC_DEVICE void loadFirst(int in) {
    Base::loadOuter(matrixIn, in, 0);
    const u32* fold = Base::tables(in) + Layout::fold;
    if constexpr (C::foldByMatrix) {
      loadParts(fold, K - 1, matrixParts);
    } else {
#pragma unroll
      for (int n = 0; n < K - 1; n++)
#pragma unroll
        for (int part = 0; part < 2; part++) turns[n][part] = loadTable4(fold + 2 * n + part, keepingPolicy());
    }
  }

  // m x of the complex numbers (x, y), or the conjugate of m times them: m is given by its real and imaginary parts.
  template <bool conjugate>
  FFC_DEVICE static void product(const u32 (&m)[2][4], const u32 (&x)[4], const u32 (&y)[4], Pair (&re)[4], Pair (&im)[4]) {
#pragma unroll
    for (int t = 0; t < 2; t++) {
      u32 nx[2], ny[2];
#pragma unroll
      for (int i = 0; i < 2; i++) {
        nx[i] = conjugate ? halfNegate(x[2 * t + i]) : x[2 * t + i];
        ny[i] = conjugate ? y[2 * t + i] : halfNegate(y[2 * t + i]);
      }
      Pair r[2], s[2];
      A::dot2(r, m[0], x[2 * t], x[2 * t + 1], m[1], ny[0], ny[1]);
      A::dot2(s, m[0], y[2 * t], y[2 * t + 1], m[1], nx[0], nx[1]);
      re[2 * t] = r[0], re[2 * t + 1] = r[1];
      im[2 * t] = s[0], im[2 * t + 1] = s[1];
    }
  }

  // first(): samples (of all parts) of this warp's n2 and n3h = b -> operands of the exchange.
  FFC_DEVICE void foldedFirst(int b, u32 (&outRe)[4], u32 (&outIm)[4]) {
    const u32 from = staging.base + staging.fragment(b);
    Pair re[4], im[4];
    if constexpr (C::foldByMatrix) {
#pragma unroll
      for (int n = 0; n < K; n++) {
        u32 u[4];
        loadTransposed(from + n * staging.partBytes, u[0], u[1], u[2], u[3]);
        const u32(&m)[2][4] = n == 0 ? matrixIn : matrixParts[n == 0 ? 0 : n - 1];
#pragma unroll
        for (int t = 0; t < 2; t++)
#pragma unroll
          for (int part = 0; part < 2; part++) {
            Pair(&to)[4] = part ? im : re;
            Pair d[2] = {to[2 * t], to[2 * t + 1]};
            if (n == 0)
              A::dot(d, m[part], u[2 * t], u[2 * t + 1]);
            else
              A::dotAdd(d, m[part], u[2 * t], u[2 * t + 1]);
            to[2 * t] = d[0], to[2 * t + 1] = d[1];
          }
      }
    } else {
      u32 x[4], y[4];
      loadTransposed(from, x[0], x[1], x[2], x[3]);
#pragma unroll
      for (int n = 1; n < K; n++) {
        u32 u[4];
        loadTransposed(from + n * staging.partBytes, u[0], u[1], u[2], u[3]);
#pragma unroll
        for (int i = 0; i < 4; i++) {
          x[i] = halfFma(u[i], turns[n - 1][0], x[i]);
          y[i] = n == 1 ? halfMul(u[i], turns[0][1]) : halfFma(u[i], turns[n - 1][1], y[i]);
        }
      }
      product<false>(matrixIn, x, y, re, im);
    }
#pragma unroll
    for (int i = 0; i < 4; i++) outRe[i] = A::pack(re[i]), outIm[i] = A::pack(im[i]);
  }

  // What comes round behind N: imaginary parts of n0 = n1 = n2 = n3h = 0, n3l = 0 ... 7, in this warp's column of the
  // exchange buffer. To what first() has left there, a lane for each row k1; no products of matrices, see ofMatrix().
  FFC_DEVICE void addWrapped() const {
    const float f = Base::ofMatrix(matrixIn);
    const u32 factor = packHalf(f, f);
    warpSync();
    if (lane >= 16) return;
    const u32 place = exchange + Base::blockPlane + lane * 256 + (lane & 7) * 16;
    const uint4 v = sharedLoad16(staging.wrapped), x = sharedLoad16(place);
    sharedStore16(place, uint4{halfFma(v.x, factor, x.x), halfFma(v.y, factor, x.y), halfFma(v.z, factor, x.z), halfFma(v.w, factor, x.w)});
  }

  // first() of a slice, into the exchange buffer.
  FFC_DEVICE void runFirst() {
#pragma unroll
    for (int b = 0; b < R; b++) {
      const u32 block = exchange + b * exchangeBytes + addressOuter;
      u32 x[4], y[4];
      foldedFirst(b, x, y);
      Base::storePlanes(block, x, y);
    }
    if (staging.wraps()) addWrapped();
  }
};

}  // namespace ffc::mma
