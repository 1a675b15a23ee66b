// What the planner says of itself, forcing its candidates, measuring, calibrating, and files of constants.
import assert from "node:assert/strict";
import { calibrate, type Device, InvalidArgumentError, openDevice, UnsupportedError } from "../mod.ts";
import { fit, type FitSample, predictedMs, product, shareWithin30, traitsOf, unknownConstants } from "../src/fit.ts";
import { conv, modes } from "./cases.ts";
import { openTestDevice } from "./device.ts";
import { runAll, withCandidates } from "./run_case.ts";

const problem = { channels: 4, length: 1000, kernelLength: 100 };

/** Opens a device and returns what it warned of. */
function openWarned(constants: string | undefined): { device: Device; warnings: string[] } {
  const warnings: string[] = [], warn = console.warn;
  console.warn = (text: string) => void warnings.push(text);
  try {
    return { device: openDevice("cpu", { threads: 1, ...(constants !== undefined && { constants }) }), warnings };
  } finally {
    console.warn = warn;
  }
}

function withEnv(name: string, value: string | undefined, body: () => void): void {
  const before = Deno.env.get(name);
  try {
    value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
    body();
  } finally {
    before === undefined ? Deno.env.delete(name) : Deno.env.set(name, before);
  }
}

Deno.test("planner: candidates with their work, the least predicted time chosen, a table", () => {
  using device = openTestDevice();
  using plan = device.plan(problem);
  const { candidates, chosen, data } = plan.explain();
  assert.ok(candidates.length >= 2 && candidates.filter((c) => c.chosen).length === 1);
  for (const [i, c] of candidates.entries()) {
    assert.ok(c.usable && c.deviceBytes > 0 && c.l2Bytes > 0 && c.coreFlops + c.tensorFlops > 0, c.name);
    assert.ok(c.launches >= 1 && c.bottleneck !== "" && c.reason !== "", c.name);
    const predicted = c.floorMs / c.efficiency + c.latencyMs;
    assert.ok(Math.abs(c.predictedMs / predicted - 1) < 1e-3, `${c.name}: ${c.predictedMs} is not ${predicted}`);
    assert.ok(i === 0 || c.predictedMs >= candidates[i - 1]!.predictedMs);
    assert.equal(c.order, c.radices.length);
  }
  assert.equal(chosen, candidates[0]);
  assert.equal(data.candidate, chosen.name);
  assert.equal(plan.info.transformLength, chosen.transformLength);
  const table = String(plan.explain());
  for (const word of ["candidates", chosen.name, chosen.bottleneck, "predicted ms", "the least predicted time"]) {
    assert.ok(table.includes(word), `${word} is missing in\n${table}`);
  }
});

Deno.test("planner: every candidate by its name, against float64, in every mode", async () => {
  using device = openTestDevice();
  for (const mode of modes) {
    for (const [length, kernelLength] of [[1, 1], [100, 100], [1000, 30], [2049, 500]] as const) {
      const cases = withCandidates(device, conv({ mode, length, kernelLength, batch: 2, channels: 3, preGate: true }));
      assert.ok(cases.length >= 2);
      assert.equal((await runAll(device, cases)).ran, cases.length);
    }
  }
  for (const { name, family, transformLength } of device.plan(problem).explain().candidates) {
    using plan = device.plan({ ...problem, candidate: name });
    assert.deepEqual([plan.explain().chosen.name, plan.explain().chosen.family], [name, family]);
    assert.equal(plan.info.transformLength, transformLength);
  }
});

