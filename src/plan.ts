import { STRUCTS } from "../ffi/layout.ts";
import { cText, Struct } from "../ffi/struct.ts";
import { checkKeys, show } from "./check.ts";
import { longText } from "./library.ts";
import type { Device } from "./device.ts";
import { checkHostArray, type Dtype, dtypeBytes, type HostArray } from "./dtype.ts";
import { DtypeError, InvalidArgumentError, OutOfBoundsError, OverlapError, ShapeError } from "./errors.ts";
import { InternalError, WrongDeviceError } from "./errors.ts";
import { keptBlocksOf, sparsityDescriptor } from "./frequency.ts";
import { PlanExplanation } from "./explain.ts";
import { type MeasureOptions, measurePlan } from "./measure.ts";
import { type Algorithm, algorithmCode, nameOf, type Precision, precisionCode } from "./mode.ts";
import { convDescriptor, type ConvPlanOptions, resolveOptions } from "./problem.ts";
import { rowLength, rowStrides } from "./problem.ts";
import { NativeObject, type Session } from "./session.ts";
import { extentOf, isPacked } from "./shape.ts";
import { createSpectrum, type KernelSource, type KernelSpectrum, spectrumHandle } from "./spectrum.ts";
import { type Stream, streamHandle, type StreamOption } from "./stream.ts";
import { checkWorkspaceAlignment, createTensor, DeviceTensor, type TensorNative, tensorNative } from "./tensor.ts";
import { uploadNow } from "./tensor.ts";

/** What the planner decided. */
export interface ConvPlanInfo {
  /** The method chosen; never "auto". */
  readonly algorithm: Exclude<Algorithm, "auto">;
  /** The class of arithmetic; never "default". */
  readonly precision: Exclude<Precision, "default">;
  /** How many factors the transform is split into. */
  readonly order: number;
  /** The factors, slowest digit first. */
  readonly radices: readonly number[];
  /** Whether `out` may be exactly u. */
  readonly inPlace: boolean;
  /** Samples of each output row. */
  readonly outputLength: number;
  /**
   * Points of one transform; 0 for the direct sum. With a band of frequencies perhaps fewer than the pattern's grid has: a
   * half or a quarter of the sampling rate.
   */
  readonly transformLength: number;
  /** Transforms per row; 1 unless overlap-save. */
  readonly segments: number;
  /** Device memory of one spectrum. */
  readonly spectrumBytes: number;
  /** Device memory a call needs beyond its tensors. */
  readonly workspaceBytes: number;
}

/** The optional tensors of {@link ConvPlan.forward}; those that the plan was made with must be given, no others. */
export interface ForwardOptions extends StreamOption {
  /** (batch, channels, length), multiplies u. */
  readonly preGate?: DeviceTensor;
  /** (batch, channels, outputLength), multiplies the result. */
  readonly postGate?: DeviceTensor;
  /** (channels), of the kernel's dtype. */
  readonly skip?: DeviceTensor;
  /** Where to write, (batch, channels, outputLength); a new tensor if left out. May be u itself: `info.inPlace`. */
  readonly out?: DeviceTensor;
  /** At least `info.workspaceBytes` of memory; if left out, the library allocates what it needs. */
  readonly workspace?: DeviceTensor;
}

// The expected form of a tensor with three axes.
interface Form {
  readonly shape: readonly [number, number, number];
  readonly strides: readonly [number, number, number];
}

const forwardOptionNames = new Set(["preGate", "postGate", "skip", "out", "workspace", "stream"]);
const slot = (name: keyof typeof STRUCTS.ffc_forward_args.fields) => STRUCTS.ffc_forward_args.fields[name].offset / 8;
const slots = {
  u: slot("u"),
  preGate: slot("pre_gate"),
  postGate: slot("post_gate"),
  skip: slot("skip"),
  out: slot("y"),
  workspace: slot("workspace"),
};

/** Makes a plan (module-internal). */
export let createPlan: (device: Device, session: Session, options: ConvPlanOptions) => ConvPlan;

/**
 * One convolution problem on one device, decided once and run many times. Made by {@link Device.plan}. A plan never
 * changes; it may be used on several streams at once.
 */
export class ConvPlan {
  /** The device it runs on. */
  readonly device: Device;
  /** The problem, with every default filled in. */
  readonly options: Readonly<Required<ConvPlanOptions>>;
  /** What the planner decided. */
  readonly info: ConvPlanInfo;
  readonly #native: NativeObject;
  readonly #input: Form;
  readonly #preGate: Form;
  readonly #postGate: Form;
  readonly #output: Form;
  // The argument struct of ffc_forward, filled anew in each call; C has read it when the call returns.
  readonly #args = new Struct("ffc_forward_args").bytes;
  readonly #slots: BigUint64Array<ArrayBuffer> = new BigUint64Array(this.#args.buffer);

