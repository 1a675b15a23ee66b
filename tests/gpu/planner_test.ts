// Every candidate that the GPU families offer computes the convolution, not only those that are chosen; and the
// planner's measuring and calibrating run there.
import assert from "node:assert/strict";
import { calibrate } from "../../mod.ts";
import { conv, dtypes, modes } from "../cases.ts";
import { runAll, withCandidates } from "../run_case.ts";
import { gpuTest, openGpu } from "./availability.ts";

for (const mode of modes) {
  gpuTest(`every candidate by name: ${mode}`, async () => {
    using device = openGpu({ constants: false });
    const names = new Set<string>();
    let ran = 0;
    for (const dtype of dtypes) {
      for (
        const [length, kernelLength] of [[100, 100], [1000, 30], [4096, 4096], [9000, 500], [33000, 33000]] as const
      ) {
        for (const gated of [false, true]) {
          // Both precisions of a problem one after the other: they share its result in float64.
          for (const precision of dtype === "float32" ? ["accurate"] as const : ["fast", "accurate"] as const) {
            const c = conv({
              mode,
              dtype,
              length,
              kernelLength,
              channels: 3,
              precision,
              preGate: gated,
              postGate: gated,
            });
            // A float32 sum of so many products is less exact than the bound, and nobody would choose it.
            const cases = withCandidates(device, c).filter(({ candidate }) =>
              candidate !== "direct" || kernelLength <= 4096
            );
            for (const { candidate } of cases) names.add(candidate!);
            ran += (await runAll(device, cases)).ran;
          }
        }
      }
    }
    console.log(`${ran} runs of ${names.size} candidates`);
    assert.ok(names.size > 20);
  });
}

gpuTest("candidates measured and calibrated", async () => {
  using device = openGpu({ constants: false });
  using plan = device.plan({
    channels: 64,
    length: 4096,
    kernelLength: 4096,
    dtype: "float16",
    kernelDtype: "float32",
  });
  const measured = await plan.measure({ candidates: "all", repeats: 3, slowest: 5 });
  assert.ok(measured.candidates.filter((c) => c.measuredMs! > 0).length >= 2);
  const problems = [1024, 4096].map((length) => ({ channels: 256, length, kernelLength: length }));
  const { samples, constants } = await calibrate(device, { file: false, problems });
  assert.ok(samples >= 2 && constants["rate/device"]! > 1e10);
});

// Candidates of a problem share device functions and want different amounts of shared memory.
gpuTest("plans of all candidates live at the same time", () => {
  using device = openGpu({ constants: false });
  for (const [length, precision] of [[1024, "fast"], [1100, "accurate"], [8192, "accurate"]] as const) {
    using all = new DisposableStack();
    const problem = { channels: 16, length, kernelLength: length, dtype: "float16", precision } as const;
    using u = device.zeros([1, 16, length], "float16");
    using k = device.zeros([16, length], "float16");
    using chosen = device.plan(problem);
    const plans = chosen.explain().candidates.map(({ name }) => all.use(device.plan({ ...problem, candidate: name })));
    assert.ok(plans.length > 10);
    for (const plan of plans) {
      using spectrum = plan.spectrum(k);
      using _out = plan.forward(u, spectrum);
    }
  }
});
