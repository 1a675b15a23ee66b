// The parts under the ABI that its calls cannot reach on purpose: failures of enqueued work, last references dropped
// on a stream's own thread, nested loops, layouts by the thousand. Linked with the objects themselves.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <mutex>
#include <new>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "../../cuda/abi/handles.h"
#include "../../cuda/abi/tensors.h"
#include "../../cuda/abi/text.h"
#include "../../cuda/cpu/host_memory.h"
#include "../../cuda/cpu/stream.h"
#include "../../cuda/cpu/thread_pool.h"
#include "../../cuda/host/failure.h"
#include "check.h"

using namespace ffc;
using Clock = std::chrono::steady_clock;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;  // an order of magnitude slower: timings mean nothing
#else
constexpr bool sanitized = false;
#endif

double microsecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

template <class Body>
ffc_status statusOf(Body&& body, std::string* text = nullptr) {
  try {
    body();
    return FFC_OK;
  } catch (...) {
    const Failure failure = currentFailure();
    if (text) *text = failure.text;
    return failure.status;
  }
}

void testPoolRunsEveryIndexOnce() {
  for (int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    CHECK(pool.threads() == threads);
    for (int64_t count : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> hits(static_cast<size_t>(count));
      pool.parallelFor(count, [&](int64_t i) { hits[static_cast<size_t>(i)].fetch_add(1); });
      CHECK(std::all_of(hits.begin(), hits.end(), [](const std::atomic<int>& n) { return n == 1; }));
    }
  }
}

void testPoolNestedAndConcurrent() {
  ThreadPool pool(3);
  std::atomic<int64_t> sum{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c)
    callers.emplace_back([&] {
      for (int repeat = 0; repeat < 50; ++repeat)
        pool.parallelFor(5, [&](int64_t i) {
          pool.parallelFor(6, [&](int64_t j) {
            pool.parallelFor(2, [&](int64_t k) { sum.fetch_add(i * 100 + j * 10 + k); });
          });
        });
    });
  for (std::thread& caller : callers) caller.join();
  int64_t expected = 0;
  for (int i = 0; i < 5; ++i)
    for (int j = 0; j < 6; ++j)
      for (int k = 0; k < 2; ++k) expected += i * 100 + j * 10 + k;
  CHECK(sum == expected * 4 * 50);
}

void testPoolExceptions() {
  ThreadPool pool(2);
  std::atomic<int> ran{0};
  std::string text;
  const auto loop = [&] {
    pool.parallelFor(100000, [&](int64_t i) {
      if (i == 10) throw Error(FFC_CANCELLED, "stopped at ten");
      ran.fetch_add(1);
    });
  };
  CHECK(statusOf(loop, &text) == FFC_CANCELLED && text == "stopped at ten");
  CHECK(ran < 100000);
  ran = 0;
  pool.parallelFor(100, [&](int64_t) { ran.fetch_add(1); });
  CHECK(ran == 100);
}

// The cost of a loop whose work is nothing, back to back and after the workers fell asleep.
void measurePool() {
  ThreadPool pool(2);
  const auto median = [&](std::chrono::microseconds pause) {
    std::vector<double> times;
    for (int i = 0; i < 200; ++i) {
      std::this_thread::sleep_for(pause);
      const auto begin = Clock::now();
      pool.parallelFor(2, [](int64_t) {});
      times.push_back(microsecondsSince(begin));
    }
    std::nth_element(times.begin(), times.begin() + 100, times.end());
    return times[100];
  };
  std::printf("  parallelFor of nothing, 2 threads, median: %.1f us back to back, %.1f us after 200 us of sleep\n",
              median(std::chrono::microseconds(0)), median(std::chrono::microseconds(200)));
}

