// Words of shared and device memory, and asynchronous copies between them, which happen at once.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "machine.h"

namespace ffc::mma {

namespace emulation {
inline unsigned char* at(u32 address, int bytes) {
  std::vector<unsigned char>& shared = machine.shared;
  if (uint64_t(address) + bytes > shared.size()) {
    std::fprintf(stderr, "shared memory access at %u + %d beyond %zu\n", address, bytes, shared.size());
    std::abort();
  }
  // Runs of bytes are copied from and to multiples of 16.
  if (address % unsigned(std::min(bytes, 16))) {
    std::fprintf(stderr, "misaligned access of shared memory at %u, %d bytes\n", address, bytes);
    std::abort();
  }
  return shared.data() + address;
}
}  // namespace emulation

FFC_DEVICE u32 sharedBase() { return 0; }
template <class T>
inline T sharedGet(u32 address) {
  T v;
  std::memcpy(&v, emulation::at(address, sizeof(T)), sizeof(T));
  return v;
}
template <class T>
inline void sharedPut(u32 address, T v) {
  std::memcpy(emulation::at(address, sizeof(T)), &v, sizeof(T));
}
FFC_DEVICE uint4 sharedLoad16(u32 a) { return sharedGet<uint4>(a); }
FFC_DEVICE void sharedStore16(u32 a, uint4 v) { sharedPut(a, v); }
FFC_DEVICE uint64_t sharedLoad8(u32 a) { return sharedGet<uint64_t>(a); }
FFC_DEVICE u32 sharedConstant4(u32 a) { return sharedGet<u32>(a); }
FFC_DEVICE uint2 sharedConstant8(u32 a) { return sharedGet<uint2>(a); }
FFC_DEVICE void sharedStore8(u32 a, uint64_t v) { sharedPut(a, v); }
FFC_DEVICE u32 sharedLoad4(u32 a) { return sharedGet<u32>(a); }
FFC_DEVICE void sharedStore2(u32 a, uint16_t v) { sharedPut(a, v); }
FFC_DEVICE void sharedStore4(u32 a, u32 v) { sharedPut(a, v); }
FFC_DEVICE void sharedAdd(u32 a, u32 v) { sharedPut(a, v + sharedGet<u32>(a)); }
FFC_DEVICE void sharedMax(u32 a, u32 v) { sharedPut(a, std::max(v, sharedGet<u32>(a))); }
FFC_DEVICE void globalMax(u32* p, u32 v) { *p = std::max(*p, v); }

FFC_DEVICE uint4 loadConstant16(const void* p) { return *static_cast<const uint4*>(p); }
FFC_DEVICE uint64_t keepingPolicy() { return 0; }
FFC_DEVICE uint2 loadConstant8(const void* p) { return *static_cast<const uint2*>(p); }
FFC_DEVICE uint4 loadTable16(const void* p, uint64_t) { return loadConstant16(p); }
FFC_DEVICE u32 loadTable4(const void* p, uint64_t) { return *static_cast<const u32*>(p); }
FFC_DEVICE void prefetch(const void*) {}
FFC_DEVICE void loadConstant16If(bool wanted, uint4& v, const void* p) {
  if (wanted) v = loadConstant16(p);
}
FFC_DEVICE uint2 loadFresh8(const void* p) { return *static_cast<const uint2*>(p); }
FFC_DEVICE uint4 loadFresh16(const void* p) { return loadConstant16(p); }
FFC_DEVICE void loadFresh16If(bool wanted, uint4& v, const void* p) { loadConstant16If(wanted, v, p); }
FFC_DEVICE u32 loadConstant4(const void* p) { return *static_cast<const u32*>(p); }
FFC_DEVICE u32 loadConstant1(const void* p) { return *static_cast<const uint8_t*>(p); }
FFC_DEVICE u32 loadFresh4(const void* p) { return loadConstant4(p); }
FFC_DEVICE u32 loadFresh1(const void* p) { return loadConstant1(p); }
FFC_DEVICE uint4 loadStream16(const void* p) { return *static_cast<const uint4*>(p); }
FFC_DEVICE void storeStream16(void* p, uint4 v) { *static_cast<uint4*>(p) = v; }
FFC_DEVICE void storePoints(void* p, uint4 v) { *static_cast<uint4*>(p) = v; }
FFC_DEVICE void storeStaying16(void* p, uint4 v) { *static_cast<uint4*>(p) = v; }
FFC_DEVICE uint4 loadPoints(const void* p) { return *static_cast<const uint4*>(p); }
FFC_DEVICE void dropLine(void* p) {
  if (reinterpret_cast<uintptr_t>(p) % 128 != 0) std::fprintf(stderr, "FAIL dropped line at %p\n", p), std::abort();
  std::memset(p, 0xff, 128);
}

FFC_DEVICE void copyAsync16(u32 target, const void* source) { sharedStore16(target, loadStream16(source)); }
FFC_DEVICE void copyAsyncPart16(u32 target, const void* source, u32 bytes) {
  uint4 v{0, 0, 0, 0};
  std::memcpy(&v, source, bytes);
  sharedStore16(target, v);
}
FFC_DEVICE void copyAsync4(u32 target, const void* source, u32 bytes) {
  u32 word = 0;
  std::memcpy(&word, source, bytes);
  sharedPut(target, word);
}
FFC_DEVICE void copyAsyncCommit() {}
FFC_DEVICE void copyAsyncWaitButOne() {}
FFC_DEVICE void copyAsyncWaitAll() {}

}  // namespace ffc::mma
