/**
 * One causal block of a Hyena-like DNA model, without training: its weights come from a formula. Per channel
 *
 *     y = x2 * (conv(x1 * v, h) + d * (x1 * v))
 *
 * where v, x1 and x2 are projections of the embedded bases through short filters, and h is a long decaying filter.
 */

/** Weights of the long filters. */
export interface LongFilter {
  channels: number;
  taps: number;
  /** (channels, taps), every row of energy 1. */
  h: Float32Array<ArrayBuffer>;
  /** Per channel. */
  d: Float32Array<ArrayBuffer>;
}

/** (channels, length) each. */
export interface Projections {
  v: Float32Array;
  x1: Float32Array;
  x2: Float32Array;
}

// Numbers between -1 and 1 from a fixed sequence (Numerical Recipes' generator: plenty for made weights).
function makeRandom(seed: number): () => number {
  let x = seed >>> 0;
  return () => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return x / 2 ** 31 - 1;
  };
}

/**
 * Filters as Hyena's implicit ones turn out: a few oscillations under an exponential window, whose time constants are
 * spread over the channels from taps / 64 to taps / 8.
 */
export function makeFilter(channels: number, taps: number): LongFilter {
  const random = makeRandom(7);
  const h = new Float32Array(channels * taps);
  for (let c = 0; c < channels; c++) {
    const decay = taps / 64 * 8 ** (channels > 1 ? c / (channels - 1) : 1);
    const waves = Array.from(
      { length: 4 },
      () => ({ size: random(), turns: Math.abs(random()) ** 3, phase: random() }),
    );
    const row = h.subarray(c * taps, (c + 1) * taps);
    let energy = 0;
    for (let t = 0; t < taps; t++) {
      let sum = 0;
      for (const { size, turns, phase } of waves) sum += size * Math.cos(Math.PI * (turns * t + phase));
      row[t] = Math.exp(-t / decay) * sum;
      energy += row[t]! ** 2;
    }
    for (let t = 0; t < taps; t++) row[t]! /= Math.sqrt(energy);
  }
  return { channels, taps, h, d: Float32Array.from({ length: channels }, random) };
}

/** The same filters with all but their first taps cut off. */
export function truncate({ channels, taps, h, d }: LongFilter, kept: number): LongFilter {
  const cut = new Float32Array(channels * kept);
  for (let c = 0; c < channels; c++) cut.set(h.subarray(c * taps, c * taps + kept), c * kept);
  return { channels, taps: kept, h: cut, d };
}

/** What is cut off: per channel, the sum of the squares and of the magnitudes of the taps from `kept` on. */
export function tails({ channels, taps, h }: LongFilter, kept: number): { energy: number[]; magnitude: number[] } {
  const energy: number[] = [], magnitude: number[] = [];
  for (let c = 0; c < channels; c++) {
    let squares = 0, sum = 0;
    for (let t = kept; t < taps; t++) {
      const x = h[c * taps + t]!;
      squares += x * x;
      sum += Math.abs(x);
    }
    energy.push(squares);
    magnitude.push(sum);
  }
  return { energy, magnitude };
}

/** Bases (codes 0 to 3, 4 for unknown ones) to v, x1 and x2: an embedding, then a causal filter of three taps. */
export function project(codes: Uint8Array, channels: number): Projections {
  const random = makeRandom(11), length = codes.length;
  const stream = () => {
    const out = new Float32Array(channels * length);
    for (let c = 0; c < channels; c++) {
      // The four bases' values sum to zero, as a normalised embedding's do; an unknown base is none of them.
      const values = Float64Array.from({ length: 5 }, (_, code) => code < 4 ? random() : 0);
      const mean = values.reduce((a, b) => a + b, 0) / 4;
      for (let code = 0; code < 4; code++) values[code]! -= mean;
      const taps = [1, 0.5 * random(), 0.25 * random()] as const;
      const row = out.subarray(c * length, (c + 1) * length);
      let before = 0, earlier = 0;
      for (let n = 0; n < length; n++) {
        const now = values[codes[n]!]!;
        row[n] = taps[0] * now + taps[1] * before + taps[2] * earlier;
        earlier = before;
        before = now;
      }
    }
    return out;
  };
  return { v: stream(), x1: stream(), x2: stream() };
}

/** Output n of channel c by the sums that define it, in float64. */
export function outputAt(filter: LongFilter, { v, x1, x2 }: Projections, length: number, c: number, n: number): number {
  const at = c * length;
  const gated = (i: number) => x1[at + i]! * v[at + i]!;
  let sum = filter.d[c]! * gated(n);
  for (let t = 0; t < Math.min(filter.taps, n + 1); t++) sum += filter.h[c * filter.taps + t]! * gated(n - t);
  return x2[at + n]! * sum;
}
