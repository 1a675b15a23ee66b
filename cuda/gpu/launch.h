// One way to launch the tensor-core kernels: in clusters, and ahead of the end of what the stream holds before them.
#pragma once
#include <cuda.h>

#include "algorithm.h"

namespace ffc {

struct LaunchShape {
  int64_t blocks = 1;
  int threads = 1;
  int64_t sharedBytes = 0;
  int cluster = 1;  // blocks of one cluster
  // The kernel may start while the kernel before it in the stream is still running: it reads its tables, and waits
  // (awaitEarlierWork) before it touches anything that earlier work may write or still read. Only for code that has that
  // wait, see canStartEarly(). Of two chunks in turns, it relies on the wait of the kernel before it (multipass/tensor_order.cuh).
  bool early = false;
};

// Compute capability 9.0 and code that was compiled for it; older code has no such wait.
inline bool canStartEarly(const void* function, const GpuLimits& limits) {
  if (limits.computeMajor < 9) return false;
  cudaFuncAttributes attributes;
  checkCuda(cudaFuncGetAttributes(&attributes, function), "reading the attributes of a device function");
  return attributes.ptxVersion >= 90;
}

// A device function as the driver knows it. Launches by the driver's own call take a quarter of a microsecond less than the runtime's,
// which looks the function up in every one; a plan does that once. Of the device that is current when it is made; of none, it is none.
class DeviceFunction {
 public:
  DeviceFunction() = default;
  explicit DeviceFunction(const void* function);
  CUfunction get() const { return handle_; }

 private:
  CUfunction handle_ = nullptr;
};

void launchKernel(const DeviceFunction& function, const LaunchShape& shape, void** arguments, cudaStream_t stream, const char* what);

template <class P>
void launchKernel(const DeviceFunction& function, const LaunchShape& shape, P& params, cudaStream_t stream, const char* what) {
  void* arguments[] = {&params};
  launchKernel(function, shape, arguments, stream, what);
}

}  // namespace ffc
