/**
 * Reads and writes C structs by the layouts of ffi/layout.ts.
 *
 * @module
 */
import { type Field, type StructLayout, STRUCTS } from "./layout.ts";

type Structs = typeof STRUCTS;
type FieldOf<S extends keyof Structs> = Extract<keyof Structs[S]["fields"], string>;

// Every system with a CUDA driver or a supported CPU backend stores the low byte first.
const littleEndian = true;

/** The bytes of one C struct; struct_size is already filled in. */
export class Struct<S extends keyof Structs> {
  /** What to pass to the library. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #layout: StructLayout;

  /** A zeroed struct with its struct_size set. */
  constructor(name: S) {
    this.#layout = STRUCTS[name];
    this.bytes = new Uint8Array(this.#layout.size);
    this.#view = new DataView(this.bytes.buffer);
    this.#view.setUint32(0, this.#layout.size, littleEndian);
  }

  #field(name: FieldOf<S>): Field {
    const field = this.#layout.fields[name];
    if (!field) throw new Error(`no field ${name}`);
    return field;
  }

  /** Writes one number; 64-bit fields take any safe integer or a bigint. */
  set(name: FieldOf<S>, value: number | bigint): this {
    const { offset, type } = this.#field(name);
    if (type === "i64") this.#view.setBigInt64(offset, BigInt(value), littleEndian);
    else if (type === "u64") this.#view.setBigUint64(offset, BigInt(value), littleEndian);
    else if (type === "i32") this.#view.setInt32(offset, Number(value), littleEndian);
    else this.#view.setUint32(offset, Number(value), littleEndian);
    return this;
  }

  /** Reads a number; 64-bit values come back as numbers (byte counts and lengths stay below 2^53). */
  get(name: FieldOf<S>, index = 0): number {
    const { offset, type } = this.#field(name);
    if (type === "i64") return Number(this.#view.getBigInt64(offset + 8 * index, littleEndian));
    if (type === "u64") return Number(this.#view.getBigUint64(offset + 8 * index, littleEndian));
    if (type === "i32") return this.#view.getInt32(offset + 4 * index, littleEndian);
    return this.#view.getUint32(offset + 4 * index, littleEndian);
  }

  /** Reads a zero-terminated UTF-8 text. */
  text(name: FieldOf<S>): string {
    const { offset, count = 0 } = this.#field(name);
    return decodeText(this.bytes.subarray(offset, offset + count));
  }
}

const encoder = new TextEncoder();

/** A text as C reads it: UTF-8 with a closing zero. */
export function cText(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(`${text}\0`);
}

const decoder = new TextDecoder();

/** UTF-8 up to the first zero byte. */
export function decodeText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}
