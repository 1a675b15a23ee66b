// What --check, --cover and --speed run.
#pragma once
#include <array>
#include <cstdlib>
#include <cstring>
#include <random>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "case.h"

namespace bench {

inline std::vector<Case> checkCases() {
  std::vector<Case> list;
  std::mt19937 random(7);
  const auto pick = [&](std::initializer_list<int64_t> options) { return options.begin()[random() % options.size()]; };
  const auto add = [&](int mode, int dtype, int algorithm, int64_t length, int64_t kernel) -> Case& {
    Case c;
    c.mode = mode;
    c.dtype = dtype;
    c.algorithm = algorithm;
    c.length = length;
    c.kernelLength = kernel;
    const bool small = length + kernel < 3000;
    c.batch = small ? pick({1, 2, 3, 5}) : pick({1, 2, 3});
    c.channels = small ? pick({1, 3, 7}) : pick({1, 2});
    c.kernelDtype = static_cast<int>(pick({1, 1, 2, 3}));
    if (c.dtype == FFC_DTYPE_FLOAT32) c.kernelDtype = FFC_DTYPE_FLOAT32;
    c.flags = random() & (FFC_CONV_PRE_GATE | FFC_CONV_POST_GATE | FFC_CONV_SKIP);
    if (random() % 5 == 0) c.flags |= FFC_CONV_SHARED_KERNEL;
    if (mode == FFC_MODE_FULL || mode == FFC_MODE_VALID) c.flags &= ~uint32_t{FFC_CONV_SKIP};
    c.rowGap = pick({0, 0, 1, 3, 8});
    list.push_back(c);
    return list.back();
  };
  // Every length 1 .. 300, with each family that has no lower limit.
  for (int64_t length = 1; length <= 300; ++length)
    for (const int algorithm : {FFC_ALGORITHM_AUTO, FFC_ALGORITHM_DIRECT, FFC_ALGORITHM_FUSED_FP32})
      add(1 + static_cast<int>(random() % 5), 1 + static_cast<int>(random() % 3), algorithm, length,
          1 + random() % (2 * length));
  const int64_t lengths[] = {383, 385, 511, 513, 700, 768, 1000, 1024, 1025, 1536, 1999, 2048, 2049, 3072, 4095, 4096, 4097,
                             5000, 6144, 8191, 8192, 8193, 10000, 12288, 12289, 16384, 16385, 20000, 24576, 24577, 32767, 32768};
  for (const int64_t length : lengths)
    for (int mode = 1; mode <= 5; ++mode)
      for (int dtype = 1; dtype <= 3; ++dtype) {
        add(mode, dtype, FFC_ALGORITHM_AUTO, length, pick({length, length / 2 + 1, int64_t(1 + random() % (2 * length))}));
        if (dtype != 1) add(mode, dtype, FFC_ALGORITHM_FUSED_FP32, length, pick({length, int64_t(1 + random() % length)}));
      }
  // Windows of a row, short kernels on long rows, and rows longer than any transform.
  for (const int64_t length : {5000, 40000, 100000, 262144})
    for (const int64_t kernel : {3, 100, 1000, 5000, 30000})
      for (const int mode : {FFC_MODE_CAUSAL, FFC_MODE_CIRCULAR, FFC_MODE_FULL, FFC_MODE_SAME, FFC_MODE_VALID}) {
        if (length < 40000 && mode == FFC_MODE_CIRCULAR) continue;
        add(mode, FFC_DTYPE_FLOAT32, length < 40000 ? FFC_ALGORITHM_OVERLAP_SAVE : FFC_ALGORITHM_AUTO, length, kernel);
      }
  // Short kernels on 16-bit rows: lengths around every power of two, and rows of one segment and of many.
  for (int64_t power = 1; power <= 16384; power *= 2)
    for (const int64_t kernel : {power - 1, power, power + 1})
      for (int dtype = 2; dtype <= 3; ++dtype)
        for (const int64_t length : {kernel, int64_t{10007}, int64_t{32768}, int64_t{100003}}) {
          if (kernel < 1 || length < kernel) continue;
          const int mode = 1 + static_cast<int>(random() % 5);
          Case& c = add(mode, dtype, FFC_ALGORITHM_OVERLAP_SAVE, length, kernel);
          c.precision = static_cast<int>(pick({FFC_PRECISION_FAST, FFC_PRECISION_FAST, FFC_PRECISION_ACCURATE}));
          if (mode == FFC_MODE_CIRCULAR && length < 8192) c.mode = FFC_MODE_CAUSAL;
          if (length < 1000) c.batch = 5, c.channels = 7;  // samples enough for the tolerance
        }
  for (const int dtype : {2, 3})
    for (const int mode : {1, 2, 3, 4, 5})
      for (const int64_t kernel : {300, 3000, 13000}) {
        Case& c = add(mode, dtype, FFC_ALGORITHM_OVERLAP_SAVE, 40000, kernel);
        c.precision = FFC_PRECISION_FAST;
        c.batch = 5;
        c.channels = 37;
        c.rowGap = 0;
      }
  // Windows by name: float32 ones that begin at whole lines, and the longest packed ones, whose second gate has no slot;
  // rows that tensor copies serve, and others.
  for (const int mode : {FFC_MODE_CAUSAL, FFC_MODE_CIRCULAR, FFC_MODE_FULL, FFC_MODE_SAME, FFC_MODE_VALID})
    for (const char* name : {"overlap-save/fp32/256/16x16", "overlap-save/fp32/1024/32x32", "overlap-save/fp32/2048/16x8x16",
                             "overlap-save/fp32/4096/16x16x16", "overlap-save/fp32/12288/24x32x16"}) {
      const bool parts = mode == FFC_MODE_CIRCULAR;  // only those read u periodically
      if (parts && std::strcmp(name, "overlap-save/fp32/4096/16x16x16") != 0) continue;
      add(mode, FFC_DTYPE_FLOAT32, FFC_ALGORITHM_AUTO, 40000, 321).candidate = parts ? std::string(name) + "/1parts" : name;
    }
  for (const int mode : {FFC_MODE_CAUSAL, FFC_MODE_CIRCULAR, FFC_MODE_SAME})
    for (const bool accurate : {false, true})
      for (const uint32_t flags : {uint32_t(FFC_CONV_PRE_GATE), uint32_t(FFC_CONV_POST_GATE),
                                   uint32_t(FFC_CONV_PRE_GATE | FFC_CONV_POST_GATE | FFC_CONV_SKIP)})
        for (const int64_t gap : {0, 1}) {
          const int dtype = accurate ? FFC_DTYPE_FLOAT16 : static_cast<int>(pick({FFC_DTYPE_FLOAT16, FFC_DTYPE_BFLOAT16}));
          Case& c = add(mode, dtype, FFC_ALGORITHM_AUTO, 40960 + 3 * gap, pick({12000, 16384}));
          c.precision = accurate ? FFC_PRECISION_ACCURATE : FFC_PRECISION_FAST;
          c.flags = flags;
          c.rowGap = gap;
          c.batch = 2;
          c.channels = 37;  // several blocks an SM's worth of windows
          c.candidate = "overlap-save/mma/16384/16x16x4x16";
        }
  // Smaller devices.
  for (const int64_t shared : {163 * 1024, 99 * 1024})
    for (const int64_t length : {1000, 4096, 8192, 9000, 16384, 20000, 32768})
      for (const int mode : {FFC_MODE_CAUSAL, FFC_MODE_CIRCULAR, FFC_MODE_FULL, FFC_MODE_SAME})
        for (int dtype = 1; dtype <= 3; ++dtype) {
          Case& c = add(mode, dtype, FFC_ALGORITHM_AUTO, length, length);
          c.sharedLimit = shared;
          c.portable = true;
        }
  // In place: y is u. One window per row; where the planner may prefer two shorter ones, by name.
  for (const int64_t length : {1, 7, 64, 1000}) {
    Case& c = add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT32, FFC_ALGORITHM_FUSED_FP32, length, length);
    c.inPlace = true;
  }
  for (const char* name : {"fused-fp32/4096/16x16x16", "fused-fp32/16384/16x32x32"}) {
    const int64_t length = std::atoll(name + std::strlen("fused-fp32/"));
    Case& c = add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT32, FFC_ALGORITHM_AUTO, length, length);
    c.candidate = name;
    c.inPlace = true;
  }
  // Host arrays: small ones, and some large enough to go through in tiles of several shapes.
  for (const int64_t length : {1, 50, 3000, 20000, 100000}) {
    Case& c = add(1 + static_cast<int>(random() % 5), 1 + static_cast<int>(random() % 3), FFC_ALGORITHM_AUTO, length, length / 2 + 1);
    c.hostArrays = true;
    c.rowGap = 0;  // that call takes packed arrays
  }
  for (const int64_t batch : {1, 7, 300}) {
    Case& c = add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT32, FFC_ALGORITHM_AUTO, 1024, 1024);
    c.batch = batch;
    c.channels = 30011 / batch;
    c.hostArrays = true;
    c.rowGap = 0;  // that call takes packed arrays
  }
  // Many rows, so that several units share a block and blocks walk.
  for (int dtype = 1; dtype <= 3; ++dtype) {
    for (const int64_t length : {16, 100, 1000}) {
      Case& c = add(FFC_MODE_CAUSAL, dtype, FFC_ALGORITHM_AUTO, length, length);
      c.batch = 37;
      c.channels = 1001;
    }
  }
  // Passes with rows of 16384 points; the kernel is so short that the float64 reference is a direct sum.
  for (const auto& [dtype, precision] : {std::pair<int, int>{FFC_DTYPE_FLOAT16, FFC_PRECISION_FAST},
                                         {FFC_DTYPE_FLOAT16, FFC_PRECISION_ACCURATE},
                                         {FFC_DTYPE_BFLOAT16, FFC_PRECISION_FAST}}) {
    Case& c = add(1 + static_cast<int>(random() % 5), dtype, FFC_ALGORITHM_MULTI_PASS, int64_t{1} << 24, 32);
    c.length -= random() % (1 << 22);
    c.precision = precision;
    if (precision == FFC_PRECISION_ACCURATE) c.flags = 0;  // the product with a gate is one rounding more than short kernels' bound has
  }
  // Rows of two halves by name: whole ones, some of the second half, rows that begin anywhere, outputs behind the samples, u's place;
  // and more rows than a device has multiprocessors.
  for (const int dtype : {FFC_DTYPE_FLOAT16, FFC_DTYPE_BFLOAT16})
    for (const auto& [length, kernel, rows] :
         {std::array<int64_t, 3>{131072, 131072, 140}, {131072, 70000, 4}, {100003, 100003, 6}, {65536 + 8, 65536 + 8, 6},
          {70000, 30001, 4}, {98304, 98304, 136}, {49153, 49153, 4}}) {
      const bool full = length == 70000;
      Case& c = add(full ? FFC_MODE_FULL : FFC_MODE_CAUSAL, dtype, FFC_ALGORITHM_AUTO, length, kernel);
      c.candidate = length <= 98304 && !full && length != 65536 + 8 ? "fused-mma/49152/4x16x16x3x16/halves" : "fused-mma/65536/4x16x16x4x16/halves";
      c.precision = FFC_PRECISION_FAST;
      c.flags = length % 2 == 0 && !full && rows < 100 ? FFC_CONV_SKIP : 0;
      c.batch = rows / 2;
      c.channels = 2;
      c.checkedRows = 6;
      c.rowGap = length == 70000 ? 1 : 0;
      c.inPlace = length == 98304;
    }
  return list;
}

