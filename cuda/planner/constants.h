// What the cost model knows about one device: rates of its memories and arithmetic, how much of them each family of
// device functions reaches, and what a launch costs. Shipped defaults (defaults.h) until somebody measures.
#pragma once
#include <map>
#include <string>

namespace ffc {

// Names and their units:
//   rate/device, rate/l2, rate/shared   bytes per second, of the whole device
//   rate/tensor, rate/core              floating-point operations per second (a multiply-add is two)
//   efficiency/KEY                      part of the slowest of these limits that is reached
//   latency/KEY                         nanoseconds that a launch costs beside its work
//   cpu/NAME                            the CPU engine's own model, see cuda/cpu/cost_model.cpp
// KEY is a path from the general to the special, "fused-mma/r1/fast/plain/n4096"; what has no entry of its own takes
// that of its nearest parent, and at last the family-less "efficiency" and "latency".
class Constants {
 public:
  // Grows when the meaning of a name changes: numbers fitted to another model would mislead this one.
  static constexpr int version = 1;

  // The text form: "flashfftconv-constants VERSION", then a line "NAME VALUE" for each; what the ABI speaks.
  // Throws FFC_INVALID_ARGUMENT with the line that is wrong.
  static Constants parse(const std::string& text);
  std::string text() const;

  void set(const std::string& name, double value) { values_[name] = value; }
  bool has(const std::string& name) const { return values_.count(name) > 0; }
  double get(const std::string& name) const;  // throws FFC_INTERNAL_ERROR where there is none
  // The entry of KIND/KEY or of its nearest parent; *found receives its name.
  double nearest(const std::string& kind, const std::string& key, std::string* found = nullptr) const;
  // Entries of `other` replace those of the same name; of efficiencies and latencies, whole families.
  void overlay(const Constants& other);
  const std::map<std::string, double>& values() const { return values_; }

  // Where the numbers come from, for plan.explain(): "shipped, ..." or "given by the caller".
  std::string source;

 private:
  std::map<std::string, double> values_;
};

}  // namespace ffc
