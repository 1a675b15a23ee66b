// The vector code, built for avx512: 16 floats at a time.
#if defined(__x86_64__)
#define FFC_SIMD_NAMESPACE simd_avx512
#define FFC_SIMD_NAME "avx512"
#define FFC_SIMD_LANES 16
#define FFC_SIMD_TABLE simdKernelsAvx512
#include "simd_body.h"
#endif
