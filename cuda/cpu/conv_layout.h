// How a row is cut into blocks: which inputs a block reads, which outputs it yields.
#pragma once
#include <algorithm>
#include <cstdint>

#include "../host/problem.h"
#include "../host/window.h"
#include "simd_kernels.h"

namespace ffc {

// The taps that matter: k'[j] = k[first + j], and y[n] = sum_j k'[j] u[n + offset - j]. A circular kernel longer
// than the row is folded to the row's length (folded), k'[j] = sum_m k[j + m L].
struct KernelTaps {
  int64_t first = 0, count = 0, offset = 0;
  bool folded = false;
};

inline KernelTaps kernelTaps(const ConvProblem& p) {
  // A circular kernel without some of its frequencies has all samples of the period.
  if (p.circular() && p.mask) return {0, p.length, 0, true};
  const KernelWindow w = kernelWindow(p);
  return {w.first, w.count, w.offset, p.circular() && p.kernelLength > p.length};
}

// Blocks of `period` real samples, convolved negacyclically: what runs past the end of a block comes back negated
// at its beginning. With one block per row the outputs lie where nothing comes back; with several, each begins
// count - 1 samples early, and the spoilt beginning is dropped. Circular rows always take the second form and read
// their source periodically.
struct BlockLayout {
  int64_t period = 0, segments = 1, step = 0;  // step: outputs per block
  int64_t firstBegin = 0, from = 0;            // source index of the first block; position of its first output

  int64_t begin(int64_t segment) const { return firstBegin + segment * step; }
  OutputSpan outputs(int64_t segment, int64_t outputLength) const {
    return {from, segment * step, std::min(step, outputLength - segment * step)};
  }
};

// The shortest period that does a row in one block.
inline int64_t singleBlockPeriod(const ConvProblem& p, const KernelTaps& k) {
  if (p.circular()) return p.length + k.count - 1;
  return std::max({k.count, k.offset + p.outputLength, p.length + k.count - 1 - k.offset});
}

// One block, which a transform of so many points does as a whole: frequency-sparse, with the frequencies of the pattern.
inline BlockLayout wholeRow(const ConvProblem& p, int64_t points) {
  BlockLayout b;
  b.period = p.circular() ? points : 2 * points;
  b.step = p.outputLength;
  return b;
}

inline BlockLayout blockLayout(const ConvProblem& p, const KernelTaps& k, int64_t period) {
  BlockLayout b;
  b.period = period;
  if (!p.circular() && period >= singleBlockPeriod(p, k)) {
    b.step = p.outputLength;
    b.from = k.offset;
    return b;
  }
  b.step = period - k.count + 1;
  b.segments = (p.outputLength + b.step - 1) / b.step;
  b.from = k.count - 1;
  b.firstBegin = k.offset - b.from;
  return b;
}

}  // namespace ffc
