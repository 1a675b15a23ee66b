// The CPU as a device: buffers are host memory, streams are threads, and a plan hands its arithmetic to a CpuEngine.
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

#include "../planner/defaults.h"
#include "engine.h"
#include "host_memory.h"
#include "stream.h"
#include "thread_pool.h"

namespace ffc {
namespace {

// More threads than any machine has cores; a mistyped number should not start a million of them.
constexpr int32_t maxThreads = 4096;

// Everything that lives on a device holds the device: the ledger and the pool are there until the last one is gone.
class CpuBuffer : public Buffer {
 public:
  CpuBuffer(std::shared_ptr<Device> device, int64_t bytes)
      : device_(std::move(device)), block_(device_->memory(), bytes, "a buffer") {
    bytes_ = bytes;
    data_ = block_.data();
  }

 private:
  std::shared_ptr<Device> device_;
  HostBlock block_;
};

class CpuSpectrum : public Spectrum {
 public:
  CpuSpectrum(std::shared_ptr<Device> device, int64_t bytes)
      : device_(std::move(device)), block_(device_->memory(), bytes, "a kernel spectrum") {}
  void* data() const { return block_.data(); }
  // Set when a computation has come to its end. One that fails on the stream's thread is reported when somebody waits
  // for the stream, and what it leaves behind must not be convolved with.
  std::atomic<bool> valid{false};

 private:
  std::shared_ptr<Device> device_;
  HostBlock block_;
};

std::string processorName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "CPU";
}

CpuStream& cpuStream(const std::shared_ptr<Stream>& stream) { return static_cast<CpuStream&>(*stream); }

class CpuDevice : public Device {
 public:
  explicit CpuDevice(const DeviceOptions& options)
      : portable_(options.portable),
        pool_(options.cpuThreads ? options.cpuThreads : usableCores()),
        defaultStream_(std::make_shared<CpuStream>()) {
    // sharedMemoryLimitBytes and scratchLimitBytes shape kernels on the GPU; nothing here has such a limit.
    memory_.limitBytes = options.memoryLimitBytes;
    shipConstants(cpuConstants(cpuLanes(portable_), pool_.threads()));
  }

  ThreadPool& pool() { return pool_; }

  void describe(ffc_device_info& info) const override {
    const HostMemory memory = hostMemory();
    info.device_type = FFC_DEVICE_CPU;
    info.ordinal = 0;
    info.compute_units = pool_.threads();
    info.memory_total_bytes = memory.totalBytes;
    info.memory_free_bytes = memory.availableBytes;
    const long l2 = sysconf(_SC_LEVEL2_CACHE_SIZE);  // 0 or -1 where the system does not say
    info.l2_bytes = l2 > 0 ? l2 : 0;
    std::snprintf(info.name, sizeof info.name, "%s", processorName().c_str());
    std::snprintf(info.instruction_set, sizeof info.instruction_set, "%s", cpuInstructionSet(portable_));
  }

  std::shared_ptr<Buffer> createBuffer(int64_t bytes) override {
    return std::make_shared<CpuBuffer>(shared_from_this(), bytes);
  }
  std::shared_ptr<Stream> createStream() override { return std::make_shared<CpuStream>(); }
  std::shared_ptr<Event> createEvent() override { return std::make_shared<CpuEvent>(); }
  std::shared_ptr<Stream> defaultStream() override { return defaultStream_; }

  void write(const Region& target, const void* source, int64_t bytes, const std::shared_ptr<Stream>& stream) override {
    cpuStream(stream).runAndWait([&] { std::memcpy(target.as<void>(), source, static_cast<size_t>(bytes)); });
  }
  void read(void* target, const Region& source, int64_t bytes, const std::shared_ptr<Stream>& stream) override {
    cpuStream(stream).runAndWait([&] { std::memcpy(target, source.as<void>(), static_cast<size_t>(bytes)); });
  }
  void copy(const Region& target, const Region& source, int64_t bytes, const std::shared_ptr<Stream>& stream) override {
    cpuStream(stream).enqueue(
        [=] { std::memcpy(target.as<void>(), source.as<void>(), static_cast<size_t>(bytes)); });
  }
  void fill(const Region& target, int64_t bytes, uint8_t value, const std::shared_ptr<Stream>& stream) override {
    cpuStream(stream).enqueue([=] { std::memset(target.as<void>(), value, static_cast<size_t>(bytes)); });
  }

  std::unique_ptr<CpuEngine> makeEngine(const ConvProblem& problem) const {
    CpuEngineOptions options;
    options.threads = pool_.threads();
    options.portable = portable_;
    options.constants = constants();
    return makeCpuEngine(problem, options);
  }
  std::shared_ptr<ConvPlan> createPlan(const ConvProblem& problem) override;