// A filter bank of so many slots, for a grid of so many points.
inline std::string bankCandidate(int64_t slots, int64_t points = 1 << 20, int rate = 32) {
  return "multi-pass/bank/" + std::to_string(slots) + "x" + std::to_string(points / rate) + "/rate" + std::to_string(rate);
}
// The fused tensor-core candidate of so many points, N2 of them (if there are so many) between the outer digits and the butterfly.
inline std::string mmaCandidate(int64_t points, int n2) {
  const int64_t slices = points <= 16384 ? 1 : points <= 32768 ? 2 : 4, radix = std::max<int64_t>(1, points / slices / 256 / n2);
  std::string radices;
  for (const int64_t digit : {slices, int64_t{16}, points / slices / 256 / radix, radix, int64_t{16}})
    if (digit > 1) radices += (radices.empty() ? "" : "x") + std::to_string(digit);
  return "fused-mma/" + std::to_string(points) + "/" + radices;
}

// Candidates for --cover: every length at which a family changes its instance, in every type, class and gating, small and
// with the least rows that take a block through its steady loop. main() plans each and runs the first of each kind.
inline std::vector<Case> coverCandidates() {
  std::vector<Case> list;
  const auto add = [&](int algorithm, int dtype, int precision, int64_t length, int64_t kernel, bool gated) -> Case& {
    Case c;
    c.algorithm = algorithm;
    c.dtype = dtype;
    c.precision = precision;
    c.length = length;
    c.kernelLength = kernel;
    c.batch = 2;
    c.channels = 3;
    c.flags = gated ? FFC_CONV_PRE_GATE | FFC_CONV_POST_GATE | FFC_CONV_SKIP : 0;
    if (length > 1 << 18) c.checkedRows = 4;
    list.push_back(c);
    return list.back();
  };
  const auto smaller = [](Case& c, int64_t kilobytes) -> Case& {
    c.sharedLimit = kilobytes * 1024;
    c.portable = kilobytes != 0;
    return c;
  };
  constexpr int fast = FFC_PRECISION_FAST, accurate = FFC_PRECISION_ACCURATE;
  // Tensor cores: whole aligned rows and partial ones (tensor copies), ragged ones and an odd batch in the fast class, and
  // one gate where two do not fit. A tile is 4096 points and more, and above 16384 a sequence is one or several, all of one
  // block; each of 132 multiprocessors gets three (some of them two sequences of 65536), or at 4096 points, where three sets of
  // four tiles can be in flight, thirteen.
  const auto tensorCores = [&](int dtype, int precision, int64_t length, int64_t ragged, bool gated) -> Case& {
    Case& c = add(FFC_ALGORITHM_FUSED_MMA, dtype, precision, length - ragged, length - ragged, gated);
    const int64_t sets = length == 4096 && precision == fast && ragged % 8 == 0 ? 13 : 3;
    const int64_t rows = length <= 4096 ? 132 * sets * 4096 / length : 132 * sets * std::min<int64_t>(32768, length) / length;
    c.batch = rows / c.channels / 2 * 2;
    c.rowGap = ragged;
    // 24 rows of 253 samples read 1.81e-3 in bfloat16, where others of them have 1.69e-3 to 1.77e-3.
    c.checkedRows = std::max<int64_t>(c.checkedRows, 32768 / length);
    return c;
  };
  constexpr std::array<int64_t, 9> transforms = {4096, 256, 8192, 12288, 16384, 24576, 32768, 49152, 65536};
  for (const int64_t length : transforms)
    for (const int dtype : {FFC_DTYPE_FLOAT16, FFC_DTYPE_BFLOAT16})
      for (const int precision : {fast, accurate})
        for (const bool gated : {false, true}) {
          // Two slices have no accurate class in bfloat16 (make_instance.cuh).
          if (dtype == FFC_DTYPE_BFLOAT16 && precision == accurate && (length == 24576 || length == 32768)) continue;
          tensorCores(dtype, precision, length, 0, gated);
          if (length <= 8192) tensorCores(dtype, precision, length, 8, gated);  // partial rows that tensor copies serve
          // Rows that begin anywhere, one right behind the other; some of the longer ones reach past their transform. Rows of a
          // channel that begin at different places of 16 bytes go by tables.
          if (precision == fast || length <= 8192 || length > 16384) {
            for (const int64_t less : {int64_t{3}, length / 5 | 1}) {
              Case& c = tensorCores(dtype, precision, length, less, gated);
              c.rowGap = 0;
              c.batch = std::max<int64_t>(2, c.batch * c.channels / 8 / 2 * 2);
              c.channels = 8;
            }
            tensorCores(dtype, precision, length, 3, gated).rowGap = 4;
          }
          // Enough channels for sets of one channel each.
          if (precision == accurate && length <= 8192) {
            Case& c = tensorCores(dtype, precision, length, 0, gated);
            c.batch = std::max<int64_t>(6, c.batch * c.channels / 132 / 2 * 2);
            c.channels = 132;
          }
          if (precision == fast && (length <= 16384 || (dtype == FFC_DTYPE_FLOAT16 && length == 49152))) {
            tensorCores(dtype, precision, length, 3, gated);
            --tensorCores(dtype, precision, length, 0, gated).batch;  // sets that do not end with a channel
          }
          if (gated && length >= 12288) tensorCores(dtype, precision, length, 0, gated).flags = FFC_CONV_POST_GATE;
          // Long rows with a skip term have kernels of their own; what is above has one with both gates.
          if (length >= 12288) {
            tensorCores(dtype, precision, length, 0, gated).flags ^= FFC_CONV_SKIP;
            tensorCores(dtype, precision, length, 8, gated).flags ^= FFC_CONV_SKIP;
          }
        }
  // All of them by name: with so few rows the planner may prefer another order of the same points, another transform, or packed samples in
  // one window, whose plan tells nothing of that: they belong to the family.
  for (Case& c : list) {
    int64_t points = int64_t{1} << 62;
    for (const int64_t length : transforms)
      if (length >= c.length) points = std::min(points, length);
    c.candidate = mmaCandidate(points, 16);
  }
  // Two halves of a row in a sequence each, one after the other: some blocks take two rows.
  for (const int64_t length : {98304, 131072})
    for (const int dtype : {FFC_DTYPE_FLOAT16, FFC_DTYPE_BFLOAT16})
      for (const int64_t ragged : {0, 3}) {
        Case& c = add(FFC_ALGORITHM_FUSED_MMA, dtype, fast, length - ragged, length - ragged, false);
        c.batch = 48;
        c.rowGap = ragged;
        c.checkedRows = 12;
      }
  // Frequency-sparse, with few digits, or of one slice: whole rows and ragged ones. A skip term reaches all frequencies.
  const auto sparse = [&](int dtype, int precision, int64_t length, bool gated, const Pattern& pattern) {
    for (const int64_t ragged : {0, 3}) {
      Case& c = tensorCores(dtype, precision, length, ragged, gated);
      c.flags &= ~FFC_CONV_SKIP;
      c.pattern = pattern;
    }
  };
  Pattern few = scattered(16, 5);
  few.name = "few";
  for (const int dtype : {FFC_DTYPE_FLOAT16, FFC_DTYPE_BFLOAT16}) {
    for (const int64_t length : {8192, 16384, 32768}) sparse(dtype, fast, length, false, few);
    sparse(dtype, fast, 16384, true, few);
    for (const bool gated : {false, true}) sparse(dtype, fast, 65536, gated, scattered(4, 1));
  }
  for (const int64_t length : {4096, 8192, 16384}) {
    sparse(FFC_DTYPE_FLOAT16, accurate, length, false, few);
    if (length == 8192) sparse(FFC_DTYPE_FLOAT16, accurate, length, true, few);
    add(FFC_ALGORITHM_FUSED_FP32, FFC_DTYPE_FLOAT32, accurate, length, length, true).pattern = few;
  }
  // Of circular rows.
  for (const int64_t length : {4096, 8192, 16384, 32768})
    for (const int dtype : {FFC_DTYPE_FLOAT32, FFC_DTYPE_FLOAT16})
      for (const int precision : {fast, accurate}) {
        if (dtype == FFC_DTYPE_FLOAT32 ? precision == fast || length == 32768 : precision == fast ? length < 8192 : false) continue;
        const int64_t aside = dtype == FFC_DTYPE_FLOAT16 && length == 16384 ? 3 : 0;  // rows that begin anywhere
        Case& c = add(FFC_ALGORITHM_AUTO, dtype, precision, length, length, dtype == FFC_DTYPE_FLOAT32);
        c.mode = FFC_MODE_CIRCULAR;
        c.flags &= ~FFC_CONV_SKIP;
        c.batch = 2 * 132 * 3 * 4096 / length;
        c.channels = 2;
        c.rowGap = aside;
        c.pattern = onCircularGrid(length == 32768 && precision == accurate ? scattered(2, 1) : scattered(16, 3));
      }
  sparse(FFC_DTYPE_FLOAT16, accurate, 32768, false, scattered(2, 1));
  sparse(FFC_DTYPE_FLOAT16, accurate, 65536, false, scattered(4, 1));
  // Slots of a filter bank.
  for (const int dtype : {FFC_DTYPE_FLOAT16, FFC_DTYPE_BFLOAT16})
    for (const int precision : {fast, accurate})
      for (const int64_t slots : {6, 16})
        for (const int64_t ragged : {0, 3}) {
          Case& c = add(FFC_ALGORITHM_AUTO, dtype, precision, (1 << 20) - ragged, (1 << 20) - ragged, ragged > 0);
          c.flags &= ~FFC_CONV_SKIP;
          if ((precision == fast) == (ragged > 0)) c.flags |= FFC_CONV_SKIP;
          c.rowGap = ragged;
          c.pattern = scatteredBlocks(1 << 20, 64, slots);
          c.candidate = bankCandidate(slots);
        }
  // Fine banks: one tile of rows for each product, or several.
  for (const int dtype : {FFC_DTYPE_FLOAT16, FFC_DTYPE_BFLOAT16, FFC_DTYPE_FLOAT32})
    for (const int precision : {fast, accurate})
      for (const int64_t slots : {92, 300})
        for (const int64_t ragged : {0, 3}) {
          // In float32 one of the four has both gates and a term.
          const bool both = dtype == FFC_DTYPE_FLOAT32 && slots == 300;
          if (dtype == FFC_DTYPE_FLOAT32 && precision == fast) continue;
          Case& c = add(FFC_ALGORITHM_AUTO, dtype, precision, (1 << 17) - ragged, (1 << 17) - ragged, ragged > 0);
          c.flags &= ~FFC_CONV_SKIP;
          if ((precision == fast) == (ragged > 0) || both) c.flags |= FFC_CONV_SKIP;
          c.rowGap = ragged;
          c.pattern = scatteredBlocks(1 << 17, 1024, slots);
          c.candidate = bankCandidate(slots, 1 << 17, 512);
        }
  // In float32 rings of 524288 points fit into one block; of the blocks at both ends there are other filters.
  for (const int64_t points : {1 << 20, 1 << 19, 1 << 12})
    for (const bool ends : {false, true})
      for (const bool gated : {false, true}) {
        const int64_t length = points - (gated ? 3 : 0), slots = ends ? 16 : 6;
        Case& c = add(FFC_ALGORITHM_AUTO, FFC_DTYPE_FLOAT32, accurate, length, length, gated);
        c.flags &= ~FFC_CONV_SKIP;
        if (points == 1 << 19) c.flags |= FFC_CONV_SKIP;
        c.rowGap = gated;
        c.pattern = scatteredBlocks(points, 64, slots);
        if (ends) std::swap(c.pattern.keep[0], c.pattern.keep[6]);
        c.candidate = bankCandidate(slots, points);
      }
  // Other rings: sets of one channel of 256, 4096 and 8192 points, two slices of 8192, four of 16384.
  for (const int precision : {fast, accurate})
    for (const int64_t points : {1 << 13, 1 << 17, 1 << 18, 1 << 19, 1 << 21}) {
      Case& c = add(FFC_ALGORITHM_AUTO, FFC_DTYPE_FLOAT16, precision, points, points, false);
      c.batch = points < 1 << 18 ? 9 : 2;
      c.pattern = scatteredBlocks(points, 64, 6);
      c.candidate = bankCandidate(6, points);
    }
  // Circular rows of whole periods and of others.
  for (const int dtype : {FFC_DTYPE_FLOAT32, FFC_DTYPE_FLOAT16, FFC_DTYPE_BFLOAT16})
    for (const int64_t slots : {6, 16}) {
      const int64_t period = dtype == FFC_DTYPE_FLOAT32 && slots == 6 ? 1 << 13 : 1 << 20;
      Case& c = add(FFC_ALGORITHM_AUTO, dtype, dtype == FFC_DTYPE_FLOAT32 || slots == 6 ? accurate : fast, period, period, slots == 6);
      c.mode = FFC_MODE_CIRCULAR;
      c.rowGap = slots == 6 ? 3 : 0;
      c.pattern = circularBlocks(period, 64, slots);
      c.candidate = bankCandidate(slots, period);
    }
  // Other circular patterns are convolved into the kernel.
  {
    Case& c = add(FFC_ALGORITHM_AUTO, FFC_DTYPE_FLOAT32, accurate, 1024, 1024, false);
    c.mode = FFC_MODE_CIRCULAR;
    c.pattern = lowest(512, 0.25);
    c.pattern.keep.push_back(0);  // the last of 513 bins
  }
  // Passes with kept rows and with kept pieces of spectra.
  for (const int dtype : {FFC_DTYPE_FLOAT32, FFC_DTYPE_FLOAT16, FFC_DTYPE_BFLOAT16})
    for (const int precision : {fast, accurate})
      for (const int64_t length : {1 << 18, 1 << 19})
        for (const Pattern& pattern : {scattered(64, 9), lowest(length, 0.25)}) {
          if (dtype == FFC_DTYPE_FLOAT32 && precision == fast) continue;  // the same
          Case& c = add(FFC_ALGORITHM_MULTI_PASS, dtype, precision, length, length, false);
          c.batch = 1;
          c.pattern = pattern;
        }
  // Its other transforms share their code; one class, of rows that fill them and of shorter ones.
  for (const int n2 : {2, 4, 8}) {
    const int64_t length = n2 == 2 ? 512 : 192 * n2;
    add(FFC_ALGORITHM_FUSED_MMA, FFC_DTYPE_FLOAT16, fast, length, length, false).candidate = mmaCandidate(256 * n2, n2);
  }
  for (const int64_t length : {1, 100, 1000})
    add(FFC_ALGORITHM_DIRECT, FFC_DTYPE_FLOAT32, accurate, length, length, length == 100);
  // One transform a row; then windows, with kernels of one and of several parts.
  for (const int64_t length : {16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192,
                               12288, 16384, 24576, 32768})
    for (const bool gated : {false, true}) add(FFC_ALGORITHM_FUSED_FP32, FFC_DTYPE_FLOAT32, accurate, length, length, gated);
  for (const int64_t kernel : {100, 3000, 20000, 50000})
    for (const int64_t kilobytes : {0, 99})
      smaller(add(FFC_ALGORITHM_OVERLAP_SAVE, FFC_DTYPE_FLOAT32, accurate, 50000, kernel, false), kilobytes);
  // Several passes: rows that fill the transform. Other splits are run by name below.
  for (const int dtype : {FFC_DTYPE_FLOAT32, FFC_DTYPE_FLOAT16, FFC_DTYPE_BFLOAT16})
    for (const int precision : {fast, accurate})
      for (const int64_t length : {1 << 16, 1 << 18}) {
        if (dtype == FFC_DTYPE_FLOAT32 && precision == fast) continue;  // the same
        add(FFC_ALGORITHM_MULTI_PASS, dtype, precision, length, length, length == 1 << 18).batch = 1;
      }
  // Each number of rows, which has kernel spectra by columns of its own; a kernel so short that the float64 reference is a direct sum.
  for (const int precision : {fast, accurate})
    for (const int inner : {2, 4, 8, 16}) {
      const std::string split = std::to_string(16 * inner) + "x4096/16x" + std::to_string(inner) + "x16x16x16";
      Case& c = add(FFC_ALGORITHM_MULTI_PASS, FFC_DTYPE_FLOAT16, precision, int64_t{16 * 4096} * inner, 32, false);
      c.candidate = "multi-pass/mma/" + split;
      c.batch = c.channels = 1;
    }
  // Rows of 16384 points, with a kernel so short that the float64 reference is a direct sum.
  add(FFC_ALGORITHM_MULTI_PASS, FFC_DTYPE_FLOAT16, fast, 9000001, 32, false).batch = list.back().channels = 1;
  add(FFC_ALGORITHM_MULTI_PASS, FFC_DTYPE_FLOAT16, accurate, 9000001, 32, false).batch = list.back().channels = 1;
  add(FFC_ALGORITHM_MULTI_PASS, FFC_DTYPE_BFLOAT16, fast, 9000001, 32, true).batch = list.back().channels = 1;
  // The longest, also on a smaller device, with a kernel so short that the float64 reference is a direct sum.
  for (const int64_t kilobytes : {0, 99})
    smaller(add(FFC_ALGORITHM_MULTI_PASS, FFC_DTYPE_FLOAT32, accurate, (int64_t{1} << 25) - 31, 32, false), kilobytes).batch =
        list.back().channels = 1;

  // What the planner chooses by itself, in every mode.
  for (int mode = FFC_MODE_CAUSAL; mode <= FFC_MODE_VALID; ++mode)
    for (int dtype = FFC_DTYPE_FLOAT32; dtype <= FFC_DTYPE_BFLOAT16; ++dtype)
      for (const int64_t length : {200, 3000, 20000, 70000}) {
        Case& c = add(FFC_ALGORITHM_AUTO, dtype, FFC_PRECISION_DEFAULT, length, length / 2 + 1, false);
        c.mode = mode;
        c.flags = FFC_CONV_PRE_GATE;
        c.rowGap = 1;
      }
  return list;
}

