// Option objects, and how values look in error messages.
import { InvalidArgumentError } from "./errors.ts";

/** How a value looks in an error message. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  // Shapes are short; somebody's samples are not.
  if (Array.isArray(value)) return value.length > 8 ? `an array of ${value.length}` : `[${value.map(show).join(", ")}]`;
  if (ArrayBuffer.isView(value)) return `a ${tagOf(value)}`;
  if (typeof value === "object" && value !== null) return `an object of type ${value.constructor?.name ?? "Object"}`;
  return typeof value === "function" ? "a function" : `${String(value)}${typeof value === "bigint" ? "n" : ""}`;
}

/** "Float32Array" and so on. */
export function tagOf(array: ArrayBufferView): string {
  return Object.prototype.toString.call(array).slice(8, -1);
}

/** Refuses options that do not exist: a misspelt one would be ignored silently. */
export function checkKeys(what: string, options: object, names: ReadonlySet<string>): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new InvalidArgumentError(`the options of ${what} are ${show(options)}; they must be an object`);
  }
  for (const name of Object.keys(options)) {
    if (!names.has(name)) {
      throw new InvalidArgumentError(`${what} has no option ${show(name)}; known are ${[...names].join(", ")}`);
    }
  }
}
