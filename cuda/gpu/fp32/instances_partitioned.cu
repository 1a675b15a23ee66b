// Shapes that sum over several parts of a kernel that is longer than one transform carries: any length on any
// device, at a cost that grows with the number of parts.
#include "make_instance.cuh"

namespace ffc::gpu {

void addPartitionedInstances(std::vector<Fp32Instance>& list) {
  list.push_back(makeInstance<true, 1, 2, 256, 16, 16, 16>());    // 4096: 34 KB of shared memory
  list.push_back(makeInstance<true, 1, 1, 512, 16, 8, 4, 16>());  // 8192: fits where a block has 99 KB
}

}  // namespace ffc::gpu
