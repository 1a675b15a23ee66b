#include "constants.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "../host/number_text.h"
#include "../host/status.h"

namespace ffc {
namespace {

constexpr const char* heading = "flashfftconv-constants ";

// Kinds that are kept by traits, with an entry of their own for all families.
constexpr const char* traitKinds[] = {"latency", "efficiency", "device", "l2", "shared", "issue", "fill"};

bool startsWith(const std::string& text, const std::string& with) { return text.compare(0, with.size(), with) == 0; }

bool knownName(const std::string& name) {
  const auto under = [&](const std::string& kind) {
    return name.size() > kind.size() + 1 && startsWith(name, kind + "/");
  };
  for (const char* kind : traitKinds)
    if (name == kind || under(kind)) return true;
  return under("rate") || under("cpu");
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
    double value = 0;
    if (!readNumber(number, value) || !(value >= least && value <= most))
      fail(line, name + " is \"" + number.substr(0, 60) + "\"; it must be a number from 1e-12 to 1e30");
    constants.set(name, value);
  }
  if (line == 0) fail(1, "the text is empty");
  return constants;
}

std::string Constants::text() const {
  std::string out = heading + std::to_string(version) + "\n";
  for (const auto& [name, value] : values_) out += name + " " + numberText(value, 9) + "\n";
  return out;
}

double Constants::get(const std::string& name) const {
  const auto entry = values_.find(name);
  if (entry == values_.end()) throw Error(FFC_INTERNAL_ERROR, "the cost model has no constant " + name);
  return entry->second;
}

double Constants::product(const std::string& kind, const std::string& key) const {
  double value = has(kind) ? get(kind) : 1.0;
  const std::string family = kind + "/" + key.substr(0, key.find('/'));
  const auto first = values_.lower_bound(family);
  if (first == values_.end() || !startsWith(first->first, family)) return value;  // usual: most kinds have few entries
  const auto multiply = [&](const std::string& trait) {
    const auto entry = values_.find(kind + "/" + trait);
    if (entry != values_.end()) value *= entry->second;
  };
  std::vector<size_t> ends;  // of the path after each step
  for (size_t at = key.find('/'); at != std::string::npos; at = key.find('/', at + 1)) ends.push_back(at);
  ends.push_back(key.size());
  for (const size_t end : ends) multiply(key.substr(0, end));
  for (size_t from = 0; from < 2; ++from)
    for (size_t step = from + 2; step < ends.size(); ++step)
      multiply(key.substr(0, ends[from]) + "/*" + key.substr(ends[step - 1], ends[step] - ends[step - 1]));
  return std::clamp(value, least, most);
}

void Constants::overlay(const Constants& other) {
  // A family that was measured anew must not keep special entries of another measurement.
  for (const auto& [name, value] : other.values_) {
    (void)value;
    const size_t kind = name.find('/');
    const auto isKind = [&](const char* k) { return name.compare(0, kind, k) == 0; };
    if (kind == std::string::npos || std::none_of(std::begin(traitKinds), std::end(traitKinds), isKind)) continue;
    const std::string family = name.substr(0, name.find('/', kind + 1));
    const auto within = [&](const std::string& n) { return n == family || n.rfind(family + "/", 0) == 0; };
    for (auto entry = values_.begin(); entry != values_.end();)
      entry = within(entry->first) ? values_.erase(entry) : std::next(entry);
  }
  for (const auto& [name, value] : other.values_) values_[name] = value;
}

}  // namespace ffc
