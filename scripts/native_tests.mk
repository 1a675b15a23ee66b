# Drivers of the C ABI: against the built library, and against CPU-only builds under the sanitizers.
#   make native-test   make native-asan   make native-tsan   make abi-probe
.PHONY: native-test native-drivers abi-probe native-asan native-tsan

NATIVE_WARNINGS := -Wall -Wextra -Werror -pthread
NATIVE_DIR := $(BUILD)/native
NATIVE_LINK = -L$(BUILD) -lflashfftconv -Wl,-rpath,'$$ORIGIN/..' $(EXTRA_LDFLAGS)
NATIVE_DRIVERS := $(addprefix $(NATIVE_DIR)/,tour_test unload_test abi_errors_test stress_test runtime_test \
  window_test resampling_test filter_bank_test planner_test)
# The parts that runtime_test reaches without the ABI.
RUNTIME_OBJECTS := $(addprefix $(BUILD)/obj/cuda/,abi/handles.o abi/tensors.o abi/text.o host/failure.o \
  host/memory_ledger.o cpu/host_memory.o cpu/stream.o cpu/thread_pool.o cpu/worker_thread.o)
NATIVE_HEADERS := $(wildcard tests/native/*.h cuda/abi/*.h cuda/host/*.h cuda/cpu/*.h) cuda/include/flashfftconv.h

# Pure C99, pedantic: the header must not need anything newer.
$(NATIVE_DIR)/tour_test: tests/native/tour_test.c $(NATIVE_HEADERS) $(LIB)
	@mkdir -p $(@D)
	$(CC) -std=c99 -O1 -g -pedantic $(NATIVE_WARNINGS) $(EXTRA_CXXFLAGS) $< -o $@ $(NATIVE_LINK) -lm

# Opens the library itself, at the path it is given.
$(NATIVE_DIR)/unload_test: tests/native/unload_test.c $(NATIVE_HEADERS) $(LIB)
	@mkdir -p $(@D)
	$(CC) -std=c99 -O1 -g -pedantic $(NATIVE_WARNINGS) $(EXTRA_CXXFLAGS) $< -o $@ -ldl $(EXTRA_LDFLAGS)

$(NATIVE_DIR)/stress_test $(NATIVE_DIR)/abi_errors_test: $(NATIVE_DIR)/%: tests/native/%.cpp $(NATIVE_HEADERS) $(LIB)
	@mkdir -p $(@D)
	$(CXX) -std=c++17 -O1 -g $(NATIVE_WARNINGS) $(EXTRA_CXXFLAGS) $< -o $@ $(NATIVE_LINK)

$(NATIVE_DIR)/runtime_test: tests/native/runtime_test.cpp $(NATIVE_HEADERS) $(RUNTIME_OBJECTS)
	@mkdir -p $(@D)
	$(CXX) -std=c++17 -O1 -g $(NATIVE_WARNINGS) $(EXTRA_CXXFLAGS) $< $(RUNTIME_OBJECTS) -o $@ $(EXTRA_LDFLAGS)

$(NATIVE_DIR)/window_test: tests/native/window_test.cpp $(NATIVE_HEADERS) $(BUILD)/obj/cuda/host/problem.o
	@mkdir -p $(@D)
	$(CXX) -std=c++17 -O1 -g $(NATIVE_WARNINGS) $(EXTRA_CXXFLAGS) $< $(BUILD)/obj/cuda/host/problem.o -o $@ $(EXTRA_LDFLAGS)

RESAMPLING_OBJECTS := $(addprefix $(BUILD)/obj/cuda/host/,problem.o frequency_mask.o fft64.o)
$(NATIVE_DIR)/resampling_test $(NATIVE_DIR)/filter_bank_test: $(NATIVE_DIR)/%: tests/native/%.cpp $(NATIVE_HEADERS) $(RESAMPLING_OBJECTS)
	@mkdir -p $(@D)
	$(CXX) -std=c++17 -O1 -g $(NATIVE_WARNINGS) $(EXTRA_CXXFLAGS) $< $(RESAMPLING_OBJECTS) -o $@ $(EXTRA_LDFLAGS)

PLANNER_OBJECTS := $(addprefix $(BUILD)/obj/cuda/planner/,candidate.o constants.o defaults.o gpu_costs.o ranking.o)
$(NATIVE_DIR)/planner_test: tests/native/planner_test.cpp $(NATIVE_HEADERS) $(wildcard cuda/planner/*.h) $(PLANNER_OBJECTS)
	@mkdir -p $(@D)
	$(CXX) -std=c++17 -O1 -g $(NATIVE_WARNINGS) $(EXTRA_CXXFLAGS) $< $(PLANNER_OBJECTS) -o $@ $(EXTRA_LDFLAGS)

$(NATIVE_DIR)/abi_probe: tests/native/abi_probe.c cuda/include/flashfftconv.h
	@mkdir -p $(@D)
	$(CC) -std=c99 -pedantic $(NATIVE_WARNINGS) $< -o $@

# The JSON goes to the standard output: make -s abi-probe
abi-probe: $(NATIVE_DIR)/abi_probe
	@$<

native-drivers: $(NATIVE_DRIVERS)

# Each driver prints how many checks passed and fails when one failed or none ran.
native-test: native-drivers
	@set -e; for driver in $(NATIVE_DRIVERS); do $$driver $(LIB); done

# The library with its drivers, rebuilt with sanitizers in folders of their own, CPU alone (the sanitizers do not
# know the CUDA runtime). -O1 and no frame pointer omission: readable reports, at a bearable speed. Every report ends
# the run with an error.
SANITIZE_COMMON := -O1 -g -fno-omit-frame-pointer
ASAN_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all
TSAN_FLAGS := -fsanitize=thread
native-asan:
	@$(MAKE) --no-print-directory NVCC= BUILD=$(BUILD)-asan EXTRA_CXXFLAGS="$(SANITIZE_COMMON) $(ASAN_FLAGS)" \
	  EXTRA_LDFLAGS="$(ASAN_FLAGS)" native-drivers
	ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1 \
	  $(MAKE) --no-print-directory NVCC= BUILD=$(BUILD)-asan EXTRA_CXXFLAGS="$(SANITIZE_COMMON) $(ASAN_FLAGS)" \
	  EXTRA_LDFLAGS="$(ASAN_FLAGS)" native-test

native-tsan:
	@$(MAKE) --no-print-directory NVCC= BUILD=$(BUILD)-tsan EXTRA_CXXFLAGS="$(SANITIZE_COMMON) $(TSAN_FLAGS)" \
	  EXTRA_LDFLAGS="$(TSAN_FLAGS)" native-drivers
	TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 \
	  $(MAKE) --no-print-directory NVCC= BUILD=$(BUILD)-tsan EXTRA_CXXFLAGS="$(SANITIZE_COMMON) $(TSAN_FLAGS)" \
	  EXTRA_LDFLAGS="$(TSAN_FLAGS)" native-test
