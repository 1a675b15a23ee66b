// A row of the list of kernel transforms: shape of one slice, number of slices; and of rows of two halves.
#pragma once
#include "instance.h"
#include "spectrum.cuh"

namespace ffc::mma {

template <class Shape, int C, int halves>
SpectrumInstance makeSpectrumOf() {
  SpectrumInstance s;
  s.points = C * Shape::points;
  s.threads = Shape::threads;
  s.slices = C;
  s.halves = halves;
  s.sharedBytes = int64_t(Shape::paddedPoints) * 8 + 16;
  s.transform = reinterpret_cast<const void*>(&kernelSpectrum<Shape, C, halves>);
  s.tables = [](int slice, int quarters) { return gpu::tableBytes(gpu::makeFftTables<Shape>((quarters / 4.0 - slice) / C)); };
  return s;
}
template <int C, int Threads, int... Radices>
SpectrumInstance makeSpectrum() {
  return makeSpectrumOf<gpu::FftShape<Threads, Radices...>, C, 1>();
}
template <int C, int Threads, int... Radices>
SpectrumInstance makeHalvesSpectrum() {
  return makeSpectrumOf<gpu::FftShape<Threads, Radices...>, C, 2>();
}

}  // namespace ffc::mma
