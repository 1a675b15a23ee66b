// The filters of bands of low frequencies (cuda/host/resampling.h) against what their formulas promise, and the pattern of a ring with
// fewer points against the pattern of all.
#include "../../cuda/host/resampling.h"

#include "../../cuda/host/frequency_mask.h"
#include "check.h"

using namespace ffc;

namespace {

constexpr double pi = 3.14159265358979323846;

void checkFilters(double band, int rate) {
  const Resampling r(band, rate);
  CHECK(r.taps.size() == static_cast<size_t>(Resampling::tapsPerRate * rate));
  const auto response = [&](double w) {
    std::complex<double> sum = 0;
    for (size_t j = 0; j < r.taps.size(); ++j) sum += static_cast<double>(r.taps[j]) * std::polar(1.0, -w * static_cast<double>(j));
    return std::norm(sum);
  };
  const auto kernelResponse = [&](double w) {
    double sum = r.kernelTaps[0];
    for (size_t j = 1; j < r.kernelTaps.size(); ++j) sum += 2 * r.kernelTaps[j] * std::cos(w * static_cast<double>(j));
    return sum / (rate * rate);
  };
  CHECK(std::fabs(response(0) - 1) < 1e-5);
  bool same = true, small = true, flat = true;
  for (int i = 0; i <= 500; ++i) {
    const double w = pi * band * i / 500, here = response(w);
    same = same && std::fabs(r.response.squared(static_cast<float>(w)) / here - 1) < 5e-5;
    flat = flat && std::fabs(kernelResponse(w) - 1) < 1e-5;
    // Everything that is folded onto this frequency.
    for (int m = 1; m < rate; ++m)
      for (const double from : {2 * pi * m / rate + w, 2 * pi * m / rate - w}) {
        small = small && response(from) < 1.1 * folded * folded * response(pi * band);
        flat = flat && std::fabs(kernelResponse(from)) < 1e-5;
      }
  }
  CHECK(same);
  CHECK(small);
  CHECK(flat);
  float most = 0;
  for (const float tap : r.taps) most = std::fmax(most, -tap);
  CHECK(most == 0);  // so that no sum of them exceeds the largest sample
}

// Every index of the ring with fewer points is as the one of the same frequency on the whole one.
void checkLowPart(int64_t length, int64_t block, int rate) {
  ffc_conv_desc d{};
  d.struct_size = sizeof d;
  d.mode = FFC_MODE_CAUSAL;
  d.dtype = d.kernel_dtype = FFC_DTYPE_FLOAT16;
  d.batch = d.channels = 1;
  d.length = d.kernel_length = length;
  const FrequencyGrid grid = frequencyGrid(d.mode, length);
  const int64_t points = grid.points / rate;
  std::vector<uint8_t> keep(static_cast<size_t>((grid.bins + block - 1) / block));
  for (size_t b = 0; b < keep.size(); ++b) keep[b] = (static_cast<int64_t>(b) + 1) * block <= points && b % 3 != 1;
  ffc_sparsity sparsity{};
  sparsity.struct_size = sizeof sparsity;
  sparsity.kind = FFC_SPARSITY_BLOCKS;
  sparsity.block = block;
  sparsity.keep_count = static_cast<int64_t>(keep.size());
  const FrequencyMask whole(makeProblem(d), sparsity, keep.data());
  const FrequencyMask low(whole, points);
  CHECK(low.points() == points && low.keptBins() == whole.keptBins());
  CHECK(std::fabs(low.band() - rate * whole.band()) < 1e-12);
  bool same = true;
  int64_t kept = 0;
  for (int64_t k = 0; k < points; ++k) {
    same = same && low.keeps(k) == whole.keeps(k <= points / 2 ? k : k + grid.points - points);
    kept += low.keeps(k);
  }
  CHECK(same);
  CHECK(kept == whole.keptBins());
  for (int64_t k = points / 2 + 1; k <= grid.points - points / 2; ++k) same = same && !whole.keeps(k);
  CHECK(same);
}

}  // namespace

int main() {
  // The highest rate whose filter has room: 20 taps up to 0.15, 10 taps up to a third.
  for (const auto& [band, rate] : {std::pair<double, int>{0.001, 4}, {0.09, 4}, {0.15, 4}, {0.16, 2}, {0.25, 2}, {0.33, 2}, {0.36, 1},
                                   {0.5, 1}, {1.0, 1}})
    CHECK(Resampling::rateFor(band) == rate);
  for (const double band : {0.001, 0.05, 0.09, 0.12, 0.15}) checkFilters(band, 4);
  for (const double band : {0.16, 0.2, 0.25, 0.3, 0.33}) checkFilters(band, 2);
  for (const int64_t block : {1, 5, 64})
    for (const int rate : {2, 4}) checkLowPart(4096, block, rate);
  return report_checks("resampling_test");
}
