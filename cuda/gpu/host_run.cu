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

// Samples from one row to the next on the device: rows begin at multiples of 16 bytes. A row that begins elsewhere may be shifted within
// its transform (mma/params.h), so that its last bits would depend on the rows before it in its tile.
int64_t pitchOf(int64_t samples, int64_t elementBytes) { return (samples * elementBytes + 15) / 16 * 16 / elementBytes; }

// One (B, H, samples) host array and how its rows lie.
struct HostRows {
  char* data;
  Strides stride;
  int64_t samples, elementBytes;

  int64_t placeBytes() const { return pitchOf(samples, elementBytes) * elementBytes; }
  // Enqueues the copy of a tile between the array and device memory, one strided copy per batch entry.
  void copy(const Tile& t, void* device, cudaMemcpyKind kind, cudaStream_t stream) const {
    constexpr int64_t mostPitch = 0x7fffffff;
    const int64_t rowBytes = samples * elementBytes, pitch = stride.channel * elementBytes, place = placeBytes();
    const bool toDevice = kind == cudaMemcpyHostToDevice;
    const auto bytes = static_cast<size_t>(rowBytes), rows = static_cast<size_t>(t.channels);
    for (int64_t b = 0; b < t.batch; ++b) {
      char* host = data + ((t.batchAt + b) * stride.batch + t.channelAt * stride.channel) * elementBytes;
      char* placed = static_cast<char*>(device) + b * t.channels * place;
      if (t.channels == 1 || (pitch == rowBytes && place == rowBytes)) {
        checkCuda(cudaMemcpyAsync(toDevice ? placed : host, toDevice ? host : placed, bytes * rows, kind, stream), "copying rows");
      } else if (pitch >= rowBytes && pitch <= mostPitch && place <= mostPitch) {
        const auto hostPitch = static_cast<size_t>(pitch), devicePitch = static_cast<size_t>(place);
        checkCuda(cudaMemcpy2DAsync(toDevice ? placed : host, toDevice ? devicePitch : hostPitch, toDevice ? host : placed,
                                    toDevice ? hostPitch : devicePitch, bytes, rows, kind, stream), "copying rows");
      } else {
        for (int64_t c = 0; c < t.channels; ++c)
          checkCuda(cudaMemcpyAsync(toDevice ? placed + c * place : host + c * pitch,
                                    toDevice ? host + c * pitch : placed + c * place, bytes, kind, stream),
                    "copying rows");
      }
    }
  }
  int64_t tileBytes(int64_t rows) const { return data ? rows * placeBytes() : 0; }
};

ConvProblem tileProblem(const ConvProblem& p, int64_t batch, int64_t channels) {
  ConvProblem t = p;
  t.batch = batch;
  t.channels = channels;
  const int64_t in = pitchOf(p.length, dtypeBytes(p.dtype)), out = pitchOf(p.outputLength, dtypeBytes(p.dtype));
  t.u = t.pre = {channels * in, in};
  t.y = t.post = {channels * out, out};
  t.kernelChannelStride = p.sharedKernel ? 0 : p.kernelLength;
  return t;
}

// The largest tile of so many rows. Channels first: a channel's spectrum serves all its batch entries. Whole batch
// columns as long as they fit.
Tile largestTile(const ConvProblem& p, int64_t rows) {
  const int64_t channels = std::min(p.channels, std::max<int64_t>(1, rows / p.batch));
  return {0, 0, std::min(p.batch, rows / channels), channels};
}

// Tiles of one size, and the plans that run them: the last batch entries and the last channels may be fewer.
class Tiling {
 public:
  // Every plan runs `candidate`, so that a row has the same bits whatever tile it is in.
  Tiling(CudaDevice& device, const ConvProblem& p, const Tile& largest, const std::string& candidate)
      : batch(largest.batch), channels(largest.channels) {
    for (const int64_t b : {batch, p.batch % batch})
      for (const int64_t c : {channels, p.channels % channels})
        if (b > 0 && c > 0 && !plans_.count({b, c})) plans_[{b, c}] = makePlan(device, tileProblem(p, b, c), candidate);
  }
  const std::shared_ptr<ConvPlan>& planOf(const Tile& t) const { return plans_.at({t.batch, t.channels}); }

