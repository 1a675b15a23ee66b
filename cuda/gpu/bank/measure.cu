#include "measure.cuh"

#include "../multipass/multipass.h"
#include "passes.h"

namespace ffc::gpu {

void launchMeasure(const BankRows& rows, bool bf16, cudaStream_t stream) {
  BankParams p;
  p.rows = rows;
  launchPass(reinterpret_cast<const void*>(bf16 ? &measureRows<true> : &measureRows<false>), rows.chunk.groups * rows.chunk.rows * (bankParts / partsOfBlock),
             measureThreads, 0, p, stream, "looking for the largest samples");
}

}  // namespace ffc::gpu
