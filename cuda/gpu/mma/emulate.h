// Lane-accurate emulation of the instructions in device.cuh on the host: a fiber per thread, the fragment layouts of
// mma.sync, ldmatrix and stmatrix as the PTX manual gives them, half arithmetic rounded after every operation. It runs
// one block of threads after the other. Shared memory is an array; a bank-conflict count comes for free.
// Fibers are switched in a seeded random order and warps are delayed at random, so that a missing barrier shows.
#pragma once
#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <type_traits>
#include <vector>

#define FFC_DEVICE inline

struct float2 {
  float x, y;
};
struct uint2 {
  uint32_t x, y;
};
struct uint4 {
  uint32_t x, y, z, w;
};

namespace ffc::mma {

using u32 = uint32_t;

namespace emulation {

constexpr int blockThreads = 512;  // of the fused convolution and of the passes; no block has more

struct Machine {
  ucontext_t fibers[blockThreads];  // as they begin
  // Then jumps: swapcontext() asks the kernel for signal masks, which took a quarter of the time.
  void *scheduler[5], *places[blockThreads][5];
  bool begun[blockThreads];
  std::vector<std::vector<char>> stacks;
  bool finished[blockThreads];
  int current = 0, block = 0, grid = 1, threads = blockThreads;
  uint64_t random = 1;
  std::vector<unsigned char> shared;
  struct Barrier {
    int arrived = 0, generation = 0;
  } blockBarrier, warpBarrier[blockThreads / 32];
  // Whom a fiber waits for, and what it waits to change: until then there is no need to look in.
  const Barrier* waitsFor[blockThreads];
  int generation[blockThreads];
  u32 exchange[blockThreads][6];
  std::function<void()> body;
  long matrixInstructions = 0, matrixWavefronts = 0;
  // Blocks of a launch that have waited for earlier work, that have let the next kernel start, and that did so before they waited.
  int waiting = 0, starting = 0, startingAhead = 0;
  bool hasWaited = false, hasLetStart = false;

