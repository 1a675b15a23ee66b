// 8192 points and more: shared memory holds one to three rows per SM. A radix of 32 saves a trip through shared
// memory; it stands where no kernel spectrum has to be held beside it, if possible.
#include "make_instance.cuh"

namespace ffc::gpu {

void addLargeInstances(std::vector<Fp32Instance>& list) {
  list.push_back(makeSparseInstance<1, 2, 256, 16, 32, 16>());   // 8192
  list.push_back(makeInstance<false, 1, 2, 256, 24, 32, 16>());  // 12288
  list.push_back(makeSparseInstance<1, 1, 512, 16, 32, 32>());   // 16384
  list.push_back(makeInstance<false, 1, 1, 512, 24, 32, 32>());  // 24576
}

}  // namespace ffc::gpu
