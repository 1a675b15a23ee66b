/*
 * flashfftconv: long convolutions by fused FFTs, on CUDA GPUs and on the CPU, behind one C ABI.
 *
 * A short tour, in the order in which a program meets it:
 *
 *   1. Version    ffc_abi_version()      compare with FFC_ABI_VERSION before anything else.
 *                 ffc_backends()         which backends this binary was built with.
 *   2. Device     ffc_device_count()     how many devices of a type can be used here, and if none, why.
 *   3. Context    ffc_context_create()   one device, opened. Everything below belongs to one context.
 *   4. Memory     ffc_buffer_create()    bytes on the device; write, read, copy and fill them.
 *   5. Streams    ffc_stream_create()    work is enqueued in order; synchronize waits for it. 0 is the
 *                                        context's default stream. Events time what lies between them.
 *   6. Plan       ffc_plan_create()      shapes, mode, dtypes and precision of one convolution, decided once.
 *   7. Spectrum   ffc_spectrum_create()  the transformed kernel ("filter") of a plan, reusable in many calls.
 *                 ffc_spectrum_compute()
 *   8. Forward    ffc_forward()          y = post * (conv(u * pre, k) + d * (u * pre)), enqueued on a stream.
 *   9. Or all in one call on host arrays: ffc_convolve_host().
 *  10. Sparse     ffc_plan_create_sparse() a plan whose kernel spectra keep only some frequencies;
 *                 ffc_block_energies()    which of them matter.
 *
 * Coming behind the same interfaces: backward, depthwise (short) convolution.
 *
 * Rules that hold for every call
 *   - Every call that can fail returns an ffc_status; FFC_OK is 0. Values are pinned and never reused.
 *   - `error` may be NULL. If given, set error->struct_size first; on failure it receives the status and
 *     one sentence that says what was asked for and what is possible. Nothing is kept per thread: calls may
 *     come from any thread, each time from another one.
 *   - Handles are 64-bit numbers, 0 is "none". A stale or made-up handle gives FFC_INVALID_HANDLE, never
 *     undefined behaviour. Destroying 0 or an already destroyed handle is harmless (FFC_OK).
 *   - Objects keep what they need alive: destroying a context, buffer, plan or spectrum while work that uses
 *     it is in flight, or while children live, is safe; memory is given back when the last user is done.
 *   - Descriptors begin with struct_size = sizeof(the struct); larger or smaller known sizes are accepted,
 *     so that the structs can grow at their end.
 *   - Sizes, counts, strides and offsets are int64_t. Strides are in elements, names ending in _bytes in bytes.
 *   - Calls are thread-safe. Work on one stream runs in order; work on several streams may run at once.
 *   - Calls on a CUDA context make its device the calling thread's current CUDA device, and leave it so.
 */
#ifndef FLASHFFTCONV_H
#define FLASHFFTCONV_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define FFC_API __attribute__((visibility("default")))
#else
#define FFC_API
#endif

/* ---------------------------------------------------------------------------------------- version */

/* Grows whenever a released signature or struct changes in a way old callers would notice. */
#define FFC_ABI_VERSION 1

/* ----------------------------------------------------------------------------------------- status */

typedef int32_t ffc_status;
enum {
  FFC_OK = 0,
  FFC_INVALID_ARGUMENT = 100, /* a value outside its range, a NULL that must not be */
  FFC_INVALID_SHAPE = 110,    /* sizes or strides that do not fit together */
  FFC_INVALID_DTYPE = 120,    /* a dtype that does not exist or is not offered here */
  FFC_INVALID_HANDLE = 130,   /* never created, already destroyed, or of another kind */
  FFC_WRONG_CONTEXT = 140,    /* an object of another context (another device) */
  FFC_OUT_OF_BOUNDS = 150,    /* a tensor reaches past the end of its buffer */
  FFC_OVERLAP = 160,          /* an output overlaps an input in a way the plan cannot run */
  FFC_MISALIGNED = 170,       /* an offset is not a multiple of the element size */
  FFC_ABI_MISMATCH = 180,     /* a struct_size this library does not know */
  FFC_UNSUPPORTED = 200,      /* valid, but this library or device does not offer it */
  FFC_LIMIT_EXCEEDED = 210,   /* valid, but longer or larger than the stated limit */
  FFC_NO_BACKEND = 300,       /* this binary was built without that backend */
  FFC_NO_DRIVER = 310,        /* no CUDA driver is installed, or it is too old */
  FFC_NO_DEVICE = 320,        /* a driver, but no (such) device */
  FFC_OUT_OF_MEMORY = 400,    /* of the device, or of the host where the text says so */
  FFC_CANCELLED = 500,        /* the caller set the cancel flag */
  FFC_NOT_READY = 510,        /* a query about work that has not finished */
  FFC_CUDA_ERROR = 600,       /* the CUDA runtime reported an error that has no better name here */
  FFC_INTERNAL_ERROR = 900    /* a bug in this library */
};

