// Where tensors lie in their buffers: bounds, alignment and overlap, decided before anything is enqueued.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "../host/backend.h"

namespace ffc {

// The rows of one tensor, in elements of `elementBytes`: batch x channels rows of `samples` contiguous elements.
struct Layout {
  int64_t batch = 1, channels = 1, samples = 0;
  Strides strides;
  int64_t elementBytes = 4;
};

// A tensor that an entry point was given, checked.
struct PlacedTensor {
  const char* name = "";
  Layout layout;
  Region region;
  int64_t extentBytes = 0;  // from its first to past its last element

  explicit operator bool() const { return static_cast<bool>(region); }
};

// From the first to past the last element. Throws FFC_LIMIT_EXCEEDED past int64.
int64_t extentBytes(const char* name, const Layout& layout);

// Throws FFC_INVALID_ARGUMENT (negative offset), FFC_MISALIGNED, FFC_OUT_OF_BOUNDS.
PlacedTensor placeTensor(const char* name, const Layout& layout, std::shared_ptr<Buffer> buffer, int64_t offsetBytes);

// Offset and length inside the buffer? Throws FFC_INVALID_ARGUMENT and FFC_OUT_OF_BOUNDS.
void checkRange(const std::string& what, int64_t offsetBytes, int64_t bytes, const Buffer& buffer);

// Same buffer, offset, shape and strides: what "in place" means.
bool sameTensor(const PlacedTensor& a, const PlacedTensor& b);

// Would a and b be the same tensor if they were at the same place?
bool sameLayout(const Layout& a, const Layout& b);

// Do any two elements share memory? Exact for disjoint intervals, for equal strides and for few rows; else the answer
// is yes when the extents overlap (`*exact` is then false).
bool overlap(const PlacedTensor& a, const PlacedTensor& b, bool* exact);

}  // namespace ffc
