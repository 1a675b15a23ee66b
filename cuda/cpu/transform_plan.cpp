#include "transform_plan.h"

#include <algorithm>
#include <cmath>
#include <complex>

namespace ffc {
namespace {

// exp(-2 pi i n / count) in float64. Angles are reduced to an eighth of a turn before sin and cos see them; long
// tables are products of two short ones, which costs one rounding of 1e-16.
class UnitRoots {
 public:
  explicit UnitRoots(int64_t count) : count_(count) {
    while (step_ * step_ < count_) step_ *= 2;
    for (int64_t i = 0; i < step_; ++i) fine_.push_back(exact(i));
    for (int64_t i = 0; i * step_ < count_; ++i) coarse_.push_back(exact(i * step_));
  }
  // n may be any integer.
  std::complex<double> operator()(int64_t n) const {
    n %= count_;
    if (n < 0) n += count_;
    const std::complex<double> a = coarse_[n / step_], b = fine_[n % step_];
    return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
  }

 private:
  std::complex<double> exact(int64_t n) const {
    // angle = 2 pi n / count = (octant + rest / count) * pi / 4, with 0 <= rest < count.
    const int64_t octant = 8 * n / count_, rest = 8 * n % count_;
    const bool mirrored = octant % 2;
    const double quarterPi = 0.78539816339744830962;
    const double angle = static_cast<double>(mirrored ? count_ - rest : rest) / static_cast<double>(count_) * quarterPi;
    double c = std::cos(angle), s = std::sin(angle);
    if (mirrored) std::swap(c, s);
    switch (octant / 2 % 4) {
      case 0: return {c, -s};
      case 1: return {-s, -c};
      case 2: return {-c, s};
      default: return {s, c};
    }
  }
  int64_t count_, step_ = 1;
  std::vector<std::complex<double>> fine_, coarse_;
};

void put(float* p, int64_t imaginaryAt, std::complex<double> value) {
  p[0] = static_cast<float>(value.real());
  p[imaginaryAt] = static_cast<float>(value.imag());
}

}  // namespace

std::vector<int> transformRadices(int64_t vectors, int lanes) {
  if (vectors < 16) return {};
  int twos = 0;
  int64_t odd = vectors;
  while (odd % 2 == 0) odd /= 2, ++twos;
  if (twos < 4) return {};
  std::vector<int> middle;
  for (int radix : {3, 5})
    while (odd % radix == 0) odd /= radix, middle.push_back(radix);
  if (odd != 1 || middle.size() > 2) return {};
  // Eight values of two parts need 16 registers of the 32 that AVX-512 has; with 16 registers in all, four at a
  // time are faster, and an eight is used once where the power of two is odd.
  std::vector<int> powers;
  if (lanes == 16) {
    for (int fours = (3 - twos % 3) % 3; fours > 0; --fours) powers.push_back(4), twos -= 2;
    for (; twos > 0; twos -= 3) powers.push_back(8);
    // An eight, if there is one, goes first: its blocks are what the threads share when a single row is transformed.
    std::rotate(powers.begin(), powers.end() - 1, powers.end());
  } else {
    if (twos % 2) powers.push_back(8), twos -= 3;
    for (; twos > 0; twos -= 2) powers.push_back(4);
  }
  std::vector<int> radices = {powers.front()};
  radices.insert(radices.end(), middle.begin(), middle.end());
  radices.insert(radices.end(), powers.begin() + 1, powers.end());
  return radices;
}

std::vector<int64_t> transformLengths(int64_t points, int lanes) {
  std::vector<int64_t> lengths;
  const int64_t limit = 2 * std::max<int64_t>(points, 16 * lanes);
  for (int64_t odd : {1, 3, 5, 9, 15})
    for (int64_t n = odd * 16 * lanes; n <= limit; n *= 2) lengths.push_back(n);
  std::sort(lengths.begin(), lengths.end());
  const auto end = std::lower_bound(lengths.begin(), lengths.end(), points);
  lengths.erase(end + 1, lengths.end());
  return lengths;
}

bool lanesAreFactored(int64_t points) { return points > (int64_t{1} << 15); }

TransformPlan::TransformPlan(int64_t points, int lanes, int quarters) {
  Transform& t = transform_;
  t.points = points;
  t.lanes = lanes;
  t.quarters = quarters;
  t.vectors = points / lanes;
  const std::vector<int> radices = transformRadices(t.vectors, lanes);
  t.levels = static_cast<int>(radices.size());
  if (radices.empty() || t.levels > Transform::maxLevels)
    throw Error(FFC_INTERNAL_ERROR, "no transform of " + std::to_string(points) + " points");

  // The first level's factor 0 is 1, as that of the others, where its frequencies are not shifted.
  const auto firstFactor = [quarters](int level) { return level || !quarters ? 1 : 0; };
  int64_t size = t.vectors, floats = 0;
  for (int i = 0; i < t.levels; ++i) {
    t.level[i] = {radices[i], size, size / radices[i], nullptr};
    size /= radices[i];
    if (i + 1 < t.levels) floats += 2 * t.level[i].stride * (radices[i] - firstFactor(i));
  }
  twiddles_ = allocateFloats(floats, "transform factors");
  float* next = twiddles_.get();
  for (int i = 0; i + 1 < t.levels; ++i) {
    TransformLevel& l = t.level[i];
    l.twiddles = next;
    const UnitRoots root(i ? l.size : 4 * l.size);
    for (int64_t m = 0; m < l.stride; ++m)
      for (int k = firstFactor(i); k < l.radix; ++k, next += 2) put(next, 1, root(i ? m * k : m * (4 * k - quarters)));
  }

  // Frequency of every block of the last level: the digits of its position, the first level's counting least.
  const int lastRadix = radices.back();
  const int64_t blocks = t.vectors / lastRadix;
  std::vector<int64_t> frequency(static_cast<size_t>(blocks), 0);
  int64_t span = blocks, weight = 1;
  for (int i = 0; i + 1 < t.levels; ++i) {
    span /= radices[i];
    for (int64_t b = 0; b < blocks; ++b) frequency[b] += b / span % radices[i] * weight;
    weight *= radices[i];
  }
  // The last digit has weight blocks: lane j of the k-th vector of a block has a factor of frequency b + k * blocks.
  const UnitRoots root(4 * points);
  const bool factored = lanesAreFactored(points);
  const int perBlock = factored ? 1 : lastRadix;
  laneFactors_ = allocateFloats(2 * lanes * blocks * perBlock, "transform factors");
  next = laneFactors_.get();
  for (int64_t b = 0; b < blocks; ++b)
    for (int k = 0; k < perBlock; ++k, next += 2 * lanes)
      for (int j = 0; j < lanes; ++j) put(next + j, lanes, root(j * (4 * (frequency[b] + k * blocks) - quarters)));
  t.laneFactors = laneFactors_.get();
  if (!factored) return;
  laneSteps_ = allocateFloats(2 * lanes * lastRadix, "transform factors");
  const UnitRoots step(lastRadix * lanes);
  for (int k = 0; k < lastRadix; ++k)
    for (int j = 0; j < lanes; ++j) put(laneSteps_.get() + 2 * lanes * k + j, lanes, step(j * k));
  t.laneSteps = laneSteps_.get();
}

void TransformPlan::eachFrequency(const std::function<void(int64_t, int64_t)>& visit) const {
  const Transform& t = transform_;
  const int W = t.lanes;
  std::vector<int64_t> ofLane(static_cast<size_t>(W));
  for (int64_t group = 0; group < t.vectors; group += W) {
    // Before the step across the lanes the vector at position p has the frequencies k(p) mod vectors, the digits of p;
    // that step transposes W of them, and vector r of the result is their part r' of the transform over the lanes.
    for (int j = 0; j < W; ++j) {
      int64_t span = t.vectors, weight = 1;
      ofLane[j] = 0;
      for (int i = 0; i < t.levels; ++i) {
        span /= t.level[i].radix;
        ofLane[j] += (group + j) / span % t.level[i].radix * weight;
        weight *= t.level[i].radix;
      }
    }
    for (int r = 0; r < W; ++r) {
      const int part = W == 16 ? r / 4 + r % 4 * 4 : r;  // 16 lanes are two steps of 4, see columns16()
      for (int j = 0; j < W; ++j) visit((group + r) * 2 * W + j, ofLane[j] + part * t.vectors);
    }
  }
}

void TransformPlan::skip(const std::function<bool(int64_t)>& keeps) {
  const int64_t groups = transform_.vectors / transform_.lanes, groupFloats = 2 * transform_.lanes * transform_.lanes;
  keptGroups_.assign(static_cast<size_t>(groups + 1), 0);
  eachFrequency([&](int64_t place, int64_t k) {
    if (keeps(k)) keptGroups_[place / groupFloats + 1] = 1;
  });
  for (int64_t g = 0; g < groups; ++g) keptGroups_[g + 1] += keptGroups_[g];
  transform_.keptGroups = keptGroups_.data();
}

}  // namespace ffc
