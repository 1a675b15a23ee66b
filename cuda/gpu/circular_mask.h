// Patterns on the circular grid. Most transforms of the GPU families have a grid that is shifted by a quarter of a
// frequency, so none of their frequencies is one of the pattern's, and those that have it (ConvProblem::quarters()) are
// of powers of two; but dropping frequencies is itself a circular convolution, with
// the kernel whose transform is one where the pattern keeps and zero elsewhere. So the kernel is convolved with that one, whenever a
// spectrum is made, and a dense plan does the rest: the result is exact for every length and every pattern, and no work is
// skipped.
#pragma once
#include <memory>

#include "algorithm.h"

namespace ffc {

// The convolution of kernels of `problem`, in float32 rows of one period, with the pattern's.
ConvProblem maskingProblem(const ConvProblem& problem);
// `problem` with kernels that have only the frequencies it keeps: float32 rows of one period.
ConvProblem maskedProblem(const ConvProblem& problem);

// `convolution` solves maskedProblem(problem), `masking` maskingProblem(problem).
std::unique_ptr<GpuAlgorithm> circularMask(const ConvProblem& problem, std::unique_ptr<GpuAlgorithm> masking,
                                           std::unique_ptr<GpuAlgorithm> convolution, const GpuLimits& limits, TableCache& cache);

}  // namespace ffc
