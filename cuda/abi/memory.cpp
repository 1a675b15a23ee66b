#include "guard.h"
#include "lookup.h"
#include "tensors.h"

using namespace ffc;

namespace {

// A buffer and a range of it, checked.
struct Range {
  std::shared_ptr<Device> device;
  Region region;
};

Range rangeOf(const char* name, ffc_buffer handle, int64_t offsetBytes, int64_t bytes) {
  const auto object = handles().get<BufferObject>(handle);
  checkRange(name, offsetBytes, bytes, *object->part);
  Range range;
  range.device = object->device;
  range.region.buffer = object->part;
  range.region.offsetBytes = offsetBytes;
  return range;
}

}  // namespace

extern "C" {

ffc_status ffc_buffer_create(ffc_context context, int64_t bytes, ffc_buffer* buffer, ffc_error* error) {
  return guarded(error, [&] {
    handleOutput(buffer, Kind::buffer);
    auto object = std::make_shared<BufferObject>();
    object->device = handles().get<ContextObject>(context)->device;
    if (bytes < 0)
      throw Error(FFC_INVALID_ARGUMENT, "a buffer of " + std::to_string(bytes) + " bytes was asked for; 0 is least");
    object->part = object->device->createBuffer(bytes);
    publish(std::move(object), buffer);
  });
}

ffc_status ffc_buffer_destroy(ffc_buffer buffer, ffc_error* error) {
  return guarded(error, [&] { destroy<BufferObject>(buffer); });
}

ffc_status ffc_buffer_write(ffc_buffer buffer, int64_t offset_bytes, const void* source, int64_t bytes,
                            ffc_stream stream, ffc_error* error) {
  return guarded(error, [&] {
    const Range target = rangeOf("the write", buffer, offset_bytes, bytes);
    const auto on = streamOf(stream, target.device, "the buffer");
    if (bytes == 0) return;
    target.device->write(target.region, required(source, "source"), bytes, on);
  });
}

ffc_status ffc_buffer_read(ffc_buffer buffer, int64_t offset_bytes, void* target, int64_t bytes, ffc_stream stream,
                           ffc_error* error) {
  return guarded(error, [&] {
    const Range source = rangeOf("the read", buffer, offset_bytes, bytes);
    const auto on = streamOf(stream, source.device, "the buffer");
    if (bytes == 0) return;
    source.device->read(required(target, "target"), source.region, bytes, on);
  });
}

ffc_status ffc_buffer_copy(ffc_buffer target, int64_t target_offset_bytes, ffc_buffer source,
                           int64_t source_offset_bytes, int64_t bytes, ffc_stream stream, ffc_error* error) {
  return guarded(error, [&] {
    const Range to = rangeOf("the copy's target", target, target_offset_bytes, bytes);
    const Range from = rangeOf("the copy's source", source, source_offset_bytes, bytes);
    checkSameContext(to.device.get(), from.device.get(), "the source", "the target");
    const auto on = streamOf(stream, to.device, "the buffers");
    if (to.region.buffer == from.region.buffer && target_offset_bytes < source_offset_bytes + bytes &&
        source_offset_bytes < target_offset_bytes + bytes)
      throw Error(FFC_OVERLAP, "the copy's source and target overlap: " + std::to_string(bytes) +
                                   " bytes from offset " + std::to_string(source_offset_bytes) + " to " +
                                   std::to_string(target_offset_bytes) + " of one buffer");
    if (bytes == 0) return;
    to.device->copy(to.region, from.region, bytes, on);
  });
}

ffc_status ffc_buffer_fill(ffc_buffer buffer, int64_t offset_bytes, int64_t bytes, int32_t value, ffc_stream stream,
                           ffc_error* error) {
  return guarded(error, [&] {
    const Range target = rangeOf("the fill", buffer, offset_bytes, bytes);
    const auto on = streamOf(stream, target.device, "the buffer");
    if (value < 0 || value > 255)
      throw Error(FFC_INVALID_ARGUMENT, "value is " + std::to_string(value) + "; a byte is 0 to 255");
    if (bytes == 0) return;
    target.device->fill(target.region, bytes, static_cast<uint8_t>(value), on);
  });
}

}  // extern "C"
