// Everything that a warp and its lanes keep for the phases, most of it in registers: constant matrices, twiddles, the
// spectrum at hand, and where in shared memory the rest is. All of it is in one struct, because the compiler's code
// depends on the order and the places of these members: kernels that use up their registers come out otherwise when
// some of them move to the files that use them.
#pragma once
#include "../arithmetic.cuh"
#include "../config.h"
#include "../params.h"
#include "../staging.cuh"

namespace ffc::mma {

template <class C, class StagingOf>
struct PhaseState {
  static constexpr int R = C::R;
  using A = std::conditional_t<C::accurate, FloatArithmetic, HalfArithmetic>;
  using Pair = typename A::Pair;
  using Factor = typename A::Factor;
  using Layout = TableLayout<C>;
  static constexpr int middleTables = C::twiddleRegisters ? R : 1;

  const Params& p;
  const int warp, lane, g, c;
  StagingOf staging;
  // Shared memory: exchange buffers, twiddles, the spectrum where it has a place there, this lane's spectrum ring.
  u32 exchange, image, resident = 0, ring;
  u32 addressOuter, addressIn, addressOut;  // this lane's row in the respective 8x8 matrices
  alignas(8) u32 matrixIn[2][4], matrixOut[2][4];  // M and G, real and imaginary; aligned, see above
  // The middle's matrices: over n2 and n3l on the way there, over j and k2 on the way back.
  u32 ra[4], rf[4], ria[4], rib[4];
  // The same matrices times i, for complex products: cosines and sines have changed places.
  u32 rfMinus[2], riaTurned[4], ribTurned[4];
  // twiddleRegisters: the twiddles of n3l for every kb, [b][2 (2t + s)] there and [b][2 (2s + half)] back, each real
  // part followed by its imaginary part.
  u32 forward[middleTables][8], backward[middleTables][8];
  // ownMatrices: those over n3l for +f and -f, and the conjugate transpose of both side by side; what a complex product
  // needs of them. The accurate class, whose spectrum takes 16 registers, negates the other operand instead of keeping
  // a negative.
  static constexpr bool keepsNegatives = !C::accurate;
  u32 ownRe[2][2], ownIm[2][2], ownMinusIm[2][2], backRe[4], backIm[4], backMinusIm[4];
  u32 stepIn[4], stepOut[4];  // W: [s][re, im]; backward [s][re, im]
  // fast, radix 3 and 4: the step of the twiddles over kb, forward [t][re, im], backward [half]; or turns, see
  // TableLayout
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
  u32 pieces = 0;      // somePieces: bit 2 b + s is set where this lane's bins of (b, s) have to be read
  // The ring: this lane's pieces of the tile at hand and of the one after it, counted from p.spectrum.
  u32 ringAt[2], ringNext[2];
  u32 upperRows = 0;   // of outputs of rows n1 = 8 + g: what to keep of them, all or nothing
  u32 columnScale[2];  // warpScaled: powers of two of the columns n2 = 2c, 2c + 1 and 2c + 8, 2c + 9
  float skipValue[2];
  float rescale[2];
  int spectrumUntil = -1;  // tiles below this one use the spectrum at hand
  // Whole rows (and those of a multi-pass scratch): one pointer for each s, which moves on to the next set's spectrum
  // when the last piece has been ordered.
  const char* ringFrom[2];
  int channelSets = 0;       // what is left of the channel, the set at hand included
  int64_t spectrumStep = 0;  // from the spectrum of the set at hand to the next one's
  // Rows of two halves (spectrum_in_exchange.cuh): where the spectrum and the products of the other half come from, and
  // where those of the first half go.
  const uint4 *spectrumFrom = nullptr, *crossFrom = nullptr;
  uint4* crossTo = nullptr;  // null in the second half

  FFC_DEVICE explicit PhaseState(const Params& params, int thread = threadIndex())
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
    const u32 ofTurns = (C::turnsInCache ? 0 : image) + place() * 2048, ofFirst = C::turnsInCache ? g & ((1 << n2Bits()) / 2 - 1) : g;
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

  FFC_DEVICE int n2Bits() const { return C::oneTile || C::slices > 1 ? 4 : p.log2N2; }
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
};

}  // namespace ffc::mma
