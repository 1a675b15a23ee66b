// Packed samples, for kernels much shorter than their rows: blocks of 32768 samples.
#include "make_instance.cuh"

namespace ffc::mma {

void addPackedLong(std::vector<Instance>& list) {
  list.push_back(makeInstance<Config<4, true, Element::float16, false, false, true>>());
  list.push_back(makeInstance<Config<4, true, Element::float16, false, true, true>>());
  list.push_back(makeInstance<Config<4, true, Element::float16, true, false, true>>());
  list.push_back(makeInstance<Config<4, true, Element::float16, true, true, true>>());
  list.push_back(makeInstance<Config<4, true, Element::bfloat16, false, false, true>>());
  list.push_back(makeInstance<Config<4, true, Element::bfloat16, false, true, true>>());
}

}  // namespace ffc::mma
