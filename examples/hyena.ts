/**
 * A causal block of a DNA model on a sequence far longer than its filter, and what cutting the filter costs.
 *
 *     hyena.ts [options]
 *
 * A model that was trained on 32K bases has filters of 32K taps. Run as overlap-save, the same filters go over millions
 * of bases with memory for the tensors alone. Its filters decay, so they may be cut to fewer taps, which is quicker and
 * changes the output: by how much is computed before (what to expect, and a bound that no output may pass) and measured
 * after.
 */

import { type ConvPlan, type Device, type Dtype, openDevice } from "../mod.ts";
import { makeSequence } from "./fasta.ts";
import { UserError } from "./files.ts";
import { oneOf, parseCommand, runCommand, whole } from "./options.ts";
import { type LongFilter, makeFilter, outputAt, project, type Projections, tails, truncate } from "./hyena_block.ts";

const usage = `usage: hyena.ts [options]

  --bases N         length of the sequence, made by the formula in fasta.ts (default 4194304 on a GPU, 262144 on the CPU)
  --channels N      default 16 on a GPU, 4 on the CPU
  --taps N          of the whole filter (default 32768)
  --dtype T         float32, float16 or bfloat16 (default float16 on a GPU, float32 on the CPU)
  --device D        auto, cuda or cpu (default auto)
  --check-points N  outputs to check in float64 (default 100)
  --help`;

interface Run {
  y: Float32Array;
  milliseconds: number;
  plan: ConvPlan["info"];
}

async function main(): Promise<void> {
  const options = parseOptions(Deno.args);
  using device = openDevice(options.device);
  const gpu = device.type === "cuda";
  const length = options.bases ?? (gpu ? 2 ** 22 : 2 ** 18), channels = options.channels ?? (gpu ? 16 : 4);
  const dtype = options.dtype ?? (gpu ? "float16" : "float32");
  const sequence = makeSequence(length);
  const filter = makeFilter(channels, options.taps);
  report("sequence", sequence.name);
  report("device", `${device.type}: ${device.name}`);
  report("block", `${channels} channels, causal filters of ${filter.taps} taps, two gates and a skip term, ${dtype}`);

  const given = project(sequence.codes, channels);
  const { runs, inputs } = await runAll(device, dtype, given, length, filter, cuts(filter.taps));
  const whole = runs[0]!;
  checkOutputs(whole, filter, inputs, length, dtype, options.checkPoints);

  // |change of y[n]| = |x2[n] * sum over t >= K of h[t] w[n - t]| <= |x2[n]| * max |w| * sum over t >= K of |h[t]|.
  const wMax = perChannel(inputs.v.map((x, i) => x * inputs.x1[i]!), channels);
  report("", "");
  console.log(
    "  taps   transforms of a row      time   energy cut off   expected   change of y   largest change   bound",
  );
  for (const [i, kept] of cuts(filter.taps).entries()) {
    const { y, milliseconds, plan } = runs[i]!;
    const cut = tails(filter, kept);
    const bound = cut.magnitude.map((sum, c) => sum * wMax[c]!);
    const { relative, largest, largestBound, exceeded } = compare(whole.y, y, inputs.x2, bound, dtype);
    const energy = cut.energy.reduce((sum, x) => sum + x, 0) / channels;
    console.log([
      String(kept).padStart(6),
      `${plan.segments} x ${plan.transformLength}`.padEnd(17),
      `${milliseconds.toFixed(2).padStart(9)} ms`,
      exponential(energy).padStart(14),
      exponential(expectedChange(filter, cut.energy, inputs)).padStart(8),
      exponential(relative).padStart(11),
      exponential(largest).padStart(14),
      exponential(largestBound),
    ].join("   "));
    if (exceeded > 0) throw new UserError(`${exceeded} outputs changed by more than cutting the filter can explain`);
  }
}

/** The whole filter and three cuts of it. */
const cuts = (taps: number) => [taps, taps / 2, taps / 4, taps / 8].map(Math.ceil);

async function runAll(
  device: Device,
  dtype: Dtype,
  given: Projections,
  length: number,
  filter: LongFilter,
  taps: number[],
): Promise<{ runs: Run[]; inputs: Projections }> {
  const shape = [1, filter.channels, length];
  using v = device.tensor(given.v, { shape, dtype });
  using x1 = device.tensor(given.x1, { shape, dtype });
  using x2 = device.tensor(given.x2, { shape, dtype });
  using d = device.tensor(filter.d, { dtype: "float32" });
  using out = device.empty(shape, dtype);
  const runs: Run[] = [];
  for (const kernelLength of taps) {
    using plan = device.plan({
      channels: filter.channels,
      length,
      kernelLength,
      mode: "causal",
      dtype,
      kernelDtype: "float32",
      preGate: true,
      postGate: true,
      skip: true,
    });
    const cut = truncate(filter, kernelLength);
    using h = device.tensor(cut.h, { shape: [filter.channels, kernelLength], dtype: "float32" });
    using spectrum = plan.spectrum(h);
    const forward = () => plan.forward(v, spectrum, { preGate: x1, postGate: x2, skip: d, out });
    forward(); // the first call also loads code
    await device.synchronize();
    const begin = performance.now();
    forward();
    await device.synchronize();
    const milliseconds = performance.now() - begin;
    runs.push({ y: await out.toFloat32Array(), milliseconds, plan: plan.info });
  }
  // As the device has them, rounded to its type.
  const inputs = { v: await v.toFloat32Array(), x1: await x1.toFloat32Array(), x2: await x2.toFloat32Array() };
  return { runs, inputs };
}

