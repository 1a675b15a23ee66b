// Sets of one channel: which ones are a block's, the constants of their channel, and its spectrum, which changes
// between intervals only (uniform.cuh).
#pragma once
#include "../phases.cuh"
#include "../set_copies.cuh"

namespace ffc::mma {

// A row whose largest half lies in [2^-3, 2^8) needs no scale: 2^8 sqrt(8192), the largest value its transform can
// reach, is 23170 (see Config::rowScaled); below 2^-3 its transform may come near the end of the normal halves, 2^-14.
constexpr uint32_t halfPower(int e) { return uint32_t(15 + e) << 10 | uint32_t(15 + e) << 26; }  // 2^e twice
constexpr uint32_t lowestUnscaled = halfPower(-3), aboveUnscaled = halfPower(8);
// Of eight outputs, before the spectrum's exponent: a mean square of 2^-18. Their row then has at least the norm
// 0.0055, and the errors of halves below 2^-14 (2^-24 / sqrt(12) each) have 1.5e-6 times about 1.2 in 8192 samples.
constexpr float leastSquares = 1.0f / 32768;
// Exponents that entries of the last matrix, up to 1/4, may take: above the smallest half by 15 bits, below the
// largest.
constexpr int lowestInMatrix = -8, highestInMatrix = 15;

template <class C, class Copies>
struct UniformSets : Copies {
  using Base = Copies;
  using typename Base::Place;
  using Base::R, Base::p, Base::staging, Base::lane, Base::exchange;

  using Position = SetPosition;

  int sets, wholeSets, restBegin;  // of this block; of whole channels; place of the others among those left over
  static_assert(C::buffers == 2 || !C::uniform, "phases of three sets share an interval");
  u32 fragment[R];                 // this lane's row of the staged samples (n1, n3l) of this warp at n3h = b
  // Of the spectra of the current set's channel, of the previous set's, and of that of the one before, which is being
  // stored.
  int exponent = 0, exponentBefore = 0, exponentStored = 0;
  int inMatrix = 0;                      // the one that is in the last matrix
  u32 largest = 0;                       // of this lane's samples in first(), since the last note was taken
  u32 products = 0;                      // of this lane's outputs: not finite if one of them is not
  bool channelEnds = false;              // after the interval at hand

  // `begins`: before the first run of the block.
  FFC_DEVICE UniformSets(const Params& params, bool begins, int thread = threadIndex()) : Copies(params, thread) {
    const u32 count = gridSize(), me = blockIndex();
    wholeSets = p.wholeChannels * p.setsPerChannel;
    const u32 rest = p.channels * p.setsPerChannel - wholeSets * count;
    restBegin = rest * me / count;
    sets = wholeSets + int(rest * (me + 1) / count) - restBegin;
#pragma unroll
    for (int b = 0; b < R; b++) fragment[b] = Copies::fragmentAt(b);
    Base::resident = staging.rows + (C::rowScaled ? allNoteBytes<C> : 0);
    if (begins) {
      Copies::prepareCopies();
      letNextKernelStart();
    }
    // Tables were complete before there was a plan.
    Base::loadTables();
    if (begins) {
      awaitEarlierWork();
      // The second set would delay the tables and the spectrum.
      if (sets > 0) {
        Copies::load(0, {0, 0}, positionOf(0));
        exponent = chooseChannel(positionOf(0).channel);
        fetchAhead(true);
      }
      if constexpr (C::gated) fillAbsentGates();
    }
    const u32 any = begins ? exponentsOfBlock() : 0;
    Base::finishTables();
    staging.plain = !C::rowScaled && warpMax(any) == 0;
  }
  // As withoutExponents(), of this block's channels: whole ones are as far apart as there are blocks, those left over
  // follow each other. Each warp looks for itself, which needs no barrier.
  FFC_DEVICE u32 exponentsOfBlock() const {
    if (C::rowScaled) return 0;
    const int begin = sets > wholeSets ? positionOf(wholeSets).channel : 0;
    const int rest = sets > wholeSets ? positionOf(sets - 1).channel - begin + 1 : 0;
    const auto exponentOf = [&](int i) -> u32 {
      const int channel = i < p.wholeChannels ? i * gridSize() + blockIndex() : begin + i - p.wholeChannels;
      const int own = p.exponent[p.sharedSpectrum ? 0 : channel];
      return u32(p.skip ? exponentWithSkip<C>(own, skipLoad(p.skip, channel, p.skipType) * p.spectrumGain) : own);
    };
    // Without waiting for it, unless there are more.
    u32 any = lane < p.wholeChannels + rest ? exponentOf(lane) : 0;
#pragma unroll 1
    for (int i = lane + 32; i < p.wholeChannels + rest; i += 32) any |= exponentOf(i);
    return any;
  }
  // An absent gate is one of ones, in slots that no copy fills.
  FFC_DEVICE void fillAbsentGates() const {
    const u32 one = C::bf16 ? 0x3f803f80u : 0x3c003c00u;
    for (u32 at = threadIndex() * 16; at < staging.slotBytes; at += threads * 16)
      for (int set = 0; set < C::buffers; set++) {
        if (!p.pre.data) sharedStore16(staging.slotOfPre(set) + at, uint4{one, one, one, one});
        if (!p.post.data) sharedStore16(staging.slotOfPost(set) + at, uint4{one, one, one, one});
      }
  }