  private constructor(device: Device, session: Session, options: ConvPlanOptions) {
    const resolved = resolveOptions(options);
    const desc = convDescriptor(resolved).bytes;
    this.device = device;
    this.options = resolved;
    const sparse = keptBlocksOf(session, resolved);
    const sparsity = sparse ? sparsityDescriptor(sparse) : null, keep = sparse?.keep ?? null;
    const name = resolved.candidate && cText(resolved.candidate);
    const handle = session.create(
      "plan",
      (c, h, e) =>
        name
          ? c.ffc_plan_create_candidate(session.context, desc, sparsity, keep, name, h, e)
          : sparsity
          ? c.ffc_plan_create_sparse(session.context, desc, sparsity, keep, h, e)
          : c.ffc_plan_create(session.context, desc, h, e),
    );
    this.#native = new NativeObject(session, handle, "plan");
    const info = new Struct("ffc_plan_info");
    session.lease.check(session.calls.ffc_plan_info_get(handle, info.bytes, session.lease.error));
    this.info = planInfo(info);
    const form = (name: "u" | "preGate" | "postGate" | "y"): Form => ({
      shape: [resolved.batch, resolved.channels, rowLength(name, resolved)],
      strides: [...rowStrides(name, resolved), 1],
    });
    this.#input = form("u");
    this.#preGate = form("preGate");
    this.#postGate = form("postGate");
    this.#output = form("y");
  }

  static {
    createPlan = (device, session, options) => new ConvPlan(device, session, options);
  }

  /** True after dispose(), also of the device. */
  get disposed(): boolean {
    return this.#native.disposed;
  }

  /** Why the plan is as it is. `String(plan.explain())` is a table for people. */
  explain(): PlanExplanation {
    const { session, handle } = this.#native;
    const text = longText(session.lease, (...place) => session.calls.ffc_plan_explain(handle, ...place));
    return new PlanExplanation(JSON.parse(text));
  }

  /**
   * Times the plan, or every candidate of its problem, with random data of its own, and puts the times beside the
   * predictions. Takes the device's memory for the tensors of one call, and from a few milliseconds to seconds.
   *
   * @param options which candidates, and how often
   * @returns what {@link ConvPlan.explain} says, with `measuredMs`
   * @throws {OutOfMemoryError} if the tensors of a call do not fit
   */
  async measure(options: MeasureOptions = {}): Promise<PlanExplanation> {
    this.#native.handle;
    return await measurePlan(this, options);
  }

  /**
   * Transforms a kernel once, for any number of {@link ConvPlan.forward} calls. Enqueued, not awaited; only a host
   * array is copied at once, which waits for the stream's earlier work and blocks the program meanwhile. Where this may
   * be long, take {@link Device.empty}, await {@link DeviceTensor.write}, and give the tensor.
   *
   * @param kernel (channels, kernelLength), or (kernelLength) where it is shared or there is one channel; a device
   *   tensor, or a host array that is copied before the call returns
   * @param options the stream to run on
   * @throws {ShapeError} if the kernel has another shape than the plan
   * @throws {DtypeError} if it has another element type than the plan's kernelDtype
   */
  spectrum(kernel: DeviceTensor | HostArray, options: StreamOption = {}): KernelSpectrum {
    const { session, handle } = this.#native;
    const source: KernelSource = {
      session,
      plan: handle,
      place: (k, stream, compute) => this.#placeKernel(k, stream, compute),
    };
    return createSpectrum(this, source, kernel, options);
  }

