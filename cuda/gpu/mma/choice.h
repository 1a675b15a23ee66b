// What serves a problem: an instance, the transform of its kernels, and the shapes of a launch. choices.cu finds all
// that there are, mma.cu makes a plan of one.
#pragma once
#include <memory>
#include <vector>

#include "../launch.h"
#include "instance.h"

namespace ffc::mma {

struct Launch {
  int tilesPerSet = 0, slots = 0;
  int64_t sharedBytes = 0;
  int64_t residentAt = 0;  // see Params
};

struct Choice {
  const Instance* instance = nullptr;
  const SpectrumInstance* spectrum = nullptr;
  int log2N2 = 0;
  // A whole row in one transform takes as many launches as it has segments of N outputs. Packed, the segments of all
  // rows are sequences of one launch, see Params.
  int64_t points = 0, segments = 0;
  int64_t step = 0, history = 0;
  Launch copies, maps;  // without and with tensor copies; maps.tilesPerSet is 0 where they cannot be used
  Launch uniform;       // sets of one channel, with tensor copies of their own; tilesPerSet is 0 where there are none
  std::vector<int> digits;  // frequency-sparse: the values of k1 that an instance of few computes
  int onlySlice = -1;       // frequency-sparse: the only one of a sequence that has a turn; -1: all have
};

// Rows of float16 in a ring, `batch` for each of `channels` spectra.
struct RingProblem {
  int64_t points = 0;
  bool circular = false;  // in the shortest ring that has as many points and is less than twice as long
  bool accurate = false;
  int64_t batch = 1, channels = 1;
};
// Sets of one channel (choice.uniform), where there are tensor copies, or slices. instance is null where there is none that fits the device.
Choice choiceOfRing(const RingProblem& ring, const GpuLimits& limits);

std::unique_ptr<GpuAlgorithm> makeFusedMma(const ConvProblem& problem, const GpuLimits& limits, const Choice& choice, TableCache& cache);

}  // namespace ffc::mma
