// The whole table on the device under test: every mode x dtype x lengths, with gates, skip, strides and shared kernels.
import assert from "node:assert/strict";
import { dtypes, forced, lengths, longestLengths, longLengths, matrix, modes, special } from "./cases.ts";
import { openTestDevice, testDeviceType } from "./device.ts";
import { runAll } from "./run_case.ts";

for (const mode of modes) {
  for (const dtype of dtypes) {
    Deno.test(`matrix: ${mode} ${dtype}`, async () => {
      using device = openTestDevice();
      await runAll(device, matrix(mode, dtype, lengths, 8));
      await runAll(device, matrix(mode, dtype, longLengths, 2));
    });
  }
  Deno.test(`matrix: ${mode} of the longest lengths`, async () => {
    using device = openTestDevice();
    await runAll(device, matrix(mode, "float32", longestLengths, 1));
    await runAll(device, matrix(mode, "bfloat16", longestLengths.slice(1, 2), 1));
  });
}

Deno.test("matrix: special cases", async () => {
  using device = openTestDevice();
  await runAll(device, special);
});

Deno.test("matrix: baseline instructions only", async () => {
  using device = openTestDevice({ portable: true });
  for (const dtype of dtypes) {
    for (const mode of modes) await runAll(device, matrix(mode, dtype, [1, 3, 31, 64, 129, 513, 2049], 2));
  }
});

Deno.test("matrix: each algorithm by force", async () => {
  using device = openTestDevice();
  const offered = testDeviceType === "cpu" ? ["direct", "fft", "overlap-save"] as const : ["direct"] as const;
  for (const algorithm of offered) {
    const { ran } = await runAll(device, forced(algorithm));
    assert.ok(ran > 0, `${algorithm} was not offered for a single case`);
  }
});
