// The machine: a fiber per thread, what the threads share, and a launch, which runs one block of them after the other. Fibers are switched in a
// seeded random order, with some warps delayed.
#pragma once
#include <ucontext.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <utility>
#include <vector>

#include "types.h"

namespace ffc::mma::emulation {

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

inline void warpWait() { machine.wait(machine.warpBarrier[machine.current >> 5], 32); }

}  // namespace ffc::mma::emulation
