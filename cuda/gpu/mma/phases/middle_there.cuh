// The middle's way there: n2 -> k2 and n3h -> kb of what lies in the exchange buffer, and the twiddles of n3l.
#pragma once
#include "spectrum_in_exchange.cuh"

namespace ffc::mma {

template <class C, class StagingOf>
struct MiddleThere : SpectrumInExchange<C, StagingOf> {
  using Base = SpectrumInExchange<C, StagingOf>;
  using typename Base::A, typename Base::Factor, typename Base::HalfTurn, typename Base::Pair;
  using Base::R, Base::c, Base::g, Base::forward, Base::ra, Base::columnScale, Base::addressOfInput;
  using Base::stepForward, Base::stepTurnForward, Base::stepsAt, Base::turnStep, Base::twiddlesForward;
  using Base::nextForward, Base::chainAt, Base::chainForward, Base::chainTurnForward, Base::pairFactor, Base::product;
  using Base::sharedFactor, Base::turnForward, Base::turnOf, Base::orderBoth, Base::orderHalf;

  using Base::Base;

  // warpScaled: what evens two neighbouring columns out, from the exponents at `at` to that of their row.
  FFC_DEVICE static u32 evenTwo(u32 at, int row) {
    const uint64_t both = sharedLoad8(at);
    return packHalf(powerUpToOne(row - int(u32(both))), powerUpToOne(row - int(u32(both >> 32))));
  }
  // 2^e, e <= 0; nothing where the smallest float ends.
  FFC_DEVICE static float powerUpToOne(int e) { return asFloat(u32(e < -127 ? 0 : e + 127) << 23); }

