// One compiled variant of the fused tensor-core convolution. The lists in instances_*.cu are the manifest: what they
// name is compiled, and what is compiled is what the planner chooses from.
#pragma once
#include <cuda_runtime.h>

#include <array>
#include <cstdint>
#include <vector>

#include "config.h"
#include "params.h"

namespace ffc::mma {

struct Instance {
  int radix = 0;          // R: 4096 R points a tile
  bool pairwise = false;  // serves N2 = 2, 4, 8, 16; otherwise N2 = 1
  Element element = Element::float16;
  bool accurate = false, gated = false;
  bool packed = false;    // 2N samples in N points; N2 = 16 only
  bool splitOutputs = false;  // packed: only the second window has outputs
  int slices = 1;         // a sequence has slices * N points
  bool spectrumFloats = false;
  int halves = 1;         // a row is so many sequences
  int64_t scratchBytes = 0;  // in device memory, for each block
  bool oneSlice = false;  // frequency-sparse: leaves out all but one
  int copyGroups = 0;     // of a tensor copy of packed samples
  int buffers = 0, mostTiles = 0;
  int64_t residentBytes = 0;  // of a channel's spectrum in shared memory, where there is room beside the rest
  bool columns = false;  // each warp has copies of its own of whole rows (column_body.cuh)
  const void* convolve = nullptr;  // device function (Params)
  const void* convolveSkip = nullptr;  // the one for rows with a skip term, which may be the same
  int64_t (*sharedBytes)(int tilesPerSet, int log2N2, int slots, bool pre, bool post, bool maps) = nullptr;
  // The driver for sets of one channel, of rows of each RowShape; null where there is none.
  std::array<const void*, rowShapes> sets{};
  const void* setsOf(RowShape shape) const { return sets[static_cast<size_t>(shape)]; }
  bool longRows = false;  // by tensor copies, too, where they do not fill their transform
  int uniformTiles = 0, uniformSlots = 0;
  bool interleaves = false;  // the tiles of a set that has all of them
  int64_t (*uniformBytes)(int tilesPerSet, int log2N2) = nullptr;
  std::vector<uint32_t> (*tables)(int log2N2, int quarters) = nullptr;
  // Frequency-sparse: for a few values of k1, from those tables; null where all are computed.
  std::vector<uint32_t> (*ofDigits)(const std::vector<uint32_t>& tables, const std::vector<int>& digits) = nullptr;
  double (*gain)(int log2N2) = nullptr;
  HiddenTaps (*hidden)(int log2N2) = nullptr;
};

// A transform of kernels into spectra of N points.
struct SpectrumInstance {
  int points = 0, threads = 0, slices = 0;
  int halves = 1;  // of a row: segments of the kernel
  int64_t sharedBytes = 0;
  const void* transform = nullptr;  // device function (SpectrumParams)
  std::vector<uint8_t> (*tables)(int slice, int quarters) = nullptr;
};

// Each list lives in a translation unit of its own, so that a parallel build shares the work.
void addRadix1(std::vector<Instance>& list);
void addRadix1Single(std::vector<Instance>& list);
void addRadix2(std::vector<Instance>& list);
void addRadix3(std::vector<Instance>& list);
void addRadix4(std::vector<Instance>& list);
void addPacked(std::vector<Instance>& list);
void addPackedLong(std::vector<Instance>& list);
void addSparse(std::vector<Instance>& list);
void addOneSlice(std::vector<Instance>& list);
void addSliced2(std::vector<Instance>& list);
void addSliced4(std::vector<Instance>& list);
void addHalves(std::vector<Instance>& list);
void addShortSpectra(std::vector<SpectrumInstance>& list);
void addLongSpectra(std::vector<SpectrumInstance>& list);

}  // namespace ffc::mma
