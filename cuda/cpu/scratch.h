// Host memory for tables and for the workers of one engine.
#pragma once
#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "../host/status.h"
#include "host_memory.h"

namespace ffc {

struct FreeMemory {
  void operator()(float* p) const { std::free(p); }
};
using FloatBlock = std::unique_ptr<float[], FreeMemory>;

// Not initialised. Large blocks ask for huge pages: a transform visits many far-apart rows of its block at once,
// each of which would need an entry of its own in the small table of 4 KiB pages.
inline FloatBlock allocateFloats(int64_t count, const char* purpose) {
  constexpr int64_t hugePage = int64_t{2} << 20;
  const int64_t bytes = count * static_cast<int64_t>(sizeof(float));
  const int64_t alignment = bytes >= hugePage ? hugePage : 64;
  const int64_t rounded = (bytes + alignment - 1) / alignment * alignment;
  checkHostHas(rounded, purpose);
  auto* p = static_cast<float*>(std::aligned_alloc(static_cast<size_t>(alignment), static_cast<size_t>(rounded)));
  if (!p)
    throw Error(FFC_OUT_OF_MEMORY,
                "the host has no " + std::to_string(rounded) + " bytes left for " + std::string(purpose));
#ifdef MADV_HUGEPAGE
  if (alignment == hugePage) madvise(p, static_cast<size_t>(rounded), MADV_HUGEPAGE);  // advice: failure is harmless
#endif
  return FloatBlock(p);
}

// Blocks of one size, lent to one worker at a time and kept for the next, so that a call does not pay for fresh
// pages. There are never more of them than workers that ran at the same time.
class ScratchPool {
 public:
  explicit ScratchPool(int64_t floats) : floats_(floats) {}
  int64_t floats() const { return floats_; }

  class Lease {
   public:
    explicit Lease(ScratchPool& pool) : pool_(pool), block_(pool.take()) {}
    ~Lease() { pool_.give(std::move(block_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    float* data() const { return block_.get(); }

   private:
    ScratchPool& pool_;
    FloatBlock block_;
  };

 private:
  FloatBlock take() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!free_.empty()) {
        FloatBlock block = std::move(free_.back());
        free_.pop_back();
        return block;
      }
      ++blocks_;
      free_.reserve(blocks_);  // so that give() cannot fail
    }
    return allocateFloats(floats_, "the scratch memory of a worker");
  }
  void give(FloatBlock block) {
    const std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(std::move(block));
  }

  const int64_t floats_;
  std::mutex mutex_;
  size_t blocks_ = 0;
  std::vector<FloatBlock> free_;
};

}  // namespace ffc
