/** The convolutions that are measured, and how each becomes a `deno bench` entry on every device of this machine. */
import {
  type ConvPlan,
  type ConvPlanOptions,
  type Device,
  type DeviceTensor,
  type KernelSpectrum,
  openDevice,
} from "../mod.ts";

/** One convolution; what is left out has the plan's default. */
export interface Case extends ConvPlanOptions {
  /** The line in the report. */
  name: string;
  /** Compared with the others of its group. */
  baseline?: boolean;
  /** Also measured in quick mode. */
  quick?: boolean;
}

/** QUICK=1: the cases marked `quick`, a few runs each; everything in under a minute. */
export const quick = readEnv("QUICK") !== "";

// Deno's own choice is half a second of runs for every case.
const quickRuns = { n: 10, warmup: 2 };

// About a million samples in each call, so that lengths can be compared with one another.
const samplesPerCall = 2 ** 20;

const lengths = [1, 255, 1024, 4096, 8192, 16384, 32768, 65536, 2 ** 18, 2 ** 20];

/** The same number of samples cut into longer and longer rows; kernels as long as the rows. */
export const lengthCases: Case[] = lengths.map((length) => ({
  name: `L = K = ${length}, ${Math.floor(samplesPerCall / length)} rows`,
  channels: Math.floor(samplesPerCall / length),
  length,
  kernelLength: length,
  baseline: length === 8192,
  quick: [255, 8192, 65536].includes(length),
}));

/** Long rows and kernels that are much shorter: the method must not pay for the length. */
export const shortKernelCases: Case[] = [3, 64, 1024, 96_000].map((kernelLength) => ({
  name: `L = 2^20, K = ${kernelLength}`,
  length: 2 ** 20,
  kernelLength,
  baseline: kernelLength === 1024,
  quick: kernelLength === 1024 || kernelLength === 96_000,
}));

const square = { channels: 128, length: 8192, kernelLength: 8192 };

/** Types of u and y; the kernel stays in float32. */
export const dtypeCases: Case[] = (["float32", "float16", "bfloat16"] as const).map((dtype) => ({
  ...square,
  name: dtype,
  dtype,
  kernelDtype: "float32",
  baseline: dtype === "float32",
  quick: true,
}));

/** Which samples are returned. */
export const modeCases: Case[] = (["causal", "circular", "full", "same", "valid"] as const).map((mode) => ({
  ...square,
  // As long as u, valid would be one sample.
  kernelLength: mode === "valid" ? 1025 : square.kernelLength,
  name: mode === "valid" ? "valid, K = 1025" : mode,
  mode,
  baseline: mode === "causal",
  quick: mode === "causal" || mode === "circular",
}));

/** Gates and the skip term. */
export const gateCases: Case[] = [
  { ...square, name: "plain", baseline: true, quick: true },
  { ...square, name: "skip", skip: true },
  { ...square, name: "pre and post gate", preGate: true, postGate: true },
  { ...square, name: "gates and skip", preGate: true, postGate: true, skip: true, quick: true },
];

/** The devices to measure: the best of this machine, and the CPU beside it when that is another one. */
export function devices(): Device[] {
  const best = openDevice("auto");
  return best.type === "cpu" ? [best] : [best, openDevice("cpu")];
}

/** Adds one group of `plan.forward()` measurements: kernel transformed, tensors on the device, output given. */
export function benchForward(group: string, cases: Case[]): void {
  for (const device of devices()) {
    for (const current of cases.filter(({ quick: chosen }) => !quick || chosen)) {
      Deno.bench({
        name: `${device.type}: ${current.name}`,
        group: `${group} (${device.type})`,
        baseline: current.baseline ?? false,
        ...runs(),
        async fn(b) {
          const { plan, spectrum, u, gates, out } = prepare(device, current);
          b.start();
          plan.forward(u, spectrum, { ...gates, out });
          await device.synchronize();
          b.end();
        },
      });
    }
  }
}

/** How many runs quick mode makes; nothing in the full one. */
export function runs(): { n?: number; warmup?: number } {
  return quick ? quickRuns : {};
}

/** Numbers between -1 and 1, always the same. */
export function noise(size: number, seed = 1): Float32Array<ArrayBuffer> {
  let state = seed;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0; // Numerical Recipes' generator
    return state / 2 ** 31;
  });
}

interface Prepared {
  plan: ConvPlan;
  spectrum: KernelSpectrum;
  u: DeviceTensor;
  gates: { preGate?: DeviceTensor; postGate?: DeviceTensor; skip?: DeviceTensor };
  out: DeviceTensor;
}

// Deno runs one bench after another; only the tensors of the one that runs are kept.
let latest: { key: Case; device: Device; prepared: Prepared; dispose: () => void } | undefined;

function prepare(device: Device, current: Case): Prepared {
  if (latest?.key === current && latest.device === device) return latest.prepared;
  latest?.dispose();
  const { name: _name, baseline: _baseline, quick: _quick, ...options } = current;
  const { batch = 1, channels = 1, length, kernelLength, dtype = "float32", kernelDtype = dtype } = options;
  const plan = device.plan(options);
  const outputLength = plan.info.outputLength;
  const tensor = (seed: number, shape: number[], type: typeof dtype) =>
    device.tensor(noise(shape.reduce((a, b) => a * b, 1), seed), { shape, dtype: type });
  const k = tensor(2, [channels, kernelLength], kernelDtype);
  const spectrum = plan.spectrum(k);
  k.dispose();
  const prepared: Prepared = {
    plan,
    spectrum,
    u: tensor(1, [batch, channels, length], dtype),
    gates: {
      ...(options.preGate && { preGate: tensor(3, [batch, channels, length], dtype) }),
      ...(options.postGate && { postGate: tensor(4, [batch, channels, outputLength], dtype) }),
      ...(options.skip && { skip: tensor(5, [channels], kernelDtype) }),
    },
    out: device.empty([batch, channels, outputLength], dtype),
  };
  const all = [spectrum, plan, prepared.u, prepared.out, ...Object.values(prepared.gates)];
  latest = { key: current, device, prepared, dispose: () => all.forEach((object) => object.dispose()) };
  return prepared;
}

function readEnv(name: string): string {
  // Where reading the environment is not allowed, the full set runs.
  if (Deno.permissions.querySync({ name: "env", variable: name }).state !== "granted") return "";
  return Deno.env.get(name) ?? "";
}
