// Reading descriptors and writing results whose size the caller states, so that callers and libraries of different
// ages understand each other: both structs may only grow at their end, and a new field's 0 means "as before".
#pragma once
#include <algorithm>
#include <cstring>
#include <string>

#include "../host/status.h"

namespace ffc {

// The size that a struct had in its first release, and its name in messages. Sizes are literals: they must not
// follow the struct when it grows.
template <class T>
struct StructVersion;
#define FFC_STRUCT_VERSION(type, bytes)                                       \
  template <>                                                                 \
  struct StructVersion<type> {                                                \
    static constexpr uint32_t firstBytes = bytes;                             \
    static constexpr const char* name = #type;                                \
    static_assert(sizeof(type) >= bytes, "a released struct must not shrink"); \
  }
FFC_STRUCT_VERSION(ffc_context_desc, 48);
FFC_STRUCT_VERSION(ffc_device_info, 216);
FFC_STRUCT_VERSION(ffc_memory_info, 32);
FFC_STRUCT_VERSION(ffc_conv_desc, 136);
FFC_STRUCT_VERSION(ffc_plan_info, 96);
FFC_STRUCT_VERSION(ffc_forward_args, 104);
FFC_STRUCT_VERSION(ffc_sparsity, 24);
#undef FFC_STRUCT_VERSION

// No struct here will ever be this long: a larger size is memory nobody set, and reading on would leave it.
constexpr uint32_t maxStructBytes = 4096;

// The caller's struct_size, if this library can deal with it. Read bytewise: the memory may be a packed byte array.
template <class T>
uint32_t checkedStructSize(const void* data) {
  using Version = StructVersion<T>;
  if (!data) throw Error(FFC_INVALID_ARGUMENT, std::string("the ") + Version::name + " is NULL");
  uint32_t size;
  std::memcpy(&size, data, sizeof size);
  if (size < Version::firstBytes || size > maxStructBytes)
    throw Error(FFC_ABI_MISMATCH, std::string(Version::name) + ".struct_size is " + std::to_string(size) +
                                      "; this library knows sizes from " + std::to_string(Version::firstBytes) +
                                      " to " + std::to_string(sizeof(T)) + " (and larger, if what follows is 0)");
  return size;
}

// A copy with 0 in the fields that the caller does not know. Fields that this library does not know must be 0.
template <class T>
T readStruct(const T* source) {
  const uint32_t size = checkedStructSize<T>(source);
  const char* bytes = reinterpret_cast<const char*>(source);
  for (size_t i = sizeof(T); i < size; ++i)
    if (bytes[i] != 0)
      throw Error(FFC_ABI_MISMATCH, std::string(StructVersion<T>::name) + " of " + std::to_string(size) +
                                        " bytes asks for something newer than this library, which knows " +
                                        std::to_string(sizeof(T)) + " bytes of it");
  T copy{};
  std::memcpy(&copy, bytes, std::min<size_t>(size, sizeof(T)));
  return copy;
}

// Fills what the caller has room for, leaves struct_size as it is, and zeroes fields that this library does not know.
// checkedStructSize() must have been asked before the values were computed.
template <class T>
void writeStruct(T* target, const T& values) {
  const uint32_t size = checkedStructSize<T>(target);
  char* bytes = reinterpret_cast<char*>(target);
  constexpr size_t header = sizeof(uint32_t);
  const size_t known = std::min<size_t>(size, sizeof(T));
  std::memcpy(bytes + header, reinterpret_cast<const char*>(&values) + header, known - header);
  std::memset(bytes + known, 0, size - known);
}

}  // namespace ffc
