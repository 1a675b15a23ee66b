// The planner without a device: counted work, predictions, choices, and the text of the constants. GPU candidates come
// from the same functions as on a GPU, with shapes as its families have them.
#include <clocale>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "../../cuda/host/number_text.h"
#include "../../cuda/host/status.h"
#include "../../cuda/planner/defaults.h"
#include "../../cuda/planner/gpu_costs.h"
#include "../../cuda/planner/ranking.h"
#include "check.h"

using namespace ffc;

namespace {

constexpr GpuSize h200{132, 232448};

Constants h200Constants() {
  GpuFacts facts;
  facts.computeMajor = 9;
  facts.multiprocessors = 132;
  facts.clockHz = 1.98e9;
  facts.memoryBytesPerSecond = 4.917e12;
  return gpuConstants(facts);
}

ConvProblem problemOf(Dtype dtype, int64_t batch, int64_t channels, int64_t length, int64_t kernelLength) {
  ConvProblem p;
  p.dtype = dtype;
  p.precision = dtype == Dtype::float32 ? FFC_PRECISION_ACCURATE : FFC_PRECISION_FAST;
  p.batch = batch;
  p.channels = channels;
  p.length = p.outputLength = length;
  p.kernelLength = kernelLength;
  return p;
}

// The status and the text of what `body` throws.
Error failureOf(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& e) {
    return e;
  }
  return Error(FFC_OK, "");
}
bool fails(ffc_status status, const std::string& words, const std::function<void()>& body) {
  const Error e = failureOf(body);
  const bool good = e.status() == status && std::string(e.what()).find(words) != std::string::npos;
  if (!good) std::fprintf(stderr, "  status %d: %s\n", static_cast<int>(e.status()), e.what());
  return good;
}

Candidate fp32Whole(const ConvProblem& p, std::vector<int> radices, int threads, int rows) {
  Fp32Shape s;
  s.points = 1;
  for (const int radix : radices) s.points *= radix;
  s.radices = radices;
  s.threads = threads;
  s.rows = rows;
  s.sharedBytes = s.points * 17 / 2 * rows;
  return fusedFp32Candidate(p, s, h200);
}

Candidate mmaOf(const ConvProblem& p, int radix, int n2, int digits = 0) {
  MmaShape s;
  s.radix = radix;
  s.n2 = n2;
  s.points = int64_t{256} * radix * n2;
  s.scaled = p.dtype == Dtype::bfloat16;
  s.streamedSpectrum = radix > 2;
  s.digits = digits;
  return fusedMmaCandidate(p, s, h200);
}

Candidate directOf(const ConvProblem& p) {
  DirectShape s;
  int logThreads = 0;
  while (logThreads < 7 && (int64_t{8} << logThreads) < p.outputLength) ++logThreads;
  s.tile = 8 << logThreads;
  s.taps = std::min(p.kernelLength, p.length);
  s.units = p.rows() * ((p.outputLength + s.tile - 1) / s.tile);
  s.unitsPerBlock = 128 >> logThreads;
  s.sharedBytes = 8000;
  return directCandidate(p, s, h200);
}

Candidate multiPassOf(const ConvProblem& p, int64_t columns, int64_t rowPoints, int64_t chunks = 1) {
  MultiPassShape s;
  s.columns = columns;
  s.rowPoints = rowPoints;
  s.scratchBytes = p.dtype == Dtype::float32 ? 8 : 4;
  s.columnRadices = {16, 16};
  s.rowRadices = {16, 16, 16};
  s.chunks = chunks;
  return multiPassCandidate(p, s, h200);
}

// Rows that reach past their transform when they are shifted take longer, and say so.
void testRowsThatWrap() {
  const Constants constants = h200Constants();
  const auto timeOf = [&](int64_t length, bool gated, const std::string& rows) {
    ConvProblem p = problemOf(Dtype::float16, 64, 768, length, length);
    p.preGate = p.postGate = gated;
    MmaShape s;
    s.n2 = 16, s.points = 4096, s.uniform = true;
    const Candidate c = fusedMmaCandidate(p, s, h200);
    CHECK(c.key.find("/plain" + rows + "/n4096") != std::string::npos || c.key.find("/gated" + rows + "/n4096") != std::string::npos);
    return predict(c, constants).totalNs;
  };
  const double multiple = timeOf(4088, false, "/uniform/partial"), odd = timeOf(4087, false, "/uniform/partial");
  const double wraps = timeOf(4095, false, "/uniform/partial/wraps");
  CHECK(odd < 1.01 * multiple && wraps > 1.15 * multiple);
  CHECK(timeOf(4095, true, "/uniform/partial/wraps") > 1.15 * timeOf(4087, true, "/uniform/partial"));
}

