// What a convolution should be, in float64: the sum as written where that is quick, an FFT of its own elsewhere.
// It shares no code with the library. tests/oracle_test.ts tests it.
import type { ConvMode } from "../mod.ts";

/** The linear convolution, L+K-1 samples, as the sum is written. */
export function directFull(u: Float64Array, k: Float64Array): Float64Array {
  const y = new Float64Array(u.length + k.length - 1);
  for (let j = 0; j < k.length; j++) {
    const tap = k[j]!;
    for (let n = 0; n < u.length; n++) y[n + j]! += tap * u[n]!;
  }
  return y;
}

// In place, length a power of two; `sign` is -1 forward, +1 inverse (not scaled).
function fft(re: Float64Array, im: Float64Array, sign: -1 | 1): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j]!, re[i]!];
      [im[i], im[j]] = [im[j]!, im[i]!];
    }
  }
  // One table of exact-angle roots; a running product would lose digits.
  const cos = new Float64Array(n / 2), sin = new Float64Array(n / 2);
  for (let i = 0; i < n / 2; i++) {
    cos[i] = Math.cos(2 * Math.PI * i / n);
    sin[i] = sign * Math.sin(2 * Math.PI * i / n);
  }
  for (let half = 1; half < n; half *= 2) {
    const step = n / (2 * half);
    for (let start = 0; start < n; start += 2 * half) {
      for (let i = 0; i < half; i++) {
        const c = cos[i * step]!, s = sin[i * step]!, a = start + i, b = a + half;
        const x = re[b]! * c - im[b]! * s, y = re[b]! * s + im[b]! * c;
        re[b] = re[a]! - x;
        im[b] = im[a]! - y;
        re[a]! += x;
        im[a]! += y;
      }
    }
  }
}

/** The linear convolution through one complex transform: u rides in the real, k in the imaginary part. */
export function fftFull(u: Float64Array, k: Float64Array): Float64Array {
  const length = u.length + k.length - 1;
  let n = 2;
  while (n < length) n *= 2;
  const re = new Float64Array(n), im = new Float64Array(n);
  re.set(u);
  im.set(k);
  fft(re, im, -1);
  // With Z = U + iK: U K = (Z[f]^2 - conj(Z[-f])^2) / (4i).
  const pr = new Float64Array(n), pi = new Float64Array(n);
  for (let f = 0; f < n; f++) {
    const g = (n - f) % n;
    const ar = re[f]! * re[f]! - im[f]! * im[f]!, ai = 2 * re[f]! * im[f]!;
    const br = re[g]! * re[g]! - im[g]! * im[g]!, bi = -2 * re[g]! * im[g]!;
    pr[f] = (ai - bi) / 4;
    pi[f] = -(ar - br) / 4;
  }
  fft(pr, pi, 1);
  return pr.subarray(0, length).map((x) => x / n);
}

// Above this many products the FFT is quicker in JavaScript.
const DIRECT_PRODUCTS = 2 ** 17;

/** One row: the samples of the convolution that a mode returns. */
export function convolveRow(u: Float64Array, k: Float64Array, mode: ConvMode): Float64Array {
  const [L, K] = [u.length, k.length];
  const full = L * K <= DIRECT_PRODUCTS ? directFull(u, k) : fftFull(u, k);
  switch (mode) {
    case "full":
      return full;
    case "causal":
      return full.slice(0, L);
    case "same": {
      const start = Math.floor((K - 1) / 2);
      return full.slice(start, start + L);
    }
    case "valid":
      return full.slice(Math.min(L, K) - 1, Math.max(L, K));
    case "circular": {
      const y = new Float64Array(L);
      full.forEach((value, n) => y[n % L]! += value);
      return y;
    }
  }
}

/** A whole problem; packed arrays with the axes of ConvPlanOptions. */
export interface OracleInput {
  batch: number;
  channels: number;
  length: number;
  kernelLength: number;
  mode: ConvMode;
  sharedKernel: boolean;
  u: Float64Array;
  k: Float64Array;
  preGate?: Float64Array | undefined;
  postGate?: Float64Array | undefined;
  skip?: Float64Array | undefined;
}

/** y = post * (conv(u * pre, k) + d[h] * (u * pre)), row after row. */
export function convolveAll(p: OracleInput): Float64Array {
  const rows: Float64Array[] = [];
  for (let row = 0; row < p.batch * p.channels; row++) {
    const h = row % p.channels;
    const u = p.u.slice(row * p.length, (row + 1) * p.length);
    if (p.preGate) u.forEach((value, n) => u[n] = value * p.preGate![row * p.length + n]!);
    const first = p.sharedKernel ? 0 : h * p.kernelLength;
    const y = convolveRow(u, p.k.subarray(first, first + p.kernelLength), p.mode);
    if (p.skip) y.forEach((value, n) => y[n] = value + p.skip![h]! * u[n]!);
    if (p.postGate) y.forEach((value, n) => y[n] = value * p.postGate![row * y.length + n]!);
    rows.push(y);
  }
  const samples = rows[0]!.length;
  const all = new Float64Array(rows.length * samples);
  rows.forEach((row, i) => all.set(row, i * samples));
  return all;
}

/**
 * How large each output is expected to be when signs are random: the root of the same problem over squares. A result
 * that is near zero by chance does not make its rounding errors small, so errors are measured against this.
 */
export function expectedSize(p: OracleInput): Float64Array {
  const square = (a: Float64Array | undefined) => a?.map((x) => x * x);
  const squares = convolveAll({
    ...p,
    u: square(p.u)!,
    k: square(p.k)!,
    preGate: square(p.preGate),
    postGate: square(p.postGate),
    skip: square(p.skip),
  });
  return squares.map((x) => Math.sqrt(Math.max(x, 0)));
}
