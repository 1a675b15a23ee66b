// Blocks of a 1024th of the spectrum, wherever they lie, which a fine filter bank convolves as slots at a 512th of the sampling rate.
import assert from "node:assert/strict";
import type { Device, Dtype, FrequencyPattern } from "../../mod.ts";
import { conv } from "../cases.ts";
import { gaussian } from "../random.ts";
import { runAllSparse, type SparseCase } from "../sparse_cases.ts";
import { gpuTest, openGpu } from "./availability.ts";
import { blocksOf, circularBlocksOf } from "./block_patterns.ts";
import {
  difference,
  impulses,
  judgeChunks,
  judgeImpulses,
  judgeTones,
  rms,
  runRows,
  skippedParts,
  usualRows,
} from "./sparse_rows.ts";

const length = 2 ** 20, dtypes = ["float16", "bfloat16", "float32"] as const;
/** Of noise, in the fast class; float32 has one class. */
const bound = { float16: 2e-3, bfloat16: 2e-3, float32: 1e-6 };
const bank = (slots: number, points = length) => `multi-pass/bank/${slots}x${points / 512}/rate512`;
/** Spread over the spectrum, both ends among them; about so many of 1024. */
const spread = (step: number) => Array.from({ length: Math.ceil(1024 / step) }, (_, i) => Math.floor(i * step));
const ninth = [...spread(11.2), 1023];
/** 40 blocks whose rows all belong to one product, so that it has several tiles and the others none. */
const alike = Array.from({ length: 40 }, (_, i) => 16 * i);

gpuTest("fine filter banks: the planner takes slots for many small blocks", () => {
  using device = openGpu();
  const chosen = (keepFrequencies: FrequencyPattern, more: object = {}) => {
    using plan = device.plan(usualRows(length, keepFrequencies, more));
    return { name: plan.explain().chosen.name, ...skippedParts(plan) };
  };
  for (const dtype of dtypes) {
    const { name, flops, bytes } = chosen(blocksOf(ninth, length, 1024).pattern, { dtype });
    assert.equal(name, bank(ninth.length));
    // In float32 the transforms of the filters are a good part of those that they save.
    assert.ok(flops > (dtype === "float32" ? 0.1 : 0.3) && bytes > 0.5, `${flops} ${bytes}`);
    assert.equal(chosen(blocksOf(spread(4), length, 1024).pattern, { dtype }).name, bank(256));
    assert.equal(
      chosen(blocksOf(ninth, length, 1024).pattern, { dtype, preGate: true, postGate: true }).name,
      bank(ninth.length),
    );
    const circular = circularBlocksOf(ninth, length, 1024).pattern;
    assert.equal(chosen(circular, { dtype, mode: "circular" }).name, bank(ninth.length));
  }
  // Blocks of a 64th at a length that has no coarse bank.
  const long = { length: 2 ** 22, kernelLength: 2 ** 22 };
  assert.equal(chosen({ blocks: [1, 30, 62], blockBins: 2 ** 16 }, long).name, bank(48, 2 ** 22));
  // What it does not do: too many slots, grids that it does not divide.
  assert.doesNotMatch(chosen(blocksOf(spread(2), length, 1024).pattern).name, /bank/);
  const odd = circularBlocksOf([1, 500, 900], 10 ** 6, 1000).pattern;
  assert.doesNotMatch(chosen(odd, { length: 10 ** 6, mode: "circular" }).name, /rate512/);
});

