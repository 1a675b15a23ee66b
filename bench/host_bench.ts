/** The one-line function on host arrays, beside the same convolution with a plan, a spectrum and tensors kept. */
import { convolve } from "../mod.ts";
import { benchForward, type Case, devices, noise, quick, runs } from "./cases.ts";

const shapes: { channels: number; length: number; kernelLength: number; quick?: boolean }[] = [
  { channels: 1, length: 1024, kernelLength: 1024 },
  { channels: 128, length: 8192, kernelLength: 8192, quick: true },
  { channels: 2, length: 2 ** 19, kernelLength: 96_000 },
];

for (const { quick: chosen, ...shape } of shapes) {
  if (quick && !chosen) continue;
  const { channels, length, kernelLength } = shape;
  const group = `host arrays, ${channels} x ${length}, K = ${kernelLength}`;
  const u = noise(channels * length, 1), k = noise(channels * kernelLength, 2);
  for (const device of devices()) {
    Deno.bench({
      name: `${device.type}: convolve()`,
      group: `${group} (${device.type})`,
      ...runs(),
      async fn() {
        await convolve(u, k, { shape: [1, channels, length], device });
      },
    });
  }
  const kept: Case = { ...shape, name: "plan.forward(), everything kept", baseline: true, quick: true };
  benchForward(group, [kept]);
}
