// One way to launch the tensor-core kernels: in clusters, and ahead of the end of what the stream holds before them.
#pragma once
#include "algorithm.h"

namespace ffc {

struct LaunchShape {
  int64_t blocks = 1;
  int threads = 1;
  int64_t sharedBytes = 0;
  int cluster = 1;  // blocks of one cluster
  // The kernel may start while the kernel before it in the stream is still running: it reads its tables, and waits
  // (awaitEarlierWork) before it touches anything that earlier work may write or still read. Only for code that has that
  // wait, see canStartEarly().
  bool early = false;
};

// Compute capability 9.0 and code that was compiled for it; older code has no such wait.
inline bool canStartEarly(const void* function, const GpuLimits& limits) {
  if (limits.computeMajor < 9) return false;
  cudaFuncAttributes attributes;
  checkCuda(cudaFuncGetAttributes(&attributes, function), "reading the attributes of a device function");
  return attributes.ptxVersion >= 90;
}

// The configuration and the attributes that it points to.
class LaunchConfig {
 public:
  LaunchConfig(const LaunchShape& shape, cudaStream_t stream) {
    config_.gridDim = dim3(unsigned(shape.blocks));
    config_.blockDim = dim3(unsigned(shape.threads));
    config_.dynamicSmemBytes = size_t(shape.sharedBytes);
    config_.stream = stream;
    config_.attrs = attributes_;
    if (shape.cluster > 1) {
      cudaLaunchAttribute& a = attributes_[config_.numAttrs++];
      a.id = cudaLaunchAttributeClusterDimension;
      a.val.clusterDim = {unsigned(shape.cluster), 1, 1};
    }
    if (shape.early) {
      cudaLaunchAttribute& a = attributes_[config_.numAttrs++];
      a.id = cudaLaunchAttributeProgrammaticStreamSerialization;
      a.val.programmaticStreamSerializationAllowed = 1;
    }
  }
  LaunchConfig(const LaunchConfig&) = delete;
  LaunchConfig& operator=(const LaunchConfig&) = delete;
  const cudaLaunchConfig_t* get() const { return &config_; }

 private:
  cudaLaunchConfig_t config_{};
  cudaLaunchAttribute attributes_[2] = {};
};

template <class P>
void launchKernel(const void* function, const LaunchShape& shape, P& params, cudaStream_t stream, const char* what) {
  const LaunchConfig config(shape, stream);
  void* arguments[] = {&params};
  checkCuda(cudaLaunchKernelExC(config.get(), function, arguments), what);
}

}  // namespace ffc
