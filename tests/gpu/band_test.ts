// Bands of frequencies, which several passes convolve at a half or a quarter of the sampling rate: what the filters in and out of
// that rate do at the ends of a row, to frequencies beyond the band, to small and large inputs and to rows that lie anywhere.
import assert from "node:assert/strict";
import type { ConvPlan, ConvPlanOptions, Device, Dtype, FrequencyPattern } from "../../mod.ts";
import { conv, dtypes } from "../cases.ts";
import { sparseGrid } from "../oracle.ts";
import { gaussian } from "../random.ts";
import { runAllSparse, type SparseCase, sparseOptions } from "../sparse_cases.ts";
import { gpuTest, openGpu } from "./availability.ts";
import { difference, impulses, rms, runRows, skippedParts, usualRows } from "./sparse_rows.ts";

/** What a float32 row is held to where a 16-bit one is to 2.2e-3. */
const finer = (dtype: Dtype) => dtype === "float32" ? 1e-3 : 1;

// With the lowest or the highest frequency, and anywhere between them, where filters may change sign.
const ends = [[0, 0.25], [0.91, 1], [0.05, 0.38]] as const, within = [[0, 0.09], [0.31, 0.55], [0.1, 0.19]] as const;

type Mode = "causal" | "circular";

/** Bins whose frequencies lie in a part of half the sampling rate, in blocks of 64. */
function keptBetween(length: number, from: number, to: number, mode: Mode = "causal"): boolean[] {
  const { bins, points } = sparseGrid(mode, length), blocks = new Set<number>();
  for (let f = 0; f < bins; f++) {
    const at = mode === "circular" ? 2 * f / points : (2 * f + 1) / (2 * points);
    if (at >= from && at <= to) blocks.add(f >> 6);
  }
  return Array.from({ length: bins }, (_, f) => blocks.has(f >> 6));
}

function rateOf(plan: ConvPlan): string {
  return /\/(rate\d)(\/circular)?$/.exec(plan.explain().chosen.name)?.[1] ?? "its own rate";
}

/** The quickest candidate with such a name; undefined where there is none. */
function quickest(device: Device, options: ConvPlanOptions, named: RegExp): string | undefined {
  using plan = device.plan(options);
  const there = plan.explain().candidates.filter(({ name }) => named.test(name));
  return there.sort((a, b) => a.predictedMs - b.predictedMs)[0]?.name;
}
/** At a part of the rate, which some filter bank may be quicker than. */
const atPartOfRate = (device: Device, options: ConvPlanOptions) =>
  quickest(device, options, /\/rate[24](\/circular)?$/);

gpuTest("bands: a part of the rate is the quickest but for filter banks where the filters have room", () => {
  using device = openGpu();
  const rate = (length: number, keepFrequencies: FrequencyPattern, more: object = {}) => {
    const given = usualRows(length, keepFrequencies, more);
    const candidate = quickest(device, given, /^(?!multi-pass\/bank)/)!;
    using plan = device.plan({ ...given, candidate });
    return { rate: rateOf(plan), ...skippedParts(plan) };
  };
  const long = 2 ** 20, float32 = { dtype: "float32" };
  const [half, quarter, all] = [0.25, 0.09, 0.5].map((lowest) => rate(long, { lowest }));
  assert.deepEqual([half!.rate, quarter!.rate, all!.rate], ["rate2", "rate4", "its own rate"]);
  assert.ok(half!.flops > 0.4 && quarter!.flops > half!.flops && all!.flops === 0);
  assert.ok(half!.bytes > 0.3 && quarter!.bytes > half!.bytes);
  // Anywhere in the spectrum, whatever lies between its first and its last frequency.
  const halved: FrequencyPattern[] = [
    { band: [0.1, 0.3] },
    { band: [0.3, 0.5] },
    { band: [0.25, 0.5] },
    { band: [0.75, 1] },
    { blocks: Array.from({ length: 16 }, (_, i) => 32 * i), blockBins: 512 },
  ];
  for (const pattern of halved) assert.equal(rate(long, pattern).rate, "rate2", JSON.stringify(pattern));
  for (const pattern of [{ band: [0.45, 0.54] }, { band: [0.9, 1] }] as const) {
    assert.equal(rate(long, pattern).rate, "rate4", JSON.stringify(pattern));
  }
  assert.equal(rate(long, { band: [0.1, 0.6] }).rate, "its own rate");
  assert.equal(rate(long, { blocks: [0, 63], blockBins: long / 64 }).rate, "its own rate");
  assert.equal(rate(long, { lowest: 0.25 }, { skip: true }).rate, "rate2"); // added to outputs
  // The shortest rings of a half and of a quarter of the rate.
  assert.equal(rate(2 ** 18, { lowest: 0.09 }).rate, "rate2");
  assert.equal(rate(2 ** 19, { lowest: 0.09 }).rate, "rate4");
  // float32 has filters of its own, beside which the skip term is added.
  for (const pattern of halved) {
    const { rate: found, flops, bytes } = rate(long, pattern, { ...float32, skip: true });
    assert.equal(found, "rate2", JSON.stringify(pattern));
    assert.ok(flops > 0.1 && bytes > 0.2, `${flops} ${bytes}`);
  }
  for (const [length, expected] of [[2 ** 15, "its own rate"], [2 ** 16, "rate4"], [2 ** 18, "rate4"]] as const) {
    assert.equal(rate(length, { lowest: 0.09 }, { ...float32, skip: true }).rate, expected);
  }
  // Circular rows that are a power of two.
  const circular = { mode: "circular" } as const;
  for (const pattern of [...halved.slice(0, 4), { lowest: 0.25 }]) {
    assert.equal(rate(long, pattern, circular).rate, "rate2", JSON.stringify(pattern));
    assert.equal(rate(long, pattern, { ...circular, ...float32 }).rate, "rate2", JSON.stringify(pattern));
  }
  assert.equal(rate(long, { band: [0.45, 0.54] }, circular).rate, "rate4");
  assert.equal(rate(long, { lowest: 0.25 }, { ...circular, kernelLength: long + 1 }).rate, "its own rate");
  assert.equal(rate(3 * 2 ** 18, { lowest: 0.25 }, circular).rate, "its own rate");
});

