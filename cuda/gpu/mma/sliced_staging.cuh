// The way of the samples of a sequence that is transformed in slices (sliced_body.cuh): all of its K parts of M samples stay
// in shared memory while the slices take their turns, each part in the order of a staging slot (staging.cuh). Results of
// a slice are complex and stay with the thread that has made them, 16 bytes next to 16 bytes of its neighbours: in shared
// memory if there is room, otherwise in device memory, of which each block has a piece that remains in L2.
//
// Rows that do not fill their parts, or begin anywhere, may come by tensor copies, too (loadParted()). Those that begin anywhere are
// shifted by their phase, as in staging.cuh. Where that takes one beyond its N = K M points, x^N = i:
// the samples there come round as imaginary parts of the first eight, and so do outputs (see sliced_body.cuh).
#pragma once
#include "staging.cuh"

namespace ffc::mma {

template <class C>
struct SlicedStaging {
  static constexpr int R = C::R, K = C::slices, points = tilePoints * R, partBytes = R * stagingBytes;

  const Params& p;
  // Sequences of this block: blockIndex(), blockIndex() + gridSize(), ... neighbours share a spectrum in L2. Where rows have halves
  // these are the rows, and both halves follow each other.
  int sets;
  int slice = 0;  // the one that the middle is at
  u32 base, end, results, barrier, largest;
  u32 middleDone, exchanged;  // barriers in two halves, see sliced_body.cuh
  u32 wrapped;                // eight samples from N on
  u32 rests;                  // nine pieces, see loadParted()
  bool maps, pre, post;
  bool plain;  // outputs need no power of two

  FFC_DEVICE explicit SlicedStaging(const Params& params) : p(params) {
    sets = (p.tiles - blockIndex() + gridSize() - 1) / gridSize() * C::halves;
    maps = hasTensorCopies && (C::wholeSequences || p.useMaps);
    pre = C::gated && p.pre.data;
    post = C::gated && p.post.data;
    plain = C::wholeSequences ? !C::rowScaled : withoutExponents<C>(p);
    base = sharedBase();
    end = base + K * partBytes;
    results = end + R * exchangeBytes + C::twiddleBytes + C::ringBytes;
    barrier = results + (C::resultsInShared ? C::resultBytes : 0);
    largest = barrier + 16;
    middleDone = barrier + 32;
    exchanged = barrier + 40;
    wrapped = barrier + 48;
    rests = barrier + 64;
  }

  FFC_DEVICE int sequenceOf(int set) const { return blockIndex() + set / C::halves * gridSize(); }
  FFC_DEVICE static bool second(int set) { return C::halves > 1 && set & 1; }
  FFC_DEVICE static int firstOf(int set) { return second(set) ? K * points : 0; }
  FFC_DEVICE int channelOf(int sequence) const {
    return p.batchMagic ? int(highProduct(sequence, p.batchMagic) >> p.batchShift) : sequence;
  }
  FFC_DEVICE uint64_t rowOf(const Rows& rows, int set) const {
    const int sequence = sequenceOf(set), h = channelOf(sequence), b = sequence - h * p.batch;
    return reinterpret_cast<uint64_t>(rows.data) + int64_t(b) * rows.batchStride + int64_t(h) * rows.channelStride;
  }
  // Of the row; a second half begins N samples further on, with the places of a row that is shifted likewise.
  FFC_DEVICE int phaseOf(int set) const { return (!C::wholeSequences && p.phased ? int(rowOf(p.u, set) >> 1) & 7 : 0) - firstOf(set); }

