// The three passes on tensor cores (cuda/gpu/multipass/tensor_*.cuh) on the CPU, lane by lane as in mma_emulation.cpp:
// index maps, tables, swizzles, scales, barriers and masks against a float64 convolution. Outputs start as NaN, guard
// bands must survive, every matrix access must be free of bank conflicts.
//
// Build: g++ -std=c++17 -O2 tests/native/passes_emulation.cpp -o passes_emulation
#define FFC_EMULATE
#include "../../cuda/gpu/multipass/tensor_columns.cuh"
#include "../../cuda/gpu/multipass/tensor_filters.h"
#include "../../cuda/gpu/multipass/tensor_long_rows.cuh"
#include "../../cuda/gpu/multipass/tensor_tables.h"
#include <optional>
#include <random>

namespace {

using namespace ffc::mma;
using Complex = std::complex<double>;
constexpr double pi = 3.14159265358979323846;

// Begun anew by each check, so that its numbers do not depend on which others the program does.
constexpr int seed = 20240301;
std::mt19937_64 engine(seed);
double gauss() { return std::normal_distribution<double>()(engine); }

// Powers of two.
void transform(std::vector<Complex>& a, int sign) {
  const size_t n = a.size();
  for (size_t i = 1, j = 0; i < n; i++) {
    size_t bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(a[i], a[j]);
  }
  for (size_t half = 1; half < n; half *= 2)
    for (size_t k = 0; k < half; k++) {
      const Complex w = std::polar(1.0, sign * pi * double(k) / double(half));
      for (size_t i = k; i < n; i += 2 * half) {
        const Complex x = a[i], y = a[i + half] * w;
        a[i] = x + y;
        a[i + half] = x - y;
      }
    }
}

struct Case {
  int log2Inner, batch, channels, length, taps, outLength = 0;  // N points of the ring, of `rate` samples each
  bool pre = false, post = false, skip = false, bulk = true;
  int lead = 0, blocks = 2, slots = 5;
  double amplitude = 1, kernelSize = 1, skipSize = 1;
  bool tail = false;  // samples N .. 2N of the result: the imaginary part
  int every = 1;      // frequency-sparse: only the rows k1 = 1, 1 + every, .. are kept
  double from = 0, until = 1;  // and of those the frequencies in this band, as parts of the highest of all samples
  int quarters = 1;   // 0: the circular ring, rows of all its samples
  int paired = 0;  // launches that the next one relies on (PassOrder): they wait half-way (1) or at once (2)
};

struct Aligned {
  std::vector<char> bytes;
  char* data;
  explicit Aligned(size_t count, int lead = 0) : bytes(count + 64) {
    data = bytes.data() + (16 - reinterpret_cast<uintptr_t>(bytes.data()) % 16) % 16 + 2 * lead;
  }
};

int passed = 0, failed = 0;

template <class Column, class Row>
void check(Case c) {
  engine.seed(seed);
  constexpr int Q = Row::R, rate = Column::rate;
  c.slots = std::min(c.slots, Row::mostSlots);
  const int N1 = 16 * Column::R << c.log2Inner, N2 = 4096 * Q, N = N1 * N2, sequences = c.batch * c.channels;
  int log2N1 = 0;
  while (1 << log2N1 < N1) log2N1++;
  const int log2N = log2N1 + 12 + Row::log2Q;
  if (!c.outLength) c.outLength = c.length;
  std::vector<int16_t> slotOf(N1, -1), rowOfSlot;
  for (int k1 = c.every > 1; k1 < N1; k1 += c.every) {
    slotOf[k1] = int16_t(rowOfSlot.size());
    rowOfSlot.push_back(int16_t(k1));
  }
  const int kept = int(rowOfSlot.size());
  const bool addsSkip = c.skip && (rate > 1 || kept < N1);  // the last pass, to outputs
  // The filters of another rate, and by how much of the highest frequency they shift the ring's.
  std::optional<ffc::Resampling> resampling;
  if (rate > 1) resampling = ffc::Resampling::of(c.from, c.until, Row::accurate ? ffc::FilterClass::accurate : ffc::FilterClass::fast);
  if (rate > 1 && (!resampling || resampling->rate() != rate)) {
    std::printf("FAIL no filter of rate %d for %.2f to %.2f\n", rate, c.from, c.until);
    failed++;
    return;
  }
  const int shift = rate > 1 ? int(resampling->firstBin(int64_t(rate) * N) / 2) : 0;
  // Indices k and N - k are nearly the same real frequency, or just the same.
  const double ofRing = c.quarters / 4.0;
  auto frequency = [&](int k) { return std::fabs(k - ofRing < N / 2.0 ? k - ofRing : k - ofRing - N); };
  auto keeps = [&](int k) {
    const double f = (frequency(k) + shift) / (rate * (N / 2.0));
    return slotOf[k % N1] >= 0 && f >= c.from && f <= c.until;
  };
  auto bits = [](double x) { return Column::bf16 ? uint16_t(packBfloat(float(x), 0)) : emulation::floatToHalf(x); };
  auto value = [](uint16_t b) { return Column::bf16 ? double(asFloat(u32(b) << 16)) : double(emulation::halfToFloat(b)); };
  constexpr int guard = 16;
  const int64_t inputs = int64_t(sequences) * c.length, outputs = int64_t(sequences) * c.outLength;
  Aligned u(inputs * 2, c.lead), pre(inputs * 2, c.lead), post(outputs * 2, c.lead), y((outputs + guard) * 2, c.lead);
  auto at = [](const Aligned& a, int64_t i) -> uint16_t& { return reinterpret_cast<uint16_t*>(a.data)[i]; };
  // Loud ends show what becomes of the samples that the filters of another rate mix with those beyond the row.
  auto loudness = [&](int64_t i) { return rate > 1 && (i < 8 || i >= c.length - 8) ? 80 * c.amplitude : c.amplitude; };
  for (int64_t i = 0; i < inputs; i++) at(u, i) = bits(gauss() * loudness(i % c.length)), at(pre, i) = bits(gauss());
  for (int64_t i = 0; i < outputs; i++) at(post, i) = bits(gauss());
  for (int64_t i = 0; i < outputs + guard; i++) at(y, i) = 0x7fff;

  // Spectra in the order of the rows, normalised per channel.
  constexpr int width = Row::accurate ? 2 : 1;
  std::vector<std::vector<Complex>> spectra(c.channels);
  std::vector<float> skip(c.channels);
  std::vector<int32_t> exponents(c.channels);
  Aligned stored(size_t(c.channels) * N * 4 * width);
  std::vector<uint8_t> pieces(size_t(kept) * threads);
  const double gain = spectrumGain<Row>(4);
  for (int h = 0; h < c.channels; h++) {
    std::vector<Complex>& a = spectra[h];
    a.assign(N, 0);
    skip[h] = float(gauss() * c.kernelSize * c.skipSize);
    for (int i = 0; i < c.taps; i++)
      a[i % N] += gauss() * c.kernelSize / std::sqrt(double(c.taps)) * std::polar(1.0, 2 * pi * ofRing * double(i) / N);
    transform(a, -1);
    for (int k = 0; k < N; k++)
      if (!keeps(k)) a[k] = 0;
    double largest = 0;
    for (const Complex& z : a) largest = std::max({largest, std::fabs(z.real() * gain), std::fabs(z.imag() * gain)});
    exponents[h] = std::ilogb(largest) + 1;
    for (int slot = 0; slot < kept; slot++) {
      const int k1 = rowOfSlot[slot];
      uint32_t* row = reinterpret_cast<uint32_t*>(stored.data) + (size_t(h) * kept + slot) * N2 * width;
      for (int ka = 0; ka < 16; ka++)
        for (int kb = 0; kb < Q; kb++)
          for (int k2 = 0; k2 < 16; k2++)
            for (int lane = 0; lane < 4; lane++) {
              const int group = Row::somePieces ? pieceGroup(Q, ka, kb, k2, lane) : int(spectrumGroup(Q, 16, ka, kb, k2, lane));
              uint32_t* to = row + 4 * width * group;
              bool wanted = !Row::somePieces;
              for (const int j : {2 * lane, 2 * lane + 1, 14 - 2 * lane, 15 - 2 * lane})
                wanted |= keeps(k1 + N1 * (ka + 16 * (k2 + 16 * (kb + Q * j))));
              const int half = k2 >= 8, g = half ? 15 - k2 : k2;
              if (wanted && h == 0) pieces[size_t(slot) * threads + ka * 32 + g * 4 + lane] |= 1 << (2 * kb + half);
              if (!wanted) {
                // Not to be read.
                for (int i = 0; i < 4 * width; i++) to[i] = 0x7fff7fff;
                continue;
              }
              for (int mirrored = 0; mirrored < 2; mirrored++) {
                Complex v[2];
                for (int i = 0; i < 2; i++) {
                  const int j = mirrored ? 15 - 2 * lane - i : 2 * lane + i;
                  v[i] = a[k1 + N1 * (ka + 16 * (k2 + 16 * (kb + Q * j)))] * gain * std::ldexp(1.0, -exponents[h]);
                }
                if (Row::accurate) {
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

  const std::vector<uint32_t> columnTables = makeColumnTables<Column>(c.log2Inner, c.quarters), rowTables = makeTables<Row>(4);
  Aligned columnTable(columnTables.size() * 4), rowTable(rowTables.size() * 4), scratch(size_t(sequences) * N * 4);
  std::memcpy(columnTable.data, columnTables.data(), columnTables.size() * 4);
  std::memcpy(rowTable.data, rowTables.data(), rowTables.size() * 4);
  std::memset(scratch.data, 0xff, size_t(sequences) * N * 4);
  const int log2Tiles = 12 + Row::log2Q - (4 - c.log2Inner + (Column::width == 64 ? 6 : 5));
  std::vector<uint8_t> largest(sequences << log2Tiles, 200);
  const bool scaled = Column::bf16 || c.pre || rate > 1;

  ColumnParams p;
  auto describe = [&](const Aligned& a, int64_t length, Rows& r) {
    r.data = a.data;
    r.channelStride = length * 2;
    r.batchStride = r.channelStride * c.channels;
  };
  describe(u, c.length, p.u);
  describe(y, c.outLength, p.y);
  if (c.pre) describe(pre, c.length, p.pre);
  if (c.post) describe(post, c.outLength, p.post);
  p.tables = columnTable.data;
  p.scratch = scratch.data;
  p.sequenceBytes = int64_t(kept) * N2 * 4;
  if (c.every > 1) p.slotOf = slotOf.data();
  p.largest = largest.data();
  p.exponent = exponents.data();
  if (c.skip) p.skip = skip.data(), p.skipType = 1;
  p.spectrumGain = float(gain);
  p.sequences = sequences;
  p.batch = c.batch;
  setDivisor(p.batchMagic, p.batchShift, c.batch);
  p.log2Inner = c.log2Inner, p.log2Q = Row::log2Q, p.log2Tiles = log2Tiles;
  p.length = c.length, p.outLength = c.outLength;
  p.phased = c.length + 7 <= N && c.outLength + 7 <= N;
  p.imaginary = c.tail;
  p.quarters = c.quarters;
  Aligned filters(4 * 40000);
  if constexpr (rate > 1) {
    const std::vector<uint32_t> table = makeFilterTables<Column>(*resampling, Column::bf16 && !c.pre);
    std::memcpy(filters.data, table.data(), table.size() * 4);
    p.filters = filters.data, p.alternates = resampling->alternates();
    p.phased = 0;
    const int groups = (N2 / 8 + Column::ownPieces - 1) / Column::ownPieces, together = 16 >> c.log2Inner;
    p.outTiles = (groups + together - 1) / together;
  }
  p.rangeExponent = 15 - (log2N + 1) / 2 - (Row::accurate && Q > 1);
  p.mostExponent = scaled ? 126 : 15 - columnExponent(log2N1);
  RowParams q;
  q.batchMagic = p.batchMagic, q.batchShift = p.batchShift;
  q.scratch = p.scratch, q.sequenceBytes = p.sequenceBytes, q.largest = p.largest;
  q.scaledTiles = scaled;
  q.exponent = p.exponent, q.skip = addsSkip ? nullptr : p.skip, q.skipType = p.skipType, q.spectrumGain = p.spectrumGain;
  q.spectrum = stored.data;
  q.tables = rowTable.data;
  q.log2N2 = 4, q.slots = c.slots, q.tilesPerSet = c.slots * Row::rows, q.batch = c.batch, q.channels = c.channels;
  q.useMaps = c.bulk;
  q.sequences = sequences, q.log2N1 = log2N1, q.rows = kept;
  std::vector<uint32_t> numerators;
  for (const int16_t k1 : rowOfSlot) numerators.push_back(4 * k1 - c.quarters);
  q.numerators = numerators.data();
  if (Row::somePieces) q.pieces = pieces.data();
  q.halfTiles = Column::width == 32, q.log2TileShare = 4 - c.log2Inner;
  q.columnExponent = columnExponent(log2N1);
  q.rangeExponent = p.rangeExponent, q.mostExponent = p.mostExponent;

  emulation::Machine& m = emulation::machine;
  long wavefronts[3], instructions[3];
  bool inOrder = true;
  auto run = [&](int pass, int bytes, std::function<void()> body) {
    m.matrixInstructions = m.matrixWavefronts = 0;
    emulation::launch(c.blocks, bytes, engine(), body);
    wavefronts[pass] = m.matrixWavefronts, instructions[pass] = m.matrixInstructions;
    // Every block waits for the launch before it, and where the next one relies on that, before it lets that one start.
    inOrder &= m.waiting == c.blocks && m.starting == c.blocks && (!c.paired || m.startingAhead == 0);
  };
  if (c.paired) {
    p.order.paired = q.order.paired = 1;
  }
  if (c.paired == 1) {
    p.order.meet = (sequences << log2Tiles) / c.blocks / 2 * c.blocks;
    q.order.meet = sequences * kept / c.blocks / 2;
  }
  run(0, Column::sharedBytes, [&] { ColumnsForward<Column>(p).run(); });
  run(1, Row::sharedBytes(c.slots), [&] { std::conditional_t<Row::longOrder, LongRowPass<Row>, RowPass<Row>>(q).run(); });
  run(2, Column::sharedBytes, [&] {
    if (addsSkip)
      ColumnsInverse<Column, true>(p).run();
    else
      ColumnsInverse<Column, false>(p).run();
  });

  double error = 0, size = 0;
  for (int b = 0; b < c.batch; b++)
    for (int h = 0; h < c.channels; h++) {
      const int64_t row = (int64_t(b) * c.channels + h) * c.length, outRow = (int64_t(b) * c.channels + h) * c.outLength;
      const int samples = rate * N;
      std::vector<Complex> v(samples, 0), product(samples, 0);
      std::vector<double> plain(c.length);
      for (int i = 0; i < c.length; i++) {
        plain[i] = value(at(u, row + i)) * (c.pre ? value(at(pre, row + i)) : 1);
        v[i] = plain[i] * std::polar(1.0, 2 * pi * ofRing * double(i) / samples);
      }
      transform(v, -1);
      for (int k = 0; k < N; k++) {
        // The same frequency among those of all samples, and what the filters make of it.
        const int f = k < N / 2 ? k + shift : k + samples - N - shift;
        const double both = rate > 1 ? resampling->response.squared(float(2 * pi * frequency(k) / samples)) / rate : 1;
        product[f] = v[f] * spectra[h][k] * both / double(samples);
      }
      v = product;
      transform(v, 1);
      for (int n = 0; n < c.outLength; n++) {
        const Complex z = v[n] * std::polar(1.0, -2 * pi * ofRing * double(n) / samples);
        double r = c.tail ? z.imag() : z.real() + (c.skip && n < c.length ? skip[h] * plain[n] : 0);
        if (c.post) r *= value(at(post, outRow + n));
        const double d = value(at(y, outRow + n)) - r;
        error += d * d, size += r * r;
      }
    }
  error = std::sqrt(error / size);
  bool intact = true;
  for (int i = 0; i < guard; i++) intact &= at(y, outputs + i) == 0x7fff;
  const double bound = Column::bf16 ? 2.2e-3 : Column::accurate ? 8e-4 : 1.4e-3;
  const bool good = error < bound && intact && inOrder;
  bool conflictFree = true;
  for (int i = 0; i < 3; i++) conflictFree &= wavefronts[i] == 4 * instructions[i];
  (good && conflictFree ? passed : failed)++;
  std::printf("%s N1=%d N2=%d %s %s%s%s%s%s%s%s%s%s length %d of %d batch %d channels %d: error %.2e%s%s", good ? "ok  " : "FAIL", N1, N2,
              Column::bf16 ? "bfloat16" : "float16", Column::accurate ? "accurate" : "fast", c.pre ? " pre" : "",
              c.post ? " post" : "", c.skip ? " skip" : "", c.paired ? " paired" : "", c.tail ? " tail" : "", c.bulk ? c.every > 1 ? " some rows" : "" : " plain copies", c.quarters ? "" : " circular", Row::somePieces ? " some pieces" : "", c.length, rate * N,
              c.batch, c.channels, error, intact ? "" : ", guard band overwritten", inOrder ? "" : ", waits out of order");
  if (!conflictFree)
    for (int i = 0; i < 3; i++) std::printf(" conflicts %ld/%ld", wavefronts[i], 4 * instructions[i]);
  std::printf("\n");
  std::fflush(stdout);
}

}  // namespace

// passes_emulation [NUMBER | PART OF]: all checks, or one, or every OF-th one from number PART on.
int main(int argc, char** argv) {
  const int part = argc > 1 ? std::atoi(argv[1]) : 0, of = argc > 2 ? std::atoi(argv[2]) : argc > 1 ? 1 << 30 : 1;
  if (argc > 3 || of < 1 || part < 0 || part >= of) {
    std::fprintf(stderr, "usage: passes_emulation [NUMBER | PART OF]\n");
    return 2;
  }
  int number = 0;
  auto turn = [&] { return number++ % of == part; };
  using F = ColumnConfig<false, false, 1>;
  using FA = ColumnConfig<false, true, 1>;
  using B = ColumnConfig<true, false, 1>;
  using Row1 = RowConfig<1, false>;
  auto gated = [](Case c, int lead) {
    c.pre = c.post = true;
    c.skip = c.from == 0 && c.until == 1;  // as a tap it has no place in pieces of the spectrum
    c.lead = lead;
    return c;
  };
  auto skipped = [](Case c) {
    c.skip = true;
    return c;
  };
  auto plainCopies = [](Case c) {
    c.bulk = false;
    return c;
  };
  auto paired = [](Case c, int how = 1) {
    c.paired = how;
    return c;
  };
  // log2Inner, batch, channels, length, taps
  if (turn()) check<F, Row1>(paired({1, 3, 1, 131072, 131072}));
  if (turn()) check<F, Row1>(plainCopies({2, 2, 1, 262144, 1000}));
  if (turn()) check<F, Row1>(gated({1, 1, 2, 100001, 131072}, 3));
  if (turn()) check<B, Row1>(paired({1, 2, 2, 131072, 131072}, 2));
  if (turn()) check<B, Row1>(gated({1, 1, 2, 99999, 131072}, 0));
  if (turn()) check<FA, RowConfig<1, true>>({1, 2, 1, 131071, 131072});
  if (turn()) check<FA, RowConfig<1, true>>(plainCopies({1, 5, 1, 131072, 1000}));
  if (turn()) check<F, RowConfig<2, false>>(paired({1, 1, 2, 262144, 262144}));
  if (turn()) check<FA, RowConfig<2, true>>({1, 1, 2, 262144, 262144});
  auto sparse = [](Case c, int every) {
    c.every = every;
    return c;
  };
  if (turn()) check<F, Row1>(sparse({1, 2, 2, 131072, 131072}, 5));
  if (turn()) check<F, Row1>(skipped(sparse({1, 2, 2, 131072, 131072}, 5)));
  // A term that hides no error.
  const auto barely = [](Case c) {
    c.skipSize = 1e-3;
    return c;
  };
  if (turn()) check<FA, RowConfig<1, true>>(barely(skipped(sparse({1, 2, 1, 131065, 131072}, 7))));
  if (turn()) check<B, Row1>(gated(sparse({1, 1, 2, 100001, 131072}, 3), 3));
  if (turn()) check<ColumnConfig<true, true, 1>, RowConfig<1, true>>(skipped(sparse({1, 3, 1, 131000, 131072}, 11)));
  if (turn()) check<F, RowConfig<2, false>>(sparse({1, 1, 2, 262144, 262144}, 2));
  auto band = [](Case c, double from, double until) {
    c.from = from, c.until = until;
    return c;
  };
  if (turn()) check<F, RowConfig<1, false, true>>(paired(band({1, 3, 2, 131072, 131072}, 0, 0.25)));
  if (turn()) check<B, RowConfig<1, false, true>>(band(gated({1, 1, 2, 99999, 131072}, 0), 0.3, 0.6));
  if (turn()) check<FA, RowConfig<1, true, true>>(sparse(band({1, 2, 1, 131071, 131072}, 0.55, 1), 3));
  if (turn()) check<F, RowConfig<2, false, true>>(band({1, 1, 2, 262144, 262144}, 0, 0.09));
  if (turn()) check<FA, RowConfig<2, true, true>>(band({1, 2, 1, 262144, 262144}, 0.5, 0.51));
  using Half = ColumnConfig<false, true, 1, 2>;
  using HalfB = ColumnConfig<true, true, 1, 2>;
  using Quarter = ColumnConfig<false, true, 1, 4>;
  using QuarterB = ColumnConfig<true, true, 1, 4>;
  using HalfF = ColumnConfig<false, false, 1, 2>;
  // From the lowest frequency, up to the highest, or anywhere; with filters that change sign and some that do not.
  if (turn()) check<Half, RowConfig<1, true, true>>(paired(band({1, 1, 2, 262144, 131072}, 0, 0.25)));
  if (turn()) check<HalfB, RowConfig<1, false, true>>(skipped(gated(band({2, 1, 2, 524003, 262144}, 0.3, 0.5), 3)));
  if (turn()) check<HalfF, RowConfig<1, false, true>>(band({1, 1, 1, 262144, 131072}, 0.7, 1));
  if (turn()) check<Quarter, RowConfig<1, true, true>>(skipped(band({1, 2, 1, 524288, 131072}, 0.1, 0.19)));
  if (turn()) check<Quarter, RowConfig<1, true, true>>(gated(band({1, 1, 1, 523999, 131072}, 0, 0.09), 1));
  if (turn()) check<QuarterB, RowConfig<2, false, true>>(band({1, 1, 1, 1000001, 262144}, 0.45, 0.5));
  auto circular = [](Case c) {
    c.quarters = 0;
    return c;
  };
  if (turn()) check<F, Row1>(circular(sparse({1, 2, 2, 131072, 131072}, 5)));
  if (turn()) check<B, Row1>(circular(gated({1, 1, 2, 131072, 131072}, 3)));
  if (turn()) check<FA, RowConfig<1, true, true>>(circular(band({1, 2, 1, 131072, 131072}, 0.55, 1)));
  if (turn()) check<F, RowConfig<2, false>>(circular(sparse({2, 1, 2, 524288, 524288}, 3)));
  if (turn()) check<Half, RowConfig<1, true, true>>(circular(band({1, 1, 2, 262144, 131072}, 0, 0.25)));
  if (turn()) check<HalfB, RowConfig<1, false, true>>(circular(skipped(gated(band({2, 1, 2, 524288, 262144}, 0.3, 0.5), 3))));
  if (turn()) check<HalfF, RowConfig<1, false, true>>(circular(band({1, 1, 1, 262144, 131072}, 0.7, 1)));
  if (turn()) check<Quarter, RowConfig<1, true, true>>(circular(gated(band({1, 1, 1, 524288, 131072}, 0.1, 0.19), 1)));
  if (turn()) check<QuarterB, RowConfig<2, false, true>>(circular(band({1, 1, 1, 1048576, 262144}, 0.45, 0.5)));
  using Row4 = RowConfig<4, false>;
  if (turn()) check<B, Row4>(paired(gated({1, 2, 1, 524001, 524288}, 3)));
  if (turn()) check<F, Row4>(plainCopies(sparse({1, 3, 1, 524288, 524288}, 5)));
  if (turn()) check<FA, RowConfig<4, true>>(gated({1, 1, 2, 524288, 524288}, 0));
  if (turn()) check<F, Row1>({4, 1, 1, 1048576, 1048576});
  if (turn()) check<ColumnConfig<false, false, 4>, Row1>(paired({4, 1, 1, 4194304, 4194304}));
  if (turn()) check<ColumnConfig<false, false, 4>, Row1>(circular(skipped(sparse({4, 1, 1, 4194304, 4194304}, 7))));
  if (turn()) check<ColumnConfig<true, true, 4>, RowConfig<1, true>>(gated({4, 1, 1, 4190000, 4194304}, 1));
  std::printf("emulation: %d checks passed, %d failed\n", passed, failed);
  return failed != 0;
}
