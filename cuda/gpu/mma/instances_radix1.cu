// 512, 1024, 2048 and 4096 points.
#include "make_instance.cuh"

namespace ffc::mma {

void addRadix1(std::vector<Instance>& list) { addAll<1, true>(list); }

}  // namespace ffc::mma