  // What a run has at once: two slots of rows with a workspace each, all skip values, the kernels of a tile, and a
  // spectrum of them for each number of batch entries.
  int64_t neededBytes(const ConvProblem& p, int64_t rowBytes) const {
    int64_t workspace = 0;
    std::map<int64_t, int64_t> spectra;  // by the channels of a tile
    for (const auto& [shape, plan] : plans_) {
      workspace = std::max(workspace, plan->info().workspaceBytes);
      spectra[shape.second] += plan->info().spectrumBytes;
    }
    int64_t most = 0;
    for (const auto& [c, bytes] : spectra) {
      (void)c;
      most = std::max(most, bytes);
    }
    const int64_t taps = (p.sharedKernel ? 1 : channels) * p.kernelLength + (p.skip ? p.channels : 0);
    return 2 * (batch * channels * rowBytes + workspace) + most + taps * dtypeBytes(p.kernelDtype);
  }

  const int64_t batch, channels;

 private:
  static std::shared_ptr<ConvPlan> makePlan(CudaDevice& device, ConvProblem p, const std::string& candidate) {
    p.candidate = candidate;
    try {
      return device.createPlan(p);
    } catch (const Error& e) {
      // Of some patterns of frequencies a candidate is offered to many rows and not to few.
      if (e.status() != FFC_INVALID_ARGUMENT) throw;
      p.candidate.clear();
      return device.createPlan(p);
    }
  }

  std::map<std::pair<int64_t, int64_t>, std::shared_ptr<ConvPlan>> plans_;  // at most four shapes
};

// The largest tiles for which there is memory, down to a single row.
Tiling fittingTiling(CudaDevice& device, const ConvProblem& p, int64_t rowBytes) {
  const auto available = [&device](int64_t spareBytes) {
    size_t free = 0, total = 0;
    checkCuda(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
    const MemoryLedger& memory = device.memory();
    const int64_t left = static_cast<int64_t>(free) - spareBytes;
    return memory.limitBytes > 0 ? std::min(left, memory.limitBytes - memory.liveBytes.load()) : left;
  };
  // No larger than a 16th of the work, so that the copies of one tile overlap the work of the other and progress moves;
  // but large enough to fill the device.
  constexpr int64_t smallest = int64_t{32} << 20;
  const int64_t wantedBytes = std::max(smallest, p.rows() * rowBytes / 16);
  const int64_t wanted = std::max<int64_t>(1, std::min(p.rows(), wantedBytes / rowBytes));
  // The planner chooses for that tile, whatever fits: what a row becomes depends on the problem, not on free memory.
  const Tile ranked = largestTile(p, wanted);
  const std::string candidate = cudaCandidate(device, tileProblem(p, ranked.batch, ranked.channels));
  // cudaMalloc() rounds each of a dozen blocks up to 2 MiB, and a device function's first launch may load its code.
  constexpr int64_t spare = int64_t{64} << 20;
  for (int64_t rows = std::max<int64_t>(1, std::min(wanted, available(spare) / (2 * rowBytes)));; rows /= 2) {
    Tiling tiling(device, p, largestTile(p, rows), candidate);
    const int64_t needed = tiling.neededBytes(p, rowBytes), there = available(rows > 1 ? spare : 0);
    if (needed <= there) return tiling;
    if (rows > 1) continue;
    const int64_t limit = device.memory().limitBytes;
    throw Error(FFC_OUT_OF_MEMORY,
                "one row at a time needs " + std::to_string(needed) + " bytes of device memory (u, gates and y twice, " +
                    "the kernel, its spectrum, two workspaces of " +
                    std::to_string(tiling.planOf({0, 0, 1, 1})->info().workspaceBytes) + "); " +
                    std::to_string(std::max<int64_t>(0, there)) + " are available" +
                    (limit > 0 ? ", and the memory_limit_bytes is " + std::to_string(limit) : ""));
  }
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

  const Tiling tiling = fittingTiling(device, p, rowBytes);
  const int64_t channels = tiling.channels, batch = tiling.batch;

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
      const std::shared_ptr<ConvPlan>& plan = tiling.planOf(tile);
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
