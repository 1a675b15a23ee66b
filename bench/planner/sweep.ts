/**
 * Forces every candidate at every benchmarked size and puts times beside predictions, as JSON lines: one per candidate
 * (op "candidate"), one per problem (op "choice": how far the chosen one is from the best). From these lines
 * fit_constants.ts makes the shipped constants and plot_orders.ts the picture.
 *
 *     sweep.ts [cpu|cuda] --out FILE [--set all|lengths|enqueue] [--filter TEXT,TEXT] [--seconds N] [--repeats N]
 *              [--slowest N] [--commit ID] [--dirty 0|1] [--constants FILE]
 *
 * The set "lengths" times the planner's choice alone, in steps of the square root of two, and marks jumps of the time
 * per sample; "enqueue" times how long a call takes to be enqueued.
 */
import { type CandidateExplanation, type ConvPlanOptions, type Device, openDevice } from "../../mod.ts";
import { type CallTimes, type PlanTimer, RandomTensors } from "../../src/measure.ts";
import { describe, nameOf, sweepProblems } from "./problems.ts";

const given: { [name: string]: string } = { set: "all", repeats: "7", slowest: "4", seconds: "Infinity", filter: "" };
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

function lineOf(problem: ConvPlanOptions, c: CandidateExplanation, times: CallTimes) {
  return {
    ...common,
    op: "candidate",
    ...describe(problem),
    ...workOf(c),
    medianMs: digits(times.medianMs),
    minMs: digits(times.minMs),
    maxMs: digits(times.maxMs),
    spectrumMs: digits(times.spectrumMs),
    predictedOverMeasured: digits(c.predictedMs / times.medianMs, 4),
  };
}

/** What the planner says of a candidate. */
function workOf(c: CandidateExplanation) {
  return {
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
    passes: c.passes,
    floorMs: c.floorMs,
    modelMs: c.modelMs,
    efficiency: c.efficiency,
    bottleneck: c.bottleneck,
    predictedMs: c.predictedMs,
  };
}

// Samples of a candidate by how long a call is: long calls differ by a few parts in a thousand, small ones by some
// hundredths. What is far from the best one is timed once.
const samplesFor = (onceMs: number) => onceMs > 2 ? 2 : onceMs > 0.5 ? 3 : Number(given.repeats);
const hopeless = 2;
// The best few of short calls are timed again, taking turns, so that a change of the clock meets all of them; those of some microseconds,
// whose rounds scatter by a third, more often.
const again = { share: 1.15, ms: 2, rounds: 4, smallMs: 0.02, smallRounds: 16 };

interface Timed {
  readonly c: CandidateExplanation;
  readonly times: CallTimes;
}

/** Times the candidates of a problem, by force. */
async function timeAll(problem: ConvPlanOptions, tensors: RandomTensors, list: readonly CandidateExplanation[]) {
  using kept = new DisposableStack();
  const timers: { c: CandidateExplanation; timer: PlanTimer }[] = [], done: Timed[] = [];
  let bestMs = Infinity;
  for (const c of list) {
    using one = new DisposableStack();
    const plan = one.use(device.plan({ ...problem, candidate: c.name }));
    const timer = one.use(await tensors.timer(plan));
    const samples = timer.onceMs > hopeless * bestMs + 0.1 ? 1 : samplesFor(timer.onceMs);
    for (let i = 0; i < samples; i++) await timer.sample();
    bestMs = Math.min(bestMs, timer.medianMs);
    if (timer.medianMs < again.ms && timer.medianMs <= again.share * bestMs) {
      kept.use(one.move());
      timers.push({ c, timer });
    } else {
      done.push({ c, times: await timer.times() });
    }
  }
  const close = timers.filter(({ timer }) => timer.medianMs <= again.share * bestMs);
  const rounds = bestMs < again.smallMs ? again.smallRounds : again.rounds;
  for (let round = 0; round < rounds && close.length > 1; round++) {
    for (const { timer } of close) await timer.sample();
  }
  for (const { c, timer } of timers) done.push({ c, times: await timer.times() });
  return done;
}

const must = { chosenOverBest: 1.1, error: 0.3 };

