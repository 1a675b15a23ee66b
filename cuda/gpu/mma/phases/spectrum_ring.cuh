// A spectrum that is too large for registers may come through a ring in shared memory: two pieces of 16 bytes a lane,
// each ordered by an asynchronous copy as soon as the one before it in its place has been taken. A lane takes only what
// it has ordered itself, so no barrier is needed.
#pragma once
#include "tile_spectrum.cuh"

namespace ffc::mma {

// What a skip term makes of each bin of a whole row's spectrum, as pairs of halves: that times a power of two, and so much more.
template <bool adds>
struct SkipPairs {
  u32 scale, term;
  FFC_DEVICE uint4 added(uint4 v) const {
    return {halfFma(v.x, scale, term), halfMul(v.y, scale), halfFma(v.z, scale, term), halfMul(v.w, scale)};
  }
};
template <>
struct SkipPairs<false> {
  FFC_DEVICE uint4 added(uint4 v) const { return v; }
};

template <class C, class StagingOf>
struct SpectrumRing : TileSpectrum<C, StagingOf>, SkipPairs<C::addsSkip && C::spectrumRing> {
  using Base = TileSpectrum<C, StagingOf>;
  using typename Base::Bins;
  using Base::R, Base::binPieces, Base::c, Base::g, Base::p, Base::staging, Base::warp, Base::digit;
  using Base::laneSequence, Base::n2Bits, Base::slice, Base::ring, Base::ringAt, Base::ringNext, Base::ringFrom;
  using Base::channelSets, Base::spectrumStep, Base::spectrumUntil, Base::rescale, Base::skipValue;

  using Base::Base;

  FFC_DEVICE int laneChannel(int tile, int s) const {
    const int last = p.batch * p.channels - 1, sequence = (tile << (4 - n2Bits())) + laneSequence(s);
    return staging.channelOf(sequence < last ? sequence : last);
  }
  FFC_DEVICE void locateSpectrum(int tile, int slice, u32 (&at)[2]) const {
    const int n2 = 1 << n2Bits();
#pragma unroll
    for (int s = 0; s < 2; s++) {
      const int j = C::pairwise ? g & (n2 / 2 - 1) : 0, k2 = C::pairwise && s ? n2 - 1 - j : j;
      const u32 source = p.sharedSpectrum ? 0 : laneChannel(tile, s);
      at[s] = ((source * C::halves * C::slices + slice) * (64 * R * n2) + u32(spectrumGroup(R, n2, digit(), 0, k2, c))) * binPieces;
    }
  }
  // Whole rows (and those of a multi-pass scratch) go by ringFrom.
  FFC_DEVICE void startWholeRing(int set) {
    const auto at = staging.positionOf(set);
    channelSets = p.batch - at.row;
#pragma unroll
    for (int s = 0; s < 2; s++) {
      const int64_t group = spectrumGroup(R, 16, warp, 0, s ? 15 - (g & 7) : g & 7, c);
      ringFrom[s] = static_cast<const char*>(p.spectrum) + ((p.sharedSpectrum ? 0 : int64_t(at.channel)) * (1024 * R) + group) * 16;
      fetchWholePiece(s);
    }
  }
  FFC_DEVICE void turnWholeRing(int set) {
    spectrumStep = 0;
    if (--channelSets > 0 || set + 1 >= staging.sets) return;
    const auto next = staging.positionOf(set + 1);
    channelSets = p.batch - next.row;
    if (!p.sharedSpectrum) spectrumStep = int64_t(next.channel - staging.positionOf(set).channel) * (16384 * R);
  }
  // Of whole rows, before the middle of a set: of another channel's skip term.
  FFC_DEVICE void turnSkip(int set) {
    if constexpr (C::addsSkip) {
      if (set < spectrumUntil) return;
      const auto at = staging.positionOf(set);
      spectrumUntil = set + p.batch - at.row;
      Base::chooseSpectrum(0, at.channel);
      this->scale = packHalf(rescale[0], rescale[0]), this->term = packHalf(skipValue[0], skipValue[0]);
    }
  }
  FFC_DEVICE void fetchWholePiece(int piece) const {
    copyAsync16(ring + (piece & 1) * (16 * C::ringThreads), ringFrom[piece & 1] + (piece >> 1) * 1024);
    copyAsyncCommit();
  }
  // Piece 2 b + s of the tile at hand, or of the one after it.
  FFC_DEVICE void fetchPiece(const u32 (&at)[2], int piece) const {
    copyAsync16(ring + (piece & 1) * (16 * C::ringThreads),
                static_cast<const uint4*>(p.spectrum) + at[piece & 1] + ((piece >> 1) << (n2Bits() + 2)));
    copyAsyncCommit();
  }
  // Before the first middle(), which finds its first two pieces on the way and orders those of the next tile.
  FFC_DEVICE void startRing(int tile) {
    locateSpectrum(tile, slice(), ringNext);
    fetchPiece(ringNext, 0);
    fetchPiece(ringNext, 1);
  }
  FFC_DEVICE void turnRing(int nextTile) { turnRing(nextTile, slice()); }
  FFC_DEVICE void turnRing(int nextTile, int nextSlice) {
#pragma unroll
    for (int s = 0; s < 2; s++) ringAt[s] = ringNext[s];
    locateSpectrum(nextTile, nextSlice, ringNext);
  }

  template <bool withoutSkip>
  FFC_DEVICE Bins takePiece(int b, int s) {
    const int piece = 2 * b + s;
    copyAsyncWaitButOne();
    Bins bins;
    bins.piece[0] = sharedLoad16(ring + (piece & 1) * (16 * C::ringThreads));
    if constexpr (C::wholeRows || C::rowLayout) {
      if (piece + 2 >= 2 * R) ringFrom[s] += spectrumStep;
      fetchWholePiece((piece + 2) % (2 * R));
      if constexpr (C::wholeRows) {
        bins.piece[0] = this->added(bins.piece[0]);
        return bins;
      }
      return Base::template withSkip<withoutSkip>(bins, s);
    }
    fetchPiece(piece + 2 < 2 * R ? ringAt : ringNext, (piece + 2) % (2 * R));
    return Base::template withSkip<withoutSkip>(bins, s);
  }
  // Both pieces of a block at once, so that the two copies follow one another: before a copy behind a load from shared
  // memory the compiler puts three instructions that do nothing.
  FFC_DEVICE void takeBlock(int b, Bins (&bins)[2]) {
    copyAsyncWaitAll();
#pragma unroll
    for (int s = 0; s < 2; s++) bins[s].piece[0] = this->added(sharedLoad16(ring + s * (16 * C::ringThreads)));
#pragma unroll
    for (int s = 0; s < 2; s++) {
      if (b + 1 >= R) ringFrom[s] += spectrumStep;
      copyAsync16(ring + s * (16 * C::ringThreads), ringFrom[s] + (b + 1) % R * 1024);
    }
    copyAsyncCommit();
  }
};

}  // namespace ffc::mma
