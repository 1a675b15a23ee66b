// The warp-level instructions that the fused convolution is built from, under plain names. Shared memory is
// addressed by 32-bit byte offsets, matrices of 8x8 halves by ldmatrix and stmatrix. A host build
// (tests/native/mma_emulation.cpp) supplies the same names from a lane-accurate emulation instead, so that the
// kernel body itself can be checked where there is no GPU.
#pragma once
#include <cstdint>

#ifdef FFC_EMULATE
#include "emulate.h"
#else
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#define FFC_DEVICE __device__ __forceinline__

namespace ffc::mma {

using u32 = uint32_t;

// ---- threads
FFC_DEVICE int threadIndex() { return threadIdx.x; }
FFC_DEVICE int blockIndex() { return blockIdx.x; }
FFC_DEVICE int gridSize() { return gridDim.x; }
FFC_DEVICE void blockSync() { __syncthreads(); }
FFC_DEVICE bool blockAny(bool x) { return __syncthreads_or(x); }
// Kernels that may start before the one before them in the stream has ended (compute capability 9.0; gpu/launch.h): until the
// wait, nothing may be read or written that earlier work writes or reads. The other call lets the next kernel start.
FFC_DEVICE void awaitEarlierWork() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
FFC_DEVICE void letNextKernelStart() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}
// What others have written to device memory by now is what this thread reads from here on, whatever the multiprocessor's cache holds.
FFC_DEVICE void seeEarlierWork() { __threadfence(); }
FFC_DEVICE u32 sharedBase() {
  extern __shared__ __align__(1024) unsigned char sharedMemory[];
  return static_cast<u32>(__cvta_generic_to_shared(sharedMemory));
}
FFC_DEVICE void warpSync() { __syncwarp(); }
FFC_DEVICE u32 warpMax(u32 value) { return __reduce_max_sync(0xffffffffu, value); }
FFC_DEVICE u32 warpSum(u32 value) { return __reduce_add_sync(0xffffffffu, value); }
FFC_DEVICE u32 fromLane(u32 value, int lane) { return __shfl_sync(0xffffffffu, value, lane); }
FFC_DEVICE u32 warpBallot(bool x) { return __ballot_sync(0xffffffffu, x); }

// ---- tensor core: m16n8k16 with half operands. A: 4 registers, B: 2, accumulators half (2) or float (4).
FFC_DEVICE void mmaHalf(u32 (&d)[2], const u32 (&a)[4], u32 b0, u32 b1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%0,%1},{%2,%3,%4,%5},{%6,%7},{%8,%8};"
      : "=r"(d[0]), "=r"(d[1])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1), "r"(0));
}
FFC_DEVICE void mmaHalfAdd(u32 (&d)[2], const u32 (&a)[4], u32 b0, u32 b1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%0,%1},{%2,%3,%4,%5},{%6,%7},{%0,%1};"
      : "+r"(d[0]), "+r"(d[1])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
