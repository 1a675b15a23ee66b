// How the rows of a set travel between device memory and the staging slots of the driver for sets of one channel
// (uniform.cuh): by tensor copies, which zero what lies beyond the batch on the way in and leave it out on the way out.
//
// Whole aligned rows: one thread moves a set by one copy, and slots have the layout that staging.cuh describes (below 1024
// points rows n1 of 32 or 64 bytes, swizzled within as many).
//
// Any others of more than N / 2 samples (`partial`): a row of L samples has p.wholeParts whole rows n1 and p.rest samples of
// one more. The map that all whole ones share ends after them; the other is a copy of its own, whose map ends with the
// row. So a tile is moved by two or three copies, which the first lane of a warp of its own orders. In the slot, the tile's
// whole rows n1 come first (as many lines as there are, not 16, for each 64 samples), then what is left of the row, then
// the rows n1 that do not exist: zeros once and for all, which last() keeps.
//
// Tensor copies take 16 aligned bytes or leave them: rows must begin at multiples of 16 bytes and be as long, though the
// descriptors count samples.
#pragma once
#include "phases.cuh"

namespace ffc::mma {

// A set: the rows of one channel from set * rowsPerSet on.
struct SetPosition {
  int channel, set;
};

template <class C, bool partial>
struct TensorCopies : Phases<C> {
  using Base = Phases<C>;
  using Base::R, Base::p, Base::warp, Base::lane, Base::staging;
  using Place = typename Staging<C>::Place;
  static constexpr bool keepsZeros = partial;
  static constexpr int barrierCount = C::uniformSlots + C::buffers;
  // Of a row n1 of all sequences of a tile.
  static constexpr int partBytes = R * stagingBytes / 16;
  u32 barriers;

  FFC_DEVICE explicit TensorCopies(const Params& params) : Base(params), barriers(staging.barriers) {
    if constexpr (partial) Base::upperRows = 8 + Base::g < parts() ? 0xffffffffu : 0;
  }

  // One group of barriers for the first run of the block, one for the run with exact scales.
  FFC_DEVICE void prepareCopies() {
    staging.initBarriers((C::rowScaled ? 2 : 1) * barrierCount);
    if constexpr (partial) {
      const u32 missing = partBytes * parts();
      const int slots = C::uniformSlots + (C::gated ? C::buffers : 0);  // of u and of the first gate
      for (int i = 0; i < slots * p.tilesPerSet; i++)
        for (u32 at = missing + threadIndex() * 16; at < 16 * partBytes; at += threads * 16)
          sharedStore16(staging.base + i * (16 * partBytes) + at, uint4{0, 0, 0, 0});
      blockSync();  // several warps order copies that arrive at the barriers
    }
  }
  FFC_DEVICE void beginCopies(bool exact) { barriers = staging.barriers + (exact ? barrierCount * 8 : 0); }

  // Rows n1 that have samples.
  FFC_DEVICE int parts() const { return p.wholeParts + (p.rest > 0); }

  // This lane's row of the staged samples (n1, n3l) of this warp at n3h = b.
  FFC_DEVICE u32 fragmentAt(int b) const {
    if (!partial && (R > 1 || p.log2N2 >= 2)) return staging.fragment(0, b);
    const int log2N2 = p.log2N2, sequence = warp >> log2N2;
    const int n1 = (lane >> 3 & 1) * 8 + (lane & 7), column = 2 * R * warp + 2 * b + (lane >> 4);
    const int inRow = column - ((2 * R * sequence) << log2N2);            // piece of row n1 of the sequence
    const int rowPieces = (2 * R) << log2N2, pieces = rowPieces < 8 ? rowPieces : 8;  // of a line
    const int whole = partial ? p.wholeParts : 16;
    const int line = (sequence * (rowPieces / pieces) + inRow / pieces) * whole + n1;
    if (n1 < whole) {
      const u32 at = (line * pieces + (inRow & (pieces - 1))) * 16;
      return at ^ (at >> 3 & ((pieces - 1) << 4));
    }
    if (n1 < parts()) return partBytes * n1 + column * 16;
    return partBytes * n1 + (column ^ (line & 7)) * 16;
  }

  // ---- copies of what this thread has to order of a set: all of it, or a tile.
  FFC_DEVICE bool orders() const { return partial ? lane == 0 && warp < p.tilesPerSet : threadIndex() == 0; }
  FFC_DEVICE u32 bytesOfSet() const { return partial ? p.tilesPerSet * partBytes * parts() : staging.slotBytes; }
  // whole(place, row) for the rows n1 that are whole, rest(place, sample, row) for what there is of another.
  template <class Whole, class Rest>
  FFC_DEVICE void forBoxes(u32 slot, SetPosition at, Whole&& whole, Rest&& rest) const {
    const int row = at.set * staging.rowsPerSet;
    if constexpr (partial) {
      const u32 tile = slot + warp * (16 * partBytes);
      const int first = row + (warp << staging.log2Sequences);
      whole(tile, first);
      // A box has at most 256 samples; a row n1 of more belongs to the only sequence of its tile.
      for (int done = 0; p.rest && done < (16 * R) << p.log2N2; done += 256)
        rest(tile + partBytes * p.wholeParts + done * 2, done, first);
    } else {
      whole(slot, row);
    }
  }
  FFC_DEVICE void loadTensor(u32 slot, const void* map, const void* restMap, SetPosition from, u32 barrier) const {
    forBoxes(
        slot, from, [&](u32 to, int b) { tensorLoad(to, map, b, from.channel, barrier); },
        [&](u32 to, int sample, int b) { tensorLoadRest(to, restMap, sample, b, from.channel, barrier); });
  }
  FFC_DEVICE void load(int set, Place to, SetPosition from) const {
    if (!orders()) return;
    const bool gate = C::gated && p.pre.data;
    const u32 barrier = barriers + to.slot * 8;
    if (threadIndex() == 0) barrierExpect(barrier, bytesOfSet() * (gate ? 2 : 1));
    loadTensor(staging.slotOf(to), &p.maps.u, &p.rests.u, from, barrier);
    if (gate) loadTensor(staging.slotOfPre(set), &p.maps.pre, &p.rests.pre, from, barrier);
  }
  FFC_DEVICE u32 postBarrier(int set) const { return barriers + (C::uniformSlots + (set & 1)) * 8; }
  FFC_DEVICE void loadPost(int set, SetPosition from) const {
    if (!orders() || !p.post.data) return;
    const u32 barrier = postBarrier(set);
    if (threadIndex() == 0) barrierExpect(barrier, bytesOfSet());
    loadTensor(staging.slotOfPost(set), &p.maps.post, &p.rests.post, from, barrier);
  }
  FFC_DEVICE void store(u32 slot, SetPosition to) const {
    if (!orders()) return;
    forBoxes(
        slot, to, [&](u32 from, int b) { tensorStore(from, &p.maps.y, b, to.channel); },
        [&](u32 from, int sample, int b) { tensorStoreRest(from, &p.rests.y, sample, b, to.channel); });
  }
  // What this thread has stored has left shared memory; has arrived in device memory.
  FFC_DEVICE void awaitStoresRead() const {
    if (orders()) tensorStoresRead();
  }
  FFC_DEVICE void awaitStores() const {
    if (orders()) tensorStoresDone();
  }
  FFC_DEVICE void await(Place at) const { barrierWait(barriers + at.slot * 8, at.parity); }
  FFC_DEVICE void awaitPost(int set) const {
    if (C::gated && p.post.data) barrierWait(postBarrier(set), set >> 1 & 1);
  }
};

}  // namespace ffc::mma