  FFC_DEVICE Position positionOf(int set) const {
    const bool whole = set < wholeSets;
    const int index = whole ? set : set - wholeSets + restBegin;
    const int channel = p.setsMagic ? int(highProduct(index, p.setsMagic) >> p.setsShift) : index;
    return {whole ? channel * gridSize() + blockIndex() : channel + p.wholeChannels * gridSize(),
            index - channel * p.setsPerChannel};
  }

  FFC_DEVICE void prefetchSpectrum(int channel) const {
    const u32 bytes = (1024 * R << p.log2N2) * Base::binPieces;
    if (!p.sharedSpectrum) prefetchBulk(static_cast<const char*>(p.spectrum) + int64_t(channel) * bytes, bytes);
  }
  FFC_DEVICE int chooseChannel(int channel) {
    Base::chooseSpectrum(0, channel);
    return Base::chooseSpectrum(1, channel);
  }
  // Where a spectrum lives in registers, that of the next channel comes into them during the last tile before it is
  // used, right after the last use of the old one: by then its addresses are known, and what is left of the tile hides
  // most of the wait. Blocks with one set a channel (256 points) spend a quarter of their time on it otherwise.
  FFC_DEVICE void fetchAhead(bool wanted) {
    if constexpr (C::spectrumRegisters)
#pragma unroll
      for (int b = 0; b < R; b++)
#pragma unroll
        for (int s = 0; s < 2; s++)
#pragma unroll
          for (int i = 0; i < Base::binPieces; i++)
            loadFresh16If(wanted, Base::spectrum[b][s].piece[i],
                          Base::spectrumAt[s] + ((b << (p.log2N2 + 2)) * Base::binPieces + i));
  }
  FFC_DEVICE void finishFetch() {
    if constexpr (C::spectrumRegisters)
#pragma unroll
      for (int b = 0; b < R; b++)
#pragma unroll
        for (int s = 0; s < 2; s++) Base::spectrum[b][s] = Base::template withSkip<false>(Base::spectrum[b][s], s);
    if constexpr (C::spectrumResident) Base::keepSpectrum();
  }
  FFC_DEVICE void useChannel(int channel) {
    exponent = chooseChannel(channel);
    Base::fetchSpectrum();
    if constexpr (C::spectrumResident) Base::keepSpectrum();
  }
  FFC_DEVICE void putIntoMatrix(int e) {
    inMatrix = e;
    if constexpr (C::transposedTables)
      Base::finishOuter();
    else
      Base::loadOuter();
    if (e == 0) return;
    const float f = powerOfTwo(e);
#pragma unroll
    for (int i = 0; i < 4; i++) {
      Base::matrixOut[0][i] = halfMul(Base::matrixOut[0][i], packHalf(f, f));
      Base::matrixOut[1][i] = halfMul(Base::matrixOut[1][i], packHalf(f, f));
    }
  }

  FFC_DEVICE u32 exchangeOf(int set) const { return exchange + (set & 1) * p.tilesPerSet * (R * exchangeBytes); }

  FFC_DEVICE u32 slotBetween(Place a, Place b) const { return staging.base + staging.slotBytes * (C::uniformSlots - a.slot - b.slot); }

};

}  // namespace ffc::mma
