// The fused float32 family: plans one transform per row, or windows of a row (overlap-save) where that is cheaper
// or where the row does not fit, and launches.
#include <algorithm>
#include <cmath>

#include "../../host/frequency_mask.h"
#include "../../host/status.h"
#include "../../host/window.h"
#include "instance.h"

namespace ffc {
namespace {

using namespace gpu;

struct Choice {
  const Fp32Instance* instance = nullptr;
  bool whole = false;  // one window covers the row
  int64_t parts = 1, partTaps = 0, segments = 1, segmentOutputs = 0;
  int64_t lead = 0;  // samples of a window before its first output, or of the product before a row's first output
  std::vector<int> digits;  // frequency-sparse: the values of the first digit that are computed; empty: all
};

// More kept digits than this leave little to skip.
constexpr size_t mostDigits = 8;

// Windows begin, and outputs with them, at multiples of so many samples where rows are aligned: a warp then reads and
// writes whole lines of 128 bytes, and does not touch two of them each time. Short windows would lose too many outputs and
// keep to the sectors of 32 bytes.
int64_t grainOf(const Fp32Instance& i) { return i.points >= 1024 ? 32 : 8; }

// Forward transforms of a row: windows that lie wholly outside it are skipped.
double forwardTransforms(const ConvProblem& p, const KernelWindow& w, const Choice& c) {
  const double all = static_cast<double>(c.segments) * static_cast<double>(c.parts);
  if (p.circular() || c.parts == 1 || all > 1e6) return all;
  double count = 0;
  for (int64_t s = 0; s < c.segments; ++s)
    for (int64_t part = 0; part < c.parts; ++part) {
      const int64_t begin = w.offset - c.lead + s * c.segmentOutputs - part * c.partTaps;
      count += begin < p.length && begin + 2 * c.instance->points > 0;
    }
  return count;
}

// Every instance that can run the problem, whole or in windows. Of the whole ones those that are not much longer than
// the shortest: what they would compute more is silence.
std::vector<Choice> choices(const ConvProblem& p, const KernelWindow& w, const GpuLimits& limits) {
  std::vector<Choice> list;
  int64_t shortest = 0;
  for (const Fp32Instance& i : fp32Instances())
    if (runsOn(i, limits) && !i.partitioned && 2 * int64_t{i.points} >= ringSamples(p, w))
      shortest = shortest ? std::min<int64_t>(shortest, i.points) : i.points;
  for (const Fp32Instance& i : fp32Instances()) {
    if (!runsOn(i, limits)) continue;
    const int64_t samples = 2 * int64_t{i.points};
    Choice c;
    c.instance = &i;
    // The frequencies of a pattern are those of one transform of the whole row.
    if (p.mask && (i.points != p.mask->points() || i.partitioned)) continue;
    if (p.mask || (!i.partitioned && samples >= ringSamples(p, w) && i.points <= 2 * shortest)) {
      c.whole = true;
      c.partTaps = w.count;
      c.lead = w.offset;  // a whole row starts at sample 0 and the taps move by the offset
      c.segmentOutputs = p.outputLength;
      if (p.mask && i.sparse) c.digits = p.mask->residues(i.radices[0]);
      if (c.digits.size() > mostDigits) c.digits.clear();
      // What leaves nothing out serves circular patterns with kernels that have been masked before (plan.cu).
      if (!p.quarters() && c.digits.empty()) continue;
      list.push_back(c);
    }
    if (p.mask) continue;
    if (p.circular() && (!i.partitioned || i.points > p.length)) continue;  // only those read u periodically
    c.whole = false;
    c.parts = i.partitioned ? (w.count + i.points - 1) / i.points : 1;
    c.partTaps = (w.count + c.parts - 1) / c.parts;
    // A window carries at least partTaps - 1 samples of history before its first output, so that nothing outside it can
    // wrap into an output.
    const int64_t least = c.partTaps - 1, grain = p.outputLength <= samples - least ? 1 : grainOf(i);
    const int64_t remainder = (w.offset - least) % grain;
    c.lead = least + (remainder < 0 ? remainder + grain : remainder);
    c.segmentOutputs = (samples - c.lead) / grain * grain;
    if (c.segmentOutputs < samples / 8) continue;
    c.segments = (p.outputLength + c.segmentOutputs - 1) / c.segmentOutputs;
    list.push_back(c);
  }
  return list;
}

Fp32Shape shapeOf(const ConvProblem& p, const KernelWindow& w, const Choice& c) {
  Fp32Shape s = gpu::shapeOf(*c.instance);
  s.segments = c.segments;
  s.parts = c.parts;
  s.forwardTransforms = c.whole ? 1.0 : forwardTransforms(p, w, c);
  s.windowed = !c.whole;
  s.digits = static_cast<int>(c.digits.size());
  return s;
}

class FusedFp32 : public GpuAlgorithm {
 public:
  FusedFp32(const ConvProblem& p, const KernelWindow& w, const Choice& c, TableCache& cache)
      : instance_(*c.instance), convolve_(c.digits.empty() ? instance_.convolve : instance_.sparse),
        tables_(fp32Tables(*c.instance, p.quarters(), cache)) {
    for (const void* function : {convolve_, instance_.spectrum})
      allowSharedMemory(function, instance_.sharedBytes);

    const bool windowed = !c.whole;
    info_.algorithm = windowed ? FFC_ALGORITHM_OVERLAP_SAVE : FFC_ALGORITHM_FUSED_FP32;
    info_.precision = p.precision;
    info_.order = static_cast<int32_t>(instance_.radices.size());
    std::copy(instance_.radices.begin(), instance_.radices.end(), info_.radices);
    info_.inPlace = c.segments == 1;  // all of a row is read before any of it is written
    info_.transformLength = instance_.points;
    info_.segments = c.segments;
    const int64_t kernels = p.sharedKernel ? 1 : p.channels;
    info_.spectrumBytes = kernels * c.parts * instance_.points * static_cast<int64_t>(sizeof(float2));

    conv_ = {};
    conv_.tables = tables();
    conv_.uStride = p.u;
    conv_.preStride = p.pre;
    conv_.postStride = p.post;
    conv_.yStride = p.y;
    conv_.dtype = p.dtype;
    conv_.skipDtype = p.skipDtype;
    conv_.batch = p.batch;
    conv_.segments = c.segments;
    conv_.units = p.rows() * c.segments;
    conv_.segmentOutputs = c.segmentOutputs;
    conv_.length = p.length;
    conv_.outputLength = p.outputLength;
    conv_.parts = c.parts;
    conv_.partTaps = c.partTaps;
    conv_.spectrumChannelStride = p.sharedKernel ? 0 : c.parts * instance_.points;
    conv_.periodic = windowed && p.circular();
    conv_.windowBegin = w.offset - c.lead;
    conv_.quarters = p.quarters();

    spectrum_ = {};
    spectrum_.tables = tables();
    spectrum_.parts = c.parts;
    spectrum_.units = kernels * c.parts;
    KernelTaps& taps = spectrum_.taps;
    taps = kernelTaps(p, w);
    taps.partTaps = c.partTaps;
    taps.lead = c.lead;
    taps.circularImage = c.whole && p.circular() && p.quarters();
    if (p.mask) {
      maskTable_ = cache.planTable(p.mask->bytes());
      spectrum_.mask = p.mask->view();
      spectrum_.mask.keep = static_cast<const uint8_t*>(maskTable_->data());
      const double points = static_cast<double>(instance_.points);
      const double spectrum = points * sizeof(float2) / rowsOfSpectrum(p);
      work_.flops = points * (20 * std::log2(points) + 6);
      work_.bytes = static_cast<double>(p.length + p.outputLength) * dtypeBytes(p.dtype) + spectrum;
      if (!c.digits.empty()) {
        // The stages of the first digit are computed for all.
        const double skipped = 1 - static_cast<double>(c.digits.size()) / instance_.radices[0];
        work_.flopsSkipped = points * (20 * std::log2(points / instance_.radices[0]) + 6) * skipped;
        work_.bytesSkipped = spectrum * skipped;
      }
      for (const int digit : c.digits) {
        conv_.kept.list |= static_cast<uint64_t>(digit) << (4 * conv_.kept.count++);
        conv_.kept.set |= 1u << digit;
      }
    }
  }

