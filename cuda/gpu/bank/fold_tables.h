// The tables of a fold (fold.h): the filters' weights, and the slots' cosines in fours of a class.
#pragma once
#include <cmath>
#include <vector>

#include "fold.h"

namespace ffc::gpu {

struct FoldTables {
  std::vector<float> weights, coefficients;  // FoldParams

  // Fours of slots, of each class; for the planner.
  static int foursOf(const FilterBank& bank) {
    int slots[foldClasses] = {}, fours = 0;
    for (int slot = 0; slot < bank.slots(); slot++) slots[classOf(bank, slot)]++;
    for (const int count : slots) fours += (count + slotsOfQuad - 1) / slotsOfQuad;
    return fours;
  }

  // Tells the parameters which slots have come to lie where.
  FoldTables(const FilterBank& bank, FoldParams& params) {
    constexpr int rate = coarseRate;
    for (const bool atEnd : {false, true})
      for (int pair = 0; pair < pairsOfRow; pair++)
        for (int t = 0; t < (atEnd ? endCells : foldCells); t++)
          weights.push_back(static_cast<float>((atEnd ? 1 : 2) * FilterBank::filterOf(bank.filters(), atEnd).tap(rate * t + rate - 1 - pair)));
    for (int c = 0; c < foldClasses; c++) {
      std::vector<int> slots;
      for (int slot = 0; slot < bank.slots(); slot++)
        if (classOf(bank, slot) == c) slots.push_back(slot);
      for (size_t first = 0; first < slots.size(); first += slotsOfQuad) {
        const auto slotOf = [&](int j) { return first + j < slots.size() ? slots[first + j] : -1; };
        for (const bool second : {false, true})
          for (int pair = 0; pair < pairsOfRow; pair++)
            for (int j = 0; j < slotsOfQuad; j++)
              coefficients.push_back(slotOf(j) < 0 ? 0.0f : static_cast<float>(coefficient(bank, slotOf(j), pair, second)));
        for (int j = 0; j < slotsOfQuad; j++)
          params.slotsOf[params.quads] |= (slotOf(j) < 0 ? noSlot : static_cast<uint32_t>(slotOf(j))) << (8 * j);
        params.quads++;
      }
      params.endOfClass[c] = params.quads;
    }
  }

 private:
  static int classOf(const FilterBank& bank, int slot) {
    if (bank.atEnd(slot)) return 2;
    const int turns = (2 * bank.blockOf(slot) + 1) % 8;
    return turns == 1 || turns == 7 ? 0 : 1;
  }
  // Of a pair's P or Q.
  static double coefficient(const FilterBank& bank, int slot, int pair, bool second) {
    if (bank.atEnd(slot)) return bank.blockOf(slot) == 0 ? !second : second ? (pair % 2 ? 1 : -1) : 0;
    const double angle = bank.center(slot) * ((coarseRate - 1) / 2.0 - pair);
    return second ? (bank.reversed(slot) ? 1 : -1) * std::sin(angle) : std::cos(angle);
  }
};

}  // namespace ffc::gpu
