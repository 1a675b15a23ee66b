/* The header's tour in pure C99, on the CPU: every function once in its place, results against a float64 sum. */
#include "check.h"
#include "reference.h"

static ffc_error error;

static void test_version(void) {
  char text[64], small[4] = {'x', 'x', 'x', 'x'};
  size_t length;
  int32_t count = -1;
  CHECK(ffc_abi_version() == FFC_ABI_VERSION);
  length = ffc_version(text, sizeof text);
  CHECK(length == strlen(text) && length >= 5);
  CHECK(ffc_version(NULL, 0) == length);
  CHECK(ffc_version(small, sizeof small) == length && small[3] == 0 && memcmp(small, text, 3) == 0);
  CHECK(ffc_status_name(FFC_OUT_OF_MEMORY, text, sizeof text) == strlen("FFC_OUT_OF_MEMORY"));
  CHECK(strcmp(text, "FFC_OUT_OF_MEMORY") == 0);
  ffc_status_name(12345, text, sizeof text);
  CHECK(strcmp(text, "FFC_UNKNOWN") == 0);
  CHECK((ffc_backends() & FFC_BACKEND_CPU) != 0);
  CHECK_OK(ffc_device_count(FFC_DEVICE_CPU, &count, &error));
  CHECK(count == 1);
}

static ffc_context open_context(uint32_t flags) {
  ffc_context_desc desc;
  ffc_context context = 0;
  memset(&desc, 0, sizeof desc);
  desc.struct_size = sizeof desc;
  desc.device_type = FFC_DEVICE_CPU;
  desc.flags = flags;
  CHECK_OK(ffc_context_create(&desc, &context, &error));
  CHECK(context != 0);
  return context;
}

static void test_device_info(ffc_context context) {
  ffc_device_info info;
  memset(&info, 0xFF, sizeof info);
  info.struct_size = sizeof info;
  CHECK_OK(ffc_device_info_get(context, &info, &error));
  CHECK(info.device_type == FFC_DEVICE_CPU && info.ordinal == 0 && info.compute_units >= 1);
  CHECK(info.compute_major == 0 && info.shared_memory_per_block_bytes == 0);
  CHECK(info.memory_total_bytes > 0 && info.memory_free_bytes > 0 &&
        info.memory_free_bytes <= info.memory_total_bytes);
  CHECK(strlen(info.name) > 0 && strlen(info.instruction_set) > 0);
  printf("  %s, %s, %d threads\n", info.name, info.instruction_set, (int)info.compute_units);
}

static void test_memory(ffc_context context) {
  ffc_buffer a = 0, b = 0;
  ffc_memory_info memory;
  unsigned char bytes[100], back[100];
  int i;
  for (i = 0; i < 100; ++i) bytes[i] = (unsigned char)(i * 7);
  CHECK_OK(ffc_buffer_create(context, 100, &a, &error));
  CHECK_OK(ffc_buffer_create(context, 100, &b, &error));
  memset(&memory, 0, sizeof memory);
  memory.struct_size = sizeof memory;
  CHECK_OK(ffc_memory_info_get(context, &memory, &error));
  CHECK(memory.live_bytes == 200 && memory.peak_bytes >= 200 && memory.live_objects == 2);
  CHECK_OK(ffc_buffer_write(a, 0, bytes, 100, 0, &error));
  CHECK_OK(ffc_buffer_fill(b, 0, 100, 0xAB, 0, &error));
  CHECK_OK(ffc_buffer_copy(b, 10, a, 20, 30, 0, &error));
  CHECK_OK(ffc_buffer_read(b, 0, back, 100, 0, &error));
  for (i = 0; i < 100; ++i)
    if (!CHECK(back[i] == (i >= 10 && i < 40 ? bytes[i + 10] : 0xAB))) break;
  CHECK_OK(ffc_buffer_copy(a, 50, a, 0, 50, 0, &error)); /* neighbouring ranges of one buffer */
  CHECK_OK(ffc_buffer_read(a, 50, back, 50, 0, &error));
  CHECK(memcmp(back, bytes, 50) == 0);
  CHECK_OK(ffc_buffer_destroy(b, &error));
  CHECK_OK(ffc_buffer_destroy(b, &error)); /* twice is harmless */
  CHECK_OK(ffc_buffer_destroy(0, &error));
  CHECK_OK(ffc_buffer_destroy(a, &error));
  CHECK_OK(ffc_memory_reset_peak(context, &error));
  CHECK_OK(ffc_memory_info_get(context, &memory, &error));
  CHECK(memory.live_bytes == 0 && memory.peak_bytes == 0 && memory.live_objects == 0);
}