/* Filled on failure. struct_size is set by the caller. message is UTF-8, zero-terminated. */
typedef struct ffc_error {
  uint32_t struct_size;
  ffc_status status;
  char message[1016];
} ffc_error;

/* ------------------------------------------------------------------------------------------ enums */

enum { FFC_BACKEND_CPU = 1, FFC_BACKEND_CUDA = 2 }; /* bits of ffc_backends() */

enum { FFC_DEVICE_CPU = 1, FFC_DEVICE_CUDA = 2 };

enum { FFC_DTYPE_FLOAT32 = 1, FFC_DTYPE_FLOAT16 = 2, FFC_DTYPE_BFLOAT16 = 3 };

/* Which samples of the convolution are returned. L = length of u, K = length of the kernel.
 * full(u, k)[n] = sum_j k[j] u[n-j], n = 0 .. L+K-2: true convolution, not cross-correlation.
 *   CAUSAL    full[0 .. L-1]                                                         length L
 *   CIRCULAR  sum_j k[j] u[(n-j) mod L]; a kernel longer than L wraps around          length L
 *   FULL      all of full                                                            length L+K-1
 *   SAME      full, centred as in SciPy: full[(K-1)/2 .. (K-1)/2 + L-1]              length L
 *   VALID     only samples where the shorter signal lies inside the longer one:
 *             full[min(L,K)-1 .. max(L,K)-1]                                         length |L-K|+1
 */
enum { FFC_MODE_CAUSAL = 1, FFC_MODE_CIRCULAR = 2, FFC_MODE_FULL = 3, FFC_MODE_SAME = 4, FFC_MODE_VALID = 5 };

/* Arithmetic class. DEFAULT is FAST for bfloat16 and ACCURATE for float16 and float32. The CPU backend
 * computes in float32 or better in every class. */
enum { FFC_PRECISION_DEFAULT = 0, FFC_PRECISION_FAST = 1, FFC_PRECISION_ACCURATE = 2 };

/* AUTO lets the planner choose; the others force a method (benchmarks, tests) or fail with FFC_UNSUPPORTED. */
enum {
  FFC_ALGORITHM_AUTO = 0,
  FFC_ALGORITHM_DIRECT = 1,       /* the sum as written (Toeplitz product) */
  FFC_ALGORITHM_FFT = 2,          /* one transform that covers the whole output */
  FFC_ALGORITHM_OVERLAP_SAVE = 3, /* many short transforms; constant memory in the length */
  FFC_ALGORITHM_FUSED_MMA = 4,    /* one fused tensor-core pass (CUDA) */
  FFC_ALGORITHM_FUSED_FP32 = 5,   /* one fused float32 pass (CUDA) */
  FFC_ALGORITHM_MULTI_PASS = 6    /* several passes over device memory, for long sequences (CUDA) */
};

/* Bits of ffc_conv_desc.flags. */
enum {
  FFC_CONV_PRE_GATE = 1,      /* u is multiplied by `pre_gate`, (B,H,L) */
  FFC_CONV_POST_GATE = 2,     /* the result is multiplied by `post_gate`, (B,H,output_length) */
  FFC_CONV_SKIP = 4,          /* d[h] * (u * pre) is added before the post gate; causal, circular, same */
  FFC_CONV_SHARED_KERNEL = 8  /* one kernel (K) for all channels instead of (H,K) */
};

/* How the frequencies of a sparse plan are grouped (see "Frequency-sparse plans"). */
enum {
  FFC_SPARSITY_BLOCKS = 1, /* neighbouring frequencies */
  FFC_SPARSITY_CLASSES = 2 /* every M-th frequency: what a transform can skip best */
};

/* Bits of ffc_context_desc.flags. */
enum {
  FFC_CONTEXT_PORTABLE = 1 /* CPU: baseline SIMD only. CUDA: only what compute capability 8.0 has. For tests. */
};

