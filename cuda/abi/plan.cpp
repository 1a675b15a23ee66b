#include <algorithm>

#include "../host/frequency_mask.h"
#include "guard.h"
#include "layouts.h"
#include "lookup.h"
#include "structs.h"
#include "text.h"

using namespace ffc;

extern "C" {

ffc_status ffc_plan_create(ffc_context context, const ffc_conv_desc* desc, ffc_plan* plan, ffc_error* error) {
  return ffc_plan_create_candidate(context, desc, nullptr, nullptr, nullptr, plan, error);
}

ffc_status ffc_plan_create_candidate(ffc_context context, const ffc_conv_desc* desc, const ffc_sparsity* sparsity,
                                     const uint8_t* keep, const char* candidate, ffc_plan* plan, ffc_error* error) {
  return guarded(error, [&] {
    handleOutput(plan, Kind::plan);
    auto object = std::make_shared<PlanObject>();
    object->device = handles().get<ContextObject>(context)->device;
    ConvProblem problem = makeProblem(readStruct(desc));
    if (sparsity) problem.mask = std::make_shared<const FrequencyMask>(problem, readStruct(sparsity), keep);
    if (!sparsity && keep) throw Error(FFC_INVALID_ARGUMENT, "keep was given without a sparsity");
    if (candidate) problem.candidate = candidate;
    object->part = object->device->createPlan(problem);
    publish(std::move(object), plan);
  });
}

ffc_status ffc_plan_destroy(ffc_plan plan, ffc_error* error) {
  return guarded(error, [&] { destroy<PlanObject>(plan); });
}

ffc_status ffc_plan_info_get(ffc_plan plan, ffc_plan_info* info, ffc_error* error) {
  return guarded(error, [&] {
    checkedStructSize<ffc_plan_info>(info);
    const auto object = handles().get<PlanObject>(plan);
    const PlanInfo& from = object->part->info();
    ffc_plan_info values{};
    values.algorithm = from.algorithm;
    values.precision = from.precision;
    values.order = from.order;
    std::copy(std::begin(from.radices), std::end(from.radices), std::begin(values.radices));
    values.in_place = canRunInPlace(*object->part);
    values.output_length = object->part->problem().outputLength;
    values.transform_length = from.transformLength;
    values.segments = from.segments;
    values.spectrum_bytes = from.spectrumBytes;
    values.workspace_bytes = from.workspaceBytes;
    writeStruct(info, values);
  });
}

ffc_status ffc_plan_explain(ffc_plan plan, char* text, size_t capacity, size_t* needed, ffc_error* error) {
  return guarded(error, [&] {
    if (capacity > 0) required(text, "text");
    const std::string json = handles().get<PlanObject>(plan)->part->explainJson();
    copyText(json.data(), json.size(), text, capacity);
    if (needed) *needed = json.size();
  });
}

ffc_status ffc_spectrum_create(ffc_plan plan, ffc_spectrum* spectrum, ffc_error* error) {
  return guarded(error, [&] {
    handleOutput(spectrum, Kind::spectrum);
    const auto owner = handles().get<PlanObject>(plan);
    auto object = std::make_shared<SpectrumObject>();
    object->device = owner->device;
    object->plan = owner->part;
    object->part = owner->part->createSpectrum();
    publish(std::move(object), spectrum);
  });
}

ffc_status ffc_spectrum_destroy(ffc_spectrum spectrum, ffc_error* error) {
  return guarded(error, [&] { destroy<SpectrumObject>(spectrum); });
}

ffc_status ffc_spectrum_compute(ffc_spectrum spectrum, ffc_buffer kernel, int64_t kernel_offset_bytes,
                                ffc_stream stream, ffc_error* error) {
  return guarded(error, [&] {
    const auto object = handles().get<SpectrumObject>(spectrum);
    const auto buffer = handles().get<BufferObject>(kernel);
    checkSameContext(object->device.get(), buffer->device.get(), "the kernel's buffer", "the spectrum");
    const auto on = streamOf(stream, object->device, "the spectrum");
    const PlacedTensor placed =
        placeTensor("kernel", kernelLayout(object->plan->problem()), buffer->part, kernel_offset_bytes);
    object->computed.store(false, std::memory_order_release);  // what a call that fails leaves is no spectrum
    object->plan->computeSpectrum(object->part, placed.region, on);
    object->computed.store(true, std::memory_order_release);
  });
}

}  // extern "C"