static void test_events(ffc_context context) {
  ffc_stream stream = 0;
  ffc_event begin = 0, end = 0;
  ffc_buffer buffer = 0;
  double ms = -1;
  CHECK_OK(ffc_stream_create(context, &stream, &error));
  CHECK_OK(ffc_event_create(context, &begin, &error));
  CHECK_OK(ffc_event_create(context, &end, &error));
  CHECK_OK(ffc_buffer_create(context, 1 << 20, &buffer, &error));
  CHECK_STATUS(FFC_NOT_READY, "recorded", ffc_event_elapsed_ms(begin, end, &ms, &error));
  CHECK_OK(ffc_event_record(begin, stream, &error));
  CHECK_OK(ffc_buffer_fill(buffer, 0, 1 << 20, 1, stream, &error));
  CHECK_OK(ffc_event_record(end, stream, &error));
  CHECK_OK(ffc_event_synchronize(end, &error));
  CHECK_OK(ffc_event_elapsed_ms(begin, end, &ms, &error));
  CHECK(ms > 0 && ms < 10000);
  CHECK_OK(ffc_stream_synchronize(0, stream, &error));
  CHECK_OK(ffc_stream_synchronize(context, stream, &error));
  CHECK_OK(ffc_stream_synchronize(context, 0, &error));
  CHECK_OK(ffc_buffer_destroy(buffer, &error));
  CHECK_OK(ffc_event_destroy(begin, &error));
  CHECK_OK(ffc_event_destroy(end, &error));
  CHECK_OK(ffc_stream_destroy(stream, &error));
}

/* Random values rounded to `dtype`: the packed array for the library, the same values as float64 for the oracle. */
static void make_values(int32_t dtype, int64_t count, unsigned long long* state, void* packed, double* values) {
  int64_t i;
  for (i = 0; i < count; ++i) {
    store_value(packed, dtype, i, next_random(state));
    values[i] = load_value(packed, dtype, i);
  }
}

typedef struct tensor {
  void* packed;
  double* values;
  int64_t bytes;
  ffc_buffer buffer;
} tensor;

static tensor make_tensor(ffc_context context, int32_t dtype, int64_t count, unsigned long long* state) {
  tensor t;
  t.bytes = count * dtype_bytes(dtype);
  t.packed = malloc((size_t)t.bytes);
  t.values = (double*)malloc((size_t)count * sizeof(double));
  t.buffer = 0;
  make_values(dtype, count, state, t.packed, t.values);
  CHECK_OK(ffc_buffer_create(context, t.bytes, &t.buffer, &error));
  CHECK_OK(ffc_buffer_write(t.buffer, 0, t.packed, t.bytes, 0, &error));
  return t;
}

static void drop_tensor(tensor* t) {
  free(t->packed);
  free(t->values);
  CHECK_OK(ffc_buffer_destroy(t->buffer, &error));
}

