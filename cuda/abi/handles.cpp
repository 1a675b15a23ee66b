#include "handles.h"

#include <limits>
#include <string>

namespace ffc {
namespace {

constexpr int indexBits = 24, generationBits = 32, kindShift = indexBits + generationBits;
constexpr uint64_t indexMask = (uint64_t{1} << indexBits) - 1;

constexpr uint64_t encode(Kind kind, uint32_t generation, uint32_t index) {
  return uint64_t{static_cast<uint8_t>(kind)} << kindShift | uint64_t{generation} << indexBits | index;
}
constexpr uint8_t kindBits(uint64_t handle) { return static_cast<uint8_t>(handle >> kindShift); }
constexpr uint32_t generationOf(uint64_t handle) { return static_cast<uint32_t>(handle >> indexBits); }
constexpr uint32_t indexOf(uint64_t handle) { return static_cast<uint32_t>(handle & indexMask); }

bool isKind(uint8_t bits) {
  return bits >= static_cast<uint8_t>(Kind::context) && bits <= static_cast<uint8_t>(Kind::spectrum);
}

[[noreturn]] void refuse(Kind kind, uint64_t handle, const char* why) {
  throw Error(FFC_INVALID_HANDLE,
              "no " + std::string(kindName(kind)) + ": handle " + std::to_string(handle) + " " + why);
}

void checkKind(Kind kind, uint64_t handle) {
  const uint8_t bits = kindBits(handle);
  if (bits == static_cast<uint8_t>(kind)) return;
  if (!isKind(bits)) refuse(kind, handle, "was never given out by this library");
  refuse(kind, handle, (std::string("is of another kind: ") + kindName(static_cast<Kind>(bits))).c_str());
}

}  // namespace

const char* kindName(Kind kind) {
  switch (kind) {
    case Kind::context: return "context";
    case Kind::buffer: return "buffer";
    case Kind::stream: return "stream";
    case Kind::event: return "event";
    case Kind::plan: return "plan";
    case Kind::spectrum: return "kernel spectrum";
  }
  return "object";
}

HandleTable::State HandleTable::stateOf(uint64_t handle) const {
  const uint32_t index = indexOf(handle), generation = generationOf(handle);
  if (index >= slots_.size() || generation == 0 || generation > slots_[index].generation) return State::unknown;
  const Slot& slot = slots_[index];
  if (generation < slot.generation) return State::destroyed;
  if (static_cast<uint8_t>(slot.kind) != kindBits(handle)) return State::unknown;
  return slot.object ? State::live : State::destroyed;
}

uint64_t HandleTable::insertAny(Kind kind, std::shared_ptr<void> object) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (free_.empty()) {
    if (slots_.size() > indexMask)
      throw Error(FFC_LIMIT_EXCEEDED, "more than 2^24 objects are alive; destroy some of them");
    // Room for every slot, so that removing never allocates, hence never fails.
    if (free_.capacity() <= slots_.size()) free_.reserve(2 * slots_.size() + 64);
    slots_.emplace_back();
    free_.push_back(static_cast<uint32_t>(slots_.size() - 1));
  }
  const uint32_t index = free_.back();
  free_.pop_back();
  Slot& slot = slots_[index];
  ++slot.generation;
  slot.kind = kind;
  slot.object = std::move(object);
  return encode(kind, slot.generation, index);
}

std::shared_ptr<void> HandleTable::getAny(Kind kind, uint64_t handle) {
  if (handle == 0) refuse(kind, handle, "stands for nothing");
  checkKind(kind, handle);
  State state;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    state = stateOf(handle);
    if (state == State::live) return slots_[indexOf(handle)].object;
  }
  refuse(kind, handle, state == State::destroyed ? "has been destroyed" : "was never given out by this library");
}

std::shared_ptr<void> HandleTable::removeAny(Kind kind, uint64_t handle) {
  if (handle == 0) return nullptr;
  checkKind(kind, handle);
  State state;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    state = stateOf(handle);
    if (state == State::live) {
      const uint32_t index = indexOf(handle);
      if (slots_[index].generation != std::numeric_limits<uint32_t>::max()) free_.push_back(index);
      return std::move(slots_[index].object);
    }
  }
  if (state == State::unknown) refuse(kind, handle, "was never given out by this library");
  return nullptr;
}

HandleTable& handles() {
  static HandleTable& table = *new HandleTable;
  return table;
}

}  // namespace ffc
