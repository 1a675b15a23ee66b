/** What a call costs beside its arithmetic: the smallest calls of each kind. */
import { convolve } from "../mod.ts";
import { devices, runs } from "./cases.ts";

const one = Float32Array.of(1);

for (const device of devices()) {
  const group = `overhead (${device.type})`;
  const plan = device.plan({ length: 1, kernelLength: 1 });
  const u = device.tensor(one), k = device.tensor(one), out = device.empty([1]);
  const spectrum = plan.spectrum(k);
  const add = (name: string, fn: (b: Deno.BenchContext) => void | Promise<void>, baseline = false) =>
    Deno.bench({ name: `${device.type}: ${name}`, group, baseline, ...runs(), fn });

  add("a query: device.memory()", () => void device.memory(), true);
  add("await device.synchronize(), nothing to do", () => device.synchronize());
  // What a program pays to enqueue a call: into an empty queue, and the wait for it is not counted.
  add("plan.forward() of one sample, enqueued", async (b) => {
    await device.synchronize();
    b.start();
    plan.forward(u, spectrum, { out });
    b.end();
  });
  add("plan.forward() of one sample, and synchronize", async () => {
    plan.forward(u, spectrum, { out });
    await device.synchronize();
  });
  add("device.empty([1]) and dispose", () => device.empty([1]).dispose());
  add("plan and dispose", () => device.plan({ length: 1, kernelLength: 1 }).dispose());
  add("await tensor.read() of one sample", async () => void await u.read());
  add("await convolve() of one sample", async () => void await convolve(one, one, { device }));
}
