// Kernel spectra for the tensor-core passes. The columns are those of the float32 passes (columns.cuh), with the factor between columns
// and rows in them, so that rows are plain transforms; a block transforms one row in float32, in place, and writes it in the
// order of the fused convolution's middle. A channel has one exponent, so the largest component of all its rows must be
// known first: every row is transformed twice.
#pragma once
#include "../mma/spectrum.cuh"
#include "rows.cuh"
#include "tensor_params.h"
#include "tensor_spectrum.h"

namespace ffc::gpu {

template <class Shape, class Storage>
__global__ void __launch_bounds__(Shape::threads) tensorSpectrumRows(const __grid_constant__ TensorSpectrumParams s) {
  using Element = typename Storage::Element;
  constexpr int last = Shape::stages - 1;
  static_assert(Shape::radixOf(last) == 16 && Shape::threads > 32);
  extern __shared__ float2 sharedMemory[];
  __shared__ unsigned most;
  const MultiPassParams& p = s.passes;
  const int thread = threadIdx.x;
  const int64_t channel = blockIdx.x / p.rows, k1 = blockIdx.x - channel * p.rows;  // of this launch
  Element* row = static_cast<Element*>(p.scratch) + (channel * p.rows + k1) * p.n2;
  if (thread == 0) most = 0;
  loadRow<Shape, Storage>(sharedMemory, p, row, channel, thread, [](float2) {});
  __syncthreads();
  forwardMiddleStages<Shape>(sharedMemory, p.rowTables, thread);
  float scale = 1;
  if (s.write) {
    const int exponent = mma::spectrumExponent(__uint_as_float(s.largest[channel]) * s.gain, {0, 0});
    scale = mma::scaleDown(s.gain, exponent);
    if (k1 == 0 && thread == 0) s.exponent[channel] = exponent;
  }
  float largest = 0;
  for (int hi = thread; hi < Shape::outer(last); hi += Shape::threads) {
    float2 x[16];
    forwardLast<Shape>(x, sharedMemory, p.rowTables, hi);
    if (p.mask.keep) {
#pragma unroll
      for (int j = 0; j < 16; ++j) {
        const int64_t k = p.rowOfSlot[k1] + int64_t{p.n1} * (Shape::frequencyOfHigh(hi) + j * (p.n2 / 16));
        float factor = p.mask.keeps(k) ? 1 : 0;
        if (factor != 0 && p.response.count) factor /= responseAt<float>(p.response, k, p.points, p.quarters);
        x[slot<16>(j)] = {x[slot<16>(j)].x * factor, x[slot<16>(j)].y * factor};
      }
    }
    if (s.write) {
      const int f = Shape::frequencyOfHigh(hi);  // x[j] has frequency f + j N2 / 16
      const int Q = p.n2 / 4096, ka = f & 15, k2 = f >> 4 & 15, kb = f >> 8;
      const int64_t group = s.pieces ? mma::pieceGroup(Q, ka, kb, k2, 0) : mma::spectrumGroup(Q, 16, ka, kb, k2, 0);
      mma::storeBins(x, scale, !Storage::scaled, row, group, s.pieces ? 16 : 1);
    } else {
#pragma unroll
      for (int q = 0; q < 16; ++q) largest = fmaxf(largest, fmaxf(fabsf(x[q].x), fabsf(x[q].y)));
    }
  }
  if (s.write) return;
  sharedMaximum(&most, largest, 0xffffffffu);
  __syncthreads();
  if (thread == 0 && most) atomicMax(s.largest + channel, most);
}

}  // namespace ffc::gpu
