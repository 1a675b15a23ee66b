// The manifest of the fused float32 family as one list, where its instances run, and how they are launched.
#include <algorithm>

#include "../launch.h"
#include "instance.h"

namespace ffc::gpu {

const std::vector<Fp32Instance>& fp32Instances() {
  static const std::vector<Fp32Instance> list = [] {
    std::vector<Fp32Instance> made;
    addSmallInstances(made);
    addMediumInstances(made);
    addLargeInstances(made);
    addPartitionedInstances(made);
    addSplitInstances(made);
    return made;
  }();
  return list;
}

bool runsOn(const Fp32Instance& i, const GpuLimits& limits) {
  if (i.sharedBytes > limits.sharedMemoryPerBlock || (i.blocks > 1 && limits.computeMajor < 9)) return false;
  // Clusters, and more shared memory than 8.0 has, need code that was compiled for 9.0.
  return (i.blocks == 1 && i.sharedBytes <= olderSharedBytes) || isCodeFor9(i.convolve);
}

Fp32Shape shapeOf(const Fp32Instance& i) {
  Fp32Shape s;
  s.points = i.points;
  s.threads = i.threads;
  s.rows = i.rows;
  s.blocks = i.blocks;
  s.sharedBytes = i.sharedBytes;
  s.partitioned = i.partitioned;
  s.radices = i.radices;
  return s;
}

void launchFp32(const void* function, const Fp32Instance& i, int64_t units, void* params, cudaStream_t stream) {
  // The device function walks over what a grid of this size leaves.
  const int64_t groups = std::min<int64_t>((units + i.rows - 1) / i.rows, 0x7fffffff / i.blocks);
  cudaLaunchAttribute cluster;
  cluster.id = cudaLaunchAttributeClusterDimension;
  cluster.val.clusterDim.x = static_cast<unsigned>(i.blocks);
  cluster.val.clusterDim.y = cluster.val.clusterDim.z = 1;
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(static_cast<unsigned>(groups * i.blocks));
  config.blockDim = dim3(static_cast<unsigned>(i.threads * i.rows));
  config.dynamicSmemBytes = static_cast<size_t>(i.sharedBytes);
  config.stream = stream;
  config.attrs = &cluster;
  config.numAttrs = i.blocks > 1 ? 1 : 0;
  void* arguments[] = {params};
  checkCuda(cudaLaunchKernelExC(&config, function, arguments), "launching a fused float32 convolution");
}

}  // namespace ffc::gpu
