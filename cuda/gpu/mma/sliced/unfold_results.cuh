// last() of the last slice of a sequence: the results of all slices are unfolded to samples of all parts, which go by
// way of the exchange buffer to device memory.
#pragma once
#include "kept_results.cuh"

namespace ffc::mma {

template <class C>
struct SlicedUnfold : KeptResults<C> {
  using Base = KeptResults<C>;
  using typename Base::Layout, typename Base::Pair, typename Base::A, typename Base::Kept;
  using Base::staging, Base::p, Base::addressOuter, Base::lane, Base::R, Base::exchange, Base::warp, Base::M;
  using Base::matrixLast, Base::K, Base::matrixOut, Base::kept, Base::loadParts, Base::loadFirst, Base::firstSlice;
  using Base::allKept, Base::lastSlice, Base::wordOf;
  using Base::Base;

  // Outputs of a set on their way to device memory.
  struct Output {
    uint64_t y, post;
    int set, phase;
    float scale;
    bool finished;  // in the type of y, with nothing left to multiply by
  };
  FFC_DEVICE Output outputOf(int set) const {
    return {staging.rowOf(p.y, set), staging.post ? staging.rowOf(p.post, set) : 0, set, staging.phaseOf(set), staging.outputScale(set),
            staging.plain};
  }
  // Made anew where registers are short.
  FFC_DEVICE int phaseOf(const Output& o) const { return C::halves > 1 ? staging.phaseOf(o.set) : o.phase; }
  FFC_DEVICE uint4 finish(const Output& o, uint4 v, uint4 gate) const {
    u32 w[4] = {v.x, v.y, v.z, v.w};
    const u32 g[4] = {gate.x, gate.y, gate.z, gate.w};
#pragma unroll
    for (int i = 0; i < 4; i++) {
      float2 f = unpackHalf(w[i]);
      if constexpr (C::bf16 && !C::gated) {
        w[i] = bfloatMul(packBfloat(f.x, f.y), bfloatPair(floatBits(o.scale)));
        continue;
      }
      f.x *= o.scale, f.y *= o.scale;
      if (C::gated && staging.post) {
        const float2 q = unpackElements<C>(g[i]);
        f.x *= q.x, f.y *= q.y;
      }
      w[i] = C::bf16 ? packBfloat(f.x, f.y) : packHalf(f.x, f.y);
    }
    return uint4{w[0], w[1], w[2], w[3]};
  }

  // On their way outputs pass through this warp's column of the exchange buffer: two parts at a time, each of its 16
  // rows n1 as 2 R pieces j of eight samples, at row n1 XOR j, so that a row's pieces have banks of their own and so
  // have a piece's rows.
  FFC_DEVICE u32 turnedOuter(int b) const { return addressOuter ^ ((2 * b + (lane >> 4)) * 272); }
  FFC_DEVICE void drain(const Output& o, int firstPart) const {
    constexpr int rounds = R;  // 16 x 2 R pieces of a part, one a lane
#pragma unroll
    for (int i = 0; i < 2; i++) {
      u32 from[rounds];
      int first[rounds];
      uint4 gate[C::gated ? rounds : 1];
#pragma unroll
      for (int r = 0; r < rounds; r++) {
        const int q = r * 32 + lane, n1 = q / (2 * R), j = q - n1 * (2 * R), row = n1 ^ j;
        from[r] = exchange + (j >> 1) * exchangeBytes + i * 8192 + (j & 1) * 4096 + row * 256 + (warp ^ (row & 7)) * 16;
        first[r] = (firstPart + i) * M + n1 * (M / 16) + warp * (16 * R) + j * 8 - phaseOf(o);
        if constexpr (C::gated)
          if (staging.post) gate[r] = staging.gate(o.post, first[r], p.outLength);
      }
#pragma unroll
      for (int r = 0; r < rounds; r++) {
        uint4 v = sharedLoad16(from[r]);
        if (!o.finished) v = finish(o, v, gate[C::gated ? r : 0]);
        if constexpr (C::wholeSequences)
          storeStream16(reinterpret_cast<void*>(o.y + int64_t(first[r]) * 2), v);
        else if (first[r] < p.outLength && first[r] + 8 > 0)
          drainPiece(v, o.y, first[r], p.outLength);
      }
    }
  }

