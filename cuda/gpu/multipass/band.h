// Which problems several passes can work on at a part of the sampling rate (host/resampling.h), and what they are there.
#pragma once
#include <memory>

#include "../../host/frequency_mask.h"
#include "../../host/problem.h"
#include "../../host/resampling.h"
#include "../algorithm.h"
#include "params.h"

namespace ffc {

// The filters of a band that has room for them, with no ring shorter than `fewestPoints`: the design takes milliseconds (half a second for
// some bands a little too wide for a quarter of the rate), which are spared where no split is so short.
inline std::shared_ptr<const Resampling> resamplingOf(const ConvProblem& problem, FilterClass quality, int64_t fewestPoints) {
  if (!problem.mask || problem.mask->points() < 2 * fewestPoints) return nullptr;
  // A ring that is circular has the row's own length. Kernels that are longer than a row would have to be folded first.
  const int64_t points = problem.mask->points();
  if (problem.circular() && ((points & (points - 1)) || problem.kernelLength > points)) return nullptr;
  const FrequencyMask::Band band = problem.mask->band();
  const auto found = Resampling::of(band.from, band.to, quality, problem.mask->points() < 4 * fewestPoints ? 2 : 4);
  return found ? std::make_shared<Resampling>(*found) : nullptr;
}

// The problem with what its pattern keeps on the ring of that rate.
inline ConvProblem atRate(const ConvProblem& problem, const Resampling* resampling) {
  ConvProblem onRing = problem;
  if (resampling) {
    const int64_t points = problem.mask->points();
    const int64_t bins = problem.circular() ? points / 2 : points;
    onRing.mask = std::make_shared<FrequencyMask>(*problem.mask, points / resampling->rate(), resampling->firstBin(bins));
  }
  return onRing;
}

// The filter by which a kernel comes to the lower rate, on the device; and how columns read taps through it, `points` being those of the
// whole ring.
inline std::shared_ptr<Buffer> kernelFilterTable(const Resampling& resampling, TableCache& cache) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(resampling.kernelTaps.data());
  return cache.planTable({bytes, bytes + resampling.kernelTaps.size() * sizeof(float)});
}
inline gpu::ResampledTaps resampledTaps(const Resampling& resampling, const Buffer& filter, const ConvProblem& problem, int64_t points) {
  return {static_cast<const float*>(filter.data()), resampling.kernelReach(), resampling.rate(), resampling.turn(), points, problem.circular()};
}

}  // namespace ffc
