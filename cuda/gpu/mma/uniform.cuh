// The order of work for the common shape: whole aligned rows, and sets of rows of one channel (the last of a channel may be
// partly empty: tensor copies read zeros there and write nothing). Then one tensor copy moves a set, a spectrum changes between intervals only, and
// what the general driver (body.cuh) keeps per row is one register. Interval j is as there: middle(set j), last(set j - 1)
// and first(set j + 1), one barrier.
//
// Blocks take channels in turn, each a whole one, so that all blocks together read neighbouring rows (2 % faster than a
// range of channels per block); the channels that are left over are shared out by sets.
//
// Where samples may leave the range of a half (bfloat16, gates), finding each row's scale before first() costs a wait and a
// second look at every sample. So rows go through unscaled at first, and first() notes their largest values on the way.
// A set with a row outside the window below is not stored: from it on the block starts again with exact scales.
//
// A Config opts in by `uniform` and says its tiles; the host (mma.cu) then uses this driver wherever a problem has the shape.
#pragma once
#include "phases.cuh"

namespace ffc::mma {

// A row whose largest half is 0 or lies in [2^-3, 2^8) needs no scale: 2^8 sqrt(8192), the largest value its transform can
// reach, is 23170 (see Config::rowScaled); below 2^-3 its transform may come near the end of the normal halves, 2^-14.
constexpr uint32_t lowestUnscaled = (15 - 3) << 10, highestUnscaled = (15 + 8) << 10;

template <class C>
struct Uniform : Phases<C> {
  using Base = Phases<C>;
  using Base::R, Base::p, Base::warp, Base::lane, Base::staging, Base::exchange, Base::addressOuter;
  using Base::first, Base::last;
  using Place = typename Staging<C>::Place;

  int sets, wholeSets, restBegin;  // of this block; of whole channels; place of the others among those left over
  static_assert(C::buffers == 2 || !C::uniform, "phases of three sets share an interval");
  u32 fragment[R];                 // this lane's row of the staged samples (n1, n3l) of this warp at n3h = b
  u32 scale = 0, scaleBefore = 0;  // of outputs of the current and of the previous set's channel: 2^e, or e where exact

  FFC_DEVICE explicit Uniform(const Params& params) : Base(params) {
    const u32 count = gridSize(), me = blockIndex();
    wholeSets = p.wholeChannels * p.setsPerChannel;
    const u32 rest = p.channels * p.setsPerChannel - wholeSets * count;
    restBegin = rest * me / count;
    sets = wholeSets + int(rest * (me + 1) / count) - restBegin;
    const int row = (lane >> 3 & 1) * 8 + (lane & 7), half = lane >> 4;
#pragma unroll
    for (int b = 0; b < R; b++) {
      fragment[b] = staging.fragment(0, b);
      if (R == 1 && p.log2N2 < 2) {
        // Rows n1 of one sequence are 32 or 64 bytes long and swizzled with the 128-byte line they lie in.
        const int log2Pieces = 1 + p.log2N2, piece = 2 * (warp & ((1 << p.log2N2) - 1)) + half;
        const int line = row >> (3 - log2Pieces);
        fragment[b] = (warp >> p.log2N2) * (512 << p.log2N2) + (row << (4 + log2Pieces)) +
                      ((piece ^ line) & ((1 << log2Pieces) - 1)) * 16;
      }
    }
    Base::resident = staging.rows + (C::rowScaled ? rowRing * staging.rowsPerSet * 4 : 0);
    // One group of barriers for the first run, one for the run with exact scales.
    staging.initBarriers((C::rowScaled ? 2 : 1) * barrierCount);
  }
  static constexpr int barrierCount = C::uniformSlots + C::buffers;

  struct Position {
    int channel, row;
  };
  FFC_DEVICE Position positionOf(int set) const {
    const bool whole = set < wholeSets;
    const int index = whole ? set : set - wholeSets + restBegin;
    const int channel = p.setsMagic ? int(highProduct(index, p.setsMagic) >> p.setsShift) : index;
    return {whole ? channel * gridSize() + blockIndex() : channel + p.wholeChannels * gridSize(),
            (index - channel * p.setsPerChannel) * staging.rowsPerSet};
  }

