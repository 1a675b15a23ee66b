// Turns a configuration into a row of the list of row passes.
#pragma once
#include "../core/older_devices.h"
#include "../mma/tables.h"
#include "tensor_instance.h"
#include "tensor_long_rows.cuh"

namespace ffc::mma {

template <class C>
constexpr int64_t leastRowBytes = C::sharedBytes(C::leastSlots);

template <class C>
__global__ void __launch_bounds__(threads, 1) tensorRows(const __grid_constant__ RowParams p) {
  if constexpr (compiledHere<leastRowBytes<C>>) std::conditional_t<C::longOrder, LongRowPass<C>, RowPass<C>>(p).run();
}

template <class C>
TensorRowInstance makeRowInstance() {
  TensorRowInstance i;
  i.points = tilePoints * C::R;
  i.accurate = C::accurate;
  i.pieces = C::somePieces;
  i.rows = C::rows;
  i.leastSlots = C::leastSlots;
  i.mostSlots = C::mostSlots;
  i.sharedBytes = &C::sharedBytes;
  i.convolve = reinterpret_cast<const void*>(&tensorRows<C>);
  i.tables = &makeTables<C>;
  i.gain = &spectrumGain<C>;
  return i;
}

template <bool accurate>
void addRows(std::vector<TensorRowInstance>& list) {
  list.push_back(makeRowInstance<RowConfig<1, accurate>>());
  list.push_back(makeRowInstance<RowConfig<2, accurate>>());
  list.push_back(makeRowInstance<RowConfig<1, accurate, true>>());
  list.push_back(makeRowInstance<RowConfig<2, accurate, true>>());
  list.push_back(makeRowInstance<RowConfig<4, accurate>>());
}

}  // namespace ffc::mma
