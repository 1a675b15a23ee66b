// Who copies what: each thread its pieces, or, of tensor copies, each warp what has its number.
#pragma once
#include "row_tables.cuh"

namespace ffc::mma {

template <class C>
struct CopyShares : RowTables<C> {
  using Base = RowTables<C>;
  using typename Base::Position;
  using Base::p, Base::rowAddress, Base::originOf, Base::phaseOf, Base::R, Base::piece, Base::log2Sequences;
  using Base::tileBytes, Base::windowBytes, Base::lastTile, Base::firstTile, Base::positionOf, Base::log2PartSamples;
  using Base::batchOf, Base::channelAt, Base::columnsBytes, Base::channelOf, Base::sequenceBytes;
  using Base::Base;

  // Whether outputs at this position are to be stored.
  FFC_DEVICE bool isOutput(int position) const { return !C::packed || u32(position - p.history) < u32(p.step); }

  // This thread's pieces: the addresses of their rows of u and of `tensor`, the sample there, the position in the
  // sequence, the place in the slot. A tile of packed samples is one row.
  template <class Body>
  FFC_DEVICE void forPieces(int set, int tensor, Body&& body) const {
#pragma unroll 1
    for (int tile = 0; tile < p.tilesPerSet; tile++) {
      uint64_t u = 0, other = 0;
      int origin = 0;
      auto look = [&](int row) {
        u = rowAddress(0, set, row);
        other = tensor ? rowAddress(tensor, set, row) : u;
        origin = (C::packed ? int(sharedLoad4(originOf(set, row))) : 0) - phaseOf(u);
      };
      if constexpr (C::packed) look(tile);
#pragma unroll
      for (int r = 0; r < R; r++) {
        const u32 packed = piece(r);
        if constexpr (!C::packed) look((tile << log2Sequences) + int(packed >> 24));
#pragma unroll
        for (int w = 0; w < C::windows; w++) {
          const int position = int(packed >> 12 & 4095) * 8 + w * R * tilePoints;
          body(u, other, origin + position, position, tile * tileBytes + (packed & 4095) * 16 + w * windowBytes);
        }
      }
    }
  }

  // Existing sequences of a set; tensor copies are used only where tiles are full.
  FFC_DEVICE int sequencesOf(int set) const {
    if constexpr (C::oneTile) return 1;
    const int left = lastTile - firstTile - set * p.tilesPerSet;
    return (left < p.tilesPerSet ? left : p.tilesPerSet) << log2Sequences;
  }
  // Each warp takes what has its number, with one lane or with all: a sequence (at most 16 a set where tensor copies
  // are used), or of packed samples some groups of columns of one.
  template <class Body>
  FFC_DEVICE void forCopies(int set, Body&& body) const {
    if constexpr (C::wholeRows) {
      if (threadIndex()) return;
      const Position at = positionOf(set);
      body(at.row, at.channel, 0, 0, 0);
      return;
    }
    if ((threadIndex() & 31) == 0) forWarpCopies(set, static_cast<Body&&>(body));
  }
  template <class Body>
  FFC_DEVICE void forWarpCopies(int set, Body&& body) const {
    const int warp = threadIndex() >> 5;
    constexpr int copies = C::packed ? 4 * R / C::copyGroups : 1;  // of a sequence
    const int inSet = C::oneTile ? 0 : warp / copies;
    if (inSet >= sequencesOf(set)) return;
    if constexpr (C::packed) {
      // Looked up: with the divisions here, each warp spent a seventh of its instructions on them at radix 4.
      const int group = warp % copies * C::copyGroups, part = int(sharedLoad4(originOf(set, inSet))) >> log2PartSamples;
      body(int(sharedLoad4(batchOf(set, inSet))), int(sharedLoad4(channelAt(set, inSet))), part, group,
           inSet * tileBytes + group * columnsBytes);
    } else {
      const int sequence = ((firstTile + set * p.tilesPerSet) << log2Sequences) + inSet;
      const int h = channelOf(sequence);
      const u32 tile = inSet >> log2Sequences, inTile = inSet & ((1 << log2Sequences) - 1);
      body(sequence - h * p.batch, h, 0, 0, tile * tileBytes + inTile * sequenceBytes());
    }
  }
};

}  // namespace ffc::mma