// Problems whose candidates are all run by name, so that what the planner never prefers is run as well: rows of one
// transform, rows that are long beside their kernels, and the longest and shortest transforms.
inline std::vector<Case> problemsForEveryCandidate() {
  std::vector<Case> list;
  for (const auto& [length, kernel] : {std::pair<int64_t, int64_t>{5000, 5000}, {65536, 500}, {9000001, 32}})
    for (const int dtype : {FFC_DTYPE_FLOAT32, FFC_DTYPE_FLOAT16, FFC_DTYPE_BFLOAT16})
      for (const int precision : {FFC_PRECISION_ACCURATE, FFC_PRECISION_FAST})
        for (const bool gated : {false, true})
          for (const int64_t kilobytes : {0, 99}) {
            Case c;
            c.dtype = dtype;
            c.precision = precision;
            c.length = length;
            c.kernelLength = kernel;
            c.batch = c.channels = 2;
            c.flags = gated ? FFC_CONV_PRE_GATE | FFC_CONV_POST_GATE : 0;
            c.sharedLimit = kilobytes * 1024;
            c.portable = kilobytes != 0;
            if (length > 65536) c.batch = c.channels = 1;
            list.push_back(c);
          }
  // Patterns: the shortest splits, every split of 2^18 points and, on CUDA cores, of 2^20.
  for (const int64_t length : {1 << 14, 1 << 15, 1 << 18, 1 << 20})
    for (const int dtype : {FFC_DTYPE_FLOAT32, FFC_DTYPE_FLOAT16})
      for (const int precision : {FFC_PRECISION_ACCURATE, FFC_PRECISION_FAST})
        for (const Pattern& pattern : {scattered(32, 5), lowest(length, 0.25)}) {
          if (precision == FFC_PRECISION_FAST && (dtype == FFC_DTYPE_FLOAT32 || length > 1 << 18)) continue;
          Case c;
          c.dtype = dtype;
          c.precision = precision;
          c.length = c.kernelLength = length;
          c.batch = c.channels = 1;
          c.pattern = pattern;
          list.push_back(c);
        }
  // Bands of frequencies, at a half and a quarter of the sampling rate.
  for (const int dtype : {FFC_DTYPE_FLOAT32, FFC_DTYPE_FLOAT16, FFC_DTYPE_BFLOAT16})
    for (const int precision : {FFC_PRECISION_ACCURATE, FFC_PRECISION_FAST})
      for (const double part : {0.25, 0.09})
        for (const bool gated : {false, true}) {
          if (dtype == FFC_DTYPE_FLOAT32 && precision == FFC_PRECISION_FAST) continue;
          Case c;
          c.dtype = dtype;
          c.precision = precision;
          c.length = c.kernelLength = 1 << 19;
          if (gated) c.length -= 3;
          c.batch = c.channels = 1;
          c.flags = gated ? FFC_CONV_PRE_GATE | FFC_CONV_POST_GATE : 0;
          // In the middle of the spectrum filters change sign, and those of float32 are longer.
          c.pattern = !gated ? lowest(c.length, part) : part > 0.1 ? band(c.length, 0.3, 0.5) : band(c.length, 0.1, 0.19);
          list.push_back(c);
        }
  // The same of circular rows, and classes.
  for (const int dtype : {FFC_DTYPE_FLOAT32, FFC_DTYPE_FLOAT16, FFC_DTYPE_BFLOAT16})
    for (const int precision : {FFC_PRECISION_ACCURATE, FFC_PRECISION_FAST})
      for (const double part : {0.25, 0.09, 1.0}) {
        if (dtype == FFC_DTYPE_FLOAT32 && precision == FFC_PRECISION_FAST) continue;
        Case c;
        c.mode = FFC_MODE_CIRCULAR;
        c.dtype = dtype;
        c.precision = precision;
        c.length = c.kernelLength = part == 1 ? 1 << 17 : 1 << 19;
        c.batch = c.channels = 1;
        c.flags = part == 0.09 ? FFC_CONV_PRE_GATE | FFC_CONV_POST_GATE : 0;
        c.pattern = onCircularGrid(part == 1 ? scattered(32, 5) : part > 0.1 ? band(c.length, 0.3, 0.5) : band(c.length, 0.1, 0.19));
        list.push_back(c);
      }
  // The shortest transforms.
  for (const int64_t length : {12, 20, 28, 40, 56, 80, 160})
    for (const bool gated : {false, true}) {
      Case c;
      c.length = c.kernelLength = length;
      c.batch = c.channels = 2;
      c.flags = gated ? FFC_CONV_PRE_GATE | FFC_CONV_POST_GATE : 0;
      list.push_back(c);
    }
  return list;
}

