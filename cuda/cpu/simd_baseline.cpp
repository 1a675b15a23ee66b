// The vector code, built for baseline: 4 floats at a time.
#define FFC_SIMD_NAMESPACE simd_baseline
#define FFC_SIMD_NAME "baseline"
#define FFC_SIMD_LANES 4
#define FFC_SIMD_TABLE simdKernelsBaseline
#include "simd_body.h"
