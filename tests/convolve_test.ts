// The one-line function: arrays in, an array of the same type out.
import assert from "node:assert/strict";
import { runInNewContext } from "node:vm";
import { convolve, DtypeError, InvalidArgumentError, openDevice, outputLength, ShapeError } from "../mod.ts";
import { UnsupportedError } from "../mod.ts";
import { float16BitsToFloat32, float32ToFloat16Bits } from "../mod.ts";
import { conv, modes } from "./cases.ts";
import { openTestDevice } from "./device.ts";
import { convolveAll, sparseAll } from "./oracle.ts";
import { makeData } from "./run_case.ts";
import { patterns } from "./sparse_cases.ts";
import { judge, judgeRows } from "./tolerance.ts";

const u = Float32Array.of(1, 2, 3), k = Float32Array.of(0, 1, 0.5);

Deno.test("convolve: two arrays, every mode, by hand", async () => {
  const wanted = {
    causal: [0, 1, 2.5],
    circular: [4, 2.5, 2.5],
    full: [0, 1, 2.5, 4, 1.5],
    same: [1, 2.5, 4],
    valid: [2.5],
  };
  for (const mode of modes) {
    const y = await convolve(u, k, { mode, device: "cpu" });
    assert.deepEqual(y, Float32Array.from(wanted[mode]), mode);
    assert.equal(y.length, outputLength(mode, 3, 3));
  }
  assert.deepEqual(await convolve(u, k), Float32Array.from(wanted.causal)); // the default
});

Deno.test("convolve: batches, gates, skip and shared kernels against float64", async () => {
  using device = openTestDevice();
  for (const mode of modes) {
    for (const sharedKernel of [false, true]) {
      const skip = mode !== "full" && mode !== "valid";
      const c = conv({
        mode,
        batch: 2,
        channels: 3,
        length: 333,
        kernelLength: 70,
        sharedKernel,
        preGate: true,
        postGate: true,
        skip,
      });
      const data = makeData(c);
      const y = await convolve(data.u.host as Float32Array, data.k.host, {
        device,
        mode,
        shape: [2, 3, 333],
        sharedKernel,
        preGate: data.preGate!.host,
        postGate: data.postGate!.host,
        ...(data.skip && { skip: data.skip.host }),
      });
      const how = { dtype: "float32", precision: "accurate", device: device.type } as const;
      assert.ok(judge(y, convolveAll(data.input), data.input, how).ok, mode);
    }
  }
});

Deno.test("convolve: some frequencies of the kernel, against float64", async () => {
  using device = openTestDevice();
  for (const mode of ["causal", "circular"] as const) {
    for (const { pattern, kept } of patterns(mode, 333)) {
      const c = conv({ mode, batch: 2, channels: 3, length: 333, kernelLength: 70, preGate: true, skip: true });
      const data = makeData(c);
      const y = await convolve(data.u.host as Float32Array, data.k.host, {
        device,
        mode,
        shape: [2, 3, 333],
        keepFrequencies: pattern,
        preGate: data.preGate!.host,
        skip: data.skip!.host,
      });
      const how = { dtype: "float32", precision: "accurate", device: device.type } as const;
      const wanted = sparseAll(data.input, kept), independent = 333 * kept.filter(Boolean).length / kept.length;
      const verdict = judgeRows(y, wanted.y, wanted.size, 333, 4 * 333, how, Math.max(1, independent));
      assert.ok(verdict.ok, `${mode} ${JSON.stringify(pattern).slice(0, 60)}: ${verdict.relL2}`);
    }
  }
  assert.deepEqual(
    await convolve(u, k, { device, mode: "causal", keepFrequencies: "all" }),
    Float32Array.of(0, 1, 2.5),
  );
  // A device of its own for the call: whatever there is, it takes both modes.
  const whole = await convolve(u, k, { mode: "circular", keepFrequencies: { lowest: 1 } });
  [4, 2.5, 2.5].forEach((value, n) => assert.ok(Math.abs(whole[n]! - value) < 1e-6));
});

Deno.test("convolve: returns the type of array it was given", async () => {
  using device = openTestDevice();
  const bits = float32ToFloat16Bits(u);
  const y = await convolve(bits, k, { device, dtype: "float16", mode: "same" });
  assert.ok(y instanceof Uint16Array);
  assert.deepEqual(float16BitsToFloat32(y), Float32Array.of(1, 2.5, 4));
  const both = await convolve(bits, float32ToFloat16Bits(k), { device, dtype: "float16", mode: "same" });
  assert.deepEqual(both, y);
  const half = await convolve(Float16Array.from(u), Float16Array.from(k), { device, mode: "same" });
  assert.ok(half instanceof Float16Array);
  assert.deepEqual([...half], [1, 2.5, 4]);
});

