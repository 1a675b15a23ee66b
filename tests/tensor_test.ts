import assert from "node:assert/strict";
import { runInNewContext } from "node:vm";
import { outputLength } from "../mod.ts";
import { openTestDevice } from "./device.ts";

Deno.test("tensor: what goes in comes out, for every dtype", async () => {
  using device = openTestDevice();
  const values = Float32Array.of(0, 1, -2.5, 65504, 0.333251953125, -0);
  for (const dtype of ["float32", "float16", "bfloat16"] as const) {
    using tensor = device.tensor(values, { shape: [2, 3], dtype });
    assert.deepEqual([tensor.shape, tensor.strides, tensor.dtype, tensor.size], [[2, 3], [3, 1], dtype, 6]);
    assert.equal(tensor.byteLength, dtype === "float32" ? 24 : 12);
    assert.equal(tensor.device, device);
    const back = await tensor.toFloat32Array();
    const wanted = dtype === "bfloat16" ? Float32Array.of(0, 1, -2.5, 65536, 0.333984375, -0) : values;
    assert.deepEqual(back, wanted);
    const bits = await tensor.read();
    using copy = device.tensor(bits, { shape: [2, 3], dtype });
    assert.deepEqual(await copy.read(), bits);
  }
  using half = device.tensor(Float16Array.of(1, 0.5));
  assert.equal(half.dtype, "float16");
  assert.deepEqual(await half.toFloat32Array(), Float32Array.of(1, 0.5));
});

Deno.test("tensor: zeros, fill, copy, write", async () => {
  using device = openTestDevice();
  using a = device.zeros([5]);
  assert.deepEqual(await a.read(), new Float32Array(5));
  a.fillBytes(0xff);
  assert.ok((await a.read()).every(Number.isNaN));
  await a.write(Float32Array.of(1, 2, 3, 4, 5));
  using b = device.empty([5]);
  b.copyFrom(a);
  assert.deepEqual(await b.read(), Float32Array.of(1, 2, 3, 4, 5));
  // the host array may be changed as soon as tensor() has returned
  const data = Float32Array.of(1, 2);
  using c = device.tensor(data);
  data.fill(9);
  assert.deepEqual(await c.read(), Float32Array.of(1, 2));
});

