import { checkKeys, show, tagOf } from "./check.ts";
import { Device, type DeviceOptions, type DeviceType, openDevice, sessionOf } from "./device.ts";
import { checkHostArray, classOf, type Dtype, dtypeOf, exactDtypeOf, type HostArray } from "./dtype.ts";
import { type HostArrayTag, wrongType } from "./dtype.ts";
import { InvalidArgumentError, ShapeError } from "./errors.ts";
import { type FrequencyPattern, keptBlocksOf, sparsityDescriptor } from "./frequency.ts";
import type { Algorithm, ConvMode, Precision } from "./mode.ts";
import { convDescriptor, type ResolvedOptions, resolveOptions, rowLength } from "./problem.ts";
import { checkShape, elementsOf } from "./shape.ts";

/** Options of {@link convolve}. */
export interface ConvolveOptions {
  /** Which samples are returned; default "causal", the first L of them. */
  readonly mode?: ConvMode;
  /** [length], [channels, length] or [batch, channels, length] of u; default: one row with all elements. */
  readonly shape?: readonly number[];
  /** One kernel for all channels; default false: the kernel array holds one kernel after the other. */
  readonly sharedKernel?: boolean;
  /** Of the shape of u; multiplies it first. */
  readonly preGate?: HostArray;
  /** Of the shape of the result; multiplies it. */
  readonly postGate?: HostArray;
  /** One value a channel: adds skip[h] · (u ⊙ preGate) before the post gate. */
  readonly skip?: HostArray;
  /** What the bits of u and the gates are, where they are Uint16Arrays. */
  readonly dtype?: Dtype;
  /** What the bits of k and skip are, where they are Uint16Arrays; default: the same as dtype. */
  readonly kernelDtype?: Dtype;
  /** Which frequencies of the kernel count; causal and circular mode only; default "all". */
  readonly keepFrequencies?: FrequencyPattern | "all";
  /** Class of arithmetic; default "default". */
  readonly precision?: Precision;
  /** The method; default "auto". */
  readonly algorithm?: Algorithm;
  /** Where to compute: an open device, or the name of one to open for this call; default "auto". */
  readonly device?: Device | DeviceType | "auto";
  /** The native library, where a device is opened for this call. */
  readonly libraryPath?: string | URL;
  /** Called with the fraction done, from 0 to 1, while the work runs, and with 1 at the end. What it throws stops the
   * work and rejects the promise. */
  readonly onProgress?: (fraction: number) => void;
  /** Stops the work; the promise is then rejected with the signal's reason. */
  readonly signal?: AbortSignal;
}

const optionNames = new Set([
  "mode",
  "shape",
  "sharedKernel",
  "preGate",
  "postGate",
  "skip",
  "dtype",
  "kernelDtype",
  "keepFrequencies",
  "precision",
  "algorithm",
  "device",
  "libraryPath",
  "onProgress",
  "signal",
]);

// For fewer elements than this, opening the GPU and moving the data there takes longer than the CPU takes for all of
// it: about 0.2 s against 10 ns an element.
const WORTH_A_GPU = 2 ** 24;

// 30 progress reports a second are more than a person can read.
const POLL_MS = 33;

function checkSize(name: string, array: HostArray, size: number, shape: string): HostArray {
  if (array.length !== size) throw new ShapeError(`${name} has ${array.length} elements; ${shape} needs ${size}`);
  return array;
}

interface Problem {
  readonly options: ResolvedOptions;
  readonly arrays: readonly (HostArray | null)[]; // u, kernel, preGate, postGate, skip
}

function checkedProblem(u: HostArray, k: HostArray, options: ConvolveOptions): Problem {
  checkKeys("convolve", options, optionNames);
  const { signal, onProgress } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new InvalidArgumentError(`signal is ${show(signal)}; it must be an AbortSignal`);
  }
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw new InvalidArgumentError(`onProgress is ${show(onProgress)}; it must be a function`);
  }
  u = checkHostArray("u", u);
  k = checkHostArray("k", k);
  const dtype = exactDtypeOf("u", u, options.dtype);
  // A kernel array that knows its type says it itself.
  const given = options.kernelDtype ?? (tagOf(k) === "Uint16Array" ? options.dtype : undefined);
  const kernelDtype = exactDtypeOf("k", k, given, "kernelDtype");

  if (u.length === 0) throw new ShapeError("u is empty; it must have at least one sample");
  if (k.length === 0) throw new ShapeError("k is empty; it must have at least one sample");
  const shape = checkShape("shape", options.shape ?? [u.length]);
  if (elementsOf(shape) !== u.length) {
    throw new ShapeError(`u has ${u.length} elements; the shape ${show([...shape])} needs ${elementsOf(shape)}`);
  }
  const [length = 1, channels = 1, batch = 1] = [...shape].reverse();
  const sharedKernel = options.sharedKernel ?? false;
  const kernels = sharedKernel ? 1 : channels;
  if (k.length % kernels !== 0) {
    throw new ShapeError(
      `k has ${k.length} elements for ${channels} channels; it must hold one kernel of equal length for each, ` +
        "or a single one with sharedKernel: true",
    );
  }
  const resolved = resolveOptions({
    batch,
    channels,
    length,
    kernelLength: k.length / kernels,
    mode: options.mode,
    dtype,
    kernelDtype,
    precision: options.precision,
    algorithm: options.algorithm,
    preGate: options.preGate !== undefined,
    postGate: options.postGate !== undefined,
    skip: options.skip !== undefined,
    sharedKernel,
    keepFrequencies: options.keepFrequencies,
  });
  const optional = (name: "preGate" | "postGate" | "skip", type: Dtype, size: number, form: string) => {
    if (options[name] === undefined) return null;
    const array = checkHostArray(name, options[name]);
    // Bits are of the type that u (or the kernel) has, as nothing else could be computed with.
    const fits = tagOf(array) === "Uint16Array" ? type !== "float32" : dtypeOf(name, array, undefined) === type;
    if (!fits) throw wrongType(name, array, type);
    return checkSize(name, array, size, form);
  };
  const outputs = batch * channels * rowLength("y", resolved);
  const arrays = [
    u,
    k,
    optional("preGate", dtype, u.length, "the shape of u"),
    optional("postGate", dtype, outputs, "the shape of the result"),
    optional("skip", kernelDtype, channels, "one value a channel"),
  ];
  return { options: resolved, arrays };
}

