// Bad input to devices, tensors, plans and forward: a typed error that says what was asked and what is possible, and
// nothing lost by it.
import assert from "node:assert/strict";
import * as ffc from "../mod.ts";
import { libraryFile, openTestDevice } from "./device.ts";

type Class = new (...values: never[]) => Error;

function refuses(call: () => unknown, Class: Class, words: RegExp): void {
  assert.throws(call, (error: unknown) => {
    assert.ok(error instanceof Class, `${error} is no ${Class.name}`);
    assert.ok(error instanceof ffc.FlashFFTConvError && error.name === Class.name && error.code.length > 0);
    assert.match(error.message, words);
    return true;
  });
}

/** Runs a test on a device and sees to it that the errors in it cost nothing. */
function errors(name: string, body: (device: ffc.Device) => void | Promise<void>): void {
  Deno.test(`errors: ${name}`, async () => {
    using device = openTestDevice();
    await body(device);
    await device.synchronize(); // work in flight keeps what it uses
    assert.equal(device.memory().liveObjects, 0, "objects were left behind");
    assert.equal(device.memory().liveBytes, 0, "bytes were left behind");
    // and the device still works
    assert.deepEqual(
      await ffc.convolve(Float32Array.of(1, 2), Float32Array.of(1, 1), { device }),
      Float32Array.of(1, 3),
    );
  });
}

const anything = (value: unknown) => value as never;

errors("lengths: 0, negative, fractional, NaN, infinite, a string, over the limit", (device) => {
  for (const name of ["length", "kernelLength", "batch", "channels"] as const) {
    for (const value of [0, -1, 1.5, NaN, Infinity, "8", null, 2n]) {
      if (value === null && name !== "length" && name !== "kernelLength") continue; // null takes the default
      const options = { length: 8, kernelLength: 8, [name]: anything(value) };
      refuses(() => device.plan(options), ffc.ShapeError, new RegExp(`${name} is .*whole number, at least 1`));
    }
    const options = { length: 8, kernelLength: 8, [name]: 2 ** 41 };
    refuses(() => device.plan(options), ffc.LimitExceededError, /limit is 1099511627776/);
  }
  refuses(() => device.plan({ length: 2 ** 40, kernelLength: 1, batch: 2 ** 20 }), ffc.LimitExceededError, /2\^56/);
});

errors("options of a plan that do not exist", (device) => {
  const plan = (options: object) => () => device.plan({ length: 8, kernelLength: 8, ...options });
  refuses(plan({ mode: "linear" }), ffc.InvalidArgumentError, /"linear".*"causal".*"valid"/);
  refuses(plan({ mode: "toString" }), ffc.InvalidArgumentError, /known are/);
  refuses(plan({ dtype: "float64" }), ffc.DtypeError, /"float64".*"bfloat16"/);
  refuses(plan({ kernelDtype: 3 }), ffc.DtypeError, /kernelDtype is 3/);
  refuses(plan({ precision: "best" }), ffc.InvalidArgumentError, /"accurate"/);
  refuses(plan({ algorithm: "fastest" }), ffc.InvalidArgumentError, /"overlap-save"/);
  refuses(plan({ preGate: "yes" }), ffc.InvalidArgumentError, /true or false/);
  refuses(plan({ kernelSize: 3 }), ffc.InvalidArgumentError, /"kernelSize"; known are batch/);
  refuses(plan({ skip: true, mode: "full" }), ffc.InvalidArgumentError, /causal, circular or same/);
});