  // This lane's row of the 8x8 matrices of the 16 x 16 samples (n1, n3l) of this warp's n2 and n3h = b, within a part.
  FFC_DEVICE static u32 fragment(int b) {
    const int lane = threadIndex() & 31, warp = threadIndex() >> 5, row = lane & 7, matrix = lane >> 3;
    const int column = 2 * R * warp + 2 * b + (matrix >> 1);
    return (column >> 3) * 2048 + ((matrix & 1) * 8 + row) * 128 + ((column ^ row) & 7) * 16;
  }
  // Where the piece of samples 8i ... of a part lies.
  FFC_DEVICE static u32 placeOf(int i) {
    const int n1 = (i >> 5) / R, column = i - n1 * (32 * R);
    return (column >> 3) * 2048 + n1 * 128 + ((column ^ n1) & 7) * 16;
  }
  // Pieces of this warp's column of a part, R a lane: the column's 16 rows n1 have 2 R each.
  FFC_DEVICE static int pieceOf(int r) {
    const int q = r * 32 + (threadIndex() & 31), n1 = q / (2 * R);
    return n1 * (32 * R) + (threadIndex() >> 5) * (2 * R) + q - n1 * (2 * R);
  }
  // The pieces of this thread: body(place in shared memory, first sample of the row).
  template <class Body>
  FFC_DEVICE void forPieces(int phase, Body&& body) const {
#pragma unroll 1
    for (int part = 0; part < K; part++)
#pragma unroll
      for (int r = 0; r < R; r++) {
        const int i = pieceOf(r);
        body(base + part * partBytes + placeOf(i), part * points + i * 8 - phase);
      }
  }

  FFC_DEVICE void load(int set) const {
    if (set >= sets) return;
    if (wraps() && threadIndex() == 0) {
      const int first = K * points - phaseOf(set), left = p.length - first;
      copyAsyncPart16(wrapped, reinterpret_cast<const void*>(rowOf(p.u, set) + int64_t(first) * 2), left > 0 ? 2 * left : 0);
    }
    if (parted()) return loadParted(set);
    if (maps) {
      if (threadIndex() != 0) return;
      const int sequence = sequenceOf(set), h = channelOf(sequence), b = sequence - h * p.batch;
      barrierExpect(barrier, K * partBytes);
#pragma unroll 1
      for (int part = 0; part < K; part++)
        tensorLoadPart<C::samplesLeave>(base + part * partBytes, &p.maps.u, 16 * (part + (second(set) ? K : 0)), 0, b, h, barrier);
      return;
    }
    const uint64_t u = rowOf(p.u, set);
    forPieces(phaseOf(set), [&](u32 place, int first) { fillPiece(place, u, first, p.length, false); });
  }

