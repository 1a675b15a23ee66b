import { ENUMS } from "../ffi/layout.ts";
import { show, tagOf } from "./check.ts";
import { DtypeError, InvalidArgumentError } from "./errors.ts";
import { bfloat16BitsToFloat32, float16BitsToFloat32, float32ToBfloat16Bits, float32ToFloat16Bits } from "./half.ts";

/** The element type of a tensor. Arithmetic is done in float32 or better on the CPU whatever the type. */
export type Dtype = "float32" | "float16" | "bfloat16";

/** The part of a Float16Array that is used here; runtimes without that type have Uint16Array bits. */
export interface Float16ArrayLike extends ArrayBufferView {
  /** Elements. */
  readonly length: number;
  /** What tells it from other views. */
  readonly [Symbol.toStringTag]: "Float16Array";
}

/**
 * Numbers on the host: Float32Array for float32, Float16Array for float16 where the runtime has it, and Uint16Array
 * for the bits of float16 and bfloat16.
 */
export type HostArray = Float32Array | Uint16Array | Float16ArrayLike;

/** The C value of each dtype. */
export const dtypeCode: { readonly [D in Dtype]: number } = {
  float32: ENUMS.FFC_DTYPE_.FLOAT32,
  float16: ENUMS.FFC_DTYPE_.FLOAT16,
  bfloat16: ENUMS.FFC_DTYPE_.BFLOAT16,
};

/** Bytes of one element. */
export const dtypeBytes: { readonly [D in Dtype]: number } = { float32: 4, float16: 2, bfloat16: 2 };

/** Checks a dtype that a caller gave. */
export function checkDtype(name: string, dtype: Dtype): Dtype {
  if (!Object.hasOwn(dtypeCode, dtype)) {
    throw new DtypeError(`${name} is ${show(dtype)}; known are "float32", "float16" and "bfloat16"`);
  }
  return dtype;
}

/** The three kinds of host arrays, as their tags call them. */
export type HostArrayTag = "Float32Array" | "Uint16Array" | "Float16Array";

/** This realm's own class of a tag. A runtime that has an array of a tag has its class, too (module-internal). */
export function classOf(tag: HostArrayTag): {
  new (size: number): HostArray;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): HostArray;
  readonly prototype: HostArray;
} {
  if (tag === "Float32Array") return Float32Array;
  return tag === "Uint16Array" ? Uint16Array : globalThis.Float16Array;
}

/**
 * Checks that a value is a typed array this module takes, with memory that C may use: present, not empty, and of
 * fixed size. Returns it as one of this realm's own classes: a subclass, or the class of another realm, is seen through
 * a new array on the same memory.
 */
export function checkHostArray(name: string, array: HostArray): HostArray {
  const tag = ArrayBuffer.isView(array) ? tagOf(array) : undefined;
  if (tag !== "Float32Array" && tag !== "Uint16Array" && tag !== "Float16Array") {
    const advice = Array.isArray(array) || tag === "Float64Array" ? "; convert it with Float32Array.from(...)" : "";
    throw new DtypeError(
      `${name} is ${show(array)}; it must be a Float32Array, a Float16Array or a Uint16Array of bits${advice}`,
    );
  }
  const buffer: ArrayBufferLike & { detached?: boolean; resizable?: boolean; growable?: boolean } = array.buffer;
  if (buffer.detached) throw new InvalidArgumentError(`${name} is detached: its memory was transferred elsewhere`);
  if (buffer.resizable || buffer.growable) {
    throw new InvalidArgumentError(
      `${name} lies in a resizable buffer, whose memory can go away; copy it: ${name}.slice()`,
    );
  }
  const Class = classOf(tag);
  if (Object.getPrototypeOf(array) === Class.prototype) return array;
  return new Class(array.buffer, array.byteOffset, array.length);
}

/** The dtype that an array has by itself; Uint16Array bits need to be told. */
export function dtypeOf(name: string, array: HostArray, given: Dtype | undefined, option = "dtype"): Dtype {
  const tag = tagOf(array);
  if (given !== undefined) checkDtype(option, given);
  if (tag === "Uint16Array") {
    if (given === "float16" || given === "bfloat16") return given;
    throw new DtypeError(
      `${name} is a Uint16Array, which holds bits; say which with ${option}: "float16" or "bfloat16"` +
        (given ? ` (it is ${show(given)})` : ""),
    );
  }
  if (tag === "Float16Array") {
    if (given === undefined || given === "float16") return "float16";
    throw new DtypeError(`${name} is a Float16Array, but ${option} is ${show(given)}`);
  }
  return given ?? "float32";
}

/** The dtype of an array that C reads as it is: the values of a Float32Array are not the bits of a 16-bit type. */
export function exactDtypeOf(name: string, array: HostArray, given: Dtype | undefined, option = "dtype"): Dtype {
  const dtype = dtypeOf(name, array, given, option);
  if (tagOf(array) === "Float32Array" && dtype !== "float32") throw wrongType(name, array, dtype);
  return dtype;
}

/** What to say of an array that is not of the dtype it has to be. */
export function wrongType(name: string, array: HostArray, dtype: Dtype): Error {
  const values = dtype === "float32" ? "a Float32Array" : `the bits of ${dtype} (a Uint16Array)`;
  return new DtypeError(`${name} is ${show(array)}; with this dtype it must be ${values}`);
}

/** The values of `array` as the bytes of `dtype`; converts Float32Array to the 16-bit types, copies nothing else. */
export function encode(name: string, array: HostArray, dtype: Dtype): Float32Array | Uint16Array | Float16ArrayLike {
  dtypeOf(name, array, dtype);
  if (!(array instanceof Float32Array) || dtype === "float32") return array;
  return dtype === "float16" ? float32ToFloat16Bits(array) : float32ToBfloat16Bits(array);
}

/** New host memory for `size` elements in their own type: bits for the 16-bit ones. */
export function hostArray(dtype: Dtype, size: number): Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> {
  return dtype === "float32" ? new Float32Array(size) : new Uint16Array(size);
}

/** Bits or values as float32; exact. */
export function decode(array: Float32Array | Uint16Array, dtype: Dtype): Float32Array {
  if (array instanceof Float32Array) return array;
  return dtype === "float16" ? float16BitsToFloat32(array) : bfloat16BitsToFloat32(array);
}
