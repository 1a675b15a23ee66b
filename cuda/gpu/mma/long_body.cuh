// The order of the work for radix 3 and up: one tile a set, and a middle that is long enough to be worth hiding.
//
// With two exchange buffers interval j runs middle(j), last(j - 1) and first(j + 1) and ends with one barrier. Half of the
// warps of each scheduler begin with middle(), the others with the outer phases, so that tensor-heavy and memory-heavy
// code overlap without being mixed in the source. With one buffer an interval is middle(j), barrier, last(j) +
// first(j + 1) in place, barrier. Interval -1 does nothing but the first phase of set 0, and what the outer phases compute
// for sets that do not exist goes where nobody looks: one copy of the code without branches serves every interval.
#pragma once
#include "long_rows.cuh"
#include "long_watch.cuh"
#include "phases.cuh"

namespace ffc::mma {

// `again`: the block's second run, from the set on which the first one has left.
template <class C, bool again = false>
struct LongConvolution : Phases<C> {
  using Base = Phases<C>;
  using Base::R, Base::p, Base::warp, Base::staging, Base::exchange, Base::addressOuter, Base::spectrumUntil;
  static_assert(C::mostTiles == 1 && !C::spectrumRegisters);

  // Of the bytes for barriers each run has its own, and the words of what is watched lie behind both.
  static constexpr int runBytes = 48, watchAt = 2 * runBytes;
  static_assert(runBytes >= 8 * (3 + C::buffers) && watchAt + LongWatch<C>::bytes <= barrierBytes);

  FFC_DEVICE explicit LongConvolution(const Params& params) : Base(params) {
    if constexpr (again) staging.barriers += runBytes;
    if (staging.maps) staging.initBarriers(staging.slots() + C::buffers);
    staging.plain = C::watchesRows ? false : C::wholeRows ? !C::rowScaled : withoutExponents<C>(p);
    Base::loadTables();
    Base::finishTables();
  }

  using Place = typename Staging<C>::Place;
  FFC_DEVICE LongRows<C> rows() const { return {p, staging}; }
  FFC_DEVICE void load(int set, Place at) const { C::partialRows ? rows().load(set, at) : staging.load(set, at); }
  FFC_DEVICE void store(int set, Place at) const { C::partialRows ? rows().store(set, at) : staging.store(set, at); }
  FFC_DEVICE void trim(int set, Place at) const {
    if constexpr (C::partialRows) rows().trim(set, at);
  }

  FFC_DEVICE u32 exchangeOf(int set) const {
    return exchange + (C::buffers == 2 ? set & 1 : 0) * (R * exchangeBytes);
  }

  // The exponents of the 16 columns n2 of a set, each the power of two that its warp took into first().
  FFC_DEVICE u32 columnExponent(int set, int n2) const {
    return staging.barriers - (again ? runBytes : 0) - 128 + ((set & 1) * 16 + n2) * 4;
  }
  // From the exponents of the columns to the one of their row, which is the least: never up.
  FFC_DEVICE void evenColumns(int set) {
    int row = 0;
#pragma unroll
    for (int hi = 0; hi < 2; hi++) {
      const int n2 = 2 * Base::c + 8 * hi;
      if (hi == 0 || !C::wholeRows) row = staging.inputExponent(staging.largestOf(set, n2 >> Base::n2Bits()));
      Base::columnScale[hi] = Base::evenTwo(columnExponent(set, n2), row);
    }
  }

  template <class Halfway, class BeforeLast>
  FFC_DEVICE void runMiddle(int set, Halfway halfway, BeforeLast beforeLast) {
    if constexpr (C::wholeRows) {
      if constexpr (C::spectrumRing)
        Base::turnWholeRing(set), Base::turnSkip(set);
      else if (set >= spectrumUntil)
        Base::loadWholeSpectrum(set);
    } else {
      const int tile = staging.firstTile + set;
      if constexpr (C::spectrumRing) Base::turnRing(tile + 1);
      if ((!C::spectrumRing || (C::skipKernel ? C::addsSkip : p.skip != nullptr)) && tile >= spectrumUntil) Base::loadSpectrum(tile);
    }
    if constexpr (C::warpScaled) evenColumns(set);
    constexpr SpectrumFrom from = C::spectrumRing ? SpectrumFrom::ring : SpectrumFrom::memory;
    constexpr SpectrumFrom fromWithoutSkip = C::spectrumRing ? SpectrumFrom::ringWithoutSkip : SpectrumFrom::memoryWithoutSkip;
    Base::template middle<C::addsSkip || !(C::wholeRows || C::skipKernel) ? from : fromWithoutSkip>(exchangeOf(set), beforeLast, halfway);
  }

