#include "row_instances.cuh"

namespace ffc::gpu {

std::vector<RowInstance> halfRowInstances() { return makeRowList<HalfStorage>(); }

}  // namespace ffc::gpu
