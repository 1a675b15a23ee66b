#include "tensors.h"

#include <algorithm>

namespace ffc {
namespace {

// A stride over an axis of one element is never used; as 0, it does not make two equal layouts look different.
Strides usedByteStrides(const Layout& l) {
  return {l.batch > 1 ? l.strides.batch * l.elementBytes : 0, l.channels > 1 ? l.strides.channel * l.elementBytes : 0};
}

bool intervalsMeet(int64_t a, int64_t aBytes, int64_t b, int64_t bBytes) { return a < b + bBytes && b < a + aBytes; }

int64_t floorDivide(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

}  // namespace

int64_t extentBytes(const char* name, const Layout& l) {
  int64_t batches, channels, elements, bytes;
  if (__builtin_mul_overflow(l.batch - 1, l.strides.batch, &batches) ||
      __builtin_mul_overflow(l.channels - 1, l.strides.channel, &channels) ||
      __builtin_add_overflow(batches, channels, &elements) || __builtin_add_overflow(elements, l.samples, &elements) ||
      __builtin_mul_overflow(elements, l.elementBytes, &bytes))
    throw Error(FFC_LIMIT_EXCEEDED, std::string(name) + " reaches past 2^63 bytes with its shape and strides");
  return bytes;
}

void checkRange(const std::string& what, int64_t offsetBytes, int64_t bytes, const Buffer& buffer) {
  if (offsetBytes < 0 || bytes < 0)
    throw Error(FFC_INVALID_ARGUMENT, what + ": offset " + std::to_string(offsetBytes) + " and length " +
                                          std::to_string(bytes) + " bytes; neither may be negative");
  if (offsetBytes > buffer.bytes() || bytes > buffer.bytes() - offsetBytes)
    throw Error(FFC_OUT_OF_BOUNDS, what + " needs " + std::to_string(bytes) + " bytes at offset " +
                                       std::to_string(offsetBytes) + "; its buffer has " +
                                       std::to_string(buffer.bytes()) + " bytes");
}

PlacedTensor placeTensor(const char* name, const Layout& layout, std::shared_ptr<Buffer> buffer, int64_t offsetBytes) {
  PlacedTensor t;
  t.name = name;
  t.layout = layout;
  t.extentBytes = extentBytes(name, layout);
  checkRange(name, offsetBytes, t.extentBytes, *buffer);
  if (offsetBytes % layout.elementBytes != 0)
    throw Error(FFC_MISALIGNED, std::string(name) + " is at offset " + std::to_string(offsetBytes) +
                                    " bytes; it must be a multiple of its element size, " +
                                    std::to_string(layout.elementBytes));
  t.region.buffer = std::move(buffer);
  t.region.offsetBytes = offsetBytes;
  return t;
}

bool sameLayout(const Layout& a, const Layout& b) {
  const Strides sa = usedByteStrides(a), sb = usedByteStrides(b);
  return a.batch == b.batch && a.channels == b.channels && a.samples == b.samples &&
         a.elementBytes == b.elementBytes && sa.batch == sb.batch && sa.channel == sb.channel;
}

bool sameTensor(const PlacedTensor& a, const PlacedTensor& b) {
  return a.region.buffer == b.region.buffer && a.region.offsetBytes == b.region.offsetBytes &&
         sameLayout(a.layout, b.layout);
}

bool overlap(const PlacedTensor& a, const PlacedTensor& b, bool* exact) {
  *exact = true;
  if (a.region.buffer != b.region.buffer) return false;
  const int64_t aAt = a.region.offsetBytes, bAt = b.region.offsetBytes;
  if (!intervalsMeet(aAt, a.extentBytes, bAt, b.extentBytes)) return false;

  // The extents meet, yet the rows may lie between one another: u and y as the two halves of wider rows.
  const Layout &la = a.layout, &lb = b.layout;
  const int64_t aRow = la.samples * la.elementBytes, bRow = lb.samples * lb.elementBytes;
  Strides sa = usedByteStrides(la), sb = usedByteStrides(lb);

  // Equal shape and strides, the usual case: row (i,j) of a and row (i',j') of b meet if and only if
  // -aRow < shift + di * batch + dj * channel < bRow, with shift = aAt - bAt and di, dj the index differences
  // (every difference below the axis length occurs). One axis is walked, the other one solved: about a nanosecond per
  // step, so axes up to this length are checked exactly.
  constexpr int64_t maxSteps = 4096;
  if (la.batch == lb.batch && la.channels == lb.channels && sa.batch == sb.batch && sa.channel == sb.channel) {
    int64_t walked = la.batch, walkedStride = sa.batch, solved = la.channels, solvedStride = sa.channel;
    if (solved < walked) {
      std::swap(walked, solved);
      std::swap(walkedStride, solvedStride);
    }
    if (walked <= maxSteps) {
      for (int64_t d = 1 - walked; d < walked; ++d) {
        const int64_t shift = aAt - bAt + d * walkedStride;
        if (solvedStride == 0) {
          if (-aRow < shift && shift < bRow) return true;
          continue;
        }
        // Only the largest difference e with shift + e * stride < bRow needs a try: smaller ones lead further down.
        const int64_t largest = std::min(solved - 1, floorDivide(bRow - 1 - shift, solvedStride));
        if (largest >= 1 - solved && shift + largest * solvedStride > -aRow) return true;
      }
      return false;
    }
  }

  // Different layouts with few rows: every pair. A few microseconds at most.
  constexpr int64_t maxPairs = 4096;
  const int64_t aRows = la.batch * la.channels, bRows = lb.batch * lb.channels;
  if (aRows <= maxPairs && bRows <= maxPairs && aRows * bRows <= maxPairs) {
    for (int64_t i = 0; i < aRows; ++i)
      for (int64_t j = 0; j < bRows; ++j)
        if (intervalsMeet(aAt + i / la.channels * sa.batch + i % la.channels * sa.channel, aRow,
                          bAt + j / lb.channels * sb.batch + j % lb.channels * sb.channel, bRow))
          return true;
    return false;
  }
  *exact = false;
  return true;
}

}  // namespace ffc
