// The way of the samples between device memory and the staging slots in shared memory, and what is known of each
// row on its way: its addresses, its largest value, the exponent of its channel's spectrum.
//
// A slot of one tile is a matrix of 16 rows n1 by 32 R pieces of 16 bytes (8 samples): piece column
// 2 R w + 2 n3h + (n3l / 8), where w is the warps' digit. Eight columns by 16 rows make 2 KB; within them the column
// is XORed with the row, so that ldmatrix and 16-byte copies are free of bank conflicts. That is also what a tensor
// map with 128-byte swizzle writes. Packed samples have 32 rows, those of the second window after those of the first.
//
// Each thread owns R pieces of every tile: it stores y from them and then refills them, so no barrier is needed
// between the two. Rows may begin anywhere. Where there is room for it, a row is shifted to the right by its phase,
// the number of samples it begins past a 16-byte boundary (the ring shifts the result alike), so that u, gates and y
// are accessed in aligned pieces; a tensor out of phase with u takes the narrow way.
#pragma once
#include "staging/pieces.cuh"
#include "staging/row_scales.cuh"
#include "staging/samples.cuh"

namespace ffc::mma {

template <class C>
struct Staging : RowScales<C> {
  using Base = RowScales<C>;
  using typename Base::Place;
  using Base::p, Base::sets, Base::slotOf, Base::maps, Base::storeGated, Base::forCopies, Base::log2PartSamples;
  using Base::columnsBytes, Base::forPieces, Base::isOutput, Base::tileBytes, Base::gateOf, Base::rowAddress;
  using Base::gatedOutputs, Base::exponentOf, Base::slotOfPre, Base::multiplies, Base::barriers, Base::sequencesOf;
  using Base::sequenceBytes, Base::prefetchGate, Base::slotOfPost, Base::slots;
  using Base::Base;

  FFC_DEVICE void fill(u32 target, uint64_t row, int first, int length, bool periodic) const {
    if (C::packed && periodic && first <= -8) first += length;
    fillPiece(target, row, first, length, C::packed && periodic);
  }
  FFC_DEVICE void drain(u32 source, uint64_t row, int first) const {
    if (first < p.outLength && first + 8 > 0) drainPiece(sharedLoad16(source), row, first, p.outLength);
  }

  // y of a set lies where the input was that first() consumed at the same time.
  FFC_DEVICE void store(int set, Place at) const {
    if (set < 0 || set >= sets) return;
    const u32 slot = slotOf(at);
    if (maps) {
      if constexpr (C::gateAtStore) return storeGated(set, slot);
      forCopies(set, [&](int b, int h, int part, int group, u32 offset) {
        if constexpr (C::packed) {
          // Only the parts to be stored, which are contiguous here within a group.
          const int skipped = p.history >> log2PartSamples;
#pragma unroll
          for (int g = 0; g < C::copyGroups; g++)
            tensorStorePart(slot + offset + g * columnsBytes + skipped * 128, &p.maps.y, part + skipped, group + g, b, h);
        } else {
          tensorStore(slot + offset, &p.maps.y, b, h);
        }
      });
      return;
    }
    forPieces(set, 1, [&](uint64_t, uint64_t y, int first, int position, u32 offset) {
      if (!y || !isOutput(position)) return;
      if constexpr (C::gateAtStore) {
        if (first >= p.outLength || first + 8 <= 0) return;
        const int row = int(offset / tileBytes);
        const uint4 gate = p.post.data ? gateOf(rowAddress(3, set, row), first) : uint4{0, 0, 0, 0};
        drainPiece(gatedOutputs(slot + offset, gate, asFloat(sharedLoad4(exponentOf(set, row)))), y, first, p.outLength);
      } else {
        drain(slot + offset, y, first);
      }
    });
  }

  FFC_DEVICE void load(int set, Place at) const {
    if (set >= sets) return;
    const u32 slot = slotOf(at), slotPre = slotOfPre(set);
    const bool gate = multiplies();
    if (maps) {
      const u32 barrier = barriers + at.slot * 8;
      if (threadIndex() == 0) barrierExpect(barrier, sequencesOf(set) * sequenceBytes() * (1 + gate));
      forCopies(set, [&](int b, int h, int part, int group, u32 offset) {
        tensorStoresRead();  // y has left this slot
        tensorLoadPart(slot + offset, &p.maps.u, part, group, b, h, barrier);
        if (gate) tensorLoadPart(slotPre + offset, &p.maps.pre, part, group, b, h, barrier);
      });
      return;
    }
    forPieces(set, gate ? 2 : 0, [&](uint64_t u, uint64_t pre, int first, int, u32 offset) {
      if (!u) {
        // Zeros, because sequences of one tile meet in one matrix product (with zero weights, but 0 * NaN is NaN).
        sharedStore16(slot + offset, uint4{0, 0, 0, 0});
        if (gate) sharedStore16(slotPre + offset, uint4{0, 0, 0, 0});
        return;
      }
      fill(slot + offset, u, first, p.length, p.periodic);
      if (gate) fill(slotPre + offset, pre, first, p.length, p.periodic);
    });
  }
  FFC_DEVICE void loadPost(int set) const {
    if constexpr (C::gated) {
      if (set >= sets || !p.post.data) return;
      if constexpr (C::gateAtStore) {
        if (maps) prefetchGate(set);
        return;
      }
      const u32 slot = slotOfPost(set);
      if (maps) {
        const u32 barrier = barriers + (slots() + u32(set) % C::buffers) * 8;
        if (threadIndex() == 0) barrierExpect(barrier, sequencesOf(set) * sequenceBytes());
        forCopies(set, [&](int b, int h, int part, int group, u32 offset) {
          tensorLoadPart(slot + offset, &p.maps.post, part, group, b, h, barrier);
        });
        return;
      }
      forPieces(set, 3, [&](uint64_t u, uint64_t post, int first, int position, u32 offset) {
        if (u && isOutput(position)) fill(slot + offset, post, first, p.outLength, false);
      });
    }
  }
  // This thread's copies have landed, those of others after the next barrier. Tensor copies are waited for at use.
  FFC_DEVICE void finishLoads() const {
    // Where tensor copies bring everything and no row has a scale, nothing else is under way.
    if (!(C::oneTile && !C::rowScaled)) copyAsyncWaitAll();
    if (maps) fenceTensorCopies();
  }
  FFC_DEVICE void finishStores() const {
    if (maps) tensorStoresDone();
  }
};

}  // namespace ffc::mma
