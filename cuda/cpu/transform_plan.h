// Chooses the levels of a transform and computes its factors.
#pragma once
#include <functional>
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
  // quarters: 1 or 0, see Transform.
  TransformPlan(int64_t points, int lanes, int quarters = 1);
  const Transform& transform() const { return transform_; }

  // From now on, blocks without a kept frequency are skipped. keeps(k) is asked for every 0 <= k < points.
  void skip(const std::function<bool(int64_t)>& keeps);
  // Calls visit(place, k) for every number of a spectrum: its real part is at float `place`, its imaginary part
  // `lanes` further on, and it belongs to the frequency k - quarters / 4.
  void eachFrequency(const std::function<void(int64_t place, int64_t k)>& visit) const;

 private:
  Transform transform_;
  std::vector<int32_t> keptGroups_;
  FloatBlock twiddles_, laneFactors_, laneSteps_;
};

}  // namespace ffc
