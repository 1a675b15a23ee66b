#include "cost_model.h"

#include <cmath>

#include "../host/frequency_mask.h"
#include "transform_plan.h"

namespace ffc {
namespace {

// Nanoseconds, measured on one core of an AMD EPYC of the Zen 5 family, float32, the best of many runs: the time of
// causal rows of 256 to 32768 points divided by their vectors is a straight line in the number of doublings, and
// within 6% of what these numbers give. Only ratios matter for the choice.
struct Costs {
  double level;  // there and back, per vector of two parts and per doubling
  double edges;  // per vector: reading, writing, the step across the lanes, the product
  double tap;    // DIRECT: one tap of one vector of outputs
};
constexpr Costs costsOf(int lanes) {
  return lanes == 16 ? Costs{0.88, 7.7, 0.27} : lanes == 8 ? Costs{0.85, 7.3, 0.21} : Costs{0.95, 6.2, 0.175};
}
constexpr double blockNs = 30;          // per block: bookkeeping and partial vectors
constexpr double directVectorNs = 1.5;  // per vector of a direct row: reading and writing it
constexpr double barrierNs = 8000;      // a loop over the threads begins and ends
constexpr double splitEfficiency = 0.85;

// A transform passes over its data, the spectrum, the lane factors and the row: 20 bytes a point, of which 8, the
// spectrum, are common to threads that run different blocks. Measured: nothing to pay while that stays within a
// second-level cache, a tenth more in the third level, and from about 7 MB on memory sets the pace, until at 20 MB
// everything takes 2.2 times as long.
double cachePenalty(int64_t points, int workers) {
  const double bytes = static_cast<double>(points) * (12.0 * workers + 8.0);
  const double fromMemory = std::clamp(std::log2(bytes / 7e6) / 1.5, 0.0, 1.0);
  return (bytes > 2e6 ? 1.1 : 1.0) + 1.1 * fromMemory;
}

double transformNs(int64_t points, int lanes, int workers) {
  const Costs c = costsOf(lanes);
  const int64_t vectors = points / lanes;
  double perVector = c.edges;
  for (int radix : transformRadices(vectors, lanes)) {
    // Threes and fives do more arithmetic for what they divide by.
    const double doublings = radix == 3 ? 2.2 : radix == 5 ? 2.8 : std::log2(radix);
    perVector += c.level * doublings;
  }
  return blockNs + static_cast<double>(vectors) * perVector * cachePenalty(points, workers);
}

// Blocks are handed to the threads; the last round may leave some of them idle.
void schedule(Candidate& c, int64_t rows, int threads) {
  c.totalNs = std::ceil(static_cast<double>(rows) * static_cast<double>(c.segments) / threads) * c.blockNs;
}

// DIRECT works on tiles of outputs: long enough to repay the taps' worth of inputs read before each, short when
// the row is short beside the kernel, because a tile skips the taps that reach no input of the row.
Candidate directCandidate(const ConvProblem& p, const KernelTaps& taps, int lanes, int threads) {
  Candidate c;
  c.algorithm = FFC_ALGORITHM_DIRECT;
  const int64_t tile = std::clamp<int64_t>(p.length, 512, 4096);
  c.step = std::min(tile, p.outputLength);
  c.segments = (p.outputLength + c.step - 1) / c.step;
  const int64_t reached = p.circular() ? taps.count : std::min(taps.count, p.length + c.step - 1);
  const double vectors = std::ceil(static_cast<double>(c.step) / lanes);
  c.blockNs = blockNs + vectors * static_cast<double>(reached) * costsOf(lanes).tap +
              (vectors + static_cast<double>(reached) / lanes) * directVectorNs;
  schedule(c, p.rows(), threads);
  return c;
}

Candidate transformCandidate(const ConvProblem& p, const KernelTaps& taps, int64_t points, int lanes, int threads) {
  Candidate c;
  const BlockLayout layout = blockLayout(p, taps, 2 * points);
  c.algorithm = layout.segments == 1 ? FFC_ALGORITHM_FFT : FFC_ALGORITHM_OVERLAP_SAVE;
  c.points = points;
  c.segments = layout.segments;
  c.step = layout.step;
  const int64_t units = p.rows() * c.segments;
  c.blockNs = transformNs(points, lanes, static_cast<int>(std::min<int64_t>(threads, units)));
  schedule(c, p.rows(), threads);
  if (threads == 1 || points < (1 << 13)) return c;
  // Or all threads share one transform after the other: three loops over the threads each.
  const double alone = transformNs(points, lanes, 1);
  const double shared = static_cast<double>(units) * (alone / (threads * splitEfficiency) + 3 * barrierNs);
  if (shared >= c.totalNs) return c;
  c.split = true;
  c.blockNs = alone;
  c.totalNs = shared;
  return c;
}

}  // namespace

std::vector<Candidate> candidates(const ConvProblem& p, const KernelTaps& taps, int lanes, int threads) {
  // The frequencies of a causal pattern are those of one transform.
  if (p.mask && !p.circular()) return {transformCandidate(p, taps, p.mask->points(), lanes, threads)};
  std::vector<Candidate> best = {directCandidate(p, taps, lanes, threads)};
  const int64_t whole = (singleBlockPeriod(p, taps) + 1) / 2;
  // A somewhat longer transform may be the faster one: 5 is a dearer factor than 2.
  for (const int64_t points : transformLengths(whole + whole / 2, lanes)) {
    if (2 * points < taps.count) continue;
    const Candidate c = transformCandidate(p, taps, points, lanes, threads);
    const auto same = std::find_if(best.begin(), best.end(),
                                   [&](const Candidate& other) { return other.algorithm == c.algorithm; });
    if (same == best.end())
      best.push_back(c);
    else if (c.totalNs < same->totalNs)
      *same = c;
  }
  std::sort(best.begin(), best.end(), [](const Candidate& a, const Candidate& b) { return a.totalNs < b.totalNs; });
  return best;
}

}  // namespace ffc