Deno.test("convolve: a subclass is an array like its parent, whatever its constructor does with a size", async () => {
  using device = openTestDevice();
  class Sound extends Float32Array {
    constructor(readonly rate: number, ...samples: number[]) {
      super(samples);
    }
  }
  const kernel = Float32Array.from({ length: 50000 }, () => 1); // the result is far larger than a Sound of this size
  const sound: Float32Array = new Sound(44100, 1, 2, 3);
  const y = await convolve(sound, kernel, { device, mode: "full" });
  assert.equal(Object.getPrototypeOf(y), Float32Array.prototype);
  assert.equal(y.length, 50002);
  [[0, 1], [1, 3], [2, 6], [49999, 6], [50001, 3]].forEach(([n, value]) => assert.ok(Math.abs(y[n!]! - value!) < 1e-4));
  // Nor does it matter what a subclass calls itself.
  class Liar extends Uint8Array {
    override get [Symbol.toStringTag]() {
      return "Float32Array" as "Uint8Array";
    }
  }
  await assert.rejects(convolve(new Liar(8) as unknown as Float32Array, k, { device }), DtypeError);
});

Deno.test("convolve: arrays of another realm", async () => {
  using device = openTestDevice();
  const foreign = <T>(code: string) => runInNewContext(code) as T;
  const y = await convolve(foreign<Float32Array>("Float32Array.of(1, 2, 3)"), k, { device, mode: "same" });
  assert.deepEqual(y, Float32Array.of(1, 2.5, 4));
  const twos = foreign<Float32Array>("Float32Array.of(2, 2, 2)");
  assert.deepEqual(await convolve(u, k, { device, mode: "same", preGate: twos }), Float32Array.of(2, 5, 8));
  const floats = foreign<Float32Array>("new Float32Array(3)");
  await assert.rejects(convolve(floats, k, { device, dtype: "float16" }), DtypeError);
  const bits = foreign<Uint16Array>("Uint16Array.of(0x3c00, 0x4000, 0x4200)");
  const half = await convolve(bits, bits, { device, dtype: "float16" });
  assert.deepEqual(float16BitsToFloat32(half), Float32Array.of(1, 4, 10));
});

Deno.test("convolve: views into larger and shared memory", async () => {
  using device = openTestDevice();
  const shared = new Float32Array(new SharedArrayBuffer(64));
  shared.set([9, 1, 2, 3, 9]);
  assert.deepEqual([...await convolve(shared.subarray(1, 4), k, { device, mode: "same" })], [1, 2.5, 4]);
});

Deno.test("convolve: reports progress up to 1, rising", async () => {
  const seen: number[] = [];
  await convolve(new Float32Array(1 << 21), new Float32Array(50000), {
    device: "cpu",
    onProgress: (f) => seen.push(f),
  });
  assert.equal(seen.at(-1), 1);
  assert.ok(seen.every((f, i) => f >= 0 && f <= 1 && (i === 0 || f > seen[i - 1]!)), String(seen));
});

Deno.test("convolve: an aborted call is rejected with the signal's reason, soon, and leaves the device usable", async () => {
  using device = openTestDevice();
  const long = new Float32Array(1 << 24); // 300 ms of work on two cores
  const controller = new AbortController();
  const reason = new Error("enough");
  const begin = performance.now();
  const running = convolve(long, new Float32Array(1 << 22), { device, signal: controller.signal });
  setTimeout(() => controller.abort(reason), 5);
  await assert.rejects(running, (error) => error === reason);
  const stopped = performance.now() - begin;
  assert.ok(stopped < 5000, `it took ${stopped} ms to stop`);
  await assert.rejects(convolve(u, k, { device, signal: AbortSignal.abort(reason) }), (error) => error === reason);
  assert.deepEqual(await convolve(u, k, { device, mode: "same" }), Float32Array.of(1, 2.5, 4));
});