FFC_DEVICE void mmaFloatAdd(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
// The same of bfloat16 operands.
FFC_DEVICE void mmaBfloatAdd(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// ---- 8x8 matrices of halves: lane 8i+r gives the address of row r of matrix i.
FFC_DEVICE void loadMatrices(u32 address, u32& r0, u32& r1, u32& r2, u32& r3) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3},[%4];"
               : "=r"(r0), "=r"(r1), "=r"(r2), "=r"(r3)
               : "r"(address)
               : "memory");
}
FFC_DEVICE void loadTransposed(u32 address, u32& r0, u32& r1, u32& r2, u32& r3) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3},[%4];"
               : "=r"(r0), "=r"(r1), "=r"(r2), "=r"(r3)
               : "r"(address)
               : "memory");
}
// One matrix in registers.
FFC_DEVICE u32 transposed(u32 value) {
  u32 result;
  asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0,%1;" : "=r"(result) : "r"(value));
  return result;
}
#if __CUDA_ARCH__ >= 900
FFC_DEVICE void storeMatrices(u32 address, u32 r0, u32 r1, u32 r2, u32 r3) {
  asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0],{%1,%2,%3,%4};" ::"r"(address), "r"(r0), "r"(r1),
               "r"(r2), "r"(r3)
               : "memory");
}
FFC_DEVICE void storeTransposed(u32 address, u32 r0, u32 r1, u32 r2, u32 r3) {
  asm volatile("stmatrix.sync.aligned.m8n8.x4.trans.shared.b16 [%0],{%1,%2,%3,%4};" ::"r"(address), "r"(r0), "r"(r1),
               "r"(r2), "r"(r3)
               : "memory");
}
#else
// Before compute capability 9.0 there is no stmatrix: every lane fetches the row address of its fragment and
// stores 4 bytes, which is as free of bank conflicts as the matrix rows are.
FFC_DEVICE void storeWord(u32 address, u32 value) {
  asm volatile("st.shared.u32 [%0],%1;" ::"r"(address), "r"(value) : "memory");
}
FFC_DEVICE void storeMatrices(u32 address, u32 r0, u32 r1, u32 r2, u32 r3) {
  const u32 r[4] = {r0, r1, r2, r3};
  const int lane = threadIdx.x & 31;
#pragma unroll
  for (int i = 0; i < 4; i++) storeWord(__shfl_sync(0xffffffffu, address, 8 * i + (lane >> 2)) + (lane & 3) * 4, r[i]);
}
FFC_DEVICE void storeTransposed(u32 address, u32 r0, u32 r1, u32 r2, u32 r3) {
  storeMatrices(address, transposed(r0), transposed(r1), transposed(r2), transposed(r3));
}
#endif

// The compiler takes this value as it is, and does not make it again from what it was made of.
FFC_DEVICE void keepInRegister(u32& value) { asm volatile("" : "+r"(value)); }

// ---- shared memory words
FFC_DEVICE uint4 sharedLoad16(u32 address) {
  uint4 v;
  asm volatile("ld.shared.v4.u32 {%0,%1,%2,%3},[%4];" : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w) : "r"(address) : "memory");
  return v;
}
FFC_DEVICE void sharedStore16(u32 address, uint4 v) {
  asm volatile("st.shared.v4.u32 [%0],{%1,%2,%3,%4};" ::"r"(address), "r"(v.x), "r"(v.y), "r"(v.z), "r"(v.w) : "memory");
}
// Of constants: the compiler may move and merge these.
FFC_DEVICE u32 sharedConstant4(u32 address) {
  u32 v;
  asm("ld.shared.u32 %0,[%1];" : "=r"(v) : "r"(address));
  return v;
}
FFC_DEVICE uint2 sharedConstant8(u32 address) {
  uint2 v;
  asm("ld.shared.v2.u32 {%0,%1},[%2];" : "=r"(v.x), "=r"(v.y) : "r"(address));
  return v;
}
FFC_DEVICE uint64_t sharedLoad8(u32 address) {
  uint64_t v;
  asm volatile("ld.shared.u64 %0,[%1];" : "=l"(v) : "r"(address) : "memory");
  return v;
}
FFC_DEVICE void sharedStore8(u32 address, uint64_t v) {
  asm volatile("st.shared.u64 [%0],%1;" ::"r"(address), "l"(v) : "memory");
}
FFC_DEVICE u32 sharedLoad4(u32 address) {
  u32 v;
  asm volatile("ld.shared.u32 %0,[%1];" : "=r"(v) : "r"(address) : "memory");
  return v;
}
FFC_DEVICE void sharedStore2(u32 address, uint16_t v) {
  asm volatile("st.shared.u16 [%0],%1;" ::"r"(address), "h"(v) : "memory");
}
FFC_DEVICE void sharedStore4(u32 address, u32 v) {
  asm volatile("st.shared.u32 [%0],%1;" ::"r"(address), "r"(v) : "memory");
}
FFC_DEVICE void sharedMax(u32 address, u32 v) {
  asm volatile("red.shared.max.u32 [%0],%1;" ::"r"(address), "r"(v) : "memory");
}
FFC_DEVICE void globalMax(u32* p, u32 v) { atomicMax(p, v); }

