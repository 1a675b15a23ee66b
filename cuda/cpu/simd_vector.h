// Vectors of FFC_SIMD_LANES floats: loads, stores, the 16-bit types, transposition. Included inside the namespace
// of one instruction set; GCC's vector types carry the arithmetic.

constexpr int W = FFC_SIMD_LANES;

typedef float V __attribute__((vector_size(4 * W)));
typedef int32_t I __attribute__((vector_size(4 * W)));
typedef uint32_t U __attribute__((vector_size(4 * W)));
typedef uint16_t H __attribute__((vector_size(2 * W)));
typedef float UnalignedV __attribute__((vector_size(4 * W), aligned(4), may_alias));
typedef uint16_t UnalignedH __attribute__((vector_size(2 * W), aligned(2), may_alias));

#define FFC_INLINE static inline __attribute__((always_inline))

FFC_INLINE V load(const float* p) { return *reinterpret_cast<const V*>(p); }
FFC_INLINE void store(float* p, V v) { *reinterpret_cast<V*>(p) = v; }
FFC_INLINE V splat(float x) { return x - V{}; }  // x + 0 would turn -0 into +0

enum : int32_t { kFloat32 = 1, kFloat16 = 2, kBfloat16 = 3 };  // FFC_DTYPE_*

template <int dtype>
struct Element;

template <>
struct Element<kFloat32> {
  typedef float Type;
  FFC_INLINE V read(const float* p) { return *reinterpret_cast<const UnalignedV*>(p); }
  FFC_INLINE void write(float* p, V v) { *reinterpret_cast<UnalignedV*>(p) = v; }
};

template <>
struct Element<kFloat16> {
  typedef uint16_t Type;
  // The masked forms: GCC 12 warns of its own uninitialised variable in the others.
  FFC_INLINE V read(const uint16_t* p) {
#if defined(__AVX512F__)
    return reinterpret_cast<V>(
        _mm512_maskz_cvtph_ps(0xffff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
#elif defined(__F16C__)
    return reinterpret_cast<V>(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
#else
    // Exponent and fraction move to their float32 places; a multiplication by 2^112 corrects the exponent's bias
    // and makes subnormals right as well. Infinity and NaN have exponent 31 before and 255 afterwards.
    const U bits = __builtin_convertvector(*reinterpret_cast<const UnalignedH*>(p), U);
    const U magnitude = (bits & 0x7fffu) << 13;
    const U special = reinterpret_cast<U>(magnitude >= (0x7c00u << 13));
    const U value = reinterpret_cast<U>(reinterpret_cast<V>(magnitude) * 0x1p112f);
    return reinterpret_cast<V>((bits & 0x8000u) << 16 | (special & (magnitude | 0x7f800000u)) | (~special & value));
#endif
  }
  FFC_INLINE void write(uint16_t* p, V v) {
#if defined(__AVX512F__)
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm512_maskz_cvtps_ph(0xffff, reinterpret_cast<__m512>(v),
                                              _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#elif defined(__F16C__)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                     _mm256_cvtps_ph(reinterpret_cast<__m256>(v), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#else
    const U bits = reinterpret_cast<U>(v);
    const U magnitude = bits & 0x7fffffffu;
    // Normal results: round to nearest even at bit 13, then rebias the exponent by 112.
    const U normal = (magnitude - (112u << 23) + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
    // Below 2^-14: adding 0.5 lets the float adder round at 2^-24, the unit of half subnormals.
    const U small = reinterpret_cast<U>(reinterpret_cast<V>(magnitude) + 0.5f) - 0x3f000000u;
    const U isSmall = reinterpret_cast<U>(magnitude < (113u << 23));
    const U isLarge = reinterpret_cast<U>(magnitude >= (143u << 23));  // 65536 and up, infinity, NaN
    const U isNan = reinterpret_cast<U>(magnitude > 0x7f800000u);
    U half = (isSmall & small) | (~isSmall & normal);
    half = (isLarge & 0x7c00u) | (~isLarge & half);
    half |= isNan & (0x200u | ((magnitude >> 13) & 0x3ffu));
    half |= (bits >> 16) & 0x8000u;
    *reinterpret_cast<UnalignedH*>(p) = __builtin_convertvector(half, H);
#endif
  }
};

template <>
struct Element<kBfloat16> {
  typedef uint16_t Type;
  FFC_INLINE V read(const uint16_t* p) {
    return reinterpret_cast<V>(__builtin_convertvector(*reinterpret_cast<const UnalignedH*>(p), U) << 16);
  }
  FFC_INLINE void write(uint16_t* p, V v) {
    const U bits = reinterpret_cast<U>(v);
    const U isNan = reinterpret_cast<U>((bits & 0x7fffffffu) > 0x7f800000u);
    const U rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    *reinterpret_cast<UnalignedH*>(p) =
        __builtin_convertvector((isNan & ((bits >> 16) | 0x40u)) | (~isNan & rounded), H);
  }
};

#if FFC_SIMD_LANES == 16
#define FFC_PER_128(a, b, c, d) \
  I { a, b, c, d, a + 4, b + 4, c + 4, d + 4, a + 8, b + 8, c + 8, d + 8, a + 12, b + 12, c + 12, d + 12 }
#elif FFC_SIMD_LANES == 8
#define FFC_PER_128(a, b, c, d) \
  I { a, b, c, d, a + 4, b + 4, c + 4, d + 4 }
#else
#define FFC_PER_128(a, b, c, d) \
  I { a, b, c, d }
#endif

// Transposes W vectors of W lanes: first 4x4 within each 128-bit part, then the parts.
FFC_INLINE void transpose(V (&x)[W]) {
#pragma GCC unroll 4
  for (int g = 0; g < W; g += 4) {
    const I low = FFC_PER_128(0, W, 1, W + 1), high = FFC_PER_128(2, W + 2, 3, W + 3);
    const I lowPair = FFC_PER_128(0, 1, W, W + 1), highPair = FFC_PER_128(2, 3, W + 2, W + 3);
    const V a = __builtin_shuffle(x[g], x[g + 1], low), b = __builtin_shuffle(x[g], x[g + 1], high);
    const V c = __builtin_shuffle(x[g + 2], x[g + 3], low), d = __builtin_shuffle(x[g + 2], x[g + 3], high);
    x[g] = __builtin_shuffle(a, c, lowPair);
    x[g + 1] = __builtin_shuffle(a, c, highPair);
    x[g + 2] = __builtin_shuffle(b, d, lowPair);
    x[g + 3] = __builtin_shuffle(b, d, highPair);
  }
#if FFC_SIMD_LANES == 8
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    const V a = x[c], b = x[c + 4];
    x[c] = __builtin_shuffle(a, b, I{0, 1, 2, 3, 8, 9, 10, 11});
    x[c + 4] = __builtin_shuffle(a, b, I{4, 5, 6, 7, 12, 13, 14, 15});
  }
#elif FFC_SIMD_LANES == 16
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    const I even = {0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27};
    const I odd = {4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31};
    const V a = __builtin_shuffle(x[c], x[c + 4], even), b = __builtin_shuffle(x[c], x[c + 4], odd);
    const V d = __builtin_shuffle(x[c + 8], x[c + 12], even), e = __builtin_shuffle(x[c + 8], x[c + 12], odd);
    x[c] = __builtin_shuffle(a, d, even);
    x[c + 8] = __builtin_shuffle(a, d, odd);
    x[c + 4] = __builtin_shuffle(b, e, even);
    x[c + 12] = __builtin_shuffle(b, e, odd);
  }
#endif
}
