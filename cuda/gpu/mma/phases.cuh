// The three phases of the fused convolution on one tile, and what a warp keeps for them: constant matrices, twiddles,
// the spectrum of the channel at hand. When they run is the driver's affair (body.cuh). cuda/DESIGN.md has the algebra.
//
// Digits n = n1 | n2 | n3h | n3l and k = k1 + 16 (k2 + N2 (kb + R j)), radices 16, N2, R, 16. A tile is 4096 R points:
// 16 / N2 sequences side by side, told apart by the upper part of the warps' digit w.
//   first   (warp w = n2)  n1 -> k1; the twist by a quarter frequency and the twiddle of n2 are in its matrix
//   middle  (warp w = k1)  n2 -> k2, n3h -> kb, n3l -> j, times the spectrum, and back, all in registers
//   last    (warp w = n2)  k1 -> n1, real part
// Packed samples are two windows of a row, the real and the imaginary part of one complex sequence.
#pragma once
#include "arithmetic.cuh"
#include "config.h"
#include "params.h"
#include "staging.cuh"

namespace ffc::mma {

// Where the middle finds the spectrum of its channel. A skip factor is added when it is fetched.
enum class SpectrumFrom { registers, shared, memory, memoryWithoutSkip, ring, ringWithoutSkip, exchange, exchangeWithoutSkip };

template <class C, class StagingOf = Staging<C>>
struct Phases {
  static constexpr int R = C::R;
  using A = std::conditional_t<C::accurate, FloatArithmetic, HalfArithmetic>;
  // The last sum goes straight into the output's rounding: float wherever more than a half is made of it.
  using Last = std::conditional_t<C::accurate || C::bf16 || C::gated, FloatArithmetic, HalfArithmetic>;
  using Pair = typename A::Pair;
  using Factor = typename A::Factor;
  using Layout = TableLayout<C>;
  static constexpr int middleTables = C::twiddleRegisters ? R : 1;

  const Params& p;
  const int warp, lane, g, c;
  StagingOf staging;
  // Shared memory: exchange buffers, twiddles, the spectrum where it has a place there, this lane's spectrum ring.
  u32 exchange, image, resident = 0, ring;
  u32 addressOuter, addressIn, addressOut, addressStage;  // this lane's row in the respective 8x8 matrices
  u32 matrixIn[2][4], matrixOut[2][4];                    // M and G, real and imaginary
  u32 ra[4], rf[4], ria[4], rib[4];
  // The same matrices times i, for complex products: cosines and sines have changed places.
  u32 rfMinus[2], riaTurned[4], ribTurned[4];
  u32 forward[middleTables][8], backward[middleTables][8];
  // ownMatrices: those over n3l for +f and -f, and the conjugate transpose of both side by side; what a complex product needs of them.
  // The accurate class, whose spectrum takes 16 registers, negates the other operand instead of keeping a negative.
  static constexpr bool keepsNegatives = !C::accurate;
  u32 ownRe[2][2], ownIm[2][2], ownMinusIm[2][2], backRe[4], backIm[4], backMinusIm[4];
  u32 stepIn[4], stepOut[4];  // W: [s][re, im]; backward [s][re, im]
  // fast, radix 3 and 4: the step of the twiddles over kb, forward [t][re, im], backward [half]; or turns, see TableLayout
  u32 chain[8];
  u32 stepTurns[C::turnRegisters ? 12 : 1];
  // accurate: this lane's turns at t = s = 0; at s = half = 0 of the first of two rows and (turnsInCache) of the other
  u32 turnIn, turnOut, turnNext;
  u32 turnsBack[C::turnsInCache ? 16 : 1];  // all of the way back: [s][half][tangent, sine of the first, of the other]
  // The spectrum at +f and -f: halves (re re, im im of +f, then of -f), or floats, one 16-byte piece each.
  static constexpr int binPieces = C::spectrumFloats ? 2 : 1;
  struct Bins {
    uint4 piece[binPieces];
  };
  Bins spectrum[C::spectrumRegisters ? R : 1][2];
  const uint4* spectrumAt[2];
  u32 pieces = 0;  // somePieces: bit 2 b + s is set where this lane's bins of (b, s) have to be read
  // The ring: this lane's pieces of the tile at hand and of the one after it, counted from p.spectrum.
  u32 ringAt[2], ringNext[2];
  u32 upperRows = 0;    // of outputs of rows n1 = 8 + g: what to keep of them, all or nothing
  u32 columnScale[2];  // warpScaled: powers of two of the columns n2 = 2c, 2c + 1 and 2c + 8, 2c + 9
  float skipValue[2];
  float rescale[2];
  int spectrumUntil = -1;  // tiles below this one use the spectrum at hand

