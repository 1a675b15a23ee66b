import { STATUS } from "../ffi/layout.ts";
import type { LoadAttempt } from "../ffi/load.ts";

/** The name of an error: the C library's status, or one of the two that exist before a library is loaded. */
export type ErrorCode =
  | "FFC_INVALID_ARGUMENT"
  | "FFC_INVALID_SHAPE"
  | "FFC_INVALID_DTYPE"
  | "FFC_INVALID_HANDLE"
  | "FFC_WRONG_CONTEXT"
  | "FFC_OUT_OF_BOUNDS"
  | "FFC_OVERLAP"
  | "FFC_MISALIGNED"
  | "FFC_ABI_MISMATCH"
  | "FFC_UNSUPPORTED"
  | "FFC_LIMIT_EXCEEDED"
  | "FFC_NO_BACKEND"
  | "FFC_NO_DRIVER"
  | "FFC_NO_DEVICE"
  | "FFC_OUT_OF_MEMORY"
  | "FFC_CANCELLED"
  | "FFC_NOT_READY"
  | "FFC_CUDA_ERROR"
  | "FFC_INTERNAL_ERROR"
  | "LIBRARY_NOT_FOUND"
  | "PERMISSION_DENIED";

/** Base of every error this module throws. The message says what was asked for and what is possible. */
export class FlashFFTConvError extends Error {
  /** The status name, e.g. "FFC_INVALID_SHAPE". */
  readonly code: ErrorCode;

  /** Used by the subclasses and for statuses without one. */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** A value outside its range, or an option that does not exist. */
export class InvalidArgumentError extends FlashFFTConvError {
  /** `message` says what was given and what is possible. */
  constructor(message: string) {
    super("FFC_INVALID_ARGUMENT", message);
  }
}

/** Sizes, shapes or strides that do not fit together, such as another shape than the plan was made for. */
export class ShapeError extends FlashFFTConvError {
  /** `message` says what was given and what is possible. */
  constructor(message: string) {
    super("FFC_INVALID_SHAPE", message);
  }
}

/** An element type that does not exist, or another one than was planned. */
export class DtypeError extends FlashFFTConvError {
  /** `message` says what was given and what is possible. */
  constructor(message: string) {
    super("FFC_INVALID_DTYPE", message);
  }
}

/** Something was used after it, or its device, had been disposed. */
export class DisposedError extends FlashFFTConvError {
  /** `message` says what was used. */
  constructor(message: string) {
    super("FFC_INVALID_HANDLE", message);
  }
}

/** Objects of two devices met in one call. */
export class WrongDeviceError extends FlashFFTConvError {
  /** `message` says whose object was given where. */
  constructor(message: string) {
    super("FFC_WRONG_CONTEXT", message);
  }
}

/** A view or tensor would reach past the end of its memory. */
export class OutOfBoundsError extends FlashFFTConvError {
  /** `message` says what was asked for and how much there is. */
  constructor(message: string) {
    super("FFC_OUT_OF_BOUNDS", message);
  }
}

/** An output overlaps an input in a way the plan cannot run. */
export class OverlapError extends FlashFFTConvError {
  /** `message` says which tensors overlap. */
  constructor(message: string) {
    super("FFC_OVERLAP", message);
  }
}

/** An offset is not a multiple of the element size. */
export class MisalignedError extends FlashFFTConvError {
  /** `message` says which offset, and what it must be a multiple of. */
  constructor(message: string) {
    super("FFC_MISALIGNED", message);
  }
}

/** The native library and this module are of different releases. */
export class AbiMismatchError extends FlashFFTConvError {
  /** `message` says both versions and what to do. */
  constructor(message: string) {
    super("FFC_ABI_MISMATCH", message);
  }
}

/** Valid, but this library or device does not offer it. */
export class UnsupportedError extends FlashFFTConvError {
  /** `message` says what is offered instead. */
  constructor(message: string) {
    super("FFC_UNSUPPORTED", message);
  }
}

/** Longer or larger than the stated limit. */
export class LimitExceededError extends FlashFFTConvError {
  /** `message` says the value and the limit. */
  constructor(message: string) {
    super("FFC_LIMIT_EXCEEDED", message);
  }
}

/** The device cannot be used here: no backend in this library, no driver, or no such device. */
export class DeviceUnavailableError extends FlashFFTConvError {
  /**
   * Keeps the reason as the code.
   *
   * @param code which of the three reasons
   * @param message the reason in words
   */
  constructor(code: "FFC_NO_BACKEND" | "FFC_NO_DRIVER" | "FFC_NO_DEVICE", message: string) {
    super(code, message);
  }
}

/** Neither the device nor the host gives so much memory, or the device's `memoryLimitBytes` is reached. */
export class OutOfMemoryError extends FlashFFTConvError {
  /** `message` says how much was asked for. */
  constructor(message: string) {
    super("FFC_OUT_OF_MEMORY", message);
  }
}

/** A question about work that has not finished, e.g. the time of an event that was not reached. */
export class NotReadyError extends FlashFFTConvError {
  /** `message` says what has to be awaited first. */
  constructor(message: string) {
    super("FFC_NOT_READY", message);
  }
}

/** The CUDA runtime reported an error. */
export class CudaError extends FlashFFTConvError {
  /** `message` says CUDA's name and text of the error. */
  constructor(message: string) {
    super("FFC_CUDA_ERROR", message);
  }
}

/** A bug in this library; please report it. */
export class InternalError extends FlashFFTConvError {
  /** `message` says what was found to be wrong. */
  constructor(message: string) {
    super("FFC_INTERNAL_ERROR", message);
  }
}

/** No native library could be opened. */
export class LibraryNotFoundError extends FlashFFTConvError {
  /** Every place that was tried, in order. */
  readonly attempts: readonly LoadAttempt[];

