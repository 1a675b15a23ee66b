// The levels of a transform (see Transform in simd_kernels.h) over data in memory.

// Real and imaginary parts of one vector side by side: one stream of addresses per vector.
constexpr int64_t S = 2 * W;

// Blocks up to this size are run level by level, larger ones child by child, so that all further levels of a
// block find it in the first-level cache (32 KiB or more everywhere; the spectrum and the factors pass through too).
constexpr int64_t cachedVectors = 16384 / (8 * W);

// exp(i pi n / 16): the quarter-sample shift of the first level turns input n of R by pi n / (2 R).
constexpr float turnCos[8] = {1.0f, 0.98078528040323044913f, 0.92387953251128675613f, 0.83146961230254523708f,
                              0.70710678118654752440f, 0.55557023301960222474f, 0.38268343236508977173f,
                              0.19509032201612826785f};

template <int R, bool inverse>
FFC_INLINE void quarterSampleTurn(C (&x)[R]) {
#pragma GCC unroll 8
  for (int n = 1; n < R; ++n)
    x[n] = rotated<inverse>(x[n], turnCos[n * (8 / R)], turnCos[8 - n * (8 / R)]);
}

// One level of one block, for positions m0 <= m < m1. Forward: transform, then factors. Inverse: the reverse.
template <int R, bool inverse, bool first>
FFC_INLINE void levelPoints(float* block, int64_t stride, const float* twiddles, int64_t m0, int64_t m1) {
  constexpr int begin = first ? 0 : 1;  // factor 0 is 1, except in the first level
  for (int64_t m = m0; m < m1; ++m) {
    float* p = block + m * S;
    const float* f = twiddles + m * (2 * (R - begin)) - 2 * begin;
    C x[R];
#pragma GCC unroll 8
    for (int i = 0; i < R; ++i) x[i] = loadC(p + i * stride * S);
    if (inverse) {
#pragma GCC unroll 8
      for (int k = begin; k < R; ++k) x[k] = rotated<true>(x[k], C{splat(f[2 * k]), splat(f[2 * k + 1])});
      Dft<R, true>::run(x);
      if constexpr (first) quarterSampleTurn<R, true>(x);
    } else {
      if constexpr (first) quarterSampleTurn<R, false>(x);
      Dft<R, false>::run(x);
#pragma GCC unroll 8
      for (int k = begin; k < R; ++k) x[k] = rotated<false>(x[k], C{splat(f[2 * k]), splat(f[2 * k + 1])});
    }
#pragma GCC unroll 8
    for (int i = 0; i < R; ++i) storeC(p + i * stride * S, x[i]);
  }
}

template <bool inverse>
void middleLevel(const Transform& t, int level, float* data, int64_t offset, int64_t m0, int64_t m1) {
  const TransformLevel& l = t.level[level];
  float* block = data + offset * S;
  switch (l.radix) {
    case 3: return levelPoints<3, inverse, false>(block, l.stride, l.twiddles, m0, m1);
    case 4: return levelPoints<4, inverse, false>(block, l.stride, l.twiddles, m0, m1);
    case 5: return levelPoints<5, inverse, false>(block, l.stride, l.twiddles, m0, m1);
    case 8: return levelPoints<8, inverse, false>(block, l.stride, l.twiddles, m0, m1);
  }
}

template <bool inverse>
void firstLevel(const Transform& t, float* data, int64_t m0, int64_t m1) {
  const TransformLevel& l = t.level[0];
  if (!t.quarters) return middleLevel<inverse>(t, 0, data, 0, m0, m1);
  if (l.radix == 8) return levelPoints<8, inverse, true>(data, l.stride, l.twiddles, m0, m1);
  levelPoints<4, inverse, true>(data, l.stride, l.twiddles, m0, m1);
}

// The last level of the block of R vectors at `position`, whose factors differ from lane to lane.
template <int R, bool inverse>
FFC_INLINE void lastLevelBlock(const Transform& t, float* data, int64_t position) {
  float* p = data + position * S;
  C x[R], f[R];
  if (t.laneSteps) {
    const C base = loadC(t.laneFactors + position / R * S);
    f[0] = base;
#pragma GCC unroll 8
    for (int k = 1; k < R; ++k) f[k] = rotated<false>(base, loadC(t.laneSteps + k * S));
  } else {
#pragma GCC unroll 8
    for (int k = 0; k < R; ++k) f[k] = loadC(t.laneFactors + (position + k) * S);
  }
#pragma GCC unroll 8
  for (int i = 0; i < R; ++i) x[i] = loadC(p + i * S);
  if (inverse) {
#pragma GCC unroll 8
    for (int k = 0; k < R; ++k) x[k] = rotated<true>(x[k], f[k]);
    Dft<R, true>::run(x);
  } else {
    Dft<R, false>::run(x);
#pragma GCC unroll 8
    for (int k = 0; k < R; ++k) x[k] = rotated<false>(x[k], f[k]);
  }
#pragma GCC unroll 8
  for (int i = 0; i < R; ++i) storeC(p + i * S, x[i]);
}

