// Chooses the levels of a transform and computes its factors.
#pragma once
#include <vector>

#include "scratch.h"
#include "simd_kernels.h"

namespace ffc {

// Radices of a transform of vectors * lanes points, first level first; empty if this length is not offered.
std::vector<int> transformRadices(int64_t vectors, int lanes);

// All lengths offered up to the first that is at least `points`, ascending.
std::vector<int64_t> transformLengths(int64_t points, int lanes);

// From this length on, lane factors are kept in factored form (see Transform).
bool lanesAreFactored(int64_t points);

class TransformPlan {
 public:
  TransformPlan(int64_t points, int lanes);
  const Transform& transform() const { return transform_; }

 private:
  Transform transform_;
  FloatBlock twiddles_, laneFactors_, laneSteps_;
};

}  // namespace ffc
