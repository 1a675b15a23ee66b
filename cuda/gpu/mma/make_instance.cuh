// Turns a configuration into a row of the manifest; only instances_*.cu include it, so that bodies compile once.
#pragma once
#include <type_traits>

#include "../core/older_devices.h"
#include "convolve.cuh"
#include "instance.h"
#include "tables.h"
#include "uniform.cuh"

namespace ffc::mma {

template <class C>
__global__ void __launch_bounds__(threads, 1) fusedConvolution(const __grid_constant__ Params p) {
  if constexpr (compiledHere<leastSharedBytes<C>>) convolve<C>(p);
}

template <RowShape shape, class C>
__global__ void __launch_bounds__(threads, 1) fusedSets(const __grid_constant__ Params p) {
  if constexpr (hasTensorCopies) convolveSets<C, shape>(p);  // launched only where this is so
}

template <class C>
Instance makeInstance() {
  Instance i;
  i.radix = C::R;
  i.pairwise = C::pairwise;
  i.element = C::bf16 ? Element::bfloat16 : Element::float16;
  i.accurate = C::accurate;
  i.gated = C::gated;
  i.packed = C::packed;
  i.splitOutputs = C::splitOutputs;
  i.slices = C::slices;
  i.spectrumFloats = C::spectrumFloats;
  i.halves = C::halves;
  i.scratchBytes = C::slices == 1 || C::oneSlice ? 0 : C::scratchBytes;  // an only slice keeps nothing
  if constexpr (C::sparse) i.ofDigits = &tablesOfDigits<C>;
  i.oneSlice = C::oneSlice;
  i.copyGroups = C::copyGroups;
  i.longRows = C::longRows;
  i.buffers = C::buffers;
  i.mostTiles = C::mostTiles;
  i.residentBytes = C::residentBlocks * C::residentBlockBytes;
  i.columns = C::residentBlocks > 0 && !C::packed;
  i.convolve = reinterpret_cast<const void*>(&fusedConvolution<C>);
  if constexpr (C::skipKernel)
    i.convolveSkip = reinterpret_cast<const void*>(&fusedConvolution<AddsSkip<C>>);
  else
    i.convolveSkip = i.convolve;
  i.sharedBytes = &sharedBytes<C>;
  if constexpr (C::uniform) {
    i.sets = {reinterpret_cast<const void*>(&fusedSets<RowShape::whole, C>), reinterpret_cast<const void*>(&fusedSets<RowShape::aligned, C>),
              reinterpret_cast<const void*>(&fusedSets<RowShape::anywhere, C>)};
    if constexpr (C::wraps) i.sets[static_cast<size_t>(RowShape::wrapping)] = reinterpret_cast<const void*>(&fusedSets<RowShape::wrapping, C>);
    i.uniformTiles = C::uniformTiles;
    i.uniformSlots = C::uniformSlots;
    i.interleaves = C::uniformUnroll > 1;
    i.uniformBytes = &uniformBytes<C>;
  }
  i.tables = &makeTables<C>;
  i.gain = &spectrumGain<C>;
  i.hidden = &hiddenTaps<C>;
  return i;
}

// Both element types, precision classes and gatings of one radix.
template <int radix, bool pairwise>
void addAll(std::vector<Instance>& list) {
  list.push_back(makeInstance<Config<radix, pairwise, Element::float16, false, false>>());
  list.push_back(makeInstance<Config<radix, pairwise, Element::float16, false, true>>());
  list.push_back(makeInstance<Config<radix, pairwise, Element::float16, true, false>>());
  list.push_back(makeInstance<Config<radix, pairwise, Element::float16, true, true>>());
  list.push_back(makeInstance<Config<radix, pairwise, Element::bfloat16, false, false>>());
  list.push_back(makeInstance<Config<radix, pairwise, Element::bfloat16, false, true>>());
  list.push_back(makeInstance<Config<radix, pairwise, Element::bfloat16, true, false>>());
  list.push_back(makeInstance<Config<radix, pairwise, Element::bfloat16, true, true>>());
}

// Radices 3 and 4 in slices. Up to 32768 samples bfloat16 promises 1.75e-3 in the accurate class, 1.65e-3 of which is the
// rounding of its output; two slices reached 1.76e-3, so the float32 family serves those.
template <int slices>
void addSliced(std::vector<Instance>& list) {
  list.push_back(makeInstance<Config<3, true, Element::float16, false, false, false, slices>>());
  list.push_back(makeInstance<Config<3, true, Element::float16, false, true, false, slices>>());
  list.push_back(makeInstance<Config<3, true, Element::bfloat16, false, false, false, slices>>());
  list.push_back(makeInstance<Config<3, true, Element::bfloat16, false, true, false, slices>>());
  list.push_back(makeInstance<Config<4, true, Element::float16, false, false, false, slices>>());
  list.push_back(makeInstance<Config<4, true, Element::float16, false, true, false, slices>>());
  list.push_back(makeInstance<Config<4, true, Element::float16, true, false, false, slices>>());
  list.push_back(makeInstance<Config<4, true, Element::bfloat16, false, false, false, slices>>());
  list.push_back(makeInstance<Config<4, true, Element::bfloat16, false, true, false, slices>>());
  if constexpr (slices > 2) list.push_back(makeInstance<Config<4, true, Element::bfloat16, true, false, false, slices>>());
}

}  // namespace ffc::mma