static void check_result(const ffc_conv_desc* desc, const void* y, const double* expected, int64_t count) {
  double difference = 0, size = 0;
  int64_t i;
  int finite = 1;
  for (i = 0; i < count; ++i) {
    const double value = load_value(y, desc->dtype, i);
    if (!(fabs(value) < 1e30)) finite = 0;
    difference += (value - expected[i]) * (value - expected[i]);
    size += expected[i] * expected[i];
  }
  CHECK(finite);
  if (!CHECK(sqrt(difference) <= relative_tolerance(desc->dtype) * sqrt(size)))
    fprintf(stderr, "  mode %d dtype %d flags %u L %d K %d: relative error %.3g\n", (int)desc->mode, (int)desc->dtype,
            (unsigned)desc->flags, (int)desc->length, (int)desc->kernel_length, sqrt(difference / size));
}

static void test_convolution(ffc_context context, int32_t mode, int32_t dtype, uint32_t flags, int64_t length,
                             int64_t kernel_length) {
  const int64_t batch = 2, channels = 3, outputs = reference_output_length(mode, length, kernel_length);
  const int64_t rows = batch * channels, kernels = flags & FFC_CONV_SHARED_KERNEL ? 1 : channels;
  const int64_t guard = 64; /* bytes on both sides of y that must stay as they were */
  const int64_t y_bytes = rows * outputs * dtype_bytes(dtype);
  unsigned long long state = (unsigned long long)(mode * 1000 + dtype * 100) + flags + (unsigned long long)length;
  ffc_conv_desc desc;
  ffc_plan plan = 0;
  ffc_spectrum spectrum = 0;
  ffc_plan_info info;
  ffc_forward_args args;
  ffc_buffer y_buffer = 0, workspace = 0;
  tensor u, kernel, pre, post, skip;
  unsigned char* y;
  double* expected;
  char json[16384];  // of a plan with many candidates
  size_t json_length = 0;
  int64_t b, h, i;

  memset(&desc, 0, sizeof desc);
  desc.struct_size = sizeof desc;
  desc.mode = mode;
  desc.dtype = dtype;
  desc.kernel_dtype = FFC_DTYPE_FLOAT32;
  desc.flags = flags;
  desc.batch = batch;
  desc.channels = channels;
  desc.length = length;
  desc.kernel_length = kernel_length;
  if (!CHECK_OK(ffc_plan_create(context, &desc, &plan, &error))) return;
  memset(&info, 0, sizeof info);
  info.struct_size = sizeof info;
  CHECK_OK(ffc_plan_info_get(plan, &info, &error));
  CHECK(info.output_length == outputs && info.spectrum_bytes > 0 && info.algorithm != FFC_ALGORITHM_AUTO);
  CHECK_OK(ffc_plan_explain(plan, json, sizeof json, &json_length, &error));
  CHECK(json_length < sizeof json && strlen(json) == json_length && json[0] == '{' && json[json_length - 1] == '}');

  u = make_tensor(context, dtype, rows * length, &state);
  kernel = make_tensor(context, FFC_DTYPE_FLOAT32, kernels * kernel_length, &state);
  pre = make_tensor(context, dtype, rows * length, &state);
  post = make_tensor(context, dtype, rows * outputs, &state);
  skip = make_tensor(context, FFC_DTYPE_FLOAT32, channels, &state);
  expected = (double*)malloc((size_t)(rows * outputs) * sizeof(double));
  y = (unsigned char*)malloc((size_t)(y_bytes + 2 * guard));
  for (b = 0; b < batch; ++b)
    for (h = 0; h < channels; ++h)
      reference_row(mode, length, kernel_length, u.values + (b * channels + h) * length,
                    kernel.values + (kernels == 1 ? 0 : h) * kernel_length,
                    flags & FFC_CONV_PRE_GATE ? pre.values + (b * channels + h) * length : NULL,
                    flags & FFC_CONV_POST_GATE ? post.values + (b * channels + h) * outputs : NULL,
                    flags & FFC_CONV_SKIP ? skip.values[h] : 0, expected + (b * channels + h) * outputs, NULL);

  CHECK_OK(ffc_spectrum_create(plan, &spectrum, &error));
  CHECK_OK(ffc_spectrum_compute(spectrum, kernel.buffer, 0, 0, &error));
  CHECK_OK(ffc_buffer_create(context, y_bytes + 2 * guard, &y_buffer, &error));
  CHECK_OK(ffc_buffer_fill(y_buffer, 0, y_bytes + 2 * guard, 0xFF, 0, &error)); /* NaN in every dtype */
  if (info.workspace_bytes > 0) CHECK_OK(ffc_buffer_create(context, info.workspace_bytes, &workspace, &error));
  memset(&args, 0, sizeof args);
  args.struct_size = sizeof args;
  args.u = u.buffer;
  if (flags & FFC_CONV_PRE_GATE) args.pre_gate = pre.buffer;
  if (flags & FFC_CONV_POST_GATE) args.post_gate = post.buffer;
  if (flags & FFC_CONV_SKIP) args.skip = skip.buffer;
  args.y = y_buffer;
  args.y_offset_bytes = guard;
  args.workspace = workspace;
  CHECK_OK(ffc_forward(plan, spectrum, &args, 0, &error));
  CHECK_OK(ffc_buffer_read(y_buffer, 0, y, y_bytes + 2 * guard, 0, &error));
  check_result(&desc, y + guard, expected, rows * outputs);
  for (i = 0; i < guard; ++i)
    if (!CHECK(y[i] == 0xFF && y[guard + y_bytes + i] == 0xFF)) break;

  /* In place, where the plan offers it. */
  if (info.in_place) {
    args.y = u.buffer;
    args.y_offset_bytes = 0;
    CHECK_OK(ffc_forward(plan, spectrum, &args, 0, &error));
    CHECK_OK(ffc_buffer_read(u.buffer, 0, y, y_bytes, 0, &error));
    check_result(&desc, y, expected, rows * outputs);
  } else {
    args.y = u.buffer;
    args.y_offset_bytes = 0;
    {
      /* A longer y does not even fit into u's buffer. */
      const ffc_status status = ffc_forward(plan, spectrum, &args, 0, &error);
      CHECK(status == (outputs > length ? FFC_OUT_OF_BOUNDS : FFC_OVERLAP) && error.status == status);
    }
  }

  /* The same from host arrays in one call. */
  {
    int32_t progress[2] = {-1, 0};
    memset(y, 0xFF, (size_t)y_bytes);
    CHECK_OK(ffc_convolve_host(context, &desc, u.packed, kernel.packed, flags & FFC_CONV_PRE_GATE ? pre.packed : NULL,
                               flags & FFC_CONV_POST_GATE ? post.packed : NULL,
                               flags & FFC_CONV_SKIP ? skip.packed : NULL, y, progress, &error));
    CHECK(progress[0] == 1000);
    check_result(&desc, y, expected, rows * outputs);
    progress[1] = 1;
    CHECK_STATUS(FFC_CANCELLED, "cancelled",
                 ffc_convolve_host(context, &desc, u.packed, kernel.packed,
                                   flags & FFC_CONV_PRE_GATE ? pre.packed : NULL,
                                   flags & FFC_CONV_POST_GATE ? post.packed : NULL,
                                   flags & FFC_CONV_SKIP ? skip.packed : NULL, y, progress, &error));
  }

  CHECK_OK(ffc_spectrum_destroy(spectrum, &error));
  CHECK_OK(ffc_plan_destroy(plan, &error));
  CHECK_OK(ffc_buffer_destroy(y_buffer, &error));
  CHECK_OK(ffc_buffer_destroy(workspace, &error));
  drop_tensor(&u);
  drop_tensor(&kernel);
  drop_tensor(&pre);
  drop_tensor(&post);
  drop_tensor(&skip);
  free(expected);
  free(y);
}

