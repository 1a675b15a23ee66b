import { checkKeys, show } from "./check.ts";
import { type Constants, defaultConstantsPath, pathOf, writeConstantsFile } from "./constants.ts";
import { type Device, rememberConstants } from "./device.ts";
import { InvalidArgumentError, OutOfMemoryError } from "./errors.ts";
import { fit, type FitSample, fittedKinds, shareWithin30 } from "./fit.ts";
import { freeProblem, RandomTensors } from "./measure.ts";
import type { ConvPlanOptions } from "./problem.ts";

/** What {@link calibrate} does beside measuring. */
export interface CalibrateOptions {
  /** Where to write; default: the user's cache folder. `false`: nowhere, the constants hold for this device object. */
  readonly file?: string | URL | false;
  /** Called with the share that is done, from 0 to 1. */
  readonly onProgress?: (done: number) => void;
  /** Problems to measure instead of the usual ones, at least one. */
  readonly problems?: readonly ConvPlanOptions[];
}

/** What a calibration found. */
export interface Calibration {
  /** The constants that the device uses from now on. */
  readonly constants: Constants;
  /** The file that was written; undefined where none was asked for. */
  readonly path: string | undefined;
  /** How many candidates were timed. */
  readonly samples: number;
  /** The share of them whose time the shipped constants, with the bandwidth measured now, predict to within 30%. */
  readonly within30Before: number;
  /** The same with the fitted ones. */
  readonly within30After: number;
  /** How long it took. */
  readonly seconds: number;
}

// Samples of a call: enough to fill the device, few enough that all of it takes seconds.
const cpuSamples = 2 ** 18, gpuSamples = 2 ** 24;
// Nobody would choose what is predicted to be this much slower.
const slowest = 6;
const repeats = 5;
const kinds: ReadonlySet<string> = new Set(fittedKinds);

function problemsFor(device: Device): ConvPlanOptions[] {
  const list: ConvPlanOptions[] = [];
  const add = (length: number, kernelLength: number, rest: Partial<ConvPlanOptions>, samples: number) =>
    list.push({ channels: Math.max(1, Math.floor(samples / length)), length, kernelLength, ...rest });
  if (device.type === "cpu") {
    for (const length of [64, 256, 1024, 4096, 16384, 65536, 2 ** 18]) add(length, length, {}, cpuSamples);
    for (const kernelLength of [3, 16, 64, 1024]) add(32768, kernelLength, {}, cpuSamples);
    for (const length of [64, 256, 1024, 4096]) add(length, length, {}, length); // one row: what a call costs
    return list;
  }
  const classes: Partial<ConvPlanOptions>[] = [
    { dtype: "float32", kernelDtype: "float32" },
    { dtype: "float16", kernelDtype: "float32", precision: "fast" },
    { dtype: "float16", kernelDtype: "float32", precision: "accurate" },
    { dtype: "bfloat16", kernelDtype: "float32" },
  ];
  for (const kind of classes) {
    for (const length of [256, 1024, 4096, 16384, 32768, 2 ** 17, 2 ** 20]) {
      add(length, length, kind, gpuSamples);
      add(length, length, { ...kind, preGate: true, postGate: true }, gpuSamples);
    }
    for (const length of [16, 300, 3000]) add(length, length, kind, gpuSamples);
    for (const kernelLength of [16, 512, 8192]) add(2 ** 20, kernelLength, kind, gpuSamples);
    add(1024, 1024, kind, 2 ** 14); // few rows: what a launch costs
  }
  return list;
}

/** Bytes per second that a copy reads and writes; the best of several. */
async function copyRate(device: Device): Promise<number> {
  const bytes = Math.min(device.type === "cuda" ? 2 ** 28 : 2 ** 26, Math.floor(device.info.memoryFreeBytes / 16));
  const elements = Math.max(1, Math.floor(bytes / 4));
  using from = device.zeros([elements]);
  using to = device.empty([elements]);
  using begin = device.event();
  using end = device.event();
  let best = Infinity;
  for (let i = 0; i < 6; i++) {
    begin.record();
    to.copyFrom(from);
    end.record();
    await end.synchronize();
    best = Math.min(best, end.elapsedMsSince(begin));
  }
  return 2 * from.byteLength / best * 1e3;
}

