// Text for C callers: UTF-8, zero-terminated, never longer than their memory.
#pragma once
#include <cstddef>

namespace ffc {

// Writes as much of the text as `capacity` bytes hold with the closing zero, cut between two characters. Nothing is
// written when target is NULL or capacity is 0. Returns `length`.
size_t copyText(const char* text, size_t length, char* target, size_t capacity) noexcept;

}  // namespace ffc
