/**
 * The one TypeScript declaration of the C ABI. tests/abi_test.ts compares it with cuda/include/flashfftconv.h,
 * and with the symbols that the built library exports, in both directions.
 *
 * How C types appear here: a handle (uint64_t) is "u64" and a bigint, a pointer is "buffer" (a typed array or
 * null), int64_t is "i64", size_t is "usize". Numbers work for 64-bit parameters but cost fifteen times a bigint,
 * so callers on the hot path pass bigints.
 *
 * A key that ends in `_async` is the same C function called on a thread of the pool: it returns a promise.
 *
 * @module
 */

const status = "i32";

const destroy = { parameters: ["u64", "buffer"], result: status } as const;
const create = { parameters: ["u64", "buffer", "buffer"], result: status } as const;
const text = { parameters: ["u64", "buffer", "usize", "buffer", "buffer"], result: status } as const;
const transfer = { parameters: ["u64", "i64", "buffer", "i64", "u64", "buffer"], result: status } as const;
const synchronize = { parameters: ["u64", "u64", "buffer"], result: status } as const;
// u, kernel, pre_gate, post_gate, skip, y, progress, error
const hostArrays = ["buffer", "buffer", "buffer", "buffer", "buffer", "buffer", "buffer", "buffer"] as const;
const convolveHostSparse = {
  parameters: [
    "u64", // context
    "buffer", // desc
    "buffer", // sparsity
    "buffer", // keep
    ...hostArrays,
  ],
  result: status,
} as const;

const blockEnergies = { parameters: ["buffer", "buffer", "buffer", "buffer", "buffer"], result: status } as const;

/** Every function of the library that TypeScript calls, by its C name; `_async` keys are non-blocking twins. */
export const symbols = {
  // 1. version, devices
  ffc_abi_version: { parameters: [], result: "u32" },
  ffc_version: { parameters: ["buffer", "usize"], result: "usize" },
  ffc_status_name: { parameters: ["i32", "buffer", "usize"], result: "usize" },
  ffc_backends: { parameters: [], result: "u32" },
  ffc_device_count: { parameters: ["i32", "buffer", "buffer"], result: status },

  // 2. context
  ffc_context_create: { parameters: ["buffer", "buffer", "buffer"], result: status },
  ffc_context_destroy: destroy,
  ffc_device_info_get: create,
  ffc_memory_info_get: create,
  ffc_memory_reset_peak: destroy,
  ffc_constants_get: text,
  ffc_constants_set: { parameters: ["u64", "buffer", "buffer"], result: status },

  // 3. memory
  ffc_buffer_create: { parameters: ["u64", "i64", "buffer", "buffer"], result: status },
  ffc_buffer_destroy: destroy,
  ffc_buffer_write: transfer,
  ffc_buffer_write_async: { name: "ffc_buffer_write", nonblocking: true, ...transfer },
  ffc_buffer_read: transfer,
  ffc_buffer_read_async: { name: "ffc_buffer_read", nonblocking: true, ...transfer },
  ffc_buffer_copy: { parameters: ["u64", "i64", "u64", "i64", "i64", "u64", "buffer"], result: status },
  ffc_buffer_fill: { parameters: ["u64", "i64", "i64", "i32", "u64", "buffer"], result: status },

  // 4. streams and events
  ffc_stream_create: create,
  ffc_stream_destroy: destroy,
  ffc_stream_synchronize: synchronize,
  ffc_stream_synchronize_async: { name: "ffc_stream_synchronize", nonblocking: true, ...synchronize },
  ffc_event_create: create,
  ffc_event_destroy: destroy,
  ffc_event_record: { parameters: ["u64", "u64", "buffer"], result: status },
  ffc_event_synchronize: destroy,
  ffc_event_synchronize_async: { name: "ffc_event_synchronize", nonblocking: true, ...destroy },
  ffc_event_elapsed_ms: { parameters: ["u64", "u64", "buffer", "buffer"], result: status },

  // 5. plan
  ffc_plan_create: { parameters: ["u64", "buffer", "buffer", "buffer"], result: status },
  ffc_plan_create_candidate: {
    parameters: ["u64", "buffer", "buffer", "buffer", "buffer", "buffer", "buffer"],
    result: status,
  },
  ffc_plan_destroy: destroy,
  ffc_plan_info_get: create,
  ffc_plan_explain: text,

  // 6. kernel spectrum
  ffc_spectrum_create: create,
  ffc_spectrum_destroy: destroy,
  ffc_spectrum_compute: { parameters: ["u64", "u64", "i64", "u64", "buffer"], result: status },

  // 7. forward
  ffc_forward: { parameters: ["u64", "u64", "buffer", "u64", "buffer"], result: status },

  // 8. everything on host arrays
  ffc_convolve_host: { parameters: ["u64", "buffer", ...hostArrays], result: status },
  ffc_convolve_host_sparse: convolveHostSparse,
  ffc_convolve_host_sparse_async: { name: "ffc_convolve_host_sparse", nonblocking: true, ...convolveHostSparse },

  // 9. frequency-sparse plans
  ffc_frequency_bins: { parameters: ["i32", "i64", "buffer", "buffer"], result: status },
  ffc_plan_create_sparse: {
    parameters: ["u64", "buffer", "buffer", "buffer", "buffer", "buffer"],
    result: status,
  },
  ffc_block_energies: blockEnergies,
  ffc_block_energies_async: { name: "ffc_block_energies", nonblocking: true, ...blockEnergies },
} as const satisfies Deno.ForeignLibraryInterface;
