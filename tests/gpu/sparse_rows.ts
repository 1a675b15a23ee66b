// Rows of inputs through one frequency-sparse plan, beside float64: for what filters do to single rows.
import assert from "node:assert/strict";
import type { ConvPlan, ConvPlanOptions, Device, Dtype, FrequencyPattern } from "../../mod.ts";
import { sparseGrid, sparseRow } from "../oracle.ts";
import { gaussian } from "../random.ts";
import { rounded } from "../rounded.ts";
import { openGpu } from "./availability.ts";

/** Outputs of a plan in the fast class, and those of float64. `kept`: of each bin; `check` sees the plan. */
export async function runRows(
  device: Device,
  rows: Float64Array[],
  dtype: Dtype,
  options: Pick<ConvPlanOptions, "keepFrequencies" | "candidate" | "mode">,
  kept: readonly boolean[],
  check: (plan: ConvPlan) => void,
) {
  const length = rows[0]!.length, kernel = rounded(gaussian(length, 3, 1 / Math.sqrt(length)), "float32");
  const all = new Float64Array(rows.length * length);
  rows.forEach((row, r) => all.set(row, r * length));
  const input = rounded(all, dtype);
  using plan = device.plan({
    ...{ batch: rows.length, length, kernelLength: length, dtype, kernelDtype: "float32", precision: "fast" },
    ...options,
  });
  check(plan);
  using taps = device.tensor(kernel.host, { shape: [1, length] });
  using spectrum = plan.spectrum(taps);
  using u = device.tensor(input.host, { shape: [rows.length, 1, length], dtype });
  using out = device.empty([rows.length, 1, length], dtype);
  out.fillBytes(0xff); // NaN
  plan.forward(u, spectrum, { out });
  const y = await out.toFloat32Array(), grid = sparseGrid(options.mode ?? "causal", length);
  return rows.map((_, r) => {
    const exact = sparseRow(input.values.slice(r * length, (r + 1) * length), kernel.values, grid, kept);
    return { y: y.subarray(r * length, (r + 1) * length), exact };
  });
}

/** Rows of zeros but for a sample of 100 at a place of each one's own. */
export function impulses(length: number, places: readonly number[]): Float64Array[] {
  return places.map((place) => {
    const row = new Float64Array(length);
    row[place] = 100;
    return row;
  });
}

export const rms = (values: ArrayLike<number>) =>
  Math.sqrt(Array.from(values).reduce((sum, v) => sum + v * v, 0) / values.length);
export const difference = (a: ArrayLike<number>, b: ArrayLike<number>) => rms(Array.from(a, (v, n) => v - b[n]!));

/** What runRows() gave for impulses at these places: of each row, and of so many outputs at either end. */
export function judgeImpulses(
  results: readonly { y: Float32Array; exact: Float64Array }[],
  places: readonly number[],
  edge: number,
  bound: number,
  what: string,
): void {
  const usual = rms(results[0]!.exact);
  for (const [r, { y, exact }] of results.entries()) {
    const error = difference(y, exact) / usual;
    assert.ok(error < 1.1 * bound, `${what}, sample ${places[r]}: ${error}`);
    // The last outputs alone, and the first ones.
    for (const part of [[-edge, exact.length], [0, edge]] as const) {
      const end = difference(y.slice(...part), exact.slice(...part)) / usual;
      assert.ok(end < 3 * bound, `${what}, sample ${places[r]}, outputs from ${part[0]}: ${end}`);
    }
  }
}

/** Tones at parts of half the sampling rate, and noise, through a plan that keeps `blocks` of `of`: runs them as runRows() does. */
export async function judgeTones(
  run: (rows: Float64Array[], dtype: Dtype, blocks: readonly number[]) => ReturnType<typeof runRows>,
  dtype: Dtype,
  length: number,
  parts: readonly number[],
  blocks: readonly number[],
  of: number,
  bound: number,
): Promise<void> {
  for (const size of dtype === "float16" ? [0.01, 1000] : [1e-6, 1e4]) {
    const tones = parts.map((part) => Float64Array.from({ length }, (_, n) => size * Math.cos(Math.PI * part * n)));
    const results = await run([...tones, gaussian(length, 9, size)], dtype, blocks);
    // Of an input of this size that is kept.
    const usual = rms(results.at(-1)!.exact) / Math.sqrt(blocks.length / of);
    for (const [r, { y, exact }] of results.entries()) {
      const error = difference(y, exact) / Math.max(rms(exact), usual);
      assert.ok(error < 1.25 * bound, `${dtype}, ${parts[r] ?? "noise"}, size ${size}: ${error}`);
    }
  }
}

/** 3 x 5 rows by so much scratch give the bits of rows that are all there at a time. */
export async function judgeChunks(
  options:
    & { readonly dtype: "bfloat16" | "float32"; readonly length: number; readonly sharedKernel?: boolean }
    & Required<
      Pick<ConvPlanOptions, "keepFrequencies" | "candidate">
    >,
  scratchLimits: readonly number[],
): Promise<void> {
  const { dtype, length, sharedKernel } = options, rows = 3 * 5;
  const u = rounded(gaussian(length, 4, 1), dtype).host as Uint16Array | Float32Array,
    taps = Float32Array.from(gaussian(5 * 300, 5, 0.1));
  const outputs = async (scratchLimitBytes: number) => {
    using device = openGpu({ scratchLimitBytes });
    using plan = device.plan({ batch: 3, channels: 5, kernelLength: 300, kernelDtype: "float32", ...options });
    using spectrum = plan.spectrum(sharedKernel ? taps.subarray(0, 300) : taps);
    const all = dtype === "float32" ? new Float32Array(rows * length) : new Uint16Array(rows * length);
    for (let row = 0; row < rows; row++) all.set(u.subarray(1000 * row), row * length); // zeros behind
    using input = device.tensor(all, { shape: [3, 5, length], dtype });
    using y = plan.forward(input, spectrum);
    const values = await y.read() as Uint16Array | Float32Array;
    return { values, numbers: await y.toFloat32Array(), workspaceBytes: plan.info.workspaceBytes };
  };
  const whole = await outputs(2 ** 30);
  // Bits of zeros and NaNs would be alike, too.
  for (let row = 0; row < rows; row++) {
    const energy = whole.numbers.subarray(row * length, (row + 1) * length).reduce((sum, v) => sum + v * v, 0);
    assert.ok(energy > 0 && Number.isFinite(energy), `row ${row}: energy ${energy}`);
  }
  for (const limit of scratchLimits) {
    const chunked = await outputs(limit);
    assert.ok(
      chunked.workspaceBytes < whole.workspaceBytes / 1.5,
      `${chunked.workspaceBytes}, ${whole.workspaceBytes}`,
    );
    assert.equal(chunked.values.findIndex((value, i) => value !== whole.values[i]), -1);
  }
}

/** Options of 8 x 16 rows in float16, unless `more` says otherwise. */
export const usualRows = (length: number, keepFrequencies: FrequencyPattern, more: object = {}) => ({
  ...{ batch: 8, channels: 16, length, kernelLength: length, dtype: "float16" as const, keepFrequencies },
  ...more,
});

/** The parts of a row's operations and bytes that a plan skips. */
export function skippedParts(plan: ConvPlan): { flops: number; bytes: number } {
  const work = plan.explain().data.sparsity as { [key: string]: number };
  return { flops: work.rowFlopsSkipped! / work.rowFlops!, bytes: work.rowBytesSkipped! / work.rowBytes! };
}
