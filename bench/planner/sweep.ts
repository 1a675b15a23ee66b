/**
 * Forces every candidate at every benchmarked size and puts times beside predictions, as JSON lines: one per candidate
 * (op "candidate"), one per problem (op "choice": how far the chosen one is from the best). From these lines
 * fit_constants.ts makes the shipped constants and plot_orders.ts the picture.
 *
 *     sweep.ts [cpu|cuda] --out FILE [--set all|lengths|enqueue] [--filter TEXT] [--seconds N] [--repeats N]
 *              [--slowest N] [--commit ID] [--dirty 0|1] [--constants FILE]
 *
 * The set "lengths" times the planner's choice alone, in steps of the square root of two, and marks jumps of the time
 * per sample; "enqueue" times how long a call takes to be enqueued.
 */
import { type CandidateExplanation, type ConvPlanOptions, type Device, openDevice } from "../../mod.ts";
import { type CallTimes, RandomTensors } from "../../src/measure.ts";
import { sweepProblems } from "./problems.ts";

const given: { [name: string]: string } = { set: "all", repeats: "7", slowest: "3", seconds: "Infinity", filter: "" };
let type: "cpu" | "cuda" = "cuda";
const args = [...Deno.args];
for (let arg = args.shift(); arg !== undefined; arg = args.shift()) {
  if (arg === "cpu" || arg === "cuda") type = arg;
  else if (/^--(out|set|filter|seconds|repeats|slowest|commit|dirty|constants)$/.test(arg)) {
    const value = args.shift();
    if (value === undefined) throw new Error(`${arg} needs a value`);
    given[arg.slice(2)] = value;
  } else throw new Error(`unknown argument ${arg}; see the top of this file`);
}
if (!given.out) throw new Error("--out FILE is needed");

using device = openDevice(type, { constants: given.constants ?? false });
const lines = await Deno.open(given.out, { write: true, create: true, truncate: true });
const encoder = new TextEncoder();
const write = (line: object) => lines.writeSync(encoder.encode(`${JSON.stringify(line)}\n`));
const digits = (value: number, count = 5) => Number(value.toPrecision(count));
const began = performance.now();
const over = () => (performance.now() - began) / 1000 > Number(given.seconds);

/** Bytes a second of the best of several copies, read and written. */
async function copyGBps(device: Device): Promise<number> {
  using from = device.zeros([type === "cuda" ? 2 ** 28 : 2 ** 24]);
  using to = device.empty([...from.shape]);
  using begin = device.event();
  using end = device.event();
  let best = Infinity;
  for (let i = 0; i < 10; i++) {
    begin.record();
    to.copyFrom(from);
    end.record();
    await end.synchronize();
    best = Math.min(best, end.elapsedMsSince(begin));
  }
  return 2 * from.byteLength / best * 1e-6;
}

const common = {
  commit: given.commit ?? "unknown",
  dirty: given.dirty === "1",
  device: device.name,
  instructionSet: device.info.instructionSet,
  computeUnits: device.info.computeUnits,
  copyGBps: digits(await copyGBps(device), 5),
};

function describe(problem: ConvPlanOptions) {
  const { mode = "causal", dtype = "float32", precision = "default", batch = 1, channels = 1, length, kernelLength } =
    problem;
  const gates = Number(problem.preGate ?? false) + Number(problem.postGate ?? false);
  return { mode, dtype, precision, batch, channels, length, kernelLength, gates };
}

function lineOf(problem: ConvPlanOptions, c: CandidateExplanation, times: CallTimes) {
  return {
    ...common,
    op: "candidate",
    ...describe(problem),
    candidate: c.name,
    family: c.family,
    key: c.key,
    order: c.order,
    radices: c.radices,
    transformLength: c.transformLength,
    segments: c.segments,
    chosen: c.chosen,
    tensorFlops: c.tensorFlops,
    coreFlops: c.coreFlops,
    deviceBytes: c.deviceBytes,
    l2Bytes: c.l2Bytes,
    sharedBytes: c.sharedBytes,
    launches: c.launches,
    floorMs: c.floorMs,
    efficiency: c.efficiency,
    bottleneck: c.bottleneck,
    predictedMs: c.predictedMs,
    medianMs: digits(times.medianMs),
    minMs: digits(times.minMs),
    maxMs: digits(times.maxMs),
    spectrumMs: digits(times.spectrumMs),
    predictedOverMeasured: digits(c.predictedMs / times.medianMs, 4),
  };
}

