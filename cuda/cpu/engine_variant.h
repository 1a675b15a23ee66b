// An engine on a chosen instruction set, for tests and benchmarks that visit all of them on one machine.
#pragma once
#include "engine.h"
#include "simd_kernels.h"

namespace ffc {

// The caller has made sure that this machine has the instructions.
std::unique_ptr<CpuEngine> makeCpuEngineWith(const SimdKernels& simd, const ConvProblem& problem, int threads,
                                             std::shared_ptr<const Constants> constants = nullptr);

}  // namespace ffc
