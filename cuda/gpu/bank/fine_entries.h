// What the tables of a fine filter bank (fine.h), of 16-bit rows and of floats, are made of.
#pragma once
#include <cmath>
#include <complex>
#include <vector>

#include "fine.h"

namespace ffc::gpu {

struct FineEntries {
  // [tap of the cells][r] of a column r, 2 h times `scale`.
  std::vector<float> weights;

  FineEntries(const FilterBank& bank, double scale) {
    const SlotFilter& filter = FilterBank::filterOf(bank.filters(), false);
    const int cells = bank.filters().cells;
    for (int i = 0; i < cells; i++)
      for (int r = 0; r < fineColumns; r++) weights.push_back(static_cast<float>(2 * scale * filter.tap(fineRate * (cells - 1 - i) + fineColumns - 1 - r)));
  }

 protected:
  // k of a slot, whose real part or negative imaginary part it is.
  static int frequencyOf(const FilterBank& bank, int slot) {
    const int b = bank.blockOf(slot);
    return isImaginary(bank, slot) ? (fineValues - 1 - b) / 2 : b / 2;
  }
  static bool isImaginary(const FilterBank& bank, int slot) { return bank.blockOf(slot) % 2; }
  // e^{-2 pi i x}
  static std::complex<double> turnOf(double x) { return std::polar(1.0, -2 * SlotFilter::pi * x); }
};

}  // namespace ffc::gpu
