// Frequency-sparse plans on the GPU: every kind of pattern, in every family that takes one, against float64.
import assert from "node:assert/strict";
import { type ConvPlanOptions, openDevice, UnsupportedError } from "../../mod.ts";
import { dtypes } from "../cases.ts";
import { sparseGrid, sparseRow } from "../oracle.ts";
import { gaussian } from "../random.ts";
import { keptBins, runAllSparse, sparseCases } from "../sparse_cases.ts";
import { gpuTest, openGpu } from "./availability.ts";

for (const dtype of dtypes) {
  gpuTest(`sparse: every pattern, ${dtype}`, async () => {
    using device = openGpu();
    const cases = sparseCases("causal", [1, 30, 100, 257, 1000, 2048, 3000, 4096, 5000, 8192, 16384], [dtype]);
    assert.equal(await runAllSparse(device, cases), cases.length);
  });
}

for (const algorithm of ["fused-fp32", "fused-mma", "multi-pass"] as const) {
  gpuTest(`sparse: by force: ${algorithm}`, async () => {
    using device = openGpu();
    const lengths = algorithm === "multi-pass" ? [65536] : [300, 4096, 32768];
    for (const precision of ["fast", "accurate"] as const) {
      const cases = sparseCases("causal", lengths, ["bfloat16", "float16"]).map((c) => ({
        ...c,
        algorithm,
        precision,
      }));
      assert.ok(await runAllSparse(device, cases) >= 10);
    }
  });
}

gpuTest("sparse: a smaller device", async () => {
  using device = openDevice("cuda", { portable: true, sharedMemoryLimitBytes: 99 * 1024 });
  assert.ok(await runAllSparse(device, sparseCases("causal", [1000, 8192, 65536], dtypes)) >= 20);
  assert.ok(await runAllSparse(device, sparseCases("circular", [1000, 8192, 65536, 262144], dtypes)) >= 30);
});

gpuTest("sparse: several passes skip what they say", () => {
  using device = openGpu();
  const work = (classes: number[]) => {
    using plan = device.plan({ length: 65536, kernelLength: 65536, keepFrequencies: { classes, modulus: 256 } });
    const { sparsity } = plan.explain().data;
    const numbers = sparsity as {
      rowFlops: number;
      rowFlopsSkipped: number;
      rowBytes: number;
      rowBytesSkipped: number;
    };
    return { ...numbers, spectrumBytes: plan.info.spectrumBytes, workspaceBytes: plan.info.workspaceBytes };
  };
  const every = (step: number) => Array.from({ length: 256 / step }, (_, i) => i * step);
  const [all, quarter, tenth] = [work(every(1)), work(every(4)), work(every(16))];
  assert.equal(all.rowFlopsSkipped, 0);
  assert.equal(all.rowBytesSkipped, 0);
  assert.ok(tenth.rowFlopsSkipped > quarter.rowFlopsSkipped && quarter.rowFlopsSkipped > 0.5 * quarter.rowFlops);
  assert.ok(quarter.rowBytesSkipped > 0.6 * quarter.rowBytes);
  assert.ok(quarter.spectrumBytes < 0.3 * all.spectrumBytes && quarter.workspaceBytes < 0.3 * all.workspaceBytes);
});

