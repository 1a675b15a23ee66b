# Running on a machine with a GPU that has neither network nor node: `make gpu-bundle` packs what it needs into
# .gpu/bundle; there, from the root of a copy of this tree, `scripts/gpu_run.sh OUT` tests and measures.
.PHONY: gpu-bench gpu-bundle portable-lib racecheck-lib mma-emulation

GPU_BENCH := $(BUILD)/gpu_bench
GPU_BUNDLE := .gpu/bundle

# Links the runtime statically, as the library does; its own kernel is only the copy that sets the memory floor.
$(GPU_BENCH): bench/gpu/bench.cu $(wildcard bench/gpu/*.h) cuda/include/flashfftconv.h
	@mkdir -p $(@D)
	$(NVCC) -std=c++17 -O2 -Xcompiler -Wall,-pthread -cudart static \
	  $(foreach a,$(ARCHS),-gencode arch=compute_$(a),code=sm_$(a)) -o $@ $< -ldl

gpu-bench: $(GPU_BENCH)

# What an Ampere or Ada GPU runs, for a later GPU: the code of compute capability 8.0, as PTX, and translated from that PTX
# for PORTABLE_ON beforehand, because the driver would take minutes. CUDA_FORCE_PTX_JIT=1 makes it use the PTX. Packed by
# gpu-bundle where it has been built.
PORTABLE_ON ?= 90
portable-lib:
	$(MAKE) --no-print-directory lib ARCHS= PTX=80 BUILD=$(BUILD)-portable \
	  EXTRA_NVCCFLAGS="-gencode arch=compute_80,code=sm_$(PORTABLE_ON)"

# What racecheck looks at: the same, but that every lane arrives at the barriers in two halves (cuda/gpu/mma/device.cuh).
racecheck-lib:
	$(MAKE) --no-print-directory lib BUILD=$(BUILD)-racecheck EXTRA_NVCCFLAGS=-DFFC_EVERY_LANE_ARRIVES

gpu-bundle: $(LIB) $(GPU_BENCH) node_modules/.installed
	sh scripts/gpu_bundle.sh $(GPU_BUNDLE) $(LIB) $(GPU_BENCH) $(DENO) $(BUILD)

# The tensor-core kernel's index maps, lane by lane on the CPU: needs neither a GPU nor nvcc. At -O1, because what -O2 saves of a
# minute's run it takes to compile; and what is set under one condition and read under the same looks unset to it there.
MMA_EMULATION := $(BUILD)/native/mma_emulation
$(MMA_EMULATION): tests/native/mma_emulation.cpp $(wildcard cuda/gpu/mma/*.cuh cuda/gpu/mma/*/*.cuh cuda/gpu/mma/*.h cuda/gpu/mma/*/*.h)
	@mkdir -p $(@D)
	$(CXX) -std=c++17 -O1 -Wall -Wno-unknown-pragmas -Wno-maybe-uninitialized -o $@ $<

PASSES_EMULATION := $(BUILD)/native/passes_emulation
$(PASSES_EMULATION): tests/native/passes_emulation.cpp $(wildcard cuda/gpu/m*/*.cuh cuda/gpu/m*/*/*.cuh cuda/gpu/m*/*.h cuda/gpu/m*/*/*.h)
	@mkdir -p $(@D)
	$(CXX) -std=c++17 -O2 -Wall -Wno-unknown-pragmas -o $@ $<

BANK_EMULATION := $(BUILD)/native/bank_emulation
BANK_OBJECTS := $(addprefix $(BUILD)/obj/cuda/host/,problem.o frequency_mask.o fft64.o)
$(BANK_EMULATION): tests/native/bank_emulation.cpp $(wildcard tests/native/*.h cuda/gpu/bank/*.cuh cuda/gpu/bank/*.h cuda/gpu/mma/*.cuh cuda/gpu/mma/*.h cuda/gpu/mma/*/*.h cuda/host/*.h) $(BANK_OBJECTS)
	@mkdir -p $(@D)
	$(CXX) -std=c++17 -O2 -Wall -Wno-unknown-pragmas -o $@ $< $(BANK_OBJECTS)
# At -O1 for the same reasons as above.
FINE_BANK_EMULATION := $(BUILD)/native/fine_bank_emulation
$(FINE_BANK_EMULATION): tests/native/fine_bank_emulation.cpp $(wildcard tests/native/*.h cuda/gpu/bank/*.cuh cuda/gpu/bank/*.h cuda/gpu/mma/*.cuh cuda/gpu/mma/*.h cuda/gpu/mma/*/*.h cuda/host/*.h) $(BANK_OBJECTS)
	@mkdir -p $(@D)
	$(CXX) -std=c++17 -O1 -Wall -Wno-unknown-pragmas -Wno-maybe-uninitialized -o $@ $< $(BANK_OBJECTS)

# Minutes of work, in pieces side by side under make -j2.
MMA_PARTS := run-mma-emulation-0 run-mma-emulation-1
PASSES_PARTS := run-passes-emulation-0 run-passes-emulation-1
.PHONY: $(MMA_PARTS) $(PASSES_PARTS) run-bank-emulation
mma-emulation: run-bank-emulation $(PASSES_PARTS) $(MMA_PARTS)
run-bank-emulation: $(BANK_EMULATION) $(FINE_BANK_EMULATION)
	$(BANK_EMULATION)
	$(FINE_BANK_EMULATION)
$(MMA_PARTS): run-mma-emulation-%: $(MMA_EMULATION)
	$(MMA_EMULATION) $* 2
$(PASSES_PARTS): run-passes-emulation-%: $(PASSES_EMULATION)
	$(PASSES_EMULATION) $* 2