  // What the largest |u * gate| of these samples and of those before is: ungated as a pair of elements, else as float bits.
  FFC_DEVICE static void noteLargest(u32& most, const u32 (&u)[4], const u32 (&gate)[4], bool gated) {
    if constexpr (!C::gated) {
      most = largestBfloats(most, largestBfloats(largestBfloats(u[0], u[1]), largestBfloats(u[2], u[3])));
      return;
    }
    float largest = asFloat(most);
#pragma unroll
    for (int i = 0; i < 4; i++) {
      float2 v = unpackElements<C>(u[i]);
      if (gated) {
        const float2 w = unpackElements<C>(gate[i]);
        v.x *= w.x, v.y *= w.y;
      }
      largest = fmaxf(largest, fmaxf(fabsf(v.x), fabsf(v.y)));
    }
    most = floatBits(largest);
  }
  // The upper half of its float bits.
  FFC_DEVICE static u32 upperBits(u32 most) {
    if constexpr (C::gated) return most >> 16;
    const u32 pair = most & 0x7fff7fffu;
    return Staging<C>::largerOf(pair & 0xffffu, pair >> 16);
  }

  // first() of set `in` and last() of set `out` share a staging slot and an exchange buffer: their operands, fetched
  // together, are replaced together. The matrices of loadOuter() are at hand. The run began with set `from`.
  FFC_DEVICE void runOuter(int in, int out, int from, typename Staging<C>::Place at) {
    if constexpr (!C::outerEarly) Base::loadOuter();
    staging.awaitInput(in, at);
    if (out >= from) staging.awaitPost(out - from);  // the barriers are the run's
    const u32 stage = staging.slotOf(at), pre = staging.slotOfPre(in & 7), post = p.post.data ? staging.slotOfPost(out & 7) : 0;
    const int row = warp >> Base::n2Bits();  // this warp's sequence
    // Who watches ungated outputs sees them unscaled.
    const bool scaled = C::watchesRows ? C::gated : C::rowScaled || !staging.plain, gated = C::gated && p.pre.data;
    const u32 scaleOut = scaled || C::watchesRows ? sharedLoad4(staging.exponentOf(out, row)) : 0, fragment = staging.fragment(0, 0);
    const auto fragmentOf = [&](int b) { return R % 4 ? staging.fragment(0, b) : staging.fragmentAfter(fragment, b); };
    u32 u[R][4], gate[C::gated ? R : 1][4], most = 0, scaleIn = 0;
    const bool firstColumn = C::partialRows && p.wraps && warp == 0;
    const int wrappedIn = firstColumn ? rows().wrapped(in) : 0, wrappedOut = firstColumn && (!again || out >= from) ? rows().wrapped(out) : 0;
    const auto fetch = [&](int b) {
      const u32 offset = fragmentOf(b);
      loadTransposed(stage + offset, u[b][0], u[b][1], u[b][2], u[b][3]);
      u32(&f)[4] = gate[C::gated ? b : 0];
      if constexpr (C::gated)
        if (gated) loadTransposed(pre + offset, f[0], f[1], f[2], f[3]);
    };
    if constexpr (C::warpScaled) {
#pragma unroll
      for (int b = 0; b < R; b++) {
        fetch(b);
        noteLargest(most, u[b], gate[C::gated ? b : 0], gated);
      }
      if (wrappedIn > 0) most = largestBfloats(most, rows().wrappedOf(in, wrappedIn));
      const int exponent = 133 - int(warpMax(upperBits(most)) >> 7);  // see Staging::inputExponent()
      scaleIn = floatBits(powerOfTwo(exponent));
      if (Base::lane == 0) {
        sharedStore4(columnExponent(in, warp), u32(exponent));
        sharedMax(staging.largestOf(in, row), u32(133 - exponent) << 7);
      }
    }
    // Operands are fetched so many blocks ahead of their use.
    u32 xr[R][4], xi[R][4];
    LaneWatch<C> seen{scaleOut};
    const auto fetchBlock = [&](int b) {
      const u32 block = exchangeOf(in) + b * exchangeBytes;
      if constexpr (!C::warpScaled) fetch(b);
      // As loadPlanes() does, by which the compiler made other code of radices 4 and 8.
      loadTransposed(block + addressOuter, xr[b][0], xr[b][1], xr[b][2], xr[b][3]);
      loadTransposed(block + addressOuter + Base::blockPlane, xi[b][0], xi[b][1], xi[b][2], xi[b][3]);
    };
#pragma unroll
    for (int b = 0; b < C::outerAhead; b++) fetchBlock(b);
#pragma unroll
    for (int b = 0; b < R; b++) {
      const u32 offset = fragmentOf(b), block = exchangeOf(in) + b * exchangeBytes;
      u32 rest[4];
      if (b + C::outerAhead < R) fetchBlock(b + C::outerAhead);
      if constexpr (C::gated && C::watchesRows)
        prepareGatedUnscaled<C>(u[b], gate[b], gated);
      else if constexpr (C::gated)
        prepareGated<C>(u[b], rest, gate[b], gated, scaleIn);
      else if constexpr (C::watchesRows)
        prepareUnscaled<C>(u[b]);
      else
        prepare<C>(u[b], scaleIn);
      Base::first(u[b], rest, block);
      if (b == 0 && wrappedIn > 0) rows().addWrapped(*this, in, wrappedIn, scaleIn, block);
      if (b == 0 && wrappedOut > 0) {
        u32 sums = rows().wrappedSums(*this, xr[b], xi[b], scaled, scaleOut);
        if constexpr (C::watchesRows) sums = bfloatMul(sums, bfloatPair(scaleOut));
        rows().storeWrapped(out, wrappedOut, sums);
      }
      Base::last(xr[b], xi[b], stage + offset, post, post + offset, scaled, scaleOut, seen);
    }
    if constexpr (C::watchesRows) watch().note(out, seen.sum());
  }
  FFC_DEVICE LongWatch<C> watch() const { return {staging.rows - barrierBytes + watchAt}; }

