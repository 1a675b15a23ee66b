#include "cost_model.h"

#include <cmath>

#include "../host/frequency_mask.h"
#include "transform_plan.h"

namespace ffc {
namespace {

// A transform passes over its data, the spectrum, the lane factors and the row: 20 bytes a point, of which 8, the
// spectrum, are common to threads that run different blocks. Measured: nothing to pay while that stays within a
// second-level cache, a tenth more in the third level, and from about 7 MB on memory sets the pace, until at 20 MB
// everything takes 2.2 times as long.
double cachePenalty(int64_t points, int workers) {
  const double bytes = static_cast<double>(points) * (12.0 * workers + 8.0);
  const double fromMemory = std::clamp(std::log2(bytes / 7e6) / 1.5, 0.0, 1.0);
  return (bytes > 2e6 ? 1.1 : 1.0) + 1.1 * fromMemory;
}

// The model's numbers, see cuda/planner/cpu_table.h.
class Model {
 public:
  Model(const ConvProblem& p, const KernelTaps& taps, int lanes, int threads, const Constants& constants)
      : p_(p), taps_(taps), lanes_(lanes), threads_(threads), constants_(constants) {}

  CpuCandidate direct() const {
    CpuCandidate c;
    // Tiles of outputs: long enough to repay the taps' worth of inputs read before each, short when the row is short
    // beside the kernel, because a tile skips the taps that reach no input of the row.
    const int64_t tile = std::clamp<int64_t>(p_.length, 512, 4096);
    c.step = std::min(tile, p_.outputLength);
    c.segments = (p_.outputLength + c.step - 1) / c.step;
    const int64_t reached = p_.circular() ? taps_.count : std::min(taps_.count, p_.length + c.step - 1);
    const double vectors = std::ceil(static_cast<double>(c.step) / lanes_);
    c.blockNs = get("block") + vectors * static_cast<double>(reached) * get("tap") +
                (vectors + static_cast<double>(reached) / lanes_) * get("directVector");
    c.cost.name = c.cost.family = c.cost.key = "direct";
    c.cost.algorithm = FFC_ALGORITHM_DIRECT;
    c.cost.modelNs = rounds(c) * c.blockNs;
    Pass pass = tensors();
    const double blocks = blocksOf(c);
    pass.coreFlops = 2.0 * blocks * vectors * lanes_ * static_cast<double>(reached);
    // Every tap reads a vector of inputs from the nearest cache, which is not counted; the taps themselves once a tile.
    pass.l2Bytes += 4.0 * blocks * static_cast<double>(reached);
    c.cost.passes = {pass};
    return c;
  }

  // ofPattern: with the frequencies of the problem's pattern, on which its zeros are skipped.
  CpuCandidate transform(int64_t points, bool ofPattern = false) const {
    CpuCandidate c;
    c.ofPattern = ofPattern;
    const BlockLayout layout = ofPattern ? wholeRow(p_, points) : blockLayout(p_, taps_, 2 * points);
    c.points = points;
    c.segments = layout.segments;
    c.step = layout.step;
    const int64_t units = p_.rows() * c.segments;
    // A row so short that one block covers it is overlap-save as well, where that is asked for.
    c.cost.windowed = layout.segments > 1 || (p_.algorithm == FFC_ALGORITHM_OVERLAP_SAVE && !ofPattern);
    c.cost.algorithm = c.cost.windowed ? FFC_ALGORITHM_OVERLAP_SAVE : FFC_ALGORITHM_FFT;
    c.cost.family = c.cost.windowed ? "overlap-save" : "fft";
    c.cost.key = c.cost.family + "/n" + std::to_string(points);
    c.cost.points = points;
    c.cost.segments = c.segments;
    for (const int radix : transformRadices(points / lanes_, lanes_)) c.cost.radices.push_back(radix);
    c.cost.radices.push_back(lanes_);
    c.cost.name = c.cost.family + "/" + std::to_string(points);
    // Beside dense forms, whose kernels are masked before.
    if (ofPattern && p_.circular()) c.cost.name += "/circular";
    const double kept = ofPattern ? keptShare(points) : 1;
    c.blockNs = transformNs(points, static_cast<int>(std::min<int64_t>(threads_, units)), kept);
    c.cost.modelNs = rounds(c) * c.blockNs;
    Pass pass = tensors();
    // A radix-2 level is 5 operations a point and direction; a product, and the step between real and complex.
    const double blocks = static_cast<double>(units), n = static_cast<double>(points);
    pass.coreFlops = blocks * n * (10.0 * std::log2(n) + 14.0);
    // What a block passes over beside the nearest cache: its data twice each way, spectrum and lane factors once.
    pass.l2Bytes += blocks * n * (4 * 8.0 + 12.0);
    pass.deviceBytes += (p_.sharedKernel ? 1.0 : static_cast<double>(p_.channels)) * 8.0 * n;
    c.cost.passes = {pass};
    if (threads_ == 1 || points < (1 << 13)) return c;
    // Or all threads share one transform after the other: three loops over the threads each.
    const double alone = transformNs(points, 1, kept);
    const double shared = blocks * (alone / (threads_ * get("sharing")) + 3 * get("barrier"));
    if (shared >= c.cost.modelNs) return c;
    c.split = true;
    c.blockNs = alone;
    c.cost.modelNs = shared;
    return c;
  }

