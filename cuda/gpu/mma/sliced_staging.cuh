// The way of the samples of a sequence that is transformed in slices (sliced_body.cuh): all of its K parts of M samples stay
// in shared memory while the slices take their turns, each part in the order of a staging slot (staging.cuh). Results of
// a slice are complex and stay with the thread that has made them, 16 bytes next to 16 bytes of its neighbours: in shared
// memory if there is room, otherwise in device memory, of which each block has a piece that remains in L2.
#pragma once
#include "staging.cuh"

namespace ffc::mma {

template <class C>
struct SlicedStaging {
  static constexpr int R = C::R, K = C::slices, points = tilePoints * R, partBytes = R * stagingBytes;

  const Params& p;
  int sets;       // sequences of this block: blockIndex(), blockIndex() + gridSize(), ... neighbours share a spectrum in L2
  int slice = 0;  // the one that the middle is at
  u32 base, end, results, barrier, largest;
  bool maps, pre, post;
  bool plain;  // outputs need no power of two

  FFC_DEVICE explicit SlicedStaging(const Params& params) : p(params) {
    sets = (p.tiles - blockIndex() + gridSize() - 1) / gridSize();
    maps = hasTensorCopies && p.useMaps;
    pre = C::gated && p.pre.data;
    post = C::gated && p.post.data;
    plain = withoutExponents<C>(p);
    base = sharedBase();
    end = base + K * partBytes;
    results = end + R * exchangeBytes + C::twiddleBytes + C::ringBytes;
    barrier = results + (C::resultsInShared ? C::resultBytes : 0);
    largest = barrier + 16;
  }

  FFC_DEVICE int sequenceOf(int set) const { return blockIndex() + set * gridSize(); }
  FFC_DEVICE int channelOf(int sequence) const {
    return p.batchMagic ? int(highProduct(sequence, p.batchMagic) >> p.batchShift) : sequence;
  }
  FFC_DEVICE uint64_t rowOf(const Rows& rows, int set) const {
    const int sequence = sequenceOf(set), h = channelOf(sequence), b = sequence - h * p.batch;
    return reinterpret_cast<uint64_t>(rows.data) + int64_t(b) * rows.batchStride + int64_t(h) * rows.channelStride;
  }
  FFC_DEVICE int phaseOf(int set) const { return p.phased ? int(rowOf(p.u, set) >> 1) & 7 : 0; }

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
  // The pieces of this thread: body(place in shared memory, first sample of the row).
  template <class Body>
  FFC_DEVICE void forPieces(int phase, Body&& body) const {
#pragma unroll 1
    for (int part = 0; part < K; part++)
#pragma unroll
      for (int r = 0; r < R; r++) {
        const int i = threadIndex() + r * threads;
        body(base + part * partBytes + placeOf(i), part * points + i * 8 - phase);
      }
  }

  FFC_DEVICE void load(int set) const {
    if (set >= sets) return;
    if (maps) {
      if (threadIndex() != 0) return;
      const int sequence = sequenceOf(set), h = channelOf(sequence), b = sequence - h * p.batch;
      barrierExpect(barrier, K * partBytes);
#pragma unroll 1
      for (int part = 0; part < K; part++) tensorLoadPart(base + part * partBytes, &p.maps.u, 16 * part, 0, b, h, barrier);
      return;
    }
    const uint64_t u = rowOf(p.u, set);
    forPieces(phaseOf(set), [&](u32 place, int first) { fillPiece(place, u, first, p.length, false); });
  }
  // Where rows are whole, those of the next sequence are fetched to L2 ahead of their copy, and so are gates.
  FFC_DEVICE void prefetch(int set) const {
    if (!maps || set >= sets || threadIndex() != 0) return;
    prefetchBulk(reinterpret_cast<const void*>(rowOf(p.u, set)), p.length * 2);
    if (pre) prefetchBulk(reinterpret_cast<const void*>(rowOf(p.pre, set)), p.length * 2);
  }
  FFC_DEVICE void prefetchPost(int set) const {
    if (maps && post && threadIndex() == 0) prefetchBulk(reinterpret_cast<const void*>(rowOf(p.post, set)), p.outLength * 2);
  }
  FFC_DEVICE void awaitInput(int set) const {
    if (maps && set < sets) barrierWait(barrier, set & 1);
  }

