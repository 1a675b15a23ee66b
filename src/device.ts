import { ABI_VERSION, ENUMS } from "../ffi/layout.ts";
import { cText, Struct } from "../ffi/struct.ts";
import { checkKeys, show } from "./check.ts";
import { checkHostArray, type Dtype, dtypeOf, type HostArray } from "./dtype.ts";
import { DeviceUnavailableError, InvalidArgumentError } from "./errors.ts";
import { binsOf, type FrequencyChoice, pickFrequencies, type PickOptions } from "./frequency.ts";
import type { ConvMode } from "./mode.ts";
import {
  type Constants,
  constantsPathOfEnvironment,
  constantsText,
  defaultConstantsPath,
  parseConstants,
  pathOf,
  readConstantsFile,
} from "./constants.ts";
import { LibraryLease, longText, readText } from "./library.ts";
import { type ConvPlan, createPlan } from "./plan.ts";
import type { ConvPlanOptions } from "./problem.ts";
import { destroyWhenForgotten, remembered, Session } from "./session.ts";
import { checkCount } from "./shape.ts";
import { createEvent, createStream, type Stream, type StreamEvent } from "./stream.ts";
import { createTensor, type DeviceTensor, uploadNow } from "./tensor.ts";

/** What does the arithmetic. */
export type DeviceType = "cuda" | "cpu";

/** How to open a device. */
export interface DeviceOptions {
  /** Which of several GPUs, from 0; default 0. There is one CPU device. */
  readonly ordinal?: number;
  /** The native library, a path or file: URL; left out, it is searched for (see the README). */
  readonly libraryPath?: string | URL;
  /** CPU: threads to use; default 0, one for each usable core. */
  readonly threads?: number;
  /** Only what every machine has: baseline SIMD, or compute capability 8.0. For tests; default false. */
  readonly portable?: boolean;
  /** The most bytes of tensors, spectra and workspaces; default 0, no limit. */
  readonly memoryLimitBytes?: number;
  /** The most bytes of scratch in one call; default 0: 1 GiB. A single row may need more. No result depends on it. */
  readonly scratchLimitBytes?: number;
  /** CUDA: pretend that a block has so little shared memory; default 0, what the device has. For tests. */
  readonly sharedMemoryLimitBytes?: number;
  /**
   * A file of constants for the planner, written by {@link calibrate}; `false` for the shipped ones. Default: the file
   * that FLASHFFTCONV_CONSTANTS names ("off" for none), else the one in the user's cache folder if there is one. Both
   * are looked for only where reading them is granted.
   */
  readonly constants?: string | URL | false;
}

/** What a device is. */
export interface DeviceInfo {
  /** "cuda" or "cpu". */
  readonly type: DeviceType;
  /** Which one of its type. */
  readonly ordinal: number;
  /** E.g. "NVIDIA H200". */
  readonly name: string;
  /** "sm_90", "avx512", "avx2" or "baseline". */
  readonly instructionSet: string;
  /** Multiprocessors of a GPU; threads used on a CPU. */
  readonly computeUnits: number;
  /** Major and minor CUDA compute capability; [0, 0] for a CPU. */
  readonly computeCapability: readonly [major: number, minor: number];
  /** All its memory. */
  readonly memoryTotalBytes: number;
  /** What was free when asked. */
  readonly memoryFreeBytes: number;
  /** What one block of threads may use. */
  readonly sharedMemoryPerBlockBytes: number;
  /** The second-level cache. */
  readonly l2Bytes: number;
}

/** What a device's objects take. */
export interface MemoryInfo {
  /** Bytes of tensors, spectra and workspaces now. */
  readonly liveBytes: number;
  /** The most since the device was opened or {@link Device.resetPeakMemory}. */
  readonly peakBytes: number;
  /** Tensors, streams, events, plans and spectra not yet disposed. */
  readonly liveObjects: number;
}

/** Whether a type of device can be used here. */
export interface DeviceAvailability {
  /** Which type. */
  readonly type: DeviceType;
  /** How many there are. */
  readonly count: number;
  /** Why there is none; empty otherwise. */
  readonly reason: string;
}

