// The middle: the way there (middle_there.cuh), n3l -> j, times the spectrum, and the way back, all in registers.
#pragma once
#include "middle_there.cuh"

namespace ffc::mma {

template <class C, class StagingOf>
struct MiddlePhase : MiddleThere<C, StagingOf> {
  using Base = MiddleThere<C, StagingOf>;
  using typename Base::A, typename Base::Bins, typename Base::Factor, typename Base::HalfTurn, typename Base::Pair;
  using Base::R, Base::addressIn, Base::addressOut, Base::addressOfOutput, Base::blockPlane, Base::planeBytes;
  using Base::c, Base::g, Base::turnIn, Base::backward, Base::rf, Base::rfMinus, Base::ria, Base::riaTurned;
  using Base::rib, Base::ribTurned, Base::backIm, Base::backMinusIm, Base::backRe, Base::keepsNegatives, Base::ownIm;
  using Base::ownMinusIm, Base::ownRe, Base::inverseInner, Base::binPieces, Base::resident, Base::residentAt;
  using Base::spectrum, Base::takeBlock, Base::unpackBins, Base::awaitBoth, Base::awaitPieces, Base::stepBackward;
  using Base::stepTurnBackward, Base::stepsAt, Base::turnStepBack, Base::twiddlesBackward, Base::nextBackward;
  using Base::chainAt, Base::chainBackward, Base::chainTurnBackward, Base::pairFactor, Base::product;
  using Base::sharedFactor, Base::turnBackward, Base::turnOf;

  using Base::Base;

  template <SpectrumFrom where>
  FFC_DEVICE Bins binsOf(int b, int s, u32 block) {
    if constexpr (where == SpectrumFrom::exchange || where == SpectrumFrom::exchangeWithoutSkip) {
      return Base::template pieceOfExchange<where == SpectrumFrom::exchangeWithoutSkip>(block, b, s);
    } else if constexpr (where == SpectrumFrom::registers) {
      return spectrum[b][s];
    } else if constexpr (where == SpectrumFrom::shared) {
      Bins bins;
#pragma unroll
      for (int i = 0; i < binPieces; i++) bins.piece[i] = sharedLoad16(residentAt(resident, b, s, i));
      return bins;
    } else if constexpr (where == SpectrumFrom::ring || where == SpectrumFrom::ringWithoutSkip) {
      return Base::template takePiece<where == SpectrumFrom::ringWithoutSkip>(b, s);
    } else {
      if (b < C::residentBlocks && (C::alwaysResident || resident)) return binsOf<SpectrumFrom::shared>(b, s, block);
      return Base::template readBins<where == SpectrumFrom::memoryWithoutSkip>(b, s);
    }
  }

