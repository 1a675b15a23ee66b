// 24576 and 32768 points by clusters of 2 blocks.
#include "make_instance.cuh"

namespace ffc::mma {

void addClusters2(std::vector<Instance>& list) { addClusters<2>(list); }

}  // namespace ffc::mma