  // Runs the block's sets, if again from `begin` on. Where rows are watched: the set from which on they need scales, everything before it
  // stored; else -1.
  FFC_DEVICE int run(int begin = 0) {
    const int sets = staging.sets, from = again ? begin : 0;
    if (sets <= from) return -1;
    for (int set = 0; set <= staging.lead; set++) staging.prepareRows(from + set);
    if constexpr (C::spectrumRing && C::wholeRows)
      Base::startWholeRing(from);
    else if constexpr (C::spectrumRing)
      Base::startRing(staging.firstTile);
    blockSync();
    typename Staging<C>::Place ahead = {0, 0};           // of the set that load() fetches next
    typename Staging<C>::Place at = {staging.slots() - 1, 1};    // of input `set`, which y of set - buffers has replaced
    for (int set = 0; set < staging.lead - 1; set++, ahead = staging.following(ahead)) load(from + set, ahead);
    if (C::buffers == 1) load(from, ahead);
    trim(from, {0, 0});
    staging.finishLoads();
    blockSync();
    // The matrices of the outer phases come from L2: on their way at the end of the middle, whichever phase is next.
    const auto loadOuter = [&] { if constexpr (C::outerEarly) Base::loadOuter(); };
    loadOuter();
    // The slot that store() empties is the one that load() fills, unless there is a slot to spare. Tensor copies into
    // the slot must then wait until the store has read it, so they are issued later in the interval.
    const bool spare = staging.slots() > C::buffers, loadLate = staging.maps && !spare;
    for (int set = from - 1; set < sets + C::buffers - 1; set++) {
      const bool stores = !again || set - C::buffers >= from;
      if constexpr (C::watchesRows) {
        if (set >= C::buffers && watch().refuses(set - C::buffers)) return stopAt(set, at);
        watch().clear(set);
      }
      if (!spare && stores) store(set - C::buffers, at);
      if (!loadLate && set + staging.lead > from) load(set + staging.lead, ahead);
      if (spare && stores) store(set - C::buffers, at);
      at = staging.following(at);
      if (set >= from) {
        staging.loadPost(set);
        staging.prepareRows(set + staging.lead + 1);
        staging.finishRows(set);
      }
      const auto late = [&] {
        if (loadLate) load(set + staging.lead, ahead);
      };
      if constexpr (C::buffers == 2) {
        const int middleTurn = (warp >> 2) & 1;
#pragma unroll 1
        for (int turn = 0; turn < 2; turn++) {
          if (turn == middleTurn) {
            if (set >= from && set < sets)
              runMiddle(set, late, loadOuter);
            else
              late(), loadOuter();
          } else {
            runOuter(set + 1, set - 1, from, at);
          }
        }
        trim(set + C::buffers, ahead);
        // Without row tables nothing but the ring is copied asynchronously, and that waits for itself.
        if (C::wholeRows || (staging.maps && staging.plain))
          fenceTensorCopies();
        else
          staging.finishLoads();
        blockSync();
      } else {
        if (set >= from) {
          runMiddle(set, late, loadOuter);
          trim(set + C::buffers, ahead);
          staging.finishLoads();
          blockSync();
        }
        runOuter(set + 1, set, from, at);
        staging.finishLoads();
        blockSync();
      }
      ahead = staging.following(ahead);
    }
    if constexpr (C::watchesRows)
      if (watch().refuses(sets - 1)) return stopAt(sets + C::buffers - 1, at);
    store(sets - 1, at);
    staging.finishStores();
    return -1;
  }

  // In interval `set`, before anything of it: nothing may be under way when another run fills slots and rings anew. Outputs from set
  // - buffers on have not been stored, so that their samples are still there where y is u.
  FFC_DEVICE int stopAt(int set, Place at) const {
    for (int loaded = set; loaded < set + staging.lead; loaded++, at = staging.following(at))
      if (loaded > set) staging.awaitInput(loaded, at);
    copyAsyncWaitAll();
    staging.finishStores();
    blockSync();
    return set - C::buffers;
  }
};

}  // namespace ffc::mma
