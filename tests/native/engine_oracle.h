// What the CPU engine's test judges with: the 16-bit types and a float64 convolution of its own, and tensors that notice
// when something beside them is written.
#pragma once
#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "../../cuda/host/problem.h"

namespace {

using namespace ffc;
using Doubles = std::vector<double>;

// ---------------------------------------------------------------------------------------- 16-bit types

float halfToFloat(uint16_t h) {
  const int exponent = (h >> 10) & 31, fraction = h & 1023;
  double value = exponent == 31  ? (fraction ? NAN : INFINITY)
                 : exponent == 0 ? std::ldexp(fraction, -24)
                                 : std::ldexp(1024 + fraction, exponent - 25);
  return static_cast<float>(h & 0x8000 ? -value : value);
}

uint16_t floatToHalf(float f) {
  uint32_t bits;
  std::memcpy(&bits, &f, 4);
  const uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  const double a = std::fabs(static_cast<double>(f));
  if (std::isnan(f)) return sign | 0x7e00;
  if (a >= 65520.0) return sign | 0x7c00;
  if (a < std::ldexp(1.0, -14)) return sign | static_cast<uint16_t>(std::nearbyint(std::ldexp(a, 24)));
  int exponent;
  const double m = std::frexp(a, &exponent);  // a = m * 2^exponent, 0.5 <= m < 1
  const double fraction = std::nearbyint(std::ldexp(m, 11));
  return sign | static_cast<uint16_t>(((exponent + 13) << 10) + static_cast<int>(fraction));
}

float bfloatToFloat(uint16_t b) {
  const uint32_t bits = static_cast<uint32_t>(b) << 16;
  float f;
  std::memcpy(&f, &bits, 4);
  return f;
}

uint16_t floatToBfloat(float f) {
  uint32_t bits;
  std::memcpy(&bits, &f, 4);
  if (std::isnan(f)) return static_cast<uint16_t>((bits >> 16) | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

// A tensor in its storage type with guard bytes on both sides; filled with NaN.
class Tensor {
 public:
  Tensor(Dtype dtype, int64_t elements) : dtype_(dtype), elements_(elements) {
    bytes_.assign(static_cast<size_t>(elements * dtypeBytes(dtype) + 2 * guard), 0xa5);
    for (int64_t i = 0; i < elements; ++i) set(i, NAN);
  }
  void* data() { return bytes_.data() + guard; }
  const void* data() const { return bytes_.data() + guard; }
  double get(int64_t i) const {
    const unsigned char* p = bytes_.data() + guard + i * dtypeBytes(dtype_);
    uint16_t h;
    float f;
    if (dtype_ == Dtype::float32) return std::memcpy(&f, p, 4), f;
    std::memcpy(&h, p, 2);
    return dtype_ == Dtype::float16 ? halfToFloat(h) : bfloatToFloat(h);
  }
  void set(int64_t i, double value) {
    unsigned char* p = bytes_.data() + guard + i * dtypeBytes(dtype_);
    const float f = static_cast<float>(value);
    if (dtype_ == Dtype::float32) {
      std::memcpy(p, &f, 4);
      return;
    }
    const uint16_t h = dtype_ == Dtype::float16 ? floatToHalf(f) : floatToBfloat(f);
    std::memcpy(p, &h, 2);
  }
  void randomise(std::mt19937& random, double scale) {
    std::normal_distribution<double> normal;
    for (int64_t i = 0; i < elements_; ++i) set(i, normal(random) * scale);
  }
  bool guardsIntact() const {
    for (int i = 0; i < guard; ++i)
      if (bytes_[i] != 0xa5 || bytes_[bytes_.size() - 1 - i] != 0xa5) return false;
    return true;
  }

 private:
  static constexpr int guard = 256;
  Dtype dtype_;
  int64_t elements_;
  std::vector<unsigned char> bytes_;
};

// --------------------------------------------------------------------------------------------- oracle

void fft(std::vector<std::complex<double>>& x, bool inverse) {
  const size_t n = x.size();
  for (size_t i = 1, j = 0; i < n; ++i) {
    size_t bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(x[i], x[j]);
  }
  std::vector<std::complex<double>> root(n / 2);
  for (size_t i = 0; i < n / 2; ++i)
    root[i] = std::polar(1.0, (inverse ? 2 : -2) * M_PI * static_cast<double>(i) / static_cast<double>(n));
  for (size_t length = 2; length <= n; length *= 2)
    for (size_t begin = 0; begin < n; begin += length)
      for (size_t i = 0; i < length / 2; ++i) {
        const auto a = x[begin + i], b = x[begin + i + length / 2];
        const auto w = root[i * (n / length)];
        const std::complex<double> t(b.real() * w.real() - b.imag() * w.imag(),
                                     b.real() * w.imag() + b.imag() * w.real());
        x[begin + i] = a + t;
        x[begin + i + length / 2] = a - t;
      }
}

Doubles fullDirect(const Doubles& u, const Doubles& k) {
  Doubles y(u.size() + k.size() - 1, 0.0);
  for (size_t i = 0; i < u.size(); ++i)
    for (size_t j = 0; j < k.size(); ++j) y[i + j] += u[i] * k[j];
  return y;
}

Doubles fullConvolution(const Doubles& u, const Doubles& k, bool forceFft = false) {
  if (!forceFft && static_cast<double>(u.size()) * static_cast<double>(k.size()) < 2e6) return fullDirect(u, k);
  size_t n = 1;
  while (n < u.size() + k.size() - 1) n *= 2;
  // Both signals in one transform: x = u + i k, and the spectrum of u * k is (X(f)^2 - conj(X(-f))^2) / 4i.
  std::vector<std::complex<double>> x(n), product(n);
  for (size_t i = 0; i < u.size(); ++i) x[i].real(u[i]);
  for (size_t i = 0; i < k.size(); ++i) x[i].imag(k[i]);
  fft(x, false);
  for (size_t i = 0; i < n; ++i) {
    const auto a = x[i], b = std::conj(x[(n - i) % n]);
    product[i] = (a * a - b * b) / std::complex<double>(0, 4);
  }
  fft(product, true);
  Doubles y(u.size() + k.size() - 1);
  for (size_t i = 0; i < y.size(); ++i) y[i] = product[i].real() / static_cast<double>(n);
  return y;
}

}  // namespace