template <bool inverse>
FFC_INLINE void lastLevel(const Transform& t, float* data, int64_t position) {
  if (t.level[t.levels - 1].radix == 8) {
    for (int64_t i = 0; i < W; i += 8) lastLevelBlock<8, inverse>(t, data, position + i);
  } else {
    for (int64_t i = 0; i < W; i += 4) lastLevelBlock<4, inverse>(t, data, position + i);
  }
}

FFC_INLINE void transposeGroup(float* p) {
  for (int part = 0; part < 2; ++part, p += W) {
    V x[W];
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) x[i] = load(p + i * S);
    transpose(x);
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) store(p + i * S, x[i]);
  }
}

#if FFC_SIMD_LANES == 16
template <bool inverse>
FFC_INLINE void columns16(float* p) {
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    C a = loadC(p + j * S), b = loadC(p + (j + 4) * S), c = loadC(p + (j + 8) * S), d = loadC(p + (j + 12) * S);
    if (inverse) factors16<true>(b, c, d, j);
    dft4<inverse>(a, b, c, d);
    if (!inverse) factors16<false>(b, c, d, j);
    storeC(p + j * S, a), storeC(p + (j + 4) * S, b), storeC(p + (j + 8) * S, c), storeC(p + (j + 12) * S, d);
  }
}
constexpr int rowRadix = 4;
#else
template <bool inverse>
FFC_INLINE void columns16(float*) {}
constexpr int rowRadix = W;
#endif

// The transform across the lanes of W vectors, the product and the way back.
FFC_INLINE void convolveLanes(float* p, const float* spectrum) {
  transposeGroup(p);
  columns16<false>(p);
#pragma GCC unroll 4
  for (int r = 0; r < W; r += rowRadix) {
    C x[rowRadix];
#pragma GCC unroll 8
    for (int i = 0; i < rowRadix; ++i) x[i] = loadC(p + (r + i) * S);
    Dft<rowRadix, false>::run(x);
#pragma GCC unroll 8
    for (int i = 0; i < rowRadix; ++i) x[i] = rotated<false>(x[i], loadC(spectrum + (r + i) * S));
    Dft<rowRadix, true>::run(x);
#pragma GCC unroll 8
    for (int i = 0; i < rowRadix; ++i) storeC(p + (r + i) * S, x[i]);
  }
  columns16<true>(p);
  transposeGroup(p);
}

FFC_INLINE void transformLanes(float* p, float scale) {
  transposeGroup(p);
  columns16<false>(p);
  for (int r = 0; r < W; r += rowRadix) {
    C x[rowRadix];
    for (int i = 0; i < rowRadix; ++i) x[i] = loadC(p + (r + i) * S);
    Dft<rowRadix, false>::run(x);
    for (int i = 0; i < rowRadix; ++i) storeC(p + (r + i) * S, x[i] * scale);
  }
}

// Whether some frequency of `count` vectors from `offset` on is kept. Blocks shorter than a group answer for all of it.
FFC_INLINE bool anyKept(const Transform& t, int64_t offset, int64_t count) {
  return !t.keptGroups || t.keptGroups[(offset + count + W - 1) / W] != t.keptGroups[offset / W];
}

FFC_INLINE void clearVectors(float* p, int64_t count) {
  for (int64_t i = 0; i < count; ++i, p += S) storeC(p, C{V{}, V{}});
}

// With a spectrum: forward, product, inverse. Without: forward only, times scale.
void processBlocks(const Transform& t, int level, float* data, int64_t offset, int64_t blocks, const float* spectrum,
                   float scale) {
  const int last = t.levels - 1;
  const int64_t size = t.level[level].size, total = blocks * size;
  if (level < last && total > cachedVectors && size % W == 0) {
    for (int64_t at = offset; at < offset + total; at += size) {
      if (!anyKept(t, at, size)) {
        clearVectors(data + at * S, size);
        continue;
      }
      middleLevel<false>(t, level, data, at, 0, t.level[level].stride);
      processBlocks(t, level + 1, data, at, t.level[level].radix, spectrum, scale);
      if (spectrum) middleLevel<true>(t, level, data, at, 0, t.level[level].stride);
    }
    return;
  }
  for (int l = level; l < last; ++l)
    for (int64_t at = offset; at < offset + total; at += t.level[l].size)
      if (anyKept(t, at, t.level[l].size)) middleLevel<false>(t, l, data, at, 0, t.level[l].stride);
  for (int64_t at = offset; at < offset + total; at += W) {
    if (!anyKept(t, at, W)) {
      clearVectors(data + at * S, W);
      continue;
    }
    lastLevel<false>(t, data, at);
    if (!spectrum) {
      transformLanes(data + at * S, scale);
      continue;
    }
    convolveLanes(data + at * S, spectrum + at * S);
    lastLevel<true>(t, data, at);
  }
  if (!spectrum) return;
  for (int l = last - 1; l >= level; --l)
    for (int64_t at = offset; at < offset + total; at += t.level[l].size)
      if (anyKept(t, at, t.level[l].size)) middleLevel<true>(t, l, data, at, 0, t.level[l].stride);
}