FFC_DEVICE void sharedAdd(u32 address, u32 v) {
  asm volatile("red.shared.add.u32 [%0],%1;" ::"r"(address), "r"(v) : "memory");
}

// ---- integers
FFC_DEVICE u32 highProduct(u32 a, u32 b) { return __umulhi(a, b); }

// ---- global memory
FFC_DEVICE void copyAsync16(u32 target, const void* source) {
  asm volatile("cp.async.cg.shared.global [%0],[%1],16;" ::"r"(target), "l"(source) : "memory");
}
// Of which the first `bytes` are read, the rest zero.
FFC_DEVICE void copyAsyncPart16(u32 target, const void* source, u32 bytes) {
  asm volatile("cp.async.cg.shared.global [%0],[%1],16,%2;" ::"r"(target), "l"(source), "r"(bytes) : "memory");
}
// One word, likewise.
FFC_DEVICE void copyAsync4(u32 target, const void* source, u32 bytes) {
  asm volatile("cp.async.ca.shared.global [%0],[%1],4,%2;" ::"r"(target), "l"(source), "r"(bytes) : "memory");
}
FFC_DEVICE void copyAsyncCommit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
// All but the latest committed group have landed.
FFC_DEVICE void copyAsyncWaitButOne() { asm volatile("cp.async.wait_group 1;" ::: "memory"); }
FFC_DEVICE void copyAsyncWaitAll() { asm volatile("cp.async.wait_all;" ::: "memory"); }
FFC_DEVICE uint4 loadConstant16(const void* p) { return __ldg(static_cast<const uint4*>(p)); }
// Of tables, which every block of every launch reads first: what streams past them in between is to leave them in L2.
FFC_DEVICE uint64_t keepingPolicy() {
  uint64_t policy;
  asm("createpolicy.fractional.L2::evict_last.b64 %0,1.0;" : "=l"(policy));
  return policy;
}
FFC_DEVICE uint4 loadTable16(const void* p, uint64_t policy) {
  uint4 v;
  asm("ld.global.nc.L2::cache_hint.v4.u32 {%0,%1,%2,%3},[%4],%5;"
      : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
      : "l"(p), "l"(policy));
  return v;
}
FFC_DEVICE u32 loadTable4(const void* p, uint64_t policy) {
  u32 v;
  asm("ld.global.nc.L2::cache_hint.u32 %0,[%1],%2;" : "=r"(v) : "l"(p), "l"(policy));
  return v;
}
FFC_DEVICE uint2 loadConstant8(const void* p) { return __ldg(static_cast<const uint2*>(p)); }
// What earlier work may still have been writing when the kernel started (awaitEarlierWork()).
FFC_DEVICE uint4 loadFresh16(const void* p) {
  uint4 v;
  asm volatile("ld.global.v4.u32 {%0,%1,%2,%3},[%4];" : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w) : "l"(p) : "memory");
  return v;
}
FFC_DEVICE uint2 loadFresh8(const void* p) {
  uint2 v;
  asm volatile("ld.global.v2.u32 {%0,%1},[%2];" : "=r"(v.x), "=r"(v.y) : "l"(p) : "memory");
  return v;
}
FFC_DEVICE u32 loadFresh4(const void* p) {
  u32 v;
  asm volatile("ld.global.u32 %0,[%1];" : "=r"(v) : "l"(p));
  return v;
}
FFC_DEVICE u32 loadFresh1(const void* p) {
  u32 v;
  asm volatile("ld.global.u8 %0,[%1];" : "=r"(v) : "l"(p));
  return v;
}
// Without a branch: v keeps its value where it is not wanted.
FFC_DEVICE void loadFresh16If(bool wanted, uint4& v, const void* p) {
  asm volatile("{\n.reg .pred wanted;\nsetp.ne.s32 wanted,%5,0;\n@wanted ld.global.v4.u32 {%0,%1,%2,%3},[%4];\n}"
               : "+r"(v.x), "+r"(v.y), "+r"(v.z), "+r"(v.w)
               : "l"(p), "r"(int(wanted)));
}
FFC_DEVICE void loadConstant16If(bool wanted, uint4& v, const void* p) {
  asm volatile("{\n.reg .pred wanted;\nsetp.ne.s32 wanted,%5,0;\n@wanted ld.global.nc.v4.u32 {%0,%1,%2,%3},[%4];\n}"
               : "+r"(v.x), "+r"(v.y), "+r"(v.z), "+r"(v.w)
               : "l"(p), "r"(int(wanted)));
}
FFC_DEVICE u32 loadConstant4(const void* p) { return __ldg(static_cast<const u32*>(p)); }
FFC_DEVICE u32 loadConstant1(const void* p) { return __ldg(static_cast<const uint8_t*>(p)); }
// Streaming: u, gates and y pass through once.
FFC_DEVICE uint4 loadStream16(const void* p) { return __ldcs(static_cast<const uint4*>(p)); }
// To L2.
FFC_DEVICE void prefetch(const void* p) { asm volatile("prefetch.global.L2 [%0];" ::"l"(p)); }
FFC_DEVICE void storeStream16(void* p, uint4 v) { __stcs(static_cast<uint4*>(p), v); }

