// The spectrum of the rows: which row of it is next, how it is fetched, and the middle with it.
#pragma once
#include "outer.cuh"

namespace ffc::mma {

template <class C>
struct RowSpectrum : RowOuterPhases<C> {
  using Base = RowOuterPhases<C>;
  using Base::Q, Base::rows, Base::q, Base::bins, Base::binsAt, Base::binPieces, Base::channel, Base::channelLeft;
  using Base::channelAt, Base::spectrumRow, Base::pieces, Base::spectrum, Base::spectrumAt, Base::rescale, Base::skipValue;
  using Base::Base;

  FFC_DEVICE int channelOf(int sequence) const {
    const int row = q.first + sequence;
    return q.batchMagic ? int(highProduct(row, q.batchMagic) >> q.batchShift) : row;
  }
  // From a row of this sequence on, first() takes one after the other.
  static constexpr u32 spectrumRowBytes = 1024 * Q * binPieces * 16;
  FFC_DEVICE int rowsOfChannel() const { return q.sharedSpectrum ? 0x7fffffff : q.batch; }
  FFC_DEVICE void beginBins(int k1, int sequence) {
    const int row = q.first + sequence;
    channel = q.sharedSpectrum ? 0 : channelOf(sequence);
    channelLeft = rowsOfChannel() - (q.sharedSpectrum ? 0 : row - channel * q.batch);
    spectrumRow = static_cast<const char*>(q.spectrum) + (int64_t(channel) * q.rows + k1) * spectrumRowBytes;
#pragma unroll
    for (int i = 0; i < rows; i++) channelAt[i] = -1;
    if constexpr (C::somePieces) {
      pieces = loadConstant1(q.pieces + k1 * threads + threadIndex());
      if constexpr (C::spectrumRegisters) {
        // What is never read remains zero.
#pragma unroll
        for (int i = 0; i < rows; i++)
#pragma unroll
          for (int b = 0; b < Q; b++)
#pragma unroll
            for (int h = 0; h < 2; h++)
#pragma unroll
              for (int piece = 0; piece < binPieces; piece++) bins[i][b][h].piece[piece] = uint4{0, 0, 0, 0};
      }
    }
  }
  // Fetches the spectrum of the next row, row i of its set, unless it is at hand. The registers are not read before the row's
  // middle. No branch, so that the compiler can mix what is before and behind.
  FFC_DEVICE void fetchBins(int i) {
    const bool wanted = channel != channelAt[i];
    channelAt[i] = channel;
#pragma unroll
    for (int h = 0; h < 2; h++) {
      spectrumAt[h] = reinterpret_cast<const uint4*>(spectrumRow + binsAt[h]);
      if constexpr (C::spectrumRegisters) {
#pragma unroll
        for (int b = 0; b < Q; b++)
#pragma unroll
          for (int piece = 0; piece < binPieces; piece++)
            loadConstant16If(wanted && (!C::somePieces || pieces >> (2 * b + h) & 1), bins[i][b][h].piece[piece],
                             spectrumAt[h] + b * 64 * binPieces + piece);
      }
    }
    const bool end = --channelLeft == 0;
    channel += end;
    channelLeft = end ? rowsOfChannel() : channelLeft;
    spectrumRow += end ? int64_t(q.rows) * spectrumRowBytes : 0;
  }
  // `before` runs before the last results are stored, `halfway` between the way there and the way back.
  template <bool withoutSkip, class Before, class Halfway>
  FFC_DEVICE void runMiddle(int sequence, int i, u32 row, Before&& before, Halfway&& halfway) {
    if (!withoutSkip && q.skip) {
      // y + d v is one more tap: every frequency gains d.
      const int channel = channelOf(sequence), own = int(loadConstant4(q.exponent + (q.sharedSpectrum ? 0 : channel)));
      const float d = skipLoad(q.skip, channel, q.skipType) * q.spectrumGain;
      const int exponent = exponentWithSkip<C>(own, d);
      for (int h = 0; h < 2; h++) {
        rescale[h] = powerOfTwo(own - exponent);
        skipValue[h] = d * powerOfTwo(-exponent);
      }
    }
    if constexpr (C::spectrumRegisters) {
#pragma unroll
      for (int b = 0; b < Q; b++)
#pragma unroll
        for (int h = 0; h < 2; h++) {
          spectrum[b][h] = Base::template withSkip<withoutSkip>(bins[i][b][h], h);
        }
      Base::template middle<SpectrumFrom::registers>(row, before, halfway);
    } else if constexpr (C::spectrumRing) {
      Base::template middle<SpectrumFrom::ring>(row, before, halfway);
    } else {
      Base::template middle<withoutSkip ? SpectrumFrom::memoryWithoutSkip : SpectrumFrom::memory>(row, before, halfway);
    }
  }
};

}  // namespace ffc::mma
