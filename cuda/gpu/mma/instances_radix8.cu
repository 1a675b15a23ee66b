// 32768 points. A tile fills shared memory: there is no room to stage gates.
#include "make_instance.cuh"

namespace ffc::mma {

void addRadix8(std::vector<Instance>& list) {
  list.push_back(makeInstance<Config<8, true, Element::float16, false, false>>());
  list.push_back(makeInstance<Config<8, true, Element::bfloat16, false, false>>());
}

}  // namespace ffc::mma
