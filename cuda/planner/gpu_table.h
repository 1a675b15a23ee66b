// Efficiencies and latencies of the GPU families, written by scripts/fit_constants.ts from a sweep; do not edit.
#pragma once
#include "shipped_constant.h"

namespace ffc {

constexpr ShippedConstant gpuTable[] = {
    {"efficiency", 0.4},
    {"latency", 6000},
};

}  // namespace ffc
