// Stands in for gpu/ where the library is built without nvcc.
#include "backend.h"

namespace ffc {
namespace {

[[noreturn]] void refuse() {
  throw Error(FFC_NO_BACKEND,
              "this library was built without CUDA; the CPU backend works. For CUDA install the CUDA toolkit (nvcc, "
              "12.5 or later), check that `nvcc --version` runs, and build again: make clean lib");
}

}  // namespace

int32_t cudaDeviceCount() { refuse(); }
std::shared_ptr<Device> openCudaDevice(const DeviceOptions&) { refuse(); }

}  // namespace ffc
