// Turns a shape into a row of the manifest; only the instances_*.cu include it, so that bodies compile once.
#pragma once
#include "fused_conv.cuh"
#include "instance.h"

namespace ffc::gpu {

template <bool Partitioned, int Rows, int MinBlocks, int Threads, int... Radices>
Fp32Instance makeInstance() {
  using Shape = FftShape<Threads, Radices...>;
  Fp32Instance instance;
  instance.points = Shape::points;
  instance.threads = Threads;
  instance.rows = Rows;
  instance.partitioned = Partitioned;
  instance.radices = {Radices...};
  instance.sharedBytes = fp32SharedBytes<Shape, Rows>;
  instance.convolve = reinterpret_cast<const void*>(&fusedConv<Shape, Rows, MinBlocks, Partitioned>);
  instance.spectrum = reinterpret_cast<const void*>(&kernelSpectrum<Shape, Rows>);
  instance.tables = [](int quarters) { return tableBytes(makeFftTables<Shape>(quarters / 4.0)); };
  instance.tableKey = "fp32";
  for (int radix : instance.radices) instance.tableKey += "/" + std::to_string(radix);
  return instance;
}

// With a form for frequency-sparse plans.
template <int Rows, int MinBlocks, int Threads, int... Radices>
Fp32Instance makeSparseInstance() {
  Fp32Instance instance = makeInstance<false, Rows, MinBlocks, Threads, Radices...>();
  instance.sparse = reinterpret_cast<const void*>(&fusedSparseConv<FftShape<Threads, Radices...>, Rows, MinBlocks>);
  return instance;
}

}  // namespace ffc::gpu
