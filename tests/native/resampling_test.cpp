// The filters of bands of frequencies (cuda/host/resampling.h) against what their formulas promise, and the pattern of a ring with fewer
// points against the pattern of all.
#include "../../cuda/host/resampling.h"
#include "../../cuda/host/status.h"

#include <complex>

#include "check.h"
#include "pattern.h"

using namespace ffc;

namespace {

using Complex = std::complex<double>;
constexpr double pi = 3.14159265358979323846;

// What a tone of a frequency leaves at the frequency of the slot that it is moved to: made(m) is number m of the ring, and a filter's
// signs repeat after 32 numbers.
template <class Made>
double leftOf(const Resampling& r, double w, Made&& made) {
  const double slot = w - pi * r.turn() / (16 * r.rate());
  Complex sum = 0;
  for (int m = 0; m < 32; ++m) sum += made(m) * std::polar(1.0, -slot * r.rate() * m);
  return std::abs(sum) / 32;
}
double ofFilter(const Resampling& r, double w) {
  const int D = r.rate();
  return leftOf(r, w, [&](int m) {
    Complex sum = 0;
    for (int j = 0; j < r.taps(); ++j) sum += r.coefficient(m, j) * std::polar(1.0, w * (D * m + D - 1 - j));
    return sum;
  });
}
double ofKernelFilter(const Resampling& r, double w) {
  const int D = r.rate(), reach = r.kernelReach();
  return leftOf(r, w, [&](int m) {
    const double angle = pi * r.turn() * m / 16;
    Complex sum = 0;
    for (int j = -reach; j <= reach; ++j) {
      const double p = r.kernelTaps[std::abs(j)], q = (j < 0 ? -1 : 1) * r.kernelTaps[reach + 1 + std::abs(j)];
      sum += (p * std::cos(angle) - q * std::sin(angle)) * std::polar(1.0, w * (D * m + j));
    }
    return sum;
  });
}

void checkFilters(double from, double to, int rate, FilterClass quality) {
  const auto found = Resampling::of(from, to, quality);
  if (!CHECK(found && found->rate() == rate)) return;
  const Resampling& r = *found;
  const std::vector<int> cells = Resampling::tapsPerRate(quality, rate);
  CHECK(std::find(cells.begin(), cells.end(), r.taps() / rate) != cells.end() && r.taps() % rate == 0);
  const bool fine = quality == FilterClass::float32;
  const double begin = pi * r.turn() / (16 * rate);
  const double ripple = fine ? 4e-7 : 1e-5;  // taps are floats
  bool same = true, small = true, flat = true, even = true;
  for (int i = 0; i <= 60; ++i) {
    const double w = pi * (from + (to - from) * i / 60), here = ofFilter(r, w);
    // The filter leaves this frequency and, of the band's conjugate, what is folded here.
    same = same && std::fabs(r.response.squared(w - begin) / (here * here) - 1) < (fine ? 2.5e-6 : 1e-3);
    if (!fine) same = same && std::fabs(r.response.squared(static_cast<float>(w - begin)) / (here * here) - 1) < 1e-3;
    even = even && here > 0.59 && here < 4;
    flat = flat && std::fabs(ofKernelFilter(r, w) / (rate * rate) - 1) < ripple;
    // Everything that is moved to this frequency of the slot, or to minus that one, but for the frequency itself and its conjugate.
    for (int l = 0; l < rate; ++l)
      for (const double image : {w + 2 * pi * l / rate, 2 * begin - w + 2 * pi * l / rate}) {
        const double away = std::fabs(std::remainder(image - w, 2 * pi)), mirrored = std::fabs(std::remainder(image + w, 2 * pi));
        if (away < 1e-9 || mirrored < 1e-9) continue;
        // Where the slot begins at a multiple of its width, the band's conjugate has the same images.
        small = small && ofFilter(r, image) < (r.turn() % 16 ? 1.02 : 2.04) * Resampling::mostFolded(quality);
        flat = flat && ofKernelFilter(r, image) < ripple * rate * rate;
      }
  }
  CHECK(same);
  CHECK(small);
  CHECK(even);
  CHECK(flat);
  // Every coefficient but for a sign again after 16 numbers, and none beyond the taps.
  for (const int j : {0, 1, r.taps() - 1})
    CHECK(std::fabs(r.coefficient(5, j) - (r.alternates() ? -1 : 1) * r.coefficient(21, j)) < 1e-12);
  CHECK(r.coefficient(3, -1) == 0 && r.coefficient(3, r.taps()) == 0);
}

// Every index of the ring with fewer points is as the one of the same frequency on the whole one.
void checkSlot(int64_t length, int64_t block, int rate, int turn) {
  const FrequencyGrid grid = frequencyGrid(FFC_MODE_CAUSAL, length);
  const int64_t points = grid.points / rate, first = grid.points / (16 * rate) * turn, shift = first / 2;
  std::vector<uint8_t> keep(static_cast<size_t>((grid.bins + block - 1) / block));
  for (size_t b = 0; b < keep.size(); ++b) {
    const int64_t begin = static_cast<int64_t>(b) * block;
    keep[b] = begin >= first && begin + block <= first + points && b % 3 != 1;
  }
  const FrequencyMask whole = patternOf(length, block, keep);
  const FrequencyMask slot(whole, points, first);
  CHECK(slot.points() == points && slot.keptBins() == whole.keptBins());
  const auto band = whole.band(), within = slot.band();
  const double begin = static_cast<double>(first) / static_cast<double>(grid.bins);
  CHECK(std::fabs(within.from - rate * (band.from - begin)) < 1e-12 && std::fabs(within.to - rate * (band.to - begin)) < 1e-12);
  bool same = true;
  int64_t kept = 0;
  for (int64_t k = 0; k < points; ++k) {
    const int64_t minus = k == 0 ? 0 : points - k;  // index 0 is at -1/4
    same = same && slot.keeps(k) == whole.keeps(2 * k <= points && k > 0 ? k + shift : (grid.points - minus - shift) % grid.points);
    kept += slot.keeps(k);
  }
  CHECK(same);
  CHECK(kept == whole.keptBins());
  int64_t all = 0;
  for (int64_t k = 0; k < grid.points; ++k) all += whole.keeps(k);
  CHECK(all == kept);
}

// The same of circular grids, whose index k is bin k or P - k.
void checkCircularSlot(int64_t period, int64_t block, int rate, int turn) {
  const int64_t points = period / rate, bins = points / 2 + 1, first = period / 2 / (16 * rate) * turn;
  std::vector<uint8_t> keep(static_cast<size_t>((period / 2 + block) / block));
  for (size_t b = 0; b < keep.size(); ++b) {
    const int64_t begin = static_cast<int64_t>(b) * block;
    keep[b] = begin >= first && begin + block <= first + bins && b % 3 != 1;
  }
  const FrequencyMask whole = patternOf(period, block, keep, FFC_MODE_CIRCULAR), slot(whole, points, first);
  CHECK(slot.points() == points && slot.bins() == bins && slot.keptBins() == whole.keptBins());
  bool same = true;
  for (int64_t k = 0; k < points; ++k) same = same && slot.keeps(k) == whole.keeps(first + std::min(k, points - k));
  CHECK(same);
  bool refused = false;
  try {
    FrequencyMask(whole, points / 4, first);
  } catch (const ffc::Error&) {
    refused = true;
  }
  CHECK(refused);
}

}  // namespace

