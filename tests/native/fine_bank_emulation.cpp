// The passes of a fine filter bank (cuda/gpu/bank/fine.h) on the CPU, lane by lane as in mma_emulation.cpp, against the sums that they stand for in
// float64 (cuda/host/filter_bank.h). What is written starts as NaN, and what lies around it must survive.
#define FFC_EMULATE
#include "../../cuda/gpu/bank/fine_half_analyse.cuh"
#include "../../cuda/gpu/bank/fine_float_analyse.cuh"
#include "../../cuda/gpu/bank/fine_float_synthesise.cuh"
#include "../../cuda/gpu/bank/fine_float_tables.h"
#include "../../cuda/gpu/bank/fine_half_synthesise.cuh"
#include "../../cuda/gpu/bank/fine_half_tables.h"
#include "check.h"
#include "pattern.h"

#include <random>

using namespace ffc;
using namespace ffc::gpu;

namespace {

constexpr int rate = fineRate, guard = 32;
constexpr uint16_t nan16 = 0x7fff;  // of halves and of bfloat16
std::mt19937_64 engine(7);

struct Number {
  bool bf16;
  double operator()(uint16_t bits) const { return bf16 ? mma::emulation::lowBfloat(bits) : mma::emulation::halfToFloat(bits); }
};

// Rows of 16 bits between guard bands, 16 bytes aligned.
struct Samples {
  std::vector<uint4> all;
  int64_t count;
  explicit Samples(int64_t n) : all(static_cast<size_t>((n + 2 * guard + 7) / 8)), count(n) {
    for (int64_t i = -guard; i < n + guard; ++i) data()[i] = nan16;
  }
  Samples(int64_t n, bool bf16, double size) : Samples(n) {
    std::normal_distribution<double> normal;
    for (int64_t i = 0; i < n; ++i) {
      const float x = static_cast<float>(size * normal(engine));
      data()[i] = bf16 ? static_cast<uint16_t>(mma::floatWord(x) >> 16) : mma::halfBits(x);
    }
  }
  uint16_t* data() { return reinterpret_cast<uint16_t*>(all.data()) + guard; }
  bool intact() {
    for (int i = 1; i <= guard; ++i)
      if (data()[-i] != nan16 || data()[count - 1 + i] != nan16) return false;
    return true;
  }
};

struct Case {
  int64_t points;  // of the whole ring
  int length;
  std::vector<int> blocks;
  int blocksOfDevice = 2;
  bool fast = false, bf16 = false, gated = false, skips = false, circular = false, aligned = true;
  int impulse = -1;  // a sample that is large, and not among those that are looked at
};

void check(const Case& c) {
  std::vector<uint8_t> keep(2 * rate);
  for (const int b : c.blocks) keep[b] = 1;
  if (c.circular) keep.push_back(0);  // half the rate itself
  const FrequencyMask mask = c.circular ? patternOf(c.points, c.points / 4 / rate, keep, FFC_MODE_CIRCULAR) : patternOf(c.points, c.points / 2 / rate, keep);
  const FilterBank bank(mask, fineFiltersOfHalves);
  const int ofRing = static_cast<int>(bank.points()), around = c.circular ? ofRing : 0;
  const int slots = bank.slots(), count = c.circular ? ofRing : ofRing + 8, batch = 2, channels = 1;
  const int apart = c.aligned ? (c.length + 15) / 8 * 8 : c.length + 3;
  const Number number{c.bf16}, half{false};
  Samples u(apart * batch, c.bf16, 1), gate(apart * batch, c.bf16, 1), y(apart * batch), numbers(int64_t{slots} * batch * count);

  const auto setImpulse = [&] {
    for (int b = 0; c.impulse >= 0 && b < batch; ++b) u.data()[b * apart + c.impulse] = c.bf16 ? 0x4270 : 0x5380;  // 60
  };

  HalfFineParams p;
  const HalfFineWords tables(bank);
  p.of.weights = tables.weights.data();
  p.of.outer = tables.outer.data(), p.of.outerBack = tables.outerBack.data();
  p.of.inner = tables.inner.data(), p.of.innerBack = tables.innerBack.data();
  p.of.slots = tables.slots.data();
  std::copy(std::begin(tables.firstTile), std::end(tables.firstTile), p.of.firstTile);
  BankRows& r = p.rows;
  r.u = u.data(), r.y = y.data();
  r.pre = r.post = c.gated ? gate.data() : nullptr;
  r.uStride = r.preStride = r.postStride = r.yStride = {apart, int64_t{apart} * batch};
  r.length = r.outputLength = c.length;
  r.batch = r.rowsOfGroup = batch;
  r.chunk.groups = channels, r.chunk.rows = batch;
  r.numbers = numbers.data();
  r.slots = slots;
  r.pitch = r.count = count;
  r.around = around;
  std::vector<uint32_t> largest(batch * bankParts), largestOfAll(batch);
  // As measureRows() leaves them.
  for (int b = 0; b < batch; ++b)
    for (int n = 0; n < c.length; ++n) {
      const float x = static_cast<float>(std::abs(number(u.data()[b * apart + n]) * (c.gated ? number(gate.data()[b * apart + n]) : 1)));
      largest[b * bankParts] = std::max(largest[b * bankParts], mma::floatWord(x));
    }
  r.largest = largest.data(), r.largestOfAll = largestOfAll.data();
  setImpulse();
  std::vector<int32_t> exponents;
  for (int slot = 0; slot < slots; ++slot) exponents.push_back(slot % 5 - 3);
  r.exponents = exponents.data();
  const float skip[] = {0.75f};
  if (c.skips) r.skip = skip, r.skipType = FFC_DTYPE_FLOAT32;
  const auto run = [&](int numbersOfRow, int bytes, auto&& body) {
    p.tilesOfRow = static_cast<uint32_t>((numbersOfRow + halfFineTile - 1) / halfFineTile);
    p.tiles = batch * p.tilesOfRow;
    mma::emulation::launch(c.blocksOfDevice, bytes, engine(), body, halfFineThreads);
  };
  const auto numbersOf = [&](int slot, int b) { return numbers.data() + (int64_t{slot} * batch + b) * count; };
  const auto scaleOf = [&](int b) { return 133 - static_cast<int>(largest[b * bankParts] >> 23) + ringExponent; };

  const auto analyseAll = [&] {
  run(count, halfFineAnalysisBytes, [&] {
    const auto analyse = [&](auto fold) {
      using Fold = decltype(fold);
      c.bf16 ? c.gated ? analyseFineHalvesOf<true, true, Fold>(p) : analyseFineHalvesOf<true, false, Fold>(p)
             : c.gated ? analyseFineHalvesOf<false, true, Fold>(p) : analyseFineHalvesOf<false, false, Fold>(p);
    };
    if (c.fast)
      analyse(FoldHalves());
    else
      analyse(FoldFloats());
  });
  };
  analyseAll();
  if (c.impulse >= 0) {
    // Rows that were scaled by too little are analysed once more.
    p.again = true;
    analyseAll();
    for (int b = 0; b < batch; ++b) CHECK(largestOfAll[b] == mma::floatWord(60)), largest[b * bankParts] = largestOfAll[b];
  }
  double error = 0, size = 0;
  for (int b = 0; b < batch; ++b)
    for (int slot = 0; slot < slots; ++slot)
      for (int m = 0; m < count; ++m) {
        double sum = 0;
        for (int j = 0; j < bank.filters().taps(); ++j) {
          int n = rate * m + rate - 1 - j;
          if (n < 0) n += rate * around;
          if (n < 0 || n >= c.length) continue;
          sum += bank.coefficient(slot, m, j) * number(u.data()[b * apart + n]) * (c.gated ? number(gate.data()[b * apart + n]) : 1);
        }
        error += std::pow(std::ldexp(half(numbersOf(slot, b)[m]), -scaleOf(b)) - sum, 2), size += sum * sum;
      }
  const double errorThere = std::sqrt(error / size);
  for (int b = 0; b < batch; ++b) CHECK(largestOfAll[b] == largest[b * bankParts]);
  CHECK(numbers.intact());

  // Back from other numbers, as small as white noise and a white kernel make them.
  numbers = Samples(int64_t{slots} * batch * count, false, 5);
  r.numbers = numbers.data();
  run((c.length + rate - 1) / rate + 8, halfFineSynthesisBytes(tables.firstTile[fineK0]), [&] {
    const bool more = c.gated || c.skips;
    const auto synthesise = [&](auto fold) {
      using Fold = decltype(fold);
      c.bf16 ? more ? synthesiseFineHalvesOf<true, true, Fold>(p) : synthesiseFineHalvesOf<true, false, Fold>(p)
             : more ? synthesiseFineHalvesOf<false, true, Fold>(p) : synthesiseFineHalvesOf<false, false, Fold>(p);
    };
    if (c.fast)
      synthesise(FoldHalves());
    else
      synthesise(FoldFloats());
  });
  error = size = 0;
  bool between = true;
  for (int b = 0; b < batch; ++b) {
    for (int n = 0; n < c.length; ++n) {
      double sum = 0;
      for (int slot = 0; slot < slots; ++slot)
        for (int m = n / rate; m < n / rate + halfFineCells; ++m)
          sum += bank.coefficient(slot, m, rate * m + rate - 1 - n) * std::ldexp(half(numbersOf(slot, b)[m < count ? m : m - around]), exponents[slot] - scaleOf(b));
      if (c.skips) sum += skip[0] * number(u.data()[b * apart + n]) * (c.gated ? number(gate.data()[b * apart + n]) : 1.0);
      if (c.gated) sum *= number(gate.data()[b * apart + n]);
      error += std::pow(number(y.data()[b * apart + n]) - sum, 2), size += sum * sum;
    }
    for (int n = c.length; n < apart; ++n) between &= y.data()[b * apart + n] == nan16;
  }
  const double errorBack = std::sqrt(error / size);
  std::printf("  N %lld, length %d, %d slots%s%s%s%s: %.2g there, %.2g back\n", static_cast<long long>(c.points), c.length, slots, c.fast ? ", fast" : c.bf16 ? ", bf16" : "",
              c.gated ? ", gated" : "", c.skips ? ", skip" : "", c.circular ? ", circular" : "", errorThere, errorBack);
  CHECK(errorThere > 1e-5 && errorThere < (c.fast ? 7.5e-4 : 5e-4));
  CHECK(errorBack > 1e-5 && errorBack < (c.bf16 ? 2.2e-3 : c.fast ? 8e-4 : 5.5e-4));
  CHECK(between && y.intact());
}

// Rows of floats, as kernels are, too; on blocks that begin within rows.
struct FloatCase {
  int points, length;
  std::vector<int> blocks;
  int blocksOfDevice = 3;
  bool gated = false, skips = false, circular = false;
};

void checkFloats(const FloatCase& c) {
  std::vector<uint8_t> keep(2 * rate);
  for (const int b : c.blocks) keep[b] = 1;
  if (c.circular) keep.push_back(0);
  const FrequencyMask mask = c.circular ? patternOf(c.points, c.points / 4 / rate, keep, FFC_MODE_CIRCULAR) : patternOf(c.points, c.points / 2 / rate, keep);
  const FilterBank bank(mask, fineFiltersOfFloats);
  const FloatFineWords tables(bank);
  const int ofRing = static_cast<int>(bank.points()), around = c.circular ? ofRing : 0, slots = bank.slots(), count = c.circular ? ofRing : ofRing + 16, batch = 2, apart = c.length + 3;
  std::normal_distribution<float> normal;
  const auto row = [&](size_t size, bool filled) {
    std::vector<float> v(size + 2 * guard, NAN);
    for (size_t i = 0; filled && i < size; i++) v[guard + i] = normal(engine);
    return v;
  };
  std::vector<float> u = row(apart * batch, true), gate = row(apart * batch, true), y = row(apart * batch, false), numbers = row(slots * batch * count, false);
  const auto at = [](std::vector<float>& v) { return v.data() + guard; };
  FloatFineParams p;
  p.weights = tables.weights.data(), p.slots = tables.slots.data(), p.frequencies = tables.frequencies.data(), p.kept = static_cast<int32_t>(tables.frequencies.size());
  p.turnsThere = tables.turnsThere.data(), p.turnsBack = tables.turnsBack.data();
  BankRows& r = p.rows;
  r.u = at(u), r.y = at(y);
  r.pre = r.post = c.gated ? at(gate) : nullptr;
  r.uStride = r.preStride = r.postStride = r.yStride = {apart, int64_t{apart} * batch};
  r.length = r.outputLength = c.length;
  r.batch = r.rowsOfGroup = r.chunk.rows = batch;
  r.numbers = at(numbers);
  r.slots = slots;
  r.pitch = r.count = count;
  r.around = around;
  const float skip[] = {0.75f};
  if (c.skips) r.skip = skip, r.skipType = FFC_DTYPE_FLOAT32;
  const auto run = [&](int numbersOfRow, int bytes, auto&& body) {
    p.tilesOfRow = static_cast<uint32_t>((numbersOfRow + floatFineTile - 1) / floatFineTile);
    p.tiles = batch * p.tilesOfRow;
    mma::emulation::launch(c.blocksOfDevice, bytes, engine(), body, floatFineThreads);
  };
  const auto numbersOf = [&](int slot, int b) { return at(numbers) + (int64_t{slot} * batch + b) * count; };
  const auto intact = [&](std::vector<float>& v) {
    for (int i = 0; i < guard; ++i)
      if (!std::isnan(v[i]) || !std::isnan(v[v.size() - 1 - i])) return false;
    return true;
  };

  run(count, floatFineAnalysisBytes(slots), [&] { c.gated ? analyseFineFloatsOf<true>(p) : analyseFineFloatsOf<false>(p); });
  double error = 0, size = 0;
  for (int b = 0; b < batch; ++b)
    for (int slot = 0; slot < slots; ++slot)
      for (int m = 0; m < count; ++m) {
        double sum = 0;
        for (int j = 0; j < bank.filters().taps(); ++j) {
          int n = rate * m + rate - 1 - j;
          if (n < 0) n += rate * around;
          if (n >= 0 && n < c.length) sum += bank.coefficient(slot, m, j) * at(u)[b * apart + n] * (c.gated ? at(gate)[b * apart + n] : 1.0);
        }
        error += std::pow(numbersOf(slot, b)[m] - sum, 2), size += sum * sum;
      }
  const double errorThere = std::sqrt(error / size);
  CHECK(intact(numbers));

  for (float& x : numbers) x = std::isnan(x) ? x : normal(engine);
  run((c.length + rate - 1) / rate + floatFineCells - 1, floatFineSynthesisBytes(slots), [&] {
    c.gated ? c.skips ? synthesiseFineFloatsOf<true, true>(p) : synthesiseFineFloatsOf<true, false>(p)
            : c.skips ? synthesiseFineFloatsOf<false, true>(p) : synthesiseFineFloatsOf<false, false>(p);
  });
  error = size = 0;
  bool between = true;
  for (int b = 0; b < batch; ++b) {
    for (int n = 0; n < c.length; ++n) {
      double sum = 0;
      for (int slot = 0; slot < slots; ++slot)
        for (int m = n / rate; m < n / rate + floatFineCells; ++m)
          sum += bank.coefficient(slot, m, rate * m + rate - 1 - n) * (m < count ? numbersOf(slot, b)[m] : c.circular ? numbersOf(slot, b)[m - around] : 0);
      const double g = c.gated ? at(gate)[b * apart + n] : 1;
      if (c.skips) sum += skip[0] * at(u)[b * apart + n] * g;
      error += std::pow(at(y)[b * apart + n] - sum * g, 2), size += sum * g * sum * g;
    }
    for (int n = c.length; n < apart; ++n) between &= std::isnan(at(y)[b * apart + n]);
  }
  const double errorBack = std::sqrt(error / size);
  std::printf("  floats: N %d, length %d, %d slots%s%s%s: %.2g there, %.2g back\n", c.points, c.length, slots, c.gated ? ", gated" : "", c.skips ? ", skip" : "",
              c.circular ? ", circular" : "", errorThere, errorBack);
  CHECK(errorThere > 1e-9 && errorThere < 1e-6);
  CHECK(errorBack > 1e-9 && errorBack < 1e-6);
  CHECK(between && intact(y));
}

}  // namespace

