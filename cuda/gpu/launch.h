// One way to launch the tensor-core kernels: in clusters, and ahead of the end of what the stream holds before them.
#pragma once
#include <cuda.h>

#include "algorithm.h"
#include "core/older_devices.h"

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

// Whether a function was compiled for 9.0 or later: PTX of 8.0 runs there too, and has none of what is new.
inline bool isCodeFor9(const void* function) {
  cudaFuncAttributes attributes;
  checkCuda(cudaFuncGetAttributes(&attributes, function), "reading the attributes of a device function");
  return attributes.ptxVersion >= 90;
}

// Compute capability 9.0 and code that was compiled for it; older code has no such wait.
inline bool canStartEarly(const void* function, const GpuLimits& limits) {
  return limits.computeMajor >= 9 && isCodeFor9(function);
}

// Shared memory of a block that instances may need, by any of their functions: code for 8.x has only what fits into that of 8.0.
inline int64_t sharedMemoryFor(const void* function, const GpuLimits& limits) {
  return limits.sharedMemoryPerBlock <= olderSharedBytes || isCodeFor9(function) ? limits.sharedMemoryPerBlock : olderSharedBytes;
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