Deno.test("tensor: strided views write and read row by row, and leave the gaps alone", async () => {
  using device = openTestDevice();
  using whole = device.zeros([12]);
  using view = whole.view({ shape: [2, 2, 2], strides: [6, 3, 1], offset: 1 });
  await view.write(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  assert.deepEqual(await whole.read(), Float32Array.of(0, 1, 2, 0, 3, 4, 0, 5, 6, 0, 7, 8));
  assert.deepEqual(await view.read(), Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
});

Deno.test("tensor: arrays of another realm are rounded to 16 bits like one's own", async () => {
  using device = openTestDevice();
  const foreign = runInNewContext("Float32Array.of(1, -2, 0.5)") as Float32Array;
  for (const dtype of ["float16", "bfloat16"] as const) {
    using tensor = device.tensor(foreign, { dtype });
    assert.deepEqual(await tensor.toFloat32Array(), Float32Array.of(1, -2, 0.5));
    await tensor.write(runInNewContext("Float32Array.of(4, 8, 16)") as Float32Array);
    assert.deepEqual(await tensor.toFloat32Array(), Float32Array.of(4, 8, 16));
  }
});

Deno.test("tensor: reads and writes of one memory keep their order, awaited or not", async () => {
  using device = openTestDevice();
  const rows = 300, length = 64;
  using whole = device.zeros([rows, 2 * length]);
  using columns = whole.view({ shape: [rows, length], strides: [2 * length, 1] });
  const all = (value: number) => new Float32Array(rows * 2 * length).fill(value);
  const valuesIn = (array: ArrayLike<number>) => [...new Set(Array.from(array))];
  // Row by row, which takes long; a write of one piece that came first would be overwritten.
  const writes = [columns.write(new Float32Array(rows * length).fill(1)), whole.write(all(2))];
  const reading = whole.read();
  writes.push(whole.write(all(3)));
  assert.deepEqual(valuesIn(await reading), [2]);
  await Promise.all(writes);
  assert.deepEqual(valuesIn(await whole.read()), [3]);
  // A transfer that is refused does not hold up the next.
  const refused = whole.write(new Float32Array(1)), next = whole.write(all(4));
  await assert.rejects(refused);
  await next;
  assert.deepEqual(valuesIn(await whole.read()), [4]);
});

Deno.test("plan: a problem is copied, and cannot be changed afterwards", async () => {
  using device = openTestDevice();
  const u = [8, 4], strides = { u: u as unknown as [number, number], y: [4, 4] as const };
  using strided = device.plan({ batch: 2, length: 4, kernelLength: 1, strides });
  u[0] = 4;
  (strides as { y: unknown }).y = [9, 9];
  assert.deepEqual(strided.options.strides, { u: [8, 4], y: [4, 4] });
  assert.throws(() => (strided.options.strides.u as unknown as number[])[0] = 1, TypeError);
  assert.throws(() => (strided.options.strides as { y?: unknown }).y = undefined, TypeError);
  using spectrum = strided.spectrum(Float32Array.of(1));
  using memory = device.tensor(Float32Array.from({ length: 16 }, (_, n) => n));
  using rows = memory.view({ shape: [2, 1, 4], strides: [8, 4, 1] });
  using out = device.empty([2, 1, 4]);
  strided.forward(rows, spectrum, { out });
  const got = await out.toFloat32Array();
  [0, 1, 2, 3, 8, 9, 10, 11].forEach((value, n) => assert.ok(Math.abs(got[n]! - value) < 1e-5, `${got}`));

  const blocks = [0, 1];
  using some = device.plan({ length: 64, kernelLength: 64, keepFrequencies: { blocks } });
  blocks.push(99);
  assert.deepEqual(some.options.keepFrequencies, { blocks: [0, 1] });
  assert.ok(Object.isFrozen(some.options.keepFrequencies));
  const mask = new Uint8Array(device.frequencyBins("causal", 64)).fill(1);
  using masked = device.plan({ length: 64, kernelLength: 64, keepFrequencies: { mask } });
  mask.fill(7);
  assert.deepEqual(masked.options.keepFrequencies, { mask: new Uint8Array(mask.length).fill(1) });
});

Deno.test("plan: options and info with every default filled in, an explanation for people", async () => {
  using device = openTestDevice();
  using plan = device.plan({ length: 1000, kernelLength: 100 });
  assert.deepEqual(plan.options, {
    batch: 1,
    channels: 1,
    length: 1000,
    kernelLength: 100,
    mode: "causal",
    dtype: "float32",
    kernelDtype: "float32",
    precision: "default",
    algorithm: "auto",
    candidate: "",
    preGate: false,
    postGate: false,
    skip: false,
    sharedKernel: false,
    keepFrequencies: "all",
    strides: {},
  });
  assert.equal(plan.info.outputLength, outputLength("causal", 1000, 100));
  assert.equal(plan.info.precision, "accurate");
  assert.ok(plan.info.spectrumBytes > 0 && plan.info.segments >= 1);
  const { order, radices, transformLength, algorithm } = plan.info;
  if (algorithm === "direct") assert.equal(transformLength, 0);
  else assert.ok(transformLength > 0 && radices.length === order, JSON.stringify(plan.info));
  const explanation = plan.explain();
  assert.ok(Object.keys(explanation.data).length > 0);
  assert.equal(JSON.stringify(explanation), JSON.stringify(explanation.data));
  assert.ok(String(explanation).split("\n").length >= 1 && !String(explanation).includes("[object"));

  using workspace = device.empty([Math.max(1, Math.ceil(plan.info.workspaceBytes / 4))]);
  using spectrum = plan.spectrum(new Float32Array(100).fill(1));
  using u = device.tensor(new Float32Array(1000).fill(1), { shape: [1, 1, 1000] });
  using y = plan.forward(u, spectrum, plan.info.workspaceBytes > 0 ? { workspace } : {});
  assert.deepEqual(y.shape, [1, 1, 1000]);
  assert.ok(Math.abs((await y.read())[999]! - 100) < 1e-3);
});

Deno.test("spectrum: recomputed with another kernel, in the stream's order", async () => {
  using device = openTestDevice();
  using stream = device.stream();
  using plan = device.plan({ length: 3, kernelLength: 2 });
  using u = device.tensor(Float32Array.of(1, 2, 3));
  using spectrum = plan.spectrum(Float32Array.of(1, 0), { stream });
  using first = plan.forward(u, spectrum, { stream });
  spectrum.recompute(Float32Array.of(0, 1), { stream });
  using second = plan.forward(u, spectrum, { stream });
  assert.deepEqual(await first.read({ stream }), Float32Array.of(1, 2, 3));
  assert.deepEqual(await second.read({ stream }), Float32Array.of(0, 1, 2));
});

Deno.test("events: time on a stream", async () => {
  using device = openTestDevice();
  using stream = device.stream();
  using begin = device.event();
  using end = device.event();
  using u = device.zeros([1 << 18]);
  using plan = device.plan({ length: 1 << 18, kernelLength: 1 << 18 });
  using spectrum = plan.spectrum(new Float32Array(1 << 18));
  await device.synchronize();
  const start = performance.now();
  begin.record(stream);
  using _y = plan.forward(u, spectrum, { stream });
  end.record(stream);
  await end.synchronize();
  const host = performance.now() - start;
  const ms = end.elapsedMsSince(begin);
  assert.ok(ms > 0 && ms <= host + 1, `${ms} ms on the device, ${host} ms on the host`);
});

Deno.test("memory: figures of a device", () => {
  using device = openTestDevice();
  assert.deepEqual(device.memory(), { liveBytes: 0, peakBytes: 0, liveObjects: 0 });
  {
    using _a = device.empty([1000]);
    using _b = device.empty([1000], "bfloat16");
    assert.deepEqual(device.memory(), { liveBytes: 6000, peakBytes: 6000, liveObjects: 2 });
  }
  assert.deepEqual(device.memory(), { liveBytes: 0, peakBytes: 6000, liveObjects: 0 });
  device.resetPeakMemory();
  assert.equal(device.memory().peakBytes, 0);
});

Deno.test("device: what it says of itself", () => {
  using device = openTestDevice();
  const { info } = device;
  assert.deepEqual([info.type, info.ordinal, info.name], [device.type, device.ordinal, device.name]);
  assert.ok(info.computeUnits >= 1 && info.memoryTotalBytes > 2 ** 28 && info.name.length > 0);
  assert.ok(["avx512", "avx2", "baseline"].includes(info.instructionSet) || /^sm_\d+$/.test(info.instructionSet));
  assert.ok(device.reason.length > 0);
});

Deno.test("tensor: more than 2^31 elements: strides, offsets and views past what 32 bits hold", async (t) => {
  using device = openTestDevice();
  const L = 1000, far = 2 ** 31 + 5; // from one channel to the next
  const elements = far + 3 * L;
  // On the CPU only the pages of the few rows that are written become real memory.
  if (device.info.memoryFreeBytes < 2 * elements * 1.1) {
    await t.step({ name: "left out: this machine has too little memory", ignore: true, fn() {} });
    return;
  }
  using memory = device.empty([elements], "bfloat16");
  const strides = { u: [3 * L, far], y: [3 * L, far] } as const;
  for (const algorithm of device.type === "cpu" ? ["direct", "fft", "overlap-save"] as const : ["auto"] as const) {
    using plan = device.plan({ channels: 2, length: L, kernelLength: 3, dtype: "bfloat16", strides, algorithm });
    using k = device.tensor(Float32Array.of(1, 0, 2, 0, 4, 0), { shape: [2, 3], dtype: "bfloat16" });
    using spectrum = plan.spectrum(k);
    const part = (offset: number) => memory.view({ shape: [1, 2, L], strides: [3 * L, far, 1], offset });
    using u = part(0);
    using y = part(L);
    const numbers = Float32Array.from({ length: 2 * L }, (_, n) => n % 16); // small: sums are exact in bfloat16
    await y.write(new Float32Array(2 * L).fill(NaN));
    await u.write(numbers);
    plan.forward(u, spectrum, { out: y });
    const result = await y.toFloat32Array();
    const sample = (n: number) => n < 0 ? 0 : numbers[n]!;
    for (let n = 0; n < L; n++) {
      const second = n === 0 ? 0 : 4 * sample(L + n - 1);
      const wanted = [sample(n) + 2 * sample(n - 2), second];
      const got = [result[n]!, result[L + n]!];
      assert.ok(
        got.every((x, h) => Math.abs(x - wanted[h]!) < 0.26),
        `${algorithm}, sample ${n}: ${got}, not ${wanted}`,
      );
    }
  }
});
