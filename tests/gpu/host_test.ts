// convolve() of arrays that are several times what the device may use: rows go through in tiles that fit with all that
// they need, and the result has the bits of a run with all of the memory.
import assert from "node:assert/strict";
import { bfloat16BitsToFloat32, convolve, type Device, type Dtype, float16BitsToFloat32 } from "../../mod.ts";
import { OutOfMemoryError } from "../../mod.ts";
import { gaussian, uniform } from "../random.ts";
import { type Rounded, rounded } from "../rounded.ts";
import { arithmeticError, unitRoundoff } from "../tolerance.ts";
import { gpuTest, openGpu } from "./availability.ts";

const MiB = 2 ** 20;
const length = 1_000_003, apart = 1009;

/** Rows of noise: row r begins r * apart samples into it, which makes rows of millions quickly. */
function rowsOf(noise: Rounded, count: number): Float32Array | Uint16Array {
  const Class = noise.host.constructor as new (size: number) => Float32Array | Uint16Array;
  const all = new Class(count * length);
  for (let r = 0; r < count; r++) all.set(noise.host.subarray(r * apart, r * apart + length), r * length);
  return all;
}

function problem(batch: number, channels: number, dtype: Dtype) {
  const u = rounded(gaussian(length + batch * channels * apart, 1, 1), dtype);
  const k = rounded(gaussian(length + channels * apart, 2, 0.01), dtype);
  const inputs = rowsOf(u, batch * channels), kernels = rowsOf(k, channels);
  const on = (device: Device) =>
    convolve(inputs, kernels, {
      shape: [batch, channels, length],
      mode: "causal",
      dtype,
      precision: "accurate",
      device,
    });
  return { u, k, on };
}

function valueOf(y: Float32Array | Uint16Array, at: number, dtype: Dtype): number {
  if (y instanceof Float32Array) return y[at]!;
  return (dtype === "float16" ? float16BitsToFloat32 : bfloat16BitsToFloat32)(y.subarray(at, at + 1))[0]!;
}

for (
  const { batch, channels, dtype, limits } of [
    // One channel at a time, and some.
    { batch: 1, channels: 50, dtype: "float32", limits: [72 * MiB, 192 * MiB] },
    { batch: 1, channels: 50, dtype: "float16", limits: [48 * MiB, 128 * MiB] },
    // Some batch entries of a channel at a time, the last ones fewer.
    { batch: 7, channels: 6, dtype: "float32", limits: [128 * MiB] },
  ] as const
) {
  gpuTest(`host arrays: B = ${batch}, H = ${channels}, ${dtype}, several times the memory limit`, async () => {
    const { u, k, on } = problem(batch, channels, dtype);
    using unlimited = openGpu();
    const whole = await on(unlimited);
    for (const memoryLimitBytes of limits) {
      using device = openGpu({ memoryLimitBytes });
      const y = await on(device);
      const { liveBytes, peakBytes } = device.memory();
      assert.ok(peakBytes > 0 && peakBytes <= memoryLimitBytes && liveBytes === 0, `${peakBytes}, ${liveBytes}`);
      // Counted, not by assert.deepEqual(): it takes minutes to describe how millions of samples differ.
      let differing = 0;
      for (let i = 0; i < y.length; i++) differing += Number(y[i] !== whole[i]);
      assert.equal(differing, 0, `${memoryLimitBytes}`);
    }
    // Of each row some outputs by the sum, the first and the last among them.
    const next = uniform(3);
    let error = 0, size = 0;
    for (let row = 0; row < batch * channels; row++) {
      const x = u.values.subarray(row * apart), h = k.values.subarray(row % channels * apart);
      for (const n of [0, length - 1, ...Array.from({ length: 6 }, () => Math.floor(next() * length))]) {
        let sum = 0;
        for (let j = 0; j <= n; j++) sum += h[j]! * x[n - j]!;
        error += (valueOf(whole, row * length + n, dtype) - sum) ** 2, size += sum ** 2;
      }
    }
    const bound = arithmeticError(dtype, "accurate", "cuda", 2 * length) + unitRoundoff[dtype];
    assert.ok(size > 0 && Math.sqrt(error / size) < bound, `${Math.sqrt(error / size)}, ${bound}`);
  });
}

gpuTest("host arrays: a limit that a single row does not fit into is refused with what it needs", async () => {
  const { on } = problem(1, 3, "float32");
  using device = openGpu({ memoryLimitBytes: 24 * MiB });
  await assert.rejects(on(device), (error: Error) => {
    assert.ok(error instanceof OutOfMemoryError);
    const needed = Number(/one row at a time needs (\d+) bytes/.exec(error.message)?.[1]);
    assert.ok(needed > 24 * MiB && needed < 128 * MiB, error.message);
    return true;
  });
  assert.equal(device.memory().liveBytes, 0);
  const y = await convolve(Float32Array.of(1, 2, 3), Float32Array.of(0, 1, 0.5), { device });
  [0, 1, 2.5].forEach((value, n) => assert.ok(Math.abs(y[n]! - value) < 1e-6, `${y}`));
});
