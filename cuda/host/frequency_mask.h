// Which frequencies of the kernel spectrum a frequency-sparse plan keeps. The header (flashfftconv.h, "Frequency-
// sparse plans") says what the pattern means; this is the only place that turns it into indices of a transform.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "../include/flashfftconv.h"
#include "problem.h"

#ifdef __CUDACC__
#define FFC_MASK_SHARED __host__ __device__
#else
#define FFC_MASK_SHARED
#endif

namespace ffc {

// The pattern in a form that device functions can read as well: `keep` is where the bytes lie for whoever asks.
struct KeptFrequencies {
  const uint8_t* keep = nullptr;  // null: everything is kept
  int64_t block = 1;              // bins of a block, or the number of classes
  int64_t points = 0;             // N of the shifted grid (causal), P of the circular grid
  bool classes = false;
  bool shifted = true;            // causal: index k is at the frequency (k - 1/4) / N

  // The bin of index k, 0 <= k < points; both images of a real frequency have the same.
  FFC_MASK_SHARED int64_t binOf(int64_t k) const {
    if (!shifted) return 2 * k <= points ? k : points - k;
    // |2k - 1/2| - 1/2 up to the middle, and the same counted from N downwards beyond it.
    return 2 * k <= points && k > 0 ? 2 * k - 1 : k == 0 ? 0 : 2 * (points - k);
  }
  FFC_MASK_SHARED bool keeps(int64_t k) const {
    return keep == nullptr || keep[classes ? k % block : binOf(k) / block] != 0;
  }
};

class FrequencyMask {
 public:
  // Checks the pattern against the problem. Throws Error: UNSUPPORTED (mode), INVALID_ARGUMENT (kind, a byte that is
  // neither 0 nor 1, nothing kept, classes that no real signal has), INVALID_SHAPE (sizes).
  FrequencyMask(const ConvProblem& problem, const ffc_sparsity& sparsity, const uint8_t* keep);
  // The kept bins on the grid of a ring with fewer points, which has the bins from one on: those beside must be dropped (band() tells).
  FrequencyMask(const FrequencyMask& whole, int64_t points, int64_t firstBin);
  FrequencyMask(const FrequencyMask&) = delete;  // the view points into it
  FrequencyMask& operator=(const FrequencyMask&) = delete;

  int64_t points() const { return view_.points; }
  int64_t bins() const { return bins_; }
  int64_t keptBins() const { return keptBins_; }
  const std::vector<uint8_t>& bytes() const { return keep_; }
  KeptFrequencies view() const { return view_; }
  bool keeps(int64_t k) const { return view_.keeps(k); }
  // Those of 0 .. modulus - 1 that some kept k leaves.
  std::vector<int> residues(int modulus) const {
    std::vector<int> kept;
    for (int first = 0; first < modulus; first++)
      for (int64_t k = first; k < points(); k += modulus)
        if (keeps(k)) {
          kept.push_back(first);
          break;
        }
    return kept;
  }
  // Whether one of the bins first .. end - 1 is kept; of blocks, not classes.
  bool keepsAny(int64_t first, int64_t end) const {
    for (int64_t b = first / view_.block; b * view_.block < end; ++b)
      if (keep_[b]) return true;
    return false;
  }
  // Outside of it nothing is kept, in parts of half the sampling rate; 0 to 1 for classes, which are spread over everything.
  struct Band {
    double from, to;
  };
  Band band() const;
  double zeros() const { return 1.0 - static_cast<double>(keptBins_) / static_cast<double>(bins_); }
  // The members of plan.explain()'s "sparsity" that do not depend on the backend, without a closing brace.
  std::string explainBegin() const;

 private:
  std::vector<uint8_t> keep_;
  KeptFrequencies view_;
  int64_t bins_ = 0, keptBins_ = 0;
};

// The grid of a problem: points of the ring (N or P), and how many real frequencies it has. Throws UNSUPPORTED for a
// mode without one.
struct FrequencyGrid {
  int64_t points = 0, bins = 0;
};
FrequencyGrid frequencyGrid(int32_t mode, int64_t length);

// Blocks that a pattern of this kind has for such a grid; throws INVALID_ARGUMENT or INVALID_SHAPE for a block size
// that does not fit it.
int64_t blockCount(const FrequencyGrid& grid, int32_t kind, int64_t block);

// energies[b] = sum over the kernel rows and over the bins of block b of |K|^2, in float64; a bin that stands for two
// images counts twice. `kernel` is the packed or strided kernel of the problem, on the host.
void blockEnergies(const ConvProblem& problem, const ffc_sparsity& sparsity, const void* kernel, double* energies);

class Fft64;  // fft64.h

// One kernel row as the circular grid sees it (folded to `length` samples), without the frequencies that are dropped;
// `fft` is of that length. For its time it takes maskingBytes(length) of the host's memory.
void maskCircularRow(const FrequencyMask& mask, const Fft64& fft, std::vector<double>& row);
int64_t maskingBytes(int64_t length);

}  // namespace ffc
