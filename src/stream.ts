import { checkKeys, show } from "./check.ts";
import type { Device } from "./device.ts";
import { InvalidArgumentError, WrongDeviceError } from "./errors.ts";
import { NativeObject, type Session } from "./session.ts";

/** Where to run a copy or a transform. */
export interface StreamOption {
  /** The stream to enqueue on; left out, the device's default stream. */
  readonly stream?: Stream;
}

const streamOptionNames = new Set(["stream"]);

/** The handle of the stream in the options of `what` (module-internal). */
export function streamOf(what: string, session: Session, options: StreamOption): bigint {
  checkKeys(what, options, streamOptionNames);
  return streamHandle(session, options.stream);
}

/** Makes a stream for a session (module-internal). */
export let createStream: (device: Device, session: Session) => Stream;
/** The handle to pass for an optional stream (module-internal). 0 is the context's default stream. */
export let streamHandle: (session: Session, stream: Stream | undefined) => bigint;
/** Makes an event for a session (module-internal). */
export let createEvent: (device: Device, session: Session) => StreamEvent;

/**
 * A queue of work on a device. Work on one stream runs in order; several streams may run at once. Made by
 * {@link Device.stream}; calls without a stream use the device's default one.
 */
export class Stream {
  /** The device it belongs to, which is not collected as garbage before the stream. */
  readonly device: Device;
  readonly #native: NativeObject;

  private constructor(device: Device, session: Session) {
    this.device = device;
    this.#native = new NativeObject(
      session,
      session.create("stream", (c, h, e) => c.ffc_stream_create(session.context, h, e)),
      "stream",
    );
  }

  static {
    createStream = (device, session) => new Stream(device, session);
    streamHandle = (session, stream) => {
      if (stream === undefined) return 0n;
      if (!(stream instanceof Stream)) {
        throw new InvalidArgumentError(`stream is ${show(stream)}; it must come from device.stream()`);
      }
      if (stream.#native.session !== session) {
        stream.#native.handle; // use after dispose is the better message
        throw new WrongDeviceError("the stream belongs to another device");
      }
      return stream.#native.handle;
    };
  }

  /** True after dispose(), also of the device. */
  get disposed(): boolean {
    return this.#native.disposed;
  }

  /**
   * Waits for everything enqueued on this stream so far, without blocking the event loop. Rejects with the first
   * error of that work, once.
   */
  async synchronize(): Promise<void> {
    const { session, handle } = this.#native;
    await session.wait([handle], (c, e) => c.ffc_stream_synchronize_async(0n, handle, e));
  }

  /** Gives the stream back; work in flight is finished. Harmless when repeated. */
  dispose(): void {
    this.#native.dispose();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** A point in a stream that can be waited for, and timed against another one. Made by {@link Device.event}. */
export class StreamEvent {
  /** The device it belongs to, which is not collected as garbage before the event. */
  readonly device: Device;
  readonly #native: NativeObject;
  static readonly #milliseconds = new Float64Array(1);

  private constructor(device: Device, session: Session) {
    this.device = device;
    this.#native = new NativeObject(
      session,
      session.create("event", (c, h, e) => c.ffc_event_create(session.context, h, e)),
      "event",
    );
  }

  static {
    createEvent = (device, session) => new StreamEvent(device, session);
  }

  /** True after dispose(), also of the device. */
  get disposed(): boolean {
    return this.#native.disposed;
  }

  /** Marks this point of a stream; without one, of the device's default stream. May be repeated. */
  record(stream?: Stream): void {
    const { session, handle } = this.#native;
    session.lease.check(session.calls.ffc_event_record(handle, streamHandle(session, stream), session.lease.error));
  }

  /** Waits, without blocking the event loop, until the device has reached this point. */
  async synchronize(): Promise<void> {
    const { session, handle } = this.#native;
    await session.wait([handle], (c, e) => c.ffc_event_synchronize_async(handle, e));
  }

  /**
   * Milliseconds of device time since another event.
   *
   * @param begin the earlier event; both must have been recorded, on this device
   * @throws {WrongDeviceError} if the other event belongs to another device
   * @throws {NotReadyError} if one of them has not been reached yet: await `synchronize()` of the later one first
   */
  elapsedMsSince(begin: StreamEvent): number {
    const { session, handle } = this.#native;
    if (!(begin instanceof StreamEvent)) {
      throw new InvalidArgumentError(`begin is ${show(begin)}; it must come from device.event()`);
    }
    if (begin.#native.session !== session) {
      begin.#native.handle;
      throw new WrongDeviceError("the events belong to two devices");
    }
    const out = StreamEvent.#milliseconds;
    session.lease.check(session.calls.ffc_event_elapsed_ms(begin.#native.handle, handle, out, session.lease.error));
    return out[0]!;
  }

  /** Gives the event back. Harmless when repeated. */
  dispose(): void {
    this.#native.dispose();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
