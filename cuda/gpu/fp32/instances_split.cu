// Transforms over a cluster of two blocks.
#include "split_conv.cuh"

namespace ffc::gpu {

void addSplitInstances(std::vector<Fp32Instance>& list) {
  list.push_back(makeSplitInstance<512, 16, 32, 32>());  // 32768
}

}  // namespace ffc::gpu
