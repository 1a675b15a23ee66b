// The column shapes, for either storage. A tile is 32 columns wide where shared memory allows, so that 16-bit
// samples come in runs of 64 bytes, the least that device memory hands out at full speed.
#pragma once
#include "columns.cuh"
#include "instance.h"

namespace ffc::gpu {

// SpectrumOnly: the way forward alone, for the spectra of the tensor-core passes, which split N in their own way.
template <class Storage, int Threads, int MinBlocks, int ColumnThreads, bool SpectrumOnly, int... Radices>
ColumnInstance makeColumnsFor() {
  using Shape = FftShape<ColumnThreads, Radices...>;
  static_assert(Threads % 32 == 0 && Threads % ColumnThreads == 0);
  ColumnInstance instance;
  instance.points = Shape::points;
  instance.spectrumOnly = SpectrumOnly;
  instance.columns = Threads / ColumnThreads;
  instance.threads = Threads;
  instance.radices = {Radices...};
  instance.sharedBytes = int64_t{instance.columns} * ColumnTile<Shape>::pitch * static_cast<int64_t>(sizeof(float2));
  instance.forward = reinterpret_cast<const void*>(&columnsForward<Shape, Storage, Threads, MinBlocks, false>);
  // The grids of frequency-sparse plans are powers of two.
  constexpr bool sparse = (Shape::points & (Shape::points - 1)) == 0;
  if constexpr (sparse)
    instance.sparseForward = reinterpret_cast<const void*>(&columnsForward<Shape, Storage, Threads, MinBlocks, true>);
  if constexpr (!SpectrumOnly) {
    instance.inverse = reinterpret_cast<const void*>(&columnsInverse<Shape, Storage, Threads, MinBlocks, false>);
    if constexpr (sparse)
      instance.sparseInverse = reinterpret_cast<const void*>(&columnsInverse<Shape, Storage, Threads, MinBlocks, true>);
  }
  instance.tables = [](int quarters) { return tableBytes(makeFftTables<Shape>(quarters / 4.0)); };
  instance.tableKey = "columns";
  for (int radix : instance.radices) instance.tableKey += "/" + std::to_string(radix);
  return instance;
}

template <class Storage, int Threads, int MinBlocks, int ColumnThreads, int... Radices>
ColumnInstance makeColumns() {
  return makeColumnsFor<Storage, Threads, MinBlocks, ColumnThreads, false, Radices...>();
}

template <class Storage>
std::vector<ColumnInstance> makeColumnList() {
  return {
      makeColumnsFor<Storage, 256, 2, 4, true, 4, 8>(),   // 32 x 64: 17 KB
      //                  threads, blocks per SM, threads per column, radices
      // For patterns alone: dense rows that are so short go in one block.
      makeColumns<Storage, 256, 2, 8, 8, 8>(),      // 64 x 32: 18 KB
      makeColumns<Storage, 256, 2, 8, 16, 8>(),     // 128 x 32: 35 KB
      makeColumns<Storage, 256, 2, 8, 16, 16>(),    // 256 x 32: 70 KB
      makeColumns<Storage, 256, 2, 8, 6, 8, 8>(),    // 384 x 32: 104 KB
      makeColumns<Storage, 256, 2, 16, 8, 8, 8>(),  // 512 x 16: 70 KB
      makeColumns<Storage, 256, 2, 16, 12, 8, 8>(),  // 768 x 16: 104 KB
      makeColumns<Storage, 256, 2, 32, 16, 8, 8>(),  // 1024 x 8: 70 KB
      // For 16M samples where a row may not be longer than 8192 (99 KB of shared memory).
      makeColumns<Storage, 256, 2, 64, 12, 16, 8>(),  // 1536 x 4: 52 KB
      makeColumns<Storage, 256, 2, 64, 16, 16, 8>(),  // 2048 x 4: 70 KB
  };
}

}  // namespace ffc::gpu
