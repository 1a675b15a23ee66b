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
// its own mirror image there (fine banks, below, do without: what they fold there lies beside the block, where the ring has zeros). Where 2 b + 1 is 5 or 7 modulo 8, and in the last slot, every second number is negative, so that the
// slot's spectrum lies there in reverse; then all slots have one of two sets of signs. Circular rows of P samples are convolved in
// circular rings of P / D numbers: there sums run around the row, and d_b has no numbers beyond the ring.
//
// What is folded into a block comes from D - 1
// other places of the spectrum, and once more on the way back, so the filter leaves the least energy there, relative to its response G
// at the block's edges (least squares): with C = 9 rms 0.8e-4 of white noise there and as much back, with 16 less than a float32 sum's
// roundings. Within the block G rises to 1.8 (2.8), which the kernel's spectrum makes up for, D K / G^2. Kernels, in any dtype, come to the lower rate
// by the filters of float32: what these do to a frequency, which is known, is taken back there, too.
//
// There are two kinds: coarse banks, D = 32, and fine ones, D = 512, for hundreds of slots. Matrices of all coefficients would be too
// large for these; w_b (n + 1/2) with n = 512 h + r, counted from the middle of D samples, has the cosine of a slot at
// 1024 places but for signs, so samples are folded to those, and a product with cosines is the rest (gpu/bank/fine.h).
#pragma once
#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <utility>
#include <vector>

#include "fft64.h"
#include "filter_design.h"
#include "frequency_mask.h"

namespace ffc {

// A filter of 2 a.size() taps with the real response G(w) = sum_j a[j] cos((j + 1/2) w) about its middle; or one of such taps that are `stretch`
// samples apart, with cubic splines between them. Splines have next to nothing at the images that come with that.
class SlotFilter {
 public:
  // The block lies within `half` of the filter's middle; `images` are where what is folded into it comes from, as distances from the
  // middle, within 0 .. pi. G is 1 at the block's edges.
  // `flatness`: where there is much room, a deviation from 1 within the block counts so much beside the energy there, without which that
  // has zeros.
  SlotFilter(int taps, double half, const std::vector<std::pair<double, double>>& images, double flatness, int stretch = 1)
      : a_(static_cast<size_t>(taps / 2)), stretch_(stretch) {
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

  // A spline reaches less than two of the given taps further.
  int taps() const { return 2 * stretch_ * (static_cast<int>(a_.size()) + (stretch_ > 1 ? 2 : 0)); }
  // Tap j as an impulse response, symmetric about taps / 2 - 1/2.
  double tap(int j) const {
    if (stretch_ == 1) return given(j - static_cast<int>(a_.size()));
    const double at = (j - (taps() - 1) / 2.0) / stretch_;  // given tap k is at k + 1/2
    double sum = 0;
    for (int k = static_cast<int>(std::floor(at)) - 2; k <= static_cast<int>(std::floor(at)) + 2; ++k) sum += given(k) * spline(at - k - 0.5);
    return sum / stretch_;
  }
  double response(double w) const {
    if (stretch_ == 1) return responseOfGiven(w);
    double ofSpline = 0;
    for (int j = 0; j < 2 * stretch_; ++j) ofSpline += 2 * spline((j + 0.5) / stretch_) * std::cos((j + 0.5) * w);
    return responseOfGiven(w * stretch_) * ofSpline / stretch_;
  }

  static constexpr double pi = 3.14159265358979323846;

 private:
  double given(int k) const {
    const size_t j = static_cast<size_t>(k < 0 ? -1 - k : k);
    return j < a_.size() ? a_[j] / 2 : 0;
  }
  static double spline(double x) {
    x = std::abs(x);
    return x < 1 ? 2.0 / 3 - x * x + x * x * x / 2 : x < 2 ? (2 - x) * (2 - x) * (2 - x) / 6 : 0;
  }
  // Of hundreds of thousands of frequencies for a plan, so the cosines come from each other; that loses count^2 roundings of a double.
  double responseOfGiven(double w) const {
    const double step = 2 * std::cos(w);
    double cosine = std::cos(w / 2), before = cosine, sum = 0;
    for (const double a : a_) {
      sum += a * cosine;
      const double next = step * cosine - before;
      before = cosine, cosine = next;
    }
    return sum;
  }

  std::vector<double> a_;
  int stretch_;
};

inline constexpr int coarseRate = 32, coarseBlocks = 2 * coarseRate;  // of half the sampling rate
// Slots: with more of them nothing would be saved.
inline constexpr int coarseSlots = 16, fineSlots = 304;
inline constexpr int fineRate = 512;

// D, and how exact a bank's filters are: C and SlotFilter's flatness; at the ends of the spectrum, where there is more room, filters may be
// shorter, in the middle of the others' taps (0: there are no such filters).
struct BankFilters {
  int rate, cells, endCells, most;
  double flatness;
  constexpr int blocks() const { return 2 * rate; }
  constexpr int taps() const { return rate * cells; }
  constexpr int tapsBeforeEnd() const { return rate * (cells - endCells) / 2; }  // of which those filters have no part
  // Numbers of a row that reach past the ring, and in whole eights.
  constexpr int neighbours() const { return cells - 1; }
  constexpr int beyondRing() const { return (neighbours() + 7) / 8 * 8; }
};
inline constexpr BankFilters filtersOfHalves{coarseRate, 9, 9, coarseSlots, 1e-9}, filtersOfFloats{coarseRate, 16, 8, coarseSlots, 1e-16};
inline constexpr BankFilters fineFiltersOfHalves{fineRate, 9, 0, fineSlots, 1e-9}, fineFiltersOfFloats{fineRate, 16, 0, fineSlots, 1e-16};
// By which kernels come to the lower rate.
constexpr const BankFilters& filtersOfKernels(const BankFilters& filters) { return filters.rate == fineRate ? fineFiltersOfFloats : filtersOfFloats; }

class FilterBank {
 public:
  static constexpr int alike = 8;  // numbers after which coefficients repeat

