// The one table of convolution problems. Each is run on the CPU by tests/matrix_test.ts and on a GPU by tests/gpu/.
import type { Algorithm, ConvMode, Dtype, Precision } from "../mod.ts";

/** One problem, and how its tensors lie in memory. */
export interface ConvCase {
  readonly mode: ConvMode;
  readonly dtype: Dtype;
  readonly kernelDtype: Dtype;
  readonly batch: number;
  readonly channels: number;
  readonly length: number;
  readonly kernelLength: number;
  readonly preGate: boolean;
  readonly postGate: boolean;
  readonly skip: boolean;
  readonly sharedKernel: boolean;
  /** Rows with gaps between them, at an odd offset. */
  readonly strided: boolean;
  /** The output is u itself. */
  readonly inPlace: boolean;
  readonly algorithm: Algorithm;
  readonly precision: Precision;
  /** One of the planner's candidates; left out, its choice. */
  readonly candidate?: string;
}

export const modes: readonly ConvMode[] = ["causal", "circular", "full", "same", "valid"];
export const dtypes: readonly Dtype[] = ["float32", "float16", "bfloat16"];

/** Powers of two and their neighbours, odd numbers, primes. */
export const lengths: readonly number[] = [
  ...[1, 2, 3, 4, 5, 7, 8, 9, 11, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 97, 100, 127, 128, 129],
  ...[251, 255, 256, 257, 383, 384, 385, 509, 511, 512, 513, 1000, 1009, 1023, 1024, 1025],
];

/** Longer ones, fewer of each. */
export const longLengths: readonly number[] = [2047, 2048, 2049, 4095, 4096, 4097, 6144, 8191, 10007, 16384];

/** For the very end of what one pass covers, and past it. */
export const longestLengths: readonly number[] = [32767, 32768, 32769, 65537, 131071];

// Kernels shorter than, as long as and longer than u, with the neighbours of each change of method.
function kernelLengths(L: number): number[] {
  const all = [1, 2, 3, 16, 17, 64, Math.ceil(L / 2), L - 1, L, L + 1, 2 * L - 1, 2 * L + 1];
  return [...new Set(all.filter((K) => K >= 1))];
}

const plain = {
  kernelDtype: undefined,
  batch: 1,
  channels: 1,
  preGate: false,
  postGate: false,
  skip: false,
  sharedKernel: false,
  strided: false,
  inPlace: false,
  algorithm: "auto",
  precision: "default",
} as const;

/** A case with defaults for what is not given. */
export function conv(
  given: Pick<ConvCase, "mode" | "length" | "kernelLength"> & Partial<ConvCase>,
): ConvCase {
  const dtype = given.dtype ?? "float32";
  return { ...plain, dtype, ...given, kernelDtype: given.kernelDtype ?? dtype };
}

// Counts through the variants of everything that is not crossed in full. The periods 2, 3, 4, 5, 7 share no factor
// with the number of kernels in the long run, so that pairs meet.
function vary(i: number, mode: ConvMode, dtype: Dtype): Partial<ConvCase> {
  const [batch, channels] = ([[1, 1], [2, 3], [3, 2], [1, 5], [4, 1]] as const)[i % 5]!;
  const gates = i % 4;
  const aligned = mode !== "full" && mode !== "valid";
  return {
    dtype,
    kernelDtype: i % 3 === 1 ? "float32" : i % 7 === 3 ? "float16" : dtype,
    batch,
    channels,
    preGate: (gates & 1) !== 0,
    postGate: (gates & 2) !== 0,
    skip: aligned && i % 3 === 2,
    sharedKernel: i % 7 === 5,
    strided: i % 2 === 1 && i % 5 !== 0,
  };
}

/** Cases over the given lengths: every mode and dtype, `kernels` kernel lengths each, the rest varied. */
export function matrix(mode: ConvMode, dtype: Dtype, list: readonly number[], kernels: number): ConvCase[] {
  const cases: ConvCase[] = [];
  let i = modes.indexOf(mode) * 3 + dtypes.indexOf(dtype);
  for (const length of list) {
    const choices = kernelLengths(length);
    for (let k = 0; k < Math.min(kernels, choices.length); k++, i++) {
      const kernelLength = choices[(i * 5) % choices.length]!;
      cases.push(conv({ mode, length, kernelLength, ...vary(i, mode, dtype) }));
    }
  }
  return cases;
}

/** What is easy to get wrong, named one by one. */
export const special: readonly ConvCase[] = [
  ...modes.flatMap((mode) => [
    conv({ mode, length: 1, kernelLength: 1 }),
    conv({ mode, length: 1, kernelLength: 1000, batch: 3 }),
    conv({ mode, length: 1000, kernelLength: 1, channels: 3 }),
    conv({ mode, length: 7, kernelLength: 5000, channels: 2 }), // a circular kernel that wraps 700 times
    conv({ mode, length: 30000, kernelLength: 31 }), // short kernel, long u: no full-length transform
    conv({ mode, length: 20000, kernelLength: 3000, preGate: true, postGate: true }),
    conv({ mode, length: 600, kernelLength: 600, batch: 37, channels: 3 }), // rows that fill no SIMD group
    conv({ mode, length: 257, kernelLength: 90, batch: 2, channels: 19, sharedKernel: true, strided: true }),
  ]),
  ...(["causal", "circular", "same"] as const).flatMap((mode) => [
    conv({ mode, length: 500, kernelLength: 123, batch: 2, channels: 3, inPlace: true }),
    conv({ mode, length: 500, kernelLength: 123, preGate: true, postGate: true, skip: true, inPlace: true }),
    conv({ mode, length: 9000, kernelLength: 9000, dtype: "bfloat16", inPlace: true, skip: true }),
    conv({ mode, length: 40000, kernelLength: 100, inPlace: true }),
  ]),
];

/** Each method by force, wherever it is offered. */
export function forced(algorithm: Algorithm): ConvCase[] {
  return modes.flatMap((mode) =>
    dtypes.flatMap((dtype, d) =>
      [[1, 1], [5, 9], [64, 7], [129, 129], [1000, 33], [2049, 500], [30001, 700], [40960, 9000]].map((
        [length, kernelLength],
        i,
      ) =>
        conv({
          mode,
          length: length!,
          kernelLength: kernelLength!,
          ...vary(i + d, mode, dtype),
          algorithm,
          precision: i % 2 ? "accurate" : "default",
        })
      )
    )
  );
}

/** A short name for messages. */
export function caseName(c: ConvCase): string {
  const flags = (["preGate", "postGate", "skip", "sharedKernel", "strided", "inPlace"] as const).filter((f) => c[f]);
  return [
    `${c.mode} ${c.dtype}${c.kernelDtype === c.dtype ? "" : `/${c.kernelDtype}`}`,
    `B${c.batch} H${c.channels} L${c.length} K${c.kernelLength}`,
    ...flags,
    ...(c.algorithm === "auto" ? [] : [c.algorithm]),
    ...(c.precision === "default" ? [] : [c.precision]),
    ...(c.candidate === undefined ? [] : [c.candidate]),
  ].join(" ");
}
