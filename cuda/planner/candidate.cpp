#include "candidate.h"

#include <algorithm>
#include <cmath>

namespace ffc {
namespace {

// Loads and arithmetic of later rounds overlap; after about so many rounds they do as well as they ever will.
constexpr double rampRounds = 4;

double fourthPower(double x) { return x * x * x * x; }

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
  const auto constant = [&](const char* kind) { return constants.product(kind, candidate.key); };
  const double efficiency = constant("efficiency"), fill = constant("fill"), latency = constant("latency");
  struct Limit {
    const char* name;
    double reached, ns;
  } limits[] = {{"device memory", constant("device"), 0}, {"second-level cache", constant("l2"), 0},
                {"shared memory", constant("shared"), 0}, {"", constant("issue"), 0}};
  // What a device does not have (a CPU, shared memory), a pass does not use.
  const auto nanoseconds = [&](double amount, const char* rate) {
    return amount > 0 ? amount / constants.get(rate) * 1e9 : 0.0;
  };
  double longest = -1, workNs = 0;
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
    limits[0].ns = device, limits[1].ns = l2, limits[2].ns = shared, limits[3].ns = tensor + core;
    limits[3].name = tensor > core ? "tensor cores" : "arithmetic";
    const Limit* slowest = limits;
    double sum = 0;
    for (const Limit& limit : limits) {
      sum += fourthPower(limit.ns / limit.reached);
      if (limit.ns / limit.reached > slowest->ns / slowest->reached) slowest = &limit;
    }
    const double rounds = std::ceil(pass.units / pass.slots), uneven = pass.slots / pass.units;
    const double extra = fill * (1 + pass.filling) * rounds / (rounds + rampRounds);
    p.floorNs += std::max({device, l2, shared, tensor + core}) * rounds * uneven;
    const double time = std::pow(sum, 0.25) * (rounds + extra) * uneven / efficiency;
    workNs += time;
    if (time <= longest) continue;
    longest = time;
    p.bottleneck = slowest->name;
  }
  if (candidate.modelNs > 0) {
    p.floorNs = candidate.modelNs;
    workNs = candidate.modelNs / efficiency;
  }
  p.efficiency = workNs > 0 ? p.floorNs / workNs : 1;
  p.rankNs = workNs + p.launches * latency;
  p.launches += candidate.launchesOfLimit;
  p.latencyNs = p.launches * latency;
  p.totalNs = workNs + p.latencyNs;
  if (p.latencyNs > workNs) p.bottleneck = "launch";
  return p;
}

}  // namespace ffc
