// The column passes of the fast class.
#include "tensor_column_instances.cuh"

namespace ffc::mma {

void addFastColumns(std::vector<TensorColumnInstance>& list) { addColumns<false>(list); }

}  // namespace ffc::mma