// Complex points that the next pass reads.
FFC_DEVICE void storePoints(void* p, uint4 v) { *static_cast<uint4*>(p) = v; }
// What L2 is to hold before anything else.
FFC_DEVICE void storeStaying16(void* p, uint4 v) {
  asm volatile("st.global.L2::cache_hint.v4.u32 [%0],{%1,%2,%3,%4},%5;" ::"l"(p), "r"(v.x), "r"(v.y), "r"(v.z), "r"(v.w), "l"(keepingPolicy())
               : "memory");
}
FFC_DEVICE uint4 loadPoints(const void* p) { return *static_cast<const uint4*>(p); }
// Nobody will read these 128 bytes as they are: they need not go from L2 to device memory.
FFC_DEVICE void dropLine(void* p) { asm volatile("discard.global.L2 [%0],128;" ::"l"(p) : "memory"); }

// e^{-2 pi i m / 2^bits}, m reduced first.
FFC_DEVICE float2 rootOfUnity(u32 m, int bits) {
  const float halfTurns = float(m & ((1u << bits) - 1)) * __uint_as_float(u32(128 - bits) << 23);
  float sine, cosine;
  sincospif(halfTurns, &sine, &cosine);
  return {cosine, -sine};
}

// ---- tensor copies (compute capability 9.0): whole sequences between device memory and a staging slot by one
// instruction, completing on a barrier in shared memory. `map` describes (64 samples, 16 n1, N / 1024, b, h).
#if __CUDA_ARCH__ >= 900
constexpr bool hasTensorCopies = true;
// Boxes of row (b, h): from the sixteenth `part` of a transform's samples on, and from the 64 samples `group` of each. leaving: L2 gives
// their place away before that of anything else.
template <bool leaving = false>
FFC_DEVICE void tensorLoadPart(u32 target, const void* map, int part, int group, int b, int h, u32 barrier) {
  if constexpr (leaving) {
    uint64_t policy;
    asm("createpolicy.fractional.L2::evict_first.b64 %0,1.0;" : "=l"(policy));
    asm volatile(
        "cp.async.bulk.tensor.5d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.L2::cache_hint "
        "[%0],[%1,{%2,%3,%4,%5,%6}],[%7],%8;" ::"r"(target),
        "l"(map), "r"(0), "r"(part), "r"(group), "r"(b), "r"(h), "r"(barrier), "l"(policy)
        : "memory");
    return;
  }
  asm volatile(
      "cp.async.bulk.tensor.5d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0],[%1,{%2,%3,%4,%5,%6}],[%7];" ::
          "r"(target), "l"(map), "r"(0), "r"(part), "r"(group), "r"(b), "r"(h), "r"(barrier)
      : "memory");
}
FFC_DEVICE void tensorStorePart(u32 source, const void* map, int part, int group, int b, int h) {
  asm volatile("cp.async.bulk.tensor.5d.global.shared::cta.tile.bulk_group [%1,{%2,%3,%4,%5,%6}],[%0];" ::"r"(source),
               "l"(map), "r"(0), "r"(part), "r"(group), "r"(b), "r"(h)
               : "memory");
  asm volatile("cp.async.bulk.commit_group;" ::: "memory");
}
// The same with maps of (samples, b, h), from sample `first` on.
FFC_DEVICE void tensorLoadRest(u32 target, const void* map, int first, int b, int h, u32 barrier) {
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0],[%1,{%2,%3,%4}],[%5];" ::"r"(target),
      "l"(map), "r"(first), "r"(b), "r"(h), "r"(barrier)
      : "memory");
}
FFC_DEVICE void tensorStoreRest(u32 source, const void* map, int first, int b, int h) {
  asm volatile("cp.async.bulk.tensor.3d.global.shared::cta.tile.bulk_group [%1,{%2,%3,%4}],[%0];" ::"r"(source), "l"(map),
               "r"(first), "r"(b), "r"(h)
               : "memory");
  asm volatile("cp.async.bulk.commit_group;" ::: "memory");
}
// The map itself, before its first copy.
FFC_DEVICE void prefetchMap(const void* map) { asm volatile("prefetch.tensormap [%0];" ::"l"(map) : "memory"); }
// Multiples of 16 bytes at an aligned address, into L2.
FFC_DEVICE void prefetchBulk(const void* p, u32 bytes) {
  asm volatile("cp.async.bulk.prefetch.L2.global [%0],%1;" ::"l"(p), "r"(bytes) : "memory");
}
// A plain run of bytes, a multiple of 16.
FFC_DEVICE void bulkLoad(u32 target, const void* source, u32 bytes, u32 barrier) {
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0],[%1],%2,[%3];" ::"r"(target),
               "l"(source), "r"(bytes), "r"(barrier)
               : "memory");
}
FFC_DEVICE void bulkStore(void* target, u32 source, u32 bytes) {
  asm volatile("cp.async.bulk.global.shared::cta.bulk_group [%0],[%1],%2;" ::"l"(target), "r"(source), "r"(bytes) : "memory");
}
FFC_DEVICE void bulkCommit() { asm volatile("cp.async.bulk.commit_group;" ::: "memory"); }
// All but this thread's latest group of stores have read shared memory.
FFC_DEVICE void bulkStoresReadButOne() { asm volatile("cp.async.bulk.wait_group.read 1;" ::: "memory"); }
// This thread's stores have read shared memory; have reached device memory.
FFC_DEVICE void tensorStoresRead() { asm volatile("cp.async.bulk.wait_group.read 0;" ::: "memory"); }
FFC_DEVICE void tensorStoresDone() { asm volatile("cp.async.bulk.wait_group 0;" ::: "memory"); }
// Orders this thread's ordinary shared memory accesses before later tensor copies.
FFC_DEVICE void fenceTensorCopies() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }
FFC_DEVICE void barrierInit(u32 barrier) {
  asm volatile("mbarrier.init.shared.b64 [%0],1;\nfence.mbarrier_init.release.cluster;" ::"r"(barrier) : "memory");
}
FFC_DEVICE void barrierExpect(u32 barrier, u32 bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared.b64 _,[%0],%1;" ::"r"(barrier), "r"(bytes) : "memory");
}
FFC_DEVICE void barrierWait(u32 barrier, u32 parity) {
  asm volatile(
      "{\n.reg .pred done;\nwaiting:\nmbarrier.try_wait.parity.shared.b64 done,[%0],%1;\n@!done bra waiting;\n}" ::"r"(barrier),
      "r"(parity)
      : "memory");
}
#else
constexpr bool hasTensorCopies = false;
template <bool leaving = false>
FFC_DEVICE void tensorLoadPart(u32, const void*, int, int, int, int, u32) {}
FFC_DEVICE void tensorStorePart(u32, const void*, int, int, int, int) {}
FFC_DEVICE void tensorLoadRest(u32, const void*, int, int, int, u32) {}
FFC_DEVICE void tensorStoreRest(u32, const void*, int, int, int) {}
FFC_DEVICE void prefetchMap(const void*) {}
FFC_DEVICE void prefetchBulk(const void*, u32) {}
FFC_DEVICE void bulkLoad(u32, const void*, u32, u32) {}
FFC_DEVICE void bulkStore(void*, u32, u32) {}
FFC_DEVICE void bulkCommit() {}
FFC_DEVICE void bulkStoresReadButOne() {}
FFC_DEVICE void tensorStoresRead() {}
FFC_DEVICE void tensorStoresDone() {}
FFC_DEVICE void fenceTensorCopies() {}
FFC_DEVICE void barrierInit(u32) {}
FFC_DEVICE void barrierExpect(u32, u32) {}
FFC_DEVICE void barrierWait(u32, u32) {}
#endif

