// What an earlier kernel left in shared memory must never reach a result. Zero weights do not help there: 0 times NaN is NaN.
import { dtypes, lengths, longLengths, matrix, modes } from "../cases.ts";
import { caseName } from "../cases.ts";
import { runCase } from "../run_case.ts";
import type { Device } from "../../mod.ts";
import { gpuTest, openGpu } from "./availability.ts";

// Rows of NaN for every multiprocessor: of 4096 samples, four tiles at once, and of 16384, which fill the rest.
function poisoner(device: Device, stack: DisposableStack): () => void {
  const shapes = [[2, 528, 4096], [1, 264, 16384]] as const;
  const runs = shapes.map(([batch, channels, length]) => {
    const plan = stack.use(
      device.plan({ batch, channels, length, kernelLength: length, dtype: "float16", precision: "fast" }),
    );
    const u = stack.use(device.empty([batch, channels, length], "float16"));
    const kernel = stack.use(device.empty([channels, length], "float16"));
    u.fillBytes(0xff);
    kernel.fillBytes(0xff);
    const spectrum = stack.use(plan.spectrum(kernel));
    return () => plan.forward(u, spectrum, { out: u });
  });
  return () => runs.forEach((run) => run());
}

for (const mode of modes) {
  gpuTest(`after rows of NaN: ${mode}`, async () => {
    using stack = new DisposableStack();
    const device = stack.use(openGpu());
    const poison = poisoner(device, stack);
    const failures: string[] = [];
    for (const dtype of dtypes) {
      for (const c of [...matrix(mode, dtype, lengths, 2), ...matrix(mode, dtype, longLengths, 1)]) {
        const result = await runCase(device, c, poison);
        if (result?.problem) failures.push(`${caseName(c)} (${result.plan}): ${result.problem}`);
      }
    }
    if (failures.length > 0) {
      throw new Error(`${failures.length} cases failed:\n  ${failures.slice(0, 30).join("\n  ")}`);
    }
  });
}
