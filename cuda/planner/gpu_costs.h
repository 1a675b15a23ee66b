// What a forward call of each GPU family computes and moves, counted from shapes alone: no CUDA here, so that the
// planner is tested on machines without a GPU. Families give their own numbers (tiles, shared memory, table sizes).
#pragma once
#include "../host/problem.h"
#include "candidate.h"

namespace ffc {

// How much of a device there is to fill.
struct GpuSize {
  int multiprocessors = 1;
  int64_t sharedMemoryPerBlock = 0;
};

// Bytes of u, y and the gates, each once.
double tensorBytes(const ConvProblem& problem);

struct DirectShape {
  int64_t taps = 0, units = 0;  // units: tiles of outputs of all rows
  int tile = 0, unitsPerBlock = 1, threads = 128, sharedBytes = 0;
};
Candidate directCandidate(const ConvProblem& problem, const DirectShape& shape, const GpuSize& size);

struct MmaShape {
  int radix = 1, n2 = 1;  // N = 256 n2 radix; 4096 radix points a tile
  int slices = 1;        // a sequence is transformed in so many turns of its block
  int halves = 1;        // a row is so many sequences, one after the other, with a segment of the kernel each
  int64_t points = 0, segments = 1;
  bool accurate = false;
  bool spectrumFloats = false;    // eight bytes of a spectrum for each point, not four
  bool scaled = false;            // every row has an exponent of its own
  bool uniform = false;           // the driver for sets of one channel
  bool packed = false;            // 2N samples in N points: overlapping windows of a row (overlap-save)
  bool streamedSpectrum = false;  // read from the second-level cache for every tile
  int digits = 0;                 // frequency-sparse: so many values of k1 of 16 are computed; 0: all
  int turns = 0;                  // frequency-sparse: so many slices are computed; 0: all
};
Candidate fusedMmaCandidate(const ConvProblem& problem, const MmaShape& shape, const GpuSize& size);

struct Fp32Shape {
  int64_t points = 0, segments = 1, parts = 1;
  double forwardTransforms = 1;  // of a row: windows outside it are left out
  int threads = 0, rows = 0, blocks = 1;  // per transform, transforms of a block, blocks of a transform
  int64_t sharedBytes = 0;
  bool windowed = false, partitioned = false;  // partitioned: can sum over parts of a kernel
  std::vector<int> radices;
  int digits = 0;  // frequency-sparse: so many values of the first digit are computed; 0: all
};
Candidate fusedFp32Candidate(const ConvProblem& problem, const Fp32Shape& shape, const GpuSize& size);

struct MultiPassShape {
  int64_t columns = 0, rowPoints = 0;               // N = columns x rowPoints
  int64_t chunks = 1, usualChunks = 1;              // of sequences, by this context's scratch limit and by the usual one
  int run = 16;                                     // columns of a tile: neighbours that are moved together
  int scratchBytes = 8;                             // of a point between passes
  bool tensorCores = false;
  double keptRows = 1;                              // share of the rows that a frequency-sparse plan works on
  double keptPieces = 1;                            // and of their spectrum that it reads
  int rate = 1;                                     // samples for each point
  int filterTaps = 0;                               // on CUDA cores, of the passes between samples and the ring
  double overlap = 1;                               // points that the last pass reads, each
  bool addsSkip = false;                            // it adds the skip term, for which it reads samples; or that is a tap of the spectrum
  std::vector<int> columnRadices, rowRadices;
};
Candidate multiPassCandidate(const ConvProblem& problem, const MultiPassShape& shape, const GpuSize& size);

// Slots of the spectrum at a part of the rate (host/filter_bank.h), convolved as rows of a fused transform.
struct FilterBankShape {
  int slots = 0, rate = 1, taps = 0;
  bool floats = false;                               // numbers are floats; filters of a coarse bank are folds (gpu/bank/fold.h)
  bool ends = false;                                 // folds: slots at the ends of the spectrum, which have a fold of their own
  int slotsOfProduct = 0;                            // which there are always so many of, in matrices or fours
  double products = 0, folds = 0;                    // 16 bit and fine banks: multiply-adds of a sample and way, on tensor cores (floats: CUDA cores), and of a fine bank's fold
  double ringFilling = 1;                            // fine banks of 16 bit: how much of a set of one channel is rows
  bool measured = false;                             // a pass looks for the rows' largest samples
  int64_t chunks = 1, usualChunks = 1;               // by this context's scratch limit and by the usual one
  MmaShape ring;                                     // the transform of a slot
  Fp32Shape floatRing;                               // or this
  double numbersThere = 0, numbersBack = 0;          // coarse, floats: of a row and a slot, that are computed on either way
};
Candidate filterBankCandidate(const ConvProblem& problem, const FilterBankShape& shape, const GpuSize& size);

}  // namespace ffc
