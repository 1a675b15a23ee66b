// 8192 points.
#include "make_instance.cuh"

namespace ffc::mma {

void addRadix2(std::vector<Instance>& list) { addAll<2, true>(list); }

}  // namespace ffc::mma
