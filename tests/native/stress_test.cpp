// The ABI from many threads, with objects destroyed under running work, and ten thousand objects made and dropped. Run as it is, and under AddressSanitizer and ThreadSanitizer.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <string>
#include <thread>
#include <vector>

#include "driver.h"

namespace {

void runForward(ffc_context context, const Job& job, int repeats) {
  ffc_stream stream = 0;
  CHECK_OK(ffc_stream_create(context, &stream, &error));
  const ffc_buffer y = makeBuffer(context, job.bytes());
  for (int i = 0; i < repeats; ++i) {
    CHECK_OK(ffc_buffer_fill(y, 0, job.bytes(), 0xFF, stream, &error));
    const auto args = job.args(y);
    CHECK_OK(ffc_forward(job.plan, job.spectrum, &args, stream, &error));
    if (i % 4 == 0) job.checkOutput(y, stream);
  }
  CHECK_OK(ffc_stream_synchronize(0, stream, &error));
  job.checkOutput(y, 0);
  CHECK_OK(ffc_buffer_destroy(y, &error));
  CHECK_OK(ffc_stream_destroy(stream, &error));
}

// Several plans on several threads, one plan on several threads, and host convolutions beside them.
void testThreads() {
  const ffc_context context = openContext(2);
  Job shared(context, causal(2, 3, 257, 100), 1);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      Job own(context, causal(1 + t % 2, 2, 100 + 61 * t, 30 + 50 * t), static_cast<unsigned long long>(100 + t));
      for (int i = 0; i < 3; ++i) {
        runForward(context, own, 6);
        runForward(context, shared, 6);
      }
      own.destroy();
      const auto desc = causal(1, 1, 3, 2);
      const float u[3] = {1, 2, 3}, k[2] = {10, 1};
      for (int i = 0; i < 20; ++i) {
        float y[3] = {NAN, NAN, NAN};
        CHECK_OK(ffc_convolve_host(context, &desc, u, k, nullptr, nullptr, nullptr, y, nullptr, &error));
        CHECK(std::fabs(y[0] - 10) < 1e-4 && std::fabs(y[1] - 21) < 1e-4 && std::fabs(y[2] - 32) < 1e-4);
      }
    });
  for (auto& thread : threads) thread.join();
  shared.destroy();
  CHECK(memoryOf(context).live_bytes == 0 && memoryOf(context).live_objects == 0);
  CHECK_OK(ffc_context_destroy(context, &error));
}

// Everything is destroyed while its work waits or runs; the output buffer is kept and must be right.
void testDestroyInFlight() {
  const ffc_context context = openContext(2);
  for (int i = 0; i < (sanitized ? 20 : 100); ++i) {
    Job job(context, causal(2, 2, 200, 100), static_cast<unsigned long long>(i));
    const Job copy = job;
    ffc_stream stream = 0;
    ffc_event event = 0;
    CHECK_OK(ffc_stream_create(context, &stream, &error));
    CHECK_OK(ffc_event_create(context, &event, &error));
    const ffc_buffer y = makeBuffer(context, job.bytes());
    const auto args = job.args(y);
    for (int repeat = 0; repeat < 5; ++repeat)
      CHECK_OK(ffc_forward(job.plan, job.spectrum, &args, stream, &error));
    CHECK_OK(ffc_event_record(event, stream, &error));
    job.destroy();
    CHECK_OK(ffc_stream_destroy(stream, &error));
    CHECK_STATUS(FFC_INVALID_HANDLE, "destroyed", ffc_forward(job.plan, job.spectrum, &args, stream, &error));
    CHECK_OK(ffc_event_synchronize(event, &error));
    copy.checkOutput(y, 0);
    CHECK_OK(ffc_buffer_destroy(y, &error));
    CHECK_OK(ffc_event_destroy(event, &error));
  }
  CHECK(memoryOf(context).live_objects == 0);
  // The last work's memory goes when its thread lets go of it, a moment after the event.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (memoryOf(context).live_bytes != 0 && std::chrono::steady_clock::now() < end) usleep(1000);
  CHECK(memoryOf(context).live_bytes == 0);
  CHECK_OK(ffc_context_destroy(context, &error));

  // The context goes first, with work in flight on its default stream and children alive: the worker drops the
  // last reference to the device. Nothing to look at afterwards but that it neither hangs nor crashes.
  for (int i = 0; i < (sanitized ? 20 : 100); ++i) {
    const ffc_context own = openContext(2);
    Job job(own, causal(2, 2, 200, 100), static_cast<unsigned long long>(i));
    const ffc_buffer y = makeBuffer(own, job.bytes());
    const auto args = job.args(y);
    ffc_event event = 0;
    CHECK_OK(ffc_event_create(own, &event, &error));
    for (int repeat = 0; repeat < 5; ++repeat) CHECK_OK(ffc_forward(job.plan, job.spectrum, &args, 0, &error));
    CHECK_OK(ffc_context_destroy(own, &error));
    CHECK_STATUS(FFC_INVALID_HANDLE, "context", ffc_stream_synchronize(own, 0, &error));
    CHECK_OK(ffc_event_record(event, 0, &error));  // children work on
    CHECK_OK(ffc_forward(job.plan, job.spectrum, &args, 0, &error));
    if (i % 2) {
      CHECK_OK(ffc_event_synchronize(event, &error));
      job.checkOutput(y, 0);
    }
    job.destroy();
    CHECK_OK(ffc_event_destroy(event, &error));
    CHECK_OK(ffc_buffer_destroy(y, &error));
  }
}

