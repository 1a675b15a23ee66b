// Blocks of frequencies scattered over the spectrum, which a filter bank convolves as slots at a 32nd of the sampling rate: what the
// filters do at the ends of a row, to frequencies that are dropped, to small and large inputs, and to rows that lie anywhere.
import assert from "node:assert/strict";
import type { Device, Dtype, FrequencyPattern } from "../../mod.ts";
import { conv } from "../cases.ts";
import { runAllSparse, type SparseCase } from "../sparse_cases.ts";
import { gpuTest, openGpu } from "./availability.ts";
import { blocksOf as blocksOfPoints, circularBlocksOf } from "./block_patterns.ts";
import { impulses, judgeChunks, judgeImpulses, judgeTones, runRows, skippedParts, usualRows } from "./sparse_rows.ts";

const length = 2 ** 20, dtypes = ["float16", "bfloat16", "float32"] as const;
/** Of noise, in the fast class; float32 has one class. */
const bound = { float16: 2e-3, bfloat16: 2e-3, float32: 1e-6 };
const bank = (slots: number) => `multi-pass/bank/${slots}x32768/rate32`;
const six = [1, 2, 7, 30, 45, 62], sixteen = [0, 3, 5, 9, 12, 18, 19, 20, 27, 33, 38, 41, 50, 55, 58, 63];

/** Blocks of a 64th of the spectrum. */
const blocksOf = (blocks: readonly number[], of = 64) => blocksOfPoints(blocks, length, of);

gpuTest("filter banks: the planner takes slots for blocks anywhere in the spectrum", () => {
  using device = openGpu();
  const chosen = (keepFrequencies: FrequencyPattern, more: object = {}) => {
    using plan = device.plan(usualRows(length, keepFrequencies, more));
    const { chosen, candidates } = plan.explain();
    return { name: chosen.name, names: candidates.map(({ name }) => name), ...skippedParts(plan) };
  };
  for (const blocks of [[40], six, sixteen]) {
    const { name, flops, bytes } = chosen(blocksOf(blocks).pattern);
    assert.equal(name, bank(blocks.length));
    // Filters of more than eight slots are more arithmetic than what they save.
    assert.ok(bytes > 0.3 && (flops > 0.3) === (blocks.length <= 8), `${blocks.length}: ${flops} ${bytes}`);
  }
  // Parts of a block need its whole slot; a mask is a list of such.
  const mask = Array.from({ length }, (_, f) => f % (length / 4) < 100);
  assert.equal(chosen({ mask, blockBins: 64 }).name, bank(4));
  for (const blocks of [[40], six, sixteen]) {
    const { name, flops, bytes } = chosen(blocksOf(blocks).pattern, { dtype: "float32" });
    // Sixteen coarse slots and the 256 of a fine bank that they are take about as long.
    const names = [bank(blocks.length), ...(blocks.length > 8 ? ["multi-pass/bank/256x2048/rate512"] : [])];
    assert.ok(names.includes(name), name);
    assert.ok(bytes > 0.5 && (flops > 0.3) === (blocks.length <= 8), `float32, ${blocks.length}: ${flops} ${bytes}`);
  }
  // With a skip term; circular, too, where the lowest quarter has one bin of a seventeenth block, and half of the rate may be quicker.
  for (const dtype of dtypes) {
    const circular = { dtype, mode: "circular" } as const;
    assert.equal(chosen(blocksOf(six).pattern, { dtype, skip: true }).name, bank(6));
    assert.equal(chosen(circularBlocksOf(six, length).pattern, { ...circular, skip: true }).name, bank(6));
    assert.ok(chosen({ lowest: 0.25 }, circular).names.includes(bank(16)));
  }
  // What it does not do: more than sixteen slots, other grids, periods that are no multiple of 256.
  const others: [FrequencyPattern, object][] = [
    [blocksOf([...sixteen, 1]).pattern, {}],
    [{ blocks: [1, 30, 62], blockBins: 2 ** 16 }, { length: 2 ** 22 }],
    [{ blocks: [1], blockBins: 8192 }, { length: length - 8, mode: "circular" }],
  ];
  for (const [pattern, more] of others) assert.doesNotMatch(chosen(pattern, more).name, /rate32/);
});

for (const dtype of dtypes) {
  gpuTest(`filter banks: against float64, ${dtype}`, async () => {
    using device = openGpu();
    const cases: SparseCase[] = [];
    const add = (more: Partial<SparseCase>, blocks: readonly number[], of = 64) => {
      const given = conv({ mode: "causal", length, kernelLength: length, dtype, kernelDtype: "float32", ...more });
      const slots = new Set(blocks.map((b) => Math.floor(64 * b / of))).size;
      cases.push({ ...given, ...blocksOf(blocks, of), candidate: bank(slots) });
    };
    add({ precision: "accurate", batch: 2 }, sixteen);
    add({ precision: "fast", channels: 2, preGate: true }, six);
    add({ precision: "fast", length: length - 3, kernelLength: 1000, postGate: true, kernelDtype: dtype }, [0, 5]);
    add({ precision: "accurate", length: 600001, preGate: true, postGate: true, sharedKernel: true, channels: 2 }, [
      63,
      17,
    ]);
    add({ precision: "fast", length: length - 8, kernelLength: 2 * length, inPlace: true }, sixteen);
    add({ precision: "fast", skip: true, inPlace: true, batch: 2, channels: 2 }, sixteen);
    add({ precision: "accurate", length: length - 5, skip: true, preGate: true, postGate: true, kernelDtype: dtype }, [
      0,
      9,
      40,
    ]);
    add({ precision: "accurate" }, [3, 4, 200, 201, 777], 1024);
    assert.equal(await runAllSparse(device, cases), cases.length);
  });
}

