// The row shapes, for either storage.
#pragma once
#include "instance.h"
#include "rows.cuh"

namespace ffc::gpu {

template <class Storage, int Rows, int MinBlocks, int RowThreads, int... Radices>
RowInstance makeRows() {
  using Shape = FftShape<RowThreads, Radices...>;
  RowInstance instance;
  instance.points = Shape::points;
  instance.rows = Rows;
  instance.threads = Rows * RowThreads;
  instance.radices = {Radices...};
  instance.sharedBytes = int64_t{Rows} * Shape::paddedPoints * static_cast<int64_t>(sizeof(float2));
  instance.convolve = reinterpret_cast<const void*>(&transformRows<Shape, Storage, Rows, MinBlocks, false>);
  instance.spectrum = reinterpret_cast<const void*>(&transformRows<Shape, Storage, Rows, MinBlocks, true>);
  instance.tables = [] { return tableBytes(makeFftTables<Shape>(0.0)); };
  instance.tableKey = "rows";
  for (int radix : instance.radices) instance.tableKey += "/" + std::to_string(radix);
  return instance;
}

template <class Storage>
std::vector<RowInstance> makeRowList() {
  return {
      //               rows, blocks per SM, threads per row, radices
      makeRows<Storage, 8, 4, 16, 16, 16>(),         // 256
      makeRows<Storage, 4, 4, 32, 8, 8, 8>(),        // 512
      makeRows<Storage, 2, 4, 64, 16, 8, 8>(),       // 1024
      makeRows<Storage, 1, 4, 128, 16, 8, 16>(),     // 2048
      makeRows<Storage, 1, 2, 256, 16, 16, 16>(),    // 4096
      makeRows<Storage, 1, 2, 256, 8, 8, 8, 16>(),   // 8192: 70 KB
      makeRows<Storage, 1, 1, 512, 16, 8, 8, 16>(),  // 16384: 139 KB
  };
}

}  // namespace ffc::gpu
