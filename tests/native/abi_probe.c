/* Prints what a C compiler makes of the header, as JSON: {"abiVersion", "enums": {name: value}, "structs": {name:
 * {"size", "align", "fields": {name: {"offset", "size"}}}}}. The TypeScript tests compare their tables with it, and
 * the lists below with the header's text, so that nothing can be left out here. */
#include <stddef.h>
#include <stdio.h>

#include "../../cuda/include/flashfftconv.h"

static const char* separator;

#define ENUM(name) (printf("%s\n    \"%s\": %lld", separator, #name, (long long)(name)), separator = ",")

#define STRUCT_BEGIN(type)                                                                                       \
  {                                                                                                              \
    typedef type this_struct;                                                                                    \
    struct aligned_struct {                                                                                      \
      char first;                                                                                                \
      type second;                                                                                               \
    };                                                                                                           \
    printf("%s\n    \"%s\": {\"size\": %zu, \"align\": %zu, \"fields\": {", separator, #type, sizeof(type),      \
           offsetof(struct aligned_struct, second));                                                             \
    separator = "";
#define FIELD(name)                                                                                              \
  (printf("%s\n      \"%s\": {\"offset\": %zu, \"size\": %zu}", separator, #name, offsetof(this_struct, name),  \
          sizeof(((this_struct*)0)->name)),                                                                      \
   separator = ",")
#define STRUCT_END()    \
  printf("\n    }}");   \
  separator = ",";      \
  }

