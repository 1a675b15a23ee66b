// Frequencies scattered over the spectrum, as slots of it at a part of the sampling rate. resampling.h has the formulas for a band: a
// filter moves a slot down and keeps every D-th number, a ring of N / D points convolves them, and the filter's transpose moves the result
// up. Here half the sampling rate has 2 D blocks, each in the middle of a slot that is twice as wide, and every block with a kept
// frequency has a ring of its own, whose numbers at m mod 8 alike have the same coefficients:
//   d_b[m] = sum_j c_b,m[j] u[D m + D - 1 - j],   0 <= j < C D
//   y[n] = sum_b sum_m c_b,m[D m + D - 1 - n] z_b[m],   z_b = d_b * k_b
// so that sixteen slots, 16 x C D coefficients for each of eight numbers, are the rows of one matrix product. In float32 other
// sums have fewer terms: c_b,m[j] = 2 a[j] cos(w_b (j - 31/2) - ...), with the block's middle w_b = pi (2 b + 1) / 4 D, repeats with
// the other sign after 4 D samples, for whatever slot (gpu/bank/fold.h).
//
// Slot b begins at w0 = pi (2 b - 1) / 4 D; those of the first and the last block are [0, pi / D] and [pi - pi / D, pi], since the spectrum is
// its own mirror image there. Where 2 b + 1 is 5 or 7 modulo 8, and in the last slot, every second number is negative, so that the
// slot's spectrum lies there in reverse; then all slots have one of two sets of signs. What is folded into a block comes from D - 1
// other places of the spectrum, and once more on the way back, so the filter leaves the least energy there, relative to its response G
// at the block's edges (least squares): with C = 9 rms 0.8e-4 of white noise there and as much back, with 16 less than a float32 sum's
// roundings. Within the block G rises to 1.8 (2.8), which the kernel's spectrum makes up for, D K / G^2.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "filter_design.h"
#include "frequency_mask.h"

namespace ffc {

// A filter of 2 a.size() taps with the real response G(w) = sum_j a[j] cos((j + 1/2) w) about its middle.
class SlotFilter {
 public:
  // The block lies within `half` of the filter's middle; `images` are where what is folded into it comes from, as distances from the
  // middle, within 0 .. pi. G is 1 at the block's edges.
  // `flatness`: where there is much room, a deviation from 1 within the block counts so much beside the energy there, without which that
  // has zeros.
  SlotFilter(int taps, double half, const std::vector<std::pair<double, double>>& images, double flatness) : a_(static_cast<size_t>(taps / 2)) {
    // Energies of 1e-15 beside 1 take more digits than a double has.
    using Real = long double;
    const int count = taps / 2;
    const auto cosinesAt = [count](double w) {
      std::vector<Real> v;
      for (int j = 0; j < count; ++j) v.push_back(std::cos((j + 0.5) * w));
      return v;
    };
    // The energy at the images is a' m a. The ridge keeps what rounding leaves of m positive definite.
    constexpr double step = pi / 8;
    constexpr Real ridge = 1e-19L;
    constexpr int within = 16;
    std::vector<Real> m(static_cast<size_t>(count) * count), target(static_cast<size_t>(count));
    const auto add = [&](const std::vector<Real>& v, double weight) {
      for (int j = 0; j < count; ++j)
        for (int k = 0; k <= j; ++k) m[j * count + k] += weight * v[j] * v[k];
    };
    for (const auto& [begin, end] : images) {
      const int points = std::max(4, static_cast<int>((end - begin) * count / step));
      const double weight = (end - begin) / points / pi;
      for (int i = 0; i <= points; ++i) add(cosinesAt(begin + (end - begin) * i / points), weight);
    }
    for (int i = 0; i < within; ++i) {
      const std::vector<Real> v = cosinesAt(half * i / within);
      add(v, flatness / within);
      for (int j = 0; j < count; ++j) target[j] += flatness / within * v[j];
    }
    for (int j = 0; j < count; ++j) m[j * count + j] += ridge;
    // Of all that are 1 at the edge.
    const std::vector<Real> edge = cosinesAt(half);
    std::vector<Real> direction = edge;
    decompose(m, count);
    solve(m, target);
    solve(m, direction);
    Real missing = 1, along = 0;
    for (int j = 0; j < count; ++j) missing -= edge[j] * target[j], along += edge[j] * direction[j];
    for (int j = 0; j < count; ++j) a_[j] = static_cast<double>(target[j] + missing / along * direction[j]);
  }

