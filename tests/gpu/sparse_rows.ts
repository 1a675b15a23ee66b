// Rows of inputs through one frequency-sparse plan, beside float64: for what filters do to single rows.
import assert from "node:assert/strict";
import type { ConvPlan, ConvPlanOptions, Device, Dtype } from "../../mod.ts";
import { sparseGrid, sparseRow } from "../oracle.ts";
import { gaussian } from "../random.ts";
import { rounded } from "../rounded.ts";

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
