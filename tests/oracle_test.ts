import assert from "node:assert/strict";
import { convolveAll, convolveRow, dft, directFull, fftFull } from "./oracle.ts";
import { gaussian } from "./random.ts";

const f64 = (...values: number[]) => Float64Array.from(values);

function assertNear(a: Float64Array, b: Float64Array, tolerance: number): void {
  assert.equal(a.length, b.length);
  a.forEach((x, i) => assert.ok(Math.abs(x - b[i]!) <= tolerance, `[${i}] ${x} against ${b[i]}`));
}

Deno.test("oracle: values worked out by hand, as SciPy's convolve gives them", () => {
  const u = f64(1, 2, 3), k = f64(0, 1, 0.5);
  assert.deepEqual(convolveRow(u, k, "full"), f64(0, 1, 2.5, 4, 1.5));
  assert.deepEqual(convolveRow(u, k, "same"), f64(1, 2.5, 4));
  assert.deepEqual(convolveRow(u, k, "valid"), f64(2.5));
  assert.deepEqual(convolveRow(u, k, "causal"), f64(0, 1, 2.5));
  assert.deepEqual(convolveRow(u, k, "circular"), f64(4, 2.5, 2.5));
  // even kernel, and a kernel longer than u
  assert.deepEqual(convolveRow(u, f64(1, 1, 1, 1), "same"), f64(3, 6, 6));
  assert.deepEqual(convolveRow(f64(1, 2), f64(1, 10, 100), "circular"), f64(121, 212));
  assert.deepEqual(convolveRow(f64(1, 2), f64(1, 10, 100), "valid"), f64(12, 120));
});

Deno.test("oracle: gates, skip and channels by hand", () => {
  const y = convolveAll({
    batch: 1,
    channels: 2,
    length: 2,
    kernelLength: 2,
    mode: "causal",
    sharedKernel: false,
    u: f64(1, 2, 3, 4),
    k: f64(1, 1, 2, 0),
    preGate: f64(1, 3, 1, 1),
    postGate: f64(1, 1, 2, 10),
    skip: f64(0, 0.5),
  });
  // row 0: u*pre = 1, 6 -> 1, 7; row 1: 3, 4 -> 6, 8, plus half of u -> 7.5, 10, times the post gate
  assert.deepEqual(y, f64(1, 7, 15, 100));
});

Deno.test("oracle: a delta at j shifts by j", () => {
  const u = gaussian(37, 1);
  for (const j of [0, 1, 5, 36]) {
    const k = new Float64Array(40);
    k[j] = 1;
    const y = convolveRow(u, k, "full");
    assert.deepEqual(y.subarray(j, j + 37), u);
    assert.equal(y.reduce((sum, x) => sum + Math.abs(x), 0), u.reduce((sum, x) => sum + Math.abs(x), 0));
  }
});

Deno.test("oracle: linear in both arguments", () => {
  const a = gaussian(50, 2), b = gaussian(50, 3), k = gaussian(20, 4);
  const sum = convolveRow(a.map((x, i) => 2 * x - 3 * b[i]!), k, "full");
  const ya = convolveRow(a, k, "full"), yb = convolveRow(b, k, "full");
  assertNear(sum, ya.map((x, i) => 2 * x - 3 * yb[i]!), 1e-13);
});

Deno.test("oracle: the direct sum and the FFT agree", () => {
  for (const [L, K] of [[1, 1], [1, 9], [8, 8], [100, 37], [1000, 1000], [4097, 33]] as const) {
    const u = gaussian(L, L), k = gaussian(K, K + 1);
    assertNear(fftFull(u, k), directFull(u, k), 1e-12 * Math.sqrt(K));
  }
});

Deno.test("oracle: the transform of any length is the sum that defines it", () => {
  for (const n of [1, 2, 3, 30, 101, 256, 1000]) {
    for (const sign of [-1, 1] as const) {
      const re = gaussian(n, 1), im = gaussian(n, 2), sumRe = new Float64Array(n), sumIm = new Float64Array(n);
      for (let k = 0; k < n; k++) {
        for (let i = 0; i < n; i++) {
          const angle = sign * 2 * Math.PI * ((i * k) % n) / n, c = Math.cos(angle), s = Math.sin(angle);
          sumRe[k]! += re[i]! * c - im[i]! * s;
          sumIm[k]! += re[i]! * s + im[i]! * c;
        }
      }
      dft(re, im, sign);
      assertNear(re, sumRe, 1e-12 * Math.sqrt(n));
      assertNear(im, sumIm, 1e-12 * Math.sqrt(n));
    }
  }
});
