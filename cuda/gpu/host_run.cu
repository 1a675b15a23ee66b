// Convolution of host arrays that need not fit into device memory: rows go through in tiles.
#include <algorithm>
#include <map>

#include "../host/status.h"
#include "device.h"

namespace ffc {
namespace {

// A tile is `batch` x `channels` rows from (batchAt, channelAt) on.
struct Tile {
  int64_t batchAt, channelAt, batch, channels;
};

// One (B, H, samples) host array and how its rows lie.
struct HostRows {
  char* data;
  Strides stride;
  int64_t samples, elementBytes;

  // Enqueues the copy of a tile between the array and packed device memory, one strided copy per batch entry.
  void copy(const Tile& t, void* device, cudaMemcpyKind kind, cudaStream_t stream) const {
    const int64_t rowBytes = samples * elementBytes, pitch = stride.channel * elementBytes;
    for (int64_t b = 0; b < t.batch; ++b) {
      char* host = data + ((t.batchAt + b) * stride.batch + t.channelAt * stride.channel) * elementBytes;
      char* packed = static_cast<char*>(device) + b * t.channels * rowBytes;
      const bool toDevice = kind == cudaMemcpyHostToDevice;
      const size_t bytes = static_cast<size_t>(rowBytes);
      // A pitch has a limit (2 GiB); rows that follow one another, or a single one, need none.
      if (pitch == rowBytes || t.channels == 1)
        checkCuda(cudaMemcpyAsync(toDevice ? packed : host, toDevice ? host : packed,
                                  bytes * static_cast<size_t>(t.channels), kind, stream), "copying rows");
      else
        for (int64_t c = 0; c < t.channels; ++c)
          checkCuda(cudaMemcpyAsync(toDevice ? packed + c * rowBytes : host + c * pitch,
                                    toDevice ? host + c * pitch : packed + c * rowBytes, bytes, kind, stream),
                    "copying rows");
    }
  }
  int64_t tileBytes(int64_t rows) const { return data ? rows * samples * elementBytes : 0; }
};

ConvProblem tileProblem(const ConvProblem& p, int64_t batch, int64_t channels) {
  ConvProblem t = p;
  t.batch = batch;
  t.channels = channels;
  t.u = t.pre = {channels * p.length, p.length};
  t.y = t.post = {channels * p.outputLength, p.outputLength};
  t.kernelChannelStride = p.sharedKernel ? 0 : p.kernelLength;
  return t;
}

// Two of these run in turn, so that one computes while the other's rows travel.
struct Slot {
  std::shared_ptr<Stream> stream;
  Region u, pre, post, y;
};

}  // namespace

void convolveHostOnCuda(CudaDevice& device, const ConvProblem& p, const HostTensors& tensors,
                        const Progress& progress) {
  const int64_t element = dtypeBytes(p.dtype), kernelElement = dtypeBytes(p.kernelDtype);
  const auto rowsOf = [&](const void* data, const Strides& s, int64_t samples) {
    return HostRows{static_cast<char*>(const_cast<void*>(data)), s, samples, element};
  };
  const HostRows u = rowsOf(tensors.u, p.u, p.length), pre = rowsOf(tensors.preGate, p.pre, p.length);
  const HostRows post = rowsOf(tensors.postGate, p.post, p.outputLength), y = rowsOf(tensors.y, p.y, p.outputLength);
  const int64_t rowBytes = u.tileBytes(1) + pre.tileBytes(1) + post.tileBytes(1) + y.tileBytes(1);

  // Two tiles in half of what is free, and no larger than a 16th of the work, so that the copies of one overlap
  // the work of the other and progress moves; but large enough to fill the device.
  size_t free = 0, total = 0;
  checkCuda(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  int64_t budget = static_cast<int64_t>(free / 4);
  if (device.memory().limitBytes > 0)
    budget = std::min(budget, (device.memory().limitBytes - device.memory().liveBytes.load()) / 4);
  constexpr int64_t smallest = int64_t{32} << 20;
  const int64_t wanted = std::max(smallest, p.rows() * rowBytes / 16);
  const int64_t tileRows = std::max<int64_t>(1, std::min(budget, wanted) / rowBytes);
  // Channels first: a channel's spectrum serves all its batch entries. Whole batch columns as long as they fit.
  const int64_t channels = std::min(p.channels, std::max<int64_t>(1, tileRows / p.batch));
  const int64_t batch = std::min(p.batch, std::max<int64_t>(1, tileRows / channels));

  std::map<std::pair<int64_t, int64_t>, std::shared_ptr<ConvPlan>> plans;  // at most four shapes
  const auto planOf = [&](int64_t b, int64_t c) {
    auto& plan = plans[{b, c}];
    if (!plan) plan = device.createPlan(tileProblem(p, b, c));
    return plan;
  };

  Slot slots[2];
  for (Slot& s : slots) {
    s.stream = device.createStream();
    const auto room = [&](const HostRows& rows) {
      return rows.data ? Region{device.createBuffer(rows.tileBytes(batch * channels)), 0} : Region{};
    };
    s.u = room(u);
    s.pre = room(pre);
    s.post = room(post);
    s.y = room(y);
  }
  Region skip;
  if (tensors.skip) {
    skip = {device.createBuffer(p.channels * kernelElement), 0};
    device.write(skip, tensors.skip, p.channels * kernelElement, slots[0].stream);
  }

  int64_t done = 0;
  int turn = 0;
  for (int64_t c0 = 0; c0 < p.channels; c0 += channels) {
    const int64_t nc = std::min(channels, p.channels - c0);
    const int64_t kernels = p.sharedKernel ? 1 : nc;
    const Region kernel{device.createBuffer(kernels * p.kernelLength * kernelElement), 0};
    for (int64_t c = 0; c < kernels; ++c)
      device.write({kernel.buffer, c * p.kernelLength * kernelElement},
                   static_cast<const char*>(tensors.kernel) +
                       (p.sharedKernel ? 0 : (c0 + c) * p.kernelChannelStride * kernelElement),
                   p.kernelLength * kernelElement, slots[0].stream);
    // A spectrum belongs to one plan; the last batch entries may need a plan of another shape.
    std::map<ConvPlan*, std::shared_ptr<Spectrum>> spectra;
    for (int64_t b0 = 0; b0 < p.batch; b0 += batch) {
      if (progress.cancelled()) {
        for (Slot& s : slots) s.stream->synchronize();
        throw Error(FFC_CANCELLED, "cancelled after " + std::to_string(done) + " of " + std::to_string(p.rows()) + " rows");
      }
      const Tile tile{b0, c0, std::min(batch, p.batch - b0), nc};
      const auto plan = planOf(tile.batch, tile.channels);
      auto& spectrum = spectra[plan.get()];
      if (!spectrum) {
        spectrum = plan->createSpectrum();
        plan->computeSpectrum(spectrum, kernel, slots[0].stream);
        slots[0].stream->synchronize();  // the other stream reads it too
      }
      Slot& s = slots[turn ^= 1];
      const cudaStream_t stream = streamOf(s.stream);
      for (const auto& [rows, region] : {std::pair{&u, &s.u}, {&pre, &s.pre}, {&post, &s.post}})
        if (rows->data) rows->copy(tile, region->as<char>(), cudaMemcpyHostToDevice, stream);
      ForwardArgs args;
      args.u = s.u;
      args.preGate = s.pre;
      args.postGate = s.post;
      args.y = s.y;
      if (skip) args.skip = {skip.buffer, c0 * kernelElement};
      plan->forward(spectrum, args, s.stream);
      y.copy(tile, s.y.as<char>(), cudaMemcpyDeviceToHost, stream);
      done += tile.batch * tile.channels;
      progress.report(0.999 * static_cast<double>(done) / static_cast<double>(p.rows()));
    }
    for (Slot& s : slots) s.stream->synchronize();  // before this kernel and these spectra go
  }
  progress.report(1.0);
}

}  // namespace ffc
