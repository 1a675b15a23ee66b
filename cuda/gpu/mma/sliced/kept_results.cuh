// Results of slices that wait, with the thread that unfolds them, for the last slice of their sequence: last() of all
// slices but that one leaves them here.
#pragma once
#include "fold_samples.cuh"

namespace ffc::mma {

template <class C>
struct KeptResults : SlicedFold<C> {
  using Base = SlicedFold<C>;
  using typename Base::Pair, typename Base::A;
  using Base::staging, Base::R, Base::K, Base::matrixOut;
  using Base::Base;

  FFC_DEVICE void keep(int slice, int b, const u32 (&re)[4], const u32 (&im)[4]) const {
    staging.keep(slice, 2 * b, uint4{re[0], re[1], re[2], re[3]});
    staging.keep(slice, 2 * b + 1, uint4{im[0], im[1], im[2], im[3]});
  }
  struct Kept {
    uint4 piece[C::resultPieces / R];
  };
  FFC_DEVICE Kept kept(int slice, int b) const {
    Kept k{};
    if constexpr (C::oneSlice) return k;
#pragma unroll
    for (int i = 0; i < C::resultPieces / R; i++) k.piece[i] = staging.kept(slice, b * (C::resultPieces / R) + i);
    return k;
  }
  // Of all earlier slices.
  FFC_DEVICE void allKept(int b, Kept (&before)[K - 1]) const {
#pragma unroll
    for (int s = 0; s < K - 1; s++) before[s] = kept(s, b);
  }
  // Real or imaginary word i.
  FFC_DEVICE static Pair wordOf(const Kept& k, int part, int i) {
    const uint4 v = k.piece[part];
    return A::unpack(i == 0 ? v.x : i == 1 ? v.y : i == 2 ? v.z : v.w);
  }

  // last() of a slice that is not the sequence's last one.
  FFC_DEVICE void keepResults(int slice, int b, const u32 (&x)[4], const u32 (&y)[4]) const {
    if constexpr (C::unfoldByMatrix) {
      keep(slice, b, x, y);
    } else {
      Pair re[4], im[4];
      Base::template product<true>(matrixOut, x, y, re, im);
      u32 outRe[4], outIm[4];
#pragma unroll
      for (int i = 0; i < 4; i++) outRe[i] = A::pack(re[i]), outIm[i] = A::pack(im[i]);
      keep(slice, b, outRe, outIm);
    }
  }
};

}  // namespace ffc::mma
