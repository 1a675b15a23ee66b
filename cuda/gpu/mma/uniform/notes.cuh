// What a block finds out about the rows that go through it unscaled: whether all is well, or from which set on it has
// to start again with exact scales (uniform.cuh).
#pragma once
#include "wrapped.cuh"

namespace ffc::mma {

template <class C, class Copies>
struct RowNotes : WrappedSamples<C, Copies> {
  using Base = WrappedSamples<C, Copies>;
  using Base::staging, Base::exponent, Base::lane, Base::p, Base::warp, Base::exponentStored, Base::R, Base::products;
  using Base::largestWrapped, Base::fragment;
  using Base::Base;

  // Notes on rows. At first: a word that is not 0 for each row with a sample of sufficient size, and one for the set if
  // some sample is too large. A row of zeros counts as too small. With exact scales: the row's largest value.
  FFC_DEVICE u32 noteOf(int set) const {
    constexpr u32 ring = noteRing<C>;  // set >= -1
    return staging.rows + (ring == 8 ? u32(set) & 7 : (u32(set) + ring) % ring) * noteBytes<C>;
  }
  FFC_DEVICE u32 noteOfSet(int set) const { return noteOf(set) + noteBytes<C> - 4; }
  FFC_DEVICE u32 stopAt(int set) const { return staging.rows + noteRing<C> * noteBytes<C> + (set & 1) * 4; }
  FFC_DEVICE bool outsideWindow(int set, int firstRow) const {
    bool bad = sharedLoad4(noteOfSet(set)) != 0 || exponent < lowestInMatrix || exponent > highestInMatrix;
#pragma unroll
    for (int i = 0; i < C::uniformTiles; i += 2) {
      const int tile = i + (lane >> 4), sequence = lane & 15;
      const bool exists = tile < p.tilesPerSet && sequence >> staging.log2Sequences == 0 &&
                          firstRow + (tile << staging.log2Sequences) + sequence < p.batch;
      if (exists) bad |= sharedLoad4(noteOf(set) + i * 64 + lane * 4) == 0;
    }
    return warpMax(bad) != 0;
  }
  // One warp, which orders no copies, reads the notes for all, who learn of it in the next interval: words in turn, or
  // some would learn of it at once.
  FFC_DEVICE void watch(int set, int firstRow) const {
    if (outsideWindow(set, firstRow) && lane == 0) sharedStore4(stopAt(set), 1);
    warpSync();  // other lanes have read what this one clears
    for (int i = lane; i < noteBytes<C> / 4; i += 32) sharedStore4(noteOf(set) + i * 4, 0);
  }
  // The same from the outputs of a set, which lie in `slot` until the end of the interval: each of the last warps looks
  // at a tile. A row is well if eight samples of it, next to each other, have a mean square that the errors of small
  // halves cannot reach: each lane looks at eight of its part of a row, and at more as long as that is not so. Whoever
  // overflowed has left a note.
  FFC_DEVICE void watchOutputs(int set, u32 slot, int firstRow) const {
    const int tile = warp - (warps - p.tilesPerSet);
    if (tile < 0) return;
    bool bad = sharedLoad4(noteOfSet(set)) != 0 || exponentStored < lowestInMatrix || exponentStored > highestInMatrix;
    const int log2Lanes = 1 + p.log2N2, sequence = lane >> log2Lanes;  // of a row
    const bool exists = firstRow + (tile << staging.log2Sequences) + sequence < p.batch;
    const int pieces = Copies::leadingParts() * R;                     // of a lane
    const u32 from = slot + Copies::linesOfTile(tile) + lane * (pieces * 16);
    const float limit = leastSquares * powerOfTwo(2 * exponentStored);
    bool well = false;
    u32 wanting = 0;
    // All other warps wait for this one's chain of steps, so it does not wait for the note before it looks. (Radix 2
    // does: without the wait it spills two words more.)
    for (int i = 0; (R == 1 || !bad) && i < pieces; i++) {
      const int piece = i + (lane & 7);  // spread over the banks
      const uint4 v = sharedLoad16(from + (piece < pieces ? piece : piece - pieces) * 16);
      const float2 squares = unpackElements<C>(bfloatFma(v.x, v.x, bfloatFma(v.y, v.y, bfloatFma(v.z, v.z, bfloatMul(v.w, v.w)))));
      well |= squares.x + squares.y >= limit;
      const u32 rows = warpBallot(well) >> (sequence << log2Lanes);
      wanting = warpBallot(exists && (log2Lanes == 5 ? rows : rows & ((1u << (1 << log2Lanes)) - 1)) == 0);
      if (!wanting) break;
    }
    if ((bad || wanting) && lane == 0) sharedStore4(stopAt(set + 2), 1);
  }
  FFC_DEVICE void noteOverflow(int set) {
    const u32 exponents = products & 0x7f807f80u;
    if ((exponents & 0x7f80u) == 0x7f80u || exponents >> 16 == 0x7f80u) sharedStore4(noteOfSet(set), 1);
    products = 0;
  }
  FFC_DEVICE void clearNotes(int set) const {
    if (threadIndex() < noteBytes<C> / 4) sharedStore4(noteOf(set) + threadIndex() * 4, 0);
  }
  // As Staging::findScale does; each warp looks at what it will read in first().
  FFC_DEVICE void findLargest(int set, int slot, SetPosition from) const {
#pragma unroll 1
    for (int tile = 0; tile < p.tilesPerSet; tile++) {
      u32 most = largestWrapped(from, tile);
#pragma unroll
      for (int b = 0; b < R; b++) {
        const u32 offset = Copies::tileOffset(tile) + fragment[b];
        most = staging.largerOf(
            most, staging.largestOfPiece(staging.base + staging.slotBytes * slot + offset, staging.slotOfPre(set) + offset));
      }
      most = warpMax(most);
      if (lane == 0) sharedMax(noteOf(set) + tile * 64 + (warp >> p.log2N2) * 4, most);
    }
  }

};

}  // namespace ffc::mma