inline std::vector<std::string> matches(const std::string& text, const std::regex& pattern) {
  std::vector<std::string> found;
  for (std::sregex_iterator i(text.begin(), text.end(), pattern), end; i != end; ++i) found.push_back((*i)[1]);
  return found;
}

// The parts of a candidate that are device functions of their own: for several passes the columns and the rows. None for
// whole rows on tensor cores, which coverCandidates() lists itself.
inline std::vector<std::string> partsOf(const Case& c, const std::string& candidate) {
  const std::string storage = c.dtype != FFC_DTYPE_FLOAT32 ? "/half" : "/float", precision = c.fast() ? "/fast" : "/accurate";
  std::smatch split;
  // On tensor cores the columns read and write their own dtype, and precision is another device function.
  if (std::regex_search(candidate, split, std::regex("^multi-pass(/mma)?/([0-9]+)x([0-9]+)/"))) {
    // Columns of another rate are device functions of their own; circular rings take other turns within the same ones.
    std::smatch ring;
    std::regex_search(candidate, ring, std::regex("(/rate[0-9])?(/circular)?$"));
    // A skip term may be added by another last pass.
    const std::string kind = (c.pattern ? "/" + c.pattern.name + (c.flags & FFC_CONV_SKIP && split[1].matched ? "/skip" : "") : std::string()) + ring.str() + split[1].str() + storage + (split[1].matched ? precision : "");
    return {"columns" + split[2].str() + kind + (split[1].matched ? dtypeNames[c.dtype] : ""), "rows" + split[3].str() + kind};
  }
  if (candidate.find("fp32") != std::string::npos || candidate == "direct") return {candidate};
  if (candidate.rfind("fused-mma/", 0) == 0) return {};
  const bool bank = candidate.find("/bank/") != std::string::npos;
  return {candidate + "/" + dtypeNames[c.dtype] + precision + (c.gates() ? "/gated" : "") + (bank && c.flags & FFC_CONV_SKIP ? "/skip" : "") +
          (bank && c.mode == FFC_MODE_CIRCULAR ? "/circular" : "")};
}

