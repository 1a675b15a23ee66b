// The skip term where the last pass adds it to outputs, because the spectrum leaves out rows or frequencies that a tap would reach.
#pragma once
#include "../tensor_resampling.cuh"
#include "tiles.cuh"

namespace ffc::mma {

template <class C, bool isPresent>
struct SkipTerm {
  static constexpr bool present = false;
  struct Samples {};
  FFC_DEVICE SkipTerm(const ColumnParams&, const typename ColumnTiles<C>::Tile&) {}
  FFC_DEVICE void fetch(int) const {}
  FFC_DEVICE Samples samplesAt(int) const { return {}; }
  FFC_DEVICE void addTo(float (&)[8], Samples, int) const {}
};

// Of the row that a tile belongs to.
template <class C>
struct SkipTerm<C, true> {
  static constexpr bool present = true;
  using Samples = uint4;
  uint64_t u, pre, post;
  float factor;
  int length, outLength;

  // Behind sample N, where outputs are the imaginary part, there are no samples: rows of patterns have N of them at most.
  FFC_DEVICE SkipTerm(const ColumnParams& p, const typename ColumnTiles<C>::Tile& t)
      : u(ColumnTiles<C>::rowOf(p.u, t)), pre(p.pre.data ? ColumnTiles<C>::rowOf(p.pre, t) : 0),
        post(p.post.data ? ColumnTiles<C>::rowOf(p.post, t) : 0), factor(skipLoad(p.skip, t.h, p.skipType)),
        length(p.imaginary ? 0 : p.length), outLength(p.outLength) {}
  // The line with this sample, and those of its gates, on their way into the second-level cache.
  FFC_DEVICE void fetch(int n) const {
    const auto line = [n](uint64_t row) { prefetch(reinterpret_cast<const void*>(row + 2 * int64_t(n))); };
    if (n < length) line(u);
    if (pre && n < length) line(pre);
    if (post && n < outLength) line(post);
  }
  // To outputs first .. first + 7, of samples that have been asked for before.
  FFC_DEVICE Samples samplesAt(int first) const { return gatherPiece(u, first, length); }
  FFC_DEVICE void addTo(float (&y)[8], Samples samples, int first) const {
    float x[8];
    unpackSamples<C>(samples, x);
    if (pre) multiplySamples<C>(x, pre, first, length);
#pragma unroll
    for (int i = 0; i < 8; i++) y[i] += factor * x[i];
  }
};

}  // namespace ffc::mma
