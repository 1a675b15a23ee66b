// The row passes of the fast class.
#include "tensor_row_instances.cuh"

namespace ffc::mma {

void addFastRows(std::vector<TensorRowInstance>& list) { addRows<false>(list); }

}  // namespace ffc::mma
