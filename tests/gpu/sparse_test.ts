// Frequency-sparse plans on the GPU: every kind of pattern, in every family that takes one, against float64.
import assert from "node:assert/strict";
import { openDevice, UnsupportedError } from "../../mod.ts";
import { dtypes } from "../cases.ts";
import { runAllSparse, sparseCases } from "../sparse_cases.ts";
import { gpuTest, openGpu } from "./availability.ts";

for (const dtype of dtypes) {
  gpuTest(`sparse: every pattern, ${dtype}`, async () => {
    using device = openGpu();
    const cases = sparseCases("causal", [1, 30, 100, 257, 1000, 2048, 3000, 4096, 5000, 16384], [dtype]);
    assert.equal(await runAllSparse(device, cases), cases.length);
  });
  gpuTest(`sparse: several passes, ${dtype}`, async () => {
    using device = openGpu();
    const cases = sparseCases("causal", [40000, 65536, 131072], [dtype]);
    assert.equal(await runAllSparse(device, cases), cases.length);
    const long = sparseCases("causal", [524288], [dtype]).filter(({ pattern }) => "classes" in pattern);
    assert.equal(await runAllSparse(device, long), long.length);
  });
}

for (const algorithm of ["fused-fp32", "fused-mma", "multi-pass"] as const) {
  gpuTest(`sparse: by force: ${algorithm}`, async () => {
    using device = openGpu();
    const lengths = algorithm === "multi-pass" ? [65536] : [300, 4096, 32768];
    for (const precision of ["fast", "accurate"] as const) {
      const cases = sparseCases("causal", lengths, ["bfloat16", "float16"]).map((c) => ({
        ...c,
        algorithm,
        precision,
      }));
      assert.ok(await runAllSparse(device, cases) >= 10);
    }
  });
}

gpuTest("sparse: a smaller device", async () => {
  using device = openDevice("cuda", { portable: true, sharedMemoryLimitBytes: 99 * 1024 });
  assert.ok(await runAllSparse(device, sparseCases("causal", [1000, 8192, 65536], dtypes)) >= 20);
});

gpuTest("sparse: several passes skip what they say", () => {
  using device = openGpu();
  const work = (classes: number[]) => {
    using plan = device.plan({ length: 65536, kernelLength: 65536, keepFrequencies: { classes, modulus: 256 } });
    const { sparsity } = plan.explain().data;
    const numbers = sparsity as {
      rowFlops: number;
      rowFlopsSkipped: number;
      rowBytes: number;
      rowBytesSkipped: number;
    };
    return { ...numbers, spectrumBytes: plan.info.spectrumBytes, workspaceBytes: plan.info.workspaceBytes };
  };
  const every = (step: number) => Array.from({ length: 256 / step }, (_, i) => i * step);
  const [all, quarter, tenth] = [work(every(1)), work(every(4)), work(every(16))];
  assert.equal(all.rowFlopsSkipped, 0);
  assert.equal(all.rowBytesSkipped, 0);
  assert.ok(tenth.rowFlopsSkipped > quarter.rowFlopsSkipped && quarter.rowFlopsSkipped > 0.5 * quarter.rowFlops);
  assert.ok(quarter.rowBytesSkipped > 0.6 * quarter.rowBytes);
  assert.ok(quarter.spectrumBytes < 0.3 * all.spectrumBytes && quarter.workspaceBytes < 0.3 * all.workspaceBytes);
});

gpuTest("sparse: what the GPU does not offer is refused with the reason", () => {
  using device = openGpu();
  const plan = (more: object) => () =>
    device.plan({ length: 1000, kernelLength: 1000, keepFrequencies: { lowest: 0.5 }, ...more });
  for (const more of [{ mode: "circular" }, { algorithm: "direct" }, { algorithm: "overlap-save" }]) {
    assert.throws(
      plan(more),
      (error) => error instanceof UnsupportedError && /sparse|cpu|frequencies/.test(error.message),
    );
  }
});
