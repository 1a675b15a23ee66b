// What is known of each row of the sets that are on their way: its addresses, its largest value, the exponent of its
// channel's spectrum, and of packed samples where in its row a sequence begins.
#pragma once
#include "samples.cuh"
#include "slots.cuh"

namespace ffc::mma {

// Whether the spectra have no exponents, and none comes from a skip term: then no output needs a power of two. For all
// threads of the block.
template <class C>
FFC_DEVICE bool withoutExponents(const Params& p) {
  if (C::rowScaled) return false;
  bool any = false;
  for (int i = threadIndex(); i < (p.sharedSpectrum && !p.skip ? 1 : p.channels); i += threads) {
    const int own = p.exponent[p.sharedSpectrum ? 0 : i];
    any |= (p.skip ? exponentWithSkip<C>(own, skipLoad(p.skip, i, p.skipType) * p.spectrumGain) : own) != 0;
  }
  return !blockAny(any);
}

template <class C>
struct RowTables : StagingSlots<C> {
  using Base = StagingSlots<C>;
  using Base::rowsPerSet, Base::rows, Base::maps, Base::rowTensors, Base::plain, Base::firstTile, Base::tilesPerSet;
  using Base::log2Sequences, Base::sets, Base::lastTile, Base::p, Base::positionOf, Base::channelOf;
  using Base::Base;

  FFC_DEVICE u32 rowSlot(int set, int row) const { return (set & (rowRing - 1)) * rowsPerSet + row; }
  FFC_DEVICE u32 addressOf(int tensor, int set, int row) const {
    return rows + (tensor * rowRing * rowsPerSet + rowSlot(set, row)) * 8;
  }
  FFC_DEVICE u32 largestOf(int set, int row) const {
    return rows + (maps ? 0 : rowTensors * rowRing * rowsPerSet * 8) + rowSlot(set, row) * 4;
  }
  FFC_DEVICE u32 exponentOf(int set, int row) const { return largestOf(set, row) + rowRing * rowsPerSet * 4; }
  FFC_DEVICE u32 skipOf(int set, int row) const { return largestOf(set, row) + rowRing * rowsPerSet * 8; }
  // Packed: where in the row of the batch, which row, which channel.
  FFC_DEVICE u32 originOf(int set, int row) const { return largestOf(set, row) + rowRing * rowsPerSet * 12; }
  FFC_DEVICE u32 batchOf(int set, int row) const { return largestOf(set, row) + rowRing * rowsPerSet * 16; }
  FFC_DEVICE u32 channelAt(int set, int row) const { return largestOf(set, row) + rowRing * rowsPerSet * 20; }
  FFC_DEVICE uint64_t rowAddress(int tensor, int set, int row) const { return sharedLoad8(addressOf(tensor, set, row)); }

  // Address 0 marks a row that does not exist.
  FFC_DEVICE void prepareRows(int set) {
    const int row = threadIndex();
    if (row >= rowsPerSet || (maps && plain && !C::packed)) return;
    if constexpr (C::rowScaled) sharedStore4(largestOf(set, row), 0);
    const int tile = firstTile + set * tilesPerSet() + (row >> log2Sequences);
    const int sequence = (tile << log2Sequences) + (row & ((1 << log2Sequences) - 1));
    const bool exists = C::wholeRows ? set < sets : tile < lastTile && sequence < p.batch * p.channels;
    const int h = !exists ? 0 : C::wholeRows ? positionOf(set).channel : channelOf(sequence), own = exists ? sequence - h * p.batch : 0;
    const int b = C::packed ? own / p.segments : own;
    if constexpr (C::packed) {
      sharedStore4(originOf(set, row), u32((own - b * p.segments) * p.step - p.history));
      sharedStore4(batchOf(set, row), u32(b));
      sharedStore4(channelAt(set, row), u32(h));
      if (maps && plain) return;
    }
    copyAsync4(exponentOf(set, row), p.exponent + (p.sharedSpectrum ? 0 : h), 4);
    if ((!C::oneTile || C::addsSkip) && p.skip) {
      // The word that holds the skip factor, and no byte beyond the factor.
      const uint64_t at = skipAddress(h);
      copyAsync4(skipOf(set, row), reinterpret_cast<const void*>(at & ~uint64_t(3)), p.skipType == 1 || at & 2 ? 4 : 2);
    }
    if (maps) return;
    auto note = [&](int tensor, const Rows& t) {
      const uint64_t at = reinterpret_cast<uint64_t>(t.data) + int64_t(b) * t.batchStride + int64_t(h) * t.channelStride;
      sharedStore8(addressOf(tensor, set, row), exists && t.data ? at : 0);
    };
    note(0, p.u);
    note(1, p.y);
    if constexpr (C::gated) {
      note(2, p.pre);
      note(3, p.post);
    }
  }

  FFC_DEVICE uint64_t skipAddress(int h) const {
    return reinterpret_cast<uint64_t>(p.skip) + int64_t(h) * (p.skipType == 1 ? 4 : 2);
  }
  FFC_DEVICE int phaseOf(uint64_t rowOfU) const { return p.phased ? int(rowOfU >> 1) & 7 : 0; }

  FFC_DEVICE static u32 largerOf(u32 a, u32 b) { return a > b ? a : b; }

  // Exponent of the power of two that brings the row's maximum into [64, 128).
  FFC_DEVICE int inputExponent(u32 largest) const {
    if constexpr (!C::rowScaled) return 0;
    const int e = 133 - int(sharedLoad4(largest) >> 7);
    return e < -126 ? -126 : e;
  }
  // The float bits of what brings the sums of each row of a set back; once the set's scale is known, before its last().
  FFC_DEVICE void finishRows(int set) const {
    const int row = threadIndex();
    if (row >= rowsPerSet || plain) return;
    int e = int(sharedLoad4(exponentOf(set, row)));
    if ((!C::oneTile || C::addsSkip) && p.skip) {
      const u32 word = sharedLoad4(skipOf(set, row));
      float d = asFloat(word);
      if (p.skipType != 1) {
        const int channel = channelOf(((firstTile + set * p.tilesPerSet) << log2Sequences) + row);
        const u32 bits = skipAddress(channel) & 2 ? word >> 16 : word & 0xffffu;
        d = p.skipType == 2 ? unpackHalf(bits).x : asFloat(bits << 16);
      }
      e = exponentWithSkip<C>(e, d * p.spectrumGain);
    }
    sharedStore4(exponentOf(set, row), floatBits(powerOfTwo(e - inputExponent(largestOf(set, row)))));
  }
};

}  // namespace ffc::mma
