// How the rows of the long order (long_body.cuh) travel where they do not fill their transform, or begin anywhere: by tensor
// copies into slots of the same layout as whole rows have. Rows may be shifted by their phase, as in set_copies.cuh.
//
// Of the samples of a row n1 a slot has groups of 64, 16 lines each. A row of L samples has p.wholeParts lines of every group,
// one more of the first p.longGroups, and less than 64 samples of another line. So a row comes by two copies, whose maps end
// behind different lines and which leave zeros beyond. What is left, with the shift up to nine pieces of 16 bytes, comes beside
// it: a warp that waits for both puts them into place, and clears what precedes the row, before the barrier in front of
// first(). Of y the line in which it begins goes out by plain stores, and what is left likewise.
//
// Shifted samples behind N come round as imaginary parts of the first eight (see uniform/wrapped.cuh).
#pragma once
#include "staging.cuh"

namespace ffc::mma {

template <class C>
struct LongRows {
  static constexpr int points = tilePoints * C::R, log2Group = 6, groupBytes = 2048;
  static constexpr int trimWarp = warps - 1;  // orders no tensor copies
  using Place = typename Staging<C>::Place;
  const Params& p;
  const Staging<C>& staging;

  FFC_DEVICE static u32 thread() {
    u32 own = threadIndex();
    if constexpr (C::residentBlocks > 0) keepInRegister(own);  // see PhaseState::renewAddresses()
    return own;
  }
  FFC_DEVICE static int warp() { return thread() >> 5; }
  FFC_DEVICE static int lane() { return thread() & 31; }
  FFC_DEVICE int phaseOf(int channel) const { return rowPhase(p.u, channel); }
  // Behind the last sample, shifted; where the samples begin that no tensor copy brings.
  FFC_DEVICE int endOf(int channel) const { return phaseOf(channel) + p.length; }
  FFC_DEVICE int restBegin() const { return p.wholeParts * (points / 16) + (p.longGroups << log2Group); }
  FFC_DEVICE char* rowOf(const Rows& rows, int row, int channel) const {
    return const_cast<char*>(rows.data) + row * rows.batchStride + channel * rows.channelStride - phaseOf(channel) * 2;
  }
  FFC_DEVICE static u32 placeOf(int sample) {
    const int n1 = sample / (points / 16), inPart = sample % (points / 16);
    return (inPart >> log2Group) * groupBytes + n1 * 128 + ((inPart >> 3 ^ n1) & 7) * 16 + (sample & 7) * 2;
  }
  // The pieces of the rest on their way, of two sets in turn.
  FFC_DEVICE u32 restAt(int set) const { return staging.rows + rowRing * 12 + (set & 1) * C::restBytes; }

  FFC_DEVICE void load(int set, Place at) const {
    if (set >= staging.sets) return;
    const auto from = staging.positionOf(set);
    if (threadIndex() == 0) {
      const u32 barrier = staging.barriers + at.slot * 8, slot = staging.slotOf(at);
      const int start = int(rowStart(p.u, from.channel) >> 4);
      barrierExpect(barrier, staging.slotBytes);
      tensorStoresRead();  // y has left this slot
      if (p.longGroups) tensorLoadPart(slot, &p.maps.u, 0, 0, from.row, start, barrier);
      tensorLoadPart(slot + p.longGroups * groupBytes, &p.rests.u, 0, p.longGroups, from.row, start, barrier);
    }
    if (warp() != trimWarp) return;
    const int first = restBegin() + lane() * 8;
    if (first < endOf(from.channel)) copyAsync16(restAt(set) + lane() * 16, rowOf(p.u, from.row, from.channel) + first * 2);
  }
  FFC_DEVICE void trim(int set, Place at) const {
    if (set >= staging.sets || warp() != trimWarp) return;
    copyAsyncWaitAll();
    barrierWait(staging.barriers + at.slot * 8, at.parity);
    const int channel = staging.positionOf(set).channel, first = restBegin() + lane() * 8, end = endOf(channel);
    const u32 slot = staging.slotOf(at);
    if (first < end && first < points) storeKept(slot + placeOf(first), sharedLoad16(restAt(set) + lane() * 16), 0, end - first);
    if (lane() == 31) storeKept(slot, sharedLoad16(slot), end - p.length, 8);
  }

