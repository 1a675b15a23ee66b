// How a filter bank's sums are taken apart in float32, for the device functions and for those who make their tables.
//
// A row of samples is cut into rows of D = 32; number m is made of 16 of them, u_i with i = m - t, 0 <= t < 16, under a filter a_t. The
// cosines of all slots repeat with the other sign after four of these rows, so for each column q first (a fold)
//   V_j[q] = sum over i = j mod 4 of (-1)^floor(i / 4) a_{m-i}[q] u_i[q],   W_c[q] = sum_j V_j[q] e^{-i pi c j / 4},   c = 1, 3
// and then, since 2 b + 1 = s c modulo 8 with a sign s, a slot needs (host/filter_bank.h; x_q = 31/2 - q)
//   d_b[m] = sum_q Re{i^m e^{i s w_b x_q} W_c[q]}
// which of columns q and 31 - q, a pair, is alpha P_c + beta Q_c with alpha = cos(w_b x_q), beta = -s sin(w_b x_q) and, but for signs,
//   P = Re(W[q] + W[31-q]), Q = Im(W[q] - W[31-q])  of even numbers,   P = Im(W[q] + W[31-q]), Q = Re(W[31-q] - W[q])  of odd ones.
// A number takes 16 x (32 + 6 + 2 slots) multiply-adds, where the filters themselves would take 512 for each slot. The slots at both
// ends have another filter, of eight rows, and no phase: c = 0, P and Q the sum and the difference of a pair. The way back is the transpose.
#pragma once
#include "../../host/filter_bank.h"
#include "bank_rows.h"

namespace ffc::gpu {

constexpr int foldCells = filtersOfFloats.cells, endCells = filtersOfFloats.endCells, beforeEndCells = (foldCells - endCells) / 2;
constexpr int pairsOfRow = coarseRate / 2;
static_assert(foldCells == 16 && coarseRate == 32, "signs and classes repeat after eight rows, registers turn after 16");
// Slots of a class are padded to fours. Sixteen in two classes and at the ends: at most six fours.
constexpr int slotsOfQuad = 4, mostQuads = 6, foldClasses = 3;
constexpr uint32_t noSlot = 0xff;

// Half a warp goes through a piece of a row of the tensor, numbers or rows of samples; 16 at a time, a chunk. What comes before a piece is
// read twice, or (on the way back) computed twice, one chunk of each piece.
constexpr int chunkNumbers = 16, mostPieceNumbers = 256;
constexpr int foldWarps = 4, foldThreads = 32 * foldWarps;

// How so many numbers of a row are cut, and how many are computed for them, rounded up to whole chunks of two halves.
struct FoldPieces {
  int numbers, unitsOfRow;
  explicit FoldPieces(int64_t ofRow) {
    const int64_t half = (ofRow + 2 * chunkNumbers - 1) / (2 * chunkNumbers) * chunkNumbers;
    numbers = static_cast<int>(half < mostPieceNumbers ? half : mostPieceNumbers);
    unitsOfRow = static_cast<int>((ofRow + 2 * numbers - 1) / (2 * numbers));
  }
  double computed(int64_t ofRow, bool back) const {
    const int64_t last = ofRow - (unitsOfRow - 1) * 2 * int64_t{numbers}, ofLast = last < numbers ? last : numbers;
    const int64_t chunks = (unitsOfRow - 1) * int64_t{numbers / chunkNumbers} + (ofLast + chunkNumbers - 1) / chunkNumbers;
    return 2.0 * chunkNumbers * static_cast<double>(chunks + (back ? unitsOfRow : 0));
  }
};

struct FoldParams {
  BankRows rows;
  // [pair][t] of the slots between the ends, of those at the ends: of column `pair`; of the other one in reverse.
  const float* weights = nullptr;
  const float* coefficients = nullptr;   // [quad][alpha, beta][pair][slot of the quad]
  uint32_t slotsOf[mostQuads] = {};      // a byte for each slot of a quad; noSlot: padding
  int32_t quads = 0, endOfClass[foldClasses] = {};  // quads of a class lie before its end
  uint32_t units = 0, unitsOfRow = 1;    // of a warp: two pieces of a row
  int32_t pieceNumbers = 0;

  void cut(const FoldPieces& pieces) {
    pieceNumbers = pieces.numbers;
    unitsOfRow = static_cast<uint32_t>(pieces.unitsOfRow);
    units = rows.chunk.groups * rows.chunk.rows * unitsOfRow;
  }
};

}  // namespace ffc::gpu
