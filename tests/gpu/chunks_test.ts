// Sequences go through scratch chunk by chunk, and large chunks in pairs whose launches overlap. What one chunk leaves in scratch must
// not reach another one, nor another call: rows here differ in size from one to the next, and so do chunks that share a place.
import assert from "node:assert/strict";
import { bfloat16BitsToFloat32, type Device, float16BitsToFloat32 } from "../../mod.ts";
import { gaussian } from "../random.ts";
import { rounded } from "../rounded.ts";
import { gpuTest, openGpu, smallerDevice } from "./availability.ts";

const MiB = 2 ** 20;
const [batch, channels, length] = [25, 41, 2 ** 18]; // 1025 rows: the last chunk is shorter than the others
const rows = batch * channels;
const taps = Float32Array.from(gaussian(64, 7, 0.1));

/** Rows of noise times powers of two: 16-bit patterns, made from 16 rows of it. `turn` moves the powers from row to row. */
function noise(dtype: "float16" | "bfloat16", turn: number): Uint16Array {
  const some = rounded(gaussian(16 * length, 3, 1), dtype).host as Uint16Array;
  const u = new Uint16Array(rows * length);
  // A power of two is added to the exponent; what is so small that it would leave its range is a zero here.
  const one = dtype === "float16" ? 1 << 10 : 1 << 7, least = dtype === "float16" ? 9 * one : 60 * one;
  const scaled: Uint16Array[] = [];
  for (let power = -8; power <= 8; power++) {
    scaled.push(some.map((bits) => (bits & 0x7fff) < least ? 0 : bits + power * one));
  }
  for (let row = 0; row < rows; row++) {
    const from = row * 5 % 16 * length;
    u.set(scaled[(row * 7 + turn) % 17]!.subarray(from, from + length), row * length);
  }
  return u;
}

/** Two calls and the first once more, in a row, and how many chunks a call has. */
async function outputs(device: Device, dtype: "float16" | "bfloat16", inputs: Uint16Array[]) {
  const problem = {
    batch,
    channels,
    length,
    kernelLength: taps.length,
    sharedKernel: true,
    mode: "causal",
    dtype,
  } as const;
  using any = device.plan({ ...problem, algorithm: "multi-pass", precision: "fast", kernelDtype: "float32" });
  const { name } = any.explain().candidates.find((c) => c.name.startsWith("multi-pass/mma/64x4096/"))!;
  using plan = device.plan({ ...problem, candidate: name, precision: "fast", kernelDtype: "float32" });
  using spectrum = plan.spectrum(taps);
  using stack = new DisposableStack();
  const tensors = inputs.map((u) => stack.use(device.tensor(u, { shape: [batch, channels, length], dtype })));
  const results = [...tensors, tensors[0]!].map((u) => stack.use(plan.forward(u, spectrum)));
  const read: Uint16Array[] = [];
  for (const y of results) read.push(await y.read() as Uint16Array);
  return { read, workspaceBytes: plan.info.workspaceBytes };
}

// A smaller device has no tensor-core passes.
for (const dtype of smallerDevice ? [] : ["float16", "bfloat16"] as const) {
  gpuTest(`chunks: overlapping pairs give the bits of one after the other, ${dtype}`, async () => {
    const inputs = [noise(dtype, 0), noise(dtype, 8)];
    // A MiB a sequence: 40 at a time, one chunk after the other; and two pairs.
    using plain = openGpu({ scratchLimitBytes: 41 * MiB });
    const expected = await outputs(plain, dtype, inputs);
    using paired = openGpu({ scratchLimitBytes: 520 * MiB });
    const actual = await outputs(paired, dtype, inputs);
    assert.ok(
      actual.workspaceBytes > 10 * expected.workspaceBytes,
      `${actual.workspaceBytes}, ${expected.workspaceBytes}`,
    );
    for (const [i, y] of expected.read.entries()) {
      const a = new Uint32Array(y.buffer), b = new Uint32Array(actual.read[i]!.buffer);
      let differing = 0;
      for (let n = 0; n < a.length; n++) differing += Number(a[n] !== b[n]);
      assert.equal(differing, 0, `call ${i}`);
    }
    // Of the first row of each call some outputs by the sum: neither call may be empty.
    for (const [i, u] of inputs.entries()) {
      const values = dtype === "float16" ? float16BitsToFloat32 : bfloat16BitsToFloat32;
      const x = values(u.subarray(0, 4096)), y = values(expected.read[i]!.subarray(0, 4096));
      let error = 0, size = 0;
      for (let n = 0; n < x.length; n++) {
        let sum = 0;
        for (let j = 0; j < Math.min(taps.length, n + 1); j++) sum += taps[j]! * x[n - j]!;
        error += (y[n]! - sum) ** 2, size += sum ** 2;
      }
      assert.ok(size > 0 && Math.sqrt(error / size) < 4e-3, `call ${i}: ${Math.sqrt(error / size)}`);
    }
  });
}
