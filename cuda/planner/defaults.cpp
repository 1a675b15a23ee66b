#include "defaults.h"

#include "cpu_table.h"
#include "gpu_table.h"

namespace ffc {
namespace {

// Rates of one multiprocessor in one clock, and the part of the memory's data rate that a copy reaches.
struct Architecture {
  int major, minor;
  double tensorFlops, coreFlops, sharedBytes, l2Bytes, deviceFraction, memoryBytesPerSecond;
  const char* source;
};

// Tensor rates are those of mma.sync with 16-bit operands, which on 9.0 reaches 0.62 of what its own instruction for
// groups of warps would. Shared memory: 32 banks of 4 bytes. The last but one column is for drivers that do not tell
// the data rate. Newest first: a device takes the first row that is not newer than itself.
constexpr Architecture architectures[] = {
    {12, 0, 1024, 256, 128, 22, 0.88, 1.79e12,
     "not measured: rates as published for compute capability 8.9, efficiencies as measured on an NVIDIA H200"},
    {10, 0, 2450, 256, 128, 26, 0.87, 8.0e12,
     "not measured: rates of mma.sync and shared memory as on compute capability 9.0, memory as published, efficiencies "
     "as measured on an NVIDIA H200"},
    {9, 0, 2450, 256, 128, 26, 0.87, 4.9e12, "measured on an NVIDIA H200"},
    {8, 9, 1024, 256, 128, 22, 0.90, 1.01e12,
     "not measured: published peak rates of compute capability 8.9, efficiencies as measured on an NVIDIA H200"},
    {8, 6, 1024, 256, 128, 18, 0.90, 0.936e12,
     "not measured: published peak rates of compute capability 8.6, efficiencies as measured on an NVIDIA H200"},
    {8, 0, 2048, 128, 128, 32, 0.88, 1.555e12,
     "not measured: published peak rates of compute capability 8.0, efficiencies as measured on an NVIDIA H200"},
};

}  // namespace

Constants gpuConstants(const GpuFacts& facts) {
  const Architecture* found = nullptr;
  for (const Architecture& a : architectures)
    if (!found && (a.major < facts.computeMajor || (a.major == facts.computeMajor && a.minor <= facts.computeMinor)))
      found = &a;
  if (!found) found = &architectures[std::size(architectures) - 1];
  const double clocks = facts.clockHz > 0 ? facts.clockHz : 1.7e9;
  const double perClock = clocks * facts.multiprocessors;
  Constants c;
  c.source = std::string("shipped; ") + found->source;
  c.set("rate/tensor", found->tensorFlops * perClock);
  c.set("rate/core", found->coreFlops * perClock);
  c.set("rate/shared", found->sharedBytes * perClock);
  c.set("rate/l2", found->l2Bytes * perClock);
  c.set("rate/device", found->deviceFraction *
                           (facts.memoryBytesPerSecond > 0 ? facts.memoryBytesPerSecond : found->memoryBytesPerSecond));
  for (const ShippedConstant& s : gpuTable) c.set(s.name, s.value);
  return c;
}

Constants cpuConstants(int lanes, int threads) {
  Constants c;
  c.source = cpuTableSource;
  for (const ShippedConstant& s : cpuTable(lanes)) c.set(s.name, s.value);
  // A multiply-add of a vector takes a tap's time; the caches' and the memory's share of one core, measured there too.
  c.set("rate/core", 2.0 * lanes / c.get("cpu/tap") * 1e9 * threads);
  c.set("rate/l2", 60e9 * threads);
  c.set("rate/device", 25e9);
  return c;
}

}  // namespace ffc
