// A band of frequencies at a part of the sampling rate: filters on the way in and out, and what the kernel spectrum has to make up for
// them. The ring of the problem has 2N real samples and the frequencies (k - 1/4) / N; with rate D, one of 2N / D has every frequency
// of a slot, w0 to w0 + pi / D (angles a sample), that the band lies in: w becomes D (w - w0). Numbers of the ring are
//   d[m] = sum_j c_m[j] u[D m + D - 1 - j],     c_m[j] = 2 g[j] cos(wc (j - T D / 2) - D w0 m),   0 <= j < T D
// the real part of what is around wc, the band's middle, moved down by w0; g has the real response G(w) about its middle. Then
//   y[n] = sum_m c_m[D m + D - 1 - n] z[m]      the transpose: no delay is left
//   z = d * k',  K' = D K / G(w - wc)^2         zero outside the band, so that Y = U K, but for what is folded
// Slots begin at w0 = pi t / 16 D, so that c_m depends on m mod 16 but for a sign (m mod 32), and all frequencies are among those of the
// whole ring: bin j of it is bin j - N t / 16 D of the slot. Bands of low frequencies, wc = w0 = 0, and of high ones, wc = pi, w0 =
// pi - pi / D, need no guard on that side; there is no factor 2.
//
// What is folded into the band comes from its images: w + 2 pi l / D and, since d is real, 2 w0 - w + 2 pi l / D. g is as small there as
// T D taps allow, the maximum over the images relative to G at the band's edges (a minimax design by weighted least squares, C. L.
// Lawson 1961); what it is between them matters little.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "filter_design.h"

namespace ffc {

// What device functions need of g.
struct Response {
  static constexpr int most = 32;  // G(w) = sum_j a[j] cos((j + 1/2) w)
  double a[most] = {}, center = 0, begin = 0;  // wc, w0
  int count = 0, rate = 1;                    // half of the taps; 0: there are no filters

  // G^2 at a frequency of the slot, counted from its beginning, an angle a sample. The recurrence loses count^2 roundings where x is small:
  // in float32 it serves 16-bit tensors.
  template <class Real>
#ifdef __CUDACC__
  __host__ __device__
#endif
  Real squared(Real w) const {
    const Real x = w + static_cast<Real>(begin) - static_cast<Real>(center), step = 2 * std::cos(x);
    Real cosine = std::cos(x / 2), before = cosine, sum = 0;
    for (int j = 0; j < count; ++j) {
      sum += static_cast<Real>(a[j]) * cosine;
      const Real next = step * cosine - before;
      before = cosine, cosine = next;
    }
    return sum * sum;
  }
};

// How good filters have to be, by what the numbers between them are computed in: the two classes of 16-bit tensors, and float32.
enum class FilterClass { fast, accurate, float32 };

class Resampling {
 public:
  static constexpr int phases = 16;
  // Filters of float32 begin at every second of the places that slots may have, so that they have half as many coefficients.
  static constexpr int floatStep = 2;

  // T, the fewest first. With matrices, of which one piece of neighbours holds 9, nothing is saved by fewer.
  static std::vector<int> tapsPerRate(FilterClass of, int rate) {
    if (of != FilterClass::float32) return {9};
    return {9, rate == 2 ? 18 : 16};
  }
  // What may be folded into a band, relative to an input at another frequency: of white noise twice each image, it adds up to half of the
  // class's own error.
  static constexpr double mostFolded(FilterClass of) {
    return of == FilterClass::fast ? 5e-4 : of == FilterClass::accurate ? 2.2e-4 : 5.5e-7;
  }

  // A band, in parts of half the sampling rate, at the lowest rate (1 / 4 or, with 2 for the highest divisor, 1 / 2) that has room for
  // its filter; or none.
  static std::optional<Resampling> of(double from, double to, FilterClass quality, int highestDivisor = 4) {
    for (const int rate : {4, 2}) {
      if (rate > highestDivisor) continue;
      for (const int taps : tapsPerRate(quality, rate))
        for (const Slot& slot : slots(pi * from, pi * to, rate, quality == FilterClass::float32 ? floatStep : 1)) {
          std::vector<double> a;
          if (leastFolded(slot, taps * rate, quality, a) <= mostFolded(quality)) return Resampling(slot, rate, quality, a);
        }
    }
    return std::nullopt;
  }

