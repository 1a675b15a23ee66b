// 256 points: 16 sequences a tile, one to a warp.
#include "make_instance.cuh"

namespace ffc::mma {

void addRadix1Single(std::vector<Instance>& list) { addAll<1, false>(list); }

}  // namespace ffc::mma
