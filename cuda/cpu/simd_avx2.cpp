// The vector code, built for avx2: 8 floats at a time.
#if defined(__x86_64__)
#define FFC_SIMD_NAMESPACE simd_avx2
#define FFC_SIMD_NAME "avx2"
#define FFC_SIMD_LANES 8
#define FFC_SIMD_TABLE simdKernelsAvx2
#include "simd_body.h"
#endif
