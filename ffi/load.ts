/**
 * Finds and opens the native library. Nothing is loaded at import, nothing is ever downloaded. The order:
 *
 * 1. the `libraryPath` option; if given, no other place is tried
 * 2. the environment variable FLASHFFTCONV_LIBRARY; if set, no other place is tried (and it is not looked at
 *    where reading it has not been granted)
 * 3. the repository's `build/` folder
 * 4. a file beside the module, then the platform's npm package
 * 5. the user's cache, where a file counts only with a matching SHA-256 beside it
 *
 * @module
 */
import { createHash } from "node:crypto";
import { ABI_VERSION } from "./layout.ts";
import type { NativeLibrary, Runtime } from "./native.ts";

/** One place where the library was looked for, and what came of it. */
export interface LoadAttempt {
  /** Which rule led there, e.g. "option libraryPath". */
  readonly place: string;
  /** The file; empty where no path could be formed. */
  readonly path: string;
  /** Why it was not used. */
  readonly reason: string;
  /** The exact command, flag or change that mends it. */
  readonly remedy: string;
  /** What kind of failure it is. */
  readonly kind: "permission" | "missing" | "unusable" | "abi";
}

/** The whole search failed. */
export interface LoadFailure {
  /** Every place, in the order tried. */
  readonly attempts: readonly LoadAttempt[];
}

/** The variable that names the library file. */
export const LIBRARY_VARIABLE = "FLASHFFTCONV_LIBRARY";

const REBUILD = "build it again: make lib";

interface Candidate {
  readonly place: string;
  readonly path: string;
  readonly remedy: string;
}

/** The file name of the library on an operating system. */
export function libraryFileName(os: string): string {
  if (os === "windows") return "flashfftconv.dll";
  return os === "darwin" ? "libflashfftconv.dylib" : "libflashfftconv.so";
}

/** The path of a file: URL in any form, or a path as given; Deno.dlopen opens paths only. */
export function toPath(path: string | URL): string {
  const text = path.toString();
  if (!text.startsWith("file:")) return text;
  let decoded;
  try {
    decoded = decodeURIComponent(new URL(text).pathname);
  } catch {
    return text; // not a well-formed URL: opening it fails, and the error shows it as it was given
  }
  return /^\/[A-Za-z]:\//.test(decoded) ? decoded.slice(1) : decoded;
}

// Opens one file and compares its ABI version before anything else is called.
function openChecked(runtime: Runtime, { place, path, remedy }: Candidate): NativeLibrary | LoadAttempt {
  const opened = runtime.open(path);
  if ("kind" in opened) {
    const mend = opened.kind === "permission"
      ? `run with ${runtime.openFlag(path)} (or --allow-ffi for every library)`
      : opened.kind === "unusable"
      ? `the file is no flashfftconv library for this machine and release; ${REBUILD}`
      : remedy;
    return { place, path, reason: opened.reason, remedy: mend, kind: opened.kind };
  }
  const version = opened.calls.ffc_abi_version();
  if (version === ABI_VERSION) return opened;
  opened.close();
  const reason = `it speaks ABI version ${version}, this module speaks version ${ABI_VERSION}`;
  return {
    place,
    path,
    reason,
    remedy: `use the library of the same release as the module, or ${REBUILD}`,
    kind: "abi",
  };
}

// Rules 3 and 4: places known from where this module lies.
function besideModule(runtime: Runtime, moduleUrl: string): Candidate[] {
  if (!moduleUrl.startsWith("file:")) return [];
  const file = libraryFileName(runtime.os);
  const platform = `${runtime.os}-${runtime.arch === "aarch64" ? "arm64" : "x64"}`;
  const at = (relative: string) => toPath(new URL(relative, moduleUrl));
  return [
    { place: "the repository's build folder", path: at(`../build/${file}`), remedy: "build it: make lib" },
    { place: "beside the module", path: at(`../${file}`), remedy: `put ${file} there` },
    {
      place: "the platform's npm package",
      path: at(`../node_modules/@flashfftconv/${platform}/${file}`),
      remedy: `npm install @flashfftconv/${platform}`,
    },
  ];
}

