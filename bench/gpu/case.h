// One problem of the bench: shape, type, class, how its rows lie, which device it stands in for, and how exact it must be.
#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "../../cuda/include/flashfftconv.h"
#include "sparse.h"

namespace bench {

inline int64_t bytesOf(int dtype) { return dtype == FFC_DTYPE_FLOAT32 ? 4 : 2; }

inline void store(void* data, int64_t i, int dtype, float v) {
  if (dtype == FFC_DTYPE_FLOAT32) static_cast<float*>(data)[i] = v;
  if (dtype == FFC_DTYPE_FLOAT16) static_cast<__half*>(data)[i] = __float2half_rn(v);
  if (dtype == FFC_DTYPE_BFLOAT16) static_cast<__nv_bfloat16*>(data)[i] = __float2bfloat16_rn(v);
}

inline double load(const void* data, int64_t i, int dtype) {
  if (dtype == FFC_DTYPE_FLOAT32) return static_cast<const float*>(data)[i];
  if (dtype == FFC_DTYPE_FLOAT16) return __half2float(static_cast<const __half*>(data)[i]);
  return __bfloat162float(static_cast<const __nv_bfloat16*>(data)[i]);
}

inline const char* const dtypeNames[] = {"", "float32", "float16", "bfloat16"};
inline const char* const modeNames[] = {"", "causal", "circular", "full", "same", "valid"};
inline const char* const algorithmNames[] = {"auto", "direct", "fft", "overlap-save", "fused-mma", "fused-fp32", "multi-pass"};

struct Case {
  int mode = FFC_MODE_CAUSAL, dtype = FFC_DTYPE_FLOAT32, kernelDtype = FFC_DTYPE_FLOAT32;
  int precision = FFC_PRECISION_DEFAULT, algorithm = FFC_ALGORITHM_AUTO;
  uint32_t flags = 0;
  int64_t batch = 1, channels = 1, length = 1, kernelLength = 1;
  int64_t rowGap = 0;       // extra elements between rows of u, gates and y (an odd number leaves them unaligned)
  bool inPlace = false;
  int64_t sharedLimit = 0;  // pretend a smaller device
  bool portable = false;
  bool hostArrays = false;  // through ffc_convolve_host
  int64_t checkedRows = 24;
  std::string candidate;  // of the planner's, by name
  Pattern pattern;          // frequency-sparse

  int gates() const { return !!(flags & FFC_CONV_PRE_GATE) + !!(flags & FFC_CONV_POST_GATE); }
  std::string name() const {
    std::string s = std::string(modeNames[mode]) + "/" + dtypeNames[dtype] + "/" + algorithmNames[algorithm] + "/B" +
                    std::to_string(batch) + "/H" + std::to_string(channels) + "/L" + std::to_string(length) + "/K" +
                    std::to_string(kernelLength) + "/g" + std::to_string(gates());
    if (kernelDtype != FFC_DTYPE_FLOAT32) s += std::string("/k-") + dtypeNames[kernelDtype];
    if (precision) s += precision == FFC_PRECISION_FAST ? "/fast" : "/accurate";
    if (flags & FFC_CONV_SKIP) s += "/skip";
    if (flags & FFC_CONV_SHARED_KERNEL) s += "/shared";
    if (rowGap) s += "/gap" + std::to_string(rowGap);
    if (inPlace) s += "/in-place";
    if (sharedLimit) s += "/smem" + std::to_string(sharedLimit);
    if (portable) s += "/portable";
    if (hostArrays) s += "/host";
    if (!candidate.empty()) s += "/by-name/" + candidate;
    if (!pattern.name.empty()) s += "/sparse-" + pattern.name;
    return s;
  }
  int64_t outputLength() const {
    const int64_t L = length, K = kernelLength;
    if (mode == FFC_MODE_FULL) return L + K - 1;
    if (mode == FFC_MODE_VALID) return std::max(L, K) - std::min(L, K) + 1;
    return L;
  }
  int64_t outputOffset() const {
    if (mode == FFC_MODE_SAME) return (kernelLength - 1) / 2;
    if (mode == FFC_MODE_VALID) return std::min(length, kernelLength) - 1;
    return 0;
  }
  // A kernel much shorter than a long row.
  bool partial() const { return length >= 65536 && kernelLength * 8 <= length; }
  bool fast() const {
    return precision == FFC_PRECISION_FAST || (precision == FFC_PRECISION_DEFAULT && dtype == FFC_DTYPE_BFLOAT16);
  }
  // Relative L2 error allowed against float64 on the rounded inputs: the documented classes. They hold for many
  // samples; a few may all lie where rounding to the output's type is worst (twice the average error or more).
  // Outputs with few frequencies repeat themselves: they count as so many independent ones as frequencies are kept. And rows
  // of one size do not average over where in their binade they lie, which for the rounding to bfloat16 is up to 5 %.
  double tolerance(int64_t samples) const {
    const double kept = pattern ? 1 - pattern.zeros(sparsePoints(length)) : 1.0;
    return tolerance() * (pattern ? 1.05 : 1.0) * (1.0 + 1.5 / std::sqrt(std::max(1.0, kept * double(samples))));
  }
  double tolerance() const {
    const bool longRow = length > 8192;
    // No transform of 32768 points and no window of one serves. A pattern's grid has the length of the input.
    const bool longer = (pattern ? length : std::min(length, kernelLength)) > 32768;
    if (dtype == FFC_DTYPE_BFLOAT16) return fast() || longer ? (longer ? 2.2e-3 : longRow ? 2.15e-3 : 2.0e-3) : 1.75e-3;
    if (dtype == FFC_DTYPE_FLOAT16) return fast() ? (longer ? 1.5e-3 : longRow ? 1.4e-3 : 1.1e-3) : (longer ? 8e-4 : 6e-4);
    return fast() ? 8e-4 : longer ? 2e-6 : 1e-6;
  }
};

}  // namespace bench
