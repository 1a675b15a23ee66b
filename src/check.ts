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

// The getter that all typed arrays have in common. It reads what an array really is: a subclass can call itself
// anything, and arrays of another realm (an iframe, a vm context) have classes that `instanceof` does not know.
const typedArrayTag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)!.get!;

/** "Float32Array" and so on, whatever subclass or realm an array is of. */
export function tagOf(array: ArrayBufferView): string {
  return typedArrayTag.call(array) ?? "DataView";
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