errors("options that are no objects, or misspelt", async (device) => {
  using tensor = device.zeros([4]);
  using plan = device.plan({ length: 4, kernelLength: 1 });
  const one = Float32Array.of(1);
  using spectrum = plan.spectrum(one);
  using event = device.event();
  const calls: { readonly [name: string]: (options: never) => unknown } = {
    plan: (options) => device.plan(options),
    tensor: (options) => device.tensor(one, options),
    view: (options) => tensor.view(options),
    "plan.spectrum": (options) => plan.spectrum(one, options),
    recompute: (options) => spectrum.recompute(one, options),
    forward: (options) => plan.forward(tensor, spectrum, options),
    copyFrom: (options) => tensor.copyFrom(tensor, options),
    fillBytes: (options) => tensor.fillBytes(0, options),
    openDevice: (options) => ffc.openDevice("cpu", options),
    strides: (strides) =>
      device.plan({ length: 4, kernelLength: 1, strides: strides === null ? anything(0) : strides }),
  };
  for (const [name, call] of Object.entries(calls)) {
    for (const options of [null, 5, [1]]) {
      refuses(() => call(anything(options)), ffc.InvalidArgumentError, /must be an object/);
    }
    refuses(() => call(anything({ strem: 1 })), ffc.InvalidArgumentError, new RegExp(`"strem"; known are`));
    assert.ok(name);
  }
  const waiting: readonly ((options: never) => Promise<unknown>)[] = [
    (options) => tensor.read(options),
    (options) => tensor.write(new Float32Array(4), options),
    (options) => ffc.convolve(one, one, options),
  ];
  for (const call of waiting) {
    for (const options of [null, 5, { strem: 1 }]) {
      await assert.rejects(call(anything(options)), ffc.InvalidArgumentError);
    }
  }
  refuses(() => event.elapsedMsSince(anything(5)), ffc.InvalidArgumentError, /device\.event\(\)/);
});

errors("strides that do not fit", (device) => {
  const plan = (strides: object, more: object = {}) => () =>
    device.plan({ batch: 2, channels: 3, length: 8, kernelLength: 4, strides, ...more });
  refuses(plan({ u: [24, 7] }), ffc.ShapeError, /strides.u\[1\] is 7.*at least 8/);
  refuses(plan({ u: [24] }), ffc.ShapeError, /\[batchStride, channelStride\]/);
  refuses(plan({ u: [24, 8.5] }), ffc.ShapeError, /8\.5/);
  refuses(plan({ y: [9, 8] }), ffc.ShapeError, /rows overlap|strides/);
  refuses(plan({ kernel: 3 }), ffc.ShapeError, /at least 4/);
  refuses(plan({ kernel: 4 }, { sharedKernel: true }), ffc.ShapeError, /shared/);
  refuses(plan({ x: [24, 8] }), ffc.InvalidArgumentError, /known are u, preGate/);
});

errors("tensors: rank, shape, dtype, host arrays", (device) => {
  const data = new Float32Array(6);
  refuses(() => device.tensor(data, { shape: [1, 1, 2, 3] }), ffc.ShapeError, /1 to 3 axes/);
  refuses(() => device.tensor(data, { shape: [] }), ffc.ShapeError, /1 to 3 axes/);
  refuses(() => device.tensor(data, { shape: [2, 2] }), ffc.ShapeError, /6 elements.*needs 4/);
  refuses(() => device.tensor(new Float32Array(0)), ffc.ShapeError, /at least 1/);
  for (const bad of [0, -2, 2.5, NaN]) refuses(() => device.empty([bad, 3]), ffc.ShapeError, /whole number/);
  refuses(() => device.empty(new Array(2)), ffc.ShapeError, /shape\[0\] is undefined/); // holes, no numbers
  refuses(() => device.empty([2 ** 30, 2 ** 30]), ffc.LimitExceededError, /2\^51/);
  refuses(() => device.empty([4], anything("int8")), ffc.DtypeError, /"int8"/);
  refuses(() => device.tensor(anything([1, 2])), ffc.DtypeError, /Float32Array\.from/);
  refuses(() => device.tensor(anything(new Array(1e5).fill(1))), ffc.DtypeError, /^.{0,200}$/); // a short sentence
  refuses(() => device.tensor(anything(new Float64Array(2))), ffc.DtypeError, /Float64Array.*Float32Array\.from/);
  refuses(() => device.tensor(new Uint16Array(2)), ffc.DtypeError, /"float16" or "bfloat16"/);
  refuses(() => device.tensor(new Uint16Array(2), { dtype: "float32" }), ffc.DtypeError, /bits/);
  refuses(() => device.tensor(Float16Array.of(1), { dtype: "bfloat16" }), ffc.DtypeError, /Float16Array/);
  refuses(() => device.tensor(data, anything({ dims: [6] })), ffc.InvalidArgumentError, /"dims"/);
});

