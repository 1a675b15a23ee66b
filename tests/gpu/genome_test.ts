// Real input at its full length: the lambda phage, where its file is at hand, and a made sequence of millions of bases,
// on CPU and GPU and against float64.
import assert from "node:assert/strict";
import { indicatorRows, makeSequence, plantedDistance, readFasta } from "../../examples/fasta.ts";
import {
  bfloat16BitsToFloat32,
  convolve,
  type Device,
  type Dtype,
  float16BitsToFloat32,
  type HostArray,
  openDevice,
} from "../../mod.ts";
import { convolveAll, type OracleInput } from "../oracle.ts";
import { rounded } from "../rounded.ts";
import { gpuTest, noGpu, openGpu } from "./availability.ts";

// Where the Debian package bowtie2-examples puts it, unless the environment names another place.
const lambda = Deno.env.get("FLASHFFTCONV_GENOME") ??
  "/usr/share/doc/bowtie2/examples/reference/lambda_virus.fa.gz";
const hasLambda = await Deno.stat(lambda).then(() => true, () => false);
if (!noGpu && !hasLambda) {
  Deno.test({ name: `gpu: the lambda phage: left out: ${lambda} is not there`, ignore: true, fn() {} });
}

/** The rows of a sequence convolved with themselves reversed, in full. */
function autocovariance(rows: Float32Array[], dtype: Dtype) {
  const length = rows[0]!.length;
  const u = new Float32Array(rows.length * length), k = new Float32Array(u.length);
  rows.forEach((row, r) => {
    // Divided by the length in two halves, so that inputs and outputs alike are normal numbers of float16.
    const scaled = row.map((x) => x / Math.sqrt(length));
    u.set(scaled, r * length);
    k.set(scaled.reverse(), r * length);
  });
  const data = { u: rounded(Float64Array.from(u), dtype), k: rounded(Float64Array.from(k), dtype) };
  const input: OracleInput = {
    batch: 1,
    channels: rows.length,
    length,
    kernelLength: length,
    mode: "full",
    sharedKernel: false,
    u: data.u.values,
    k: data.k.values,
  };
  const on = (device: Device) =>
    convolve(data.u.host, data.k.host, { shape: [1, rows.length, length], mode: "full", dtype, device });
  return { input, on };
}

function valuesOf(y: HostArray, dtype: Dtype): Float32Array {
  if (y instanceof Float32Array) return y;
  return dtype === "float16" ? float16BitsToFloat32(y as Uint16Array) : bfloat16BitsToFloat32(y as Uint16Array);
}

function relativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.equal(a.length, b.length);
  let difference = 0, size = 0;
  for (let n = 0; n < a.length; n++) {
    difference += (a[n]! - b[n]!) ** 2;
    size += b[n]! ** 2;
  }
  return Math.sqrt(difference / size);
}

// Relative L2 error of the default classes at these lengths. (The judge of the other tests expects signs to be random;
// at distance 0 every product of an autocovariance is positive.)
const allowed: Record<Dtype, number> = { float32: 2e-6, float16: 8e-4, bfloat16: 2.2e-3 };

if (hasLambda) {
  for (const dtype of ["float32", "float16", "bfloat16"] as const) {
    gpuTest(`the whole lambda phage on CPU and GPU: ${dtype}`, async () => {
      const { codes } = (await readFasta(lambda))[0]!;
      assert.equal(codes.length, 48502);
      const { input, on } = autocovariance(indicatorRows(codes), dtype);
      const reference = convolveAll(input);
      using gpu = openGpu();
      using cpu = openDevice("cpu");
      const results: Float32Array[] = [];
      for (const device of [gpu, cpu]) {
        const y = await on(device);
        const values = valuesOf(y, dtype);
        const error = relativeDifference(values, reference);
        console.log(`${device.type} ${dtype}: relative L2 error ${error.toExponential(2)}`);
        assert.ok(error <= allowed[dtype], `${device.type}: ${error}`);
        results.push(values);
      }
      const difference = relativeDifference(results[0]!, results[1]!);
      assert.ok(difference <= 2 * allowed[dtype], `CPU and GPU differ by ${difference}`);
    });
  }
}

gpuTest("a sequence of four million bases on CPU and GPU", async () => {
  const length = 4000037;
  const { codes } = makeSequence(length);
  const { input, on } = autocovariance(indicatorRows(codes).slice(0, 1), "float32");
  using gpu = openGpu();
  using cpu = openDevice("cpu");
  const [a, b] = [valuesOf(await on(gpu), "float32"), valuesOf(await on(cpu), "float32")];
  const reference = convolveAll(input);
  for (const [name, y] of [["gpu", a], ["cpu", b]] as const) {
    const error = relativeDifference(y, reference);
    console.log(`${name}: relative L2 error ${error.toExponential(2)} over ${y.length} samples`);
    assert.ok(error <= allowed.float32, `${name}: ${error}`);
  }
  const difference = relativeDifference(a, b);
  assert.ok(difference <= 2 * allowed.float32, `CPU and GPU differ by ${difference}`);
  const correlation = a[length - 1 + plantedDistance]! / a[length - 1]!;
  assert.ok(Math.abs(correlation - 0.25) < 0.01, `${correlation} at the planted distance`);
});
