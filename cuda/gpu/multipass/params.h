// The multi-pass convolution: sequences too long for one block's shared memory. N = N1 N2 complex points,
// n = n1 N2 + n2, k = k1 + N1 k2, and three passes over device memory:
//   columns forward   N1-point transforms over n1 at frequencies f = k1 - quarters / 4, times e^{-2 pi i n2 f / N}
//   rows              N2-point transforms over n2, times the kernel spectrum, and back
//   columns inverse   the conjugate factor, N1-point inverse transforms, gates, skip, store
// Between passes the N complex points of a sequence lie in scratch as [k1][n2]; in frequency-sparse plans only the rows
// k1 that have a kept frequency, one after the other.
//
// N complex points hold a negacyclic convolution of 2N real samples (a[n] + i a[n + N], see core/fft_shape.h);
// every mode is a placement of the kernel's taps (core/kernel_taps.cuh). With quarters = 0 it is a circular one of N real samples, for patterns
// on its frequencies.
#pragma once
#include <cuda_runtime.h>

#include <cstdint>

#include "../../host/frequency_mask.h"
#include "../../host/problem.h"
#include "../../host/resampling.h"
#include "../core/kernel_taps.cuh"

namespace ffc::gpu {

// e^{-2 pi i m / 4N} for 0 <= m < 4N as a product of two table entries: one table of 4N would not fit a cache.
struct TurnTable {
  const float2 *coarse = nullptr, *fine = nullptr;  // coarse[m >> bits], fine[m & (2^bits - 1)]
  int bits = 0;
};

// Which of the N1 outputs of a column a frequency-sparse plan keeps: a row k1 without a kept frequency is neither
// computed nor stored. Stages of a column transform skip digits that no kept k1 has.
struct KeptRows {
  // [N1]: the row of the scratch that has k1, or -1. Null: all rows are kept, in their order.
  const int16_t* slotOf = nullptr;
  // The values of digit k_0 that occur, as bits and as a list; and the butterflies of the last stage that belong to
  // them: hi, or -1 - hi where no output is kept (its inputs of the way back are zeros that others read).
  uint32_t firstDigits = 0xffffffffu;
  int firstDigitCount = 0, butterflyCount = 0;
  const int16_t *firstDigitList = nullptr, *butterflies = nullptr;
};

// A causal kernel at 1 / rate of its sampling rate, on a ring of `points` / rate complex points (host/resampling.h). Its taps lie at
// 0 .. count - 1 of 2 points real samples, count <= points; of a circular ring, of its points real samples.
struct ResampledTaps {
  const float* filter = nullptr;  // p[0 .. reach], q[0 .. reach]; null: the taps as they are
  int reach = 0, rate = 1, turn = 0;
  int64_t points = 0;
  bool circular = false;

#ifdef __CUDACC__
  // A function of its own: within the columns that call it, for every number that they read, it made them three times as long.
  __device__ __noinline__ float at(const KernelTaps& taps, int64_t position, int64_t channel) const {
    const int64_t middle = position * rate, around = circular ? points : 2 * points;
    if (middle >= around || (middle - reach >= taps.count && middle + reach < around)) return 0;
    const int64_t base = channel * taps.channelStride + taps.first;
    const float* const q = filter + reach + 1;
    float even, odd = 0;
    if (middle >= reach && middle + reach < taps.count) {
      // Most of them.
      withType(taps.dtype, [&](auto type) {
        const auto* const k = static_cast<const decltype(type)*>(taps.kernel) + base + middle;
        even = filter[0] * toFloat(k[0]);
        for (int j = 1; j <= reach; ++j) {
          const float before = toFloat(k[-j]), behind = toFloat(k[j]);
          even += filter[j] * (before + behind);
          odd += q[j] * (behind - before);
        }
      });
    } else {
      const auto tapAt = [&](int64_t i) {
        const bool wrapped = i >= around;
        if (wrapped) i -= around;
        if (circular && i < 0) i += around;
        const float tap = i >= 0 && i < taps.count ? loadElement(taps.kernel, base + i, taps.dtype) : 0;
        return wrapped && !circular ? -tap : tap;
      };
      even = filter[0] * tapAt(middle);
      for (int j = 1; j <= reach; ++j) {
        const float before = tapAt(middle - j), behind = tapAt(middle + j);
        even += filter[j] * (before + behind);
        odd += q[j] * (behind - before);
      }
    }
    float sine, cosine;
    sincospif(static_cast<float>((turn * position) & 31) / 16, &sine, &cosine);
    return cosine * even - sine * odd;
  }
#endif
};

struct MultiPassParams {
  int64_t points = 0;  // N
  int quarters = 1;
  int n1 = 0, n2 = 0, tiles = 0;  // tiles: column tiles of a sequence
  int rows = 0;                   // rows of a sequence in scratch and in the spectrum: n1, or fewer in a sparse plan
  KeptRows kept;
  KeptFrequencies mask;           // for the rows of a spectrum: what is zero within the rows that are kept
  const int16_t* rowOfSlot = nullptr;  // with a mask: k1 of each row
  int log2Columns = 0;            // columns of a tile
  // A launch works on `sequences` rows of the problem from `first` on; row s is channel s / batch, batch s % batch,
  // so that neighbours share a kernel spectrum.
  int64_t first = 0, sequences = 0, batch = 0;
  const void *u = nullptr, *preGate = nullptr, *postGate = nullptr, *skip = nullptr;
  void* y = nullptr;
  Strides uStride, preStride, postStride, yStride;
  Dtype dtype = Dtype::float32, skipDtype = Dtype::float32;
  int64_t length = 0, outputLength = 0;
  KernelTaps taps;          // columns forward reads taps instead of u when readTaps is set
  bool readTaps = false;
  ResampledTaps resampled;  // with a pattern
  Response response;        // of the filters of another rate, for which a spectrum makes up; count 0: there are none
  bool sharedSpectrum = false;
  // Scratch and spectrum hold complex numbers of the storage type. 16-bit storage has a power-of-two scale for each
  // column tile (written by columns forward, read by rows) and for each row (written by rows, read by columns
  // inverse; and one for each spectrum row); stored value = true value * scale.
  void* scratch = nullptr;
  float *tileScale = nullptr, *rowScale = nullptr;
  void* spectrum = nullptr;       // [channel][k1][N2 in the order of rows.cuh]
  float* spectrumScale = nullptr;  // [channel][k1]
  const float2 *columnTables = nullptr, *rowTables = nullptr;
  TurnTable turns;
};

}  // namespace ffc::gpu
