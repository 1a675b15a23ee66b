// Frequency-sparse plans: every kind of pattern against float64, what is skipped, and the choice by energy.
import assert from "node:assert/strict";
import type { ConvMode, FrequencyPattern, JsonValue } from "../mod.ts";
import { keptBlocks } from "../src/frequency.ts";
import { dtypes } from "./cases.ts";
import { openTestDevice } from "./device.ts";
import { sparseGrid, sparseRow } from "./oracle.ts";
import { gaussian } from "./random.ts";
import { keptBins, runAllSparse, sparseCases } from "./sparse_cases.ts";

const sparseModes = ["causal", "circular"] as const;

for (const mode of sparseModes) {
  for (const dtype of dtypes) {
    Deno.test(`sparse: every pattern, ${mode} ${dtype}`, async () => {
      using device = openTestDevice();
      const lengths = [1, 30, 64, 100, 257, ...(mode === "causal" ? [1000, 3000] : []), 1024, 4096];
      const ran = await runAllSparse(device, sparseCases(mode, lengths, [dtype]));
      assert.ok(ran >= 60, `only ${ran} cases ran`);
    });
  }
  Deno.test(`sparse: long rows, ${mode}`, async () => {
    using device = openTestDevice();
    const long = sparseCases(mode, mode === "causal" ? [40000] : [32768], ["float32", "bfloat16"]);
    const longer = sparseCases(mode, [131072], ["float32", "float16"]).filter(({ pattern }) => "classes" in pattern);
    const ran = await runAllSparse(device, [...long, ...longer]);
    assert.ok(ran >= 15, `only ${ran} cases ran`);
  });
}

Deno.test("sparse: baseline instructions, one thread and many", async () => {
  for (const options of [{ portable: true }, { threads: 1 }, { threads: 3 }]) {
    using device = openTestDevice(options);
    await runAllSparse(device, sparseCases("causal", [100, 1000, 20000], ["float32"]));
    // Lengths of transforms: with the frequencies of the pattern.
    await runAllSparse(device, sparseCases("circular", [256, 3072, 20480], ["float32"]));
  }
});

Deno.test("sparse: keeping everything is the dense convolution", async () => {
  using device = openTestDevice();
  const kernel = Float32Array.from(gaussian(300, 1)), input = Float32Array.from(gaussian(500, 2));
  using u = device.tensor(input);
  for (const mode of sparseModes) {
    const results: Float32Array[] = [];
    for (const keepFrequencies of ["all", { lowest: 1 }] as const) {
      using plan = device.plan({ length: 500, kernelLength: 300, mode, keepFrequencies });
      using spectrum = plan.spectrum(kernel);
      using y = plan.forward(u, spectrum);
      results.push(await y.toFloat32Array());
    }
    const [dense, sparse] = results as [Float32Array, Float32Array];
    dense.forEach((value, n) => assert.ok(Math.abs(value - sparse[n]!) < 2e-4, `${mode} ${n}`));
  }
});

function sparsityOf(data: { readonly [key: string]: JsonValue }): { [key: string]: number } {
  const { sparsity } = data;
  assert.ok(typeof sparsity === "object" && sparsity !== null && !Array.isArray(sparsity));
  return sparsity as { [key: string]: number };
}

Deno.test("sparse: plan.explain() says what is skipped", () => {
  using device = openTestDevice();
  const explain = (keepFrequencies: FrequencyPattern | "all", mode: ConvMode = "causal") => {
    using plan = device.plan({ length: 65536, kernelLength: 65536, mode, keepFrequencies });
    return plan.explain().data;
  };
  assert.equal(explain("all").sparsity, undefined);
  const quarter = sparsityOf(explain({ classes: Array.from({ length: 64 }, (_, c) => 4 * c), modulus: 256 }));
  assert.equal(quarter.zeros, 0.75);
  assert.equal(quarter.bins, 65536);
  assert.equal(quarter.keptBins, 16384);
  assert.ok(quarter.rowFlopsSkipped! > 0.5 * quarter.rowFlops! && quarter.rowFlopsSkipped! < 0.8 * quarter.rowFlops!);
  assert.ok(quarter.rowBytesSkipped! > 0 && quarter.rowBytesSkipped! < quarter.rowBytes!);
  const everything = sparsityOf(explain({ lowest: 1 }));
  assert.equal(everything.zeros, 0);
  assert.equal(everything.rowFlopsSkipped, 0);
  // A circular row whose length is that of a transform skips as much; of another one the kernel is masked.
  const everyFourth = { classes: [0, 4, 8, 12], modulus: 16 };
  const [circular, other] = [65536, 65552].map((length) => {
    using plan = device.plan({ length, kernelLength: length, mode: "circular", keepFrequencies: everyFourth });
    return { name: plan.explain().chosen.name, work: sparsityOf(plan.explain().data) };
  });
  assert.equal(circular!.name, "fft/65536/circular");
  const { rowFlops, rowFlopsSkipped, rowBytesSkipped } = circular!.work;
  assert.ok(rowFlopsSkipped! > 0.5 * rowFlops! && rowBytesSkipped! > 0);
  assert.equal(other!.work.rowFlopsSkipped, 0);
  // A low-pass drops neighbours, which a transform can skip least.
  const lowest = sparsityOf(explain({ lowest: 0.25 }));
  assert.ok(lowest.rowFlopsSkipped! < quarter.rowFlopsSkipped!);
  using plan = device.plan({ length: 65536, kernelLength: 65536, keepFrequencies: { classes: [0], modulus: 256 } });
  const text = plan.explain().toString();
  assert.match(text, /sparsity +99\.6 % zeros; skips [5-9]\d\.\d % of \d[\d.]* M FLOP and \d\d\.\d % of /);
});

