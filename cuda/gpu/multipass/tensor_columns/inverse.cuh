// The last pass: complex points to real samples, over k1.
#pragma once
#include "interpolated.cuh"

namespace ffc::mma {

// addsSkip: what reaches all frequencies is added to the outputs here.
template <class C, bool addsSkip>
struct ColumnsInverse : InterpolatedOutputs<C> {
  using Base = InterpolatedOutputs<C>;
  using typename Base::Factor, typename Base::A, typename Base::Pair, typename Base::Tile, typename Base::Layout;
  using Base::pairs, Base::R, Base::atInner, Base::atPaired, Base::blockBytes, Base::inner, Base::resampled;
  using Base::atOuter, Base::atSamples, Base::p, Base::matrix, Base::loadMatrix, Base::table, Base::ka;
  using Base::anyRowKept, Base::lane, Base::points, Base::tiles, Base::overlappedTileAt, Base::tileAt;
  using Base::forOverlappedPoints, Base::forOwnPoints, Base::rowOf, Base::phaseOf, Base::forOwnSamples;
  using Base::turnNeighbours, Base::storeInterpolated, Base::store, Base::fetchFilters, Base::fetchBeside;
  using Base::log2Pieces, Base::place, Base::warp;
  using Skip = SkipTerm<C, addsSkip>;
  // Results lie halved in the samples' place, as halves, until they are stored: float sums with what is read only then.
  static constexpr bool halved = resampled || addsSkip;
  // In the accurate class with what their rounding leaves beside them, in the points' place.
  static constexpr bool keepsRest = addsSkip && !resampled && C::accurate && !C::bf16;
  using Base::Base;

  FFC_DEVICE Factor stepBackward(const u32* steps, int b, int s) const {
    if constexpr (C::accurate) {
      const u32* at = steps + ((b - 1) * 2 + s) * 4;
      return {{asFloat(at[0]), asFloat(at[1])}, {asFloat(at[2]), asFloat(at[3])}};
    } else {
      const u32* at = steps + ((b - 1) * 2 + s) * 2;
      return A::factor(at[0], at[1]);
    }
  }

  FFC_DEVICE void innerInverse(const u32* steps) const {
#pragma unroll
    for (int j = 0; j < pairs; j++) {
      u32 xr[R][4], xi[R][4];
#pragma unroll
      for (int b = 0; b < R; b++) {
        // Plain rows where nothing is summed before the product, so that no sum is rounded.
        const u32 from = ((C::accurate && R == 1 ? atInner : atPaired) + b * blockBytes) ^ (j * 32);
        loadTransposed(from, xr[b][0], xr[b][1], xr[b][2], xr[b][3]);
        loadTransposed(from + C::planeBytes, xi[b][0], xi[b][1], xi[b][2], xi[b][3]);
      }
      u32 outRe[R][4], outIm[R][4];
#pragma unroll
      for (int t = 0; t < 2; t++) {
        if constexpr (C::accurate && R == 1) {
          Pair x[2], y[2];
          A::dot2(x, inner[0], xr[0][2 * t], xr[0][2 * t + 1], inner[1], halfNegate(xi[0][2 * t]), halfNegate(xi[0][2 * t + 1]));
          A::dot2(y, inner[0], xi[0][2 * t], xi[0][2 * t + 1], inner[1], xr[0][2 * t], xr[0][2 * t + 1]);
          outRe[0][2 * t] = A::pack(x[0]), outRe[0][2 * t + 1] = A::pack(x[1]);
          outIm[0][2 * t] = A::pack(y[0]), outIm[0][2 * t + 1] = A::pack(y[1]);
        } else {
          Pair re[2][R], im[2][R];
#pragma unroll
          for (int s = 0; s < 2; s++) {
#pragma unroll
            for (int b = 0; b < R; b++) re[s][b] = A::unpack(xr[b][2 * t + s]), im[s][b] = A::unpack(xi[b][2 * t + s]);
            if constexpr (R > 1) Butterfly<A, R, true>::run(re[s], im[s]);
#pragma unroll
            for (int b = 1; b < R; b++) A::multiplyConjugate(re[s][b], im[s][b], stepBackward(steps, b, s));
          }
#pragma unroll
          for (int b = 0; b < R; b++) {
            Pair x[2], y[2];
            A::dot(x, inner[0], A::pack(A::add(re[0][b], re[1][b])), A::pack(A::sub(im[0][b], im[1][b])));
            A::dot(y, inner[0], A::pack(A::add(im[0][b], im[1][b])), A::pack(A::sub(re[1][b], re[0][b])));
            outRe[b][2 * t] = A::pack(x[0]), outRe[b][2 * t + 1] = A::pack(x[1]);
            outIm[b][2 * t] = A::pack(y[0]), outIm[b][2 * t + 1] = A::pack(y[1]);
          }
        }
      }
#pragma unroll
      for (int b = 0; b < R; b++) {
        const u32 to = (atInner + b * blockBytes) ^ (j * 32);
        storeMatrices(to, outRe[b][0], outRe[b][1], outRe[b][2], outRe[b][3]);
        storeMatrices(to + C::planeBytes, outIm[b][0], outIm[b][1], outIm[b][2], outIm[b][3]);
      }
    }
  }

