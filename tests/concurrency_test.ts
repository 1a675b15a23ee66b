// Several plans, streams and devices at once.
import assert from "node:assert/strict";
import { convolve, openDevice } from "../mod.ts";
import { conv } from "./cases.ts";
import { openTestDevice } from "./device.ts";
import { convolveAll } from "./oracle.ts";
import { makeData } from "./run_case.ts";
import { judge } from "./tolerance.ts";

const problems = [[100, 37], [1000, 1000], [4097, 129], [20000, 300], [513, 2000]].map(([length, kernelLength], i) => {
  const c = conv({
    mode: i % 2 ? "same" : "causal",
    batch: 2,
    channels: 2,
    length: length!,
    kernelLength: kernelLength!,
  });
  const data = makeData(c, i + 1);
  return { c, data, reference: convolveAll(data.input) };
});

Deno.test("concurrency: five plans on five streams, enqueued in turn, many times", async () => {
  using device = openTestDevice();
  using stack = new DisposableStack();
  const lanes = problems.map(({ c, data, reference }) => {
    const plan = stack.use(device.plan({
      batch: 2,
      channels: 2,
      length: c.length,
      kernelLength: c.kernelLength,
      mode: c.mode,
    }));
    const stream = stack.use(device.stream());
    const u = stack.use(device.tensor(data.u.host, { shape: [2, 2, c.length] }));
    const spectrum = stack.use(plan.spectrum(data.k.host, { stream }));
    return {
      c,
      data,
      reference,
      plan,
      stream,
      u,
      spectrum,
      out: stack.use(device.empty([2, 2, plan.info.outputLength])),
    };
  });
  for (let round = 0; round < 20; round++) {
    for (const { out, stream } of lanes) out.fillBytes(255, { stream });
    for (const { plan, u, spectrum, out, stream } of lanes) plan.forward(u, spectrum, { out, stream });
    await Promise.all(lanes.map(async ({ c, data, reference, out, stream }) => {
      const y = await out.toFloat32Array({ stream });
      const how = { dtype: c.dtype, precision: "accurate", device: device.type } as const;
      assert.ok(judge(y, reference, data.input, how).ok, `round ${round}, ${c.mode} ${c.length}`);
    }));
  }
});

Deno.test("concurrency: one plan on four streams at once gives the same bits as alone", async () => {
  using device = openTestDevice();
  using stack = new DisposableStack();
  const { c, data } = problems[3]!;
  using plan = device.plan({ batch: 2, channels: 2, length: c.length, kernelLength: c.kernelLength, mode: c.mode });
  using u = device.tensor(data.u.host, { shape: [2, 2, c.length] });
  using spectrum = plan.spectrum(data.k.host);
  using alone = plan.forward(u, spectrum);
  const wanted = await alone.read();
  const streams = Array.from({ length: 4 }, () => stack.use(device.stream()));
  const outs = streams.map((stream) => stack.use(plan.forward(u, spectrum, { stream })));
  const results = await Promise.all(outs.map((out, i) => out.read({ stream: streams[i]! })));
  for (const result of results) assert.deepEqual(result, wanted);
});

Deno.test("concurrency: host calls at once on one device, on several, and with a device for each", async () => {
  using one = openTestDevice();
  using two = openDevice("cpu", { threads: 1 });
  const run = async ({ c, data, reference }: (typeof problems)[number], device: typeof one | "cpu") => {
    const y = await convolve(data.u.host as Float32Array, data.k.host, {
      device,
      mode: c.mode,
      shape: [2, 2, c.length],
    });
    const type = device === "cpu" ? "cpu" : device.type;
    assert.ok(judge(y, reference, data.input, { dtype: c.dtype, precision: "accurate", device: type }).ok);
  };
  for (let round = 0; round < 5; round++) {
    await Promise.all(problems.flatMap((p) => [run(p, one), run(p, two), run(p, "cpu")]));
  }
});

Deno.test("concurrency: any number of threads is right, and gives the same bits in every run", async () => {
  for (const { c, data, reference } of problems) {
    for (const threads of [1, 2, 3]) {
      using device = openDevice("cpu", { threads });
      const options = { device, mode: c.mode, shape: [2, 2, c.length] };
      const y = await convolve(data.u.host as Float32Array, data.k.host, options);
      assert.ok(judge(y, reference, data.input, { dtype: c.dtype, precision: "accurate", device: "cpu" }).ok);
      assert.deepEqual(await convolve(data.u.host as Float32Array, data.k.host, options), y);
    }
  }
});

Deno.test("concurrency: the event loop goes on while a stream is waited for", async () => {
  using device = openDevice("cpu");
  const L = 1 << 20;
  using u = device.tensor(new Float32Array(L));
  using plan = device.plan({ length: L, kernelLength: L });
  using spectrum = plan.spectrum(new Float32Array(L));
  using y = device.empty([L]);
  for (let i = 0; i < 3; i++) plan.forward(u, spectrum, { out: y });
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const begin = performance.now();
  await device.synchronize();
  clearInterval(timer);
  const waited = performance.now() - begin;
  if (waited > 20) assert.ok(ticks > 0, `no timer ran in ${waited} ms`);
});