Deno.test("planner: candidates that are not there", () => {
  using device = openTestDevice();
  for (const candidate of ["", undefined]) device.plan({ ...problem, candidate }).dispose();
  for (const candidate of ["fft/7", "nothing", "direct ", "DIRECT"]) {
    assert.throws(() => device.plan({ ...problem, candidate }), (error: Error) => {
      return error instanceof InvalidArgumentError && error.message.includes(`"${candidate}"`) &&
        error.message.includes("direct");
    });
  }
  assert.throws(() => device.plan({ ...problem, candidate: "direct\0x" }), InvalidArgumentError);
  assert.throws(() => device.plan({ ...problem, candidate: 3 as unknown as string }), InvalidArgumentError);
  assert.throws(() => device.plan({ ...problem, algorithm: "fft", candidate: "direct" }), InvalidArgumentError);
  using forced = device.plan({ ...problem, algorithm: "direct" });
  const left = forced.explain().candidates.filter((c) => !c.usable);
  assert.ok(left.length > 0 && left.every((c) => c.reason.includes("direct")));
  if (device.type === "cpu") {
    assert.throws(() => device.plan({ ...problem, algorithm: "fused-mma" }), UnsupportedError);
  }
});

Deno.test("planner: measured beside predicted", async () => {
  using device = openTestDevice();
  using plan = device.plan(problem);
  const chosen = await plan.measure({ repeats: 2 });
  assert.ok(chosen.chosen.measuredMs! > 0);
  assert.equal(chosen.candidates.filter((c) => c.measuredMs !== undefined).length, 1);
  assert.ok(String(chosen).includes("predicted / measured"));
  const all = await plan.measure({ candidates: "all", repeats: 1 });
  assert.ok(all.candidates.every((c) => c.measuredMs! > 0));
  const named = await plan.measure({ candidates: ["direct"], repeats: 1 });
  assert.deepEqual(named.candidates.filter((c) => c.measuredMs).map((c) => c.name), ["direct"]);
  await assert.rejects(plan.measure({ candidates: ["nothing"] }), InvalidArgumentError);
  await assert.rejects(plan.measure({ candidates: "some" as "all" }), InvalidArgumentError);
  await assert.rejects(plan.measure({ often: 3 } as object), InvalidArgumentError);
  for (const slowest of [NaN, -1, 0, "2" as unknown as number]) {
    await assert.rejects(plan.measure({ candidates: "all", slowest }), InvalidArgumentError);
  }
  for (const name of ["", undefined, 3]) {
    await assert.rejects(plan.measure({ candidates: ["direct", name as string] }), (error: Error) => {
      return error instanceof InvalidArgumentError && error.message.startsWith("candidates[1] is ");
    });
  }
  using gated = device.plan({ ...problem, batch: 2, preGate: true, postGate: true, skip: true });
  assert.ok((await gated.measure({ repeats: 1 })).chosen.measuredMs! > 0);
});

Deno.test("constants: read, set, refused, brought back", () => {
  using device = openTestDevice({ constants: false });
  const shipped = device.constants();
  assert.ok(shipped["rate/device"]! > 1e9 && shipped.efficiency! > 0 && device.constantsVersion >= 1);
  assert.equal(device.constantsSource, "shipped");
  using before = device.plan({ ...problem, candidate: "direct" });
  const { floorMs, predictedMs } = before.explain().chosen;
  device.setConstants({ "efficiency/direct": 0.001 });
  assert.equal(device.constantsSource, "given");
  assert.equal(device.constants()["efficiency/direct"], 0.001);
  assert.equal(device.constants()["rate/device"], shipped["rate/device"]);
  using after = device.plan({ ...problem, candidate: "direct" });
  assert.ok(Math.abs(after.explain().chosen.predictedMs / (floorMs / 0.001) - 1) < 0.2);
  assert.equal(before.explain().chosen.predictedMs, predictedMs, "a plan does not change");
  using other = device.plan(problem);
  assert.notEqual(other.info.algorithm, "direct");
  const wrong: { [name: string]: number }[] = [
    { "efficiency/direct": 0 },
    { "efficiency/direct": -1 },
    { "efficiency/direct": NaN },
    { "efficiency/direct": Infinity },
    { "efficiency/direct": 1e-310 },
    { "rate/device": 1e-320 },
    { "rate/device": 1e300 },
    { nothing: 1 },
    { "efficiency/direct x": 1 },
    { "efficiency/direct": "1" as unknown as number },
  ];
  for (const constants of wrong) {
    assert.throws(() => device.setConstants(constants), InvalidArgumentError);
    assert.equal(device.constants()["efficiency/direct"], 0.001);
  }
  assert.throws(() => device.setConstants(3 as unknown as { [name: string]: number }), InvalidArgumentError);
  device.setConstants(undefined);
  assert.deepEqual(device.constants(), shipped);
});

