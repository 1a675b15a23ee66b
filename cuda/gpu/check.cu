#include <mutex>
#include <string>

#include "algorithm.h"
#include "../host/status.h"

namespace ffc {

void checkCuda(cudaError_t code, const char* what) {
  if (code == cudaSuccess) return;
  cudaGetLastError();  // the runtime keeps the last error until it is read; the next call must not meet this one
  ffc_status status = FFC_CUDA_ERROR;
  if (code == cudaErrorMemoryAllocation) status = FFC_OUT_OF_MEMORY;
  if (code == cudaErrorInsufficientDriver) status = FFC_NO_DRIVER;
  if (code == cudaErrorNoDevice || code == cudaErrorInvalidDevice) status = FFC_NO_DEVICE;
  throw Error(status, std::string(what) + " failed: " + cudaGetErrorName(code) + ", " + cudaGetErrorString(code));
}

void allowSharedMemory(const void* function, int64_t bytes) {
  static std::mutex mutex;  // between looking and raising
  std::lock_guard<std::mutex> lock(mutex);
  cudaFuncAttributes attributes;
  checkCuda(cudaFuncGetAttributes(&attributes, function), "reading the attributes of a device function");
  if (attributes.maxDynamicSharedSizeBytes >= bytes) return;
  checkCuda(cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes)),
            "reserving shared memory for a device function");
}

}  // namespace ffc