/* ---------------------------------------------------------------------------------------- structs */

typedef uint64_t ffc_context;
typedef uint64_t ffc_buffer;
typedef uint64_t ffc_stream;
typedef uint64_t ffc_event;
typedef uint64_t ffc_plan;
typedef uint64_t ffc_spectrum;

typedef struct ffc_context_desc {
  uint32_t struct_size;
  int32_t device_type;                 /* FFC_DEVICE_* */
  int32_t ordinal;                     /* 0 .. ffc_device_count()-1 */
  int32_t cpu_threads;                 /* CPU: 0 = one per usable core */
  uint32_t flags;                      /* FFC_CONTEXT_* */
  uint32_t reserved;                   /* 0 */
  int64_t shared_memory_limit_bytes;   /* CUDA: 0 = the device's own limit per block; smaller = pretend */
  int64_t memory_limit_bytes;          /* 0 = no limit; buffers beyond it give FFC_OUT_OF_MEMORY */
  int64_t scratch_limit_bytes;         /* 0 = the default, 1 GiB; a single row may need more */
} ffc_context_desc;

typedef struct ffc_device_info {
  uint32_t struct_size;
  int32_t device_type;
  int32_t ordinal;
  int32_t compute_units;               /* CPU: threads used. CUDA: multiprocessors */
  int32_t compute_major;               /* CUDA compute capability; 0 on the CPU */
  int32_t compute_minor;
  int64_t memory_total_bytes;
  int64_t memory_free_bytes;
  int64_t shared_memory_per_block_bytes;
  int64_t l2_bytes;
  char name[128];                      /* "NVIDIA H200", "AMD EPYC ..." */
  char instruction_set[32];            /* "sm_90", "avx512", "avx2", "baseline" */
} ffc_device_info;

typedef struct ffc_memory_info {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t live_bytes;                  /* buffers, spectra and workspaces of this context now */
  int64_t peak_bytes;                  /* the most since creation or ffc_memory_reset_peak() */
  int64_t live_objects;                /* buffers, streams, events, plans and spectra not yet destroyed */
} ffc_memory_info;

/* One convolution problem. u and pre_gate are (batch, channels, length); post_gate and y are
 * (batch, channels, output_length); the kernel is (channels, kernel_length) or (kernel_length); skip is
 * (channels). The last axis is contiguous. A stride of 0 means "packed". u, gates and y have the type
 * `dtype`, kernel and skip the type `kernel_dtype`. */
typedef struct ffc_conv_desc {
  uint32_t struct_size;
  int32_t mode;                        /* FFC_MODE_* */
  int32_t dtype;                       /* FFC_DTYPE_* of u, gates and y */
  int32_t kernel_dtype;                /* FFC_DTYPE_* of kernel and skip */
  int32_t precision;                   /* FFC_PRECISION_* */
  int32_t algorithm;                   /* FFC_ALGORITHM_* */
  uint32_t flags;                      /* FFC_CONV_* */
  uint32_t reserved;                   /* 0 */
  int64_t batch;
  int64_t channels;
  int64_t length;
  int64_t kernel_length;
  int64_t u_batch_stride, u_channel_stride;
  int64_t pre_gate_batch_stride, pre_gate_channel_stride;
  int64_t post_gate_batch_stride, post_gate_channel_stride;
  int64_t y_batch_stride, y_channel_stride;
  int64_t kernel_channel_stride;
} ffc_conv_desc;

typedef struct ffc_plan_info {
  uint32_t struct_size;
  int32_t algorithm;                   /* the FFC_ALGORITHM_* chosen; never AUTO */
  int32_t precision;                   /* FAST or ACCURATE; never DEFAULT */
  int32_t order;                       /* how many factors the transform is split into */
  int32_t radices[8];                  /* the factors, slowest digit first; unused ones are 0 */
  int32_t in_place;                    /* 1 if y may be exactly u */
  uint32_t reserved;
  int64_t output_length;
  int64_t transform_length;            /* points of one transform; 0 for DIRECT. In a sparse plan perhaps fewer than the
                                        * grid has: a band of frequencies at a part of the sampling rate */
  int64_t segments;                    /* transforms per row; 1 unless overlap-save */
  int64_t spectrum_bytes;              /* device memory of one ffc_spectrum */
  int64_t workspace_bytes;             /* device memory ffc_forward() needs beyond its tensors */
} ffc_plan_info;