int main() {
  std::vector<int> many;
  for (int b = 0; b < 1024; b++)
    if (b * 37 % 101 < 9) many.push_back(b);
  const std::vector<int> few = {0, 1, 2, 7, 300, 511, 512, 1022, 1023};
  check({16384, 16384, few, 1});
  // Blocks that begin within a row; tiles of one k0 only, several of them.
  check({32768, 32768, many, 3});
  Case c{16384, 16001, few};
  c.fast = true;
  check(c);
  c.gated = true;
  check(c);
  c = {16384, 16001, few};
  c.fast = c.bf16 = true;
  check(c);
  c = {16384, 16001, few};
  c.bf16 = true, c.blocksOfDevice = 3;
  check(c);
  c = {16384, 12345, {}};
  for (int j = 0; j < 40; j++) c.blocks.push_back(16 * j);
  c.gated = c.skips = true, c.aligned = false;
  check(c);
  c = {16384, 16382, few};
  c.bf16 = c.gated = true;
  check(c);
  c = {16384, 16384, few};
  c.circular = c.skips = true;
  check(c);
  for (const bool fast : {false, true}) {
    c = {16384, 16384, few};
    c.fast = fast, c.impulse = 5000;
    check(c);
    c.bf16 = true;
    check(c);
  }
  checkFloats({16384, 16384, few});
  checkFloats({16384, 5001, many, 2, true, true});
  checkFloats({16384, 16001, few, 5, true});
  checkFloats({16384, 16384, few, 3, false, true, true});
  return report_checks("fine_bank_emulation");
}
