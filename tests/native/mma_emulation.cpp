// The body of the fused tensor-core convolution (cuda/gpu/mma/body.cuh) on the CPU: every lane of every warp is
// emulated, with the fragment layouts of mma.sync, ldmatrix and stmatrix, so index maps, tables, masks, scales and
// barriers are checked where there is no GPU. Warps are delayed at random: a missing barrier shows as a wrong result.
// Every case compares with a float64 convolution; outputs start as NaN, guard bands must survive.
//
// Build: g++ -std=c++17 -O2 tests/native/mma_emulation.cpp -o mma_emulation
#define FFC_EMULATE
#include "../../cuda/gpu/mma/convolve.cuh"
#include "../../cuda/gpu/mma/rounded_spectrum.h"
#include "../../cuda/gpu/mma/tables.h"
#include "../../cuda/gpu/mma/uniform.cuh"

#include <random>

namespace {

using namespace ffc::mma;
using Complex = std::complex<double>;
constexpr double pi = 3.14159265358979323846;

// Begun anew by each check, so that its numbers do not depend on which others the program does.
constexpr int seed = 20240229;
std::mt19937_64 engine(seed);
double gauss() { return std::normal_distribution<double>()(engine); }

// Any length whose factors are small; recursion is fast enough for a handful of rows.
void transform(std::vector<Complex>& a, int sign) {
  const size_t n = a.size();
  if (n == 1) return;
  size_t f = 2;
  while (n % f) f++;
  std::vector<std::vector<Complex>> parts(f, std::vector<Complex>(n / f));
  for (size_t i = 0; i < n; i++) parts[i % f][i / f] = a[i];
  for (auto& part : parts) transform(part, sign);
  for (size_t k = 0; k < n; k++) {
    a[k] = 0;
    for (size_t j = 0; j < f; j++) a[k] += parts[j][k % (n / f)] * std::polar(1.0, sign * 2 * pi * double(j * k % n) / n);
  }
}

std::vector<double> fullConvolution(const std::vector<double>& u, const std::vector<double>& k) {
  size_t n = 1;
  while (n < u.size() + k.size()) n *= 2;
  std::vector<Complex> a(n), b(n);
  std::copy(u.begin(), u.end(), a.begin());
  std::copy(k.begin(), k.end(), b.begin());
  transform(a, -1);
  transform(b, -1);
  for (size_t i = 0; i < n; i++) a[i] *= b[i] / double(n);
  transform(a, 1);
  std::vector<double> y(u.size() + k.size() - 1);
  for (size_t i = 0; i < y.size(); i++) y[i] = a[i].real();
  return y;
}

struct Case {
  int log2N2, batch, channels, length, taps, offset;
  int tilesPerSet = 1, slots = 0, blocks = 1;  // slots 0: as many as exchange buffers
  bool uniform = false;  // the driver for sets of one channel
  bool partial = false;  // the same for rows shorter than the transform
  bool maps = false, pre = false, post = false, skip = false;
  int lead = 0;          // samples by which every tensor misses a 16-byte boundary
  double amplitude = 1, kernelSize = 1, late = 1;  // late: further factor of the second half of the batch
  bool periodic = false;  // circular, packed only
  std::vector<int> digits = {};  // frequency-sparse: the kept k1, or the only slice
  bool resident = false;  // parts of the spectrum in shared memory
  bool inPlace = false;  // y is u
  int classes = 16;       // that k is divided into: 16 digits, or so many slices
  int quarters = 1;       // 0: the circular ring
  double behindN = 1;     // further factor of the samples from N on: of a second half
  int delay = -1;        // from 0 on: samples are the amplitude, the kernel is one tap of kernelSize at this delay
};

bool keeps(const Case& c, int k) { return c.digits.empty() || std::count(c.digits.begin(), c.digits.end(), k % c.classes); }

// What the ring's convolution gives without the dropped frequencies: a masked kernel has no taps to convolve with.
std::vector<double> maskedConvolution(const std::vector<double>& u, const std::vector<double>& k, const Case& c, int N) {
  const double shift = c.quarters / 4.0;
  const auto transformed = [&](const std::vector<double>& x) {
    std::vector<Complex> a(N);
    for (size_t i = 0; i < x.size(); i++) a[i % N] += x[i] * std::polar(1.0, 2 * pi * double(i) * shift / N);
    transform(a, -1);
    return a;
  };
  std::vector<Complex> a = transformed(u);
  const std::vector<Complex> b = transformed(k);
  for (int f = 0; f < N; f++) a[f] = keeps(c, f) ? a[f] * b[f] * std::polar(1.0 / N, 2 * pi * c.offset * (f - shift) / N) : 0;
  transform(a, 1);
  std::vector<double> y(u.size());
  for (size_t i = 0; i < y.size(); i++) y[i] = (a[i] * std::polar(1.0, -2 * pi * double(i) * shift / N)).real();
  return y;
}

// The spectrum of one channel as the device would store it.
template <class C>
void appendSpectrum(const std::vector<double>& taps, const Case& c, std::vector<uint32_t>& words, std::vector<int32_t>& exponents) {
  const int N2 = 1 << c.log2N2, N = 256 * C::R * N2 * C::slices;
  const double shift = c.quarters / 4.0;
  std::vector<std::vector<Complex>> segments;
  double largest = 0;
  for (int half = 0; half < C::halves; half++) {
    std::vector<Complex> a(N);
    // What reaches from a half into itself, and from the first into the second.
    const size_t count = C::halves > 1 && half == 0 ? std::min(taps.size(), size_t(N)) : taps.size();
    for (size_t i = 0; i < count; i++) a[i % N] += taps[i] * std::polar(1.0, 2 * pi * double(i) * shift / N);
    transform(a, -1);
    for (int f = 0; f < N; f++) {
      a[f] *= keeps(c, f) ? std::polar(spectrumGain<C>(c.log2N2), 2 * pi * (c.offset * (f - shift) / N - 0.25 * half)) : 0;
      largest = std::max({largest, std::fabs(a[f].real()), std::fabs(a[f].imag())});
    }
    segments.push_back(a);
  }
  SpectrumWindow window = spectrumWindow<C>();
  const HiddenTaps few = hiddenTaps<C>(c.log2N2);
  double hidden = 0;
  for (int i = 0; i < int(taps.size()); i++)
    if (i - c.offset >= c.length - few.taps || i - c.offset + c.length <= few.taps) hidden += std::fabs(taps[i]);
  if (!C::rowScaled && hidden * spectrumGain<C>(c.log2N2) >= hiddenPart * largest)
    window.high = std::min(window.high, few.high);
  const int size = std::ilogb(largest) + 1;
  const int exponent = size < window.low ? size - window.low : size > window.high ? size - window.high : 0;
  exponents.push_back(exponent);
  constexpr int width = C::spectrumFloats ? 2 : 1;
  const size_t base = words.size();
  words.resize(base + C::halves * size_t(N) * width);
  for (int part = 0; part < C::halves * C::slices; part++) {
    const std::vector<Complex>& a = segments[part / C::slices];
    const int slice = part % C::slices;
    for (int k1 = 0; k1 < 16; k1++)
      for (int kb = 0; kb < C::R; kb++)
        for (int k2 = 0; k2 < N2; k2++)
          for (int lane = 0; lane < 4; lane++) {
            uint32_t* to = &words[base + part * (size_t(N) / C::slices) * width + 4 * width * spectrumGroup(C::R, N2, k1, kb, k2, lane)];
            for (int mirrored = 0; mirrored < 2; mirrored++) {
              Complex v[2];
              for (int i = 0; i < 2; i++) {
                const int j = mirrored ? 15 - 2 * lane - i : 2 * lane + i;
                v[i] = a[slice + C::slices * (k1 + 16 * (k2 + N2 * (kb + C::R * j)))] * std::ldexp(1.0, -exponent);
              }
              if (C::spectrumFloats) {
                to[4 * mirrored] = floatWord(v[0].real()), to[4 * mirrored + 1] = floatWord(v[1].real());
                to[4 * mirrored + 2] = floatWord(v[0].imag()), to[4 * mirrored + 3] = floatWord(v[1].imag());
              } else {
                to[2 * mirrored] = halfPair(v[0].real(), v[1].real());
                to[2 * mirrored + 1] = halfPair(v[0].imag(), v[1].imag());
              }
            }
          }
  }
}

// Memory whose first sample is `lead` samples past a 16-byte boundary.
struct Aligned {
  std::vector<char> bytes;
  char* data;
  Aligned(size_t count, int lead) : bytes(count + 64, char(0xff)) {  // NaNs around it
    data = bytes.data() + (16 - reinterpret_cast<uintptr_t>(bytes.data()) % 16) % 16 + 2 * lead;
  }
};

int passed = 0, failed = 0;

// Each run of the program does every `parts`-th check, beginning with number `part`, so that all cores have work.
int part = 0, parts = 1;
bool mine() {
  static int number = 0;
  return number++ % parts == part;
}

template <class C>
void check(Case c) {
  if (!mine()) return;
  engine.seed(seed);
  const int N = (256 * C::R << c.log2N2) * C::slices, rows = c.batch * c.channels;
  // Rows that begin anywhere are brought by tensor copies if those of a channel have the same phase.
  const int64_t batchSamples = c.partial ? (c.channels * c.length + 7) / 8 * 8 : c.channels * c.length;
  const int64_t count = c.batch * batchSamples;
  if (!c.slots) c.slots = C::buffers;
  auto bits = [](double x) { return C::bf16 ? uint16_t(packBfloat(float(x), 0)) : emulation::floatToHalf(x); };
  auto value = [](uint16_t b) { return C::bf16 ? double(asFloat(u32(b) << 16)) : double(emulation::halfToFloat(b)); };
  constexpr int guard = 16;
  Aligned u(count * 2, c.lead), pre(count * 2, c.lead), post(count * 2, c.lead), y((count + guard) * 2, c.lead);
  auto at = [](const Aligned& a, int64_t i) -> uint16_t& { return reinterpret_cast<uint16_t*>(a.data)[i]; };
  for (int64_t i = 0; i < count; i++)
    at(u, i) = bits((c.delay < 0 ? gauss() : 1.0) * c.amplitude * (i * 2 < count ? 1 : c.late) * (i % batchSamples % c.length < N ? 1 : c.behindN)), at(pre, i) = bits(gauss()), at(post, i) = bits(gauss());
  for (int64_t i = 0; i < count + guard; i++) at(y, i) = 0x7fff;
  std::vector<std::vector<double>> kernels(c.channels, std::vector<double>(c.taps));
  std::vector<float> skip(c.channels);
  std::vector<uint32_t> words, tables = makeTables<C>(c.log2N2, c.quarters);
  if constexpr (C::sparse) tables = tablesOfDigits<C>(tables, c.digits);
  std::vector<int32_t> exponents;
  for (int h = 0; h < c.channels; h++) {
    for (double& k : kernels[h]) k = c.delay < 0 ? gauss() * c.kernelSize / std::sqrt(double(c.taps)) : 0;
    if (c.delay >= 0) kernels[h][c.delay] = c.kernelSize;
    skip[h] = float(gauss() * c.kernelSize);
    appendSpectrum<C>(kernels[h], c, words, exponents);
  }
  Aligned spectrum(words.size() * 4, 0), table(tables.size() * 4, 0);
  std::memcpy(spectrum.data, words.data(), words.size() * 4);
  std::memcpy(table.data, tables.data(), tables.size() * 4);

  Params p;
  auto describe = [&](const Aligned& a, Rows& r, unsigned char* map) {
    r.data = a.data;
    r.channelStride = c.length * 2;
    r.batchStride = batchSamples * 2;
    TensorMap m{a.data, r.batchStride, r.channelStride, N, c.uniform ? c.tilesPerSet * (16 >> c.log2N2) : 1, c.batch};
    if (c.partial && C::longRows) {
      const int part = N / 16, lines = c.length / part, longer = c.length % part / 64, second = std::max(1, longer);
      p.wholeParts = lines, p.longGroups = longer, p.headParts = 1, p.wraps = c.length + 7 > N;
      m.data = a.data - 2 * c.lead;
      m.channelStride = 16;
      const auto put = [&](TensorMaps& maps, int parts, int boxParts, int boxGroups) {
        m.parts = parts, m.boxParts = boxParts, m.boxGroups = boxGroups;
        std::memcpy(maps.u + (map - p.maps.u), &m, sizeof m);
      };
      const bool stored = &r == &p.y;
      if (stored) put(p.longRests, lines + (longer > 0), 15, 1);
      put(p.rests, lines, 16, part / 64 - (stored ? second : longer));
      put(p.maps, lines + 1, 16, stored ? second - 1 : longer);
      return;
    }
    if (c.partial && C::slices > 1) {
      m.points = N / C::slices;
      const int line = m.points / 16, lines = c.length / line, longer = c.length % line / 64;
      p.wholeParts = lines, p.longGroups = longer, p.headParts = 1;
      m.data = a.data - 2 * c.lead;
      m.channelStride = 16;
      m.parts = lines, m.boxGroups = line / 64 - longer;
      std::memcpy(p.rests.u + (map - p.maps.u), &m, sizeof m);
      m.parts = lines + 1, m.boxGroups = longer;
      std::memcpy(map, &m, sizeof m);
      return;
    }
    if (c.partial) {
      // Rows of a filter bank reach past the ring from a multiple of 16 bytes on.
      const int beyond = std::max(0, c.length - N);
      const PartialRows rows(c.length - beyond, N, c.length % 8 != 0 || c.lead != 0);
      p.wholeParts = rows.whole, p.headParts = rows.head, p.restParts = rows.rest;
      p.wraps = beyond || (rows.head && c.length + 7 > N);
      char* const begin = a.data - 2 * c.lead;
      m.data = begin + rows.head * (N / 8);
      m.channelStride = 16;
      if (!tilesTravelTogether(partialShapeOf(p), C::R)) m.rows = 16 >> c.log2N2;
      m.parts = m.boxParts = rows.whole - rows.head;
      const bool stored = &r == &p.y;
      RestMap rest{begin, r.batchStride, 16, int(rows.samples), c.batch, std::min(256, N / 16), m.rows};
      if (stored) rest.samples = int(rows.stored);
      std::memcpy(p.rests.u + (map - p.maps.u), &rest, sizeof rest);
      rest.samples = int(rows.longerSamples);
      std::memcpy(p.longRests.u + (map - p.maps.u), &rest, sizeof rest);
    }
    if (C::residentBlocks > 0 && !C::packed) {  // columns of whole rows
      m.boxGroups = 1;
      std::memcpy(p.rests.u + (map - p.maps.u), &m, sizeof m);
      m.boxGroups = 0;
    }
    if (C::packed) {
      const bool stored = &r == &p.y;
      m.parts = c.length / (N / 16);
      m.boxParts = stored ? p.step / (N / 16) : 32;
      m.boxGroups = stored ? 1 : C::copyGroups;
    }
    if (C::slices > 1) {  // boxes are parts, of M points
      m.points = N / C::slices;
      m.parts = c.length / (m.points / 16);
    }
    std::memcpy(map, &m, sizeof m);
  };
  if (C::packed) {
    const int part = c.maps ? N / 16 : 8;
    p.history = (std::max(0, c.taps - 1 - c.offset) + part - 1) / part * part;
    if (C::splitOutputs) p.history = std::max(p.history, N);
    p.step = (2 * N - c.offset - p.history) / part * part;
    p.segments = (c.length + 7 + p.step - 1) / p.step;
    p.periodic = c.periodic;
  }
  describe(u, p.u, p.maps.u);
  describe(c.inPlace ? u : y, p.y, p.maps.y);
  p.inPlace = c.inPlace;
  const std::vector<char> samples = u.bytes;
  if (c.pre) describe(pre, p.pre, p.maps.pre);
  if (c.post) describe(post, p.post, p.maps.post);
  p.useMaps = c.maps;
  p.slots = c.slots;
  p.spectrum = spectrum.data;
  p.exponent = exponents.data();
  if (c.skip) p.skip = skip.data(), p.skipType = 1;
  p.spectrumGain = float(spectrumGain<C>(c.log2N2));
  p.tables = table.data;
  p.log2N2 = c.log2N2;
  p.digitCount = int(c.digits.size());
  for (int i = 0; i < p.digitCount && C::sparse; i++) p.digits |= uint32_t(c.digits[i]) << (4 * i);
  if (C::oneSlice) p.onlySlice = c.digits[0], p.quarters = c.quarters;
  p.batch = c.batch * p.segments, p.channels = c.channels;
  setDivisor(p.batchMagic, p.batchShift, p.batch);
  p.length = p.outLength = c.length;
  p.tiles = (rows * p.segments * (1 << c.log2N2) + 15) / 16;
  p.tilesPerSet = c.tilesPerSet;
  // From a line of L2 on.
  std::vector<uint4> results((C::slices > 1 ? c.blocks * C::scratchBytes / 16 : 0) + 8, uint4{~0u, ~0u, ~0u, ~0u});
  p.results = results.data() + (128 - reinterpret_cast<uintptr_t>(results.data()) % 128) / 16 % 8;
  const bool wrapsSlices = C::slices > 1 && C::halves == 1 && c.quarters;
  p.phased = C::packed || c.length + 7 <= N * C::halves || wrapsSlices;
  if (wrapsSlices) p.wraps = (!c.maps || c.partial) && c.length + 7 > N;
  emulation::machine.matrixInstructions = emulation::machine.matrixWavefronts = 0;
  if constexpr (C::uniform)
    if (c.uniform) {
      p.useMaps = true;
      p.slots = C::uniformSlots;
      p.bothGates = C::gated;
      describeUniform(p, c.tilesPerSet * (16 >> c.log2N2), c.blocks);
      emulation::launch(c.blocks, uniformBytes<C>(c.tilesPerSet, c.log2N2), engine(), [&] {
        switch (c.partial ? partialShapeOf(p) : RowShape::whole) {
          case RowShape::whole: return convolveSets<C, RowShape::whole>(p);
          case RowShape::aligned: return convolveSets<C, RowShape::aligned>(p);
          case RowShape::anywhere: return convolveSets<C, RowShape::anywhere>(p);
          case RowShape::wrapping: return convolveSets<C, RowShape::wrapping>(p);
        }
      });
    }
  int64_t shared = sharedBytes<C>(c.tilesPerSet, c.log2N2, c.slots, c.pre, c.post, c.maps);
  if (c.partial)  // a channel with an exponent goes by plain copies
    shared = std::max(shared, sharedBytes<C>(c.tilesPerSet, c.log2N2, C::buffers, c.pre, c.post, false));
  if (c.resident) {
    p.residentAt = int32_t(shared = (shared + 15) / 16 * 16);
    shared += C::residentBlocks * C::residentBlockBytes;
  }
  if (!c.uniform)
    emulation::launch(std::min(c.blocks, p.tiles), shared, engine(), [&] {
      if constexpr (C::skipKernel) {
        c.skip ? convolve<AddsSkip<C>>(p) : convolve<C>(p);
      } else {
        convolve<C>(p);
      }
    });

  if (c.inPlace) {
    std::memcpy(y.data, u.data, count * 2);
    u.bytes = samples;  // of the same size: data still points into it
  }
  double error = 0, size = 0;
  for (int b = 0; b < c.batch; b++)
    for (int h = 0; h < c.channels; h++) {
      const int64_t row = b * batchSamples + int64_t(h) * c.length;
      std::vector<double> v(c.length);
      for (int i = 0; i < c.length; i++) v[i] = value(at(u, row + i)) * (c.pre ? value(at(pre, row + i)) : 1);
      const bool masked = !c.digits.empty();
      const auto full = masked ? maskedConvolution(v, kernels[h], c, N) : fullConvolution(v, kernels[h]);
      for (int n = 0; n < c.length; n++) {
        const int at0 = masked ? n : n + c.offset;  // the ring's is shifted already
        double r = at0 < int(full.size()) ? full[at0] : 0;
        if (c.periodic && n + c.length < int(full.size())) r += full[n + c.length];
        r += (c.skip ? skip[h] * v[n] : 0);
        if (c.post) r *= value(at(post, row + n));
        const double d = value(at(y, row + n)) - r;
        error += d * d, size += r * r;
      }
      // What the row does not show has roundings, too.
      if (c.delay >= 0)
        for (size_t n = c.length; n < full.size(); n++) size += full[n] * full[n];
    }
  error = std::sqrt(error / size);
  bool intact = true;
  for (int i = 0; i < guard; i++) intact &= at(y, count + i) == 0x7fff;
  for (int i = 1; i <= c.lead; i++) intact &= at(y, -i) == 0xffff;
  // The row n1 that a partial row ends in is not swizzled like the others.
  const bool conflictFree = c.partial || emulation::machine.matrixWavefronts == 4 * emulation::machine.matrixInstructions;
  // The classes' bounds (cuda/DESIGN.md, "Precision"), with a tenth more because few rows are compared.
  const double bound = 1.1 * (C::bf16 ? (C::accurate ? 1.75e-3 : N <= 8192 ? 2.0e-3 : N <= 32768 ? 2.15e-3 : 2.2e-3)
                                      : (C::accurate ? 6e-4 : C::R == 1 || C::R == 2 ? 1.1e-3 : N <= 32768 ? 1.4e-3 : 1.5e-3));
  const bool good = error < bound && intact && conflictFree;
  (good ? passed : failed)++;
  std::printf("%s R=%d N=%d%s %s %s%s%s%s%s length %d batch %d channels %d: error %.2e%s%s\n", good ? "ok  " : "FAIL", C::R, N,
              C::packed ? " packed" : C::sparse ? " few digits" : C::oneSlice ? " one slice" : C::halves > 1 ? " halves" : "", C::bf16 ? "bfloat16" : "float16", C::accurate ? "accurate" : "fast",
              c.partial ? " partial" : c.uniform ? " uniform" : c.maps ? " maps" : "", c.pre ? " pre" : "",
              c.post ? " post" : "", c.skip ? " skip" : "", c.length, c.batch, c.channels, error,
              intact ? "" : ", guard band overwritten", conflictFree ? "" : ", bank conflicts");
}

// The first matrices against float64, beside the nearest halves: little more error in all, less than a third of theirs in the
// sums of rows, which is what constants meet.
void checkRowSums(int log2N2) {
  if (!mine()) return;
  using C = Config<1, true, Element::float16, true, false>;
  const std::vector<uint32_t> table = makeTables<C>(log2N2);
  const int N2 = 1 << log2N2;
  double error2 = 0, nearest2 = 0, size2 = 0, sumError2 = 0, sumNearest2 = 0, sumSize2 = 0;
  for (int warp = 0; warp < N2; warp++)
    for (int k1 = 0; k1 < 16; k1++) {
      Complex sum, nearestSum, exactSum;
      for (int n1 = 0; n1 < 16; n1++) {
        const int lane = k1 % 8 * 4 + n1 % 8 / 2, i = k1 / 8 + 2 * (n1 / 8);
        const auto part = [&](int matrix) {
          const uint32_t word = table[TableLayout<C>::outer + ((warp * 4 + matrix) * 32 + lane) * 4 + i];
          return double(emulation::halfToFloat(uint16_t(word >> (16 * (n1 % 2)))));
        };
        const double f = k1 - 0.25;
        const Complex exact = std::polar(std::ldexp(0.25, -C::fixedExponent), -2 * pi * (n1 * f / 16 + warp * (f - 8) / (16.0 * N2)));
        const auto rounded = [](double x) { return double(emulation::halfToFloat(halfBits(x))); };
        const Complex value(part(0), part(1)), nearest(rounded(exact.real()), rounded(exact.imag()));
        error2 += std::norm(value - exact), nearest2 += std::norm(nearest - exact), size2 += std::norm(exact);
        sum += value, nearestSum += nearest, exactSum += exact;
      }
      sumError2 += std::norm(sum - exactSum), sumNearest2 += std::norm(nearestSum - exactSum), sumSize2 += std::norm(exactSum);
    }
  const double error = std::sqrt(error2 / size2), sumError = std::sqrt(sumError2 / sumSize2);
  const bool good = error2 < 1.1 * nearest2 && sumError2 < sumNearest2 / 9;
  (good ? passed : failed)++;
  std::printf("%s first matrices of %d points: error %.2e (%.2e), of the sums of rows %.2e (%.2e)\n", good ? "ok  " : "FAIL",
              256 * N2, error, std::sqrt(nearest2 / size2), sumError, std::sqrt(sumNearest2 / sumSize2));
}

}  // namespace

