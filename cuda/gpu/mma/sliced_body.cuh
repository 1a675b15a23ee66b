// Sequences of K M points, M = 4096 R, in K slices one after the other: slice k0 is the M-point transform of
// x'[m] = sum over n0 of e(n0 (k0 - 1/4) / K) x[n0 M + m], its results are z_k0[m], and the last slice's turn ends with
// y[n0 M + m] = Re sum over k0 of e(-n0 (k0 - 1/4) / K) z_k0[m]. The samples are read once and stay in shared memory
// (sliced_staging.cuh); results of earlier slices wait with the thread that unfolds them, so nothing is exchanged between blocks.
//
// Interval k0 of a sequence, with what a warp does between arriving at a barrier (>) and waiting there (<):
//   middle(k0)
//   > first(k0 + 1) of folded samples, in registers <
//   the operands of last(k0) leave the exchange buffer, and those results enter
//   > last(k0), whose complex results are kept <
// In the last interval the samples of the next sequence take the place of these during the middle. Between its barriers
// are last(K - 1), which unfolds the results of all slices, and first(0) of the next sequence.
// A warp's twiddles change with the slice. They are its own, so it replaces them itself while the others are still at work.
// Rows of two halves (Config::halves) are two sequences of one block, one after the other: the middle of the first half multiplies
// by both segments of the kernel and leaves the second product with the thread that adds it to its own a sequence later.
// Frequency-sparse (Config::someSlices): slices without a kept frequency have no turn, and their results are zeros.
#pragma once
#include "fold.cuh"
#include "phases.cuh"
#include "sliced_staging.cuh"

namespace ffc::mma {

template <class C>
struct SlicedConvolution : Phases<C, SlicedStaging<C>> {
  using Base = Phases<C, SlicedStaging<C>>;
  using Base::R, Base::p, Base::warp, Base::lane, Base::staging, Base::exchange, Base::image, Base::addressOuter;
  using Base::matrixIn, Base::matrixOut;
  using A = typename Base::A;
  using Pair = typename Base::Pair;
  using Layout = typename Base::Layout;
  static constexpr int K = C::slices, M = SlicedStaging<C>::points;
  static_assert(K % 2 == 0, "parity()");

  int turnsTaken = 0;  // by slices of this and of earlier sequences
  u32 turns[C::foldByMatrix ? 1 : K - 1][2];               // of the parts n0 >= 1 of the sequence
  u32 matrixParts[C::foldByMatrix ? K - 1 : 1][2][4];      // the same, times the first matrix
  u32 matrixLast[2][C::unfoldByMatrix ? 2 : 1][2][4];      // unfoldByMatrix: [n0][slice][re, im]

  FFC_DEVICE explicit SlicedConvolution(const Params& params) : Base(params) {
    if (staging.maps && threadIndex() == 0) barrierInit(staging.barrier);
    splitInit(staging.middleDone);
    splitInit(staging.exchanged);
    if (threadIndex() < 2) sharedStore4(staging.largestOf(threadIndex()), 0);
    staging.slice = firstSlice();
    Base::loadTables();
    Base::finishTables();
  }

  // The slices that have a turn, in their order.
  FFC_DEVICE bool keeps(int slice) const { return !C::someSlices || p.keptSlices >> slice & 1; }
  FFC_DEVICE int nextSlice(int slice) const {
    slice++;
    if constexpr (C::someSlices)
      while (slice < K && !keeps(slice)) slice++;
    return slice;
  }
  FFC_DEVICE int firstSlice() const { return nextSlice(-1); }
  FFC_DEVICE int lastSlice() const {
    int slice = K - 1;
    if constexpr (C::someSlices)
      while (!keeps(slice)) slice--;
    return slice;
  }

  // Of the two barriers within an interval: of the number of intervals before it.
  FFC_DEVICE u32 parity(int slice) const { return (C::someSlices ? turnsTaken : slice) & 1; }

  // This warp's twiddles of another slice: see TableLayout.
  FFC_DEVICE void copyTables(int slice) const {
    constexpr int imageOfWarp = C::imageBytes / 16, steps = C::accurate ? 128 : 64 * C::storedPowers;
    const char* from = reinterpret_cast<const char*>(Base::tables(slice) + Layout::image);
    const int own = warp * imageOfWarp + lane * 16;
#pragma unroll
    for (int i = 0; i < imageOfWarp; i += 512) copyAsync16(image + own + i, from + own + i);
    if (lane < steps / 16) {
      const int at = C::imageBytes + warp * steps + lane * 16;
      copyAsync16(image + at, from + at);
    }
  }

