// Predicts what each way of running a problem costs and picks the cheapest.
#pragma once
#include <cstdint>
#include <vector>

#include "conv_layout.h"

namespace ffc {

struct Candidate {
  int32_t algorithm = FFC_ALGORITHM_DIRECT;
  int64_t points = 0;      // of the complex transform; 0 for DIRECT
  int64_t segments = 1;    // blocks per row
  int64_t step = 0;        // outputs per block
  bool split = false;      // all threads share one transform, one row after the other
  double blockNs = 0;      // one block on one thread
  double totalNs = 0;      // everything, on all threads
};

// The best of each algorithm that the problem allows, cheapest first.
std::vector<Candidate> candidates(const ConvProblem& problem, const KernelTaps& taps, int lanes, int threads);

}  // namespace ffc
