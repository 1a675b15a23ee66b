// The order of work for the common shape: sets of one channel (the last of a channel may have fewer rows: copies leave out
// what lies beyond the batch). Then a spectrum changes between intervals only, and what the general driver (body.cuh) keeps
// per row is one register. How rows travel is a parameter (set_copies.cuh). Interval j is as there: middle(set j),
// last(set j - 1) and first(set j + 1), one barrier.
//
// Blocks take channels in turn, each a whole one, so that all blocks together read neighbouring rows (copies alone ran 4 %
// faster in that order); the channels that are left over are shared out by sets.
//
// Where samples may leave the range of a half (bfloat16, gates), finding each row's scale before first() costs a wait and a
// second look at every sample. So rows go through unscaled at first, the spectrum's exponent goes into the last matrix, and
// first() notes on the way whether all is well. A set with a row outside the window below, or of a channel with an exponent
// that the matrix cannot take, is not stored: from it on the block starts again with exact scales.
//
// In the fast class without gates not even that is needed (watchesOutputs): what tells is the outputs. An overflow leaves
// numbers that are not finite, in all 16 outputs n1 of a column at least; one multiply-add a tile finds them. Rows whose
// outputs are too small are found by a look at a few of them while they are being stored. The block then stores them again.
//
// A Config opts in by `uniform` and says its tiles; the host (mma.cu) then uses this driver wherever a problem has the shape.
#pragma once
#include "phases.cuh"
#include "set_copies.cuh"

namespace ffc::mma {

// A row whose largest half lies in [2^-3, 2^8) needs no scale: 2^8 sqrt(8192), the largest value its transform can
// reach, is 23170 (see Config::rowScaled); below 2^-3 its transform may come near the end of the normal halves, 2^-14.
constexpr uint32_t halfPower(int e) { return uint32_t(15 + e) << 10 | uint32_t(15 + e) << 26; }  // 2^e twice
constexpr uint32_t lowestUnscaled = halfPower(-3), aboveUnscaled = halfPower(8);
// Of eight outputs, before the spectrum's exponent: a mean square of 2^-18. Their row then has at least the norm 0.0055, and the
// errors of halves below 2^-14 (2^-24 / sqrt(12) each) have 1.5e-6 times about 1.2 in 8192 samples.
constexpr float leastSquares = 1.0f / 32768;
// Exponents that entries of the last matrix, up to 1/4, may take: above the smallest half by 15 bits, below the largest.
constexpr int lowestInMatrix = -8, highestInMatrix = 15;

template <class C, class Copies>
struct Uniform : Copies {
  using Base = Phases<C>;
  using Base::R, Base::p, Base::warp, Base::lane, Base::staging, Base::exchange, Base::addressOuter;
  using Base::first, Base::last;
  using Place = typename Staging<C>::Place;
  using Position = SetPosition;

  int sets, wholeSets, restBegin;  // of this block; of whole channels; place of the others among those left over
  static_assert(C::buffers == 2 || !C::uniform, "phases of three sets share an interval");
  u32 fragment[R];                 // this lane's row of the staged samples (n1, n3l) of this warp at n3h = b
  // Of the spectra of the current set's channel, of the previous set's, and of that of the one before, which is being stored.
  int exponent = 0, exponentBefore = 0, exponentStored = 0;
  int inMatrix = 0;                      // the one that is in the last matrix
  u32 largest = 0;                       // of this lane's samples in first(), since the last note was taken
  u32 products = 0;                      // of this lane's outputs: not finite if one of them is not
  bool channelEnds = false;              // after the interval at hand

