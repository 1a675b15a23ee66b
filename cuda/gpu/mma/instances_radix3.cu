// 12288 points.
#include "make_instance.cuh"

namespace ffc::mma {

void addRadix3(std::vector<Instance>& list) { addAll<3, true>(list); }

}  // namespace ffc::mma