// Relative error that correct arithmetic may show: that of the fast classes, and of float32 sums.
const errorBounds = { float32: 2e-6, float16: 1.5e-3, bfloat16: 2.2e-3 };
// Half a unit in the last place.
const rounding = { float32: 2 ** -24, float16: 2 ** -11, bfloat16: 2 ** -8 };

function checkOutputs(
  run: Run,
  filter: LongFilter,
  inputs: Projections,
  length: number,
  dtype: Dtype,
  points: number,
): void {
  let difference = 0, size = 0;
  for (let i = 0; i < points; i++) {
    // Spread over the rows, the last output of each channel first.
    const c = i % filter.channels, n = length - 1 - Math.floor(i / points * length * 0.999);
    const want = outputAt(filter, inputs, length, c, n);
    difference += (run.y[c * length + n]! - want) ** 2;
    size += want ** 2;
  }
  const error = Math.sqrt(difference / size);
  report("error", `${exponential(error)} relative to float64 sums at ${points} outputs, whole filter`);
  // A hundred outputs may all lie where rounding is worst. Written so that a NaN fails too.
  if (!(error <= 2 * errorBounds[dtype])) throw new UserError(`the result is wrong: relative error ${error}`);
}

/**
 * The relative change of y if x1 * v were white noise: each channel then changes by the energy that is cut off, and has
 * that of its filter and the skip term.
 */
function expectedChange(filter: LongFilter, cut: number[], { v, x1, x2 }: Projections): number {
  const length = v.length / filter.channels;
  let change = 0, size = 0;
  for (let c = 0; c < filter.channels; c++) {
    let weight = 0;
    for (let i = c * length; i < (c + 1) * length; i++) weight += (x2[i]! * x1[i]! * v[i]!) ** 2;
    const first = filter.h[c * filter.taps]!, d = filter.d[c]!; // the skip term is one more tap at delay 0
    change += weight * cut[c]!;
    size += weight * (1 + 2 * first * d + d * d);
  }
  return Math.sqrt(change / size);
}

interface Change {
  relative: number;
  largest: number;
  /** The largest change that cutting allows, and how many outputs change by more than that and rounding. */
  largestBound: number;
  exceeded: number;
}

function compare(whole: Float32Array, cut: Float32Array, x2: Float32Array, bound: number[], dtype: Dtype): Change {
  const length = whole.length / bound.length;
  let difference = 0, size = 0, largest = 0, largestBound = 0, exceeded = 0;
  for (const x of whole) size += x * x;
  // Errors of transforms go by the size of a row, those of rounding by the size of the output.
  const noise = 12 * errorBounds[dtype] * Math.sqrt(size / whole.length);
  for (let i = 0; i < whole.length; i++) {
    const change = Math.abs(cut[i]! - whole[i]!), allowed = Math.abs(x2[i]!) * bound[Math.floor(i / length)]!;
    difference += change * change;
    largest = Math.max(largest, change);
    largestBound = Math.max(largestBound, allowed);
    if (!(change <= allowed + noise + 2 * rounding[dtype] * Math.abs(whole[i]!))) exceeded++;
  }
  return { relative: Math.sqrt(difference / size), largest, largestBound, exceeded };
}

/** The largest magnitude of each of `channels` rows. */
function perChannel(values: Float32Array, channels: number): number[] {
  const length = values.length / channels;
  return Array.from({ length: channels }, (_, c) => {
    let most = 0;
    for (let n = c * length; n < (c + 1) * length; n++) most = Math.max(most, Math.abs(values[n]!));
    return most;
  });
}

const exponential = (x: number) => x === 0 ? "0" : x.toExponential(2);

function report(name: string, text: string): void {
  console.log(`${name.padEnd(10)} ${text}`.trimEnd());
}

interface Options {
  bases?: number;
  channels?: number;
  taps: number;
  dtype?: Dtype;
  device: "auto" | "cuda" | "cpu";
  checkPoints: number;
}

function parseOptions(args: string[]): Options {
  const { values } = parseCommand(usage, {
    args,
    options: {
      bases: { type: "string" },
      channels: { type: "string" },
      taps: { type: "string", default: "32768" },
      dtype: { type: "string" },
      device: { type: "string", default: "auto" },
      "check-points": { type: "string", default: "100" },
    },
  });
  return {
    bases: values.bases === undefined ? undefined : whole("bases", values.bases, 16, 2 ** 24),
    channels: values.channels === undefined ? undefined : whole("channels", values.channels, 1, 1024),
    taps: whole("taps", values.taps, 8, 2 ** 20),
    dtype: values.dtype === undefined
      ? undefined
      : oneOf("dtype", values.dtype, ["float32", "float16", "bfloat16"] as const),
    device: oneOf("device", values.device, ["auto", "cuda", "cpu"] as const),
    checkPoints: whole("check-points", values["check-points"], 1, 1e5),
  };
}

if (import.meta.main) await runCommand("hyena", main);