  // The slots of a pattern in blocks of the filters' rate; more than `most`, or of a pattern in classes or of a period that is no multiple of 8 D, none.
  FilterBank(const FrequencyMask& mask, const BankFilters& filters)
      : filters_(filters), circular_(!mask.view().shifted), points_(mask.points() / filters.rate) {
    const int blocks = filters.blocks();
    if (mask.view().classes || mask.points() % (filters.rate * (circular_ ? 1 : 4) * alike)) return;
    width_ = points_ / (circular_ ? 4 : 2);
    for (int b = 0; b < blocks; ++b) {
      // The bin at half the rate, which circular grids have, is the last block's.
      const int64_t begin = b * width_, end = b + 1 < blocks ? begin + width_ : mask.bins();
      if (!mask.keepsAny(begin, end)) continue;
      // A band up to a block's edge may keep the bin there.
      const int64_t slack = width_ / 64;
      if (!slots_.empty() && slots_.back().block == b - 1 && !mask.keepsAny(begin + slack, end))
        slots_.back().end += slack;
      else
        slots_.push_back({b, begin, end});
    }
    if (slots_.size() > static_cast<size_t>(filters.most)) slots_.clear();
  }
  int slots() const { return static_cast<int>(slots_.size()); }
  bool circular() const { return circular_; }
  int64_t points() const { return points_; }  // of a slot's ring
  const BankFilters& filters() const { return filters_; }