/** What the native library is. */
export interface LibraryInfo {
  /** The file that was loaded. */
  readonly path: string;
  /** Its release. */
  readonly version: string;
  /** The version of its C interface. */
  readonly abiVersion: number;
  /** What it was built with; whether the machine has such a device is another matter. */
  readonly backends: readonly DeviceType[];
  /** What the machine has. */
  readonly devices: readonly DeviceAvailability[];
}

/** Shape and element type of a new tensor. */
export interface TensorOptions {
  /** 1 to 3 axes; default: one axis with all elements. */
  readonly shape?: readonly number[];
  /** Default: the array's own type; needed for a Uint16Array. A Float32Array is rounded to a 16-bit dtype. */
  readonly dtype?: Dtype;
}

const typeCode: { readonly [T in DeviceType]: number } = { cpu: ENUMS.FFC_DEVICE_.CPU, cuda: ENUMS.FFC_DEVICE_.CUDA };

const optionNames = new Set([
  "ordinal",
  "libraryPath",
  "threads",
  "portable",
  "memoryLimitBytes",
  "scratchLimitBytes",
  "sharedMemoryLimitBytes",
  "constants",
]);

const MAX_INT32 = 2 ** 31 - 1;

/**
 * Loads the native library, asks what it is and what it can use here, and lets it go again.
 *
 * @param options the library file; left out, it is searched for
 * @throws {LibraryNotFoundError} with every place that was tried
 * @throws {PermissionError} if opening it was not granted
 * @throws {AbiMismatchError} if it is of another release
 */
export function libraryInfo(options: Pick<DeviceOptions, "libraryPath"> = {}): LibraryInfo {
  const lease = new LibraryLease(options.libraryPath);
  try {
    const { calls } = lease;
    const bits = calls.ffc_backends();
    const backends: DeviceType[] = [];
    if (bits & ENUMS.FFC_BACKEND_.CPU) backends.push("cpu");
    if (bits & ENUMS.FFC_BACKEND_.CUDA) backends.push("cuda");
    return {
      path: lease.path,
      version: readText((text, capacity) => calls.ffc_version(text, capacity)),
      abiVersion: ABI_VERSION, // the loader refuses every other one
      backends,
      devices: (["cpu", "cuda"] as const).map((type) => availability(lease, type)),
    };
  } finally {
    lease.release();
  }
}

function availability(lease: LibraryLease, type: DeviceType): DeviceAvailability {
  const count = new Int32Array(1);
  try {
    lease.check(lease.calls.ffc_device_count(typeCode[type], count, lease.error));
    return { type, count: count[0]!, reason: "" };
  } catch (error) {
    if (!(error instanceof DeviceUnavailableError)) throw error;
    return { type, count: 0, reason: error.message };
  }
}

function openSession(type: DeviceType, options: DeviceOptions): Session {
  const limit = (name: "memoryLimitBytes" | "scratchLimitBytes" | "sharedMemoryLimitBytes") =>
    checkCount(name, options[name] ?? 0, Number.MAX_SAFE_INTEGER, 0);
  if (options.portable !== undefined && typeof options.portable !== "boolean") {
    throw new InvalidArgumentError(`portable is ${show(options.portable)}; it must be true or false`);
  }
  const desc = new Struct("ffc_context_desc")
    .set("device_type", typeCode[type])
    .set("ordinal", checkCount("ordinal", options.ordinal ?? 0, MAX_INT32, 0))
    .set("cpu_threads", checkCount("threads", options.threads ?? 0, MAX_INT32, 0))
    .set("flags", options.portable ? ENUMS.FFC_CONTEXT_.PORTABLE : 0)
    .set("memory_limit_bytes", limit("memoryLimitBytes"))
    .set("scratch_limit_bytes", limit("scratchLimitBytes"))
    .set("shared_memory_limit_bytes", limit("sharedMemoryLimitBytes"));
  const context = new BigUint64Array(1);
  return new Session(options.libraryPath, (lease) => {
    lease.check(lease.calls.ffc_context_create(desc.bytes, context, lease.error));
    return context[0]!;
  });
}

