#include "guard.h"
#include "layouts.h"
#include "lookup.h"
#include "structs.h"

using namespace ffc;

namespace {

// A tensor of ffc_forward(): there when the plan uses it, and not when it does not.
PlacedTensor place(const char* name, bool used, ffc_buffer handle, int64_t offsetBytes, const Layout& layout,
                   const Device* device) {
  if (!used) {
    if (handle != 0 || offsetBytes != 0)
      throw Error(FFC_INVALID_ARGUMENT, std::string(name) + " was given, but the plan was made without it; pass 0");
    return {};
  }
  if (handle == 0) throw Error(FFC_INVALID_ARGUMENT, std::string(name) + " is 0, but the plan needs it");
  const auto buffer = handles().get<BufferObject>(handle);
  checkSameContext(device, buffer->device.get(), (std::string(name) + "'s buffer").c_str(), "the plan");
  return placeTensor(name, layout, buffer->part, offsetBytes);
}

// Blocks of device memory that no tensor has a shape for.
PlacedTensor placeWorkspace(const ffc_forward_args& args, const PlanInfo& info, const Device* device) {
  if (args.workspace == 0) {
    if (args.workspace_offset_bytes != 0)
      throw Error(FFC_INVALID_ARGUMENT, "workspace_offset_bytes was given without a workspace");
    return {};
  }
  // What cudaMalloc and the CPU backend's buffers keep anyway; device functions read the workspace in wide words.
  constexpr int64_t alignment = 16;
  if (args.workspace_offset_bytes % alignment != 0)
    throw Error(FFC_MISALIGNED, "workspace is at offset " + std::to_string(args.workspace_offset_bytes) +
                                    " bytes; it must be a multiple of " + std::to_string(alignment));
  return place("workspace", true, args.workspace, args.workspace_offset_bytes, {1, 1, info.workspaceBytes, {}, 1},
               device);
}

std::string where(const PlacedTensor& t) {
  return std::string(t.name) + " (" + std::to_string(t.extentBytes) + " bytes from offset " +
         std::to_string(t.region.offsetBytes) + ")";
}

void checkApart(const PlacedTensor& written, const PlacedTensor& other, const char* possible) {
  bool exact;
  if (!other || !overlap(written, other, &exact)) return;
  throw Error(FFC_OVERLAP, where(written) + (exact ? " overlaps " : " lies between the rows of ") + where(other) +
                               (exact ? "; " : "; with so many rows that is accepted only where both have the same "
                                               "shape and strides. ") +
                               possible);
}

}  // namespace

extern "C" {

ffc_status ffc_forward(ffc_plan plan, ffc_spectrum spectrum, const ffc_forward_args* args, ffc_stream stream,
                       ffc_error* error) {
  return guarded(error, [&] {
    const ffc_forward_args a = readStruct(args);
    if (a.reserved) throw Error(FFC_INVALID_ARGUMENT, "reserved must be 0");
    const auto planObject = handles().get<PlanObject>(plan);
    const auto filter = handles().get<SpectrumObject>(spectrum);
    const Device* device = planObject->device.get();
    checkSameContext(device, filter->device.get(), "the spectrum", "the plan");
    if (filter->plan != planObject->part)
      throw Error(FFC_INVALID_ARGUMENT, "the spectrum was made by another plan; make one with ffc_spectrum_create()");
    if (!filter->computed.load(std::memory_order_acquire))
      throw Error(FFC_INVALID_ARGUMENT, "the spectrum is empty; call ffc_spectrum_compute() before ffc_forward()");
    const auto on = streamOf(stream, planObject->device, "the plan");

    const ConvProblem& p = planObject->part->problem();
    const PlanInfo& info = planObject->part->info();
    const PlacedTensor u = place("u", true, a.u, a.u_offset_bytes, uLayout(p), device);
    const PlacedTensor pre =
        place("pre_gate", p.preGate, a.pre_gate, a.pre_gate_offset_bytes, preGateLayout(p), device);
    const PlacedTensor post =
        place("post_gate", p.postGate, a.post_gate, a.post_gate_offset_bytes, postGateLayout(p), device);
    const PlacedTensor skip = place("skip", p.skip, a.skip, a.skip_offset_bytes, skipLayout(p), device);
    const PlacedTensor y = place("y", true, a.y, a.y_offset_bytes, yLayout(p), device);
    const PlacedTensor workspace = placeWorkspace(a, info, device);

    const bool inPlace = sameTensor(u, y), inPlaceOffered = canRunInPlace(*planObject->part);
    if (inPlace && !inPlaceOffered)
      throw Error(FFC_OVERLAP, "y is u, but this plan cannot run in place (plan_info.in_place is 0); y needs memory of "
                               "its own");
    if (!inPlace)
      checkApart(y, u,
                 inPlaceOffered ? "y may be exactly u (same buffer, offset and strides) or apart from it"
                                : "y needs memory of its own");
    constexpr const char* apart = "y must be apart from it";
    checkApart(y, pre, apart);
    checkApart(y, post, apart);
    checkApart(y, skip, apart);
    if (workspace && info.workspaceBytes > 0)
      for (const PlacedTensor* other : {&u, &pre, &post, &skip, &y})
        checkApart(workspace, *other, "the workspace needs memory of its own");

    ForwardArgs forward;
    forward.u = u.region;
    forward.preGate = pre.region;
    forward.postGate = post.region;
    forward.skip = skip.region;
    forward.y = y.region;
    forward.workspace = workspace.region;
    planObject->part->forward(filter->part, forward, on);
  });
}

}  // extern "C"
