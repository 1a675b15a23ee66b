// One convolution problem as a caller states it, checked and written as the C descriptor. Plans and the host
// function start from the same options.
import { ENUMS } from "../ffi/layout.ts";
import { Struct } from "../ffi/struct.ts";
import { checkKeys, ownCopy, show } from "./check.ts";
import { checkDtype, type Dtype, dtypeCode } from "./dtype.ts";
import { InvalidArgumentError, ShapeError } from "./errors.ts";
import type { FrequencyPattern } from "./frequency.ts";
import { type Algorithm, algorithmCode, codeOf, type ConvMode, modeCode, outputLength } from "./mode.ts";
import { type Precision, precisionCode } from "./mode.ts";
import { checkCount } from "./shape.ts";

/** Strides in elements: from one batch to the next, and from one channel to the next. */
export type RowStrides = readonly [batch: number, channel: number];

/** Strides of tensors that are parts of wider ones; what is left out is packed. */
export interface ConvStrides {
  /** Of u. */
  readonly u?: RowStrides;
  /** Of the pre gate. */
  readonly preGate?: RowStrides;
  /** Of the post gate. */
  readonly postGate?: RowStrides;
  /** Of the output. */
  readonly y?: RowStrides;
  /** Elements from one channel's kernel to the next; not for a shared kernel. */
  readonly kernel?: number;
}

/**
 * One convolution problem: y = postGate ⊙ (conv(u ⊙ preGate, k) + skip[h] · (u ⊙ preGate)); terms not asked for
 * drop out. u and preGate are (batch, channels, length), y and postGate (batch, channels, outputLength), the kernel
 * is (channels, kernelLength) or (kernelLength), skip is (channels). The skip term is Hyena's and S4's D.
 */
export interface ConvPlanOptions {
  /** Independent rows that share their channel's kernel; default 1. */
  readonly batch?: number;
  /** Rows with a kernel of their own; default 1. */
  readonly channels?: number;
  /** Samples of u in each row, from 1 up to 2^40. */
  readonly length: number;
  /** Samples of the kernel, shorter or longer than u. */
  readonly kernelLength: number;
  /** Which samples are returned; default "causal". */
  readonly mode?: ConvMode;
  /** Element type of u, the gates and y; default "float32". */
  readonly dtype?: Dtype;
  /** Element type of the kernel and skip; default: the same as dtype. */
  readonly kernelDtype?: Dtype;
  /** Class of arithmetic; default "default". */
  readonly precision?: Precision;
  /** The method; default "auto". */
  readonly algorithm?: Algorithm;
  /** One of the planner's candidates by its name in {@link ConvPlan.explain}; default "", the planner's choice. */
  readonly candidate?: string;
  /** Whether u is multiplied by a gate first; default false. */
  readonly preGate?: boolean;
  /** Whether the result is multiplied by a gate; default false. */
  readonly postGate?: boolean;
  /** Whether skip[h] · (u ⊙ preGate) is added; causal, circular and same mode only; default false. */
  readonly skip?: boolean;
  /** One kernel for all channels; default false. */
  readonly sharedKernel?: boolean;
  /** Strides of tensors that are parts of wider ones. */
  readonly strides?: ConvStrides;
  /** Which frequencies of the kernel count; causal and circular mode only; default "all". */
  readonly keepFrequencies?: FrequencyPattern | "all";
}

/** The options with every default filled in. */
export type ResolvedOptions = Readonly<Required<ConvPlanOptions>>;

const known = new Set([
  "batch",
  "channels",
  "length",
  "kernelLength",
  "mode",
  "dtype",
  "kernelDtype",
  "precision",
  "algorithm",
  "candidate",
  "preGate",
  "postGate",
  "skip",
  "sharedKernel",
  "strides",
  "keepFrequencies",
]);

function flag(name: string, value: boolean | undefined): boolean {
  if (value === undefined || typeof value === "boolean") return value ?? false;
  throw new InvalidArgumentError(`${name} is ${show(value)}; it must be true or false`);
}

function candidateName(name: string | undefined): string {
  if (name === undefined || (typeof name === "string" && !name.includes("\0"))) return name ?? "";
  throw new InvalidArgumentError(`candidate is ${show(name)}; it must be a name from plan.explain()`);
}