void testStreamOrderAndFailures() {
  CpuStream stream;
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) stream.enqueue([&order, i] { order.push_back(i); });
  stream.runAndWait([&] { order.push_back(100); });
  stream.runAndWait([&] { order.push_back(101); });  // idle: runs here
  stream.enqueue([&] { order.push_back(102); });
  stream.synchronize();
  CHECK(order.size() == 103 && std::is_sorted(order.begin(), order.end()));

  std::atomic<int> later{0};
  stream.enqueue([] { throw Error(FFC_OUT_OF_MEMORY, "first"); });
  stream.enqueue([] { throw Error(FFC_INTERNAL_ERROR, "second"); });
  stream.enqueue([&] { ++later; });
  std::string text;
  CHECK(statusOf([&] { stream.synchronize(); }, &text) == FFC_OUT_OF_MEMORY && text == "first");
  CHECK(later == 1);
  CHECK(statusOf([&] { stream.synchronize(); }) == FFC_OK);

  // A read must not hand out what failed work left behind, whether it had to wait or found the stream idle.
  bool ran = false;
  stream.enqueue([] { std::this_thread::sleep_for(std::chrono::milliseconds(5)); });
  stream.enqueue([] { throw std::bad_alloc(); });
  CHECK(statusOf([&] { stream.runAndWait([&] { ran = true; }); }) == FFC_OUT_OF_MEMORY && !ran);
  CHECK(statusOf([&] { stream.synchronize(); }) == FFC_OK);
  stream.enqueue([] { throw std::runtime_error("odd"); });
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  CHECK(statusOf([&] { stream.runAndWait([&] { ran = true; }); }, &text) == FFC_INTERNAL_ERROR && !ran);
  CHECK(text.find("odd") != std::string::npos);
  CHECK(statusOf([&] { stream.runAndWait([] { throw Error(FFC_UNSUPPORTED, "mine"); }); }) == FFC_UNSUPPORTED);
  CHECK(statusOf([&] { stream.synchronize(); }) == FFC_OK);
}

// Callers of every kind on one stream at once: work stays exclusive, nothing is lost.
void testStreamConcurrent() {
  CpuStream stream;
  int64_t sum = 0;  // no atomic: the stream is what serialises
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c)
    callers.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        stream.enqueue([&] { sum += 1; });
        stream.runAndWait([&] { sum += 1000; });
        if (i % 10 == 0) stream.synchronize();
      }
    });
  for (std::thread& caller : callers) caller.join();
  stream.synchronize();
  CHECK(sum == 4 * 200 * 1001);
}

// The last reference goes on the stream's own thread, which must neither join itself nor end the process.
void testStreamDropsItself() {
  std::atomic<int> done{0};
  constexpr int repeats = 200;
  for (int i = 0; i < repeats; ++i) {
    auto stream = std::make_shared<CpuStream>();
    CpuStream& s = *stream;
    std::mutex gate;
    std::unique_lock<std::mutex> closed(gate);
    s.enqueue([&gate] { std::lock_guard<std::mutex> wait(gate); });
    s.enqueue([keep = stream, &done] { done.fetch_add(1); });  // released on the thread, after the next line
    stream.reset();
    closed.unlock();
    // `gate` must outlive the first item: the second one only runs after it.
    while (done <= i) std::this_thread::yield();
  }
  CHECK(done == repeats);
  // Work enqueued before the stream went is still done.
  std::atomic<int> ran{0};
  {
    CpuStream stream;
    for (int i = 0; i < 100; ++i) stream.enqueue([&ran] { ran.fetch_add(1); });
  }
  const auto begin = Clock::now();
  while (ran < 100 && microsecondsSince(begin) < 5e6) std::this_thread::yield();
  CHECK(ran == 100);
}

void testEvents() {
  const auto stream = std::make_shared<CpuStream>();
  CpuEvent begin, end;
  CHECK(statusOf([&] { begin.synchronize(); }) == FFC_OK);  // never recorded: nothing to wait for
  begin.record(stream);
  stream->enqueue([] { std::this_thread::sleep_for(std::chrono::milliseconds(20)); });
  end.record(stream);
  CHECK(statusOf([&] { end.elapsedMsSince(begin); }) == FFC_NOT_READY);
  end.synchronize();
  const double ms = end.elapsedMsSince(begin);
  CHECK(ms >= 20 && ms < 2000);
  stream->enqueue([] { std::this_thread::sleep_for(std::chrono::milliseconds(20)); });
  end.record(stream);  // recorded anew: the old time no longer counts
  CHECK(statusOf([&] { end.elapsedMsSince(begin); }) == FFC_NOT_READY);
  end.synchronize();
  CHECK(end.elapsedMsSince(begin) >= ms + 20);
}

