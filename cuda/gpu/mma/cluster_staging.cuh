// The way of the samples into and out of a cluster of K blocks that transform one sequence of K M samples together,
// M = 4096 R. Block r takes the samples m whose digit n2 lies in its share of 16 / K values, of all K parts n0 M + m, folds
// them (fold.cuh), and leaves the results for the other blocks in its own shared memory: 16 columns (k0, n2), which the
// warp n2 of block k0 reads from there and replaces with its results (cluster_body.cuh). Each thread folds and unfolds the
// same samples in the same places, so within a block nothing waits for that.
//
// A thread's samples are, of each part, the row n1 = i + 8e and four samples n3 = 16b + 4c ..: 8 bytes, 16 lanes of one row
// next to each other. Of each column that makes half of two units of 16 bytes (i, b, c, u):
//   folded    lane pairs e exchange halves, so that a word is (n1 = i, i + 8) at n3 = 16b + 4c + 2t + u:
//             t = 0, 1 real, t = 0, 1 imaginary
//   results   u = 0 real, 1 imaginary; words (e, t): samples 4c + 2t, 4c + 2t + 1 of row i + 8e
// which is what a lane of mma.sync holds (tables.h: n1Of, n3Of). The order of the units keeps all accesses free of bank
// conflicts.
#pragma once
#include "fold.cuh"
#include "staging.cuh"

namespace ffc::mma {

template <class C>
struct ClusterStaging {
  static constexpr int R = C::R, K = C::cluster, columns = 16 / K, points = tilePoints * R, columnBytes = R * 1024;
  static constexpr int rounds = C::turnRounds, tasks = 1024 * R / K;
  using A = std::conditional_t<C::accurate, FloatArithmetic, HalfArithmetic>;
  using Pair = typename A::Pair;

  const Params& p;
  const int rank;
  int firstTile, sets;
  u32 folded, stage, stagePre, end, largest;
  bool plain, pre, post;

  FFC_DEVICE explicit ClusterStaging(const Params& params) : p(params), rank(clusterRank()) {
    const int count = gridSize() / K, me = blockIndex() / K;
    firstTile = int(int64_t(p.tiles) * me / count);
    sets = int(int64_t(p.tiles) * (me + 1) / count) - firstTile;
    pre = C::gated && p.pre.data;
    post = C::gated && p.post.data;
    plain = !C::rowScaled && !p.skip && loadConstant4(p.anyExponent) == 0;
    folded = sharedBase();
    stage = folded + R * exchangeBytes;
    stagePre = stage + C::turnBytes;
    end = stagePre + (pre ? C::turnBytes : 0);
    largest = end + R * exchangeBytes + C::twiddleBytes + C::ringBytes;
  }

  // ---- places
  FFC_DEVICE static u32 unit(int i, int b, int c, int u) {
    const int low = (c ^ u ^ (i & 2)) | ((i ^ u ^ b) & 1) << 2;
    return ((((b * 2 + u) * 2 + (i >> 2)) * 2 + (i >> 1 & 1)) * 8 + low) * 16;
  }
  struct Task {
    int e, c, b, i, n2;  // n2 within the share
    bool exists;
  };
  FFC_DEVICE Task task(int round) const {
    const int t = threadIndex() + round * threads, rest = t >> 3, above = rest / R;
    return {t & 1, t >> 1 & 3, rest % R, above & 7, above >> 3, tasks % threads == 0 || t < tasks};
  }
  FFC_DEVICE int position(const Task& t) const {
    return (t.i + 8 * t.e) * (points / 16) + (rank * columns + t.n2) * (16 * R) + 16 * t.b + 4 * t.c;
  }
  FFC_DEVICE u32 slot(u32 base, int round, int part) const { return base + ((round * K + part) * threads + threadIndex()) * 8; }
  FFC_DEVICE u32 column(int k0, int n2) const { return folded + (k0 * columns + n2) * columnBytes; }

  // ---- rows
  FFC_DEVICE int channelOf(int sequence) const {
    return p.batchMagic ? int(highProduct(sequence, p.batchMagic) >> p.batchShift) : sequence;
  }
  FFC_DEVICE uint64_t rowOf(const Rows& rows, int set) const {
    const int sequence = firstTile + set, h = channelOf(sequence), b = sequence - h * p.batch;
    return reinterpret_cast<uint64_t>(rows.data) + int64_t(b) * rows.batchStride + int64_t(h) * rows.channelStride;
  }
  FFC_DEVICE int phaseOf(int set) const { return p.phased ? int(rowOf(p.u, set) >> 1) & 7 : 0; }

