#include "../host/frequency_mask.h"
#include "guard.h"
#include "lookup.h"
#include "structs.h"

using namespace ffc;

extern "C" {

ffc_status ffc_frequency_bins(int32_t mode, int64_t length, int64_t* bins, ffc_error* error) {
  return guarded(error, [&] { *required(bins, "bins") = frequencyGrid(mode, length).bins; });
}

ffc_status ffc_plan_create_sparse(ffc_context context, const ffc_conv_desc* desc, const ffc_sparsity* sparsity,
                                  const uint8_t* keep, ffc_plan* plan, ffc_error* error) {
  return guarded(error, [&] {
    handleOutput(plan, Kind::plan);
    ConvProblem problem = makeProblem(readStruct(desc));
    problem.mask = std::make_shared<const FrequencyMask>(problem, readStruct(sparsity), keep);
    auto object = std::make_shared<PlanObject>();
    object->device = handles().get<ContextObject>(context)->device;
    object->part = object->device->createPlan(problem);
    publish(std::move(object), plan);
  });
}

ffc_status ffc_block_energies(const ffc_conv_desc* desc, const ffc_sparsity* sparsity, const void* kernel,
                              double* energies, ffc_error* error) {
  return guarded(error, [&] {
    const ConvProblem problem = makeProblem(readStruct(desc));
    blockEnergies(problem, readStruct(sparsity), required(kernel, "kernel"), required(energies, "energies"));
  });
}

}  // extern "C"
