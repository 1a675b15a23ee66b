// Frequency-sparse transforms of 4096 to 32768 points with few values of k1, and of 32768 and 65536 points of which one slice is computed.
// Where memory is the limit there are none: at 4096 points in the fast class 1.1 times the dense speed at 75 % zeros was not worth
// two more, at 8192 points with gates 1.02 times, nor were 1.0 at 16384 points in the accurate class with gates, where one tile a set leaves
// half of the warps without a middle.
#include "make_instance.cuh"

namespace ffc::mma {

template <int radix, Element element, bool accurate, bool gated, int slices = 1>
static void add(std::vector<Instance>& list) {
  list.push_back(makeInstance<Config<radix, true, element, accurate, gated, false, slices, true>>());
}
template <int radix, bool gated, int slices = 1>
static void addFast(std::vector<Instance>& list) {
  add<radix, Element::float16, false, gated, slices>(list);
  add<radix, Element::bfloat16, false, gated, slices>(list);
}

void addSparse(std::vector<Instance>& list) {
  addFast<2, false>(list);
  addFast<4, false>(list);
  addFast<8, false>(list);
  addFast<4, true>(list);
  add<1, Element::float16, true, false>(list);
  add<2, Element::float16, true, false>(list);
  add<4, Element::float16, true, false>(list);
  add<2, Element::float16, true, true>(list);
}

// Two slices in the fast class take 1.1 times as long as four digits of all 32768 points, and as long as eight.
void addOneSlice(std::vector<Instance>& list) {
  add<4, Element::float16, true, false, 2>(list);
  add<4, Element::float16, true, false, 4>(list);
  addFast<4, false, 4>(list);
  addFast<4, true, 4>(list);
}

}  // namespace ffc::mma
