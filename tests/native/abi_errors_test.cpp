// Wrong arguments of every kind to every call of the ABI: each is refused with the status and the words that say what is
// wrong, and nothing is left behind.
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <initializer_list>
#include <string>

#include "driver.h"

namespace {

void testHandles() {
  const ffc_context context = openContext();
  const ffc_context otherContext = openContext();
  const ffc_buffer buffer = makeBuffer(context, 64), foreign = makeBuffer(otherContext, 64);
  ffc_stream stream = 0, foreignStream = 0;
  ffc_event event = 0, foreignEvent = 0;
  CHECK_OK(ffc_stream_create(context, &stream, &error));
  CHECK_OK(ffc_stream_create(otherContext, &foreignStream, &error));
  CHECK_OK(ffc_event_create(context, &event, &error));
  CHECK_OK(ffc_event_create(otherContext, &foreignEvent, &error));
  char bytes[64] = {};
  double ms = 0;

  // Every function, with none, made-up, foreign-kind and old handles.
  const ffc_buffer old = makeBuffer(context, 8);
  CHECK_OK(ffc_buffer_destroy(old, &error));
  const auto desc = causal(1, 1, 4, 4);
  auto args = sized<ffc_forward_args>();
  auto planInfo = sized<ffc_plan_info>();
  auto deviceInfo = sized<ffc_device_info>();
  auto memoryInfo = sized<ffc_memory_info>();
  const uint64_t wrong[] = {0, 1, ~uint64_t{0}, old, old + 1, 0x0123456789ABCDEF, event};
  for (const uint64_t handle : wrong) {
    uint64_t made = 77;
    const auto invalid = [&](ffc_status status) { return CHECK(status == FFC_INVALID_HANDLE); };
    invalid(ffc_device_info_get(handle, &deviceInfo, &error));
    invalid(ffc_memory_info_get(handle, &memoryInfo, &error));
    invalid(ffc_memory_reset_peak(handle, &error));
    invalid(ffc_buffer_create(handle, 8, &made, &error));
    CHECK(made == 0);
    invalid(ffc_buffer_write(handle, 0, bytes, 8, 0, &error));
    invalid(ffc_buffer_read(handle, 0, bytes, 8, 0, &error));
    invalid(ffc_buffer_copy(handle, 0, buffer, 0, 8, 0, &error));
    invalid(ffc_buffer_copy(buffer, 0, handle, 0, 8, 0, &error));
    invalid(ffc_buffer_fill(handle, 0, 8, 0, 0, &error));
    if (handle) invalid(ffc_buffer_fill(buffer, 0, 8, 0, handle, &error));
    invalid(ffc_stream_create(handle, &made, &error));
    invalid(ffc_stream_synchronize(handle, 0, &error));
    if (handle) invalid(ffc_stream_synchronize(context, handle, &error));
    invalid(ffc_event_create(handle, &made, &error));
    if (handle != event) {
      invalid(ffc_event_record(handle, 0, &error));
      invalid(ffc_event_synchronize(handle, &error));
      invalid(ffc_event_elapsed_ms(handle, event, &ms, &error));
      invalid(ffc_event_elapsed_ms(event, handle, &ms, &error));
    }
    invalid(ffc_plan_create(handle, &desc, &made, &error));
    invalid(ffc_plan_info_get(handle, &planInfo, &error));
    invalid(ffc_plan_explain(handle, bytes, sizeof bytes, nullptr, &error));
    invalid(ffc_spectrum_create(handle, &made, &error));
    invalid(ffc_spectrum_compute(handle, buffer, 0, 0, &error));
    invalid(ffc_forward(handle, handle, &args, 0, &error));
    invalid(ffc_convolve_host(handle, &desc, bytes, bytes, nullptr, nullptr, nullptr, bytes, nullptr, &error));
  }
  CHECK_STATUS(FFC_INVALID_HANDLE, "another kind: event", ffc_buffer_destroy(event, &error));
  CHECK_STATUS(FFC_INVALID_HANDLE, "never given out", ffc_context_destroy(12345, &error));
  CHECK_OK(ffc_buffer_destroy(old, &error));
  CHECK_OK(ffc_context_destroy(0, &error));
  CHECK_OK(ffc_plan_destroy(0, &error));
  CHECK_OK(ffc_spectrum_destroy(0, &error));

  CHECK_STATUS(FFC_WRONG_CONTEXT, "stream", ffc_buffer_write(buffer, 0, bytes, 8, foreignStream, &error));
  CHECK_STATUS(FFC_WRONG_CONTEXT, "source", ffc_buffer_copy(buffer, 0, foreign, 0, 8, 0, &error));
  CHECK_STATUS(FFC_WRONG_CONTEXT, "stream", ffc_stream_synchronize(context, foreignStream, &error));
  CHECK_STATUS(FFC_WRONG_CONTEXT, "stream", ffc_event_record(event, foreignStream, &error));
  CHECK_STATUS(FFC_WRONG_CONTEXT, "event", ffc_event_elapsed_ms(event, foreignEvent, &ms, &error));
  CHECK_OK(ffc_context_destroy(context, &error));
  CHECK_OK(ffc_context_destroy(otherContext, &error));
  for (const ffc_buffer b : {buffer, foreign}) CHECK_OK(ffc_buffer_destroy(b, &error));
  for (const ffc_stream s : {stream, foreignStream}) CHECK_OK(ffc_stream_destroy(s, &error));
  for (const ffc_event e : {event, foreignEvent}) CHECK_OK(ffc_event_destroy(e, &error));
}

// Errors that have nothing to do with a convolution.
void testErrors() {
  auto contextDesc = sized<ffc_context_desc>();
  ffc_context made = 77;
  int32_t count = 5;
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "device_type", ffc_context_create(&contextDesc, &made, &error));
  CHECK(made == 0);
  contextDesc.device_type = FFC_DEVICE_CPU;
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "NULL", ffc_context_create(&contextDesc, nullptr, &error));
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "NULL", ffc_context_create(nullptr, &made, &error));
  const auto withDesc = [&](ffc_status status, const char* words, void (*change)(ffc_context_desc&)) {
    ffc_context_desc changed = contextDesc;
    change(changed);
    CHECK_STATUS(status, words, ffc_context_create(&changed, &made, &error));
  };
  withDesc(FFC_NO_DEVICE, "only device 0", [](ffc_context_desc& d) { d.ordinal = 1; });
  withDesc(FFC_NO_DEVICE, "-1", [](ffc_context_desc& d) { d.ordinal = -1; });
  withDesc(FFC_INVALID_ARGUMENT, "cpu_threads", [](ffc_context_desc& d) { d.cpu_threads = -1; });
  withDesc(FFC_LIMIT_EXCEEDED, "cpu_threads", [](ffc_context_desc& d) { d.cpu_threads = 1 << 20; });
  withDesc(FFC_INVALID_ARGUMENT, "flags", [](ffc_context_desc& d) { d.flags = 0x80; });
  withDesc(FFC_INVALID_ARGUMENT, "reserved", [](ffc_context_desc& d) { d.reserved = 1; });
  withDesc(FFC_INVALID_ARGUMENT, "memory_limit_bytes", [](ffc_context_desc& d) { d.memory_limit_bytes = -1; });
  withDesc(FFC_ABI_MISMATCH, "struct_size is 0", [](ffc_context_desc& d) { d.struct_size = 0; });
  withDesc(FFC_ABI_MISMATCH, "struct_size", [](ffc_context_desc& d) { d.struct_size = sizeof d - 1; });
  withDesc(FFC_ABI_MISMATCH, "struct_size", [](ffc_context_desc& d) { d.struct_size = 0xFFFFFFFF; });
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "device_type", ffc_device_count(9, &count, &error));
  CHECK(count == 0);
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "count is NULL", ffc_device_count(FFC_DEVICE_CPU, nullptr, &error));
  if (!(ffc_backends() & FFC_BACKEND_CUDA)) {
    CHECK_STATUS(FFC_NO_BACKEND, "nvcc", ffc_device_count(FFC_DEVICE_CUDA, &count, &error));
    withDesc(FFC_NO_BACKEND, "make", [](ffc_context_desc& d) { d.device_type = FFC_DEVICE_CUDA; });
  }

  // A newer caller's larger struct: zeros behind the known part are fine, anything else is not understood.
  struct Newer {
    ffc_context_desc known;
    int64_t added;
  } newer{contextDesc, 0};
  newer.known.struct_size = sizeof newer;
  CHECK_OK(ffc_context_create(&newer.known, &made, &error));
  CHECK_OK(ffc_context_destroy(made, &error));
  newer.added = 1;
  CHECK_STATUS(FFC_ABI_MISMATCH, "newer", ffc_context_create(&newer.known, &made, &error));

  // ffc_error: nothing past struct_size is touched, whatever its value.
  for (uint32_t size : {0u, 4u, 8u, 9u, 20u, 1024u, 5000u}) {
    ffc_error small;
    std::memset(&small, 'x', sizeof small);
    small.struct_size = size;
    CHECK(ffc_buffer_create(12345, 1, &made, &small) == FFC_INVALID_HANDLE);
    CHECK(small.struct_size == size);
    CHECK((small.status == FFC_INVALID_HANDLE) == (size >= 8));
    if (size > 8) CHECK(std::strlen(small.message) <= std::min<size_t>(size, sizeof small) - 9);
    if (size <= 8) CHECK(small.message[0] == 'x');
    if (size == 20) CHECK(std::strlen(small.message) == 11 && small.message[12] == 'x');
  }
  CHECK(ffc_buffer_create(12345, 1, &made, nullptr) == FFC_INVALID_HANDLE);

  const ffc_context context = openContext(0, 1 << 20);
  ffc_buffer none = 77;
  CHECK_STATUS(FFC_OUT_OF_MEMORY, "memory_limit_bytes", ffc_buffer_create(context, (1 << 20) + 1, &none, &error));
  CHECK(none == 0);
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "-1 bytes", ffc_buffer_create(context, -1, &none, &error));
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "NULL", ffc_buffer_create(context, 1, nullptr, &error));
  const ffc_buffer whole = makeBuffer(context, 1 << 20);
  CHECK_STATUS(FFC_OUT_OF_MEMORY, "in use", ffc_buffer_create(context, 1, &none, &error));
  CHECK_OK(ffc_buffer_destroy(whole, &error));
  CHECK_OK(ffc_context_destroy(context, &error));

  const ffc_context free = openContext();
  CHECK_STATUS(FFC_OUT_OF_MEMORY, "1125899906842624 bytes", ffc_buffer_create(free, int64_t{1} << 50, &none, &error));
  CHECK_STATUS(FFC_OUT_OF_MEMORY, "", ffc_buffer_create(free, INT64_MAX, &none, &error));
  CHECK(memoryOf(free).live_bytes == 0 && memoryOf(free).live_objects == 0);
  const ffc_buffer empty = makeBuffer(free, 0), buffer = makeBuffer(free, 100);
  char bytes[128] = {};
  CHECK_OK(ffc_buffer_write(empty, 0, nullptr, 0, 0, &error));
  CHECK_STATUS(FFC_OUT_OF_BOUNDS, "0 bytes", ffc_buffer_write(empty, 0, bytes, 1, 0, &error));
  CHECK_STATUS(FFC_OUT_OF_BOUNDS, "100 bytes", ffc_buffer_read(buffer, 1, bytes, 100, 0, &error));
  CHECK_STATUS(FFC_OUT_OF_BOUNDS, "", ffc_buffer_read(buffer, INT64_MAX, bytes, INT64_MAX, 0, &error));
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "negative", ffc_buffer_read(buffer, -1, bytes, 1, 0, &error));
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "negative", ffc_buffer_read(buffer, 0, bytes, -1, 0, &error));
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "NULL", ffc_buffer_read(buffer, 0, nullptr, 1, 0, &error));
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "NULL", ffc_buffer_write(buffer, 0, nullptr, 1, 0, &error));
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "256", ffc_buffer_fill(buffer, 0, 1, 256, 0, &error));
  CHECK_STATUS(FFC_OVERLAP, "overlap", ffc_buffer_copy(buffer, 0, buffer, 49, 50, 0, &error));
  CHECK_STATUS(FFC_OUT_OF_BOUNDS, "target", ffc_buffer_copy(buffer, 51, buffer, 0, 50, 0, &error));
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "milliseconds", ffc_event_elapsed_ms(0, 0, nullptr, &error));
  CHECK_OK(ffc_buffer_destroy(empty, &error));
  CHECK_OK(ffc_buffer_destroy(buffer, &error));
  CHECK_OK(ffc_context_destroy(free, &error));
}

