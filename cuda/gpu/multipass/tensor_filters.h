// The filters between samples and a ring of 1 / rate of their number (host/resampling.h) as matrices: sixteen numbers of the ring, or 32
// samples, are a product of what they are made of, and of coefficients that are the same everywhere but for a sign.
//   down   K = 24 rate samples, from 8 rate before those of the first number on; 16 numbers
//   up     K = 16 numbers of the ring (rate 2: 24), two or three pieces; 32 samples
// They are the right operand of mma (16 x 8, tables.h of mma). The result gives a lane columns 2c, 2c + 1 of each product; columns are
// dealt so that all of a lane's are neighbours: column 2c + e of product b is number 4c + 2b + e of 16, sample 8c + 2b + e of 32.
#pragma once
#include <cstdint>
#include <vector>

#include "../../host/element_values.h"
#include "../../host/resampling.h"
#include "../mma/tables.h"
#include "tensor_config.h"

namespace ffc::mma {

// In 32-bit words.
template <class C>
struct FilterTables {
  // down [part][step of 16 samples][lane][product, half of the 16]; up [part][is the first piece odd][step][lane][4 of 4 products, 2 or 3
  // pieces of 8].
  static constexpr int down = 0, up = C::downBytes / 4;
  // Coefficients of the first numbers, as floats, [number][tap]: for those behind the ring.
  static constexpr int ends = up + C::upBytes / 4, taps = (1 + ringNeighbours) * C::rate;
  static constexpr int words = ends + ringNeighbours * taps;
};

inline uint16_t bfloatBits(double x) {
  const uint32_t bits = floatWord(x);
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// bfloat: of the matrices down, whose samples come as they are.
template <class C>
std::vector<uint32_t> makeFilterTables(const Resampling& filters, bool bfloat) {
  using Layout = FilterTables<C>;
  constexpr int D = C::rate;
  std::vector<uint32_t> table(Layout::words);
  // What `part` parts before leave of an entry, as an element.
  const auto element = [](double x, int part, bool bf16) {
    if (part == 1) x -= bf16 ? bfloatValue(bfloatBits(x)) : halfValue(halfBits(x));
    return bf16 ? bfloatBits(x) : halfBits(x);
  };
  for (int lane = 0; lane < 32; lane++) {
    const int g = lane >> 2, c = lane & 3, pair = g >> 1, e = g & 1;
    for (int part = 0; part < C::downParts; part++)
      for (int step = 0; step < C::downSteps; step++)
        for (int i = 0; i < 4; i++) {
          const int number = 4 * pair + 2 * (i >> 1) + e, k = 16 * step + 2 * c + 8 * (i & 1);
          const auto entry = [&](int sample) {
            return element(filters.coefficient(number, D * (number + 1 + ringNeighbours) - 1 - sample), part, bfloat);
          };
          table[Layout::down + ((part * C::downSteps + step) * 32 + lane) * 4 + i] = entry(k) | uint32_t(entry(k + 1)) << 16;
        }
    for (int part = 0; part < C::upParts; part++)
      for (int odd = 0; odd < 2; odd++)
        for (int i = 0; i < 4 * C::upSteps; i++) {
          const int sample = 8 * pair + 2 * (i / C::upSteps) + e, k = 2 * c + 8 * (i % C::upSteps);
          const auto entry = [&](int number) {
            return element(filters.coefficient(8 * odd + number, D * number + D - 1 - sample), part, false);
          };
          table[Layout::up + (((part * 2 + odd) * C::upSteps + i / 4) * 32 + lane) * 4 + i % 4] = entry(k) | uint32_t(entry(k + 1)) << 16;
        }
  }
  for (int number = 0; number < ringNeighbours; number++)
    for (int tap = 0; tap < Layout::taps; tap++) table[Layout::ends + number * Layout::taps + tap] = floatWord(filters.coefficient(number, tap));
  return table;
}

}  // namespace ffc::mma