 private:
  double get(const char* name) const { return constants_.get(std::string("cpu/") + name); }

  // Of the blocks behind the first level, those with a frequency that is kept: classes of as many as groups of vectors can tell apart.
  double keptShare(int64_t points) const {
    int classes = 1;
    while (classes < 256 && points % (2 * classes) == 0 && 2 * classes * lanes_ * lanes_ <= points) classes *= 2;
    return static_cast<double>(p_.mask->residues(classes).size()) / classes;
  }

  double transformNs(int64_t points, int workers, double kept) const {
    const int64_t vectors = points / lanes_;
    double perVector = get("edges"), share = 1;
    for (const int radix : transformRadices(vectors, lanes_)) {
      // Threes and fives do more arithmetic for what they divide by.
      const double doublings = radix == 3 ? 2.2 : radix == 5 ? 2.8 : std::log2(radix);
      perVector += share * get("level") * doublings;
      share = kept;  // the first level has all
    }
    return get("block") + static_cast<double>(vectors) * perVector * cachePenalty(points, workers);
  }

  double blocksOf(const CpuCandidate& c) const { return static_cast<double>(p_.rows()) * static_cast<double>(c.segments); }
  // Blocks are handed to the threads; the last round may leave some of them idle.
  double rounds(const CpuCandidate& c) const { return std::ceil(blocksOf(c) / threads_); }

  Pass tensors() const {
    Pass pass;
    pass.deviceBytes = pass.l2Bytes =
        static_cast<double>(p_.rows()) * static_cast<double>(dtypeBytes(p_.dtype)) *
        (static_cast<double>(p_.length) * (1 + p_.preGate) + static_cast<double>(p_.outputLength) * (1 + p_.postGate));
    return pass;
  }

  const ConvProblem& p_;
  const KernelTaps& taps_;
  const int lanes_, threads_;
  const Constants& constants_;
};

}  // namespace

std::vector<CpuCandidate> cpuCandidates(const ConvProblem& p, const KernelTaps& taps, int lanes, int threads,
                                        const Constants& constants) {
  const Model model(p, taps, lanes, threads, constants);
  // The frequencies of a causal pattern are those of one transform. Those of a circular one, too, where there is a transform of the row's length.
  if (p.mask && !p.circular()) return {model.transform(p.mask->points(), true)};
  std::vector<CpuCandidate> list;
  if (p.mask && transformLengths(p.length, lanes).back() == p.length) list.push_back(model.transform(p.length, true));
  list.push_back(model.direct());
  const int64_t whole = (singleBlockPeriod(p, taps) + 1) / 2;
  // A somewhat longer transform may be the faster one: 5 is a dearer factor than 2.
  for (const int64_t points : transformLengths(whole + whole / 2, lanes))
    if (2 * points >= taps.count) list.push_back(model.transform(points));
  return list;
}

}  // namespace ffc