// What a circular row has at its ends goes on at the other one, and so does what the filters make of it.
for (const dtype of dtypes) {
  gpuTest(`filter banks: circular, against float64, ${dtype}`, async () => {
    using device = openGpu();
    const cases: SparseCase[] = [];
    const add = (period: number, blocks: readonly number[], slots: number, more: Partial<SparseCase> = {}) => {
      const shape = { mode: "circular", length: period, kernelLength: period, dtype, kernelDtype: "float32" } as const;
      const ring = 2 ** Math.ceil(Math.log2(period / 32)); // of those that tests have
      const candidate = `multi-pass/bank/${slots}x${ring}/rate32`;
      cases.push({ ...conv({ ...shape, ...more }), ...circularBlocksOf(blocks, period), candidate });
    };
    add(length, [...sixteen, 64], 16, { precision: "fast", batch: 2 });
    add(length, six, 6, { precision: "accurate", preGate: true, postGate: true, skip: true, channels: 2, batch: 3 });
    add(length, [64], 1, { precision: "fast", kernelLength: 100 });
    // A period that is no power of two, and a kernel that is longer than it.
    add(250 * 4096, [0, 17, 40], 3, {
      precision: "accurate",
      kernelLength: length + 5,
      skip: true,
      sharedKernel: true,
    });
    add(100 * 1024, six, 6, { precision: "accurate", batch: 9, postGate: true });
    add(2 ** 17, sixteen, 16, { precision: "fast", batch: 3, channels: 2 });
    if (dtype === "float32") {
      add(2 ** 19, sixteen, 16, { postGate: true });
      add(8192, six, 6, { batch: 5, channels: 3, skip: true, inPlace: true });
    }
    assert.equal(await runAllSparse(device, cases), cases.length);
  });
}

/** Rows through a bank of these blocks. */
function run(device: Device, rows: Float64Array[], dtype: Dtype, blocks: readonly number[]) {
  const { pattern, kept } = blocksOf(blocks), name = bank(blocks.length);
  return runRows(device, rows, dtype, { keepFrequencies: pattern, candidate: name }, kept, (plan) => {
    assert.equal(plan.explain().chosen.name, name);
  });
}

// Behind the last sample the filters reach into the rings' imaginary parts, and before the first one into zeros.
gpuTest("filter banks: impulses at both ends of a row", async () => {
  using device = openGpu();
  const places = [0, 31, length / 2 - 1, length - 200, length - 1];
  const rows = impulses(length, places);
  for (const dtype of dtypes) {
    const results = await run(device, rows, dtype, six);
    judgeImpulses(results, places, 256, bound[dtype], dtype);
  }
});

gpuTest("filter banks: tones that are kept and dropped, small and large inputs", async () => {
  using device = openGpu();
  // A constant, in the middle of a block, just beside one, at the other end.
  const parts = [0, 30.5 / 64, 29.99 / 64, 1], blocks = [0, 7, 30, 45, 62];
  for (const dtype of dtypes) {
    await judgeTones((...given) => run(device, ...given), dtype, length, parts, blocks, 64, bound[dtype]);
  }
});

for (const dtype of ["bfloat16", "float32"] as const) {
  gpuTest(`filter banks: chunks of rows give the bits of one chunk, ${dtype}`, async () => {
    const { pattern } = blocksOf(six), numberBytes = dtype === "float32" ? 4 : 2;
    // Two rows of a channel, two channels, one row at a time.
    const limits = [450_000, 1_500_000, 250_000].map((numbers) => numbers * numberBytes);
    for (const sharedKernel of [false, true]) {
      await judgeChunks({ dtype, length, sharedKernel, keepFrequencies: pattern, candidate: bank(6) }, limits);
    }
  });
}

// Each has a ring of its own: in 16 bit sets of rows of up to 8192 points, two slices of 8192, four of 16384, in float32 one block instead of a cluster.
gpuTest("filter banks: other lengths", async () => {
  using device = openGpu();
  const cases: SparseCase[] = [];
  const add = (given: Partial<SparseCase> & { length: number }, points: number, blocks: readonly number[]) => {
    const blockBins = points / 64, rows = { batch: 2, kernelLength: given.length, kernelDtype: "float32" } as const;
    cases.push({
      ...conv({ mode: "causal", ...rows, ...given }),
      pattern: { blocks, blockBins },
      kept: Array.from({ length: points }, (_, f) => blocks.includes(Math.floor(f / blockBins))),
      candidate: `multi-pass/bank/${blocks.length}x${points / 32}/rate32`,
    });
  };
  add({ dtype: "float32", length: 2 ** 19, preGate: true }, 2 ** 19, sixteen);
  add({ dtype: "float32", length: 2 ** 18 + 1, skip: true }, 2 ** 19, [5, 6, 63]);
  for (const points of [2 ** 13, 2 ** 15, 2 ** 16, 2 ** 17, 2 ** 18, 2 ** 19, 2 ** 21]) {
    add({ dtype: "float16", precision: "fast", length: points }, points, sixteen);
    add({ dtype: "float16", precision: "accurate", length: points - 3, postGate: true }, points, six);
    add({ dtype: "bfloat16", precision: "fast", length: points / 2 + 9, skip: true, preGate: true }, points, [0, 40]);
  }
  assert.equal(await runAllSparse(device, cases), cases.length);
});