  // Samples of this warp, complex points of all. `gated`: the post gate lies where the samples go.
  template <bool gated>
  FFC_DEVICE void outerInverse(int exponent) const {
    const float scale = powerOfTwo(exponent);
    const bool exact = !C::accurate && !C::bf16 && !gated && !halved && exponent >= -14 && exponent <= 15;
    const u32 scalePair = exact ? packHalf(scale, scale) : 0;
    using Last = std::conditional_t<C::accurate || C::bf16, FloatArithmetic, HalfArithmetic>;
#pragma unroll
    for (int b = 0; b < R; b++)
#pragma unroll
      for (int j = 0; j < pairs; j++) {
        u32 xr[4], xi[4], post[4], out[4], rest[4];
        const u32 from = (atOuter + b * blockBytes) ^ (j * 32), to = (atSamples + b * blockBytes) ^ (j * 32);
        loadTransposed(from, xr[0], xr[1], xr[2], xr[3]);
        loadTransposed(from + C::planeBytes, xi[0], xi[1], xi[2], xi[3]);
        if constexpr (gated) loadMatrices(to, post[0], post[1], post[2], post[3]);
        if (p.imaginary) {
          // The imaginary part is the real part of -i times the result.
#pragma unroll
          for (int i = 0; i < 4; i++) {
            const u32 x = xr[i];
            xr[i] = xi[i];
            xi[i] = halfNegate(x);
          }
        }
#pragma unroll
        for (int t = 0; t < 2; t++) {
          typename Last::Pair d[2];
          Last::dot2(d, matrix[0], xr[2 * t], xr[2 * t + 1], matrix[1], xi[2 * t], xi[2 * t + 1]);
#pragma unroll
          for (int half = 0; half < 2; half++) {
            u32& o = out[2 * t + half];
            if constexpr (std::is_same_v<Last, HalfArithmetic>) {
              if (exact) {
                o = halfMul(d[half], scalePair);
                continue;
              }
            }
            float2 v = asFloats(d[half]);
            v.x *= scale, v.y *= scale;
            if constexpr (gated) {
              const float2 f = unpackElements<C>(post[2 * t + half]);
              v.x *= f.x, v.y *= f.y;
            }
            o = C::bf16 && !halved ? packBfloat(v.x, v.y) : packHalf(v.x, v.y);
            if constexpr (keepsRest) {
              const float2 rounded = unpackHalf(o);
              rest[2 * t + half] = packHalf(v.x - rounded.x, v.y - rounded.y);
            }
          }
        }
        storeMatrices(to, out[0], out[1], out[2], out[3]);
        if constexpr (keepsRest) storeMatrices(from, rest[0], rest[1], rest[2], rest[3]);
      }
  }
  FFC_DEVICE static float2 asFloats(u32 pair) { return unpackHalf(pair); }
  FFC_DEVICE static float2 asFloats(float2 pair) { return pair; }

  // All of it is this warp's own.
  FFC_DEVICE void storeSummed(const Tile& t, int exponent, const Skip& skip) const {
    const uint64_t out = rowOf(p.y, t), post = rowOf(p.post, t);
    const float scale = powerOfTwo(exponent + 1);
    const int phase = phaseOf(t);
    forOwnSamples(t, [&](int number, u32 shared, int ofPiece) {
      const int n = ofPiece - phase;
      if (n >= p.outLength || n + 8 <= 0) return;
      float y[8];
      unpackSamples<Halves>(sharedLoad16(shared), y);
      if constexpr (keepsRest) {
        // Where outerInverse() has read this warp's row of each fragment.
        const int a = (lane >> log2Pieces) + number / R * (32 >> log2Pieces);
        float rest[8];
        unpackSamples<Halves>(sharedLoad16(points + number % R * blockBytes + a * C::fragmentBytes + place(warp, lane & (C::pieces - 1), a)), rest);
#pragma unroll
        for (int i = 0; i < 8; i++) y[i] += rest[i];
      }
#pragma unroll
      for (int i = 0; i < 8; i++) y[i] *= scale;
      drainPiece(this->outputsOf(y, skip, skip.samplesAt(n), post, n), out, n, p.outLength);
    });
  }

