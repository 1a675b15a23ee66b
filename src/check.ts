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

/** A copy of an option with lists in it that its giver can no longer change: frozen, except bytes, which are copied. */
export function ownCopy<T>(option: T): T {
  if (typeof option !== "object" || option === null || Array.isArray(option)) return option;
  const copyOf = (value: unknown) => {
    if (Array.isArray(value)) return Object.freeze([...value]);
    return ArrayBuffer.isView(value) && tagOf(value) === "Uint8Array" ? new Uint8Array(value as Uint8Array) : value;
  };
  return Object.freeze(Object.fromEntries(Object.entries(option).map(([name, value]) => [name, copyOf(value)]))) as T;
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
