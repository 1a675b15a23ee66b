#include "column_instances.cuh"

namespace ffc::gpu {

std::vector<ColumnInstance> floatColumnInstances() { return makeColumnList<FloatStorage>(); }

}  // namespace ffc::gpu