  // Of the spectrum, with the skip factor; the rest is by how much the rows have scaled the sequence.
  FFC_DEVICE int outputExponent(const Tile& t) const {
    int e = int(loadConstant4(p.exponent + (p.sharedSpectrum ? 0 : t.h)));
    if (!addsSkip && p.skip) e = exponentWithSkip<Rounded>(e, skipLoad(p.skip, t.h, p.skipType) * p.spectrumGain);
    return e;
  }
  // The rows' spectra are normalised.
  struct Rounded {
    static constexpr bool rowScaled = true;
  };

  FFC_DEVICE void run() {
    loadMatrix(matrix[0], 2);
    loadMatrix(matrix[1], 3);
#pragma unroll
    for (int i = 0; i < 4; i++) inner[0][i] = table(Layout::inner, 4 + i);
    if constexpr (C::accurate && R == 1) {
#pragma unroll
      for (int i = 0; i < 4; i++) inner[1][i] = table(Layout::inner, 8 + i);
    }
    u32 steps[R > 1 ? Layout::backwardSteps : 1];
    if constexpr (R > 1) {
#pragma unroll
      for (int i = 0; i < Layout::backwardSteps; i++)
        steps[i] = table(Layout::steps + ka * Layout::stepRegisters * 32, Layout::forwardSteps + i);
    }
    const bool active = anyRowKept();
    // Nothing else is ever written where the rows of this warp lie, so zeros stay.
    for (int i = lane; !active && i < R * C::fragmentBytes / 8; i += 32)
      sharedStore16(points + i % 2 * C::planeBytes + i / 2 % (C::fragmentBytes / 16) * 16 +
                        i / 2 / (C::fragmentBytes / 16) * blockBytes + ka * C::fragmentBytes,
                    uint4{0, 0, 0, 0});
    if constexpr (resampled) fetchFilters(Base::Filters::up, C::upBytes);  // two barriers lie before their use
    beginPass(p.order);
    const int count = resampled ? p.sequences * p.outTiles : tiles();
    for (int t = blockIndex(); t < count; t += gridSize()) {
      if (threadIndex() == 0 && t - blockIndex() == p.order.meet) meetEarlierWork();
      const Tile tile = resampled ? overlappedTileAt(t) : tileAt(t);
      // On their way at once and before the points, which loads behind them would have to wait for.
      TileCodes<(1 << C::log2MostTiles) / 128> codes;
      codes.fetch(p.largest + (int64_t(tile.sequence) << p.log2Tiles), p.log2Tiles, lane);
      const auto bring = [](u32 shared, char* at, bool kept) {
        if (kept)
          copyAsync16(shared, at);
        else
          sharedStore16(shared, uint4{0, 0, 0, 0});
      };
      if constexpr (resampled)
        forOverlappedPoints(tile, bring);
      else if (active)
        forOwnPoints(tile, bring);
      const Skip skip(p, tile);
      if constexpr (addsSkip && resampled)
        fetchBeside(tile, skip);
      else if constexpr (addsSkip)
        forOwnSamples(tile, [&](int, u32, int n) { if (!(lane & (C::pieces - 1))) skip.fetch(n); });
      if (!halved && p.post.data) {
        const uint64_t row = rowOf(p.post, tile);
        const int phase = phaseOf(tile);
        forOwnSamples(tile, [&](int, u32 shared, int n) { fillPiece(shared, row, n - phase, p.outLength, false); });
      }
      const int ofSpectrum = outputExponent(tile);
      copyAsyncWaitAll();
      warpSync();
      if constexpr (resampled) turnNeighbours(tile);
      if (active) innerInverse(steps);
      const int exponent = ofSpectrum - sequenceExponent(codes.largest(), p.rangeExponent, p.mostExponent);
      blockSync();  // points of all warps are transformed
      if constexpr (halved)
        outerInverse<false>(-1);
      else if (p.post.data)
        outerInverse<true>(exponent);
      else
        outerInverse<false>(exponent);
      if constexpr (keepsRest) {
        warpSync();
        storeSummed(tile, exponent, skip);
      }
      blockSync();  // points are free
      if constexpr (resampled)
        storeInterpolated(tile, exponent, skip);
      else if constexpr (addsSkip && !keepsRest)
        storeSummed(tile, exponent, skip);
      else if constexpr (!addsSkip)
        store(tile);
      warpSync();   // samples are free (the next post gate)
    }
  }
};

}  // namespace ffc::mma
