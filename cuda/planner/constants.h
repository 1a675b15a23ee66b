// What the cost model knows about one device: rates of its memories and arithmetic, how much of them each family of
// device functions reaches, and what a launch costs. Shipped defaults (defaults.h) until somebody measures.
#pragma once
#include <map>
#include <string>

namespace ffc {

// Names and their units:
//   rate/device, rate/l2, rate/shared   bytes per second, of the whole device
//   rate/tensor, rate/core              floating-point operations per second (a multiply-add is two)
//   latency/TRAIT                       nanoseconds that a launch costs beside its work
//   efficiency/TRAIT                    part of the limits that is reached
//   device/TRAIT, l2/..., shared/..., issue/...   the same of one limit; issue: the slots of tensor and other operations
//   fill/TRAIT                          rounds of work in which a device function fills and drains
//   cpu/NAME                            the CPU engine's own model, see cuda/cpu/cost_model.cpp
// A candidate's key is a path from the general to the special, "fused-fp32/windows/half/plain/n4096". Its traits are the
// paths that lead there, and single steps anywhere behind the first or the second: "fused-fp32/*/n4096",
// "fused-fp32/windows/*/plain". Its value of a kind is the product of the kind's own entry ("latency") and of those of all
// its traits: what families and lengths have in common is measured once, and an exception is a factor more.
class Constants {
 public:
  // Grows when the meaning of a name changes: numbers fitted to another model would mislead this one.
  static constexpr int version = 2;
  // What a constant may be, and the product of several: far beyond any device, and what the model makes of such numbers
  // (it takes fourth powers of their quotients) is still finite.
  static constexpr double least = 1e-12, most = 1e30;

  // The text form: "flashfftconv-constants VERSION", then a line "NAME VALUE" for each; what the ABI speaks.
  // Throws FFC_INVALID_ARGUMENT with the line that is wrong.
  static Constants parse(const std::string& text);
  std::string text() const;

  void set(const std::string& name, double value) { values_[name] = value; }
  bool has(const std::string& name) const { return values_.count(name) > 0; }
  double get(const std::string& name) const;  // throws FFC_INTERNAL_ERROR where there is none
  // The product of KIND and all KIND/TRAIT of a key; those that are not there count 1.
  // At least `least` and at most `most`.
  double product(const std::string& kind, const std::string& key) const;
  // Entries of `other` replace those of the same name; of what is kept by traits, whole families.
  void overlay(const Constants& other);
  const std::map<std::string, double>& values() const { return values_; }

  // Where the numbers come from, for plan.explain(): "shipped, ..." or "given by the caller".
  std::string source;

 private:
  std::map<std::string, double> values_;
};

}  // namespace ffc
