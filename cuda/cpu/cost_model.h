// What each way of running a problem on the CPU costs, for the planner.
#pragma once
#include <cstdint>
#include <vector>

#include "../planner/candidate.h"
#include "conv_layout.h"

namespace ffc {

struct CpuCandidate {
  Candidate cost;
  int64_t points = 0;    // of the complex transform; 0 for DIRECT
  int64_t segments = 1;  // blocks per row
  int64_t step = 0;      // outputs per block
  double blockNs = 0;    // one block on one thread
  bool split = false;    // all threads share one transform, one row after the other
  bool ofPattern = false;  // the transform has the frequencies of the problem's pattern
};

// Direct sums, and every length of transform that may pay: one that covers a row, or blocks of a row.
std::vector<CpuCandidate> cpuCandidates(const ConvProblem& problem, const KernelTaps& taps, int lanes, int threads,
                                        const Constants& constants);

}  // namespace ffc
