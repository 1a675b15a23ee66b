# The CPU engine by itself: its test, and its speed beside FFTW and SciPy.
#   make engine-test [ENGINE_TEST_ARGS=] (all cases; the default is a quick choice)   make engine-asan   make cpu-bench [CPU_BENCH_ARGS="--json FILE"]
.PHONY: engine-test engine-asan cpu-bench

ENGINE_DIR := $(BUILD)/engine
ENGINE_OBJECTS := $(addprefix $(BUILD)/obj/cuda/,cpu/engine.o cpu/cost_model.o cpu/transform_plan.o \
  cpu/simd_baseline.o cpu/simd_avx2.o cpu/simd_avx512.o cpu/thread_pool.o cpu/worker_thread.o cpu/host_memory.o \
  host/block_energy.o host/fft64.o host/frequency_mask.o host/memory_ledger.o host/problem.o \
  planner/candidate.o planner/ranking.o planner/constants.o planner/defaults.o)
ENGINE_HEADERS := $(wildcard cuda/cpu/*.h cuda/host/*.h cuda/planner/*.h tests/native/*.h) cuda/include/flashfftconv.h
ENGINE_FLAGS := -std=c++17 -Wall -Wextra -Werror -pthread $(EXTRA_CXXFLAGS)
# FFTW is for this comparison only; the library never links it.
FFTW_LIBRARIES = $(shell $(CXX) -E -include fftw3.h -xc++ /dev/null >/dev/null 2>&1 && echo -lfftw3f_threads -lfftw3f)

$(ENGINE_DIR)/engine_test: tests/native/engine_test.cpp $(ENGINE_OBJECTS) $(ENGINE_HEADERS)
	@mkdir -p $(@D)
	$(CXX) -O2 $(ENGINE_FLAGS) $< $(ENGINE_OBJECTS) -o $@ $(EXTRA_LDFLAGS)

$(ENGINE_DIR)/fftw_compare: bench/cpu/fftw_compare.cpp $(ENGINE_OBJECTS) $(ENGINE_HEADERS)
	@mkdir -p $(@D)
	$(CXX) -O3 -march=native $(ENGINE_FLAGS) $< $(ENGINE_OBJECTS) -o $@ $(FFTW_LIBRARIES) $(EXTRA_LDFLAGS)

ENGINE_TEST_ARGS ?= --quick
engine-test: $(ENGINE_DIR)/engine_test
	$< $(ENGINE_TEST_ARGS)

# -O1: the sanitizers' checks at a bearable speed; a folder of its own, CPU alone.
engine-asan:
	$(MAKE) --no-print-directory NVCC= BUILD=$(BUILD)-engine-asan \
	  EXTRA_CXXFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all" \
	  EXTRA_LDFLAGS="-fsanitize=address,undefined" engine-test

cpu-bench: $(ENGINE_DIR)/fftw_compare
	$< $(CPU_BENCH_ARGS)
	$(or $(wildcard /usr/bin/python3),python3) bench/cpu/scipy_compare.py --engine $<
