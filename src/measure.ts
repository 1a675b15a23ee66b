// Times plans with tensors of random numbers.
import { checkKeys, show } from "./check.ts";
import type { Device } from "./device.ts";
import type { Dtype } from "./dtype.ts";
import { FlashFFTConvError, InvalidArgumentError } from "./errors.ts";
import type { StreamEvent } from "./stream.ts";
import { type Measured, PlanExplanation } from "./explain.ts";
import type { ConvPlan } from "./plan.ts";
import type { ConvPlanOptions } from "./problem.ts";
import { checkCount } from "./shape.ts";
import type { DeviceTensor } from "./tensor.ts";

/** What to time, and how often. */
export interface MeasureOptions {
  /** "chosen", "all" that the algorithm allows, or names; default "chosen". */
  readonly candidates?: "chosen" | "all" | readonly string[];
  /** Timed samples, of which the median counts; default 7. */
  readonly repeats?: number;
  /** Leave out candidates predicted to take so many times the chosen one's time; default: none is left out. */
  readonly slowest?: number;
}

/** Times of one plan's calls. */
export interface CallTimes {
  /** The median. */
  readonly medianMs: number;
  /** The quickest. */
  readonly minMs: number;
  /** The slowest. */
  readonly maxMs: number;
  /** The kernel's transform, once. */
  readonly spectrumMs: number;
}

// A sample is so many calls that the clock, and the gaps between enqueueing and running, do not matter.
const sampleMs = 0.4;
const mostCalls = 40;

/** One plan's calls, timed sample by sample; plans may take turns. */
export class PlanTimer {
  /** The time of a single call: more than that of several by the gap between enqueueing and running. */
  onceMs = 0;
  readonly #begin: StreamEvent;
  readonly #end: StreamEvent;
  readonly #samples: number[] = [];
  #calls = 1;

  /** {@link RandomTensors.timer} makes it. */
  constructor(
    readonly device: Device,
    readonly forward: () => void,
    readonly recompute: () => void,
    readonly spectrum: Disposable,
  ) {
    this.#begin = device.event();
    this.#end = device.event();
  }

