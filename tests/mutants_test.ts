// The checker of the matrix has to reject wrong answers. Each mutant is a mistake that somebody could make.
import assert from "node:assert/strict";
import { type ConvMode, outputLength } from "../mod.ts";
import { conv, type ConvCase, modes } from "./cases.ts";
import { convolveAll, type OracleInput, sparseAll, sparseGrid, sparseRow } from "./oracle.ts";
import { rounded } from "./rounded.ts";
import { makeData } from "./run_case.ts";
import { type SparseCase, sparseCases } from "./sparse_cases.ts";
import { judge, judgeRows } from "./tolerance.ts";

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

// Frequency-sparse results: what a wrong reading of the pattern would give.
const sparseShapes: readonly SparseCase[] = (["causal", "circular"] as const).flatMap((mode) =>
  sparseCases(mode, [256, 300], ["float32", "bfloat16"]).filter(({ kept }) =>
    // Patterns whose neighbours and opposites are patterns too.
    kept.filter(Boolean).length > 8 && kept.filter(Boolean).length < kept.length - 8
  )
);

type SparseMutant = (c: SparseCase, input: OracleInput) => Float64Array;
const sparseMutants: { readonly [name: string]: SparseMutant } = {
  "the dense convolution": (c, input) => sparseAll(input, c.kept.map(() => true)).y,
  "the dropped frequencies instead": (c, input) => sparseAll(input, c.kept.map((keep) => !keep)).y,
  "one bin too few": (c, input) => {
    const kept = [...c.kept];
    kept[kept.indexOf(true)] = false;
    return sparseAll(input, kept).y;
  },
  "one bin too many": (c, input) => {
    const kept = [...c.kept];
    kept[kept.indexOf(false)] = true;
    return sparseAll(input, kept).y;
  },
  "bins counted from the other end": (c, input) =>
    c.kept.every((keep, f) => keep === c.kept[c.kept.length - 1 - f])
      ? new Float64Array(sparseAll(input, c.kept).y.length) // a pattern that is its own mirror image
      : sparseAll(input, [...c.kept].reverse()).y,
  "the kernel cut to its own length after masking": (c, input) => {
    // What a filter without ringing before its beginning would be: only the first samples of what remains.
    const { k, kernelLength } = input;
    const grid = sparseGrid(c.mode, c.length);
    const cut = k.slice();
    for (let row = 0; row * kernelLength < k.length; row++) {
      const impulse = new Float64Array(c.length).fill(0);
      impulse[0] = 1;
      const left = sparseRow(impulse, k.subarray(row * kernelLength, (row + 1) * kernelLength), grid, c.kept);
      for (let n = 0; n < kernelLength; n++) cut[row * kernelLength + n] = n < c.length ? left[n]! : 0;
    }
    return c.mode === "circular" && kernelLength >= c.length
      ? new Float64Array(sparseAll(input, c.kept).y.length) // where there is nothing to cut
      : convolveAll({ ...input, k: cut });
  },
  "zeros": (c, input) => sparseAll(input, c.kept).y.map(() => 0),
  "a NaN": (c, input) => sparseAll(input, c.kept).y.map((value, n) => n === 7 ? NaN : value),
  "a shift by one sample": (c, input) => {
    const { y } = sparseAll(input, c.kept);
    return y.map((_, n) => y[(n + 1) % y.length]!);
  },
};

function sparseVerdict(c: SparseCase, y: Float64Array, input: OracleInput): boolean {
  const right = sparseAll(input, c.kept);
  const how = { dtype: c.dtype, precision: "accurate", device: "cpu" } as const;
  return judgeRows(rounded(y, c.dtype).values, right.y, right.size, c.length, 4 * c.length, how).ok;
}

Deno.test("sparse: the checker accepts the rounded reference", () => {
  assert.ok(sparseShapes.length >= 20);
  for (const c of sparseShapes) {
    const { input } = makeData(c);
    assert.ok(sparseVerdict(c, sparseAll(input, c.kept).y, input));
  }
});

for (const [name, mutant] of Object.entries(sparseMutants)) {
  Deno.test(`sparse: the checker rejects ${name}`, () => {
    for (const c of sparseShapes) {
      const { input } = makeData(c);
      assert.ok(!sparseVerdict(c, mutant(c, input), input), `${c.mode} ${c.dtype} ${JSON.stringify(c.pattern)} passed`);
    }
  });
}