// Errors of plans, spectra and ffc_forward().
void testConvolutionErrors() {
  const ffc_context context = openContext(), otherContext = openContext();
  ffc_plan plan = 0;
  const auto planFails = [&](ffc_status status, const char* words, void (*change)(ffc_conv_desc&)) {
    auto desc = causal(2, 3, 64, 32);
    change(desc);
    ffc_plan none = 77;
    CHECK_STATUS(status, words, ffc_plan_create(context, &desc, &none, &error));
    CHECK(none == 0);
  };
  planFails(FFC_INVALID_ARGUMENT, "mode", [](ffc_conv_desc& d) { d.mode = 0; });
  planFails(FFC_INVALID_DTYPE, "dtype", [](ffc_conv_desc& d) { d.dtype = 4; });
  planFails(FFC_INVALID_DTYPE, "kernel_dtype", [](ffc_conv_desc& d) { d.kernel_dtype = 0; });
  planFails(FFC_INVALID_ARGUMENT, "precision", [](ffc_conv_desc& d) { d.precision = 3; });
  planFails(FFC_INVALID_ARGUMENT, "algorithm", [](ffc_conv_desc& d) { d.algorithm = -1; });
  planFails(FFC_UNSUPPORTED, "", [](ffc_conv_desc& d) { d.algorithm = FFC_ALGORITHM_FUSED_MMA; });
  planFails(FFC_INVALID_ARGUMENT, "flags", [](ffc_conv_desc& d) { d.flags = 64; });
  planFails(FFC_INVALID_ARGUMENT, "skip", [](ffc_conv_desc& d) { d.flags = FFC_CONV_SKIP, d.mode = FFC_MODE_FULL; });
  planFails(FFC_INVALID_SHAPE, "length", [](ffc_conv_desc& d) { d.length = 0; });
  planFails(FFC_INVALID_SHAPE, "batch", [](ffc_conv_desc& d) { d.batch = -2; });
  planFails(FFC_LIMIT_EXCEEDED, "limit", [](ffc_conv_desc& d) { d.length = int64_t{1} << 50; });
  planFails(FFC_INVALID_SHAPE, "overlap", [](ffc_conv_desc& d) { d.y_batch_stride = 64, d.y_channel_stride = 64; });
  planFails(FFC_LIMIT_EXCEEDED, "", [](ffc_conv_desc& d) {
    d.batch = int64_t{1} << 40, d.channels = 2, d.length = 1, d.u_channel_stride = int64_t{1} << 50;
  });
  planFails(FFC_LIMIT_EXCEEDED, "kernel reaches past", [](ffc_conv_desc& d) {
    d.channels = int64_t{1} << 30, d.length = 1, d.kernel_length = int64_t{1} << 40;
  });
  planFails(FFC_INVALID_SHAPE, "at least kernel_length 32", [](ffc_conv_desc& d) { d.kernel_channel_stride = 31; });
  planFails(FFC_ABI_MISMATCH, "struct_size", [](ffc_conv_desc& d) { d.struct_size = 100; });

  Job job(context, causal(2, 3, 64, 32), 5);
  plan = job.plan;
  const ffc_buffer y = makeBuffer(context, 2 * job.bytes()), foreign = makeBuffer(otherContext, job.bytes());
  const auto forwardFails = [&](ffc_status status, const char* words, auto&& change) {
    auto args = job.args(y);
    change(args);
    CHECK_STATUS(status, words, ffc_forward(plan, job.spectrum, &args, 0, &error));
  };
  using Args = ffc_forward_args;
  forwardFails(FFC_ABI_MISMATCH, "struct_size", [](Args& a) { a.struct_size = 8; });
  forwardFails(FFC_INVALID_ARGUMENT, "reserved", [](Args& a) { a.reserved = 1; });
  forwardFails(FFC_INVALID_ARGUMENT, "u is 0", [](Args& a) { a.u = 0; });
  forwardFails(FFC_INVALID_ARGUMENT, "y is 0", [](Args& a) { a.y = 0; });
  forwardFails(FFC_INVALID_ARGUMENT, "pre_gate was given", [&](Args& a) { a.pre_gate = y; });
  forwardFails(FFC_INVALID_ARGUMENT, "skip was given", [&](Args& a) { a.skip = y; });
  forwardFails(FFC_INVALID_ARGUMENT, "workspace_offset", [&](Args& a) { a.workspace_offset_bytes = 16; });
  forwardFails(FFC_INVALID_HANDLE, "kernel spectrum", [&](Args& a) { a.u = job.spectrum; });
  forwardFails(FFC_WRONG_CONTEXT, "u's buffer", [&](Args& a) { a.u = foreign; });
  forwardFails(FFC_WRONG_CONTEXT, "y's buffer", [&](Args& a) { a.y = foreign; });
  forwardFails(FFC_MISALIGNED, "y is at offset 2", [](Args& a) { a.y_offset_bytes = 2; });
  forwardFails(FFC_OUT_OF_BOUNDS, "u needs", [](Args& a) { a.u_offset_bytes = 4; });
  forwardFails(FFC_INVALID_ARGUMENT, "negative", [](Args& a) { a.u_offset_bytes = -4; });
  forwardFails(FFC_OVERLAP, "y (", [&](Args& a) { a.u = y, a.y_offset_bytes = 4; });
  forwardFails(FFC_MISALIGNED, "workspace", [&](Args& a) { a.workspace = job.u, a.workspace_offset_bytes = 1; });
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "NULL", ffc_forward(plan, job.spectrum, nullptr, 0, &error));

  // Another plan's spectrum, an empty one, another context's.
  Job other(context, causal(2, 3, 64, 32), 6), far(otherContext, causal(2, 3, 64, 32), 6);
  const auto args = job.args(y);
  ffc_spectrum empty = 0;
  CHECK_OK(ffc_spectrum_create(plan, &empty, &error));
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "another plan", ffc_forward(plan, other.spectrum, &args, 0, &error));
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "empty", ffc_forward(plan, empty, &args, 0, &error));
  CHECK_STATUS(FFC_WRONG_CONTEXT, "spectrum", ffc_forward(plan, far.spectrum, &args, 0, &error));
  CHECK_STATUS(FFC_OUT_OF_BOUNDS, "kernel needs", ffc_spectrum_compute(empty, job.kernel, 4, 0, &error));
  CHECK_STATUS(FFC_MISALIGNED, "kernel", ffc_spectrum_compute(empty, y, 2, 0, &error));
  CHECK_STATUS(FFC_WRONG_CONTEXT, "kernel", ffc_spectrum_compute(empty, foreign, 0, 0, &error));
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "empty", ffc_forward(plan, empty, &args, 0, &error));

  // After all that everything still works.
  CHECK_OK(ffc_forward(plan, job.spectrum, &args, 0, &error));
  job.checkOutput(y, 0);

  // u and y as the halves of rows twice as long: accepted, and each half stays itself.
  auto desc = causal(2, 3, 64, 32);
  desc.u_channel_stride = desc.y_channel_stride = 128;
  ffc_plan strided = 0;
  ffc_spectrum spectrum = 0;
  CHECK_OK(ffc_plan_create(context, &desc, &strided, &error));
  CHECK_OK(ffc_spectrum_create(strided, &spectrum, &error));
  CHECK_OK(ffc_spectrum_compute(spectrum, job.kernel, 0, 0, &error));
  std::vector<float> u(384), rows(768);
  CHECK_OK(ffc_buffer_read(job.u, 0, u.data(), job.bytes(), 0, &error));
  for (size_t row = 0; row < 6; ++row)
    for (size_t n = 0; n < 64; ++n) rows[row * 128 + n] = u[row * 64 + n], rows[row * 128 + 64 + n] = NAN;
  CHECK_OK(ffc_buffer_write(y, 0, rows.data(), 768 * 4, 0, &error));
  auto halves = job.args(y);
  halves.u = y;
  halves.y_offset_bytes = 64 * 4;
  CHECK_OK(ffc_forward(strided, spectrum, &halves, 0, &error));
  CHECK_OK(ffc_buffer_read(y, 0, rows.data(), 768 * 4, 0, &error));
  double difference = 0, size = 0;
  bool kept = true;
  for (size_t row = 0; row < 6; ++row)
    for (size_t n = 0; n < 64; ++n) {
      kept = kept && rows[row * 128 + n] == u[row * 64 + n];
      const double wanted = job.expected[row * 64 + n], got = rows[row * 128 + 64 + n];
      difference += (got - wanted) * (got - wanted);
      size += wanted * wanted;
    }
  CHECK(kept && std::sqrt(difference) <= relative_tolerance(FFC_DTYPE_FLOAT32) * std::sqrt(size));
  halves.y_offset_bytes = 63 * 4;
  CHECK_STATUS(FFC_OVERLAP, "overlaps u", ffc_forward(strided, spectrum, &halves, 0, &error));

  auto info = sized<ffc_plan_info>();
  info.struct_size = 12;
  CHECK_STATUS(FFC_ABI_MISMATCH, "ffc_plan_info", ffc_plan_info_get(plan, &info, &error));
  struct NewerInfo {
    ffc_plan_info known;
    int64_t added[2];
  } newer;
  std::memset(&newer, 'x', sizeof newer);
  newer.known.struct_size = sizeof newer.known + 8;
  CHECK_OK(ffc_plan_info_get(plan, &newer.known, &error));
  CHECK(newer.added[0] == 0 && newer.added[1] == 0x7878787878787878 && newer.known.output_length == 64);
  char text[8];
  size_t needed = 0;
  CHECK_OK(ffc_plan_explain(plan, nullptr, 0, &needed, &error));
  CHECK(needed > sizeof text);
  CHECK_OK(ffc_plan_explain(plan, text, sizeof text, nullptr, &error));
  CHECK(std::strlen(text) <= 7);
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "NULL", ffc_plan_explain(plan, nullptr, 8, &needed, &error));

  // Host arrays.
  const auto host = causal(1, 1, 3, 2);
  float values[8] = {1, 2, 3, 10, 1, 0, 0, 0};
  const auto convolve = [&](const ffc_conv_desc& d, const void* uHost, const void* kernel, const void* pre, void* out) {
    return ffc_convolve_host(context, &d, uHost, kernel, pre, nullptr, nullptr, out, nullptr, &error);
  };
  CHECK_OK(convolve(host, values, values + 3, nullptr, values + 5));
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "u is NULL", convolve(host, nullptr, values, nullptr, values + 5));
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "y is NULL", convolve(host, values, values + 3, nullptr, nullptr));
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "pre_gate", convolve(host, values, values + 3, values, values + 5));
  CHECK_STATUS(FFC_OVERLAP, "y overlaps kernel", convolve(host, values, values + 3, nullptr, values + 4));
  CHECK_STATUS(FFC_OVERLAP, "y overlaps u", convolve(host, values, values + 3, nullptr, values));
  const char* odd = reinterpret_cast<char*>(values) + 1;
  CHECK_STATUS(FFC_MISALIGNED, "u is not", convolve(host, odd, values + 3, nullptr, values + 5));
  auto hostStrided = causal(1, 2, 3, 2);
  hostStrided.u_channel_stride = 4;
  CHECK_STATUS(FFC_INVALID_SHAPE, "packed", convolve(hostStrided, values, values, nullptr, values));

  // The same with a pattern of frequencies: 256 bins in four blocks.
  ffc_sparsity sparsity{};
  sparsity.struct_size = sizeof sparsity;
  sparsity.kind = FFC_SPARSITY_BLOCKS;
  sparsity.block = 64;
  sparsity.keep_count = 4;
  const uint8_t everything[4] = {1, 1, 1, 1}, nothing[4] = {};
  const auto masked = [&](const ffc_sparsity* pattern, const uint8_t* keep) {
    return ffc_convolve_host_sparse(context, &host, pattern, keep, values, values + 3, nullptr, nullptr, nullptr, values + 5,
                                    nullptr, &error);
  };
  CHECK_OK(masked(nullptr, nullptr));
  const float dense[3] = {values[5], values[6], values[7]};
  values[5] = values[6] = values[7] = NAN;
  CHECK_OK(masked(&sparsity, everything));
  for (int n = 0; n < 3; n++) CHECK(std::fabs(values[5 + n] - dense[n]) < 1e-5f);
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "drops every block", masked(&sparsity, nothing));
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "keep is NULL", masked(&sparsity, nullptr));
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "without a sparsity", masked(nullptr, everything));
  sparsity.keep_count = 3;
  CHECK_STATUS(FFC_INVALID_SHAPE, "has 3 elements", masked(&sparsity, everything));
  // Energies of a grid that this machine has no memory for: float64 transforms of 2^32 points.
  auto longest = causal(1, 1, (int64_t{1} << 31) - 1, 1);
  longest.mode = FFC_MODE_CIRCULAR;
  sparsity.kind = FFC_SPARSITY_CLASSES;
  sparsity.block = sparsity.keep_count = 1;
  double energy = 0;
  auto machine = sized<ffc_device_info>();
  CHECK_OK(ffc_device_info_get(context, &machine, &error));
  if (machine.memory_free_bytes < int64_t{100} << 30)
    CHECK_STATUS(FFC_OUT_OF_MEMORY, "block energies", ffc_block_energies(&longest, &sparsity, values, &energy, &error));

  job.destroy();
  other.destroy();
  far.destroy();
  CHECK_OK(ffc_spectrum_destroy(empty, &error));
  CHECK_OK(ffc_spectrum_destroy(spectrum, &error));
  CHECK_OK(ffc_plan_destroy(strided, &error));
  CHECK_OK(ffc_buffer_destroy(y, &error));
  CHECK_OK(ffc_buffer_destroy(foreign, &error));
  CHECK(memoryOf(context).live_objects == 0 && memoryOf(context).live_bytes == 0);
  CHECK_OK(ffc_context_destroy(context, &error));
  CHECK_OK(ffc_context_destroy(otherContext, &error));
}