  FFC_DEVICE void fill(u32 target, uint64_t row, int first, int length) const {
    const uint64_t at = row + int64_t(first) * 2;
    if (first >= 0 && first + 4 <= length && (at & 7) == 0) {
      copyAsync8(target, reinterpret_cast<const void*>(at));
    } else {
      const uint16_t* samples = reinterpret_cast<const uint16_t*>(row);
      uint64_t v = 0;
#pragma unroll
      for (int i = 0; i < 4; i++)
        if (first + i >= 0 && first + i < length) v |= uint64_t(samples[first + i]) << (16 * i);
      sharedStore8(target, v);
    }
  }
  FFC_DEVICE uint64_t gather(uint64_t row, int first, int length) const {
    const uint64_t at = row + int64_t(first) * 2;
    if (first >= 0 && first + 4 <= length && (at & 7) == 0) return loadStream8(reinterpret_cast<const void*>(at));
    const uint16_t* samples = reinterpret_cast<const uint16_t*>(row);
    uint64_t v = 0;
#pragma unroll
    for (int i = 0; i < 4; i++)
      if (first + i >= 0 && first + i < length) v |= uint64_t(samples[first + i]) << (16 * i);
    return v;
  }
  FFC_DEVICE void drain(uint64_t v, uint64_t row, int first) const {
    const uint64_t at = row + int64_t(first) * 2;
    if (first >= 0 && first + 4 <= p.outLength && (at & 7) == 0) {
      storeStream8(reinterpret_cast<void*>(at), v);
    } else {
      uint16_t* samples = reinterpret_cast<uint16_t*>(row);
#pragma unroll
      for (int i = 0; i < 4; i++)
        if (first + i >= 0 && first + i < p.outLength) samples[first + i] = uint16_t(v >> (16 * i));
    }
  }

  // ---- device memory to this thread's slots, which only it reads
  FFC_DEVICE void load(int set) const {
    if (set >= sets) return;
    const uint64_t u = rowOf(p.u, set), gate = pre ? rowOf(p.pre, set) : 0;
    const int phase = phaseOf(set);
#pragma unroll
    for (int round = 0; round < rounds; round++) {
      const Task t = task(round);
      if (!t.exists) break;
#pragma unroll
      for (int part = 0; part < K; part++) {
        const int first = part * points + position(t) - phase;
        fill(slot(stage, round, part), u, first, p.length);
        if (C::gated && pre) fill(slot(stagePre, round, part), gate, first, p.length);
      }
    }
  }
  // The second gate is read when it is needed; by then it should be in L2.
  FFC_DEVICE void orderPost(int set) const {
    if (!post || set < 0 || set >= sets) return;
    const uint64_t gate = rowOf(p.post, set);
    const int phase = phaseOf(set);
#pragma unroll
    for (int round = 0; round < rounds; round++) {
      const Task t = task(round);
#pragma unroll
      for (int part = 0; part < K; part++) {
        const int first = part * points + position(t) - phase;
        if (t.exists && first >= 0 && first < p.outLength) prefetch(reinterpret_cast<const void*>(gate + int64_t(first) * 2));
      }
    }
  }

  // ---- scales
  FFC_DEVICE u32 largestOf(int set) const { return largest + (set & (rowRing - 1)) * 4; }
  FFC_DEVICE void clearScale(int set) const {
    if (C::rowScaled && threadIndex() == 0) sharedStore4(largestOf(set), 0);
  }
  // v = u * pre of four samples, as floats.
  FFC_DEVICE void samplesOf(int round, int part, float2 (&v)[2]) const {
    const uint64_t x = sharedLoad8(slot(stage, round, part));
    v[0] = unpackElements<C>(u32(x)), v[1] = unpackElements<C>(u32(x >> 32));
    if (C::gated && pre) {
      const uint64_t y = sharedLoad8(slot(stagePre, round, part));
      const float2 f = unpackElements<C>(u32(y)), g = unpackElements<C>(u32(y >> 32));
      v[0].x *= f.x, v[0].y *= f.y, v[1].x *= g.x, v[1].y *= g.y;
    }
  }
  // The largest |u * pre| of a row, as the upper half of its float bits, in every block of the cluster.
  FFC_DEVICE void findScale(int set) const {
    if constexpr (C::rowScaled) {
      copyAsyncWaitAll();
      if (set >= sets) return;
      u32 most = 0;
#pragma unroll
      for (int round = 0; round < rounds; round++) {
        if (!task(round).exists) break;
#pragma unroll
        for (int part = 0; part < K; part++) {
          float2 v[2];
          samplesOf(round, part, v);
#pragma unroll
          for (int i = 0; i < 2; i++) {
            most = larger(most, floatBits(v[i].x) & 0x7fffffffu);
            most = larger(most, floatBits(v[i].y) & 0x7fffffffu);
          }
        }
      }
      most = warpMax(most) >> 16;
      const int lane = threadIndex() & 31;
      if (lane < K) remoteMax(remoteAddress(largestOf(set), lane), most);
    }
  }
  FFC_DEVICE static u32 larger(u32 a, u32 b) { return a > b ? a : b; }
  // Exponent of the power of two that brings the row's maximum into [64, 128).
  FFC_DEVICE int inputExponent(int set) const {
    if constexpr (!C::rowScaled) return 0;
    const int e = 133 - int(sharedLoad4(largestOf(set)) >> 7);
    return e < -126 ? -126 : e;
  }
  // Exponent of the spectrum of a set, with the skip term in it.
  FFC_DEVICE int spectrumExponent(int set) const {
    if (plain || set < 0 || set >= sets) return 0;
    const int channel = channelOf(firstTile + set), own = p.exponent[p.sharedSpectrum ? 0 : channel];
    return p.skip ? exponentWithSkip<C>(own, skipLoad(p.skip, channel, p.skipType) * p.spectrumGain) : own;
  }

