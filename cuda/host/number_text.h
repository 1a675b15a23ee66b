// Numbers as text and back, the same in every locale: printf() and strtod() take the decimal point from LC_NUMERIC,
// which is the host program's, and JSON and files of constants know but one.
#pragma once
#include <charconv>
#include <string>

namespace ffc {

// As "%.6g" and the like.
inline std::string numberText(double value, int digits = 6, std::chars_format format = std::chars_format::general) {
  char text[400];  // the largest number has 309 digits before its point
  const std::to_chars_result end = std::to_chars(text, text + sizeof text, value, format, digits);
  return {text, end.ptr};
}

// Whether all of the text is one number.
inline bool readNumber(const std::string& text, double& value) {
  const char* const end = text.data() + text.size();
  const std::from_chars_result read = std::from_chars(text.data(), end, value);
  return read.ec == std::errc() && read.ptr == end;
}

}  // namespace ffc
