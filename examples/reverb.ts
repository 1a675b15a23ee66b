/**
 * A recording in a hall: convolves a WAV file with a long impulse response.
 *
 *     reverb.ts IN.wav [IMPULSE.wav] OUT.wav [options]
 *
 * Without IMPULSE.wav the hall is made by the formula in impulse.ts. `make demo` runs this on a real recording.
 */

import { convolve, type ConvPlan, type Device, type DeviceType, openDevice } from "../mod.ts";
import { checkFullConvolution, type CheckResult, errorBound } from "./check.ts";
import { UserError, writeFile } from "./files.ts";
import { number, oneOf, parseCommand, runCommand, whole } from "./options.ts";
import { generateHall, resampleImpulse } from "./impulse.ts";
import { drawSounds } from "./picture.ts";
import { readWav, type SampleFormat, type Sound, writeWav } from "./wav.ts";

const usage = `usage: reverb.ts IN.wav [IMPULSE.wav] OUT.wav [options]

  --seconds N       length of the generated hall, 0.1 to 60 (default 4)
  --reverb-db N     generated hall: reverberation relative to the direct sound (default 0)
  --seed N          generated hall: another number, another hall (default 1)
  --dry N           add N times the input to the output (default 0; a generated hall has the direct sound in it)
  --format F        pcm16, pcm24 or float32 (default pcm24)
  --device D        auto, cuda or cpu (default auto)
  --picture F.svg   draw waveform and spectrogram before and after
  --check-points N  output samples per channel to check in float64 (default 200)
  --help

Mono becomes stereo in a generated hall. The output is scaled so that its peak is at -1 dB of full scale.`;

// Below full scale by this much, so that players that resample do not clip.
const peakAfter = Math.pow(10, -1 / 20);

interface Options {
  input: string;
  impulse?: string;
  output: string;
  seconds: number;
  reverbDb: number;
  seed: number;
  dry: number;
  format: SampleFormat;
  device: DeviceType | "auto";
  picture?: string;
  checkPoints: number;
}

async function main(): Promise<void> {
  const options = parseOptions(Deno.args);
  const { stage, progress } = makeReporter();

  stage(`reading ${options.input}`);
  const source = await readWav(options.input);
  let impulse: Sound;
  if (options.impulse) {
    stage(`reading ${options.impulse}`);
    const recorded = await readWav(options.impulse);
    if (recorded.sampleRate !== source.sampleRate) {
      stage(`resampling the impulse response from ${recorded.sampleRate} to ${source.sampleRate} Hz`);
    }
    impulse = resampleImpulse(recorded, source.sampleRate);
  } else {
    stage(`generating a hall of ${options.seconds} s`);
    const channels = Math.max(2, source.channels.length);
    impulse = generateHall({ ...options, channels, sampleRate: source.sampleRate });
  }
  const { u, k } = matchChannels(source.channels, impulse.channels);
  if (options.dry !== 0) k.forEach((samples) => samples[0]! += options.dry);

  using device = openDevice(options.device);
  stage(`convolving on ${device.name}`);
  const { y, seconds, plan } = await convolveRows(device, u, k, progress);

  stage("checking samples in float64");
  const check = checkFullConvolution(u, k, y, options.checkPoints);

  const gain = scaleToPeak(y);
  stage(`writing ${options.output}`);
  const result: Sound = { channels: y, sampleRate: source.sampleRate };
  await writeWav(options.output, result, options.format);
  if (options.picture) {
    stage(`drawing ${options.picture}`);
    const svg = drawSounds(
      `${baseName(options.input)} in ${options.impulse ? baseName(options.impulse) : "a generated hall"}`,
      `impulse response of ${describeLength(k[0]!.length, source.sampleRate)}, convolved on ${device.name}; ` +
        "the output is scaled to a peak of -1 dB",
      [{ label: "before", sound: source }, { label: "after", sound: result }],
    );
    await writeFile(options.picture, new TextEncoder().encode(svg));
  }

  summarise({ options, source, impulse, y, device, plan, seconds, check, gain });
  const bound = errorBound(plan.transformLength, k[0]!.length);
  // Written so that a NaN fails too.
  if (!(check.relativeError <= bound)) {
    throw new UserError(`the result is wrong: relative error ${check.relativeError}, at most ${bound} is possible`);
  }
}

/** One call for all rows; rows are the channels of the sound. */
async function convolveRows(
  device: Device,
  u: Float32Array[],
  k: Float32Array[],
  onProgress: (fraction: number) => void,
): Promise<{ y: Float32Array<ArrayBuffer>[]; seconds: number; plan: ConvPlan["info"] }> {
  const channels = u.length, length = u[0]!.length, kernelLength = k[0]!.length;
  // What convolve() will do, asked beforehand for the summary.
  using plan = device.plan({ channels, length, kernelLength, mode: "full" });
  const cancel = new AbortController();
  const interrupt = () => cancel.abort(new UserError("interrupted; nothing was written"));
  Deno.addSignalListener("SIGINT", interrupt);
  try {
    const signals = concatenate(u), kernels = concatenate(k);
    const begin = performance.now();
    const all = await convolve(signals, kernels, {
      shape: [1, channels, length],
      mode: "full",
      device,
      onProgress,
      signal: cancel.signal,
    });
    const seconds = (performance.now() - begin) / 1000;
    const y = u.map((_, c) => all.slice(c * plan.info.outputLength, (c + 1) * plan.info.outputLength));
    return { y: y as Float32Array<ArrayBuffer>[], seconds, plan: plan.info };
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
  }
}

