// Slices use each spectrum once. A spectrum of halves passes through the exchange buffer, where a warp's part is free
// between its operands and its results (Config::spectrumInExchange). Rows of two halves have a second one, and products
// that wait for it.
#pragma once
#include "spectrum_ring.cuh"

namespace ffc::mma {

template <class C, class StagingOf>
struct SpectrumInExchange : SpectrumRing<C, StagingOf> {
  using Base = SpectrumRing<C, StagingOf>;
  using typename Base::A, typename Base::Bins, typename Base::Factor, typename Base::Pair;
  using Base::R, Base::binPieces, Base::blockPlane, Base::halfPlane, Base::lane, Base::p, Base::ring, Base::staging;
  using Base::warp, Base::n2Bits, Base::rescale, Base::spectrumAt, Base::spectrumFrom, Base::crossFrom, Base::crossTo;

  using Base::Base;

  // A spectrum of halves: pieces 2 b + s, just as many as a warp's part of the buffer holds. Those of half t lie where
  // the operands of that half were. A lane reads only what it has copied itself.
  FFC_DEVICE u32 placeOfPiece(u32 block, int piece) const {
    return block + (piece % R) * C::blockBytes + (piece / R) * halfPlane + (lane >> 4) * blockPlane + warp * 256 + (lane & 15) * 16;
  }
  // All operands of half t have been read.
  FFC_DEVICE void orderHalf(u32 block, int t) const {
    static_assert(!C::spectrumInExchange || binPieces == 1);
    warpSync();
#pragma unroll
    for (int piece = t * R; piece < (t + 1) * R; piece++)
      copyAsync16(placeOfPiece(block, piece), spectrumAt[piece & 1] + ((piece >> 1) << (n2Bits() + 2)));
    copyAsyncCommit();
  }
  // Before block b is used.
  FFC_DEVICE void awaitPieces(int b) const {
    if (2 * b + 1 < R)
      copyAsyncWaitButOne();
    else
      copyAsyncWaitAll();
  }
  template <bool withoutSkip>
  FFC_DEVICE Bins pieceOfExchange(u32 block, int b, int s) const {
    Bins bins;
    bins.piece[0] = sharedLoad16(C::halves > 1 ? placeOfSpectrum(block, b, s) : placeOfPiece(block, 2 * b + s));
    return Base::template withSkip<withoutSkip>(bins, s);
  }

  // ---- rows of two halves
  // In the first, the middle also multiplies by the second segment of the kernel, whose products it leaves in device
  // memory (crossTo); in the second it adds them. Either comes in the order of the spectrum, from crossFrom.

  // spectrumGroup() of b and this lane's k2 and c: 15 - k2 where s is 1.
  FFC_DEVICE u32 pieceAt(int b, int s) const { return (warp * R + b) * 64 + (lane ^ (s ? 60 : 0)); }
  // A lane has 2 R places in the exchange buffer and two in the ring for twice 2 R pieces. First of all come block 0 of
  // both, block 1 of the other, and blocks 1 and 2 of the spectrum, in this order, but for the other's block 0, which
  // the ring takes; then, each in the place of what has been used, block 2 of the other, the spectrum's last one, and
  // block 3 of the other: a block ahead or more.
  FFC_DEVICE u32 placeOfSpectrum(u32 block, int b, int s) const { return placeOfPiece(block, (b == 0 || b == R - 1 ? 0 : 2 * b + 2) + s); }
  FFC_DEVICE u32 placeOfCross(u32 block, int b, int s) const {
    return b & 1 ? placeOfPiece(block, 2 + s) : ring + s * (16 * C::ringThreads);
  }
  FFC_DEVICE void orderSpectrum(u32 block, int b, int s) const { copyAsync16(placeOfSpectrum(block, b, s), spectrumFrom + pieceAt(b, s)); }
  FFC_DEVICE void orderCross(u32 block, int b, int s) const { copyAsync16(placeOfCross(block, b, s), crossFrom + pieceAt(b, s)); }
  // All operands of half t have been read: its places.
  FFC_DEVICE void orderBoth(u32 block, int t) const {
    warpSync();
#pragma unroll
    for (int place = t * R; place < (t + 1) * R; place++) {
      const int two = place >> 1;
      if (two == 1)
        orderCross(block, 1, place & 1);
      else
        orderSpectrum(block, two == 0 ? 0 : two - 1, place & 1);
    }
    copyAsyncCommit();
  }
  // Block b of both has been used.
  FFC_DEVICE void orderNext(u32 block, int b) const {
    if (b + 2 >= R) return;
#pragma unroll
    for (int s = 0; s < 2; s++) {
      orderCross(block, b + 2, s);
      if (b == 0) orderSpectrum(block, R - 1, s);
    }
    copyAsyncCommit();
  }
  // Before block b: of the copies ordered by then, the last ones are for later blocks.
  FFC_DEVICE void awaitBoth(int b) const {
    if (b + 1 < R)
      copyAsyncWaitButOne();
    else
      copyAsyncWaitAll();
  }
  FFC_DEVICE static uint4 scaled(uint4 v, u32 by) { return {halfMul(v.x, by), halfMul(v.y, by), halfMul(v.z, by), halfMul(v.w, by)}; }
  // (plus, minus) times the spectrum at +f and -f, and what the other half has to do with it.
  template <bool withoutSkip>
  FFC_DEVICE void multiplyHalf(u32 block, int b, int s, Pair& plusRe, Pair& plusIm, Pair& minusRe, Pair& minusIm, Factor plus, Factor minus) const {
    static_assert(!C::accurate || C::halves == 1);
    uint4 piece = sharedLoad16(placeOfCross(block, b, s)), sum{0, 0, 0, 0};
    if (s == 1) orderNext(block, b);
    if (crossTo) {
      if (!withoutSkip) piece = scaled(piece, packHalf(rescale[s], rescale[s]));
      Pair v[4] = {plusRe, plusIm, minusRe, minusIm};
      A::multiply(v[0], v[1], A::factor(piece.x, piece.y));
      A::multiply(v[2], v[3], A::factor(piece.z, piece.w));
      storePoints(crossTo + pieceAt(b, s), uint4{v[0], v[1], v[2], v[3]});
    } else {
      sum = piece;
      if constexpr (C::rowScaled) sum = scaled(sum, sharedLoad4(staging.crossScaleAt()));
    }
    A::multiplyAdd(plusRe, plusIm, plus, sum.x, sum.y);
    A::multiplyAdd(minusRe, minusIm, minus, sum.z, sum.w);
  }
};

}  // namespace ffc::mma