  // ---- what comes round behind N, see SlicedFold::addWrapped()
  // Of imaginary operands of last(), rows k1 of the first words: the sum over k1 in column n3l = g.
  FFC_DEVICE static float sumOfRows(u32 first, u32 second) {
    const float2 a = unpackHalf(first), b = unpackHalf(second);
    float sum = a.x + a.y + b.x + b.y;
    const int lane = threadIndex() & 31;
    sum += asFloat(fromLane(floatBits(sum), lane ^ 1));
    return sum + asFloat(fromLane(floatBits(sum), lane ^ 2));
  }
  // The outputs that come round: each slice's share of them is such a sum, or what is kept of the slice has it.
  FFC_DEVICE void storeWrapped(int set) const {
    const Output o = outputOf(set);
    u32 y[4];
    loadTransposed(exchange + Base::blockPlane + addressOuter, y[0], y[1], y[2], y[3]);
    float sum = sumOfRows(y[0], y[1]) * Base::ofMatrix(C::unfoldByMatrix ? matrixLast[0][K - 1] : matrixOut);
#pragma unroll
    for (int s = 0; s < K - 1; s++) {
      const uint4 im = kept(s, 0).piece[1];
      if constexpr (C::oneSlice)
        continue;
      else if constexpr (C::unfoldByMatrix)
        sum += sumOfRows(im.x, im.y) * Base::ofMatrix(matrixLast[0][s]);
      else
        sum += unpackHalf(fromLane(im.x, Base::g >> 1) >> (Base::g & 1) * 16).x;
    }
    const int first = K * M + Base::g - phaseOf(o);
    if (Base::c == 0 && first < p.outLength) {
      uint4 v{packHalf(sum, 0), 0, 0, 0};
      const uint4 gate = C::gated && staging.post ? gatherPiece(o.post, first, p.outLength) : uint4{0, 0, 0, 0};
      if (!o.finished) v = finish(o, v, gate);
      drainPiece(v, o.y, first, first + 1);
    }
    warpSync();
  }

  // unfoldByMatrix: the last matrices of both slices, for both parts. Those of an only slice have the place of the second one's.
  FFC_DEVICE void loadLast() {
#pragma unroll
    for (int i = C::oneSlice ? K - 1 : 0; i < K; i++) {
      const int slice = C::oneSlice ? lastSlice() : i;
      Base::loadOuter(matrixLast[0][i], slice, 2);
      loadParts(Base::tables(slice) + Layout::unfold, 1, &matrixLast[1][i]);
    }
  }
  // last() of two slices at once: samples of both parts from what the exchange holds of the second and held of the
  // first.
  FFC_DEVICE void unfoldBoth(int set) {
    const Output o = outputOf(set);
#pragma unroll
    for (int b = 0; b < R; b++) {
      const u32 block = exchange + b * exchangeBytes + addressOuter;
      u32 x[4], y[4];
      Base::loadPlanes(block, x, y);
      u32 x0[4], y0[4];
      if constexpr (!C::oneSlice) {
        const uint4 re = staging.kept(0, 2 * b), im = staging.kept(0, 2 * b + 1);
        x0[0] = re.x, x0[1] = re.y, x0[2] = re.z, x0[3] = re.w;
        y0[0] = im.x, y0[1] = im.y, y0[2] = im.z, y0[3] = im.w;
      }
      const u32 to = exchange + b * exchangeBytes + turnedOuter(b);
      u32 word[2][4];
#pragma unroll
      for (int n = 0; n < 2; n++)
#pragma unroll
        for (int t = 0; t < 2; t++) {
          Pair d[2];
          if constexpr (C::oneSlice) {
            A::dot2(d, matrixLast[n][1][0], x[2 * t], x[2 * t + 1], matrixLast[n][1][1], y[2 * t], y[2 * t + 1]);
          } else {
            A::dot2(d, matrixLast[n][0][0], x0[2 * t], x0[2 * t + 1], matrixLast[n][0][1], y0[2 * t], y0[2 * t + 1]);
            A::dotAdd(d, matrixLast[n][1][0], x[2 * t], x[2 * t + 1]);
            A::dotAdd(d, matrixLast[n][1][1], y[2 * t], y[2 * t + 1]);
          }
          word[n][2 * t] = A::pack(d[0]), word[n][2 * t + 1] = A::pack(d[1]);
        }
      warpSync();
      Base::storePlanes(to, word[0], word[1]);
    }
    warpSync();
    loadFirst(firstSlice());
    drain(o, 0);
    warpSync();
  }

