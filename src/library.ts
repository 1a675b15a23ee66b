// The loaded native library, shared by everything that was opened with the same libraryPath, and closed with its
// last user. Whoever holds a lease may call; whoever awaits a non-blocking call holds a lease too, so that the
// library never goes away under a running call.
import { runtime } from "../ffi/deno.ts";
import { STRUCTS } from "../ffi/layout.ts";
import { loadLibrary } from "../ffi/load.ts";
import type { NativeCalls, NativeLibrary } from "../ffi/native.ts";
import { decodeText, Struct } from "../ffi/struct.ts";
import { show } from "./check.ts";
import { AbiMismatchError, DisposedError, errorFromStatus, InvalidArgumentError } from "./errors.ts";
import { LibraryNotFoundError, PermissionError } from "./errors.ts";

/** The release of this module; equals deno.json's version and ffc_version(). */
export const VERSION = "0.1.0";

const messageStart = STRUCTS.ffc_error.fields.message.offset;

// What non-blocking calls read and write. The runtime hands C a bare address and keeps nothing alive itself, so a
// garbage collection during the call must find these.
const inUse = new Set<readonly unknown[]>();

class OpenLibrary {
  users = 0;
  // Synchronous calls run one at a time, so one error struct serves them all.
  readonly error = new Struct("ffc_error");
  constructor(readonly key: string, readonly native: NativeLibrary) {}
}

const open = new Map<string, OpenLibrary>();

function find(libraryPath: string | URL | undefined): OpenLibrary {
  // An empty path would open the program itself.
  const usable = libraryPath instanceof URL || (typeof libraryPath === "string" && libraryPath !== "");
  if (libraryPath !== undefined && !usable) {
    throw new InvalidArgumentError(`libraryPath is ${show(libraryPath)}; it must be a path or a file: URL`);
  }
  const key = libraryPath === undefined ? "" : libraryPath.toString();
  const known = open.get(key);
  if (known) return known;
  const loaded = loadLibrary(runtime, new URL("../ffi/load.ts", import.meta.url).href, VERSION, libraryPath);
  if ("attempts" in loaded) {
    const { attempts } = loaded;
    const only = attempts.length === 1 ? attempts[0] : undefined;
    if (only?.kind === "abi") throw new AbiMismatchError(`${only.path}: ${only.reason}; ${only.remedy}`);
    const refused = attempts.find((a) => a.kind === "permission" && a.remedy.startsWith("run with"));
    if (refused) throw new PermissionError(runtime.openFlag(refused.path), attempts);
    throw new LibraryNotFoundError(attempts);
  }
  const library = new OpenLibrary(key, loaded);
  open.set(key, library);
  return library;
}

/** One user's right to call the library. */
export class LibraryLease {
  readonly #library: OpenLibrary;
  #held = true;

  /** Loads the library if nobody has yet. */
  constructor(libraryPath?: string | URL) {
    this.#library = find(libraryPath);
    this.#library.users++;
  }

  /** The file that was loaded. */
  get path(): string {
    return this.#library.native.path;
  }

  /** The C functions; throws once the lease was released. */
  get calls(): NativeCalls {
    if (!this.#held) throw new DisposedError("the device was disposed, and with it its use of the library");
    return this.#library.native.calls;
  }

  /** The error struct of synchronous calls, to be given as their last argument. */
  get error(): Uint8Array<ArrayBuffer> {
    return this.#library.error.bytes;
  }

  /** Throws the typed error of a synchronous call that did not return FFC_OK. */
  check(status: number): void {
    if (status !== 0) throw errorFromStatus(status, this.#library.error.text("message"));
  }

  /**
   * Awaits a non-blocking call and throws its typed error. `keep` is everything the call reads or writes.
   */
  async wait(
    call: (calls: NativeCalls, error: Uint8Array<ArrayBuffer>) => Promise<number>,
    ...keep: unknown[]
  ): Promise<void> {
    const error = new Struct("ffc_error").bytes; // its own: other calls run meanwhile
    const pending = call(this.calls, error);
    keep.push(error);
    inUse.add(keep);
    this.#library.users++;
    try {
      const status = await pending;
      if (status !== 0) throw errorFromStatus(status, decodeText(error.subarray(messageStart)));
    } finally {
      inUse.delete(keep);
      leave(this.#library);
    }
  }

  /** Gives the right back; harmless when repeated. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    leave(this.#library);
  }
}

function leave(library: OpenLibrary): void {
  if (--library.users > 0) return;
  open.delete(library.key);
  library.native.close();
}

/** Calls a function that writes text, with as much room as it asks for. */
export function readText(call: (text: Uint8Array<ArrayBuffer>, capacity: bigint) => bigint): string {
  let text = new Uint8Array(256);
  const needed = Number(call(text, BigInt(text.length)));
  if (needed >= text.length) {
    text = new Uint8Array(needed + 1);
    call(text, BigInt(text.length));
  }
  return decodeText(text);
}

/** A text whose function reports by status: C is asked again where the first place was too small. */
export function longText(
  lease: LibraryLease,
  call: (
    text: Uint8Array<ArrayBuffer>,
    capacity: bigint,
    needed: BigUint64Array<ArrayBuffer>,
    error: Uint8Array<ArrayBuffer>,
  ) => number,
): string {
  const needed = new BigUint64Array(1);
  let text = new Uint8Array(16384);
  for (;;) {
    lease.check(call(text, BigInt(text.length), needed, lease.error));
    const length = Number(needed[0]);
    if (length < text.length) return decodeText(text);
    text = new Uint8Array(length + 1);
  }
}
