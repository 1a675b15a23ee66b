// The folds of a filter bank in float32 (cuda/gpu/bank/fold_*.cuh) on the CPU, lane by lane as in mma_emulation.cpp, against the sums
// that they stand for in float64 (cuda/host/filter_bank.h). What is written starts as NaN, and what lies around it must survive.
#define FFC_EMULATE
#include "../../cuda/gpu/bank/fold_analyse.cuh"
#include "../../cuda/gpu/bank/fold_synthesise.cuh"
#include "../../cuda/gpu/bank/fold_tables.h"
#include "bank_oracle.h"
#include "check.h"

#include <type_traits>

using namespace ffc;
using namespace ffc::gpu;

namespace {

constexpr int D = coarseRate;
std::mt19937_64 engine(7);

struct Case {
  int64_t points;  // of the whole ring
  int length;
  std::vector<int> blocks;
  bool gated, skips = false, circular = false;
};

void check(const Case& c) {
  const FrequencyMask mask = maskOfBlocks(c.points, filtersOfFloats, c.blocks, c.circular);
  const FilterBank bank(mask, filtersOfFloats);
  const BankCase rows(bank, c.length, c.length + 3, 2, 2, c.gated, c.skips);  // rows lie anywhere
  FloatSamples u(rows.samples(), engine), gate(rows.samples(), engine), y(rows.samples()), numbers(rows.numbers());

  FoldParams p;
  const FoldTables tables(bank, p);
  p.weights = tables.weights.data();
  p.coefficients = tables.coefficients.data();
  rows.setRows(p.rows, u.data(), gate.data(), y.data(), numbers.data());
  const bool ends = p.endOfClass[2] > p.endOfClass[1];
  const auto run = [&](const FoldPieces& pieces, int bytes, void (*body)(const FoldParams&)) {
    p.cut(pieces);
    mma::emulation::launch(static_cast<int>((p.units + foldWarps - 1) / foldWarps), bytes, engine(), [&] { body(p); }, foldThreads);
  };
  const auto sample = [&](int64_t i) { return double{u.data()[i]}; };
  const auto gateAt = [&](int64_t i) { return double{gate.data()[i]}; };
  const auto number = [&](int h, int slot, int b, int m) { return double{numbers.data()[rows.numberAt(h, slot, b, m)]}; };

  const FoldPieces there(rows.count), back((c.length + D - 1) / D);
  if (ends)
    run(there, foldAnalysisBytes<true>, c.gated ? foldRowsOf<true, true> : foldRowsOf<false, true>);
  else
    run(there, foldAnalysisBytes<false>, c.gated ? foldRowsOf<true, false> : foldRowsOf<false, false>);
  const double errorThere = rows.errorOfNumbers(sample, gateAt, number);
  CHECK(numbers.intact());

  // Back from other numbers.
  numbers = FloatSamples(rows.numbers(), engine);
  p.rows.numbers = numbers.data();
  const auto unfold = [&](auto e) {
    constexpr bool E = decltype(e)::value;
    if (c.skips)
      run(back, foldSynthesisBytes<E>, c.gated ? unfoldRowsOf<true, true, E> : unfoldRowsOf<false, true, E>);
    else
      run(back, foldSynthesisBytes<E>, c.gated ? unfoldRowsOf<true, false, E> : unfoldRowsOf<false, false, E>);
  };
  if (ends)
    unfold(std::true_type());
  else
    unfold(std::false_type());
  const double errorBack = rows.errorOfSamples(sample, gateAt, number, [&](int64_t i) { return double{y.data()[i]}; });
  std::printf("  N %lld, length %d, %d slots%s%s%s%s: %.2g there, %.2g back\n", static_cast<long long>(c.points), c.length, rows.slots,
              ends ? " with ends" : "", c.gated ? ", gated" : "", c.skips ? ", skip" : "", c.circular ? ", circular" : "", errorThere, errorBack);
  CHECK(errorThere > 1e-9 && errorThere < 4e-7);
  CHECK(errorBack > 1e-9 && errorBack < 4e-7);
  CHECK(rows.gapsAre([&](int64_t i) { return std::isnan(y.data()[i]); }) && y.intact());
}

}  // namespace

int main() {
  const std::vector<int> six = {6, 12, 20, 26, 47, 52}, sixteen = {0, 3, 5, 9, 12, 18, 19, 20, 27, 33, 38, 41, 50, 55, 58, 63};
  check({4096, 4096, six, false});
  check({4096, 4001, sixteen, true});
  check({4096, 2500, {63}, false});
  check({4096, 4095, {17}, true});
  check({4096, 4093, sixteen, true, true});
  check({4096, 4096, six, false, true});
  check({4096, 4096, sixteen, false, false, true});
  // A period of 520 x 32, which chunks and pieces do not divide.
  check({16640, 16640, six, true, true, true});
  // Pieces of 256 numbers, and fours of slots that one, two and three parts of a warp have.
  check({32768, 32768, {1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 17, 18, 21, 22, 25}, false});
  check({32768, 30001, {0, 1, 2, 5, 6, 9}, true});
  check({32768, 17000, {0, 3, 4, 7, 8, 11, 12, 15, 1, 2, 5, 6, 9, 10, 13, 63}, false});
  return report_checks("bank_emulation");
}
