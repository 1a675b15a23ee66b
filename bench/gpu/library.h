// The public C ABI, opened at run time, with failures as exceptions.
#pragma once
#include <dlfcn.h>

#include <stdexcept>
#include <string>

#include "../../cuda/include/flashfftconv.h"

namespace bench {

struct Library {
  void* handle;
#define FFC_FUNCTIONS(X)                                                                                              \
  X(ffc_abi_version) X(ffc_context_create) X(ffc_context_destroy) X(ffc_device_info_get) X(ffc_memory_info_get)        \
  X(ffc_memory_reset_peak) X(ffc_buffer_create) X(ffc_buffer_destroy) X(ffc_buffer_write) X(ffc_buffer_read)          \
  X(ffc_buffer_copy) X(ffc_buffer_fill) X(ffc_stream_synchronize) X(ffc_event_create) X(ffc_event_destroy) X(ffc_event_record)           \
  X(ffc_event_synchronize) X(ffc_event_elapsed_ms) X(ffc_plan_create) X(ffc_plan_destroy) X(ffc_plan_info_get)        \
  X(ffc_plan_explain) X(ffc_spectrum_create) X(ffc_spectrum_destroy) X(ffc_spectrum_compute) X(ffc_forward)           \
  X(ffc_convolve_host) X(ffc_plan_create_candidate)
#define X(name) decltype(&::name) name;
  FFC_FUNCTIONS(X)
#undef X

  explicit Library(const std::string& path) : handle(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (!handle) throw std::runtime_error(dlerror());
#define X(name)                                                                        \
  name = reinterpret_cast<decltype(name)>(dlsym(handle, #name));                        \
  if (!name) throw std::runtime_error(path + " has no symbol " #name);
    FFC_FUNCTIONS(X)
#undef X
    if (ffc_abi_version() != FFC_ABI_VERSION) throw std::runtime_error(path + " has another ABI version");
  }

  // call(&ffc_x, arguments..., &error) with the error turned into an exception.
  template <class Function, class... Arguments>
  void call(Function function, Arguments... arguments) const {
    ffc_error error{};
    error.struct_size = sizeof error;
    if (const ffc_status status = function(arguments..., &error); status != FFC_OK)
      throw std::runtime_error(std::to_string(status) + ": " + error.message);
  }
};

}  // namespace bench