  // ---- copies, by one thread
  FFC_DEVICE void load(int set, int slot, u32 barriers, Position from) const {
    const u32 barrier = barriers + slot * 8;
    barrierExpect(barrier, staging.slotBytes * (C::gated ? 2 : 1));
    tensorLoad(staging.base + staging.slotBytes * slot, &p.maps.u, from.row, from.channel, barrier);
    if constexpr (C::gated) tensorLoad(staging.slotOfPre(set), &p.maps.pre, from.row, from.channel, barrier);
  }
  FFC_DEVICE static u32 postBarrier(int set, u32 barriers) { return barriers + (C::uniformSlots + (set & 1)) * 8; }
  FFC_DEVICE void loadPost(int set, u32 barriers, Position from) const {
    const u32 barrier = postBarrier(set, barriers);
    barrierExpect(barrier, staging.slotBytes);
    tensorLoad(staging.slotOfPost(set), &p.maps.post, from.row, from.channel, barrier);
  }
  FFC_DEVICE void store(int slot, Position to) const {
    tensorStore(staging.base + staging.slotBytes * slot, &p.maps.y, to.row, to.channel);
  }

  template <bool exact>
  FFC_DEVICE void useChannel(int channel) {
    Base::chooseSpectrum(0, channel);
    const int exponent = Base::chooseSpectrum(1, channel);
    Base::fetchSpectrum();
    if constexpr (C::spectrumResident) Base::keepSpectrum();
    scale = exact ? u32(exponent) : floatBits(powerOfTwo(exponent));
  }

  FFC_DEVICE u32 exchangeOf(int set) const { return exchange + (set & 1) * p.tilesPerSet * (R * exchangeBytes); }

  // ---- one tile of an interval
  struct Interval {
    u32 middle, outer;        // exchange buffers
    u32 stage, pre, post;     // slots
    u32 largestIn, largestOut;  // of this warp's first sequence
  };
  struct Operands {
    u32 u[4], gate[4], xr[4], xi[4];
  };
  template <bool doFirst, bool doLast>
  FFC_DEVICE void fetch(Operands& o, const Interval& at, int tile, int b) const {
    const u32 offset = tile * (R * stagingBytes) + fragment[b], block = at.outer + (tile * R + b) * exchangeBytes;
    if constexpr (doFirst) {
      loadTransposed(at.stage + offset, o.u[0], o.u[1], o.u[2], o.u[3]);
      if constexpr (C::gated) loadTransposed(at.pre + offset, o.gate[0], o.gate[1], o.gate[2], o.gate[3]);
    }
    if constexpr (doLast) {
      loadTransposed(block + addressOuter, o.xr[0], o.xr[1], o.xr[2], o.xr[3]);
      loadTransposed(block + addressOuter + 8192, o.xi[0], o.xi[1], o.xi[2], o.xi[3]);
    }
  }
  template <bool doFirst, bool doLast, bool exact, bool scaled>
  FFC_DEVICE void compute(Operands& o, const Interval& at, int tile, int b) {
    const u32 offset = tile * (R * stagingBytes) + fragment[b], block = at.outer + (tile * R + b) * exchangeBytes;
    const u32 row = tile << (staging.log2Sequences + 2);
    if constexpr (doFirst) {
      u32 inputScale = floatBits(1.0f);
      if constexpr (exact) inputScale = floatBits(powerOfTwo(staging.inputExponent(at.largestIn + row)));
      u32 rest[4];
      if constexpr (C::gated)
        prepareGated<C>(o.u, rest, o.gate, true, inputScale);
      else if constexpr (exact)
        prepare<C>(o.u, inputScale);
      else
        prepareUnscaled<C>(o.u);
      if constexpr (C::rowScaled && !exact) noteLargest(o.u, at.largestIn + row);
      first(o.u, rest, block);
    }
    if constexpr (doLast) {
      u32 by = scaleBefore;
      if constexpr (exact) by = floatBits(powerOfTwo(int(scaleBefore) - staging.inputExponent(at.largestOut + row)));
      last(o.xr, o.xi, at.stage + offset, C::gated, at.post + offset, scaled, by);
    }
  }
  template <bool doFirst, bool doMiddle, bool doLast, bool exact, bool scaled>
  FFC_DEVICE void runTile(const Interval& at, int tile) {
    Operands o;
    auto fetchNow = [&] { fetch<doFirst, doLast>(o, at, tile, 0); };
    if constexpr (C::fetchFirst || !doMiddle) fetchNow();
    if constexpr (doMiddle)
      middleOf(at, tile, [&] {
        if constexpr (!C::fetchFirst) fetchNow();
      });
    compute<doFirst, doLast, exact, scaled>(o, at, tile, 0);
#pragma unroll
    for (int b = 1; b < R; b++) {
      fetch<doFirst, doLast>(o, at, tile, b);
      compute<doFirst, doLast, exact, scaled>(o, at, tile, b);
    }
  }
  template <class BeforeLast>
  FFC_DEVICE void middleOf(const Interval& at, int tile, BeforeLast&& beforeLast) {
    constexpr SpectrumFrom from = C::spectrumRegisters   ? SpectrumFrom::registers
                                  : C::spectrumResident ? SpectrumFrom::shared
                                                        : SpectrumFrom::memory;
    Base::template middle<from>(at.middle + tile * (R * exchangeBytes), beforeLast);
  }
  template <bool exact, bool scaled>
  FFC_DEVICE void runTiles(const Interval& at) {
    if (!exact && C::uniformUnroll > 1 && p.tilesPerSet == C::uniformTiles) {
#pragma unroll(C::uniformUnroll)
      for (int tile = 0; tile < C::uniformTiles; tile++) runTile<true, true, true, exact, scaled>(at, tile);
    } else {
#pragma unroll 1
      for (int tile = 0; tile < p.tilesPerSet; tile++) runTile<true, true, true, exact, scaled>(at, tile);
    }
  }
  // The first and the last intervals of a block.
  template <bool exact, bool scaled>
  FFC_DEVICE void runEdge(const Interval& at, bool doFirst, bool doMiddle, bool doLast) {
#pragma unroll 1
    for (int tile = 0; tile < p.tilesPerSet; tile++) {
      if (doMiddle) middleOf(at, tile, [] {});
      if (doFirst) runTile<true, false, false, exact, scaled>(at, tile);
      if (doLast) runTile<false, false, true, exact, scaled>(at, tile);
    }
  }

