// The part of the kernel that can reach an output, so that no backend transforms taps nobody hears.
#pragma once
#include <algorithm>

#include "problem.h"

namespace ffc {

// Linear modes only. With k'[j] = k[first + j], 0 <= j < count, and full' = u * k':
//   y[n] = full'[n + offset],  0 <= n < outputLength.
// Causal: count <= L. Same: count <= 2L - 1. Full and valid: everything.
struct KernelWindow {
  int64_t first = 0, count = 0, offset = 0;
};

inline KernelWindow kernelWindow(const ConvProblem& p) {
  // y[n] = sum_j k[j] u[n + outputOffset - j] needs 0 <= n + outputOffset - j < L for some n.
  const int64_t first = std::max<int64_t>(0, p.outputOffset - (p.length - 1));
  const int64_t last = std::min(p.kernelLength - 1, p.outputOffset + p.outputLength - 1);
  return {first, last - first + 1, p.outputOffset - first};
}

}  // namespace ffc
