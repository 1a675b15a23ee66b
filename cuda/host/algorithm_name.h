// The names of algorithms in texts and in plan.explain(); the same words as in the TypeScript module.
#pragma once
#include <cstdint>

#include "../include/flashfftconv.h"

namespace ffc {

inline const char* algorithmName(int32_t algorithm) {
  switch (algorithm) {
    case FFC_ALGORITHM_AUTO: return "auto";
    case FFC_ALGORITHM_DIRECT: return "direct";
    case FFC_ALGORITHM_FFT: return "fft";
    case FFC_ALGORITHM_OVERLAP_SAVE: return "overlap-save";
    case FFC_ALGORITHM_FUSED_MMA: return "fused-mma";
    case FFC_ALGORITHM_FUSED_FP32: return "fused-fp32";
    case FFC_ALGORITHM_MULTI_PASS: return "multi-pass";
  }
  return "unknown";
}

}  // namespace ffc