/* Tensors of one ffc_forward(). A tensor the plan does not use must be 0. Offsets must be multiples of the
 * element size, the workspace's a multiple of 16. y may be exactly u (same buffer, offset and strides) if the
 * plan says in_place. */
typedef struct ffc_forward_args {
  uint32_t struct_size;
  uint32_t reserved;                   /* 0 */
  ffc_buffer u;
  int64_t u_offset_bytes;
  ffc_buffer pre_gate;
  int64_t pre_gate_offset_bytes;
  ffc_buffer post_gate;
  int64_t post_gate_offset_bytes;
  ffc_buffer skip;
  int64_t skip_offset_bytes;
  ffc_buffer y;
  int64_t y_offset_bytes;
  ffc_buffer workspace;                /* 0: the library allocates plan_info.workspace_bytes itself */
  int64_t workspace_offset_bytes;
} ffc_forward_args;

/* Which frequencies of the kernel spectrum a sparse plan keeps, but for the list of blocks itself, which is an array of
 * keep_count bytes beside it: 1 keeps a block, 0 drops it. */
typedef struct ffc_sparsity {
  uint32_t struct_size;
  int32_t kind;                        /* FFC_SPARSITY_* */
  int64_t block;                       /* BLOCKS: frequencies in a block. CLASSES: their number M */
  int64_t keep_count;                  /* number of blocks */
} ffc_sparsity;

/* ------------------------------------------------------------------------------ 1. version, devices */

FFC_API uint32_t ffc_abi_version(void);

/* The release, e.g. "0.1.0". Writes at most capacity bytes including the zero, returns the length needed
 * without it. The same convention holds for every text below. */
FFC_API size_t ffc_version(char* text, size_t capacity);

/* The name of a status, e.g. "FFC_OUT_OF_MEMORY"; "FFC_UNKNOWN" for a value this library does not know. */
FFC_API size_t ffc_status_name(ffc_status status, char* text, size_t capacity);

/* Bits FFC_BACKEND_*: what this binary was built with, not what the machine has. */
FFC_API uint32_t ffc_backends(void);

/* How many devices can be opened. 0 devices is an error that says why: FFC_NO_BACKEND, FFC_NO_DRIVER,
 * FFC_NO_DEVICE. There is always exactly one CPU device. */
FFC_API ffc_status ffc_device_count(int32_t device_type, int32_t* count, ffc_error* error);

/* ------------------------------------------------------------------------------------- 2. context */

FFC_API ffc_status ffc_context_create(const ffc_context_desc* desc, ffc_context* context, ffc_error* error);
FFC_API ffc_status ffc_context_destroy(ffc_context context, ffc_error* error);
FFC_API ffc_status ffc_device_info_get(ffc_context context, ffc_device_info* info, ffc_error* error);
FFC_API ffc_status ffc_memory_info_get(ffc_context context, ffc_memory_info* info, ffc_error* error);
FFC_API ffc_status ffc_memory_reset_peak(ffc_context context, ffc_error* error);

/* What the planner's cost model reckons with on this device: bandwidths, rates, efficiencies. Text: the line
 * "flashfftconv-constants VERSION", then a line "NAME VALUE" for each. *needed receives the length without the zero. */
FFC_API ffc_status ffc_constants_get(ffc_context context, char* text, size_t capacity, size_t* needed,
                                     ffc_error* error);
/* Puts measured constants over the shipped ones, for plans made from now on; NULL or "" brings the shipped ones back.
 * Of another version, or with a name or value that cannot be: FFC_INVALID_ARGUMENT, and nothing has changed. */
FFC_API ffc_status ffc_constants_set(ffc_context context, const char* text, ffc_error* error);

/* -------------------------------------------------------------------------------------- 3. memory */

/* bytes >= 0. New memory is not initialised. */
FFC_API ffc_status ffc_buffer_create(ffc_context context, int64_t bytes, ffc_buffer* buffer, ffc_error* error);
FFC_API ffc_status ffc_buffer_destroy(ffc_buffer buffer, ffc_error* error);

/* Host to device. Runs after the stream's earlier work; returns when `source` may be reused. */
FFC_API ffc_status ffc_buffer_write(ffc_buffer buffer, int64_t offset_bytes, const void* source, int64_t bytes,
                                    ffc_stream stream, ffc_error* error);

