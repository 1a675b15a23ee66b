// The folds of a filter bank in float32 (cuda/gpu/bank/fold_*.cuh) on the CPU, lane by lane as in mma_emulation.cpp, against the sums
// that they stand for in float64 (cuda/host/filter_bank.h). What is written starts as NaN, and what lies around it must survive.
#define FFC_EMULATE
#include "../../cuda/gpu/bank/fold_analyse.cuh"
#include "../../cuda/gpu/bank/fold_synthesise.cuh"
#include "../../cuda/gpu/bank/fold_tables.h"
#include "check.h"
#include "pattern.h"

#include <limits>
#include <random>
#include <type_traits>

using namespace ffc;
using namespace ffc::gpu;

namespace {

constexpr int D = coarseRate, guard = 32;
std::mt19937_64 engine(7);

// Rows of floats between guard bands, so many samples apart.
struct Samples {
  std::vector<float> all;
  Samples(int64_t count, bool random) : all(static_cast<size_t>(count + 2 * guard), std::numeric_limits<float>::quiet_NaN()) {
    std::normal_distribution<float> normal;
    for (int64_t i = 0; random && i < count; ++i) data()[i] = normal(engine);
  }
  float* data() { return all.data() + guard; }
  bool intact() const {
    for (int i = 0; i < guard; ++i)
      if (all[i] == all[i] || all[all.size() - 1 - i] == all[all.size() - 1 - i]) return false;
    return true;
  }
};

struct Case {
  int64_t points;  // of the whole ring
  int length;
  std::vector<int> blocks;
  bool gated, skips = false, circular = false;
};

void check(const Case& c) {
  std::vector<uint8_t> keep(coarseBlocks);
  for (const int b : c.blocks) keep[b] = 1;
  if (c.circular) keep.push_back(0);  // half the rate itself
  const FrequencyMask mask = c.circular ? patternOf(c.points, c.points / 2 / coarseBlocks, keep, FFC_MODE_CIRCULAR)
                                        : patternOf(c.points, c.points / coarseBlocks, keep);
  const FilterBank bank(mask, filtersOfFloats);
  const int numbersOfRing = static_cast<int>(bank.points()), around = c.circular ? numbersOfRing : 0;
  const int slots = bank.slots(), count = c.circular ? numbersOfRing : numbersOfRing + foldCells, batch = 2, channels = 2;
  const int apart = c.length + 3;  // rows lie anywhere
  Samples u(apart * batch * channels, true), gate(apart * batch * channels, true), y(apart * batch * channels, false);
  Samples numbers(int64_t{slots} * batch * channels * count, false);

  FoldParams p;
  const FoldTables tables(bank, p);
  p.weights = tables.weights.data();
  p.coefficients = tables.coefficients.data();
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
  const float skip[] = {0.75f, -2.0f};
  if (c.skips) r.skip = skip, r.skipType = FFC_DTYPE_FLOAT32;
  const bool ends = p.endOfClass[2] > p.endOfClass[1];
  const auto run = [&](const FoldPieces& pieces, int bytes, void (*body)(const FoldParams&)) {
    p.cut(pieces);
    mma::emulation::launch(static_cast<int>((p.units + foldWarps - 1) / foldWarps), bytes, engine(), [&] { body(p); }, foldThreads);
  };
  const auto row = [&](Samples& s, int h, int b) { return s.data() + (int64_t{h} * batch + b) * apart; };
  const auto numbersOf = [&](int h, int slot, int b) { return numbers.data() + ((int64_t{h} * slots + slot) * batch + b) * count; };

  const FoldPieces there(count), back((c.length + D - 1) / D);
  if (ends)
    run(there, foldAnalysisBytes<true>, c.gated ? foldRowsOf<true, true> : foldRowsOf<false, true>);
  else
    run(there, foldAnalysisBytes<false>, c.gated ? foldRowsOf<true, false> : foldRowsOf<false, false>);
  double error = 0, size = 0;
  for (int h = 0; h < channels; ++h)
    for (int b = 0; b < batch; ++b)
      for (int slot = 0; slot < slots; ++slot)
        for (int m = 0; m < count; ++m) {
          double sum = 0;
          for (int j = 0; j < bank.filters().taps(); ++j) {
            int n = D * m + D - 1 - j;
            if (n < 0) n += D * around;
            if (n < 0 || n >= c.length) continue;
            sum += bank.coefficient(slot, m, j) * row(u, h, b)[n] * (c.gated ? row(gate, h, b)[n] : 1);
          }
          error += std::pow(numbersOf(h, slot, b)[m] - sum, 2), size += sum * sum;
        }
  const double errorThere = std::sqrt(error / size);

  // Back from other numbers.
  numbers = Samples(int64_t{slots} * batch * channels * count, true);
  r.numbers = numbers.data();
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
  error = size = 0;
  bool between = true;
  for (int h = 0; h < channels; ++h)
    for (int b = 0; b < batch; ++b) {
      for (int n = 0; n < c.length; ++n) {
        double sum = 0;
        for (int slot = 0; slot < slots; ++slot)
          for (int m = n / D; m < n / D + foldCells; ++m)
            sum += bank.coefficient(slot, m, D * m + D - 1 - n) * numbersOf(h, slot, b)[m < count ? m : m - around];
        if (c.skips) sum += skip[h] * row(u, h, b)[n] * (c.gated ? row(gate, h, b)[n] : 1.0);
        if (c.gated) sum *= row(gate, h, b)[n];
        error += std::pow(row(y, h, b)[n] - sum, 2), size += sum * sum;
      }
      for (int n = c.length; n < apart; ++n) between &= std::isnan(row(y, h, b)[n]);
    }
  const double errorBack = std::sqrt(error / size);
  std::printf("  N %lld, length %d, %d slots%s%s%s%s: %.2g there, %.2g back\n", static_cast<long long>(c.points), c.length, slots,
              ends ? " with ends" : "", c.gated ? ", gated" : "", c.skips ? ", skip" : "", c.circular ? ", circular" : "", errorThere, errorBack);
  CHECK(errorThere > 1e-9 && errorThere < 4e-7);
  CHECK(errorBack > 1e-9 && errorBack < 4e-7);
  CHECK(between && y.intact() && numbers.intact());
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
