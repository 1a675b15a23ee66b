// The CPU backend's arithmetic, free of handles, streams and buffers: device.cpp wraps it for the ABI.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "../host/backend.h"
#include "thread_pool.h"

namespace ffc {

struct CpuEngineOptions {
  int threads = 1;        // the planner cuts work for so many workers
  bool portable = false;  // baseline SIMD only
  std::shared_ptr<const Constants> constants = nullptr;  // of the cost model; null: the shipped ones
};

// One problem, planned. Immutable; forward() may run on several threads at once. The spectrum is a 64-byte
// aligned block of info().spectrumBytes that computeSpectrum() fills.
class CpuEngine {
 public:
  virtual ~CpuEngine() = default;
  virtual const PlanInfo& info() const = 0;
  virtual std::string explainJson() const = 0;
  // Both run to the end on the pool, and throw Error(FFC_CANCELLED) when progress asks to stop. `tensors` has the
  // strides of the problem; tensors.kernel is not read.
  virtual void computeSpectrum(void* spectrum, const void* kernel, ThreadPool& pool,
                               const Progress& progress) const = 0;
  virtual void forward(const void* spectrum, const HostTensors& tensors, ThreadPool& pool,
                       const Progress& progress) const = 0;
};

// Throws Error(FFC_UNSUPPORTED) for an algorithm the CPU does not have.
std::unique_ptr<CpuEngine> makeCpuEngine(const ConvProblem& problem, const CpuEngineOptions& options);

// "avx512", "avx2" or "baseline": what makeCpuEngine would use here.
const char* cpuInstructionSet(bool portable);
// And how many numbers of a row it works on at once.
int cpuLanes(bool portable);

}  // namespace ffc
