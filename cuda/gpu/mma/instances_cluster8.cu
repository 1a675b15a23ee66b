// 98304 and 131072 points by clusters of 8 blocks.
#include "make_instance.cuh"

namespace ffc::mma {

void addClusters8(std::vector<Instance>& list) { addClusters<8>(list); }

}  // namespace ffc::mma
