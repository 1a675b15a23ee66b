import assert from "node:assert/strict";
import { runInNewContext } from "node:vm";
import { bfloat16BitsToFloat32, float16BitsToFloat32, float32ToBfloat16Bits, float32ToFloat16Bits } from "../mod.ts";
import { DtypeError, InvalidArgumentError, ShapeError } from "../mod.ts";
import { uniform } from "./random.ts";

const patterns = Uint16Array.from({ length: 65536 }, (_, i) => i);

// What a bit pattern means, written down from the definition of the formats.
function meaning(bits: number, exponentBits: number): number {
  const fractionBits = 15 - exponentBits;
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits & 0x7fff) >> fractionBits;
  const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias);
}

const formats = [
  { name: "float16", exponentBits: 5, toBits: float32ToFloat16Bits, toFloat: float16BitsToFloat32 },
  { name: "bfloat16", exponentBits: 8, toBits: float32ToBfloat16Bits, toFloat: bfloat16BitsToFloat32 },
] as const;

for (const { name, exponentBits, toBits, toFloat } of formats) {
  const infinity = (2 ** exponentBits - 1) << (15 - exponentBits);

  Deno.test(`${name}: all 65536 patterns mean what the format says`, () => {
    toFloat(patterns).forEach((value, bits) => {
      if (!Object.is(value, meaning(bits, exponentBits))) assert.fail(`${bits.toString(16)} became ${value}`);
    });
  });

  Deno.test(`${name}: all patterns survive the way to float32 and back`, () => {
    toBits(toFloat(patterns)).forEach((bits, i) => {
      const isNaN = (i & 0x7fff) > infinity;
      if (isNaN ? (bits & 0x7fff) <= infinity : bits !== i) {
        assert.fail(`${i.toString(16)} came back ${bits.toString(16)}`);
      }
    });
  });

  Deno.test(`${name}: rounds to nearest, ties to even, between every two neighbours`, () => {
    // From the definition: between two adjacent positive values, the middle goes to the even pattern, and the next
    // float32 on either side of the middle to its own neighbour.
    for (let bits = 0; bits < infinity; bits++) {
      const low = meaning(bits, exponentBits);
      // Past the largest finite value, rounding goes on as if the exponent did.
      const high = bits + 1 === infinity ? 2 ** (2 ** (exponentBits - 1)) : meaning(bits + 1, exponentBits);
      const middle = (low + high) / 2;
      const word = new Uint32Array(Float32Array.of(middle).buffer);
      assert.equal(new Float32Array(word.buffer)[0], middle); // exact in float32
      const around = new Float32Array(Uint32Array.of(word[0]! - 1, word[0]!, word[0]! + 1).buffer);
      const even = bits % 2 ? bits + 1 : bits;
      const got = toBits(around);
      if (got[0] !== bits || got[1] !== even || got[2] !== bits + 1) assert.fail(`around ${middle}: ${got}`);
      const negative = toBits(around.map((x) => -x));
      if (negative[1] !== (even | 0x8000)) assert.fail(`around ${-middle}: ${negative}`);
    }
  });

  Deno.test(`${name}: writes into a given array, and refuses one of another length`, () => {
    const out = new Uint16Array(3);
    assert.equal(toBits(Float32Array.of(1, 2, 3), out), out);
    assert.deepEqual(toFloat(out), Float32Array.of(1, 2, 3));
    assert.throws(() => toBits(new Float32Array(4), out), ShapeError);
    assert.throws(() => toFloat(out, new Float32Array(2)), ShapeError);
  });

  Deno.test(`${name}: takes arrays of another realm`, () => {
    const foreign = runInNewContext("Float32Array.of(1, -2, 0.5)") as Float32Array;
    const bits = toBits(Float32Array.of(1, -2, 0.5));
    assert.deepEqual(toBits(foreign), bits);
    toFloat(bits, foreign.fill(0));
    assert.deepEqual([...foreign], [1, -2, 0.5]);
  });

  Deno.test(`${name}: refuses arrays of another class, which would be misread, and detached ones`, () => {
    const toBitsOf = (values: unknown, out?: unknown) => toBits(values as Float32Array, out as Uint16Array);
    const toFloatOf = (bits: unknown, out?: unknown) => toFloat(bits as Uint16Array, out as Float32Array);
    for (const wrong of [[1, 2], Float64Array.of(1, 2), Int16Array.of(1, 2), null]) {
      assert.throws(() => toBitsOf(wrong), DtypeError);
      assert.throws(() => toFloatOf(wrong), DtypeError);
      assert.throws(() => toBitsOf(Float32Array.of(1, 2), wrong), DtypeError);
      assert.throws(() => toFloatOf(Uint16Array.of(1, 2), wrong), DtypeError);
    }
    const gone = Float32Array.of(1);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    assert.throws(() => toBits(gone), InvalidArgumentError);
  });
}

Deno.test("float16: agrees with the runtime's Float16Array on a million random float32 patterns", () => {
  if (!("Float16Array" in globalThis)) throw new Error("this runtime has no Float16Array");
  const next = uniform(7);
  const values = new Float32Array(Uint32Array.from({ length: 1e6 }, () => next() * 2 ** 32).buffer);
  const theirs = new Uint16Array(Float16Array.from(values).buffer);
  float32ToFloat16Bits(values).forEach((bits, i) => {
    if (!Number.isNaN(values[i]!) && bits !== theirs[i]) assert.fail(`${values[i]} became ${bits}, not ${theirs[i]}`);
  });
});