/* Device to host. Waits for the stream's earlier work; returns when `target` is filled. */
FFC_API ffc_status ffc_buffer_read(ffc_buffer buffer, int64_t offset_bytes, void* target, int64_t bytes,
                                   ffc_stream stream, ffc_error* error);

/* Device to device, enqueued. Ranges of one buffer must not overlap. */
FFC_API ffc_status ffc_buffer_copy(ffc_buffer target, int64_t target_offset_bytes, ffc_buffer source,
                                   int64_t source_offset_bytes, int64_t bytes, ffc_stream stream, ffc_error* error);

/* Every byte of the range becomes `value` (0..255), enqueued. */
FFC_API ffc_status ffc_buffer_fill(ffc_buffer buffer, int64_t offset_bytes, int64_t bytes, int32_t value,
                                   ffc_stream stream, ffc_error* error);

/* -------------------------------------------------------------------------- 4. streams and events */

FFC_API ffc_status ffc_stream_create(ffc_context context, ffc_stream* stream, ffc_error* error);
FFC_API ffc_status ffc_stream_destroy(ffc_stream stream, ffc_error* error);

/* Waits for everything enqueued so far and reports the first error of that work, once. For the default
 * stream of a context pass stream = 0 and the context; otherwise the context may be 0. */
FFC_API ffc_status ffc_stream_synchronize(ffc_context context, ffc_stream stream, ffc_error* error);

FFC_API ffc_status ffc_event_create(ffc_context context, ffc_event* event, ffc_error* error);
FFC_API ffc_status ffc_event_destroy(ffc_event event, ffc_error* error);
/* Marks this point of the stream (0: the default stream of the event's context). */
FFC_API ffc_status ffc_event_record(ffc_event event, ffc_stream stream, ffc_error* error);
FFC_API ffc_status ffc_event_synchronize(ffc_event event, ffc_error* error);
/* Milliseconds of device time between two recorded events; FFC_NOT_READY if one has not been reached. */
FFC_API ffc_status ffc_event_elapsed_ms(ffc_event begin, ffc_event end, double* milliseconds, ffc_error* error);

/* ---------------------------------------------------------------------------------------- 5. plan */

FFC_API ffc_status ffc_plan_create(ffc_context context, const ffc_conv_desc* desc, ffc_plan* plan, ffc_error* error);
/* The same with one candidate of the planner forced: a name from ffc_plan_explain(), e.g. "fused-fp32/1024/32x32".
 * NULL or "" leaves the choice to the planner. A name that this problem does not have gives FFC_INVALID_ARGUMENT.
 * sparsity and keep are those of ffc_plan_create_sparse(), or both NULL. */
FFC_API ffc_status ffc_plan_create_candidate(ffc_context context, const ffc_conv_desc* desc,
                                             const ffc_sparsity* sparsity, const uint8_t* keep, const char* candidate,
                                             ffc_plan* plan, ffc_error* error);
FFC_API ffc_status ffc_plan_destroy(ffc_plan plan, ffc_error* error);
FFC_API ffc_status ffc_plan_info_get(ffc_plan plan, ffc_plan_info* info, ffc_error* error);
/* Why this plan: a JSON object (UTF-8). *needed receives the length without the zero. */
FFC_API ffc_status ffc_plan_explain(ffc_plan plan, char* text, size_t capacity, size_t* needed, ffc_error* error);

/* ---------------------------------------------------------------------------- 6. kernel spectrum */

FFC_API ffc_status ffc_spectrum_create(ffc_plan plan, ffc_spectrum* spectrum, ffc_error* error);
FFC_API ffc_status ffc_spectrum_destroy(ffc_spectrum spectrum, ffc_error* error);
/* Transforms the kernel; enqueued. May be repeated with new kernels. The kernel buffer may be reused for
 * other work on the same stream afterwards. */
FFC_API ffc_status ffc_spectrum_compute(ffc_spectrum spectrum, ffc_buffer kernel, int64_t kernel_offset_bytes,
                                        ffc_stream stream, ffc_error* error);

/* ------------------------------------------------------------------------------------- 7. forward */

/* y = post * (conv(u * pre, k) + d * (u * pre)); unused terms drop out. Enqueued on the stream. */
FFC_API ffc_status ffc_forward(ffc_plan plan, ffc_spectrum spectrum, const ffc_forward_args* args,
                               ffc_stream stream, ffc_error* error);