// mma_emulation [PART OF]: all checks, or every OF-th one from number PART on.
int main(int count, char** words) {
  if (count == 3) {
    part = std::atoi(words[1]);
    parts = std::atoi(words[2]);
  }
  if (count == 2 || count > 3 || parts < 1 || part < 0 || part >= parts) {
    std::fprintf(stderr, "usage: mma_emulation [PART OF]\n");
    return 2;
  }
  for (int log2N2 = 1; log2N2 <= 4; log2N2++) checkRowSums(log2N2);
  constexpr Element f = Element::float16, b = Element::bfloat16;
  auto maps = [](Case c, int slots) {
    c.maps = true;
    c.slots = slots;
    return c;
  };
  auto gated = [](Case c, int lead) {
    c.pre = c.post = c.skip = true;
    c.lead = lead;
    return c;
  };
  auto sized = [](Case c, double amplitude, double kernelSize) {
    c.amplitude = amplitude;
    c.kernelSize = kernelSize;
    return c;
  };
  auto periodic = [](Case c, int lead) {
    c.periodic = true;
    c.lead = lead;
    return c;
  };
  auto skipped = [](Case c) {
    c.skip = true;
    return c;
  };
  auto resident = [](Case c) {
    c.resident = true;
    return c;
  };
  // Radix 1: log2N2, batch, channels, length, taps, offset, tiles per set.
  check<Config<1, true, f, false, false>>({4, 3, 2, 4096, 4096, 0, 2});
  check<Config<1, true, f, false, false>>(maps({4, 3, 4, 4096, 4096, 0, 2}, 3));
  check<Config<1, true, b, false, false>>(maps({4, 3, 3, 4096, 4096, 0, 2}, 2));
  check<Config<1, true, b, false, false>>(maps({4, 3, 3, 4096, 4096, 0, 1}, 4));
  check<Config<1, true, f, true, false>>({4, 3, 2, 4096, 4096, 0, 2});
  check<Config<1, true, b, false, true>>(gated(maps({3, 3, 4, 2048, 2048, 0, 2}, 3), 0));
  check<Config<1, true, f, true, true>>(gated({2, 3, 7, 777, 300, 17, 2}, 1));
  check<Config<1, true, f, false, false>>({1, 5, 7, 511, 900, 400, 2, 0, 2});
  check<Config<1, false, f, false, false>>({0, 5, 9, 256, 256, 0, 2});
  check<Config<1, false, b, true, true>>(gated({0, 5, 9, 251, 200, 9, 2}, 3));
  // Far from 1: rows scaled in bfloat16, spectra with exponents in float16.
  check<Config<1, true, b, false, false>>(sized({4, 2, 2, 4096, 4096, 0, 2}, 1e-6, 1e4));
  check<Config<1, true, f, false, false>>(sized({4, 2, 2, 4096, 4096, 0, 2}, 1e-1, 1e4));
  check<Config<1, true, f, true, false>>(sized({4, 2, 2, 4096, 4096, 0, 2}, 1e3, 1e-4));
  // Much more behind the end of the outputs than in them: constants of 1000, and outputs of 30000 that are seen in two samples
  // of a row, or a quarter of it at 32768 points; and the smallest promised numbers.
  const auto delayed = [&](Case c, double amplitude, double tap, int delay) {
    c = sized(c, amplitude, tap);
    c.delay = delay;
    return c;
  };
  check<Config<1, true, f, false, false>>(delayed({4, 2, 2, 4096, 4096, 0, 2}, 1000, 30, 4094));
  check<Config<1, true, f, true, false>>(delayed({4, 2, 2, 4096, 4096, 0, 2}, 1000, 60, 4094));
  check<Config<1, false, f, true, false>>(delayed({0, 9, 2, 256, 256, 0, 2}, 1000, 11, 254));
  check<Config<2, true, f, false, false>>(delayed({4, 2, 1, 8192, 8192, 0, 2}, 1000, 60, 8188));
  check<Config<4, true, f, false, false>>(delayed(maps({4, 1, 2, 16384, 16384, 0}, 2), 1000, 15, 16384 - 81));
  check<Config<4, true, f, false, false>>(delayed(maps({4, 1, 2, 16384, 16384, 0}, 2), 1000, 60, 16380));
  check<Config<4, true, f, true, false>>(delayed({4, 1, 1, 16384, 16384, 0}, 1000, 60, 16380));
  check<Config<4, true, f, true, false, false, 2>>(delayed({4, 1, 1, 32768, 32768, 0}, 1000, 60, 32764));
  check<Config<1, true, f, true, false, true>>(delayed({4, 1, 2, 4096, 4096, 0, 1}, 1000, 45, 4094));
  check<Config<2, true, f, false, false, true>>(delayed({4, 1, 2, 8192, 8192, 0, 1}, 1000, 60, 8190));
  check<Config<4, true, f, true, false, true>>(delayed({4, 1, 2, 16384, 16384, 0}, 1000, 60, 16380));
  check<Config<1, true, f, true, false>>(sized({4, 2, 2, 4096, 4096, 0, 2}, 1e-2, 1));
  check<Config<1, true, f, false, false>>(sized({2, 8, 2, 1024, 1024, 0, 2}, 1e-2, 1));
  check<Config<2, true, f, false, false>>(sized({4, 2, 2, 8192, 8192, 0, 2}, 1e-2, 1));
  check<Config<4, true, f, true, false>>(sized({4, 1, 2, 16384, 16384, 0}, 1e-2, 1));
  check<Config<4, true, f, false, false>>(sized({4, 1, 2, 16384, 16384, 0}, 1e-2, 1));
  // Sets of one channel: whole channels and shared ones, two blocks; with exact scales from the first set on, or from the middle.
  auto uniform = [](Case c, int blocks) {
    c.uniform = true;
    c.blocks = blocks;
    return c;
  };
  check<Config<1, true, f, false, false>>(uniform({4, 4, 3, 4096, 4096, 0, 2}, 2));
  check<Config<1, true, f, false, false>>(uniform({4, 4, 1, 4096, 4096, 0, 4}, 1));
  check<Config<1, true, f, false, false>>(sized(uniform({2, 8, 3, 1024, 1024, 0, 2}, 2), 1e-1, 1e4));
  check<Config<1, true, f, false, false>>(uniform({1, 13, 3, 512, 512, 0, 1}, 2));
  check<Config<1, false, f, false, false>>(uniform({0, 32, 3, 256, 256, 0, 1}, 2));
  check<Config<1, true, b, false, false>>(uniform({4, 5, 3, 4096, 4096, 0, 2}, 3));
  // Partly empty sets; the accurate class.
  check<Config<1, true, f, true, false>>(uniform({4, 4, 3, 4096, 4096, 0, 3}, 2));
  // Turns from the cache.
  check<Config<1, true, f, true, false>>(uniform({1, 40, 3, 512, 512, 0, 4}, 2));
  check<Config<1, true, b, true, false>>(sized(uniform({2, 19, 3, 1024, 1024, 0, 4}, 1), 1e-3, 1e3));
  check<Config<1, true, f, true, false>>(uniform({3, 9, 2, 2048, 2048, 0, 3}, 2));
  check<Config<1, true, f, true, true>>(gated(uniform({2, 7, 3, 1024, 1024, 0, 2}, 2), 0));
  check<Config<2, true, f, true, false>>(uniform({4, 3, 2, 8192, 8192, 0, 1}, 1));
  check<Config<2, true, b, true, false>>(sized(uniform({3, 6, 3, 4096, 4096, 0, 1}, 2), 1e-5, 1));
  check<Config<1, true, b, false, false>>(sized(uniform({3, 8, 2, 2048, 2048, 0, 2}, 1), 1e-6, 1));
  check<Config<1, false, b, false, true>>(gated(sized(uniform({0, 64, 2, 256, 256, 0, 2}, 1), 1e4, 1e-3), 0));
  Case late = uniform({4, 8, 2, 4096, 4096, 0, 1}, 1);
  late.late = 1e5;
  check<Config<1, true, b, false, false>>(late);
  late.inPlace = true;
  check<Config<1, true, b, false, false>>(late);
  check<Config<1, true, b, false, false>>(sized(uniform({1, 70, 2, 512, 512, 0, 4}, 1), 1e4, 1e-3));
  check<Config<1, false, b, false, false>>(uniform({0, 70, 3, 256, 256, 0, 4}, 1));
  Case lateRows = uniform({2, 40, 2, 1024, 1024, 0, 2}, 1);
  lateRows.late = 1e-6;
  check<Config<1, true, b, false, false>>(lateRows);
  check<Config<1, true, f, false, true>>(gated(uniform({4, 4, 3, 4096, 4096, 0, 2}, 2), 0));
  check<Config<2, true, b, false, false>>(uniform({4, 4, 3, 8192, 8192, 0, 2}, 2));
  check<Config<2, true, f, false, true>>(gated(sized(uniform({4, 2, 3, 8192, 8192, 0, 1}, 1), 30, 1), 0));
  // Partial rows: whole rows n1 only, a few samples more, partly empty sets, one gate of two.
  auto partial = [&](Case c, int blocks) {
    c = uniform(c, blocks);
    c.partial = true;
    return c;
  };
  auto shifted = [](Case c, int lead) {
    c.lead = lead;
    return c;
  };
  check<Config<1, true, f, false, false>>(partial({4, 9, 2, 3277, 3280, 0, 4}, 1));
  check<Config<1, true, f, false, false>>(shifted(partial({4, 5, 3, 3579, 3000, 3, 2}, 2), 5));
  check<Config<1, true, f, false, false>>(shifted(partial({2, 13, 3, 1000, 900, 5, 2}, 2), 3));
  check<Config<1, true, f, false, false>>(shifted(partial({2, 13, 3, 1017, 1024, 0, 2}, 2), 7));
  check<Config<1, true, f, true, false>>(partial({1, 13, 4, 415, 512, 0, 1}, 2));
  check<Config<1, false, f, false, false>>(partial({0, 70, 3, 207, 256, 0, 4}, 2));
  check<Config<1, false, b, false, true>>(gated(sized(partial({0, 40, 3, 129, 256, 0, 2}, 1), 1e4, 1e-3), 3));
  check<Config<1, true, b, false, false>>(sized(partial({3, 8, 3, 1990, 2048, 0, 2}, 1), 1e-6, 1));
  check<Config<2, true, f, false, false>>(shifted(partial({4, 3, 2, 6143, 8192, 0, 2}, 2), 1));
  check<Config<2, true, f, true, false>>(partial({3, 6, 3, 4001, 4096, 0, 1}, 2));
  check<Config<2, true, f, false, true>>(gated(partial({4, 3, 2, 6603, 8192, 0, 1}, 2), 0));
  check<Config<1, true, f, false, false>>(partial({4, 9, 8, 4095, 4096, 0, 4}, 3));
  check<Config<1, true, f, false, false>>(shifted(partial({2, 13, 3, 1021, 900, 5, 2}, 2), 3));
  check<Config<1, false, f, false, false>>(shifted(partial({0, 70, 3, 255, 256, 0, 4}, 2), 6));
  check<Config<1, false, b, false, false>>(shifted(partial({0, 70, 3, 255, 256, 0, 4}, 2), 6));
  check<Config<1, false, b, false, false>>(shifted(sized(partial({0, 200, 2, 253, 256, 0, 4}, 1), 1e4, 1e-3), 5));
  check<Config<1, false, b, true, false>>(shifted(partial({0, 130, 2, 251, 256, 0, 4}, 2), 7));
  check<Config<1, true, f, true, false>>(shifted(partial({1, 13, 4, 511, 512, 0, 1}, 2), 7));
  check<Config<1, true, b, false, false>>(sized(partial({3, 8, 4, 2047, 2048, 0, 2}, 1), 1e-6, 1));
  check<Config<1, true, b, false, false>>(shifted(sized(partial({4, 5, 3, 4096, 4096, 0, 2}, 3), 1, 1), 5));
  check<Config<2, true, f, false, false>>(shifted(partial({4, 3, 3, 8190, 8192, 0, 2}, 2), 4));
  check<Config<2, true, b, true, false>>(shifted(sized(partial({3, 6, 3, 4093, 4096, 0, 1}, 2), 1e4, 1e-3), 1));
  // What comes round, with gates: of small and of large products, one gate of two.
  const auto withoutLast = [](Case c) {
    c.post = false;
    return c;
  };
  const auto withoutFirst = [](Case c) {
    c.pre = false;
    return c;
  };
  check<Config<1, true, f, false, true>>(gated(partial({4, 5, 3, 4095, 4096, 0, 2}, 2), 5));
  check<Config<1, true, f, true, true>>(withoutLast(gated(partial({2, 7, 3, 1021, 1024, 0, 2}, 2), 3)));
  check<Config<1, true, b, false, true>>(withoutFirst(gated(sized(partial({4, 4, 3, 4093, 4096, 0, 2}, 1), 1e-6, 1), 1)));
  check<Config<1, false, b, true, true>>(gated(sized(partial({0, 40, 3, 255, 256, 0, 2}, 1), 1e4, 1e-3), 7));
  check<Config<2, true, f, false, true>>(gated(sized(partial({4, 3, 2, 8191, 8192, 0, 1}, 2), 30, 1), 1));
  const auto ofBank = [](Case c) {
    c.inPlace = true;
    return c;
  };
  check<Config<1, true, f, false, false>>(ofBank(partial({4, 9, 3, 4104, 4089, 0, 4}, 2)));
  check<Config<1, true, f, true, false>>(ofBank(partial({2, 9, 3, 1032, 1017, 0, 2}, 1)));
  check<Config<1, false, f, false, false>>(ofBank(partial({0, 35, 2, 264, 249, 0, 2}, 1)));
  check<Config<2, true, f, false, false>>(ofBank(partial({4, 3, 3, 8200, 8185, 0, 2}, 1)));
  check<Config<2, true, f, true, false>>(ofBank(partial({4, 3, 2, 8200, 8185, 0, 1}, 1)));
  check<RoundedSpectrum<Config<4, true, f, true, false, false, 2>>>(ofBank({4, 2, 1, 32776, 32761, 0}));
  auto partialLong = [&](Case c, int slots) {
    c = maps(c, slots);
    c.partial = true;
    return c;
  };
  check<Config<4, true, f, false, false>>(partialLong({4, 3, 2, 13107, 16384, 0}, 2));
  check<Config<4, true, f, false, false>>(shifted(partialLong({4, 2, 3, 16383, 16384, 0}, 2), 5));
  check<Config<4, true, b, false, false>>(shifted(partialLong({4, 2, 3, 16379, 16000, 9}, 2), 3));
  check<Config<3, true, f, true, false>>(partialLong({4, 3, 2, 11000, 12288, 0}, 2));
  check<Config<3, true, f, false, false>>(shifted(partialLong({4, 4, 2, 12100, 12288, 0}, 3), 1));
  check<Config<3, true, b, false, false>>(partialLong({4, 4, 2, 12287, 12288, 0}, 3));
  check<Config<4, true, f, false, false>>(sized(partialLong({4, 3, 2, 16377, 16384, 0}, 2), 1e-2, 1e5));
  check<Config<4, true, f, true, false>>(resident(partialLong({4, 3, 2, 13107, 16384, 0}, 1)));
  check<Config<4, true, f, true, false>>(resident(shifted(partialLong({4, 2, 3, 16383, 16384, 0}, 1), 5)));
  check<Config<4, true, f, true, false>>(skipped(resident(shifted(partialLong({4, 2, 3, 16379, 16384, 0}, 1), 3))));
  check<Config<4, true, f, true, false>>(sized(resident(partialLong({4, 2, 2, 12000, 16384, 0}, 1)), 1e-2, 1e5));
  check<Config<1, true, f, false, false>>(partial({4, 9, 2, 3584, 3584, 0, 4}, 1));
  check<Config<1, true, f, false, false>>(partial({4, 5, 3, 3280, 3280, 0, 2}, 2));
  check<Config<1, true, f, false, false>>(partial({2, 13, 3, 1000, 900, 5, 2}, 2));
  check<Config<1, true, f, true, false>>(partial({1, 13, 4, 504, 512, 0, 1}, 2));
  check<Config<1, false, f, false, false>>(partial({0, 70, 3, 208, 256, 0, 4}, 2));
  check<Config<1, false, b, false, true>>(gated(sized(partial({0, 40, 3, 136, 256, 0, 2}, 1), 1e4, 1e-3), 0));
  check<Config<1, true, b, false, false>>(sized(partial({3, 8, 3, 1992, 2048, 0, 2}, 1), 1e-6, 1));
  check<Config<1, true, b, false, true>>(gated(partial({3, 8, 2, 2040, 2048, 0, 2}, 1), 0));
  lateRows = partial({4, 3, 2, 8184, 8192, 0, 2}, 2);
  lateRows.late = 1e-6;
  check<Config<2, true, b, false, false>>(lateRows);
  check<Config<2, true, f, false, false>>(partial({4, 3, 2, 6800, 8192, 0, 2}, 2));
  check<Config<2, true, f, true, false>>(partial({3, 6, 3, 4000, 4096, 0, 1}, 2));
  check<Config<2, true, f, false, true>>(gated(partial({4, 3, 2, 6600, 8192, 0, 1}, 2), 0));
  Case onlyPre = gated(partial({4, 3, 2, 4000, 4096, 0, 2}, 1), 0);
  onlyPre.post = false;
  check<Config<1, true, f, false, true>>(onlyPre);
  // Radices 2, 3, 4.
  check<Config<2, true, f, false, false>>(maps({4, 2, 3, 8192, 8192, 0, 2}, 3));
  check<Config<2, true, b, true, false>>({4, 2, 2, 8191, 8192, 0});
  check<Config<3, true, f, false, false>>({4, 2, 1, 12288, 12288, 0});
  check<Config<3, true, f, true, true>>(gated({4, 1, 2, 12281, 12000, 5600}, 5));
  check<Config<4, true, b, false, false>>(maps({4, 1, 3, 16384, 16384, 0}, 2));
  check<Config<4, true, f, false, true>>(gated(maps({4, 2, 2, 16384, 16384, 0}, 2), 0));
  check<Config<3, true, b, false, true>>(gated({4, 1, 4, 12000, 12288, 0}, 3));
  check<Config<4, true, f, false, false>>(maps({4, 2, 2, 16384, 16384, 0}, 2));
  check<Config<4, true, f, true, false>>({2, 1, 5, 4096, 4096, 0});
  // Whole long rows: channels of one block each, and those left over, which blocks share.
  auto whole = [&](Case c, int slots, bool gates) {
    c = maps(c, slots);
    c.pre = c.post = gates;
    c.blocks = 2;
    return c;
  };
  check<Config<4, true, f, false, false>>(whole({4, 3, 3, 16384, 16384, 0}, 2, false));
  check<Config<4, true, b, false, false>>(sized(whole({4, 2, 3, 16384, 16384, 0}, 2, false), 1e-5, 1e3));
  check<Config<4, true, f, true, false>>(resident(whole({4, 2, 3, 16384, 16384, 0}, 1, false)));
  check<Config<3, true, b, false, true>>(whole({4, 2, 3, 12288, 12288, 0}, 1, true));
  // Rows that go through as they are until one is too large, too small or zero, with scales from there on.
  auto lately = [](Case c, double factor, bool inPlace = false) {
    c.late = factor;
    c.inPlace = inPlace;
    return c;
  };
  check<Config<4, true, b, false, false>>(lately(whole({4, 5, 3, 16384, 16384, 0}, 2, false), 1e5));
  check<Config<4, true, b, false, false>>(lately(whole({4, 4, 3, 16384, 16384, 0}, 2, false), 1e-5, true));
  check<Config<3, true, b, false, false>>(lately(whole({4, 5, 3, 12288, 12288, 0}, 3, false), 0, true));
  check<Config<4, true, b, false, false>>(lately(shifted(partialLong({4, 5, 3, 13107, 16384, 0}, 2), 3), 1e5));
  check<Config<4, true, b, false, false>>(lately(partialLong({4, 5, 3, 16383, 16384, 0}, 2), 1e-5));
  check<Config<4, true, b, false, false>>(lately(partialLong({4, 4, 3, 16383, 16384, 0}, 2), 1e5, true));
  check<Config<3, true, b, false, false>>(lately(shifted(partialLong({4, 5, 3, 12283, 12288, 0}, 3), 5), 1e-5));
  check<Config<4, true, f, false, true>>(lately(whole({4, 5, 3, 16384, 16384, 0}, 1, true), 1e3));
  check<Config<4, true, b, false, true>>(lately(whole({4, 5, 3, 16384, 16384, 0}, 1, true), 1e-5));
  Case onlyFirst = lately(whole({4, 4, 3, 12288, 12288, 0}, 1, true), 1e-4, true);
  onlyFirst.post = false;
  check<Config<3, true, f, false, true>>(onlyFirst);
  // The same with a skip term, of channels in turn; some need a power of two beyond the spectrum's own.
  check<Config<4, true, f, false, false>>(skipped(whole({4, 3, 3, 16384, 16384, 0}, 2, false)));
  check<Config<3, true, f, false, false>>(skipped(sized(whole({4, 3, 3, 12288, 12288, 0}, 3, false), 1e-2, 1e4)));
  check<Config<4, true, b, false, false>>(skipped(whole({4, 5, 3, 16384, 16384, 0}, 2, false)));
  check<Config<4, true, b, false, false>>(skipped(lately(sized(whole({4, 5, 3, 16384, 16384, 0}, 2, false), 1, 1e3), 1e5)));
  check<Config<4, true, f, false, true>>(skipped(whole({4, 4, 3, 16384, 16384, 0}, 1, true)));
  check<Config<4, true, f, true, false>>(skipped(resident(whole({4, 3, 3, 16384, 16384, 0}, 1, false))));
  check<Config<3, true, b, true, true>>(skipped(whole({4, 2, 3, 12288, 12288, 0}, 1, true)));
  check<Config<4, true, f, false, false>>(skipped(shifted(partialLong({4, 4, 3, 13107, 16384, 0}, 2), 3)));
  check<Config<3, true, b, false, false>>(skipped(shifted(partialLong({4, 5, 3, 12283, 12288, 0}, 3), 5)));
  // Packed: rows of many segments, a kernel that fills most of a block, rows and lengths that are not aligned, no history.
  auto few = [](Case c, std::vector<int> digits) {
    c.digits = digits;
    return c;
  };
  check<Config<2, true, f, false, false, false, 1, true>>(few(maps({4, 4, 2, 8192, 8192, 0, 3}, 2), {0, 1, 2, 3, 12, 13, 14, 15}));
  check<Config<4, true, f, false, false, false, 1, true>>(few(maps({4, 3, 3, 16384, 16384, 0, 2}, 2), {0, 4, 8, 12}));
  check<Config<4, true, b, false, false, false, 1, true>>(few({4, 3, 2, 16100, 9000, 40, 2}, {7}));
  check<Config<8, true, b, false, false, false, 1, true>>(few(maps({4, 2, 2, 32768, 32768, 0, 1}, 2), {0, 2, 4, 6, 9, 11, 13, 15}));
  check<Config<1, true, f, true, false, false, 1, true>>(few(maps({4, 9, 2, 4096, 4096, 0, 4}, 2), {0, 1, 2, 3, 12, 13, 14, 15}));
  check<Config<2, true, f, true, false, false, 1, true>>(few({4, 3, 2, 8100, 5000, 40, 2}, {5}));
  check<Config<4, true, f, true, false, false, 1, true>>(few(maps({4, 3, 3, 16384, 16384, 0, 2}, 2), {0, 4, 8, 12}));
  auto circular = [](Case c, int lead = 0) {
    c.quarters = 0;
    c.lead = lead;
    return c;
  };
  check<Config<2, true, f, false, false, false, 1, true>>(circular(few(maps({4, 4, 2, 8192, 8192, 0, 3}, 2), {1, 3, 5, 11, 13, 15})));
  check<Config<4, true, b, false, false, false, 1, true>>(circular(few({4, 3, 2, 16384, 16384, 0, 2}, {0, 4, 8, 12}), 3));
  check<Config<1, true, f, true, false, false, 1, true>>(circular(few(maps({4, 9, 2, 4096, 4096, 0, 4}, 2), {0, 8})));
  check<Config<2, true, f, true, false, false, 1, true>>(circular(few({4, 3, 2, 8192, 8192, 0, 2}, {5, 11}), 5));
  check<Config<8, true, f, false, false, false, 1, true>>(circular(few(maps({4, 2, 2, 32768, 32768, 0, 1}, 2), {0, 4, 8, 12})));
  auto oneGate = [](Case c, bool first) {
    c.pre = first, c.post = !first;
    return c;
  };
  check<Config<2, true, b, false, true, false, 1, true>>(oneGate(few(maps({4, 3, 2, 8192, 8192, 0, 2}, 1), {0, 8}), true));
  check<Config<4, true, f, true, true, false, 1, true>>(oneGate(few(maps({4, 2, 2, 16384, 16384, 0, 1}, 1), {1, 3, 7}), false));
  check<Config<1, true, f, false, false, true>>({4, 2, 2, 20000, 500, 0, 3});
  check<Config<1, true, f, false, false, true>>({4, 3, 1, 8191, 6000, 0, 2, 0, 2});
  check<Config<1, true, b, false, true, true>>(gated({4, 2, 1, 9999, 777, 333, 1}, 3));
  check<Config<1, true, f, true, false, true>>(periodic({4, 1, 3, 10001, 900, 0, 2}, 5));
  check<Config<2, true, b, false, false, true>>(periodic({4, 2, 1, 20000, 4097, 0, 1}, 0));
  check<Config<2, true, f, false, true, true>>(gated({4, 1, 2, 17000, 3000, 2999, 1}, 7));
  check<Config<4, true, f, false, false, true>>({4, 1, 1, 40000, 16384, 0});
  check<Config<1, true, f, false, false, true>>(maps({4, 2, 2, 20480, 500, 0, 2}, 3));
  check<Config<1, true, b, false, true, true>>(gated(maps({4, 2, 1, 10240, 777, 333, 1}, 1), 0));
  check<Config<2, true, b, false, false, true>>(maps({4, 2, 1, 24576, 4097, 0, 1}, 2));
  check<Config<4, true, f, false, false, true>>(maps({4, 1, 1, 40960, 16384, 5}, 1));
  check<Config<4, true, f, false, false, true>>(maps({4, 1, 2, 40960, 16384, 5}, 2));
  check<Config<4, true, f, true, false, true>>(resident(maps({4, 1, 2, 40960, 16384, 0}, 1)));
  check<Config<4, true, f, true, false, true>>(resident(skipped({4, 1, 2, 40001, 14000, 0})));
  check<Config<4, true, b, false, true, true>>(gated(maps({4, 1, 2, 40960, 12000, 0}, 1), 0));
  check<Config<4, true, f, false, true, true>>(gated({4, 1, 1, 40003, 16384, 7}, 5));
  check<Config<4, true, f, true, true, true>>(gated({4, 1, 1, 40003, 9000, 7}, 5));
  check<Config<4, true, f, true, true, true>>(gated(maps({4, 1, 1, 40960, 16384, 0}, 1), 0));
  for (const bool first : {true, false}) check<Config<4, true, f, true, true, true>>(oneGate(maps({4, 1, 1, 40960, 16384, 0}, 1), first));
  check<Config<4, true, f, true, true, true>>([&] {
    Case gates = maps({4, 1, 1, 40960, 16384, 0}, 1);
    gates.pre = gates.post = true;
    return gates;
  }());
  // In slices.
  check<Config<4, true, f, false, false, false, 2>>({4, 2, 2, 32768, 32768, 0, 1, 0, 2});
  check<Config<3, true, b, false, false, false, 2>>({4, 1, 3, 24001, 24576, 0});
  check<Config<4, true, f, false, true, false, 4>>(gated({4, 1, 3, 65000, 65536, 0}, 3));
  check<Config<4, true, b, false, false, false, 4>>(maps({4, 2, 2, 65536, 65536, 0, 1, 0, 2}, 1));
  check<Config<4, true, f, false, false, false, 4>>(maps({4, 1, 2, 65536, 65536, 0}, 1));
  check<Config<3, true, f, false, false, false, 4>>({4, 1, 2, 49152, 49152, 0});
  check<Config<4, true, f, true, false, false, 2>>(maps({4, 2, 1, 32768, 32768, 0}, 1));
  check<Config<4, true, f, true, false, false, 2>>(skipped({4, 2, 2, 32003, 32768, 0, 1, 0, 2}));
  check<Config<1, true, f, false, false, false, 2>>(maps({4, 2, 2, 8192, 8192, 0, 1, 0, 2}, 1));
  check<RoundedSpectrum<Config<1, true, f, true, false, false, 2>>>(maps({4, 2, 1, 8192, 8192, 0}, 1));
  check<Config<2, true, f, false, false, false, 2>>(maps({4, 2, 2, 16384, 16384, 0, 1, 0, 2}, 1));
  check<RoundedSpectrum<Config<2, true, f, true, false, false, 2>>>(maps({4, 2, 1, 16384, 16384, 0}, 1));
  check<RoundedSpectrum<Config<4, true, f, true, false, false, 2>>>(maps({4, 2, 1, 32768, 32768, 0}, 1));
  check<RoundedSpectrum<Config<4, true, f, true, false, false, 2>>>(shifted({4, 1, 2, 32767, 32768, 0}, 3));
  check<Config<4, true, f, true, false, false, 4>>(maps({4, 1, 2, 65536, 65536, 0}, 1));
  check<Config<4, true, b, true, false, false, 4>>(maps({4, 1, 1, 65536, 65536, 0}, 1));
  // Rows that reach past N when they are shifted.
  check<Config<4, true, f, false, false, false, 2>>(shifted({4, 2, 3, 32767, 32768, 0, 1, 0, 2}, 2));
  check<Config<1, true, f, false, false, false, 2>>(shifted({4, 2, 2, 8191, 8192, 0, 1, 0, 2}, 3));
  check<RoundedSpectrum<Config<1, true, f, true, false, false, 2>>>(shifted({4, 1, 2, 8191, 8192, 0}, 3));
  check<Config<2, true, f, false, false, false, 2>>(shifted({4, 2, 2, 16383, 16384, 0, 1, 0, 2}, 3));
  check<RoundedSpectrum<Config<2, true, f, true, false, false, 2>>>(shifted({4, 1, 2, 16383, 16384, 0}, 3));
  check<Config<3, true, b, false, false, false, 2>>(shifted({4, 1, 4, 24573, 24000, 5}, 7));
  check<Config<4, true, f, false, true, false, 2>>(gated({4, 1, 3, 32763, 32768, 0}, 6));
  check<Config<4, true, f, true, false, false, 2>>(skipped({4, 3, 1, 32767, 32768, 0, 1, 0, 2}));
  check<Config<4, true, f, false, false, false, 4>>({4, 1, 3, 65535, 65536, 0});
  check<Config<4, true, b, true, false, false, 4>>(shifted({4, 1, 2, 65531, 65536, 0}, 7));
  // Tensor copies of rows that do not fill their slices, or begin anywhere.
  const auto parted = [&](Case c, int lead) {
    c = shifted(maps(c, 1), lead);
    c.partial = true;
    return c;
  };
  check<Config<4, true, f, false, false, false, 2>>(parted({4, 2, 3, 26216, 26216, 0, 1, 0, 2}, 0));
  check<Config<4, true, f, false, false, false, 2>>(parted({4, 3, 2, 30001, 32768, 0, 1, 0, 2}, 5));
  check<Config<4, true, f, false, false, false, 2>>(parted({4, 2, 3, 32767, 32768, 0}, 2));
  check<Config<3, true, b, false, false, false, 2>>(lately(parted({4, 2, 3, 24573, 24000, 5}, 7), 1e4));
  check<Config<4, true, f, false, true, false, 2>>(gated(parted({4, 2, 2, 31747, 32768, 0}, 0), 3));
  check<Config<4, true, f, true, false, false, 2>>(skipped(parted({4, 3, 1, 29003, 32768, 0, 1, 0, 2}, 1)));
  check<Config<4, true, b, false, false, false, 4>>(parted({4, 1, 3, 52431, 65536, 0, 1, 0, 2}, 4));
  Case bothGates = parted({4, 2, 1, 48001, 49152, 0}, 2);
  bothGates.pre = bothGates.post = true;
  check<Config<3, true, f, false, true, false, 4>>(bothGates);
  auto one = [&](Case c, int slice, int of = 4) {
    c.classes = of;
    return few(c, {slice});
  };
  check<Config<4, true, f, true, false, false, 2, true>>(one(shifted({4, 3, 1, 32767, 32768, 0}, 2), 1, 2));
  check<Config<4, true, b, false, true, false, 4, true>>(one(oneGate({4, 1, 3, 65528, 65536, 0}, true), 0));
  check<Config<4, true, f, true, false, false, 4, true>>(one(maps({4, 2, 1, 65536, 65536, 0}, 1), 3));
  using One = Config<4, true, f, false, false, false, 4, true>;
  check<One>(circular(one(maps({4, 2, 2, 65536, 65536, 0}, 1), 2)));
  check<Config<4, true, f, true, false, false, 4, true>>(circular(one({4, 1, 2, 65536, 65536, 0}, 0), 5));
  check<Config<4, true, f, true, false, false, 2, true>>(circular(one({4, 3, 1, 32768, 32768, 0}, 1, 2), 3));
  check<One>(one(maps({4, 2, 2, 65536, 65536, 0}, 1), 1));
  check<One>(one({4, 1, 3, 65000, 65536, 0}, 2));
  check<One>(one(parted({4, 2, 2, 65003, 65536, 0}, 3), 2));
  check<Config<4, true, b, false, false, false, 4, true>>(one(maps({4, 1, 3, 65536, 60000, 0}, 1), 3));
  check<Config<4, true, b, true, true, false, 4>>(gated(maps({4, 1, 2, 65536, 65536, 0}, 1), 0));
  // Whole sequences, which have code of their own: several a block, gates, one gate, two ranges of samples.
  const auto sequences = [&](Case c, bool pre, bool post) {
    c = maps(c, 1);
    c.pre = pre, c.post = post;
    return c;
  };
  check<Config<4, true, f, false, false, false, 2>>(sequences({4, 3, 1, 32768, 32768, 0}, false, false));
  check<Config<4, true, b, false, false, false, 2>>(lately(sequences({4, 2, 2, 32768, 32768, 0}, false, false), 1e5));
  check<Config<4, true, f, false, true, false, 2>>(sequences({4, 3, 1, 32768, 32768, 0}, true, true));
  check<Config<4, true, b, false, true, false, 2>>(lately(sequences({4, 2, 1, 32768, 32768, 0}, true, false), 1e-5, true));
  check<Config<4, true, f, false, true, false, 4>>(sequences({4, 2, 1, 65536, 65536, 0}, true, true));
  check<Config<3, true, f, false, false, false, 2>>(sequences({4, 3, 1, 24576, 24576, 0}, false, false));
  check<Config<3, true, b, false, true, false, 4>>(sequences({4, 2, 1, 49152, 49152, 0}, true, true));
  check<Config<4, true, b, false, true, false, 4>>(lately(sequences({4, 2, 1, 65536, 65536, 0}, false, true), 1e5));
  check<Config<4, true, f, false, false, false, 2>>(skipped(sequences({4, 2, 2, 32768, 32768, 0}, false, false)));
  check<Config<4, true, b, false, true, false, 2>>(skipped(sequences({4, 2, 2, 32768, 32768, 0}, true, true)));
  check<Config<4, true, f, true, false, false, 2>>(skipped(sequences({4, 2, 2, 32768, 32768, 0}, false, false)));
  check<Config<4, true, b, false, true, false, 4, true>>(one(sequences({4, 2, 1, 65536, 65536, 0}, true, true), 1));
  // Rows of two halves: all of the second, or part of it, far above or below the first; rows that begin anywhere; y in u's place.
  using Halves = Config<4, true, f, false, false, false, 4, false, 2>;
  using ScaledHalves = Config<4, true, b, false, false, false, 4, false, 2>;
  auto behind = [](Case c, double factor) {
    c.behindN = factor;
    return c;
  };
  check<Halves>(maps({4, 1, 3, 131072, 131072, 0, 1, 0, 2}, 1));
  check<Halves>(skipped(sized({4, 2, 2, 100001, 131072, 0, 1, 0, 3}, 1e-1, 1e4)));
  check<Halves>(delayed(maps({4, 1, 1, 131072, 131072, 0}, 1), 1000, 60, 131068));
  check<ScaledHalves>(behind(maps({4, 3, 1, 131072, 131072, 0, 1, 0, 2}, 1), 1e3));
  check<ScaledHalves>(behind(sized(maps({4, 2, 1, 126976, 131072, 0}, 1), 1e4, 1e-3), 1e-6));
  check<ScaledHalves>(skipped(shifted({4, 1, 2, 70001, 65000, 0}, 3)));
  check<Halves>(shifted({4, 1, 2, 131071, 131072, 0}, 5));
  Case inPlace = maps({4, 2, 1, 98304, 98304, 0}, 1);
  inPlace.inPlace = true;
  check<Config<3, true, f, false, false, false, 4, false, 2>>(inPlace);
  check<Config<3, true, b, false, false, false, 4, false, 2>>(behind({4, 1, 1, 49160, 49160, 0}, 1e2));
  std::printf("emulation: %d checks passed, %d failed\n", passed, failed);
  return failed != 0;
}
