// How the constants come from the tables of the plan (tables.h) into registers and shared memory: at the beginning of a
// block, and those of the outer phases again for each interval where registers do not hold them for good.
#pragma once
#include "state.cuh"

namespace ffc::mma {

template <class C, class StagingOf>
struct PhaseTables : PhaseState<C, StagingOf> {
  using Base = PhaseState<C, StagingOf>;
  using typename Base::Layout;
  using Base::R, Base::lane, Base::warp, Base::image, Base::matrixIn, Base::matrixOut, Base::ra, Base::rf, Base::ria;
  using Base::rib, Base::rfMinus, Base::riaTurned, Base::ribTurned, Base::forward, Base::backward, Base::ownRe;
  using Base::ownIm, Base::ownMinusIm, Base::backRe, Base::backIm, Base::backMinusIm, Base::stepIn, Base::stepOut;
  using Base::chain, Base::stepTurns, Base::turnOut, Base::turnNext, Base::turnsBack, Base::place, Base::slice;
  using Base::tables;

  using Base::Base;

  FFC_DEVICE u32 table(int offset, int i) const { return loadTable4(tables() + offset + i * 32 + lane, keepingPolicy()); }
  FFC_DEVICE const char* turns() const { return reinterpret_cast<const char*>(tables() + Layout::image); }

  // The matrices of the middle.
  FFC_DEVICE void loadInner() {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      ra[i] = table(Layout::inner, i);
      if constexpr (C::oneInner) continue;
      rf[i] = table(Layout::inner, 4 + i);
      if constexpr (C::transposedTables) continue;
      ria[i] = table(Layout::inner, 8 + i);
      rib[i] = table(Layout::inner, 12 + i);
    }
    if constexpr (C::oneInner)
#pragma unroll
      for (int i = 0; i < 4; i++) rf[(i >> 1) + 2 * (i & 1)] = ra[i];
    if constexpr (C::fullProducts || C::summedProducts)
      for (int i = 0; i < 2; i++) rfMinus[i] = halfNegate(rf[2 + i]);
    if constexpr (C::fullProducts) {
      for (int i = 0; i < 2; i++) {
        riaTurned[i] = halfNegate(ria[2 + i]), riaTurned[2 + i] = ria[i];
        ribTurned[2 * i] = halfNegate(rib[2 * i + 1]), ribTurned[2 * i + 1] = rib[2 * i];
      }
    }
  }
  // oneInner, N2 = 16: the matrices of the way back are the transposed ones of the way there, twice where they give
  // back what the spectrum leaves out (inverseExponent() in tables.h).
  FFC_DEVICE void inverseInner() {
    static_assert(!C::oneInner || (C::pairwise && C::accurate && !C::fullProducts));
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const u32 v = transposed(ra[i]);
      ria[(i >> 1) + 2 * (i & 1)] = C::rowScaled ? v : halfAdd(v, v);
    }
#pragma unroll
    for (int i = 0; i < 4; i++) rib[(i >> 1) + 2 * (i & 1)] = ria[i];
  }
  FFC_DEVICE void loadTables() {
    if constexpr (!C::ownMatrices) loadInner();
    const int own = Layout::frequency + place() * Layout::frequencyRegisters * 32;
    if constexpr (C::ownMatrices) {
#pragma unroll
      for (int i = 0; i < 4; i++) ownRe[i >> 1][i & 1] = table(own, i), ownIm[i >> 1][i & 1] = table(own, 4 + i);
    }
    if constexpr (C::twiddleRegisters) {
#pragma unroll
      for (int b = 0; b < R; b++)
#pragma unroll
        for (int i = 0; i < 8; i++) {
          forward[b][i] = table(own, b * 8 + i);
          if constexpr (!C::transposedTables) backward[b][i] = table(own, (R + b) * 8 + i);
        }
    }
    if constexpr (C::powerProducts && !C::storedPowers) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        stepIn[i] = table(own, Layout::ownRegisters + i);
        stepOut[i] = table(own, Layout::ownRegisters + 4 + i);
      }
    }
    if constexpr (C::turnRegisters) {
#pragma unroll
      for (int i = 0; i < 12; i++) stepTurns[i] = table(own, i);
    }
    if constexpr (C::turnsInCache && C::keepsTurns) {
#pragma unroll
      for (int s = 0; s < 2; s++)
#pragma unroll
        for (int half = 0; half < 2; half++) {
          const uint2 v = loadConstant8(turns() + (turnOut ^ half * 64) + s * 1024);
          const uint2 w = loadConstant8(turns() + (turnNext ^ (1 - half) * 64) + s * 1024);
          u32* b = turnsBack + (2 * s + half) * 4;
          b[0] = v.x, b[1] = v.y, b[2] = w.x, b[3] = w.y;
#pragma unroll
          for (int i = 0; i < 4; i++) keepInRegister(b[i]);
        }
    }
