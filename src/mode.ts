import { ENUMS } from "../ffi/layout.ts";
import { show } from "./check.ts";
import { InvalidArgumentError } from "./errors.ts";
import { checkCount } from "./shape.ts";

/**
 * Which samples of the convolution are returned. With L samples of u, K of the kernel and
 * full[n] = Σ_j k[j] u[n - j], a true convolution and not the cross-correlation that deep-learning frameworks call so:
 *
 * - `causal`: full[0 … L-1], length L
 * - `circular`: Σ_j k[j] u[(n - j) mod L], length L; a kernel longer than L wraps around
 * - `full`: everything, length L+K-1
 * - `same`: centred as in SciPy, full[(K-1)/2 … (K-1)/2+L-1] with (K-1)/2 rounded down, length L
 * - `valid`: where the shorter one lies inside the longer one, length |L-K|+1
 */
export type ConvMode = "causal" | "circular" | "full" | "same" | "valid";

/** Class of arithmetic. `default` is `fast` for bfloat16 and `accurate` for the others; the CPU is always accurate. */
export type Precision = "default" | "fast" | "accurate";

/** The method. `auto` lets the planner choose; the others force one, or fail with an {@link UnsupportedError}. */
export type Algorithm = "auto" | "direct" | "fft" | "overlap-save" | "fused-mma" | "fused-fp32" | "multi-pass";

type Codes<T extends string> = { readonly [K in T]: number };
const m = ENUMS.FFC_MODE_, p = ENUMS.FFC_PRECISION_, a = ENUMS.FFC_ALGORITHM_;

export const modeCode: Codes<ConvMode> = {
  causal: m.CAUSAL,
  circular: m.CIRCULAR,
  full: m.FULL,
  same: m.SAME,
  valid: m.VALID,
};
export const precisionCode: Codes<Precision> = { default: p.DEFAULT, fast: p.FAST, accurate: p.ACCURATE };
export const algorithmCode: Codes<Algorithm> = {
  "auto": a.AUTO,
  "direct": a.DIRECT,
  "fft": a.FFT,
  "overlap-save": a.OVERLAP_SAVE,
  "fused-mma": a.FUSED_MMA,
  "fused-fp32": a.FUSED_FP32,
  "multi-pass": a.MULTI_PASS,
};

/** The C value of an option, or an error that lists the known ones. */
export function codeOf<T extends string>(name: string, codes: Codes<T>, value: T): number {
  if (typeof value === "string" && Object.hasOwn(codes, value)) return codes[value];
  throw new InvalidArgumentError(`${name} is ${show(value)}; known are ${Object.keys(codes).map(show).join(", ")}`);
}

/** The name of a C value. */
export function nameOf<T extends string>(codes: Codes<T>, code: number): T | undefined {
  return (Object.keys(codes) as T[]).find((name) => codes[name] === code);
}

/**
 * How many samples a convolution returns in each row.
 *
 * @param mode which samples
 * @param length samples of u, at least 1
 * @param kernelLength samples of the kernel, at least 1
 * @throws {InvalidArgumentError} for an unknown mode
 * @throws {ShapeError} for a length that is not a whole number of at least 1
 * @example
 * ```ts
 * import { outputLength } from "@flashfftconv/flashfftconv";
 * import assert from "node:assert/strict";
 * assert.equal(outputLength("full", 100, 7), 106);
 * ```
 */
export function outputLength(mode: ConvMode, length: number, kernelLength: number): number {
  codeOf("mode", modeCode, mode);
  checkCount("length", length);
  checkCount("kernelLength", kernelLength);
  if (mode === "full") return length + kernelLength - 1;
  return mode === "valid" ? Math.abs(length - kernelLength) + 1 : length;
}
