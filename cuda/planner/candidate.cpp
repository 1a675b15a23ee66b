#include "candidate.h"

#include <algorithm>
#include <cmath>

namespace ffc {
namespace {

// How much longer a pass takes than work that divides evenly among the slots.
double unevenness(const Pass& pass) {
  const double rounds = std::ceil(pass.units / pass.slots) + pass.filling;
  return rounds * pass.slots / pass.units;
}

}  // namespace

Pass totalOf(const Candidate& candidate) {
  Pass sum;
  sum.launches = 0;
  for (const Pass& pass : candidate.passes) {
    sum.launches += pass.launches;
    sum.tensorFlops += pass.tensorFlops;
    sum.coreFlops += pass.coreFlops;
    sum.deviceBytes += pass.deviceBytes;
    sum.l2Bytes += pass.l2Bytes;
    sum.sharedBytes += pass.sharedBytes;
  }
  return sum;
}

Prediction predict(const Candidate& candidate, const Constants& constants) {
  Prediction p;
  double worst = -1;
  const char* limit = "";
  // What a device does not have (a CPU, shared memory), a pass does not use.
  const auto nanoseconds = [&](double amount, const char* rate) {
    return amount > 0 ? amount / constants.get(rate) * 1e9 : 0.0;
  };
  for (const Pass& pass : candidate.passes) {
    const double device = nanoseconds(pass.deviceBytes, "rate/device");
    const double l2 = nanoseconds(pass.l2Bytes, "rate/l2");
    const double shared = nanoseconds(pass.sharedBytes, "rate/shared");
    const double tensor = nanoseconds(pass.tensorFlops, "rate/tensor");
    const double core = nanoseconds(pass.coreFlops, "rate/core");
    p.deviceNs += device;
    p.l2Ns += l2;
    p.sharedNs += shared;
    p.tensorNs += tensor;
    p.coreNs += core;
    p.launches += pass.launches;
    p.passes.push_back({device, l2, shared, tensor, core});
    const double slowest = std::max({device, l2, shared, tensor + core});
    const double time = slowest * unevenness(pass);
    p.floorNs += time;
    if (time <= worst) continue;
    worst = time;
    p.bottleneck = slowest == device ? "device memory"
                   : slowest == l2   ? "second-level cache"
                   : slowest == shared ? "shared memory"
                   : tensor > core     ? "tensor cores"
                                       : "arithmetic";
    limit = slowest == device ? "/device" : slowest == l2 ? "/l2" : slowest == shared ? "/shared" : "/issue";
  }
  if (candidate.modelNs > 0) p.floorNs = candidate.modelNs;
  // A family reaches another part of one limit than of another.
  p.key = candidate.key + limit;
  p.efficiency = constants.nearest("efficiency", p.key, &p.efficiencyName);
  p.latencyNs = p.launches * constants.nearest("latency", candidate.key);
  p.totalNs = p.floorNs / p.efficiency + p.latencyNs;
  if (p.latencyNs > p.floorNs / p.efficiency) p.bottleneck = "launch";
  return p;
}

}  // namespace ffc