// Rule 5. The checksum file is `sha256sum`'s output for the library; it catches truncated and foreign files.
function cached(runtime: Runtime, version: string): Candidate | LoadAttempt {
  const place = "the cache";
  const remedy = "nothing to mend here: build the library instead, with make lib";
  const base = runtime.env("XDG_CACHE_HOME") || (runtime.env("HOME") && `${runtime.env("HOME")}/.cache`);
  if (!base) {
    const reason = "its folder is not known: neither XDG_CACHE_HOME nor HOME can be read";
    return { place, path: "", reason, remedy: "--allow-env=XDG_CACHE_HOME,HOME --allow-read", kind: "permission" };
  }
  const path = `${base}/flashfftconv/${version}/${libraryFileName(runtime.os)}`;
  const library = runtime.readFile(path);
  const sums = runtime.readFile(`${path}.sha256`);
  const refused = (reason: string, mend: string, kind: LoadAttempt["kind"]): LoadAttempt => ({
    place,
    path,
    reason,
    remedy: mend,
    kind,
  });
  if (library === null || sums === null) {
    return refused(
      "its checksum cannot be verified without reading it",
      `--allow-read=${path},${path}.sha256`,
      "permission",
    );
  }
  if (library === undefined) return refused("no such file", remedy, "missing");
  if (sums === undefined) {
    return refused("there is no .sha256 file beside it", `sha256sum ${path} > ${path}.sha256`, "unusable");
  }
  const wanted = new TextDecoder().decode(sums).trim().split(/\s/)[0];
  const found = createHash("sha256").update(library).digest("hex");
  if (wanted === found) return { place, path, remedy };
  return refused(
    `its SHA-256 is ${found}, the file beside it says ${wanted}`,
    `delete ${path} and install it again`,
    "unusable",
  );
}

/**
 * Opens the first usable library.
 *
 * @param runtime how to open files here
 * @param moduleUrl the URL of a module in this folder
 * @param version the release, part of the cache's path
 * @param libraryPath the explicit choice of the caller
 */
export function loadLibrary(
  runtime: Runtime,
  moduleUrl: string,
  version: string,
  libraryPath?: string | URL,
): NativeLibrary | LoadFailure {
  // Rules 1 and 2 are final: a person who names a file does not want another one.
  const only = (candidate: Candidate): NativeLibrary | LoadFailure => {
    const result = openChecked(runtime, candidate);
    return "calls" in result ? result : { attempts: [result] };
  };
  if (libraryPath !== undefined) {
    const place = "the option libraryPath";
    return only({ place, path: toPath(libraryPath), remedy: "give the path of an existing library" });
  }
  const named = runtime.env(LIBRARY_VARIABLE);
  if (named) {
    const place = `the environment variable ${LIBRARY_VARIABLE}`;
    return only({
      place,
      path: toPath(named),
      remedy: `unset ${LIBRARY_VARIABLE}, or let it name an existing library`,
    });
  }

  const attempts: LoadAttempt[] = [];
  if (named === null) {
    attempts.push({
      place: `the environment variable ${LIBRARY_VARIABLE}`,
      path: "",
      reason: "not looked at: reading it has not been granted",
      remedy: `--allow-env=${LIBRARY_VARIABLE}, if it should be used`,
      kind: "permission",
    });
  }
  const last = cached(runtime, version);
  const candidates = besideModule(runtime, moduleUrl);
  if (!("kind" in last)) candidates.push(last);

  // First what may be opened without asking. Then, where nothing was, the rest may make the runtime ask the user,
  // but only until the first refusal, and not for files that are known not to exist.
  const results = new Map<Candidate, LoadAttempt>();
  for (const candidate of candidates) {
    if (!runtime.mayOpen(candidate.path)) continue;
    const result = openChecked(runtime, candidate);
    if ("calls" in result) return result;
    results.set(candidate, result);
  }
  let refused = false;
  for (const candidate of candidates) {
    if (results.has(candidate)) continue;
    const { place, path, remedy } = candidate;
    if (runtime.exists(path) === false) {
      results.set(candidate, { place, path, reason: "no such file", remedy, kind: "missing" });
    } else if (refused) {
      const reason = "opening it has not been granted";
      results.set(candidate, { place, path, reason, remedy: `run with ${runtime.openFlag(path)}`, kind: "permission" });
    } else {
      const result = openChecked(runtime, candidate);
      if ("calls" in result) return result;
      refused = result.kind === "permission";
      results.set(candidate, result);
    }
  }
  for (const candidate of candidates) {
    const result = results.get(candidate);
    if (result) attempts.push(result);
  }
  if ("kind" in last) attempts.push(last);
  return { attempts };
}
