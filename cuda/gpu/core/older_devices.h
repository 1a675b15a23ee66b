// Compute capability 8.x: a block has at most 163 KB of shared memory (8.0 and 8.7; 99 KB on 8.6 and 8.9). Kernels that need more
// are empty in code for it, which saves 92 of the 1360 seconds that compilers take for three architectures; nor are they offered to a newer
// device where the library has only such code (sharedMemoryFor, gpu/launch.h).
#pragma once
#include <cstdint>

namespace ffc {

constexpr int64_t olderSharedBytes = 163 * 1024;

// Whether code that needs so much shared memory has a place in this compilation.
template <int64_t sharedBytes>
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
constexpr bool compiledHere = sharedBytes <= olderSharedBytes;
#else
constexpr bool compiledHere = true;
#endif

}  // namespace ffc