  // ---- largest values of rows
  // Unscaled: as a half in the upper part of a word; halves without sign order like integers.
  FFC_DEVICE void noteLargest(const u32 (&u)[4], u32 to) const {
    const u32 most = largestHalves(largestHalves(u[0], u[1]), largestHalves(u[2], u[3]));
    const u32 all = warpMax(Staging<C>::largerOf(most, most << 16));
    if (lane == 0) sharedMax(to, all);
  }
  FFC_DEVICE bool needsScale(u32 largest) const {
    return largest >= 0x10000 && (largest >> 16 < lowestUnscaled || largest >> 16 >= highestUnscaled);
  }
  // Exact: as Staging::findScale does.
  FFC_DEVICE void findLargest(int set, int slot) const {
#pragma unroll 1
    for (int tile = 0; tile < p.tilesPerSet; tile++)
#pragma unroll
      for (int i = 0; i < R; i++) {
        const u32 offset = (tile * R + i) * stagingBytes + threadIndex() * 16;
        const u32 all = warpMax(staging.largestOfPiece(staging.base + staging.slotBytes * slot + offset, staging.slotOfPre(set) + offset));
        const int row = int(offset >> (9 + p.log2N2)) / R;
        if (lane == 0) sharedMax(staging.largestOf(set, row), all);
      }
  }

