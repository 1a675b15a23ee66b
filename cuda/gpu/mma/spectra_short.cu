// Kernel transforms up to 4096 points.
#include "make_spectrum.cuh"

namespace ffc::mma {

void addShortSpectra(std::vector<SpectrumInstance>& list) {
  list.push_back(makeSpectrum<1, 32, 16, 16>());       // 256
  list.push_back(makeSpectrum<1, 32, 32, 16>());       // 512
  list.push_back(makeSpectrum<1, 64, 8, 8, 16>());     // 1024
  list.push_back(makeSpectrum<1, 64, 12, 8, 16>());    // 1536
  list.push_back(makeSpectrum<1, 128, 16, 8, 16>());   // 2048
  list.push_back(makeSpectrum<1, 128, 24, 8, 16>());   // 3072
  list.push_back(makeSpectrum<1, 256, 16, 16, 16>());  // 4096
}

}  // namespace ffc::mma