  FFC_DEVICE explicit Phases(const Params& params, int thread = threadIndex())
      : p(params), warp(thread >> 5), lane(thread & 31), g(lane >> 2), c(lane & 3), staging(params) {
    exchange = staging.end;
    image = exchange + C::buffers * (C::oneTile || C::slices > 1 ? 1 : p.tilesPerSet) * R * C::blockBytes;
    ring = image + C::twiddleBytes + threadIndex() * 16;
    if constexpr (C::residentBlocks > 0)
      if (p.residentAt) resident = sharedBase() + p.residentAt;
    const int row = lane & 7, matrix = lane >> 3;
    // first stores and last loads rows k1 of this warp's column n2; middle loads and stores rows n2 of its row k1.
    // The XOR spreads eight rows over the eight 16-byte columns of a bank line.
    // With few digits the second half of a product's rows are imaginary parts.
    addressOuter = (matrix >> 1) * halfPlane + (matrix & 1) * (C::sparse ? blockPlane : 8 * 256) + row * 256 + (warp ^ row) * 16;
    addressIn = (matrix >> 1) * (C::ownMatrices ? halfPlane : blockPlane) + place() * 256 + (((matrix & 1) * 8 + row) ^ (place() & 7)) * 16;
    addressOut = (matrix & 1) * halfPlane + place() * 256 + (((matrix >> 1) * 8 + row) ^ (place() & 7)) * 16;
    // Where they come from the cache, sequences that share the tile read those of the first of them.
    const u32 ofTurns = (C::turnsInCache ? 0 : image) + warp * 2048, ofFirst = C::turnsInCache ? g & ((1 << n2Bits()) / 2 - 1) : g;
    turnIn = ofTurns + ofFirst * 128 + turnSlot(ofFirst, 2 * c) * 8;
    const int ofBack = C::turnsInCache ? 2 * c & ((1 << n2Bits()) / 2 - 1) : 2 * c;
    turnOut = ofTurns + ofBack * 128 + turnSlot(ofBack, g) * 8;
    // The row after it has the other half of its slots here, unless there is only one.
    turnNext = C::turnsInCache && n2Bits() == 1 ? turnOut ^ 64 : turnOut + 128;
  }

  // Within an exchange block: this lane's row of the 8x8 matrices of n3h = b (and half t of n3l).
  static constexpr u32 blockPlane = C::blockBytes / 2, halfPlane = blockPlane / 2;
  static constexpr u32 planeBytes = C::rowLayout ? blockPlane * R : blockPlane;
  FFC_DEVICE u32 addressOfInput(int b, int t) const {
    return C::rowLayout ? addressIn ^ ((2 * b + t) * 16) : addressIn + b * C::blockBytes + t * halfPlane;
  }
  FFC_DEVICE u32 addressOfOutput(int b) const {
    return C::rowLayout ? addressOut ^ (b * 32) : addressOut + b * C::blockBytes;
  }

  // Where in tables and exchange blocks the k1 of this warp is, and which it is.
  FFC_DEVICE int place() const { return C::sparse ? warp & (fewDigits - 1) : warp; }
  FFC_DEVICE int digit() const { return C::sparse ? int(p.digits >> (4 * place())) & 15 : warp; }

  // The compiler must not make what follows from these once for all sets: it would keep that in local memory.
  FFC_DEVICE void renewAddresses() {
    keepInRegister(addressOuter), keepInRegister(addressIn), keepInRegister(addressOut);
    if constexpr (C::accurate) keepInRegister(turnIn), keepInRegister(turnOut);
  }