int main() {
  for (const FilterClass quality : {FilterClass::fast, FilterClass::accurate, FilterClass::float32}) {
    // From the lowest frequency, up to the highest, and anywhere, as wide as README promises: where a slot begins a bit off the band is less
    // room.
    for (const double to : {0.001, 0.09, 0.15, 0.19}) checkFilters(0, to, 4, quality), checkFilters(1 - to, 1, 4, quality);
    for (const double to : {0.22, 0.25, 0.33, 0.4}) checkFilters(0, to, 2, quality), checkFilters(1 - to, 1, 2, quality);
    for (int i = 0; i < 30; ++i) {
      const double from = 0.004 + i * 0.03;
      if (from < 0.88) checkFilters(from, from + 0.12, 4, quality);
      if (from < 0.75) checkFilters(from, from + 0.25, 2, quality);
    }
    CHECK(!Resampling::of(0, 0.45, quality) && !Resampling::of(0.2, 0.6, quality) && !Resampling::of(0, 1, quality));
  }
  for (const int64_t block : {1, 5, 64, 96})
    for (const int rate : {2, 4})
      for (const int turn : {0, 1, 8 * rate - 3, 16 * (rate - 1)}) checkSlot(4096, block, rate, turn), checkCircularSlot(4096, block, rate, turn);
  return report_checks("resampling_test");
}
