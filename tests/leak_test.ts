// Creating and disposing costs nothing that stays.
import assert from "node:assert/strict";
import { type Device, FlashFFTConvError } from "../mod.ts";
import { libraryFile, openTestDevice } from "./device.ts";

const ROUNDS = 10_000;
// Allocators and V8 settle within the first rounds; a leak of 200 bytes a round would be 2 MB, one object far more.
const FLAT_BYTES = 8 << 20;

async function residentAfter(rounds: number, body: () => void | Promise<void>): Promise<number> {
  for (let i = 0; i < rounds; i++) await body();
  return Deno.memoryUsage().rss;
}

async function assertFlat(device: Device | undefined, rounds: number, body: () => void | Promise<void>): Promise<void> {
  await residentAfter(rounds / 2, body); // warm up
  const before = await residentAfter(1, body);
  const after = await residentAfter(rounds, body);
  assert.ok(after - before < FLAT_BYTES, `resident memory grew by ${after - before} bytes in ${rounds} rounds`);
  if (!device) return;
  await device.synchronize();
  const { liveBytes, liveObjects } = device.memory();
  assert.deepEqual({ liveBytes, liveObjects }, { liveBytes: 0, liveObjects: 0 });
}

Deno.test("leaks: tensors, streams, events", async () => {
  using device = openTestDevice();
  const data = new Float32Array(1000);
  await assertFlat(device, ROUNDS, () => {
    using tensor = device.tensor(data);
    using _view = tensor.view({ shape: [10] });
    using event = device.event();
    event.record();
  });
  await assertFlat(device, ROUNDS / 10, () => {
    using stream = device.stream(); // a thread each on the CPU
    using event = device.event();
    event.record(stream);
  });
});

Deno.test("leaks: plans, spectra, forward, with errors in between", async () => {
  using device = openTestDevice();
  const k = new Float32Array(40);
  using u = device.empty([100]);
  using half = device.empty([100], "float16");
  const round = () => {
    using plan = device.plan({ length: 100, kernelLength: 40 });
    using spectrum = plan.spectrum(k);
    using y = plan.forward(u, spectrum);
    assert.throws(() => plan.forward(half, spectrum), FlashFFTConvError);
    assert.throws(() => plan.spectrum(half), FlashFFTConvError);
    assert.throws(() => device.plan({ length: 0, kernelLength: 1 }), FlashFFTConvError);
    assert.throws(() => device.plan({ length: 1, kernelLength: 1, algorithm: "fused-fp32" }), FlashFFTConvError);
    assert.throws(() => device.empty([2 ** 48]), FlashFFTConvError);
    assert.throws(() => y.view({ shape: [101] }), FlashFFTConvError);
  };
  await assertFlat(undefined, ROUNDS, round);
  await device.synchronize();
  assert.equal(device.memory().liveObjects, 2); // u and half
});

Deno.test("leaks: devices", async () => {
  // Deno.dlopen itself keeps some 15 kB of generated code each time, so the library stays open here; that it is
  // closed with its last device is what the resource sanitizer checks in every other test.
  using _library = openTestDevice();
  await assertFlat(undefined, ROUNDS / 10, async () => {
    using device = openTestDevice();
    const tensor = device.zeros([1000]); // never disposed: the device does it
    await tensor.read();
  });
});

Deno.test("leaks: objects that nobody disposed go with the garbage", async () => {
  const script = `
    import { openDevice } from ${JSON.stringify(new URL("../mod.ts", import.meta.url).href)};
    const device = openDevice("cpu", { libraryPath: ${JSON.stringify(libraryFile)} });
    (() => { for (let i = 0; i < 500; i++) { device.empty([100]); device.event(); device.plan({ length: 4, kernelLength: 4 }); } })();
    const many = device.memory().liveObjects;
    for (let i = 0; i < 20 && device.memory().liveObjects > 0; i++) {
      globalThis.gc();
      await new Promise((done) => setTimeout(done, 10));
    }
    // A device lives as long as something of it is held.
    const [stream, event] = (() => { const other = openDevice("cpu", { libraryPath: ${
    JSON.stringify(libraryFile)
  } }); return [other.stream(), other.event()]; })();
    for (let i = 0; i < 5; i++) {
      globalThis.gc();
      await new Promise((done) => setTimeout(done, 10));
    }
    event.record(stream);
    await event.synchronize();
    console.log(many, device.memory().liveObjects);
  `;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-ffi",
      "--v8-flags=--expose-gc",
      "--no-prompt",
      `data:application/typescript,${encodeURIComponent(script)}`,
    ],
    cwd: new URL("../", import.meta.url),
  }).output();
  const [many, few] = new TextDecoder().decode(stdout).trim().split(" ").map(Number);
  assert.equal(many, 1500, new TextDecoder().decode(stderr));
  assert.ok(few! <= 10, `${few} objects were never collected`);
});

Deno.test("leaks: a device that nobody disposed does not keep a program alive", async () => {
  const script = `
    import { openDevice } from ${JSON.stringify(new URL("../mod.ts", import.meta.url).href)};
    const device = openDevice("cpu", { libraryPath: ${JSON.stringify(libraryFile)} });
    const tensor = device.zeros([1 << 20]);
    await tensor.read();
    console.log("end");
  `;
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-ffi", "--no-prompt", `data:application/typescript,${encodeURIComponent(script)}`],
    cwd: new URL("../", import.meta.url),
  }).output();
  assert.deepEqual([success, new TextDecoder().decode(stdout).trim()], [true, "end"]);
});
