#include "row_instances.cuh"

namespace ffc::gpu {

std::vector<RowInstance> floatRowInstances() { return makeRowList<FloatStorage>(); }

}  // namespace ffc::gpu
