// 49152 and 65536 points by clusters of 4 blocks.
#include "make_instance.cuh"

namespace ffc::mma {

void addClusters4(std::vector<Instance>& list) { addClusters<4>(list); }

}  // namespace ffc::mma