static void test_convolutions(ffc_context context) {
  static const int64_t lengths[][2] = {{1, 1}, {1, 5}, {37, 37}, {200, 13}, {19, 150}, {256, 256}, {1000, 31}};
  int32_t mode, dtype;
  size_t i;
  for (mode = FFC_MODE_CAUSAL; mode <= FFC_MODE_VALID; ++mode)
    for (dtype = FFC_DTYPE_FLOAT32; dtype <= FFC_DTYPE_BFLOAT16; ++dtype)
      for (i = 0; i < sizeof lengths / sizeof lengths[0]; ++i) {
        const int has_skip = mode != FFC_MODE_FULL && mode != FFC_MODE_VALID;
        test_convolution(context, mode, dtype, 0, lengths[i][0], lengths[i][1]);
        test_convolution(context, mode, dtype,
                         FFC_CONV_PRE_GATE | FFC_CONV_POST_GATE | FFC_CONV_SHARED_KERNEL |
                             (has_skip ? (uint32_t)FFC_CONV_SKIP : 0u),
                         lengths[i][0], lengths[i][1]);
      }
}

/* ---- frequency-sparse plans */

enum { SPARSE_LENGTH = 300, SPARSE_KERNEL = 200 };

/* The kernel that remains at place n of the ring (any integer, also a negative one), by the sum over its kept bins. */
static double masked_kernel(int32_t mode, int64_t bins, const unsigned char* kept, const double* kernel, int64_t n) {
  const double step = acos(-1.0) / (mode == FFC_MODE_CIRCULAR ? SPARSE_LENGTH : 2 * bins); /* half a bin */
  double sum = 0;
  int64_t f, j;
  for (f = 0; f < bins; ++f) {
    const double angle = step * (double)(mode == FFC_MODE_CIRCULAR ? 2 * f : 2 * f + 1);
    const int one_image = mode == FFC_MODE_CIRCULAR && (f == 0 || 2 * f == SPARSE_LENGTH);
    if (!kept[f]) continue;
    for (j = 0; j < SPARSE_KERNEL; ++j) sum += (one_image ? 1 : 2) * kernel[j] * cos(angle * (double)(n - j));
  }
  return sum / (mode == FFC_MODE_CIRCULAR ? SPARSE_LENGTH : 2 * (double)bins);
}

