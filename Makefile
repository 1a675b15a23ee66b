# The native library. `make lib` builds build/libflashfftconv.so: with CUDA where nvcc is found, else the CPU
# backend alone, the same C ABI and file name. Other targets are included from scripts/*.mk.
BUILD ?= build
LIB := $(BUILD)/libflashfftconv.so
CXX ?= g++
NVCC ?= $(shell command -v nvcc 2>/dev/null || ls /usr/local/cuda/bin/nvcc 2>/dev/null)
# Machine code for each of ARCHS, and PTX of the last one (or of another) for later GPUs. sm_86 code also runs on
# Ada (8.9), and is made of the PTX of 8.0, which it has no instruction beyond: that saves a third of the front end's work.
# A developer's quick build: make lib ARCHS=90 BUILD=build-dev
ARCHS ?= 80 86 90
PTX ?= $(lastword $(ARCHS))
CXXFLAGS := -std=c++17 -O3 -fPIC -fvisibility=hidden -fvisibility-inlines-hidden -Wall -Wextra -Werror -pthread \
  -ffp-contract=fast -fno-math-errno -MMD -MP $(EXTRA_CXXFLAGS)
NVCCFLAGS := -std=c++17 -O3 -Xcompiler -fPIC,-fvisibility=hidden,-Wall,-Wno-unknown-pragmas,-pthread -cudart static -Xptxas -v -MMD -MP \
  -gencode arch=compute_$(PTX),code=compute_$(PTX) $(EXTRA_NVCCFLAGS)
codeFor = $(foreach a,$(1),-gencode arch=compute_$(a:86=80),code=sm_$(a))
CODE := $(call codeFor,$(ARCHS))

CXX_SOURCES := $(filter-out cuda/host/no_cuda.cpp,$(wildcard cuda/abi/*.cpp cuda/host/*.cpp cuda/planner/*.cpp cuda/cpu/*.cpp))
CU_SOURCES :=
ifeq ($(NVCC),)
CXX_SOURCES += cuda/host/no_cuda.cpp
else
CU_SOURCES += $(wildcard cuda/gpu/*.cu cuda/gpu/*/*.cu)
CXXFLAGS += -DFFC_WITH_CUDA=1
endif
OBJECTS := $(CXX_SOURCES:%.cpp=$(BUILD)/obj/%.o) $(CU_SOURCES:%.cu=$(BUILD)/obj/%.cu.o)

# CPU files built for wider instruction sets; cpu/dispatch picks one at run time.
$(BUILD)/obj/cuda/cpu/%_avx2.o: CXXFLAGS += -mavx2 -mfma -mf16c
$(BUILD)/obj/cuda/cpu/%_avx512.o: CXXFLAGS += -mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma -mf16c

# What needs more than the 99 KB of shared memory that a block has on 8.6 and 8.9, or works only beside something that does, is never offered
# there, and has no code of its own.
# What needs more than the 163 KB of 8.0 has code for 9.0 and later.
LARGER := bank/fine_half_passes
LARGE := bank/half_passes $(addprefix mma/instances_,halves packed_long radix3 radix4 sliced2 sliced4) \
  $(addprefix multipass/tensor_,column_instances_accurate column_instances_fast row_instances_accurate row_instances_fast spectrum_instances)
$(LARGE:%=$(BUILD)/obj/cuda/gpu/%.cu.o): CODE := $(call codeFor,$(filter-out 86,$(ARCHS)))
$(LARGER:%=$(BUILD)/obj/cuda/gpu/%.cu.o): CODE := $(call codeFor,$(filter-out 80 86,$(ARCHS)))

.PHONY: lib clean
lib: $(LIB)

# nodelete: streams have threads of their own that end by themselves; unloading must not take their code away.
EXPORTS := cuda/abi/exports.map
LINK_OPTIONS := --no-undefined --exclude-libs=ALL --version-script=$(EXPORTS) -z nodelete
$(LIB): $(OBJECTS) $(EXPORTS)
ifeq ($(NVCC),)
	$(CXX) -shared -pthread $(LINK_OPTIONS:%=-Xlinker %) $(EXTRA_LDFLAGS) -o $@.tmp $(OBJECTS)
else
	$(NVCC) -shared -cudart static -Xcompiler -pthread $(LINK_OPTIONS:%=-Xlinker %) $(EXTRA_LDFLAGS) -o $@.tmp $(OBJECTS)
endif
	mv $@.tmp $@

$(BUILD)/obj/%.o: %.cpp
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) -c $< -o $@

# The resource report of every device function stays beside its object: the spill check reads it.
$(BUILD)/obj/%.cu.o: %.cu
	@mkdir -p $(@D)
	$(NVCC) $(NVCCFLAGS) $(CODE) -c $< -o $@ 2> $@.ptxas || { cat $@.ptxas >&2; rm -f $@.ptxas; exit 1; }

clean:
	rm -rf $(BUILD)

-include $(OBJECTS:.o=.d)
include $(wildcard scripts/*.mk)
