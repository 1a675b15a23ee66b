/**
 * Struct layouts and enum values of the C ABI, as data. tests/abi_test.ts compares the enums with the header and
 * the layouts with sizeof and offsetof of a compiled C program.
 *
 * @module
 */

/** The ABI this module speaks; a library with another number is refused when it is loaded. */
export const ABI_VERSION = 1;

/** ffc_status by name. */
export const STATUS = {
  FFC_OK: 0,
  FFC_INVALID_ARGUMENT: 100,
  FFC_INVALID_SHAPE: 110,
  FFC_INVALID_DTYPE: 120,
  FFC_INVALID_HANDLE: 130,
  FFC_WRONG_CONTEXT: 140,
  FFC_OUT_OF_BOUNDS: 150,
  FFC_OVERLAP: 160,
  FFC_MISALIGNED: 170,
  FFC_ABI_MISMATCH: 180,
  FFC_UNSUPPORTED: 200,
  FFC_LIMIT_EXCEEDED: 210,
  FFC_NO_BACKEND: 300,
  FFC_NO_DRIVER: 310,
  FFC_NO_DEVICE: 320,
  FFC_OUT_OF_MEMORY: 400,
  FFC_CANCELLED: 500,
  FFC_NOT_READY: 510,
  FFC_CUDA_ERROR: 600,
  FFC_INTERNAL_ERROR: 900,
} as const;

/** The other enums of the header, grouped by their common prefix; keys are the names without it. */
export const ENUMS = {
  FFC_BACKEND_: { CPU: 1, CUDA: 2 },
  FFC_DEVICE_: { CPU: 1, CUDA: 2 },
  FFC_DTYPE_: { FLOAT32: 1, FLOAT16: 2, BFLOAT16: 3 },
  FFC_MODE_: { CAUSAL: 1, CIRCULAR: 2, FULL: 3, SAME: 4, VALID: 5 },
  FFC_PRECISION_: { DEFAULT: 0, FAST: 1, ACCURATE: 2 },
  FFC_ALGORITHM_: {
    AUTO: 0,
    DIRECT: 1,
    FFT: 2,
    OVERLAP_SAVE: 3,
    FUSED_MMA: 4,
    FUSED_FP32: 5,
    MULTI_PASS: 6,
  },
  FFC_CONV_: { PRE_GATE: 1, POST_GATE: 2, SKIP: 4, SHARED_KERNEL: 8 },
  FFC_SPARSITY_: { BLOCKS: 1, CLASSES: 2 },
  FFC_CONTEXT_: { PORTABLE: 1 },
} as const;

/** Where a field lies and what it is; `count` is the length of an array field. */
export interface Field {
  /** Bytes from the start of the struct. */
  readonly offset: number;
  /** The C type: int32_t, uint32_t, int64_t, uint64_t or char. */
  readonly type: "i32" | "u32" | "i64" | "u64" | "char";
  /** Elements of an array field. */
  readonly count?: number;
}

/** One C struct. */
export interface StructLayout {
  /** sizeof */
  readonly size: number;
  /** Fields by their C names, in order. */
  readonly fields: { readonly [name: string]: Field };
}