  // ---- tensor copies of rows that do not fill their slices or begin anywhere (p.headParts), as in long_rows.cuh: two for each part, whose
  // maps end behind different lines and which leave zeros beyond. What is left of a row, with the shift up to nine pieces of 16 bytes,
  // waits beside until these have landed; a lane has one of them, in the warp whose column it belongs to.
  FFC_DEVICE int restBegin() const { return p.wholeParts * (points / 16) + p.longGroups * 64; }
  FFC_DEVICE bool parted() const { return !C::wholeSequences && C::halves == 1 && p.headParts; }
  // Of this lane: the first sample of its piece of the rest, shifted; false where there is none.
  FFC_DEVICE bool restOf(int set, int& first) const {
    const int lane = threadIndex() & 31;
    first = restBegin() + lane * 8;
    return first < phaseOf(set) + p.length && first < K * points && first % (points / 16) / (16 * R) == int(threadIndex() >> 5);
  }
  FFC_DEVICE u32 restPlace() const { return rests + (threadIndex() & 31) * 16; }
  FFC_DEVICE void loadParted(int set) const {
    int first;
    if (restOf(set, first)) copyAsync16(restPlace(), reinterpret_cast<const void*>(rowOf(p.u, set) + int64_t(first - phaseOf(set)) * 2));
    if (threadIndex() != 0) return;
    const int sequence = sequenceOf(set), h = channelOf(sequence), b = sequence - h * p.batch, start = int(rowStart(p.u, h) >> 4);
    barrierExpect(barrier, K * partBytes);
#pragma unroll 1
    for (int part = 0; part < K; part++) {
      const u32 to = base + part * partBytes;
      if (p.longGroups) tensorLoadPart<C::samplesLeave>(to, &p.maps.u, 16 * part, 0, b, start, barrier);
      tensorLoadPart<C::samplesLeave>(to + p.longGroups * 2048, &p.rests.u, 16 * part, p.longGroups, b, start, barrier);
    }
  }
  // A function of its own, that loads before anything else: otherwise the compiler's code for whole sequences is another.
  FFC_DEVICE static void moveKept(u32 from, u32 to, int keepFrom, int keepTo) {
    const uint4 v = sharedLoad16(from);
    storeKept(to, v, keepFrom, keepTo);
  }
  // They have landed. What precedes the row is of another one.
  FFC_DEVICE void placeRest(int set) const {
    if (!parted() || set >= sets) return;
    int first;
    const int phase = phaseOf(set);
    if (restOf(set, first)) {
      const int part = first / points;
      moveKept(restPlace(), base + part * partBytes + placeOf((first - part * points) >> 3), 0, phase + p.length - first);
    }
    if (phase && threadIndex() == 31) moveKept(base, base, phase, 8);
    fenceTensorCopies();
  }
  // What comes round belongs to the first warp.
  FFC_DEVICE bool wraps() const { return C::halves == 1 && !C::wholeSequences && p.wraps && threadIndex() < 32; }
  // Where rows are whole, those of the next sequence are fetched to L2 ahead of their copy (unless samplesLeave), and so are gates.
  FFC_DEVICE void prefetch(int set) const {
    if (C::samplesLeave) return;
    if (set >= sets || threadIndex() != 0) return;
    prefetchRow(rowOf(p.u, set), p.length);
    if (pre) prefetchRow(rowOf(p.pre, set), p.length);
  }
  // Its whole pieces of 16 bytes.
  FFC_DEVICE static void prefetchRow(uint64_t row, int length) {
    const uint64_t from = (row + 15) & ~uint64_t{15}, to = (row + int64_t(length) * 2) & ~uint64_t{15};
    if (from < to) prefetchBulk(reinterpret_cast<const void*>(from), u32(to - from));
  }
  FFC_DEVICE void prefetchPost(int set) const {
    if (!C::samplesLeave && post && threadIndex() == 0) prefetchRow(rowOf(p.post, set), p.outLength);
  }
  FFC_DEVICE void awaitInput(int set) const {
    if (maps && set < sets) barrierWait(barrier, set & 1);
  }

