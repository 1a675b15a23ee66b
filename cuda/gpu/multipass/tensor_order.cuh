// How the passes of two chunks follow one another in a stream (PassOrder, tensor_params.h). Whoever starts without a wait finds all but the
// launch before it ended, since every block of that one has waited for those before it lets others start.
#pragma once
#include "../mma/device.cuh"
#include "tensor_params.h"

namespace ffc::mma {

FFC_DEVICE void meetEarlierWork() {
  awaitEarlierWork();
  letNextKernelStart();
}
// Before a pass touches more than tables.
FFC_DEVICE void beginPass(const PassOrder& order) {
  if (order.meet >= 0) {
    // The chunk before has used the same addresses, and no wait of this launch's own says that they have changed since.
    seeEarlierWork();
    return;
  }
  if (!order.paired) letNextKernelStart();
  meetEarlierWork();
}

}  // namespace ffc::mma