errors("detached and resizable memory", async (device) => {
  const gone = Float32Array.of(1, 2);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  refuses(() => device.tensor(gone, { shape: [2] }), ffc.InvalidArgumentError, /detached/);
  const growing = new Float32Array(new ArrayBuffer(8, { maxByteLength: 64 }));
  refuses(() => device.tensor(growing), ffc.InvalidArgumentError, /resizable.*slice/);
  const sharedGrowing = new Float32Array(new SharedArrayBuffer(8, { maxByteLength: 64 }));
  refuses(() => device.tensor(sharedGrowing), ffc.InvalidArgumentError, /resizable/);
  using tensor = device.empty([2]);
  await assert.rejects(tensor.write(gone), ffc.InvalidArgumentError);
  await assert.rejects(tensor.write(growing), ffc.InvalidArgumentError);
  await assert.rejects(tensor.write(new Float32Array(3)), ffc.ShapeError);
  await assert.rejects(tensor.write(new Uint16Array(2)), ffc.DtypeError);
});

errors("views past the end, or with another last axis", (device) => {
  using tensor = device.empty([10]);
  refuses(() => tensor.view({ shape: [11] }), ffc.OutOfBoundsError, /element 11.*has 10/);
  refuses(() => tensor.view({ shape: [5], offset: 6 }), ffc.OutOfBoundsError, /element 11/);
  refuses(() => tensor.view({ shape: [2, 2], strides: [9, 1] }), ffc.OutOfBoundsError, /element 11/);
  refuses(() => tensor.view({ shape: [2, 2], strides: [2, 2] }), ffc.ShapeError, /last must be 1/);
  refuses(() => tensor.view({ shape: [2, 2], strides: [1] }), ffc.ShapeError, /one for each axis/);
  refuses(() => tensor.view({ shape: [2, 2], strides: anything("21") }), ffc.ShapeError, /one for each axis/);
  refuses(() => tensor.view({ shape: [2], offset: -1 }), ffc.ShapeError, /at least 0/);
  refuses(() => tensor.view({ shape: [2], offset: 0.5 }), ffc.ShapeError, /whole number/);
  refuses(() => tensor.fillBytes(256), ffc.InvalidArgumentError, /0 to 255/);
  using other = device.empty([9]);
  refuses(() => tensor.copyFrom(other), ffc.ShapeError, /9 elements/);
  using gaps = tensor.view({ shape: [2, 2], strides: [5, 1] });
  refuses(() => gaps.fillBytes(0), ffc.ShapeError, /gaps/);
});

