#include "device.h"

#include <algorithm>
#include <cstring>

#include "../host/status.h"
#include "../planner/defaults.h"

namespace ffc {
namespace {

// The runtime library is linked in and loads without a driver; asking for the driver's version is the one call
// that answers plainly when there is none (0).
void requireDriver() {
  int driver = 0, runtime = 0;
  checkCuda(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
  checkCuda(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
  const auto text = [](int v) { return std::to_string(v / 1000) + "." + std::to_string(v % 1000 / 10); };
  if (driver == 0)
    throw Error(FFC_NO_DRIVER, "no NVIDIA driver is installed here (or this container does not pass it through); the "
                               "cpu backend works, and CUDA needs a driver for CUDA " + text(runtime) + " or later");
  // Minor versions of one major release are compatible.
  if (driver / 1000 < runtime / 1000)
    throw Error(FFC_NO_DRIVER, "the NVIDIA driver here is for CUDA " + text(driver) +
                                   "; this library needs one for CUDA " + std::to_string(runtime / 1000) + ".0 or later");
}

int attribute(cudaDeviceAttr which, int ordinal) {
  int value = 0;
  checkCuda(cudaDeviceGetAttribute(&value, which, ordinal), "cudaDeviceGetAttribute");
  return value;
}

std::string megabytes(int64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

}  // namespace

int32_t cudaDeviceCount() {
  requireDriver();
  int count = 0;
  const cudaError_t code = cudaGetDeviceCount(&count);
  if (code == cudaErrorNoDevice || (code == cudaSuccess && count == 0)) {
    cudaGetLastError();
    throw Error(FFC_NO_DEVICE, "an NVIDIA driver is installed, but it shows no GPU to this process (see nvidia-smi and "
                               "CUDA_VISIBLE_DEVICES)");
  }
  checkCuda(code, "cudaGetDeviceCount");
  return count;
}

std::shared_ptr<Device> openCudaDevice(const DeviceOptions& options) {
  const int32_t count = cudaDeviceCount();
  if (options.ordinal < 0 || options.ordinal >= count)
    throw Error(FFC_NO_DEVICE, "CUDA device " + std::to_string(options.ordinal) + " was asked for; there are " +
                                   std::to_string(count) + " (0 to " + std::to_string(count - 1) + ")");
  return std::make_shared<CudaDevice>(options);
}

// ------------------------------------------------------------------------------------------------- buffer

namespace {

// Throws FFC_OUT_OF_MEMORY where the device does not have `bytes` free, or where it said so when asked (`refused`).
void checkDeviceHas(int64_t bytes, bool refused) {
  size_t free = 0, total = 0;
  checkCuda(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  if (!refused && bytes <= static_cast<int64_t>(free)) return;
  throw Error(FFC_OUT_OF_MEMORY, std::to_string(bytes) + " bytes of device memory were asked for (" + megabytes(bytes) +
                                     "); " + std::to_string(free) + " (" + megabytes(free) + " of " + megabytes(total) +
                                     ") are free");
}

}  // namespace

CudaBuffer::CudaBuffer(CudaDevice& device, std::shared_ptr<CudaDevice> keep, int64_t bytes, bool counted)
    : device_(device), keep_(std::move(keep)), counted_(counted) {
  device_.use();
  checkDeviceHas(bytes, false);  // before the ledger: what was never there must not count as its peak
  if (counted_) device_.memory().acquire(bytes);
  if (bytes > 0) {
    const cudaError_t code = cudaMalloc(&data_, static_cast<size_t>(bytes));
    if (code != cudaSuccess) {
      cudaGetLastError();
      if (counted_) device_.memory().release(bytes);
      if (code != cudaErrorMemoryAllocation) checkCuda(code, "cudaMalloc");
      checkDeviceHas(bytes, true);  // fragmented, or another process was faster
    }
  }
  bytes_ = bytes;
}

CudaBuffer::~CudaBuffer() {
  if (data_) {
    // Work that reads or writes this memory may still be under way on any stream. At process exit the driver may be
    // gone already, and the memory with it; then these calls fail and there is nothing left to do.
    if (cudaSetDevice(device_.limits().ordinal) == cudaSuccess) {
      cudaDeviceSynchronize();
      cudaFree(data_);
    }
    cudaGetLastError();
  }
  if (counted_) device_.memory().release(bytes_);
}

// ------------------------------------------------------------------------------------------ streams, events

CudaStream::CudaStream(int ordinal) : ordinal_(ordinal) {
  checkCuda(cudaSetDevice(ordinal_), "cudaSetDevice");
  // Non-blocking: it must not wait for the legacy default stream of other libraries in the process.
  checkCuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
}

CudaStream::~CudaStream() {
  if (cudaSetDevice(ordinal_) == cudaSuccess) cudaStreamDestroy(stream_);  // returns at once; its work still completes
  cudaGetLastError();
}

void CudaStream::synchronize() {
  checkCuda(cudaSetDevice(ordinal_), "cudaSetDevice");
  checkCuda(cudaStreamSynchronize(stream_), "work enqueued earlier on this stream");
}

void* CudaStream::workspace(const std::shared_ptr<CudaDevice>& device, int64_t bytes) {
  if (!workspace_ || workspace_->bytes() < bytes) {
    workspace_.reset();  // first give back, then ask for more
    workspace_ = std::make_shared<CudaBuffer>(*device, nullptr, bytes);
  }
  return workspace_->data();
}

CudaEvent::CudaEvent(int ordinal) : ordinal_(ordinal) {
  checkCuda(cudaSetDevice(ordinal_), "cudaSetDevice");
  checkCuda(cudaEventCreate(&event_), "cudaEventCreate");
}

CudaEvent::~CudaEvent() {
  if (cudaSetDevice(ordinal_) == cudaSuccess) cudaEventDestroy(event_);
  cudaGetLastError();
}

void CudaEvent::record(const std::shared_ptr<Stream>& stream) {
  checkCuda(cudaSetDevice(ordinal_), "cudaSetDevice");
  checkCuda(cudaEventRecord(event_, streamOf(stream)), "cudaEventRecord");
}

void CudaEvent::synchronize() {
  checkCuda(cudaSetDevice(ordinal_), "cudaSetDevice");
  checkCuda(cudaEventSynchronize(event_), "cudaEventSynchronize");
}

double CudaEvent::elapsedMsSince(const Event& begin) const {
  checkCuda(cudaSetDevice(ordinal_), "cudaSetDevice");
  float milliseconds = 0;
  const cudaError_t code = cudaEventElapsedTime(&milliseconds, static_cast<const CudaEvent&>(begin).event_, event_);
  // The runtime says "not ready" while one is pending and "invalid handle" for one never recorded.
  if (code == cudaErrorNotReady || code == cudaErrorInvalidResourceHandle) {
    cudaGetLastError();
    throw Error(FFC_NOT_READY, "an event has not been recorded, or the device has not reached it yet; wait with "
                               "ffc_event_synchronize()");
  }
  checkCuda(code, "cudaEventElapsedTime");
  return milliseconds;
}

// ------------------------------------------------------------------------------------------------- device

CudaDevice::CudaDevice(const DeviceOptions& options) : ordinal_(options.ordinal) {
  limits_.ordinal = ordinal_;
  use();
  cudaDeviceProp properties;
  checkCuda(cudaGetDeviceProperties(&properties, ordinal_), "cudaGetDeviceProperties");
  name_ = properties.name;
  limits_.computeMajor = options.portable ? 8 : properties.major;
  limits_.computeMinor = options.portable ? 0 : properties.minor;
  if (properties.major < 8)
    throw Error(FFC_UNSUPPORTED, name_ + " has compute capability " + std::to_string(properties.major) + "." +
                                     std::to_string(properties.minor) + "; this library needs 8.0 (Ampere) or later");
  limits_.multiprocessors = properties.multiProcessorCount;
  limits_.l2Bytes = properties.l2CacheSize;
  limits_.sharedMemoryPerBlock = attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin, ordinal_);
  if (options.sharedMemoryLimitBytes > 0)
    limits_.sharedMemoryPerBlock = std::min(limits_.sharedMemoryPerBlock, options.sharedMemoryLimitBytes);
  // More would not be faster: 1 GiB holds many times what the second-level cache does and fills the device.
  limits_.scratchLimitBytes = options.scratchLimitBytes > 0 ? options.scratchLimitBytes : usualScratchBytes;
  memory_.limitBytes = options.memoryLimitBytes;
  GpuFacts facts;
  facts.computeMajor = limits_.computeMajor;
  facts.computeMinor = limits_.computeMinor;
  facts.multiprocessors = limits_.multiprocessors;
  facts.clockHz = 1e3 * attribute(cudaDevAttrClockRate, ordinal_);
  // Two transfers a clock on a bus of so many bits.
  facts.memoryBytesPerSecond = 2e3 * attribute(cudaDevAttrMemoryClockRate, ordinal_) *
                               (attribute(cudaDevAttrGlobalMemoryBusWidth, ordinal_) / 8.0);
  shipConstants(gpuConstants(facts));
  defaultStream_ = std::make_shared<CudaStream>(ordinal_);
  tableStream_ = std::make_unique<CudaStream>(ordinal_);
}

CudaDevice::~CudaDevice() = default;

void CudaDevice::use() const { checkCuda(cudaSetDevice(ordinal_), "cudaSetDevice"); }

void CudaDevice::describe(ffc_device_info& info) const {
  use();
  size_t free = 0, total = 0;
  checkCuda(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  info.device_type = FFC_DEVICE_CUDA;
  info.ordinal = ordinal_;
  info.compute_units = limits_.multiprocessors;
  info.compute_major = limits_.computeMajor;
  info.compute_minor = limits_.computeMinor;
  info.memory_total_bytes = static_cast<int64_t>(total);
  info.memory_free_bytes = static_cast<int64_t>(free);
  info.shared_memory_per_block_bytes = limits_.sharedMemoryPerBlock;
  info.l2_bytes = limits_.l2Bytes;
  std::snprintf(info.name, sizeof info.name, "%s", name_.c_str());
  std::snprintf(info.instruction_set, sizeof info.instruction_set, "sm_%d%d", limits_.computeMajor,
                limits_.computeMinor);
}

std::shared_ptr<Buffer> CudaDevice::createBuffer(int64_t bytes) {
  return std::make_shared<CudaBuffer>(*this, self(), bytes);
}

std::shared_ptr<Stream> CudaDevice::createStream() { return std::make_shared<CudaStream>(ordinal_); }
std::shared_ptr<Event> CudaDevice::createEvent() { return std::make_shared<CudaEvent>(ordinal_); }

// The copies below wait even where the runtime would return earlier: the caller's memory is free, or filled, then.
void CudaDevice::write(const Region& target, const void* source, int64_t bytes, const std::shared_ptr<Stream>& stream) {
  use();
  if (bytes == 0) return;
  checkCuda(cudaMemcpyAsync(target.as<char>(), source, static_cast<size_t>(bytes), cudaMemcpyHostToDevice,
                            streamOf(stream)), "copying to the device");
  stream->synchronize();
}

void CudaDevice::read(void* target, const Region& source, int64_t bytes, const std::shared_ptr<Stream>& stream) {
  use();
  if (bytes > 0)
    checkCuda(cudaMemcpyAsync(target, source.as<const char>(), static_cast<size_t>(bytes), cudaMemcpyDeviceToHost,
                              streamOf(stream)), "copying from the device");
  stream->synchronize();
}

void CudaDevice::copy(const Region& target, const Region& source, int64_t bytes,
                      const std::shared_ptr<Stream>& stream) {
  use();
  if (bytes == 0) return;
  checkCuda(cudaMemcpyAsync(target.as<char>(), source.as<const char>(), static_cast<size_t>(bytes),
                            cudaMemcpyDeviceToDevice, streamOf(stream)), "copying on the device");
}

void CudaDevice::fill(const Region& target, int64_t bytes, uint8_t value, const std::shared_ptr<Stream>& stream) {
  use();
  if (bytes == 0) return;
  checkCuda(cudaMemsetAsync(target.as<char>(), value, static_cast<size_t>(bytes), streamOf(stream)), "filling");
}

std::shared_ptr<ConvPlan> CudaDevice::createPlan(const ConvProblem& problem) {
  use();
  return makeCudaPlan(self(), problem);
}

void CudaDevice::convolveHost(const ConvProblem& problem, const HostTensors& tensors, const Progress& progress) {
  use();
  convolveHostOnCuda(*this, problem, tensors, progress);
}

std::shared_ptr<Buffer> CudaDevice::table(const std::string& key, const std::function<std::vector<uint8_t>()>& make) {
  std::lock_guard<std::mutex> lock(tableMutex_);
  auto& entry = tables_[key];
  if (!entry) {
    use();
    const std::vector<uint8_t> bytes = make();
    auto buffer = std::make_shared<CudaBuffer>(*this, nullptr, static_cast<int64_t>(bytes.size()), false);
    fillTable(*buffer, bytes);
    entry = buffer;
  }
  return entry;
}

std::shared_ptr<Buffer> CudaDevice::planTable(const std::vector<uint8_t>& bytes) {
  use();
  auto buffer = std::make_shared<CudaBuffer>(*this, nullptr, static_cast<int64_t>(bytes.size()), true);
  fillTable(*buffer, bytes);
  return buffer;
}

// Complete before any stream can use it: a table is made once and read by all. cudaMemcpy() alone may return while the
// last of a pageable source is still on its way, and no stream of ours waits for the stream that carries it.
void CudaDevice::fillTable(const CudaBuffer& table, const std::vector<uint8_t>& bytes) {
  checkCuda(cudaMemcpyAsync(table.data(), bytes.data(), bytes.size(), cudaMemcpyHostToDevice, tableStream_->get()),
            "copying a table");
  tableStream_->synchronize();
}

}  // namespace ffc
