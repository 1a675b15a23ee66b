// Rows of 98304 and 131072 samples, two halves in four slices. The accurate class and gates have no room for the second segment of
// the kernel beside the rest; three passes serve them.
#include "make_instance.cuh"

namespace ffc::mma {

void addHalves(std::vector<Instance>& list) {
  list.push_back(makeInstance<Config<3, true, Element::float16, false, false, false, 4, false, 2>>());
  list.push_back(makeInstance<Config<3, true, Element::bfloat16, false, false, false, 4, false, 2>>());
  list.push_back(makeInstance<Config<4, true, Element::float16, false, false, false, 4, false, 2>>());
  list.push_back(makeInstance<Config<4, true, Element::bfloat16, false, false, false, 4, false, 2>>());
}

}  // namespace ffc::mma