Deno.test("convolve: abort() before the promise is settled rejects it, also when the work is done", async () => {
  using device = openTestDevice();
  const reason = new Error("enough");
  {
    const controller = new AbortController();
    const running = convolve(u, k, { device, signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(running, (error) => error === reason);
  }
  for (const throws of [false, true]) {
    const controller = new AbortController();
    const onProgress = () => {
      controller.abort(reason);
      if (throws) throw new Error("mine");
    };
    await assert.rejects(
      convolve(u, k, { device, signal: controller.signal, onProgress }),
      (error) => error === reason,
    );
  }
});

Deno.test("convolve: what onProgress throws stops the work and rejects the promise", async () => {
  using device = openTestDevice();
  const reason = new Error("mine");
  let calls = 0;
  const onProgress = () => {
    calls++;
    throw reason;
  };
  const long = new Float32Array(1 << 24);
  await assert.rejects(convolve(long, long, { device, onProgress }), (error) => error === reason); // from the timer
  await assert.rejects(convolve(u, k, { device, onProgress }), (error) => error === reason); // or at the end
  assert.equal(calls, 2);
  assert.deepEqual(await convolve(u, k, { device, mode: "same" }), Float32Array.of(1, 2.5, 4));
});

Deno.test("convolve: a signal that is never aborted changes nothing", async () => {
  const { signal } = new AbortController();
  assert.deepEqual(await convolve(u, k, { device: "cpu", mode: "same", signal }), Float32Array.of(1, 2.5, 4));
});

Deno.test("convolve: refuses what it cannot do, and says what is possible", async () => {
  using device = openDevice("cpu");
  const bad = (a: unknown, b: unknown, options: object = {}) =>
    convolve(a as Float32Array, b as Float32Array, { device, ...options });
  await assert.rejects(bad([1, 2], k), (e) => e instanceof DtypeError && /Float32Array\.from/.test(e.message));
  await assert.rejects(
    bad(Float64Array.of(1), k),
    (e) => e instanceof DtypeError && /Float32Array\.from/.test(e.message),
  );
  await assert.rejects(bad(u, null), DtypeError);
  await assert.rejects(
    bad(new Uint16Array(3), k),
    (e) => e instanceof DtypeError && /"float16" or "bfloat16"/.test(e.message),
  );
  await assert.rejects(bad(u, new Uint16Array(3)), DtypeError);
  await assert.rejects(bad(u, k, { dtype: "float16" }), DtypeError);
  await assert.rejects(bad(u, k, { dtype: "float64" }), DtypeError);
  // What u and k are decides, not a dtype that they could not have.
  for (const [name, size] of [["preGate", 3], ["postGate", 3], ["skip", 1]] as const) {
    await assert.rejects(
      bad(u, k, { [name]: new Uint16Array(size) }),
      (e) => e instanceof DtypeError && /is a Uint16Array; with this dtype it must be a Float32Array$/.test(e.message),
    );
  }
  await assert.rejects(bad(u, k, { preGate: Float16Array.of(1, 1, 1) }), DtypeError);
  await assert.rejects(bad(new Uint16Array(3), k, { dtype: "float16", preGate: u }), DtypeError);
  await assert.rejects(bad(new Float32Array(0), k), (e) => e instanceof ShapeError && /empty/.test(e.message));
  await assert.rejects(bad(u, new Float32Array(0)), ShapeError);
  await assert.rejects(bad(u, k, { shape: [2, 2] }), ShapeError);
  await assert.rejects(bad(u, k, { shape: [1, 1, 1, 3] }), ShapeError);
  await assert.rejects(bad(u, k, { shape: [] }), ShapeError);
  await assert.rejects(
    bad(u, Float32Array.of(1, 2), { shape: [3, 1] }),
    (e) => e instanceof ShapeError && /sharedKernel/.test(e.message),
  );
  await assert.rejects(bad(u, k, { preGate: new Float32Array(2) }), ShapeError);
  await assert.rejects(bad(u, k, { mode: "full", postGate: new Float32Array(3) }), ShapeError);
  await assert.rejects(bad(u, k, { skip: new Float32Array(2) }), ShapeError);
  await assert.rejects(bad(u, k, { mode: "valid", skip: new Float32Array(1) }), InvalidArgumentError);
  await assert.rejects(
    bad(u, k, { mode: "linear" }),
    (e) => e instanceof InvalidArgumentError && /"circular"/.test(e.message),
  );
  await assert.rejects(
    bad(u, k, { mod: "same" }),
    (e) => e instanceof InvalidArgumentError && /known are mode/.test(e.message),
  );
  await assert.rejects(bad(u, k, { keepFrequencies: { classes: [], modulus: 4 } }), InvalidArgumentError);
  await assert.rejects(bad(u, k, { keepFrequencies: { mask: [true] } }), ShapeError);
  await assert.rejects(bad(u, k, { keepFrequencies: { mask: new Uint8Array(256) } }), InvalidArgumentError);
  await assert.rejects(bad(u, k, { keepFrequencies: 0.5 }), InvalidArgumentError);
  await assert.rejects(bad(u, k, { mode: "same", keepFrequencies: { lowest: 0.5 } }), UnsupportedError);
  await assert.rejects(bad(u, k, { device: "tpu" }), InvalidArgumentError);
  await assert.rejects(bad(u, k, { signal: {} }), InvalidArgumentError);
  await assert.rejects(bad(u, k, { onProgress: 1 }), InvalidArgumentError);
  await assert.rejects(bad(u, k, { libraryPath: "other.so" }), InvalidArgumentError); // with an open device
  assert.equal(device.memory().liveObjects, 0);
});

Deno.test("convolve: detached and resizable memory is refused", async () => {
  const gone = Float32Array.of(1, 2);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  await assert.rejects(
    convolve(gone, k, { device: "cpu" }),
    (e) => e instanceof InvalidArgumentError && /detached/.test(e.message),
  );
  const growing = new Float32Array(new ArrayBuffer(12, { maxByteLength: 24 }));
  await assert.rejects(
    convolve(growing, k, { device: "cpu" }),
    (e) => e instanceof InvalidArgumentError && /resizable/.test(e.message),
  );
});
