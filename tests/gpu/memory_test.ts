// Device memory: what a call takes beside its tensors, what the plan says it will take, and that a limit on it changes
// nothing but the memory.
import assert from "node:assert/strict";
import { type ConvPlanOptions, type Device, OutOfMemoryError } from "../../mod.ts";
import { gaussian } from "../random.ts";
import { rounded } from "../rounded.ts";
import { gpuTest, openGpu } from "./availability.ts";

const MiB = 2 ** 20, GiB = 2 ** 30;

/** Bytes that forward() adds to what its inputs and the spectrum hold, output included; and the output's own. */
function peakOfCall(device: Device, options: ConvPlanOptions & { dtype: "float16" | "bfloat16" | "float32" }) {
  const { batch = 1, channels = 1, length, kernelLength, dtype } = options;
  using plan = device.plan(options);
  using u = device.zeros([batch, channels, length], dtype);
  using k = device.zeros([channels, kernelLength], dtype);
  using spectrum = plan.spectrum(k);
  device.resetPeakMemory();
  const before = device.memory().liveBytes;
  using y = plan.forward(u, spectrum);
  const peak = device.memory().peakBytes - before;
  return { peak, output: y.byteLength, info: plan.info };
}

for (const dtype of ["float16", "bfloat16"] as const) {
  gpuTest(`memory: 1M samples, B = 8, H = 48 in ${dtype} take the output and at most 1.5 GiB`, () => {
    using device = openGpu();
    const length = 2 ** 20;
    const { peak, output, info } = peakOfCall(device, {
      batch: 8,
      channels: 48,
      length,
      kernelLength: length,
      mode: "causal",
      dtype,
    });
    console.log(`${dtype}: peak ${(peak / MiB).toFixed(1)} MiB, output ${(output / MiB).toFixed(1)} MiB`);
    assert.equal(output, 768 * MiB);
    assert.ok(peak >= output, `${peak}: the output was not counted`);
    assert.ok(peak <= output + 1.5 * GiB, `${peak}`);
    assert.ok(peak <= output + info.workspaceBytes, `${peak}: more than the plan announced, ${info.workspaceBytes}`);
    assert.ok(info.workspaceBytes <= GiB, `${info.workspaceBytes}: more than the default limit`);
  });
}

gpuTest("memory: what one pass does takes the output alone", () => {
  using device = openGpu();
  const { peak, output, info } = peakOfCall(device, {
    batch: 8,
    channels: 64,
    length: 4096,
    kernelLength: 4096,
    mode: "causal",
    dtype: "bfloat16",
  });
  assert.equal(info.workspaceBytes, 0);
  assert.equal(peak, output);
});

gpuTest("memory: a smaller scratch limit is kept and gives the same bits", async () => {
  const [batch, channels, length] = [3, 4, 200003];
  for (const dtype of ["float32", "float16", "bfloat16"] as const) {
    const numbers = (count: number, seed: number) => rounded(gaussian(count, seed, 1), dtype).host;
    const u = numbers(batch * channels * length, 1), k = numbers(channels * length, 2);
    const results: (Float32Array | Uint16Array)[] = [], candidates: string[] = [];
    for (const scratchLimitBytes of [0, 8 * MiB, 1]) {
      using device = openGpu({ scratchLimitBytes });
      using plan = device.plan({
        batch,
        channels,
        length,
        kernelLength: length,
        mode: "same",
        dtype,
        algorithm: "multi-pass",
      });
      candidates.push(plan.explain().chosen.name);
      const { workspaceBytes } = plan.info;
      assert.ok(workspaceBytes > 0, "several passes need scratch");
      if (scratchLimitBytes > 1) assert.ok(workspaceBytes <= scratchLimitBytes, `${workspaceBytes}`);
      using x = device.tensor(u, { shape: [batch, channels, length], dtype });
      using h = device.tensor(k, { shape: [channels, length], dtype });
      using spectrum = plan.spectrum(h);
      const before = device.memory().liveBytes;
      using y = plan.forward(x, spectrum);
      const scratch = device.memory().liveBytes - before - y.byteLength;
      assert.equal(scratch, workspaceBytes, "the plan tells what the call takes");
      results.push(await y.read() as Float32Array | Uint16Array);
    }
    // Another way of computing would have other roundings.
    assert.equal(new Set(candidates).size, 1, candidates.join(", "));
    // Counted, not by assert.deepEqual(): it takes minutes to describe how two million samples differ.
    for (const other of results.slice(1)) {
      assert.equal(other.length, results[0]!.length);
      let differing = 0;
      for (let i = 0; i < other.length; i++) differing += Number(other[i] !== results[0]![i]);
      assert.equal(differing, 0, dtype);
    }
  }
});

gpuTest("memory: scratch counts against the memory limit", () => {
  const [channels, length] = [4, 200003];
  const problem = { channels, length, kernelLength: length, mode: "causal", dtype: "float32" } as const;
  let needed: number;
  {
    using device = openGpu();
    const { peak } = peakOfCall(device, problem);
    needed = device.memory().peakBytes;
    assert.ok(needed > peak);
  }
  {
    using device = openGpu({ memoryLimitBytes: needed });
    peakOfCall(device, problem);
  }
  using device = openGpu({ memoryLimitBytes: needed - 1 });
  assert.throws(() => peakOfCall(device, problem), OutOfMemoryError);
  // Nothing is left of the refused call.
  peakOfCall(device, { ...problem, length: 1000, kernelLength: 1000 });
});
