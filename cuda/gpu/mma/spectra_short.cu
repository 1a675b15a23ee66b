// Kernel transforms up to 4096 points.
#include "make_spectrum.cuh"

namespace ffc::mma {

void addShortSpectra(std::vector<SpectrumInstance>& list) {
  // Two warps and smaller steps: a block holds one channel, and its steps wait for each other. A fresh kernel each call takes
  // 1.16 times the call at 256 and 512 points, where (16, 16) and (32, 16) by one warp took 1.24 and 1.27.
  list.push_back(makeSpectrum<1, 64, 4, 4, 16>());     // 256
  list.push_back(makeSpectrum<1, 64, 4, 8, 16>());     // 512
  list.push_back(makeSpectrum<1, 64, 8, 8, 16>());     // 1024
  list.push_back(makeSpectrum<1, 128, 16, 8, 16>());   // 2048
  list.push_back(makeSpectrum<1, 256, 16, 16, 16>());  // 4096
}

}  // namespace ffc::mma