void measureStream() {
  CpuStream stream;
  stream.enqueue([] {});
  stream.synchronize();
  // Against a thread start or a wait creeping into enqueue(). The lower half, and the best of some rounds, because the machine may be busy.
  double least = HUGE_VAL;
  for (int round = 0; round < 10 && !(least < 10); ++round) {
    std::vector<double> enqueue, roundTrip;
    for (int i = 0; i < 500; ++i) {
      const auto begin = Clock::now();
      stream.enqueue([] {});
      enqueue.push_back(microsecondsSince(begin));
      stream.synchronize();
      roundTrip.push_back(microsecondsSince(begin));
    }
    std::sort(enqueue.begin(), enqueue.end());
    std::sort(roundTrip.begin(), roundTrip.end());
    std::printf("  stream, median: enqueue %.1f us, enqueue and synchronize %.1f us\n", enqueue[250], roundTrip[250]);
    least = std::min(least, enqueue[125]);
  }
  if (!sanitized) CHECK(least < 10);
}

void testOverlap() {
  class Bytes : public Buffer {
   public:
    explicit Bytes(int64_t n) { bytes_ = n; }
  };
  const auto memory = std::make_shared<Bytes>(1 << 16), other = std::make_shared<Bytes>(int64_t{1} << 40);
  std::mt19937 random(7);
  const auto below = [&](int n) { return static_cast<int64_t>(random() % static_cast<unsigned>(n)); };
  const auto bytesOf = [](const PlacedTensor& t) {
    std::set<int64_t> bytes;
    const Layout& l = t.layout;
    for (int64_t b = 0; b < l.batch; ++b)
      for (int64_t h = 0; h < l.channels; ++h)
        for (int64_t n = 0; n < l.samples * l.elementBytes; ++n)
          bytes.insert(t.region.offsetBytes + (b * l.strides.batch + h * l.strides.channel) * l.elementBytes + n);
    return bytes;
  };
  int overlapping = 0, apart = 0, wrong = 0;
  for (int i = 0; i < (sanitized ? 1000 : 10000); ++i) {
    Layout a;
    a.batch = 1 + below(4);
    a.channels = 1 + below(4);
    a.samples = 1 + below(6);
    a.elementBytes = below(2) ? 4 : 2;
    a.strides.channel = a.samples + below(8);
    a.strides.batch = a.strides.channel * (a.channels - 1) + a.samples + below(8);
    if (below(4) == 0) {  // batches inside channels
      std::swap(a.strides.channel, a.strides.batch);
      a.strides.channel = a.strides.batch * (a.batch - 1) + a.samples + below(8);
    }
    Layout b = a;
    if (below(2)) {
      b.batch = 1 + below(4);
      b.channels = 1 + below(4);
      b.strides.batch = b.strides.channel * (b.channels - 1) + b.samples + below(8);
    }
    if (below(2)) b.samples = 1 + below(static_cast<int>(a.samples));
    const PlacedTensor first = placeTensor("first", a, memory, a.elementBytes * below(20));
    const PlacedTensor second = placeTensor("second", b, memory, b.elementBytes * below(20));
    bool exact = false;
    const bool got = overlap(first, second, &exact);
    const auto x = bytesOf(first), y = bytesOf(second);
    std::vector<int64_t> both;
    std::set_intersection(x.begin(), x.end(), y.begin(), y.end(), std::back_inserter(both));
    wrong += !exact || got != !both.empty();
    (both.empty() ? apart : overlapping)++;
    wrong += *x.rbegin() + 1 - first.region.offsetBytes != first.extentBytes;
  }
  CHECK(wrong == 0);
  CHECK(overlapping > 100 && apart > 100);

  // u and y as the two halves of rows of a large tensor: a typical model's shape, decided exactly.
  const auto large = std::make_shared<Bytes>(int64_t{1} << 40);
  const Layout halves{64, 768, 4096, {768 * 8192, 8192}, 4};
  const PlacedTensor u = placeTensor("u", halves, large, 0), y = placeTensor("y", halves, large, 4096 * 4),
                     shifted = placeTensor("y", halves, large, 4095 * 4),
                     elsewhere = placeTensor("y", halves, other, 0);
  bool exact = false;
  const auto begin = Clock::now();
  CHECK(!overlap(u, y, &exact) && exact);
  const double us = microsecondsSince(begin);
  CHECK(overlap(u, shifted, &exact) && exact);
  CHECK(!overlap(u, elsewhere, &exact) && exact);
  CHECK(sameTensor(u, u) && !sameTensor(u, y));
  std::printf("  overlap of 2 x 49152 interleaved rows: %.1f us\n", us);

  // Too many rows of unlike layouts: refused, and said to be a guess.
  Layout unlike = halves;
  unlike.strides = {768 * 8192 * 2, 8192 * 2};
  CHECK(overlap(u, placeTensor("y", unlike, large, 4096 * 4), &exact) && !exact);

  std::string text;
  CHECK(statusOf([&] { placeTensor("u", {1, 1, 100, {}, 4}, memory, (1 << 16) - 396); }, &text) == FFC_OUT_OF_BOUNDS);
  CHECK(text.find("u needs 400 bytes at offset 65140; its buffer has 65536 bytes") != std::string::npos);
  CHECK(statusOf([&] { placeTensor("u", {1, 1, 100, {}, 4}, memory, (1 << 16) - 400); }) == FFC_OK);
  CHECK(statusOf([&] { placeTensor("u", {1, 1, 100, {}, 4}, memory, 2); }) == FFC_MISALIGNED);
  CHECK(statusOf([&] { placeTensor("u", {1, 1, 100, {}, 4}, memory, -4); }) == FFC_INVALID_ARGUMENT);
  const int64_t huge = int64_t{1} << 56;
  CHECK(statusOf([&] { extentBytes("u", {huge, 1, 1, {huge, 0}, 4}); }) == FFC_LIMIT_EXCEEDED);
  CHECK(statusOf([&] { placeTensor("u", {2, 1, 1, {huge, 0}, 4}, memory, INT64_MAX - 3); }) == FFC_OUT_OF_BOUNDS);
}