  // Matrices of this warp's n2, as many of them.
  FFC_DEVICE void loadParts(const u32* from, int count, u32 (*to)[2][4]) const {
#pragma unroll
    for (int n = 0; n < count; n++)
#pragma unroll
      for (int part = 0; part < 2; part++) {
        const uint4 v = loadTable16(from + (((warp * count + n) * 2 + part) * 32 + lane) * 4, keepingPolicy());
        to[n][part][0] = v.x, to[n][part][1] = v.y, to[n][part][2] = v.z, to[n][part][3] = v.w;
      }
  }
  // Constants of first() of a slice.
  FFC_DEVICE void loadFirst(int in) {
    Base::loadOuter(matrixIn, in, 0);
    const u32* fold = Base::tables(in) + Layout::fold;
    if constexpr (C::foldByMatrix) {
      loadParts(fold, K - 1, matrixParts);
    } else {
#pragma unroll
      for (int n = 0; n < K - 1; n++)
#pragma unroll
        for (int part = 0; part < 2; part++) turns[n][part] = loadTable4(fold + 2 * n + part, keepingPolicy());
    }
  }

  // Neighbours work on the same channel at about the same time: each orders its share of the slice after the next one.
  FFC_DEVICE void prefetchSpectrum(int set, int slice) const {
    if (threadIndex() != 0) return;
    if constexpr (C::someSlices)
      while (slice < K && !keeps(slice)) slice++;
    if (slice >= K) slice = C::someSlices ? firstSlice() : slice - K, set++;
    if (set >= staging.sets) return;
    constexpr int bytes = M * (C::spectrumFloats ? 8 : 4);
    const int sequence = staging.sequenceOf(set), channel = staging.channelOf(sequence), b = sequence - channel * p.batch;
    const int shares = p.batch >= 8 ? 8 : p.batch >= 4 ? 4 : p.batch >= 2 ? 2 : 1;
    const int64_t first = (int64_t(p.sharedSpectrum ? 0 : channel) * C::halves * K + slice) * bytes + (b & (shares - 1)) * (bytes / shares);
    prefetchBulk(static_cast<const char*>(p.spectrum) + first, bytes / shares);
    if constexpr (C::halves > 1)
      if (!staging.second(set)) prefetchBulk(static_cast<const char*>(p.spectrum) + first + K * bytes, bytes / shares);
  }

  FFC_DEVICE void runMiddle(int set, int slice) {
    const bool last = slice == lastSlice();
    const int next = last ? firstSlice() : nextSlice(slice);
    staging.slice = slice;
    if constexpr (C::accurate) Base::renewAddresses();
    copyAsyncWaitAll();  // the twiddles of this slice
    warpSync();
    if constexpr (C::warpScaled) {
      const int row = staging.inputExponent(set);
#pragma unroll
      for (int hi = 0; hi < 2; hi++) Base::columnScale[hi] = Base::evenTwo(staging.columnExponent(set, 2 * Base::c + 8 * hi), row);
    }
    const int channel = staging.channelOf(staging.sequenceOf(set));
#pragma unroll
    for (int s = 0; s < 2; s++) Base::chooseSpectrum(s, channel);
    if constexpr (C::halves > 1) {
      const bool second = staging.second(set);
      constexpr int pieces = M / 4;  // of a slice
      Base::spectrumFrom = static_cast<const uint4*>(p.spectrum) + (int64_t(p.sharedSpectrum ? 0 : channel) * (2 * K) + slice) * pieces;
      Base::crossFrom = second ? staging.crossProducts(slice) : Base::spectrumFrom + K * pieces;
      Base::crossTo = second ? nullptr : staging.crossProducts(slice);
      if constexpr (C::rowScaled)
        if (second && lane == 0) sharedStore4(staging.crossScaleAt(), staging.crossScale(set));
      for (int s = 0; s < 2; s++) Base::orderCross(exchange, 0, s);  // with the first copies of the spectrum
    }
    // The outer phases' matrices come from L2. Unfolding leaves no registers for those of first().
    const auto beforeLast = [&] {
      if (C::firstLate) return;
      if (last && !C::unfoldByMatrix) Base::loadOuter(matrixOut, slice, 2);
      if (!last) loadFirst(next);
    };
    constexpr SpectrumFrom from = C::spectrumInExchange ? SpectrumFrom::exchange : SpectrumFrom::memory;
    constexpr SpectrumFrom fromWithoutSkip = C::spectrumInExchange ? SpectrumFrom::exchangeWithoutSkip : SpectrumFrom::memoryWithoutSkip;
    if (!C::wholeSequences && p.skip)
      Base::template middle<from>(exchange, beforeLast);
    else
      Base::template middle<fromWithoutSkip>(exchange, beforeLast);
    warpSync();
    if constexpr (C::halves > 1)
      if (staging.second(set)) staging.dropCross(slice);
    if constexpr (!C::firstLate) copyTables(next);
  }

