// One way of running a problem, counted before anything is allocated, and what the cost model makes of it.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "constants.h"

namespace ffc {

// One launch (or one of `launches` alike), in totals of a forward call. Bytes are counted at each level they pass:
// what comes from device memory also passes the second-level cache.
struct Pass {
  double launches = 1;
  double tensorFlops = 0, coreFlops = 0;
  double deviceBytes = 0, l2Bytes = 0, sharedBytes = 0;
  // Equal pieces of work, and how many of them the device works on at full speed: the last round may be half empty (a
  // block alone on a multiprocessor has it for itself, so blocks that share one count as one after the other). A pipeline
  // that works on several pieces at a time fills and drains `filling` times more than others.
  double units = 1, slots = 1, filling = 0;
};

struct Candidate {
  std::string name;        // unique among the candidates of a problem; ffc_plan_create_candidate() forces it
  std::string family;      // "fused-mma", "direct", ...
  std::string key;         // of its efficiency and latency, see Constants
  int32_t algorithm = 0;   // FFC_ALGORITHM_*
  bool windowed = false;   // cuts rows into pieces with transforms of their own (overlap-save)
  std::vector<int> radices;
  int64_t points = 0, segments = 1;  // of one transform, transforms of a row; 0 points for a direct sum
  std::vector<Pass> passes;
  // Launches more (or fewer) than those of `passes`, because the context's scratch limit is not the usual one. They count
  // in the prediction, but not in the ranking: which candidate is taken, and so every bit of a result, must not depend
  // on the limit.
  double launchesOfLimit = 0;
  double modelNs = 0;  // not 0: a backend's own model of the work (the CPU's) instead of the limits below
};

// Nanoseconds that each limit alone would take for a pass, with every unit busy.
struct PassLimits {
  double deviceNs = 0, l2Ns = 0, sharedNs = 0, tensorNs = 0, coreNs = 0;
};

struct Prediction {
  std::vector<PassLimits> passes;
  // Over all passes.
  double deviceNs = 0, l2Ns = 0, sharedNs = 0, tensorNs = 0, coreNs = 0;
  double floorNs = 0;    // the slowest limit of each pass, unfilled rounds included, summed
  double launches = 0, latencyNs = 0, totalNs = 0;
  double rankNs = 0;       // totalNs at the usual scratch limit
  double efficiency = 1;  // what the constants make of the floor: totalNs = floorNs / efficiency + latencyNs
  const char* bottleneck = "";
};

// Sum over passes of
//   launches x latency + limits x (rounds + extra) x slots / units / efficiency,
//   rounds = ceil(units / slots), extra = fill x (1 + filling) x rounds / (rounds + 4)
// with the constants of the candidate's traits. Tensor cores and the others share the issue slots of a multiprocessor, so
// their times add up; memories work beside them, and what takes nearly as long as the slowest costs a little beside it:
//   limits = ((device / d)^4 + (l2 / l)^4 + (shared / s)^4 + (issue / i)^4)^(1/4), d, l, s, i the part of each that is reached
Prediction predict(const Candidate& candidate, const Constants& constants);

// Totals over the passes.
Pass totalOf(const Candidate& candidate);

}  // namespace ffc