int main(void) {
  printf("{\n  \"abiVersion\": %d,\n  \"enums\": {", FFC_ABI_VERSION);
  separator = "";
  ENUM(FFC_OK);
  ENUM(FFC_INVALID_ARGUMENT);
  ENUM(FFC_INVALID_SHAPE);
  ENUM(FFC_INVALID_DTYPE);
  ENUM(FFC_INVALID_HANDLE);
  ENUM(FFC_WRONG_CONTEXT);
  ENUM(FFC_OUT_OF_BOUNDS);
  ENUM(FFC_OVERLAP);
  ENUM(FFC_MISALIGNED);
  ENUM(FFC_ABI_MISMATCH);
  ENUM(FFC_UNSUPPORTED);
  ENUM(FFC_LIMIT_EXCEEDED);
  ENUM(FFC_NO_BACKEND);
  ENUM(FFC_NO_DRIVER);
  ENUM(FFC_NO_DEVICE);
  ENUM(FFC_OUT_OF_MEMORY);
  ENUM(FFC_CANCELLED);
  ENUM(FFC_NOT_READY);
  ENUM(FFC_CUDA_ERROR);
  ENUM(FFC_INTERNAL_ERROR);
  ENUM(FFC_BACKEND_CPU);
  ENUM(FFC_BACKEND_CUDA);
  ENUM(FFC_DEVICE_CPU);
  ENUM(FFC_DEVICE_CUDA);
  ENUM(FFC_DTYPE_FLOAT32);
  ENUM(FFC_DTYPE_FLOAT16);
  ENUM(FFC_DTYPE_BFLOAT16);
  ENUM(FFC_MODE_CAUSAL);
  ENUM(FFC_MODE_CIRCULAR);
  ENUM(FFC_MODE_FULL);
  ENUM(FFC_MODE_SAME);
  ENUM(FFC_MODE_VALID);
  ENUM(FFC_PRECISION_DEFAULT);
  ENUM(FFC_PRECISION_FAST);
  ENUM(FFC_PRECISION_ACCURATE);
  ENUM(FFC_ALGORITHM_AUTO);
  ENUM(FFC_ALGORITHM_DIRECT);
  ENUM(FFC_ALGORITHM_FFT);
  ENUM(FFC_ALGORITHM_OVERLAP_SAVE);
  ENUM(FFC_ALGORITHM_FUSED_MMA);
  ENUM(FFC_ALGORITHM_FUSED_FP32);
  ENUM(FFC_ALGORITHM_MULTI_PASS);
  ENUM(FFC_CONV_PRE_GATE);
  ENUM(FFC_CONV_POST_GATE);
  ENUM(FFC_CONV_SKIP);
  ENUM(FFC_CONV_SHARED_KERNEL);
  ENUM(FFC_SPARSITY_BLOCKS);
  ENUM(FFC_SPARSITY_CLASSES);
  ENUM(FFC_CONTEXT_PORTABLE);
  printf("\n  },\n  \"structs\": {");
  separator = "";

  STRUCT_BEGIN(ffc_error)
  FIELD(struct_size);
  FIELD(status);
  FIELD(message);
  STRUCT_END()

  STRUCT_BEGIN(ffc_context_desc)
  FIELD(struct_size);
  FIELD(device_type);
  FIELD(ordinal);
  FIELD(cpu_threads);
  FIELD(flags);
  FIELD(reserved);
  FIELD(shared_memory_limit_bytes);
  FIELD(memory_limit_bytes);
  FIELD(scratch_limit_bytes);
  STRUCT_END()

  STRUCT_BEGIN(ffc_device_info)
  FIELD(struct_size);
  FIELD(device_type);
  FIELD(ordinal);
  FIELD(compute_units);
  FIELD(compute_major);
  FIELD(compute_minor);
  FIELD(memory_total_bytes);
  FIELD(memory_free_bytes);
  FIELD(shared_memory_per_block_bytes);
  FIELD(l2_bytes);
  FIELD(name);
  FIELD(instruction_set);
  STRUCT_END()

  STRUCT_BEGIN(ffc_memory_info)
  FIELD(struct_size);
  FIELD(reserved);
  FIELD(live_bytes);
  FIELD(peak_bytes);
  FIELD(live_objects);
  STRUCT_END()

  STRUCT_BEGIN(ffc_conv_desc)
  FIELD(struct_size);
  FIELD(mode);
  FIELD(dtype);
  FIELD(kernel_dtype);
  FIELD(precision);
  FIELD(algorithm);
  FIELD(flags);
  FIELD(reserved);
  FIELD(batch);
  FIELD(channels);
  FIELD(length);
  FIELD(kernel_length);
  FIELD(u_batch_stride);
  FIELD(u_channel_stride);
  FIELD(pre_gate_batch_stride);
  FIELD(pre_gate_channel_stride);
  FIELD(post_gate_batch_stride);
  FIELD(post_gate_channel_stride);
  FIELD(y_batch_stride);
  FIELD(y_channel_stride);
  FIELD(kernel_channel_stride);
  STRUCT_END()

  STRUCT_BEGIN(ffc_plan_info)
  FIELD(struct_size);
  FIELD(algorithm);
  FIELD(precision);
  FIELD(order);
  FIELD(radices);
  FIELD(in_place);
  FIELD(reserved);
  FIELD(output_length);
  FIELD(transform_length);
  FIELD(segments);
  FIELD(spectrum_bytes);
  FIELD(workspace_bytes);
  STRUCT_END()

  STRUCT_BEGIN(ffc_forward_args)
  FIELD(struct_size);
  FIELD(reserved);
  FIELD(u);
  FIELD(u_offset_bytes);
  FIELD(pre_gate);
  FIELD(pre_gate_offset_bytes);
  FIELD(post_gate);
  FIELD(post_gate_offset_bytes);
  FIELD(skip);
  FIELD(skip_offset_bytes);
  FIELD(y);
  FIELD(y_offset_bytes);
  FIELD(workspace);
  FIELD(workspace_offset_bytes);
  STRUCT_END()

  STRUCT_BEGIN(ffc_sparsity)
  FIELD(struct_size);
  FIELD(kind);
  FIELD(block);
  FIELD(keep_count);
  STRUCT_END()

  printf("\n  }\n}\n");
  return 0;
}