  // The frequencies of the middle at hand are slice, slice + slices, ...
  FFC_DEVICE int slice() const {
    if constexpr (C::slices > 1) return staging.slice;
    return 0;
  }
  FFC_DEVICE const u32* tables() const { return tables(slice()); }
  FFC_DEVICE const u32* tables(int slice) const { return static_cast<const u32*>(p.tables) + slice * Layout::words; }
  FFC_DEVICE u32 table(int offset, int i) const { return loadTable4(tables() + offset + i * 32 + lane, keepingPolicy()); }

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
  // oneInner, N2 = 16: the matrices of the way back are the transposed ones of the way there, twice where they give back what the
  // spectrum leaves out (inverseExponent() in tables.h).
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
    for (int i = 0; i < Layout::chainRegisters; i++) chain[i] = table(Layout::chain, i);
    if constexpr (C::outerRegisters) loadOuter();
  }
  // What needs the tables or waits for them: whatever else a block begins with is better ordered before it.
  FFC_DEVICE void finishTables() {
    // Where rows are scaled the loop stays even if it has nothing to do: the compiler's code was 0.8 % slower without (bfloat16, 1024).
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

  // ---------------------------------------------------------------- constants of the middle

  // W^b, the twiddles of n3h = b, for the row half (forward) or column group (backward) s.
  FFC_DEVICE Factor stepForward(int s) const {
    if constexpr (C::accurate) {
      const uint2 w = turnAt(image + C::imageBytes + warp * 128 + (8 * s + g) * 8);
      return {{asFloat(w.x), asFloat(w.x)}, {asFloat(w.y), asFloat(w.y)}};
    } else if constexpr (C::storedPowers > 0) {
      return sharedFactor(stepsAt(1) + (8 * s + g) * 4);
    } else {
      return A::factor(stepIn[2 * s], stepIn[2 * s + 1]);
    }
  }
  // W of radix 2 lies between none and half a turn: a quarter turn, which is an exchange of registers, and what is left.
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
      const uint4 w = sharedLoad16(image + C::imageBytes + warp * 128 + (8 * s + 2 * c) * 8);
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
  FFC_DEVICE const char* turns() const { return reinterpret_cast<const char*>(tables() + Layout::image); }
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
  // Turns of halves: over n3h by one or two steps, forward for rows of half s, backward for columns of group s; over kb, forward
  // for columns 8t + 2c, backward for rows g + 8 half.
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
  // Step of the twiddle products over kb, e^{-2 pi i n3l / 16R}, for columns 8t + 2c (forward), rows g + 8 half (backward).
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

  // ---------------------------------------------------------------- spectrum of a tile

  FFC_DEVICE int n2Bits() const { return C::oneTile || C::slices > 1 ? 4 : p.log2N2; }
  // Sequence within the tile that row half (or column group) s of this lane belongs to.
  FFC_DEVICE int laneSequence(int s) const { return C::pairwise ? g >> (n2Bits() - 1) : g + 8 * s; }

  FFC_DEVICE int laneChannel(int tile, int s) const {
    const int last = p.batch * p.channels - 1, sequence = (tile << (4 - n2Bits())) + laneSequence(s);
    return staging.channelOf(sequence < last ? sequence : last);
  }
  FFC_DEVICE void locateSpectrum(int tile, int slice, u32 (&at)[2]) const {
    const int n2 = 1 << n2Bits();
#pragma unroll
    for (int s = 0; s < 2; s++) {
      const int j = C::pairwise ? g & (n2 / 2 - 1) : 0, k2 = C::pairwise && s ? n2 - 1 - j : j;
      const u32 source = p.sharedSpectrum ? 0 : laneChannel(tile, s);
      at[s] = ((source * C::halves * C::slices + slice) * (64 * R * n2) + u32(spectrumGroup(R, n2, digit(), 0, k2, c))) * binPieces;
    }
  }
  // Whole rows (and those of a multi-pass scratch): one pointer for each s, which moves on to the next set's spectrum when the last piece has been ordered.
  const char* ringFrom[2];
  int channelSets = 0;       // what is left of the channel, the set at hand included
  int64_t spectrumStep = 0;  // from the spectrum of the set at hand to the next one's
  FFC_DEVICE void startWholeRing() {
    const auto at = staging.positionOf(0);
    channelSets = p.batch - at.row;
#pragma unroll
    for (int s = 0; s < 2; s++) {
      const int64_t group = spectrumGroup(R, 16, warp, 0, s ? 15 - (g & 7) : g & 7, c);
      ringFrom[s] = static_cast<const char*>(p.spectrum) + ((p.sharedSpectrum ? 0 : int64_t(at.channel)) * (1024 * R) + group) * 16;
      fetchWholePiece(s);
    }
  }
  FFC_DEVICE void turnWholeRing(int set) {
    spectrumStep = 0;
    if (--channelSets > 0 || set + 1 >= staging.sets) return;
    const auto next = staging.positionOf(set + 1);
    channelSets = p.batch - next.row;
    if (!p.sharedSpectrum) spectrumStep = int64_t(next.channel - staging.positionOf(set).channel) * (16384 * R);
  }
  FFC_DEVICE void fetchWholePiece(int piece) const {
    copyAsync16(ring + (piece & 1) * (16 * C::ringThreads), ringFrom[piece & 1] + (piece >> 1) * 1024);
    copyAsyncCommit();
  }
  // Piece 2 b + s of the tile at hand, or of the one after it.
  FFC_DEVICE void fetchPiece(const u32 (&at)[2], int piece) const {
    copyAsync16(ring + (piece & 1) * (16 * C::ringThreads),
                static_cast<const uint4*>(p.spectrum) + at[piece & 1] + ((piece >> 1) << (n2Bits() + 2)));
    copyAsyncCommit();
  }
  // Before the first middle(), which finds its first two pieces on the way and orders those of the next tile.
  FFC_DEVICE void startRing(int tile) {
    locateSpectrum(tile, slice(), ringNext);
    fetchPiece(ringNext, 0);
    fetchPiece(ringNext, 1);
  }
  FFC_DEVICE void turnRing(int nextTile) { turnRing(nextTile, slice()); }
  FFC_DEVICE void turnRing(int nextTile, int nextSlice) {
#pragma unroll
    for (int s = 0; s < 2; s++) ringAt[s] = ringNext[s];
    locateSpectrum(nextTile, nextSlice, ringNext);
  }

  // The spectrum that row half (or column group) s of this lane is to use. Returns its exponent.
  FFC_DEVICE int chooseSpectrum(int s, int channel) {
    const int n2 = 1 << n2Bits(), source = p.sharedSpectrum ? 0 : channel;
    const int j = C::pairwise ? g & (n2 / 2 - 1) : 0;
    const int k2 = C::pairwise && s ? n2 - 1 - j : j;
    spectrumAt[s] = static_cast<const uint4*>(p.spectrum) +
                    ((int64_t(source) * C::halves * C::slices + slice()) * (64 * R * n2) + spectrumGroup(R, n2, digit(), 0, k2, c)) * binPieces;
    skipValue[s] = 0;
    rescale[s] = 1;
    const int own = p.exponent[source];
    if (!p.skip) return own;
    // y + d v is one more tap: every frequency of the (placed) spectrum gains d.
    const float d = skipLoad(p.skip, channel, p.skipType) * p.spectrumGain;
    const int exponent = exponentWithSkip<C>(own, d);
    rescale[s] = powerOfTwo(own - exponent);
    skipValue[s] = d * powerOfTwo(-exponent);
    return exponent;
  }
  FFC_DEVICE void fetchSpectrum() {
    if constexpr (C::spectrumRegisters) {
#pragma unroll
      for (int b = 0; b < R; b++)
#pragma unroll
        for (int s = 0; s < 2; s++) spectrum[b][s] = readBins(b, s);
    }
    if constexpr (C::residentBlocks > 0)
      if (C::alwaysResident || resident) keepSpectrum<C::residentBlocks>();
  }

  FFC_DEVICE void loadWholeSpectrum(int set) {
    const auto at = staging.positionOf(set);
    for (int s = 0; s < 2; s++) chooseSpectrum(s, at.channel);
    fetchSpectrum();
    spectrumUntil = set + p.batch - at.row;
  }
  FFC_DEVICE void loadSpectrum(int tile) {
    const int log2Sequences = 4 - n2Bits(), last = p.batch * p.channels - 1;
#pragma unroll
    for (int s = 0; s < 2; s++) {
      const int sequence = (tile << log2Sequences) + laneSequence(s);
      chooseSpectrum(s, staging.channelOf(sequence < last ? sequence : last));
    }
    fetchSpectrum();
    const int first = tile << log2Sequences, channel = staging.channelOf(first < last ? first : last);
    const int64_t end = int64_t(channel + 1) * p.batch;  // first sequence of another channel
    spectrumUntil = int(end >> log2Sequences);
    if (spectrumUntil <= tile) spectrumUntil = tile + 1;
  }

  template <bool withoutSkip = false>
  FFC_DEVICE Bins readBins(int b, int s) const {
    Bins bins;
#pragma unroll
    for (int i = 0; i < binPieces; i++) {
      const uint4* from = spectrumAt[s] + ((b << (n2Bits() + 2)) * binPieces + i);
      if constexpr (C::somePieces) {
        bins.piece[i] = uint4{0, 0, 0, 0};
        loadConstant16If(pieces >> (2 * b + s) & 1, bins.piece[i], from);
      } else {
        bins.piece[i] = C::uniform ? loadFresh16(from) : loadConstant16(from);
      }
    }
    return withSkip<withoutSkip>(bins, s);
  }
  template <bool withoutSkip>
  FFC_DEVICE Bins takePiece(int b, int s) {
    const int piece = 2 * b + s;
    copyAsyncWaitButOne();
    Bins bins;
    bins.piece[0] = sharedLoad16(ring + (piece & 1) * (16 * C::ringThreads));
    if constexpr (C::wholeRows || C::rowLayout) {
      if (piece + 2 >= 2 * R) ringFrom[s] += spectrumStep;
      fetchWholePiece((piece + 2) % (2 * R));
      return C::wholeRows ? bins : withSkip<withoutSkip>(bins, s);
    }
    fetchPiece(piece + 2 < 2 * R ? ringAt : ringNext, (piece + 2) % (2 * R));
    return withSkip<withoutSkip>(bins, s);
  }
  // Both pieces of a block at once, so that the two copies follow one another: before a copy behind a load from shared memory the
  // compiler puts three instructions that do nothing.
  FFC_DEVICE void takeBlock(int b, Bins (&bins)[2]) {
    copyAsyncWaitAll();
#pragma unroll
    for (int s = 0; s < 2; s++) bins[s].piece[0] = sharedLoad16(ring + s * (16 * C::ringThreads));
#pragma unroll
    for (int s = 0; s < 2; s++) {
      if (b + 1 >= R) ringFrom[s] += spectrumStep;
      copyAsync16(ring + s * (16 * C::ringThreads), ringFrom[s] + (b + 1) % R * 1024);
    }
    copyAsyncCommit();
  }
  // ---- a spectrum of halves in the exchange buffer: pieces 2 b + s, just as many as a warp's part of the buffer holds.
  // Those of half t lie where the operands of that half were. A lane reads only what it has copied itself.
  FFC_DEVICE u32 placeOfPiece(u32 block, int piece) const {
    return block + (piece % R) * C::blockBytes + (piece / R) * halfPlane + (lane >> 4) * blockPlane + warp * 256 + (lane & 15) * 16;
  }
  // All operands of half t have been read.
  FFC_DEVICE void orderHalf(u32 block, int t) const {
    static_assert(!C::spectrumInExchange || binPieces == 1);
    warpSync();
#pragma unroll
    for (int piece = t * R; piece < (t + 1) * R; piece++)
      copyAsync16(placeOfPiece(block, piece), spectrumAt[piece & 1] + ((piece >> 1) << (n2Bits() + 2)));
    copyAsyncCommit();
  }
  // Before block b is used.
  FFC_DEVICE void awaitPieces(int b) const {
    if (2 * b + 1 < R)
      copyAsyncWaitButOne();
    else
      copyAsyncWaitAll();
  }
  template <bool withoutSkip>
  FFC_DEVICE Bins pieceOfExchange(u32 block, int b, int s) const {
    Bins bins;
    bins.piece[0] = sharedLoad16(C::halves > 1 ? placeOfSpectrum(block, b, s) : placeOfPiece(block, 2 * b + s));
    return withSkip<withoutSkip>(bins, s);
  }

  // ---- rows of two halves: in the first, the middle also multiplies by the second segment of the kernel, whose products it leaves
  // in device memory (crossTo); in the second it adds them. Either comes in the order of the spectrum, from crossFrom.
  const uint4 *spectrumFrom = nullptr, *crossFrom = nullptr;
  uint4* crossTo = nullptr;  // null in the second half
  // spectrumGroup() of b and this lane's k2 and c: 15 - k2 where s is 1.
  FFC_DEVICE u32 pieceAt(int b, int s) const { return (warp * R + b) * 64 + (lane ^ (s ? 60 : 0)); }
  // A lane has 2 R places in the exchange buffer and two in the ring for twice 2 R pieces. First of all come block 0 of both, block 1
  // of the other, and blocks 1 and 2 of the spectrum, in this order, but for the other's block 0, which the ring takes; then, each in
  // the place of what has been used, block 2 of the other, the spectrum's last one, and block 3 of the other: a block ahead or more.
  FFC_DEVICE u32 placeOfSpectrum(u32 block, int b, int s) const { return placeOfPiece(block, (b == 0 || b == R - 1 ? 0 : 2 * b + 2) + s); }
  FFC_DEVICE u32 placeOfCross(u32 block, int b, int s) const {
    return b & 1 ? placeOfPiece(block, 2 + s) : ring + s * (16 * C::ringThreads);
  }
  FFC_DEVICE void orderSpectrum(u32 block, int b, int s) const { copyAsync16(placeOfSpectrum(block, b, s), spectrumFrom + pieceAt(b, s)); }
  FFC_DEVICE void orderCross(u32 block, int b, int s) const { copyAsync16(placeOfCross(block, b, s), crossFrom + pieceAt(b, s)); }
  // All operands of half t have been read: its places.
  FFC_DEVICE void orderBoth(u32 block, int t) const {
    warpSync();
#pragma unroll
    for (int place = t * R; place < (t + 1) * R; place++) {
      const int two = place >> 1;
      if (two == 1)
        orderCross(block, 1, place & 1);
      else
        orderSpectrum(block, two == 0 ? 0 : two - 1, place & 1);
    }
    copyAsyncCommit();
  }
  // Block b of both has been used.
  FFC_DEVICE void orderNext(u32 block, int b) const {
    if (b + 2 >= R) return;
#pragma unroll
    for (int s = 0; s < 2; s++) {
      orderCross(block, b + 2, s);
      if (b == 0) orderSpectrum(block, R - 1, s);
    }
    copyAsyncCommit();
  }
  // Before block b: of the copies ordered by then, the last ones are for later blocks.
  FFC_DEVICE void awaitBoth(int b) const {
    if (b + 1 < R)
      copyAsyncWaitButOne();
    else
      copyAsyncWaitAll();
  }
  FFC_DEVICE static uint4 scaled(uint4 v, u32 by) { return {halfMul(v.x, by), halfMul(v.y, by), halfMul(v.z, by), halfMul(v.w, by)}; }
  // (plus, minus) times the spectrum at +f and -f, and what the other half has to do with it.
  template <bool withoutSkip>
  FFC_DEVICE void multiplyHalf(u32 block, int b, int s, Pair& plusRe, Pair& plusIm, Pair& minusRe, Pair& minusIm, Factor plus, Factor minus) const {
    static_assert(!C::accurate || C::halves == 1);
    uint4 piece = sharedLoad16(placeOfCross(block, b, s)), sum{0, 0, 0, 0};
    if (s == 1) orderNext(block, b);
    if (crossTo) {
      if (!withoutSkip && p.skip) piece = scaled(piece, packHalf(rescale[s], rescale[s]));
      Pair v[4] = {plusRe, plusIm, minusRe, minusIm};
      A::multiply(v[0], v[1], A::factor(piece.x, piece.y));
      A::multiply(v[2], v[3], A::factor(piece.z, piece.w));
      storePoints(crossTo + pieceAt(b, s), uint4{v[0], v[1], v[2], v[3]});
    } else {
      sum = piece;
      if constexpr (C::rowScaled) sum = scaled(sum, sharedLoad4(staging.crossScaleAt()));
    }
    A::multiplyAdd(plusRe, plusIm, plus, sum.x, sum.y);
    A::multiplyAdd(minusRe, minusIm, minus, sum.z, sum.w);
  }

  template <bool withoutSkip>
  FFC_DEVICE Bins withSkip(Bins bins, int s) const {
    if (!withoutSkip && p.skip) {
      if constexpr (C::spectrumFloats) {
#pragma unroll
        for (int i = 0; i < binPieces; i++) {
          uint4& v = bins.piece[i];
          v.x = floatBits(asFloat(v.x) * rescale[s] + skipValue[s]);
          v.y = floatBits(asFloat(v.y) * rescale[s] + skipValue[s]);
          v.z = floatBits(asFloat(v.z) * rescale[s]);
          v.w = floatBits(asFloat(v.w) * rescale[s]);
        }
      } else {
        const u32 scale = packHalf(rescale[s], rescale[s]), d = packHalf(skipValue[s], skipValue[s]);
        uint4& v = bins.piece[0];
        v.x = halfFma(v.x, scale, d);
        v.y = halfMul(v.y, scale);
        v.z = halfFma(v.z, scale, d);
        v.w = halfMul(v.w, scale);
      }
    }
    return bins;
  }

  // Shared memory: this lane's bins, copied by itself, so that no barrier is needed.
  FFC_DEVICE static u32 residentAt(u32 resident, int b, int s, int i) {
    return resident + (((b * 2 + s) * binPieces + i) * threads + threadIndex()) * 16;
  }
  template <int blocks = R>
  FFC_DEVICE void keepSpectrum() const {
#pragma unroll
    for (int b = 0; b < blocks; b++)
#pragma unroll
      for (int s = 0; s < 2; s++) {
        const Bins bins = readBins(b, s);
#pragma unroll
        for (int i = 0; i < binPieces; i++) sharedStore16(residentAt(resident, b, s, i), bins.piece[i]);
      }
  }
  template <SpectrumFrom where>
  FFC_DEVICE Bins binsOf(int b, int s, u32 block) {
    if constexpr (where == SpectrumFrom::exchange || where == SpectrumFrom::exchangeWithoutSkip) {
      return pieceOfExchange<where == SpectrumFrom::exchangeWithoutSkip>(block, b, s);
    } else if constexpr (where == SpectrumFrom::registers) {
      return spectrum[b][s];
    } else if constexpr (where == SpectrumFrom::shared) {
      Bins bins;
#pragma unroll
      for (int i = 0; i < binPieces; i++) bins.piece[i] = sharedLoad16(residentAt(resident, b, s, i));
      return bins;
    } else if constexpr (where == SpectrumFrom::ring || where == SpectrumFrom::ringWithoutSkip) {
      return takePiece<where == SpectrumFrom::ringWithoutSkip>(b, s);
    } else {
      if (b < C::residentBlocks && (C::alwaysResident || resident)) return binsOf<SpectrumFrom::shared>(b, s, block);
      return readBins<where == SpectrumFrom::memoryWithoutSkip>(b, s);
    }
  }
  FFC_DEVICE static void unpackBins(const Bins& bins, Factor& plus, Factor& minus) {
    if constexpr (C::spectrumFloats) {
      const uint4 v = bins.piece[0], w = bins.piece[1];
      plus = Factor{{asFloat(v.x), asFloat(v.y)}, {asFloat(v.z), asFloat(v.w)}};
      minus = Factor{{asFloat(w.x), asFloat(w.y)}, {asFloat(w.z), asFloat(w.w)}};
    } else {
      plus = A::factor(bins.piece[0].x, bins.piece[0].y);
      minus = A::factor(bins.piece[0].z, bins.piece[0].w);
    }
  }

  // warpScaled: what evens two neighbouring columns out, from the exponents at `at` to that of their row.
  FFC_DEVICE static u32 evenTwo(u32 at, int row) {
    const uint64_t both = sharedLoad8(at);
    return packHalf(powerUpToOne(row - int(u32(both))), powerUpToOne(row - int(u32(both >> 32))));
  }
  // 2^e, e <= 0; nothing where the smallest float ends.
  FFC_DEVICE static float powerUpToOne(int e) { return asFloat(u32(e < -127 ? 0 : e + 127) << 23); }

  // ---------------------------------------------------------------- phases

  // `steady` is code without branches, for the sets for which nothing out of the ordinary is to be done: then the
  // compiler can mix the phases and tiles of an interval.

  // middle: in place on R exchange blocks of 16 KB. `halfway` runs between the way there and the way back, `spectrumUsed`
  // after the last use of the spectrum. `beforeLast`
  // is called before the last results are stored: what the next phase loads there arrives while they are, and registers
  // are free again.
  struct Nothing {
    FFC_DEVICE void operator()() const {}
  };
  template <SpectrumFrom where, class BeforeLast, class Halfway = Nothing, class SpectrumUsed = Nothing>
  FFC_DEVICE void middle(u32 block, BeforeLast&& beforeLast, Halfway&& halfway = {}, SpectrumUsed&& spectrumUsed = {}) {
    if constexpr (C::ownMatrices) return middleOfOwn<where>(block, beforeLast, halfway, spectrumUsed);
    if constexpr (C::turnsInCache) keepInRegister(turnIn);  // or the turns of the way there take registers over all tiles
    u32 ar[R][4], ai[R][4];  // operands of the n3l contraction: [2t + s]
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
          multiplyHalf<where == SpectrumFrom::exchangeWithoutSkip>(block, b, s, plusRe[s], plusIm[s], minusRe[s], minusIm[s], plus[s], minus[s]);
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

  // first: samples, and what their halves leave of products -> one exchange block. Half accumulators round each sum once,
  // as its place in the exchange does; the rest is too small to be rounded off. Two terms would be rounded twice.
  template <int windows>
  FFC_DEVICE void first(const u32 (&u)[windows][4], const u32 (&rest)[windows][4], u32 block) {
    using Sum = std::conditional_t<C::accurate && C::packed, FloatArithmetic, HalfArithmetic>;
    constexpr int parts = C::sparse ? 1 : 2;  // real, imaginary; of few digits both in one
    u32 out[parts][4];
#pragma unroll
    for (int t = 0; t < 2; t++)
#pragma unroll
      for (int part = 0; part < parts; part++) {
        typename Sum::Pair d[2];
        if constexpr (C::splitProduct)
          Sum::dot2(d, matrixIn[part], rest[0][2 * t], rest[0][2 * t + 1], matrixIn[part], u[0][2 * t], u[0][2 * t + 1]);
        else
          Sum::dot(d, matrixIn[part], u[0][2 * t], u[0][2 * t + 1]);
        if constexpr (C::packed) {
          // (Mr + i Mi) (a + i b) = Mr a - Mi b + i (Mi a + Mr b)
          auto add = [&](const u32(&b)[4]) {
            const u32 b0 = part ? b[2 * t] : halfNegate(b[2 * t]), b1 = part ? b[2 * t + 1] : halfNegate(b[2 * t + 1]);
            Sum::dotAdd(d, matrixIn[1 - part], b0, b1);
          };
          if constexpr (C::splitProduct) add(rest[1]);
          add(u[1]);
        }
        out[part][2 * t] = Sum::pack(d[0]), out[part][2 * t + 1] = Sum::pack(d[1]);
      }
#pragma unroll
    for (int part = 0; part < parts; part++)
      storeMatrices(block + addressOuter + part * blockPlane, out[part][0], out[part][1], out[part][2], out[part][3]);
  }

  FFC_DEVICE void first(const u32 (&u)[4], const u32 (&rest)[4], u32 block) {
    const u32 a[1][4] = {{u[0], u[1], u[2], u[3]}}, b[1][4] = {{rest[0], rest[1], rest[2], rest[3]}};
    first(a, b, block);
  }

  // last: one exchange block (xr, xi) -> staged outputs at `stage`: the real part, and of packed samples the imaginary
  // part, which is the real part of -i times the block, over the second window. All times `scale`, a power of two as float
  // bits, if `scaled` (the same for the warp). `keepsZeros`: see upperRows.
  // `look` sees the outputs of the first window before they are stored.
  struct Unseen {
    FFC_DEVICE void operator()(const u32 (&)[4]) const {}
  };
  template <bool keepsZeros = false, bool firstWindow = !C::splitOutputs, class Look = Unseen>
  FFC_DEVICE void last(const u32 (&xr)[4], const u32 (&xi)[4], u32 stage, bool gate, u32 gateAt, bool scaled, u32 scale,
                       Look&& look = {}) {
    // The first window holds no outputs where the history fills it.
    if (firstWindow && (C::wholeWindows || !(C::packed && R == 4) || p.history < R * tilePoints))
      lastWindow<keepsZeros>(xr, xi, stage, gate, gateAt, scaled, scale, look);
    if constexpr (C::packed) {
      u32 minus[4];
#pragma unroll
      for (int i = 0; i < 4; i++) minus[i] = halfNegate(xr[i]);
      const u32 second = staging.windowBytes;
      lastWindow<false>(xi, minus, stage + second, gate, gateAt + second, scaled, scale, Unseen{});
    }
  }
  template <bool keepsZeros, class Look>
  FFC_DEVICE void lastWindow(const u32 (&xr)[4], const u32 (&xi)[4], u32 stage, bool gate, u32 gateAt, bool scaled, u32 scale,
                             Look&& look) {
    u32 out[4], rest[4];
    lastSums(out, rest, xr, xi, gate, gateAt, scaled, scale);
    look(out);
    if constexpr (keepsZeros) out[1] &= upperRows, out[3] &= upperRows;
    storeMatrices(stage, out[0], out[1], out[2], out[3]);
    if constexpr (C::splitOutputs) storeMatrices(stage - staging.windowBytes, rest[0], rest[1], rest[2], rest[3]);
  }
  // `rest`: what the outputs' halves leave of them (splitOutputs).
  FFC_DEVICE void lastSums(u32 (&out)[4], u32 (&rest)[4], const u32 (&xr)[4], const u32 (&xi)[4], bool gate, u32 gateAt, bool scaled,
                           u32 scale) const {
    u32 post[4];
    if constexpr (C::gated)
      if (gate) loadMatrices(gateAt, post[0], post[1], post[2], post[3]);
#pragma unroll
    for (int t = 0; t < 2; t++) {
      typename Last::Pair d[2];
      if constexpr (C::sparse)
        Last::dot(d, matrixOut[0], xr[2 * t], xr[2 * t + 1]);
      else
        Last::dot2(d, matrixOut[0], xr[2 * t], xr[2 * t + 1], matrixOut[1], xi[2 * t], xi[2 * t + 1]);
#pragma unroll
      for (int half = 0; half < 2; half++) {
        if constexpr (std::is_same_v<Last, HalfArithmetic>) {
          out[2 * t + half] = d[half];
        } else {
          float2 v = d[half];
          if (C::gated && scaled) v.x *= asFloat(scale), v.y *= asFloat(scale);
          if constexpr (C::gated)
            if (gate) {
              const float2 f = unpackElements<C>(post[2 * t + half]);
              v.x *= f.x, v.y *= f.y;
            }
          out[2 * t + half] = C::bf16 && !C::gateAtStore ? packBfloat(v.x, v.y) : packHalf(v.x, v.y);
          if constexpr (C::splitOutputs) {
            const float2 rounded = unpackHalf(out[2 * t + half]);
            rest[2 * t + half] = packHalf(v.x - rounded.x, v.y - rounded.y);
          }
          if constexpr (C::bf16 && !C::gated)
            if (scaled) out[2 * t + half] = bfloatMul(out[2 * t + half], bfloatPair(scale));
        }
      }
    }
    if constexpr (!C::rowScaled) {
      if (scaled) {
        const float f = asFloat(scale);
#pragma unroll
        for (int i = 0; i < 4; i++) {
          const float2 v = unpackElements<C>(out[i]);
          out[i] = packHalf(v.x * f, v.y * f);
        }
      }
    }
  }

  // One exchange block that first() has written: what imaginary samples `b`, halves of n1 = 2c and 2c + 1 in column n3l = g, add
  // to it. (Mr + i Mi) i b = -Mi b + i Mr b. Of `count` tiles, at most `most`.
  template <int most>
  FFC_DEVICE void addImaginary(const u32 (&b)[most], u32 block, u32 tileBytes, int count) const {
    u32 sums[most][2][4];
#pragma unroll
    for (int tile = 0; tile < most; tile++)
#pragma unroll
      for (int part = 0; part < 2; part++) {
        u32(&x)[4] = sums[tile][part];
        if (tile < count) loadMatrices(block + tile * tileBytes + addressOuter + part * blockPlane, x[0], x[1], x[2], x[3]);
      }
#pragma unroll
    for (int tile = 0; tile < most; tile++)
#pragma unroll
      for (int part = 0; part < 2; part++) {
        u32(&x)[4] = sums[tile][part];
        if (tile >= count) break;
        u32 sum[2] = {x[0], x[1]};
        mmaHalfAdd(sum, matrixIn[1 - part], part ? b[tile] : halfNegate(b[tile]), 0);
        storeMatrices(block + tile * tileBytes + addressOuter + part * blockPlane, sum[0], sum[1], x[2], x[3]);
      }
  }
};

}  // namespace ffc::mma