void testCounts() {
  const ConvProblem p = problemOf(Dtype::float16, 64, 768, 4096, 4096);
  const double bytes = 64.0 * 768 * 4096 * 2 * 2;
  CHECK(tensorBytes(p) == bytes);
  ConvProblem gated = p;
  gated.preGate = gated.postGate = true;
  CHECK(tensorBytes(gated) == 2 * bytes);
  const Pass mma = totalOf(mmaOf(p, 1, 16));
  // With 4 of 16 values of k1, half of the outer four of twelve products and a quarter of the others; the rest moves alike.
  const Pass few = totalOf(mmaOf(p, 1, 16, 4));
  CHECK(few.tensorFlops == mma.tensorFlops * 4 / 12 && few.deviceBytes == mma.deviceBytes && few.coreFlops < mma.coreFlops);
  // Twelve products of 4096 operations for 128 points, there and back; u and y once, and a spectrum per channel.
  CHECK(mma.tensorFlops == 64.0 * 768 * 4096 * 384);
  CHECK(mma.deviceBytes == bytes + 768.0 * 4096 * 4);
  CHECK(mma.l2Bytes >= mma.deviceBytes && mma.sharedBytes > bytes && mma.launches == 1);
  // Two halves of a row compute what two rows do and a product more, with a segment of the kernel each; the products of the first half
  // wait for the second, and no row is two blocks' work.
  MmaShape sliced;
  sliced.radix = sliced.slices = 4;
  sliced.n2 = 16;
  sliced.points = 65536;
  sliced.streamedSpectrum = true;
  const Candidate one = fusedMmaCandidate(problemOf(Dtype::float16, 16, 768, 65536, 65536), sliced, h200);
  sliced.halves = 2;
  const Candidate two = fusedMmaCandidate(problemOf(Dtype::float16, 8, 768, 131072, 131072), sliced, h200);
  const Pass row = totalOf(one), halves = totalOf(two);
  CHECK(halves.tensorFlops == row.tensorFlops && halves.coreFlops > row.coreFlops && halves.sharedBytes == row.sharedBytes);
  CHECK(halves.deviceBytes == row.deviceBytes + 768.0 * 65536 * 4 && halves.launches == 1);
  CHECK(halves.l2Bytes > row.l2Bytes + 8.0 * 768 * 65536 * 8 && 2 * two.passes[0].units == one.passes[0].units);
  // A spectrum of floats has twice the bytes, of each channel and of each row that streams it.
  MmaShape floats = sliced;
  floats.spectrumFloats = true;
  const Pass wider = totalOf(fusedMmaCandidate(problemOf(Dtype::float16, 8, 768, 131072, 131072), floats, h200));
  CHECK(wider.deviceBytes == halves.deviceBytes + 768.0 * 131072 * 4 && wider.l2Bytes > halves.l2Bytes + 8.0 * 768 * 131072 * 4);
  CHECK(two.segments == 2 && two.key == "fused-mma/sliced4/r4/fast/plain/whole/halves/n65536" && two.name != one.name);
  const Pass direct = totalOf(directOf(problemOf(Dtype::float32, 1, 1, 1024, 64)));
  CHECK(direct.coreFlops == 2.0 * 1024 * 64 && direct.tensorFlops == 0);
  const Pass passes = totalOf(multiPassOf(problemOf(Dtype::float16, 8, 48, 1 << 20, 1 << 20), 256, 4096));
  CHECK(passes.launches == 3);
  // Three passes: u and y, four times the scratch, the spectrum once a channel.
  CHECK(passes.deviceBytes == 8.0 * 48 * (1 << 20) * (2 + 2 + 4 * 4) + 48.0 * (1 << 20) * 4);
}

// A context with less scratch waits longer and takes the same candidate, whose results have the same bits.
void testScratchLimit() {
  const Constants c = h200Constants();
  const ConvProblem p = problemOf(Dtype::float16, 8, 48, 1 << 20, 1 << 20);
  const Prediction usual = predict(multiPassOf(p, 256, 4096), c), little = predict(multiPassOf(p, 256, 4096, 384), c);
  CHECK(little.launches == 384 * usual.launches && little.totalNs > usual.totalNs + 300 * usual.latencyNs);
  CHECK(little.rankNs == usual.rankNs && usual.rankNs == usual.totalNs);
}