// A barrier of the block's warps in two halves: a warp may work between arriving and waiting on what needs no other warp's results.
// Before compute capability 9.0 the block meets where it waits.
#if __CUDA_ARCH__ >= 900
#ifdef FFC_EVERY_LANE_ARRIVES
// racecheck does not see that a lane arrives for its warp (it reports a race in three lines that do nothing else), so the library
// that it looks at is made so (`make racecheck-lib`).
constexpr int arriving = 1;
#else
constexpr int arriving = 32;  // one of so many threads
#endif
FFC_DEVICE void splitInit(u32 barrier) {
  if (threadIdx.x == 0) asm volatile("mbarrier.init.shared.b64 [%0],%1;" ::"r"(barrier), "r"(blockDim.x / arriving) : "memory");
}
FFC_DEVICE void splitArrive(u32 barrier) {
  __syncwarp();
  if (threadIdx.x % arriving == 0) asm volatile("mbarrier.arrive.shared.b64 _,[%0];" ::"r"(barrier) : "memory");
}
FFC_DEVICE void splitWait(u32 barrier, u32 parity) { barrierWait(barrier, parity); }
#else
FFC_DEVICE void splitInit(u32) {}
FFC_DEVICE void splitArrive(u32) {}
FFC_DEVICE void splitWait(u32, u32) { __syncthreads(); }
#endif

