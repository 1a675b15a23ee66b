// What a backend provides. abi/ owns handles and validation and talks to these classes only; cpu/ and gpu/
// implement them. All methods may be called from any thread; failures are thrown as Error.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "../planner/constants.h"
#include "problem.h"
#include "status.h"

namespace ffc {

class Device;

// Device memory. Freed when the last shared_ptr goes.
class Buffer {
 public:
  virtual ~Buffer() = default;
  int64_t bytes() const { return bytes_; }
  void* data() const { return data_; }  // a device address for CUDA

 protected:
  int64_t bytes_ = 0;
  void* data_ = nullptr;
};

class Stream {
 public:
  virtual ~Stream() = default;
  // Waits for everything enqueued so far; throws the first failure of that work, once.
  virtual void synchronize() = 0;
};

class Event {
 public:
  virtual ~Event() = default;
  virtual void record(const std::shared_ptr<Stream>& stream) = 0;
  virtual void synchronize() = 0;
  virtual double elapsedMsSince(const Event& begin) const = 0;  // throws FFC_NOT_READY
};

// A part of a buffer that a kernel reads or writes; buffer is null when the tensor is absent.
struct Region {
  std::shared_ptr<Buffer> buffer;
  int64_t offsetBytes = 0;
  explicit operator bool() const { return buffer != nullptr; }
  template <class T>
  T* as() const {
    return buffer ? reinterpret_cast<T*>(static_cast<char*>(buffer->data()) + offsetBytes) : nullptr;
  }
};

struct ForwardArgs {
  Region u, preGate, postGate, skip, y, workspace;
};

struct PlanInfo {
  int32_t algorithm = FFC_ALGORITHM_DIRECT;
  int32_t precision = FFC_PRECISION_ACCURATE;
  int32_t order = 1;
  int32_t radices[8] = {};
  bool inPlace = false;
  int64_t transformLength = 0, segments = 1, spectrumBytes = 0, workspaceBytes = 0;
};

// The transformed kernel of one plan. What it holds is the plan's business.
class Spectrum {
 public:
  virtual ~Spectrum() = default;
};

// Host-array runs report and can be stopped: progress[0] gets 0..1000, progress[1] != 0 asks to stop.
struct Progress {
  int32_t* words = nullptr;
  double begin = 0.0, end = 1.0;  // the part of the whole that report() counts from 0 to 1
  void report(double fraction) const {
    const double whole = begin + fraction * (end - begin);
    if (words) __atomic_store_n(&words[0], static_cast<int32_t>(whole * 1000.0), __ATOMIC_RELAXED);
  }
  bool cancelled() const { return words && __atomic_load_n(&words[1], __ATOMIC_RELAXED) != 0; }
  void throwIfCancelled() const {
    if (cancelled()) throw Error(FFC_CANCELLED, "the convolution was cancelled by its caller");
  }
};

struct HostTensors {
  const void *u = nullptr, *kernel = nullptr, *preGate = nullptr, *postGate = nullptr, *skip = nullptr;
  void* y = nullptr;
};

// A plan is immutable after creation and may run on several streams at once.
class ConvPlan {
 public:
  virtual ~ConvPlan() = default;
  virtual const ConvProblem& problem() const = 0;
  virtual const PlanInfo& info() const = 0;
  virtual std::string explainJson() const = 0;
  virtual std::shared_ptr<Spectrum> createSpectrum() = 0;
  // Both enqueue and keep their arguments alive until the work is done.
  virtual void computeSpectrum(const std::shared_ptr<Spectrum>& spectrum, const Region& kernel,
                               const std::shared_ptr<Stream>& stream) = 0;
  virtual void forward(const std::shared_ptr<Spectrum>& spectrum, const ForwardArgs& args,
                       const std::shared_ptr<Stream>& stream) = 0;
};

// Bytes and objects of one context, shared by everything that belongs to it.
struct MemoryLedger {
  std::atomic<int64_t> liveBytes{0}, peakBytes{0}, liveObjects{0};
  int64_t limitBytes = 0;       // 0: none
  void acquire(int64_t bytes);  // throws Error(FFC_OUT_OF_MEMORY) past the limit
  void release(int64_t bytes);
};

struct DeviceOptions {
  int32_t ordinal = 0, cpuThreads = 0;
  bool portable = false;
  int64_t sharedMemoryLimitBytes = 0, memoryLimitBytes = 0, scratchLimitBytes = 0;
};

class Device : public std::enable_shared_from_this<Device> {
 public:
  virtual ~Device() = default;
  virtual void describe(ffc_device_info& info) const = 0;
  virtual std::shared_ptr<Buffer> createBuffer(int64_t bytes) = 0;
  virtual std::shared_ptr<Stream> createStream() = 0;
  virtual std::shared_ptr<Event> createEvent() = 0;
  virtual std::shared_ptr<Stream> defaultStream() = 0;
  // write and read return when the host memory is free again; copy and fill enqueue.
  virtual void write(const Region& target, const void* source, int64_t bytes, const std::shared_ptr<Stream>&) = 0;
  virtual void read(void* target, const Region& source, int64_t bytes, const std::shared_ptr<Stream>&) = 0;
  virtual void copy(const Region& target, const Region& source, int64_t bytes, const std::shared_ptr<Stream>&) = 0;
  virtual void fill(const Region& target, int64_t bytes, uint8_t value, const std::shared_ptr<Stream>&) = 0;
  virtual std::shared_ptr<ConvPlan> createPlan(const ConvProblem& problem) = 0;
  // Convolves packed host arrays; returns when y is complete.
  virtual void convolveHost(const ConvProblem& problem, const HostTensors& tensors, const Progress& progress) = 0;
  MemoryLedger& memory() { return memory_; }

  // What the planner reckons with, for plans made from now on.
  std::shared_ptr<const Constants> constants() const {
    std::lock_guard<std::mutex> lock(constantsMutex_);
    return constants_;
  }
  // Puts the given entries over the shipped ones; without any, the shipped ones are back.
  void setConstants(const Constants& given) {
    auto merged = std::make_shared<Constants>(*shippedConstants_);
    merged->overlay(given);
    if (!given.values().empty()) merged->source = "given by the caller";
    std::lock_guard<std::mutex> lock(constantsMutex_);
    constants_ = std::move(merged);
  }

 protected:
  // In the constructor of a device.
  void shipConstants(Constants constants) {
    shippedConstants_ = constants_ = std::make_shared<Constants>(std::move(constants));
  }
  MemoryLedger memory_;

 private:
  mutable std::mutex constantsMutex_;
  std::shared_ptr<const Constants> constants_, shippedConstants_;
};

// cpu/device.cpp
std::shared_ptr<Device> openCpuDevice(const DeviceOptions& options);

// gpu/device.cu, or host/no_cuda.cpp where the library is built without nvcc (then both throw FFC_NO_BACKEND).
int32_t cudaDeviceCount();  // throws FFC_NO_DRIVER, FFC_NO_DEVICE
std::shared_ptr<Device> openCudaDevice(const DeviceOptions& options);

}  // namespace ffc
