// What the C++ drivers of the ABI share: descriptors, a context of the CPU, buffers, and a convolution to run.
#pragma once
#include <cmath>
#include <cstring>
#include <vector>

#include "check.h"
#include "reference.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;  // an order of magnitude slower: timings mean nothing
#else
inline constexpr bool sanitized = false;
#endif

// CHECK_STATUS needs a variable `error`; one per thread.
inline thread_local ffc_error error = make_error();

template <class T>
T sized() {
  T t;
  std::memset(&t, 0, sizeof t);
  t.struct_size = sizeof t;
  return t;
}

inline ffc_context openContext(int threads = 0, int64_t memoryLimit = 0) {
  auto desc = sized<ffc_context_desc>();
  desc.device_type = FFC_DEVICE_CPU;
  desc.cpu_threads = threads;
  desc.memory_limit_bytes = memoryLimit;
  ffc_context context = 0;
  CHECK_OK(ffc_context_create(&desc, &context, &error));
  return context;
}

inline ffc_memory_info memoryOf(ffc_context context) {
  auto info = sized<ffc_memory_info>();
  CHECK_OK(ffc_memory_info_get(context, &info, &error));
  return info;
}

inline ffc_conv_desc causal(int64_t batch, int64_t channels, int64_t length, int64_t kernelLength) {
  auto desc = sized<ffc_conv_desc>();
  desc.mode = FFC_MODE_CAUSAL;
  desc.dtype = desc.kernel_dtype = FFC_DTYPE_FLOAT32;
  desc.batch = batch;
  desc.channels = channels;
  desc.length = length;
  desc.kernel_length = kernelLength;
  return desc;
}

inline std::vector<float> randomFloats(size_t count, unsigned long long seed) {
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(next_random(&seed));
  return values;
}

inline ffc_buffer makeBuffer(ffc_context context, int64_t bytes) {
  ffc_buffer buffer = 0;
  CHECK_OK(ffc_buffer_create(context, bytes, &buffer, &error));
  return buffer;
}

inline ffc_buffer upload(ffc_context context, const std::vector<float>& values) {
  const auto bytes = static_cast<int64_t>(values.size() * sizeof(float));
  const ffc_buffer buffer = makeBuffer(context, bytes);
  CHECK_OK(ffc_buffer_write(buffer, 0, values.data(), bytes, 0, &error));
  return buffer;
}

// One convolution with everything it needs, and what it should give.
struct Job {
  ffc_conv_desc desc;
  ffc_plan plan = 0;
  ffc_spectrum spectrum = 0;
  ffc_buffer u = 0, kernel = 0;
  std::vector<double> expected;

  Job(ffc_context context, const ffc_conv_desc& d, unsigned long long seed) : desc(d) {
    const auto uValues = randomFloats(static_cast<size_t>(d.batch * d.channels * d.length), seed);
    const auto kValues = randomFloats(static_cast<size_t>(d.channels * d.kernel_length), seed + 1);
    u = upload(context, uValues);
    kernel = upload(context, kValues);
    CHECK_OK(ffc_plan_create(context, &desc, &plan, &error));
    CHECK_OK(ffc_spectrum_create(plan, &spectrum, &error));
    CHECK_OK(ffc_spectrum_compute(spectrum, kernel, 0, 0, &error));
    CHECK_OK(ffc_stream_synchronize(context, 0, &error));
    expected.resize(uValues.size());
    for (int64_t row = 0; row < d.batch * d.channels; ++row) {
      const std::vector<double> x(&uValues[static_cast<size_t>(row * d.length)],
                                  &uValues[static_cast<size_t>(row * d.length)] + d.length);
      const float* taps = &kValues[static_cast<size_t>(row % d.channels * d.kernel_length)];
      const std::vector<double> k(taps, taps + d.kernel_length);
      reference_row(d.mode, d.length, d.kernel_length, x.data(), k.data(), nullptr, nullptr, 0,
                    &expected[static_cast<size_t>(row * d.length)], nullptr);
    }
  }

  int64_t bytes() const { return static_cast<int64_t>(expected.size() * sizeof(float)); }

  ffc_forward_args args(ffc_buffer y) const {
    auto a = sized<ffc_forward_args>();
    a.u = u;
    a.y = y;
    return a;
  }

  void checkOutput(ffc_buffer y, ffc_stream stream) const {
    std::vector<float> got(expected.size(), NAN);
    CHECK_OK(ffc_buffer_read(y, 0, got.data(), bytes(), stream, &error));
    double difference = 0, size = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      difference += (got[i] - expected[i]) * (got[i] - expected[i]);
      size += expected[i] * expected[i];
    }
    CHECK(std::sqrt(difference) <= relative_tolerance(FFC_DTYPE_FLOAT32) * std::sqrt(size));  // false for NaN too
  }

  void destroy() {
    CHECK_OK(ffc_plan_destroy(plan, &error));
    CHECK_OK(ffc_spectrum_destroy(spectrum, &error));
    CHECK_OK(ffc_buffer_destroy(u, &error));
    CHECK_OK(ffc_buffer_destroy(kernel, &error));
  }
};
