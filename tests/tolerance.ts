// How far a result may be from float64, and the one checker that every comparison uses.
//
// The bound has two parts. The first is the error of a faithful result: the reference itself, rounded to the dtype.
// The second is the arithmetic, which costs what float32 transforms cost: each of the log2(N) stages of a transform
// adds an independent relative error of about 0.6 units (2^-24), so three transforms (u, kernel, inverse) come to
// 0.6 * sqrt(3 log2 N) * 2^-24; three times that is allowed. A direct sum of K products, sqrt(K)/5 units on average,
// stays below it up to K = 2000, beyond which no planner sums directly.
import { type DeviceType, type Dtype, outputLength, type Precision } from "../mod.ts";
import { expectedSize, type OracleInput } from "./oracle.ts";
import { rounded } from "./rounded.ts";

/** Half a unit in the last place, relative. */
export const unitRoundoff: { readonly [D in Dtype]: number } = {
  float32: 2 ** -24,
  float16: 2 ** -11,
  bfloat16: 2 ** -8,
};

// Half the distance of subnormal numbers: the least rounding error however small the value.
const leastRoundoff: { readonly [D in Dtype]: number } = { float32: 2 ** -150, float16: 2 ** -25, bfloat16: 2 ** -134 };

/** What the arithmetic of a class may add, relative to the size of the result. */
export function arithmeticError(
  dtype: Dtype,
  precision: Exclude<Precision, "default">,
  device: DeviceType,
  points: number,
): number {
  const float32 = 3 * 0.6 * Math.sqrt(3 * Math.log2(points) + 1) * 2 ** -24;
  if (device === "cpu") return float32;
  // The GPU's classes with tensor cores: what the design promises beyond the rounding of the result.
  // Past 32768 samples a transform has more stages, in slices or in several passes.
  const long = points > 65536;
  if (precision === "fast") {
    return { float32: 8e-4, float16: long ? 1.5e-3 : 1.4e-3, bfloat16: long ? 1.5e-3 : 1.4e-3 }[dtype];
  }
  // From 65536 samples on 2e-6 are promised (README); patterns have four points for each.
  return {
    float32: Math.max(float32, points >= 2 ** 18 ? 2e-6 : 1e-6),
    float16: long ? 8e-4 : 6e-4,
    bfloat16: long ? 8e-4 : 6e-4,
  }[dtype];
}

/** The verdict on one result. */
export interface Verdict {
  readonly ok: boolean;
  /** Of the worst row: root mean square of the error, over that of the expected size. */
  readonly relL2: number;
  /** What relL2 may be. */
  readonly bound: number;
  /** The worst single error, as a multiple of what it may be. */
  readonly worst: number;
}

/** Compares a result with the float64 reference; NaN anywhere fails. `size`: expectedSize(input), where it is known. */
export function judge(
  y: ArrayLike<number>,
  reference: Float64Array,
  input: OracleInput,
  how: { dtype: Dtype; precision: Exclude<Precision, "default">; device: DeviceType; points?: number | undefined },
  size: Float64Array = expectedSize(input),
): Verdict {
  const samples = outputLength(input.mode, input.length, input.kernelLength);
  const points = how.points ?? input.length + input.kernelLength;
  return judgeRows(y, reference, size, samples, points, how, samples, input.postGate);
}

/** The same for rows of `samples` whose outputs are of a known size, through transforms of so many points. */
export function judgeRows(
  y: ArrayLike<number>,
  reference: Float64Array,
  size: Float64Array,
  samples: number,
  points: number,
  how: { dtype: Dtype; precision: Exclude<Precision, "default">; device: DeviceType },
  independent: number = samples, // fewer where the outputs have few frequencies and repeat themselves
  postGate?: ArrayLike<number>,
): Verdict {
  const arithmetic = arithmeticError(how.dtype, how.precision, how.device, points);
  const rounding = unitRoundoff[how.dtype], least = leastRoundoff[how.dtype];
  // A float32 transform spreads its error evenly over the row; of a million normal errors none exceeds 5 sigma by
  // much. The tensor-core classes round constant matrices, which is less even: measured up to 6.9.
  const peak = how.device === "cpu" ? 6 : 8;
  const faithful = rounded(reference, how.dtype).values;
  let ok = y.length === reference.length;
  let worstRow = { relL2: 0, bound: 1 };
  let worst = 0;
  for (let row = 0; row < reference.length / samples; row++) {
    let error2 = 0, faithful2 = 0, size2 = 0;
    for (let n = row * samples; n < (row + 1) * samples; n++) {
      error2 += (y[n]! - reference[n]!) ** 2;
      faithful2 += (faithful[n]! - reference[n]!) ** 2;
      size2 += size[n]! ** 2;
    }
    const rms = Math.sqrt(size2 / samples);
    const relL2 = Math.sqrt(error2 / size2);
    // The mean of a few squared errors may exceed its expectation: by 3 standard deviations.
    const bound = Math.sqrt(faithful2 / size2) + arithmetic * (1 + 3 / Math.sqrt(independent)) + least / rms;
    if (!(relL2 <= bound)) ok = false;
    if (!(relL2 / bound <= worstRow.relL2 / worstRow.bound)) worstRow = { relL2, bound };
    for (let n = row * samples; n < (row + 1) * samples; n++) {
      // A transform's error is as large where few taps overlap as elsewhere in its row, and then meets the gate.
      const gate = postGate ? Math.max(1, Math.abs(postGate[n]!)) : 1;
      const allowed = rounding * Math.abs(reference[n]!) + peak * arithmetic * Math.max(rms * gate, size[n]!) + least;
      const ratio = Math.abs(y[n]! - reference[n]!) / allowed;
      if (!(ratio <= 1)) ok = false;
      if (!(ratio <= worst)) worst = ratio;
    }
  }
  return { ok, ...worstRow, worst };
}
