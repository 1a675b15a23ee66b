#include "gpu_costs.h"

#include <algorithm>
#include <cmath>

namespace ffc {
namespace {

std::string joined(const std::vector<int>& radices) {
  std::string text;
  for (const int radix : radices) text += (text.empty() ? "" : "x") + std::to_string(radix);
  return text;
}

bool gated(const ConvProblem& p) { return p.preGate || p.postGate; }
// Rows shorter than the transform that tensor copies can bring (gpu/mma/set_copies.cuh), if the tensors begin at multiples of 16
// bytes: those of a channel lie at the same phase, in all tensors. Shifted by it they may reach past the transform.
struct PartialRows {
  bool travel = false, wrap = false;
};
PartialRows partialRowsOf(const ConvProblem& p, int64_t points) {
  if (p.length != p.outputLength || 2 * p.length <= points) return {};
  bool anywhere = p.length % 8 != 0;
  const auto fits = [&](const Strides& s) {
    if (p.batch > 1 && s.batch % 8) return false;
    if (p.channels > 1 && (s.channel - p.u.channel) % 8) return false;
    anywhere |= p.channels > 1 && s.channel % 8;
    return true;
  };
  if (!fits(p.u) || !fits(p.y) || (p.preGate && !fits(p.pre)) || (p.postGate && !fits(p.post))) return {};
  return {true, anywhere && p.length + 7 > points};
}
double elementBytes(const ConvProblem& p) { return static_cast<double>(dtypeBytes(p.dtype)); }
double rowsOf(const ConvProblem& p) { return static_cast<double>(p.rows()); }
double spectraOf(const ConvProblem& p) { return p.sharedKernel ? 1.0 : static_cast<double>(p.channels); }
double inputBytes(const ConvProblem& p) {
  return rowsOf(p) * elementBytes(p) * static_cast<double>(p.length) * (1.0 + p.preGate);
}
double outputBytes(const ConvProblem& p) {
  return rowsOf(p) * elementBytes(p) * static_cast<double>(p.outputLength) * (1.0 + p.postGate);
}
// The sample's gates and the skip term: a product each, and one sum.
double pointwiseFlops(const ConvProblem& p) {
  return rowsOf(p) * static_cast<double>(p.length) * (p.preGate + p.postGate + 2.0 * p.skip);
}

// A complex transform of `points` there and back: a radix-2 level is 6 operations a point when twiddles are folded
// into multiply-adds; and the product with the spectrum.
double transformFlops(double points, double forward, double inverse) {
  return points * std::log2(std::max(points, 2.0)) * 6.0 * (forward + inverse) + 8.0 * points * forward;
}

// Complex numbers that a transform of several stages exchanges through shared memory, one direction.
double exchanges(size_t stages) { return stages > 1 ? static_cast<double>(stages - 1) : 0.0; }

const char* classOf(const ConvProblem& p) { return p.dtype == Dtype::float32 ? "float32" : "half"; }

}  // namespace

double tensorBytes(const ConvProblem& p) { return inputBytes(p) + outputBytes(p); }

Candidate directCandidate(const ConvProblem& p, const DirectShape& s, const GpuSize& size) {
  Candidate c;
  c.name = c.family = "direct";
  c.algorithm = FFC_ALGORITHM_DIRECT;
  c.key = std::string("direct/") + classOf(p) + (gated(p) ? "/gated" : "/plain");
  Pass pass;
  const double outputs = static_cast<double>(s.units) * s.tile, taps = static_cast<double>((s.taps + 7) / 8 * 8);
  pass.coreFlops = 2.0 * outputs * taps + pointwiseFlops(p);
  const double reread = 1.0 + taps / std::max<double>(s.tile, taps);  // a tile reads its taps' worth before itself
  pass.deviceBytes = tensorBytes(p);
  pass.l2Bytes = inputBytes(p) * reread + outputBytes(p) + 4.0 * taps * static_cast<double>(s.units);
  // 64 multiply-adds for 16 floats; the window and the outputs pass once more.
  pass.sharedBytes = outputs * taps + 16.0 * outputs;
  pass.units = std::ceil(static_cast<double>(s.units) / s.unitsPerBlock);
  pass.slots = size.multiprocessors;
  c.passes = {pass};
  return c;
}

Candidate fusedMmaCandidate(const ConvProblem& p, const MmaShape& s, const GpuSize& size) {
  Candidate c;
  c.family = "fused-mma";
  c.algorithm = s.packed ? FFC_ALGORITHM_OVERLAP_SAVE : FFC_ALGORITHM_FUSED_MMA;
  c.windowed = s.packed;
  c.points = s.points;
  c.segments = s.segments * s.halves;
  for (const int radix : {s.slices, 16, s.n2, s.radix, 16})
    if (radix > 1) c.radices.push_back(radix);
  c.name = (s.packed ? "overlap-save/mma/" : "fused-mma/") + std::to_string(s.points) + "/" + joined(c.radices) + (s.digits ? "/digits" : s.turns ? "/turns" : s.halves > 1 ? "/halves" : "");
  // Sets of one channel, where the device has tensor copies: whole rows, and shorter ones. Where a channel has few rows, and
  // for any others, the general driver.
  const bool whole = p.length == s.points * s.halves && p.outputLength == s.points * s.halves;
  const PartialRows partial = s.uniform ? partialRowsOf(p, s.points) : PartialRows{};
  // Packed: blocks of which most is output are near the limit of device memory, the others wait for their arithmetic.
  const bool mostOfBlock = 10.0 * static_cast<double>(p.outputLength) >= 14.0 * static_cast<double>(s.segments * s.points);
  // Rows of one or two blocks are half padding; those of odd lengths are read sample by sample.
  const char* blocks = s.segments == 1 ? "/single" : s.segments == 2 ? "/pair" : mostOfBlock ? "/long" : "/short";
  const std::string packedShape = std::string(blocks) + (p.length % 256 ? "/ragged" : "");
  const std::string sliced = s.slices > 1 ? "sliced" + std::to_string(s.slices) + "/" : "";
  const char* parts = !partial.travel ? "/part" : partial.wrap ? "/uniform/partial/wraps" : "/uniform/partial";
  const std::string rows = s.packed   ? packedShape
                           : s.digits ? "/digits"
                           : s.turns  ? "/turns" + std::to_string(s.turns)
                           : whole    ? (s.uniform ? "/uniform" : "/whole")
                                      : parts;
  c.key = std::string("fused-mma/") + (s.packed ? "packed/" : "") + sliced + "r" + std::to_string(s.radix) +
          (s.accurate ? "/accurate" : "/fast") + (gated(p) ? "/gated" : s.scaled ? "/scaled" : "/plain") + rows + (s.halves > 1 ? "/halves" : "") + "/n" +
          std::to_string(s.points);
  Pass pass;
  const double points = rowsOf(p) * static_cast<double>(s.points * s.segments * s.halves);
  const double segments = static_cast<double>(s.segments), windows = s.packed ? 2.0 : 1.0;
  const double spectrumBytes = (s.spectrumFloats ? 8.0 : 4.0) * static_cast<double>(s.points) * (s.packed ? 1.0 : segments * s.halves);
  pass.launches = s.packed ? 1 : static_cast<double>(s.segments);
  // 2 mma of 4096 operations for 128 points, digit by digit; digits n1 and k1 (real on one side) cost 2 as well, or 4 where
  // both sides are complex.
  const double products = (s.n2 > 1 ? 12.0 : 8.0) + (s.packed || s.slices > 1 ? 4.0 : 0.0);
  // Of few digits, the outer phases take half as many, and the others those that there are.
  const double turns = s.turns ? static_cast<double>(s.turns) / s.slices : 1.0;
  const double kept = s.digits ? s.digits / 16.0 : turns, outer = s.digits ? 0.5 : turns;
  pass.tensorFlops = points * (4.0 * outer + (products - 4.0) * kept) * 4096.0 / 128.0;
  // Untangling of the half-cost products, twiddles, the middle butterfly, there and back; the spectrum's product. Pairs
  // of halves count half.
  const double butterfly = (s.radix > 1 ? 6.0 + 5.0 * std::log2(s.radix) : 0.0) + 4.0 * std::log2(s.slices);
  pass.coreFlops = points * (2.0 * (14.0 + butterfly) + 8.0) * kept * (s.accurate ? 1.0 : 0.5) + pointwiseFlops(p);
  // The windows of one row meet in the cache.
  pass.deviceBytes = inputBytes(p) * (s.packed ? 1.0 : segments) + outputBytes(p) + spectraOf(p) * spectrumBytes;
  pass.l2Bytes = pass.deviceBytes + (s.streamedSpectrum ? rowsOf(p) * (s.packed ? segments : 1.0) * spectrumBytes : 0.0);
  if (s.packed) pass.l2Bytes += std::max(0.0, points * windows * elementBytes(p) * (1.0 + p.preGate) - inputBytes(p));
  // In and out through the staging slots, four bytes a point through the exchange there and back, each written and read.
  pass.sharedBytes = points * (windows * (8.0 + 4.0 * (p.preGate + p.postGate)) + 8.0 * (outer + kept) + (s.accurate && s.radix > 1 ? 16.0 : 0.0));
  if (s.slices > 1) {
    pass.sharedBytes += points * 2.0 * s.slices * turns;  // each slice reads all samples
    // Complex results of all slices but the last, written and read.
    pass.l2Bytes += points * 8.0 * (s.slices * turns - 1.0) / s.slices;
  }
  if (s.halves > 1) {
    // The first segment of the kernel serves both halves; products of the first half with the second segment are left for the second half.
    pass.l2Bytes += points / 2.0 * (4.0 + 8.0);
    pass.coreFlops += points / 2.0 * 8.0 * 0.5;
  }
  pass.units = std::ceil(points / (4096.0 * s.radix * s.slices * s.halves));
  pass.slots = size.multiprocessors;
  pass.filling = 1;  // a set is on its way in while another is transformed
  c.passes = {pass};
  return c;
}

Candidate fusedFp32Candidate(const ConvProblem& p, const Fp32Shape& s, const GpuSize& size) {
  Candidate c;
  c.family = "fused-fp32";
  c.algorithm = s.windowed ? FFC_ALGORITHM_OVERLAP_SAVE : FFC_ALGORITHM_FUSED_FP32;
  c.windowed = s.windowed;
  c.points = s.points;
  c.segments = s.segments;
  c.radices = s.radices;
  c.name = std::string(s.windowed ? "overlap-save/fp32/" : "fused-fp32/") + std::to_string(s.points) + "/" + joined(s.radices) +
           (s.partitioned ? "/" + std::to_string(s.parts) + "parts" : s.blocks > 1 ? "/cluster" : s.digits ? "/digits" : "");
  c.key = std::string("fused-fp32/") + (s.blocks > 1 ? "cluster/" : s.partitioned ? "parts/" : s.windowed ? "windows/" : "whole/") +
          classOf(p) + (gated(p) ? "/gated" : "/plain") +
          // A block adds up the parts of a window one after the other, which is all that few rows take.
          (s.partitioned ? "/p" + std::to_string(s.parts) : "") + (s.digits ? "/digits" : "") + "/n" + std::to_string(s.points);
  Pass pass;
  const double rows = rowsOf(p), points = static_cast<double>(s.points), segments = static_cast<double>(s.segments);
  // Of few digits, the stages of the first one are computed for all.
  const double kept = s.digits ? static_cast<double>(s.digits) / s.radices[0] : 1.0, first = std::log2(static_cast<double>(s.radices[0]));
  const double share = kept + (1.0 - kept) * first / std::log2(std::max(points, 2.0));
  pass.coreFlops = rows * share * transformFlops(points, s.forwardTransforms, segments) + pointwiseFlops(p);
  const double spectrumBytes = 8.0 * points * kept * static_cast<double>(s.parts);
  const double windows = std::max(inputBytes(p), rows * elementBytes(p) * (1.0 + p.preGate) *
                                                     std::min(2.0 * points, static_cast<double>(p.length)) * s.forwardTransforms);
  pass.deviceBytes = tensorBytes(p) + spectraOf(p) * spectrumBytes;  // windows of one row meet in the cache
  pass.l2Bytes = windows + outputBytes(p) + rows * segments * spectrumBytes;
  pass.sharedBytes = rows * points * share * 16.0 * exchanges(s.radices.size()) * (s.forwardTransforms + segments);
  pass.units = std::ceil(rows * segments / s.rows) * s.blocks;
  pass.slots = size.multiprocessors;
  c.passes = {pass};
  return c;
}

Candidate multiPassCandidate(const ConvProblem& p, const MultiPassShape& s, const GpuSize& size) {
  Candidate c;
  c.family = "multi-pass";
  c.algorithm = FFC_ALGORITHM_MULTI_PASS;
  c.points = s.columns * s.rowPoints;
  c.radices = s.columnRadices;
  c.radices.insert(c.radices.end(), s.rowRadices.begin(), s.rowRadices.end());
  c.name = std::string("multi-pass/") + (s.tensorCores ? "mma/" : "") + std::to_string(s.columns) + "x" + std::to_string(s.rowPoints) + "/" + joined(c.radices) + (s.rate > 1 ? "/rate" + std::to_string(s.rate) : "") +
           (p.quarters() ? "" : "/circular");  // beside the dense form, with kernels that are masked before
  const std::string kind = s.tensorCores ? "mma" : "cores";
  const bool apart = s.filterTaps > 0;  // gates, too, are applied by passes of their own
  c.key = "multi-pass/" + kind + (p.precision == FFC_PRECISION_FAST ? "/fast/" : "/accurate/") + classOf(p) +
          (gated(p) && !apart ? "/gated" : "/plain") + "/run" + std::to_string(s.run) +
          // Columns that leave out rows have code of their own, and computed stages that the bytes do not show.
          (s.keptRows < 1 ? "/some" : "") + (s.rate > 1 ? "/resampled" : "") + "/n" + std::to_string(c.points);
  const double points = rowsOf(p) * static_cast<double>(c.points), scratch = points * s.keptRows * s.scratchBytes;
  const double n1 = static_cast<double>(s.columns), n2 = static_cast<double>(s.rowPoints);
  // One direction of a transform of n points, for every point of the call; an outer factor is a product more.
  const auto count = [&](Pass& pass, double n, size_t stages, double times) {
    if (s.tensorCores) {
      pass.tensorFlops += times * points * std::log2(n) / 4.0 * 128.0;  // two half-cost products of 16 points each
      pass.coreFlops += times * points * (10.0 * std::log2(n) / 4.0) * 0.5;
    } else {
      pass.coreFlops += times * points * 6.0 * std::log2(n);
    }
    pass.sharedBytes += times * points * 16.0 * exchanges(stages);
  };
  Pass columns, rows, back;
  count(columns, n1, s.columnRadices.size(), 1);
  columns.coreFlops += points * 6.0;
  // Filters on the way in and out are matrices (multipass/tensor_filters.h), for each sample of 24 numbers there, of 16 to 32 back; or
  // passes of their own (multipass/resampling_passes.h) between samples and numbers.
  const double filters = s.rate > 1 && s.tensorCores ? points * s.rate * 48.0 : 0.0;
  const double numbers = points * 4.0, input = apart ? numbers : inputBytes(p), output = apart ? numbers : outputBytes(p);
  columns.tensorFlops += filters;
  columns.deviceBytes = input + scratch;
  count(rows, n2, s.rowRadices.size(), 2 * s.keptRows);
  rows.coreFlops += points * s.keptRows * 8.0;
  rows.deviceBytes = 2 * scratch + spectraOf(p) * static_cast<double>(c.points) * s.keptRows * s.keptPieces * s.scratchBytes;
  rows.l2Bytes = 3 * scratch;  // the batch shares a row of the spectrum in the cache
  count(back, n1, s.columnRadices.size(), 1);
  back.coreFlops += points * 6.0 + (apart ? 0.0 : pointwiseFlops(p));
  back.tensorFlops += filters;
  back.deviceBytes = scratch + output + (s.addsSkip && !apart ? inputBytes(p) : 0.0);
  back.l2Bytes = back.deviceBytes + scratch * (s.overlap - 1);
  c.passes = {columns, rows, back};
  if (apart) {
    Pass decimate, interpolate;
    for (Pass* pass : {&decimate, &interpolate}) {
      pass->coreFlops = points * 2.0 * s.filterTaps;
      pass->sharedBytes = points * (s.rate + 1) * 8.0;
    }
    decimate.deviceBytes = inputBytes(p) + numbers;
    interpolate.deviceBytes = numbers + outputBytes(p) + (s.addsSkip ? inputBytes(p) : 0.0);
    interpolate.coreFlops += pointwiseFlops(p);
    c.passes.insert(c.passes.begin(), decimate);
    c.passes.push_back(interpolate);
  }
  for (Pass& pass : c.passes) {
    pass.launches = static_cast<double>(s.usualChunks);
    pass.l2Bytes = std::max(pass.l2Bytes, pass.deviceBytes);
    // Blocks of a few thousand points each.
    pass.units = std::max(1.0, points / 8192.0);
    pass.slots = size.multiprocessors;
  }
  c.launchesOfLimit = static_cast<double>(c.passes.size()) * static_cast<double>(s.chunks - s.usualChunks);
  return c;
}

Candidate filterBankCandidate(const ConvProblem& p, const FilterBankShape& s, const GpuSize& size) {
  // The rings of all slots, as a problem of their own.
  const int64_t points = s.floats ? s.floatRing.points : s.ring.points;
  ConvProblem slots = p;
  if (!s.floats) slots.dtype = Dtype::float16;
  slots.preGate = slots.postGate = false;
  slots.mask = nullptr;
  slots.skip = false;
  slots.mode = FFC_MODE_CAUSAL;
  slots.length = slots.outputLength = points;
  slots.channels = p.channels * s.slots;
  Candidate c = s.floats ? fusedFp32Candidate(slots, s.floatRing, size) : fusedMmaCandidate(slots, s.ring, size);
  Pass ring = c.passes[0];
  // One kernel for all channels has one spectrum for each slot.
  if (p.sharedKernel) ring.deviceBytes += (s.slots - 1) * (s.floats || s.ring.spectrumFloats ? 8.0 : 4.0) * static_cast<double>(points);
  for (double* work : {&ring.tensorFlops, &ring.coreFlops, &ring.sharedBytes}) *work /= s.ringFilling;
  c.family = "multi-pass";
  c.algorithm = FFC_ALGORITHM_MULTI_PASS;
  c.name = "multi-pass/bank/" + std::to_string(s.slots) + "x" + std::to_string(points) + "/rate" + std::to_string(s.rate);
  const std::string precision = p.precision == FFC_PRECISION_FAST ? "/fast" : "/accurate";
  c.key = std::string("multi-pass/bank") +
          (s.floats && s.folds ? std::string("/float32") + (p.skip ? "/fineSkip" : gated(p) ? "/fineGated" : "/fine")
          : s.floats ? std::string("/float32/") + (gated(p) ? "gated" : "plain") + (p.circular() ? "/circular" : "/n" + std::to_string(points))
          : s.folds ? precision + (p.skip ? "/fineSkip" : gated(p) ? "/fineGated" : "/fine") + "/ring" + std::to_string(points) + (s.ringFilling < 1 ? "/partSets" : "")
                    : precision + (s.measured ? "/measured" : "/plain") + "/s" + std::to_string(s.slotsOfProduct) + (s.ring.uniform ? "/sets" + std::to_string(points) : "")) +
          (p.skip && !s.folds ? "/skip" : "");
  const double samples = rowsOf(p) * static_cast<double>(p.length), numbers = rowsOf(p) * s.slots * static_cast<double>(points) * (s.floats ? 4.0 : 2.0);
  Pass measure, analyse, synthesise;
  measure.deviceBytes = inputBytes(p) / 8.0;  // of some
  measure.coreFlops = samples / 8.0 * (1.0 + p.preGate);
  for (Pass* pass : {&analyse, &synthesise}) {
    // A sample is in taps / rate numbers.
    const double cells = static_cast<double>(s.taps) / s.rate;
    pass->coreFlops = pointwiseFlops(p) / 2.0;
    if (s.floats && s.folds) {
      pass->coreFlops += samples * 2.0 * (s.folds + s.products);
      pass->sharedBytes = samples * 8.0 * 6.0;  // complex points, six times
    } else if (s.floats) {
      // Multiply-adds of a pair of samples: of the fold, and two for each slot.
      const double computed = rowsOf(p) * s.rate * (pass == &analyse ? s.numbersThere : s.numbersBack);
      pass->coreFlops += computed * (2.0 * cells * (s.ends ? 1.5 : 1.0) + 6.0 + 2.0 * s.slotsOfProduct);
      pass->sharedBytes = computed * 16.0;
    } else {
      pass->tensorFlops = samples * 2.0 * s.products;
      pass->coreFlops += samples * 2.0 * s.folds;
      // Of a fine bank: two values a sample to either step and back, and samples twice.
      pass->sharedBytes = samples * 2.0 * (s.folds ? 10.0 : cells + 6.0);
    }
  }
  analyse.deviceBytes = inputBytes(p) + numbers;
  synthesise.deviceBytes = numbers + outputBytes(p) + (p.skip ? inputBytes(p) : 0.0);
  c.passes = {analyse, ring, synthesise};
  if (s.measured) c.passes.insert(c.passes.begin(), measure);
  const size_t ofRing = c.passes.size() - 2;
  for (Pass& pass : c.passes) {
    pass.launches = static_cast<double>(s.usualChunks);
    pass.l2Bytes = std::max(pass.l2Bytes, pass.deviceBytes);
    if (&pass == &c.passes[ofRing]) continue;
    pass.units = std::max(1.0, samples / 8192.0);
    pass.slots = size.multiprocessors;
  }
  c.launchesOfLimit = static_cast<double>(c.passes.size()) * static_cast<double>(s.chunks - s.usualChunks);
  return c;
}

}  // namespace ffc
