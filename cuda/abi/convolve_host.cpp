#include "../host/frequency_mask.h"
#include "guard.h"
#include "layouts.h"
#include "lookup.h"
#include "structs.h"

using namespace ffc;

namespace {

// A host array, its name and the bytes it has when packed.
struct HostArray {
  const char* name;
  const void* data;
  int64_t bytes;
};

void checkPacked(const char* name, const Layout& l) {
  const bool channels = l.channels == 1 || l.strides.channel == l.samples;
  const bool batch = l.batch == 1 || l.strides.batch == l.channels * l.samples;
  if (!channels || !batch)
    throw Error(FFC_INVALID_SHAPE, std::string(name) + " has strides (" + std::to_string(l.strides.batch) + ", " +
                                       std::to_string(l.strides.channel) +
                                       "); ffc_convolve_host() takes packed arrays (strides of 0)");
}

HostArray hostArray(const char* name, const void* data, bool used, const Layout& layout) {
  if (!used) {
    if (data)
      throw Error(FFC_INVALID_ARGUMENT, std::string(name) + " was given, but the descriptor's flags do not ask for it");
    return {name, nullptr, 0};
  }
  if (!data) throw Error(FFC_INVALID_ARGUMENT, std::string(name) + " is NULL, but the descriptor asks for it");
  checkPacked(name, layout);
  if (reinterpret_cast<uintptr_t>(data) % static_cast<uintptr_t>(layout.elementBytes) != 0)
    throw Error(FFC_MISALIGNED, std::string(name) + " is not at a multiple of its element size, " +
                                    std::to_string(layout.elementBytes) + " bytes");
  return {name, data, extentBytes(name, layout)};
}

void checkApart(const HostArray& y, const HostArray& input) {
  if (!input.data) return;
  const auto a = reinterpret_cast<uintptr_t>(y.data), b = reinterpret_cast<uintptr_t>(input.data);
  if (a < b + static_cast<uintptr_t>(input.bytes) && b < a + static_cast<uintptr_t>(y.bytes))
    throw Error(FFC_OVERLAP, std::string("y overlaps ") + input.name + "; here it needs memory of its own");
}

}  // namespace

extern "C" {

ffc_status ffc_convolve_host(ffc_context context, const ffc_conv_desc* desc, const void* u, const void* kernel,
                             const void* pre_gate, const void* post_gate, const void* skip, void* y, int32_t* progress,
                             ffc_error* error) {
  return ffc_convolve_host_sparse(context, desc, nullptr, nullptr, u, kernel, pre_gate, post_gate, skip, y, progress, error);
}

ffc_status ffc_convolve_host_sparse(ffc_context context, const ffc_conv_desc* desc, const ffc_sparsity* sparsity,
                                    const uint8_t* keep, const void* u, const void* kernel, const void* pre_gate,
                                    const void* post_gate, const void* skip, void* y, int32_t* progress, ffc_error* error) {
  return guarded(error, [&] {
    const auto device = handles().get<ContextObject>(context)->device;
    ConvProblem p = makeProblem(readStruct(desc));
    if (sparsity) p.mask = std::make_shared<const FrequencyMask>(p, readStruct(sparsity), keep);
    if (!sparsity && keep) throw Error(FFC_INVALID_ARGUMENT, "keep was given without a sparsity");
    const HostArray output = hostArray("y", y, true, yLayout(p));
    for (const HostArray& input : {hostArray("u", u, true, uLayout(p)),
                                   hostArray("kernel", kernel, true, kernelLayout(p)),
                                   hostArray("pre_gate", pre_gate, p.preGate, preGateLayout(p)),
                                   hostArray("post_gate", post_gate, p.postGate, postGateLayout(p)),
                                   hostArray("skip", skip, p.skip, skipLayout(p))})
      checkApart(output, input);
    if (reinterpret_cast<uintptr_t>(progress) % sizeof(int32_t) != 0)
      throw Error(FFC_MISALIGNED, "progress is not at a multiple of 4 bytes");
    HostTensors tensors;
    tensors.u = u;
    tensors.kernel = kernel;
    tensors.preGate = pre_gate;
    tensors.postGate = post_gate;
    tensors.skip = skip;
    tensors.y = y;
    Progress words;
    words.words = progress;
    device->convolveHost(p, tensors, words);
  });
}

}  // extern "C"