/* ----------------------------------------------------------------------- 8. everything on host arrays */

/* Convolves packed host arrays and returns when y is complete; for sequences that need not fit into device
 * memory it works through rows in pieces. pre_gate, post_gate and skip are NULL unless desc->flags asks for
 * them. progress may be NULL; else it points to two int32: [0] receives 0..1000, [1] is set non-zero by
 * another thread to cancel (FFC_CANCELLED; y is then undefined). */
FFC_API ffc_status ffc_convolve_host(ffc_context context, const ffc_conv_desc* desc, const void* u,
                                     const void* kernel, const void* pre_gate, const void* post_gate,
                                     const void* skip, void* y, int32_t* progress, ffc_error* error);

/* ---------------------------------------------------------------------------- 9. frequency-sparse plans */

/* A sparse plan computes the dense convolution with a kernel whose spectrum is zero at the dropped frequencies, and
 * skips work where the zeros allow it (ffc_plan_explain() says how much). The pattern holds for all channels. The grid
 * of frequencies is fixed by mode and length alone, whatever the planner chooses:
 *
 *   CIRCULAR  the P-point grid of the row, P = length: bins f = 0 .. P/2 at f/P cycles per sample, as of a real FFT.
 *             The kernel is wrapped to P samples, transformed, the dropped bins are set to zero, transformed back.
 *   CAUSAL    with N = the least power of two that is at least `length` and 256: bins f = 0 .. N-1 at
 *             (f + 1/2) / 2N cycles per sample. These are the frequencies of signals of 2N samples that repeat with the
 *             opposite sign. u and the first `length` samples of the kernel are continued with zeros to 2N samples,
 *             both are transformed, the dropped bins are set to zero, and of the result the first `length` samples are
 *             returned. Without dropped bins that is the causal convolution. With them the kernel that remains rings
 *             over all 2N samples, before its beginning too: y[n] may then depend on later samples of u.
 *   Other modes have no sparse plans: FFC_UNSUPPORTED.
 *
 * BLOCKS: block b has the bins b * block .. (b + 1) * block - 1, the last one perhaps fewer.
 * CLASSES: M = block divides P or N; class c has the indices k with k mod M = c of the complex transform. CIRCULAR:
 *   index k is bin min(k, P - k), so that classes c and M - c must be kept or dropped together
 *   (FFC_INVALID_ARGUMENT). CAUSAL: index k is at (k - 1/4) / N cycles per sample: index k = 1 .. N/2 is bin 2k - 1,
 *   index 0 is bin 0, index N - k is bin 2k.
 * keep_count must be the number of blocks, or M (FFC_INVALID_SHAPE); at least one of the bytes must be 1. */

/* The number of bins of the grid of a mode and length. */
FFC_API ffc_status ffc_frequency_bins(int32_t mode, int64_t length, int64_t* bins, ffc_error* error);

/* A plan with a pattern; `keep` is read before the call returns. Otherwise as ffc_plan_create(). */
FFC_API ffc_status ffc_plan_create_sparse(ffc_context context, const ffc_conv_desc* desc, const ffc_sparsity* sparsity,
                                          const uint8_t* keep, ffc_plan* plan, ffc_error* error);

/* ffc_convolve_host() with a pattern; sparsity and keep may both be NULL. */
FFC_API ffc_status ffc_convolve_host_sparse(ffc_context context, const ffc_conv_desc* desc,
                                            const ffc_sparsity* sparsity, const uint8_t* keep, const void* u,
                                            const void* kernel, const void* pre_gate, const void* post_gate,
                                            const void* skip, void* y, int32_t* progress, ffc_error* error);

/* energies[b] = sum of |K|^2 over the frequencies of block b (both images of each) and over the kernel rows, in
 * float64, of a kernel on the host with the strides of the descriptor. sparsity->keep_count is the room in `energies`.
 * By Parseval, dropping blocks with a share e of all the energy changes the result by the share e of its energy in the
 * mean over white noise u (in causal mode counted over all 2N samples, of which the first are returned). */
FFC_API ffc_status ffc_block_energies(const ffc_conv_desc* desc, const ffc_sparsity* sparsity, const void* kernel,
                                      double* energies, ffc_error* error);

#ifdef __cplusplus
}
#endif

#endif /* FLASHFFTCONV_H */