/** Fills in the defaults and checks every value. */
export function resolveOptions(options: ConvPlanOptions): ResolvedOptions {
  checkKeys("a plan", options, known);
  const dtype = checkDtype("dtype", options.dtype ?? "float32");
  const resolved: ResolvedOptions = Object.freeze({
    batch: checkCount("batch", options.batch ?? 1),
    channels: checkCount("channels", options.channels ?? 1),
    length: checkCount("length", options.length),
    kernelLength: checkCount("kernelLength", options.kernelLength),
    mode: options.mode ?? "causal",
    dtype,
    kernelDtype: checkDtype("kernelDtype", options.kernelDtype ?? dtype),
    precision: options.precision ?? "default",
    algorithm: options.algorithm ?? "auto",
    candidate: candidateName(options.candidate),
    preGate: flag("preGate", options.preGate),
    postGate: flag("postGate", options.postGate),
    skip: flag("skip", options.skip),
    sharedKernel: flag("sharedKernel", options.sharedKernel),
    // A plan never changes, and what is checked here must be what it is made of.
    strides: ownCopy(options.strides ?? {}),
    keepFrequencies: ownCopy(options.keepFrequencies ?? "all"),
  });
  codeOf("mode", modeCode, resolved.mode);
  codeOf("precision", precisionCode, resolved.precision);
  codeOf("algorithm", algorithmCode, resolved.algorithm);
  if (resolved.skip && (resolved.mode === "full" || resolved.mode === "valid")) {
    throw new InvalidArgumentError(
      `skip is true in ${resolved.mode} mode; it needs outputs aligned with u: causal, circular or same`,
    );
  }
  checkKeys("strides", resolved.strides, new Set(["u", "preGate", "postGate", "y", "kernel"]));
  for (const name of ["u", "preGate", "postGate", "y"] as const) checkRowStrides(name, resolved);
  const { kernel } = resolved.strides;
  if (kernel !== undefined) {
    if (resolved.sharedKernel) throw new ShapeError("strides.kernel was given, but a shared kernel has no channels");
    checkCount("strides.kernel", kernel, Number.MAX_SAFE_INTEGER, resolved.kernelLength);
  }
  return resolved;
}

function checkRowStrides(name: "u" | "preGate" | "postGate" | "y", options: ResolvedOptions): void {
  const strides = options.strides[name];
  if (strides === undefined) return;
  if (!Array.isArray(strides) || strides.length !== 2) {
    throw new ShapeError(`strides.${name} is ${show(strides)}; it must be [batchStride, channelStride]`);
  }
  const row = rowLength(name, options);
  for (const [i, s] of strides.entries()) checkCount(`strides.${name}[${i}]`, s, Number.MAX_SAFE_INTEGER, row);
}

/** Samples of a row of one of the tensors. */
export function rowLength(name: "u" | "preGate" | "postGate" | "y", options: ResolvedOptions): number {
  const out = name === "y" || name === "postGate";
  return out ? outputLength(options.mode, options.length, options.kernelLength) : options.length;
}

/** The batch and channel strides of one of the tensors, packed where none were given. */
export function rowStrides(name: "u" | "preGate" | "postGate" | "y", options: ResolvedOptions): RowStrides {
  const row = rowLength(name, options);
  return options.strides[name] ?? [row * options.channels, row];
}

/** The C descriptor of a problem. */
export function convDescriptor(options: ResolvedOptions): Struct<"ffc_conv_desc"> {
  const bits = ENUMS.FFC_CONV_;
  const desc = new Struct("ffc_conv_desc")
    .set("mode", modeCode[options.mode])
    .set("dtype", dtypeCode[options.dtype])
    .set("kernel_dtype", dtypeCode[options.kernelDtype])
    .set("precision", precisionCode[options.precision])
    .set("algorithm", algorithmCode[options.algorithm])
    .set(
      "flags",
      (options.preGate ? bits.PRE_GATE : 0) | (options.postGate ? bits.POST_GATE : 0) |
        (options.skip ? bits.SKIP : 0) | (options.sharedKernel ? bits.SHARED_KERNEL : 0),
    )
    .set("batch", options.batch)
    .set("channels", options.channels)
    .set("length", options.length)
    .set("kernel_length", options.kernelLength)
    .set("kernel_channel_stride", options.strides.kernel ?? 0);
  const { u = [0, 0], preGate = [0, 0], postGate = [0, 0], y = [0, 0] } = options.strides;
  desc.set("u_batch_stride", u[0]).set("u_channel_stride", u[1]);
  desc.set("pre_gate_batch_stride", preGate[0]).set("pre_gate_channel_stride", preGate[1]);
  desc.set("post_gate_batch_stride", postGate[0]).set("post_gate_channel_stride", postGate[1]);
  return desc.set("y_batch_stride", y[0]).set("y_channel_stride", y[1]);
}
