// 24576 and 32768 points in two slices; and rings of filter banks, of 8192, 16384 and 32768.
#include "make_instance.cuh"
#include "rounded_spectrum.h"

namespace ffc::mma {

void addSliced2(std::vector<Instance>& list) {
  addSliced<2>(list);
  list.push_back(makeInstance<Config<1, true, Element::float16, false, false, false, 2>>());
  list.push_back(makeInstance<RoundedSpectrum<Config<1, true, Element::float16, true, false, false, 2>>>());
  list.push_back(makeInstance<Config<2, true, Element::float16, false, false, false, 2>>());
  list.push_back(makeInstance<RoundedSpectrum<Config<2, true, Element::float16, true, false, false, 2>>>());
  list.push_back(makeInstance<RoundedSpectrum<Config<4, true, Element::float16, true, false, false, 2>>>());
}

}  // namespace ffc::mma
