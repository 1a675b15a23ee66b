// The first lines of every entry point: from handles to objects, all of one context.
#pragma once
#include <memory>
#include <string>
#include <utility>

#include "handles.h"

namespace ffc {

template <class T>
T* required(T* pointer, const char* name) {
  if (!pointer) throw Error(FFC_INVALID_ARGUMENT, std::string(name) + " is NULL");
  return pointer;
}

// Where a new handle goes; 0 until the object exists, so that a failed call leaves no made-up handle behind.
inline uint64_t* handleOutput(uint64_t* output, Kind kind) {
  *required(output, kindName(kind)) = 0;
  return output;
}

inline void checkSameContext(const Device* device, const Device* other, const char* name, const char* belongsWith) {
  if (device != other)
    throw Error(FFC_WRONG_CONTEXT, std::string(name) + " belongs to another context than " + belongsWith);
}

// 0 is the default stream of `device`.
inline std::shared_ptr<Stream> streamOf(uint64_t handle, const std::shared_ptr<Device>& device, const char* owner) {
  if (handle == 0) return device->defaultStream();
  const auto object = handles().get<StreamObject>(handle);
  checkSameContext(device.get(), object->device.get(), "the stream", owner);
  return object->part;
}

// Gives the object a handle. Everything but contexts counts as a live object of its context.
template <class Object>
void publish(std::shared_ptr<Object> object, uint64_t* output) {
  MemoryLedger& ledger = object->device->memory();
  *output = handles().insert(object);
  if (Object::kind != Kind::context) ledger.liveObjects.fetch_add(1, std::memory_order_relaxed);
}

// Work in flight and children may hold the parts longer; the handle is gone at once.
template <class Object>
void destroy(uint64_t handle) {
  const auto object = handles().remove<Object>(handle);
  if (object && Object::kind != Kind::context)
    object->device->memory().liveObjects.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace ffc