void testHandles() {
  HandleTable table;
  const auto object = std::make_shared<StreamObject>();
  const uint64_t first = table.insert(object);
  CHECK(first != 0 && table.get<StreamObject>(first) == object);
  std::string text;
  CHECK(statusOf([&] { table.get<BufferObject>(first); }, &text) == FFC_INVALID_HANDLE);
  CHECK(text.find("another kind: stream") != std::string::npos);
  CHECK(statusOf([&] { table.remove<BufferObject>(first); }) == FFC_INVALID_HANDLE);
  CHECK(statusOf([&] { table.get<StreamObject>(0); }) == FFC_INVALID_HANDLE);
  CHECK(table.remove<StreamObject>(0) == nullptr);
  CHECK(table.remove<StreamObject>(first) == object);
  CHECK(table.remove<StreamObject>(first) == nullptr);
  CHECK(statusOf([&] { table.get<StreamObject>(first); }) == FFC_INVALID_HANDLE);
  const uint64_t second = table.insert(std::make_shared<StreamObject>());  // the same slot
  CHECK(second != first && statusOf([&] { table.get<StreamObject>(first); }) == FFC_INVALID_HANDLE);
  CHECK(table.remove<StreamObject>(first) == nullptr && table.get<StreamObject>(second) != nullptr);
  CHECK(statusOf([&] { table.remove<StreamObject>(second + 1); }) == FFC_INVALID_HANDLE);             // another slot
  CHECK(statusOf([&] { table.remove<StreamObject>(second + (1 << 24)); }) == FFC_INVALID_HANDLE);     // not yet given
  CHECK(object.use_count() == 1);
  std::mt19937_64 random(3);
  int refused = 0;
  for (int i = 0; i < 1000; ++i) refused += statusOf([&] { table.get<PlanObject>(random()); }) == FFC_INVALID_HANDLE;
  CHECK(refused == 1000);
  std::vector<uint64_t> many;
  for (int i = 0; i < 10000; ++i) many.push_back(table.insert(std::make_shared<EventObject>()));
  CHECK(std::set<uint64_t>(many.begin(), many.end()).size() == many.size());
  for (uint64_t handle : many) table.remove<EventObject>(handle);
}

