// The source behind one SimdKernels table. Everything lives in a namespace of its own, and nothing from the
// standard library is used, so that no function compiled for a wider machine can replace a common one.
#include <cstdint>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "simd_kernels.h"

namespace ffc {
namespace FFC_SIMD_NAMESPACE {
namespace {

#include "simd_vector.h"
#include "simd_dft.h"
#include "simd_transform.h"
#include "simd_rows.h"

// Rows are read in pieces of so many vectors per branch of the first level, which therefore finds them in the
// first-level cache: 8 branches * 16 vectors of two parts are 16 KiB with 64-byte vectors.
constexpr int64_t tileVectors = 16;

void loadFirstLevel(const Transform& t, float* data, const RowSource& source, int64_t begin, int64_t m0, int64_t m1) {
  const TransformLevel& l = t.level[0];
  for (int64_t m = m0; m < m1; m += tileVectors) {
    const int64_t end = smaller(m + tileVectors, m1);
    for (int i = 0; i < l.radix; ++i) {
      const int64_t vector = i * l.stride + m, index = begin + vector * W;
      readSource(data + vector * S, S, source, index, end - m);
      readSource(data + vector * S + W, S, source, index + t.points, end - m);
    }
    firstLevel<false>(t, data, m, end);
  }
}

void storeFirstLevel(const Transform& t, float* data, const RowSink& sink, const OutputSpan& span, int64_t m0,
                     int64_t m1) {
  const TransformLevel& l = t.level[0];
  for (int64_t m = m0; m < m1; m += tileVectors) {
    const int64_t end = smaller(m + tileVectors, m1);
    firstLevel<true>(t, data, m, end);
    for (int i = 0; i < l.radix; ++i) {
      const int64_t vector = i * l.stride + m, position = vector * W;
      writeSink(data + vector * S, S, sink, span, position, end - m);
      writeSink(data + vector * S + W, S, sink, span, position + t.points, end - m);
    }
  }
}

void convolveBlocks(const Transform& t, int level, float* data, int64_t offset, int64_t blocks,
                    const float* spectrum) {
  processBlocks(t, level, data, offset, blocks, spectrum, 1.0f);
}

void transformBlocks(const Transform& t, int level, float* data, int64_t offset, int64_t blocks, float scale) {
  processBlocks(t, level, data, offset, blocks, nullptr, scale);
}

void loadRow(float* target, const RowSource& source, int64_t begin, int64_t vectors) {
  readSource(target, W, source, begin, vectors);
}

void storeRow(const float* values, const RowSink& sink, const OutputSpan& span, int64_t vectors) {
  writeSink(values, W, sink, span, 0, vectors);
}

void direct(float* out, const float* x, const float* taps, int64_t count, int64_t vectors) {
  int64_t v = 0;
  for (; v + 8 <= vectors; v += 8) directVectors<8>(out + v * W, x + v * W, taps, count);
  for (; v + 4 <= vectors; v += 4) directVectors<4>(out + v * W, x + v * W, taps, count);
  for (; v < vectors; ++v) directVectors<1>(out + v * W, x + v * W, taps, count);
}

}  // namespace
}  // namespace FFC_SIMD_NAMESPACE

const SimdKernels& FFC_SIMD_TABLE() {
  using namespace FFC_SIMD_NAMESPACE;
  static constexpr SimdKernels table = {FFC_SIMD_NAME,       W,          loadFirstLevel,    storeFirstLevel,
                                        middleLevel<false>, middleLevel<true>, convolveBlocks, transformBlocks,
                                        loadRow,             storeRow,   direct};
  return table;
}

}  // namespace ffc
