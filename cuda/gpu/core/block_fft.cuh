// A float32 complex transform by one group of threads through shared memory. Each function below is one stage
// for one thread; between two stages the group synchronises. The functions are also host code, so that a test
// can run the same index maps on the CPU by looping over threads.
//
//   forwardFirst    values from a functor -> shared memory
//   forwardMiddle   shared -> shared, stages 1 .. stages-2
//   forwardLast     shared -> registers, handed to a functor (which may go on to inverseFirst)
//   inverseFirst    registers -> shared
//   inverseMiddle   shared -> shared, stages stages-2 .. 1
//   inverseLast     shared -> registers, handed to a functor in natural order
#pragma once
#include "fft_shape.h"

namespace ffc::gpu {

template <int Count>
FFC_HD void loadPowers(float2 (&powers)[Count], const float2* table, int stride) {
#pragma unroll
  for (int level = 0; level < Count; ++level) {
#ifdef __CUDA_ARCH__
    powers[level] = __ldg(table + level * stride);
#else
    powers[level] = table[level * stride];
#endif
  }
}

// Offset of element q along a digit of stride `inner` from the padded position of element 0. The stride is a
// power of two (a factor 3 is allowed in digit 0 only), so the gaps in between are a compile-time number.
FFC_HD constexpr int digitOffset(int q, int inner) { return q * inner + q * inner / 16; }

// load(n) returns x[n]. ConstantBase: the first stage's twiddle w = e^{2 pi i shift / R0} for shift = 1/4 is
// compiled in; otherwise it is read from the table (any shift).
template <class Shape, bool ConstantBase, class Load>
FFC_HD void forwardFirst(float2* shared, const float2* tables, int thread, Load&& load) {
  constexpr int R = Shape::radixOf(0), inner = Shape::inner(0), count = powerCount(R);
  float2 powers[count];
  if constexpr (ConstantBase) {
    constexpr RootTable<R + 1> roots(1, 4 * R);
#pragma unroll
    for (int level = 0; level < count; ++level) {
      const int e = powerExponent(R, level);
      powers[level] = {roots.re[e], roots.im[e]};
    }
  } else {
    loadPowers(powers, tables + Shape::forwardTable(0), 1);
  }
#pragma unroll 1
  for (int lo = thread; lo < inner; lo += Shape::threads) {
    float2 x[R];
    load(x, lo);
    radix<R, -1, false>(x, powers);
    float2* target = shared + Shape::padded(lo);
#pragma unroll
    for (int k = 0; k < R; ++k) target[digitOffset(k, inner)] = x[slot<R>(k)];
  }
}

template <class Shape, int Stage, int Sign>
FFC_HD void middleButterfly(float2* shared, const float2* tables, int b) {
  constexpr int R = Shape::radixOf(Stage), inner = Shape::inner(Stage), outer = Shape::outer(Stage);
  static_assert((inner & (inner - 1)) == 0, "a factor 3 belongs into digit 0");
  const int lo = b % inner, hi = b / inner;
  float2* at = shared + Shape::padded(hi * (inner * R) + lo);
  float2 x[R], powers[powerCount(R)];
  if (Sign < 0)
    loadPowers(powers, tables + Shape::forwardTable(Stage) + hi, outer);
  else
    loadPowers(powers, tables + Shape::inverseTable(Stage) + lo, inner);
#pragma unroll
  for (int q = 0; q < R; ++q) x[q] = at[digitOffset(q, inner)];
  radix<R, Sign, false>(x, powers);
#pragma unroll
  for (int k = 0; k < R; ++k) at[digitOffset(k, inner)] = x[slot<R>(k)];
}

template <class Shape, int Stage, int Sign>
FFC_HD void middleStage(float2* shared, const float2* tables, int thread) {
#pragma unroll 1
  for (int b = thread; b < Shape::inner(Stage) * Shape::outer(Stage); b += Shape::threads)
    middleButterfly<Shape, Stage, Sign>(shared, tables, b);
}

// The same where only `count` values of digit k_0 are wanted, digitAt(i): frequency-sparse plans.
template <class Shape, int Stage, int Sign, class DigitAt>
FFC_HD void keptMiddleStage(float2* shared, const float2* tables, int thread, int count, DigitAt&& digitAt) {
  constexpr int perDigit = Shape::inner(Stage) * Shape::outer(Stage) / Shape::radixOf(0);  // k_0 is slowest
#pragma unroll 1
  for (int b = thread; b < count * perDigit; b += Shape::threads)
    middleButterfly<Shape, Stage, Sign>(shared, tables, digitAt(b / perDigit) * perDigit + b % perDigit);
}

// Butterfly `hi` of the last forward stage. value of frequency frequencyOfHigh(hi) + q * outer is
// x[slot<R>(q)] afterwards.
template <class Shape>
FFC_HD void forwardLast(float2 (&x)[Shape::radixOf(Shape::stages - 1)], const float2* shared, const float2* tables,
                        int hi) {
  constexpr int last = Shape::stages - 1, R = Shape::radixOf(last);
  float2 powers[powerCount(R)];
  loadPowers(powers, tables + Shape::forwardTable(last) + hi, Shape::outer(last));
  const float2* at = shared + Shape::padded(hi * R);
#pragma unroll
  for (int q = 0; q < R; ++q) x[q] = at[digitOffset(q, 1)];
  radix<R, -1, false>(x, powers);
}

// z[q] in natural order of the last digit.
template <class Shape>
FFC_HD void inverseFirst(float2 (&z)[Shape::radixOf(Shape::stages - 1)], float2* shared, int hi) {
  constexpr int R = Shape::radixOf(Shape::stages - 1);
  radix<R, 1, true>(z, nullptr);
  float2* at = shared + Shape::padded(hi * R);
#pragma unroll
  for (int n = 0; n < R; ++n) at[digitOffset(n, 1)] = z[slot<R>(n)];
}

// store(z, lo): z[slot<R>(q)], turned by the constant e^{-2 pi i q shift / R0} (see closingTurns), is output
// number q * inner + lo. Inputs of digits whose bit is not set count as zero.
template <class Shape, class Store>
FFC_HD void inverseLast(const float2* shared, const float2* tables, int thread, uint32_t digits, Store&& store) {
  constexpr int R = Shape::radixOf(0), inner = Shape::inner(0), count = powerCount(R);
  constexpr int heads = hasThree(R) ? 3 : 2;  // the first level combines that many parts of x
#pragma unroll 1
  for (int lo = thread; lo < inner; lo += Shape::threads) {
    float2 x[R], powers[count], twist[1];
    loadPowers(powers, tables + Shape::inverseTable(0) + lo, inner);
    loadPowers(twist, tables + Shape::twistAt() + lo, 0);
    const float2* at = shared + Shape::padded(lo);
#pragma unroll
    for (int q = 0; q < R; ++q) x[q] = digits >> q & 1 ? at[digitOffset(q, inner)] : float2{0.0f, 0.0f};
    // The factor e^{-2 pi i lo shift / N} common to all outputs goes in where it costs least: into the first
    // part of x, and for the others into the first level's twiddles.
#pragma unroll
    for (int q = 0; q < R / heads; ++q) x[q] = complexProduct(x[q], twist[0]);
#pragma unroll
    for (int level = 0; level < heads - 1; ++level) powers[level] = complexProduct(powers[level], twist[0]);
    radix<R, 1, false>(x, powers);
    store(x, lo);
  }
}
template <class Shape, class Store>
FFC_HD void inverseLast(const float2* shared, const float2* tables, int thread, Store&& store) {
  inverseLast<Shape>(shared, tables, thread, 0xffffffffu, static_cast<Store&&>(store));
}

// The part of the closing twist that depends on output digit q only, for shift = 1/4: e^{-2 pi i q / (4 R0)}.
template <class Shape>
using ClosingTurns = RootTable<Shape::radixOf(0)>;
template <class Shape>
FFC_HD constexpr ClosingTurns<Shape> closingTurns() {
  return ClosingTurns<Shape>(-1, 4 * Shape::radixOf(0));
}

// ------------------------------------------------------------------------------- whole transforms, device only

// How the threads of one transform wait for one another: groups that fit into a warp wait for the warp, so
// that several transforms of one block need no block-wide barrier.
template <class Shape>
__device__ __forceinline__ void groupSync() {
  if constexpr (Shape::threads <= 32 && 32 % Shape::threads == 0)
    __syncwarp();
  else
    __syncthreads();
}

template <class Shape, int Stage = 1>
__device__ __forceinline__ void forwardMiddleStages(float2* shared, const float2* tables, int thread) {
  if constexpr (Stage < Shape::stages - 1) {
    middleStage<Shape, Stage, -1>(shared, tables, thread);
    groupSync<Shape>();
    forwardMiddleStages<Shape, Stage + 1>(shared, tables, thread);
  }
}

template <class Shape, int Stage = Shape::stages - 2>
__device__ __forceinline__ void inverseMiddleStages(float2* shared, const float2* tables, int thread) {
  if constexpr (Stage >= 1) {
    middleStage<Shape, Stage, 1>(shared, tables, thread);
    groupSync<Shape>();
    inverseMiddleStages<Shape, Stage - 1>(shared, tables, thread);
  }
}

// The forward transform alone, for kernel spectra: load(n) -> float2 for 0 <= n < points, then for every
// butterfly of the last stage finish(x, hi), where x[slot<R>(q)] belongs to frequencyOfHigh(hi) + q * outer.
// The samples go to shared memory first, so that load() is compiled once instead of once per register.
template <class Shape, class Load, class Finish>
__device__ __forceinline__ void blockForwardButterflies(float2* shared, const float2* tables, int thread, Load&& load,
                                                        Finish&& finish) {
#pragma unroll 1
  for (int n = thread; n < Shape::points; n += Shape::threads) shared[Shape::padded(n)] = load(n);
  groupSync<Shape>();
  forwardMiddleStages<Shape, 0>(shared, tables, thread);
  constexpr int last = Shape::stages - 1, R = Shape::radixOf(last);
#pragma unroll 1
  for (int hi = thread; hi < Shape::outer(last); hi += Shape::threads) {
    float2 x[R];
    forwardLast<Shape>(x, shared, tables, hi);
    finish(x, hi);
  }
}

// The same with emit(k, X[k]) once for every frequency 0 <= k < points, in no particular order.
template <class Shape, class Load, class Emit>
__device__ __forceinline__ void blockForward(float2* shared, const float2* tables, int thread, Load&& load,
                                             Emit&& emit) {
  constexpr int last = Shape::stages - 1, R = Shape::radixOf(last);
  blockForwardButterflies<Shape>(shared, tables, thread, load, [&](auto& x, int hi) {
    const int k = Shape::frequencyOfHigh(hi);
#pragma unroll
    for (int q = 0; q < R; ++q) emit(k + q * Shape::outer(last), x[slot<R>(q)]);
  });
}

}  // namespace ffc::gpu
