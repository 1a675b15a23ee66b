#include "failure.h"

#include <new>
#include <system_error>

namespace ffc {
namespace {

Failure named(ffc_status status, const char* prefix, const char* what) noexcept {
  Failure failure;
  failure.status = status;
  try {
    failure.text = std::string(prefix) + what;
  } catch (...) {
    failure.text.clear();  // no memory for the text either; the status still says so
  }
  return failure;
}

}  // namespace

Failure currentFailure() noexcept {
  try {
    throw;
  } catch (const Error& e) {
    return named(e.status(), "", e.what());
  } catch (const std::bad_alloc&) {
    return named(FFC_OUT_OF_MEMORY, "", "the host has no memory left for what this call needs");
  } catch (const std::system_error& e) {
    // The only system calls behind a call are those that start threads and lock them.
    if (e.code() == std::errc::resource_unavailable_try_again)
      return named(FFC_OUT_OF_MEMORY, "the host cannot start another thread: ", e.what());
    return named(FFC_INTERNAL_ERROR, "unexpected system error: ", e.what());
  } catch (const std::exception& e) {
    return named(FFC_INTERNAL_ERROR, "unexpected exception: ", e.what());
  } catch (...) {
    return named(FFC_INTERNAL_ERROR, "", "unexpected exception of an unknown type");
  }
}

}  // namespace ffc
