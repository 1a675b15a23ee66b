// A band of low frequencies at a part of the sampling rate: filters on the way in and out, and what the kernel spectrum has to make
// up for them. With rate D, taps g[0 .. 5D) of response G(w) = sum_j g[j] e^{-iwj}, and a kernel spectrum that is zero beyond the
// frequency b (in parts of half the sampling rate):
//   d[m] = sum_j g[j] u[D m + D - 1 - j]                has, below b, the spectrum U G e^{iw(D-1)} / D and what has been folded down
//   y[n] = sum_m z[m] g[D m + D - 1 - n]                the transpose: no delay is left, and z counts with G conjugate
//   z = d * k',  K' = D K / |G|^2 below b, 0 above      so that Y = U K, but for what is folded
// d and z live on a negacyclic ring of 2N / D real samples, where u and y have one of 2N: the frequencies (k - 1/4) / N that are left are
// the same. Frequencies between (2 - D b) / D and 1 are folded below b; a Dolph-Chebyshev design (C. L. Dolph, Proc. IRE 34, 1946) has
// them at the same small size there, below `folded` times the response at b, with the fewest taps:
//   G(w) = T_n(x0 cos(w/2)) / T_n(x0),  x0 = 1 / cos(ws/2),  T_n the Chebyshev polynomial, n + 1 taps.
#pragma once
#include <cmath>
#include <complex>
#include <cstdint>
#include <vector>

namespace ffc {

// Of one 16-bit rounding (2^-12 in float16) this adds nothing that is seen.
constexpr double folded = 1e-4;

// What device functions need of it. |G|^2 at a frequency w of the samples; w <= pi b, where the argument of T_n is above 1.
struct Response {
  int order = 0, rate = 1;
  float x0 = 1, arcosh0 = 0;  // log T_n(x0) / n, nearly
#ifdef __CUDACC__
  __host__ __device__
#endif
  float squared(float w) const {
    const float x = x0 * cosf(w / 2);
    const float part = coshf(order * acoshf(x > 1 ? x : 1)) / coshf(order * arcosh0);
    return part * part;
  }
};

class Resampling {
 public:
  static constexpr int tapsPerRate = 5;
  // The rates that are built, the highest first, or 1: none has room for the band in its filter.
  static int rateFor(double band) {
    for (const int rate : {4, 2})
      if (orderFor(band, rate) < tapsPerRate * rate) return rate;
    return 1;
  }

  Resampling(double band, int rate) {
    response.order = orderFor(band, rate);
    response.rate = rate;
    const double x0 = 1 / std::cos(stop(band, rate) / 2);
    response.x0 = static_cast<float>(x0);
    response.arcosh0 = static_cast<float>(std::acosh(x0));
    // The zeros of T_n, on the unit circle.
    std::vector<std::complex<double>> product{1};
    for (int i = 1; i <= response.order; ++i) {
      const double w = 2 * std::acos(std::cos((2 * i - 1) * pi / (2 * response.order)) / x0);
      product.push_back(0);
      for (size_t j = product.size() - 1; j > 0; --j) product[j] -= std::polar(1.0, w) * product[j - 1];
    }
    double sum = 0;
    for (const auto& c : product) sum += c.real();
    taps.assign(tapsPerRate * rate, 0.0f);
    for (size_t j = 0; j < product.size(); ++j) taps[j] = static_cast<float>(product[j].real() / sum);

    // A low-pass between b and what is folded below it: cut off half-way, under a window of Kaiser whose ripple is 1e-6 (120 dB) and
    // which is as long as that takes.
    const double width = stop(band, rate) - pi * band, cut = pi * band + width / 2, beta = 0.1102 * (120 - 8.7);
    const int reach = static_cast<int>(std::ceil((120 - 7.95) / (2.285 * width) / 2));
    double total = 0;
    for (int j = 0; j <= reach; ++j) {
      const double ideal = j ? std::sin(cut * j) / (pi * j) : cut / pi, at = static_cast<double>(j) / (reach + 1);
      const double tap = ideal * bessel(beta * std::sqrt(1 - at * at)) / bessel(beta);
      kernelTaps.push_back(static_cast<float>(tap));
      total += j ? 2 * tap : tap;
    }
    for (float& tap : kernelTaps) tap = static_cast<float>(tap * rate * rate / total);
  }

  Response response;
  std::vector<float> taps;        // g, zeros behind its order
  std::vector<float> kernelTaps;  // f[0 .. reach], even: k'[m] = sum_j f[|j|] k[D m + j] has the spectrum D K below b

 private:
  static constexpr double pi = 3.14159265358979323846;
  // Where what is folded begins, as an angle.
  static double stop(double band, int rate) { return pi * (2.0 / rate - band); }
  // The least for which the response falls by `folded`; huge where the band leaves no room.
  static int orderFor(double band, int rate) {
    const double x = std::cos(pi * band / 2) / std::cos(stop(band, rate) / 2);
    if (band * rate >= 1 || x <= 1) return 1 << 20;
    return static_cast<int>(std::ceil(std::acosh(1 / folded) / std::acosh(x)));
  }
  // The modified Bessel function of the first kind and order 0.
  static double bessel(double x) {
    double sum = 1, term = 1;
    for (int k = 1; term > 1e-17 * sum; ++k) sum += term *= x * x / (4.0 * k * k);
    return sum;
  }
};

}  // namespace ffc
