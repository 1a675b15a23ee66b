// How the tensors of a problem lie in memory, by their names in the header.
#pragma once
#include "tensors.h"

namespace ffc {

inline Layout samplesLayout(const ConvProblem& p, int64_t samples, Strides strides) {
  return {p.batch, p.channels, samples, strides, dtypeBytes(p.dtype)};
}
inline Layout uLayout(const ConvProblem& p) { return samplesLayout(p, p.length, p.u); }
inline Layout preGateLayout(const ConvProblem& p) { return samplesLayout(p, p.length, p.pre); }
inline Layout postGateLayout(const ConvProblem& p) { return samplesLayout(p, p.outputLength, p.post); }
inline Layout yLayout(const ConvProblem& p) { return samplesLayout(p, p.outputLength, p.y); }
inline Layout kernelLayout(const ConvProblem& p) {
  return {1, p.sharedKernel ? 1 : p.channels, p.kernelLength, {0, p.kernelChannelStride}, dtypeBytes(p.kernelDtype)};
}
inline Layout skipLayout(const ConvProblem& p) { return {1, 1, p.channels, {}, dtypeBytes(p.skipDtype)}; }

// A backend says whether its arithmetic could run in place; whether y can be u at all depends on their shapes too.
inline bool canRunInPlace(const ConvPlan& plan) {
  return plan.info().inPlace && sameLayout(uLayout(plan.problem()), yLayout(plan.problem()));
}

}  // namespace ffc
