// Laws of convolution, on problems that fast-check makes up and shrinks.
import assert from "node:assert/strict";
import fc from "fast-check";
import { type ConvMode, convolve, type ConvolveOptions, type Device, type Dtype, outputLength } from "../mod.ts";
import { dtypes, modes } from "./cases.ts";
import { openTestDevice } from "./device.ts";
import { gaussian } from "./random.ts";
import { rounded } from "./rounded.ts";
import { arithmeticError, unitRoundoff } from "./tolerance.ts";
import { bfloat16BitsToFloat32, float16BitsToFloat32 } from "../mod.ts";

const RUNS = 200;
const length = fc.integer({ min: 1, max: 700 });
const seed = fc.integer({ min: 1, max: 1e6 });
const problem = fc.record({ L: length, K: length, mode: fc.constantFrom<ConvMode>(...modes), seed });

const f32 = (count: number, s: number) => Float32Array.from(gaussian(count, s));
const norm = (a: ArrayLike<number>) => Math.sqrt(Array.from(a, (x) => x * x).reduce((sum, x) => sum + x, 0));

// The size of a product of such arrays when signs are random: every output has at most min(L, K) terms.
const scale = (u: ArrayLike<number>, k: ArrayLike<number>) => norm(u) * norm(k);

function assertClose(a: ArrayLike<number>, b: ArrayLike<number>, scale: number, points: number, device: Device): void {
  const error = norm(Array.from(a, (x, i) => x - b[i]!)) / scale;
  const bound = 8 * arithmeticError("float32", "accurate", device.type, points);
  assert.equal(a.length, b.length);
  assert.ok(error <= bound, `relative error ${error}, allowed ${bound}`);
}

function law(name: string, body: (device: Device) => Promise<void>): void {
  Deno.test(`law: ${name}`, async () => {
    using device = openTestDevice();
    await body(device);
  });
}

const on = (device: Device, mode: ConvMode): ConvolveOptions => ({ device, mode });

law("linear in u and in k", async (device) => {
  await fc.assert(
    fc.asyncProperty(problem, fc.integer({ min: -5, max: 5 }), async ({ L, K, mode, seed }, factor) => {
      const [a, b, k] = [f32(L, seed), f32(L, seed + 1), f32(K, seed + 2)];
      const sum = await convolve(a.map((x, i) => Math.fround(x + factor * b[i]!)), k, on(device, mode));
      const [ya, yb] = [await convolve(a, k, on(device, mode)), await convolve(b, k, on(device, mode))];
      const size = scale(a, k) + Math.abs(factor) * scale(b, k);
      assertClose(sum, ya.map((x, i) => x + factor * yb[i]!), size, L + K, device);
      const twice = await convolve(a, k.map((x) => 2 * x), on(device, mode));
      assertClose(twice, ya.map((x) => 2 * x), size, L + K, device);
    }),
    { numRuns: RUNS },
  );
});

law("a delta at j shifts by j", async (device) => {
  await fc.assert(
    fc.asyncProperty(length, length, seed, async (L, K, s) => {
      const u = f32(L, s), k = new Float32Array(K), j = s % K;
      k[j] = 1;
      const y = await convolve(u, k, on(device, "full"));
      const wanted = new Float32Array(L + K - 1);
      wanted.set(u, j);
      assertClose(y, wanted, norm(u), L + K, device);
      const around = await convolve(u, k, on(device, "circular"));
      assertClose(around, u.map((_, n) => u[(((n - j) % L) + L) % L]!), norm(u), L + K, device);
    }),
    { numRuns: RUNS },
  );
});

law("shifting u shifts the circular result", async (device) => {
  await fc.assert(
    fc.asyncProperty(length, length, seed, async (L, K, s) => {
      const u = f32(L, s), k = f32(K, s + 1), by = s % L;
      const shifted = await convolve(u.map((_, n) => u[(n + by) % L]!), k, on(device, "circular"));
      const y = await convolve(u, k, on(device, "circular"));
      assertClose(shifted, y.map((_, n) => y[(n + by) % L]!), scale(u, k), L + K, device);
    }),
    { numRuns: RUNS },
  );
});

law("commutative: full and valid", async (device) => {
  await fc.assert(
    fc.asyncProperty(length, length, seed, async (L, K, s) => {
      const u = f32(L, s), k = f32(K, s + 1);
      for (const mode of ["full", "valid"] as const) {
        const [a, b] = [await convolve(u, k, on(device, mode)), await convolve(k, u, on(device, mode))];
        assertClose(a, b, scale(u, k), L + K, device);
      }
    }),
    { numRuns: RUNS },
  );
});

law("associative: full", async (device) => {
  await fc.assert(
    fc.asyncProperty(length, length, length, seed, async (A, B, C, s) => {
      const [a, b, c] = [f32(A, s), f32(B, s + 1), f32(C, s + 2)];
      const full = on(device, "full");
      const left = await convolve(await convolve(a, b, full), c, full);
      const right = await convolve(a, await convolve(b, c, full), full);
      assertClose(left, right, norm(a) * norm(b) * norm(c), A + B + C, device);
    }),
    { numRuns: RUNS },
  );
});

law("adjoint: <v, conv(u)> = <correlate(v), u>, causal and circular", async (device) => {
  await fc.assert(
    fc.asyncProperty(length, length, seed, async (L, K, s) => {
      const u = f32(L, s), k = f32(K, s + 1), v = f32(L, s + 2);
      const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
      for (const mode of ["causal", "circular"] as const) {
        const y = await convolve(u, k, on(device, mode));
        // Reversing u and y turns the convolution into its transpose.
        const back = (await convolve(v.slice().reverse(), k, on(device, mode))).reverse();
        const error = Math.abs(dot(v, y) - dot(back, u)) / (norm(v) * scale(u, k));
        assert.ok(error <= 8 * arithmeticError("float32", "accurate", device.type, L + K), `${mode}: ${error}`);
      }
    }),
    { numRuns: RUNS },
  );
});

law("the modes are parts of the full result, for every dtype", async (device) => {
  const part = (full: Float32Array, mode: ConvMode, L: number, K: number): Float32Array => {
    const start = mode === "same" ? (K - 1) >> 1 : mode === "valid" ? Math.min(L, K) - 1 : 0;
    return full.slice(start, start + outputLength(mode, L, K));
  };
  const widen = (a: Float32Array | Uint16Array, dtype: Dtype) =>
    a instanceof Float32Array ? a : dtype === "float16" ? float16BitsToFloat32(a) : bfloat16BitsToFloat32(a);
  await fc.assert(
    fc.asyncProperty(problem, fc.constantFrom(...dtypes), async ({ L, K, mode, seed }, dtype) => {
      if (mode === "circular") return;
      const u = rounded(gaussian(L, seed), dtype), k = rounded(gaussian(K, seed + 1, 0.1), dtype);
      const full = widen(await convolve(u.host, k.host, { device, mode: "full", dtype }), dtype);
      const y = widen(await convolve(u.host, k.host, { device, mode, dtype }), dtype);
      const size = norm(u.values) * norm(k.values);
      const error = norm(Array.from(part(full, mode, L, K), (x, i) => x - y[i]!)) / size;
      const bound = 2 * unitRoundoff[dtype] + 8 * arithmeticError(dtype, "fast", device.type, L + K);
      assert.ok(error <= bound, `relative error ${error}, allowed ${bound}`);
    }),
    { numRuns: RUNS },
  );
});
