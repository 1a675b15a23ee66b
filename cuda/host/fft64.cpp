#include "fft64.h"

#include <cmath>
#include <utility>

namespace ffc {
namespace {

constexpr double pi = 3.14159265358979323846;

// Written out: the operator of std::complex looks for infinities, which costs more than the product.
std::complex<double> product(std::complex<double> a, std::complex<double> b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

bool isPowerOfTwo(int64_t count) { return (count & (count - 1)) == 0; }

// A length that is no power of two becomes a convolution with a chirp (Bluestein): X[k] = c[k] sum_n (x[n] c[n])
// conj(c[k - n]), which takes 2 count - 1 places.
int64_t sizeFor(int64_t count) {
  int64_t size = 1;
  while (size < (isPowerOfTwo(count) ? count : 2 * count - 1)) size *= 2;
  return size;
}

constexpr int64_t complexBytes = sizeof(std::complex<double>);

}  // namespace

int64_t Fft64::bytesFor(int64_t count) {
  const int64_t size = sizeFor(count);
  return (size / 2 + (isPowerOfTwo(count) ? 0 : count + size)) * complexBytes;
}

int64_t Fft64::callBytesFor(int64_t count) { return isPowerOfTwo(count) ? 0 : sizeFor(count) * complexBytes; }

Fft64::Fft64(int64_t count) : count_(count), size_(sizeFor(count)) {
  roots_.reserve(static_cast<size_t>(size_ / 2));
  for (int64_t n = 0; n < size_ / 2; ++n)
    roots_.push_back(std::polar(1.0, -2 * pi * static_cast<double>(n) / static_cast<double>(size_)));
  if (isPowerOfTwo(count)) return;
  chirp_.resize(static_cast<size_t>(count));
  for (int64_t n = 0; n < count; ++n)  // n^2 reduced modulo a whole turn, so that the angle keeps its digits
    chirp_[n] = std::polar(1.0, -pi * static_cast<double>(static_cast<__int128>(n) * n % (2 * count)) /
                                    static_cast<double>(count));
  chirpSpectrum_.assign(static_cast<size_t>(size_), Complex());
  for (int64_t n = 0; n < count; ++n) {
    chirpSpectrum_[n] = std::conj(chirp_[n]);
    if (n > 0) chirpSpectrum_[size_ - n] = std::conj(chirp_[n]);
  }
  powerOfTwo(chirpSpectrum_);
}

void Fft64::powerOfTwo(std::vector<Complex>& x) const {
  for (int64_t i = 1, j = 0; i < size_; ++i) {
    int64_t bit = size_ >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(x[i], x[j]);
  }
  for (int64_t half = 1; half < size_; half *= 2) {
    const int64_t step = size_ / (2 * half);
    for (int64_t start = 0; start < size_; start += 2 * half)
      for (int64_t i = 0; i < half; ++i) {
        const Complex a = x[start + i], b = product(x[start + i + half], roots_[i * step]);
        x[start + i] = a + b;
        x[start + i + half] = a - b;
      }
  }
}

void Fft64::forward(std::vector<Complex>& x) const {
  if (chirp_.empty()) return powerOfTwo(x);
  std::vector<Complex> a(static_cast<size_t>(size_));
  for (int64_t n = 0; n < count_; ++n) a[n] = product(x[n], chirp_[n]);
  powerOfTwo(a);
  for (int64_t k = 0; k < size_; ++k) a[k] = std::conj(product(a[k], chirpSpectrum_[k]));
  powerOfTwo(a);
  const double scale = 1.0 / static_cast<double>(size_);
  for (int64_t k = 0; k < count_; ++k) x[k] = product(std::conj(a[k]) * scale, chirp_[k]);
}

void Fft64::inverse(std::vector<Complex>& x) const {
  for (Complex& v : x) v = std::conj(v);
  forward(x);
  for (Complex& v : x) v = std::conj(v);
}

}  // namespace ffc