static void test_sparse_pattern(ffc_context context, int32_t mode, int32_t kind, int64_t block) {
  unsigned char keep[512], kept[512];
  static double remaining[2 * SPARSE_LENGTH];
  double expected[SPARSE_LENGTH], energies[512], total = 0, whole = 0;
  float y[SPARSE_LENGTH];
  unsigned long long state = 5;
  int64_t bins = 0, blocks, b, n, m;
  ffc_conv_desc desc;
  ffc_sparsity sparsity;
  ffc_plan plan = 0;
  ffc_spectrum spectrum = 0;
  ffc_forward_args args;
  tensor u, kernel, out;

  CHECK_OK(ffc_frequency_bins(mode, SPARSE_LENGTH, &bins, &error));
  if (!CHECK(bins == (mode == FFC_MODE_CIRCULAR ? 151 : 512))) return;
  blocks = kind == FFC_SPARSITY_CLASSES ? block : (bins + block - 1) / block;
  for (b = 0; b < blocks; ++b) keep[b] = kind == FFC_SPARSITY_CLASSES ? b == 1 || b == blocks - 1 : b % 3 == 1;
  memset(kept, 0, sizeof kept);
  for (b = 0; b < bins; ++b) {
    /* causal: bin 2k - 1 has index k, bin 2k has index N - k */
    const int64_t index = mode == FFC_MODE_CIRCULAR ? b : b % 2 ? (b + 1) / 2 : (bins - b / 2) % bins;
    kept[b] = keep[kind == FFC_SPARSITY_CLASSES ? index % block : b / block];
  }
  memset(&desc, 0, sizeof desc);
  desc.struct_size = sizeof desc;
  desc.mode = mode;
  desc.dtype = desc.kernel_dtype = FFC_DTYPE_FLOAT32;
  desc.batch = desc.channels = 1;
  desc.length = SPARSE_LENGTH;
  desc.kernel_length = SPARSE_KERNEL;
  memset(&sparsity, 0, sizeof sparsity);
  sparsity.struct_size = sizeof sparsity;
  sparsity.kind = kind;
  sparsity.block = block;
  sparsity.keep_count = blocks;
  u = make_tensor(context, FFC_DTYPE_FLOAT32, SPARSE_LENGTH, &state);
  kernel = make_tensor(context, FFC_DTYPE_FLOAT32, SPARSE_KERNEL, &state);
  out = make_tensor(context, FFC_DTYPE_FLOAT32, SPARSE_LENGTH, &state);
  for (n = 1 - SPARSE_LENGTH; n < SPARSE_LENGTH; ++n)
    remaining[n + SPARSE_LENGTH] = masked_kernel(mode, bins, kept, kernel.values, n);
  for (n = 0; n < SPARSE_LENGTH; ++n) {
    expected[n] = 0;
    for (m = 0; m < SPARSE_LENGTH; ++m) expected[n] += u.values[m] * remaining[n - m + SPARSE_LENGTH];
  }
  if (CHECK_OK(ffc_plan_create_sparse(context, &desc, &sparsity, keep, &plan, &error))) {
    CHECK_OK(ffc_spectrum_create(plan, &spectrum, &error));
    CHECK_OK(ffc_spectrum_compute(spectrum, kernel.buffer, 0, 0, &error));
    memset(&args, 0, sizeof args);
    args.struct_size = sizeof args;
    args.u = u.buffer;
    args.y = out.buffer;
    CHECK_OK(ffc_buffer_fill(out.buffer, 0, out.bytes, 0xFF, 0, &error));
    CHECK_OK(ffc_forward(plan, spectrum, &args, 0, &error));
    CHECK_OK(ffc_buffer_read(out.buffer, 0, y, out.bytes, 0, &error));
    check_result(&desc, y, expected, SPARSE_LENGTH);
  }
  /* Parseval: all energies together are those of the samples, once per index of the transform. */
  CHECK_OK(ffc_block_energies(&desc, &sparsity, kernel.packed, energies, &error));
  for (b = 0; b < blocks; ++b) total += energies[b];
  for (n = 0; n < SPARSE_KERNEL; ++n) whole += kernel.values[n] * kernel.values[n];
  whole *= (double)(mode == FFC_MODE_CIRCULAR ? SPARSE_LENGTH : bins);
  CHECK(fabs(total - whole) < 1e-10 * whole);
  CHECK_OK(ffc_spectrum_destroy(spectrum, &error));
  CHECK_OK(ffc_plan_destroy(plan, &error));
  drop_tensor(&u);
  drop_tensor(&kernel);
  drop_tensor(&out);
}

