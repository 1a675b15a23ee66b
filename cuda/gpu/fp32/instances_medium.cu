// 1536 to 6144 points: one row a block, several blocks an SM, so that one block's loads hide behind another's
// arithmetic.
#include "make_instance.cuh"

namespace ffc::gpu {

void addMediumInstances(std::vector<Fp32Instance>& list) {
  list.push_back(makeInstance<false, 2, 4, 64, 24, 8, 8>());     // 1536
  list.push_back(makeInstance<false, 1, 6, 128, 16, 8, 16>());   // 2048
  list.push_back(makeInstance<false, 1, 8, 64, 12, 16, 16>());   // 3072
  list.push_back(makeSparseInstance<1, 3, 256, 16, 16, 16>());   // 4096
  list.push_back(makeInstance<false, 1, 4, 128, 24, 16, 16>());  // 6144
}

}  // namespace ffc::gpu
