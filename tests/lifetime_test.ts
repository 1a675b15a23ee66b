// Disposing: twice, before use, in any order, and while work is in flight.
import assert from "node:assert/strict";
import { type Device, DisposedError, openDevice } from "../mod.ts";
import { openTestDevice } from "./device.ts";

function objects(device: Device) {
  const plan = device.plan({ length: 4, kernelLength: 2 });
  return {
    plan,
    u: device.tensor(Float32Array.of(1, 2, 3, 4)),
    spectrum: plan.spectrum(Float32Array.of(1, 10)),
    stream: device.stream(),
    event: device.event(),
  };
}

const disposed = (words: RegExp) => (error: unknown) => error instanceof DisposedError && words.test(error.message);

Deno.test("lifetime: use after dispose, of each kind of object", async () => {
  using device = openTestDevice();
  const { plan, u, spectrum, stream, event } = objects(device);
  using other = device.plan({ length: 4, kernelLength: 2 });
  using fresh = other.spectrum(Float32Array.of(1, 2));
  for (const object of [u, spectrum, stream, event]) {
    assert.equal(object.disposed, false);
    object.dispose();
    object.dispose(); // harmless
    assert.equal(object.disposed, true);
  }
  assert.throws(() => plan.forward(u, spectrum), disposed(/spectrum was disposed/));
  assert.throws(() => other.forward(u, fresh), disposed(/u was disposed/));
  assert.throws(() => spectrum.recompute(Float32Array.of(1, 2)), disposed(/spectrum/));
  assert.throws(() => u.view({ shape: [2] }), disposed(/tensor/));
  assert.throws(() => u.fillBytes(0), disposed(/tensor/));
  assert.throws(() => event.record(), disposed(/event/));
  await assert.rejects(u.read(), disposed(/tensor/));
  await assert.rejects(u.write(new Float32Array(4)), disposed(/tensor/));
  await assert.rejects(stream.synchronize(), disposed(/stream/));
  await assert.rejects(event.synchronize(), disposed(/event/));
  plan.dispose();
  plan.dispose();
  assert.throws(() => plan.explain(), disposed(/plan/));
  assert.throws(() => plan.spectrum(Float32Array.of(1, 2)), disposed(/plan/));
  using v = device.tensor(Float32Array.of(1, 2, 3, 4));
  assert.throws(() => plan.forward(v, fresh), disposed(/plan/));
  assert.throws(() => other.forward(v, fresh, { stream }), disposed(/stream/));
});

Deno.test("lifetime: a disposed device takes everything with it", async () => {
  const device = openTestDevice();
  const { plan, u, spectrum, stream, event } = objects(device);
  device.dispose();
  device.dispose();
  for (const object of [device, plan, u, spectrum, stream, event]) {
    assert.equal(object.disposed, true);
    object.dispose();
  }
  assert.throws(() => device.empty([1]), disposed(/device was disposed/));
  assert.throws(() => device.plan({ length: 1, kernelLength: 1 }), disposed(/device/));
  assert.throws(() => device.memory(), disposed(/device/));
  assert.throws(() => device.info, disposed(/device/));
  assert.throws(() => plan.forward(u, spectrum), disposed(/plan was disposed/));
  await assert.rejects(device.synchronize(), disposed(/device/));
  await assert.rejects(u.read(), disposed(/tensor was disposed/));
  // opening another one is fine, and knows nothing of the old objects
  using again = openTestDevice();
  assert.equal(again.memory().liveObjects, 0);
});

Deno.test("lifetime: everything may be disposed while work is in flight; the result is right", async () => {
  using device = openTestDevice();
  const L = 1 << 18;
  const y = device.empty([L]);
  {
    using u = device.tensor(new Float32Array(L).fill(1));
    using plan = device.plan({ length: L, kernelLength: 3 });
    using spectrum = plan.spectrum(Float32Array.of(1, 10, 100));
    using stream = device.stream();
    using done = device.event();
    for (let i = 0; i < 8; i++) plan.forward(u, spectrum, { out: y, stream });
    done.record(stream);
  } // all of it is still queued or running
  await device.synchronize();
  const reading = y.read();
  y.dispose();
  await reading; // started before: it still has its memory
  await assert.rejects(y.read(), disposed(/tensor/));

  using u = device.tensor(new Float32Array(L).fill(1));
  using plan = device.plan({ length: L, kernelLength: 3 });
  const spectrum = plan.spectrum(Float32Array.of(1, 10, 100));
  using z = plan.forward(u, spectrum);
  spectrum.dispose();
  const values = await z.read();
  assert.ok([...values.subarray(2)].every((value) => Math.abs(value - 111) < 1e-3));
});

Deno.test("lifetime: the device may be disposed while reads and work are in flight", async () => {
  const device = openTestDevice();
  const L = 1 << 18;
  const u = device.tensor(new Float32Array(L).fill(1));
  const plan = device.plan({ length: L, kernelLength: L });
  const spectrum = plan.spectrum(new Float32Array(L).fill(1 / L));
  const y = plan.forward(u, spectrum);
  const reading = y.read(), waiting = device.synchronize();
  device.dispose();
  assert.throws(() => plan.forward(u, spectrum), DisposedError);
  await waiting;
  assert.ok(Math.abs((await reading)[L - 1]! - 1) < 1e-3);
});

Deno.test("lifetime: a transfer row by row is finished whatever is disposed meanwhile", async () => {
  using stack = new DisposableStack();
  for (const what of ["the tensor", "the device"] as const) {
    const device = stack.use(openTestDevice());
    const whole = device.zeros([100, 6]);
    const rows = whole.view({ shape: [100, 3], strides: [6, 1] });
    const data = Float32Array.from({ length: 300 }, (_, n) => n);
    await rows.write(data);
    const stream = device.stream();
    const transfers = [rows.read(), rows.read({ stream }), rows.write(data), rows.write(data, { stream })];
    if (what === "the device") device.dispose();
    else for (const object of [rows, whole, stream]) object.dispose();
    const results = await Promise.all(transfers);
    assert.deepEqual(results.slice(0, 2), [data, data], what);
    if (what === "the tensor") assert.equal(device.memory().liveObjects, 0);
  }
});

Deno.test("lifetime: views keep the memory until the last of them is gone", async () => {
  using device = openTestDevice();
  const whole = device.tensor(Float32Array.of(1, 2, 3, 4));
  const view = whole.view({ shape: [2], offset: 2 });
  const inner = view.view({ shape: [1], offset: 1 });
  whole.dispose();
  whole.dispose();
  assert.deepEqual(await view.read(), Float32Array.of(3, 4));
  view.dispose();
  assert.deepEqual(await inner.read(), Float32Array.of(4));
  assert.equal(device.memory().liveObjects, 1);
  inner.dispose();
  assert.equal(device.memory().liveObjects, 0);
});

Deno.test("lifetime: two devices of one kind are independent", async () => {
  const first = openDevice("cpu"), second = openDevice("cpu");
  using u = second.tensor(Float32Array.of(5));
  first.dispose();
  assert.deepEqual(await u.read(), Float32Array.of(5));
  second.dispose();
});
