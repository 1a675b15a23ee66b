// Which thread this is, what threads wait for, and what the lanes of a warp tell one another.
#pragma once
#include <algorithm>

#include "machine.h"

namespace ffc::mma {

FFC_DEVICE int threadIndex() { return emulation::machine.current; }
FFC_DEVICE int blockIndex() { return emulation::machine.block; }
FFC_DEVICE int gridSize() { return emulation::machine.grid; }
FFC_DEVICE void blockSync() {
  emulation::machine.wait(emulation::machine.blockBarrier, emulation::machine.threads);
}
FFC_DEVICE void warpSync() { emulation::warpWait(); }
FFC_DEVICE bool blockAny(bool x) {
  static bool any;
  blockSync();
  any = false;
  blockSync();
  any |= x;
  blockSync();
  return any;
}

// What combine(result so far, lane, its value) makes of the values of all lanes, from 0 on.
template <class Combine>
FFC_DEVICE u32 overLanes(u32 value, Combine&& combine) {
  using namespace emulation;
  const int me = machine.current, warp = me >> 5;
  machine.exchange[me][0] = value;
  warpWait();
  u32 result = 0;
  for (int l = 0; l < 32; l++) result = combine(result, l, machine.exchange[warp * 32 + l][0]);
  warpWait();
  return result;
}
FFC_DEVICE u32 warpBallot(bool x) {
  return overLanes(x, [](u32 bits, int lane, u32 v) { return bits | v << lane; });
}
FFC_DEVICE u32 warpMax(u32 value) {
  return overLanes(value, [](u32 most, int, u32 v) { return std::max(most, v); });
}
FFC_DEVICE u32 warpSum(u32 value) {
  return overLanes(value, [](u32 sum, int, u32 v) { return sum + v; });
}
FFC_DEVICE u32 fromLane(u32 value, int lane) {
  using namespace emulation;
  const int me = machine.current;
  machine.exchange[me][0] = value;
  warpWait();
  const u32 result = machine.exchange[(me & ~31) + lane][0];
  warpWait();
  return result;
}

// Kernels that may start before the one before them has ended: counted, for tests to look at.
FFC_DEVICE void awaitEarlierWork() {
  emulation::Machine& m = emulation::machine;
  if (!m.hasWaited) m.waiting++;
  m.hasWaited = true;
}
FFC_DEVICE void seeEarlierWork() {}
FFC_DEVICE void letNextKernelStart() {
  emulation::Machine& m = emulation::machine;
  if (!m.hasLetStart) m.starting++, m.startingAhead += !m.hasWaited;
  m.hasLetStart = true;
}

}  // namespace ffc::mma
