// What the planner says of itself, forcing its candidates, measuring, calibrating, and files of constants.
import assert from "node:assert/strict";
import { calibrate, type Device, InvalidArgumentError, openDevice, UnsupportedError } from "../mod.ts";
import { corrected, fit, type FitSample, nearest, predictedMs, shareWithin30, tableOf } from "../src/fit.ts";
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
      assert.ok(result.constants["rate/device"]! > 1e8 && result.constants["efficiency/direct"]! > 0);
      assert.equal(device.constants()["efficiency/direct"], result.constants["efficiency/direct"]);
      assert.deepEqual([progress[0], progress.at(-1)], [0, 1]);
    }
    assert.deepEqual([...Deno.readDirSync(`${folder}/deep/er`)].map(({ name }) => name), ["constants.json"]);
    const text = await Deno.readTextFile(path), file = JSON.parse(text);
    {
      const { device, warnings } = openWarned(path);
      assert.deepEqual([device.constantsSource, warnings], [path, []]);
      assert.equal(device.constants()["efficiency/direct"], file.constants["efficiency/direct"]);
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
    const nothing = await calibrate(device, { file: false, problems });
    assert.equal(nothing.path, undefined);
    await assert.rejects(calibrate(device, { files: "x" } as object), InvalidArgumentError);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("fit: finds the latency and the efficiencies that made the times", () => {
  const truth: { readonly [name: string]: number } = {
    "efficiency": 1,
    "efficiency/a/x/n1": 0.5,
    "efficiency/a/x/n2": 0.25,
    "efficiency/a/y": 0.8,
    "efficiency/b": 0.1,
    "latency": 1000,
    "latency/a": 5000,
    "latency/b": 20000,
  };
  const samples: FitSample[] = [];
  for (const key of ["a/x/n1", "a/x/n2", "a/y/n1", "b/x"]) {
    for (const floorMs of [0.0001, 0.001, 0.01, 0.1, 1]) {
      const sample = { key, floorMs, launches: key === "b/x" ? 3 : 1, measuredMs: 1 };
      samples.push({ ...sample, measuredMs: predictedMs(truth, sample) });
    }
  }
  const found = fit(samples, () => 3000);
  for (const [family, ns] of [["a", 5000], ["b", 20000]] as const) {
    assert.ok(Math.abs(found.latency.get(family)! / ns - 1) < 0.1, `${family}: ${found.latency.get(family)}`);
  }
  for (const key of ["a/x/n1", "a/x/n2", "a/y/n1", "b/x"]) {
    const ratio = found.efficiency.get(key)! / nearest(truth, "efficiency", key);
    assert.ok(Math.abs(ratio - 1) < 0.1, `${key}: ${ratio}`);
  }
  const table = tableOf(found);
  assert.equal(shareWithin30(table, samples), 1);
  assert.ok(Object.keys(table).length <= 10, "children like their parents have no entries");
  assert.ok(
    Math.abs(nearest(table, "efficiency", "a/x/n3") - Math.sqrt(0.5 * 0.25)) < 0.03,
    "the middle of its siblings",
  );
  // On another device everything of a family takes twice as long: what was not measured there moves along.
  const moved = corrected(
    table,
    fit(samples.filter(({ key }) => key === "a/x/n1").map((s) => ({ ...s, measuredMs: 2 * s.measuredMs })), () => 3000),
  );
  assert.ok(Math.abs(moved["efficiency/a/x/n1"]! - 0.25) < 0.03);
  assert.ok(Math.abs(nearest(moved, "efficiency", "a/x/n2") - 0.125) < 0.02);
  assert.equal(Object.keys(moved).some((name) => name.startsWith("efficiency/b")), false);
});
