// What a frequency-sparse plan keeps of k = k1 + N1 k2, made on the host: the rows k1 with a kept frequency, and what a
// column transform with digits of its own has to know about them.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "../algorithm.h"
#include "params.h"

namespace ffc::gpu {

struct KeptRowTables {
  std::vector<int16_t> slotOf;     // [N1]: which of the kept rows k1 is, or -1
  std::vector<int16_t> rowOfSlot;  // k1 of each kept row, ascending

  double share() const { return static_cast<double>(rowOfSlot.size()) / static_cast<double>(slotOf.size()); }

  // `all`: where every row is needed although its spectrum may be zero.
  KeptRowTables(const FrequencyMask& mask, int n1, bool all) : slotOf(n1, -1) {
    for (int k1 = 0; k1 < n1; ++k1) {
      bool kept = all;
      for (int64_t k = k1; k < mask.points() && !kept; k += n1) kept = mask.keeps(k);
      if (!kept) continue;
      slotOf[k1] = static_cast<int16_t>(rowOfSlot.size());
      rowOfSlot.push_back(static_cast<int16_t>(k1));
    }
  }
};

// Which pieces of the kept rows' spectrum have a kept frequency, for rows of 4096 Q points on tensor cores: [row][thread] as
// mma::RowParams::pieces has them. A row's frequency is ka + 16 (k2 + 16 (kb + Q j)); thread (ka, lane (g, c)) has k2 = g and 15 - g,
// and of each the j = 2c, 2c + 1 and their mirror images. `most`: look at so many rows only.
struct KeptPieces {
  std::vector<uint8_t> bits;
  double share = 0;  // of the pieces of the kept rows

  KeptPieces(const FrequencyMask& mask, const KeptRowTables& rows, int Q, size_t most)
      : bits(std::min(rows.rowOfSlot.size(), most) * 512) {
    const int64_t n1 = static_cast<int64_t>(rows.slotOf.size());
    size_t kept = 0;
    for (size_t i = 0; i < bits.size(); ++i) {
      const int64_t k1 = rows.rowOfSlot[i / 512 * rows.rowOfSlot.size() / (bits.size() / 512)];
      const int ka = static_cast<int>(i / 32 % 16), g = static_cast<int>(i / 4 % 8), c = static_cast<int>(i % 4);
      for (int b = 0; b < Q; ++b)
        for (int h = 0; h < 2; ++h) {
          bool wanted = false;
          for (const int j : {2 * c, 2 * c + 1, 14 - 2 * c, 15 - 2 * c})
            wanted = wanted || mask.keeps(k1 + n1 * (ka + 16 * ((h ? 15 - g : g) + 16 * (b + int64_t{Q} * j))));
          bits[i] |= static_cast<uint8_t>(wanted << (2 * b + h));
          kept += wanted;
        }
    }
    share = static_cast<double>(kept) / static_cast<double>(bits.size() * static_cast<size_t>(2 * Q));
  }
};

// For a column transform of the given radices (core/fft_shape.h): see KeptRows in params.h.
struct KeptColumnTables {
  uint32_t firstDigits = 0;
  std::vector<int16_t> firstDigitList, butterflies;
  double lastStageShare = 0;  // of the butterflies of the last stage that are computed

  KeptColumnTables(const KeptRowTables& rows, const std::vector<int>& radices) {
    for (const int16_t k1 : rows.rowOfSlot) firstDigits |= 1u << (k1 % radices[0]);
    for (int digit = 0; digit < radices[0]; ++digit)
      if (firstDigits >> digit & 1) firstDigitList.push_back(static_cast<int16_t>(digit));
    const int outer = static_cast<int>(rows.slotOf.size()) / radices.back();
    for (int hi = 0; hi < outer; ++hi) {
      // hi holds the digits before the last one, k_0 slowest; the frequency has k_0 fastest.
      int k1 = 0, span = outer, weight = 1;
      for (size_t j = 0; j + 1 < radices.size(); ++j) {
        span /= radices[j];
        k1 += hi / span % radices[j] * weight;
        weight *= radices[j];
      }
      if (!(firstDigits >> (k1 % radices[0]) & 1)) continue;
      bool kept = false;
      for (int q = 0; q < radices.back(); ++q) kept = kept || rows.slotOf[k1 + q * outer] >= 0;
      butterflies.push_back(static_cast<int16_t>(kept ? hi : -1 - hi));
      lastStageShare += kept ? 1.0 / outer : 0.0;
    }
  }
};

// The same on the device, for as long as a plan lives.
struct KeptOnDevice {
  std::shared_ptr<Buffer> buffer;
  int rows = 0;
  const int16_t* rowOfSlot = nullptr;
  KeptRows columns;
  KeptFrequencies mask;
  double lastStageShare = 1;
  double outerShare = 1;  // of the values of k1 mod 16 that a kept row has

  KeptOnDevice() = default;
  KeptOnDevice(const FrequencyMask& pattern, const KeptRowTables& tables, const std::vector<int>& columnRadices, TableCache& cache) {
    const KeptColumnTables stages(tables, columnRadices);
    // One buffer of 16-bit lists, then the bytes of the pattern.
    std::vector<uint8_t> bytes;
    const auto append = [&](const auto& list) {
      const size_t at = bytes.size();
      bytes.resize(at + list.size() * sizeof(list[0]));
      std::memcpy(bytes.data() + at, list.data(), bytes.size() - at);
      return at;
    };
    const size_t slotOf = append(tables.slotOf), ofSlot = append(tables.rowOfSlot);
    const size_t digits = append(stages.firstDigitList), butterflies = append(stages.butterflies);
    const size_t keep = append(pattern.bytes());
    buffer = cache.planTable(bytes);
    const auto* const base = static_cast<const uint8_t*>(buffer->data());
    const auto list = [&](size_t at) { return reinterpret_cast<const int16_t*>(base + at); };
    rows = static_cast<int>(tables.rowOfSlot.size());
    rowOfSlot = list(ofSlot);
    columns.slotOf = list(slotOf);
    columns.firstDigits = stages.firstDigits;
    columns.firstDigitCount = static_cast<int>(stages.firstDigitList.size());
    columns.firstDigitList = list(digits);
    columns.butterflyCount = static_cast<int>(stages.butterflies.size());
    columns.butterflies = list(butterflies);
    mask = pattern.view();
    mask.keep = base + keep;
    lastStageShare = stages.lastStageShare;
    uint32_t outer = 0;
    for (const int16_t k1 : tables.rowOfSlot) outer |= 1u << (k1 & 15);
    outerShare = 0;
    for (int digit = 0; digit < 16; ++digit) outerShare += (outer >> digit & 1) / 16.0;
  }

  void tell(MultiPassParams& p) const {
    p.rows = rows;
    p.rowOfSlot = rowOfSlot;
    p.kept = columns;
    p.mask = mask;
  }
};

}  // namespace ffc::gpu
