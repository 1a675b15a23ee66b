// What the designs of filters share (resampling.h, filter_bank.h): systems of linear equations and a window's function.
#pragma once
#include <cmath>
#include <vector>

namespace ffc {

// A positive definite matrix, given by its lower half, as a product (Cholesky).
template <class Real>
void decompose(std::vector<Real>& m, int n) {
  for (int j = 0; j < n; ++j)
    for (int i = j; i < n; ++i) {
      Real sum = m[i * n + j];
      for (int k = 0; k < j; ++k) sum -= m[i * n + k] * m[j * n + k];
      m[i * n + j] = i == j ? std::sqrt(sum) : sum / m[j * n + j];
    }
}
// x becomes the inverse of such a product's matrix times x.
template <class Real>
void solve(const std::vector<Real>& m, std::vector<Real>& x) {
  const int n = static_cast<int>(x.size());
  for (int i = 0; i < n; ++i) {
    for (int k = 0; k < i; ++k) x[i] -= m[i * n + k] * x[k];
    x[i] /= m[i * n + i];
  }
  for (int i = n - 1; i >= 0; --i) {
    for (int k = i + 1; k < n; ++k) x[i] -= m[k * n + i] * x[k];
    x[i] /= m[i * n + i];
  }
}

// The modified Bessel function of the first kind and order 0, of Kaiser's window.
inline double bessel(double x) {
  double sum = 1, term = 1;
  for (int k = 1; term > 1e-17 * sum; ++k) sum += term *= x * x / (4.0 * k * k);
  return sum;
}

}  // namespace ffc
