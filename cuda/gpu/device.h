// One opened GPU. Its methods set the current device first: calls may come from any thread.
#pragma once
#include <map>
#include <mutex>

#include "algorithm.h"

namespace ffc {

class CudaDevice;

class CudaBuffer : public Buffer {
 public:
  // `keep` is null for what must not keep the device alive; `device` outlives the buffer in both cases. Constant
  // tables are not counted in the ledger: they belong to the device, not to anything a caller can destroy.
  CudaBuffer(CudaDevice& device, std::shared_ptr<CudaDevice> keep, int64_t bytes, bool counted = true);
  ~CudaBuffer() override;

 private:
  CudaDevice& device_;
  std::shared_ptr<CudaDevice> keep_;
  bool counted_;
};

class CudaStream : public Stream {
 public:
  explicit CudaStream(int ordinal);
  ~CudaStream() override;
  void synchronize() override;
  cudaStream_t get() const { return stream_; }

  // Memory for the passes of one call. Work on a stream runs in order, so that the next call may reuse it, and
  // nothing has to wait for it to be free. The caller holds the lock until its work is enqueued.
  std::mutex& workspaceMutex() { return mutex_; }
  void* workspace(const std::shared_ptr<CudaDevice>& device, int64_t bytes);

 private:
  int ordinal_;
  cudaStream_t stream_ = nullptr;
  std::mutex mutex_;
  std::shared_ptr<CudaBuffer> workspace_;
};

class CudaEvent : public Event {
 public:
  explicit CudaEvent(int ordinal);
  ~CudaEvent() override;
  void record(const std::shared_ptr<Stream>& stream) override;
  void synchronize() override;
  double elapsedMsSince(const Event& begin) const override;

 private:
  int ordinal_;
  cudaEvent_t event_ = nullptr;
};

class CudaDevice : public Device, public TableCache {
 public:
  explicit CudaDevice(const DeviceOptions& options);
  ~CudaDevice() override;

  void describe(ffc_device_info& info) const override;
  std::shared_ptr<Buffer> createBuffer(int64_t bytes) override;
  std::shared_ptr<Stream> createStream() override;
  std::shared_ptr<Event> createEvent() override;
  std::shared_ptr<Stream> defaultStream() override { return defaultStream_; }
  void write(const Region& target, const void* source, int64_t bytes, const std::shared_ptr<Stream>&) override;
  void read(void* target, const Region& source, int64_t bytes, const std::shared_ptr<Stream>&) override;
  void copy(const Region& target, const Region& source, int64_t bytes, const std::shared_ptr<Stream>&) override;
  void fill(const Region& target, int64_t bytes, uint8_t value, const std::shared_ptr<Stream>&) override;
  std::shared_ptr<ConvPlan> createPlan(const ConvProblem& problem) override;
  void convolveHost(const ConvProblem& problem, const HostTensors& tensors, const Progress& progress) override;

  std::shared_ptr<Buffer> table(const std::string& key, const std::function<std::vector<uint8_t>()>& make) override;

  std::shared_ptr<Buffer> planTable(const std::vector<uint8_t>& bytes) override;

  void use() const;  // makes this device current on the calling thread
  const GpuLimits& limits() const { return limits_; }
  std::shared_ptr<CudaDevice> self() { return std::static_pointer_cast<CudaDevice>(shared_from_this()); }

 private:
  int ordinal_;
  GpuLimits limits_;
  std::string name_;
  void fillTable(const CudaBuffer& table, const std::vector<uint8_t>& bytes);

  std::shared_ptr<CudaStream> defaultStream_;
  std::unique_ptr<CudaStream> tableStream_;  // copies of constant tables, which wait for nobody's work
  std::mutex tableMutex_;
  std::map<std::string, std::shared_ptr<Buffer>> tables_;
};

// plan.cu
std::shared_ptr<ConvPlan> makeCudaPlan(const std::shared_ptr<CudaDevice>& device, const ConvProblem& problem);
// The name of the candidate that such a plan would run; makes nothing on the device.
std::string cudaCandidate(CudaDevice& device, const ConvProblem& problem);

// host_run.cu
void convolveHostOnCuda(CudaDevice& device, const ConvProblem& problem, const HostTensors& tensors,
                        const Progress& progress);

inline cudaStream_t streamOf(const std::shared_ptr<Stream>& stream) {
  return static_cast<const CudaStream&>(*stream).get();
}

}  // namespace ffc
