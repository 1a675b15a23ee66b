// The column passes of the accurate class.
#include "tensor_column_instances.cuh"

namespace ffc::mma {

void addAccurateColumns(std::vector<TensorColumnInstance>& list) { addColumns<true>(list); }

}  // namespace ffc::mma
