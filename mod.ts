/**
 * Long convolutions by fused FFTs, on CUDA GPUs and on the CPU.
 *
 * With arrays on the host, one line is enough:
 *
 * ```ts
 * import { convolve } from "@flashfftconv/flashfftconv";
 *
 * const u = Float32Array.of(1, 2, 3, 4);
 * const k = Float32Array.of(1, 0.5);
 * console.log(await convolve(u, k)); // causal: Float32Array [1, 2.5, 4, 5.5]
 * ```
 *
 * For many calls, keep the numbers on a device, plan once, and transform the kernel once:
 *
 * ```ts
 * import { openDevice } from "@flashfftconv/flashfftconv";
 *
 * using device = openDevice(); // a GPU where there is one, else the CPU; device.reason says why
 * using u = device.tensor(new Float32Array(2 * 3 * 1024).fill(1), { shape: [2, 3, 1024] });
 * using plan = device.plan({ batch: 2, channels: 3, length: 1024, kernelLength: 1024, mode: "causal" });
 * using spectrum = plan.spectrum(new Float32Array(3 * 1024).fill(0.001));
 * using y = plan.forward(u, spectrum); // enqueued
 * const values = await y.read(); // waited for
 * console.log(values[1023]); // the sum of 1024 products of 0.001, about 1.024
 * ```
 *
 * Running it needs `--allow-ffi`, or `--allow-ffi=PATH` with the path of the native library, and nothing else.
 * Convolution here means Σ_j k[j] u[n - j], not the cross-correlation that deep-learning frameworks call so.
 *
 * @module
 */
export { convolve, type ConvolveOptions } from "./src/convolve.ts";
export {
  Device,
  type DeviceAvailability,
  type DeviceInfo,
  type DeviceOptions,
  type DeviceType,
  type LibraryInfo,
  libraryInfo,
  type MemoryInfo,
  openDevice,
  type TensorOptions,
} from "./src/device.ts";
export { DeviceTensor, type ViewOptions } from "./src/tensor.ts";
export { ConvPlan, type ConvPlanInfo, type ForwardOptions } from "./src/plan.ts";
export type { ConvPlanOptions, ConvStrides, RowStrides } from "./src/problem.ts";
export type { FrequencyChoice, FrequencyPattern, PickOptions } from "./src/frequency.ts";
export { KernelSpectrum } from "./src/spectrum.ts";
export { Stream, StreamEvent, type StreamOption } from "./src/stream.ts";
export {
  type CandidateExplanation,
  type JsonValue,
  type PassExplanation,
  PlanExplanation,
  type RefusalExplanation,
} from "./src/explain.ts";
export type { Measured } from "./src/explain.ts";
export type { MeasureOptions } from "./src/measure.ts";
export { calibrate, type CalibrateOptions, type Calibration } from "./src/calibrate.ts";
export type { Constants } from "./src/constants.ts";
export { type Algorithm, type ConvMode, outputLength, type Precision } from "./src/mode.ts";
export type { Dtype, Float16ArrayLike, HostArray } from "./src/dtype.ts";
export {
  bfloat16BitsToFloat32,
  float16BitsToFloat32,
  float32ToBfloat16Bits,
  float32ToFloat16Bits,
} from "./src/half.ts";
export {
  AbiMismatchError,
  CudaError,
  DeviceUnavailableError,
  DisposedError,
  type ErrorCode,
  FlashFFTConvError,
  InternalError,
  InvalidArgumentError,
  LibraryNotFoundError,
  LimitExceededError,
  MisalignedError,
  NotReadyError,
  OutOfBoundsError,
  OutOfMemoryError,
  OverlapError,
  PermissionError,
  ShapeError,
  UnsupportedError,
  WrongDeviceError,
} from "./src/errors.ts";
export { DtypeError } from "./src/errors.ts";
export type { LoadAttempt } from "./ffi/load.ts";