void testPredictions() {
  const Constants c = h200Constants();
  // More rows, longer rows, gates: never less time; and the limits bound it from below.
  double before = 0;
  for (int64_t batch = 1; batch <= 256; batch *= 2) {
    const Prediction p = predict(mmaOf(problemOf(Dtype::bfloat16, batch, 768, 4096, 4096), 1, 16), c);
    CHECK(p.totalNs > before);
    CHECK(p.floorNs >= p.deviceNs && p.floorNs >= p.sharedNs && p.latencyNs > 0);
    CHECK(std::abs(p.totalNs / (p.floorNs / p.efficiency + p.latencyNs) - 1) < 1e-9);
    before = p.totalNs;
  }
  before = 0;
  for (int64_t columns = 256; columns <= 4096; columns *= 2) {
    const int64_t length = columns * 4096;
    const double ns = predict(multiPassOf(problemOf(Dtype::float16, 1, 4, length, length), columns, 4096), c).totalNs;
    CHECK(ns > before);
    before = ns;
  }
  before = 0;
  for (int64_t taps = 8; taps <= 4096; taps *= 2) {
    const double ns = predict(directOf(problemOf(Dtype::float32, 64, 768, 4096, taps)), c).totalNs;
    CHECK(ns >= before);
    before = ns;
  }
  ConvProblem p = problemOf(Dtype::float32, 64, 768, 1024, 1024);
  const double plain = predict(fp32Whole(p, {32, 32}, 32, 4), c).floorNs;
  p.preGate = p.postGate = true;
  CHECK(predict(fp32Whole(p, {32, 32}, 32, 4), c).floorNs > plain);
  // A faster memory does not make a call slower, and a device of half the size does not make it faster.
  Constants quick = c;
  quick.set("rate/device", 2 * c.get("rate/device"));
  const Candidate bound = mmaOf(problemOf(Dtype::float16, 64, 768, 1024, 1024), 1, 4);
  CHECK(predict(bound, quick).totalNs < predict(bound, c).totalNs);
  Constants rates;
  for (const auto& [name, value] : c.values())
    if (name.rfind("rate/", 0) == 0) rates.set(name, value);
  CHECK(std::string(predict(bound, rates).bottleneck) == "device memory");
  rates.set("device", 1e3);
  rates.set("issue", 1e-3);
  CHECK(std::string(predict(bound, rates).bottleneck) == "tensor cores");
  // One row: nothing but the launch.
  const Prediction tiny = predict(directOf(problemOf(Dtype::float32, 1, 1, 8, 4)), c);
  CHECK(std::string(tiny.bottleneck) == "launch");
  // Where the driver does not tell clocks and memory, and for devices newer than the table, predictions stay numbers.
  for (const int major : {8, 9, 10, 12, 15}) {
    GpuFacts facts;
    facts.computeMajor = major;
    facts.multiprocessors = 100;
    const Prediction unknown = predict(bound, gpuConstants(facts));
    CHECK(std::isfinite(unknown.totalNs) && unknown.totalNs > 0);
    CHECK(major == 9 || gpuConstants(facts).source.find("not measured") != std::string::npos);
  }
}