Deno.test("sparse: bins of a mode and length", () => {
  using device = openTestDevice();
  for (const length of [1, 2, 3, 255, 256, 257, 1000, 65537]) {
    for (const mode of sparseModes) assert.equal(device.frequencyBins(mode, length), sparseGrid(mode, length).bins);
  }
});

Deno.test("sparse: a band from a bin to itself keeps that bin, however its fraction was rounded", () => {
  using device = openTestDevice();
  for (const length of [1000, 1024, 1331]) {
    const bins = device.frequencyBins("circular", length);
    for (let f = 0; f < bins; f++) {
      for (const fraction of [2 * f / length, f / (length / 2), f * (2 / length)]) {
        const kept = keptBlocks({ band: [fraction, fraction], blockBins: 1 }, "circular", length, bins);
        assert.deepEqual([kept.keep.indexOf(1), kept.keep.lastIndexOf(1)], [f, f], `bin ${f} of length ${length}`);
      }
    }
  }
});

// The energies and their consequence, computed here without the library.
Deno.test("sparse: the error of a choice is what white noise sees", async () => {
  using device = openTestDevice();
  const length = 512;
  const kernel = Float32Array.from(gaussian(length, 5), (value, n) => value * Math.exp(-n / 40));
  for (const mode of sparseModes) {
    for (const from of [{ blockBins: 8 }, { modulus: 16 }]) {
      const choice = await device.pickFrequencies(kernel, { length, mode, ...from, keepFraction: 0.5 });
      assert.ok(choice.zeros >= 0.5 && choice.zeros < 0.7, `${mode} ${JSON.stringify(from)}: ${choice.zeros}`);
      // The kernel's own transform, one sample at a time through the oracle: a unit impulse gives the kernel that is
      // left, over one period. In causal mode the second half of the period is what an impulse half a period late sees.
      const grid = sparseGrid(mode, length);
      const kept = keptBins(choice.keep, mode, length);
      const impulse = Float64Array.of(1, ...new Array(2 * length - 1).fill(0));
      const period = mode === "circular" ? length : 2 * length;
      const wide = mode === "circular" ? grid : { ...grid, points: grid.points };
      const all = new Array<boolean>(grid.bins).fill(true);
      const energy = (bins: readonly boolean[]) =>
        sparseRow(impulse.slice(0, period), Float64Array.from(kernel), wide, bins)
          .reduce((sum, value) => sum + value * value, 0);
      const expected = Math.sqrt(energy(kept.map((keep) => !keep)) / energy(all));
      assert.ok(Math.abs(choice.relativeError - expected) < 1e-9, `${mode}: ${choice.relativeError}, not ${expected}`);
    }
  }
});

Deno.test("sparse: a choice by error keeps no block too many", async () => {
  using device = openTestDevice();
  const length = 1000;
  const kernel = Float32Array.from(gaussian(3 * length, 6), (value, n) => value * Math.exp(-(n % length) / 30));
  const pick = (maxError: number) => device.pickFrequencies(kernel, { length, channels: 3, maxError });
  let before = 1;
  for (const maxError of [0.5, 0.2, 0.05, 0]) {
    const { keep, zeros, relativeError } = await pick(maxError);
    assert.ok(relativeError <= maxError && zeros <= before);
    before = zeros;
    if (!("blocks" in keep) || keep.blocks.length < 2) continue;
    using plan = device.plan({ length, kernelLength: length, channels: 3, keepFrequencies: keep });
    assert.ok(Math.abs(sparsityOf(plan.explain().data).zeros! - zeros) < 1e-5);
  }
  // One block fewer than chosen breaks the promise.
  const { keep, zeros } = await pick(0.2);
  assert.ok("blocks" in keep);
  const fewer = await device.pickFrequencies(kernel, { length, channels: 3, keepFraction: 1 - zeros - 1e-6 });
  assert.ok(fewer.relativeError > 0.2 && fewer.zeros > zeros);
  // 16-bit kernels and kernels of zeros
  const half = await device.pickFrequencies(Float16Array.from(kernel), { length, channels: 3, maxError: 0.2 });
  assert.deepEqual(half.keep, keep);
  const nothing = await device.pickFrequencies(new Float32Array(8), { length: 8, maxError: 0 });
  assert.equal(nothing.relativeError, 0);
});