// Cases with the same kind run the same device functions in the same way.
inline std::string kindOf(const Case& c, const ffc_plan_info& info) {
  std::string kind = std::string(algorithmNames[info.algorithm]) + "/" + dtypeNames[c.dtype] + "/" +
                     (info.precision == FFC_PRECISION_FAST ? "fast" : "accurate");
  for (int i = 0; i < info.order; ++i) kind += (i ? "x" : "/") + std::to_string(info.radices[i]);
  if (info.algorithm == FFC_ALGORITHM_FUSED_MMA)
    kind += c.rowGap == 4             ? "/tables"
            : c.channels > 100        ? "/channels"
            : (c.length + c.rowGap) % 8 ? c.length + 7 > info.transform_length ? "/wrapping" : "/anywhere"
            : c.length % 8            ? "/ragged"
            : c.rowGap                ? "/partial"
            : c.batch % 2             ? "/odd"
                                      : "/whole";
  if (info.algorithm != FFC_ALGORITHM_MULTI_PASS) kind += "/g" + std::to_string(c.gates());
  if (info.segments > 1) kind += "/windows";
  if (c.pattern) kind += "/" + c.pattern.name;
  // Long rows with a skip term have kernels of their own.
  if (c.flags & FFC_CONV_SKIP && (c.pattern || (info.algorithm == FFC_ALGORITHM_FUSED_MMA && info.transform_length >= 12288))) kind += "/skip";
  if (c.pattern && c.mode == FFC_MODE_CIRCULAR) kind += "/circular";
  return kind;
}