errors("forward with the shapes, strides and dtypes of another plan", (device) => {
  using plan = device.plan({ batch: 2, channels: 3, length: 8, kernelLength: 5, preGate: true, skip: true });
  using kernel = device.empty([3, 5]);
  using spectrum = plan.spectrum(kernel);
  using u = device.empty([2, 3, 8]);
  using preGate = device.empty([2, 3, 8]);
  using skip = device.empty([3]);
  const forward = (input: ffc.DeviceTensor, more: object = {}) => () =>
    plan.forward(input, spectrum, { preGate, skip, ...more });
  using longer = device.empty([2, 3, 9]);
  refuses(forward(longer), ffc.ShapeError, /u has shape \[2, 3, 9\]; the plan needs \[2, 3, 8\]/);
  using flat = device.empty([6, 8]);
  refuses(forward(flat), ffc.ShapeError, /\[6, 8\]/);
  using half = device.empty([2, 3, 8], "float16");
  refuses(forward(half), ffc.DtypeError, /u is float16; the plan was made for float32/);
  using wide = device.empty([2, 3, 20]);
  using strided = wide.view({ shape: [2, 3, 8], strides: [60, 20, 1] });
  refuses(forward(strided), ffc.ShapeError, /strides \[60, 20, 1\].*\[24, 8, 1\]/);
  refuses(forward(u, { preGate: longer }), ffc.ShapeError, /preGate/);
  refuses(forward(u, { preGate: undefined }), ffc.InvalidArgumentError, /give preGate/);
  refuses(forward(u, { postGate: preGate }), ffc.InvalidArgumentError, /postGate was given.*postGate: true/);
  refuses(forward(u, { skip: u }), ffc.ShapeError, /skip/);
  refuses(forward(u, { out: longer }), ffc.ShapeError, /out has shape/);
  refuses(forward(u, { output: u }), ffc.InvalidArgumentError, /"output"; known are preGate/);
  refuses(forward(anything(new Float32Array(48))), ffc.InvalidArgumentError, /DeviceTensor/);
  refuses(() => plan.forward(u, anything(kernel), { preGate, skip }), ffc.InvalidArgumentError, /plan\.spectrum/);
  refuses(forward(u, { stream: 1 }), ffc.InvalidArgumentError, /device\.stream\(\)/);
  refuses(() => plan.spectrum(u), ffc.ShapeError, /kernel has shape/);
  refuses(() => plan.spectrum(half), ffc.DtypeError, /kernel is float16/);
  refuses(() => plan.spectrum(new Float32Array(14)), ffc.ShapeError, /14 elements/);
  refuses(
    () => plan.spectrum(new Float32Array(5)),
    ffc.ShapeError,
    /kernel has 5 elements.*\[3, 5\].*sharedKernel: true/,
  );
  refuses(() => plan.spectrum(anything("k")), ffc.InvalidArgumentError, /typed array/);

  using other = device.plan({ batch: 2, channels: 3, length: 8, kernelLength: 5, preGate: true, skip: true });
  refuses(() => other.forward(u, spectrum, { preGate, skip }), ffc.InvalidArgumentError, /another plan/);
});

errors("unaligned and overlapping outputs", async (device) => {
  using plan = device.plan({ length: 8, kernelLength: 3 });
  using spectrum = plan.spectrum(Float32Array.of(1, 1, 0));
  using memory = device.tensor(Float32Array.from({ length: 16 }, (_, n) => n));
  using u = memory.view({ shape: [8] });
  using shifted = memory.view({ shape: [8], offset: 3 });
  refuses(() => plan.forward(u, spectrum, { out: shifted }), ffc.OverlapError, /out overlaps u/);
  using beside = memory.view({ shape: [8], offset: 8 });
  plan.forward(u, spectrum, { out: beside }); // touching is not overlapping
  const wanted = Float32Array.of(0, 1, 3, 5, 7, 9, 11, 13);
  assert.deepEqual(await beside.read(), wanted);
  if (plan.info.inPlace) {
    plan.forward(u, spectrum, { out: u });
    assert.deepEqual(await u.read(), wanted);
  } else {
    refuses(() => plan.forward(u, spectrum, { out: u }), ffc.OverlapError, /in place/);
  }
  // A result on odd elements is no alignment error: the last axis is contiguous, any element may start a row.
  using odd = memory.view({ shape: [5], offset: 1 });
  using small = device.plan({ length: 5, kernelLength: 1 });
  using one = small.spectrum(Float32Array.of(2));
  using five = device.tensor(Float32Array.of(1, 2, 3, 4, 5));
  small.forward(five, one, { out: odd });
  assert.deepEqual(await odd.read(), Float32Array.of(2, 4, 6, 8, 10));

  using gated = device.plan({ length: 8, kernelLength: 3, postGate: true });
  using gatedSpectrum = gated.spectrum(new Float32Array(3));
  refuses(
    () => gated.forward(u, gatedSpectrum, { postGate: beside, out: beside }),
    ffc.OverlapError,
    /out overlaps postGate/,
  );
  using wide = device.empty([64], "bfloat16");
  using workspace = wide.view({ shape: [32], offset: 1 });
  refuses(() => plan.forward(u, spectrum, { workspace }), ffc.MisalignedError, /multiple of 16/);
});