for (const dtype of dtypes) {
  gpuTest(`fine filter banks: against float64, ${dtype}`, async () => {
    using device = openGpu();
    const cases: SparseCase[] = [];
    const add = (points: number, blocks: readonly number[], more: Partial<SparseCase>) => {
      const shape = { mode: "causal", length: points, kernelLength: points, dtype, kernelDtype: "float32" } as const;
      const pattern = more.mode === "circular"
        ? circularBlocksOf(blocks, points, 1024)
        : blocksOf(blocks, points, 1024);
      const given = conv({ ...shape, ...more, ...(dtype === "float32" && { precision: "accurate" as const }) });
      cases.push({ ...given, ...pattern, candidate: bank(blocks.length, points) });
    };
    add(length, ninth, { precision: "fast", batch: 2 });
    add(length, spread(4), { precision: "accurate", channels: 2, preGate: true });
    add(length, alike, { precision: "accurate", length: length - 5, skip: true, postGate: true, kernelLength: 1000 });
    add(length, ninth, {
      precision: "fast",
      length: 600001,
      preGate: true,
      postGate: true,
      sharedKernel: true,
      channels: 2,
    });
    add(length, ninth, { precision: "fast", skip: true, inPlace: true, batch: 2, channels: 2 });
    add(2 ** 17, spread(3.4), { precision: "fast", batch: 9, kernelLength: 2 ** 18 });
    add(2 ** 18, ninth, { precision: "accurate", length: 2 ** 18 - 3, batch: 3 });
    add(2 ** 21, [0, 511, 1023], { precision: "fast", length: 2 ** 21 - 8 });
    add(2 ** 18, ninth, { mode: "circular", precision: "fast", batch: 3, skip: true });
    add(2 ** 19, [...alike, 1023], {
      mode: "circular",
      precision: "accurate",
      preGate: true,
      postGate: true,
      kernelLength: 2 ** 19 + 5,
    });
    assert.equal(await runAllSparse(device, cases), cases.length);
  });
}

/** Rows through a bank of these blocks. */
function run(device: Device, rows: Float64Array[], dtype: Dtype, blocks: readonly number[]) {
  const { pattern, kept } = blocksOf(blocks, length, 1024), name = bank(blocks.length);
  return runRows(device, rows, dtype, { keepFrequencies: pattern, candidate: name }, kept, (plan) => {
    assert.equal(plan.explain().chosen.name, name);
  });
}

// Behind the last sample the filters reach into the rings' imaginary parts, and before the first one into zeros.
gpuTest("fine filter banks: impulses at both ends of a row", async () => {
  using device = openGpu();
  const places = [0, 300, length / 2 - 1, length - 3000, length - 1];
  const rows = impulses(length, places);
  for (const dtype of dtypes) {
    const results = await run(device, rows, dtype, ninth);
    judgeImpulses(results, places, 4096, bound[dtype], dtype);
  }
});

gpuTest("fine filter banks: tones that are kept and dropped, small and large inputs", async () => {
  using device = openGpu();
  // A constant, in the middle of a block, just beside one, at the other end.
  const parts = [0, 480.5 / 1024, 479.9 / 1024, 1];
  const blocks = [...new Set([...ninth, 480])].filter((b) => b !== 479).sort((a, b) => a - b);
  for (const dtype of dtypes) {
    await judgeTones((...given) => run(device, ...given), dtype, length, parts, blocks, 1024, bound[dtype]);
  }
});

// A sample that the pass which looks at some does not see: its row is analysed once more.
gpuTest("fine filter banks: a row's largest sample is found wherever it is", async () => {
  using device = openGpu();
  for (const dtype of ["float16", "bfloat16"] as const) {
    const row = gaussian(length, 5, 0.01);
    row[length / 2 + 12345] = 60; // not in one of the eighths
    const [result] = await run(device, [row], dtype, ninth);
    const error = difference(result!.y, result!.exact) / rms(result!.exact);
    assert.ok(error < 1.25 * bound[dtype], `${dtype}: ${error}`);
  }
});

for (const dtype of ["bfloat16", "float32"] as const) {
  gpuTest(`fine filter banks: chunks of rows give the bits of one chunk, ${dtype}`, async () => {
    const { pattern } = blocksOf(ninth, length, 1024), numberBytes = dtype === "float32" ? 4 : 2;
    // Two rows of a channel, two channels.
    const limits = [450_000, 1_500_000].map((numbers) => numbers * numberBytes);
    await judgeChunks({ dtype, length, keepFrequencies: pattern, candidate: bank(ninth.length) }, limits);
  });
}