gpuTest("sparse: few digits of a transform in one block, or one slice, are all that is computed", () => {
  using device = openGpu();
  const explained = (
    length: number,
    modulus: number,
    keep: number,
    { skip = false, ...kind }: Partial<ConvPlanOptions> = {},
  ) => {
    const classes = Array.from({ length: keep }, (_, i) => Math.floor(i * modulus / keep));
    // Each with its mirror image.
    if (kind.mode === "circular" && keep === 9) classes.splice(0, 9, 0, 1, 2, 3, 4, 12, 13, 14, 15);
    const algorithm = kind.dtype === "float32" ? "fused-fp32" : "fused-mma";
    const keepFrequencies = { classes, modulus };
    const options = {
      length,
      kernelLength: length,
      batch: 8,
      dtype: "bfloat16",
      algorithm,
      skip,
      keepFrequencies,
      ...kind,
    } as const;
    // A circular plan may mask its kernels and be dense, which may be quicker where rows are few.
    using any = device.plan(options);
    const forms = any.explain().candidates.map(({ name }) => name).filter((name) => name.startsWith(algorithm));
    const skipping = forms.find((name) => /\/(digits|turns)$/.test(name));
    using plan = device.plan({ ...options, ...(skipping !== undefined && { candidate: skipping }) });
    const { data, chosen } = plan.explain();
    const work = data.sparsity as { [key: string]: number };
    // A dense plan with a masked kernel counts no work.
    const flops = work.rowFlopsSkipped! && work.rowFlopsSkipped! / work.rowFlops!;
    return { name: chosen.name, flops, bytes: work.rowBytesSkipped! };
  };
  const accurate = { dtype: "float16", precision: "accurate" } as const, both = { preGate: true, postGate: true };
  const circular = { mode: "circular" } as const;
  for (
    const [length, kind] of [
      [8192, {}],
      [16384, {}],
      [32768, {}],
      [16384, both],
      [4096, accurate],
      [8192, accurate],
      [16384, accurate],
      [8192, { ...accurate, ...both }],
      [4096, { dtype: "float32" }],
      [8192, { dtype: "float32" }],
      [16384, { dtype: "float32", ...both, skip: true }],
      [16384, circular],
      [4096, { ...accurate, ...circular }],
      [8192, { dtype: "float32", ...circular }],
    ] as const
  ) {
    const [quarter, half, most] = [4, 8, 9].map((keep) => explained(length, 16, keep, kind));
    assert.match(quarter!.name, /digits$/, `${length}`);
    assert.ok(quarter!.flops > 0.45 && half!.flops > 0.3, `${length}: ${quarter!.flops}, ${half!.flops}`);
    assert.ok(half!.flops < quarter!.flops && quarter!.bytes > half!.bytes);
    assert.deepEqual([most!.flops, most!.bytes], [0, 0]); // one more than half of the rows of a product hold
    // In 16 bit a skip term is a tap that every frequency gains.
    if (!("dtype" in kind && kind.dtype === "float32")) {
      assert.equal(explained(length, 16, 4, { ...kind, skip: true }).flops, 0);
    }
  }
  // In slices, one class mod 4, or mod 2 in the accurate class.
  for (const kind of [{}, both, accurate]) {
    const [one, two, all] = [[4, 1], [4, 2], [256, 64 + 3]].map(([modulus, keep]) =>
      explained(65536, modulus!, keep!, kind)
    );
    assert.match(one!.name, /turns$/);
    assert.ok(Math.abs(one!.flops - 0.75) < 1e-4 && one!.bytes > 0);
    assert.deepEqual([two!.flops, all!.flops], [0, 0]);
    const circle = explained(65536, 4, 1, { ...kind, ...circular });
    assert.deepEqual([circle.flops, circle.bytes], [one!.flops, one!.bytes]);
  }
  const even = explained(32768, 2, 1, accurate);
  assert.match(even.name, /turns$/);
  assert.ok(Math.abs(even.flops - 0.5) < 1e-4);
});

// In the mean over white noise, an output n of a row of N samples sees the dropped part of the kernel at all delays n - m.
gpuTest("sparse: the error that a choice states is the one that the outputs have", async () => {
  using device = openGpu();
  const length = 512, rows = 256;
  const kernel = Float32Array.from(gaussian(length, 5), (value, n) => value * Math.exp(-n / 40));
  const input = Float32Array.from(gaussian(rows * length, 6));
  const grid = sparseGrid("causal", length), impulse = Float64Array.of(1, ...new Array(2 * length - 1).fill(0));
  const energies = (bins: readonly boolean[]) => {
    const taps = sparseRow(impulse, Float64Array.from(kernel), grid, bins);
    const all = taps.reduce((sum, value) => sum + value * value, 0);
    let seen = 0;
    for (let d = 1 - length; d < length; d++) {
      seen += (length - Math.abs(d)) * taps[(d + 2 * length) % (2 * length)]! ** 2;
    }
    return { all, seen };
  };
  const everything = energies(new Array<boolean>(grid.bins).fill(true));
  using u = device.tensor(input, { shape: [rows, 1, length] });
  for (const from of [{ blockBins: 8 }, { modulus: 16 }]) {
    const choice = await device.pickFrequencies(kernel, { length, ...from, keepFraction: 0.5 });
    const dropped = energies(keptBins(choice.keep, "causal", length).map((kept) => !kept));
    const stated = Math.sqrt(dropped.all / everything.all), wanted = Math.sqrt(dropped.seen / everything.seen);
    assert.ok(Math.abs(choice.relativeError - stated) < 1e-9, `${choice.relativeError}, not ${stated}`);
    const outputs: Float32Array[] = [];
    for (const keepFrequencies of ["all", choice.keep] as const) {
      using plan = device.plan({ batch: rows, length, kernelLength: length, keepFrequencies });
      using spectrum = plan.spectrum(kernel);
      using y = plan.forward(u, spectrum);
      outputs.push(await y.toFloat32Array());
    }
    const [dense, sparse] = outputs as [Float32Array, Float32Array];
    let error = 0, size = 0;
    dense.forEach((value, n) => (error += (value - sparse[n]!) ** 2, size += value * value));
    // 131072 outputs, of which some tens depend on the same samples.
    const seen = Math.sqrt(error / size);
    assert.ok(Math.abs(seen / wanted - 1) < 0.05, `${JSON.stringify(from)}: ${seen}, expected ${wanted}`);
  }
});

gpuTest("sparse: what the GPU does not offer is refused with the reason", () => {
  using device = openGpu();
  const plan = (more: object) => () =>
    device.plan({ length: 1000, kernelLength: 1000, keepFrequencies: { lowest: 0.5 }, ...more });
  for (const more of [{ mode: "full" }, { algorithm: "direct" }, { algorithm: "overlap-save" }]) {
    assert.throws(
      plan(more),
      (error) => error instanceof UnsupportedError && /sparse|frequencies/.test(error.message),
    );
  }
});
