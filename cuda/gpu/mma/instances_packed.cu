// Packed samples, for kernels much shorter than their rows: blocks of 8192 and 16384 samples.
#include "make_instance.cuh"

namespace ffc::mma {

void addPacked(std::vector<Instance>& list) {
  list.push_back(makeInstance<Config<1, true, Element::float16, false, false, true>>());
  list.push_back(makeInstance<Config<1, true, Element::float16, false, true, true>>());
  list.push_back(makeInstance<Config<1, true, Element::float16, true, false, true>>());
  list.push_back(makeInstance<Config<1, true, Element::float16, true, true, true>>());
  list.push_back(makeInstance<Config<1, true, Element::bfloat16, false, false, true>>());
  list.push_back(makeInstance<Config<1, true, Element::bfloat16, false, true, true>>());
  list.push_back(makeInstance<Config<2, true, Element::float16, false, false, true>>());
  list.push_back(makeInstance<Config<2, true, Element::float16, false, true, true>>());
  list.push_back(makeInstance<Config<2, true, Element::float16, true, false, true>>());
  list.push_back(makeInstance<Config<2, true, Element::bfloat16, false, false, true>>());
  list.push_back(makeInstance<Config<2, true, Element::bfloat16, false, true, true>>());
}

}  // namespace ffc::mma
