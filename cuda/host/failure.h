// An exception as plain data: what a call reports through ffc_error and what a stream keeps for its next
// synchronize. Text and number instead of std::exception_ptr, because it outlives the thread that threw.
#pragma once
#include <string>

#include "status.h"

namespace ffc {

struct Failure {
  ffc_status status = FFC_OK;
  std::string text;
};

// Only inside a catch block. Never throws: if even the text cannot be stored, it is left empty.
Failure currentFailure() noexcept;

}  // namespace ffc
