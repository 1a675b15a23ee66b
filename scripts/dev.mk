# What a person runs: setup, demo, test, gate, bench. Each brings what it needs and rebuilds nothing twice.
# The pinned Deno; another one can be given: make test DENO=/usr/bin/deno
DENO ?= node_modules/@deno/linux-x64-glibc/deno
OUT ?= out
JOBS ?= $(shell nproc)
# The library that scripts load. The default place is the one the loader looks into by itself.
RUN_ENV := DENO_NO_UPDATE_CHECK=1
ifneq ($(BUILD),build)
RUN_ENV += FLASHFFTCONV_LIBRARY=$(CURDIR)/$(LIB)
endif

RECORDING := node_modules/audio-lena/lena.wav

.PHONY: help setup tools parallel-lib demo test gate bench calibrate sweep refit

help:
	@echo 'make demo         a recording in a hall: out/reverb.wav, out/reverb.svg'
	@echo 'make test         builds everything and runs all tests; ONLY="gate deno" some of them'
	@echo 'make lib          the native library alone: build/libflashfftconv.so; NVCC= without CUDA, ARCHS=90 for one GPU generation'
	@echo 'make setup        the pinned Deno and the npm packages alone'
	@echo 'make gate         formatting, lint, types, documentation: what needs no library'
	@echo 'make bench        deno bench on every device; QUICK=1 in under a minute, ONLY=length one suite'
	@echo 'make calibrate    measures the constants of the planner on this device, for this user'
	@echo 'make sweep        every candidate of the planner on the CPU, with a picture'
	@echo 'make cpu-bench    the CPU engine beside FFTW and SciPy, where they are installed'
	@echo 'make gpu-bundle   packs .gpu/bundle for tests and measurements on a machine with a GPU (scripts/gpu_run.sh)'
	@echo 'make clean        removes build/'

# Quick enough to run each time (about 0.3 s); says what is missing before anything is built.
tools:
	@sh scripts/check_tools.sh $(NVCC)

# npm ci leaves exactly what the lock file names. The stamp is inside node_modules: deleting that folder or
# changing a lock file installs again, nothing else does. The link is for people: node_modules/.bin/deno.
node_modules/.installed: package.json package-lock.json | tools
	npm ci --no-audit --no-fund
	@mkdir -p node_modules/.bin && ln -sf ../@deno/linux-x64-glibc/deno node_modules/.bin/deno
	@touch $@

setup: tools node_modules/.installed

# A make of its own, so that "make demo" uses every core without the user saying -j.
parallel-lib: tools
	@$(MAKE) --no-print-directory -j$(JOBS) lib

# Each permission the example has is listed: it reads, writes the output folder, and loads one library.
DEMO_PERMISSIONS := --no-prompt --allow-read --allow-write=$(OUT) --allow-ffi=$(LIB) \
  --allow-env=FLASHFFTCONV_LIBRARY

demo: setup parallel-lib
	@mkdir -p $(OUT)
	@$(RUN_ENV) $(DENO) run $(DEMO_PERMISSIONS) examples/reverb.ts $(RECORDING) $(OUT)/reverb.wav \
	  --picture $(OUT)/reverb.svg $(DEMO_OPTIONS)

# Everything, or the parts named: make test ONLY="gate deno". scripts/test.ts lists the parts; each counts its
# tests, and the last line is "N passed, N failed".
TEST_ENV := $(RUN_ENV) BUILD='$(BUILD)' NVCC='$(NVCC)' JOBS='$(JOBS)'
test: setup parallel-lib
	@$(TEST_ENV) $(DENO) run -A scripts/test.ts $(ONLY)

# Formatting, lint, types, documentation, package, tree: the part that needs no library.
gate: setup
	@$(TEST_ENV) $(DENO) run -A scripts/test.ts gate

# Measures the planner's constants on the GPU, or the CPU where there is none, into the user's cache folder:
#   make calibrate   make calibrate CALIBRATE="cpu --file constants.json"
calibrate: setup parallel-lib
	@$(RUN_ENV) $(DENO) run --no-prompt --allow-ffi=$(LIB) --allow-read --allow-write \
	  --allow-env=FLASHFFTCONV_LIBRARY,FLASHFFTCONV_CONSTANTS,XDG_CACHE_HOME,HOME scripts/calibrate.ts $(CALIBRATE)

# Forces every candidate of the planner on the CPU: lines, and a picture of cost against length.
sweep: setup parallel-lib
	@mkdir -p $(OUT)
	@$(RUN_ENV) $(DENO) run -A bench/planner/sweep.ts cpu --out $(OUT)/sweep.jsonl
	@$(DENO) run -A bench/planner/plot_orders.ts $(OUT)/sweep.jsonl $(OUT)/orders.svg

# From a sweep on the GPU to the shipped constants, the committed lines and the picture: make refit SWEEP=.../sweep.jsonl
RESULTS := bench/results
refit:
	@$(DENO) run -A bench/planner/fit_constants.ts $(SWEEP) --write cuda/planner/gpu_table.h --held-out
	@$(DENO) run -A bench/planner/plot_orders.ts $(SWEEP) $(RESULTS)/h200-orders.svg
	@gzip -9 -n -c $(SWEEP) > $(RESULTS)/h200-sweep.jsonl.gz

# QUICK=1: under a minute. ONLY=length: one suite.
bench: setup parallel-lib
	@$(RUN_ENV) QUICK=$(QUICK) $(DENO) bench --no-prompt --allow-ffi=$(LIB) \
	  --allow-env=FLASHFFTCONV_LIBRARY,QUICK $(if $(ONLY),bench/$(ONLY)_bench.ts,bench/)
