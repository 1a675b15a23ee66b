// Everything that a warp and its lanes keep for the rows beyond what they keep for the phases (mma/phases/state.cuh), and how it begins. All of
// it is in one struct, in this order, because the compiler's code depends on both, as there.
#pragma once
#include "../../mma/phases.cuh"
#include "../tensor_config.h"
#include "../tensor_params.h"

namespace ffc::mma {

// A row comes and goes by plain copies; there is nothing to stage.
template <int Q, bool accurate, bool pieces>
struct Staging<RowConfig<Q, accurate, pieces>> {
  u32 end;
  FFC_DEVICE explicit Staging(const Params&) : end(sharedBase()) {}
};

template <class C>
struct RowState : Phases<C> {
  using Base = Phases<C>;
  using typename Base::Bins;
  using Base::lane, Base::warp, Base::g, Base::c, Base::addressOuter, Base::addressIn, Base::addressOut, Base::image;
  using Base::binPieces, Base::planeBytes, Base::loadTables, Base::finishTables;
  static constexpr int Q = C::R, rows = C::rows;

  const RowParams& q;
  const int slots, ahead;  // sets are loaded so many intervals before their middle
  u32 factors, barriers, turn, exponents;  // `turn`: the barrier between intervals
  u32 turnParity = 0;
  int uniformWarp;       // `warp`, which the compiler does not know to be the same in all lanes
  bool bulk;             // bulk copies, which complete on a barrier per slot; otherwise every thread copies
  Bins bins[rows][Q][2];
  u32 factorAt;          // this lane's factors, within those of a row
  u32 binsAt[2];         // this lane's bins at +f and -f, within the spectrum of a row
  // The row that first() takes next: its channel, how many more rows the channel has, where the row's spectrum lies.
  int channel, channelLeft;
  const char* spectrumRow;
  int channelAt[rows];   // whose spectrum is at hand
  // Some phases' operands are fetched while another phase computes; where registers are short, each when it is needed.
  static constexpr bool mixed = Q == 1 && !C::accurate;
  // The threads that issue bulk copies, of warps which have no factors to make.
  // In the long order the one fills what the other has stored.
  static constexpr int storer = threads - 32, loader = C::longOrder ? storer : threads - 64;

  FFC_DEVICE explicit RowState(const RowParams& params) : Base(params), q(params), slots(params.slots), ahead(params.slots - 3) {
    uniformWarp = int(warpMax(warp));
    loadTables();
    finishTables();
    factors = image + C::twiddleBytes + C::ringBytes;
    barriers = factors + C::factorBytes;
    const int row = lane & 7, half = lane >> 3 & 1, other = lane >> 4, w = warp;
    addressOuter = pieceAt(half * 8 + row, w, other);
    addressIn = other * planeBytes + pieceAt(w, half * 8 + row, 0);
    addressOut = pieceAt(w, other * 8 + row, half);
    factorAt = ((w * Q >> (q.halfTiles ? 1 : 2)) * 8 + c * 2) * 4;
    for (int h = 0; h < 2; h++) {
      const int k2 = h ? 15 - g : g;
      binsAt[h] = u32(C::somePieces ? pieceGroup(Q, w, 0, k2, c) : spectrumGroup(Q, 16, w, 0, k2, c)) * binPieces * 16;
    }
    // The compiler would rather make these again for every row.
    keepInRegister(addressOuter), keepInRegister(addressIn), keepInRegister(addressOut);
    keepInRegister(factorAt), keepInRegister(binsAt[0]), keepInRegister(binsAt[1]);
    bulk = hasTensorCopies && q.useMaps;
    if (threadIndex() == loader)
      for (int i = 0; i < slots && bulk; i++) barrierInit(barriers + i * 8);
    turn = barriers + slots * 8;
    exponents = turn + C::splitBarriers * 8;
    splitInit(turn);
  }

  // Piece h of (n1, n2) at n3h = 0; n3h and h are an XOR with (2 n3h + h) * 16.
  FFC_DEVICE static u32 pieceAt(int n1, int n2, int h) {
    const int number = (n1 * 16 + n2) * 2 * Q + h, group = number >> 3;
    return group * 128 + ((number ^ pieceTurn(group, C::log2Q)) & 7) * 16;
  }
};

}  // namespace ffc::mma