  int rate() const { return response.rate; }
  // The first bin of the slot among those of a grid that has so many in half the sampling rate: N of a causal pattern, P / 2 of a circular one.
  int64_t firstBin(int64_t bins) const { return bins / (phases * rate()) * turn_; }
  // c_m[j]; beyond the taps, 0.
  double coefficient(int m, int j) const {
    if (j < 0 || j >= taps()) return 0;
    const int behind = j - response.count;  // the middle lies half a sample before it
    return factor_ * response.a[behind < 0 ? -1 - behind : behind] / 2 *
           std::cos(center_ * behind - pi * ((turn_ * m) % (2 * phases)) / phases);
  }
  int taps() const { return 2 * response.count; }
  bool alternates() const { return turn_ & 1; }  // c_(m + 16) = -c_m
  int turn() const { return turn_; }             // w0 = pi turn / 16 D
  int kernelReach() const { return static_cast<int>(kernelTaps.size() / 2) - 1; }

  Response response;
  // Kernels come to the lower rate by a longer filter: k'[m] = sum_j (p[|j|] cos(D w0 m) - sign(j) q[|j|] sin(D w0 m)) k[D m + j] has
  // the spectrum D^2 K / D in the band. p[0 .. reach], q[0 .. reach].
  std::vector<float> kernelTaps;

 private:
  static constexpr double pi = 3.14159265358979323846;
  using Long = long double;
  static constexpr double tooUneven = 1e30;
  struct Slot {
    double center, half, factor;  // of the band
    int turn;
    std::vector<std::pair<double, double>> images;  // distances from the band's middle, within 0 .. pi
  };

  Resampling(const Slot& slot, int rate, FilterClass quality, const std::vector<double>& a) : factor_(slot.factor), center_(slot.center), turn_(slot.turn) {
    response.rate = rate;
    response.count = static_cast<int>(a.size());
    response.center = slot.center;
    response.begin = pi * slot.turn / (phases * rate);
    std::copy(a.begin(), a.end(), response.a);

    // A low-pass around the band's middle, between its edge and the nearest image: cut off half-way, under a window of Kaiser whose
    // ripple is 1e-6 (120 dB; of float32, 3e-8) and which is as long as that takes.
    const double ripple = quality == FilterClass::float32 ? 150 : 120;
    double stop = pi;
    for (const auto& [begin, end] : slot.images) stop = std::min(stop, begin);
    const double width = stop - slot.half, cut = slot.half + width / 2, beta = 0.1102 * (ripple - 8.7);
    const int reach = static_cast<int>(std::ceil((ripple - 7.95) / (2.285 * width) / 2));
    std::vector<double> f;
    double total = 0;
    for (int j = 0; j <= reach; ++j) {
      const double ideal = j ? std::sin(cut * j) / (pi * j) : cut / pi, at = static_cast<double>(j) / (reach + 1);
      f.push_back(ideal * bessel(beta * std::sqrt(1 - at * at)) / bessel(beta));
      total += j ? 2 * f.back() : f.back();
    }
    const double scale = slot.factor * rate * rate / total;
    for (int j = 0; j <= reach; ++j) kernelTaps.push_back(static_cast<float>(scale * f[j] * std::cos(slot.center * j)));
    for (int j = 0; j <= reach; ++j) kernelTaps.push_back(static_cast<float>(scale * f[j] * std::sin(slot.center * j)));
  }

  // The slots that this band may lie in, those at the ends of the spectrum first; others begin at multiples of `turns`.
  static std::vector<Slot> slots(double from, double to, int rate, int turns) {
    std::vector<Slot> list;
    const auto add = [&](double center, double half, double factor, int turn) {
      Slot slot{center, half, factor, turn, {}};
      const double begin = pi * turn / (phases * rate);
      // Everything that has the frequency of the band's middle in the slot, or minus that one.
      for (int l = 0; l < rate; ++l)
        for (const double image : {2 * pi * l / rate, 2 * (begin - center) + 2 * pi * l / rate}) {
          double away = std::fabs(std::remainder(image, 2 * pi));
          if (away < 1e-9) continue;  // the band itself, which at the ends of the spectrum is its own image
          slot.images.push_back({away - half, std::min(pi, away + half)});
        }
      bool apart = true;
      for (const auto& [first, last] : slot.images) apart = apart && first > half;
      if (apart) list.push_back(slot);
    };
    add(0, to, 1, 0);
    add(pi, pi - from, 1, phases * (rate - 1));
    const double middle = (from + to) / 2, step = pi / (phases * rate) * turns;
    const int turn = turns * static_cast<int>(std::lround((middle - pi / (2 * rate)) / step));
    if (turn >= 0 && turn <= phases * (rate - 1)) add(middle, (to - from) / 2, 2, turn);
    return list;
  }