  // ---- slot s
  int blockOf(int s) const { return slots_[s].block; }
  bool atEnd(int s) const { return filters_.endCells > 0 && (blockOf(s) == 0 || blockOf(s) == filters_.blocks() - 1); }
  // In fine banks every second slot.
  bool reversed(int s) const {
    if (filters_.rate == fineRate) return blockOf(s) % 2;
    return atEnd(s) ? blockOf(s) > 0 : (2 * blockOf(s) + 1) % 8 > 4;
  }
  double center(int s) const {
    const int b = blockOf(s);
    if (atEnd(s)) return b == 0 ? 0 : SlotFilter::pi;
    return SlotFilter::pi * (2 * b + 1) / (4 * filters_.rate);
  }
  double factor(int s) const { return atEnd(s) ? 1 : 2; }
  // Number m is brought down by pi turn m / 4: D w0 m, and pi m where the slot is reversed.
  int turn(int s) const { return turnOfBegin(s) + (reversed(s) ? 4 : 0); }
  // c_s,m[j]; beyond the taps, 0. Phases of whole slots are free: what they do there is undone on the way back.
  double coefficient(int s, int m, int j) const {
    const int own = j - (atEnd(s) ? filters_.tapsBeforeEnd() : 0);
    if (own < 0 || own >= filterOf(s).taps()) return 0;
    return factor(s) * filterOf(s).tap(own) * std::cos(center(s) * (j - pivot(s)) - SlotFilter::pi * (turn(s) * (m % alike)) / 4);
  }
  const SlotFilter& filterOf(int s) const { return filterOf(filters_, atEnd(s)); }
  static const SlotFilter& filterOf(const BankFilters& filters, bool atEnd) {
    if (filters.rate == fineRate) {
      // Between the taps of one for D = 32, four fewer, since splines reach further.
      const auto make = [](const BankFilters& f) {
        return SlotFilter(coarseRate * f.cells - 4, narrow, images(SlotFilter::pi / coarseRate, narrow), f.flatness, fineRate / coarseRate);
      };
      static const SlotFilter fine = make(fineFiltersOfHalves), exactFine = make(fineFiltersOfFloats);
      return filters.cells == fineFiltersOfHalves.cells ? fine : exactFine;
    }
    // Between the ends a slot has images at all multiples of its width, because the mirrored spectrum has some, too; at the ends, at
    // every second one.
    const auto make = [](const BankFilters& f, int wide) {
      return SlotFilter(wide == 1 ? f.taps() : f.rate * f.endCells, wide * narrow, images(wide * SlotFilter::pi / coarseRate, wide * narrow), f.flatness);
    };
    static const SlotFilter inner = make(filtersOfHalves, 1), outer = make(filtersOfHalves, 2);
    static const SlotFilter exactInner = make(filtersOfFloats, 1), exactOuter = make(filtersOfFloats, 2);
    if (filters.cells == filtersOfHalves.cells) return atEnd ? outer : inner;
    return atEnd ? exactOuter : exactInner;
  }
  // What the spectrum of D^2 times a kernel, at the lower rate by the filters of float32, has to be multiplied by at each index k of a
  // ring, 0 where it is dropped: [slot][k], real and imaginary parts. Of causal banks.
  std::vector<float> weights(const FrequencyMask& mask) const {
    Responses known;
    std::vector<float> table;
    for (int s = 0; s < slots(); ++s) {
      const std::vector<Complex> bins = weightsOfBins(mask, s, known);
      for (int64_t k = 0; k < points_; ++k) {
        const bool positive = 2 * k <= points_ && k > 0;
        const Complex w = positive ? bins[2 * k - 1] : std::conj(bins[k == 0 ? 0 : 2 * (points_ - k)]);
        table.push_back(static_cast<float>(w.real()));
        table.push_back(static_cast<float>(w.imag()));
      }
    }
    return table;
  }
  // Of circular banks, whose rings' transforms have no such frequencies: kernels of the rings that have the weights as their transforms, to
  // be convolved with, [slot][number]; and where a slot keeps few bins, beside which what rounding leaves of others is much, those whose
  // transforms are 1 where there are weights.
  struct WeightKernels {
    std::vector<float> weights, kept;  // kept: or empty
  };
  WeightKernels weightKernels(const FrequencyMask& mask) const {
    constexpr int64_t few = 16;  // less than one of so many
    const Fft64 fft(points_);
    Responses known;
    WeightKernels result;
    const auto add = [&](std::vector<float>& to, const std::vector<Complex>& bins) {
      std::vector<Complex> row(static_cast<size_t>(points_));
      for (int64_t k = 0; k < points_; ++k) row[k] = 2 * k <= points_ ? bins[k] : std::conj(bins[points_ - k]);
      fft.inverse(row);
      for (const Complex& number : row) to.push_back(static_cast<float>(number.real() / static_cast<double>(points_)));
    };
    std::vector<std::vector<Complex>> bins;
    bool fewKept = false;
    for (int s = 0; s < slots(); ++s) {
      bins.push_back(weightsOfBins(mask, s, known));
      add(result.weights, bins[s]);
      fewKept |= few * std::count_if(bins[s].begin(), bins[s].end(), [](Complex w) { return w != 0.0; }) < width_;
    }
    for (int s = 0; fewKept && s < slots(); ++s) {
      for (Complex& w : bins[s]) w = w == 0.0 ? 0.0 : 1.0;
      add(result.kept, bins[s]);
    }
    return result;
  }