  // ---- rows brought into the range of halves, once for all slices: each warp its own column n2, see Config::warpScaled
  FFC_DEVICE u32 largestOf(int set) const { return largest + (set & 3) * 4; }
  FFC_DEVICE u32 columnExponent(int set, int n2) const { return results - 128 + ((set & 1) * 16 + n2) * 4; }
  // Eight samples of a gate. Where tensor copies bring whole rows, all of them exist and are aligned.
  FFC_DEVICE uint4 gate(uint64_t row, int first, int length) const {
    return C::wholeSequences || (maps && !p.headParts) ? loadStream16(reinterpret_cast<const void*>(row + int64_t(first) * 2)) : gatherPiece(row, first, length);
  }
  // The upper half of the float bits of x is at most `most`: the exponent of the power of two that brings x into [64, 128).
  FFC_DEVICE static int exponentFor(u32 most) {
    const int e = 133 - int(most >> 7);
    return e < -126 ? -126 : e;
  }
  FFC_DEVICE static u32 larger(u32 a, u32 b) { return a > b ? a : b; }
  // Replaces the samples of this warp's column, or their products with the gate, by scaled halves. They have landed.
  FFC_DEVICE void scaleColumn(int set) const {
    if (!C::rowScaled || set >= sets) return;
    constexpr int count = K * R;
    u32 word[count][4], exponents[(count + 3) / 4] = {}, most = 0;
#pragma unroll
    for (int part = 0; part < K; part++) {
      uint4 factor[C::gated ? R : 1];
      if constexpr (C::gated)
        if (pre) {
          const uint64_t row = rowOf(p.pre, set);
          const int phase = phaseOf(set);
#pragma unroll
          for (int r = 0; r < R; r++) factor[r] = gate(row, part * points + pieceOf(r) * 8 - phase, p.length);
        }
#pragma unroll
      for (int r = 0; r < R; r++) {
        const int at = part * R + r;
        const uint4 x = sharedLoad16(base + part * partBytes + placeOf(pieceOf(r)));
        u32(&w)[4] = word[at];
        w[0] = x.x, w[1] = x.y, w[2] = x.z, w[3] = x.w;
        if constexpr (C::gated) {
          const u32 own = multiplyPiece(w, factor[r]);
          most = larger(most, own);
          exponents[at >> 2] |= (own >> 7 & 255) << (8 * (at & 3));
        } else {
          most = largestBfloats(most, largestBfloats(largestBfloats(w[0], w[1]), largestBfloats(w[2], w[3])));
        }
      }
    }
    u32 mostWrapped = 0;
    if (wraps()) mostWrapped = prepareWrapped(set), most = C::gated ? larger(most, mostWrapped) : largestBfloats(most, mostWrapped);
    if constexpr (!C::gated) most = larger(most & 0x7fffu, most >> 16 & 0x7fffu);
    const int exponent = exponentFor(warpMax(most));
    if ((threadIndex() & 31) == 0) {
      sharedStore4(columnExponent(set, threadIndex() >> 5), u32(exponent));
      sharedMax(largestOf(set), u32(133 - exponent) << 7);
    }
    if (threadIndex() == 0) sharedStore4(largestOf(set + 1), 0);
#pragma unroll
    for (int at = 0; at < count; at++)
      scalePiece(base + at / R * partBytes + placeOf(pieceOf(at % R)), word[at], exponent, (exponents[at >> 2] >> (8 * (at & 3)) & 255) << 7);
    if (wraps()) {
      const uint4 x = sharedLoad16(wrapped);
      u32 w[4] = {x.x, x.y, x.z, x.w};
      warpSync();
      scalePiece(wrapped, w, exponent, mostWrapped);
    }
    if (maps) fenceTensorCopies();
  }
  // Samples, or products as halves of which `most` is the largest, times 2^exponent.
  FFC_DEVICE static void scalePiece(u32 place, u32 (&w)[4], int exponent, u32 most) {
    if constexpr (C::gated) {
      const u32 scale = halfPower(exponent - exponentFor(most)), both = scale | scale << 16;
#pragma unroll
      for (int i = 0; i < 4; i++) w[i] = halfMul(w[i], both);
    } else {
      prepare<C>(w, floatBits(powerOfTwo(exponent)));
    }
    sharedStore16(place, uint4{w[0], w[1], w[2], w[3]});
  }
  // What comes round, all lanes alike: its largest sample; gated, products in its place.
  FFC_DEVICE u32 prepareWrapped(int set) const {
    const uint4 x = sharedLoad16(wrapped);
    u32 w[4] = {x.x, x.y, x.z, x.w};
    if constexpr (!C::gated) return largestBfloats(largestBfloats(w[0], w[1]), largestBfloats(w[2], w[3]));
    const u32 most = multiplyPiece(w, pre ? gate(rowOf(p.pre, set), K * points - phaseOf(set), p.length) : uint4{0, 0, 0, 0});
    warpSync();
    sharedStore16(wrapped, uint4{w[0], w[1], w[2], w[3]});
    return most;
  }
  // Products with the gate as halves, times a power of two of their own. Returns the upper half of the largest one's float bits.
  FFC_DEVICE u32 multiplyPiece(u32 (&w)[4], uint4 factor) const {
    const u32 f[4] = {factor.x, factor.y, factor.z, factor.w};
    float2 v[4];
    u32 most = 0;
#pragma unroll
    for (int i = 0; i < 4; i++) {
      v[i] = unpackElements<C>(w[i]);
      if (pre) {
        const float2 q = unpackElements<C>(f[i]);
        v[i].x *= q.x, v[i].y *= q.y;
      }
      most = larger(most, larger(floatBits(v[i].x) & 0x7fffffffu, floatBits(v[i].y) & 0x7fffffffu));
    }
    most >>= 16;
    const float scale = powerOfTwo(exponentFor(most));
#pragma unroll
    for (int i = 0; i < 4; i++) w[i] = packHalf(v[i].x * scale, v[i].y * scale);
    return most;
  }
  // Exponent of the power of two that brings the row's maximum into [64, 128). The second half meets products of the first.
  FFC_DEVICE int inputExponent(int set) const {
    if constexpr (!C::rowScaled) return 0;
    const u32 own = sharedLoad4(largestOf(set));
    return exponentFor(second(set) ? larger(own, sharedLoad4(largestOf(set - 1))) : own);
  }
  // From the first half's products to those of the second, twice as halves; each warp has it in shared memory.
  FFC_DEVICE u32 crossScaleAt() const { return results - 192 + (threadIndex() >> 5) * 4; }
  FFC_DEVICE u32 crossScale(int set) const {
    const u32 scale = halfPower(inputExponent(set) - inputExponent(set - 1));
    return scale | scale << 16;
  }
  // 2^e as a half, e <= 0.
  FFC_DEVICE static u32 halfPower(int e) { return e >= -14 ? u32(e + 15) << 10 : e >= -24 ? 1u << (e + 24) : 0; }
  // The power of two of a set's outputs.
  FFC_DEVICE float outputScale(int set) const {
    if (plain) return 1;
    const int channel = channelOf(sequenceOf(set)), own = p.exponent[p.sharedSpectrum ? 0 : channel];
    const int exponent = p.skip ? exponentWithSkip<C>(own, skipLoad(p.skip, channel, p.skipType) * p.spectrumGain) : own;
    return powerOfTwo(exponent - inputExponent(set));
  }