  // ---- this thread's slots to the folded columns
  FFC_DEVICE void fold(int set) const {
    if (set >= sets) return;
    copyAsyncWaitAll();
    const float scale = C::rowScaled ? powerOfTwo(inputExponent(set)) : 1.0f;
#pragma unroll
    for (int round = 0; round < rounds; round++) {
      const Task t = task(round);
      Pair re[2][K], im[2][K];
#pragma unroll
      for (int part = 0; part < K; part++) {
        u32 low, high;
        if constexpr (C::rowScaled) {
          float2 v[2];
          samplesOf(round, part, v);
          low = packHalf(v[0].x * scale, v[0].y * scale);
          high = packHalf(v[1].x * scale, v[1].y * scale);
        } else {
          const uint64_t x = sharedLoad8(slot(stage, round, part));
          low = u32(x), high = u32(x >> 32);
        }
        // Even or odd samples of both rows.
        const u32 even = lowHalves(low, high), odd = highHalves(low, high);
        const u32 mine = t.e ? odd : even, theirs = warpExchange(t.e ? even : odd, 1);
        const u32 first = t.e ? theirs : mine, second = t.e ? mine : theirs;
        re[0][part] = A::unpack(lowHalves(first, second));
        re[1][part] = A::unpack(highHalves(first, second));
      }
#pragma unroll
      for (int w = 0; w < 2; w++) Fold<A, K>::forward(re[w], im[w]);
      if (!t.exists) break;
      const u32 to = unit(t.i, t.b, t.c, t.e);
#pragma unroll
      for (int s = 0; s < K; s++)
        sharedStore16(column(reversed(s, K), t.n2) + to,
                      uint4{A::pack(re[0][s]), A::pack(re[1][s]), A::pack(im[0][s]), A::pack(im[1][s])});
    }
  }

  // ---- results to device memory. `exponent` is the set's spectrumExponent().
  FFC_DEVICE void unfold(int set, int exponent) const {
    if (set < 0) return;
    const uint64_t y = rowOf(p.y, set), gate = post ? rowOf(p.post, set) : 0;
    const int phase = phaseOf(set);
    const float scale = powerOfTwo(exponent - inputExponent(set));
#pragma unroll
    for (int round = 0; round < rounds; round++) {
      const Task t = task(round);
      if (!t.exists) break;
      // Ahead of their use, except where they would not fit into registers.
      constexpr bool early = C::gated && K < 8;
      uint64_t factor[early ? K : 1];
      if constexpr (early)
        if (post)
#pragma unroll
          for (int part = 0; part < K; part++)
            factor[part] = gather(gate, part * points + position(t) - phase, p.outLength);
      Pair re[2][K], im[2][K];
#pragma unroll
      for (int s = 0; s < K; s++) {
        const u32 from = column(reversed(s, K), t.n2) + t.e * 8;
        const uint64_t r = sharedLoad8(from + unit(t.i, t.b, t.c, 0)), i = sharedLoad8(from + unit(t.i, t.b, t.c, 1));
        re[0][s] = A::unpack(u32(r)), re[1][s] = A::unpack(u32(r >> 32));
        im[0][s] = A::unpack(u32(i)), im[1][s] = A::unpack(u32(i >> 32));
      }
#pragma unroll
      for (int w = 0; w < 2; w++) Fold<A, K>::backward(re[w], im[w]);
#pragma unroll
      for (int part = 0; part < K; part++) {
        u32 words[2];
#pragma unroll
        for (int w = 0; w < 2; w++) {
          if (!C::accurate && !C::rowScaled && plain) {
            words[w] = A::pack(re[w][part]);
            continue;
          }
          float2 v;
          if constexpr (C::accurate)
            v = re[w][part];
          else
            v = unpackHalf(re[w][part]);
          v.x *= scale, v.y *= scale;
          if constexpr (C::gated)
            if (post) {
              const uint64_t g = early ? factor[early ? part : 0] : gather(gate, part * points + position(t) - phase, p.outLength);
              const float2 f = unpackElements<C>(u32(g >> (32 * w)));
              v.x *= f.x, v.y *= f.y;
            }
          words[w] = C::bf16 ? packBfloat(v.x, v.y) : packHalf(v.x, v.y);
        }
        drain(uint64_t(words[1]) << 32 | words[0], y, part * points + position(t) - phase);
      }
    }
  }
};

}  // namespace ffc::mma