/**
 * Opens a device. "auto" takes the GPU where one can be used, else the CPU; {@link Device.reason} says which and why.
 *
 * @param type "auto", "cuda" or "cpu"
 * @param options which one, the library, limits
 * @throws {DeviceUnavailableError} for "cuda" where there is no driver, no GPU, or a library without CUDA
 * @throws {LibraryNotFoundError} if no native library was found; lists every place and what to do
 * @throws {PermissionError} if --allow-ffi was not given
 * @throws {AbiMismatchError} if the library is of another release
 * @example
 * ```ts
 * import { openDevice } from "@flashfftconv/flashfftconv";
 * using device = openDevice("cpu");
 * using u = device.tensor(Float32Array.of(1, 2, 3, 4));
 * using plan = device.plan({ length: 4, kernelLength: 2 });
 * using spectrum = plan.spectrum(Float32Array.of(1, 10));
 * using y = plan.forward(u, spectrum);
 * console.log(await y.read()); // Float32Array [1, 12, 23, 34]
 * ```
 */
export function openDevice(type: DeviceType | "auto" = "auto", options: DeviceOptions = {}): Device {
  checkKeys("a device", options, optionNames);
  if (type === "cpu" || type === "cuda") return createDevice(openSession(type, options), "it was asked for", options);
  if (type !== "auto") {
    throw new InvalidArgumentError(`the device is ${show(type)}; known are "auto", "cuda" and "cpu"`);
  }
  try {
    return createDevice(openSession("cuda", options), "a GPU can be used here", options);
  } catch (error) {
    if (!(error instanceof DeviceUnavailableError)) throw error;
    const reason = `no GPU can be used here: ${error.message}`;
    return createDevice(openSession("cpu", { ...options, ordinal: 0 }), reason, options);
  }
}

let createDevice: (session: Session, reason: string, options: DeviceOptions) => Device;
/** The session of a device that was not disposed (module-internal). */
export let sessionOf: (device: Device) => Session;
/** Remembers a device's constants; what it returns brings them back (module-internal). */
export let rememberConstants: (device: Device) => () => void;

/**
 * One GPU, or the CPU, opened by {@link openDevice}. Everything made by it belongs to it and is disposed with it.
 * Creating, planning and enqueueing are synchronous and cheap; waiting and reading are asynchronous. What copies a host
 * array before it returns lies between: {@link Device.tensor} waits for the earlier work of the default stream, and
 * {@link ConvPlan.spectrum} of a host array for that of its stream, while nothing else of the program runs. Behind long
 * work make the tensor with {@link Device.empty} and await its {@link DeviceTensor.write}.
 */
export class Device {
  /** Why this device was taken. */
  readonly reason: string;
  readonly #session: Session;
  readonly #type: DeviceType;
  readonly #ordinal: number;
  readonly #name: string;
  #constantsSource = "shipped";

  private constructor(session: Session, reason: string) {
    this.#session = session;
    this.reason = reason;
    destroyWhenForgotten(this, session);
    const { type, ordinal, name } = this.info;
    this.#type = type;
    this.#ordinal = ordinal;
    this.#name = name;
  }

  static {
    createDevice = (session, reason, options) => {
      try {
        const device = new Device(session, reason);
        device.#findConstants(options.constants);
        return device;
      } catch (error) {
        session.close();
        throw error;
      }
    };
    sessionOf = (device) => {
      device.#session.calls; // throws where it is closed
      return device.#session;
    };
    rememberConstants = (device) => {
      const source = device.#constantsSource, constants = source === "shipped" ? undefined : device.constants();
      return () => {
        device.setConstants(constants);
        device.#constantsSource = source;
      };
    };
  }

  /** "cuda" or "cpu". */
  get type(): DeviceType {
    return this.#type;
  }

  /** Which one of its type. */
  get ordinal(): number {
    return this.#ordinal;
  }

  /** E.g. "NVIDIA H200". */
  get name(): string {
    return this.#name;
  }

  /** True after dispose(). */
  get disposed(): boolean {
    return this.#session.closed;
  }

