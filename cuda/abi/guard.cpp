#include "guard.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "text.h"

namespace ffc {

ffc_status report(ffc_error* error, const Failure& failure) noexcept {
  if (!error) return failure.status;
  const size_t size = std::min<size_t>(error->struct_size, sizeof(ffc_error));
  constexpr size_t statusEnd = offsetof(ffc_error, status) + sizeof(ffc_status);
  if (size >= statusEnd) error->status = failure.status;
  if (size > offsetof(ffc_error, message))
    copyText(failure.text.data(), failure.text.size(), error->message, size - offsetof(ffc_error, message));
  return failure.status;
}

}  // namespace ffc
