#include "problem.h"

#include <algorithm>
#include <string>

#include "status.h"

namespace ffc {
namespace {

// 2^40 samples: far beyond memory, and small enough that no product below can overflow int64.
constexpr int64_t maxLength = int64_t{1} << 40;
constexpr int64_t maxElements = int64_t{1} << 56;

[[noreturn]] void fail(ffc_status status, const std::string& message) { throw Error(status, message); }

int64_t checkedCount(const char* name, int64_t value, int64_t limit) {
  if (value < 1) fail(FFC_INVALID_SHAPE, std::string(name) + " is " + std::to_string(value) + "; it must be at least 1");
  if (value > limit)
    fail(FFC_LIMIT_EXCEEDED,
         std::string(name) + " is " + std::to_string(value) + "; the limit is " + std::to_string(limit));
  return value;
}

Dtype checkedDtype(const char* name, int32_t value) {
  if (value < FFC_DTYPE_FLOAT32 || value > FFC_DTYPE_BFLOAT16)
    fail(FFC_INVALID_DTYPE, std::string(name) + " is " + std::to_string(value) +
                                "; known are 1 (float32), 2 (float16) and 3 (bfloat16)");
  return static_cast<Dtype>(value);
}

// Completes the strides of a (batch, channels, samples) tensor and checks that its rows do not overlap.
Strides completedStrides(const char* name, int64_t batchStride, int64_t channelStride, const ConvProblem& p,
                         int64_t samples) {
  Strides s{batchStride, channelStride};
  if (s.channel == 0) s.channel = samples;
  const auto failLimit = [&] { fail(FFC_LIMIT_EXCEEDED, std::string(name) + " strides reach past 2^56 elements"); };
  // In this order: a negative or huge stride must not be multiplied, and a packed batch stride counts as well.
  if (s.channel > maxElements / p.channels) failLimit();
  if (s.batch == 0) s.batch = std::max<int64_t>(s.channel, 0) * p.channels;
  if (s.batch > maxElements / p.batch) failLimit();
  if (s.channel < samples || s.batch < samples)
    fail(FFC_INVALID_SHAPE, std::string(name) + " strides are (" + std::to_string(s.batch) + ", " +
                                std::to_string(s.channel) + "); each must be at least the row length " +
                                std::to_string(samples));
  // Either channels nest inside batches or batches inside channels.
  const bool channelInner = s.batch >= s.channel * (p.channels - 1) + samples;
  const bool batchInner = s.channel >= s.batch * (p.batch - 1) + samples;
  if (!(channelInner || batchInner || p.batch == 1 || p.channels == 1))
    fail(FFC_INVALID_SHAPE, std::string(name) + " rows overlap: strides (" + std::to_string(s.batch) + ", " +
                                std::to_string(s.channel) + ") for shape (" + std::to_string(p.batch) + ", " +
                                std::to_string(p.channels) + ", " + std::to_string(samples) + ")");
  return s;
}

void setOutputWindow(ConvProblem& p) {
  const int64_t L = p.length, K = p.kernelLength;
  switch (p.mode) {
    case FFC_MODE_CAUSAL:
    case FFC_MODE_CIRCULAR:
      p.outputOffset = 0;
      p.outputLength = L;
      return;
    case FFC_MODE_FULL:
      p.outputOffset = 0;
      p.outputLength = L + K - 1;
      return;
    case FFC_MODE_SAME:
      p.outputOffset = (K - 1) / 2;
      p.outputLength = L;
      return;
    case FFC_MODE_VALID:
      p.outputOffset = std::min(L, K) - 1;
      p.outputLength = std::max(L, K) - std::min(L, K) + 1;
      return;
  }
  fail(FFC_INVALID_ARGUMENT, "mode is " + std::to_string(p.mode) +
                                 "; known are 1 (causal), 2 (circular), 3 (full), 4 (same) and 5 (valid)");
}

}  // namespace

ConvProblem makeProblem(const ffc_conv_desc& d) {
  ConvProblem p;
  p.mode = d.mode;
  p.algorithm = d.algorithm;
  if (d.algorithm < FFC_ALGORITHM_AUTO || d.algorithm > FFC_ALGORITHM_MULTI_PASS)
    fail(FFC_INVALID_ARGUMENT, "algorithm is " + std::to_string(d.algorithm) + "; known are 0 to 6");
  p.dtype = checkedDtype("dtype", d.dtype);
  p.kernelDtype = p.skipDtype = checkedDtype("kernel_dtype", d.kernel_dtype);
  if (d.precision < FFC_PRECISION_DEFAULT || d.precision > FFC_PRECISION_ACCURATE)
    fail(FFC_INVALID_ARGUMENT, "precision is " + std::to_string(d.precision) +
                                   "; known are 0 (default), 1 (fast) and 2 (accurate)");
  p.precision = d.precision != FFC_PRECISION_DEFAULT ? d.precision
                : p.dtype == Dtype::bfloat16         ? FFC_PRECISION_FAST
                                                     : FFC_PRECISION_ACCURATE;
  constexpr uint32_t known = FFC_CONV_PRE_GATE | FFC_CONV_POST_GATE | FFC_CONV_SKIP | FFC_CONV_SHARED_KERNEL;
  if (d.flags & ~known) fail(FFC_INVALID_ARGUMENT, "flags has unknown bits: " + std::to_string(d.flags & ~known));
  if (d.reserved) fail(FFC_INVALID_ARGUMENT, "reserved must be 0");
  p.preGate = d.flags & FFC_CONV_PRE_GATE;
  p.postGate = d.flags & FFC_CONV_POST_GATE;
  p.skip = d.flags & FFC_CONV_SKIP;
  p.sharedKernel = d.flags & FFC_CONV_SHARED_KERNEL;

  p.batch = checkedCount("batch", d.batch, maxLength);
  p.channels = checkedCount("channels", d.channels, maxLength);
  p.length = checkedCount("length", d.length, maxLength);
  p.kernelLength = checkedCount("kernel_length", d.kernel_length, maxLength);
  setOutputWindow(p);
  if (p.batch > maxElements / p.channels || p.batch * p.channels > maxElements / std::max(p.length, p.outputLength))
    fail(FFC_LIMIT_EXCEEDED, "batch * channels * length is more than 2^56 elements");
  if (p.skip && (p.mode == FFC_MODE_FULL || p.mode == FFC_MODE_VALID))
    fail(FFC_INVALID_ARGUMENT, "the skip term needs outputs aligned with u: causal, circular or same mode");

  p.u = completedStrides("u", d.u_batch_stride, d.u_channel_stride, p, p.length);
  p.pre = completedStrides("pre_gate", d.pre_gate_batch_stride, d.pre_gate_channel_stride, p, p.length);
  p.post = completedStrides("post_gate", d.post_gate_batch_stride, d.post_gate_channel_stride, p, p.outputLength);
  p.y = completedStrides("y", d.y_batch_stride, d.y_channel_stride, p, p.outputLength);
  if (p.sharedKernel) {
    if (d.kernel_channel_stride) fail(FFC_INVALID_SHAPE, "a shared kernel has no channel stride; it must be 0");
  } else {
    p.kernelChannelStride = d.kernel_channel_stride ? d.kernel_channel_stride : p.kernelLength;
    if (p.kernelChannelStride > maxElements / p.channels)
      fail(FFC_LIMIT_EXCEEDED, "the kernel reaches past 2^56 elements");
    if (p.kernelChannelStride < p.kernelLength)
      fail(FFC_INVALID_SHAPE, "kernel_channel_stride is " + std::to_string(p.kernelChannelStride) +
                                  "; it must be at least kernel_length " + std::to_string(p.kernelLength));
  }
  return p;
}

}  // namespace ffc
