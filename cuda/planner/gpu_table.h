// Efficiencies and latencies (nanoseconds of a launch) of the GPU families, measured on an NVIDIA H200: the forward
// times of bench/results/h200-forward.jsonl over the limits that gpu_costs.cpp counts.
#pragma once
#include "shipped_constant.h"

namespace ffc {

constexpr ShippedConstant gpuTable[] = {
    {"efficiency", 0.4},
    {"efficiency/direct", 0.31},
    {"efficiency/fused-fp32", 0.4},
    {"efficiency/fused-fp32/cluster", 0.32},
    {"efficiency/fused-fp32/cluster/half", 0.28},
    {"efficiency/fused-fp32/cluster/half/gated", 0.15},
    {"efficiency/fused-fp32/whole/float32/gated", 0.6},
    {"efficiency/fused-fp32/whole/float32/gated/n16384", 0.47},
    {"efficiency/fused-fp32/whole/float32/plain/n1024", 0.59},
    {"efficiency/fused-fp32/whole/float32/plain/n2048", 0.47},
    {"efficiency/fused-fp32/whole/float32/plain/n256", 0.6},
    {"efficiency/fused-fp32/whole/float32/plain/n512", 0.6},
    {"efficiency/fused-fp32/whole/half", 0.3},
    {"efficiency/fused-fp32/whole/half/gated", 0.2},
    {"efficiency/fused-fp32/windows/half", 0.32},
    {"efficiency/fused-mma", 0.45},
    {"efficiency/fused-mma/r1/accurate", 0.4},
    {"efficiency/fused-mma/r1/fast/gated/part", 0.35},
    {"efficiency/fused-mma/r1/fast/gated/whole", 0.58},
    {"efficiency/fused-mma/r1/fast/gated/whole/n256", 0.41},
    {"efficiency/fused-mma/r1/fast/gated/whole/n512", 0.43},
    {"efficiency/fused-mma/r1/fast/plain/part", 0.32},
    {"efficiency/fused-mma/r1/fast/plain/whole", 0.51},
    {"efficiency/fused-mma/r1/fast/plain/whole/n256", 0.37},
    {"efficiency/fused-mma/r1/fast/plain/whole/n512", 0.36},
    {"efficiency/fused-mma/r1/fast/scaled/part", 0.28},
    {"efficiency/fused-mma/r1/fast/scaled/whole", 0.45},
    {"efficiency/fused-mma/r1/fast/scaled/whole/n256", 0.33},
    {"efficiency/fused-mma/r1/fast/scaled/whole/n512", 0.32},
    {"efficiency/fused-mma/r2", 0.51},
    {"efficiency/fused-mma/r3", 0.32},
    {"efficiency/fused-mma/r4", 0.4},
    {"efficiency/fused-mma/r8", 0.33},
    {"efficiency/multi-pass", 0.38},
    {"efficiency/multi-pass/cores/accurate/float32", 0.66},
    {"efficiency/multi-pass/cores/accurate/half/gated", 0.3},
    {"efficiency/multi-pass/cores/accurate/half/plain/run4", 0.28},
    {"efficiency/multi-pass/cores/accurate/half/plain/run8", 0.3},
    {"efficiency/multi-pass/cores/fast/half/gated", 0.3},
    {"latency", 5000},
};

}  // namespace ffc
