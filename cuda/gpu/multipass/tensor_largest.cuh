// The largest sample of a sequence, from what the first pass left of its tiles (largestCode(), tensor_params.h). A lane reads four
// codes at once; the kernels that do may have started before the first pass ended, so these are not constants to them.
#pragma once
#include "../mma/arithmetic.cuh"
#include "tensor_params.h"

namespace ffc::mma {

// Maxima of codes in either half of a word, from others and four more codes.
FFC_DEVICE u32 largerCodes(u32 pair, u32 four) {
  return largerHalves(pair, largerHalves(four & 0x00ff00ffu, four >> 8 & 0x00ff00ffu));
}
FFC_DEVICE int largestOfWarp(u32 pair) {
  const u32 low = pair & 0xffffu, high = pair >> 16;
  return int(warpMax(low > high ? low : high));
}

// Those of up to 128 words_ tiles, which lie in the registers of a warp until they are looked at.
template <int words_>
struct TileCodes {
  u32 word[words_];
  FFC_DEVICE void fetch(const uint8_t* tiles, int log2Tiles, int lane) {
#pragma unroll
    for (int i = 0; i < words_; i++) {
      const int at = i * 128 + lane * 4;
      word[i] = at >> log2Tiles ? 0 : loadFresh4(tiles + at);
    }
  }
  FFC_DEVICE int largest() const {
    u32 pair = 0;
#pragma unroll
    for (int i = 0; i < words_; i++) pair = largerCodes(pair, word[i]);
    return largestOfWarp(pair);
  }
};

}  // namespace ffc::mma
