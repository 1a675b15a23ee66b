// The CPU engine's model: nanoseconds, measured on one core of an AMD EPYC of the Zen 5 family, float32, the best of
// many runs. The time of causal rows of 256 to 32768 points divided by their vectors is a straight line in the number
// of doublings, and within 6% of what these numbers give.
#pragma once
#include <vector>

#include "shipped_constant.h"

namespace ffc {

constexpr const char* cpuTableSource = "shipped; measured on one core of an AMD EPYC (Zen 5)";

inline std::vector<ShippedConstant> cpuTable(int lanes) {
  std::vector<ShippedConstant> table = {
      {"cpu/block", 30},        // per block: bookkeeping and partial vectors
      {"cpu/directVector", 1.5},  // per vector of a direct row: reading and writing it
      {"cpu/barrier", 8000},    // a loop over the threads begins and ends
      {"cpu/sharing", 0.85},    // part of the threads' sum that is reached when they share one transform
      {"efficiency", 1},        // calibration scales each family's model
      {"latency", 2000},        // a call handed to the stream's thread
  };
  // level: there and back, per vector of two parts and per doubling. edges: per vector, reading, writing, the step
  // across the lanes, the product. tap: direct sums, one tap of one vector of outputs.
  const auto add = [&](double level, double edges, double tap) {
    table.insert(table.end(), {{"cpu/level", level}, {"cpu/edges", edges}, {"cpu/tap", tap}});
  };
  if (lanes == 16) add(0.88, 7.7, 0.27);
  else if (lanes == 8) add(0.85, 7.3, 0.21);
  else add(0.95, 6.2, 0.175);
  return table;
}

}  // namespace ffc