  void convolveHost(const ConvProblem& problem, const HostTensors& tensors, const Progress& progress) override {
    progress.report(0.0);
    progress.throwIfCancelled();
    const std::unique_ptr<CpuEngine> engine = makeEngine(problem);
    const HostBlock spectrum(memory_, engine->info().spectrumBytes, "a kernel spectrum");
    // A kernel is one transform, a block two: there and back. Direct sums only copy the kernel.
    const double kernels = problem.sharedKernel ? 1.0 : static_cast<double>(problem.channels);
    const double blocks = static_cast<double>(problem.rows()) * static_cast<double>(engine->info().segments);
    Progress first = progress, second = progress;
    first.end = second.begin = engine->info().transformLength > 0 ? kernels / (kernels + 2.0 * blocks) : 0.0;
    engine->computeSpectrum(spectrum.data(), tensors.kernel, pool_, first);
    engine->forward(spectrum.data(), tensors, pool_, second);
    progress.report(1.0);
  }

 private:
  const bool portable_;
  ThreadPool pool_;
  const std::shared_ptr<CpuStream> defaultStream_;
};

class CpuPlan : public ConvPlan, public std::enable_shared_from_this<CpuPlan> {
 public:
  CpuPlan(std::shared_ptr<CpuDevice> device, const ConvProblem& problem)
      : device_(std::move(device)), problem_(problem), engine_(device_->makeEngine(problem)) {}

  const ConvProblem& problem() const override { return problem_; }
  const PlanInfo& info() const override { return engine_->info(); }
  std::string explainJson() const override { return engine_->explainJson(); }
  std::shared_ptr<Spectrum> createSpectrum() override {
    return std::make_shared<CpuSpectrum>(device_, info().spectrumBytes);
  }

  void computeSpectrum(const std::shared_ptr<Spectrum>& spectrum, const Region& kernel,
                       const std::shared_ptr<Stream>& stream) override {
    cpuStream(stream).enqueue([plan = shared_from_this(), spectrum, kernel] {
      CpuSpectrum& target = static_cast<CpuSpectrum&>(*spectrum);
      target.valid.store(false, std::memory_order_release);
      plan->engine_->computeSpectrum(target.data(), kernel.as<void>(), plan->device_->pool(), Progress());
      target.valid.store(true, std::memory_order_release);
    });
  }

  // The engine takes its scratch memory itself, so args.workspace is not used: info().workspaceBytes is 0.
  void forward(const std::shared_ptr<Spectrum>& spectrum, const ForwardArgs& args,
               const std::shared_ptr<Stream>& stream) override {
    cpuStream(stream).enqueue([plan = shared_from_this(), spectrum, args] {
      const CpuSpectrum& filter = static_cast<const CpuSpectrum&>(*spectrum);
      if (!filter.valid.load(std::memory_order_acquire))
        throw Error(FFC_INVALID_ARGUMENT, "the spectrum is not complete: its last computation failed, or is under way "
                                          "on another stream; wait for that, or call ffc_spectrum_compute() again");
      HostTensors tensors;
      tensors.u = args.u.as<void>();
      tensors.preGate = args.preGate.as<void>();
      tensors.postGate = args.postGate.as<void>();
      tensors.skip = args.skip.as<void>();
      tensors.y = args.y.as<void>();
      plan->engine_->forward(filter.data(), tensors, plan->device_->pool(), Progress());
    });
  }

 private:
  const std::shared_ptr<CpuDevice> device_;  // declared first: the engine goes before the device it was made for
  const ConvProblem problem_;
  const std::unique_ptr<CpuEngine> engine_;
};

std::shared_ptr<ConvPlan> CpuDevice::createPlan(const ConvProblem& problem) {
  return std::make_shared<CpuPlan>(std::static_pointer_cast<CpuDevice>(shared_from_this()), problem);
}

}  // namespace

std::shared_ptr<Device> openCpuDevice(const DeviceOptions& options) {
  if (options.ordinal != 0)
    throw Error(FFC_NO_DEVICE,
                "CPU device " + std::to_string(options.ordinal) + " was asked for; there is only device 0");
  if (options.cpuThreads < 0 || options.cpuThreads > maxThreads)
    throw Error(options.cpuThreads < 0 ? FFC_INVALID_ARGUMENT : FFC_LIMIT_EXCEEDED,
                "cpu_threads is " + std::to_string(options.cpuThreads) + "; possible are 0 (one per usable core) to " +
                    std::to_string(maxThreads));
  return std::make_shared<CpuDevice>(options);
}

}  // namespace ffc
