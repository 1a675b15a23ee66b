// Rows in memory: reading with conversion and gate, writing with skip, gate and conversion.

FFC_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
FFC_INLINE int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

// target[v * step + lane] = source[begin + v * W + lane], 0 <= v < vectors.
template <int dtype, bool gated>
void readVectors(float* target, int64_t step, const RowSource& source, int64_t begin, int64_t vectors) {
  typedef Element<dtype> E;
  const auto* samples = static_cast<const typename E::Type*>(source.samples);
  const auto* gate = static_cast<const typename E::Type*>(source.gate);
  int64_t index = begin;
  if (source.periodic) {
    index %= source.length;
    if (index < 0) index += source.length;
  }
  for (int64_t v = 0; v < vectors; ++v, index += W, target += step) {
    if (source.periodic && index >= source.length) index %= source.length;
    V x;
    if (index >= 0 && index + W <= source.length) {
      x = E::read(samples + index);
      if (gated) x *= E::read(gate + index);
    } else if (!source.periodic && (index >= source.length || index + W <= 0)) {
      x = V{};
    } else {
      alignas(64) typename E::Type part[W] = {}, gatePart[W] = {};
      int64_t from = index;
      for (int lane = 0; lane < W; ++lane, ++from) {
        if (source.periodic && from == source.length) from = 0;
        if (from < 0 || from >= source.length) continue;
        part[lane] = samples[from];
        if (gated) gatePart[lane] = gate[from];
      }
      x = E::read(part);
      if (gated) x *= E::read(gatePart);
    }
    store(target, x);
  }
}

void readSource(float* target, int64_t step, const RowSource& source, int64_t begin, int64_t vectors) {
  switch (source.dtype * 2 + (source.gate ? 1 : 0)) {
    case kFloat32 * 2: return readVectors<kFloat32, false>(target, step, source, begin, vectors);
    case kFloat32 * 2 + 1: return readVectors<kFloat32, true>(target, step, source, begin, vectors);
    case kFloat16 * 2: return readVectors<kFloat16, false>(target, step, source, begin, vectors);
    case kFloat16 * 2 + 1: return readVectors<kFloat16, true>(target, step, source, begin, vectors);
    case kBfloat16 * 2: return readVectors<kBfloat16, false>(target, step, source, begin, vectors);
    case kBfloat16 * 2 + 1: return readVectors<kBfloat16, true>(target, step, source, begin, vectors);
  }
}

// Block positions begin .. begin + vectors * W - 1, of which those inside `span` are outputs.
template <int dtype>
void writeVectors(const float* values, int64_t step, const RowSink& sink, const OutputSpan& span, int64_t begin,
                  int64_t vectors) {
  typedef Element<dtype> E;
  typedef typename E::Type T;
  T* y = static_cast<T*>(sink.y);
  const T* post = static_cast<const T*>(sink.post);
  const T* samples = static_cast<const T*>(sink.skipSamples);
  const T* gate = static_cast<const T*>(sink.skipGate);
  for (int64_t v = 0; v < vectors; ++v, values += step) {
    const int64_t at = begin + v * W - span.from;  // of the first lane, relative to the outputs of this block
    if (at + W <= 0 || at >= span.count) continue;
    const int64_t index = span.first + at;
    V x = load(values);
    if (at >= 0 && at + W <= span.count) {
      if (samples) {
        V s = E::read(samples + index);
        if (gate) s *= E::read(gate + index);
        x += s * sink.skip;
      }
      if (post) x *= E::read(post + index);
      E::write(y + index, x);
      continue;
    }
    const int low = static_cast<int>(larger(0, -at)), high = static_cast<int>(smaller(W, span.count - at));
    alignas(64) T a[W] = {}, b[W] = {}, c[W] = {}, out[W];
    for (int lane = low; lane < high; ++lane) {
      if (samples) a[lane] = samples[index + lane];
      if (gate) b[lane] = gate[index + lane];
      if (post) c[lane] = post[index + lane];
    }
    if (samples) {
      V s = E::read(a);
      if (gate) s *= E::read(b);
      x += s * sink.skip;
    }
    if (post) x *= E::read(c);
    E::write(out, x);
    for (int lane = low; lane < high; ++lane) y[index + lane] = out[lane];
  }
}

void writeSink(const float* values, int64_t step, const RowSink& sink, const OutputSpan& span, int64_t begin,
               int64_t vectors) {
  switch (sink.dtype) {
    case kFloat32: return writeVectors<kFloat32>(values, step, sink, span, begin, vectors);
    case kFloat16: return writeVectors<kFloat16>(values, step, sink, span, begin, vectors);
    case kBfloat16: return writeVectors<kBfloat16>(values, step, sink, span, begin, vectors);
  }
}

// `count` vectors of outputs at once: each tap is fetched once for all of them.
template <int count>
FFC_INLINE void directVectors(float* out, const float* x, const float* taps, int64_t tapCount) {
  // Sums of 128 products are kept apart before they meet the total: the rounding error grows with the root of
  // 128 + tapCount / 128 instead of tapCount.
  V total[count] = {};
  for (int64_t j = 0; j < tapCount;) {
    const int64_t end = smaller(j + 128, tapCount);
    V sum[count] = {};
    for (; j < end; ++j) {
      const V tap = splat(taps[j]);
#pragma GCC unroll 8
      for (int i = 0; i < count; ++i) sum[i] += tap * Element<kFloat32>::read(x + i * W - j);
    }
#pragma GCC unroll 8
    for (int i = 0; i < count; ++i) total[i] += sum[i];
  }
#pragma GCC unroll 8
  for (int i = 0; i < count; ++i) store(out + i * W, total[i]);
}