void testChoice() {
  const Constants c = h200Constants();
  ConvProblem p = problemOf(Dtype::bfloat16, 64, 768, 2048, 2048);
  Candidates list;
  list.list = {directOf(p), fp32Whole(p, {16, 8, 16}, 128, 1), mmaOf(p, 1, 8), mmaOf(p, 2, 4)};
  list.refusals = {{"multi-pass", "a reason"}};
  const auto names = [&] {
    std::vector<std::string> all;
    for (const Candidate& candidate : list.list) all.push_back(candidate.name);
    return all;
  }();
  const Ranking ranking(list, p, c);
  for (const Candidate& candidate : list.list) CHECK(ranking.prediction().totalNs <= predict(candidate, c).totalNs);
  CHECK(ranking.candidate().family == "fused-mma");
  CHECK(list.list[ranking.index()].name == ranking.candidate().name);
  const std::string json = ranking.json();
  for (const std::string& name : names) CHECK(json.find("\"name\":\"" + name + "\"") != std::string::npos);
  CHECK(json.find("{\"family\":\"multi-pass\",\"reason\":\"a reason\"}") != std::string::npos);

  for (size_t i = 0; i < names.size(); ++i) {
    p.candidate = names[i];
    CHECK(Ranking(list, p, c).index() == i);
  }
  p.candidate = "fused-mma/2047";
  CHECK(fails(FFC_INVALID_ARGUMENT, names[0], [&] { Ranking(list, p, c); }));
  p.candidate = "";
  p.algorithm = FFC_ALGORITHM_DIRECT;
  CHECK(Ranking(list, p, c).index() == 0);
  p.algorithm = FFC_ALGORITHM_FFT;
  CHECK(Ranking(list, p, c).candidate().points > 0);
  p.algorithm = FFC_ALGORITHM_MULTI_PASS;
  CHECK(fails(FFC_UNSUPPORTED, "a reason", [&] { Ranking(list, p, c); }));
  p.algorithm = FFC_ALGORITHM_DIRECT;
  p.candidate = names[2];  // by name, but of another algorithm
  CHECK(fails(FFC_INVALID_ARGUMENT, "direct", [&] { Ranking(list, p, c); }));
  p.algorithm = FFC_ALGORITHM_AUTO;
  p.candidate = "";
  CHECK(fails(FFC_LIMIT_EXCEEDED, "a reason", [&] {
    Candidates none;
    none.refusals = list.refusals;
    Ranking(none, p, c);
  }));
  list.list.push_back(list.list[0]);
  CHECK(fails(FFC_INTERNAL_ERROR, names[0], [&] { Ranking(list, p, c); }));

  // The constants decide: with direct sums a hundred times as good, they are taken.
  list.list.pop_back();
  Constants other = c;
  other.set("efficiency/direct/half/plain", 1000);
  other.set("latency/direct/half/plain", 1e-3);
  CHECK(Ranking(list, p, other).candidate().family == "direct");
}

void testConstants() {
  const Constants c = h200Constants();
  const Constants back = Constants::parse(c.text());
  CHECK(back.values().size() == c.values().size());
  for (const auto& [name, value] : c.values()) CHECK(std::abs(back.get(name) / value - 1) < 1e-8);
  CHECK(back.text() == c.text());

  const std::string head = "flashfftconv-constants 2\n";
  CHECK(Constants::parse(head).values().empty());
  CHECK(Constants::parse(head + "latency 5").get("latency") == 5);
  for (const char* bad : {"", "flashfftconv-constants 1\nlatency 5\n", "latency 5\n", "flashfftconv-constants 2 \n"})
    CHECK(fails(FFC_INVALID_ARGUMENT, "line 1", [&] { Constants::parse(bad); }));
  for (const char* bad : {"latency", "latency ", "latency x", "latency 5x", "latency -1", "latency 0", "latency nan",
                          "latency inf", "latency 1e308", "latency 1.1e30", "latency 9e-13", "latency 1e-310",
                          "rates/device 5", "efficiency/ 5", " latency 5", "", "latency 5 5"})
    CHECK(fails(FFC_INVALID_ARGUMENT, "line 2", [&] { Constants::parse(head + bad + "\n"); }));

  // The product of what there is for a key's traits: each path to it, and single steps behind the first or second.
  Constants t;
  t.set("efficiency", 0.5);
  t.set("efficiency/a", 3);
  t.set("efficiency/a/b/c/d", 7);
  t.set("efficiency/a/*/c", 11);
  t.set("efficiency/a/b/*/d", 13);
  t.set("efficiency/a/*/b", 100);  // a path already
  t.set("latency/a", 17);
  const auto near = [](double x, double y) { return std::abs(x / y - 1) < 1e-12; };
  CHECK(near(t.product("efficiency", "a/b/c/d"), 0.5 * 3 * 7 * 11 * 13));
  CHECK(near(t.product("efficiency", "a/x/c"), 0.5 * 3 * 11));
  CHECK(near(t.product("efficiency", "a/x/b"), 0.5 * 3 * 100));
  CHECK(near(t.product("efficiency", "a/c/d"), 0.5 * 3) && near(t.product("efficiency", "a"), 0.5 * 3));
  CHECK(near(t.product("efficiency", "ab/c"), 0.5) && near(t.product("latency", "a/b"), 17));
  CHECK(t.product("fill", "a/b") == 1);
  // A family measured anew loses the special entries of the old measurement, and no other family does.
  t.set("efficiency/ab/c", 0.5);
  Constants anew;
  anew.set("efficiency/a", 0.4);
  t.overlay(anew);
  CHECK(near(t.product("efficiency", "a/b/c/d"), 0.5 * 0.4) && t.get("efficiency/ab/c") == 0.5 && t.get("efficiency") == 0.5);
  CHECK(t.get("latency/a") == 17);

  const Constants cpu = cpuConstants(16, 2);
  for (const char* name : {"cpu/level", "cpu/edges", "cpu/tap", "rate/device", "efficiency", "latency"})
    CHECK(cpu.get(name) > 0);
}

