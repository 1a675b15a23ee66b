#include "text.h"

#include <algorithm>
#include <cstring>

namespace ffc {

size_t copyText(const char* text, size_t length, char* target, size_t capacity) noexcept {
  if (!target || capacity == 0) return length;
  size_t end = std::min(length, capacity - 1);
  // A byte 10xxxxxx continues a character: cutting before one would leave half of it.
  while (end < length && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  std::memcpy(target, text, end);
  target[end] = '\0';
  return length;
}

}  // namespace ffc
