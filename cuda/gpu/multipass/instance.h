// One compiled shape of a pass. The lists in instances_*.cu are the manifest: what they name is compiled, and what
// is compiled is what the planner chooses from.
#pragma once
#include <cuda_runtime.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "../algorithm.h"
#include "params.h"

namespace ffc::gpu {

struct ColumnInstance {
  int points = 0, columns = 0, threads = 0;  // threads of a block: all columns of a tile
  bool spectrumOnly = false;                 // not a choice for convolutions
  std::vector<int> radices;
  int64_t sharedBytes = 0;
  const void *forward = nullptr, *inverse = nullptr;
  const void *sparseForward = nullptr, *sparseInverse = nullptr;  // with KeptRows, any quarters; null where points are no power of two
  std::vector<uint8_t> (*tables)(int quarters) = nullptr;
  std::string tableKey;
};

struct RowInstance {
  int points = 0, rows = 0, threads = 0;  // rows and threads of a block
  std::vector<int> radices;
  int64_t sharedBytes = 0;
  const void *convolve = nullptr, *spectrum = nullptr;
  std::vector<uint8_t> (*tables)() = nullptr;
  std::string tableKey;
};

// The tables of columns, on the device; of a ring with these frequencies.
inline std::shared_ptr<Buffer> columnTable(const ColumnInstance& column, int quarters, TableCache& cache) {
  return cache.table(column.tableKey + (quarters ? "" : "/circular"), [&] { return column.tables(quarters); });
}

// For float16 and for float32 intermediates; each list is a translation unit of its own, for a parallel build.
std::vector<ColumnInstance> halfColumnInstances();
std::vector<ColumnInstance> floatColumnInstances();
std::vector<RowInstance> halfRowInstances();
std::vector<RowInstance> floatRowInstances();

}  // namespace ffc::gpu
