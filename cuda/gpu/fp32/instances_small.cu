// Up to 1024 points: several rows in a block of 128 threads, each row's threads within one warp.
#include "make_instance.cuh"

namespace ffc::gpu {

void addSmallInstances(std::vector<Fp32Instance>& list) {
  //                       parts  rows  min blocks  threads  radices
  list.push_back(makeInstance<false, 32, 4, 4, 4, 4>());     // 16
  list.push_back(makeInstance<false, 32, 4, 4, 6, 4>());     // 24
  list.push_back(makeInstance<false, 32, 4, 4, 8, 4>());     // 32
  list.push_back(makeInstance<false, 32, 4, 4, 12, 4>());    // 48
  list.push_back(makeInstance<false, 16, 4, 8, 8, 8>());     // 64
  list.push_back(makeInstance<false, 16, 4, 8, 12, 8>());    // 96
  list.push_back(makeInstance<false, 16, 4, 8, 16, 8>());    // 128
  list.push_back(makeInstance<false, 8, 4, 16, 12, 16>());   // 192
  list.push_back(makeInstance<false, 8, 5, 16, 16, 16>());   // 256
  list.push_back(makeInstance<false, 8, 4, 16, 24, 16>());   // 384
  list.push_back(makeInstance<false, 8, 4, 16, 16, 32>());   // 512
  list.push_back(makeInstance<false, 4, 4, 32, 24, 32>());   // 768
  list.push_back(makeInstance<false, 4, 4, 32, 32, 32>());   // 1024
}

}  // namespace ffc::gpu