  // m x of the complex numbers (x, y), or the conjugate of m times them: m is given by its real and imaginary parts.
  template <bool conjugate>
  FFC_DEVICE static void product(const u32 (&m)[2][4], const u32 (&x)[4], const u32 (&y)[4], Pair (&re)[4], Pair (&im)[4]) {
#pragma unroll
    for (int t = 0; t < 2; t++) {
      u32 nx[2], ny[2];
#pragma unroll
      for (int i = 0; i < 2; i++) {
        nx[i] = conjugate ? halfNegate(x[2 * t + i]) : x[2 * t + i];
        ny[i] = conjugate ? y[2 * t + i] : halfNegate(y[2 * t + i]);
      }
      Pair r[2], s[2];
      A::dot2(r, m[0], x[2 * t], x[2 * t + 1], m[1], ny[0], ny[1]);
      A::dot2(s, m[0], y[2 * t], y[2 * t + 1], m[1], nx[0], nx[1]);
      re[2 * t] = r[0], re[2 * t + 1] = r[1];
      im[2 * t] = s[0], im[2 * t + 1] = s[1];
    }
  }

  // first(): samples (of all parts) of this warp's n2 and n3h = b -> operands of the exchange.
  FFC_DEVICE void foldedFirst(int b, u32 (&outRe)[4], u32 (&outIm)[4]) {
    const u32 from = staging.base + staging.fragment(b);
    Pair re[4], im[4];
    if constexpr (C::foldByMatrix) {
#pragma unroll
      for (int n = 0; n < K; n++) {
        u32 u[4];
        loadTransposed(from + n * staging.partBytes, u[0], u[1], u[2], u[3]);
        const u32(&m)[2][4] = n == 0 ? matrixIn : matrixParts[n == 0 ? 0 : n - 1];
#pragma unroll
        for (int t = 0; t < 2; t++)
#pragma unroll
          for (int part = 0; part < 2; part++) {
            Pair(&to)[4] = part ? im : re;
            Pair d[2] = {to[2 * t], to[2 * t + 1]};
            if (n == 0)
              A::dot(d, m[part], u[2 * t], u[2 * t + 1]);
            else
              A::dotAdd(d, m[part], u[2 * t], u[2 * t + 1]);
            to[2 * t] = d[0], to[2 * t + 1] = d[1];
          }
      }
    } else {
      u32 x[4], y[4];
      loadTransposed(from, x[0], x[1], x[2], x[3]);
#pragma unroll
      for (int n = 1; n < K; n++) {
        u32 u[4];
        loadTransposed(from + n * staging.partBytes, u[0], u[1], u[2], u[3]);
#pragma unroll
        for (int i = 0; i < 4; i++) {
          x[i] = halfFma(u[i], turns[n - 1][0], x[i]);
          y[i] = n == 1 ? halfMul(u[i], turns[0][1]) : halfFma(u[i], turns[n - 1][1], y[i]);
        }
      }
      product<false>(matrixIn, x, y, re, im);
    }
#pragma unroll
    for (int i = 0; i < 4; i++) outRe[i] = A::pack(re[i]), outIm[i] = A::pack(im[i]);
  }

  FFC_DEVICE void keep(int slice, int b, const u32 (&re)[4], const u32 (&im)[4]) const {
    staging.keep(slice, 2 * b, uint4{re[0], re[1], re[2], re[3]});
    staging.keep(slice, 2 * b + 1, uint4{im[0], im[1], im[2], im[3]});
  }
  struct Kept {
    uint4 piece[C::resultPieces / R];
  };
  FFC_DEVICE Kept kept(int slice, int b) const {
    Kept k{};
    if (C::someSlices && (!keeps(slice) || slice == lastSlice())) return k;
#pragma unroll
    for (int i = 0; i < C::resultPieces / R; i++) k.piece[i] = staging.kept(slice, b * (C::resultPieces / R) + i);
    return k;
  }
  // Of all earlier slices.
  FFC_DEVICE void allKept(int b, Kept (&before)[K - 1]) const {
#pragma unroll
    for (int s = 0; s < K - 1; s++) before[s] = kept(s, b);
  }
  // Real or imaginary word i.
  FFC_DEVICE static Pair wordOf(const Kept& k, int part, int i) {
    const uint4 v = k.piece[part];
    return A::unpack(i == 0 ? v.x : i == 1 ? v.y : i == 2 ? v.z : v.w);
  }

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

