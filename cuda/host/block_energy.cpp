// The energy of a kernel per block of frequencies, and kernels without the dropped ones; both in float64.
#include <cmath>
#include <complex>

#include "../cpu/host_memory.h"
#include "element_values.h"
#include "fft64.h"
#include "frequency_mask.h"
#include "status.h"

namespace ffc {
namespace {

using Complex = std::complex<double>;

double sampleAt(const void* data, int64_t index, Dtype dtype) {
  if (dtype == Dtype::float32) return static_cast<const float*>(data)[index];
  const uint16_t bits = static_cast<const uint16_t*>(data)[index];
  return dtype == Dtype::float16 ? halfValue(bits) : bfloatValue(bits);
}

// |K|^2 at each index of the grid is added to `power`.
void addPower(const FrequencyGrid& grid, const ConvProblem& p, const void* kernel, int64_t row, const Fft64& fft,
              std::vector<double>& power) {
  std::vector<Complex> x(static_cast<size_t>(grid.points));
  const bool circular = p.circular();
  const int64_t taps = circular ? p.kernelLength : std::min(p.kernelLength, p.length);
  const double quarter = 2 * 3.14159265358979323846 / (4.0 * static_cast<double>(grid.points));
  for (int64_t j = 0; j < taps; ++j) {
    const double value = sampleAt(kernel, row * p.kernelChannelStride + j, p.kernelDtype);
    if (!std::isfinite(value))
      throw Error(FFC_INVALID_ARGUMENT, "the kernel has a NaN or an infinity at sample " + std::to_string(j) +
                                            " of row " + std::to_string(row) + "; its energy is not a number");
    if (circular)
      x[j % grid.points] += value;
    else  // taps <= L <= N: the upper half of the 2N real samples is empty, and the quarter shift is a twist
      x[j] = std::polar(value, quarter * static_cast<double>(j));
  }
  fft.forward(x);
  for (int64_t k = 0; k < grid.points; ++k) power[k] += std::norm(x[k]);
}

}  // namespace

void blockEnergies(const ConvProblem& p, const ffc_sparsity& sparsity, const void* kernel, double* energies) {
  const FrequencyGrid grid = frequencyGrid(p.mode, p.length);
  const int64_t blocks = blockCount(grid, sparsity.kind, sparsity.block);
  if (sparsity.keep_count != blocks)
    throw Error(FFC_INVALID_SHAPE, "there is room for " + std::to_string(sparsity.keep_count) +
                                       " energies; this pattern has " + std::to_string(blocks) + " blocks");
  checkHostHas(grid.points * static_cast<int64_t>(sizeof(double)) + Fft64::bytesFor(grid.points) +
                   maskingBytes(grid.points),  // a row takes as much here
               "the memory to compute block energies in");
  std::vector<double> power(static_cast<size_t>(grid.points), 0.0);
  const Fft64 fft(grid.points);
  for (int64_t row = 0; row < (p.sharedKernel ? 1 : p.channels); ++row) addPower(grid, p, kernel, row, fft, power);
  KeptFrequencies view;
  view.points = grid.points;
  view.shifted = !p.circular();
  std::fill(energies, energies + blocks, 0.0);
  for (int64_t k = 0; k < grid.points; ++k)
    energies[sparsity.kind == FFC_SPARSITY_CLASSES ? k % blocks : view.binOf(k) / sparsity.block] += power[k];
}

int64_t maskingBytes(int64_t length) {
  return length * static_cast<int64_t>(sizeof(Complex)) + Fft64::callBytesFor(length);
}

void maskCircularRow(const FrequencyMask& mask, const Fft64& fft, std::vector<double>& row) {
  const int64_t points = mask.points();
  std::vector<Complex> x(row.begin(), row.end());
  fft.forward(x);
  for (int64_t k = 0; k < points; ++k)
    if (!mask.keeps(k)) x[k] = 0;
  fft.inverse(x);
  for (int64_t n = 0; n < points; ++n) row[n] = x[n].real() / static_cast<double>(points);
}

}  // namespace ffc
