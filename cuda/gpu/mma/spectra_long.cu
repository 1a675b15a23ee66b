// Kernel transforms of more than 4096 points.
#include "make_spectrum.cuh"

namespace ffc::mma {

void addLongSpectra(std::vector<SpectrumInstance>& list) {
  list.push_back(makeSpectrum<1, 256, 16, 32, 16>());    // 8192
  list.push_back(makeSpectrum<1, 256, 24, 32, 16>());    // 12288
  list.push_back(makeSpectrum<1, 512, 16, 8, 8, 16>());  // 16384
  list.push_back(makeSpectrum<2, 256, 24, 32, 16>());    // 24576
  list.push_back(makeSpectrum<2, 512, 16, 8, 8, 16>());  // 32768
  list.push_back(makeSpectrum<4, 256, 24, 32, 16>());    // 49152
  list.push_back(makeSpectrum<4, 512, 16, 8, 8, 16>());  // 65536
  list.push_back(makeHalvesSpectrum<4, 256, 24, 32, 16>());    // twice 49152
  list.push_back(makeHalvesSpectrum<4, 512, 16, 8, 8, 16>());  // twice 65536
}

}  // namespace ffc::mma