/** Every struct of the header. */
export const STRUCTS = {
  ffc_error: {
    size: 1024,
    fields: {
      struct_size: { offset: 0, type: "u32" },
      status: { offset: 4, type: "i32" },
      message: { offset: 8, type: "char", count: 1016 },
    },
  },
  ffc_context_desc: {
    size: 48,
    fields: {
      struct_size: { offset: 0, type: "u32" },
      device_type: { offset: 4, type: "i32" },
      ordinal: { offset: 8, type: "i32" },
      cpu_threads: { offset: 12, type: "i32" },
      flags: { offset: 16, type: "u32" },
      reserved: { offset: 20, type: "u32" },
      shared_memory_limit_bytes: { offset: 24, type: "i64" },
      memory_limit_bytes: { offset: 32, type: "i64" },
      scratch_limit_bytes: { offset: 40, type: "i64" },
    },
  },
  ffc_device_info: {
    size: 216,
    fields: {
      struct_size: { offset: 0, type: "u32" },
      device_type: { offset: 4, type: "i32" },
      ordinal: { offset: 8, type: "i32" },
      compute_units: { offset: 12, type: "i32" },
      compute_major: { offset: 16, type: "i32" },
      compute_minor: { offset: 20, type: "i32" },
      memory_total_bytes: { offset: 24, type: "i64" },
      memory_free_bytes: { offset: 32, type: "i64" },
      shared_memory_per_block_bytes: { offset: 40, type: "i64" },
      l2_bytes: { offset: 48, type: "i64" },
      name: { offset: 56, type: "char", count: 128 },
      instruction_set: { offset: 184, type: "char", count: 32 },
    },
  },
  ffc_memory_info: {
    size: 32,
    fields: {
      struct_size: { offset: 0, type: "u32" },
      reserved: { offset: 4, type: "u32" },
      live_bytes: { offset: 8, type: "i64" },
      peak_bytes: { offset: 16, type: "i64" },
      live_objects: { offset: 24, type: "i64" },
    },
  },
  ffc_conv_desc: {
    size: 136,
    fields: {
      struct_size: { offset: 0, type: "u32" },
      mode: { offset: 4, type: "i32" },
      dtype: { offset: 8, type: "i32" },
      kernel_dtype: { offset: 12, type: "i32" },
      precision: { offset: 16, type: "i32" },
      algorithm: { offset: 20, type: "i32" },
      flags: { offset: 24, type: "u32" },
      reserved: { offset: 28, type: "u32" },
      batch: { offset: 32, type: "i64" },
      channels: { offset: 40, type: "i64" },
      length: { offset: 48, type: "i64" },
      kernel_length: { offset: 56, type: "i64" },
      u_batch_stride: { offset: 64, type: "i64" },
      u_channel_stride: { offset: 72, type: "i64" },
      pre_gate_batch_stride: { offset: 80, type: "i64" },
      pre_gate_channel_stride: { offset: 88, type: "i64" },
      post_gate_batch_stride: { offset: 96, type: "i64" },
      post_gate_channel_stride: { offset: 104, type: "i64" },
      y_batch_stride: { offset: 112, type: "i64" },
      y_channel_stride: { offset: 120, type: "i64" },
      kernel_channel_stride: { offset: 128, type: "i64" },
    },
  },
  ffc_plan_info: {
    size: 96,
    fields: {
      struct_size: { offset: 0, type: "u32" },
      algorithm: { offset: 4, type: "i32" },
      precision: { offset: 8, type: "i32" },
      order: { offset: 12, type: "i32" },
      radices: { offset: 16, type: "i32", count: 8 },
      in_place: { offset: 48, type: "i32" },
      reserved: { offset: 52, type: "u32" },
      output_length: { offset: 56, type: "i64" },
      transform_length: { offset: 64, type: "i64" },
      segments: { offset: 72, type: "i64" },
      spectrum_bytes: { offset: 80, type: "i64" },
      workspace_bytes: { offset: 88, type: "i64" },
    },
  },
  ffc_forward_args: {
    size: 104,
    fields: {
      struct_size: { offset: 0, type: "u32" },
      reserved: { offset: 4, type: "u32" },
      u: { offset: 8, type: "u64" },
      u_offset_bytes: { offset: 16, type: "i64" },
      pre_gate: { offset: 24, type: "u64" },
      pre_gate_offset_bytes: { offset: 32, type: "i64" },
      post_gate: { offset: 40, type: "u64" },
      post_gate_offset_bytes: { offset: 48, type: "i64" },
      skip: { offset: 56, type: "u64" },
      skip_offset_bytes: { offset: 64, type: "i64" },
      y: { offset: 72, type: "u64" },
      y_offset_bytes: { offset: 80, type: "i64" },
      workspace: { offset: 88, type: "u64" },
      workspace_offset_bytes: { offset: 96, type: "i64" },
    },
  },
  ffc_sparsity: {
    size: 24,
    fields: {
      struct_size: { offset: 0, type: "u32" },
      kind: { offset: 4, type: "i32" },
      block: { offset: 8, type: "i64" },
      keep_count: { offset: 16, type: "i64" },
    },
  },
} as const satisfies { readonly [name: string]: StructLayout };