  // The filter of so many taps, an even number, that is smallest at the images relative to the edges of the band, where it is 1; returns
  // its maximum there. Within the band, where G is divided out again, it need not be flat; but where it is much larger than at the edges,
  // these are lost in what is rounded, and a zero would be worse: huge where it is not even enough.
  //
  // Where there is room: a deviation of 1 within the band weighs as much as 1e-4 at the images, and what passes beside the band, whose
  // energy only makes roundings larger, as 3e-4. Without the latter, flat filters left 8.1e-4 where 7.2e-4 are left with it. For float32
  // it is about a thousandth of that, whose squares need the longer numbers; where that is not even enough, three times as much.
  static double leastFolded(const Slot& slot, int taps, FilterClass quality, std::vector<double>& best) {
    double least = tooUneven;
    for (const double weight : quality == FilterClass::float32 ? std::vector<double>{2e-6, 2e-5} : std::vector<double>{1})
      if (least == tooUneven) least = leastFolded(slot, taps, weight, best);
    return least;
  }
  static double leastFolded(const Slot& slot, int taps, double weight, std::vector<double>& best) {
    constexpr int rounds = 48, within = 8;
    constexpr double smallest = 0.6, highest = 4;
    const double flatness = 1e-8 * weight, quiet = 1e-7 * weight, ridge = 1e-13 * weight;
    const int count = taps / 2;
    const auto cosinesAt = [count](double w) {
      std::vector<double> v;
      for (int j = 0; j < count; ++j) v.push_back(std::cos((j + 0.5) * w));
      return v;
    };
    const auto sumOf = [](const auto& a, const auto& b) { return std::inner_product(a.begin(), a.end(), b.begin(), Long{0}); };
    std::vector<std::vector<double>> images, band, inside, beside;
    for (const auto& [begin, end] : slot.images) {
      const int points = std::max(6, static_cast<int>((end - begin) / pi * 12 * count));
      for (int i = 0; i <= points; ++i) images.push_back(cosinesAt(begin + (end - begin) * i / points));
    }
    for (int i = 0; i < within; ++i) band.push_back(cosinesAt(slot.half * i / within));
    for (int i = 0; i < 5 * within; ++i) inside.push_back(cosinesAt(slot.half * i / (5 * within)));
    for (double w = slot.half; w < pi; w += pi / (6 * count)) beside.push_back(cosinesAt(w));
    const std::vector<double> edge = cosinesAt(slot.half);
    std::vector<double> weights(images.size(), 1.0 / static_cast<double>(images.size()));
    double least = tooUneven;
    for (int round = 0; round < rounds; ++round) {
      std::vector<Long> matrix(static_cast<size_t>(count) * count), target(count);
      const auto add = [&](const std::vector<double>& v, double weight) {
        for (int j = 0; j < count; ++j)
          for (int k = 0; k <= j; ++k) matrix[j * count + k] += weight * v[j] * v[k];
      };
      for (size_t i = 0; i < images.size(); ++i) add(images[i], weights[i]);
      for (const auto& v : band) {
        add(v, flatness / within);
        for (int j = 0; j < count; ++j) target[j] += flatness / within * v[j];
      }
      for (const auto& v : beside) add(v, quiet / static_cast<double>(beside.size()));
      for (int j = 0; j < count; ++j) matrix[j * count + j] += ridge;
      // The least squares of all three, among those that are 1 at the edge.
      std::vector<Long> a = target, direction(edge.begin(), edge.end());
      decompose(matrix, count);
      solve(matrix, a);
      solve(matrix, direction);
      const Long missing = (1 - sumOf(edge, a)) / sumOf(edge, direction);
      for (int j = 0; j < count; ++j) a[j] += missing * direction[j];
      std::vector<double> sizes;
      for (const auto& v : images) sizes.push_back(static_cast<double>(std::fabs(sumOf(a, v))));
      const double largest = *std::max_element(sizes.begin(), sizes.end());
      const bool even = std::all_of(inside.begin(), inside.end(), [&](const auto& v) {
        const Long size = sumOf(a, v);
        return size > smallest && size < highest;
      });
      if (even && largest < least) least = largest, best.assign(a.begin(), a.end());
      for (size_t i = 0; i < images.size(); ++i) weights[i] *= sizes[i] / largest + 1e-3;
      const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
      for (double& w : weights) w /= total;
    }
    return least;
  }
  double factor_, center_;
  int turn_;
};

}  // namespace ffc
