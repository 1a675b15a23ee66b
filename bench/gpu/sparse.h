// Frequency-sparse cases: patterns, and what a float64 convolution with such a kernel gives.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "../../cuda/include/flashfftconv.h"
#include "reference.h"

namespace bench {

struct Pattern {
  std::string name;
  int kind = FFC_SPARSITY_CLASSES;
  int64_t block = 1;
  std::vector<uint8_t> keep;
  // Without a list of blocks everything is kept: a dense plan.
  explicit operator bool() const { return !keep.empty(); }

  // Index k of the transform of `points` complex points; its bin is counted from the nearest end.
  bool keeps(int64_t k, int64_t points) const {
    if (kind == FFC_SPARSITY_CLASSES) return keep[k % block];
    const double distance = std::abs((double(k) - 0.25) / double(points) - std::round((double(k) - 0.25) / double(points)));
    return keep[std::llround(distance * 2 * double(points) - 0.5) / block];
  }
  double zeros(int64_t bins) const {
    double kept = 0;
    for (size_t b = 0; b < keep.size(); ++b)
      if (keep[b]) kept += kind == FFC_SPARSITY_CLASSES ? double(bins) / double(block) : double(std::min<int64_t>(block, bins - int64_t(b) * block));
    return 1 - kept / double(bins);
  }
};

inline int64_t sparsePoints(int64_t length) {
  int64_t points = 256;
  while (points < length) points *= 2;
  return points;
}

// So many classes of `modulus`, drawn at random: what a choice by energy looks like.
inline Pattern scattered(int64_t modulus, int64_t count) {
  Pattern p;
  p.name = "scattered" + std::to_string(count) + "of" + std::to_string(modulus);
  p.block = modulus;
  p.keep.assign(modulus, 0);
  std::fill_n(p.keep.begin(), count, 1);
  std::shuffle(p.keep.begin(), p.keep.end(), std::mt19937(11));
  return p;
}

// So many of `all` blocks that half the sampling rate is cut into, drawn at random.
inline Pattern scatteredBlocks(int64_t length, int64_t all, int64_t count) {
  Pattern p = scattered(all, count);
  p.name = "blocks" + std::to_string(count) + "of" + std::to_string(all);
  p.kind = FFC_SPARSITY_BLOCKS;
  p.block = sparsePoints(length) / all;
  return p;
}

// A causal pattern's classes or blocks on the circular grid of a period that is a power of two. Classes c and -c are the same frequencies;
// bins are twice as far apart, and half the rate itself belongs to the last block.
inline Pattern onCircularGrid(Pattern p) {
  if (p.kind == FFC_SPARSITY_CLASSES) {
    for (int64_t c = 1; c < p.block; ++c) p.keep[c] = p.keep[std::min(c, p.block - c)];
  } else {
    p.block /= 2;
    p.keep.push_back(p.keep.back());
  }
  return p;
}

// So many blocks of the circular grid of any period.
inline Pattern circularBlocks(int64_t period, int64_t all, int64_t count) {
  Pattern p = onCircularGrid(scatteredBlocks(period, all, count));
  p.block = period / 2 / all;
  return p;
}

// Blocks of neighbours between two parts of half the sampling rate.
inline Pattern band(int64_t length, double from, double until) {
  Pattern p;
  const auto percent = [](double fraction) { return std::to_string(std::llround(fraction * 100)); };
  p.name = from > 0 ? "band" + percent(from) + "to" + percent(until) : "lowest" + percent(until);
  p.kind = FFC_SPARSITY_BLOCKS;
  p.block = 64;
  const int64_t blocks = (sparsePoints(length) + 63) / 64;
  p.keep.assign(blocks, 0);
  const int64_t first = int64_t(double(blocks) * from);
  std::fill_n(p.keep.begin() + first, std::max<int64_t>(1, int64_t(double(blocks) * until) - first), 1);
  return p;
}
inline Pattern lowest(int64_t length, double fraction) { return band(length, 0, fraction); }

// The first u.size() samples of u * k without the dropped frequencies: transforms of 2N real samples at half-integer
// frequencies, by turning sample n by half a step.
inline std::vector<double> sparseConvolution(const std::vector<double>& u, const std::vector<double>& k, const Pattern& pattern) {
  const int64_t points = sparsePoints(int64_t(u.size())), size = 2 * points;
  const double half = 3.14159265358979323846 / double(size);
  const auto transformed = [&](const std::vector<double>& x) {
    std::vector<Complex> a(size);
    for (size_t n = 0; n < std::min(x.size(), u.size()); ++n) a[n] = std::polar(x[n], -half * double(n));
    fft(a, -1);
    return a;
  };
  std::vector<Complex> a = transformed(u);
  const std::vector<Complex> b = transformed(k);
  for (int64_t f = 0; f < size; ++f) {
    // Frequency (f + 1/2) / 2N is +-(j - 1/4) / N: even f of -j, odd f of (f + 1) / 2.
    const int64_t index = f % 2 ? (f + 1) / 2 % points : (points - f / 2) % points;
    a[f] = pattern.keeps(index, points) ? a[f] * b[f] / double(size) : 0.0;
  }
  fft(a, 1);
  std::vector<double> y(u.size());
  for (size_t n = 0; n < y.size(); ++n) y[n] = (a[n] * std::polar(1.0, half * double(n))).real();
  return y;
}

// The circular convolution of as many samples, a power of two, without the dropped frequencies: bin f is that of f and of P - f.
inline std::vector<double> circularSparseConvolution(const std::vector<double>& u, const std::vector<double>& k, const Pattern& pattern) {
  const size_t period = u.size();
  std::vector<Complex> a(u.begin(), u.end()), b(period);
  for (size_t n = 0; n < k.size(); ++n) b[n % period] += k[n];
  fft(a, -1);
  fft(b, -1);
  for (size_t f = 0; f < period; ++f) {
    const size_t block = pattern.kind == FFC_SPARSITY_CLASSES ? f % size_t(pattern.block) : std::min(f, period - f) / size_t(pattern.block);
    a[f] = pattern.keep[block] ? a[f] * b[f] / double(period) : 0.0;
  }
  fft(a, 1);
  std::vector<double> y(period);
  for (size_t n = 0; n < period; ++n) y[n] = a[n].real();
  return y;
}

}  // namespace bench
