// The border: every exported function is one call of guarded(), so that no exception crosses into C.
#pragma once
#include "../host/failure.h"

namespace ffc {

// Writes what fits into the caller's struct (its struct_size says how much that is; 0 or NULL: nothing).
ffc_status report(ffc_error* error, const Failure& failure) noexcept;

template <class Body>
ffc_status guarded(ffc_error* error, Body&& body) noexcept {
  try {
    body();
    return FFC_OK;
  } catch (...) {
    return report(error, currentFailure());
  }
}

}  // namespace ffc
