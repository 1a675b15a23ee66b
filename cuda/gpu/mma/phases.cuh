// The three phases of the fused convolution on one tile, and what a warp keeps for them: constant matrices, twiddles,
// the spectrum of the channel at hand. When they run is the driver's affair (body.cuh). cuda/DESIGN.md has the algebra.
//
// Digits n = n1 | n2 | n3h | n3l and k = k1 + 16 (k2 + N2 (kb + R j)), radices 16, N2, R, 16. A tile is 4096 R points:
// 16 / N2 sequences side by side, told apart by the upper part of the warps' digit w.
//   first   (warp w = n2)  n1 -> k1; the twist by a quarter frequency and the twiddle of n2 are in its matrix
//   middle  (warp w = k1)  n2 -> k2, n3h -> kb, n3l -> j, times the spectrum, and back, all in registers
//   last    (warp w = n2)  k1 -> n1, real part
// Packed samples are two windows of a row, the real and the imaginary part of one complex sequence.
//
// The files of phases/, each of which adds to the one before it:
//   state.cuh                 what a warp and its lanes keep, all of it
//   load_tables.cuh           constants on their way from the plan's tables into registers and shared memory
//   middle_twiddles.cuh       twiddles of the middle, as they are needed
//   tile_spectrum.cuh         which spectrum a tile has, and how it is read;
//   spectrum_ring.cuh           through a ring in shared memory,
//   spectrum_in_exchange.cuh    or through the exchange buffer
//   middle_there.cuh          the middle up to the digit n3l,
//   middle.cuh                  all of it
//   outer.cuh                 first and last
#pragma once
#include "phases/outer.cuh"

namespace ffc::mma {

template <class C, class StagingOf = Staging<C>>
struct Phases : OuterPhases<C, StagingOf> {
  using OuterPhases<C, StagingOf>::OuterPhases;
};

}  // namespace ffc::mma
