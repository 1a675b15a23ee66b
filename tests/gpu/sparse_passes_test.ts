// Frequency-sparse plans of several passes, in a file of their own because float64 takes most of their time and files run side by
// side.
import assert from "node:assert/strict";
import { dtypes } from "../cases.ts";
import { runAllSparse, sparseCases } from "../sparse_cases.ts";
import { gpuTest, openGpu } from "./availability.ts";

for (const dtype of dtypes) {
  gpuTest(`sparse: several passes, ${dtype}`, async () => {
    using device = openGpu();
    const cases = sparseCases("causal", [40000, 65536, 131072], [dtype]);
    assert.equal(await runAllSparse(device, cases), cases.length);
    const long = sparseCases("causal", [524288], [dtype])
      .filter(({ pattern }) => "classes" in pattern || "band" in pattern);
    assert.equal(await runAllSparse(device, long), long.length);
  });
}

// The kernel is masked on its own grid, so every length will do; powers of two have transforms with the frequencies of that grid.
for (const dtype of dtypes) {
  gpuTest(`sparse: every pattern, circular, ${dtype}`, async () => {
    using device = openGpu();
    const lengths = [30, 101, 257, 1000, 3001, 4096, 8192, 16384, 32768, 65536, 65537, 131072, 262144];
    const cases = sparseCases("circular", lengths, [dtype]);
    assert.equal(await runAllSparse(device, cases), cases.length);
  });
}
