// What lies around the convolutions of a filter bank's slots (host/filter_bank.h has the formulas). Of 16-bit rows:
//   measure     gated samples, some of them -> the largest of each part of a row
//   analyse     gated samples, scaled by their row's largest -> numbers of the slots' rings, halves; where the largest of all turns out to
//               be much larger than those that were looked at, once more
//   synthesise  what the rings made of them -> samples, gated
// Of float32 rows, whose numbers are floats and need no scale, the last two.
#pragma once
#include <cuda_runtime.h>

#include <memory>
#include <type_traits>

#include "../../host/filter_bank.h"
#include "../algorithm.h"
#include "bank_rows.h"

namespace ffc::gpu {

// Of the matrices' products; of half as many slots, two numbers are made by one.
inline int slotsOfProduct(int slots) { return slots <= coarseSlots / 2 ? coarseSlots / 2 : coarseSlots; }

// body(std::bool_constant ...) of these choices, so that what is chosen is an argument of a template.
template <class Body>
auto chosen(Body&& body) {
  return body();
}
template <class Body, class... Rest>
auto chosen(Body&& body, bool first, Rest... rest) {
  const auto with = [&](auto one) { return chosen([&](auto... others) { return body(one, others...); }, rest...); };
  return first ? with(std::true_type()) : with(std::false_type());
}

// `bank` has the filters of halves or of floats; rows of a chunk, one call after the other. 16-bit rows are measured where
// rows.largest is there.
class BankPasses {
 public:
  virtual ~BankPasses() = default;
  virtual void analyse(const BankRows& rows, cudaStream_t stream) const = 0;
  virtual void synthesise(const BankRows& rows, cudaStream_t stream) const = 0;
};
std::unique_ptr<BankPasses> makeHalfPasses(const FilterBank& bank, bool bf16, int multiprocessors, TableCache& cache);
std::unique_ptr<BankPasses> makeFloatPasses(const FilterBank& bank, TableCache& cache);
// Of fine banks (fine.h). Blocks take so many bytes of shared memory, and matrices of 16 bits so many tiles.
std::unique_ptr<BankPasses> makeFineHalfPasses(const FilterBank& bank, bool bf16, bool fast, int multiprocessors, TableCache& cache);
std::unique_ptr<BankPasses> makeFineFloatPasses(const FilterBank& bank, int multiprocessors, TableCache& cache);
inline std::unique_ptr<BankPasses> makePassesOfFloats(const FilterBank& bank, int multiprocessors, TableCache& cache) {
  return bank.filters().rate == fineRate ? makeFineFloatPasses(bank, multiprocessors, cache) : makeFloatPasses(bank, cache);
}
int64_t fineHalfBankBytes(const FilterBank& bank);
int fineHalfBankTiles(const FilterBank& bank);
int64_t fineFloatBankBytes(int slots);

// The pass that measures 16-bit rows.
void launchMeasure(const BankRows& rows, bool bf16, cudaStream_t stream);

}  // namespace ffc::gpu