long residentKilobytes() {
  long pages = 0, resident = 0;
  FILE* file = std::fopen("/proc/self/statm", "r");
  const bool read = file && std::fscanf(file, "%ld %ld", &pages, &resident) == 2;
  if (file) std::fclose(file);
  CHECK(read);
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

void makeAndDrop(ffc_context context) {
  const auto desc = causal(1, 2, 64, 32);
  ffc_plan plan = 0;
  ffc_spectrum spectrum = 0;
  ffc_stream stream = 0;
  ffc_event event = 0;
  const ffc_buffer buffer = makeBuffer(context, 1000);
  CHECK_OK(ffc_stream_create(context, &stream, &error));
  CHECK_OK(ffc_event_create(context, &event, &error));
  CHECK_OK(ffc_plan_create(context, &desc, &plan, &error));
  CHECK_OK(ffc_spectrum_create(plan, &spectrum, &error));
  CHECK_OK(ffc_spectrum_destroy(spectrum, &error));
  CHECK_OK(ffc_plan_destroy(plan, &error));
  CHECK_OK(ffc_event_destroy(event, &error));
  CHECK_OK(ffc_stream_destroy(stream, &error));
  CHECK_OK(ffc_buffer_destroy(buffer, &error));
}

void testLeaks() {
  const int objects = sanitized ? 1000 : 10000;
  const ffc_context context = openContext(2);
  const auto run = [&](int rounds, auto&& body) {
    for (int i = 0; i < rounds; ++i) body();
  };
  // Five objects a round; contexts, and streams whose thread has started, are dearer, so fewer of them.
  const auto all = [&](int count) {
    run(count / 5, [&] { makeAndDrop(context); });
    run(count / 50, [&] { CHECK_OK(ffc_context_destroy(openContext(2), &error)); });
    run(count / 50, [&] {
      ffc_stream stream = 0;
      const ffc_buffer buffer = makeBuffer(context, 64);
      CHECK_OK(ffc_stream_create(context, &stream, &error));
      CHECK_OK(ffc_buffer_fill(buffer, 0, 64, 0, stream, &error));
      CHECK_OK(ffc_stream_synchronize(0, stream, &error));
      CHECK_OK(ffc_stream_destroy(stream, &error));
      CHECK_OK(ffc_buffer_destroy(buffer, &error));
    });
    run(count / 5, [&] {  // failures must not leak either
      const auto bad = causal(1, 1, 0, 1);
      ffc_plan plan = 1;
      CHECK_STATUS(FFC_INVALID_SHAPE, "length", ffc_plan_create(context, &bad, &plan, &error));
      CHECK(plan == 0);
    });
  };
  all(objects / 5);  // the allocator and the threads' stacks find their size
  const long before = residentKilobytes();
  all(objects);
  const long after = residentKilobytes();
  std::printf("  %d objects made and dropped: resident memory %ld -> %ld KiB\n", objects, before, after);
  // 2 MiB is 200 bytes an object: less than one leaked plan or stream each. Sanitizers keep freed memory on purpose
  // and find leaks themselves.
  if (!sanitized) CHECK(after - before < 2048);
  CHECK(memoryOf(context).live_bytes == 0 && memoryOf(context).live_objects == 0);
  CHECK_OK(ffc_context_destroy(context, &error));
}

// Another thread asks to stop as soon as the run has shown progress. On a busy machine that thread may come too late
// to stop anything, so there are a few attempts; one must be stopped midway.
void testCancel(int64_t rows, int64_t length) {
  const ffc_context context = openContext(2);
  const auto desc = causal(1, rows, length, length);
  const auto u = randomFloats(static_cast<size_t>(rows * length), 1);
  const auto kernel = randomFloats(static_cast<size_t>(rows * length), 2);
  std::vector<float> y(u.size());
  bool stoppedMidway = false;
  for (int attempt = 0; attempt < 5 && !stoppedMidway; ++attempt) {
    int32_t progress[2] = {-1, 0}, seen = -1;
    std::atomic<bool> over{false};
    std::thread canceller([&] {
      while (!over && (seen = __atomic_load_n(&progress[0], __ATOMIC_RELAXED)) <= 0) usleep(50);
      __atomic_store_n(&progress[1], 1, __ATOMIC_RELAXED);
    });
    const ffc_status status = ffc_convolve_host(context, &desc, u.data(), kernel.data(), nullptr, nullptr, nullptr,
                                                y.data(), progress, &error);
    over = true;
    canceller.join();
    CHECK(status == FFC_CANCELLED || status == FFC_OK);
    CHECK((status == FFC_OK) == (progress[0] == 1000));
    stoppedMidway = status == FFC_CANCELLED && error.status == FFC_CANCELLED && seen > 0;
    CHECK(memoryOf(context).live_bytes == 0);
  }
  CHECK(stoppedMidway);
  CHECK_OK(ffc_context_destroy(context, &error));
}

void testEnqueueTime() {
  const ffc_context context = openContext();
  ffc_stream stream = 0;
  CHECK_OK(ffc_stream_create(context, &stream, &error));
  Job job(context, causal(1, 1, 64, 64), 9);
  const ffc_buffer y = makeBuffer(context, job.bytes());
  const auto args = job.args(y);
  std::vector<double> times;
  for (int i = 0; i < 500; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const ffc_status status = ffc_forward(job.plan, job.spectrum, &args, stream, nullptr);
    times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
    CHECK(status == FFC_OK);
    if (i % 8 == 7) CHECK_OK(ffc_stream_synchronize(0, stream, &error));
  }
  std::sort(times.begin(), times.end());
  std::printf("  ffc_forward(): enqueued in %.1f us (median), %.1f us (90th percentile)\n", times[250], times[450]);
  if (!sanitized) CHECK(times[125] < 10);  // the lower half: the machine may be busy with others
  CHECK_OK(ffc_stream_synchronize(0, stream, &error));
  job.checkOutput(y, 0);
  job.destroy();
  CHECK_OK(ffc_buffer_destroy(y, &error));
  CHECK_OK(ffc_stream_destroy(stream, &error));
  CHECK_OK(ffc_context_destroy(context, &error));
}

// A program may end while work runs: no destructor at exit takes away what a stream's thread still uses. In a child,
// and before this process has threads, which fork() would not copy.
void testExitInFlight() {
  std::fflush(stdout);
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    const ffc_context context = openContext(2);
    Job job(context, causal(8, 8, 512, 512), 4);
    const ffc_buffer y = makeBuffer(context, job.bytes());
    const auto args = job.args(y);
    for (int i = 0; i < 200; ++i) CHECK_OK(ffc_forward(job.plan, job.spectrum, &args, 0, &error));
    std::exit(checks_failed == 0 ? 0 : 1);
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace

int main() {
  testExitInFlight();
  testThreads();
  testDestroyInFlight();
  testCancel(sanitized ? 256 : 2048, 8192);
  testCancel(1, sanitized ? 1 << 20 : 1 << 22);  // one transform, shared by the threads
  testEnqueueTime();
  testLeaks();
  return report_checks("stress_test");
}
