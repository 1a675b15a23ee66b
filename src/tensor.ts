import { checkKeys, show } from "./check.ts";
import type { Device } from "./device.ts";
import { checkDtype, checkHostArray, decode, type Dtype, dtypeBytes, encode, hostArray } from "./dtype.ts";
import type { Float16ArrayLike, HostArray } from "./dtype.ts";
import { DisposedError, InvalidArgumentError, MisalignedError, OutOfBoundsError, ShapeError } from "./errors.ts";
import { WrongDeviceError } from "./errors.ts";
import { NativeObject, type Session } from "./session.ts";
import { checkCount, checkShape, elementsOf, extentOf, isPacked, packedStrides } from "./shape.ts";
import { type Stream, streamHandle, streamOf, type StreamOption } from "./stream.ts";

/** Another way to see the memory of a tensor; everything in elements. */
export interface ViewOptions {
  /** The axes of the view, 1 to 3. */
  readonly shape: readonly number[];
  /** Elements from one index to the next, for each axis; the last must be 1. Left out: packed. */
  readonly strides?: readonly number[];
  /** Elements from the start of this tensor to the start of the view; default 0. */
  readonly offset?: number;
}

const viewOptionNames = new Set(["shape", "strides", "offset"]);

// Device memory and its users: the tensor that made it and every view.
class Memory {
  #users = 1;
  // The last transfer on each stream that is not done yet.
  readonly #transfers = new Map<bigint, Promise<void>>();
  constructor(readonly native: NativeObject, readonly bytes: number) {}
  // Transfers run on threads of the pool, and which of two threads comes first is chance: a later one waits for those
  // before it on its stream. Those of other streams have no order that could be kept.
  async inTurn(lane: bigint, transfer: () => Promise<void>): Promise<void> {
    const before = this.#transfers.get(lane);
    const turn = before ? before.then(transfer, transfer) : transfer();
    this.#transfers.set(lane, turn);
    try {
      await turn;
    } finally {
      if (this.#transfers.get(lane) === turn) this.#transfers.delete(lane);
    }
  }
  share(): this {
    this.#users++;
    return this;
  }
  leave(): void {
    if (--this.#users === 0) this.native.dispose();
  }
}

/** What other files of this module know of a tensor. */
export interface TensorNative {
  readonly session: Session;
  readonly buffer: bigint;
  readonly offsetBytes: number;
}

/** Makes a tensor with memory of its own (module-internal). */
export let createTensor: (device: Device, session: Session, shape: readonly number[], dtype: Dtype) => DeviceTensor;
/** The native side of a tensor that was not disposed (module-internal). */
export let tensorNative: (name: string, tensor: DeviceTensor) => TensorNative;
/** Blocking upload of a whole packed tensor (module-internal). */
export let uploadNow: (tensor: DeviceTensor, array: HostArray, stream?: Stream) => void;

/**
 * Numbers on a device: 1 to 3 axes, the last one contiguous, axes named (batch, channels, length) where there are
 * three. Made by {@link Device.tensor}, {@link Device.empty}, {@link Device.zeros}, or as the result of
 * {@link ConvPlan.forward}.
 */
export class DeviceTensor {
  /** The device it lies on. */
  readonly device: Device;
  /** Elements of each axis. */
  readonly shape: readonly number[];
  /** Elements from one index to the next, for each axis; the last is 1. */
  readonly strides: readonly number[];
  /** The element type. */
  readonly dtype: Dtype;
  readonly #memory: Memory;
  readonly #offsetBytes: number;
  #disposed = false;

  private constructor(
    device: Device,
    memory: Memory,
    shape: readonly number[],
    strides: readonly number[],
    dtype: Dtype,
    offsetBytes: number,
  ) {
    this.device = device;
    this.shape = shape;
    this.strides = strides;
    this.dtype = dtype;
    this.#memory = memory;
    this.#offsetBytes = offsetBytes;
  }

  static {
    createTensor = (device, session, shape, dtype) => {
      checkDtype("dtype", dtype);
      const axes = checkShape("shape", shape);
      const bytes = elementsOf(axes) * dtypeBytes[dtype];
      const handle = session.create("buffer", (c, h, e) => c.ffc_buffer_create(session.context, BigInt(bytes), h, e));
      const memory = new Memory(new NativeObject(session, handle, "tensor"), bytes);
      return new DeviceTensor(device, memory, axes, packedStrides(axes), dtype, 0);
    };
    tensorNative = (name, tensor) => {
      if (!(tensor instanceof DeviceTensor)) {
        throw new InvalidArgumentError(
          `${name} is ${show(tensor)}; it must be a DeviceTensor, from device.tensor(...)`,
        );
      }
      return tensor.#use(name);
    };
    uploadNow = (tensor, array, stream) => {
      const { session, buffer } = tensor.#use("tensor");
      const data = tensor.#encoded(array);
      const lane = streamHandle(session, stream);
      const { calls, lease } = session;
      lease.check(calls.ffc_buffer_write(buffer, 0n, data, BigInt(data.byteLength), lane, lease.error));
    };
  }

  /** Elements. */
  get size(): number {
    return elementsOf(this.shape);
  }

  /** Bytes of its elements, without gaps of a strided view. */
  get byteLength(): number {
    return this.size * dtypeBytes[this.dtype];
  }

  /** True after dispose(), also of the device. */
  get disposed(): boolean {
    return this.#disposed || this.#memory.native.disposed;
  }

  #use(name: string): TensorNative {
    if (this.#disposed) throw new DisposedError(`${name} was disposed; it can no longer be used`);
    const { session, handle } = this.#memory.native;
    return { session, buffer: handle, offsetBytes: this.#offsetBytes };
  }

  // Checks an array against this tensor and brings it into its dtype.
  #encoded(array: HostArray): Float32Array | Uint16Array | Float16ArrayLike {
    array = checkHostArray("data", array);
    if (array.length !== this.size) {
      throw new ShapeError(`data has ${array.length} elements; the shape ${show([...this.shape])} needs ${this.size}`);
    }
    return encode("data", array, this.dtype);
  }

  // Calls a transfer for each contiguous piece, in the memory's turn. Everything is looked up now and stays valid to
  // the end, whatever is disposed meanwhile.
  async #transfer(
    name: "ffc_buffer_write_async" | "ffc_buffer_read_async",
    array: Float32Array | Uint16Array | Float16ArrayLike,
    lane: bigint,
  ): Promise<void> {
    const { session, buffer } = this.#use("tensor");
    const bytes = dtypeBytes[this.dtype];
    await session.pinned([buffer, lane], () =>
      this.#memory.inTurn(lane, async () => {
        for (const { deviceBytes, first, count } of this.#pieces()) {
          const piece = new Uint8Array(array.buffer, array.byteOffset + first * bytes, count * bytes);
          await session.lease.wait(
            (c, e) => c[name](buffer, BigInt(deviceBytes), piece, BigInt(piece.byteLength), lane, e),
            piece,
          );
        }
      }));
  }

  // The contiguous pieces of the tensor: one for a packed one, else one a row.
  *#pieces(): Generator<{ deviceBytes: number; first: number; count: number }> {
    const bytes = dtypeBytes[this.dtype];
    const [length = 1, channels = 1, batch = 1] = [...this.shape].reverse();
    const [, channelStride = 0, batchStride = 0] = [...this.strides].reverse();
    if (isPacked(this.shape, this.strides)) {
      return yield { deviceBytes: this.#offsetBytes, first: 0, count: this.size };
    }
    for (let b = 0; b < batch; b++) {
      for (let h = 0; h < channels; h++) {
        const deviceBytes = this.#offsetBytes + (b * batchStride + h * channelStride) * bytes;
        yield { deviceBytes, first: (b * channels + h) * length, count: length };
      }
    }
  }

  /**
   * Copies host numbers into the tensor, in order and without gaps. Do not change the array before the promise is
   * fulfilled.
   *
   * It runs on another thread: after what was enqueued on the stream before the call, and after earlier reads and
   * writes of the same memory on that stream, but perhaps also after work that is enqueued later. Until the promise is
   * settled enqueue nothing that uses this tensor, or a view of the same memory.
   *
   * @param data `size` elements: a Float32Array (rounded to the dtype, to nearest even), or the bits of the dtype
   * @param options the stream to run on, after its earlier work
   * @throws {ShapeError} if the number of elements differs
   * @throws {DtypeError} if the array's type does not fit the dtype
   */
  async write(data: HostArray, options: StreamOption = {}): Promise<void> {
    const lane = streamOf("write", this.#use("tensor").session, options);
    await this.#transfer("ffc_buffer_write_async", this.#encoded(data), lane);
  }

  /**
   * Waits for the stream's earlier work and copies the tensor to the host, packed.
   *
   * It runs on another thread: after what was enqueued on the stream before the call, and after earlier reads and
   * writes of the same memory on that stream, but perhaps also after work that is enqueued later. Until the promise is
   * settled enqueue nothing that writes this tensor, or a view of the same memory.
   *
   * @param options the stream to wait for
   * @returns a Float32Array, or for float16 and bfloat16 a Uint16Array of bits
   */
  async read(options: StreamOption = {}): Promise<Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>> {
    const lane = streamOf("read", this.#use("tensor").session, options);
    const result = hostArray(this.dtype, this.size);
    await this.#transfer("ffc_buffer_read_async", result, lane);
    return result;
  }

  /** As {@link DeviceTensor.read}, and widens 16-bit elements to float32, which is exact. */
  async toFloat32Array(options: StreamOption = {}): Promise<Float32Array> {
    return decode(await this.read(options), this.dtype);
  }

  /**
   * The same memory with another shape, strides or start. It stays alive until the tensor and all its views are
   * disposed.
   *
   * @throws {OutOfBoundsError} if the view would reach past this tensor
   * @throws {ShapeError} if the last axis is not contiguous, or the strides do not fit the shape
   * @example the second half of the channels
   * ```ts
   * import { openDevice } from "@flashfftconv/flashfftconv";
   * import assert from "node:assert/strict";
   * using device = openDevice("cpu");
   * using u = device.tensor(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), { shape: [1, 4, 2] });
   * using half = u.view({ shape: [1, 2, 2], offset: 4 });
   * assert.deepEqual(await half.read(), Float32Array.of(5, 6, 7, 8));
   * ```
   */
  view(options: ViewOptions): DeviceTensor {
    this.#use("tensor");
    checkKeys("a view", options, viewOptionNames);
    const shape = checkShape("shape", options.shape);
    const offset = checkCount("offset", options.offset ?? 0, Number.MAX_SAFE_INTEGER, 0);
    let strides = packedStrides(shape);
    if (options.strides !== undefined) {
      const given = options.strides;
      if (!Array.isArray(given) || given.length !== shape.length || given.at(-1) !== 1) {
        throw new ShapeError(
          `strides are ${show(given)} for shape ${show([...shape])}; ` +
            "there must be one for each axis, and the last must be 1",
        );
      }
      for (const [axis, s] of given.entries()) checkCount(`strides[${axis}]`, s, Number.MAX_SAFE_INTEGER, 0);
      strides = Object.freeze([...given]);
    }
    const end = offset + extentOf(shape, strides);
    const available = extentOf(this.shape, this.strides);
    if (end > available) {
      throw new OutOfBoundsError(`the view reaches to element ${end}; the tensor has ${available}`);
    }
    const offsetBytes = this.#offsetBytes + offset * dtypeBytes[this.dtype];
    return new DeviceTensor(this.device, this.#memory.share(), shape, strides, this.dtype, offsetBytes);
  }

  #packedPart(what: string): { session: Session; buffer: bigint; offset: bigint; bytes: bigint } {
    const { session, buffer, offsetBytes } = this.#use("tensor");
    if (!isPacked(this.shape, this.strides)) throw new ShapeError(`${what} needs a tensor without gaps between rows`);
    return { session, buffer, offset: BigInt(offsetBytes), bytes: BigInt(this.byteLength) };
  }

  /**
   * Copies another tensor of the same device, number of elements and dtype into this one. Enqueued, not awaited.
   *
   * @throws {WrongDeviceError} if the other tensor lies on another device
   */
  copyFrom(source: DeviceTensor, options: StreamOption = {}): void {
    const to = this.#packedPart("copyFrom");
    tensorNative("source", source);
    const from = source.#packedPart("copyFrom");
    // Of another library, too, whose handles mean something else in this one.
    if (from.session !== to.session) {
      throw new WrongDeviceError("source lies on another device; read it there, and write what was read");
    }
    if (source.dtype !== this.dtype || source.size !== this.size) {
      throw new ShapeError(
        `source has ${source.size} elements of ${source.dtype}; this tensor has ${this.size} of ${this.dtype}`,
      );
    }
    const { calls, lease } = to.session;
    const lane = streamOf("copyFrom", to.session, options);
    lease.check(calls.ffc_buffer_copy(to.buffer, to.offset, from.buffer, from.offset, to.bytes, lane, lease.error));
  }

  /**
   * Sets every byte to `value` (0 … 255); 0 makes zeros, 255 makes NaN in every dtype. Enqueued, not awaited.
   */
  fillBytes(value: number, options: StreamOption = {}): void {
    const { session, buffer, offset, bytes } = this.#packedPart("fillBytes");
    if (!Number.isInteger(value) || value < 0 || value > 255) {
      throw new InvalidArgumentError(`value is ${show(value)}; it must be a whole number from 0 to 255`);
    }
    const lane = streamOf("fillBytes", session, options);
    session.lease.check(session.calls.ffc_buffer_fill(buffer, offset, bytes, value, lane, session.lease.error));
  }

  /** Gives the memory back, once work in flight is done with it. Harmless when repeated. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#memory.leave();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Checks the alignment of a workspace view (module-internal): C reads it in words of 16 bytes. */
export function checkWorkspaceAlignment(offsetBytes: number): void {
  if (offsetBytes % 16 !== 0) {
    throw new MisalignedError(`workspace starts ${offsetBytes} bytes into its memory; it must be a multiple of 16`);
  }
}
