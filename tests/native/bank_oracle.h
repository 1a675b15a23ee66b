// What the passes of a filter bank, of whatever filters and numbers, are held to: the sums of cuda/host/filter_bank.h in float64. With the rows that they work on.
#pragma once
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "../../cuda/gpu/bank/bank_rows.h"
#include "../../cuda/host/filter_bank.h"
#include "pattern.h"

// Blocks of a bank; circular grids have half the rate itself behind the last one, which is not kept.
inline ffc::FrequencyMask maskOfBlocks(int64_t points, const ffc::BankFilters& filters, const std::vector<int>& blocks, bool circular) {
  std::vector<uint8_t> keep(static_cast<size_t>(filters.blocks()));
  for (const int b : blocks) keep[b] = 1;
  if (circular) keep.push_back(0);
  return circular ? patternOf(points, points / 2 / filters.blocks(), keep, FFC_MODE_CIRCULAR) : patternOf(points, points / filters.blocks(), keep);
}

// Floats between guard bands, all NaN at first or white noise.
struct FloatSamples {
  static constexpr int guard = 32;
  std::vector<float> all;
  explicit FloatSamples(int64_t count) : all(static_cast<size_t>(count + 2 * guard), std::numeric_limits<float>::quiet_NaN()) {}
  FloatSamples(int64_t count, std::mt19937_64& engine) : FloatSamples(count) {
    std::normal_distribution<float> normal;
    for (int64_t i = 0; i < count; ++i) data()[i] = normal(engine);
  }
  float* data() { return all.data() + guard; }
  bool intact() const {
    for (int i = 0; i < guard; ++i)
      if (all[i] == all[i] || all[all.size() - 1 - i] == all[all.size() - 1 - i]) return false;
    return true;
  }
};

// Rows of samples, `apart` from each other, channel by channel; and their numbers, [channel][slot][batch][count].
class BankCase {
 public:
  BankCase(const ffc::FilterBank& bank, int length, int apart, int batch, int channels, bool gated, bool skips)
      : length(length), apart(apart), batch(batch), channels(channels), slots(bank.slots()),
        around(bank.circular() ? static_cast<int>(bank.points()) : 0),
        count(static_cast<int>(bank.points()) + (bank.circular() ? 0 : bank.filters().beyondRing())), bank_(bank), gated_(gated), skips_(skips) {}

  const int length, apart, batch, channels, slots, around, count;
  int64_t samples() const { return int64_t{apart} * batch * channels; }
  int64_t numbers() const { return int64_t{slots} * batch * channels * count; }
  int64_t sampleAt(int h, int b, int n) const { return (int64_t{h} * batch + b) * apart + n; }
  int64_t numberAt(int h, int slot, int b, int m) const { return ((int64_t{h} * slots + slot) * batch + b) * count + m; }
  void setRows(ffc::gpu::BankRows& r, const void* u, const void* gate, void* y, void* numbers) const {
    r.u = u, r.y = y;
    r.pre = r.post = gated_ ? gate : nullptr;
    r.uStride = r.preStride = r.postStride = r.yStride = {apart, int64_t{apart} * batch};
    r.length = r.outputLength = length;
    r.batch = r.rowsOfGroup = static_cast<uint32_t>(batch);
    r.chunk.groups = static_cast<uint32_t>(channels), r.chunk.rows = static_cast<uint32_t>(batch);
    r.numbers = numbers;
    r.slots = slots;
    r.pitch = r.count = count;
    r.around = around;
    if (skips_) r.skip = skip, r.skipType = FFC_DTYPE_FLOAT32;
  }

  // Of the numbers that analysis makes: sample(i) and gate(i) at i = sampleAt(), number(h, slot, b, m).
  template <class Sample, class Gate, class Number>
  double errorOfNumbers(Sample&& sample, Gate&& gate, Number&& number) const {
    const int rate = bank_.filters().rate;
    Error error;
    forRows([&](int h, int b) {
      for (int slot = 0; slot < slots; ++slot)
        for (int m = 0; m < count; ++m) {
          double sum = 0;
          for (int j = 0; j < bank_.filters().taps(); ++j) {
            int n = rate * m + rate - 1 - j;
            if (n < 0) n += rate * around;
            if (n < 0 || n >= length) continue;
            sum += bank_.coefficient(slot, m, j) * sample(sampleAt(h, b, n)) * (gated_ ? gate(sampleAt(h, b, n)) : 1.0);
          }
          error.add(number(h, slot, b, m), sum);
        }
    });
    return error.relative();
  }
  // Of the samples that synthesis makes of them: output(i).
  template <class Sample, class Gate, class Number, class Output>
  double errorOfSamples(Sample&& sample, Gate&& gate, Number&& number, Output&& output) const {
    const int rate = bank_.filters().rate;
    Error error;
    forRows([&](int h, int b) {
      for (int n = 0; n < length; ++n) {
        const int64_t i = sampleAt(h, b, n);
        double sum = 0;
        for (int slot = 0; slot < slots; ++slot)
          for (int m = n / rate; m < n / rate + bank_.filters().cells; ++m)
            sum += bank_.coefficient(slot, m, rate * m + rate - 1 - n) * number(h, slot, b, m < count ? m : m - around);
        if (skips_) sum += skip[h] * sample(i) * (gated_ ? gate(i) : 1.0);
        if (gated_) sum *= gate(i);
        error.add(output(i), sum);
      }
    });
    return error.relative();
  }
  // Whether what lies between rows is as it was; untouched(i).
  template <class Untouched>
  bool gapsAre(Untouched&& untouched) const {
    bool all = true;
    forRows([&](int h, int b) {
      for (int n = length; n < apart; ++n) all &= untouched(sampleAt(h, b, n));
    });
    return all;
  }

 private:
  struct Error {
    double error = 0, size = 0;
    void add(double got, double exact) { error += std::pow(got - exact, 2), size += exact * exact; }
    double relative() const { return std::sqrt(error / size); }
  };
  template <class Body>
  void forRows(Body&& body) const {
    for (int h = 0; h < channels; ++h)
      for (int b = 0; b < batch; ++b) body(h, b);
  }
  static constexpr float skip[] = {0.75f, -2.0f};

  const ffc::FilterBank& bank_;
  bool gated_, skips_;
};
