// The tables of a fine filter bank of 16-bit rows (HalfFineTables).
#pragma once
#include "fine_entries.h"
#include "fine_half.h"
#include "fragments.h"

namespace ffc::gpu {

struct HalfFineWords : FineEntries {
  std::vector<uint32_t> outer, outerBack, inner, innerBack;
  std::vector<int16_t> slots;
  uint8_t firstTile[fineK0 + 1] = {};

  explicit HalfFineWords(const FilterBank& bank) : FineEntries(bank, std::sqrt(double{fineRate})) {
    for (int t0 = 0; t0 < fineT0; t0++)
      for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
          addFragment(outer, 0, [&](int row, int column) { return outerEntry(t0, 16 * i + row, 16 * j + column); });
          addFragment(outerBack, 0, [&](int row, int column) { return outerEntry(t0, backRow(16 * j + column), 16 * i + row); });
        }
    for (int k0 = 0; k0 < fineK0; k0++) {
      std::vector<int16_t> rows;
      for (int slot = 0; slot < bank.slots(); slot++)
        if (frequencyOf(bank, slot) % fineK0 == k0) rows.push_back(static_cast<int16_t>(slot));
      for (size_t first = 0; first < rows.size(); first += fineRowsOfTile) addTile(bank, rows, first);
      firstTile[k0 + 1] = static_cast<uint8_t>(slots.size() / fineRowsOfTile);
    }
  }

  // Tiles of rows, for the planner.
  static int tilesOf(const FilterBank& bank) {
    int rows[fineK0] = {}, tiles = 0;
    for (int slot = 0; slot < bank.slots(); slot++) rows[frequencyOf(bank, slot) % fineK0]++;
    for (const int n : rows) tiles += (n + fineRowsOfTile - 1) / fineRowsOfTile;
    return tiles;
  }

 private:
  // e^{-2 pi i x}, of which row `part` multiplies the real or the imaginary part.
  static double partOf(double x, int part, int column) {
    const std::complex<double> e = turnOf(x);
    return part == 0 ? (column == 0 ? e.real() : -e.imag()) : (column == 0 ? e.imag() : e.real());
  }
  static double innerEntry(const FilterBank& bank, int slot, int t0, int column) {
    const int k1 = frequencyOf(bank, slot) / fineK0, imaginary = isImaginary(bank, slot);
    return (imaginary ? -1 : 1) * partOf((t0 + 0.25) * k1 / fineK1, imaginary, column) / std::sqrt(double{fineT0});
  }
  // Rows: k0 of the real part, then of the imaginary part. Columns are those of a line of values: for two t1 their real and imaginary parts, t1 and
  // t1 + 8; pairs of t1 are exchanged where t0 is odd.
  static double outerEntry(int t0, int row, int column) {
    const int k0 = row % fineK0, t1 = (column / 4 ^ (t0 & 1)) + 8 * (column / 2 % 2);
    return partOf((t0 + 0.25) * (k0 + 0.25) / fineRate + t1 * (k0 + 0.25) / fineT1, row / fineK0, column % 2) / std::sqrt(double{fineT1});
  }
  // On the way back the parts of a k0 are neighbours.
  static int backRow(int index) { return index / 2 + fineK0 * (index % 2); }
  void addTile(const FilterBank& bank, const std::vector<int16_t>& rows, size_t first) {
    const auto slotOf = [&](int row) { return first + row < rows.size() ? rows[first + row] : int16_t{-1}; };
    const auto entry = [&](int row, int t0, int column) { return slotOf(row) < 0 ? 0 : innerEntry(bank, slotOf(row), t0, column); };
    for (int step = 0; step < 4; step++) {
      addFragment(inner, 0, [&](int row, int column) { return entry(row, 8 * step + column / 2, column % 2); });
      // Rows are 16 t0, of the real part or of the imaginary one.
      addFragment(innerBack, 0, [&](int row, int column) { return entry(column, 16 * (step / 2) + row, step % 2); });
    }
    for (int row = 0; row < fineRowsOfTile; row++) slots.push_back(slotOf(row));
  }
};

}  // namespace ffc::gpu
