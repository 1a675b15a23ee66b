#include "cost_model.h"

#include <cmath>

#include "transform_plan.h"

namespace ffc {
namespace {

// Nanoseconds, measured with bench/cpu on an AMD EPYC of the Zen 5 family. Only ratios matter for the choice, and
// they hold well enough on other machines.
struct Costs {
  double level;       // one level, there and back, per vector of two parts and per doubling of the radix
  double edges;       // per vector: reading, writing, the step across the lanes, the product
  double tap;         // DIRECT: one tap of one vector of outputs
};
constexpr Costs costsOf(int lanes) {
  return lanes == 16 ? Costs{2.2, 16.0, 0.30} : lanes == 8 ? Costs{2.2, 9.0, 0.30} : Costs{2.5, 6.0, 0.32};
}
constexpr double callNs = 150;         // per block: bookkeeping and partial vectors
constexpr double barrierNs = 8000;     // a loop over the threads begins and ends
constexpr double splitEfficiency = 0.9;

// A transform reads and writes its data, the spectrum and the lane factors: this much slower per vector when they
// come from the second-level cache, the third, or memory.
double cachePenalty(int64_t points) {
  const double bytes = 20.0 * static_cast<double>(points);
  return bytes <= 768e3 ? 1.0 : bytes <= 24e6 ? 1.35 : 1.9;
}

double transformNs(int64_t points, int lanes) {
  const Costs c = costsOf(lanes);
  const int64_t vectors = points / lanes;
  double perVector = c.edges;
  for (int radix : transformRadices(vectors, lanes)) {
    // Threes and fives do more arithmetic for what they divide by.
    const double doublings = radix == 3 ? 2.0 : radix == 5 ? 3.2 : std::log2(radix);
    perVector += c.level * doublings;
  }
  return callNs + static_cast<double>(vectors) * perVector * cachePenalty(points);
}

void schedule(Candidate& c, int64_t rows, int threads) {
  const double units = static_cast<double>(rows) * static_cast<double>(c.segments);
  c.totalNs = std::ceil(units / threads) * c.blockNs;
  if (threads == 1 || c.points < (1 << 13)) return;
  const double shared = units * (c.blockNs / (threads * splitEfficiency) + 3 * barrierNs);
  if (shared >= c.totalNs) return;
  c.split = true;
  c.totalNs = shared;
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
  c.blockNs = callNs + vectors * static_cast<double>(reached) * costsOf(lanes).tap +
              (vectors + static_cast<double>(reached) / lanes) * 2.0;
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
  c.blockNs = transformNs(points, lanes);
  schedule(c, p.rows(), threads);
  return c;
}

}  // namespace

std::vector<Candidate> candidates(const ConvProblem& p, const KernelTaps& taps, int lanes, int threads) {
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
