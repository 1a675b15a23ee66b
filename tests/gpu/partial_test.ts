// Kernels much shorter than their rows: what is planned without asking is windows of the row, with memory for the tensors
// and the kernel's spectrum alone, and they compute the convolution.
import assert from "node:assert/strict";
import { conv, type ConvCase, dtypes } from "../cases.ts";
import { runAll } from "../run_case.ts";
import { gpuTest, openGpu } from "./availability.ts";

const kernelLengths = [1, 2, 16, 64, 512, 700, 1000, 3000, 4096, 6000, 12000, 16384];
const gatings = [{}, { preGate: true }, { postGate: true, skip: true }, { preGate: true, postGate: true }] as const;

for (const dtype of dtypes) {
  gpuTest(`short kernels on long rows: ${dtype}`, async () => {
    using device = openGpu();
    const cases: ConvCase[] = kernelLengths.map((kernelLength, i) =>
      conv({
        mode: i % 5 === 4 ? "same" : "causal",
        dtype,
        kernelDtype: "float32",
        length: i % 2 ? 131072 : 100003,
        kernelLength,
        channels: 3,
        ...gatings[(i + dtypes.indexOf(dtype)) % 4],
      })
    );
    await runAll(device, cases);
  });
}

gpuTest("a short kernel on a long row is windows of the row, without scratch", () => {
  using device = openGpu();
  for (const dtype of dtypes) {
    for (const kernelLength of kernelLengths) {
      for (const gated of [false, true]) {
        const problem = { channels: 256, length: 2 ** 20, kernelLength, dtype, kernelDtype: "float32" } as const;
        using plan = device.plan({ ...problem, preGate: gated, postGate: gated });
        const what = `${dtype} ${kernelLength} ${gated ? "gated" : "plain"}`;
        // Sums of very few products are quickest as they are.
        const allowed = kernelLength <= 64 ? ["direct", "overlap-save"] : ["overlap-save"];
        assert.ok(allowed.includes(plan.info.algorithm), `${what}: ${plan.info.algorithm}`);
        assert.equal(plan.info.workspaceBytes, 0, what);
        assert.ok(
          plan.info.spectrumBytes <= 256 * 2 ** 18 * 1.01,
          `${what}: ${plan.info.spectrumBytes} bytes of spectra`,
        );
      }
    }
  }
});
