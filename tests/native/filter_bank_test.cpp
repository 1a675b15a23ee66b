// Slots of a spectrum at a part of the rate (cuda/host/filter_bank.h) against the convolution on the whole ring, in float64.
#include "../../cuda/host/filter_bank.h"

#include <algorithm>
#include <complex>
#include <random>

#include "../../cuda/host/fft64.h"
#include "check.h"
#include "pattern.h"

using namespace ffc;

namespace {

using Complex = std::complex<double>;
constexpr double pi = 3.14159265358979323846;

// z of `points` numbers modulo x^points = i, at the frequencies k - 1/4, and back; circular: modulo x^points = 1, at k.
class Ring {
 public:
  Ring(int64_t points, bool circular) : points_(points), shift_(circular ? 0 : 0.25), fft_(points) {}
  void forward(std::vector<Complex>& z) const {
    for (int64_t n = 0; n < points_; ++n) z[n] *= std::polar(1.0, 2 * pi * shift_ * static_cast<double>(n) / static_cast<double>(points_));
    fft_.forward(z);
  }
  void inverse(std::vector<Complex>& z) const {
    fft_.inverse(z);
    for (int64_t n = 0; n < points_; ++n)
      z[n] *= std::polar(1.0 / static_cast<double>(points_), -2 * pi * shift_ * static_cast<double>(n) / static_cast<double>(points_));
  }

 private:
  int64_t points_;
  double shift_;
  Fft64 fft_;
};

// What the bank makes of a row and a kernel, relative to what the whole ring makes of it.
double errorOf(int64_t length, const FrequencyMask& mask, const BankFilters& f, bool fewKept) {
  const FilterBank bank(mask, f);
  const bool circular = bank.circular();
  const int D = f.rate;
  const int64_t N = mask.points(), M = N / D;
  CHECK(bank.slots() > 0 && bank.points() == M);
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal;
  std::vector<double> u(static_cast<size_t>(length)), kernel(u.size());
  for (double& x : u) x = normal(random);
  for (double& x : kernel) x = normal(random);

  const Ring whole(N, circular);
  std::vector<Complex> x(N), k(N);
  for (int64_t n = 0; n < length; ++n) x[n] = u[n], k[n] = kernel[n];
  whole.forward(x);
  whole.forward(k);
  for (int64_t i = 0; i < N; ++i) x[i] *= mask.keeps(i) ? k[i] : 0;
  whole.inverse(x);

  const Ring slot(M, circular);
  // Samples of a row, in circular mode around it.
  const auto sampleAt = [&](const std::vector<double>& v, int64_t n) {
    const int64_t at = circular && n < 0 ? n + N : n;
    return at >= 0 && at < static_cast<int64_t>(v.size()) ? v[at] : 0;
  };
  // A row at the lower rate: behind the ring's numbers the imaginary parts begin.
  const auto analysed = [&](const FilterBank& by, int s, const std::vector<double>& v) {
    std::vector<Complex> numbers(M);
    for (int64_t m = 0; m < M + (circular ? 0 : by.filters().neighbours()); ++m) {
      double number = 0;
      for (int j = 0; j < by.filters().taps(); ++j) number += by.coefficient(s, static_cast<int>(m % 8), j) * sampleAt(v, D * m + D - 1 - j);
      numbers[m % M] += m < M ? Complex(number, 0) : Complex(0, number);
    }
    return numbers;
  };
  // What the taps' spectrum is multiplied by.
  const FilterBank ofKernels(mask, filtersOfKernels(f));
  std::vector<Complex> weights;
  if (circular) {
    const FilterBank::WeightKernels kernels = bank.weightKernels(mask);
    CHECK(static_cast<int64_t>(kernels.weights.size()) == bank.slots() * M);
    CHECK(kernels.kept.empty() == !fewKept && (kernels.kept.empty() || kernels.kept.size() == kernels.weights.size()));
    for (int s = 0; s < bank.slots(); ++s) {
      std::vector<Complex> w(M), kept(M);
      for (int64_t i = 0; i < M; ++i) w[i] = kernels.weights[s * M + i], kept[i] = fewKept ? kernels.kept[s * M + i] : 0;
      slot.forward(w);
      slot.forward(kept);
      for (int64_t i = 0; i < M; ++i) {
        // Dropped are zeros but for the roundings of floats.
        CHECK(std::abs(w[i]) < 1e-5 || std::abs(w[i]) > 0.03);
        if (fewKept) CHECK(std::abs(kept[i] - (std::abs(w[i]) < 1e-5 ? 0.0 : 1.0)) < 1e-5);
        weights.push_back(std::abs(w[i]) < 1e-5 ? 0 : w[i]);
      }
    }
  } else {
    const std::vector<float> parts = bank.weights(mask);
    for (size_t i = 0; i < parts.size(); i += 2) weights.push_back({parts[i], parts[i + 1]});
  }
  CHECK(static_cast<int64_t>(weights.size()) == bank.slots() * M);
  std::vector<double> y(u.size());
  for (int s = 0; s < bank.slots(); ++s) {
    std::vector<Complex> z = analysed(bank, s, u), taps = analysed(ofKernels, s, kernel);
    slot.forward(z);
    slot.forward(taps);
    for (int64_t i = 0; i < M; ++i) {
      const Complex weight = weights[s * M + i];
      // The responses at the edge are 1; where they are much smaller or larger, halves lose digits.
      CHECK(weight == 0.0 || (std::abs(weight) > 0.03 && std::abs(weight) < 1.1));
      z[i] *= taps[i] * weight * double(D * D);
    }
    slot.inverse(z);
    for (int64_t n = 0; n < length; ++n)
      for (int64_t m = n / D; m <= n / D + f.neighbours(); ++m) {
        const Complex number = z[m % M];
        y[n] += bank.coefficient(s, static_cast<int>(m % 8), static_cast<int>(D * m + D - 1 - n)) * (m < M || circular ? number.real() : number.imag());
      }
  }
  double error = 0, size = 0;
  for (int64_t n = 0; n < length; ++n) {
    error += std::pow(y[n] - x[n].real(), 2);
    size += std::pow(x[n].real(), 2);
  }
  return std::sqrt(error / size);
}

void check(const char* what, const BankFilters& filters, int64_t length, int64_t block, const std::vector<int>& kept, int slots, double from, double to,
           int32_t mode = FFC_MODE_CAUSAL, bool fewKept = false) {
  std::vector<uint8_t> keep(static_cast<size_t>((frequencyGrid(mode, length).bins + block - 1) / block));
  for (const int b : kept) keep[b] = 1;
  const FrequencyMask mask = patternOf(length, block, keep, mode);
  CHECK(FilterBank(mask, filters).slots() == slots);
  const double error = errorOf(length, mask, filters, fewKept);
  printf("  %s, %d cells: %.3g\n", what, filters.cells, error);
  CHECK(error > from && error < to);
}

}  // namespace