/**
 * Measures the constants of the planner's cost model on a device, in a few seconds: the bandwidth of its memory, and
 * with forced candidates of usual problems how much of the limits each family reaches and what its launches cost. The
 * device plans with them from now on, and {@link openDevice} finds them again in their file. Where anything fails, it
 * keeps the constants it had.
 *
 * @param device a device on which nothing else runs meanwhile
 * @param options where to write
 * @throws {InvalidArgumentError} if there is nowhere to write (no permission, or no known folder) or nothing to measure
 * @example
 * ```ts
 * import { calibrate, openDevice } from "@flashfftconv/flashfftconv";
 * using device = openDevice("cpu", { threads: 1, constants: false });
 * const problems = [{ length: 256, kernelLength: 256 }, { length: 256, kernelLength: 16 }];
 * const { samples } = await calibrate(device, { file: false, problems });
 * console.log(`${samples} candidates were timed`);
 * ```
 */
export async function calibrate(device: Device, options: CalibrateOptions = {}): Promise<Calibration> {
  checkKeys("calibrate", options, new Set(["file", "onProgress", "problems"]));
  const { info } = device;
  const { file, problems = problemsFor(device) } = options;
  const path = file === false ? undefined : file ? pathOf("file", file) : defaultConstantsPath(info);
  if (path === undefined && file !== false) {
    throw new InvalidArgumentError(
      "the user's cache folder is not known (XDG_CACHE_HOME and HOME cannot be read); give a file, or file: false",
    );
  }
  if (!Array.isArray(problems) || problems.length === 0) {
    throw new InvalidArgumentError(`problems is ${show(problems)}; it must be an array of at least one problem`);
  }
  const restore = rememberConstants(device);
  try {
    return await measureConstants(device, path, problems, options.onProgress);
  } catch (error) {
    if (!device.disposed) restore();
    throw error;
  }
}

async function measureConstants(
  device: Device,
  path: string | undefined,
  problems: readonly ConvPlanOptions[],
  onProgress: CalibrateOptions["onProgress"],
): Promise<Calibration> {
  const started = performance.now();
  device.setConstants(undefined);
  const measured: Record<string, number> = { "rate/device": await copyRate(device) };
  device.setConstants(measured);

  const samples: FitSample[] = [];
  for (const [index, problem] of problems.entries()) {
    onProgress?.(index / problems.length);
    try {
      using plan = device.plan({ ...freeProblem(problem) });
      using tensors = new RandomTensors(plan);
      const { candidates, chosen } = plan.explain();
      for (const c of candidates) {
        if (!c.usable || c.predictedMs > slowest * chosen.predictedMs) continue;
        using one = device.plan({ ...freeProblem(problem), candidate: c.name });
        const { medianMs: measuredMs } = await tensors.time(one, repeats);
        samples.push({ key: c.key, passes: c.passes, modelMs: c.modelMs, measuredMs, problem: String(index) });
      }
    } catch (error) {
      // A small device does without the large problems; every other failure is the caller's business.
      if (!(error instanceof OutOfMemoryError)) throw error;
    }
  }
  if (samples.length === 0) throw new OutOfMemoryError("no problem of the calibration fits on this device");
  const before = device.constants();
  // What families and their parts have in common moves, with the shipped exceptions from it; no new exceptions are learnt
  // from so few problems.
  const start = Object.fromEntries(Object.entries(before).filter(([name]) => kinds.has(name.split("/")[0]!)));
  Object.assign(measured, fit(samples, { start, price: 0.1, allow: (name) => name.split("/").length <= 3 }));
  device.setConstants(measured);
  if (path !== undefined && !writeConstantsFile(path, device.info, device.constantsVersion, measured)) {
    throw new InvalidArgumentError(`writing ${path} has not been granted; run with --allow-write=${path}`);
  }
  onProgress?.(1);
  const after = device.constants();
  return {
    constants: Object.freeze(measured),
    path,
    samples: samples.length,
    within30Before: shareWithin30(before, samples),
    within30After: shareWithin30(after, samples),
    seconds: (performance.now() - started) / 1000,
  };
}
