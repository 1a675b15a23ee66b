// Matrices as mma.sync takes them.
#pragma once
#include <cmath>
#include <cstdint>
#include <vector>

#include "../mma/tables.h"

namespace ffc::gpu {

// Words of a left operand, [lane][4]: entry(row, column) of 16 x 16, times 2^exponent.
template <class Entry>
void addFragment(std::vector<uint32_t>& words, int exponent, Entry&& entry) {
  for (int lane = 0; lane < 32; lane++)
    for (int i = 0; i < 4; i++) {
      const int row = lane / 4 + 8 * (i & 1), column = 2 * (lane % 4) + 8 * (i >> 1);
      words.push_back(mma::halfPair(std::ldexp(entry(row, column), exponent), std::ldexp(entry(row, column + 1), exponent)));
    }
}

}  // namespace ffc::gpu
