# Objects made with other flags are made again: without this, installing nvcc after a CPU-only build, or another
# ARCHS, would link old objects with new ones. The flags of a build folder are kept in files that change only when
# they do; C++ and CUDA apart, so that a CPU-only build in between does not cost the device code. They are written
# while make reads these lines, so that "make -n" and "make -q" tell the truth.

# $(call keep_flags,FILE,TEXT). Where there is no such file yet there is nothing to compare with, so the new one must
# not look newer than the objects.
keep_flags = $(if $(shell mkdir -p $(dir $(1)) && new=$(1).$$$$ && printf '%s\n' '$(2)' > $$new && \
  if cmp -s $$new $(1); then rm $$new; elif [ -e $(1) ]; then mv $$new $(1); \
  else touch -d 2000-01-01 $$new && mv $$new $(1); fi || echo failed),$(error cannot write $(1)))

$(call keep_flags,$(BUILD)/flags_cxx.txt,$(CXX) $(CXXFLAGS))
$(CXX_SOURCES:%.cpp=$(BUILD)/obj/%.o): $(BUILD)/flags_cxx.txt
ifneq ($(NVCC),)
$(call keep_flags,$(BUILD)/flags_cuda.txt,$(NVCC) $(NVCCFLAGS) $(CODE) $(LARGE))
$(CU_SOURCES:%.cu=$(BUILD)/obj/%.cu.o): $(BUILD)/flags_cuda.txt
endif
