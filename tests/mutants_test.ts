// The checker of the matrix has to reject wrong answers. Each mutant is a mistake that somebody could make.
import assert from "node:assert/strict";
import { type ConvMode, outputLength } from "../mod.ts";
import { conv, type ConvCase, modes } from "./cases.ts";
import { convolveAll, type OracleInput } from "./oracle.ts";
import { rounded } from "./rounded.ts";
import { makeData } from "./run_case.ts";
import { judge } from "./tolerance.ts";

const shapes: readonly ConvCase[] = modes.flatMap((mode) => {
  const aligned = mode !== "full" && mode !== "valid";
  const common = { mode, batch: 2, channels: 3, preGate: true, postGate: true, skip: aligned };
  return [
    conv({ ...common, length: 100, kernelLength: 37 }),
    conv({ ...common, length: 129, kernelLength: 300, dtype: "float16" }),
    conv({ ...common, length: 1000, kernelLength: 1000, dtype: "bfloat16" }),
  ];
});

type Mutant = (input: OracleInput, right: Float64Array) => Float64Array;
const otherMode: { readonly [M in ConvMode]: ConvMode } = {
  causal: "circular",
  circular: "causal",
  same: "causal",
  full: "full",
  valid: "valid",
};

const mutants: { readonly [name: string]: Mutant } = {
  "zeros": (_, y) => y.map(() => 0),
  "a shift by one sample": (_, y) => y.map((_, n) => y[(n + 1) % y.length]!),
  "one NaN": (_, y) => y.map((value, n) => n === y.length - 1 ? NaN : value),
  "infinity": (_, y) => y.map((value, n) => n === 0 ? Infinity : value),
  "half the size": (_, y) => y.map((value) => value / 2),
  "two percent too large": (_, y) => y.map((value) => value * 1.02),
  "one wrong sample": (_, y) => y.map((value, n) => n === 3 ? value + 1 : value),
  "no pre gate": (p) => convolveAll({ ...p, preGate: undefined }),
  "no post gate": (p) => convolveAll({ ...p, postGate: undefined }),
  "gates exchanged": (p, y) =>
    p.preGate?.length === p.postGate?.length
      ? convolveAll({ ...p, preGate: p.postGate, postGate: p.preGate })
      : y.map(() => 0),
  "no skip": (p, y) => p.skip ? convolveAll({ ...p, skip: undefined }) : y.map(() => 0),
  "correlation instead of convolution": (p) => {
    const k = p.k.slice();
    for (let h = 0; h < p.channels; h++) k.subarray(h * p.kernelLength, (h + 1) * p.kernelLength).reverse();
    return convolveAll({ ...p, k });
  },
  "the first channel's kernel for all": (p) =>
    convolveAll({ ...p, sharedKernel: true, k: p.k.subarray(0, p.kernelLength) }),
  "the last tap forgotten": (p, y) => {
    const last = p.kernelLength - 1;
    const reached = p.mode !== "causal" || last < p.length; // else nobody hears it
    const centred = p.mode !== "same" || Math.floor(last / 2) < p.length;
    if (!reached || !centred) return y.map(() => 0);
    return convolveAll({ ...p, k: p.k.map((tap, j) => j % p.kernelLength === last ? 0 : tap) });
  },
  "another mode": (p, y) =>
    otherMode[p.mode] === p.mode ? y.map(() => 0) : convolveAll({ ...p, mode: otherMode[p.mode] }),
  "batches exchanged": (p, y) => {
    const half = y.length / p.batch;
    return Float64Array.from([...y.subarray(half), ...y.subarray(0, half)]);
  },
  "one row too few": (_, y) => y.subarray(0, y.length - 1),
};

const judged = (c: ConvCase, y: Float64Array, input: OracleInput, reference: Float64Array) =>
  judge(rounded(y, c.dtype).values, reference, input, { dtype: c.dtype, precision: "accurate", device: "cpu" });

Deno.test("the checker accepts the rounded reference", () => {
  for (const c of shapes) {
    const { input } = makeData(c);
    const reference = convolveAll(input);
    assert.equal(reference.length, 6 * outputLength(c.mode, c.length, c.kernelLength));
    assert.ok(judged(c, reference, input, reference).ok);
  }
});

for (const [name, mutant] of Object.entries(mutants)) {
  Deno.test(`the checker rejects ${name}`, () => {
    for (const c of shapes) {
      const { input } = makeData(c);
      const reference = convolveAll(input);
      const verdict = judged(c, mutant(input, reference), input, reference);
      assert.ok(!verdict.ok, `${c.mode} ${c.dtype} passed with relative L2 error ${verdict.relL2}`);
    }
  });
}
