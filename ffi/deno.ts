/**
 * Opens the native library with Deno.dlopen. Uses no Deno.UnsafePointer*, so that a path-scoped --allow-ffi is enough.
 *
 * @module
 */
import type { NativeLibrary, OpenFailure, Runtime } from "./native.ts";
import { symbols } from "./symbols.ts";

function granted(descriptor: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(descriptor).state === "granted";
}

// NotCapable (a permission that was not granted) is not an instance of PermissionDenied (the file system's refusal).
function failure(error: unknown): OpenFailure {
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof Deno.errors.NotCapable) return { kind: "permission", reason };
  const missing = /no such file|cannot find|image not found/i.test(reason);
  return { kind: missing ? "missing" : "unusable", reason: reason.replace(/^Could not open library: /, "") };
}

function open(path: string): NativeLibrary | OpenFailure {
  try {
    const library = Deno.dlopen(path, symbols);
    return { path, calls: library.symbols as NativeLibrary["calls"], close: () => library.close() };
  } catch (error) {
    return failure(error);
  }
}

/** Deno as the runtime of ffi/load.ts. Nothing here makes Deno ask the user, except `open` itself. */
export const runtime: Runtime = {
  open,
  mayOpen: (path) => granted({ name: "ffi", path }),
  env: (name) => granted({ name: "env", variable: name }) ? Deno.env.get(name) : null,
  readFile(path) {
    if (!granted({ name: "read", path })) return null;
    try {
      return Deno.readFileSync(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  },
  exists(path) {
    if (!granted({ name: "read", path })) return null;
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false; // not there, or behind a directory that this user cannot enter: dlopen could not open it either
    }
  },
  writeFile(path, bytes) {
    if (!granted({ name: "write", path })) return false;
    const folder = path.replace(/[^/]*$/, "");
    if (folder) Deno.mkdirSync(folder, { recursive: true });
    // Beside the file, so that renaming is one step of the file system: nobody ever reads half a file.
    const beside = `${path}.${crypto.randomUUID()}`;
    try {
      Deno.writeFileSync(beside, bytes);
      Deno.renameSync(beside, path);
    } catch (error) {
      try {
        Deno.removeSync(beside);
      } catch {
        // it was never made, or it is the file now
      }
      throw error;
    }
    return true;
  },
  os: Deno.build.os,
  arch: Deno.build.arch,
  openFlag: (path) => `--allow-ffi=${path}`,
};