  /** What the device is; the free memory is that of now. */
  get info(): DeviceInfo {
    const { calls, context, lease } = this.#session;
    const info = new Struct("ffc_device_info");
    lease.check(calls.ffc_device_info_get(context, info.bytes, lease.error));
    return {
      type: info.get("device_type") === typeCode.cuda ? "cuda" : "cpu",
      ordinal: info.get("ordinal"),
      name: info.text("name"),
      instructionSet: info.text("instruction_set"),
      computeUnits: info.get("compute_units"),
      computeCapability: [info.get("compute_major"), info.get("compute_minor")],
      memoryTotalBytes: info.get("memory_total_bytes"),
      memoryFreeBytes: info.get("memory_free_bytes"),
      sharedMemoryPerBlockBytes: info.get("shared_memory_per_block_bytes"),
      l2Bytes: info.get("l2_bytes"),
    };
  }

  /** What the planner's cost model reckons with; see {@link calibrate}. */
  constants(): Constants {
    return this.#readConstants().constants;
  }

  /** The version of the cost model, which files of constants must have. */
  get constantsVersion(): number {
    return this.#readConstants().version;
  }

  /** "shipped", "given", or the path of the file that the constants come from. */
  get constantsSource(): string {
    return this.#constantsSource;
  }

  #readConstants(): { version: number; constants: Constants } {
    const { calls, context, lease } = this.#session;
    return parseConstants(longText(lease, (...place) => calls.ffc_constants_get(context, ...place)));
  }

  /**
   * Puts constants over the shipped ones, for plans made from now on.
   *
   * @param constants numbers by name; undefined brings the shipped ones back
   * @throws {InvalidArgumentError} for a name or a number that cannot be
   */
  setConstants(constants: Constants | undefined): void {
    const { calls, context, lease } = this.#session;
    const text = constants && cText(constantsText(this.constantsVersion, constants));
    lease.check(calls.ffc_constants_set(context, text ?? null, lease.error));
    this.#constantsSource = constants ? "given" : "shipped";
  }

  // Of the option, the environment, or the user's cache folder. A file that cannot be used is no reason not to run: the
  // shipped constants serve, with a warning.
  #findConstants(option: string | URL | false | undefined): void {
    if (option === false) return;
    const named = option === undefined ? constantsPathOfEnvironment() : option;
    if (named === "off" && option === undefined) return;
    const asked = named === undefined ? undefined : pathOf("constants", named);
    const { info } = this;
    const path = asked ?? defaultConstantsPath(info);
    if (path === undefined) return;
    const file = readConstantsFile(path, info, this.constantsVersion);
    let problem = typeof file === "string" ? file : undefined;
    if (!file && asked !== undefined) {
      problem = file === null ? "reading it has not been granted" : "there is no such file";
    }
    if (typeof file === "object" && file !== null) {
      try {
        this.setConstants(file.constants);
        this.#constantsSource = path;
      } catch (error) {
        if (!(error instanceof InvalidArgumentError)) throw error;
        problem = error.message;
      }
    }
    if (problem !== undefined) {
      console.warn(`flashfftconv: the constants in ${path} are not used: ${problem}; calibrate() writes new ones`);
    }
  }

  /** What the objects of this device take. */
  memory(): MemoryInfo {
    const { calls, context, lease } = this.#session;
    const info = new Struct("ffc_memory_info");
    lease.check(calls.ffc_memory_info_get(context, info.bytes, lease.error));
    return {
      liveBytes: info.get("live_bytes"),
      peakBytes: info.get("peak_bytes"),
      liveObjects: info.get("live_objects"),
    };
  }

  /** Lets `peakBytes` start again from what is live now. */
  resetPeakMemory(): void {
    const { calls, context, lease } = this.#session;
    lease.check(calls.ffc_memory_reset_peak(context, lease.error));
  }

  /**
   * Copies an array to the device; it may be changed as soon as the call returns. That waits for the earlier work of
   * the default stream and blocks the program meanwhile; where this may be long, take {@link Device.empty} and await
   * {@link DeviceTensor.write}.
   *
   * @param data the elements in order
   * @param options shape and dtype
   * @throws {ShapeError} if the shape does not have as many elements as the array
   * @throws {DtypeError} if the array's type does not fit the dtype
   * @throws {OutOfMemoryError} if the device has no room
   */
  tensor(data: HostArray, options: TensorOptions = {}): DeviceTensor {
    data = checkHostArray("data", data);
    checkKeys("a tensor", options, new Set(["shape", "dtype"]));
    const tensor = this.empty(options.shape ?? [data.length], dtypeOf("data", data, options.dtype));
    try {
      uploadNow(tensor, data);
    } catch (error) {
      tensor.dispose();
      throw error;
    }
    return tensor;
  }

  /**
   * New memory with unknown content.
   *
   * @param shape 1 to 3 axes
   * @param dtype the element type; default "float32"
   * @throws {OutOfMemoryError} if the device has no room
   */
  empty(shape: readonly number[], dtype: Dtype = "float32"): DeviceTensor {
    return createTensor(this, sessionOf(this), shape, dtype);
  }

  /** New memory full of zeros, which are enqueued on the default stream; see {@link Device.empty}. */
  zeros(shape: readonly number[], dtype: Dtype = "float32"): DeviceTensor {
    const tensor = this.empty(shape, dtype);
    tensor.fillBytes(0);
    return tensor;
  }

  /**
   * Decides how to run one convolution problem.
   *
   * @throws {ShapeError} for sizes and strides that do not fit together
   * @throws {UnsupportedError} for a forced algorithm that this device does not have for the problem
   * @throws {LimitExceededError} for sizes beyond the limits
   */
  plan(options: ConvPlanOptions): ConvPlan {
    return createPlan(this, sessionOf(this), options);
  }

  /**
   * How many frequencies a kernel has in the grid of a mode and length; see {@link FrequencyPattern}.
   *
   * @param mode "causal" or "circular"
   * @param length samples of u in each row
   * @throws {UnsupportedError} for a mode that takes no pattern
   */
  frequencyBins(mode: ConvMode, length: number): number {
    return binsOf(sessionOf(this), mode, length);
  }

  /**
   * Finds the frequencies in which a kernel is strongest, for a plan's `keepFrequencies`, and the error that dropping
   * the others causes. Computed on the host in float64, also for a GPU.
   *
   * @param kernel (channels, kernelLength); with several channels their energies are added
   * @param options the grid, what to choose from, and how much to keep
   * @throws {InvalidArgumentError} for a kernel with a NaN or an infinity
   * @throws {DtypeError} for a Uint16Array without a dtype, or a Float32Array with that of bits
   * @throws {UnsupportedError} for a mode that takes no pattern
   * @example
   * ```ts
   * import { openDevice } from "@flashfftconv/flashfftconv";
   * import assert from "node:assert/strict";
   * using device = openDevice("cpu");
   * const smooth = Float32Array.from({ length: 1024 }, (_, n) => Math.exp(-n / 64) / 64);
   * const { keep, zeros, relativeError } = await device.pickFrequencies(smooth, { length: 1024, maxError: 0.2 });
   * assert.ok(zeros > 0.9 && relativeError <= 0.2); // less than a tenth of the frequencies is enough
   * using plan = device.plan({ length: 1024, kernelLength: 1024, keepFrequencies: keep });
   * ```
   */
  async pickFrequencies(kernel: HostArray, options: PickOptions): Promise<FrequencyChoice> {
    return await pickFrequencies(sessionOf(this), kernel, options);
  }

  /** A new queue of work beside the default one. */
  stream(): Stream {
    return createStream(this, sessionOf(this));
  }

  /** A new event, for waiting and timing. */
  event(): StreamEvent {
    return createEvent(this, sessionOf(this));
  }

  /** Waits for the default stream, without blocking the event loop; rejects with the first error of its work, once. */
  async synchronize(): Promise<void> {
    const session = sessionOf(this);
    await session.wait([], (c, e) => c.ffc_stream_synchronize_async(session.context, 0n, e));
  }

  /** Disposes everything that belongs to the device, and closes it. Harmless when repeated. */
  dispose(): void {
    remembered(this);
    this.#session.close();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
