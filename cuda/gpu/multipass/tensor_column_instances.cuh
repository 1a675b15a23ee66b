// Turns a configuration into a row of the list of column passes.
#pragma once
#include "../core/older_devices.h"
#include "tensor_columns.cuh"
#include "tensor_instance.h"
#include "tensor_tables.h"

namespace ffc::mma {

template <class C>
__global__ void __launch_bounds__(threads, C::blocks) tensorColumnsForward(const __grid_constant__ ColumnParams p) {
  if constexpr (compiledHere<C::sharedBytes>) ColumnsForward<C>(p).run();
}
template <class C, bool addsSkip>
__global__ void __launch_bounds__(threads, C::blocks) tensorColumnsInverse(const __grid_constant__ ColumnParams p) {
  if constexpr (compiledHere<C::sharedBytes>) ColumnsInverse<C, addsSkip>(p).run();
}

template <class C>
TensorColumnInstance makeColumnInstance() {
  TensorColumnInstance i;
  i.bf16 = C::bf16;
  i.accurate = C::accurate;
  i.radix = C::R;
  i.width = C::width;
  i.rate = C::rate;
  i.ownPieces = C::ownPieces;
  i.sharedBytes = C::sharedBytes;
  i.blocks = C::blocks;
  i.log2MostTiles = C::log2MostTiles;
  i.forward = reinterpret_cast<const void*>(&tensorColumnsForward<C>);
  i.inverse = reinterpret_cast<const void*>(&tensorColumnsInverse<C, false>);
  i.inverseAndSkip = reinterpret_cast<const void*>(&tensorColumnsInverse<C, true>);
  i.tables = &makeColumnTables<C>;
  if constexpr (C::rate > 1) i.filters = &makeFilterTables<C>;
  return i;
}

template <bool accurate>
void addColumns(std::vector<TensorColumnInstance>& list) {
  list.push_back(makeColumnInstance<ColumnConfig<false, accurate, 1>>());
  list.push_back(makeColumnInstance<ColumnConfig<true, accurate, 1>>());
  list.push_back(makeColumnInstance<ColumnConfig<false, accurate, 4>>());
  if constexpr (accurate) list.push_back(makeColumnInstance<ColumnConfig<true, accurate, 4>>());
  // Bands of frequencies (host/resampling.h).
  list.push_back(makeColumnInstance<ColumnConfig<false, accurate, 1, 2>>());
  list.push_back(makeColumnInstance<ColumnConfig<true, accurate, 1, 2>>());
  list.push_back(makeColumnInstance<ColumnConfig<false, accurate, 1, 4>>());
  list.push_back(makeColumnInstance<ColumnConfig<true, accurate, 1, 4>>());
}

}  // namespace ffc::mma
