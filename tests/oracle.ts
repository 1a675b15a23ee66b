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

// Exact-angle roots of a power of two; a running product would lose digits. Each table is made once.
const roots = new Map<number, { readonly cos: Float64Array; readonly sin: Float64Array }>();
function rootsOf(n: number) {
  let table = roots.get(n);
  if (!table) {
    const angles = Float64Array.from({ length: n / 2 }, (_, i) => 2 * Math.PI * i / n);
    roots.set(n, table = { cos: angles.map(Math.cos), sin: angles.map(Math.sin) });
  }
  return table;
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
  const { cos, sin } = rootsOf(n);
  for (let half = 1; half < n; half *= 2) {
    const step = n / (2 * half);
    for (let start = 0; start < n; start += 2 * half) {
      for (let i = 0; i < half; i++) {
        const c = cos[i * step]!, s = sign * sin[i * step]!, a = start + i, b = a + half;
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

/** What a frequency pattern keeps, said bin by bin; its own words for what FrequencyPattern says in the library's. */
export interface SparseGrid {
  readonly mode: ConvMode;
  /** N of the causal grid, P of the circular one. */
  readonly points: number;
  readonly bins: number;
}

/** The grid of a mode and length. */
export function sparseGrid(mode: ConvMode, length: number): SparseGrid {
  if (mode === "circular") return { mode, points: length, bins: Math.floor(length / 2) + 1 };
  let points = 256;
  while (points < length) points *= 2;
  return { mode, points, bins: points };
}

/** The bins of the indices k with k mod modulus in a list of classes. */
export function binsOfClasses(
  { mode, points, bins }: SparseGrid,
  classes: readonly number[],
  modulus: number,
): boolean[] {
  const kept = new Array<boolean>(bins).fill(false);
  for (let k = 0; k < points; k++) {
    if (!classes.includes(k % modulus)) continue;
    // The frequency in cycles per sample, first as it is, then its distance from the nearest whole number.
    const frequency = (mode === "circular" ? k : k - 0.25) / points;
    const distance = Math.abs(frequency - Math.round(frequency));
    kept[Math.round(mode === "circular" ? distance * points : distance * 2 * points - 0.5)] = true;
  }
  return kept;
}

/**
 * A transform of any length, in place and without a factor. Other lengths than powers of two by Bluestein's chirps:
 * nk = (n^2 + k^2 - (k - n)^2) / 2 makes a convolution of it, of which a transform of twice the length is enough.
 */
export function dft(re: Float64Array, im: Float64Array, sign: -1 | 1): void {
  const n = re.length;
  if ((n & (n - 1)) === 0) {
    if (n > 1) fft(re, im, sign);
    return;
  }
  let size = 1;
  while (size < 2 * n) size *= 2;
  const chirpRe = new Float64Array(n), chirpIm = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const angle = sign * Math.PI * ((i * i) % (2 * n)) / n; // i^2 stays a whole number below 2^53
    chirpRe[i] = Math.cos(angle);
    chirpIm[i] = Math.sin(angle);
  }
  const a = new Float64Array(size), b = new Float64Array(size), c = new Float64Array(size), d = new Float64Array(size);
  for (let i = 0; i < n; i++) {
    a[i] = re[i]! * chirpRe[i]! - im[i]! * chirpIm[i]!;
    b[i] = re[i]! * chirpIm[i]! + im[i]! * chirpRe[i]!;
    c[i] = c[(size - i) % size] = chirpRe[i]!; // the conjugate chirp, at both signs of i
    d[i] = d[(size - i) % size] = -chirpIm[i]!;
  }
  fft(a, b, -1);
  fft(c, d, -1);
  for (let f = 0; f < size; f++) {
    const x = a[f]!, y = b[f]!;
    a[f] = (x * c[f]! - y * d[f]!) / size;
    b[f] = (x * d[f]! + y * c[f]!) / size;
  }
  fft(a, b, 1);
  for (let k = 0; k < n; k++) {
    re[k] = a[k]! * chirpRe[k]! - b[k]! * chirpIm[k]!;
    im[k] = a[k]! * chirpIm[k]! + b[k]! * chirpRe[k]!;
  }
}

/** One row of the convolution with a kernel of which only some bins are kept. */
export function sparseRow(u: Float64Array, k: Float64Array, grid: SparseGrid, kept: readonly boolean[]): Float64Array {
  const circular = grid.mode === "circular";
  // Causal: 2N real samples at the frequencies (f + 1/2) / 2N, by turning sample n by half a step first.
  const size = circular ? grid.points : 2 * grid.points;
  const half = circular ? 0 : Math.PI / size;
  const transformed = (samples: Float64Array, count: number): [Float64Array, Float64Array] => {
    const re = new Float64Array(size), im = new Float64Array(size);
    for (let n = 0; n < count; n++) {
      re[n % size]! += samples[n]! * Math.cos(half * n);
      im[n % size]! -= samples[n]! * Math.sin(half * n);
    }
    dft(re, im, -1);
    return [re, im];
  };
  const [ur, ui] = transformed(u, u.length);
  const [kr, ki] = transformed(k, circular ? k.length : Math.min(k.length, u.length));
  const re = new Float64Array(size), im = new Float64Array(size);
  for (let f = 0; f < size; f++) {
    const mirror = circular ? (size - f) % size : size - 1 - f;
    if (!kept[Math.min(f, mirror)]) continue;
    re[f] = ur[f]! * kr[f]! - ui[f]! * ki[f]!;
    im[f] = ur[f]! * ki[f]! + ui[f]! * kr[f]!;
  }
  dft(re, im, 1);
  return u.map((_, n) => (re[n]! * Math.cos(half * n) - im[n]! * Math.sin(half * n)) / size);
}

/**
 * A whole sparse problem, and how large its outputs are expected to be: the root mean square of each row's convolution,
 * or of what white noise would give, with skip term and gate where the output has them.
 */
export function sparseAll(p: OracleInput, kept: readonly boolean[]): { y: Float64Array; size: Float64Array } {
  const grid = sparseGrid(p.mode, p.length);
  const keptShare = kept.filter(Boolean).length / kept.length;
  const y = new Float64Array(p.batch * p.channels * p.length), size = new Float64Array(y.length);
  for (let row = 0; row < p.batch * p.channels; row++) {
    const h = row % p.channels, at = row * p.length;
    const u = p.u.slice(at, at + p.length);
    if (p.preGate) u.forEach((value, n) => u[n] = value * p.preGate![at + n]!);
    const first = p.sharedKernel ? 0 : h * p.kernelLength;
    const k = p.k.subarray(first, first + p.kernelLength);
    const z = sparseRow(u, k, grid, kept);
    const energy = (a: Float64Array) => a.reduce((sum, value) => sum + value * value, 0);
    // Few bins may be weak in u by chance, which does not make the rounding errors of the transform small.
    const share = keptShare * p.length / (p.mode === "circular" ? grid.points : 2 * grid.points);
    const rms = Math.sqrt(Math.max(energy(z), energy(u) * energy(k) * share) / p.length);
    for (let n = 0; n < p.length; n++) {
      const skip = p.skip ? p.skip[h]! * u[n]! : 0, gate = p.postGate ? p.postGate[at + n]! : 1;
      y[at + n] = (z[n]! + skip) * gate;
      size[at + n] = Math.hypot(rms, skip) * Math.abs(gate);
    }
  }
  return { y, size };
}
