// The rings of float32 rows: an instance of the fused family, whose window is the ring.
#include "../bank/slot_ring.h"
#include "instance.h"

namespace ffc {
namespace {

using namespace gpu;

const Fp32Instance* instanceOf(int64_t points, bool ofMore, const GpuLimits& limits) {
  const Fp32Instance* least = nullptr;
  for (const Fp32Instance& i : fp32Instances())
    if ((i.points == points || (ofMore && i.points > points)) && (!least || i.points < least->points) && !i.partitioned && runsOn(i, limits)) least = &i;
  return least;
}

class FloatRing final : public SlotRing {
 public:
  FloatRing(const Fp32Instance& instance, int64_t channels, int64_t period, TableCache& cache)
      : instance_(instance), channels_(channels), period_(period), tables_(fp32Tables(instance, 1, cache)) {
    for (const void* function : {instance.convolve, instance.spectrum}) allowSharedMemory(function, instance.sharedBytes);
  }

  int64_t points() const override { return instance_.points; }
  int64_t spectrumBytes() const override { return channels_ * points() * static_cast<int64_t>(sizeof(float2)); }

  void computeSpectra(void* spectra, int64_t first, int64_t count, const SlotTaps& taps, const float2* weights, int slots,
                      cudaStream_t stream) const override {
    Fp32SpectrumParams p = {};
    p.taps.kernel = taps.data;
    p.taps.kernelLength = p.taps.count = p.taps.partTaps = p.taps.channelStride = taps.count;
    p.taps.period = period_;
    p.taps.circularImage = period_ > 0;
    p.weights = weights;
    p.slots = slots;
    p.spectrum = static_cast<float2*>(spectra) + first * points();
    p.tables = static_cast<const float2*>(tables_->data());
    p.units = count;
    p.parts = 1;
    launchFp32(instance_.spectrum, instance_, p.units, &p, stream);
  }

  void convolve(const void* spectra, int64_t first, int64_t count, const SlotRows& rows, void*, cudaStream_t stream) const override {
    Fp32ConvParams p = {};
    p.u = p.y = rows.data;
    p.uStride = p.yStride = {rows.rowStride, rows.channelStride};
    p.spectrum = static_cast<const float2*>(spectra) + first * points();
    p.spectrumChannelStride = points();
    p.tables = static_cast<const float2*>(tables_->data());
    p.dtype = p.skipDtype = Dtype::float32;
    p.batch = rows.ofChannel;
    p.units = count * rows.ofChannel;
    p.segments = p.parts = 1;
    p.segmentOutputs = 2 * points();
    p.length = p.outputLength = rows.length;
    launchFp32(instance_.convolve, instance_, p.units, &p, stream);
  }

 private:
  const Fp32Instance& instance_;
  int64_t channels_, period_;
  std::shared_ptr<Buffer> tables_;
};

}  // namespace

Fp32Shape floatRingShape(int64_t points, bool circular, const GpuLimits& limits) {
  const Fp32Instance* const i = instanceOf(points, circular, limits);
  return i ? shapeOf(*i) : Fp32Shape();
}

std::unique_ptr<SlotRing> makeFloatRing(const Fp32Shape& shape, int64_t channels, int64_t period, const GpuLimits& limits, TableCache& cache) {
  return std::make_unique<FloatRing>(*instanceOf(shape.points, false, limits), channels, period, cache);
}

}  // namespace ffc
