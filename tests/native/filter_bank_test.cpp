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
constexpr int D = FilterBank::rate;

// z of `points` numbers modulo x^points = i, at the frequencies k - 1/4, and back.
class Ring {
 public:
  explicit Ring(int64_t points) : points_(points), fft_(points) {}
  void forward(std::vector<Complex>& z) const {
    for (int64_t n = 0; n < points_; ++n) z[n] *= std::polar(1.0, pi * static_cast<double>(n) / (2.0 * static_cast<double>(points_)));
    fft_.forward(z);
  }
  void inverse(std::vector<Complex>& z) const {
    fft_.inverse(z);
    for (int64_t n = 0; n < points_; ++n)
      z[n] *= std::polar(1.0 / static_cast<double>(points_), -pi * static_cast<double>(n) / (2.0 * static_cast<double>(points_)));
  }

 private:
  int64_t points_;
  Fft64 fft_;
};

// What the bank makes of a row and a kernel, relative to what the whole ring makes of it.
double errorOf(int64_t length, const FrequencyMask& mask, const BankFilters& f) {
  const int64_t N = mask.points(), M = N / D;
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal;
  std::vector<double> u(static_cast<size_t>(length)), kernel(u.size());
  for (double& x : u) x = normal(random);
  for (double& x : kernel) x = normal(random);

  const Ring whole(N);
  std::vector<Complex> x(N), k(N);
  for (int64_t n = 0; n < length; ++n) x[n] = u[n], k[n] = kernel[n];
  whole.forward(x);
  whole.forward(k);
  for (int64_t i = 0; i < N; ++i) x[i] *= mask.keeps(i) ? k[i] : 0;
  whole.inverse(x);

  const FilterBank bank(mask, f);
  CHECK(bank.slots() > 0 && bank.points() == M);
  const Ring slot(M);
  const auto sampleAt = [](const std::vector<double>& v, int64_t n) { return n >= 0 && n < static_cast<int64_t>(v.size()) ? v[n] : 0; };
  // In the ring of 2N real samples.
  const auto tapAt = [&](int64_t n) { return n < 0 ? -sampleAt(kernel, n + 2 * N) : n >= 2 * N ? -sampleAt(kernel, n - 2 * N) : sampleAt(kernel, n); };
  const std::vector<float> filters = bank.kernelFilters(), weights = bank.weights(mask);
  CHECK(static_cast<int64_t>(weights.size()) == bank.slots() * M);
  std::vector<double> y(u.size());
  for (int s = 0; s < bank.slots(); ++s) {
    std::vector<Complex> z(M), taps(M);
    for (int64_t m = 0; m < M + f.neighbours(); ++m) {
      double number = 0;
      for (int j = 0; j < f.taps(); ++j) number += bank.coefficient(s, static_cast<int>(m % 8), j) * sampleAt(u, D * m + D - 1 - j);
      z[m % M] += m < M ? Complex(number, 0) : Complex(0, number);
    }
    const float* const filter = filters.data() + s * 2 * (f.reach + 1);
    for (int64_t m = 0; m < 2 * M; ++m) {
      double even = filter[0] * tapAt(D * m), odd = 0;
      for (int j = 1; j <= f.reach; ++j) {
        even += filter[2 * j] * (tapAt(D * m + j) + tapAt(D * m - j));
        odd += filter[2 * j + 1] * (tapAt(D * m + j) - tapAt(D * m - j));
      }
      const double angle = pi * static_cast<double>(bank.turn(s) * (m % 8)) / 4, tap = std::cos(angle) * even - std::sin(angle) * odd;
      taps[m % M] += m < M ? Complex(tap, 0) : Complex(0, tap);
    }
    slot.forward(z);
    slot.forward(taps);
    for (int64_t i = 0; i < M; ++i) {
      // The response at the edge is 1; where it is much smaller or larger, halves lose digits.
      const double weight = weights[s * M + i];
      CHECK(weight == 0 || (weight > 0.1 && weight < 1.1));
      z[i] *= taps[i] * weight;
    }
    slot.inverse(z);
    for (int64_t n = 0; n < length; ++n)
      for (int64_t m = n / D; m <= n / D + f.neighbours(); ++m)
        y[n] += bank.coefficient(s, static_cast<int>(m % 8), static_cast<int>(D * m + D - 1 - n)) * (m < M ? z[m].real() : z[m - M].imag());
  }
  double error = 0, size = 0;
  for (int64_t n = 0; n < length; ++n) {
    error += std::pow(y[n] - x[n].real(), 2);
    size += std::pow(x[n].real(), 2);
  }
  return std::sqrt(error / size);
}

void check(const char* what, const BankFilters& filters, int64_t length, int64_t block, const std::vector<int>& kept, int slots, double from, double to) {
  std::vector<uint8_t> keep(static_cast<size_t>((frequencyGrid(FFC_MODE_CAUSAL, length).bins + block - 1) / block));
  for (const int b : kept) keep[b] = 1;
  const FrequencyMask mask = patternOf(length, block, keep);
  CHECK(FilterBank(mask, filters).slots() == slots);
  const double error = errorOf(length, mask, filters);
  printf("  %s, %d cells: %.3g\n", what, filters.cells, error);
  CHECK(error > from && error < to);
}

}  // namespace

int main() {
  // White noise and a white kernel: what is folded, there and back. Less would be too good to be true.
  // The taps of kernels are floats, and so are the weights, so that it is not much less than that in any case.
  for (const BankFilters& f : {filtersOfHalves, filtersOfFloats}) {
    const bool exact = f.cells > filtersOfHalves.cells;
    const double from = exact ? 3e-8 : 5e-5, to = exact ? 2.5e-7 : 1.8e-4;
    check("blocks", f, 8192, 128, {1, 2, 7, 30, 31, 45, 62}, 7, from, to);
    check("one block", f, 8192, 128, {17}, 1, from, to);
    check("both ends, which have more room", f, 8192, 128, {0, 63}, 2, exact ? 3e-8 : 2e-6, exact ? to : 2e-5);
    check("parts of blocks, a shorter row", f, 7001, 32, {2, 77, 78, 79, 80, 200, 255}, 5, from, to);
    check("sixteen", f, 8192, 128, {0, 3, 5, 9, 12, 18, 19, 20, 27, 33, 38, 41, 50, 55, 58, 63}, 16, from, to);
  }
  CHECK(FilterBank(patternOf(8192, 512, std::vector<uint8_t>(16, 1)), filtersOfHalves).slots() == 0);
  return report_checks("filter_bank_test");
}