  /** `attempts` is what was tried. */
  constructor(attempts: readonly LoadAttempt[]) {
    super("LIBRARY_NOT_FOUND", `The flashfftconv library could not be loaded. Tried:\n${describe(attempts)}`);
    this.attempts = attempts;
  }
}

/** The runtime does not let this program open the native library. */
export class PermissionError extends FlashFFTConvError {
  /** Every place that was tried, in order. */
  readonly attempts: readonly LoadAttempt[];
  /** The command-line flag that grants what is missing. */
  readonly flag: string;

  /**
   * Lists the attempts.
   *
   * @param flag the flag that is missing
   * @param attempts what was tried
   */
  constructor(flag: string, attempts: readonly LoadAttempt[]) {
    super(
      "PERMISSION_DENIED",
      `Opening the flashfftconv library has not been granted; run with ${flag}. Tried:\n${describe(attempts)}`,
    );
    this.flag = flag;
    this.attempts = attempts;
  }
}

function describe(attempts: readonly LoadAttempt[]): string {
  return attempts.map((a, i) =>
    `  ${i + 1}. ${a.place}${a.path && `: ${a.path}`}\n     ${a.reason}\n     to mend it: ${a.remedy}`
  ).join("\n");
}

const nameOfStatus = new Map<number, ErrorCode | "FFC_OK">(
  Object.entries(STATUS).map(([name, value]) => [value, name as keyof typeof STATUS]),
);

const classOfStatus: { readonly [code in ErrorCode]?: new (message: string) => FlashFFTConvError } = {
  FFC_INVALID_ARGUMENT: InvalidArgumentError,
  FFC_INVALID_SHAPE: ShapeError,
  FFC_INVALID_DTYPE: DtypeError,
  FFC_INVALID_HANDLE: DisposedError,
  FFC_WRONG_CONTEXT: WrongDeviceError,
  FFC_OUT_OF_BOUNDS: OutOfBoundsError,
  FFC_OVERLAP: OverlapError,
  FFC_MISALIGNED: MisalignedError,
  FFC_ABI_MISMATCH: AbiMismatchError,
  FFC_UNSUPPORTED: UnsupportedError,
  FFC_LIMIT_EXCEEDED: LimitExceededError,
  FFC_OUT_OF_MEMORY: OutOfMemoryError,
  FFC_NOT_READY: NotReadyError,
  FFC_CUDA_ERROR: CudaError,
  FFC_INTERNAL_ERROR: InternalError,
};

/** The typed error of a status that a C call returned (module-internal). */
export function errorFromStatus(status: number, message: string): FlashFFTConvError {
  const code = nameOfStatus.get(status);
  if (code === undefined || code === "FFC_OK") {
    return new InternalError(`the library returned the unknown status ${status}: ${message}`);
  }
  if (code === "FFC_NO_BACKEND" || code === "FFC_NO_DRIVER" || code === "FFC_NO_DEVICE") {
    return new DeviceUnavailableError(code, message);
  }
  const Class = classOfStatus[code];
  return Class ? new Class(message) : new FlashFFTConvError(code, message);
}
