#include "column_instances.cuh"

namespace ffc::gpu {

std::vector<ColumnInstance> halfColumnInstances() { return makeColumnList<HalfStorage>(); }

}  // namespace ffc::gpu