inline std::vector<Case> speedCases() {
  std::vector<Case> list;
  const auto add = [&](int mode, int dtype, int precision, int64_t batch, int64_t channels, int64_t length, int64_t kernel,
                       bool gated, int algorithm = FFC_ALGORITHM_AUTO) {
    Case c;
    c.mode = mode;
    c.dtype = dtype;
    c.precision = precision;
    c.batch = batch;
    c.channels = channels;
    c.length = length;
    c.kernelLength = kernel;
    c.flags = gated ? FFC_CONV_PRE_GATE | FFC_CONV_POST_GATE : 0;
    c.algorithm = algorithm;
    list.push_back(c);
  };
  const auto batchFor = [](int64_t length) { return length <= 8192 ? 64 : length <= 16384 ? 32 : length <= 32768 ? 16 : 8; };
  for (int64_t length = 256; length <= 32768; length *= 2)
    for (const bool gated : {false, true}) {
      const int64_t batch = batchFor(length);
      add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT32, FFC_PRECISION_ACCURATE, batch, 768, length, length, gated);
      add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT16, FFC_PRECISION_FAST, batch, 768, length, length, gated);
      add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT16, FFC_PRECISION_ACCURATE, batch, 768, length, length, gated);
      add(FFC_MODE_CAUSAL, FFC_DTYPE_BFLOAT16, FFC_PRECISION_FAST, batch, 768, length, length, gated);
    }
  // The longest rows in the batch of the others, too: the fewer tiles a block has, the more its start and end weigh.
  for (const int64_t length : {16384, 32768}) {
    for (const bool gated : {false, true}) {
      add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT16, FFC_PRECISION_FAST, 64, 768, length, length, gated);
      add(FFC_MODE_CAUSAL, FFC_DTYPE_BFLOAT16, FFC_PRECISION_FAST, 64, 768, length, length, gated);
    }
    add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT16, FFC_PRECISION_ACCURATE, 64, 768, length, length, false);
  }
  for (int64_t length = 256; length <= 32768; length *= 2) {
    add(FFC_MODE_CIRCULAR, FFC_DTYPE_BFLOAT16, FFC_PRECISION_FAST, batchFor(length), 768, length, length, false);
    add(FFC_MODE_CIRCULAR, FFC_DTYPE_FLOAT16, FFC_PRECISION_FAST, batchFor(length), 768, length, length, false);
    add(FFC_MODE_CIRCULAR, FFC_DTYPE_FLOAT32, FFC_PRECISION_ACCURATE, batchFor(length), 768, length, length, false);
  }
  for (const int64_t length : {1100, 1500, 3000, 5000, 6000, 10000, 12000, 20000, 24000}) {
    add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT32, FFC_PRECISION_ACCURATE, batchFor(length), 768, length, length, false);
    add(FFC_MODE_CAUSAL, FFC_DTYPE_BFLOAT16, FFC_PRECISION_FAST, batchFor(length), 768, length, length, false);
  }
  // Within 20 % of a power of two: multiples of eight samples, and one sample less.
  for (int64_t power = 256; power <= 65536; power *= 2)
    for (const int64_t length : {(power * 4 / 5 + 8) / 8 * 8, power * 9 / 10 / 8 * 8, power - 8, power - 1}) {
      add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT16, FFC_PRECISION_FAST, batchFor(length), 768, length, length, false);
      add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT16, FFC_PRECISION_ACCURATE, batchFor(length), 768, length, length, false);
      add(FFC_MODE_CAUSAL, FFC_DTYPE_BFLOAT16, FFC_PRECISION_FAST, batchFor(length), 768, length, length, false);
      if (power <= 8192) add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT16, FFC_PRECISION_FAST, batchFor(length), 768, length, length, true);
    }
  // With a skip term, as models have it.
  for (int64_t length = 256; length <= 65536; length *= 2)
    for (const bool gated : {false, true})
      for (const auto& [dtype, precision] : {std::pair<int, int>{FFC_DTYPE_FLOAT16, FFC_PRECISION_FAST},
                                             {FFC_DTYPE_FLOAT16, FFC_PRECISION_ACCURATE},
                                             {FFC_DTYPE_BFLOAT16, FFC_PRECISION_FAST}}) {
        add(FFC_MODE_CAUSAL, dtype, precision, batchFor(length), 768, length, length, gated);
        list.back().flags |= FFC_CONV_SKIP;
      }
  // Transforms of three times a power of two.
  for (int64_t power = 256; power <= 8192; power *= 2)
    for (const int64_t length : {power * 3, power * 3 - 8})
      add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT16, FFC_PRECISION_FAST, batchFor(length), 768, length, length, false);
  // Small batches; the same as in peers.py.
  for (int64_t length = 256; length <= 32768; length *= 2)
    for (const auto& [batch, channels] : {std::pair<int64_t, int64_t>{1, 768}, {4, 768}, {1, 16}, {4, 16}, {64, 16}}) {
      add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT32, FFC_PRECISION_ACCURATE, batch, channels, length, length, false);
      add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT16, FFC_PRECISION_FAST, batch, channels, length, length, false);
      add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT16, FFC_PRECISION_ACCURATE, batch, channels, length, length, false);
      add(FFC_MODE_CAUSAL, FFC_DTYPE_BFLOAT16, FFC_PRECISION_FAST, batch, channels, length, length, false);
    }
  // Long sequences: B = 8 and the channels of the shorter rows up to 2^18 samples, so that a last wave of blocks or a last chunk of
  // scratch that is not full weighs as little as in such models; beyond that as many as keep the work at 4 * 10^8 samples, and one
  // row a channel.
  for (int64_t length = 65536; length <= (int64_t{1} << 24); length *= 2) {
    const int64_t channels = length <= (1 << 18) ? 768 : (int64_t{48} << 20) / length;
    add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT16, FFC_PRECISION_FAST, 8, channels, length, length, false);
    add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT16, FFC_PRECISION_ACCURATE, 8, channels, length, length, false);
    add(FFC_MODE_CAUSAL, FFC_DTYPE_BFLOAT16, FFC_PRECISION_FAST, 8, channels, length, length, false);
    if (length <= (1 << 20)) {
      add(FFC_MODE_CAUSAL, FFC_DTYPE_BFLOAT16, FFC_PRECISION_FAST, 8, channels, length, length, true);
      add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT32, FFC_PRECISION_ACCURATE, 8, channels, length, length, false);
    }
  }
  add(FFC_MODE_CAUSAL, FFC_DTYPE_BFLOAT16, FFC_PRECISION_FAST, 1, 256, 1 << 20, 1 << 20, false);
  // Short kernels on long sequences.
  for (const int64_t kernel : {512, 4096, 16384})  // a length that tensor copies do not serve
    add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT16, FFC_PRECISION_FAST, 1, 256, (1 << 20) + 8, kernel, false);
  for (const int64_t length : {1 << 20, 1 << 22})
    for (const int64_t batch : {1, 8})
      for (const int64_t kernel : {512, 4096, 16384})
        for (const bool gated : {false, true}) {
          add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT16, FFC_PRECISION_FAST, batch, 256, length, kernel, gated);
          add(FFC_MODE_CAUSAL, FFC_DTYPE_BFLOAT16, FFC_PRECISION_FAST, batch, 256, length, kernel, gated);
          add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT16, FFC_PRECISION_ACCURATE, batch, 256, length, kernel, gated);
          // Four float32 tensors of 8 x 256 x 4M samples are all of the device's memory.
          if (gated && batch > 1 && length > 1 << 20) continue;
          add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT32, FFC_PRECISION_ACCURATE, batch, 256, length, kernel, gated);
        }
  // The kernels in between, and one gate.
  for (const int64_t kernel : {1, 2, 16, 64, 128, 700, 1000, 2048, 3000, 6000, 8192, 12000})
    for (const int gates : {0, 1, 2, 3}) {
      if (gates % 3 != 0 && kernel != 64 && kernel != 3000 && kernel != 12000) continue;
      const auto gate = [&] {
        list.back().flags = (gates & 1 ? FFC_CONV_PRE_GATE : 0) | (gates & 2 ? FFC_CONV_POST_GATE : 0);
      };
      add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT16, FFC_PRECISION_FAST, 1, 256, 1 << 20, kernel, false), gate();
      add(FFC_MODE_CAUSAL, FFC_DTYPE_BFLOAT16, FFC_PRECISION_FAST, 1, 256, 1 << 20, kernel, false), gate();
      add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT32, FFC_PRECISION_ACCURATE, 1, 256, 1 << 20, kernel, false), gate();
    }
  // Where the direct product ends: the same kernel both ways.
  for (const int64_t kernel : {4, 16, 32, 64, 128})
    for (const int algorithm : {FFC_ALGORITHM_DIRECT, FFC_ALGORITHM_FUSED_FP32, FFC_ALGORITHM_AUTO}) {
      add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT32, FFC_PRECISION_ACCURATE, 64, 768, 1024, kernel, false, algorithm);
      add(FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT32, FFC_PRECISION_ACCURATE, 64, 768, kernel, kernel, false, algorithm);
    }
  return list;
}

