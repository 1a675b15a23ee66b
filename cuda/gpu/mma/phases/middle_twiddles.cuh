// Constants of the middle that are looked up, or multiplied, when they are needed: the twiddles of n3h ("steps", powers of
// W) and those between n3h and n3l (of kb = 0 or centre, and from there over the others: the "chain"). A class
// has them as factors or as turns (arithmetic.cuh), in registers, in shared memory or, in turns, in the first-level
// cache: config.h says which and why.
#pragma once
#include "load_tables.cuh"

namespace ffc::mma {

template <class C, class StagingOf>
struct MiddleTwiddles : PhaseTables<C, StagingOf> {
  using Base = PhaseTables<C, StagingOf>;
  using typename Base::A, typename Base::Factor, typename Base::Pair;
  using Base::R, Base::c, Base::g, Base::lane, Base::image, Base::place, Base::turns, Base::chain;
  using Base::stepIn, Base::stepOut, Base::stepTurns, Base::turnIn, Base::turnNext, Base::turnOut, Base::turnsBack;

  using Base::Base;

  // W^b, the twiddles of n3h = b, for the row half (forward) or column group (backward) s.
  FFC_DEVICE Factor stepForward(int s) const {
    if constexpr (C::accurate) {
      const uint2 w = turnAt(image + C::imageBytes + place() * 128 + (8 * s + g) * 8);
      return {{asFloat(w.x), asFloat(w.x)}, {asFloat(w.y), asFloat(w.y)}};
    } else if constexpr (C::storedPowers > 0) {
      return sharedFactor(stepsAt(1) + (8 * s + g) * 4);
    } else {
      return A::factor(stepIn[2 * s], stepIn[2 * s + 1]);
    }
  }
  // W of radix 2 lies between none and half a turn: a quarter turn, which is an exchange of registers, and what is
  // left.
  FFC_DEVICE void turnStep(Pair& re, Pair& im, int s) const {
    A::turn(re, im, {stepIn[2 * s], stepIn[2 * s + 1]});
    const Pair r = re;
    re = im;
    im = halfNegate(r);
  }
  FFC_DEVICE void turnStepBack(Pair& re, Pair& im, int s) const {
    const Pair r = re;
    re = halfNegate(im);
    im = r;
    A::turn(re, im, A::opposite({stepOut[2 * s], stepOut[2 * s + 1]}));
  }
  FFC_DEVICE Factor stepBackward(int s) const {
    if constexpr (C::accurate) {
      const uint4 w = sharedLoad16(image + C::imageBytes + place() * 128 + (8 * s + 2 * c) * 8);
      return {{asFloat(w.x), asFloat(w.z)}, {asFloat(w.y), asFloat(w.w)}};
    } else if constexpr (C::storedPowers > 0) {
      return pairFactor(stepsAt(1) + (8 * s + 2 * c) * 4);
    } else {
      return A::factor(stepOut[2 * s], stepOut[2 * s + 1]);
    }
  }
  // The accurate class turns by the twiddles of kb = centre, which is one table for both directions, and from there to
  // those of kb: e^{-2 pi i n3l (kb - centre) / 16R}. Forward for columns 8t + 2c, backward for rows g + 8 half.
  FFC_DEVICE FloatArithmetic::Turn turnForward(int t, int s) const {
    const u32 at = (turnIn ^ t * 64) + s * 1024;
    if constexpr (C::turnsInCache) return forwardTurn(C::keepsTurns ? loadConstant16(turns() + at) : loadFresh16(turns() + at));
    return forwardTurn(sharedLoad16(at));
  }
  FFC_DEVICE FloatArithmetic::Turn turnBackward(int s, int half) const {
    if constexpr (C::turnsInCache && C::keepsTurns) {
      const u32* b = turnsBack + (2 * s + half) * 4;
      return {{asFloat(b[0]), asFloat(b[2])}, {asFloat(b[1]), asFloat(b[3])}};
    }
    // Two neighbouring rows: their slots differ by the XOR of turnSlot().
    const uint2 v = turnAt((turnOut ^ half * 64) + s * 1024);
    const u32 next = C::turnsInCache ? turnNext ^ (1 - half) * 64 : (turnOut ^ (1 - half) * 64) + 128;
    const uint2 w = turnAt(next + s * 1024);
    return {{asFloat(v.x), asFloat(w.x)}, {asFloat(v.y), asFloat(w.y)}};
  }
  // In the shortest body the compiler finds registers for the backward turns; elsewhere it must not keep them.
  FFC_DEVICE uint2 turnAt(u32 address) const {
    if constexpr (C::turnsInCache) return loadFresh8(turns() + address);
    if constexpr (C::keepsTurns) return sharedConstant8(address);
    const uint64_t v = sharedLoad8(address);
    return {u32(v), u32(v >> 32)};
  }
  FFC_DEVICE u32 chainTurnsAt(int steps) const { return image + C::imageBytes + 2048 + (steps - 1) * 128; }
  FFC_DEVICE FloatArithmetic::Turn chainForward(int steps, int t) const {
    const FloatArithmetic::Turn f = forwardTurn(sharedLoad16(chainTurnsAt(steps < 0 ? -steps : steps) + (8 * t + 2 * c) * 8));
    return steps < 0 ? FloatArithmetic::opposite(f) : f;
  }
  FFC_DEVICE FloatArithmetic::Turn chainBackward(int steps, int half) const {
    const uint2 v = turnAt(chainTurnsAt(steps < 0 ? -steps : steps) + (g + 8 * half) * 8);
    const FloatArithmetic::Turn f{{asFloat(v.x), asFloat(v.x)}, {asFloat(v.y), asFloat(v.y)}};
    return steps < 0 ? FloatArithmetic::opposite(f) : f;
  }
  FFC_DEVICE static FloatArithmetic::Turn forwardTurn(uint4 v) {
    return {{asFloat(v.x), asFloat(v.z)}, {asFloat(v.y), asFloat(v.w)}};
  }
  // Turns of halves: over n3h by one or two steps, forward for rows of half s, backward for columns of group s; over
  // kb, forward for columns 8t + 2c, backward for rows g + 8 half.
  using HalfTurn = HalfArithmetic::Turn;
  FFC_DEVICE static HalfTurn turnOf(Factor f) { return {f.re, f.im}; }
  FFC_DEVICE HalfTurn stepTurnForward(int steps, int s) const {
    if constexpr (!C::turnRegisters) return turnOf(sharedFactor(stepsAt(steps) + (8 * s + g) * 4));
    const u32 w = stepTurns[2 * steps - 2 + s];
    return {lowTwice(w), highTwice(w)};
  }
  FFC_DEVICE HalfTurn stepTurnBackward(int steps, int s) const {
    if constexpr (!C::turnRegisters) return turnOf(pairFactor(stepsAt(steps) + (8 * s + 2 * c) * 4));
    return {stepTurns[4 * steps + 2 * s], stepTurns[4 * steps + 2 * s + 1]};
  }
  FFC_DEVICE HalfTurn chainTurnForward(int steps, int t) const {
    if constexpr (!C::turnRegisters) return turnOf(pairFactor(chainAt(steps) + (8 * t + 2 * c) * 4));
    return {chain[4 * steps - 4 + 2 * t], chain[4 * steps - 3 + 2 * t]};
  }
  FFC_DEVICE HalfTurn chainTurnBackward(int steps, int half) const {
    return turnOf(sharedFactor(chainAt(steps) + (g + 8 * half) * 4));
  }
  // Step of the twiddle products over kb, e^{-2 pi i n3l / 16R}, for columns 8t + 2c (forward), rows g + 8 half
  // (backward).
  FFC_DEVICE Factor nextForward(int t) const { return A::factor(chain[2 * t], chain[2 * t + 1]); }
  FFC_DEVICE Factor nextBackward(int half) const { return A::factor(chain[4 + 2 * half], chain[5 + 2 * half]); }
  // The same from power tables: one word for a factor that both numbers of a pair share, two for a pair of factors.
  FFC_DEVICE Factor sharedFactor(u32 address) const {
    const u32 w = C::slices > 1 ? sharedLoad4(address) : sharedConstant4(address);
    if constexpr (C::halfTurns) return A::factor(lowTwice(w), highTwice(w));
    return A::factor(lowHalves(w, w), highHalves(w, w));
  }
  FFC_DEVICE Factor pairFactor(u32 address) const {
    const uint2 w = powersAt(address);
    return A::factor(lowHalves(w.x, w.y), highHalves(w.x, w.y));
  }
  // Those of slices change.
  FFC_DEVICE static uint2 powersAt(u32 address) {
    if constexpr (C::slices == 1) return sharedConstant8(address);
    const uint64_t v = sharedLoad8(address);
    return {u32(v), u32(v >> 32)};
  }
  FFC_DEVICE u32 stepsAt(int b) const { return image + C::imageBytes + (place() * C::storedPowers + b - 1) * 64; }
  FFC_DEVICE u32 chainAt(int b) const { return image + C::imageBytes + (16 * C::storedPowers + b - 1) * 64; }
  FFC_DEVICE static Factor product(Factor a, Factor b) {
    A::multiply(a.re, a.im, b);
    return a;
  }
  // Twiddles between n3h and n3l at kb = 0 (kb = b for register tables): forward for columns 8t + 2c, rows of half s;
  // backward for rows g + 8 half, columns of group s.
  FFC_DEVICE void twiddlesForward(int t, Factor (&f)[2]) const {
    if constexpr (!C::accurate && !C::twiddleRegisters) {
      u32 r0, r1, i0, i1;
      loadMatrices(image + place() * 1024 + (lane >> 4) * 512 + (((lane >> 3) & 1) + 2 * t) * 128 + (lane & 7) * 16, r0, r1,
                   i0, i1);
      f[0] = A::factor(r0, i0);
      f[1] = A::factor(r1, i1);
    }
  }
  FFC_DEVICE void twiddlesBackward(int s, Factor (&f)[2]) const {
    if constexpr (!C::accurate && !C::twiddleRegisters) {
      u32 r0, r1, i0, i1;
      loadTransposed(image + place() * 1024 + (lane >> 4) * 512 + (s + 2 * ((lane >> 3) & 1)) * 128 + (lane & 7) * 16, r0,
                     r1, i0, i1);
      f[0] = A::factor(r0, i0);
      f[1] = A::factor(r1, i1);
    }
  }
};

}  // namespace ffc::mma
