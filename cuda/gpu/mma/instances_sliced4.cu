// 49152 and 65536 points in four slices.
#include "make_instance.cuh"

namespace ffc::mma {

void addSliced4(std::vector<Instance>& list) { addSliced<4>(list); }

}  // namespace ffc::mma
