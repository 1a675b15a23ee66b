#include "version.h"

#include <cstring>

#include "guard.h"
#include "lookup.h"
#include "text.h"

using namespace ffc;

namespace {

const char* statusName(ffc_status status) {
  switch (status) {
#define FFC_NAME(value) \
  case value: return #value
    FFC_NAME(FFC_OK);
    FFC_NAME(FFC_INVALID_ARGUMENT);
    FFC_NAME(FFC_INVALID_SHAPE);
    FFC_NAME(FFC_INVALID_DTYPE);
    FFC_NAME(FFC_INVALID_HANDLE);
    FFC_NAME(FFC_WRONG_CONTEXT);
    FFC_NAME(FFC_OUT_OF_BOUNDS);
    FFC_NAME(FFC_OVERLAP);
    FFC_NAME(FFC_MISALIGNED);
    FFC_NAME(FFC_ABI_MISMATCH);
    FFC_NAME(FFC_UNSUPPORTED);
    FFC_NAME(FFC_LIMIT_EXCEEDED);
    FFC_NAME(FFC_NO_BACKEND);
    FFC_NAME(FFC_NO_DRIVER);
    FFC_NAME(FFC_NO_DEVICE);
    FFC_NAME(FFC_OUT_OF_MEMORY);
    FFC_NAME(FFC_CANCELLED);
    FFC_NAME(FFC_NOT_READY);
    FFC_NAME(FFC_CUDA_ERROR);
    FFC_NAME(FFC_INTERNAL_ERROR);
#undef FFC_NAME
  }
  return "FFC_UNKNOWN";
}

}  // namespace

extern "C" {

uint32_t ffc_abi_version(void) { return FFC_ABI_VERSION; }

size_t ffc_version(char* text, size_t capacity) {
  return copyText(FFC_VERSION, sizeof FFC_VERSION - 1, text, capacity);
}

size_t ffc_status_name(ffc_status status, char* text, size_t capacity) {
  const char* name = statusName(status);
  return copyText(name, std::strlen(name), text, capacity);
}

uint32_t ffc_backends(void) {
#if FFC_WITH_CUDA
  return FFC_BACKEND_CPU | FFC_BACKEND_CUDA;
#else
  return FFC_BACKEND_CPU;
#endif
}

ffc_status ffc_device_count(int32_t device_type, int32_t* count, ffc_error* error) {
  return guarded(error, [&] {
    *required(count, "count") = 0;
    if (device_type == FFC_DEVICE_CPU) {
      *count = 1;
    } else if (device_type == FFC_DEVICE_CUDA) {
      *count = cudaDeviceCount();
    } else {
      throw Error(FFC_INVALID_ARGUMENT,
                  "device_type is " + std::to_string(device_type) + "; known are 1 (CPU) and 2 (CUDA)");
    }
  });
}

}  // extern "C"