#pragma unroll
    for (int i = 0; i < (Layout::chained || C::turnRegisters ? Layout::chainRegisters : 0); i++) chain[i] = table(Layout::chain, i);
    if constexpr (C::outerRegisters) loadOuter();
  }
  // What needs the tables or waits for them: whatever else a block begins with is better ordered before it.
  FFC_DEVICE void finishTables() {
    // Where rows are scaled the loop stays even if it has nothing to do: the compiler's code was 0.8 % slower without
    // (bfloat16, 1024).
    if constexpr (C::twiddleBytes > 0 || C::rowScaled) {
      const char* source = reinterpret_cast<const char*>(tables() + Layout::image);
      for (int i = threadIndex(); i < C::twiddleBytes / 16; i += threads)
        sharedStore16(image + i * 16, loadTable16(source + i * 16, keepingPolicy()));
    }
    if constexpr (C::ownMatrices) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        ownMinusIm[i >> 1][i & 1] = halfNegate(ownIm[i >> 1][i & 1]);
        backRe[i] = transposed(ownRe[i >> 1][i & 1]), backMinusIm[i] = transposed(ownIm[i >> 1][i & 1]);
      }
#pragma unroll
      for (int i = 0; i < 4; i++) backIm[i] = backMinusIm[i], backMinusIm[i] = halfNegate(backIm[i]);
      finishOuter();
    } else if constexpr (C::transposedTables) {
#pragma unroll
      for (int i = 0; i < 4; i++) ria[i] = transposed(rf[i]), rib[i] = transposed(ra[i]);
      if constexpr (C::twiddleRegisters)
#pragma unroll
        for (int b = 0; b < R; b++)
#pragma unroll
          for (int i = 0; i < 8; i++) backward[b][2 * (2 * (i >> 1 & 1) + (i >> 2)) + (i & 1)] = transposed(forward[b][i]);
      finishOuter();
    }
  }

  FFC_DEVICE void loadOuter() {
    loadOuter(matrixIn, slice(), 0);
    if constexpr (!C::transposedTables) loadOuter(matrixOut, slice(), 2);
  }
  // The last matrix from the first.
  FFC_DEVICE void finishOuter() {
    constexpr float f = float(1 << 2 * C::fixedExponent);
#pragma unroll
    for (int part = 0; part < 2; part++)
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const u32 v = transposed(matrixIn[part][(i & 1) * 2 + (i >> 1)]);
        matrixOut[part][i] = C::fixedExponent ? halfMul(v, packHalf(f, f)) : v;
      }
  }
  // The first or (from 2 on) the last matrix of a slice.
  FFC_DEVICE void loadOuter(u32 (&matrix)[2][4], int slice, int from) const {
    const uint4* source = reinterpret_cast<const uint4*>(tables(slice)) + warp * 128 + lane;
#pragma unroll
    for (int i = 0; i < 2; i += C::sparse ? 2 : 1) {
      const uint4 v = loadTable16(source + (from + i) * 32, keepingPolicy());
      u32(&to)[4] = matrix[i];
      to[0] = v.x, to[1] = v.y, to[2] = v.z, to[3] = v.w;
    }
  }
};

}  // namespace ffc::mma