  // In place on R exchange blocks of 16 KB. `halfway` runs between the way there and the way back, `spectrumUsed` after
  // the last use of the spectrum. `beforeLast` is called before the last results are stored: what the next phase loads
  // there arrives while they are, and registers are free again.
  struct Nothing {
    FFC_DEVICE void operator()() const {}
  };
  template <SpectrumFrom where, class BeforeLast, class Halfway = Nothing, class SpectrumUsed = Nothing>
  FFC_DEVICE void middle(u32 block, BeforeLast&& beforeLast, Halfway&& halfway = {}, SpectrumUsed&& spectrumUsed = {}) {
    if constexpr (C::ownMatrices) return middleOfOwn<where>(block, beforeLast, halfway, spectrumUsed);
    if constexpr (C::turnsInCache) keepInRegister(turnIn);  // or the turns of the way there take registers over all tiles
    u32 ar[R][4], ai[R][4];  // operands of the n3l contraction: [2t + s]
    Base::wayThere(block, ar, ai);
    halfway();
    // n3l, spectrum, and the inverse's half-cost combination: the operands of the way back replace ar, ai as
    // [2s + (0 | 1)]: sums of +f and -f meet the cosines, differences the sines.
#pragma unroll
    for (int b = 0; b < R; b++) {
      Factor plus[2], minus[2];
      if constexpr (C::halves > 1) {
        awaitBoth(b);
      } else if constexpr (C::spectrumInExchange) {
        awaitPieces(b);
      }
      [[maybe_unused]] Bins both[2];
      if constexpr (C::pairedRing && !C::spectrumLate) {
        takeBlock(b, both);
#pragma unroll
        for (int s = 0; s < 2; s++) unpackBins(both[s], plus[s], minus[s]);
      } else if constexpr (!C::spectrumLate) {
#pragma unroll
        for (int s = 0; s < 2; s++) unpackBins(binsOf<where>(b, s, block), plus[s], minus[s]);
      }
      Pair plusRe[2], plusIm[2], minusRe[2], minusIm[2];
      if constexpr (C::fullProducts) {
        A::dot2(plusRe, ar[b], rf[0], rf[1], ai[b], rfMinus[0], rfMinus[1]);
        A::dot2(plusIm, ar[b], rf[2], rf[3], ai[b], rf[0], rf[1]);
        A::dot2(minusRe, ar[b], rf[0], rf[1], ai[b], rf[2], rf[3]);
        A::dot2(minusIm, ar[b], rfMinus[0], rfMinus[1], ai[b], rf[0], rf[1]);
      } else if constexpr (C::summedProducts) {
        Pair x[2][2];
#pragma unroll
        for (int t = 0; t < 2; t++) A::dot(x[t], ar[b], rf[2 * t], rf[2 * t + 1]);
#pragma unroll
        for (int s = 0; s < 2; s++) plusRe[s] = x[0][s], plusIm[s] = x[1][s];
        A::dotAdd(plusRe, ai[b], rfMinus[0], rfMinus[1]);
        A::dotAdd(plusIm, ai[b], rf[0], rf[1]);
#pragma unroll
        for (int s = 0; s < 2; s++) {
          minusRe[s] = A::twiceMinus(x[0][s], plusRe[s]);
          minusIm[s] = A::minusTwice(plusIm[s], x[1][s]);
        }
      } else {
        Pair x[2][2], y[2][2];
#pragma unroll
        for (int t = 0; t < 2; t++) {
          A::dot(x[t], ar[b], rf[2 * t], rf[2 * t + 1]);
          A::dot(y[t], ai[b], rf[2 * t], rf[2 * t + 1]);
        }
#pragma unroll
        for (int s = 0; s < 2; s++) {
          plusRe[s] = A::sub(x[0][s], y[1][s]), plusIm[s] = A::add(x[1][s], y[0][s]);
          minusRe[s] = A::add(x[0][s], y[1][s]), minusIm[s] = A::sub(y[0][s], x[1][s]);
        }
      }
#pragma unroll
      for (int s = 0; s < 2; s++) {
        if constexpr (C::pairedRing && C::spectrumLate) {
          if (s == 0) takeBlock(b, both);
          unpackBins(both[s], plus[s], minus[s]);
        } else if constexpr (C::spectrumLate) {
          unpackBins(binsOf<where>(b, s, block), plus[s], minus[s]);
        }
        if constexpr (C::summedSpectrum) {
          A::multiply(plusRe[s], plusIm[s], plus[s]);
          A::multiplyAdd(minusRe[s], minusIm[s], minus[s], plusRe[s], plusIm[s]);
          ar[b][2 * s] = A::pack(minusRe[s]);
          ar[b][2 * s + 1] = A::pack(A::twiceMinus(plusIm[s], minusIm[s]));
          ai[b][2 * s] = A::pack(minusIm[s]);
          ai[b][2 * s + 1] = A::pack(A::minusTwice(minusRe[s], plusRe[s]));
          continue;
        }
        if constexpr (C::halves > 1) {
          Base::template multiplyHalf<where == SpectrumFrom::exchangeWithoutSkip>(block, b, s, plusRe[s], plusIm[s], minusRe[s], minusIm[s], plus[s], minus[s]);
        } else {
          A::multiply(plusRe[s], plusIm[s], plus[s]);
          A::multiply(minusRe[s], minusIm[s], minus[s]);
        }
        if constexpr (C::fullProducts) {
          ar[b][2 * s] = A::pack(plusRe[s]);
          ar[b][2 * s + 1] = A::pack(plusIm[s]);
          ai[b][2 * s] = A::pack(minusIm[s]);
          ai[b][2 * s + 1] = A::pack(minusRe[s]);
        } else {
          ar[b][2 * s] = A::pack(A::add(plusRe[s], minusRe[s]));
          ar[b][2 * s + 1] = A::pack(A::sub(plusIm[s], minusIm[s]));
          ai[b][2 * s] = A::pack(A::add(plusIm[s], minusIm[s]));
          ai[b][2 * s + 1] = A::pack(A::sub(minusRe[s], plusRe[s]));
        }
      }
    }
    spectrumUsed();
    if constexpr (C::oneInner) inverseInner();
    if constexpr (C::spectrumInExchange) warpSync();  // all lanes have read their pieces: results may take the places
    Pair zr[2][2][R], zi[2][2][R];  // [s][half][b]
#pragma unroll
    for (int s = 0; s < 2; s++) {
      Factor f[2];
      twiddlesBackward(s, f);
      [[maybe_unused]] FloatArithmetic::Turn turn[2];
      if constexpr (C::accurate)
        for (int half = 0; half < 2; half++) turn[half] = A::opposite(turnBackward(s, half));
#pragma unroll
      for (int b = 0; b < R; b++) {
        Pair x[2], y[2];
        if constexpr (C::fullProducts) {
          A::dot2(x, ria, ar[b][2 * s], ar[b][2 * s + 1], riaTurned, ai[b][2 * s], ai[b][2 * s + 1]);
          A::dot2(y, riaTurned, ar[b][2 * s], ar[b][2 * s + 1], ria, ai[b][2 * s], ai[b][2 * s + 1]);
        } else {
          A::dot(x, ria, ar[b][2 * s], ar[b][2 * s + 1]);
          A::dot(y, ria, ai[b][2 * s], ai[b][2 * s + 1]);
        }
#pragma unroll
        for (int half = 0; half < 2; half++) {
          if constexpr (C::halfTurns) {
            if (b == 0) A::turn(x[half], y[half], chainTurnBackward(2, half));
            if (b == 1) A::turn(x[half], y[half], chainTurnBackward(1, half));
            if (b == 3) A::turn(x[half], y[half], A::opposite(chainTurnBackward(1, half)));
            A::turn(x[half], y[half], A::opposite(turnOf(f[half])));
          } else if constexpr (C::accurate) {
            A::turn(x[half], y[half], turn[half]);
            if (b != C::centre) A::turn(x[half], y[half], chainBackward(C::centre - b, half));
          } else if constexpr (C::turned) {
            A::turn(x[half], y[half], A::opposite({backward[b][2 * (2 * s + half)], backward[b][2 * (2 * s + half) + 1]}));
          } else {
            Factor twiddle = f[half];
            if constexpr (C::twiddleRegisters)
              twiddle = A::factor(backward[b][2 * (2 * s + half)], backward[b][2 * (2 * s + half) + 1]);
            else if constexpr (C::storedPowers > 0)
              twiddle = b > 0 ? product(twiddle, sharedFactor(chainAt(b) + (g + 8 * half) * 4)) : twiddle;
            else if (b > 0)
              twiddle = f[half] = product(f[half], nextBackward(half));
            A::multiplyConjugate(x[half], y[half], twiddle);
          }
          zr[s][half][b] = x[half];
          zi[s][half][b] = y[half];
        }
      }
      if constexpr (C::halfTurns) {
        const HalfTurn step = stepTurnBackward(1, s), two = stepTurnBackward(2, s);
#pragma unroll
        for (int half = 0; half < 2; half++) {
          Butterfly<A, R, true>::run(zr[s][half], zi[s][half]);
          A::turn(zr[s][half][0], zi[s][half][0], step);
          A::turn(zr[s][half][2], zi[s][half][2], A::opposite(step));
          A::turn(zr[s][half][3], zi[s][half][3], A::opposite(two));
          if (s) A::negate(zr[s][half][3], zi[s][half][3]);
        }
      } else if constexpr (R > 1) {
#pragma unroll
        for (int half = 0; half < 2; half++) Butterfly<A, R, true>::run(zr[s][half], zi[s][half]);
        Factor power{}, w{};
        if constexpr (!C::powerTables && !C::turned) power = w = stepBackward(s);
#pragma unroll
        for (int b = 1; b < R; b++) {
          if constexpr (C::powerTables) power = pairFactor(stepsAt(b) + (8 * s + 2 * c) * 4);
#pragma unroll
          for (int half = 0; half < 2; half++) {
            if constexpr (C::turned)
              turnStepBack(zr[s][half][b], zi[s][half][b], s);
            else
              A::multiplyConjugate(zr[s][half][b], zi[s][half][b], power);
          }
          if constexpr (!C::powerTables && !C::turned)
            if (b + 1 < R) power = b < C::storedPowers ? pairFactor(stepsAt(b + 1) + (8 * s + 2 * c) * 4) : product(power, w);
        }
      }
    }
#pragma unroll
    for (int b = 0; b < R; b++) {
      const u32 to = block + addressOfOutput(b);
      u32 outRe[4], outIm[4];
      if constexpr (C::pairwise && C::fullProducts) {
        u32 plus[4], minus[4];
#pragma unroll
        for (int half = 0; half < 2; half++) {
          plus[half] = A::pack(zr[0][half][b]);
          plus[2 + half] = A::pack(zi[0][half][b]);
          minus[half] = A::pack(zi[1][half][b]);
          minus[2 + half] = A::pack(zr[1][half][b]);
        }
#pragma unroll
        for (int t = 0; t < 2; t++) {
          Pair x[2], y[2];
          A::dot2(x, plus, rib[2 * t], rib[2 * t + 1], minus, ribTurned[2 * t], ribTurned[2 * t + 1]);
          A::dot2(y, plus, ribTurned[2 * t], ribTurned[2 * t + 1], minus, rib[2 * t], rib[2 * t + 1]);
          outRe[2 * t] = A::pack(x[0]), outRe[2 * t + 1] = A::pack(x[1]);
          outIm[2 * t] = A::pack(y[0]), outIm[2 * t + 1] = A::pack(y[1]);
        }
      } else if constexpr (C::pairwise) {
        u32 sr[4], si[4];
#pragma unroll
        for (int half = 0; half < 2; half++) {
          sr[half] = A::pack(A::add(zr[0][half][b], zr[1][half][b]));
          sr[2 + half] = A::pack(A::sub(zi[0][half][b], zi[1][half][b]));
          si[half] = A::pack(A::add(zi[0][half][b], zi[1][half][b]));
          si[2 + half] = A::pack(A::sub(zr[1][half][b], zr[0][half][b]));
        }
#pragma unroll
        for (int t = 0; t < 2; t++) {
          // One product whose sum is stored as halves: a half accumulator rounds it once, too.
          u32 x[2], y[2];
          HalfArithmetic::dot(x, sr, rib[2 * t], rib[2 * t + 1]);
          HalfArithmetic::dot(y, si, rib[2 * t], rib[2 * t + 1]);
          outRe[2 * t] = x[0], outRe[2 * t + 1] = x[1];
          outIm[2 * t] = y[0], outIm[2 * t + 1] = y[1];
        }
      } else {
#pragma unroll
        for (int i = 0; i < 4; i++) {
          outRe[i] = A::pack(zr[i >> 1][i & 1][b]);
          outIm[i] = A::pack(zi[i >> 1][i & 1][b]);
        }
      }
      if (b == R - 1) beforeLast();
      storeTransposed(to, outRe[0], outRe[1], outRe[2], outRe[3]);
      storeTransposed(to + planeBytes, outIm[0], outIm[1], outIm[2], outIm[3]);
    }
  }

