// The constant tables of a choice on the device, which plans of a context share.
#pragma once
#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "choice.h"

namespace ffc::mma {

template <class T>
std::vector<uint8_t> bytesOf(const std::vector<T>& values) {
  std::vector<uint8_t> bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// Tables that are one plan's own, for as long as this lives.
class PlanTables {
 public:
  // On the device.
  template <class T>
  const void* keep(TableCache& cache, const std::vector<T>& values) {
    buffers_.push_back(cache.planTable(bytesOf(values)));
    return buffers_.back()->data();
  }

 private:
  std::vector<std::shared_ptr<Buffer>> buffers_;
};

// One set of tables for each configuration: what they hold, and where, depends on all of it.
inline std::shared_ptr<Buffer> tablesOf(const Choice& choice, TableCache& cache, int quarters = 1) {
  const Instance& i = *choice.instance;
  const auto tables = [&] { return i.tables(choice.log2N2, quarters); };
  if (i.ofDigits) return cache.planTable(bytesOf(i.ofDigits(tables(), choice.digits)));
  const std::string key = "mma/" + std::to_string(reinterpret_cast<uintptr_t>(i.tables)) + "/" + std::to_string(choice.log2N2);
  return cache.table(key + (quarters ? "" : "/circular"), [&] { return bytesOf(tables()); });
}

inline std::array<std::shared_ptr<Buffer>, 8> spectrumTablesOf(const Choice& choice, TableCache& cache, int quarters = 1) {
  const SpectrumInstance& s = *choice.spectrum;
  std::array<std::shared_ptr<Buffer>, 8> tables;
  for (int slice = 0; slice < s.slices; slice++)
    tables[slice] = cache.table("mma/spectrum" + std::to_string(s.points) + "/" + std::to_string(slice) + (quarters ? "" : "/circular"),
                                [&] { return s.tables(slice, quarters); });
  return tables;
}

}  // namespace ffc::mma
