/**
 * Which frequencies of a long filter matter, and what leaving the others out costs and saves.
 *
 * The filter is a sum of decaying oscillations, as long as the sequence. Its strongest blocks of frequencies are chosen
 * for several errors, then its strongest band and its strongest residue classes for several fractions, and each choice is
 * run beside the dense convolution: the error that was predicted, the error that came, the time and the share of the work that was skipped.
 *
 *     deno run --allow-ffi examples/sparse.ts [LENGTH [ROWS]]
 */
import { type Device, type FrequencyPattern, openDevice } from "../mod.ts";
import { UserError } from "./files.ts";
import { parseCommand, runCommand, whole } from "./options.ts";

const usage = "usage: examples/sparse.ts [LENGTH [ROWS]], by default 65536 samples and 16 rows";

/** What one choice of frequencies came to. */
export interface Trial {
  name: string;
  /** Fraction of frequencies that are dropped. */
  zeros: number;
  /** By the energy of the kernel, over all 2N samples of the transform. */
  predictedError: number;
  /** Of the outputs that are returned, for white noise, against the dense result. */
  measuredError: number;
  /** Milliseconds of one call over all rows, the best of a few. */
  timeMs: number;
  /** Share of a row's floating-point operations that are skipped. */
  skipped: number;
}

// Numbers that look random and are the same everywhere.
function noise(count: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** Oscillations of several pitches that decay by 60 dB within the length. */
export function resonances(length: number): Float32Array<ArrayBuffer> {
  const pitches = [0.003, 0.011, 0.027, 0.05, 0.083, 0.19]; // of the sampling rate
  return Float32Array.from({ length }, (_, n) => {
    const decay = Math.pow(10, -3 * n / length);
    return decay / length * pitches.reduce((sum, f, i) => sum + Math.cos(2 * Math.PI * f * n) / (i + 1), 0);
  });
}

async function run(
  device: Device,
  u: Float32Array<ArrayBuffer>,
  k: Float32Array<ArrayBuffer>,
  rows: number,
  keep?: FrequencyPattern,
) {
  const length = k.length;
  using plan = device.plan({ batch: rows, length, kernelLength: length, keepFrequencies: keep ?? "all" });
  using spectrum = plan.spectrum(k);
  using input = device.tensor(u, { shape: [rows, 1, length] });
  using y = device.empty([rows, 1, length]);
  using begin = device.event();
  using end = device.event();
  let timeMs = Infinity;
  for (let i = 0; i < 4; i++) {
    begin.record();
    plan.forward(input, spectrum, { out: y });
    end.record();
    await end.synchronize();
    timeMs = Math.min(timeMs, end.elapsedMsSince(begin));
  }
  const { sparsity } = plan.explain().data;
  const work = sparsity as { rowFlops: number; rowFlopsSkipped: number } | undefined;
  return { y: await y.toFloat32Array(), timeMs, skipped: work ? work.rowFlopsSkipped / work.rowFlops : 0 };
}

function relativeError(a: Float32Array, b: Float32Array): number {
  let error = 0, size = 0;
  a.forEach((value, n) => {
    error += (value - b[n]!) ** 2;
    size += b[n]! ** 2;
  });
  return Math.sqrt(error / size);
}

/** The dense convolution first, then choices by error among blocks and by fraction among classes. */
export async function trials(device: Device, length: number, rows: number): Promise<Trial[]> {
  const k = resonances(length), u = noise(rows * length, 1);
  const dense = await run(device, u, k, rows);
  const list: Trial[] = [{
    name: "dense",
    zeros: 0,
    predictedError: 0,
    measuredError: 0,
    timeMs: dense.timeMs,
    skipped: 0,
  }];
  const choices = [
    ...[0.01, 0.05, 0.2].map((maxError) => ({ name: `blocks, error up to ${maxError}`, maxError })),
    ...[0.25, 0.09].map((keepFraction) => ({ name: `a band, ${keepFraction} kept`, keepFraction, contiguous: true })),
    ...[0.5, 0.25, 0.09].map((keepFraction) => ({ name: `classes, ${keepFraction} kept`, keepFraction, modulus: 256 })),
  ];
  for (const { name, ...options } of choices) {
    const { keep, zeros, relativeError: predictedError } = await device.pickFrequencies(k, { length, ...options });
    const { y, timeMs, skipped } = await run(device, u, k, rows, keep);
    list.push({ name, zeros, predictedError, measuredError: relativeError(y, dense.y), timeMs, skipped });
  }
  return list;
}

async function main(): Promise<void> {
  const { positionals } = parseCommand(usage, {
    args: Deno.args,
    allowPositionals: true,
    options: { help: { type: "boolean" } },
  });
  const [length = "65536", rows = "16", ...more] = positionals;
  if (more.length > 0) throw new UserError(`there is nothing to do with ${more.join(" ")}\n\n${usage}`);
  await show(whole("LENGTH", length, 2, 2 ** 24), whole("ROWS", rows, 1, 2 ** 20));
}

async function show(length: number, rows: number): Promise<void> {
  using device = openDevice();
  console.log(`${device.name}: ${rows} rows of ${length} samples, causal, float32`);
  const table = (await trials(device, length, rows)).map((t) => ({
    choice: t.name,
    "zeros %": Number((100 * t.zeros).toFixed(1)),
    "predicted error": Number(t.predictedError.toPrecision(3)),
    "measured error": Number(t.measuredError.toPrecision(3)),
    ms: Number(t.timeMs.toPrecision(3)),
    "operations skipped %": Number((100 * t.skipped).toFixed(1)),
  }));
  console.table(table);
}

if (import.meta.main) await runCommand("sparse", main);