/** Every candidate of every problem, and what must be true of them. */
async function sweep(problems: ConvPlanOptions[]): Promise<void> {
  const choices: { name: string; ratio: number; text: string }[] = [];
  const errors: { ratio: number; chosen: boolean; text: string }[] = [];
  const failures: string[] = [];
  let left = 0;
  for (const problem of problems) {
    const name = nameOf(problem);
    if (!given.filter!.split(",").some((text) => name.includes(text))) continue;
    if (over()) {
      left++;
      continue;
    }
    try {
      using plan = device.plan(problem);
      using tensors = new RandomTensors(plan);
      const { candidates, chosen } = plan.explain();
      const near = (c: CandidateExplanation) => c.predictedMs <= Number(given.slowest) * chosen.predictedMs;
      const usable = candidates.filter((c) => c.usable), list = usable.filter(near);
      for (const c of usable) if (!near(c)) write({ ...common, op: "untimed", ...describe(problem), ...workOf(c) });
      const timed = await timeAll(problem, tensors, list);
      for (const { c, times } of timed) {
        write(lineOf(problem, c, times));
        const ratio = c.predictedMs / times.medianMs;
        errors.push({ ratio, chosen: c.chosen, text: `${name} ${c.name}: ${digits(times.medianMs)} ms` });
      }
      const best = timed.reduce((a, b) => b.times.medianMs < a.times.medianMs ? b : a);
      const chosenMs = timed.find(({ c }) => c.chosen)!.times.medianMs, bestMs = best.times.medianMs;
      const ratio = chosenMs / bestMs;
      choices.push({ name, ratio, text: `${chosen.name} takes ${ratio.toFixed(2)} times ${best.c.name}` });
      write({
        ...common,
        op: "choice",
        ...describe(problem),
        chosen: chosen.name,
        best: best.c.name,
        chosenMs: digits(chosenMs),
        bestMs: digits(bestMs),
        chosenOverBest: digits(ratio, 4),
        predictedOverMeasured: digits(chosen.predictedMs / chosenMs, 4),
      });
    } catch (error) {
      failures.push(`${name} failed: ${error instanceof Error ? error.message : error}`);
    }
  }
  const failed = failures.length;
  const beyond = choices.filter(({ ratio }) => ratio > must.chosenOverBest).sort((a, b) => b.ratio - a.ratio);
  const off = errors.filter(({ ratio }) => Math.abs(ratio - 1) > must.error)
    .sort((a, b) => Math.abs(Math.log(b.ratio)) - Math.abs(Math.log(a.ratio)));
  const offChosen = off.filter(({ chosen }) => chosen).length;
  for (const { ratio, chosen, text } of off.slice(0, 40)) {
    console.log(`${text}, predicted ${ratio.toFixed(2)} of it${chosen ? ", CHOSEN" : ""}`);
  }
  for (const text of failures) console.log(text);
  for (const { name, text } of beyond) console.log(`${name}: ${text}`);
  const count = (part: number, all: number) => `${part} of ${all} (${(100 * part / all).toFixed(1)}%)`;
  const worst = choices.reduce((most, { ratio }) => Math.max(most, ratio), 1);
  console.log(`took ${((performance.now() - began) / 1000).toFixed(0)} s; ${failed} failed, ${left} left out for time`);
  console.log(
    `chosen within ${must.chosenOverBest} of the best: ${count(choices.length - beyond.length, choices.length)}, ` +
      `the worst ${worst.toFixed(2)}`,
  );
  console.log(
    `predicted within ${100 * must.error}%: ${count(errors.length - off.length, errors.length)} candidates, ` +
      `${count(choices.length - offChosen, choices.length)} chosen ones`,
  );
  const met = beyond.length === 0 && offChosen === 0 && failed === 0 && left === 0 && choices.length > 0;
  console.log(met ? "MET: every choice and its prediction" : "MISSED: see the lines above");
  if (!met && (type === "cuda" || choices.length === 0 || failed > 0)) Deno.exitCode = 1; // the GPU's constants are shipped
}

/** What a sample takes from one length to the next. */
async function lengths(problems: ConvPlanOptions[]): Promise<void> {
  const before = new Map<string, number>(), jumps: string[] = [];
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
    if (jump > 1.6) jumps.push(`${kind} ${length}: ${jump.toFixed(2)} times the time per sample of the length before`);
  }
  console.log(jumps.length > 0 ? jumps.join("\n") : "no jump above 1.6");
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
