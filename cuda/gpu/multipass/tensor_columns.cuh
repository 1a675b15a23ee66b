// The first and the last pass on tensor cores: transforms over n1 for a tile of neighbouring columns. A tile is what the 16
// warps of a block see as 16 x 16 R rows of `width` columns: N1 = 16 C R, C = 1 << log2Inner, and 16 / C groups of columns side
// by side, told apart by the upper part of the warps' digit w.
//   digits n1 = a | m | b (radices 16, C, R), k1 = ka + 16 (km + C kb)
//   outer   (warp w = group | m)  a <-> ka: one complex 16 x 16 matrix per m, with the shift and the twiddle of m; a warp brings
//           in the samples of its own rows, and the next tile's as soon as they are in registers
//   inner   (one ka a warp)       m <-> km by the half-cost transform (cuda/DESIGN.md, "Half cost"), b <-> kb a butterfly in registers
// Between them lies one exchange through shared memory; inner works in place on the rows of its own warp, and the same warp moves
// them to or from scratch, without a barrier. In a frequency-sparse plan a warp whose ka has no kept row skips inner and moves
// nothing. Two blocks share a multiprocessor (one for R = 4), so that one computes while the
// other waits for memory.
//
// Of a band of frequencies (rate > 1) the ring has a number for every second or fourth sample. The first pass makes the numbers of a
// tile from samples, four rows of a warp at a time; each tile of the last pass overlaps the next one by the eight columns that its
// outputs need as neighbours.
//
// The files of tensor_columns/, each of which adds to the one before it, or to the one that it says:
//   tiles.cuh         what a warp keeps, the tiles, and where their complex points lie
//   samples.cuh       real samples of a tile, and their gate
//   resampled.cuh     the filters of a band of frequencies at a part of the rate
//   decimated.cuh     from samples to its numbers
//   forward.cuh       the first pass
//   interpolated.cuh  to resampled.cuh: from its numbers to samples
//   inverse.cuh       the last pass
//   skip_term.cuh     which may be added to its outputs
#pragma once
#include "tensor_columns/forward.cuh"
#include "tensor_columns/inverse.cuh"