async function sweep(problems: ConvPlanOptions[]): Promise<void> {
  let worst = 1, within = 0, count = 0, left = 0, failed = 0, beyond = 0;
  for (const problem of problems) {
    const name = Object.values(describe(problem)).join("/");
    if (!name.includes(given.filter!)) continue;
    if (over()) {
      left++;
      continue;
    }
    try {
      using plan = device.plan(problem);
      using tensors = new RandomTensors(plan);
      const { candidates, chosen } = plan.explain();
      let best = { name: "", ms: Infinity }, chosenMs = NaN;
      for (const c of candidates) {
        if (!c.usable || c.predictedMs > Number(given.slowest) * chosen.predictedMs) continue;
        using one = device.plan({ ...problem, candidate: c.name });
        const times = await tensors.time(one, Number(given.repeats));
        write(lineOf(problem, c, times));
        if (c.chosen) chosenMs = times.medianMs;
        if (times.medianMs < best.ms) best = { name: c.name, ms: times.medianMs };
        count++;
        if (Math.abs(c.predictedMs / times.medianMs - 1) <= 0.3) within++;
      }
      const ratio = chosenMs / best.ms;
      worst = Math.max(worst, ratio);
      if (ratio > 1.1) beyond++;
      write({
        ...common,
        op: "choice",
        ...describe(problem),
        chosen: chosen.name,
        best: best.name,
        chosenMs: digits(chosenMs),
        bestMs: digits(best.ms),
        chosenOverBest: digits(ratio, 4),
        predictedOverMeasured: digits(chosen.predictedMs / chosenMs, 4),
      });
      if (ratio > 1.1) console.log(`${name}: ${chosen.name} takes ${ratio.toFixed(2)} times ${best.name}`);
    } catch (error) {
      failed++;
      console.log(`${name} failed: ${error instanceof Error ? error.message : error}`);
    }
  }
  console.log(
    `${count} candidates, ${within} predicted to within 30%; chosen at worst ${worst.toFixed(2)} times the best, ` +
      `${beyond} problems beyond 1.1; ${failed} failed, ${left} left out for time`,
  );
  if (failed > 0 || count === 0) Deno.exitCode = 1;
}

/** What a sample takes from one length to the next. */
async function lengths(problems: ConvPlanOptions[]): Promise<void> {
  const before = new Map<string, number>();
  for (const problem of problems) {
    if (over()) break;
    using plan = device.plan(problem);
    using tensors = new RandomTensors(plan);
    const times = await tensors.time(plan, Number(given.repeats));
    const { batch, channels, length, dtype, precision } = describe(problem);
    const psPerSample = times.medianMs * 1e9 / (batch * channels * length), kind = `${dtype} ${precision}`;
    const jump = psPerSample / (before.get(kind) ?? psPerSample);
    before.set(kind, psPerSample);
    const { chosen } = plan.explain();
    write({
      ...lineOf(problem, chosen, times),
      op: "length",
      psPerSample: digits(psPerSample, 4),
      jump: digits(jump, 3),
    });
    console.log(
      `${kind} ${length}: ${psPerSample.toFixed(2)} ps a sample by ${chosen.name}${
        jump > 1.6 ? `, JUMP ${jump.toFixed(2)}` : ""
      }`,
    );
  }
}

/** How long plan.forward() takes to return, the queue being empty: the median of several runs of a few calls. */
async function enqueue(): Promise<void> {
  const kinds: ConvPlanOptions[] = [
    { channels: 16, length: 1024, kernelLength: 1024 },
    ...(type === "cuda"
      ? [
        { channels: 16, length: 1024, kernelLength: 1024, dtype: "bfloat16", kernelDtype: "float32" } as const,
        {
          channels: 16,
          length: 1024,
          kernelLength: 1024,
          dtype: "float16",
          precision: "fast",
          preGate: true,
          postGate: true,
        } as const,
        { channels: 2, length: 2 ** 17, kernelLength: 2 ** 17, dtype: "float16", precision: "fast" } as const,
      ]
      : []),
  ];
  for (const problem of kinds) {
    using plan = device.plan(problem);
    const { channels = 1, length, kernelLength, dtype = "float32", kernelDtype = dtype } = problem;
    using u = device.zeros([1, channels, length], dtype);
    using k = device.zeros([channels, kernelLength], kernelDtype);
    using gate = device.zeros([1, channels, length], dtype);
    using out = device.empty([1, channels, length], dtype);
    using spectrum = plan.spectrum(k);
    const gates = problem.preGate ? { preGate: gate, postGate: gate } : {};
    const calls = 8, samples: number[] = [];
    for (let run = 0; run < 300; run++) {
      await device.synchronize();
      const begin = performance.now();
      for (let i = 0; i < calls; i++) plan.forward(u, spectrum, { ...gates, out });
      samples.push((performance.now() - begin) * 1000 / calls);
    }
    const late = samples.slice(100).sort((a, b) => a - b); // compiled and warm by then
    const line = {
      medianUs: digits(late[late.length >> 1]!, 4),
      p90Us: digits(late[Math.floor(late.length * 0.9)]!, 4),
    };
    const { chosen } = plan.explain();
    write({
      ...common,
      op: "enqueue",
      ...describe(problem),
      candidate: chosen.name,
      launches: chosen.launches,
      ...line,
    });
    console.log(`enqueueing ${chosen.name}: ${line.medianUs} us (median), ${line.p90Us} us (90th percentile)`);
  }
}

if (given.set === "enqueue") await enqueue();
else if (given.set === "lengths") await lengths(sweepProblems(type, "lengths"));
else if (given.set === "all") await sweep(sweepProblems(type, "all"));
else throw new Error(`there is no set ${given.set}; there are all, lengths and enqueue`);
lines.close();