static void test_sparse_refusals(ffc_context context) {
  unsigned char keep[512];
  double energies[512];
  float kernel[SPARSE_KERNEL];
  int64_t bins = 0;
  ffc_conv_desc desc;
  ffc_sparsity sparsity;
  ffc_plan plan = 7;
  memset(keep, 1, sizeof keep);
  memset(kernel, 0, sizeof kernel);
  memset(&desc, 0, sizeof desc);
  desc.struct_size = sizeof desc;
  desc.mode = FFC_MODE_CAUSAL;
  desc.dtype = desc.kernel_dtype = FFC_DTYPE_FLOAT32;
  desc.batch = desc.channels = 1;
  desc.length = SPARSE_LENGTH;
  desc.kernel_length = SPARSE_KERNEL;
  memset(&sparsity, 0, sizeof sparsity);
  sparsity.struct_size = sizeof sparsity;
  sparsity.kind = FFC_SPARSITY_BLOCKS;
  sparsity.block = 64;
  sparsity.keep_count = 8;
#define REFUSED(status, words) \
  CHECK_STATUS(status, words, ffc_plan_create_sparse(context, &desc, &sparsity, keep, &plan, &error))
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "bins is NULL", ffc_frequency_bins(FFC_MODE_CAUSAL, 5, NULL, &error));
  CHECK_STATUS(FFC_UNSUPPORTED, "causal", ffc_frequency_bins(FFC_MODE_FULL, 5, &bins, &error));
  CHECK_STATUS(FFC_INVALID_SHAPE, "at least 1", ffc_frequency_bins(FFC_MODE_CAUSAL, 0, &bins, &error));
  CHECK_STATUS(FFC_LIMIT_EXCEEDED, "2147483648",
               ffc_frequency_bins(FFC_MODE_CAUSAL, (int64_t)1 << 32, &bins, &error));
  sparsity.keep_count = 7;
  REFUSED(FFC_INVALID_SHAPE, "8 blocks");
  CHECK(plan == 0);
  CHECK_STATUS(FFC_INVALID_SHAPE, "8 blocks", ffc_block_energies(&desc, &sparsity, kernel, energies, &error));
  sparsity.keep_count = 8;
  keep[3] = 2;
  REFUSED(FFC_INVALID_ARGUMENT, "keep[3]");
  memset(keep, 0, sizeof keep);
  REFUSED(FFC_INVALID_ARGUMENT, "every block");
  keep[1] = 1;
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "keep is NULL",
               ffc_plan_create_sparse(context, &desc, &sparsity, NULL, &plan, &error));
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "ffc_sparsity is NULL",
               ffc_plan_create_sparse(context, &desc, NULL, keep, &plan, &error));
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "kernel is NULL", ffc_block_energies(&desc, &sparsity, NULL, energies, &error));
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "energies is NULL", ffc_block_energies(&desc, &sparsity, kernel, NULL, &error));
  CHECK_STATUS(FFC_INVALID_HANDLE, "", ffc_plan_create_sparse(0, &desc, &sparsity, keep, &plan, &error));
  kernel[9] = (float)NAN;
  CHECK_STATUS(FFC_INVALID_ARGUMENT, "sample 9", ffc_block_energies(&desc, &sparsity, kernel, energies, &error));
  sparsity.block = 0;
  REFUSED(FFC_INVALID_SHAPE, "block is 0");
  sparsity.block = 64;
  sparsity.kind = 3;
  REFUSED(FFC_INVALID_ARGUMENT, "known are 1");
  sparsity.kind = FFC_SPARSITY_CLASSES;
  sparsity.block = 24;
  REFUSED(FFC_INVALID_SHAPE, "divide");
  sparsity.block = sparsity.keep_count = 4;
  desc.algorithm = FFC_ALGORITHM_OVERLAP_SAVE;
  REFUSED(FFC_UNSUPPORTED, "overlap-save");
  desc.algorithm = FFC_ALGORITHM_DIRECT;
  REFUSED(FFC_UNSUPPORTED, "direct");
  desc.algorithm = FFC_ALGORITHM_AUTO;
  desc.mode = FFC_MODE_CIRCULAR; /* class 1 without its image, class 3 */
  REFUSED(FFC_INVALID_ARGUMENT, "two images");
  desc.mode = FFC_MODE_SAME;
  REFUSED(FFC_UNSUPPORTED, "causal");
  sparsity.struct_size = 4;
  REFUSED(FFC_ABI_MISMATCH, "ffc_sparsity");
