// Which transforms of the tensor-core family serve a problem, and with how much shared memory; the planner is offered
// all of them.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <tuple>

#include "../../host/frequency_mask.h"
#include "../../host/window.h"
#include "choice.h"
#include "tensor_maps.h"

namespace ffc {
namespace mma {
namespace {

const std::vector<Instance>& instances() {
  static const std::vector<Instance> list = [] {
    std::vector<Instance> all;
    addRadix1Single(all);
    addRadix1(all);
    addRadix2(all);
    addRadix3(all);
    addRadix4(all);
    addPacked(all);
    addPackedLong(all);
    addSparse(all);
    addOneSlice(all);
    addSliced2(all);
    addSliced4(all);
    addHalves(all);
    return all;
  }();
  return list;
}

const std::vector<SpectrumInstance>& spectra() {
  static const std::vector<SpectrumInstance> list = [] {
    std::vector<SpectrumInstance> all;
    addShortSpectra(all);
    addLongSpectra(all);
    return all;
  }();
  return list;
}

// As many tiles between two barriers as shared memory takes, and no more than leave each block a few sets to overlap. A
// slot to spare lets copies run ahead, which is worth half as many tiles again: 4096 points in the accurate class took
// 0.452 ms with three tiles and a slot to spare, 0.485 with four tiles, 0.494 with two and a slot to spare.
Launch launchOf(const Instance& i, int log2N2, bool pre, bool post, bool maps, int64_t limit, int64_t tilesPerBlock) {
  int most = i.mostTiles;
  while (most > 1 && tilesPerBlock < 3 * most) most /= 2;
  Launch best;
  for (int tiles = most; tiles >= 1; tiles--)
    for (int spare = maps && !i.residentBytes && (i.buffers == 2 || !i.packed || (i.mostTiles == 1 && !i.accurate)); spare >= 0; spare--) {
      const int64_t bytes = i.sharedBytes(tiles, log2N2, i.buffers + spare, pre, post, maps);
      const int worth = tiles * (2 + spare), bestWorth = best.tilesPerSet * (2 + best.slots - i.buffers);
      if (bytes <= limit && (!best.tilesPerSet || worth > bestWorth)) best = {tiles, i.buffers + spare, bytes};
    }
  // In pieces of 16 bytes.
  const int64_t end = (best.sharedBytes + 15) / 16 * 16;
  if (i.residentBytes && best.tilesPerSet && end + i.residentBytes <= limit) {
    best.residentAt = end;
    best.sharedBytes = end + i.residentBytes;
  }
  return best;
}

// Sets of one channel, if that is worth it (anyway: in any case): where a channel has few rows, many of a set's places stay empty, and the
// general driver takes less time, though it needs a third more a tile.
Launch uniformLaunchOf(const Instance& i, int log2N2, int64_t batch, int64_t channels, bool anyway, const GpuLimits& limits) {
  if (!i.setsOf(RowShape::whole)) return {};
  // In tiles: those of the busiest block, something for every barrier, and an interval and a half to fill and drain.
  const auto time = [&](int64_t sets, double tilesPerSet) {
    return (double((sets + limits.multiprocessors - 1) / limits.multiprocessors) + 1.5) * tilesPerSet;
  };
  Launch best;
  double least = anyway ? HUGE_VAL : 1.35 * time((batch * channels << log2N2) / 16 + 1, 1.0);
  for (int tiles = i.uniformTiles; tiles >= 1; tiles--) {
    const int64_t bytes = i.uniformBytes(tiles, log2N2), rows = tiles * (16 >> log2N2);
    // The full number of tiles may have a form of its own, in which the compiler interleaves them: 256 points in halves
    // of such sets took 0.0299 ms, in whole ones 0.0279.
    const bool interleaved = i.interleaves && tiles == i.uniformTiles;
    const double t = time((batch + rows - 1) / rows * channels, (interleaved ? 0.85 : 1.0) * tiles + 0.3);
    if (bytes <= limits.sharedMemoryPerBlock && t < least) best = {tiles, i.uniformSlots, bytes}, least = t;
  }
  return best;
}

// Segments of N outputs that a transform of N points needs, or 0 if it cannot serve the problem: the input must fit
// into N samples, and no wrapped sample may land on an output.
int64_t segmentsWith(int64_t N, const ConvProblem& p, const KernelWindow& window) {
  if (p.mask && N != p.mask->points()) return 0;
  if (p.length > N || ringSamples(p, window) > 2 * N) return 0;
  return (p.outputLength + N - 1) / N;
}
// Two halves of N samples in one sequence each, where no output of the first depends on samples of the second: 1, or 0
// as above.
int64_t segmentsOfHalves(int64_t N, const ConvProblem& p, const KernelWindow& window) {
  if (p.mask || p.circular() || window.offset != 0) return 0;
  const int64_t longest = std::max(p.length, p.outputLength);
  if (p.length <= N || p.outputLength <= N || longest > 2 * N) return 0;
  // Rows that begin anywhere are shifted; without room for that they would go sample by sample, and three passes are
  // faster.
  const auto aligned = [](const Strides& s) { return s.batch % 8 == 0 && s.channel % 8 == 0; };
  return longest + 7 <= 2 * N || (aligned(p.u) && aligned(p.y));
}

// Packed: blocks of 2N samples, in which output p needs the samples from p + offset - (taps - 1) to p + offset.
// Segments are 0 where that leaves less than an eighth of the block.
struct Segments {
  int64_t count = 0, step = 0, history = 0;
};
Segments packedSegments(int64_t N, const ConvProblem& p, const KernelWindow& window, bool splitOutputs) {
  if (p.mask) return {};  // the frequencies of a pattern are those of one transform of the whole row
  constexpr int64_t longest = int64_t{1} << 30;  // sample numbers are 32 bits wide on the device
  if (p.length > longest || p.outputLength > longest) return {};
  Segments s;
  // Tensor copies move sixteenths of N samples. Where they cannot serve, pieces of 16 bytes are fine enough.
  const int64_t part = !p.circular() && p.length % (N / 16) == 0 && p.outputLength % (N / 16) == 0 ? N / 16 : 8;
  s.history = (std::max<int64_t>(0, window.count - 1 - window.offset) + part - 1) / part * part;
  if (splitOutputs) s.history = std::max(s.history, N);
  s.step = (2 * N - window.offset - s.history) / part * part;
  if (s.step < N / 4) return {};
  s.count = (p.outputLength + 7 + s.step - 1) / s.step;  // rows may be shifted by up to 7 samples
  return s;
}

// Two slices in the accurate class with a spectrum of halves (rounded_spectrum.h).
bool ofRings(const Instance& i) { return i.slices == 2 && (i.radix <= 2 || (i.accurate && !i.spectrumFloats)); }

}  // namespace

Choice choiceOfRing(const RingProblem& ring, const GpuLimits& limits) {
  Choice best;
  if (limits.computeMajor < 8) return best;
  const int64_t sharedMemory = sharedMemoryFor(spectra().front().transform, limits);
  const bool tensorCopies = limits.computeMajor >= 9 && encodesMaps();
  for (const Instance& i : instances()) {
    if (i.element != Element::float16 || i.accurate != ring.accurate || i.gated || i.packed || i.ofDigits || i.oneSlice || i.halves > 1) continue;
    // Only these take what reaches past the ring: slices (sliced_staging.cuh), and sets of one channel by tensor copies (uniform/wrapped.cuh).
    const bool sets = i.slices == 1 && i.setsOf(RowShape::wrapping) && tensorCopies;
    if (!sets && (i.slices < 2 || i.spectrumFloats)) continue;
    for (int log2N2 = sets && i.pairwise ? 1 : sets ? 0 : 4; log2N2 <= (i.pairwise ? 4 : 0); log2N2++) {
      const int64_t points = (int64_t(256 * i.radix) << log2N2) * i.slices;
      if (ring.circular ? points < ring.points || points >= 2 * ring.points : points != ring.points) continue;
      const auto spectrum = std::find_if(spectra().begin(), spectra().end(),
                                         [&](const SpectrumInstance& s) { return s.points == points && s.halves == 1; });
      if (spectrum == spectra().end() || spectrum->sharedBytes > sharedMemory) continue;
      Choice c{&i, &*spectrum, log2N2, points, 1, 0, 0, {}, {}, {}, {}};
      if (sets)
        c.uniform = uniformLaunchOf(i, log2N2, ring.batch, ring.channels, true, limits);
      else
        c.copies = launchOf(i, log2N2, false, false, false, sharedMemory, 1);
      if (!c.copies.tilesPerSet && !c.uniform.tilesPerSet) continue;
      // The shortest ring; sets rather than slices; the least radix, which has the most tiles in a set.
      const auto rank = [](const Choice& c) { return std::make_tuple(c.points, c.instance->slices, c.instance->radix); };
      if (best.instance && rank(best) <= rank(c)) continue;
      if (!sets && limits.computeMajor >= 9) c.maps = launchOf(i, log2N2, false, false, true, sharedMemory, 1);
      best = c;
    }
  }
  return best;
}

}  // namespace mma

void offerFusedMma(const ConvProblem& problem, const GpuLimits& limits, TableCache& cache, Offers& offers) {
  using namespace mma;
  const auto refuse = [&](const std::string& reason) { offers.refuse("fused-mma", reason); };
  if (problem.dtype == Dtype::float32) return refuse("the tensor-core family is for float16 and bfloat16 tensors");
  if (limits.computeMajor < 8) return refuse("the tensor-core family needs compute capability 8.0");
  const Element element = problem.dtype == Dtype::float16 ? Element::float16 : Element::bfloat16;
  const bool accurate = problem.precision == FFC_PRECISION_ACCURATE, gated = problem.preGate || problem.postGate;
  const KernelWindow window = kernelWindow(problem);
  const int64_t sharedMemory = sharedMemoryFor(spectra().front().transform, limits);
  std::vector<Choice> choices;
  bool longEnough = false;
  // A skip term is a tap that every frequency gains.
  std::vector<int> digits;
  if (problem.mask && !problem.skip) digits = problem.mask->residues(16);
  const bool fewEnough = !digits.empty() && int(digits.size()) <= fewDigits;
  int64_t longest = 0;
  const int64_t shorter = problem.mask ? problem.length : std::min(problem.length, problem.kernelLength);
  for (const Instance& i : instances()) {
    if (i.element != element || i.accurate != accurate || i.gated != gated || ofRings(i)) continue;
    if (i.ofDigits && !fewEnough) continue;
    // What leaves nothing out serves circular patterns with kernels that have been masked before (plan.cu).
    if (!problem.quarters() && !i.ofDigits && !i.oneSlice) continue;
    if (i.oneSlice && digits.empty()) continue;
    // 3 * 2^a points below 12288 were never the quickest, and have 1.2e-3 where the fast class promises 1.1e-3.
    const int leastN2 = i.packed || i.slices > 1 || i.ofDigits || i.radix == 3 ? 4 : i.pairwise ? 1 : 0;
    for (int log2N2 = leastN2; log2N2 <= (i.pairwise ? 4 : 0); log2N2++) {
      const int64_t N = (int64_t(256 * i.radix) << log2N2) * i.slices;
      // Up to 8192 samples the fast class promises 1.1e-3 (float16) and 2.0e-3 (bfloat16). Radix 4 and 8, and
      // transforms of more than 8192 points, reach 1.3e-3 and 2.05e-3, which is what it promises to longer rows.
      if (!accurate && problem.length <= 8192 && (i.radix > 3 || N > 8192)) continue;
      // Four slices with a spectrum of halves reach 6.3e-4 in the accurate class (bfloat16 1.77e-3), which is promised
      // from there on where transforms of 32768 points, or windows, do not serve.
      if (accurate && !i.spectrumFloats && shorter <= 32768) continue;
      if (!i.packed) longest = std::max(longest, N * i.halves);
      const auto spectrum = std::find_if(spectra().begin(), spectra().end(),
                                         [&](const SpectrumInstance& s) { return s.points == N && s.halves == i.halves; });
      const Segments segments = i.packed       ? packedSegments(N, problem, window, i.splitOutputs)
                                : i.halves > 1 ? Segments{segmentsOfHalves(N, problem, window)}
                                               : Segments{segmentsWith(N, problem, window)};
      if (!segments.count) continue;
      longEnough = true;
      if (spectrum == spectra().end() || spectrum->sharedBytes > sharedMemory) continue;
      const int64_t tiles = ((problem.rows() * (i.packed ? segments.count : 1)) << log2N2) / 16;
      const int64_t tilesPerBlock = (tiles + limits.multiprocessors - 1) / limits.multiprocessors;
      Choice c{&i, &*spectrum, log2N2, N, segments.count, segments.step, segments.history, {}, {}, {}, {}};
      if (i.ofDigits) c.digits = digits;
      if (i.oneSlice) {
        const std::vector<int> kept = problem.mask->residues(i.slices);
        if (kept.size() > 1) continue;
        c.onlySlice = kept[0];
      }
      c.copies = launchOf(i, log2N2, problem.preGate, problem.postGate, false, sharedMemory, tilesPerBlock);
      if (!c.copies.tilesPerSet) continue;
      if (limits.computeMajor >= 9) {
        c.uniform = uniformLaunchOf(i, log2N2, problem.batch, problem.channels, false, limits);
        // The general driver's slots have a layout for rows n1 of whole lines only.
        if (N % 1024 == 0)
          c.maps = launchOf(i, log2N2, problem.preGate, problem.postGate, true, sharedMemory, tilesPerBlock);
      }
      choices.push_back(c);
    }
  }
  if (choices.empty() && !problem.quarters()) return refuse("no transform leaves work out with this circular pattern");
  if (choices.empty())
    return refuse(longEnough ? "no tensor-core transform that is long enough fits into this device's shared memory of " +
                                   std::to_string(sharedMemory) + " bytes per block" +
                                   (gated ? " together with its gates" : "")
                             : "the tensor-core family transforms at most " + std::to_string(longest) +
                                   " samples at once, or in overlapping blocks of which the kernel must leave an eighth; "
                                   "this problem needs more");
  // Of few digits a transform is always faster than with all of them, but where rows that do not fill it have a driver.
  const int64_t row = std::min(problem.length, problem.outputLength);
  const auto superseded = [&](const Choice& c) {
    const auto skips = [](const Choice& choice) { return !choice.digits.empty() || choice.onlySlice >= 0; };
    if (skips(c) || (row != c.points && c.uniform.tilesPerSet)) return false;
    return std::any_of(choices.begin(), choices.end(), [&](const Choice& other) {
      return skips(other) && other.points == c.points && other.segments == c.segments;
    });
  };
  int64_t least = std::numeric_limits<int64_t>::max();
  const auto pointsOf = [](const Choice& c) { return c.points * c.segments * c.instance->halves; };
  for (const Choice& c : choices) least = std::min(least, pointsOf(c));
  for (const Choice& c : choices) {
    if (pointsOf(c) > 4 * least || superseded(c)) continue;  // mostly silence
    MmaShape shape;
    shape.radix = c.instance->radix;
    shape.slices = c.instance->slices;
    shape.halves = c.instance->halves;
    shape.n2 = 1 << c.log2N2;
    shape.points = c.points;
    shape.segments = c.segments;
    shape.accurate = accurate;
    shape.spectrumFloats = c.instance->spectrumFloats;
    shape.scaled = gated || element == Element::bfloat16;
    shape.uniform = c.uniform.tilesPerSet > 0;
    shape.packed = c.instance->packed;
    if (c.instance->ofDigits) shape.digits = int(c.digits.size());
    shape.turns = c.onlySlice >= 0 ? 1 : 0;
    shape.streamedSpectrum = c.instance->radix > 2 || (accurate && c.instance->radix > 1);
    offers.add(fusedMmaCandidate(problem, shape, sizeOf(limits)),
               [&problem, &limits, &cache, c] { return makeFusedMma(problem, limits, c, cache); });
  }
}

}  // namespace ffc
