// Which of the 1024 values of a fine bank's number (fine.h) a sample is added to, and with which sign.
#pragma once
#include "rows.cuh"

namespace ffc::gpu {
namespace {

struct FoldTerm {
  int value;  // of v[r], v[511 - r], v[512 + r], v[1023 - r]
  bool minus;
};
// Sample 512 c + 256 + r of cell c, or 255 - r (`mirrored`), which is place 511 - r of the cell before; for number m. Both modulo 8.
FFC_DEVICE constexpr FoldTerm foldTerm(int m, int c, bool mirrored) {
  const int cell = (c + (mirrored ? 7 : 0)) & 7, quarter = cell & 3;
  // Even numbers: place 1024 + q is minus place 1023 - q. Odd ones: the same without the minus, and all places in reverse.
  constexpr int even[2][4] = {{0, 2, 3, 1}, {1, 3, 2, 0}}, odd[2][4] = {{3, 1, 0, 2}, {2, 0, 1, 3}};
  const bool turned = (cell >> 2) != ((m >> 1) & 1);  // 2048 places further; numbers 2 and 3 of four
  return m % 2 == 0 ? FoldTerm{even[mirrored][quarter], turned != (quarter >= 2)} : FoldTerm{odd[mirrored][quarter], turned};
}

}  // namespace
}  // namespace ffc::gpu