  __attribute__((noinline)) void yield() {
    if (!__builtin_setjmp(places[current])) leave();
  }
  __attribute__((noinline, noreturn)) void leave() { __builtin_longjmp(scheduler, 1); }
  // Until the current fiber yields.
  __attribute__((noinline)) void resume() {
    if (!__builtin_setjmp(scheduler)) enterCurrent();
  }
  __attribute__((noinline, noreturn)) void enterCurrent() {
    if (begun[current]) __builtin_longjmp(places[current], 1);
    begun[current] = true;
    setcontext(&fibers[current]);
    std::abort();
  }
  void wait(Barrier& b, int count) {
    const int before = b.generation;
    if (++b.arrived == count) {
      b.arrived = 0, b.generation++;
      return;
    }
    waitsFor[current] = &b, generation[current] = before;
    while (b.generation == before) yield();
    waitsFor[current] = nullptr;
  }
  u32 draw() {
    random = random * 6364136223846793005ull + 1442695040888963407ull;
    return u32(random >> 33);
  }
};
inline Machine machine;

inline void enter() {
  machine.body();
  machine.finished[machine.current] = true;
  while (true) machine.yield();
}

// Runs `body` as every thread of every block. Shared memory starts as garbage (NaNs).
inline void launch(int grid, int64_t sharedBytes, uint64_t seed, std::function<void()> body, int threads = blockThreads) {
  Machine& m = machine;
  m.body = std::move(body);
  m.grid = grid;
  m.threads = threads;
  m.random = seed;
  m.waiting = m.starting = m.startingAhead = 0;
  const int count = threads, warps = count / 32;
  m.stacks.assign(count, std::vector<char>(512 * 1024));
  for (m.block = 0; m.block < grid; m.block++) {
    m.shared.assign(sharedBytes, 0xff);
    m.hasWaited = m.hasLetStart = false;
    for (int i = 0; i < count; i++) {
      m.finished[i] = m.begun[i] = false;
      m.waitsFor[i] = nullptr;
      getcontext(&m.fibers[i]);
      m.fibers[i].uc_stack.ss_sp = m.stacks[i].data();
      m.fibers[i].uc_stack.ss_size = m.stacks[i].size();
      m.fibers[i].uc_link = nullptr;
      makecontext(&m.fibers[i], enter, 0);
    }
    for (bool running = true; running;) {
      running = false;
      const int start = int(m.draw() % warps);
      for (int i = 0; i < warps; i++) {
        const int warp = (start + i * 7) % warps;  // 7 has no factor of the powers of two that `warps` are
        const bool delayed = m.draw() % 4 == 0;
        for (int l = 0; l < 32; l++) {
          m.current = warp * 32 + l;
          if (m.finished[m.current]) continue;
          running = true;
          const Machine::Barrier* const barrier = m.waitsFor[m.current];
          if (barrier && barrier->generation == m.generation[m.current]) continue;
          if (!delayed) m.resume();
        }
      }
    }
  }
}

inline float halfToFloat(uint16_t h) {
  // Looked up: most of an emulation's time is conversions.
  static const std::vector<float> all = [] {
    std::vector<float> values(1 << 16);
    for (int i = 0; i < 1 << 16; i++) {
      const int e = i >> 10 & 31, m = i & 1023;
      const float v = e == 31 ? (m ? NAN : INFINITY) : e ? std::ldexp(1024.0f + m, e - 25) : std::ldexp(float(m), -24);
      values[i] = i & 0x8000 ? -v : v;
    }
    return values;
  }();
  return all[h];
}
// To nearest, ties to even.
inline uint16_t floatToHalf(double x) {
  uint64_t bits;
  std::memcpy(&bits, &x, 8);
  const uint16_t sign = bits >> 48 & 0x8000;
  const int e = int(bits >> 52 & 0x7ff) - 1023;
  if (e == 1024 && bits << 12) return 0x7fff;  // NaN
  if (e > 15) return sign | 0x7c00;
  if (e < -25) return sign;
  const uint64_t digits = (bits & ((uint64_t(1) << 52) - 1)) | uint64_t(1) << 52;
  const int least = std::max(e, -14), shift = 42 + least - e;  // digits behind a half's last
  const uint64_t rest = digits & ((uint64_t(1) << shift) - 1), middle = uint64_t(1) << (shift - 1);
  const uint64_t units = (digits >> shift) + (rest > middle || (rest == middle && (digits >> shift & 1)));
  return sign | uint16_t(std::min<uint64_t>(units + (uint64_t(least + 14) << 10), 0x7c00));
}
inline float floatOfBits(u32 bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}
inline float low(u32 x) { return halfToFloat(uint16_t(x)); }
inline float high(u32 x) { return halfToFloat(uint16_t(x >> 16)); }
inline u32 pair(double a, double b) { return floatToHalf(a) | u32(floatToHalf(b)) << 16; }

inline void warpWait() { machine.wait(machine.warpBarrier[machine.current >> 5], 32); }

// Wavefronts that eight-row 16-byte accesses need: the most rows of one matrix that share a 16-byte bank column.
inline void countConflicts(int warp) {
  for (int i = 0; i < 4; i++) {
    int count[8] = {}, worst = 0;
    for (int r = 0; r < 8; r++) worst = std::max(worst, ++count[machine.exchange[warp * 32 + 8 * i + r][0] / 16 % 8]);
    machine.matrixWavefronts += worst;
  }
  machine.matrixInstructions++;
}

inline unsigned char* at(u32 address, int bytes) {
  std::vector<unsigned char>& shared = machine.shared;
  if (uint64_t(address) + bytes > shared.size()) {
    std::printf("shared memory access at %u + %d beyond %zu\n", address, bytes, shared.size());
    std::abort();
  }
  return shared.data() + address;
}

}  // namespace emulation

using std::max, std::min;
FFC_DEVICE int threadIndex() { return emulation::machine.current; }
FFC_DEVICE int blockIndex() { return emulation::machine.block; }
FFC_DEVICE int gridSize() { return emulation::machine.grid; }
FFC_DEVICE void blockSync() {
  emulation::machine.wait(emulation::machine.blockBarrier, emulation::machine.threads);
}
FFC_DEVICE void warpSync() { emulation::warpWait(); }
FFC_DEVICE u32 sharedBase() { return 0; }

FFC_DEVICE u32 warpBallot(bool x) {
  using namespace emulation;
  const int me = machine.current, warp = me >> 5;
  machine.exchange[me][0] = x;
  warpWait();
  u32 result = 0;
  for (int l = 0; l < 32; l++) result |= machine.exchange[warp * 32 + l][0] << l;
  warpWait();
  return result;
}
FFC_DEVICE u32 warpMax(u32 value) {
  using namespace emulation;
  const int me = machine.current, warp = me >> 5;
  machine.exchange[me][0] = value;
  warpWait();
  u32 result = 0;
  for (int l = 0; l < 32; l++) result = std::max(result, machine.exchange[warp * 32 + l][0]);
  warpWait();
  return result;
}

FFC_DEVICE u32 fromLane(u32 value, int lane) {
  using namespace emulation;
  const int me = machine.current;
  machine.exchange[me][0] = value;
  warpWait();
  const u32 result = machine.exchange[(me & ~31) + lane][0];
  warpWait();
  return result;
}

namespace emulation {
inline float lowBfloat(u32 x) { return floatOfBits(x << 16); }
inline float highBfloat(u32 x) { return floatOfBits(x & 0xffff0000u); }
template <bool bf16 = false, class Out>
inline void multiply(const u32 (&a)[4], u32 b0, u32 b1, Out out) {
  const int me = machine.current, warp = me >> 5, g = (me & 31) >> 2, c = me & 3;
  for (int i = 0; i < 4; i++) machine.exchange[me][i] = a[i];
  machine.exchange[me][4] = b0, machine.exchange[me][5] = b1;
  warpWait();
  for (int i = 0; i < 4; i++) {
    const int row = g + 8 * (i >> 1), column = 2 * c + (i & 1);
    double sum = 0;
    for (int k = 0; k < 16; k++) {
      const u32 wa = machine.exchange[warp * 32 + (row & 7) * 4 + ((k & 7) >> 1)][(row >> 3) + 2 * (k >> 3)];
      const u32 wb = machine.exchange[warp * 32 + column * 4 + ((k & 7) >> 1)][4 + (k >> 3)];
      if (bf16)
        sum += double(k & 1 ? highBfloat(wa) : lowBfloat(wa)) * (k & 1 ? highBfloat(wb) : lowBfloat(wb));
      else
        sum += double(k & 1 ? high(wa) : low(wa)) * (k & 1 ? high(wb) : low(wb));
    }
    out(i, sum);
  }
  warpWait();
}
}  // namespace emulation

FFC_DEVICE void mmaHalf(u32 (&d)[2], const u32 (&a)[4], u32 b0, u32 b1) {
  double sum[4];
  emulation::multiply(a, b0, b1, [&](int i, double s) { sum[i] = s; });
  d[0] = emulation::pair(sum[0], sum[1]), d[1] = emulation::pair(sum[2], sum[3]);
}
FFC_DEVICE void mmaHalfAdd(u32 (&d)[2], const u32 (&a)[4], u32 b0, u32 b1) {
  double sum[4];
  emulation::multiply(a, b0, b1, [&](int i, double s) { sum[i] = s; });
  for (int i = 0; i < 2; i++) d[i] = emulation::pair(sum[2 * i] + emulation::low(d[i]), sum[2 * i + 1] + emulation::high(d[i]));
}
FFC_DEVICE void mmaFloatAdd(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1) {
  emulation::multiply(a, b0, b1, [&](int i, double s) { d[i] = float(s + d[i]); });
}
FFC_DEVICE void mmaBfloatAdd(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1) {
  emulation::multiply<true>(a, b0, b1, [&](int i, double s) { d[i] = float(s + d[i]); });
}

namespace emulation {
inline void loadMatrices(u32 address, bool transposed, u32& r0, u32& r1, u32& r2, u32& r3) {
  const int me = machine.current, warp = me >> 5, g = (me & 31) >> 2, c = me & 3;
  machine.exchange[me][0] = address;
  warpWait();
  if ((me & 31) == 0) countConflicts(warp);
  u32* r[4] = {&r0, &r1, &r2, &r3};
  for (int i = 0; i < 4; i++) {
    auto element = [&](int row, int column) {
      return u32(reinterpret_cast<uint16_t*>(at(machine.exchange[warp * 32 + 8 * i + row][0], 16))[column]);
    };
    *r[i] = transposed ? element(2 * c, g) | element(2 * c + 1, g) << 16 : element(g, 2 * c) | element(g, 2 * c + 1) << 16;
  }
  warpWait();
}
inline void storeMatrices(u32 address, bool transposed, const u32 (&r)[4]) {
  const int me = machine.current, warp = me >> 5, g = (me & 31) >> 2, c = me & 3;
  machine.exchange[me][0] = address;
  warpWait();
  if ((me & 31) == 0) countConflicts(warp);
  for (int i = 0; i < 4; i++)
    for (int e = 0; e < 2; e++) {
      const int row = transposed ? 2 * c + e : g, column = transposed ? g : 2 * c + e;
      reinterpret_cast<uint16_t*>(at(machine.exchange[warp * 32 + 8 * i + row][0], 16))[column] = uint16_t(r[i] >> (16 * e));
    }
  warpWait();
}
}  // namespace emulation

FFC_DEVICE bool blockAny(bool x) {
  static bool any;
  blockSync();
  any = false;
  blockSync();
  any |= x;
  blockSync();
  return any;
}
FFC_DEVICE void loadMatrices(u32 address, u32& r0, u32& r1, u32& r2, u32& r3) {
  emulation::loadMatrices(address, false, r0, r1, r2, r3);
}
FFC_DEVICE void loadTransposed(u32 address, u32& r0, u32& r1, u32& r2, u32& r3) {
  emulation::loadMatrices(address, true, r0, r1, r2, r3);
}
FFC_DEVICE void storeMatrices(u32 address, u32 r0, u32 r1, u32 r2, u32 r3) {
  emulation::storeMatrices(address, false, {r0, r1, r2, r3});
}
FFC_DEVICE void storeTransposed(u32 address, u32 r0, u32 r1, u32 r2, u32 r3) {
  emulation::storeMatrices(address, true, {r0, r1, r2, r3});
}

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
FFC_DEVICE void awaitEarlierWork() {
  emulation::Machine& m = emulation::machine;
  if (!m.hasWaited) m.waiting++;
  m.hasWaited = true;
}
FFC_DEVICE void seeEarlierWork() {}
FFC_DEVICE void letNextKernelStart() {
  emulation::Machine& m = emulation::machine;
  if (!m.hasLetStart) m.starting++, m.startingAhead += !m.hasWaited;
  m.hasLetStart = true;
}

FFC_DEVICE u32 transposed(u32 value) {
  using namespace emulation;
  const int warp = machine.current >> 5, lane = machine.current & 31, g = lane >> 2, c = lane & 3;
  machine.exchange[machine.current][0] = value;
  warpWait();
  auto element = [&](int row, int column) { return machine.exchange[warp * 32 + row * 4 + column / 2][0] >> (16 * (column & 1)) & 0xffffu; };
  const u32 result = element(2 * c, g) | element(2 * c + 1, g) << 16;
  warpWait();
  return result;
}
FFC_DEVICE void keepInRegister(u32&) {}

FFC_DEVICE uint4 sharedLoad16(u32 a) { return sharedGet<uint4>(a); }
FFC_DEVICE void sharedStore16(u32 a, uint4 v) { sharedPut(a, v); }
FFC_DEVICE uint64_t sharedLoad8(u32 a) { return sharedGet<uint64_t>(a); }
FFC_DEVICE u32 sharedConstant4(u32 a) { return sharedGet<u32>(a); }
FFC_DEVICE uint2 sharedConstant8(u32 a) { return sharedGet<uint2>(a); }
FFC_DEVICE u32 lowHalves(u32 a, u32 b) { return (a & 0xffffu) | b << 16; }
FFC_DEVICE u32 highHalves(u32 a, u32 b) { return a >> 16 | (b & 0xffff0000u); }
FFC_DEVICE void sharedStore8(u32 a, uint64_t v) { sharedPut(a, v); }
FFC_DEVICE u32 sharedLoad4(u32 a) { return sharedGet<u32>(a); }
FFC_DEVICE void sharedStore2(u32 a, uint16_t v) { sharedPut(a, v); }
FFC_DEVICE void sharedStore4(u32 a, u32 v) { sharedPut(a, v); }
FFC_DEVICE void sharedMax(u32 a, u32 v) { sharedPut(a, std::max(v, sharedGet<u32>(a))); }

FFC_DEVICE uint4 loadConstant16(const void* p) { return *static_cast<const uint4*>(p); }
FFC_DEVICE uint64_t keepingPolicy() { return 0; }
FFC_DEVICE uint2 loadConstant8(const void* p) { return *static_cast<const uint2*>(p); }
FFC_DEVICE uint4 loadTable16(const void* p, uint64_t) { return loadConstant16(p); }
FFC_DEVICE u32 loadTable4(const void* p, uint64_t) { return *static_cast<const u32*>(p); }
FFC_DEVICE void prefetchMap(const void*) {}
FFC_DEVICE void prefetchBulk(const void*, u32) {}
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
FFC_DEVICE float2 rootOfUnity(u32 m, int bits) {
  const double angle = -2 * 3.14159265358979323846 * (m & ((1u << bits) - 1)) / std::ldexp(1.0, bits);
  return {float(std::cos(angle)), float(std::sin(angle))};
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
FFC_DEVICE u32 highProduct(u32 a, u32 b) { return u32((uint64_t(a) * b) >> 32); }

// Tensor copies happen at once; `map` is a TensorMap below.
struct TensorMap {
  char* data;
  int64_t batchStride, channelStride;
  int points, rows;  // of a box: samples of a row, and rows
  int batch;         // rows beyond it are zeros, and not stored
  // A box is so many of the tensor's sixteenths of `points`, and so many groups of each. Outside the tensor loads
  // give zeros and stores do nothing.
  int parts = 16, boxParts = 16, boxGroups = 0;
  int rowBytes() const {
    return boxGroups ? boxGroups * boxParts * 128 : points / 8 * boxParts;
  }
};
namespace emulation {
template <class Move>
inline void tensorCopy(u32 base, const void* map, int part, int group, int b, int h, Move move) {
  const TensorMap& m = *static_cast<const TensorMap*>(map);
  // Rows n1 of a group are 128 bytes long or, below 1024 points, as long as they are; 16-byte pieces are swizzled with the
  // number of the 128-byte line.
  const int pieces = std::min(8, m.points / 128), groups = m.boxGroups ? m.boxGroups : std::max(1, m.points / 1024);
  for (int r = 0; r < m.rows; r++) {
    char* row = m.data + (b + r) * m.batchStride + h * m.channelStride;
    for (int g = 0; g < groups; g++)
      for (int n1 = 0; n1 < m.boxParts; n1++)
        for (int i = 0; i < pieces; i++) {
          const int inBox = r * m.rowBytes() + (g * m.boxParts + n1) * pieces * 16;
          const int line = (base % 1024 + inBox) / 128, swizzled = i ^ (line & (pieces - 1));
          const bool inside = b + r < m.batch && part + n1 >= 0 && part + n1 < m.parts;
          char* global = row + (int64_t(part + n1) * (m.points / 16) + (group + g) * 64 + i * 8) * 2;
          move(at(base + inBox + swizzled * 16, 16), inside ? global : nullptr);
        }
  }
}
}  // namespace emulation
constexpr bool hasTensorCopies = true;
// A barrier is (phase, arrivals still to come, bytes still to come), 16 + 16 + 32 bits.
struct EmulatedBarrier {
  uint16_t phase, arrivals;
  int32_t bytes;
  void settle() {
    if (arrivals == 0 && bytes == 0) phase++, arrivals = 1;
  }
};
inline EmulatedBarrier& barrierAt(u32 address) { return *reinterpret_cast<EmulatedBarrier*>(emulation::at(address, 8)); }
template <bool leaving = false>
FFC_DEVICE void tensorLoadPart(u32 target, const void* map, int part, int group, int b, int h, u32 barrier) {
  emulation::tensorCopy(target, map, part, group, b, h, [](unsigned char* shared, char* global) {
    global ? (void)std::memcpy(shared, global, 16) : (void)std::memset(shared, 0, 16);
  });
  const TensorMap& m = *static_cast<const TensorMap*>(map);
  barrierAt(barrier).bytes -= m.rowBytes() * m.rows;
  barrierAt(barrier).settle();
}
FFC_DEVICE void tensorStorePart(u32 source, const void* map, int part, int group, int b, int h) {
  emulation::tensorCopy(source, map, part, group, b, h, [](unsigned char* shared, char* global) {
    if (global) std::memcpy(global, shared, 16);
  });
}
FFC_DEVICE void tensorLoad(u32 target, const void* map, int b, int h, u32 barrier) {
  tensorLoadPart(target, map, 0, 0, b, h, barrier);
}
FFC_DEVICE void tensorStore(u32 source, const void* map, int b, int h) { tensorStorePart(source, map, 0, 0, b, h); }
// Maps of (samples, b, h): the first samples of a row that begins at `data`, in boxes of so many.
struct RestMap {
  char* data;
  int64_t batchStride, channelStride;
  int samples, batch, boxSamples, rows;
};
namespace emulation {
template <class Move>
inline void restCopy(u32 base, const void* map, int first, int b, int h, Move move) {
  const RestMap& m = *static_cast<const RestMap*>(map);
  for (int r = 0; r < m.rows; r++)
    for (int i = 0; i < m.boxSamples; i += 8) {
      const bool inside = b + r < m.batch && first + i < m.samples;
      char* const global = m.data + (b + r) * m.batchStride + h * m.channelStride + (first + i) * 2;
      if (reinterpret_cast<uintptr_t>(global) % 16 || (base + 2 * first) % 16) std::abort();
      move(at(base + (r * m.boxSamples + i) * 2, 16), inside ? global : nullptr);
    }
}
}  // namespace emulation
FFC_DEVICE void tensorLoadRest(u32 target, const void* map, int first, int b, int h, u32 barrier) {
  emulation::restCopy(target, map, first, b, h, [](unsigned char* shared, char* global) {
    global ? (void)std::memcpy(shared, global, 16) : (void)std::memset(shared, 0, 16);
  });
  const RestMap& m = *static_cast<const RestMap*>(map);
  barrierAt(barrier).bytes -= m.boxSamples * m.rows * 2;
  barrierAt(barrier).settle();
}
FFC_DEVICE void tensorStoreRest(u32 source, const void* map, int first, int b, int h) {
  emulation::restCopy(source, map, first, b, h, [](unsigned char* shared, char* global) {
    if (global) std::memcpy(global, shared, 16);
  });
}
FFC_DEVICE void bulkLoad(u32 target, const void* source, u32 bytes, u32 barrier) {
  std::memcpy(emulation::at(target, int(bytes)), source, bytes);
  barrierAt(barrier).bytes -= int32_t(bytes);
  barrierAt(barrier).settle();
}
FFC_DEVICE void bulkStore(void* target, u32 source, u32 bytes) { std::memcpy(target, emulation::at(source, int(bytes)), bytes); }
FFC_DEVICE void bulkCommit() {}
FFC_DEVICE void bulkStoresReadButOne() {}
FFC_DEVICE void tensorStoresRead() {}
FFC_DEVICE void tensorStoresDone() {}
FFC_DEVICE void fenceTensorCopies() {}
FFC_DEVICE void barrierInit(u32 barrier) { barrierAt(barrier) = {0, 1, 0}; }
FFC_DEVICE void barrierExpect(u32 barrier, u32 bytes) {
  barrierAt(barrier).bytes += int32_t(bytes);
  barrierAt(barrier).arrivals--;
  barrierAt(barrier).settle();
}
FFC_DEVICE void barrierWait(u32 barrier, u32 parity) {
  while ((barrierAt(barrier).phase & 1) == parity) emulation::machine.yield();
}
FFC_DEVICE void splitInit(u32 barrier) { barrierAt(barrier) = {0, emulation::blockThreads / 32, 0}; }
FFC_DEVICE void splitArrive(u32 barrier) {
  warpSync();
  EmulatedBarrier& b = barrierAt(barrier);
  if (emulation::machine.current % 32 == 0 && --b.arrivals == 0) b.phase++, b.arrivals = emulation::blockThreads / 32;
}
FFC_DEVICE void splitWait(u32 barrier, u32 parity) { barrierWait(barrier, parity); }

FFC_DEVICE u32 halfAdd(u32 a, u32 b) {
  using namespace emulation;
  return pair(double(low(a)) + low(b), double(high(a)) + high(b));
}
FFC_DEVICE u32 halfSub(u32 a, u32 b) {
  using namespace emulation;
  return pair(double(low(a)) - low(b), double(high(a)) - high(b));
}
FFC_DEVICE u32 halfMul(u32 a, u32 b) {
  using namespace emulation;
  return pair(double(low(a)) * low(b), double(high(a)) * high(b));
}
FFC_DEVICE u32 halfFma(u32 a, u32 b, u32 c) {
  using namespace emulation;
  return pair(double(low(a)) * low(b) + low(c), double(high(a)) * high(b) + high(c));
}
FFC_DEVICE u32 halfNegate(u32 a) { return a ^ 0x80008000u; }
FFC_DEVICE u32 lowTwice(u32 x) { return (x & 0xffffu) * 0x10001u; }
FFC_DEVICE u32 highTwice(u32 x) { return (x >> 16) * 0x10001u; }
FFC_DEVICE u32 packHalf(float a, float b) { return emulation::pair(a, b); }
FFC_DEVICE float2 unpackHalf(u32 x) { return {emulation::low(x), emulation::high(x)}; }
FFC_DEVICE float asFloat(u32 bits) {
  float f;
  std::memcpy(&f, &bits, 4);
  return f;
}
FFC_DEVICE u32 floatBits(float x) {
  u32 bits;
  std::memcpy(&bits, &x, 4);
  return bits;
}
FFC_DEVICE u32 packBfloat(float a, float b) {
  auto round = [](float x) { return std::isnan(x) ? 0x7fffu : (floatBits(x) + 0x7fff + (floatBits(x) >> 16 & 1)) >> 16; };
  return round(a) | round(b) << 16;
}
FFC_DEVICE u32 largerHalves(u32 a, u32 b) {
  return std::max(a & 0xffffu, b & 0xffffu) | std::max(a >> 16, b >> 16) << 16;
}
FFC_DEVICE u32 largestBfloats(u32 a, u32 b) { return largerHalves(a & 0x7fff7fffu, b & 0x7fff7fffu); }
FFC_DEVICE u32 largestHalves(u32 a, u32 b) {
  using namespace emulation;
  auto larger = [](float x, float y) { return std::fmax(std::fabs(x), std::fabs(y)); };
  return pair(larger(low(a), low(b)), larger(high(a), high(b)));
}
FFC_DEVICE void sharedStoreIfNotBelow(u32 halves, u32 limit, u32 address, u32 value) {
  using namespace emulation;
  if (low(halves) >= low(limit) || high(halves) >= high(limit)) sharedPut(address, value);
}
FFC_DEVICE u32 bfloatMul(u32 a, u32 b) {
  return packBfloat(asFloat(a << 16) * asFloat(b << 16), asFloat(a & 0xffff0000u) * asFloat(b & 0xffff0000u));
}
FFC_DEVICE u32 bfloatFma(u32 a, u32 b, u32 c) {
  return packBfloat(asFloat(a << 16) * asFloat(b << 16) + asFloat(c << 16),
                    asFloat(a & 0xffff0000u) * asFloat(b & 0xffff0000u) + asFloat(c & 0xffff0000u));
}
FFC_DEVICE u32 funnelShift(u32 low, u32 high, u32 bits) { return u32((uint64_t(high) << 32 | low) >> bits); }

}  // namespace ffc::mma