errors("rows that interleave are fine, rows that cross are refused", async (device) => {
  const strides = { u: [32, 16], y: [32, 16] } as const;
  using plan = device.plan({ batch: 2, channels: 2, length: 8, kernelLength: 1, strides });
  using spectrum = plan.spectrum(Float32Array.of(3, 3));
  using memory = device.tensor(Float32Array.from({ length: 64 }, (_, n) => n));
  const part = (offset: number) => memory.view({ shape: [2, 2, 8], strides: [32, 16, 1], offset });
  using left = part(0);
  using right = part(8);
  plan.forward(left, spectrum, { out: right });
  assert.deepEqual((await right.read()).slice(0, 8), Float32Array.of(0, 3, 6, 9, 12, 15, 18, 21));
  using crossing = part(4);
  refuses(() => plan.forward(left, spectrum, { out: crossing }), ffc.OverlapError, /overlap/);
  refuses(() => plan.forward(left, spectrum), ffc.InvalidArgumentError, /give out/);
});

errors("things of two devices", (device) => {
  using other = openTestDevice();
  using plan = device.plan({ length: 8, kernelLength: 3 });
  using spectrum = plan.spectrum(new Float32Array(3));
  using u = device.empty([8]);
  using foreign = other.empty([8]);
  using foreignKernel = other.empty([3]);
  using stream = other.stream();
  using begin = other.event();
  using end = device.event();
  refuses(() => plan.forward(foreign, spectrum), ffc.WrongDeviceError, /u lies on another device/);
  refuses(() => plan.forward(u, spectrum, { out: foreign }), ffc.WrongDeviceError, /out lies/);
  refuses(() => plan.forward(u, spectrum, { stream }), ffc.WrongDeviceError, /stream/);
  refuses(() => plan.spectrum(foreignKernel), ffc.WrongDeviceError, /kernel lies/);
  refuses(() => u.copyFrom(foreign), ffc.WrongDeviceError, /context|device/);
  refuses(() => end.elapsedMsSince(begin), ffc.WrongDeviceError, /two devices/);
  refuses(() => end.record(stream), ffc.WrongDeviceError, /another device/);
  using otherPlan = other.plan({ length: 8, kernelLength: 3 });
  using otherSpectrum = otherPlan.spectrum(foreignKernel);
  refuses(() => plan.forward(u, otherSpectrum), ffc.WrongDeviceError, /another device/);
});