Deno.test("calibrate: measures, writes, and is found again; what cannot be used is ignored with a warning", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/deep/er/constants.json`;
  try {
    const progress: number[] = [];
    {
      using device = openDevice("cpu", { threads: 1, constants: false });
      const problems = [{ length: 64, kernelLength: 64 }, { channels: 8, length: 1024, kernelLength: 16 }];
      const result = await calibrate(device, { file: path, problems, onProgress: (done) => progress.push(done) });
      assert.ok(result.samples >= 4 && result.seconds > 0 && result.path === path);
      assert.ok(result.constants["rate/device"]! > 1e8 && result.constants.latency! > 0);
      assert.equal(device.constants().latency, result.constants.latency);
      assert.ok(result.within30After >= result.within30Before);
      assert.deepEqual([progress[0], progress.at(-1)], [0, 1]);
    }
    assert.deepEqual([...Deno.readDirSync(`${folder}/deep/er`)].map(({ name }) => name), ["constants.json"]);
    const text = await Deno.readTextFile(path), file = JSON.parse(text);
    {
      const { device, warnings } = openWarned(path);
      assert.deepEqual([device.constantsSource, warnings], [path, []]);
      assert.equal(device.constants().latency, file.constants.latency);
      device.dispose();
    }
    const bad: [what: string, content: string, words: string][] = [
      ["empty", "", "not JSON"],
      ["cut off", text.slice(0, text.length / 2), "not JSON"],
      ["null", "null", "no file of constants"],
      ["another format", JSON.stringify({ ...file, format: "x" }), "no file of constants"],
      ["another version", JSON.stringify({ ...file, version: 99 }), "version 99"],
      [
        "another device",
        JSON.stringify({ ...file, device: { ...file.device, name: "NVIDIA H200" } }),
        "another device",
      ],
      ["another count", JSON.stringify({ ...file, device: { ...file.device, computeUnits: 77 } }), "another device"],
      ["no device", JSON.stringify({ ...file, device: undefined }), "another device"],
      ["no constants", JSON.stringify({ ...file, constants: undefined }), "must be an object"],
      ["a text", JSON.stringify({ ...file, constants: { "rate/device": "1" } }), "above 0"],
      ["a zero", JSON.stringify({ ...file, constants: { "rate/device": 0 } }), "above 0"],
      ["an unknown name", JSON.stringify({ ...file, constants: { "speed/device": 1 } }), "speed/device"],
    ];
    for (const [what, content, words] of bad) {
      await Deno.writeTextFile(path, content);
      const { device, warnings } = openWarned(path);
      assert.equal(device.constantsSource, "shipped", what);
      assert.equal(warnings.length, 1, what);
      assert.ok(warnings[0]!.includes(words) && warnings[0]!.includes(path), `${what}: ${warnings[0]}`);
      device.dispose();
    }
    const missing = openWarned(`${folder}/nothing.json`);
    assert.ok(missing.warnings[0]!.includes("no such file"));
    missing.device.dispose();
    const directory = openWarned(folder);
    assert.ok(directory.warnings[0]!.includes("cannot be read"));
    directory.device.dispose();
    assert.throws(() => openDevice("cpu", { constants: 3 as unknown as string }), InvalidArgumentError);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("calibrate: the user's folder, the variable, off", async () => {
  const folder = await Deno.makeTempDir();
  const problems = [{ length: 64, kernelLength: 64 }];
  try {
    using device = openDevice("cpu", { threads: 1, constants: false });
    const other = `${folder}/other.json`;
    await calibrate(device, { file: new URL(`file://${other}`), problems });
    const xdg = Deno.env.get("XDG_CACHE_HOME");
    Deno.env.set("XDG_CACHE_HOME", folder);
    let found: string | undefined;
    try {
      found = (await calibrate(device, { problems })).path;
    } finally {
      xdg === undefined ? Deno.env.delete("XDG_CACHE_HOME") : Deno.env.set("XDG_CACHE_HOME", xdg);
    }
    assert.ok(found?.startsWith(`${folder}/flashfftconv/constants-cpu-`), found);
    const sourceWith = (variable: string | undefined, option?: false) => {
      let source = "";
      withEnv("XDG_CACHE_HOME", folder, () =>
        withEnv("FLASHFFTCONV_CONSTANTS", variable, () => {
          using opened = openDevice("cpu", { threads: 1, ...(option === false && { constants: false }) });
          source = opened.constantsSource;
        }));
      return source;
    };
    assert.equal(sourceWith(undefined), found);
    assert.equal(sourceWith(other), other);
    assert.equal(sourceWith("off"), "shipped");
    assert.equal(sourceWith(undefined, false), "shipped");
    assert.equal(sourceWith(`file://${other}`), other);
    using given = openDevice("cpu", { threads: 1, constants: `file://${encodeURI(other)}` });
    assert.equal(given.constantsSource, other);
    const nothing = await calibrate(device, { file: false, problems });
    assert.equal(nothing.path, undefined);
    await calibrate(device, { file: `file://${folder}/by%20URL.json`, problems });
    assert.ok((await Deno.stat(`${folder}/by URL.json`)).isFile);
    await assert.rejects(calibrate(device, { files: "x" } as object), InvalidArgumentError);
    await assert.rejects(calibrate(device, { file: true as unknown as string, problems }), InvalidArgumentError);
    await assert.rejects(calibrate(device, { file: false, problems: [] }), (error: Error) => {
      return error instanceof InvalidArgumentError && error.message.includes("at least one problem");
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("calibrate: where it fails, the device keeps the constants it had", async () => {
  using device = openDevice("cpu", { threads: 1, constants: false });
  const good = { length: 64, kernelLength: 64 }, stop = new Error("stop");
  const failing = [
    { problems: [good, { length: 0, kernelLength: 1 }] },
    { problems: [good], onProgress: (done: number) => assert.ok(done < 1, stop) },
  ];
  const shipped = device.constants();
  for (const source of ["shipped", "given"]) {
    if (source === "given") device.setConstants({ "efficiency/direct": 0.5, "rate/device": 1e9 });
    const before = device.constants();
    assert.equal(before["rate/device"] === shipped["rate/device"], source === "shipped");
    for (const options of failing) {
      await assert.rejects(calibrate(device, { file: false, ...options }));
      assert.deepEqual([device.constants(), device.constantsSource], [before, source]);
    }
  }
});

Deno.test("fit: finds what made the times, in few constants, and lets the best candidate be chosen", () => {
  const truth: { readonly [name: string]: number } = {
    ...{ efficiency: 0.5, latency: 3000, fill: 1, device: 1, l2: 1, shared: 1, issue: 1 },
    ...{ "efficiency/a/*/n2": 0.5, "efficiency/b": 1.5, "latency/b": 3, "issue/a/y": 0.4 },
  };
  const samples: FitSample[] = [];
  for (const key of ["a/x/n1", "a/x/n2", "a/y/n1", "a/y/n2", "b/x/n1", "b/x/n2"]) {
    for (const [i, ms] of [0.0001, 0.001, 0.01, 0.1, 1].entries()) {
      for (const bound of ["device", "issue"]) {
        const pass = {
          ...{ launches: key === "b/x/n1" ? 3 : 1, units: 10 ** i * 66, slots: 132, filling: 0 },
          ...{ deviceMs: bound === "device" ? ms : ms / 3, l2Ms: ms / 4, sharedMs: ms / 5 },
          ...{ tensorMs: bound === "issue" ? ms : 0, coreMs: 0 },
        };
        const sample = { key, passes: [pass], modelMs: 0, measuredMs: 1, problem: `${i} ${bound}` };
        samples.push({ ...sample, measuredMs: predictedMs(truth, sample) });
      }
    }
  }
  const found = fit(samples);
  for (const sample of samples) {
    const ratio = predictedMs(found, sample) / sample.measuredMs;
    assert.ok(Math.abs(ratio - 1) < 0.05, `${sample.key}: ${ratio}`);
  }
  assert.equal(shareWithin30(found, samples), 1);
  assert.ok(Object.keys(found).length <= 24, "what all have in common is not told twice");
  // What nobody measured follows from what is known of its parts.
  const other = { ...samples.find(({ key }) => key === "a/y/n2")!, key: "a/y/n2/z" };
  assert.ok(Math.abs(predictedMs(found, other) / other.measuredMs - 1) < 0.05);
  // Another device takes twice as long: the constants move from where they were.
  const slower = samples.filter(({ key }) => key === "a/x/n1").map((s) => ({ ...s, measuredMs: 2 * s.measuredMs }));
  const moved = fit(slower, { start: found, price: 0.1, allow: (name) => name.split("/").length <= 2 });
  assert.ok(shareWithin30(found, slower) < 0.1 && shareWithin30(moved, slower) === 1);
  // A step by which the model cannot tell two candidates apart: an exception of its own is found for it.
  const pair = (key: string, measuredMs: number) => ({ ...samples[8]!, key, measuredMs, problem: "pair" });
  const two = [pair("c/x/n1", 0.02), pair("c/x/n2", 0.0225)];
  const table = fit(two);
  assert.ok(predictedMs(table, two[0]!) < predictedMs(table, two[1]!));
});

Deno.test("fit: traits of a key, and their product", () => {
  assert.deepEqual(traitsOf("a"), ["a"]);
  assert.deepEqual(traitsOf("a/b/c/d"), ["a", "a/b", "a/b/c", "a/b/c/d", "a/*/c", "a/*/d", "a/b/*/d"]);
  const constants = { efficiency: 0.5, "efficiency/a": 3, "efficiency/a/*/c": 5, "efficiency/a/b/*/c": 7 };
  assert.equal(product(constants, "efficiency", "a/x/c"), 7.5);
  assert.equal(product(constants, "efficiency", "a/b/c"), 7.5);
  assert.equal(product(constants, "efficiency", "a/b/x/c"), 52.5);
  assert.equal(product(constants, "latency", "a/b"), 1);
});

Deno.test("fit: the library predicts what the fit does", () => {
  using device = openTestDevice();
  const constants = device.constants();
  for (const { key, passes, modelMs, predictedMs: said, name } of device.plan(problem).explain().candidates) {
    const ratio = predictedMs(constants, { key, passes, modelMs, measuredMs: 1 }) / said;
    assert.ok(Math.abs(ratio - 1) < 1e-3, `${name}: ${ratio}`);
  }
});

Deno.test("fit: what the samples do not know is told from the rest of a table", () => {
  const sample: FitSample = { key: "fused/r1/plain/n256", passes: [], modelMs: 1, measuredMs: 1 };
  const table = {
    ...{ efficiency: 0.5, "efficiency/fused": 0.9, "efficiency/fused/*/n256": 1.2, "device/fused/r1/plain/n256": 1.1 },
    ...{ "efficiency/fused/*/wraps": 0.76, "efficiency/fused/r2": 1.3, "latency/direct": 2 },
  };
  assert.deepEqual(unknownConstants(table, [sample]), {
    "efficiency/fused/*/wraps": 0.76,
    "efficiency/fused/r2": 1.3,
    "latency/direct": 2,
  });
});
