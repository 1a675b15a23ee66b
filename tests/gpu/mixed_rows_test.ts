// Rows of very different sizes in one call. Transforms in one block take bfloat16 and gated products as they are until a row does not fit
// into halves, and begin again at that row with scales: whatever came before it, and wherever in a block it is, each row has to come
// out as exact as if it were alone.
import assert from "node:assert/strict";
import { bfloat16BitsToFloat32, float16BitsToFloat32 } from "../../mod.ts";
import { convolveAll } from "../oracle.ts";
import { gaussian } from "../random.ts";
import { rounded } from "../rounded.ts";
import { gpuTest, openGpu } from "./availability.ts";

const [batch, channels] = [24, 44]; // eight rows for each of 132 multiprocessors
const rows = batch * channels;
/** Powers of two of one row in nine, in turns; undefined: a row of zeros. */
const unusual = {
  float16: [-6, 9, undefined],
  bfloat16: [-18, 13, undefined],
} as const;
function sizeOf(dtype: keyof typeof unusual, row: number): number | undefined {
  return row % 9 === 8 ? unusual[dtype][(row - 8) / 9 % 3] : 0;
}

for (const dtype of ["float16", "bfloat16"] as const) {
  for (const [gated, skips] of [[false, false], [true, false], [false, true], [true, true]] as const) {
    gpuTest(`mixed rows: ${dtype}${gated ? ", both gates" : ", in place"}${skips ? ", skip term" : ""}`, async () => {
      using device = openGpu();
      const [toNumbers, one] = dtype === "float16" ? [float16BitsToFloat32, 1 << 10] : [bfloat16BitsToFloat32, 1 << 7];
      const failures: string[] = [];
      for (const length of [250, 1000, 4096, 8192, 12281, 12288, 13111, 16383, 16384, 29003, 32768]) {
        const noise = rounded(gaussian(16 * length, 3, 1), dtype).host as Uint16Array;
        const gate = rounded(gaussian(16 * length, 4, 1), dtype).host as Uint16Array;
        const [u, gates] = [new Uint16Array(rows * length), new Uint16Array(rows * length)];
        for (let row = 0; row < rows; row++) {
          const from = row * 5 % 16 * length, size = sizeOf(dtype, row);
          const bits = noise.subarray(from, from + length).map((b) => {
            // Added to the exponent; what would have none left becomes a zero.
            return size === undefined || (b & 0x7fff) + size * one < one ? 0 : b + size * one;
          });
          u.set(bits, row * length);
          gates.set(gate.subarray(from, from + length), row * length);
        }
        const kernel = rounded(gaussian(channels * length, 7, 1 / Math.sqrt(length)), "float32");
        using plan = device.plan({
          ...{ batch, channels, length, kernelLength: length, dtype, kernelDtype: "float32", precision: "fast" },
          ...{ mode: "causal", algorithm: "fused-mma", preGate: gated, postGate: gated, skip: skips },
        });
        using taps = device.tensor(kernel.host, { shape: [channels, length] });
        using spectrum = plan.spectrum(taps);
        // Some channels' terms are far above the kernel's spectrum, others far below.
        const terms = Float64Array.from(
          { length: channels },
          (_, h) => 2 ** (h % 5 * 3 - (dtype === "float16" ? 12 : 4)),
        );
        using skip = device.tensor(Float32Array.from(terms), { shape: [channels] });
        using input = device.tensor(u, { shape: [batch, channels, length], dtype });
        using factor = device.tensor(gates, { shape: [batch, channels, length], dtype });
        using separate = device.empty([batch, channels, length], dtype);
        separate.fillBytes(0xff); // NaN
        const out = gated ? separate : input;
        const factors = gated ? { preGate: factor, postGate: factor } : {};
        plan.forward(input, spectrum, { out, ...factors, ...(skips ? { skip } : {}) });
        const y = await out.toFloat32Array();
        assert.ok(y.every(Number.isFinite), `${length}: not finite`);
        // Bounds are of many rows. Of gated products of Gaussian numbers a few samples have much of a short row's norm.
        const long = length > 8192, slack = 1.15 + 5 / Math.sqrt(length);
        const bound = (dtype === "float16" ? (long ? 1.4e-3 : 1.1e-3) : long ? 2.15e-3 : 2.0e-3) * slack;
        for (let row = 0; row < rows; row++) {
          // Of long rows a few of each size; what follows a row in its block is the next one of the batch.
          if (length > 2000 && row % 23 && row % 72 !== 8 && row % 72 !== 8 + channels) continue;
          const of = (bits: Uint16Array) =>
            Float64Array.from(toNumbers(bits.subarray(row * length, (row + 1) * length)));
          const own = gated ? of(gates) : undefined, channel = row % channels;
          const exact = convolveAll({
            ...{ batch: 1, channels: 1, length, kernelLength: length, mode: "causal", sharedKernel: false },
            ...{ u: of(u), k: kernel.values.subarray(channel * length, (channel + 1) * length) },
            ...{ preGate: own, postGate: own, skip: skips ? terms.subarray(channel, channel + 1) : undefined },
          });
          if (sizeOf(dtype, row) === undefined) exact.fill(0); // but for rounding
          let error2 = 0, size2 = 0;
          exact.forEach((v, n) => (error2 += (y[row * length + n]! - v) ** 2, size2 += v * v));
          if (!(error2 <= bound * bound * size2)) {
            failures.push(
              `${length}, row ${row} times 2^${sizeOf(dtype, row)}: ${Math.sqrt(error2 / size2)} > ${bound}`,
            );
          }
        }
      }
      assert.deepEqual(failures, []);
    });
  }
}