int main() {
  // White noise and a white kernel: what is folded, there and back. Less would be too good to be true.
  // The weights are floats, so that it is not much less than that in any case.
  for (const BankFilters& f : {filtersOfHalves, filtersOfFloats}) {
    const bool exact = f.cells > filtersOfHalves.cells;
    const double from = exact ? 3e-8 : 5e-5, to = exact ? 1.3e-7 : 1.8e-4;
    check("blocks", f, 8192, 128, {1, 2, 7, 30, 31, 45, 62}, 7, from, to);
    check("one block", f, 8192, 128, {17}, 1, from, to);
    check("both ends, which have more room", f, 8192, 128, {0, 63}, 2, exact ? from : 5e-7, exact ? to : 2e-5);
    check("parts of blocks, a shorter row", f, 7001, 32, {2, 77, 78, 79, 80, 200, 255}, 5, from, to);
    check("sixteen", f, 8192, 128, {0, 3, 5, 9, 12, 18, 19, 20, 27, 33, 38, 41, 50, 55, 58, 63}, 16, from, to);
    const auto circular = [&](const char* what, int64_t length, int64_t block, const std::vector<int>& kept, int slots, bool fewKept = false) {
      check(what, f, length, block, kept, slots, from, to, FFC_MODE_CIRCULAR, fewKept);
    };
    circular("circular: blocks", 8192, 64, {1, 2, 7, 30, 31, 45, 62}, 7);
    circular("circular: both ends and half the rate itself", 8192, 64, {0, 17, 63, 64}, 3);
    circular("circular: a period of 35 x 256", 8960, 70, {3, 12, 13, 40, 60}, 5);
    circular("circular: few bins of a block", 8192, 1, {130, 131, 700}, 2, true);
    // The lowest quarter and the bin at its end.
    std::vector<int> quarter;
    for (int b = 0; b <= 1024; ++b) quarter.push_back(b);
    circular("circular: up to a block's edge", 8192, 1, quarter, 16);
  }
  // Fine banks: blocks of a 1024th. What reaches past a ring of 32 is much of it, and a slot at an end is as any other.
  for (const BankFilters& f : {fineFiltersOfHalves, fineFiltersOfFloats}) {
    const bool exact = f.cells > fineFiltersOfHalves.cells;
    const auto fine = [&](const char* what, int64_t length, int64_t block, const std::vector<int>& kept, int slots, int32_t mode = FFC_MODE_CAUSAL, bool fewKept = false) {
      check(what, f, length, block, kept, slots, exact ? 3e-8 : 5e-5, exact ? 1.6e-7 : 2.2e-4, mode, fewKept);
    };
    fine("fine: blocks", 16384, 16, {1, 2, 7, 30, 31, 45, 500, 511, 512, 800, 1022}, 11);
    fine("fine: the ends", 16384, 16, {0, 1023}, 2);
    fine("fine: parts of blocks, a shorter row", 14001, 4, {2, 77, 78, 79, 80, 200, 255, 4094}, 6);
    fine("fine, circular: blocks", 32768, 16, {1, 2, 7, 30, 31, 45, 500, 511, 1022}, 9, FFC_MODE_CIRCULAR);
    fine("fine, circular: both ends and half the rate itself", 32768, 16, {0, 17, 1023, 1024}, 3, FFC_MODE_CIRCULAR);
    fine("fine, circular: few bins", 65536, 1, {0, 130, 700, 32768}, 4, FFC_MODE_CIRCULAR, true);
    CHECK(FilterBank(patternOf(16384, 16, std::vector<uint8_t>(1024, 1)), f).slots() == 0);
  }
  CHECK(FilterBank(patternOf(8200, 64, std::vector<uint8_t>(65, 1), FFC_MODE_CIRCULAR), filtersOfHalves).slots() == 0);
  CHECK(FilterBank(patternOf(8192, 512, std::vector<uint8_t>(16, 1)), filtersOfHalves).slots() == 0);
  return report_checks("filter_bank_test");
}
