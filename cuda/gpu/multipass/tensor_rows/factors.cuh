// Factors of a set's samples, by what the first pass has left of the largest ones (tensor_largest.cuh): each warp or thread that makes some
// fetches what it needs before an interval's work and stores what follows from it behind.
#pragma once
#include "../tensor_largest.cuh"
#include "copies.cuh"

namespace ffc::mma {

template <class C>
struct RowFactors : RowCopies<C> {
  using Base = RowCopies<C>;
  using Base::Q, Base::rows, Base::q, Base::factors, Base::exponents, Base::loader, Base::lane;
  using Base::Base;

  // Powers of two that bring the columns' results of a set to the range of the sequence: word [group][n1 / 2 % 4][n1 / 8] of a row holds
  // those of n1, n1 + 1, in the order in which a lane needs them; a group is 64 columns, or 32 where column tiles are that narrow.
  // A thread makes one word of a set. By what a sequence is scaled, one warp a row has found out an interval before: the other warps of the
  // block wait for those with more to do, so these are neither the ones that make factors nor those that order copies.
  static constexpr int wordsOfSet = rows * C::factorWords, firstReader = wordsOfSet / 32;
  static_assert(firstReader + C::factorSets * rows <= loader / 32 && C::factorWords % 32 == 0);
  FFC_DEVICE int log2Tiles() const { return 6 + C::log2Q + q.halfTiles - q.log2TileShare; }
  FFC_DEVICE const uint8_t* tilesOf(int sequence) const { return q.largest + (int64_t(sequence) << log2Tiles()); }
  FFC_DEVICE u32 exponentAt(int set, int row) const { return exponents + ((set & (C::factorSets - 1)) * rows + row) * 4; }
  // In flight, of one warp: a sequence's tiles, or (word 0) the exponent for the factors.
  struct Factors {
    TileCodes<Q> tiles;
    int low, high;  // codes of the tiles of n1, n1 + 1
  };
  // Of row `row` behind the sequence. Past the last one it is the last one again, which nobody asks for.
  FFC_DEVICE void fetchTiles(int sequence, int row, int readers, Factors& f) const {
    if (u32(row) >= u32(readers)) return;
    sequence += row;
    f.tiles.fetch(tilesOf(sequence < q.sequences ? sequence : q.sequences - 1), log2Tiles(), lane);
  }
  FFC_DEVICE void storeExponent(int set, int row, int readers, const Factors& f) const {
    if (u32(row) >= u32(readers)) return;
    const int e = sequenceExponent(f.tiles.largest(), q.rangeExponent, q.mostExponent) + q.columnExponent;
    if (lane == 0) sharedStore4(exponentAt(set, row), u32(e));
  }
  FFC_DEVICE bool makesFactors(int count) const { return threadIndex() < wordsOfSet && threadIndex() / C::factorWords < count; }
  FFC_DEVICE void fetchFactors(int sequence, int count, int set, Factors& f) const {
    if (!makesFactors(count)) return;
    const int row = threadIndex() / C::factorWords;
    f.tiles.word[0] = sharedLoad4(exponentAt(set, row));
    f.low = f.high = unscaledTile;
    if (!q.scaledTiles) return;
    const uint8_t* const tiles = tilesOf(sequence + row);
    const int n1 = (threadIndex() >> 1 & 3) * 2 + (threadIndex() & 1) * 8;
    const int log2Groups = 2 + C::log2Q + q.halfTiles, group = threadIndex() % C::factorWords >> 3;
    if (group >> log2Groups) return;
    f.low = int(loadFresh1(tiles + (((n1 << log2Groups) + group) >> q.log2TileShare)));
    f.high = int(loadFresh1(tiles + ((((n1 + 1) << log2Groups) + group) >> q.log2TileShare)));
  }
  FFC_DEVICE u32 factorsOf(int set) const { return factors + (set & (C::factorSets - 1)) * (wordsOfSet * 4); }
  FFC_DEVICE void storeFactors(int count, const Factors& f, int set) const {
    if (!makesFactors(count)) return;
    const int e = int(f.tiles.word[0]);
    sharedStore4(factorsOf(set) + threadIndex() * 4, packHalf(powerOfTwo(e - tileExponent(f.low)), powerOfTwo(e - tileExponent(f.high))));
  }
};

}  // namespace ffc::mma
