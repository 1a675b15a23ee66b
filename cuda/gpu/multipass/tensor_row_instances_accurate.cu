// The row passes of the accurate class.
#include "tensor_row_instances.cuh"

namespace ffc::mma {

void addAccurateRows(std::vector<TensorRowInstance>& list) { addRows<true>(list); }

}  // namespace ffc::mma