function openFor(problem: Problem, options: ConvolveOptions): Device {
  let type = options.device ?? "auto";
  if (type instanceof Device) {
    if (options.libraryPath === undefined) return type;
    throw new InvalidArgumentError("libraryPath was given with an open device, which has its library already");
  }
  const elements = (problem.arrays[0]?.length ?? 0) + (problem.arrays[1]?.length ?? 0);
  if (type === "auto" && elements < WORTH_A_GPU) type = "cpu";
  const libraryPath: DeviceOptions = options.libraryPath === undefined ? {} : { libraryPath: options.libraryPath };
  return openDevice(type, libraryPath);
}

/**
 * Convolves arrays on the host, with the method that fits the lengths:
 * y = postGate ⊙ (conv(u ⊙ preGate, k) + skip[h] · (u ⊙ preGate)), where terms not given drop out. This is true
 * convolution, Σ_j k[j] u[n - j], without any scaling, and not the cross-correlation that deep-learning frameworks
 * call so.
 *
 * Without an open device in the options it loads the library and opens one for the call (some milliseconds; a GPU
 * only for work that is worth it). Do not change or transfer the arrays before the promise is settled.
 *
 * @param u the samples, in order (batch, channels, length)
 * @param k the kernel, in order (channels, kernelLength), or one kernel
 * @param options shape, mode, gates, device, progress, signal
 * @returns a new array of the built-in type that u has or extends, in order
 *   (batch, channels, outputLength(mode, length, kernelLength))
 * @throws {ShapeError} if the numbers of elements do not fit together
 * @throws {DtypeError} if an array is of a type that is not taken, or bits were given without saying which
 * @throws {LibraryNotFoundError} if no native library was found
 * @throws the signal's reason, if it was aborted before the promise was settled, and what onProgress throws
 * @example
 * ```ts
 * import { convolve } from "@flashfftconv/flashfftconv";
 * import assert from "node:assert/strict";
 * const y = await convolve(Float32Array.of(1, 2, 3), Float32Array.of(0, 1, 0.5), { mode: "same" });
 * assert.deepEqual(y, Float32Array.of(1, 2.5, 4));
 * ```
 */
export async function convolve<T extends HostArray>(u: T, k: HostArray, options: ConvolveOptions = {}): Promise<T> {
  const problem = checkedProblem(u, k, options);
  const { signal, onProgress } = options;
  signal?.throwIfAborted();
  const device = openFor(problem, options);
  const progress = new Int32Array(2); // [0]: thousandths done, written by C; [1]: not 0 asks C to stop
  const stop = () => Atomics.store(progress, 1, 1);
  let timer: ReturnType<typeof setInterval> | undefined;
  const thrown: unknown[] = []; // by onProgress, in the timer
  try {
    const session = sessionOf(device);
    const { batch, channels } = problem.options;
    const y = newLike(u, batch * channels * rowLength("y", problem.options));
    const desc = convDescriptor(problem.options).bytes;
    const sparse = keptBlocksOf(session, problem.options);
    const sparsity = sparse ? sparsityDescriptor(sparse) : null, keep = sparse?.keep ?? null;
    const [uData, kData, pre, post, skip] = problem.arrays as [HostArray, HostArray, ...(HostArray | null)[]];
    let reported = -1;
    const report = (thousandths: number) => {
      if (thousandths <= reported) return;
      reported = thousandths;
      onProgress?.(thousandths / 1000);
    };
    const poll = () => {
      try {
        report(Atomics.load(progress, 0));
      } catch (error) {
        thrown.push(error);
        clearInterval(timer);
        stop();
      }
    };
    if (onProgress) timer = setInterval(poll, POLL_MS);
    signal?.addEventListener("abort", stop, { once: true });
    try {
      await session.wait(
        [],
        (c, e) =>
          c.ffc_convolve_host_sparse_async(
            session.context,
            desc,
            sparsity,
            keep,
            uData,
            kData,
            pre ?? null,
            post ?? null,
            skip ?? null,
            y,
            progress,
            e,
          ),
        desc,
        sparsity,
        keep,
        problem.arrays,
        y,
        progress,
      );
      signal?.throwIfAborted();
      if (thrown.length === 0) report(1000);
    } catch (error) {
      thrown.push(error);
    }
    // Also where the work was done, or had failed, before it could be stopped: who aborts waits for the reason.
    signal?.throwIfAborted();
    if (thrown.length > 0) throw thrown[0];
    return y;
  } finally {
    signal?.removeEventListener("abort", stop);
    if (timer !== undefined) clearInterval(timer);
    if (device !== options.device) device.dispose();
  }
}

// The result's array: of the kind that u is, so that a Float16Array comes back as one. Not by u's own constructor: what
// a subclass makes of a size is its own business, and C writes as many elements as it was told.
function newLike<T extends HostArray>(u: T, size: number): T {
  try {
    return new (classOf(tagOf(u) as HostArrayTag))(size) as T;
  } catch (error) {
    throw error instanceof RangeError
      ? new ShapeError(`the result has ${size} elements, more than an array can hold`)
      : error;
  }
}