void testText() {
  const std::string text = "a\xC3\xA9\xE2\x82\xAC";  // a, e acute (2 bytes), euro (3 bytes)
  const char* expected[] = {nullptr, "", "a", "a", "a\xC3\xA9", "a\xC3\xA9", "a\xC3\xA9", text.c_str(), text.c_str()};
  for (size_t capacity = 1; capacity <= 8; ++capacity) {
    char target[9];
    std::memset(target, 'x', sizeof target);
    CHECK(copyText(text.data(), text.size(), target, capacity) == text.size());
    CHECK(std::string(target) == expected[capacity] && target[capacity] == 'x');
  }
  CHECK(copyText(text.data(), text.size(), nullptr, 0) == text.size());
}

void testLedger() {
  MemoryLedger ledger;
  ledger.limitBytes = 1000;
  ledger.acquire(600);
  std::string text;
  CHECK(statusOf([&] { ledger.acquire(401); }, &text) == FFC_OUT_OF_MEMORY && text.find("1000") != std::string::npos);
  CHECK(statusOf([&] { ledger.acquire(INT64_MAX); }) == FFC_OUT_OF_MEMORY);
  ledger.acquire(400);
  ledger.release(1000);
  CHECK(ledger.liveBytes == 0 && ledger.peakBytes == 1000);
  std::vector<std::thread> users;
  std::atomic<int> refusals{0};
  for (int t = 0; t < 4; ++t)
    users.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        if (statusOf([&] { ledger.acquire(300); }) == FFC_OK)
          ledger.release(300);
        else
          refusals.fetch_add(1);
      }
    });
  for (std::thread& user : users) user.join();
  CHECK(ledger.liveBytes == 0 && ledger.peakBytes <= 1000);
  MemoryLedger free;
  const HostMemory memory = hostMemory();
  CHECK(memory.totalBytes > 0 && memory.availableBytes > 0 && memory.availableBytes <= memory.totalBytes);
  CHECK(statusOf([&] { HostBlock(free, int64_t{1} << 50, "a buffer"); }, &text) == FFC_OUT_OF_MEMORY);
  CHECK(text.find("a buffer of 1125899906842624 bytes") == 0);
  CHECK(statusOf([&] { HostBlock(free, memory.totalBytes + 1, "a buffer"); }) == FFC_OUT_OF_MEMORY);
  CHECK(free.liveBytes == 0 && free.peakBytes == 0);  // what was never there is no peak
  CHECK(workersHostHas(7, 100, "rows") == 7 && workersHostHas(7, 0, "rows") == 7);
  const int64_t few = workersHostHas(64, memory.availableBytes / 4, "rows");
  CHECK(few >= 1 && few <= 8);
  CHECK(statusOf([&] { workersHostHas(64, memory.totalBytes + 1, "rows"); }, &text) == FFC_OUT_OF_MEMORY);
  CHECK(text.find("rows of ") == 0);
  for (int64_t bytes : {0, 1, 63, 64, 100000}) {
    HostBlock block(free, bytes, "a buffer");
    CHECK(reinterpret_cast<uintptr_t>(block.data()) % 64 == 0 && block.data() && free.liveBytes == bytes);
  }
  CHECK(usableCores() >= 1 && usableCores() <= static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

int main() {
  testText();
  testHandles();
  testLedger();
  testOverlap();
  testPoolRunsEveryIndexOnce();
  testPoolNestedAndConcurrent();
  testPoolExceptions();
  testStreamOrderAndFailures();
  testStreamConcurrent();
  testStreamDropsItself();
  testEvents();
  measurePool();
  measureStream();
  return report_checks("runtime_test");
}