  // Leaves operands of the contraction over n3l: [b][2t + s].
  FFC_DEVICE void wayThere(u32 block, u32 (&ar)[R][4], u32 (&ai)[R][4]) {
    u32 matrix[4];
#pragma unroll
    for (int i = 0; i < 4; i++) matrix[i] = C::warpScaled ? halfMul(ra[i], columnScale[i >> 1]) : ra[i];
    [[maybe_unused]] const u32 turned[4] = {halfNegate(matrix[1]), matrix[0], halfNegate(matrix[3]), matrix[2]};
#pragma unroll
    for (int t = 0; t < 2; t++) {
      Pair re[2][R], im[2][R];
#pragma unroll
      for (int b = 0; b < R; b++) {
        u32 r0, r1, i0, i1;
        const u32 from = block + addressOfInput(b, t);
        if constexpr (C::pairwise && C::fullProducts) {
          // Rows of `matrix`: cosines, then minus sines of +f. (cos re + sin im, ...) of -f come in the other order.
          loadTransposed(from, r0, r1, i0, i1);
          Pair x[2], y[2];
          A::dot2(x, matrix, r0, r1, turned, i0, i1);
          A::dot2(y, turned, r0, r1, matrix, i0, i1);
          re[0][b] = x[0];
          im[0][b] = x[1];
          re[1][b] = y[1];
          im[1][b] = y[0];
        } else if constexpr (C::pairwise && C::summedProducts) {
          loadTransposed(from, r0, r1, i0, i1);
          Pair x[2];
          A::dot(x, matrix, r0, r1);
          Pair sum[2] = {x[0], x[1]};
          A::dotAdd(sum, turned, i0, i1);
          re[0][b] = sum[0];
          im[0][b] = sum[1];
          re[1][b] = A::twiceMinus(x[0], sum[0]);
          im[1][b] = A::minusTwice(sum[1], x[1]);
        } else if constexpr (C::pairwise) {
          loadTransposed(from, r0, r1, i0, i1);
          Pair x[2], y[2];
          A::dot(x, matrix, r0, r1);
          A::dot(y, matrix, i0, i1);
          re[0][b] = A::sub(x[0], y[1]);
          im[0][b] = A::add(x[1], y[0]);
          re[1][b] = A::add(x[0], y[1]);
          im[1][b] = A::sub(y[0], x[1]);
        } else {
          loadMatrices(from, r0, r1, i0, i1);
          re[0][b] = A::unpack(r0);
          re[1][b] = A::unpack(r1);
          im[0][b] = A::unpack(i0);
          im[1][b] = A::unpack(i1);
        }
      }
      if constexpr (C::halves > 1)
        orderBoth(block, t);
      else if constexpr (C::spectrumInExchange)
        orderHalf(block, t);
      Factor f[2];
      twiddlesForward(t, f);
#pragma unroll
      for (int s = 0; s < 2; s++) {
        if constexpr (C::halfTurns) {
          // n3h = b turns by b - 1 steps, kb by kb - R / 2 of its own; what depends on the frequency alone cancels.
          const HalfTurn step = stepTurnForward(1, s);
          A::turn(re[s][0], im[s][0], A::opposite(step));
          A::turn(re[s][2], im[s][2], step);
          A::turn(re[s][3], im[s][3], stepTurnForward(2, s));
          if (s) A::negate(re[s][3], im[s][3]);
          Butterfly<A, R, false>::run(re[s], im[s]);
#pragma unroll
          for (int b = 0; b < R; b++) {
            A::turn(re[s][b], im[s][b], turnOf(f[s]));
            if (b == 0) A::turn(re[s][b], im[s][b], A::opposite(chainTurnForward(2, t)));
            if (b == 1) A::turn(re[s][b], im[s][b], A::opposite(chainTurnForward(1, t)));
            if (b == 3) A::turn(re[s][b], im[s][b], chainTurnForward(1, t));
            ar[b][2 * t + s] = re[s][b];
            ai[b][2 * t + s] = im[s][b];
          }
          continue;
        }
        if constexpr (C::steppedButterfly) {
          mma::steppedButterfly(re[s], im[s], stepForward(s));
        } else if constexpr (R > 1) {
          if constexpr (C::powerTables) {
#pragma unroll
            for (int b = 1; b < R; b++) A::multiply(re[s][b], im[s][b], sharedFactor(stepsAt(b) + (8 * s + g) * 4));
          } else {
            const Factor w = C::turned ? Factor{} : stepForward(s);
            Factor power = w;
#pragma unroll
            for (int b = 1; b < R; b++) {
              if constexpr (C::turned)
                turnStep(re[s][b], im[s][b], s);
              else
                A::multiply(re[s][b], im[s][b], power);
              if (!C::turned && b + 1 < R) power = b < C::storedPowers ? sharedFactor(stepsAt(b + 1) + (8 * s + g) * 4) : product(power, w);
            }
          }
          Butterfly<A, R, false>::run(re[s], im[s]);
        }
        [[maybe_unused]] FloatArithmetic::Turn turn;
        if constexpr (C::accurate) turn = turnForward(t, s);
#pragma unroll
        for (int b = 0; b < R; b++) {
          if constexpr (C::accurate) {
            if (b != C::centre) A::turn(re[s][b], im[s][b], chainForward(b - C::centre, t));
            A::turn(re[s][b], im[s][b], turn);
          } else if constexpr (C::turned) {
            A::turn(re[s][b], im[s][b], {forward[b][2 * (2 * t + s)], forward[b][2 * (2 * t + s) + 1]});
          } else {
            Factor twiddle = f[s];
            if constexpr (C::twiddleRegisters)
              twiddle = A::factor(forward[b][2 * (2 * t + s)], forward[b][2 * (2 * t + s) + 1]);
            else if constexpr (C::storedPowers > 0)
              twiddle = b > 0 ? product(twiddle, pairFactor(chainAt(b) + (8 * t + 2 * c) * 4)) : twiddle;
            else if (b > 0)
              twiddle = f[s] = product(f[s], nextForward(t));
            A::multiply(re[s][b], im[s][b], twiddle);
          }
          ar[b][2 * t + s] = A::pack(re[s][b]);
          ai[b][2 * t + s] = A::pack(im[s][b]);
        }
      }
    }
  }
};

}  // namespace ffc::mma
