// Failures inside the library are exceptions of this one type; abi/ turns them into ffc_status values.
#pragma once
#include <stdexcept>
#include <string>

#include "../include/flashfftconv.h"

namespace ffc {

class Error : public std::runtime_error {
 public:
  Error(ffc_status status, const std::string& message) : std::runtime_error(message), status_(status) {}
  ffc_status status() const { return status_; }

 private:
  ffc_status status_;
};

}  // namespace ffc