// With the most extreme constants that are taken, predictions are numbers still, and their JSON is JSON.
void testExtremeConstants() {
  const ConvProblem p = problemOf(Dtype::float16, 8, 48, 1 << 20, 1 << 20);
  Candidates list;
  list.list = {multiPassOf(p, 256, 4096), directOf(p)};
  const auto json = [&](const std::string& rate, const std::string& part, const std::string& time) {
    std::string text = "flashfftconv-constants 2\n";
    for (const char* name : {"device", "l2", "shared", "tensor", "core"})
      text += std::string("rate/") + name + " " + rate + "\n";
    for (const char* of : {"", "/direct", "/direct/half", "/direct/half/plain", "/direct/*/plain", "/multi-pass"}) {
      for (const char* kind : {"efficiency", "device", "l2", "shared", "issue"}) text += kind + (of + (" " + part + "\n"));
      for (const char* kind : {"latency", "fill"}) text += kind + (of + (" " + time + "\n"));
    }
    Constants extreme = h200Constants();
    extreme.overlay(Constants::parse(text));
    return Ranking(list, p, extreme).json();
  };
  for (const char* rate : {"1e-12", "1e30"})
    for (const char* part : {"1e-12", "1e30"})
      for (const char* time : {"1e-12", "1e30"})
        for (const char* word : {":inf", ":nan", ":-"}) CHECK(json(rate, part, time).find(word) == std::string::npos);
}

// Digits are printf's, and the decimal point is one whatever the program's locale is.
void testNumbers() {
  for (const double value : {0.0, 1.0, 0.1, -2.5, 1.0 / 3, 12345.678, 999999.5, 1e6, 1e-5, 6.02214076e23, 5e-324,
                             1.7e308}) {
    char text[400];
    for (const int digits : {3, 6, 9}) {
      std::snprintf(text, sizeof text, "%.*g", digits, value);
      CHECK(numberText(value, digits) == text);
    }
    std::snprintf(text, sizeof text, "%.2f", value);
    CHECK(numberText(value, 2, std::chars_format::fixed) == text);
    double back = -1;
    CHECK(readNumber(numberText(value, 17), back) && back == value);
  }
  double value = 0;
  for (const char* bad : {"", " 1", "1 ", "1,5", "0x1p3", "1e", "x", "1e999"}) CHECK(!readNumber(bad, value));
  CHECK(readNumber("1e+21", value) && value == 1e21);  // as JavaScript writes it

  const Constants c = h200Constants();
  const ConvProblem p = problemOf(Dtype::float32, 64, 768, 1024, 1024);
  Candidates list;
  list.list = {directOf(p), fp32Whole(p, {32, 32}, 32, 4)};
  const std::string text = c.text(), json = Ranking(list, p, c).json();
  bool commas = false;  // whether this machine has such a locale
  for (const char* name : {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "fr_FR", "es_ES.UTF-8", "it_IT.UTF-8", "pt_BR.UTF-8"}) {
    commas = std::setlocale(LC_NUMERIC, name) && *std::localeconv()->decimal_point == ',';
    if (commas) break;
  }
  if (!commas) std::printf("  no locale with decimal commas is installed here\n");
  CHECK(c.text() == text && Ranking(list, p, c).json() == json);
  CHECK(Constants::parse(text).values().size() == c.values().size());
  std::setlocale(LC_NUMERIC, "C");
}

}  // namespace

int main() {
  testCounts();
  testRowsThatWrap();
  testScratchLimit();
  testPredictions();
  testChoice();
  testConstants();
  testExtremeConstants();
  testNumbers();
  return report_checks("planner_test");
}
