// The kernel window and the ring it is placed in, which every transform of both backends starts from: integers in a
// negacyclic ring against the definition, with rings as small as the formula allows and one size below.
#include <random>
#include <vector>

#include "../../cuda/host/window.h"
#include "check.h"

using namespace ffc;

namespace {

ConvProblem problemOf(int32_t mode, int64_t length, int64_t kernelLength) {
  ffc_conv_desc d{};
  d.struct_size = sizeof d;
  d.mode = mode;
  d.dtype = d.kernel_dtype = FFC_DTYPE_FLOAT32;
  d.batch = d.channels = 1;
  d.length = length;
  d.kernel_length = kernelLength;
  return makeProblem(d);
}

using Samples = std::vector<int64_t>;

Samples randomSamples(int64_t count, std::mt19937& random) {
  Samples v(static_cast<size_t>(count));
  for (int64_t& x : v) x = 1 + static_cast<int64_t>(random() % 1000);  // no zeros, so that nothing wrong is hidden
  return v;
}

Samples byDefinition(const ConvProblem& p, const Samples& u, const Samples& k) {
  Samples y(static_cast<size_t>(p.outputLength));
  for (int64_t i = 0; i < p.length; ++i)
    for (int64_t j = 0; j < p.kernelLength; ++j) {
      const int64_t n = p.circular() ? (i + j) % p.length : i + j - p.outputOffset;
      if (n >= 0 && n < p.outputLength) y[static_cast<size_t>(n)] += u[static_cast<size_t>(i)] * k[static_cast<size_t>(j)];
    }
  return y;
}

// What a transform of `ring` real samples computes: taps at j - offset, in circular mode also at j - period; what
// leaves the ring on either side comes back with its sign changed.
Samples byRing(const ConvProblem& p, const KernelWindow& w, const Samples& u, const Samples& k, int64_t ring) {
  Samples placed(static_cast<size_t>(ring));
  const auto place = [&](int64_t position, int64_t tap) {
    placed[static_cast<size_t>(position < 0 ? position + ring : position)] += position < 0 ? -tap : tap;
  };
  for (int64_t j = 0; j < w.count; ++j) {
    int64_t tap = 0;
    if (p.circular())
      for (int64_t t = j; t < p.kernelLength; t += p.length) tap += k[static_cast<size_t>(t)];
    else
      tap = k[static_cast<size_t>(w.first + j)];
    place(j - w.offset, tap);
    if (p.circular()) place(j - p.length, tap);
  }
  Samples y(static_cast<size_t>(ring));
  for (int64_t i = 0; i < p.length; ++i)
    for (int64_t t = 0; t < ring; ++t) {
      const int64_t n = i + t;
      y[static_cast<size_t>(n % ring)] += (n >= ring ? -1 : 1) * u[static_cast<size_t>(i)] * placed[static_cast<size_t>(t)];
    }
  y.resize(static_cast<size_t>(p.outputLength));
  return y;
}

void testRings() {
  std::mt19937 random(11);
  int smallerWrong = 0, smaller = 0;
  for (int32_t mode = FFC_MODE_CAUSAL; mode <= FFC_MODE_VALID; ++mode)
    for (int repeat = 0; repeat < 150; ++repeat) {
      const int64_t length = 1 + static_cast<int64_t>(random() % 24), taps = 1 + static_cast<int64_t>(random() % 50);
      const ConvProblem p = problemOf(mode, length, taps);
      const KernelWindow w = kernelWindow(p);
      CHECK(w.count >= 1 && w.first >= 0 && w.first + w.count <= taps);
      const Samples u = randomSamples(length, random), k = randomSamples(taps, random), want = byDefinition(p, u, k);
      const int64_t ring = ringSamples(p, w);
      for (const int64_t more : {0, 1, 7}) CHECK(byRing(p, w, u, k, ring + more) == want);
      // One sample less must not do, or shorter transforms would be passed over. (Where it would not even hold u or
      // the taps there is nothing to compute.)
      if (ring - 1 >= std::max({p.length, w.count, p.outputLength, w.offset + 1}) && !p.circular()) {
        ++smaller;
        smallerWrong += byRing(p, w, u, k, ring - 1) != want;
      }
    }
  CHECK(smaller > 100);
  CHECK(smallerWrong == smaller);
}

}  // namespace

int main() {
  testRings();
  return report_checks("window_test");
}
