/**
 * What the rest of the module knows of a loaded native library. ffi/deno.ts opens one with Deno.dlopen; an adapter
 * for another runtime has to provide these two types and nothing else.
 *
 * @module
 */
import type { symbols } from "./symbols.ts";

/** A pointer parameter: any view of host memory, or null. Empty and detached arrays must be caught before. */
export type HostMemory = ArrayBufferView | null;

type ValueOf<T extends string> = T extends "buffer" ? HostMemory
  : T extends "u64" | "i64" | "usize" ? bigint
  : T extends "i32" | "u32" ? number
  : never;

type ParametersOf<P extends readonly string[]> = { -readonly [I in keyof P]: ValueOf<P[I]> };

type FunctionOf<S extends { readonly parameters: readonly string[]; readonly result: string }> = S extends
  { readonly nonblocking: true } ? (...values: ParametersOf<S["parameters"]>) => Promise<ValueOf<S["result"]>>
  : (...values: ParametersOf<S["parameters"]>) => ValueOf<S["result"]>;

/** The C functions as TypeScript functions; types follow from the table in ffi/symbols.ts. */
export type NativeCalls = { readonly [K in keyof typeof symbols]: FunctionOf<(typeof symbols)[K]> };

/** An opened library. Nobody may use `calls` after `close()`: that would be a jump into unmapped memory. */
export interface NativeLibrary {
  /** The file that was opened. */
  readonly path: string;
  /** The C functions. */
  readonly calls: NativeCalls;
  /** Unloads the library. */
  close(): void;
}

/** What the runtime says when a library cannot be opened. */
export interface OpenFailure {
  /** "permission": the runtime forbids it; "missing": no such file; "unusable": a file, but not this library. */
  readonly kind: "permission" | "missing" | "unusable";
  /** The runtime's own words. */
  readonly reason: string;
}

/** The few things the search for the library asks of a runtime. */
export interface Runtime {
  /** Opens a shared library and looks up every symbol. */
  open(path: string): NativeLibrary | OpenFailure;
  /** Whether `open(path)` is allowed without asking the user. */
  mayOpen(path: string): boolean;
  /** The value of an environment variable; undefined where it is unset, null where reading it is not granted. */
  env(name: string): string | undefined | null;
  /** The bytes of a file; undefined where there is none, null where reading it is not granted. */
  readFile(path: string): Uint8Array<ArrayBuffer> | undefined | null;
  /** Whether a file exists; null where looking is not granted. */
  exists(path: string): boolean | null;
  /** Writes a file whole or not at all, and the folders above it; false where writing is not granted. */
  writeFile(path: string, bytes: Uint8Array<ArrayBuffer>): boolean;
  /** "linux", "darwin" or "windows". */
  readonly os: string;
  /** "x86_64" or "aarch64". */
  readonly arch: string;
  /** How a user grants the permission to open `path`, e.g. a command-line flag. */
  openFlag(path: string): string;
}