  // The same by matrices of the warp's own: n3l -> j, times the spectrum, and back.
  template <SpectrumFrom where, class BeforeLast, class Halfway, class SpectrumUsed>
  FFC_DEVICE void middleOfOwn(u32 block, BeforeLast&& beforeLast, Halfway&& halfway, SpectrumUsed&& spectrumUsed) {
    u32 re[4], im[4];  // sequences by n3l: [2t + s]
    loadMatrices(block + addressIn, re[0], re[1], re[2], re[3]);
    loadMatrices(block + addressIn + blockPlane, im[0], im[1], im[2], im[3]);
    [[maybe_unused]] const u32 minusIm[4] = {halfNegate(im[0]), halfNegate(im[1]), halfNegate(im[2]), halfNegate(im[3])};
    halfway();
    Factor factor[2][2];  // [+, -][s]
#pragma unroll
    for (int s = 0; s < 2; s++) unpackBins(binsOf<where>(0, s, block), factor[0][s], factor[1][s]);
    u32 xr[2][2], xi[2][2];  // operands of the way back: [s][+, -]
#pragma unroll
    for (int sign = 0; sign < 2; sign++) {
      Pair x[2], y[2];
      if constexpr (keepsNegatives)
        A::dot2(x, re, ownRe[sign][0], ownRe[sign][1], im, ownMinusIm[sign][0], ownMinusIm[sign][1]);
      else
        A::dot2(x, re, ownRe[sign][0], ownRe[sign][1], minusIm, ownIm[sign][0], ownIm[sign][1]);
      A::dot2(y, re, ownIm[sign][0], ownIm[sign][1], im, ownRe[sign][0], ownRe[sign][1]);
#pragma unroll
      for (int s = 0; s < 2; s++) {
        A::multiply(x[s], y[s], factor[sign][s]);
        xr[s][sign] = A::pack(x[s]), xi[s][sign] = A::pack(y[s]);
      }
    }
    spectrumUsed();
    u32 outRe[4], outIm[4];  // n3l by sequences: [2s + half]
#pragma unroll
    for (int s = 0; s < 2; s++) {
      Pair x[2], y[2];
      A::dot2(x, backRe, xr[s][0], xr[s][1], backIm, xi[s][0], xi[s][1]);
      if constexpr (keepsNegatives)
        A::dot2(y, backMinusIm, xr[s][0], xr[s][1], backRe, xi[s][0], xi[s][1]);
      else
        A::dot2(y, backIm, halfNegate(xr[s][0]), halfNegate(xr[s][1]), backRe, xi[s][0], xi[s][1]);
#pragma unroll
      for (int half = 0; half < 2; half++) outRe[2 * s + half] = A::pack(x[half]), outIm[2 * s + half] = A::pack(y[half]);
    }
    beforeLast();
    storeTransposed(block + addressOut, outRe[0], outRe[1], outRe[2], outRe[3]);
    storeTransposed(block + addressOut + blockPlane, outIm[0], outIm[1], outIm[2], outIm[3]);
  }
};

}  // namespace ffc::mma
