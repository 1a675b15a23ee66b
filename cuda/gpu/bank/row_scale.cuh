// By what power of two a row is multiplied, by its largest samples (measure.cuh).
#pragma once
#include "rows.cuh"

namespace ffc::gpu {
namespace {

// Of a row: the power of two that brings its largest sample into [64, 128), or, while it has been scaled by the largest of some, into
// [64, 512); of a row of zeros, any. By a warp.
static_assert(bankParts == 32);
struct RowScale {
  u32 most;
  bool misjudged;  // some are not enough
  FFC_DEVICE RowScale(const BankRows& r, u32 row, bool judge) {
    most = warpMax(loadFresh4(r.largest + int64_t(row) * bankParts + (threadIndex() & 31)));
    misjudged = false;
    if (!judge) return;
    const u32 ofAll = loadFresh4(r.largestOfAll + row);
    misjudged = ofAll >= most + (2u << 23);
    if (misjudged) most = ofAll;
  }
  FFC_DEVICE int exponent() const { return max(-120, min(120, 133 - int(most >> 23))); }
};

}  // namespace
}  // namespace ffc::gpu