  async #timed(work: () => void): Promise<number> {
    this.#begin.record();
    work();
    this.#end.record();
    await this.#end.synchronize();
    return this.#end.elapsedMsSince(this.#begin);
  }

  /** Once to load the code, once to see how long a call is. */
  async warmUp(): Promise<void> {
    this.forward();
    await this.device.synchronize();
    this.onceMs = await this.#timed(this.forward);
    this.#calls = Math.max(1, Math.min(mostCalls, Math.ceil(sampleMs / Math.max(this.onceMs, 1e-4))));
  }

  /** A sample of several calls: milliseconds of one. */
  async sample(): Promise<number> {
    const several = () => {
      for (let i = 0; i < this.#calls; i++) this.forward();
    };
    const ms = await this.#timed(several) / this.#calls;
    this.#samples.push(ms);
    return ms;
  }

  /** The median of the samples so far. */
  get medianMs(): number {
    return [...this.#samples].sort((a, b) => a - b)[this.#samples.length >> 1] ?? NaN;
  }

  /** What the samples say, and the kernel's transform. */
  async times(): Promise<CallTimes> {
    const spectrumMs = await this.#timed(this.recompute);
    const { medianMs } = this;
    return { medianMs, minMs: Math.min(...this.#samples), maxMs: Math.max(...this.#samples), spectrumMs };
  }

  /** Gives the spectrum and the events back. */
  dispose(): void {
    this.spectrum[Symbol.dispose]();
    this.#begin.dispose();
    this.#end.dispose();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** The tensors of one problem, full of random numbers; several plans of the problem may use them. */
export class RandomTensors {
  /** The problem. */
  readonly options: ConvPlan["options"];
  readonly #device: Device;
  readonly #all: DeviceTensor[] = [];
  readonly #u: DeviceTensor;
  readonly #kernel: DeviceTensor;
  readonly #out: DeviceTensor;
  readonly #gates: { preGate?: DeviceTensor; postGate?: DeviceTensor; skip?: DeviceTensor };

  /** Allocates and fills; packed, whatever strides the plan has. */
  constructor(plan: ConvPlan) {
    this.#device = plan.device;
    this.options = plan.options;
    const { batch, channels, length, kernelLength, dtype, kernelDtype, sharedKernel } = plan.options;
    const outputs = plan.info.outputLength;
    try {
      this.#u = this.#random([batch, channels, length], dtype, 1);
      this.#kernel = this.#random([sharedKernel ? 1 : channels, kernelLength], kernelDtype, 2);
      this.#gates = {
        ...(plan.options.preGate && { preGate: this.#random([batch, channels, length], dtype, 3) }),
        ...(plan.options.postGate && { postGate: this.#random([batch, channels, outputs], dtype, 4) }),
        ...(plan.options.skip && { skip: this.#random([channels], kernelDtype, 5) }),
      };
      this.#out = this.#keep(this.#device.empty([batch, channels, outputs], dtype));
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  #keep(tensor: DeviceTensor): DeviceTensor {
    this.#all.push(tensor);
    return tensor;
  }

  // A block of random numbers, then copies of what is there: transforms do not look at values, and a prime length keeps
  // rows from being alike.
  #random(shape: number[], dtype: Dtype, seed: number): DeviceTensor {
    const tensor = this.#keep(this.#device.empty(shape, dtype));
    const count = tensor.size, block = Math.min(count, 65521);
    const part = (size: number, offset = 0) => tensor.view({ shape: [size], offset });
    {
      using first = this.#device.tensor(noise(block, seed), { dtype });
      using target = part(block);
      target.copyFrom(first);
    }
    for (let done = block; done < count;) {
      const size = Math.min(done, count - done);
      using target = part(size, done);
      using source = part(size);
      target.copyFrom(source);
      done += size;
    }
    return tensor;
  }

  /** Runs the plan, first to warm up, then `repeats` samples of several calls each. */
  async time(plan: ConvPlan, repeats: number): Promise<CallTimes> {
    using timer = await this.timer(plan);
    for (let i = 0; i < repeats; i++) await timer.sample();
    return await timer.times();
  }

  /** A plan of the problem made ready: it has run twice. */
  async timer(plan: ConvPlan): Promise<PlanTimer> {
    const spectrum = plan.spectrum(this.#kernel);
    const args = { ...this.#gates, out: this.#out };
    const timer = new PlanTimer(
      this.#device,
      () => void plan.forward(this.#u, spectrum, args),
      () => void spectrum.recompute(this.#kernel),
      spectrum,
    );
    try {
      await timer.warmUp();
    } catch (error) {
      timer.dispose();
      throw error;
    }
    return timer;
  }

  /** Gives the tensors back. */
  dispose(): void {
    for (const tensor of this.#all) tensor.dispose();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Numbers between -1 and 1, always the same. */
function noise(size: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0; // Numerical Recipes' generator
    return state / 2 ** 31;
  });
}

/** A problem without what ties it to one candidate or to the caller's memory. */
export function freeProblem(options: ConvPlanOptions): ConvPlanOptions {
  const { candidate: _candidate, strides: _strides, ...rest } = options;
  return rest;
}

/** {@link ConvPlan.measure} (module-internal). */
export async function measurePlan(plan: ConvPlan, options: MeasureOptions): Promise<PlanExplanation> {
  checkKeys("measure", options, new Set(["candidates", "repeats", "slowest"]));
  const repeats = checkCount("repeats", options.repeats ?? 7, 1000);
  const { candidates: wanted = "chosen", slowest = Infinity } = options;
  const explanation = plan.explain();
  const { chosen } = explanation;
  if (typeof slowest !== "number" || !(slowest > 0)) {
    throw new InvalidArgumentError(`slowest is ${show(slowest)}; it must be a number above 0`);
  }
  let names: readonly string[];
  if (wanted === "chosen") names = [chosen.name];
  else if (wanted === "all") {
    names = explanation.candidates
      .filter((c) => c.usable && (c.chosen || c.predictedMs <= slowest * chosen.predictedMs)).map((c) => c.name);
  } else if (Array.isArray(wanted)) names = wanted;
  else throw new InvalidArgumentError(`candidates is ${show(wanted)}; it must be "chosen", "all" or a list of names`);
  // The empty name would be the planner's choice, whose time belongs to another name.
  for (const [i, name] of names.entries()) {
    if (typeof name === "string" && name !== "") continue;
    throw new InvalidArgumentError(`candidates[${i}] is ${show(name)}; it must be a name from plan.explain()`);
  }
  const measured = new Map<string, Measured>();
  using tensors = new RandomTensors(plan);
  for (const candidate of names) {
    try {
      using one = plan.device.plan({ ...freeProblem(plan.options), candidate });
      measured.set(candidate, { measuredMs: (await tensors.time(one, repeats)).medianMs });
    } catch (error) {
      // What the caller asked for by name must not fail silently; of all of them, one may need too much memory.
      if (wanted !== "all" || !(error instanceof FlashFFTConvError)) throw error;
      measured.set(candidate, { failure: error.message });
    }
  }
  return new PlanExplanation(explanation.data as { [key: string]: never }, measured);
}
