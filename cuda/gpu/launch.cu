#include "launch.h"

#include <cudaTypedefs.h>

#include <string>

#include "../host/status.h"

namespace ffc {

namespace {

PFN_cuLaunchKernelEx_v11060 driversLaunch() {
  static const PFN_cuLaunchKernelEx_v11060 call = [] {
    void* found = nullptr;
    cudaDriverEntryPointQueryResult result;
    checkCuda(cudaGetDriverEntryPointByVersion("cuLaunchKernelEx", &found, 11060, cudaEnableDefault, &result),
              "asking the driver for its launch call");
    if (result != cudaDriverEntryPointSuccess) throw Error(FFC_NO_DRIVER, "the driver is too old: it has no cuLaunchKernelEx");
    return reinterpret_cast<PFN_cuLaunchKernelEx_v11060>(found);
  }();
  return call;
}

}  // namespace

DeviceFunction::DeviceFunction(const void* function) {
  if (function) checkCuda(cudaGetFuncBySymbol(&handle_, function), "looking up a device function");
}

void launchKernel(const DeviceFunction& function, const LaunchShape& shape, void** arguments, cudaStream_t stream, const char* what) {
  CUlaunchAttribute attributes[2];
  CUlaunchConfig config{};
  config.gridDimX = unsigned(shape.blocks), config.gridDimY = config.gridDimZ = 1;
  config.blockDimX = unsigned(shape.threads), config.blockDimY = config.blockDimZ = 1;
  config.sharedMemBytes = unsigned(shape.sharedBytes);
  config.hStream = stream;
  config.attrs = attributes;
  if (shape.cluster > 1) {
    CUlaunchAttribute& a = attributes[config.numAttrs++];
    a = {};
    a.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
    a.value.clusterDim = {unsigned(shape.cluster), 1, 1};
  }
  if (shape.early) {
    CUlaunchAttribute& a = attributes[config.numAttrs++];
    a = {};
    a.id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION;
    a.value.programmaticStreamSerializationAllowed = 1;
  }
  // The runtime's error codes are the driver's.
  checkCuda(static_cast<cudaError_t>(driversLaunch()(&config, function.get(), arguments, nullptr)), what);
}

}  // namespace ffc