// Patterns of a length: classes as a choice by energy leaves them, classes in order, and bands. About 50, 75 and 91 per cent
// zeros. Transforms in one block have their digits in 16 classes.
inline std::vector<Pattern> patternsFor(int64_t length) {
  std::vector<Pattern> list = {scattered(256, 128), scattered(256, 64), scattered(256, 23), lowest(length, 0.25),
                               lowest(length, 0.09), band(length, 0.3, 0.55), band(length, 0.25, 0.5), band(length, 0.75, 1),
                               band(length, 0.45, 0.54)};
  for (const int64_t modulus : {2, 4, 11}) {
    Pattern p;
    p.name = "every" + std::to_string(modulus);
    p.block = 256;
    p.keep.assign(256, 0);
    for (int64_t c = 0; c < 256; c += modulus) p.keep[c] = 1;
    list.push_back(p);
  }
  // Slots of a filter bank.
  for (const int64_t blocks : {16, 6, 3})
    if (sparsePoints(length) >= (blocks > 3 ? 4096 : 1 << 20)) list.push_back(scatteredBlocks(length, 64, blocks));
  for (const int64_t blocks : {256, 92})
    if (sparsePoints(length) >= 1 << 17) list.push_back(scatteredBlocks(length, 1024, blocks));
  if (length > 32768) return list;
  list.push_back(scattered(16, 4));
  list.push_back(scattered(32, 3));
  return list;
}

