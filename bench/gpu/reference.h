// A float64 convolution for checking, by an FFT of its own: the oracle shares no code with what it judges.
#pragma once
#include <cmath>
#include <complex>
#include <cstdint>
#include <vector>

namespace bench {

using Complex = std::complex<double>;

inline void fft(std::vector<Complex>& x, int sign) {
  const size_t n = x.size();
  for (size_t i = 1, j = 0; i < n; ++i) {
    size_t bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(x[i], x[j]);
  }
  std::vector<Complex> roots(n / 2 ? n / 2 : 1);
  for (size_t i = 0; i < n / 2; ++i) roots[i] = std::polar(1.0, sign * 6.283185307179586476925286766559 * double(i) / double(n));
  for (size_t length = 2; length <= n; length <<= 1)
    for (size_t i = 0; i < n; i += length)
      for (size_t k = 0; k < length / 2; ++k) {
        const Complex t = roots[k * (n / length)] * x[i + k + length / 2];
        x[i + k + length / 2] = x[i + k] - t;
        x[i + k] += t;
      }
}

// full[n] = sum_j k[j] u[n - j], n < u.size() + k.size() - 1. The error is about 1e-15, relative to the largest sample.
inline std::vector<double> fullConvolution(const std::vector<double>& u, const std::vector<double>& k) {
  const size_t size = u.size() + k.size() - 1;
  if (std::min(u.size(), k.size()) <= 32) {
    std::vector<double> y(size);
    for (size_t i = 0; i < u.size(); ++i)
      for (size_t j = 0; j < k.size(); ++j) y[i + j] += u[i] * k[j];
    return y;
  }
  size_t n = 1;
  while (n < size) n <<= 1;
  std::vector<Complex> a(n), b(n);
  std::copy(u.begin(), u.end(), a.begin());
  std::copy(k.begin(), k.end(), b.begin());
  fft(a, -1);
  fft(b, -1);
  for (size_t i = 0; i < n; ++i) a[i] *= b[i] / double(n);
  fft(a, 1);
  std::vector<double> y(size);
  for (size_t i = 0; i < size; ++i) y[i] = a[i].real();
  return y;
}

}  // namespace bench