  // Of an only slice k0, part n0 is the real part of its results times e^{2 pi i n0 (k0 - quarters / 4) / K}.
  FFC_DEVICE void unfoldOne(const Pair& re, const Pair& im, const float2 (&turnsBack)[K - 1], u32 (&word)[K][4], int i) const {
    word[0][i] = A::pack(re);
#pragma unroll
    for (int n = 1; n < K; n++) word[n][i] = A::pack(A::fma(im, turnsBack[n - 1].y, A::times(re, turnsBack[n - 1].x)));
  }

  // last() of the last slice that has a turn: the results of all slices at this warp's n2 -> samples of the K parts.
  FFC_DEVICE void unfold(int set, const Kept (&first)[K - 1]) {
    const Output o = outputOf(set);
    u32 x[R][4], y[R][4];  // the column; in its place the samples of the last two parts
#pragma unroll
    for (int b = 0; b < R; b++) {
      const u32 block = exchange + b * exchangeBytes + addressOuter;
      Base::loadPlanes(block, x[b], y[b]);
    }
    float2 turnsBack[K - 1];
#pragma unroll
    for (int n = 1; n < K && C::oneSlice; n++) turnsBack[n - 1] = rootOfUnity(n * (4 * p.onlySlice - p.quarters), K == 2 ? 3 : 4);
#pragma unroll
    for (int b = 0; b < R; b++) {
      Kept before[K - 1];
      if (C::keptAhead && b == 0) {
#pragma unroll
        for (int s = 0; s < K - 1; s++) before[s] = first[s];
      } else {
        allKept(b, before);
      }
      Pair ownRe[4], ownIm[4];
      Base::template product<true>(matrixOut, x[b], y[b], ownRe, ownIm);
      u32 word[K][4];
#pragma unroll
      for (int i = 0; i < 4; i++) {
        if constexpr (C::oneSlice) {
          unfoldOne(ownRe[i], ownIm[i], turnsBack, word, i);
          continue;
        }
        Pair re[K], im[K];
#pragma unroll
        for (int s = 0; s < K; s++) {
          const int slice = reversed(s, K);
          const Kept& earlier = before[slice == K - 1 ? 0 : slice];
          re[s] = slice == K - 1 ? ownRe[i] : wordOf(earlier, 0, i);
          im[s] = slice == K - 1 ? ownIm[i] : wordOf(earlier, 1, i);
        }
        Fold<A, K>::backward(re, im);
#pragma unroll
        for (int n = 0; n < K; n++) word[n][i] = A::pack(re[n]);
      }
      const u32 to = exchange + b * exchangeBytes + turnedOuter(b);
      Base::storePlanes(to, word[0], word[1]);
      if constexpr (K > 2)
#pragma unroll
        for (int i = 0; i < 4; i++) x[b][i] = word[K - 2][i], y[b][i] = word[K - 1][i];
    }
    warpSync();
    if constexpr (C::halves > 1) staging.dropKept();
    drain(o, 0);
    if constexpr (K > 2) {
      warpSync();
#pragma unroll
      for (int b = 0; b < R; b++) {
        const u32 to = exchange + b * exchangeBytes + turnedOuter(b);
        Base::storePlanes(to, x[b], y[b]);
      }
      warpSync();
      loadFirst(firstSlice());
      drain(o, 2);
    } else {
      loadFirst(firstSlice());
    }
    warpSync();
  }
};

}  // namespace ffc::mma