// A kernel spectrum whose computation runs out of memory on the stream's thread: the stream says so, and nothing is
// convolved with what is left of it.
void testFailedSpectrum() {
  if (sanitized) return;  // their allocators end the process where there is no memory
  const ffc_context context = openContext(1);
  // A kernel longer than its circular row is summed up in float64 first, which takes 40 MB.
  const int64_t length = 5000000;
  auto desc = causal(1, 1, length, length + 1);
  desc.mode = FFC_MODE_CIRCULAR;
  std::vector<float> u(static_cast<size_t>(length)), taps(static_cast<size_t>(length) + 1), result(u.size());
  for (int64_t n = 0; n < length; ++n) u[n] = static_cast<float>(n % 7);
  taps[0] = 1;
  const ffc_buffer input = upload(context, u), kernel = upload(context, taps), y = makeBuffer(context, length * 4);
  ffc_plan plan = 0;
  ffc_spectrum spectrum = 0;
  CHECK_OK(ffc_plan_create(context, &desc, &plan, &error));
  CHECK_OK(ffc_spectrum_create(plan, &spectrum, &error));
  auto args = sized<ffc_forward_args>();
  args.u = input;
  args.y = y;
  const auto right = [&] {
    CHECK_OK(ffc_forward(plan, spectrum, &args, 0, &error));
    CHECK_OK(ffc_buffer_read(y, 0, result.data(), length * 4, 0, &error));
    double worst = 0;
    for (int64_t n = 0; n < length; ++n) worst = std::fmax(worst, std::fabs(result[n] - u[n]));
    return worst < 1e-4;
  };
  const auto withLittleMemory = [](const auto& body) {
    long pages = 0;
    std::FILE* file = std::fopen("/proc/self/statm", "r");
    CHECK(file && std::fscanf(file, "%ld", &pages) == 1);
    if (file) std::fclose(file);
    rlimit usual{};
    CHECK(getrlimit(RLIMIT_AS, &usual) == 0);
    rlimit little = usual;
    little.rlim_cur = static_cast<rlim_t>(pages) * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + (rlim_t{8} << 20);
    CHECK(setrlimit(RLIMIT_AS, &little) == 0);
    body();
    CHECK(setrlimit(RLIMIT_AS, &usual) == 0);
  };
  CHECK_OK(ffc_buffer_fill(y, 0, 4, 0, 0, &error));  // the stream has its thread
  CHECK_OK(ffc_stream_synchronize(context, 0, &error));
  for (const bool computedBefore : {false, true}) {
    if (computedBefore) CHECK(right());
    withLittleMemory([&] {
      CHECK_OK(ffc_spectrum_compute(spectrum, kernel, 0, 0, &error));
      CHECK_STATUS(FFC_OUT_OF_MEMORY, "memory", ffc_stream_synchronize(context, 0, &error));
    });
    CHECK_OK(ffc_forward(plan, spectrum, &args, 0, &error));
    CHECK_STATUS(FFC_INVALID_ARGUMENT, "ffc_spectrum_compute() again", ffc_stream_synchronize(context, 0, &error));
    CHECK_OK(ffc_spectrum_compute(spectrum, kernel, 0, 0, &error));
    CHECK(right());
  }
  CHECK_OK(ffc_plan_destroy(plan, &error));
  CHECK_OK(ffc_spectrum_destroy(spectrum, &error));
  for (const ffc_buffer b : {input, kernel, y}) CHECK_OK(ffc_buffer_destroy(b, &error));
  CHECK_OK(ffc_context_destroy(context, &error));
}

