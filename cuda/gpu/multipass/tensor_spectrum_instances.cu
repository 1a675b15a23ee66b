// The row passes of kernel spectra: halves for the fast class, floats for the accurate one.
#include "tensor_spectrum.cuh"

namespace ffc::gpu {
namespace {

template <class Storage, int Threads, int... Radices>
TensorSpectrumInstance make() {
  using Shape = FftShape<Threads, Radices...>;
  TensorSpectrumInstance i;
  i.points = Shape::points;
  i.threads = Threads;
  i.floats = !Storage::scaled;
  i.sharedBytes = Shape::paddedPoints * int64_t{sizeof(float2)};
  i.transform = reinterpret_cast<const void*>(&tensorSpectrumRows<Shape, Storage>);
  i.tables = [] { return tableBytes(makeFftTables<Shape>(0.0)); };
  return i;
}

}  // namespace

std::vector<TensorSpectrumInstance> tensorSpectrumInstances() {
  return {
      make<HalfStorage, 256, 16, 16, 16>(),
      make<FloatStorage, 256, 16, 16, 16>(),
      make<HalfStorage, 256, 8, 8, 8, 16>(),
      make<FloatStorage, 256, 8, 8, 8, 16>(),
      make<HalfStorage, 512, 16, 8, 8, 16>(),
      make<FloatStorage, 512, 16, 8, 8, 16>(),
  };
}

}  // namespace ffc::gpu
