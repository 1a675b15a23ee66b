#include "constants.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "../host/status.h"

namespace ffc {
namespace {

constexpr const char* heading = "flashfftconv-constants ";

bool knownName(const std::string& name) {
  for (const char* kind : {"rate/", "efficiency/", "latency/", "cpu/"})
    if (name.rfind(kind, 0) == 0 && name.size() > std::string(kind).size()) return true;
  return name == "efficiency" || name == "latency";
}

[[noreturn]] void fail(int line, const std::string& what) {
  throw Error(FFC_INVALID_ARGUMENT, "line " + std::to_string(line) + " of the constants: " + what);
}

}  // namespace

Constants Constants::parse(const std::string& text) {
  Constants constants;
  int line = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string words = text.substr(at, end - at);
    at = end + 1;
    if (++line == 1) {
      const std::string expected = heading + std::to_string(version);
      if (words != expected) fail(1, "it is \"" + words.substr(0, 60) + "\" and must be \"" + expected + "\"");
      continue;
    }
    const size_t space = words.find(' ');
    const std::string name = words.substr(0, space);
    if (!knownName(name)) fail(line, "there is no constant \"" + name.substr(0, 60) + "\"");
    const std::string number = space == std::string::npos ? "" : words.substr(space + 1);
    char* rest = nullptr;
    const double value = std::strtod(number.c_str(), &rest);
    if (number.empty() || *rest != 0 || !std::isfinite(value) || value <= 0)
      fail(line, name + " is \"" + number.substr(0, 60) + "\"; it must be a number above 0");
    constants.set(name, value);
  }
  if (line == 0) fail(1, "the text is empty");
  return constants;
}

std::string Constants::text() const {
  std::string out = heading + std::to_string(version) + "\n";
  for (const auto& [name, value] : values_) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.9g", value);
    out += name + " " + digits + "\n";
  }
  return out;
}

double Constants::get(const std::string& name) const {
  const auto entry = values_.find(name);
  if (entry == values_.end()) throw Error(FFC_INTERNAL_ERROR, "the cost model has no constant " + name);
  return entry->second;
}

double Constants::nearest(const std::string& kind, const std::string& key, std::string* found) const {
  std::string name = kind + "/" + key;
  while (!has(name)) {
    const size_t slash = name.rfind('/');
    if (slash == std::string::npos) get(name);  // throws: no device is without the general entry
    name.resize(slash);
  }
  if (found) *found = name;
  return get(name);
}

void Constants::overlay(const Constants& other) {
  // A family that was measured anew must not keep special entries of another measurement.
  for (const auto& [name, value] : other.values_) {
    (void)value;
    const size_t kind = name.find('/');
    if (kind == std::string::npos || (name.rfind("efficiency/", 0) != 0 && name.rfind("latency/", 0) != 0)) continue;
    const std::string family = name.substr(0, name.find('/', kind + 1));
    const auto within = [&](const std::string& n) { return n == family || n.rfind(family + "/", 0) == 0; };
    for (auto entry = values_.begin(); entry != values_.end();)
      entry = within(entry->first) ? values_.erase(entry) : std::next(entry);
  }
  for (const auto& [name, value] : other.values_) values_[name] = value;
}

}  // namespace ffc
