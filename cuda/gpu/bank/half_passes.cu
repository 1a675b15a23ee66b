// The launches of a filter bank's passes of 16-bit rows, and the tables that they read. Both ways are matrix products on tensor cores, since numbers that
// are alike modulo 8 have the same coefficients.
#include "passes.h"

#include <algorithm>

#include "../mma/table_cache.h"
#include "../multipass/multipass.h"
#include "analyse.cuh"
#include "fragments.h"
#include "synthesise.cuh"

namespace ffc::gpu {
namespace {

struct BankPass {
  const void* function;
  int threads, sharedBytes;
};
BankPass analysisOf(bool bf16, bool gated, int together) {
  return chosen(
      [](auto b, auto g, auto two) {
        constexpr int Together = two() ? 2 : 1;
        return BankPass{reinterpret_cast<const void*>(&analyseRows<b(), g(), Together>), Product<Together>::threads,
                        analysisBytes(g(), Product<Together>::slots)};
      },
      bf16, gated, together == 2);
}
BankPass synthesisOf(bool bf16, bool gated, bool skips, int together) {
  return chosen(
      [](auto b, auto g, auto s, auto two) {
        constexpr int Together = two() ? 2 : 1;
        return BankPass{reinterpret_cast<const void*>(&synthesiseRows<b(), g(), s(), Together>), Product<Together>::threads,
                        NumbersOfTile<Together>::sharedBytes(g(), s())};
      },
      bf16, gated, skips, together == 2);
}

class HalfPasses final : public BankPasses {
 public:
  HalfPasses(const FilterBank& bank, bool bf16, int multiprocessors, TableCache& cache);
  void analyse(const BankRows& rows, cudaStream_t stream) const override;
  void synthesise(const BankRows& rows, cudaStream_t stream) const override;

 private:
  int together() const { return coarseSlots / slotsOfProduct(slots_); }

  bool bf16_;
  int multiprocessors_, slots_;
  std::shared_ptr<Buffer> analysis_, synthesis_;
};

HalfPasses::HalfPasses(const FilterBank& bank, bool bf16, int multiprocessors, TableCache& cache)
    : bf16_(bf16), multiprocessors_(multiprocessors), slots_(bank.slots()) {
  std::vector<uint32_t> there, back;
  const int together = this->together(), slotsOfRows = slotsOfProduct(slots_), steps = (taps + (together - 1) * D) / 16;
  const auto coefficient = [&](int slot, int number, int tap) { return slot < slots_ ? bank.coefficient(slot, number, tap) : 0.0; };
  // Rows are slots of a number, or of two; columns are samples from the first one of the first number on.
  for (int residue = 0; residue < residues; residue += together)
    for (int step = 0; step < steps; step++)
      addFragment(there, coefficientExponent, [&](int row, int column) {
        const int number = row / slotsOfRows;
        return coefficient(row % slotsOfRows, residue + number, taps - 1 - (16 * step + column) + D * number);
      });
  // Rows are samples of a number's D, columns are slots of the number `cell` further on, or of two.
  for (int residue = 0; residue < residues; residue++)
    for (int step = 0; step < (cells + together - 1) / together; step++)
      for (int half = 0; half < D / 16; half++)
        addFragment(back, coefficientExponent, [&](int row, int column) {
          const int cell = step * together + column / slotsOfRows;
          return coefficient(column % slotsOfRows, residue + cell, D * cell + D - 1 - (16 * half + row));
        });
  analysis_ = cache.planTable(bytesOf(there));
  synthesis_ = cache.planTable(bytesOf(back));
  const auto allow = [](const BankPass& pass) { allowSharedMemory(pass.function, pass.sharedBytes); };
  for (const bool gated : {false, true}) {
    allow(analysisOf(bf16, gated, together));
    for (const bool skips : {false, true}) allow(synthesisOf(bf16, gated, skips, together));
  }
}

BankParams paramsOf(const BankRows& rows, int64_t numbers, const Buffer& table) {
  BankParams p;
  p.cut(rows, numbers, tileNumbers);
  p.table = static_cast<const uint4*>(table.data());
  return p;
}

void HalfPasses::analyse(const BankRows& rows, cudaStream_t stream) const {
  if (rows.largest) launchMeasure(rows, bf16_, stream);
  BankParams p = paramsOf(rows, rows.count, *analysis_);
  const BankPass pass = analysisOf(bf16_, rows.pre, together());
  for (int turn = 0; turn < (rows.largest ? 2 : 1); turn++, p.again = true)
    launchPass(pass.function, std::min<int64_t>(p.tiles, 2 * multiprocessors_), pass.threads, pass.sharedBytes, p, stream, "the analysis of a filter bank");
}
void HalfPasses::synthesise(const BankRows& rows, cudaStream_t stream) const {
  BankParams p = paramsOf(rows, (rows.outputLength + D - 1) / D, *synthesis_);
  const BankPass pass = synthesisOf(bf16_, rows.post, rows.skip, together());
  launchPass(pass.function, std::min<int64_t>(p.tiles, 2 * multiprocessors_), pass.threads, pass.sharedBytes, p, stream, "the synthesis of a filter bank");
}

}  // namespace

std::unique_ptr<BankPasses> makeHalfPasses(const FilterBank& bank, bool bf16, int multiprocessors, TableCache& cache) {
  return std::make_unique<HalfPasses>(bank, bf16, multiprocessors, cache);
}

}  // namespace ffc::gpu
