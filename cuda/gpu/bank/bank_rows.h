// Which rows a pass of a filter bank works on, and where their numbers lie.
#pragma once
#include <cstdint>

#include "../../host/problem.h"

namespace ffc::gpu {

// A row's largest sample is looked for in so many parts, of each in every `bankSampled`-th piece of 512 bytes.
constexpr int bankParts = 32, bankSampled = 8;
// The exponent of a slot whose kernel has no taps.
constexpr int32_t exponentOfNothing = -1000;

// Rows of the problem are numbered channel by channel. Those that share their spectra are a group: a channel's, or all of them. A chunk
// has `groups` groups from firstGroup on, of each the `rows` rows from firstRow on, and numbers of these, [group][slot][row][pitch].
// A chunk has fewer than 2^32 tiles, a problem fewer than 2^32 rows.
struct BankChunk {
  uint32_t firstGroup = 0, groups = 1, firstRow = 0, rows = 1;
};

struct BankRows {
  const void *u = nullptr, *pre = nullptr, *post = nullptr;  // absent gates are null
  const void* skip = nullptr;                                // per channel, or null
  int32_t skipType = 0;                                      // FFC_DTYPE_* of skip
  void* y = nullptr;
  Strides uStride, preStride, postStride, yStride;
  int32_t length = 0, outputLength = 0;
  uint32_t batch = 1, rowsOfGroup = 1;  // rows of a channel
  BankChunk chunk;
  void* numbers = nullptr;   // halves or floats
  int32_t slots = 0, pitch = 0;
  int32_t count = 0;         // numbers of a row, pitch of them at most
  int32_t around = 0;        // circular: `count`, numbers after which a row begins again, and as many times 32 samples
  // Float bits: [row of the chunk][bankParts], and of all samples, [row of the chunk]. Null where rows are not measured: float32, float16
  // without a gate.
  uint32_t *largest = nullptr, *largestOfAll = nullptr;
  const int32_t* exponents = nullptr;  // of halves, [group][slot]: what the slots make is to be multiplied by 2^exponent
};

}  // namespace ffc::gpu
