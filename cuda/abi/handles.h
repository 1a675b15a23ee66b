// The numbers that callers hold, and what they stand for.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "../host/backend.h"

namespace ffc {

enum class Kind : uint8_t { context = 1, buffer, stream, event, plan, spectrum };

const char* kindName(Kind kind);

// What a handle keeps alive. `device` is declared before the part that lives on it, hence destroyed after it: a
// context's last child takes the device down.
struct ContextObject {
  static constexpr Kind kind = Kind::context;
  std::shared_ptr<Device> device;
};
struct BufferObject {
  static constexpr Kind kind = Kind::buffer;
  std::shared_ptr<Device> device;
  std::shared_ptr<Buffer> part;
};
struct StreamObject {
  static constexpr Kind kind = Kind::stream;
  std::shared_ptr<Device> device;
  std::shared_ptr<Stream> part;
};
struct EventObject {
  static constexpr Kind kind = Kind::event;
  std::shared_ptr<Device> device;
  std::shared_ptr<Event> part;
};
struct PlanObject {
  static constexpr Kind kind = Kind::plan;
  std::shared_ptr<Device> device;
  std::shared_ptr<ConvPlan> part;
};
struct SpectrumObject {
  static constexpr Kind kind = Kind::spectrum;
  std::shared_ptr<Device> device;
  std::shared_ptr<ConvPlan> plan;
  std::shared_ptr<Spectrum> part;
  std::atomic<bool> computed{false};  // the last ffc_spectrum_compute() has been enqueued
};

// A handle is kind (8 bits), generation (32 bits), index (24 bits). A slot's generation grows whenever its object is
// destroyed, so an old handle never meets a new object; a slot whose generations are used up is not used again.
// The mutex is held for a few instructions only: objects are created before and destroyed after.
class HandleTable {
 public:
  template <class Object>
  uint64_t insert(std::shared_ptr<Object> object) {
    return insertAny(Object::kind, std::move(object));
  }

  // Throws FFC_INVALID_HANDLE. The object lives while the caller holds the result, destroyed or not.
  template <class Object>
  std::shared_ptr<Object> get(uint64_t handle) {
    return std::static_pointer_cast<Object>(getAny(Object::kind, handle));
  }

  // The object the handle stood for, or null for 0 and for one destroyed before. Throws FFC_INVALID_HANDLE for a
  // handle of another kind or one never given out.
  template <class Object>
  std::shared_ptr<Object> remove(uint64_t handle) {
    return std::static_pointer_cast<Object>(removeAny(Object::kind, handle));
  }

 private:
  struct Slot {
    uint32_t generation = 0;  // of the present object, or of the last one
    Kind kind{};
    std::shared_ptr<void> object;
  };
  uint64_t insertAny(Kind kind, std::shared_ptr<void> object);
  std::shared_ptr<void> getAny(Kind kind, uint64_t handle);
  std::shared_ptr<void> removeAny(Kind kind, uint64_t handle);
  enum class State { live, destroyed, unknown };
  State stateOf(uint64_t handle) const;  // with the mutex

  std::mutex mutex_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
};

// Never destroyed: other threads may still be in calls while the process exits.
HandleTable& handles();

}  // namespace ffc
