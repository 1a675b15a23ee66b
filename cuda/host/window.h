// The part of the kernel that can reach an output, so that no backend transforms taps nobody hears.
#pragma once
#include <algorithm>

#include "problem.h"

namespace ffc {

// Linear modes: with k'[j] = k[first + j], 0 <= j < count, and full' = u * k':
//   y[n] = full'[n + offset],  0 <= n < outputLength.
// Causal: count <= L. Same: count <= 2L - 1. Full and valid: everything.
// Circular mode: k' is the kernel summed modulo the period L, so first = offset = 0 and count <= L.
struct KernelWindow {
  int64_t first = 0, count = 0, offset = 0;
};

inline KernelWindow kernelWindow(const ConvProblem& p) {
  if (p.circular()) return {0, std::min(p.kernelLength, p.length), 0};
  // y[n] = sum_j k[j] u[n + outputOffset - j] needs 0 <= n + outputOffset - j < L for some n.
  const int64_t first = std::max<int64_t>(0, p.outputOffset - (p.length - 1));
  const int64_t last = std::min(p.kernelLength - 1, p.outputOffset + p.outputLength - 1);
  return {first, last - first + 1, p.outputOffset - first};
}

// Real samples that a ring must have for one negacyclic transform to do a whole row. Linear: no wanted output may
// share its place with another sample of the full product; samples before or behind the outputs may. Circular: the
// taps and their image one period earlier, so that what wraps comes from the image.
inline int64_t ringSamples(const ConvProblem& p, const KernelWindow& w) {
  if (p.circular()) return 2 * p.length;
  return std::max({w.offset + p.outputLength, p.length + w.count - 1 - w.offset, p.length, w.count});
}

}  // namespace ffc