Deno.test("errors: tensors of two libraries, whose handles are alike", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const libraryPath = `${folder}/${libraryFile.split("/").at(-1)}`;
    await Deno.copyFile(libraryFile, libraryPath); // another file is loaded a second time
    using device = openTestDevice();
    using other = openTestDevice({ libraryPath });
    using target = device.tensor(Float32Array.of(1, 2));
    using source = other.tensor(Float32Array.of(3, 4));
    using long = other.empty([3]);
    for (const foreign of [source, long]) {
      refuses(() => target.copyFrom(foreign), ffc.WrongDeviceError, /source lies on another device/);
    }
    assert.deepEqual(await target.read(), Float32Array.of(1, 2));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

errors("frequency patterns: wrong in themselves", async (device) => {
  const plan = (keepFrequencies: unknown, more: object = {}) => () =>
    device.plan({ length: 1000, kernelLength: 1000, keepFrequencies: anything(keepFrequencies), ...more });
  const I = ffc.InvalidArgumentError;
  for (const none of [5, "lowest", [0.5], {}, { low: 1 }]) refuses(plan(none), I, /one of lowest, band, blocks, mask/);
  refuses(plan({ lowest: 0.5, band: [0, 1] }), I, /with lowest and band/);
  refuses(plan({ lowest: 0.5, blocksize: 4 }), I, /"blocksize"; known are lowest, blockBins/);
  refuses(plan({ classes: [0], modulus: 4, blockBins: 4 }), I, /"blockBins"; known are classes, modulus/);
  for (const bad of [NaN, 0, -0.5, 1.01, "1", null]) refuses(plan({ lowest: bad }), I, /above 0, at most 1/);
  for (const bad of [[NaN, 1], [0, 1.5], [-1, 1], ["0", 1]]) {
    refuses(plan({ band: bad }), I, /band\[[01]\] is .*0 to 1/);
  }
  for (const bad of [[0.5], 0.5, [0, 0.5, 1]]) refuses(plan({ band: bad }), I, /\[from, to\]/);
  refuses(plan({ band: [0.5, 0.4] }), I, /not end before it begins/);
  refuses(plan({ band: [0.5, 0.5] }), I, /no bin lies in band \[0\.5, 0\.5\]; bins are/);
  refuses(plan({ blocks: [] }), I, /empty; at least one/);
  for (const bad of [64, -1, 0.5, NaN, "0"]) refuses(plan({ blocks: [0, bad] }), I, /blocks\[1\] is .*0 to 63/);
  refuses(plan({ blocks: 3 }), I, /array of numbers/);
  for (const bad of [0, 1.5, NaN]) refuses(plan({ blocks: [0], blockBins: bad }), ffc.ShapeError, /blockBins/);
  refuses(plan({ blocks: [0], blockBins: 1025 }), ffc.LimitExceededError, /1024/);
  refuses(plan({ mask: new Array(1000).fill(true) }), ffc.ShapeError, /1000 elements.*1024 bins/);
  refuses(plan({ mask: new Array(1024).fill(false) }), I, /drops every bin/);
  refuses(plan({ mask: new Array(1024) }), ffc.DtypeError, /mask\[0\] is undefined/);
  refuses(plan({ mask: new Array(1024).fill(1) }), ffc.DtypeError, /true or false/);
  refuses(plan({ mask: new Uint8Array(1024).fill(255) }), ffc.DtypeError, /0 or 1/);
  refuses(plan({ mask: new Float32Array(1024).fill(1) }), ffc.DtypeError, /Float32Array/);
  refuses(plan({ mask: "all" }), ffc.DtypeError, /"all"/);
  refuses(plan({ classes: [0] }), ffc.ShapeError, /modulus is undefined/);
  refuses(plan({ classes: [4], modulus: 4 }), I, /classes\[0\] is 4.*0 to 3/);
  refuses(plan({ classes: [], modulus: 4 }), I, /empty/);
  refuses(plan({ classes: [0], modulus: 3 }), ffc.ShapeError, /divide the 1024/);
  refuses(plan({ classes: [0], modulus: 2048 }), ffc.LimitExceededError, /1024/);

  const kernel = Float32Array.of(1, 2, 3, 4);
  const pick = (options: object, k: unknown = kernel) =>
    device.pickFrequencies(anything(k), anything({ length: 100, keepFraction: 0.5, ...options }));
  const rejects = (options: object, Class: Class, k?: unknown) => assert.rejects(pick(options, k), Class);
  for (const bad of [NaN, 0, 2, "1"]) await rejects({ keepFraction: bad }, I);
  for (const bad of [NaN, -1, 2, "1"]) await rejects({ keepFraction: undefined, maxError: bad }, I);
  await rejects({ maxError: 0.5 }, I);
  await rejects({ keepFraction: undefined }, I);
  await rejects({ blockBins: 4, modulus: 4 }, I);
  await rejects({ contiguous: true, modulus: 4 }, I);
  await rejects({ contiguous: "yes" }, I);
  await rejects({ channels: 3 }, ffc.ShapeError);
  await rejects({ modulus: 3 }, ffc.ShapeError);
  await rejects({ length: 0 }, ffc.ShapeError);
  await rejects({ keep: 1 }, I);
  await rejects({}, ffc.DtypeError, [1, 2]);
  await rejects({}, ffc.DtypeError, new Uint16Array(4));
  for (const dtype of ["float16", "bfloat16"]) await rejects({ dtype }, ffc.DtypeError); // values are no bits
  await rejects({}, I, Float32Array.of(1, NaN));
  await rejects({ mode: "valid" }, ffc.UnsupportedError);
});

errors("frequency patterns: not in this mode, not by this method", (device) => {
  const plan = (more: object, keepFrequencies: ffc.FrequencyPattern = { lowest: 0.5 }) => () =>
    device.plan({ length: 1000, kernelLength: 1000, keepFrequencies, ...more });
  for (const mode of ["full", "same", "valid"] as const) {
    refuses(plan({ mode }), ffc.UnsupportedError, /causal.*circular/);
    refuses(() => device.frequencyBins(mode, 10), ffc.UnsupportedError, /causal.*circular/);
  }
  refuses(plan({ mode: "circular" }, { classes: [1], modulus: 8 }), ffc.InvalidArgumentError, /two images/);
  refuses(plan({ mode: "circular" }, { classes: [0], modulus: 16 }), ffc.ShapeError, /divide the 1000/);
  for (const algorithm of ["direct", "overlap-save"]) refuses(plan({ algorithm }), ffc.UnsupportedError, /sparse/);
  refuses(plan({ length: 2 ** 32, kernelLength: 1 }), ffc.LimitExceededError, /2147483648/);
  refuses(() => device.frequencyBins("causal", 0), ffc.ShapeError, /at least 1/);
});

errors("out of memory: 2^50 bytes", (device) => {
  refuses(() => device.empty([2 ** 20, 2 ** 28]), ffc.OutOfMemoryError, /1125899906842624|memory/);
  if (device.type !== "cpu") return;
  assert.equal(device.memory().peakBytes, 0, "memory that was never there has no peak");
  // A transform that the machine has no memory for, also where the system promises more than it has.
  const L = 2 ** 38;
  refuses(() => device.plan({ length: L, kernelLength: L, mode: "full" }), ffc.OutOfMemoryError, /bytes/);
});

Deno.test("errors: the memory limit of a device", () => {
  using device = openTestDevice({ memoryLimitBytes: 1 << 20 });
  refuses(() => device.empty([1 << 19]), ffc.OutOfMemoryError, /limit/);
  using fits = device.empty([1 << 17]);
  assert.equal(device.memory().liveBytes, 1 << 19);
  refuses(() => device.empty([1 << 18]), ffc.OutOfMemoryError, /limit/);
  fits.dispose();
  device.empty([1 << 17]).dispose();
  assert.deepEqual({ ...device.memory(), peakBytes: 0 }, { liveBytes: 0, peakBytes: 0, liveObjects: 0 });
});

errors("an algorithm that the device does not have", (device) => {
  const algorithm = device.type === "cpu" ? "fused-mma" : "overlap-save";
  refuses(() => device.plan({ length: 64, kernelLength: 64, algorithm }), ffc.UnsupportedError, /./);
});

errors("an event that was not reached", async (device) => {
  using begin = device.event();
  using end = device.event();
  assert.throws(() => end.elapsedMsSince(begin), ffc.FlashFFTConvError);
  begin.record();
  end.record();
  await end.synchronize();
  assert.ok(end.elapsedMsSince(begin) >= 0);
});

Deno.test("errors: opening a device", () => {
  refuses(() => ffc.openDevice(anything("gpu")), ffc.InvalidArgumentError, /"auto", "cuda" and "cpu"/);
  refuses(() => ffc.openDevice("cpu", { ordinal: 1 }), ffc.DeviceUnavailableError, /./);
  refuses(() => ffc.openDevice("cpu", { ordinal: -1 }), ffc.ShapeError, /ordinal is -1/);
  refuses(() => ffc.openDevice("cpu", { threads: 1.5 }), ffc.ShapeError, /threads is 1\.5/);
  refuses(
    () => ffc.openDevice("cpu", anything({ thread: 1 })),
    ffc.InvalidArgumentError,
    /"thread"; known are ordinal/,
  );
  refuses(() => ffc.openDevice("cpu", { portable: anything(1) }), ffc.InvalidArgumentError, /portable/);
});

Deno.test("errors: cuda where it cannot be used says why; auto then takes the cpu", () => {
  const cuda = ffc.libraryInfo().devices.find(({ type }) => type === "cuda")!;
  using device = ffc.openDevice();
  if (cuda.count > 0) {
    assert.equal(device.type, "cuda");
    return;
  }
  refuses(() => ffc.openDevice("cuda"), ffc.DeviceUnavailableError, /CUDA|driver|GPU/);
  assert.equal(device.type, "cpu");
  assert.ok(device.reason.includes(cuda.reason) && cuda.reason.length > 10, device.reason);
});
