// A row of the list of kernel transforms: shape of one slice, number of slices.
#pragma once
#include "instance.h"
#include "spectrum.cuh"

namespace ffc::mma {

template <int C, int Threads, int... Radices>
SpectrumInstance makeSpectrum() {
  using Shape = gpu::FftShape<Threads, Radices...>;
  SpectrumInstance s;
  s.points = C * Shape::points;
  s.threads = Threads;
  s.slices = C;
  s.sharedBytes = int64_t(Shape::paddedPoints) * 8 + 16;
  s.transform = reinterpret_cast<const void*>(&kernelSpectrum<Shape, C>);
  s.tables = [](int slice) { return gpu::tableBytes(gpu::makeFftTables<Shape>((0.25 - slice) / C)); };
  return s;
}

}  // namespace ffc::mma