  int taps() const { return 2 * static_cast<int>(a_.size()); }
  // Tap j as an impulse response, symmetric about taps / 2 - 1/2.
  double tap(int j) const {
    const int behind = j - static_cast<int>(a_.size());
    return a_[behind < 0 ? -1 - behind : behind] / 2;
  }
  // Of hundreds of thousands of frequencies for a plan, so the cosines come from each other; that loses count^2 roundings of a double.
  double response(double w) const {
    const double step = 2 * std::cos(w);
    double cosine = std::cos(w / 2), before = cosine, sum = 0;
    for (const double a : a_) {
      sum += a * cosine;
      const double next = step * cosine - before;
      before = cosine, cosine = next;
    }
    return sum;
  }

  static constexpr double pi = 3.14159265358979323846;

 private:
  std::vector<double> a_;
};

// How exact a bank's filters are. Of samples: C and SlotFilter's flatness; at the ends of the spectrum, where there is more room, filters may be
// shorter, in the middle of the others' taps. Of kernels: how far a filter reaches, and its ripple in dB.
struct BankFilters {
  int cells, endCells;
  double flatness;
  int reach;
  double ripple;
  constexpr int taps() const { return 32 * cells; }
  constexpr int tapsBeforeEnd() const { return 32 * (cells - endCells) / 2; }  // of which those filters have no part
  // Numbers of a ring that reach past it.
  constexpr int neighbours() const { return cells - 1; }
};
inline constexpr BankFilters filtersOfHalves{9, 9, 1e-9, 416, 100}, filtersOfFloats{16, 8, 1e-16, 592, 140};

class FilterBank {
 public:
  static constexpr int rate = 32;
  static constexpr int blocks = 2 * rate;  // of half the sampling rate
  static constexpr int most = 16;          // slots: with more of them nothing would be saved
  static constexpr int alike = 8;          // numbers after which coefficients repeat

  // The slots of a pattern on the shifted grid of `blocks`; more than `most`, or of a pattern in classes, none.
  FilterBank(const FrequencyMask& mask, const BankFilters& filters) : filters_(filters), points_(mask.points() / rate) {
    if (mask.view().classes || !mask.view().shifted || points_ % (4 * alike)) return;
    for (int b = 0; b < blocks; ++b)
      if (mask.keepsAny(b * mask.bins() / blocks, (b + 1) * mask.bins() / blocks)) slots_.push_back(b);
    if (slots_.size() > most) slots_.clear();
  }
  int slots() const { return static_cast<int>(slots_.size()); }
  int64_t points() const { return points_; }  // of a slot's ring
  const BankFilters& filters() const { return filters_; }

