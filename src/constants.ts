// The cost model's constants as numbers by name, as text for C, and as a file of the user's.
import { runtime } from "../ffi/deno.ts";
import { toPath } from "../ffi/load.ts";
import { show } from "./check.ts";
import { InvalidArgumentError } from "./errors.ts";
import { VERSION } from "./library.ts";

/** Constants of the cost model by name; cuda/planner/constants.h says what each is. */
export type Constants = Readonly<Record<string, number>>;

/** The device that constants were measured on. */
export interface ConstantsDevice {
  /** "cuda" or "cpu". */
  readonly type: string;
  /** E.g. "NVIDIA H200". */
  readonly name: string;
  /** E.g. "sm_90" or "avx512". */
  readonly instructionSet: string;
  /** Multiprocessors or threads. */
  readonly computeUnits: number;
}

/** What a constants file holds. */
export interface ConstantsFile {
  /** Always "flashfftconv-constants". */
  readonly format: string;
  /** The version of the cost model; another one's numbers mean something else. */
  readonly version: number;
  /** The release that measured. */
  readonly release: string;
  /** When, as ISO 8601. */
  readonly measured: string;
  /** On what. */
  readonly device: ConstantsDevice;
  /** The numbers. */
  readonly constants: Constants;
}

const format = "flashfftconv-constants";
// No device is so slow or so fast. Beyond, the model's products and powers leave what a double can hold.
const least = 1e-9, most = 1e18;
const deviceKeys = ["type", "name", "instructionSet", "computeUnits"] as const;

/** The text of C: the heading's version, and the numbers. */
export function parseConstants(text: string): { version: number; constants: Constants } {
  const [heading = "", ...lines] = text.trimEnd().split("\n");
  const constants = Object.fromEntries(lines.map((line) => {
    const [name = "", value] = line.split(" ");
    return [name, Number(value)];
  }));
  return { version: Number(heading.split(" ")[1]), constants };
}

/** The text for C. */
export function constantsText(version: number, constants: Constants): string {
  if (typeof constants !== "object" || constants === null || Array.isArray(constants)) {
    throw new InvalidArgumentError(`constants is ${show(constants)}; it must be an object of numbers`);
  }
  const lines = Object.entries(constants).map(([name, value]) => {
    if (typeof value !== "number" || !(value >= least && value <= most) || /\s/.test(name)) {
      const range = `from ${least} to ${most.toExponential()}`;
      throw new InvalidArgumentError(
        `the constant ${show(name)} is ${show(value)}; it must be a number above 0, ${range}`,
      );
    }
    return `${name} ${value}\n`;
  });
  return `${format} ${version}\n${lines.join("")}`;
}

/** Where a device's constants lie unless told otherwise; undefined where the user's folder is not known. */
export function defaultConstantsPath(device: ConstantsDevice): string | undefined {
  const home = runtime.env("HOME");
  const base = runtime.env("XDG_CACHE_HOME") || (home ? `${home}/.cache` : undefined);
  if (!base) return undefined;
  const words = [device.type, device.name, device.instructionSet, String(device.computeUnits)].join("-");
  return `${base}/flashfftconv/constants-${words.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}.json`;
}

/** The path of FLASHFFTCONV_CONSTANTS: "off" for the shipped constants, undefined where it is not set. */
export function constantsPathOfEnvironment(): string | undefined {
  return runtime.env("FLASHFFTCONV_CONSTANTS") || undefined;
}

/** The path that an option names: one as given, or that of a file: URL. */
export function pathOf(name: string, file: string | URL): string {
  if (typeof file === "string" || file instanceof URL) return toPath(file);
  throw new InvalidArgumentError(`${name} is ${show(file)}; it must be a path, a file: URL or false`);
}

/** Constants of a file, or why it cannot be used; undefined where there is none, null where reading is not granted. */
export function readConstantsFile(
  path: string,
  device: ConstantsDevice,
  version: number,
): ConstantsFile | string | undefined | null {
  let bytes: Uint8Array<ArrayBuffer> | undefined | null;
  try {
    bytes = runtime.readFile(path);
  } catch (error) {
    return `it cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (!bytes) return bytes;
  let data: unknown;
  try {
    data = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    return `it is not JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
  const file = data as Partial<ConstantsFile> | null;
  if (typeof file !== "object" || file === null || file.format !== format) return "it is no file of constants";
  if (file.version !== version) return `it is of version ${show(file.version)}; this release reads version ${version}`;
  const from = file.device;
  for (const key of deviceKeys) {
    if (from?.[key] === device[key]) continue;
    return `it was measured on another device: ${key} is ${show(from?.[key])}, here ${show(device[key])}`;
  }
  try {
    constantsText(version, file.constants as Constants);
  } catch (error) {
    return (error as Error).message;
  }
  return file as ConstantsFile;
}

/** Writes a file of constants, whole or not at all; false where writing is not granted. */
export function writeConstantsFile(
  path: string,
  device: ConstantsDevice,
  version: number,
  constants: Constants,
): boolean {
  const file: ConstantsFile = {
    format,
    version,
    release: VERSION,
    measured: new Date().toISOString(),
    device: Object.fromEntries(deviceKeys.map((key) => [key, device[key]])) as unknown as ConstantsDevice,
    constants,
  };
  return runtime.writeFile(path, new TextEncoder().encode(`${JSON.stringify(file, null, 2)}\n`));
}