gpuTest("classes of circular rows leave rows out where the row is a power of two", () => {
  using device = openGpu();
  const classes = { classes: Array.from({ length: 64 }, (_, c) => 4 * c), modulus: 256 };
  for (const dtype of dtypes) {
    for (const skip of [false, true]) {
      const length = 2 ** 20, shape = { batch: 8, channels: 16, length, kernelLength: length, dtype, skip };
      using plan = device.plan({ ...shape, mode: "circular", keepFrequencies: classes });
      const { rowBytes, rowBytesSkipped } = plan.explain().data.sparsity as { [key: string]: number };
      assert.ok(rowBytesSkipped! / rowBytes! > 0.4, `${dtype} ${skip} ${plan.explain().chosen.name}`);
      assert.match(plan.explain().chosen.name, /\/circular$/);
    }
    const shape = { batch: 8, channels: 16, length: 3 * 2 ** 18, kernelLength: 1000, dtype } as const;
    using dense = device.plan({ ...shape, mode: "circular", keepFrequencies: classes });
    assert.equal((dense.explain().data.sparsity as { [key: string]: number }).rowBytesSkipped, 0);
  }
});

for (const dtype of dtypes) {
  gpuTest(`bands: against float64, ${dtype}`, async () => {
    using device = openGpu();
    const cases: SparseCase[] = [];
    let i = 0;
    for (const length of [2 ** 18, 2 ** 19, 2 ** 19 - 3, 300001]) {
      for (const precision of ["fast", "accurate"] as const) {
        for (const [from, to] of i % 6 ? ends : within) {
          i++;
          const given = conv({
            ...{ mode: "causal", length, dtype, precision, batch: 1 + i % 2, channels: 1 + i % 3 % 2 },
            kernelLength: [length, 1000, 2 * length + 1][i % 3]!,
            kernelDtype: i % 4 ? "float32" : dtype,
            preGate: i % 5 === 1 || i % 5 === 4,
            postGate: i % 5 === 2 || i % 5 === 4,
            sharedKernel: i % 7 === 5,
            skip: i % 3 === 0,
            inPlace: i % 8 === 5,
          });
          const pattern = from === 0 ? { lowest: to } : { band: [from, to] as const };
          const each: SparseCase = { ...given, pattern, kept: keptBetween(length, from, to) };
          const candidate = atPartOfRate(device, sparseOptions(each));
          cases.push({ ...each, ...(candidate !== undefined && { candidate }) });
        }
      }
    }
    // Fewer frequencies than the transform has rows: most of those are empty.
    for (const [length, block, count] of [[2 ** 18, 1, 1], [2 ** 19, 100, 1], [2 ** 19, 3, 7]] as const) {
      const given = conv({ mode: "causal", length, kernelLength: length, dtype, kernelDtype: "float32", batch: 2 });
      const pattern = { blocks: Array.from({ length: count }, (_, b) => 2 * b), blockBins: block };
      const { bins } = sparseGrid("causal", length);
      cases.push({
        ...given,
        pattern,
        kept: Array.from({ length: bins }, (_, f) => pattern.blocks.includes(Math.floor(f / block))),
      });
    }
    assert.equal(await runAllSparse(device, cases), cases.length);
  });
}