  // By the warp that will let the next samples in.
  FFC_DEVICE void store(int set, Place at) const {
    if (set < 0 || set >= staging.sets || warp() != 0) return;
    const auto to = staging.positionOf(set);
    const u32 slot = staging.slotOf(at);
    if (lane() == 0) {
      const int start = int(rowStart(p.y, to.channel) >> 4), second = p.longGroups > 1 ? p.longGroups : 1;
      tensorStorePart(slot + 128, &p.longRests.y, 1, 0, to.row, start);  // the first group from the second line on
      if (second > 1) tensorStorePart(slot + groupBytes, &p.maps.y, 0, 1, to.row, start);
      tensorStorePart(slot + second * groupBytes, &p.rests.y, 0, second, to.row, start);
    }
    char* const row = rowOf(p.y, to.row, to.channel);
    const int end = endOf(to.channel), phase = end - p.length;
    // Seven pieces of the first line, nine of the rest; before the first of them and behind the last, samples.
    const int first = lane() < 7 ? 8 + lane() * 8 : restBegin() + (lane() - 7) * 8;
    if (lane() < 16 && first + 8 <= end && first < points)
      storeStream16(row + first * 2, sharedLoad16(slot + placeOf(first)));
    const int sample = lane() < 8 ? lane() : (end & ~7) + lane() - 8;
    if (lane() < 16 && sample >= phase && sample < end && sample < points) {
      const u32 from = slot + placeOf(sample);
      reinterpret_cast<uint16_t*>(row)[sample] = uint16_t(sharedLoad4(from & ~3u) >> (from & 2) * 8);
    }
    warpSync();
  }

  // ---- what comes round
  FFC_DEVICE int wrapped(int set) const {
    return p.wraps && u32(set) < u32(staging.sets) ? endOf(staging.positionOf(set).channel) - points : 0;
  }
  // Imaginary samples (n1 = 2c and 2c + 1, n3l = g), of which n1 = 0 alone has any.
  FFC_DEVICE u32 wrappedOf(int set, int count) const {
    const int g = lane() >> 2;
    const u32 pair = sharedLoad4(restAt(set) + (points - restBegin()) * 2 + (g >> 1) * 4);
    return (lane() & 3) == 0 && g < count ? pair >> (g & 1) * 16 & 0xffffu : 0;
  }
  // To one exchange block that first() has written, and from the operands of last().
  template <class Phases>
  FFC_DEVICE void addWrapped(const Phases& phases, int set, int count, u32 scale, u32 block) const {
    u32 imaginary[4] = {wrappedOf(set, count), 0, 0, 0};
    prepare<C>(imaginary, scale);
    phases.addImaginary(imaginary[0], block);
  }
  template <class Phases>
  FFC_DEVICE u32 wrappedSums(const Phases& phases, const u32 (&xr)[4], const u32 (&xi)[4], bool scaled, u32 scale) const {
    const u32 minus[4] = {halfNegate(xr[0]), halfNegate(xr[1]), halfNegate(xr[2]), halfNegate(xr[3])};
    u32 sums[4], left[4];
    phases.lastSums(sums, left, xi, minus, false, 0, scaled, scale);
    return sums[0];
  }
  // Imaginary outputs of n1 = 0, n3l = 2c and 2c + 1, in the first lanes.
  FFC_DEVICE void storeWrapped(int set, int count, u32 pair) const {
    const auto to = staging.positionOf(set);
    uint16_t* const y = reinterpret_cast<uint16_t*>(rowOf(p.y, to.row, to.channel)) + points;
    for (int i = 0; i < 2; i++)
      if (lane() < 4 && 2 * lane() + i < count) y[2 * lane() + i] = uint16_t(pair >> 16 * i);
  }
};

}  // namespace ffc::mma
