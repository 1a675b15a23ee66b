// The passes of a fine filter bank (cuda/gpu/bank/fine.h) on the CPU, lane by lane as in mma_emulation.cpp, against the sums that they stand for in
// float64 (cuda/host/filter_bank.h). What is written starts as NaN, and what lies around it must survive.
#define FFC_EMULATE
#include "../../cuda/gpu/bank/fine_float_analyse.cuh"
#include "../../cuda/gpu/bank/fine_float_synthesise.cuh"
#include "../../cuda/gpu/bank/fine_float_tables.h"
#include "../../cuda/gpu/bank/fine_half_analyse.cuh"
#include "../../cuda/gpu/bank/fine_half_synthesise.cuh"
#include "../../cuda/gpu/bank/fine_half_tables.h"
#include "bank_oracle.h"
#include "check.h"

using namespace ffc;
using namespace ffc::gpu;

namespace {

constexpr int guard = 32;
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

// Numbers of a row that its samples are made of.
int numbersBack(const FilterBank& bank, int length) { return (length + fineRate - 1) / fineRate + bank.filters().neighbours(); }

void check(const Case& c) {
  const FrequencyMask mask = maskOfBlocks(c.points, fineFiltersOfHalves, c.blocks, c.circular);
  const FilterBank bank(mask, fineFiltersOfHalves);
  const int batch = 2;
  const BankCase rows(bank, c.length, c.aligned ? (c.length + 15) / 8 * 8 : c.length + 3, batch, 1, c.gated, c.skips);
  const Number number{c.bf16}, half{false};
  Samples u(rows.samples(), c.bf16, 1), gate(rows.samples(), c.bf16, 1), y(rows.samples()), numbers(rows.numbers());
  const auto sample = [&](int64_t i) { return number(u.data()[i]); };
  const auto gateAt = [&](int64_t i) { return number(gate.data()[i]); };

  HalfFineParams p;
  const HalfFineWords tables(bank);
  p.of.weights = tables.weights.data();
  p.of.outer = tables.outer.data(), p.of.outerBack = tables.outerBack.data();
  p.of.inner = tables.inner.data(), p.of.innerBack = tables.innerBack.data();
  p.of.slots = tables.slots.data();
  std::copy(std::begin(tables.firstTile), std::end(tables.firstTile), p.of.firstTile);
  BankRows& r = p.rows;
  rows.setRows(r, u.data(), gate.data(), y.data(), numbers.data());
  std::vector<uint32_t> largest(batch * bankParts), largestOfAll(batch);
  // As measureRows() leaves them.
  for (int b = 0; b < batch; ++b)
    for (int n = 0; n < c.length; ++n) {
      const int64_t i = rows.sampleAt(0, b, n);
      const float x = static_cast<float>(std::abs(sample(i) * (c.gated ? gateAt(i) : 1)));
      largest[b * bankParts] = std::max(largest[b * bankParts], mma::floatWord(x));
    }
  r.largest = largest.data(), r.largestOfAll = largestOfAll.data();
  for (int b = 0; c.impulse >= 0 && b < batch; ++b) u.data()[rows.sampleAt(0, b, c.impulse)] = c.bf16 ? 0x4270 : 0x5380;  // 60
  std::vector<int32_t> exponents;
  for (int slot = 0; slot < rows.slots; ++slot) exponents.push_back(slot % 5 - 3);
  r.exponents = exponents.data();
  const auto run = [&](int numbersOfRow, int bytes, auto&& body) {
    p.cut(p.rows, numbersOfRow, halfFineTile);
    mma::emulation::launch(c.blocksOfDevice, bytes, engine(), body, halfFineThreads);
  };
  const auto scaleOf = [&](int b) { return 133 - static_cast<int>(largest[b * bankParts] >> 23) + ringExponent; };
  const auto numberOf = [&](int slot, int b, int m, int exponent) { return std::ldexp(half(numbers.data()[rows.numberAt(0, slot, b, m)]), exponent - scaleOf(b)); };

  const auto analyse = [&](auto fold) {
    using Fold = decltype(fold);
    c.bf16 ? c.gated ? analyseFineHalvesOf<true, true, Fold>(p) : analyseFineHalvesOf<true, false, Fold>(p)
           : c.gated ? analyseFineHalvesOf<false, true, Fold>(p) : analyseFineHalvesOf<false, false, Fold>(p);
  };
  const auto analyseAll = [&] { run(rows.count, halfFineAnalysisBytes, [&] { c.fast ? analyse(FoldHalves()) : analyse(FoldFloats()); }); };
  analyseAll();
  if (c.impulse >= 0) {
    // Rows that were scaled by too little are analysed once more.
    p.again = true;
    analyseAll();
    for (int b = 0; b < batch; ++b) CHECK(largestOfAll[b] == mma::floatWord(60)), largest[b * bankParts] = largestOfAll[b];
  }
  const double errorThere = rows.errorOfNumbers(sample, gateAt, [&](int, int slot, int b, int m) { return numberOf(slot, b, m, 0); });
  for (int b = 0; b < batch; ++b) CHECK(largestOfAll[b] == largest[b * bankParts]);
  CHECK(numbers.intact());

  // Back from other numbers, as small as white noise and a white kernel make them.
  numbers = Samples(rows.numbers(), false, 5);
  r.numbers = numbers.data();
  const auto synthesise = [&](auto fold) {
    using Fold = decltype(fold);
    const bool more = c.gated || c.skips;
    c.bf16 ? more ? synthesiseFineHalvesOf<true, true, Fold>(p) : synthesiseFineHalvesOf<true, false, Fold>(p)
           : more ? synthesiseFineHalvesOf<false, true, Fold>(p) : synthesiseFineHalvesOf<false, false, Fold>(p);
  };
  run(numbersBack(bank, c.length), halfFineSynthesisBytes(tables.firstTile[fineK0]), [&] { c.fast ? synthesise(FoldHalves()) : synthesise(FoldFloats()); });
  const double errorBack = rows.errorOfSamples(
      sample, gateAt, [&](int, int slot, int b, int m) { return numberOf(slot, b, m, exponents[slot]); }, [&](int64_t i) { return number(y.data()[i]); });
  std::printf("  N %lld, length %d, %d slots%s%s%s%s: %.2g there, %.2g back\n", static_cast<long long>(c.points), c.length, rows.slots, c.fast ? ", fast" : c.bf16 ? ", bf16" : "",
              c.gated ? ", gated" : "", c.skips ? ", skip" : "", c.circular ? ", circular" : "", errorThere, errorBack);
  CHECK(errorThere > 1e-5 && errorThere < (c.fast ? 7.5e-4 : 5e-4));
  CHECK(errorBack > 1e-5 && errorBack < (c.bf16 ? 2.2e-3 : c.fast ? 8e-4 : 5.5e-4));
  CHECK(rows.gapsAre([&](int64_t i) { return y.data()[i] == nan16; }) && y.intact());
}

// Rows of floats, as kernels are, too; on blocks that begin within rows.
struct FloatCase {
  int points, length;
  std::vector<int> blocks;
  int blocksOfDevice = 3;
  bool gated = false, skips = false, circular = false;
};

void checkFloats(const FloatCase& c) {
  const FrequencyMask mask = maskOfBlocks(c.points, fineFiltersOfFloats, c.blocks, c.circular);
  const FilterBank bank(mask, fineFiltersOfFloats);
  const FloatFineWords tables(bank);
  const BankCase rows(bank, c.length, c.length + 3, 2, 1, c.gated, c.skips);
  FloatSamples u(rows.samples(), engine), gate(rows.samples(), engine), y(rows.samples()), numbers(rows.numbers());
  FloatFineParams p;
  p.weights = tables.weights.data(), p.slots = tables.slots.data(), p.frequencies = tables.frequencies.data(), p.kept = static_cast<int32_t>(tables.frequencies.size());
  p.turnsThere = tables.turnsThere.data(), p.turnsBack = tables.turnsBack.data();
  rows.setRows(p.rows, u.data(), gate.data(), y.data(), numbers.data());
  const auto run = [&](int numbersOfRow, int bytes, auto&& body) {
    p.cut(p.rows, numbersOfRow, floatFineTile);
    mma::emulation::launch(c.blocksOfDevice, bytes, engine(), body, floatFineThreads);
  };
  const auto sample = [&](int64_t i) { return double{u.data()[i]}; };
  const auto gateAt = [&](int64_t i) { return double{gate.data()[i]}; };
  const auto number = [&](int h, int slot, int b, int m) { return double{numbers.data()[rows.numberAt(h, slot, b, m)]}; };

  run(rows.count, floatFineAnalysisBytes(rows.slots), [&] { c.gated ? analyseFineFloatsOf<true>(p) : analyseFineFloatsOf<false>(p); });
  const double errorThere = rows.errorOfNumbers(sample, gateAt, number);
  CHECK(numbers.intact());

  numbers = FloatSamples(rows.numbers(), engine);
  p.rows.numbers = numbers.data();
  run(numbersBack(bank, c.length), floatFineSynthesisBytes(rows.slots), [&] {
    c.gated ? c.skips ? synthesiseFineFloatsOf<true, true>(p) : synthesiseFineFloatsOf<true, false>(p)
            : c.skips ? synthesiseFineFloatsOf<false, true>(p) : synthesiseFineFloatsOf<false, false>(p);
  });
  const double errorBack = rows.errorOfSamples(sample, gateAt, number, [&](int64_t i) { return double{y.data()[i]}; });
  std::printf("  floats: N %d, length %d, %d slots%s%s%s: %.2g there, %.2g back\n", c.points, c.length, rows.slots, c.gated ? ", gated" : "", c.skips ? ", skip" : "",
              c.circular ? ", circular" : "", errorThere, errorBack);
  CHECK(errorThere > 1e-9 && errorThere < 1e-6);
  CHECK(errorBack > 1e-9 && errorBack < 1e-6);
  CHECK(rows.gapsAre([&](int64_t i) { return std::isnan(y.data()[i]); }) && y.intact());
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