// Filters run around the row, and so do those of kernels.
for (const dtype of dtypes) {
  gpuTest(`bands: circular, against float64, ${dtype}`, async () => {
    using device = openGpu();
    const cases: SparseCase[] = [];
    let i = 0;
    for (const length of [2 ** 18, 2 ** 19]) {
      for (const precision of ["fast", "accurate"] as const) {
        for (const [from, to] of [...ends, ...within]) {
          i++;
          const given = conv({
            ...{ mode: "circular", length, dtype, precision, batch: 1 + i % 2, channels: 1 + i % 3 % 2 },
            kernelLength: [length, 1000, length - 1][i % 3]!,
            kernelDtype: i % 4 ? "float32" : dtype,
            preGate: i % 5 === 1 || i % 5 === 4,
            postGate: i % 5 === 2 || i % 5 === 4,
            sharedKernel: i % 7 === 5,
            skip: i % 3 === 0,
            inPlace: i % 8 === 5,
          });
          const pattern = from === 0 ? { lowest: to } : { band: [from, to] as const };
          const each: SparseCase = { ...given, pattern, kept: keptBetween(length, from, to, "circular") };
          const candidate = atPartOfRate(device, sparseOptions(each));
          cases.push({ ...each, ...(candidate !== undefined && { candidate }) });
        }
      }
    }
    assert.ok(cases.filter(({ candidate }) => candidate).length > cases.length / 2);
    assert.equal(await runAllSparse(device, cases), cases.length);
  });
}

/** Rows through a plan of the lowest frequencies at a part of the rate. */
function run(device: Device, rows: Float64Array[], dtype: Dtype, lowest: number, mode: Mode = "causal") {
  const length = rows[0]!.length,
    keepFrequencies = { lowest },
    shape = { batch: rows.length, length, kernelLength: length };
  const candidate = atPartOfRate(device, { ...shape, dtype, mode, keepFrequencies })!;
  const kept = keptBetween(length, 0, lowest, mode);
  return runRows(device, rows, dtype, { keepFrequencies, candidate, mode }, kept, (plan) => {
    assert.match(rateOf(plan), /^rate/);
  });
}

// Behind the last sample the filters reach into the ring's imaginary part, and before the first one into zeros.
gpuTest("bands: impulses at both ends of a row", async () => {
  using device = openGpu();
  const length = 2 ** 19, places = [0, 1, 2, 3, 7, 17, length / 2 - 1, length - 17, length - 3, length - 2, length - 1];
  const rows = impulses(length, places);
  for (const dtype of dtypes) {
    for (
      const [lowest, mode] of [[0.25, "causal"], [0.09, "causal"], [0.25, "circular"], [0.09, "circular"]] as const
    ) {
      const results = await run(device, rows, dtype, lowest, mode);
      // Of an impulse whose response lies in the row: of the last ones nearly all comes after it.
      const usual = rms(results[0]!.exact);
      for (const [r, { y, exact }] of results.entries()) {
        const error = difference(y, exact) / usual;
        assert.ok(error < 2.2e-3 * finer(dtype), `${dtype} ${lowest} ${mode}, sample ${places[r]}: ${error}`);
        // The last outputs alone: those that are made of what follows the ring.
        const end = difference(y.slice(-8), exact.slice(-8)) / usual;
        assert.ok(end < 6e-3 * finer(dtype), `${dtype} ${lowest} ${mode}, sample ${places[r]}, last outputs: ${end}`);
      }
    }
  }
});

gpuTest("bands: tones inside and outside the band, small and large inputs", async () => {
  using device = openGpu();
  const length = 2 ** 19,
    tone = (part: number, size: number) =>
      Float64Array.from({ length }, (_, n) => size * Math.cos(Math.PI * part * n + 0.4));
  for (const dtype of dtypes) {
    // float16 from rms 0.01 on; a tone of 1000 meets weak and strong frequencies of the kernel.
    const sizes = dtype === "float16" ? [0.015, 1, 1000] : [1e-6, 1, 1e4];
    for (const lowest of [0.25, 0.09]) {
      // Just inside, just outside, folded to the middle of the band, folded near its edge, the highest.
      const parts = [0, lowest / 3, lowest - 0.002, lowest + 0.002, lowest > 0.2 ? 0.9 : 0.47, 1 - lowest, 1];
      for (const size of sizes) {
        const rows = [...parts.map((part) => tone(part, size)), gaussian(length, 9, size)];
        const results = await run(device, rows, dtype, lowest);
        // Of an input of this size that is kept.
        const usual = rms(results.at(-1)!.exact) / Math.sqrt(lowest);
        for (const [r, { y, exact }] of results.entries()) {
          const error = difference(y, exact) / Math.max(rms(exact), usual);
          assert.ok(
            error < 2.5e-3 * finer(dtype),
            `${dtype} ${lowest}, ${parts[r] ?? "noise"}, size ${size}: ${error}`,
          );
        }
      }
    }
  }
});
