// The CPU's table of cases on the GPU, and every length from 1 to 300.
import assert from "node:assert/strict";
import { dtypes, forced, lengths, longestLengths, longLengths, matrix, modes, special } from "../cases.ts";
import { runAll } from "../run_case.ts";
import { gpuTest, openGpu } from "./availability.ts";

const upTo300 = Array.from({ length: 300 }, (_, i) => i + 1);

for (const mode of modes) {
  for (const dtype of dtypes) {
    gpuTest(`matrix: ${mode} ${dtype}`, async () => {
      using device = openGpu();
      await runAll(device, matrix(mode, dtype, lengths, 8));
      await runAll(device, matrix(mode, dtype, longLengths, 2));
    });
    gpuTest(`every length from 1 to 300: ${mode} ${dtype}`, async () => {
      using device = openGpu();
      await runAll(device, matrix(mode, dtype, upTo300, 1));
    });
    gpuTest(`the longest lengths: ${mode} ${dtype}`, async () => {
      using device = openGpu();
      await runAll(device, matrix(mode, dtype, longestLengths, 1));
    });
  }
}

gpuTest("special cases", async () => {
  using device = openGpu();
  await runAll(device, special);
});

gpuTest("compute capability 8.0, with 163 KB and with 99 KB of shared memory", async () => {
  for (const kilobytes of [163, 99]) {
    using device = openGpu({ portable: true, sharedMemoryLimitBytes: kilobytes * 1024 });
    for (const mode of modes) {
      for (const dtype of dtypes) await runAll(device, matrix(mode, dtype, [...lengths, ...longLengths, 32768], 1));
    }
  }
});

for (const algorithm of ["direct", "fused-fp32", "fused-mma", "multi-pass", "overlap-save"] as const) {
  gpuTest(`by force: ${algorithm}`, async () => {
    using device = openGpu();
    const { ran, skipped } = await runAll(device, forced(algorithm));
    console.log(`${algorithm}: ${ran} cases ran, ${skipped} not offered`);
    assert.ok(ran > 0, `${algorithm} was never offered`);
  });
}