  // On their way outputs pass through this warp's column of the exchange buffer: two parts at a time, each of its 16 rows n1
  // as 2 R pieces j of eight samples, at row n1 XOR j, so that a row's pieces have banks of their own and so have a
  // piece's rows.
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

  // ---- what comes round behind N: imaginary parts of n0 = n1 = n2 = n3h = 0, n3l = 0 ... 7, in this warp's column of the exchange
  // buffer. No products of matrices, see ofMatrix().
  // To what first() has left there: a lane for each row k1.
  FFC_DEVICE void addWrapped() const {
    const float f = Base::ofMatrix(matrixIn);
    const u32 factor = packHalf(f, f);
    warpSync();
    if (lane >= 16) return;
    const u32 place = exchange + Base::blockPlane + lane * 256 + (lane & 7) * 16;
    const uint4 v = sharedLoad16(staging.wrapped), x = sharedLoad16(place);
    sharedStore16(place, uint4{halfFma(v.x, factor, x.x), halfFma(v.y, factor, x.y), halfFma(v.z, factor, x.z), halfFma(v.w, factor, x.w)});
  }
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
      if constexpr (C::unfoldByMatrix)
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

  // unfoldByMatrix: the last matrices of both slices, for both parts.
  FFC_DEVICE void loadLast() {
#pragma unroll
    for (int slice = 0; slice < K; slice++) {
      Base::loadOuter(matrixLast[0][slice], slice, 2);
      loadParts(Base::tables(slice) + Layout::unfold, 1, &matrixLast[1][slice]);
    }
  }
  // last() of two slices at once: samples of both parts from what the exchange holds of the second and held of the first.
  FFC_DEVICE void unfoldBoth(int set) {
    const Output o = outputOf(set);
#pragma unroll
    for (int b = 0; b < R; b++) {
      const u32 block = exchange + b * exchangeBytes + addressOuter;
      u32 x[4], y[4];
      Base::loadPlanes(block, x, y);
      const uint4 re = staging.kept(0, 2 * b), im = staging.kept(0, 2 * b + 1);
      const u32 x0[4] = {re.x, re.y, re.z, re.w}, y0[4] = {im.x, im.y, im.z, im.w};
      const u32 to = exchange + b * exchangeBytes + turnedOuter(b);
      u32 word[2][4];
#pragma unroll
      for (int n = 0; n < 2; n++)
#pragma unroll
        for (int t = 0; t < 2; t++) {
          Pair d[2];
          A::dot2(d, matrixLast[n][0][0], x0[2 * t], x0[2 * t + 1], matrixLast[n][0][1], y0[2 * t], y0[2 * t + 1]);
          A::dotAdd(d, matrixLast[n][1][0], x[2 * t], x[2 * t + 1]);
          A::dotAdd(d, matrixLast[n][1][1], y[2 * t], y[2 * t + 1]);
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

  // last() of the last slice that has a turn: the results of all slices at this warp's n2 -> samples of the K parts.
  FFC_DEVICE void unfold(int set, const Kept (&first)[K - 1]) {
    const Output o = outputOf(set);
    u32 x[R][4], y[R][4];  // the column; in its place the samples of the last two parts
#pragma unroll
    for (int b = 0; b < R; b++) {
      const u32 block = exchange + b * exchangeBytes + addressOuter;
      Base::loadPlanes(block, x[b], y[b]);
    }
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
      product<true>(matrixOut, x[b], y[b], ownRe, ownIm);
      u32 word[K][4];
#pragma unroll
      for (int i = 0; i < 4; i++) {
        Pair re[K], im[K];
#pragma unroll
        for (int s = 0; s < K; s++) {
          const int slice = reversed(s, K);
          const Kept& earlier = before[slice == K - 1 ? 0 : slice];
          const bool own = slice == lastSlice();
          re[s] = own ? ownRe[i] : slice == K - 1 ? A::unpack(0) : wordOf(earlier, 0, i);
          im[s] = own ? ownIm[i] : slice == K - 1 ? A::unpack(0) : wordOf(earlier, 1, i);
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

  // last() of a slice that is not the sequence's last one.
  FFC_DEVICE void keepResults(int slice, int b, const u32 (&x)[4], const u32 (&y)[4]) const {
    if constexpr (C::unfoldByMatrix) {
      keep(slice, b, x, y);
    } else {
      Pair re[4], im[4];
      product<true>(matrixOut, x, y, re, im);
      u32 outRe[4], outIm[4];
#pragma unroll
      for (int i = 0; i < 4; i++) outRe[i] = A::pack(re[i]), outIm[i] = A::pack(im[i]);
      keep(slice, b, outRe, outIm);
    }
  }
  // first() of a slice, into the exchange buffer.
  FFC_DEVICE void runFirst() {
#pragma unroll
    for (int b = 0; b < R; b++) {
      const u32 block = exchange + b * exchangeBytes + addressOuter;
      u32 x[4], y[4];
      foldedFirst(b, x, y);
      Base::storePlanes(block, x, y);
    }
    if (staging.wraps()) addWrapped();
  }
  // After the middle: last() of a slice, which is not the sequence's last one, and first() of the next.
  FFC_DEVICE void runOuter(int slice) {
    splitArrive(staging.middleDone);
    if constexpr (C::firstLate) {
      loadFirst(nextSlice(slice));
      copyTables(nextSlice(slice));
    }
    u32 re[R][4], im[R][4];
#pragma unroll
    for (int b = 0; b < R; b++) foldedFirst(b, re[b], im[b]);
    if constexpr (!C::unfoldByMatrix) Base::loadOuter(matrixOut, slice, 2);
    splitWait(staging.middleDone, parity(slice));
#pragma unroll
    for (int b = 0; b < R; b++) {
      const u32 block = exchange + b * exchangeBytes + addressOuter;
      u32 x[4], y[4];
      Base::loadPlanes(block, x, y);
      Base::storePlanes(block, re[b], im[b]);
#pragma unroll
      for (int i = 0; i < 4; i++) re[b][i] = x[i], im[b][i] = y[i];
    }
    if (staging.wraps()) addWrapped();
    splitArrive(staging.exchanged);
#pragma unroll
    for (int b = 0; b < R; b++) keepResults(slice, b, re[b], im[b]);
    splitWait(staging.exchanged, parity(slice));
    turnsTaken++;
  }

  // The samples of a set have landed, and those of this warp's column are in range.
  FFC_DEVICE void finishInput(int set) const {
    if (!staging.maps) copyAsyncWaitAll();
    staging.awaitInput(set);
    warpSync();
    staging.scaleColumn(set);
    warpSync();
  }

  // What a middle has behind it: copies of the next samples in the last slice's, which are in L2 by then
  // (unless samplesLeave).
  FFC_DEVICE void orderAhead(int set, int slice) const {
    if (slice == lastSlice()) {
      staging.load(set + 1);
      staging.prefetchPost(set);
      prefetchSpectrum(set, K + 1);
    } else {
      if (nextSlice(slice) == lastSlice()) staging.prefetch(set + 1);  // not earlier: it would have left L2 again
      prefetchSpectrum(set, slice + 2);
    }
  }
  // The intervals of a set up to the end of the last one's middle (oneMiddle: the same code).
  FFC_DEVICE void runSlices(int set) {
#pragma unroll 1
    for (int slice = firstSlice(); C::oneMiddle || slice < lastSlice(); slice = nextSlice(slice)) {
      orderAhead(set, slice);
      runMiddle(set, slice);
      if (C::oneMiddle && slice == lastSlice()) return;
      runOuter(slice);
    }
    orderAhead(set, lastSlice());
    runMiddle(set, lastSlice());
  }

  FFC_DEVICE void run() {
    if (staging.sets <= 0) return;
    blockSync();
    staging.load(0);
    finishInput(0);
    loadFirst(firstSlice());
    runFirst();
    blockSync();
    for (int set = 0; set < staging.sets; set++) {
      runSlices(set);
      splitArrive(staging.middleDone);
      if constexpr (C::unfoldByMatrix)
        loadLast();
      else if constexpr (C::firstLate)
        Base::loadOuter(matrixOut, lastSlice(), 2);
      if constexpr (C::firstLate) copyTables(firstSlice());
      finishInput(set + 1);
      Kept first[K - 1];
      if constexpr (C::keptAhead) allKept(0, first);
      splitWait(staging.middleDone, parity(K - 1));
      if (staging.wraps()) storeWrapped(set);
      if constexpr (C::unfoldByMatrix)
        unfoldBoth(set);
      else
        unfold(set, first);
      runFirst();
      splitArrive(staging.exchanged);
      if constexpr (K > 2) Base::loadInner();  // so that unfolding has their registers
      splitWait(staging.exchanged, parity(K - 1));
      turnsTaken++;
    }
  }
};

}  // namespace ffc::mma
