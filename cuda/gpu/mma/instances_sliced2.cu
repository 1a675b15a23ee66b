// 24576 and 32768 points in two slices.
#include "make_instance.cuh"
#include "rounded_spectrum.h"

namespace ffc::mma {

void addSliced2(std::vector<Instance>& list) {
  addSliced<2>(list);
  list.push_back(makeInstance<RoundedSpectrum<Config<4, true, Element::float16, true, false, false, 2>>>());
}

}  // namespace ffc::mma