/** Mono goes into every channel of the hall, a mono hall serves every channel of the sound. */
function matchChannels(u: Float32Array[], k: Float32Array[]): { u: Float32Array[]; k: Float32Array[] } {
  const count = Math.max(u.length, k.length);
  if ((u.length !== 1 && u.length !== count) || (k.length !== 1 && k.length !== count)) {
    throw new UserError(
      `the recording has ${u.length} channels and the impulse response ${k.length}: ` +
        "they must be equal, or one of them 1",
    );
  }
  const spread = (rows: Float32Array[]) => Array.from({ length: count }, (_, c) => rows[c % rows.length]!);
  // The kernels are copies: --dry changes them.
  return { u: spread(u), k: spread(k).map((samples) => samples.slice()) };
}

/** Scales all channels alike; returns the factor. */
function scaleToPeak(channels: Float32Array[]): number {
  let peak = 0;
  for (const samples of channels) for (const x of samples) peak = Math.max(peak, Math.abs(x));
  if (!(peak > 0)) return 1;
  const gain = peakAfter / peak;
  for (const samples of channels) samples.forEach((x, n) => samples[n] = gain * x);
  return gain;
}

function summarise(
  { options, source, impulse, y, device, plan, seconds, check, gain }: {
    options: Options;
    source: Sound;
    impulse: Sound;
    y: Float32Array[];
    device: Device;
    plan: ConvPlan["info"];
    seconds: number;
    check: CheckResult;
    gain: number;
  },
): void {
  const { sampleRate } = source;
  const audioSeconds = y[0]!.length / sampleRate;
  const describe = (channels: Float32Array[]) =>
    `${describeLength(channels[0]!.length, sampleRate)}, ${channels.length} channel${channels.length > 1 ? "s" : ""}`;
  const transform = plan.transformLength > 0
    ? `, ${plan.segments} x ${plan.transformLength} points, radices ${plan.radices.join(" x ") || "-"}`
    : "";
  const lines: [string, string][] = [
    ["device", `${device.type}: ${device.name} (${device.info.instructionSet}, ${device.info.computeUnits} units)`],
    ["recording", `${describe(source.channels)}, ${sampleRate} Hz`],
    ["impulse", `${describe(impulse.channels)}, ${options.impulse ? "from a file" : "generated"}`],
    ["output", `${describe(y)}, ${options.format}, gain ${(20 * Math.log10(gain)).toFixed(1)} dB`],
    ["plan", `full, float32, ${plan.algorithm}, ${plan.precision}${transform}`],
    ["time", `${(seconds * 1000).toFixed(1)} ms, ${(audioSeconds / seconds).toFixed(0)} times faster than real time`],
    [
      "error",
      `${check.relativeError.toExponential(1)} relative to float64 sums at ${check.points} samples ` +
      `(largest difference ${check.maxError.toExponential(1)})`,
    ],
    ["wrote", [options.output, options.picture].filter(Boolean).join(", ")],
  ];
  for (const [name, text] of lines) console.log(`${name.padEnd(10)} ${text}`);
}

function parseOptions(args: string[]): Options {
  const { values, positionals } = parseCommand(usage, {
    args,
    allowPositionals: true,
    options: {
      seconds: { type: "string", default: "4" },
      "reverb-db": { type: "string", default: "0" },
      seed: { type: "string", default: "1" },
      dry: { type: "string", default: "0" },
      format: { type: "string", default: "pcm24" },
      device: { type: "string", default: "auto" },
      picture: { type: "string" },
      "check-points": { type: "string", default: "200" },
    },
  });
  if (positionals.length < 2 || positionals.length > 3) throw new UserError(usage);
  return {
    input: positionals[0]!,
    impulse: positionals.length === 3 ? positionals[1] : undefined,
    output: positionals.at(-1)!,
    seconds: number("seconds", values.seconds, 0.1, 60),
    reverbDb: number("reverb-db", values["reverb-db"], -60, 60),
    seed: whole("seed", values.seed, 0, 2 ** 31 - 1),
    dry: number("dry", values.dry, -100, 100),
    format: oneOf("format", values.format, ["pcm16", "pcm24", "float32"]),
    device: oneOf("device", values.device, ["auto", "cuda", "cpu"]),
    picture: values.picture,
    checkPoints: whole("check-points", values["check-points"], 2, 1e6),
  };
}

/** Stages and progress go to the error output: the summary alone is the output. */
function makeReporter(): { stage: (text: string) => void; progress: (fraction: number) => void } {
  const live = Deno.stderr.isTerminal();
  const write = (text: string) => Deno.stderr.writeSync(new TextEncoder().encode(text));
  let shown = -1;
  return {
    stage(text) {
      shown = -1;
      write(`${text}\n`);
    },
    progress(fraction) {
      // On a terminal one line is rewritten; in a log file a line per quarter is enough.
      const percent = live ? Math.floor(100 * fraction) : 25 * Math.floor(4 * fraction);
      if (percent === shown || (!live && percent === 0)) return;
      shown = percent;
      write(live ? `\r  ${percent} %${percent === 100 ? "\n" : ""}` : `  ${percent} %\n`);
    },
  };
}

function concatenate(rows: Float32Array[]): Float32Array<ArrayBuffer> {
  const all = new Float32Array(rows.length * rows[0]!.length);
  rows.forEach((row, r) => all.set(row, r * row.length));
  return all;
}

function describeLength(samples: number, sampleRate: number): string {
  return `${samples} samples (${(samples / sampleRate).toFixed(2)} s)`;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

if (import.meta.main) await runCommand("reverb", main);