  // ---- slot s
  int blockOf(int s) const { return slots_[s]; }
  bool atEnd(int s) const { return slots_[s] == 0 || slots_[s] == blocks - 1; }
  bool reversed(int s) const { return slots_[s] == blocks - 1 || (slots_[s] > 0 && (2 * slots_[s] + 1) % 8 > 4); }
  double center(int s) const {
    const int b = slots_[s];
    return b == 0 ? 0 : b == blocks - 1 ? SlotFilter::pi : SlotFilter::pi * (2 * b + 1) / (4 * rate);
  }
  double factor(int s) const { return atEnd(s) ? 1 : 2; }
  // Number m is brought down by pi turn m / 4: D w0 m, and pi m where the slot is reversed.
  int turn(int s) const { return turnOfBegin(s) + (reversed(s) ? 4 : 0); }
  // c_s,m[j]; beyond the taps, 0. Phases of whole slots are free: what they do there is undone on the way back.
  double coefficient(int s, int m, int j) const {
    const int own = j - (atEnd(s) ? filters_.tapsBeforeEnd() : 0);
    if (own < 0 || own >= filterOf(s).taps()) return 0;
    const double pivot = atEnd(s) ? rate / 2 : (rate - 1) / 2.0;
    return factor(s) * filterOf(s).tap(own) * std::cos(center(s) * (j - pivot) - SlotFilter::pi * (turn(s) * (m % alike)) / 4);
  }
  const SlotFilter& filterOf(int s) const { return filterOf(filters_, atEnd(s)); }
  static const SlotFilter& filterOf(const BankFilters& filters, bool atEnd) {
    // Between the ends a slot has images at all multiples of its width, because the mirrored spectrum has some, too; at the ends, at
    // every second one.
    const auto make = [](const BankFilters& f, int wide) {
      return SlotFilter(wide == 1 ? f.taps() : 32 * f.endCells, wide * narrow, images(wide * SlotFilter::pi / rate, wide * narrow), f.flatness);
    };
    static const SlotFilter inner = make(filtersOfHalves, 1), outer = make(filtersOfHalves, 2);
    static const SlotFilter exactInner = make(filtersOfFloats, 1), exactOuter = make(filtersOfFloats, 2);
    if (filters.cells == filtersOfHalves.cells) return atEnd ? outer : inner;
    return atEnd ? exactOuter : exactInner;
  }
  // What each index k of a ring's spectrum has to be multiplied by, 0 where it is dropped: [slot][k].
  std::vector<float> weights(const FrequencyMask& mask) const {
    const KeptFrequencies grid = mask.view();
    const int64_t width = mask.bins() / blocks;
    std::vector<float> table, kinds[3];  // of the first block, the last one and all others: 1 / G^2 of each bin of the slot's own
    for (int s = 0; s < slots(); ++s) {
      std::vector<float>& own = kinds[slots_[s] == 0 ? 0 : slots_[s] == blocks - 1 ? 1 : 2];
      const int64_t first = points_ / 4 * turnOfBegin(s);  // the slot's bin 0, among those of the whole grid
      const double begin = SlotFilter::pi * turnOfBegin(s) / (4 * rate);  // w0
      for (int64_t bin = own.size(); bin < points_; ++bin) {
        const bool within = (bin + first) / width == slots_[s];
        const double w = begin + SlotFilter::pi * (static_cast<double>(bin) + 0.5) / static_cast<double>(points_ * rate) - center(s);
        const double g = within ? filterOf(s).response(w) : 0;
        own.push_back(within ? static_cast<float>(1 / (g * g)) : 0);
      }
      for (int64_t k = 0; k < points_; ++k) {
        const int64_t ofRing = 2 * k <= points_ && k > 0 ? 2 * k - 1 : k == 0 ? 0 : 2 * (points_ - k);
        const int64_t bin = reversed(s) ? points_ - 1 - ofRing : ofRing;
        const bool kept = own[bin] != 0 && grid.keep[(bin + first) / grid.block];
        table.push_back(kept ? own[bin] : 0);
      }
    }
    return table;
  }
  // Kernels come to the lower rate by a longer filter, as in resampling.h: k_s[m] = sum_j (p[|j|] cos(D w0 m) - sign(j) q[|j|] sin(D w0
  // m)) k[D m + j] has the spectrum D K in the block. [slot][0 .. reach]: p, q. The same reach for all: others are zero beyond theirs.
  std::vector<float> kernelFilters() const {
    std::vector<float> table;
    for (int s = 0; s < slots(); ++s) {
      // A low-pass around the block's middle, under a window of Kaiser.
      const int reach = filters_.reach;
      const double ripple = filters_.ripple, beta = 0.1102 * (ripple - 8.7);
      const double half = halfOf(s), width = 2 * half, cut = half + width / 2;
      const int own = std::min(reach, static_cast<int>(std::ceil((ripple - 7.95) / (2.285 * width) / 2)));
      std::vector<double> f(reach + 1);
      double total = 0;
      for (int j = 0; j <= own; ++j) {
        const double ideal = j ? std::sin(cut * j) / (SlotFilter::pi * j) : cut / SlotFilter::pi, at = static_cast<double>(j) / (own + 1);
        f[j] = ideal * bessel(beta * std::sqrt(1 - at * at)) / bessel(beta);
        total += j ? 2 * f[j] : f[j];
      }
      const double scale = factor(s) * rate * rate / total;
      for (int j = 0; j <= reach; ++j) {
        table.push_back(static_cast<float>(scale * f[j] * std::cos(center(s) * j)));
        table.push_back(static_cast<float>(scale * f[j] * std::sin(center(s) * j)));
      }
    }
    return table;
  }
 private:
  int turnOfBegin(int s) const {  // w0 = pi turn / 4 D
    const int b = slots_[s];
    return b == 0 ? 0 : b == blocks - 1 ? 4 * (rate - 1) : 2 * b - 1;
  }
  double halfOf(int s) const { return atEnd(s) ? 2 * narrow : narrow; }
  static constexpr double narrow = SlotFilter::pi / (4 * rate);
  static std::vector<std::pair<double, double>> images(double apart, double half) {
    std::vector<std::pair<double, double>> list;
    for (double at = apart; at - half < SlotFilter::pi; at += apart) list.push_back({at - half, std::min(SlotFilter::pi, at + half)});
    return list;
  }
  BankFilters filters_;
  int64_t points_;
  std::vector<int> slots_;
};

}  // namespace ffc
