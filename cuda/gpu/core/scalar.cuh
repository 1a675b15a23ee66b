// Element types of tensors in device memory and their float32 values. Everything is computed in float32 or
// better; a 16-bit type exists only at loads and stores.
#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "../../host/problem.h"

#define FFC_HD __host__ __device__ __forceinline__

namespace ffc::gpu {

FFC_HD float toFloat(float v) { return v; }
FFC_HD float toFloat(__half v) { return __half2float(v); }
FFC_HD float toFloat(__nv_bfloat16 v) { return __bfloat162float(v); }

template <class T>
FFC_HD T fromFloat(float v);
template <>
FFC_HD float fromFloat<float>(float v) { return v; }
template <>
FFC_HD __half fromFloat<__half>(float v) { return __float2half_rn(v); }
template <>
FFC_HD __nv_bfloat16 fromFloat<__nv_bfloat16>(float v) { return __float2bfloat16_rn(v); }

// Calls body(T{}) with the C++ type of a runtime dtype. The branch is uniform over the grid, so it costs one
// compare; a template over dtypes would triple the number of device functions instead.
template <class Body>
FFC_HD void withType(Dtype dtype, Body&& body) {
  if (dtype == Dtype::float32)
    body(float{});
  else if (dtype == Dtype::float16)
    body(__half{});
  else
    body(__nv_bfloat16{});
}

// One element, for places that are not worth a typed loop.
FFC_HD float loadElement(const void* data, int64_t index, Dtype dtype) {
  if (dtype == Dtype::float32) return static_cast<const float*>(data)[index];
  if (dtype == Dtype::float16) return toFloat(static_cast<const __half*>(data)[index]);
  return toFloat(static_cast<const __nv_bfloat16*>(data)[index]);
}

}  // namespace ffc::gpu
