// Conversions between float32 and the two 16-bit types. Each loop is branch-light integer work on typed arrays
// that share memory, which the JIT turns into straight code.
import { show, tagOf } from "./check.ts";
import { DtypeError, InvalidArgumentError, ShapeError } from "./errors.ts";

type Class<T> = { new (length: number): T; readonly name: string };

// An array of the wrong class would not fail: its elements would be read as something else, or as nothing.
function checked<T extends ArrayBufferView>(name: string, array: T, Class: Class<T>): T {
  if (!ArrayBuffer.isView(array) || tagOf(array) !== Class.name) {
    throw new DtypeError(`${name} is ${show(array)}; it must be a ${Class.name}`);
  }
  if ("detached" in array.buffer && array.buffer.detached) {
    throw new InvalidArgumentError(`${name} is detached: its memory was transferred elsewhere`);
  }
  return array;
}

function target<T extends ArrayBufferView & { readonly length: number }>(
  given: T | undefined,
  length: number,
  Class: Class<T>,
): T {
  if (given === undefined) return new Class(length);
  if (checked("the output", given, Class).length !== length) {
    throw new ShapeError(`the output has ${given.length} elements; it must have ${length}, like the input`);
  }
  return given;
}

function wordsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/**
 * Rounds float32 values to bfloat16 (8 exponent bits, 7 fraction bits), to nearest, ties to even. NaN stays NaN,
 * values beyond the largest finite bfloat16 become infinite.
 *
 * @param values any float32 values
 * @param out where to write the bits; a new array if left out
 * @returns the bits, one Uint16 an element
 * @throws {ShapeError} if `out` has another length
 * @throws {DtypeError} if an array is of another class
 */
export function float32ToBfloat16Bits(values: Float32Array, out?: Uint16Array): Uint16Array {
  const words = wordsOf(checked("values", values, Float32Array));
  const bits = target(out, values.length, Uint16Array);
  for (let i = 0; i < words.length; i++) {
    const w = words[i]!;
    // 0x7fff + the lowest kept bit carries exactly when the dropped half rounds up. A NaN's fraction could carry
    // into infinity, so NaN is cut off and made quiet instead.
    bits[i] = (w & 0x7fffffff) > 0x7f800000 ? (w >>> 16) | 0x40 : (w + 0x7fff + ((w >>> 16) & 1)) >>> 16;
  }
  return bits;
}

/**
 * Widens bfloat16 bits to float32; exact.
 *
 * @param bits one Uint16 an element
 * @param out where to write the values; a new array if left out
 * @throws {ShapeError} if `out` has another length
 * @throws {DtypeError} if an array is of another class
 */
export function bfloat16BitsToFloat32(bits: Uint16Array, out?: Float32Array): Float32Array {
  const values = target(out, checked("bits", bits, Uint16Array).length, Float32Array);
  const words = wordsOf(values);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
  return values;
}

/**
 * Rounds float32 values to IEEE float16 (5 exponent bits, 10 fraction bits), to nearest, ties to even, subnormal
 * results included. NaN stays NaN, magnitudes from 65,520 on become infinite.
 *
 * @param values any float32 values
 * @param out where to write the bits; a new array if left out
 * @returns the bits, one Uint16 an element
 * @throws {ShapeError} if `out` has another length
 * @throws {DtypeError} if an array is of another class
 */
export function float32ToFloat16Bits(values: Float32Array, out?: Uint16Array): Uint16Array {
  const words = wordsOf(checked("values", values, Float32Array));
  const bits = target(out, values.length, Uint16Array);
  // Adding 0.5 to a magnitude below 2^-14 puts its float16 subnormal bits at the bottom of a float32 fraction,
  // rounded to nearest even by the addition itself.
  const sum = new Float32Array(1);
  const sumWord = wordsOf(sum);
  for (let i = 0; i < words.length; i++) {
    const w = words[i]!;
    const sign = (w >>> 16) & 0x8000;
    const magnitude = w & 0x7fffffff;
    let half: number;
    if (magnitude >= 0x47800000) { // 65536 and more, infinity, NaN
      half = magnitude > 0x7f800000 ? 0x7e00 : 0x7c00;
    } else if (magnitude < 0x38800000) { // below 2^-14: subnormal or zero
      sum[0] = Math.abs(values[i]!) + 0.5;
      half = sumWord[0]! - 0x3f000000;
    } else { // re-bias the exponent from 127 to 15, then round as above; a carry into the exponent is right
      half = (magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13;
    }
    bits[i] = sign | half;
  }
  return bits;
}

/**
 * Widens float16 bits to float32; exact.
 *
 * @param bits one Uint16 an element
 * @param out where to write the values; a new array if left out
 * @throws {ShapeError} if `out` has another length
 * @throws {DtypeError} if an array is of another class
 */
export function float16BitsToFloat32(bits: Uint16Array, out?: Float32Array): Float32Array {
  const values = target(out, checked("bits", bits, Uint16Array).length, Float32Array);
  const words = wordsOf(values);
  const subnormalUnit = 2 ** -24;
  for (let i = 0; i < bits.length; i++) {
    const h = bits[i]!;
    const sign = (h & 0x8000) << 16;
    const exponent = h & 0x7c00;
    if (exponent === 0) values[i] = (sign ? -1 : 1) * (h & 0x3ff) * subnormalUnit;
    else if (exponent === 0x7c00) words[i] = sign | 0x7f800000 | ((h & 0x3ff) << 13);
    else words[i] = sign | (((h & 0x7fff) << 13) + 0x38000000);
  }
  return values;
}