inline std::vector<Case> sparseCases(bool speed) {
  std::vector<Case> list;
  std::mt19937 random(9);
  const auto add = [&](int dtype, int precision, int64_t length, int64_t batch, int64_t channels, int algorithm, int gates = 0) {
    Case c;
    c.dtype = dtype;
    c.precision = precision;
    c.algorithm = algorithm;
    c.length = c.kernelLength = length;
    c.batch = batch;
    c.channels = channels;
    c.flags = gates;
    if (speed) {  // the dense one, to compare with
      c.pattern.name = "dense";
      list.push_back(c);
    }
    for (const Pattern& pattern : patternsFor(length)) {
      // The same picture at every long length: two patterns tell. 65536 points skip slices, the classes mod 4.
      const bool slices = length == 1 << 16 && (pattern.name == "every2" || pattern.name == "every4");
      const bool slots = length <= 1 << 21 && pattern.name.rfind("blocks", 0) == 0;
      if (speed && length > 32768 && length != 1 << 20 && !slices && !slots && pattern.name != "scattered64of256" && pattern.name != "scattered23of256")
        continue;
      // The float64 reference of a million samples takes a second.
      if (!speed && length > 200000 && pattern.name != scattered(256, 23).name && pattern.kind == FFC_SPARSITY_CLASSES) continue;
      // In one block, classes are what skips anything: few digits, or slices.
      const bool classesOf16 = pattern.name == "every2" || pattern.name == "every4" || pattern.name == scattered(16, 4).name ||
                               pattern.name == scattered(32, 3).name;
      if (speed && length <= 1 << 16 && dtype != FFC_DTYPE_FLOAT32 && (gates || precision == FFC_PRECISION_ACCURATE) && !classesOf16) continue;
      // What a pattern of neighbours saves is the spectrum, which one row a channel reads for itself.
      if (speed && batch == 1 && pattern.kind == FFC_SPARSITY_CLASSES && pattern.name != scattered(256, 64).name) continue;
      c.pattern = pattern;
      if (!speed) {
        c.flags = random() & (FFC_CONV_PRE_GATE | FFC_CONV_POST_GATE | FFC_CONV_SKIP);
        if (random() % 5 == 0) c.flags |= FFC_CONV_SHARED_KERNEL;
        c.rowGap = random() % 2;
        c.kernelLength = random() % 2 ? length : 1 + random() % length;
      }
      list.push_back(c);
    }
  };
  if (!speed) {
    for (const int64_t length : {1, 100, 256, 1000, 2048, 4096, 5000, 8192, 16384, 32768, 40000, 65536, 131072, 300000, 1048576, 4194304})
      for (int dtype = 1; dtype <= 3; ++dtype)
        for (const int precision : {FFC_PRECISION_FAST, FFC_PRECISION_ACCURATE})
          if (length <= 300000 || (dtype == FFC_DTYPE_FLOAT16 && (length <= 1 << 20 || precision == FFC_PRECISION_FAST)))
            add(dtype, precision, length, length > 1000000 ? 1 : 2, length > 1000000 ? 2 : 3, FFC_ALGORITHM_AUTO);
    for (const int64_t length : {1000, 4096, 32768})
      add(FFC_DTYPE_BFLOAT16, FFC_PRECISION_DEFAULT, length, 2, 3, FFC_ALGORITHM_FUSED_FP32);
    for (const int64_t length : {65536, 1048576})
      add(FFC_DTYPE_FLOAT16, FFC_PRECISION_DEFAULT, length, 2, 3, FFC_ALGORITHM_MULTI_PASS);
    // Filter banks, of rows of any length and alignment: blocks of one of `all`, causal and where that is offered circular.
    const auto addBank = [&](int dtype, int precision, int64_t length, int64_t all, int64_t blocks, int rate, auto&& change) {
      constexpr unsigned anyFlags = FFC_CONV_PRE_GATE | FFC_CONV_POST_GATE | FFC_CONV_SKIP | FFC_CONV_SHARED_KERNEL;
      Case c;
      c.dtype = dtype;
      c.precision = precision;
      c.length = c.kernelLength = length;
      if (random() % 2) c.kernelLength = 1 + random() % length;
      c.batch = 2;
      c.channels = 2;
      c.flags = random() & anyFlags;
      c.rowGap = random() % 2;
      c.pattern = scatteredBlocks(length, all, blocks);
      change(c.pattern);
      c.candidate = bankCandidate(blocks, sparsePoints(length), rate);
      list.push_back(c);
      if (sparsePoints(length) != length || length > 1 << 20) return;
      c.mode = FFC_MODE_CIRCULAR;
      c.flags = random() & anyFlags;
      c.kernelLength = length;
      c.pattern = circularBlocks(length, all, blocks);
      list.push_back(c);
    };
    for (const int64_t length : {4096, 10000, 32767, 65536, 120000, 200001, 262144, 300001, 524288, 524289, 1000000, 1048573, 1048576, 2097152, 2000003})
      for (const int dtype : {FFC_DTYPE_FLOAT32, FFC_DTYPE_FLOAT16, FFC_DTYPE_BFLOAT16})
        for (const int precision : {FFC_PRECISION_FAST, FFC_PRECISION_ACCURATE})
          for (const int64_t blocks : {1, 6, 16}) {
            if (dtype == FFC_DTYPE_FLOAT32 ? precision == FFC_PRECISION_FAST || length > 1 << 20 : length < 8192) continue;
            addBank(dtype, precision, length, 64, blocks, 32, [&](Pattern& pattern) {
              // Those at both ends instead of two that the pattern keeps.
              if (random() % 3 == 0) std::swap(pattern.keep[0], pattern.keep[12]);
              if (blocks > 1 && random() % 3 == 0) std::swap(pattern.keep[63], pattern.keep[52]);
            });
          }
    // Fine ones: some slots, and so many that tiles are several for a k0.
    for (const int64_t length : {131072, 200001, 262144, 524289, 1000000, 1048576, 2097152, 4000003})
      for (const int dtype : {FFC_DTYPE_FLOAT16, FFC_DTYPE_BFLOAT16, FFC_DTYPE_FLOAT32})
        for (const int precision : {FFC_PRECISION_FAST, FFC_PRECISION_ACCURATE})
          for (const int64_t blocks : {3, 92, 256, 304})
            if ((dtype != FFC_DTYPE_FLOAT32 || precision == FFC_PRECISION_ACCURATE) && (blocks != 256 || length <= 1 << 20))
              addBank(dtype, precision, length, 1024, blocks, 512, [](Pattern&) {});
    // Circular rows on their own frequencies.
    for (const int64_t length : {4096, 8192, 16384, 32768, 1 << 16, 1 << 17, 1 << 18, 1 << 20})
      for (const int dtype : {FFC_DTYPE_FLOAT32, FFC_DTYPE_FLOAT16, FFC_DTYPE_BFLOAT16})
        for (const int precision : {FFC_PRECISION_FAST, FFC_PRECISION_ACCURATE})
          for (const Pattern& pattern : {scattered(16, 4), scattered(2, 1), scattered(32, 9), scattered(256, 23), lowest(length, 0.25),
                                         band(length, 0.3, 0.55), band(length, 0.45, 0.54)}) {
            if (dtype == FFC_DTYPE_FLOAT32 && precision == FFC_PRECISION_FAST) continue;
            if (length < 1 << 16 && (pattern.kind == FFC_SPARSITY_BLOCKS || pattern.block > 32)) continue;
            Case c;
            c.mode = FFC_MODE_CIRCULAR;
            c.dtype = dtype;
            c.precision = precision;
            c.length = length;
            c.kernelLength = std::array<int64_t, 4>{length, length, 1 + int64_t(random() % length), length + length / 2}[random() % 4];
            c.batch = 2;
            c.channels = 2;
            c.flags = random() & (FFC_CONV_PRE_GATE | FFC_CONV_POST_GATE | FFC_CONV_SKIP | FFC_CONV_SHARED_KERNEL);
            c.rowGap = random() % 2;
            c.pattern = onCircularGrid(pattern);
            list.push_back(c);
          }
    return list;
  }
  // In the order of what is most wanted, should the time run out.
  const auto severalPasses = [&](int64_t length) {
    add(FFC_DTYPE_FLOAT16, FFC_PRECISION_FAST, length, 8, (int64_t{48} << 20) / length, FFC_ALGORITHM_AUTO);
  };
  severalPasses(1 << 20);
  add(FFC_DTYPE_BFLOAT16, FFC_PRECISION_FAST, 1 << 20, 8, 48, FFC_ALGORITHM_AUTO);
  add(FFC_DTYPE_FLOAT16, FFC_PRECISION_ACCURATE, 1 << 20, 8, 48, FFC_ALGORITHM_AUTO);
  add(FFC_DTYPE_FLOAT32, FFC_PRECISION_ACCURATE, 1 << 20, 8, 48, FFC_ALGORITHM_AUTO);
  for (const int64_t length : {4096, 8192, 16384, 32768})
    for (const int dtype : {FFC_DTYPE_FLOAT16, FFC_DTYPE_BFLOAT16, FFC_DTYPE_FLOAT32})
      add(dtype, dtype == FFC_DTYPE_FLOAT32 ? FFC_PRECISION_ACCURATE : FFC_PRECISION_FAST, length, 16, 768, FFC_ALGORITHM_AUTO);
  for (const int64_t length : {4096, 8192, 16384, 32768})
    add(FFC_DTYPE_FLOAT16, FFC_PRECISION_ACCURATE, length, 16, 768, FFC_ALGORITHM_AUTO);
  add(FFC_DTYPE_FLOAT16, FFC_PRECISION_ACCURATE, 1 << 16, 8, 768, FFC_ALGORITHM_AUTO);
  constexpr int bothGates = FFC_CONV_PRE_GATE | FFC_CONV_POST_GATE;
  for (const int dtype : {FFC_DTYPE_FLOAT16, FFC_DTYPE_BFLOAT16}) {
    for (const int64_t length : {8192, 16384, 32768}) add(dtype, FFC_PRECISION_FAST, length, 16, 768, FFC_ALGORITHM_AUTO, bothGates);
    add(dtype, FFC_PRECISION_FAST, 1 << 16, 8, 768, FFC_ALGORITHM_AUTO, bothGates);
  }
  add(FFC_DTYPE_FLOAT16, FFC_PRECISION_ACCURATE, 8192, 16, 768, FFC_ALGORITHM_AUTO, bothGates);
  for (const int64_t length : {1 << 16, 1 << 17, 1 << 18, 1 << 19}) severalPasses(length);
  for (const int precision : {FFC_PRECISION_FAST, FFC_PRECISION_ACCURATE})
    add(FFC_DTYPE_FLOAT16, precision, 1 << 20, 1, 256, FFC_ALGORITHM_AUTO);
  add(FFC_DTYPE_FLOAT32, FFC_PRECISION_ACCURATE, 1 << 20, 1, 256, FFC_ALGORITHM_AUTO);
  for (const int64_t length : {1 << 21, 1 << 22}) severalPasses(length);
  // With a skip term, and of circular rows.
  for (const int mode : {FFC_MODE_CAUSAL, FFC_MODE_CIRCULAR})
    for (const int dtype : {FFC_DTYPE_FLOAT16, FFC_DTYPE_BFLOAT16, FFC_DTYPE_FLOAT32})
      for (const int precision : {FFC_PRECISION_FAST, FFC_PRECISION_ACCURATE}) {
        if (dtype != FFC_DTYPE_FLOAT16 && (precision == FFC_PRECISION_FAST) == (dtype == FFC_DTYPE_FLOAT32)) continue;
        const int64_t length = 1 << 20;
        for (const int64_t blocks : {0, 16, 6}) {
          Case c;
          c.mode = mode;
          c.dtype = dtype;
          c.precision = precision;
          c.length = c.kernelLength = length;
          c.batch = 8;
          c.channels = 48;
          c.flags = mode == FFC_MODE_CAUSAL ? FFC_CONV_SKIP : 0;
          if (blocks) c.pattern = mode == FFC_MODE_CAUSAL ? scatteredBlocks(length, 64, blocks) : circularBlocks(length, 64, blocks);
          if (!blocks) c.pattern.name = "dense";
          list.push_back(c);
        }
        // In 16 bit the last pass adds the skip term. Circular rows are on their own frequencies; those of one block leave out digits.
        if (mode != FFC_MODE_CIRCULAR && dtype == FFC_DTYPE_FLOAT32) continue;
        for (const Pattern& pattern : patternsFor(length)) {
          if (pattern.name == "every11" || pattern.name == "scattered128of256" || pattern.name.rfind("blocks", 0) == 0) continue;
          Case c = list.back();
          c.pattern = mode == FFC_MODE_CIRCULAR ? onCircularGrid(pattern) : pattern;
          list.push_back(c);
        }
        if (mode != FFC_MODE_CIRCULAR) continue;
        for (const int64_t shorter : {4096, 8192, 16384, 32768}) {
          Case c = list.back();
          c.length = c.kernelLength = shorter;
          c.batch = 16;
          c.channels = 768;
          c.pattern = {};
          c.pattern.name = "dense";
          list.push_back(c);
          for (const Pattern& pattern : patternsFor(shorter)) {
            if (pattern.name != "every2" && pattern.name != "every4") continue;
            c.pattern = onCircularGrid(pattern);
            list.push_back(c);
          }
        }
      }
  return list;
}

}  // namespace bench