// Whole sequences, from their first sample on.
FFC_DEVICE void tensorLoad(u32 target, const void* map, int b, int h, u32 barrier) {
  tensorLoadPart(target, map, 0, 0, b, h, barrier);
}
FFC_DEVICE void tensorStore(u32 source, const void* map, int b, int h) { tensorStorePart(source, map, 0, 0, b, h); }

// ---- packed half arithmetic on 32-bit registers
FFC_DEVICE __half2 asHalf2(u32 x) { return *reinterpret_cast<__half2*>(&x); }
FFC_DEVICE u32 fromHalf2(__half2 x) { return *reinterpret_cast<u32*>(&x); }
FFC_DEVICE u32 halfAdd(u32 a, u32 b) { return fromHalf2(__hadd2(asHalf2(a), asHalf2(b))); }
FFC_DEVICE u32 halfSub(u32 a, u32 b) { return fromHalf2(__hsub2(asHalf2(a), asHalf2(b))); }
FFC_DEVICE u32 halfMul(u32 a, u32 b) { return fromHalf2(__hmul2(asHalf2(a), asHalf2(b))); }
FFC_DEVICE u32 halfFma(u32 a, u32 b, u32 c) { return fromHalf2(__hfma2(asHalf2(a), asHalf2(b), asHalf2(c))); }
FFC_DEVICE u32 halfNegate(u32 a) { return fromHalf2(__hneg2(asHalf2(a))); }
FFC_DEVICE u32 packHalf(float low, float high) { return fromHalf2(__floats2half2_rn(low, high)); }
FFC_DEVICE u32 lowTwice(u32 x) { return fromHalf2(__low2half2(asHalf2(x))); }
FFC_DEVICE u32 highTwice(u32 x) { return fromHalf2(__high2half2(asHalf2(x))); }
FFC_DEVICE float2 unpackHalf(u32 x) { return __half22float2(asHalf2(x)); }
FFC_DEVICE u32 packBfloat(float low, float high) {
  __nv_bfloat162 v = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<u32*>(&v);
}
// Two bfloat16 times two powers of two: exact.
FFC_DEVICE u32 bfloatMul(u32 a, u32 b) {
  const __nv_bfloat162 v = __hmul2(*reinterpret_cast<__nv_bfloat162*>(&a), *reinterpret_cast<__nv_bfloat162*>(&b));
  return *reinterpret_cast<const u32*>(&v);
}
FFC_DEVICE u32 bfloatFma(u32 a, u32 b, u32 c) {
  const __nv_bfloat162 v = __hfma2(*reinterpret_cast<__nv_bfloat162*>(&a), *reinterpret_cast<__nv_bfloat162*>(&b),
                                   *reinterpret_cast<__nv_bfloat162*>(&c));
  return *reinterpret_cast<const u32*>(&v);
}
// The larger magnitudes of two pairs of bfloat16.
FFC_DEVICE u32 largestBfloats(u32 a, u32 b) {
  const __nv_bfloat162 v = __hmax2(__habs2(*reinterpret_cast<__nv_bfloat162*>(&a)), __habs2(*reinterpret_cast<__nv_bfloat162*>(&b)));
  return *reinterpret_cast<const u32*>(&v);
}
FFC_DEVICE u32 largestHalves(u32 a, u32 b) { return fromHalf2(__hmax2(__habs2(asHalf2(a)), __habs2(asHalf2(b)))); }
// Stores `value` if one of two halves is at least the respective one of `limit`, without a branch.
FFC_DEVICE void sharedStoreIfNotBelow(u32 halves, u32 limit, u32 address, u32 value) {
  asm volatile(
      "{\n.reg .pred p,q;\nsetp.ge.f16x2 p|q,%0,%1;\nor.pred p,p,q;\n@p st.shared.u32 [%2],%3;\n}" ::"r"(halves), "r"(limit),
      "r"(address), "r"(value)
      : "memory");
}
FFC_DEVICE float asFloat(u32 bits) { return __uint_as_float(bits); }
FFC_DEVICE u32 floatBits(float x) { return __float_as_uint(x); }
FFC_DEVICE u32 lowHalves(u32 a, u32 b) { return __byte_perm(a, b, 0x5410); }
FFC_DEVICE u32 highHalves(u32 a, u32 b) { return __byte_perm(a, b, 0x7632); }
FFC_DEVICE u32 largerHalves(u32 a, u32 b) { return __vmaxu2(a, b); }  // two unsigned 16-bit maxima
// The 32 bits that start `bits` (0..31) above the low end of high:low.
FFC_DEVICE u32 funnelShift(u32 low, u32 high, u32 bits) { return __funnelshift_r(low, high, bits); }

}  // namespace ffc::mma
#endif