#undef REFUSED
  CHECK(plan == 0);
}

static void test_sparse(ffc_context context) {
  test_sparse_pattern(context, FFC_MODE_CAUSAL, FFC_SPARSITY_BLOCKS, 16);
  test_sparse_pattern(context, FFC_MODE_CAUSAL, FFC_SPARSITY_BLOCKS, 30);
  test_sparse_pattern(context, FFC_MODE_CAUSAL, FFC_SPARSITY_CLASSES, 8);
  test_sparse_pattern(context, FFC_MODE_CAUSAL, FFC_SPARSITY_CLASSES, 256);
  test_sparse_pattern(context, FFC_MODE_CIRCULAR, FFC_SPARSITY_BLOCKS, 10);
  test_sparse_pattern(context, FFC_MODE_CIRCULAR, FFC_SPARSITY_CLASSES, 25);
  test_sparse_refusals(context);
}

/* The oracle and the tolerance must be able to fail: known sums, and mutants that are refused. */
static void test_oracle(void) {
  const double u[3] = {1, 2, 3}, k[2] = {10, 1};
  double y[4];
  reference_row(FFC_MODE_FULL, 3, 2, u, k, NULL, NULL, 0, y, NULL);
  CHECK(y[0] == 10 && y[1] == 21 && y[2] == 32 && y[3] == 3);
  reference_row(FFC_MODE_CIRCULAR, 3, 2, u, k, NULL, NULL, 0, y, NULL);
  CHECK(y[0] == 13 && y[1] == 21 && y[2] == 32);
  reference_row(FFC_MODE_VALID, 3, 2, u, k, NULL, NULL, 0, y, NULL);
  CHECK(y[0] == 21 && y[1] == 32);
  reference_row(FFC_MODE_SAME, 3, 3, u, u, NULL, NULL, 0, y, NULL); /* SciPy: [4, 10, 12] */
  CHECK(y[0] == 4 && y[1] == 10 && y[2] == 12);
  reference_row(FFC_MODE_CAUSAL, 3, 2, u, k, u, u, 2, y, NULL);
  CHECK(y[0] == 1 * (10 * 1 + 2 * 1) && y[1] == 2 * (10 * 4 + 1 + 2 * 4) && y[2] == 3 * (10 * 9 + 4 + 2 * 9));
  {
    uint16_t half;
    store_value(&half, FFC_DTYPE_FLOAT16, 0, 1.0);
    CHECK(half == 0x3C00);
    store_value(&half, FFC_DTYPE_FLOAT16, 0, -2.5);
    CHECK(half == 0xC100 && load_value(&half, FFC_DTYPE_FLOAT16, 0) == -2.5);
    store_value(&half, FFC_DTYPE_FLOAT16, 0, 0.99999); /* carries into the exponent */
    CHECK(half == 0x3C00);
    store_value(&half, FFC_DTYPE_FLOAT16, 0, ldexp(3, -24));
    CHECK(half == 3);
    store_value(&half, FFC_DTYPE_BFLOAT16, 0, 1.0);
    CHECK(half == 0x3F80);
    CHECK(relative_tolerance(FFC_DTYPE_BFLOAT16) < 0.01); /* zeros (1.0) and a shift (about 1.4) cannot pass */
  }
}

int main(void) {
  ffc_context context;
  error = make_error();
  test_oracle();
  test_version();
  context = open_context(0);
  if (!context) return report_checks("tour_test");
  test_device_info(context);
  test_memory(context);
  test_events(context);
  test_convolutions(context);
  test_sparse(context);
  {
    ffc_memory_info memory;
    memset(&memory, 0, sizeof memory);
    memory.struct_size = sizeof memory;
    CHECK_OK(ffc_memory_info_get(context, &memory, &error));
    CHECK(memory.live_bytes == 0 && memory.live_objects == 0);
  }
  CHECK_OK(ffc_context_destroy(context, &error));
  CHECK_OK(ffc_context_destroy(context, &error));
  CHECK_STATUS(FFC_INVALID_HANDLE, "destroyed", ffc_stream_synchronize(context, 0, &error));
  context = open_context(FFC_CONTEXT_PORTABLE);
  test_convolution(context, FFC_MODE_CAUSAL, FFC_DTYPE_FLOAT32, 0, 300, 300);
  CHECK_OK(ffc_context_destroy(context, &error));
  return report_checks("tour_test");
}