 private:
  using Complex = std::complex<double>;
  // 1 / (G^2 F) from a block's first bin on, F being the response of the filters of float32; of the first block, the last one and all others.
  struct Responses {
    std::vector<double> of[3];
  };
  // Of the bins of a slot's ring, from its own begin on (reversed: from its end), 0 where they are dropped.
  std::vector<Complex> weightsOfBins(const FrequencyMask& mask, int s, Responses& known) const {
    const KeptFrequencies grid = mask.view();
    const BankFilters& filtersThere = filtersOfKernels(filters_);
    std::vector<double>& own = known.of[!atEnd(s) ? 2 : blockOf(s) == 0 ? 0 : 1];
    const int64_t bins = circular_ ? points_ / 2 + 1 : points_, first = points_ / (circular_ ? 8 : 4) * turnOfBegin(s);
    const double spacing = SlotFilter::pi / (static_cast<double>(width_) * filters_.blocks()), half = circular_ ? 0 : 0.5;
    const SlotFilter& ofKernels = filterOf(filtersThere, atEnd(s));
    const double middle = (filtersThere.taps() - 1) / 2.0;
    std::vector<Complex> weights(static_cast<size_t>(bins));
    for (int64_t bin = slots_[s].begin; bin < slots_[s].end; ++bin) {
      const size_t ofBlock = static_cast<size_t>(bin - slots_[s].begin);
      const double w = spacing * (static_cast<double>(bin) + half);
      if (own.size() == ofBlock) {
        const double g = filterOf(s).response(w - center(s));
        own.push_back(1 / (g * g * ofKernels.response(w - center(s))));
      }
      if (!grid.keep[bin / grid.block]) continue;
      // A frequency leaves coefficient()'s sum as F e^{i phase} times itself, moved down.
      const double phase = w * (filters_.rate - 1) - center(s) * pivot(s) + (center(s) - w) * middle;
      // Half the sampling rate, and 0, are their own mirror images, and come through the filters of a fine bank as two.
      const bool twice = filters_.endCells == 0 && circular_ && (bin == 0 || 2 * bin == grid.points);
      const Complex weight = std::polar(own[ofBlock] / (twice ? 2 : 1), reversed(s) ? phase : -phase);
      weights[reversed(s) ? bins - 1 - (bin - first) : bin - first] = weight;
    }
    return weights;
  }
  double pivot(int s) const { return atEnd(s) ? filters_.rate / 2 : (filters_.rate - 1) / 2.0; }
  int turnOfBegin(int s) const {  // w0 = pi turn / 4 D
    const int b = blockOf(s);
    return !atEnd(s) ? 2 * b - 1 : b == 0 ? 0 : 4 * (filters_.rate - 1);
  }
  static constexpr double narrow = SlotFilter::pi / (4 * coarseRate);
  static std::vector<std::pair<double, double>> images(double apart, double half) {
    std::vector<std::pair<double, double>> list;
    for (double at = apart; at - half < SlotFilter::pi; at += apart) list.push_back({at - half, std::min(SlotFilter::pi, at + half)});
    return list;
  }
  struct Slot {
    int block;
    int64_t begin, end;  // its bins
  };
  BankFilters filters_;
  bool circular_;
  int64_t points_, width_ = 0;  // bins of a block
  std::vector<Slot> slots_;
};

}  // namespace ffc