  // Runs the block's sets from `from` on. Returns the set that needs exact scales, everything before it stored; or -1.
  template <bool exact, bool scaled>
  FFC_DEVICE int run(int from) {
    constexpr bool noting = C::rowScaled && !exact;
    const u32 barriers = staging.barriers + (exact ? barrierCount * 8 : 0);
    const int count = sets - from;
    if (threadIndex() == 0)
      for (int set = 0; set < 2 && set < count; set++) load(set, set, barriers, positionOf(from + set));
    if (!exact) Base::loadTables();
    int channel = positionOf(from).channel;
    if (count > 0) useChannel<exact>(channel);
    if (C::rowScaled)
      for (int i = threadIndex(); i < rowRing * staging.rowsPerSet; i += threads) sharedStore4(staging.largestOf(0, i), 0);
    blockSync();
    if (count <= 0) return -1;
    Place at = {0, 0};  // of set + 1
    auto interval = [&](int set) {
      const int sequence = warp >> p.log2N2;
      return Interval{exchangeOf(set), exchangeOf(set + 1), staging.slotOf(at), staging.slotOfPre(set + 1),
                      staging.slotOfPost(set + 1), staging.largestOf(set + 1, sequence), staging.largestOf(set - 1, sequence)};
    };
    barrierWait(barriers, 0);
    if constexpr (exact) {
      findLargest(0, 0);
      if (count > 1) {
        barrierWait(barriers + 8, 0);
        findLargest(1, 1);
      }
      blockSync();
    }
    if constexpr (!C::outerRegisters) Base::loadOuter();
    runEdge<exact, scaled>(interval(-1), true, false, false);
    fenceTensorCopies();
    blockSync();
    for (int set = 0; set <= count; set++) {
      at = staging.following(at);
      const Place next = staging.following(at);  // of set + 2; the third slot is that of `set`, now with y of set - 2
      if (threadIndex() == 0) {
        tensorStoresRead();  // y of set - 3 has left the slot of set + 2
        if (set + 2 < count) load(set + 2, next.slot, barriers, positionOf(from + set + 2));
        if (set >= 2) store(C::uniformSlots - at.slot - next.slot, positionOf(from + set - 2));
        if (C::gated && set < count) loadPost(set, barriers, positionOf(from + set));
      }
      u32 largest[2] = {0, 0};
      if constexpr (C::rowScaled)
        if (threadIndex() < staging.rowsPerSet) sharedStore4(staging.largestOf(set + 4, threadIndex()), 0);
      if constexpr (noting) {
        if (lane < staging.rowsPerSet) largest[0] = sharedLoad4(staging.largestOf(set, lane));
        if (!C::pairwise && lane + 32 < staging.rowsPerSet) largest[1] = sharedLoad4(staging.largestOf(set, lane + 32));
      }
      if (set + 1 < count) barrierWait(barriers + at.slot * 8, at.parity);
      if (C::gated && set > 0) barrierWait(postBarrier(set - 1, barriers), (set - 1) >> 1 & 1);
      const Interval now = interval(set);
      if constexpr (!C::outerRegisters) Base::loadOuter();
      if (set > 0 && set + 1 < count)
        runTiles<exact, scaled>(now);
      else
        runEdge<exact, scaled>(now, set + 1 < count, set < count, set > 0);
      const bool stop = noting && set < count && warpMax(needsScale(largest[0]) || needsScale(largest[1])) != 0;
      scaleBefore = scale;
      if (set + 1 < count) {
        const int following = positionOf(from + set + 1).channel;
        if (following != channel) useChannel<exact>(channel = following);
      }
      if constexpr (exact)
        if (set + 2 < count) {
          barrierWait(barriers + next.slot * 8, next.parity);
          findLargest(set + 2, next.slot);
        }
      fenceTensorCopies();
      blockSync();
      if (stop) {
        // Nothing may be on its way when the slots are filled anew; y of set - 1 lies where u of set + 1 was.
        if (set + 2 < count) barrierWait(barriers + next.slot * 8, next.parity);
        if (C::gated) barrierWait(postBarrier(set, barriers), set >> 1 & 1);
        if (threadIndex() == 0) {
          if (set > 0) store(at.slot, positionOf(from + set - 1));
          tensorStoresDone();
        }
        return from + set;
      }
    }
    if (threadIndex() == 0) {
      store(at.slot, positionOf(from + count - 1));
      tensorStoresDone();
    }
    return -1;
  }
};

template <class C>
FFC_DEVICE void convolveUniform(const Params& p) {
  Uniform<C> uniform(p);
  if constexpr (C::rowScaled) {
    const int stopped = uniform.template run<false, true>(0);
    if (stopped >= 0) uniform.template run<true, true>(stopped);
  } else if (uniform.staging.plain) {
    uniform.template run<false, false>(0);
  } else {
    uniform.template run<false, true>(0);
  }
}

}  // namespace ffc::mma