  // ---- results of earlier slices, Config::resultPieces of each
  FFC_DEVICE void keep(int of, int piece, uint4 v) const {
    const int at = (of * C::resultPieces + piece) * threads + threadIndex();
    if constexpr (C::resultsInShared)
      sharedStore16(results + at * 16, v);
    else if constexpr (C::keptStays)
      storeStaying16(scratch() + at, v);
    else
      storePoints(scratch() + at, v);
  }
  FFC_DEVICE uint4 kept(int of, int piece) const {
    const int at = (of * C::resultPieces + piece) * threads + threadIndex();
    if constexpr (C::resultsInShared) return sharedLoad16(results + at * 16);
    return loadPoints(scratch() + at);
  }
  // All of them, once they have been read.
  FFC_DEVICE void dropKept() const {
    if constexpr (!C::resultsInShared)
      for (int i = threadIndex() & 31; i < (K - 1) * C::resultPieces * 4; i += 32)
        dropLine(scratch() + (i >> 2) * threads + (threadIndex() & ~31) + (i & 3) * 8);
  }
  FFC_DEVICE uint4* scratch() const { return static_cast<uint4*>(p.results) + int64_t(blockIndex()) * (C::scratchBytes / 16); }
  // Products of a first half and a slice, 4096 R complex halves in the order of a spectrum.
  FFC_DEVICE uint4* crossProducts(int of) const {
    return scratch() + (C::scratchBytes - C::crossBytes) / 16 + of * (R * exchangeBytes / 16);
  }
  // This warp's, once they have been read.
  FFC_DEVICE void dropCross(int of) const {
    const int line = threadIndex() & 31;
    if (line < R * 8) dropLine(crossProducts(of) + (threadIndex() >> 5) * (R * 64) + line * 8);
  }
};

}  // namespace ffc::mma
