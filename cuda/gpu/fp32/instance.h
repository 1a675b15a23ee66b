// One compiled shape of the fused float32 family. The lists in instances_*.cu are the manifest: what they name is
// compiled, and what is compiled is what the planner chooses from.
#pragma once
#include <cuda_runtime.h>

#include <cstdint>
#include <string>
#include <vector>

#include "../algorithm.h"
#include "params.h"

namespace ffc::gpu {

struct Fp32Instance {
  int points = 0, threads = 0, rows = 0;  // per transform, per transform, transforms per block
  bool partitioned = false;               // can sum over several parts of a kernel
  int blocks = 1;                         // a transform is split over so many blocks of a cluster (9.0 and later)
  std::vector<int> radices;
  int64_t sharedBytes = 0;
  const void *convolve = nullptr, *spectrum = nullptr;  // device functions
  const void* sparse = nullptr;                         // convolve, of some values of the first digit; null where there is none
  // Of every block, one after the other; a circular ring's (0) where there is `sparse`.
  std::vector<uint8_t> (*tables)(int quarters) = nullptr;
  std::string tableKey;
};

// The tables of an instance on the device; of a ring with these frequencies.
inline std::shared_ptr<Buffer> fp32Tables(const Fp32Instance& instance, int quarters, TableCache& cache) {
  return cache.table(instance.tableKey + (quarters ? "" : "/circular"), [&] { return instance.tables(quarters); });
}

// Sorted by points. Each list lives in a translation unit of its own, so that a parallel build shares the work.
void addSmallInstances(std::vector<Fp32Instance>& list);
void addMediumInstances(std::vector<Fp32Instance>& list);
void addLargeInstances(std::vector<Fp32Instance>& list);
void addPartitionedInstances(std::vector<Fp32Instance>& list);
void addSplitInstances(std::vector<Fp32Instance>& list);

const std::vector<Fp32Instance>& fp32Instances();  // all of them
bool runsOn(const Fp32Instance& instance, const GpuLimits& limits);
Fp32Shape shapeOf(const Fp32Instance& instance);  // one transform of a whole row
void launchFp32(const void* function, const Fp32Instance& instance, int64_t units, void* params, cudaStream_t stream);

}  // namespace ffc::gpu
