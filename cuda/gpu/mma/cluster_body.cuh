// The order of the work of a cluster. Interval j of every block:
//   middle(j); results of j - 1 unfolded and stored, samples of j + 1 folded; samples of j + 2 ordered
//   cluster barrier
//   warp n2: its folded samples of j + 1 come from their block, its results of j = last(j) go back into the same
//   places, first(j + 1) into the exchange buffer
//   cluster barrier
// Reading and writing the other block's memory takes place between the same two barriers and by the same warp, so the one
// needs no barrier against the other. Half of the warps of each scheduler begin with middle(), the others with the samples.
#pragma once
#include "cluster_staging.cuh"
#include "phases.cuh"

namespace ffc::mma {

template <class C>
struct ClusterConvolution : Phases<C, ClusterStaging<C>> {
  using Base = Phases<C, ClusterStaging<C>>;
  using Base::R, Base::p, Base::warp, Base::lane, Base::g, Base::c, Base::staging, Base::exchange, Base::addressOuter;
  using Base::matrixIn, Base::matrixOut, Base::spectrumUntil;
  using A = typename Base::A;
  using Pair = typename Base::Pair;
  static constexpr int columns = ClusterStaging<C>::columns, columnBytes = ClusterStaging<C>::columnBytes;

  u32 remoteFolded, remoteResults;  // this warp's column in the block that folds it: this lane's units

  FFC_DEVICE explicit ClusterConvolution(const Params& params) : Base(params) {
    Base::loadTables();
    const u32 column = remoteAddress(staging.folded + (staging.rank * columns + warp % columns) * columnBytes, warp / columns);
    remoteFolded = column + staging.unit(c, 0, g >> 1, g & 1);
    remoteResults = column + staging.unit(g, 0, c, 0);
  }

  FFC_DEVICE void runMiddle(int set) {
    const int tile = staging.firstTile + set;
    if constexpr (C::spectrumRing) Base::turnRing(tile + 1);
    if ((!C::spectrumRing || p.skip) && tile >= spectrumUntil) Base::loadSpectrum(tile);
    constexpr SpectrumFrom from = C::spectrumRing ? SpectrumFrom::ring : SpectrumFrom::memory;
    constexpr SpectrumFrom fromWithoutSkip = C::spectrumRing ? SpectrumFrom::ringWithoutSkip : SpectrumFrom::memoryWithoutSkip;
    if (p.skip)
      Base::template middle<from>(exchange, typename Base::Nothing{});
    else
      Base::template middle<fromWithoutSkip>(exchange, typename Base::Nothing{});
  }

  // A complex matrix times complex data: (m0 + i m1) (x + i y) or its conjugate. Rows g and g + 8.
  template <bool conjugate>
  FFC_DEVICE static void product(const u32 (&m)[2][4], const u32 (&x)[4], const u32 (&y)[4], u32 (&re)[4], u32 (&im)[4]) {
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
      re[2 * t] = A::pack(r[0]), re[2 * t + 1] = A::pack(r[1]);
      im[2 * t] = A::pack(s[0]), im[2 * t + 1] = A::pack(s[1]);
    }
  }

  FFC_DEVICE void runOuter() {
    uint4 in[R][2];
#pragma unroll
    for (int b = 0; b < R; b++)
#pragma unroll
      for (int hi = 0; hi < 2; hi++) in[b][hi] = remoteLoad16((remoteFolded ^ ((b & 1) * 64)) + b * 1024 + hi * 256);
    warpSync();
#pragma unroll
    for (int b = 0; b < R; b++) {
      const u32 block = exchange + b * exchangeBytes + addressOuter;
      u32 x[4], y[4], re[4], im[4];
      loadTransposed(block, x[0], x[1], x[2], x[3]);
      loadTransposed(block + 8192, y[0], y[1], y[2], y[3]);
      product<true>(matrixOut, x, y, re, im);
      const u32 to = (remoteResults ^ ((b & 1) * 64)) + b * 1024;
      remoteStore16(to, uint4{re[0], re[2], re[1], re[3]});
      remoteStore16((to ^ 80) + 512, uint4{im[0], im[2], im[1], im[3]});
#pragma unroll
      for (int hi = 0; hi < 2; hi++) {
        x[hi] = in[b][hi].x, x[2 + hi] = in[b][hi].y;
        y[hi] = in[b][hi].z, y[2 + hi] = in[b][hi].w;
      }
      product<false>(matrixIn, x, y, re, im);
      storeMatrices(block, re[0], re[1], re[2], re[3]);
      storeMatrices(block + 8192, im[0], im[1], im[2], im[3]);
    }
  }

  FFC_DEVICE void run() {
    const int sets = staging.sets;
    if (sets == 0) return;  // the same for the whole cluster
    for (int set = 0; set < 3; set++) staging.clearScale(set);
    if constexpr (C::spectrumRing) Base::startRing(staging.firstTile);
    staging.load(0);
    clusterArrive();
    clusterWait();
    staging.findScale(0);
    clusterArrive();
    clusterWait();
    int exponent = 0, exponentBefore = 0;  // of the spectra of this and of the last set
    for (int set = -1; set < sets; set++) {
      const int middleTurn = (warp >> 2) & 1;
#pragma unroll 1
      for (int turn = 0; turn < 2; turn++) {
        if (turn == middleTurn) {
          if (set >= 0) runMiddle(set);
        } else {
          staging.unfold(set - 1, exponentBefore);
          staging.fold(set + 1);
        }
      }
      staging.load(set + 2);
      staging.orderPost(set);
      staging.clearScale(set + 4);
      clusterArrive();
      Base::loadOuter();
      exponentBefore = exponent;
      exponent = staging.spectrumExponent(set + 1);
      clusterWait();
      runOuter();
      staging.findScale(set + 2);
      clusterArrive();
      clusterWait();
    }
    staging.unfold(sets - 1, exponentBefore);
  }
};

}  // namespace ffc::mma
