#include "guard.h"
#include "lookup.h"
#include "structs.h"
#include "text.h"

using namespace ffc;

namespace {

void checkNotNegative(const char* name, int64_t value) {
  if (value < 0)
    throw Error(FFC_INVALID_ARGUMENT, std::string(name) + " is " + std::to_string(value) + "; it must not be negative");
}

std::shared_ptr<Device> openDevice(const ffc_context_desc& d) {
  const uint32_t unknown = d.flags & ~uint32_t{FFC_CONTEXT_PORTABLE};
  if (unknown) throw Error(FFC_INVALID_ARGUMENT, "flags has unknown bits: " + std::to_string(unknown));
  if (d.reserved) throw Error(FFC_INVALID_ARGUMENT, "reserved must be 0");
  checkNotNegative("cpu_threads", d.cpu_threads);
  checkNotNegative("shared_memory_limit_bytes", d.shared_memory_limit_bytes);
  checkNotNegative("memory_limit_bytes", d.memory_limit_bytes);
  checkNotNegative("scratch_limit_bytes", d.scratch_limit_bytes);
  if (d.ordinal < 0)
    throw Error(FFC_NO_DEVICE, "device " + std::to_string(d.ordinal) + " was asked for; the first device is 0");
  DeviceOptions options;
  options.ordinal = d.ordinal;
  options.cpuThreads = d.cpu_threads;
  options.portable = d.flags & FFC_CONTEXT_PORTABLE;
  options.sharedMemoryLimitBytes = d.shared_memory_limit_bytes;
  options.memoryLimitBytes = d.memory_limit_bytes;
  options.scratchLimitBytes = d.scratch_limit_bytes;
  switch (d.device_type) {
    case FFC_DEVICE_CPU: return openCpuDevice(options);
    case FFC_DEVICE_CUDA: return openCudaDevice(options);
  }
  throw Error(FFC_INVALID_ARGUMENT,
              "device_type is " + std::to_string(d.device_type) + "; known are 1 (CPU) and 2 (CUDA)");
}

}  // namespace

extern "C" {

ffc_status ffc_context_create(const ffc_context_desc* desc, ffc_context* context, ffc_error* error) {
  return guarded(error, [&] {
    handleOutput(context, Kind::context);
    auto object = std::make_shared<ContextObject>();
    object->device = openDevice(readStruct(desc));
    publish(std::move(object), context);
  });
}

ffc_status ffc_context_destroy(ffc_context context, ffc_error* error) {
  return guarded(error, [&] { destroy<ContextObject>(context); });
}

ffc_status ffc_device_info_get(ffc_context context, ffc_device_info* info, ffc_error* error) {
  return guarded(error, [&] {
    checkedStructSize<ffc_device_info>(info);
    ffc_device_info values{};
    handles().get<ContextObject>(context)->device->describe(values);
    writeStruct(info, values);
  });
}

ffc_status ffc_memory_info_get(ffc_context context, ffc_memory_info* info, ffc_error* error) {
  return guarded(error, [&] {
    checkedStructSize<ffc_memory_info>(info);
    const MemoryLedger& ledger = handles().get<ContextObject>(context)->device->memory();
    ffc_memory_info values{};
    values.live_bytes = ledger.liveBytes.load(std::memory_order_relaxed);
    values.peak_bytes = ledger.peakBytes.load(std::memory_order_relaxed);
    values.live_objects = ledger.liveObjects.load(std::memory_order_relaxed);
    writeStruct(info, values);
  });
}

ffc_status ffc_constants_get(ffc_context context, char* text, size_t capacity, size_t* needed, ffc_error* error) {
  return guarded(error, [&] {
    if (capacity > 0) required(text, "text");
    const std::string lines = handles().get<ContextObject>(context)->device->constants()->text();
    copyText(lines.data(), lines.size(), text, capacity);
    if (needed) *needed = lines.size();
  });
}

ffc_status ffc_constants_set(ffc_context context, const char* text, ffc_error* error) {
  return guarded(error, [&] {
    const auto object = handles().get<ContextObject>(context);
    object->device->setConstants(text && *text ? Constants::parse(text) : Constants());
  });
}

ffc_status ffc_memory_reset_peak(ffc_context context, ffc_error* error) {
  return guarded(error, [&] {
    MemoryLedger& ledger = handles().get<ContextObject>(context)->device->memory();
    ledger.peakBytes.store(ledger.liveBytes.load(std::memory_order_relaxed), std::memory_order_relaxed);
  });
}

}  // extern "C"