  #placeKernel(
    kernel: DeviceTensor | HostArray,
    stream: Stream | undefined,
    compute: (buffer: bigint, offsetBytes: bigint) => void,
  ): void {
    const { session } = this.#native;
    const { channels, kernelLength, sharedKernel, kernelDtype, strides } = this.options;
    const rows = sharedKernel ? 1 : channels;
    if (!(kernel instanceof DeviceTensor)) {
      if (!ArrayBuffer.isView(kernel)) {
        throw new InvalidArgumentError(`kernel is ${show(kernel)}; it must be a DeviceTensor or a typed array`);
      }
      if (strides.kernel !== undefined && strides.kernel !== kernelLength) {
        throw new ShapeError("the plan's kernels have gaps between channels; give a DeviceTensor, not a host array");
      }
      kernel = checkHostArray("kernel", kernel);
      if (kernel.length !== rows * kernelLength) {
        const shared = rows > 1 && kernel.length === kernelLength;
        throw new ShapeError(
          `kernel has ${kernel.length} elements; the shape ${show([rows, kernelLength])} needs ${rows * kernelLength}` +
            (shared ? "; for one kernel in all channels make the plan with sharedKernel: true" : ""),
        );
      }
      // The library keeps the buffer until the transform is done.
      const copy = createTensor(this.device, session, [rows, kernelLength], kernelDtype);
      try {
        uploadNow(copy, kernel, stream);
        const { buffer, offsetBytes } = tensorNative("kernel", copy);
        compute(buffer, BigInt(offsetBytes));
      } finally {
        copy.dispose();
      }
      return;
    }
    const native = this.#checked("kernel", kernel, kernelDtype);
    const form: Form = { shape: [1, rows, kernelLength], strides: [0, strides.kernel ?? kernelLength, 1] };
    checkForm("kernel", kernel, form, "(channels, kernelLength), or (kernelLength) for one kernel");
    compute(native.buffer, BigInt(native.offsetBytes));
  }

  // A tensor of this plan's device and of the right element type.
  #checked(name: string, tensor: DeviceTensor, dtype: Dtype): TensorNative {
    const native = tensorNative(name, tensor);
    if (native.session !== this.#native.session) {
      throw new WrongDeviceError(`${name} lies on another device than the plan; copy it there`);
    }
    if (tensor.dtype !== dtype) throw new DtypeError(`${name} is ${tensor.dtype}; the plan was made for ${dtype}`);
    return native;
  }

  #place(name: keyof typeof slots, native: TensorNative): void {
    this.#slots[slots[name]] = native.buffer;
    this.#slots[slots[name] + 1] = BigInt(native.offsetBytes);
  }

  #placeOptional(
    name: "preGate" | "postGate" | "skip",
    tensor: DeviceTensor | undefined,
    form: Form,
    dtype: Dtype,
  ): TensorNative | undefined {
    if (tensor === undefined) {
      if (this.options[name]) throw new InvalidArgumentError(`the plan was made with ${name}: true; give ${name}`);
      this.#slots[slots[name]] = 0n;
      this.#slots[slots[name] + 1] = 0n;
      return undefined;
    }
    if (!this.options[name]) {
      throw new InvalidArgumentError(`${name} was given, but the plan was made without it; make it with ${name}: true`);
    }
    const native = this.#checked(name, tensor, dtype);
    checkForm(name, tensor, form, name === "skip" ? "(channels)" : "(batch, channels, samples)");
    this.#place(name, native);
    return native;
  }

  /**
   * Convolves: y = postGate ⊙ (conv(u ⊙ preGate, k) + skip[h] · (u ⊙ preGate)). Enqueued, not awaited: read the
   * result, or synchronize the stream.
   *
   * @param u (batch, channels, length); leading axes of one element may be left out
   * @param spectrum the kernel, transformed by this plan
   * @param options gates, skip, output, stream
   * @returns `options.out`, or a new tensor with as many axes as u
   * @throws {ShapeError} if a tensor has another shape or other strides than the plan
   * @throws {DtypeError} if a tensor has another element type than the plan
   * @throws {WrongDeviceError} if a tensor or the stream belongs to another device
   * @throws {OverlapError} if the output overlaps an input, other than being exactly u where `info.inPlace` is true
   * @throws {DisposedError} if anything given was disposed
   */
  forward(u: DeviceTensor, spectrum: KernelSpectrum, options: ForwardOptions = {}): DeviceTensor {
    const { session, handle } = this.#native;
    const { dtype, kernelDtype, channels } = this.options;
    checkKeys("forward", options, forwardOptionNames);
    const transformed = spectrumHandle(spectrum);
    if (transformed === undefined) {
      throw new InvalidArgumentError(`spectrum is ${show(spectrum)}; it must come from plan.spectrum(kernel)`);
    }
    if (spectrum.plan !== this) {
      if (spectrum.plan.device !== this.device) throw new WrongDeviceError("the spectrum belongs to another device");
      throw new InvalidArgumentError("the spectrum was made by another plan; make one with this plan");
    }
    const lane = streamHandle(session, options.stream);

    const input = this.#checked("u", u, dtype);
    checkForm("u", u, this.#input, "(batch, channels, length)");
    this.#place("u", input);
    const pre = this.#placeOptional("preGate", options.preGate, this.#preGate, dtype);
    const post = this.#placeOptional("postGate", options.postGate, this.#postGate, dtype);
    const skipForm: Form = { shape: [1, 1, channels], strides: [0, 0, 1] };
    const skip = this.#placeOptional("skip", options.skip, skipForm, kernelDtype);

    this.#slots[slots.workspace] = 0n;
    this.#slots[slots.workspace + 1] = 0n;
    if (options.workspace) this.#placeWorkspace(options.workspace);

    let y = options.out;
    if (y) {
      const output = this.#checked("out", y, dtype);
      checkForm("out", y, this.#output, "(batch, channels, outputLength)");
      this.#checkApart(y, output, "u", u, input);
      if (pre) this.#checkApart(y, output, "preGate", options.preGate!, pre);
      if (post) this.#checkApart(y, output, "postGate", options.postGate!, post);
      if (skip) this.#checkApart(y, output, "skip", options.skip!, skip);
      this.#place("out", output);
      session.lease.check(session.calls.ffc_forward(handle, transformed, this.#args, lane, session.lease.error));
      return y;
    }
    if (this.options.strides.y) {
      throw new InvalidArgumentError("the plan was made with strides for y; give out, a view with these strides");
    }
    y = createTensor(this.device, session, this.#output.shape.slice(3 - u.shape.length), dtype);
    try {
      this.#place("out", tensorNative("out", y));
      session.lease.check(session.calls.ffc_forward(handle, transformed, this.#args, lane, session.lease.error));
    } catch (error) {
      y.dispose();
      throw error;
    }
    return y;
  }

  #placeWorkspace(workspace: DeviceTensor): void {
    const native = this.#checked("workspace", workspace, workspace.dtype);
    checkWorkspaceAlignment(native.offsetBytes);
    if (!isPacked(workspace.shape, workspace.strides) || workspace.byteLength < this.info.workspaceBytes) {
      throw new OutOfBoundsError(
        `workspace has ${workspace.byteLength} bytes; the plan needs ${this.info.workspaceBytes} without gaps`,
      );
    }
    this.#place("workspace", native);
  }

  // C checks the rows of strided tensors that interleave; here are the clear cases.
  #checkApart(y: DeviceTensor, output: TensorNative, name: string, tensor: DeviceTensor, native: TensorNative): void {
    if (native.buffer !== output.buffer) return;
    const packed = isPacked(y.shape, y.strides) && isPacked(tensor.shape, tensor.strides);
    const sameRows = packed ? y.size === tensor.size : y.strides.every((s, axis) => s === tensor.strides[axis]);
    const exact = sameRows && native.offsetBytes === output.offsetBytes;
    if (name === "u" && exact && this.info.inPlace) return;
    if (!packed) return;
    const end = (t: DeviceTensor, n: TensorNative) =>
      n.offsetBytes + extentOf(t.shape, t.strides) * dtypeBytes[t.dtype];
    if (output.offsetBytes < end(tensor, native) && native.offsetBytes < end(y, output)) {
      const advice = name === "u" && exact
        ? "this plan cannot run in place (info.inPlace is false)"
        : "give it memory of its own";
      throw new OverlapError(`out overlaps ${name}; ${advice}`);
    }
  }

  /** Gives the plan back. Spectra made from it stay usable by nobody; dispose them too. Harmless when repeated. */
  dispose(): void {
    this.#native.dispose();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

function checkForm(name: string, tensor: DeviceTensor, form: Form, axes: string): void {
  const { shape, strides } = tensor;
  const missing = 3 - shape.length;
  let fits = missing >= 0;
  for (let axis = 0; axis < missing; axis++) fits &&= form.shape[axis] === 1;
  for (let axis = 0; fits && axis < shape.length; axis++) fits = shape[axis] === form.shape[axis + missing];
  if (!fits) {
    throw new ShapeError(`${name} has shape ${show([...shape])}; the plan needs ${show([...form.shape])}, ${axes}`);
  }
  for (let axis = 0; axis < shape.length; axis++) {
    if (shape[axis] !== 1 && strides[axis] !== form.strides[axis + missing]) {
      throw new ShapeError(
        `${name} has strides ${show([...strides])}; the plan was made for ${show([...form.strides])} ` +
          "(give the plan strides, or copy the tensor)",
      );
    }
  }
}

function planInfo(info: Struct<"ffc_plan_info">): ConvPlanInfo {
  const algorithm = nameOf(algorithmCode, info.get("algorithm"));
  const precision = nameOf(precisionCode, info.get("precision"));
  if (!algorithm || algorithm === "auto" || !precision || precision === "default") {
    throw new InternalError(
      `the library chose algorithm ${info.get("algorithm")} and precision ${info.get("precision")}, unknown here`,
    );
  }
  const order = info.get("order");
  return Object.freeze({
    algorithm,
    precision,
    order,
    radices: Object.freeze(Array.from({ length: 8 }, (_, i) => info.get("radices", i)).filter((r) => r !== 0)),
    inPlace: info.get("in_place") !== 0,
    outputLength: info.get("output_length"),
    transformLength: info.get("transform_length"),
    segments: info.get("segments"),
    spectrumBytes: info.get("spectrum_bytes"),
    workspaceBytes: info.get("workspace_bytes"),
  });
}