/** |K|^2 of each block, by definition; on the circular grid a bin inside the band stands for two frequencies. */
function blockEnergies(kernel: Float32Array, mode: ConvMode, block: number): { energies: number[]; sizes: number[] } {
  const { bins, points } = sparseGrid(mode, kernel.length), energies: number[] = [], sizes: number[] = [];
  for (let f = 0; f < bins; f++) {
    const turn = mode === "circular" ? f / points : (f + 0.5) / (2 * points);
    let re = 0, im = 0;
    kernel.forEach((value, n) => {
      re += value * Math.cos(2 * Math.PI * turn * n);
      im += value * Math.sin(2 * Math.PI * turn * n);
    });
    const b = Math.floor(f / block), images = mode === "circular" && f > 0 && 2 * f < points ? 2 : 1;
    energies[b] = (energies[b] ?? 0) + images * (re * re + im * im);
    sizes[b] = (sizes[b] ?? 0) + 1;
  }
  return { energies, sizes };
}

Deno.test("sparse: a band is the best one of all", async () => {
  using device = openTestDevice();
  const length = 500, blockBins = 8;
  const noise = gaussian(length, 8);
  const kernel = Float32Array.from(noise, (value, n) => Math.exp(-n / 30) * (Math.cos(1.3 * n) + 0.2 * value));
  const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);
  for (const mode of sparseModes) {
    const { energies, sizes } = blockEnergies(kernel, mode, blockBins), total = sum(energies), bins = sum(sizes);
    const bands = energies.flatMap((_, first) =>
      energies.slice(first).map((_, more) => {
        const end = first + more + 1;
        const error = Math.sqrt(sum([...energies.slice(0, first), ...energies.slice(end)]) / total);
        return { first, end, share: sum(sizes.slice(first, end)) / bins, error };
      })
    );
    for (const keepFraction of [0.01, 0.1, 0.25, 0.8, 1]) {
      const choice = await device.pickFrequencies(kernel, { length, mode, blockBins, contiguous: true, keepFraction });
      const fitting = bands.filter(({ first, end, share }) => share <= keepFraction + 1e-12 || end === first + 1);
      const best = fitting.reduce((a, b) => b.error < a.error ? b : a);
      assert.ok(Math.abs(choice.relativeError - best.error) < 1e-6, `${mode} ${keepFraction}: ${choice.relativeError}`);
      assert.ok(
        "blocks" in choice.keep &&
          choice.keep.blocks.at(-1)! - choice.keep.blocks[0]! + 1 === choice.keep.blocks.length,
      );
      if (keepFraction < 1) {
        assert.deepEqual([choice.keep.blocks[0], choice.keep.blocks.at(-1)! + 1], [best.first, best.end]);
      }
      assert.ok(Math.abs(1 - choice.zeros - best.share) < 1e-12);
    }
    for (const maxError of [0.9, 0.5, 0.2, 0.05, 0]) {
      const choice = await device.pickFrequencies(kernel, { length, mode, blockBins, contiguous: true, maxError });
      const enough = bands.filter(({ error }) => error <= maxError + 1e-12);
      const narrowest = Math.min(...enough.map(({ share }) => share));
      const best = enough.filter(({ share }) => share < narrowest + 1e-12).reduce((a, b) => b.error < a.error ? b : a);
      assert.ok(Math.abs(1 - choice.zeros - narrowest) < 1e-12, `${mode} ${maxError}: ${choice.zeros}`);
      assert.ok(Math.abs(choice.relativeError - best.error) < 1e-6 && choice.relativeError <= maxError);
    }
  }
});

Deno.test("sparse: in place, on streams, with another kernel later", async () => {
  using device = openTestDevice();
  const length = 2000;
  const keepFrequencies: FrequencyPattern = { classes: [1, 5, 6], modulus: 8 };
  using plan = device.plan({ length, kernelLength: length, keepFrequencies });
  const [a, b] = [3, 4].map((seed) => Float32Array.from(gaussian(length, seed)));
  const values = Float32Array.from(gaussian(length, 9));
  const run = async (kernel: Float32Array, first?: Float32Array) => {
    using stream = device.stream();
    using spectrum = plan.spectrum(first ?? kernel, { stream });
    if (first) spectrum.recompute(kernel, { stream });
    using u = device.tensor(values);
    using y = plan.info.inPlace ? plan.forward(u, spectrum, { stream, out: u }) : plan.forward(u, spectrum, { stream });
    return await y.read({ stream });
  };
  assert.deepEqual(await run(b!), await run(b!, a!));
  assert.notDeepEqual(await run(b!), await run(a!));
});

Deno.test("sparse: README says what its example prints", async () => {
  using device = openTestDevice();
  const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
  const printed = /console\.log\(zeros, relativeError\); \/\/ ([\d.]+)\.\.\., ([\d.]+)\.\.\./.exec(readme);
  assert.ok(printed, "the example has another form");
  const length = 8192;
  const kernel = Float32Array.from({ length }, (_, n) => Math.exp(-n / 200) / 200);
  const { zeros, relativeError } = await device.pickFrequencies(kernel, { length, maxError: 0.1 });
  assert.ok(
    String(zeros).startsWith(printed[1]!) && String(relativeError).startsWith(printed[2]!),
    `${zeros} ${relativeError}`,
  );
});
