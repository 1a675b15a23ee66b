// 16384 points.
#include "make_instance.cuh"

namespace ffc::mma {

void addRadix4(std::vector<Instance>& list) { addAll<4, true>(list); }

}  // namespace ffc::mma
