// 24576 and 32768 points in two slices.
#include "make_instance.cuh"

namespace ffc::mma {

void addSliced2(std::vector<Instance>& list) { addSliced<2>(list); }

}  // namespace ffc::mma
