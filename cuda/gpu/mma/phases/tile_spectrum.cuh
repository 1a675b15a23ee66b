// The spectrum of the tile at hand: which one, at which address, with which skip factor and exponent; and how it is
// read when it is needed, from registers, shared or device memory. It may also come by spectrum_ring.cuh or
// spectrum_in_exchange.cuh.
#pragma once
#include "middle_twiddles.cuh"

namespace ffc::mma {

// Where the middle finds the spectrum of its channel. A skip factor is added when it is fetched.
enum class SpectrumFrom { registers, shared, memory, memoryWithoutSkip, ring, ringWithoutSkip, exchange, exchangeWithoutSkip };

template <class C, class StagingOf>
struct TileSpectrum : MiddleTwiddles<C, StagingOf> {
  using Base = MiddleTwiddles<C, StagingOf>;
  using typename Base::A, typename Base::Bins, typename Base::Factor;
  using Base::R, Base::binPieces, Base::c, Base::g, Base::p, Base::staging, Base::digit, Base::n2Bits, Base::slice;
  using Base::resident, Base::spectrum, Base::spectrumAt, Base::pieces, Base::skipValue, Base::rescale;
  using Base::spectrumUntil;

  using Base::Base;

  // Sequence within the tile that row half (or column group) s of this lane belongs to.
  FFC_DEVICE int laneSequence(int s) const { return C::pairwise ? g >> (n2Bits() - 1) : g + 8 * s; }

  // The spectrum that row half (or column group) s of this lane is to use. Returns its exponent.
  FFC_DEVICE int chooseSpectrum(int s, int channel) {
    const int n2 = 1 << n2Bits(), source = p.sharedSpectrum ? 0 : channel;
    const int j = C::pairwise ? g & (n2 / 2 - 1) : 0;
    const int k2 = C::pairwise && s ? n2 - 1 - j : j;
    spectrumAt[s] = static_cast<const uint4*>(p.spectrum) +
                    ((int64_t(source) * C::halves * C::slices + slice()) * (64 * R * n2) + spectrumGroup(R, n2, digit(), 0, k2, c)) * binPieces;
    skipValue[s] = 0;
    rescale[s] = 1;
    const int own = p.exponent[source];
    if (!p.skip) return own;
    // y + d v is one more tap: every frequency of the (placed) spectrum gains d.
    const float d = skipLoad(p.skip, channel, p.skipType) * p.spectrumGain;
    const int exponent = exponentWithSkip<C>(own, d);
    rescale[s] = powerOfTwo(own - exponent);
    skipValue[s] = d * powerOfTwo(-exponent);
    return exponent;
  }
  FFC_DEVICE void fetchSpectrum() {
    if constexpr (C::spectrumRegisters) {
#pragma unroll
      for (int b = 0; b < R; b++)
#pragma unroll
        for (int s = 0; s < 2; s++) spectrum[b][s] = readBins(b, s);
    }
    if constexpr (C::residentBlocks > 0)
      if (C::alwaysResident || resident) keepSpectrum<C::residentBlocks>();
  }

  FFC_DEVICE void loadWholeSpectrum(int set) {
    const auto at = staging.positionOf(set);
    for (int s = 0; s < 2; s++) chooseSpectrum(s, at.channel);
    fetchSpectrum();
    spectrumUntil = set + p.batch - at.row;
  }
  FFC_DEVICE void loadSpectrum(int tile) {
    const int log2Sequences = 4 - n2Bits(), last = p.batch * p.channels - 1;
#pragma unroll
    for (int s = 0; s < 2; s++) {
      const int sequence = (tile << log2Sequences) + laneSequence(s);
      chooseSpectrum(s, staging.channelOf(sequence < last ? sequence : last));
    }
    fetchSpectrum();
    const int first = tile << log2Sequences, channel = staging.channelOf(first < last ? first : last);
    const int64_t end = int64_t(channel + 1) * p.batch;  // first sequence of another channel
    spectrumUntil = int(end >> log2Sequences);
    if (spectrumUntil <= tile) spectrumUntil = tile + 1;
  }

  template <bool withoutSkip = false>
  FFC_DEVICE Bins readBins(int b, int s) const {
    Bins bins;
#pragma unroll
    for (int i = 0; i < binPieces; i++) {
      const uint4* from = spectrumAt[s] + ((b << (n2Bits() + 2)) * binPieces + i);
      if constexpr (C::somePieces) {
        bins.piece[i] = uint4{0, 0, 0, 0};
        loadConstant16If(pieces >> (2 * b + s) & 1, bins.piece[i], from);
      } else {
        bins.piece[i] = C::uniform ? loadFresh16(from) : loadConstant16(from);
      }
    }
    return withSkip<withoutSkip>(bins, s);
  }

  template <bool withoutSkip>
  FFC_DEVICE Bins withSkip(Bins bins, int s) const {
    if (!withoutSkip && (C::addsSkip || p.skip)) {
      if constexpr (C::spectrumFloats) {
#pragma unroll
        for (int i = 0; i < binPieces; i++) {
          uint4& v = bins.piece[i];
          v.x = floatBits(asFloat(v.x) * rescale[s] + skipValue[s]);
          v.y = floatBits(asFloat(v.y) * rescale[s] + skipValue[s]);
          v.z = floatBits(asFloat(v.z) * rescale[s]);
          v.w = floatBits(asFloat(v.w) * rescale[s]);
        }
      } else {
        const u32 scale = packHalf(rescale[s], rescale[s]), d = packHalf(skipValue[s], skipValue[s]);
        uint4& v = bins.piece[0];
        v.x = halfFma(v.x, scale, d);
        v.y = halfMul(v.y, scale);
        v.z = halfFma(v.z, scale, d);
        v.w = halfMul(v.w, scale);
      }
    }
    return bins;
  }

  // Shared memory: this lane's bins, copied by itself, so that no barrier is needed.
  FFC_DEVICE static u32 residentAt(u32 resident, int b, int s, int i) {
    return resident + (((b * 2 + s) * binPieces + i) * threads + threadIndex()) * 16;
  }
  template <int blocks = R>
  FFC_DEVICE void keepSpectrum() const {
#pragma unroll
    for (int b = 0; b < blocks; b++)
#pragma unroll
      for (int s = 0; s < 2; s++) {
        const Bins bins = readBins(b, s);
#pragma unroll
        for (int i = 0; i < binPieces; i++) sharedStore16(residentAt(resident, b, s, i), bins.piece[i]);
      }
  }
  FFC_DEVICE static void unpackBins(const Bins& bins, Factor& plus, Factor& minus) {
    if constexpr (C::spectrumFloats) {
      const uint4 v = bins.piece[0], w = bins.piece[1];
      plus = Factor{{asFloat(v.x), asFloat(v.y)}, {asFloat(v.z), asFloat(v.w)}};
      minus = Factor{{asFloat(w.x), asFloat(w.y)}, {asFloat(w.z), asFloat(w.w)}};
    } else {
      plus = A::factor(bins.piece[0].x, bins.piece[0].y);
      minus = A::factor(bins.piece[0].z, bins.piece[0].w);
    }
  }
};

}  // namespace ffc::mma