  // `begins`: before the first run of the block.
  FFC_DEVICE Uniform(const Params& params, bool begins, int thread = threadIndex()) : Copies(params, thread) {
    const u32 count = gridSize(), me = blockIndex();
    wholeSets = p.wholeChannels * p.setsPerChannel;
    const u32 rest = p.channels * p.setsPerChannel - wholeSets * count;
    restBegin = rest * me / count;
    sets = wholeSets + int(rest * (me + 1) / count) - restBegin;
#pragma unroll
    for (int b = 0; b < R; b++) fragment[b] = Copies::fragmentAt(b);
    Base::resident = staging.rows + (C::rowScaled ? rowRing * noteBytes<C> + 16 : 0);
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
    staging.plain = !C::rowScaled && !p.skip && warpMax(any) == 0;
  }
  // As withoutExponents(), of this block's channels: whole ones are as far apart as there are blocks, those left over follow
  // each other. Each warp looks for itself, which needs no barrier.
  FFC_DEVICE u32 exponentsOfBlock() const {
    if (C::rowScaled || p.skip) return 0;
    const int begin = sets > wholeSets ? positionOf(wholeSets).channel : 0;
    const int rest = sets > wholeSets ? positionOf(sets - 1).channel - begin + 1 : 0;
    const auto exponentOf = [&](int i) -> u32 {
      const int channel = i < p.wholeChannels ? i * gridSize() + blockIndex() : begin + i - p.wholeChannels;
      return p.exponent[p.sharedSpectrum ? 0 : channel];
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
  // Where a spectrum lives in registers, that of the next channel comes into them during the last tile before it is used,
  // right after the last use of the old one: by then its addresses are known, and what is left of the tile hides most of the
  // wait. Blocks with one set a channel (256 points) spend a quarter of their time on it otherwise.
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

  // ---- one tile of an interval
  struct Interval {
    u32 middle, outer;        // exchange buffers
    u32 stage, pre, post;     // slots
    u32 noteIn, noteOut;      // of this warp's first sequence
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
    if constexpr (doLast) Base::loadPlanes(block + addressOuter, o.xr, o.xi);
  }
  template <bool doFirst, bool doLast, bool exact, bool scaled>
  FFC_DEVICE void compute(Operands& o, const Interval& at, int tile, int b) {
    const u32 offset = tile * (R * stagingBytes) + fragment[b], block = at.outer + (tile * R + b) * exchangeBytes;
    if constexpr (doFirst) {
      u32 inputScale = floatBits(1.0f), rest[4];
      if constexpr (exact) inputScale = floatBits(powerOfTwo(staging.inputExponent(at.noteIn + tile * 64)));
      if constexpr (C::gated)
        prepareGated<C>(o.u, rest, o.gate, true, inputScale);
      else if constexpr (exact)
        prepare<C>(o.u, inputScale);
      else
        prepareUnscaled<C>(o.u);
      if constexpr (C::rowScaled && !exact && !C::watchesOutputs) {
        const u32 most = largestHalves(largestHalves(o.u[0], o.u[1]), largestHalves(o.u[2], o.u[3]));
        largest = largestHalves(largest, most);
        sharedStoreIfNotBelow(most, lowestUnscaled, at.noteIn + tile * 64, 1);
      }
      first(o.u, rest, block);
    }
    if constexpr (doLast) {
      int e = exponentBefore;
      if constexpr (exact) e -= staging.inputExponent(at.noteOut + tile * 64);
      Base::template last<Copies::keepsZeros>(
          o.xr, o.xi, at.stage + offset, C::gated, at.post + offset, scaled, scaled ? floatBits(powerOfTwo(e)) : 0,
          [&](const u32(&out)[4]) {
            if constexpr (C::watchesOutputs && !exact) products = bfloatFma(out[0], out[2], products);
          });
    }
  }
  template <bool doFirst, bool doMiddle, bool doLast, bool exact, bool scaled>
  FFC_DEVICE void runTile(const Interval& at, int tile, bool last) {
    Operands o;
    auto fetchNow = [&] { fetch<doFirst, doLast>(o, at, tile, 0); };
    if constexpr (C::fetchFirst || !doMiddle) fetchNow();
    if constexpr (doMiddle)
      middleOf(at, tile, last, [&] {
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
  FFC_DEVICE void middleOf(const Interval& at, int tile, bool last, BeforeLast&& beforeLast) {
    constexpr SpectrumFrom from = C::spectrumRegisters   ? SpectrumFrom::registers
                                  : C::spectrumResident ? SpectrumFrom::shared
                                                        : SpectrumFrom::memory;
    Base::template middle<from>(at.middle + tile * (R * exchangeBytes), beforeLast, typename Base::Nothing{}, [&] {
      if constexpr (C::spectrumAhead) {
        if (last) fetchAhead(channelEnds);
      }
    });
  }
  template <bool doFirst, bool doMiddle, bool doLast, bool exact, bool scaled>
  FFC_DEVICE void runTiles(const Interval& at) {
    if constexpr (C::uniformTiles == 1) return runTile<doFirst, doMiddle, doLast, exact, scaled>(at, 0, true);
    if (!exact && C::uniformUnroll > 1 && p.tilesPerSet == C::uniformTiles) {
#pragma unroll(C::uniformUnroll)
      for (int tile = 0; tile < C::uniformTiles; tile++)
        runTile<doFirst, doMiddle, doLast, exact, scaled>(at, tile, tile == C::uniformTiles - 1);
    } else {
#pragma unroll 1
      for (int tile = 0; tile < p.tilesPerSet; tile++)
        runTile<doFirst, doMiddle, doLast, exact, scaled>(at, tile, tile == p.tilesPerSet - 1);
    }
  }
  // The first and the last intervals of a block. Where tiles are interleaved at all, here too: of 24 intervals, as many as a
  // block has at 1024 points and 64 rows, these are four. Sets of four tiles in the accurate class: 512 points 0.0621 to 0.0606 ms.
  template <bool exact, bool scaled>
  FFC_DEVICE void runEdge(const Interval& at, bool doFirst, bool doMiddle, bool doLast) {
    if constexpr (!exact && (C::uniformUnroll > 1 || (C::turnsInCache && !Copies::wraps))) {
      if (doMiddle && doFirst)
        return runTiles<true, true, false, exact, scaled>(at);
      if (doMiddle && doLast)
        return runTiles<false, true, true, exact, scaled>(at);
    }
    const int tiles = C::uniformTiles == 1 ? 1 : p.tilesPerSet;
#pragma unroll 1
    for (int tile = 0; tile < tiles; tile++) {
      if (doMiddle) middleOf(at, tile, tile == p.tilesPerSet - 1, [] {});
      if (doFirst) runTile<true, false, false, exact, scaled>(at, tile, false);
      if (doLast) runTile<false, false, true, exact, scaled>(at, tile, false);
    }
  }

  // ---- rows that reach past N when they are shifted: x^N = i, so the last samples come round as imaginary parts of the first
  // eight, and so do the last outputs. The warps of the column n2 = 0 see to it, before and after the interval's tiles.
  FFC_DEVICE bool takesWrapped() const { return Copies::wraps && (warp & ((1 << p.log2N2) - 1)) == 0; }
  FFC_DEVICE int batchOfWrapped(SetPosition at, int tile) const {
    return at.set * staging.rowsPerSet + (tile << staging.log2Sequences) + (warp >> p.log2N2);
  }
  FFC_DEVICE u32 wrapAt(int tile) const {
    return Base::resident + C::residentBytes + ((warp >> p.log2N2) * p.tilesPerSet + tile) * 16;
  }
  // Zeros where nothing comes round.
  FFC_DEVICE void orderWrapped(SetPosition from) const {
    if (lane >= p.tilesPerSet) return;
    const int b = batchOfWrapped(from, lane), count = b < p.batch ? Copies::wrapped(from.channel) : 0;
    copyAsyncPart16(wrapAt(lane), Copies::wrappedOf(p.u, b, from.channel), count > 0 ? 2 * count : 0);
  }
  // In the exchange buffer: imaginary parts of n3h = 0, n3l = 0 ... 7 of row k1.
  FFC_DEVICE u32 imaginaryAt(const Interval& at, int tile, int k1) const {
    return at.outer + tile * (R * exchangeBytes) + Base::blockPlane + k1 * 256 + (warp ^ (k1 & 7)) * 16;
  }
  // Two tiles at a time, a lane for each row k1; no products of matrices, see ofMatrix().
  template <bool exact>
  FFC_DEVICE void addWrapped(const Interval& at) {
    copyAsyncWaitAll();
    const float f = Base::ofMatrix(Base::matrixIn);
    const u32 factor = packHalf(f, f);
    warpSync();
#pragma unroll
    for (int first = 0; first < C::uniformTiles; first += 2) {
      const int tile = first + (lane >> 4);
      if (tile >= p.tilesPerSet) continue;
      const uint4 v = sharedLoad16(wrapAt(tile));
      const u32 place = imaginaryAt(at, tile, lane & 15);
      const uint4 before = sharedLoad16(place);
      u32 u[4] = {v.x, v.y, v.z, v.w}, sum[4] = {before.x, before.y, before.z, before.w};
      if constexpr (exact)
        prepare<C>(u, floatBits(powerOfTwo(staging.inputExponent(at.noteIn + tile * 64))));
      else
        prepareUnscaled<C>(u);
      if constexpr (C::rowScaled && !exact && !C::watchesOutputs)
        largest = largestHalves(largest, largestHalves(largestHalves(u[0], u[1]), largestHalves(u[2], u[3])));
#pragma unroll
      for (int i = 0; i < 4; i++) sum[i] = halfFma(u[i], factor, sum[i]);
      sharedStore16(place, uint4{sum[0], sum[1], sum[2], sum[3]});
    }
  }
  // Eight lanes a tile: two for each pair of outputs, each of which adds up half of the rows k1, from different ones on, because
  // these have banks of their own.
  template <bool exact, bool scaled>
  FFC_DEVICE void storeWrapped(const Interval& at, SetPosition to) const {
    const int tile = lane >> 3, upper = lane >> 2 & 1, row = batchOfWrapped(to, tile), sample = 2 * Base::c + upper;
    const bool exists = tile < p.tilesPerSet && row < p.batch;
    float f = Base::ofMatrix(Base::matrixOut);
    float2 sum = {0, 0};
    if (exists) {
#pragma unroll
      for (int i = 0; i < 8; i++) {
        const float2 v = unpackHalf(sharedLoad4(imaginaryAt(at, tile, 8 * upper + ((i + Base::g) & 7)) + Base::c * 4));
        sum.x += v.x, sum.y += v.y;
      }
      if constexpr (scaled) {
        int e = exponentBefore;
        if constexpr (exact) e -= staging.inputExponent(at.noteOut + tile * 64);
        f *= powerOfTwo(e);
      }
    }
    // Each lane the half of the sum that the other one has.
    const float other = asFloat(fromLane(floatBits(upper ? sum.x : sum.y), lane ^ 4)), y = (upper ? sum.y : sum.x) + other;
    if (exists && sample < Copies::wrapped(to.channel))
      reinterpret_cast<uint16_t*>(Copies::wrappedOf(p.y, row, to.channel))[sample] =
          uint16_t(C::bf16 ? packBfloat(y * f, 0) : packHalf(y * f, 0));
    warpSync();  // first() is to replace what has been read
  }
  // For exact scales, which ungated rows have in bfloat16 only.
  FFC_DEVICE u32 largestWrapped(SetPosition from, int tile) const {
    if (!C::bf16 || !takesWrapped() || lane >= Copies::wrapped(from.channel)) return 0;
    const int b = batchOfWrapped(from, tile);
    return b < p.batch ? reinterpret_cast<const uint16_t*>(Copies::wrappedOf(p.u, b, from.channel))[lane] & 0x7fffu : 0;
  }

  // ---- notes on rows. At first: a word that is not 0 for each row with a sample of sufficient size, and one for the set
  // if some sample is too large. A row of zeros counts as too small. With exact scales: the row's largest value.
  FFC_DEVICE u32 noteOf(int set) const { return staging.rows + (set & (rowRing - 1)) * noteBytes<C>; }
  FFC_DEVICE u32 noteOfSet(int set) const { return noteOf(set) + noteBytes<C> - 4; }
  FFC_DEVICE u32 stopAt(int set) const { return staging.rows + rowRing * noteBytes<C> + (set & 1) * 4; }
  FFC_DEVICE bool outsideWindow(int set, int firstRow) const {
    bool bad = sharedLoad4(noteOfSet(set)) != 0 || exponent < lowestInMatrix || exponent > highestInMatrix;
#pragma unroll
    for (int i = 0; i < C::uniformTiles; i += 2) {
      const int tile = i + (lane >> 4), sequence = lane & 15;
      const bool exists = tile < p.tilesPerSet && sequence >> staging.log2Sequences == 0 &&
                          firstRow + (tile << staging.log2Sequences) + sequence < p.batch;
      if (exists) bad |= sharedLoad4(noteOf(set) + i * 64 + lane * 4) == 0;
    }
    return warpMax(bad) != 0;
  }
  // One warp, which orders no copies, reads the notes for all, who learn of it in the next interval: words in turn, or some
  // would learn of it at once.
  FFC_DEVICE void watch(int set, int firstRow) const {
    if (outsideWindow(set, firstRow) && lane == 0) sharedStore4(stopAt(set), 1);
    warpSync();  // other lanes have read what this one clears
    for (int i = lane; i < noteBytes<C> / 4; i += 32) sharedStore4(noteOf(set) + i * 4, 0);
  }
  // The same from the outputs of a set, which lie in `slot` until the end of the interval: each of the last warps looks at a tile.
  // A row is well if eight samples of it, next to each other, have a mean square that the errors of small halves cannot reach:
  // each lane looks at eight of its part of a row, and at more as long as that is not so. Whoever overflowed has left a note.
  FFC_DEVICE void watchOutputs(int set, u32 slot, int firstRow) const {
    const int tile = warp - (warps - p.tilesPerSet);
    if (tile < 0) return;
    bool bad = sharedLoad4(noteOfSet(set)) != 0 || exponentStored < lowestInMatrix || exponentStored > highestInMatrix;
    const int log2Lanes = 1 + p.log2N2, sequence = lane >> log2Lanes;  // of a row
    const bool exists = firstRow + (tile << staging.log2Sequences) + sequence < p.batch;
    const int pieces = Copies::leadingParts() * R;                     // of a lane
    const u32 from = slot + tile * (R * stagingBytes) + lane * (pieces * 16);
    const float limit = leastSquares * powerOfTwo(2 * exponentStored);
    bool well = false;
    u32 wanting = 0;
    for (int i = 0; !bad && i < pieces; i++) {
      const int piece = i + (lane & 7);  // spread over the banks
      const uint4 v = sharedLoad16(from + (piece < pieces ? piece : piece - pieces) * 16);
      const float2 squares = unpackElements<C>(bfloatFma(v.x, v.x, bfloatFma(v.y, v.y, bfloatFma(v.z, v.z, bfloatMul(v.w, v.w)))));
      well |= squares.x + squares.y >= limit;
      const u32 rows = warpBallot(well) >> (sequence << log2Lanes);
      wanting = warpBallot(exists && (log2Lanes == 5 ? rows : rows & ((1u << (1 << log2Lanes)) - 1)) == 0);
      if (!wanting) break;
    }
    if ((bad || wanting) && lane == 0) sharedStore4(stopAt(set + 2), 1);
  }
  FFC_DEVICE void noteOverflow(int set) {
    const u32 exponents = products & 0x7f807f80u;
    if ((exponents & 0x7f80u) == 0x7f80u || exponents >> 16 == 0x7f80u) sharedStore4(noteOfSet(set), 1);
    products = 0;
  }
  FFC_DEVICE void clearNotes(int set) const {
    if (threadIndex() < noteBytes<C> / 4) sharedStore4(noteOf(set) + threadIndex() * 4, 0);
  }
  // As Staging::findScale does; each warp looks at what it will read in first().
  FFC_DEVICE void findLargest(int set, int slot, SetPosition from) const {
#pragma unroll 1
    for (int tile = 0; tile < p.tilesPerSet; tile++) {
      u32 most = largestWrapped(from, tile);
#pragma unroll
      for (int b = 0; b < R; b++) {
        const u32 offset = tile * (R * stagingBytes) + fragment[b];
        most = staging.largerOf(
            most, staging.largestOfPiece(staging.base + staging.slotBytes * slot + offset, staging.slotOfPre(set) + offset));
      }
      most = warpMax(most);
      if (lane == 0) sharedMax(noteOf(set) + tile * 64 + (warp >> p.log2N2) * 4, most);
    }
  }

  // What follows from a value is found again after the tiles: kept over them, it would take registers that they need.
  FFC_DEVICE static int again(int value) {
    u32 v = u32(value);
    keepInRegister(v);
    return int(v);
  }

  // Runs the block's sets from `from` on. Returns the set that needs exact scales, everything before it stored; or -1.
  template <bool exact, bool scaled>
  FFC_DEVICE int run(int from) {
    constexpr bool noting = C::rowScaled && !exact;
    // Whether a channel ends, and whether to stop, is found out again after the tiles: radix 2 has no registers for it over them.
    constexpr bool findsAgain = R > 1, lateEnds = findsAgain && !C::gated;
    Copies::beginCopies(exact);
    const int count = sets - from;
    const Position begin = positionOf(from);
    if (exact) Copies::load(0, {0, 0}, begin);
    int left = p.setsPerChannel - begin.set;  // sets of the current channel
    if (exact)
      useChannel(begin.channel);
    else
      finishFetch();
    const Place second = staging.following({0, 0});
    if (count > 1) Copies::load(1, second, positionOf(from + 1));
    if constexpr (C::rowScaled) {
      for (int set = 0; set < rowRing; set++) clearNotes(set);
      if (threadIndex() < 2) sharedStore4(stopAt(threadIndex()), 0);
    }
    blockSync();
    if (count <= 0) return -1;
    if (noting && C::watchesOutputs && p.inPlace) {
      // Samples are no longer there when their outputs have been looked at: exact scales from the beginning.
      Copies::await({0, 0});
      if (count > 1) Copies::await(second);
      blockSync();
      return from;
    }
    Place at = {0, 0};  // of set + 1
    auto interval = [&](int set) {
      const int sequence = warp >> p.log2N2;
      return Interval{exchangeOf(set), exchangeOf(set + 1), staging.slotOf(at), staging.slotOfPre(set + 1),
                      staging.slotOfPost(set + 1), noteOf(set + 1) + sequence * 4, noteOf(set - 1) + sequence * 4};
    };
    Copies::await({0, 0});
    Copies::trim(0, {0, 0}, begin);
    if (exact && count > 1) Copies::trim(1, second, positionOf(from + 1));
    if (Copies::trims()) blockSync();
    if constexpr (exact) {
      findLargest(0, 0, begin);
      if (count > 1) {
        Copies::await(second);
        findLargest(1, 1, positionOf(from + 1));
      }
      blockSync();
    }
    if constexpr (!C::outerRegisters) Base::loadOuter();
    if (takesWrapped()) orderWrapped(begin);
    runEdge<exact, scaled>(interval(-1), true, false, false);
    if (takesWrapped()) addWrapped<exact>(interval(-1));
    if constexpr (noting && !C::watchesOutputs) {
      sharedStoreIfNotBelow(largest, aboveUnscaled, noteOfSet(0), 1);
      largest = 0;
    }
    if (!exact && count > 1) Copies::trim(1, second, positionOf(from + 1));
    fenceTensorCopies();
    blockSync();
    for (int set = 0; set <= count; set++) {
      at = staging.following(at);
      const Place next = staging.following(at);  // of set + 2; the third slot is that of `set`, now with y of set - 2
      const bool loads = set + 2 < count;
      if (Copies::orders()) {
        Copies::awaitStoresRead();  // y of set - 3 has left the slot of set + 2
        if (loads) {
          const Position ahead = positionOf(from + set + 2);
          Copies::load(set + 2, next, ahead);
          if (Copies::ordersFirst() && ahead.set == 0) prefetchSpectrum(ahead.channel);
        }
        if (set >= 2) Copies::store(slotBetween(at, next), positionOf(from + set - 2));
        if (C::gated && set < count) Copies::loadPost(set, positionOf(from + set));
      }
      // What follows from the set's number is found where it is needed: other warps would wait for it.
      if (set >= 2 && Copies::storesEdges()) Copies::storeEdges(slotBetween(at, next), positionOf(from + again(set) - 2));
      u32 stop = 0;  // a word about set - 1, or (watchesOutputs) about set - 3
      if constexpr (exact) clearNotes(set + 4);
      if constexpr (noting) {
        if constexpr (!findsAgain) stop = sharedLoad4(stopAt(set - 1));
        if constexpr (C::watchesOutputs) {
          if (set >= 2) watchOutputs(set - 2, slotBetween(at, next), positionOf(from + set - 2).set * staging.rowsPerSet);
        } else if (warp == Copies::watchWarp && set < count) {
          watch(set, positionOf(from + set).set * staging.rowsPerSet);
        }
      }
      if (set + 1 < count) Copies::await(at);
      if (set > 0) Copies::awaitPost(set - 1);
      const Interval now = interval(set);
      if constexpr (!lateEnds) channelEnds = set + 1 < count && --left == 0;
      Position following = positionOf(from + set + 1);  // of the next set
      int exponentAfter = exponent;
      if (C::spectrumAhead && channelEnds) exponentAfter = chooseChannel(following.channel);
      if constexpr (!C::outerRegisters) putIntoMatrix(inMatrix);
      if (takesWrapped()) {
        if (set + 1 < count) orderWrapped(positionOf(from + again(set) + 1));
        if (set > 0 && !stop) storeWrapped<exact, scaled>(interval(again(set)), positionOf(from + again(set) - 1));
      }
      if (set > 0 && set + 1 < count)
        runTiles<true, true, true, exact, scaled>(now);
      else
        runEdge<exact, scaled>(now, set + 1 < count, set < count, set > 0);
      if (takesWrapped() && set + 1 < count) addWrapped<exact>(interval(again(set)));
      exponentStored = exponentBefore;
      exponentBefore = exponent;
      if constexpr (noting) {
        if (exponent != inMatrix) putIntoMatrix(exponent);
        if constexpr (C::watchesOutputs) {
          noteOverflow(set - 1);
        } else {
          sharedStoreIfNotBelow(largest, aboveUnscaled, noteOfSet(set + 1), 1);
          largest = 0;
        }
      }
      if constexpr (lateEnds) {
        following = positionOf(from + again(set) + 1);
        // The left-over channel after whole ones may have begun in another block.
        channelEnds = set + 1 < count && (following.set == 0 || from + set + 1 == wholeSets);
      }
      if (channelEnds) {
        left = p.setsPerChannel - following.set;
        if constexpr (C::spectrumAhead) {
          exponent = exponentAfter;
          finishFetch();
        } else {
          useChannel(following.channel);
        }
      }
      if (Copies::trimsTile() && set + 2 < count) {
        const Place fetched = {again(at.slot), u32(again(int(at.parity)))};
        Copies::trim(set + 2, staging.following(fetched), positionOf(from + again(set) + 2));
      }
      if (exact && Copies::trims()) blockSync();
      if constexpr (exact)
        if (loads) {
          Copies::await(next);
          findLargest(set + 2, next.slot, positionOf(from + set + 2));
        }
      // Before the barrier: in the next interval the word is that of another set.
      if constexpr (noting && findsAgain) stop = sharedLoad4(stopAt(again(set) - 1));
      fenceTensorCopies();
      blockSync();
      if (noting && stop) {
        // y of set - 2 is on its way, that of set - 1 is not to be stored. Nothing may be under way when the slots are
        // filled anew, nor when outputs are stored again.
        if (loads) Copies::await(next);
        if (set < count) Copies::awaitPost(set);
        Copies::awaitStores();
        return from + set - (C::watchesOutputs ? 3 : 1);
      }
    }
    Copies::store(staging.slotOf(at), positionOf(from + count - 1));
    if (Copies::storesEdges()) Copies::storeEdges(staging.slotOf(at), positionOf(from + count - 1));
    int stopped = -1;
    if constexpr (noting && C::watchesOutputs) {
      watchOutputs(count - 1, staging.slotOf(at), positionOf(from + count - 1).set * staging.rowsPerSet);
      blockSync();
      for (int set = count - 1; set >= 0 && set >= count - 2; set--)
        if (sharedLoad4(stopAt(set + 2))) stopped = from + set;
    }
    Copies::awaitStores();
    return stopped;
  }
};

template <class C, class Copies>
FFC_DEVICE void convolveUniform(const Params& p) {
  using Driver = Uniform<C, Copies>;
  Driver uniform(p, true);
  if constexpr (C::rowScaled) {
    const int stopped = uniform.template run<false, false>(0);
    // With constants of its own: the first run is not to keep registers for this one, nor addresses of tables.
    if (stopped >= 0) Driver(p, false, C::R > 1 ? Driver::again(threadIndex()) : threadIndex()).template run<true, true>(stopped);
  } else if (uniform.staging.plain) {
    uniform.template run<false, false>(0);
  } else {
    uniform.template run<false, true>(0);
  }
}

template <class C, bool partial, bool wrapping = false>
FFC_DEVICE void convolveSets(const Params& p) {
  if constexpr (C::cachedTurnsBelow > 0) {
    using InCache = TurnsInCache<C, !wrapping>;
    if (p.log2N2 < C::cachedTurnsBelow) return convolveUniform<InCache, TensorCopies<InCache, partial, wrapping>>(p);
  }
  convolveUniform<C, TensorCopies<C, partial, wrapping>>(p);
}

}  // namespace ffc::mma