// The planner's constants as text, and candidates by name.
void testPlanner() {
  const ffc_context context = openContext();
  std::vector<char> text(1 << 14);
  size_t needed = 0;
  CHECK_OK(ffc_constants_get(context, text.data(), text.size(), &needed, &error));
  CHECK(needed < text.size() && std::strlen(text.data()) == needed);
  const std::string shipped = text.data();
  CHECK(shipped.rfind("flashfftconv-constants 2\n", 0) == 0);
  CHECK_OK(ffc_constants_get(context, nullptr, 0, &needed, &error));
  CHECK(needed == shipped.size());
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "NULL", ffc_constants_get(context, nullptr, 8, &needed, &error));
  CHECK_STATUS(FFC_INVALID_HANDLE, "", ffc_constants_get(77, text.data(), text.size(), &needed, &error));
  const auto now = [&] {
    CHECK_OK(ffc_constants_get(context, text.data(), text.size(), nullptr, &error));
    return std::string(text.data());
  };
  CHECK_OK(ffc_constants_set(context, "flashfftconv-constants 2\nefficiency/direct 0.25\n", &error));
  const std::string changed = now();
  CHECK(changed != shipped && changed.find("efficiency/direct 0.25\n") != std::string::npos);
  for (const char* wrong : {"x", "flashfftconv-constants 3\n", "flashfftconv-constants 2\nefficiency/direct\n",
                            "flashfftconv-constants 2\nefficiency/direct 0.5\nspeed 1\n"}) {
    CHECK_STATUS(FFC_INVALID_ARGUMENT, "line", ffc_constants_set(context, wrong, &error));
    CHECK(now() == changed);
  }
  CHECK_STATUS(FFC_INVALID_HANDLE, "", ffc_constants_set(0, "", &error));
  CHECK_OK(ffc_constants_set(context, nullptr, &error));
  CHECK(now() == shipped);
  CHECK_OK(ffc_constants_set(context, "", &error));

  const auto desc = causal(1, 2, 64, 32);
  ffc_plan plan = 77;
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "direct",
               ffc_plan_create_candidate(context, &desc, nullptr, nullptr, "nothing", &plan, &error));
  CHECK(plan == 0);
  const uint8_t keep[4] = {1, 1, 1, 1};
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "keep",
               ffc_plan_create_candidate(context, &desc, nullptr, keep, "direct", &plan, &error));
  CHECK_STATUS(FFC_INVALID_HANDLE, "", ffc_plan_create_candidate(5, &desc, nullptr, nullptr, "direct", &plan, &error));
  auto info = sized<ffc_plan_info>();
  for (const char* name : {"direct", "", static_cast<const char*>(nullptr)}) {
    CHECK_OK(ffc_plan_create_candidate(context, &desc, nullptr, nullptr, name, &plan, &error));
    CHECK_OK(ffc_plan_info_get(plan, &info, &error));
    CHECK(!name || !*name || info.algorithm == FFC_ALGORITHM_DIRECT);
    CHECK_OK(ffc_plan_destroy(plan, &error));
  }
  CHECK_OK(ffc_context_destroy(context, &error));
}

}  // namespace

int main() {
  testPlanner();
  testHandles();
  testErrors();
  testConvolutionErrors();
  testFailedSpectrum();
  return report_checks("abi_errors_test");
}
