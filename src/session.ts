// What a device and its children share: the library, the native context, and the handles that are still alive.
// It refers to no public object, so the garbage collector can find those unreachable and the backstop below can
// clean up after them.
import type { NativeCalls } from "../ffi/native.ts";
import { DisposedError } from "./errors.ts";
import { LibraryLease } from "./library.ts";

/** The kinds of native objects that belong to a context. */
export type Kind = "buffer" | "stream" | "event" | "plan" | "spectrum";

const destroyer: { readonly [K in Kind]: keyof NativeCalls & `ffc_${K}_destroy` } = {
  buffer: "ffc_buffer_destroy",
  stream: "ffc_stream_destroy",
  event: "ffc_event_destroy",
  plan: "ffc_plan_destroy",
  spectrum: "ffc_spectrum_destroy",
};

/** Where a call writes the handle of what it created. */
const created = new BigUint64Array(1);

/** One opened device, as its children know it. */
export class Session {
  readonly lease: LibraryLease;
  readonly context: bigint;
  readonly #live = new Map<bigint, Kind>();
  // How many non-blocking calls are about to use, or using, a handle. A call looks its handles up on a thread of
  // the pool, some time after it was started, so a handle that is disposed meanwhile must stay valid until then.
  readonly #pins = new Map<bigint, number>();
  readonly #doomed = new Map<bigint, Kind | "context">();
  #closed = false;

  /** Creates the native context; releases the library again where that fails. */
  constructor(libraryPath: string | URL | undefined, createContext: (lease: LibraryLease) => bigint) {
    this.lease = new LibraryLease(libraryPath);
    try {
      this.context = createContext(this.lease);
    } catch (error) {
      this.lease.release();
      throw error;
    }
  }

  /** True after close(). */
  get closed(): boolean {
    return this.#closed;
  }

  /** The C functions, while the device is open. */
  get calls(): NativeCalls {
    if (this.#closed) throw new DisposedError("this device was disposed; open another one");
    return this.lease.calls;
  }

  /** Runs a synchronous creating call and remembers the new handle. */
  create(
    kind: Kind,
    call: (calls: NativeCalls, handle: BigUint64Array<ArrayBuffer>, error: Uint8Array<ArrayBuffer>) => number,
  ): bigint {
    this.lease.check(call(this.calls, created, this.lease.error));
    const handle = created[0] ?? 0n;
    this.#live.set(handle, kind);
    return handle;
  }

  /** Awaits a non-blocking call. `pins` are the handles it uses, `keep` the host memory. */
  async wait(
    pins: readonly bigint[],
    call: (calls: NativeCalls, error: Uint8Array<ArrayBuffer>) => Promise<number>,
    ...keep: unknown[]
  ): Promise<void> {
    await this.pinned(pins, () => this.lease.wait(call, ...keep));
  }

  /** Awaits `work`, several calls by `lease.wait`. What is disposed meanwhile stays valid for all of them. */
  async pinned(pins: readonly bigint[], work: () => Promise<void>): Promise<void> {
    if (this.#closed) throw new DisposedError("this device was disposed; open another one");
    pins = [this.context, ...pins];
    for (const pin of pins) this.#pins.set(pin, (this.#pins.get(pin) ?? 0) + 1);
    try {
      await work();
    } finally {
      for (const pin of pins) {
        const count = (this.#pins.get(pin) ?? 1) - 1;
        if (count > 0) this.#pins.set(pin, count);
        else this.#unpinned(pin);
      }
      this.#releaseWhenDone();
    }
  }

  #unpinned(handle: bigint): void {
    this.#pins.delete(handle);
    const kind = this.#doomed.get(handle);
    if (kind === undefined) return;
    this.#doomed.delete(handle);
    this.#destroyNow(handle, kind);
  }

  #destroyNow(handle: bigint, kind: Kind | "context"): void {
    const name = kind === "context" ? "ffc_context_destroy" : destroyer[kind];
    this.lease.check(this.lease.calls[name](handle, this.lease.error));
  }

  #destroyOrDefer(handle: bigint, kind: Kind | "context"): void {
    if (this.#pins.has(handle)) this.#doomed.set(handle, kind);
    else this.#destroyNow(handle, kind);
  }

  #releaseWhenDone(): void {
    if (this.#closed && this.#pins.size === 0) this.lease.release();
  }

  /** Destroys a native object; harmless when repeated, and after the device was disposed. */
  destroy(handle: bigint): void {
    const kind = this.#live.get(handle);
    if (kind === undefined) return;
    this.#live.delete(handle);
    this.#destroyOrDefer(handle, kind);
  }

  /** Destroys everything that is left, then the context. Work in flight keeps what it needs until it is done. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      for (const handle of [...this.#live.keys()]) this.destroy(handle);
      this.#destroyOrDefer(this.context, "context");
    } finally {
      this.#releaseWhenDone();
    }
  }
}

// The backstop for objects that nobody disposed. It runs some time after a garbage collection and not at exit.
const forgotten = new FinalizationRegistry<{ session: Session; handle?: bigint }>(({ session, handle }) => {
  if (handle === undefined) session.close();
  else if (!session.closed) session.destroy(handle);
});

/** Destroys the native object (without a handle: the whole session) once `owner` has been garbage-collected. */
export function destroyWhenForgotten(owner: WeakKey, session: Session, handle?: bigint): void {
  forgotten.register(owner, { session, handle }, owner);
}

/** Takes an owner off the list, after it was disposed properly. */
export function remembered(owner: WeakKey): void {
  forgotten.unregister(owner);
}

/** What every child of a device has in common: a handle that is destroyed once. */
export class NativeObject {
  /** The session of the device it belongs to. */
  readonly session: Session;
  readonly #handle: bigint;
  readonly #what: string;
  #disposed = false;

  /** Takes over a handle that `session.create` gave. `what` names the object in error messages. */
  constructor(session: Session, handle: bigint, what: string) {
    this.session = session;
    this.#handle = handle;
    this.#what = what;
    destroyWhenForgotten(this, session, handle);
  }

  /** True after dispose() or after the device was disposed. */
  get disposed(): boolean {
    return this.#disposed || this.session.closed;
  }

  /** The handle, while the object may be used. */
  get handle(): bigint {
    if (this.#disposed || this.session.closed) {
      const owner = this.#disposed ? `this ${this.#what}` : `the device of this ${this.#what}`;
      throw new DisposedError(`${owner} was disposed; it can no longer be used`);
    }
    return this.#handle;
  }

  /** Gives the native object back; harmless when repeated. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    remembered(this);
    if (!this.session.closed) this.session.destroy(this.#handle);
  }
}