  // ---- rows brought into the range of halves, once for all slices
  FFC_DEVICE u32 largestOf(int set) const { return largest + (set & 3) * 4; }
  // Eight samples of a gate. Where there are tensor copies, all of them exist and are aligned.
  FFC_DEVICE uint4 gate(uint64_t row, int first, int length) const {
    return maps ? loadStream16(reinterpret_cast<const void*>(row + int64_t(first) * 2)) : gatherPiece(row, first, length);
  }
  // The upper half of the float bits of x is at most `most`: the exponent of the power of two that brings x into [64, 128).
  FFC_DEVICE static int exponentFor(u32 most) {
    const int e = 133 - int(most >> 7);
    return e < -126 ? -126 : e;
  }
  // Products with the gate, in place, as halves: each piece by a power of two of its own, whose exponents are returned, eight bits
  // each, until the row's largest sample is known.
  struct Exponents {
    u32 word[(K * R + 3) / 4];
  };
  FFC_DEVICE Exponents multiplyRow(int set) const {
    Exponents exponents{};
    if (!C::rowScaled || set >= sets) return exponents;
    const uint64_t row = pre ? rowOf(p.pre, set) : 0;
    const int phase = phaseOf(set);
    u32 most = 0;
#pragma unroll
    for (int part = 0; part < K; part++) {
      uint4 factor[C::gated ? R : 1];
      if constexpr (C::gated)
        if (pre)
#pragma unroll
          for (int r = 0; r < R; r++) factor[r] = gate(row, part * points + (threadIndex() + r * threads) * 8 - phase, p.length);
#pragma unroll
      for (int r = 0; r < R; r++) {
        const u32 place = base + part * partBytes + placeOf(threadIndex() + r * threads);
        const uint4 x = sharedLoad16(place), y = factor[C::gated ? r : 0];
        u32 w[4] = {x.x, x.y, x.z, x.w};
        const u32 f[4] = {y.x, y.y, y.z, y.w};
        float2 v[4];
        u32 largest = 0;
#pragma unroll
        for (int i = 0; i < 4; i++) {
          v[i] = unpackElements<C>(w[i]);
          if (C::gated && pre) {
            const float2 q = unpackElements<C>(f[i]);
            v[i].x *= q.x, v[i].y *= q.y;
          }
          const u32 a = floatBits(v[i].x) & 0x7fffffffu, b = floatBits(v[i].y) & 0x7fffffffu;
          largest = larger(largest, larger(a, b));
        }
        largest >>= 16;
        most = larger(most, largest);
        const int exponent = exponentFor(largest);
        const float scale = powerOfTwo(exponent);
#pragma unroll
        for (int i = 0; i < 4; i++) w[i] = packHalf(v[i].x * scale, v[i].y * scale);
        sharedStore16(place, uint4{w[0], w[1], w[2], w[3]});
        const int at = part * R + r;
        exponents.word[at >> 2] |= (largest >> 7 & 255) << (8 * (at & 3));
      }
    }
    most = warpMax(most);
    if ((threadIndex() & 31) == 0) sharedMax(largestOf(set), most);
    return exponents;
  }
  FFC_DEVICE static u32 larger(u32 a, u32 b) { return a > b ? a : b; }
  // Exponent of the power of two that brings the row's maximum into [64, 128).
  FFC_DEVICE int inputExponent(int set) const {
    if constexpr (!C::rowScaled) return 0;
    return exponentFor(sharedLoad4(largestOf(set)));
  }
  FFC_DEVICE void scaleRow(int set, const Exponents& exponents) const {
    if (!C::rowScaled || set >= sets) return;
    const int row = inputExponent(set);
#pragma unroll
    for (int at = 0; at < K * R; at++) {
      const u32 place = base + at / R * partBytes + placeOf(threadIndex() + at % R * threads);
      const u32 scale = halfPower(row - exponentFor((exponents.word[at >> 2] >> (8 * (at & 3)) & 255) << 7));
      const uint4 v = sharedLoad16(place);
      const u32 both = scale | scale << 16;
      sharedStore16(place, uint4{halfMul(v.x, both), halfMul(v.y, both), halfMul(v.z, both), halfMul(v.w, both)});
    }
    if (threadIndex() == 0) sharedStore4(largestOf(set + 2), 0);
    if (maps) fenceTensorCopies();
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
    else
      storePoints(static_cast<uint4*>(p.results) + int64_t(blockIndex()) * (C::resultBytes / 16) + at, v);
  }
  FFC_DEVICE uint4 kept(int of, int piece) const {
    const int at = (of * C::resultPieces + piece) * threads + threadIndex();
    if constexpr (C::resultsInShared) return sharedLoad16(results + at * 16);
    return loadPoints(static_cast<uint4*>(p.results) + int64_t(blockIndex()) * (C::resultBytes / 16) + at);
  }
};

}  // namespace ffc::mma
