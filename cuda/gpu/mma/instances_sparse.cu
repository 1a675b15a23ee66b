// Frequency-sparse transforms of 8192 to 32768 points with few values of k1. At 4096 points memory is the limit: 1.1 times
// the dense speed at 75 % zeros was not worth two more. 65536 points in slices, of which some are left out.
#include "make_instance.cuh"

namespace ffc::mma {

template <int radix>
static void addFewDigits(std::vector<Instance>& list) {
  list.push_back(makeInstance<Config<radix, true, Element::float16, false, false, false, 1, true>>());
  list.push_back(makeInstance<Config<radix, true, Element::bfloat16, false, false, false, 1, true>>());
}

void addSparse(std::vector<Instance>& list) {
  addFewDigits<2>(list);
  addFewDigits<4>(list);
  addFewDigits<8>(list);
  list.push_back(makeInstance<Config<4, true, Element::float16, false, false, false, 4, true>>());
  list.push_back(makeInstance<Config<4, true, Element::bfloat16, false, false, false, 4, true>>());
}

}  // namespace ffc::mma
