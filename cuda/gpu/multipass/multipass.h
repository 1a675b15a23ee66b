// What the two kinds of multi-pass convolution share on the host.
#pragma once
#include "../../host/window.h"
#include "../algorithm.h"
#include "params.h"

namespace ffc {

constexpr int64_t alignedUp(int64_t bytes) { return (bytes + 255) / 256 * 256; }

// e^{-2 pi i m / 4N}: 2^12 fine entries (32 KB) stay in the first-level cache; the coarse ones number 4N / 2^12.
std::shared_ptr<Buffer> turnTable(int64_t points, TableCache& cache);
gpu::TurnTable turnsOf(const Buffer& table);

template <class P>
void launchPass(const void* function, int64_t blocks, int threads, int64_t sharedBytes, P& p, cudaStream_t stream,
                const char* what) {
  void* arguments[] = {&p};
  checkCuda(cudaLaunchKernel(function, dim3(static_cast<unsigned>(blocks)), dim3(static_cast<unsigned>(threads)),
                             arguments, static_cast<size_t>(sharedBytes), stream),
            what);
}

// Offers the splits of the tensor-core passes, for the 16-bit problems that they can run.
void offerTensorPasses(const ConvProblem& problem, const KernelWindow& window, const GpuLimits& limits,
                       TableCache& cache, Offers& offers);

}  // namespace ffc