  SkippedWork skippedWork() const override { return work_; }

  const PlanInfo& info() const override { return info_; }

  void computeSpectrum(void* spectrum, const void* kernel, cudaStream_t stream) const override {
    Fp32SpectrumParams params = spectrum_;
    params.taps.kernel = kernel;
    params.spectrum = static_cast<float2*>(spectrum);
    launchFp32(instance_.spectrum, instance_, params.units, &params, stream);
  }

  void forward(const void* spectrum, const ForwardPointers& t, cudaStream_t stream) const override {
    Fp32ConvParams params = conv_;
    params.u = t.u;
    params.preGate = t.preGate;
    params.postGate = t.postGate;
    params.skip = t.skip;
    params.y = t.y;
    params.spectrum = static_cast<const float2*>(spectrum);
    launchFp32(convolve_, instance_, params.units, &params, stream);
  }

 private:
  const float2* tables() const { return static_cast<const float2*>(tables_->data()); }

  const Fp32Instance& instance_;
  const void* convolve_;
  std::shared_ptr<Buffer> tables_, maskTable_;
  SkippedWork work_;
  PlanInfo info_;
  Fp32ConvParams conv_;
  Fp32SpectrumParams spectrum_;
};

}  // namespace

void offerFusedFp32(const ConvProblem& p, const GpuLimits& limits, TableCache& tables, Offers& offers) {
  const KernelWindow w = kernelWindow(p);
  const std::vector<Choice> list = choices(p, w, limits);
  for (const Choice& c : list)
    offers.add(fusedFp32Candidate(p, shapeOf(p, w, c), sizeOf(limits)),
               [&p, &tables, w, c] { return std::make_unique<FusedFp32>(p, w, c, tables); });
  if (!list.empty()) return;
  if (!p.quarters()) return offers.refuse("fused-fp32", "no transform leaves work out with this circular pattern");
  if (p.mask)
    return offers.refuse("fused-fp32", "it has no transform of the whole row with the " +
                                           std::to_string(p.mask->points()) + " points of the pattern's grid");
  int64_t most = 0;
  for (const Fp32Instance& i : fp32Instances())
    if (!i.partitioned && runsOn(i, limits)) most = std::max<int64_t>(most, 2 * i.points);
  offers.refuse("fused-fp32", "one transform here carries " + std::to_string(most) + " samples, and this problem needs " +
                                  std::to_string(ringSamples(p, w)) + "; it cannot be cut into windows");
}

}  // namespace ffc
