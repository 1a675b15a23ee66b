/** The hall: an impulse response made by a formula, and a resampler for impulse responses from files. */
import type { Sound } from "./wav.ts";

// Decay by frequency: air and soft surfaces take high notes first. Upper edge of each band in Hz, and its
// reverberation time as a share of the longest.
const bands = [
  { upTo: 250, share: 1 },
  { upTo: 500, share: 0.95 },
  { upTo: 1000, share: 0.85 },
  { upTo: 2000, share: 0.7 },
  { upTo: 4000, share: 0.5 },
  { upTo: 8000, share: 0.33 },
  { upTo: Infinity, share: 0.2 },
];

// Sound needs this long to the first wall and back; before that only the direct sound is heard.
const preDelaySeconds = 0.02;
// The reverberation builds up over this time instead of starting with a click.
const buildUpSeconds = 0.015;

/** What the generated hall is like. */
export interface HallOptions {
  sampleRate: number;
  channels: number;
  /** Length of the impulse response; the lowest band decays by 60 dB in this time. */
  seconds: number;
  /** Energy of the reverberation relative to the direct sound, in decibels. */
  reverbDb: number;
  seed: number;
}

/**
 * Exponentially decaying noise whose decay depends on the frequency:
 *
 *     h[n] = delta[n] + g * rise(t) * sum over bands b of  10^(-3 t / T_b) * noise_b[n],   t = n / rate - preDelay >= 0
 *
 * `noise_b` is one Gaussian noise split into bands that add up to it again, T_b the band's reverberation time
 * (60 dB), g makes the energy of the second term `reverbDb`. Each channel has noise of its own, which is what
 * makes the hall sound wide. The same seed gives the same samples.
 */
export function generateHall({ sampleRate, channels, seconds, reverbDb, seed }: HallOptions): Sound {
  const length = Math.max(1, Math.round(seconds * sampleRate));
  const start = Math.round(preDelaySeconds * sampleRate);
  const sound: Sound = { channels: [], sampleRate };
  for (let c = 0; c < channels; c++) {
    const random = gaussian(seed + c);
    const tail = new Float64Array(length);
    // One-pole low-passes at the band edges, two in a row each; neighbours' differences are the bands.
    const poles = bands.map(({ upTo }) => upTo < sampleRate / 2 ? Math.exp(-2 * Math.PI * upTo / sampleRate) : 0);
    const state = poles.map(() => [0, 0] as [number, number]);
    const decay = bands.map(({ share }) => Math.pow(10, -3 / (share * seconds * sampleRate)));
    const level = bands.map(() => 1);
    let energy = 0;
    for (let n = start; n < length; n++) {
      const x = random();
      let below = 0, sum = 0;
      for (let b = 0; b < bands.length; b++) {
        const s = state[b]!, pole = poles[b]!;
        s[0] = pole * s[0] + (1 - pole) * x;
        s[1] = pole * s[1] + (1 - pole) * s[0];
        sum += level[b]! * (s[1] - below);
        below = s[1];
        level[b]! *= decay[b]!;
      }
      const rise = Math.min(1, (n - start) / (buildUpSeconds * sampleRate));
      tail[n] = rise * sum;
      energy += tail[n]! ** 2;
    }
    const gain = energy > 0 ? Math.pow(10, reverbDb / 20) / Math.sqrt(energy) : 0;
    const samples = Float32Array.from(tail, (x) => gain * x);
    samples[0]! += 1;
    sound.channels.push(samples);
  }
  return sound;
}

/**
 * An impulse response at another sample rate: interpolated with a Hann-windowed sinc of 32 zero crossings each
 * side, cut off at the lower of the two Nyquist frequencies, and scaled by the ratio of the rates so that the
 * hall is as loud as before.
 */
export function resampleImpulse(impulse: Sound, sampleRate: number): Sound {
  if (impulse.sampleRate === sampleRate) return impulse;
  const step = impulse.sampleRate / sampleRate; // input samples per output sample
  const cutoff = Math.min(1, 1 / step); // relative to the input's Nyquist frequency
  const reach = 32 / cutoff;
  const resample = (input: Float32Array) => {
    const output = new Float32Array(Math.max(1, Math.ceil(input.length / step)));
    for (let n = 0; n < output.length; n++) {
      const centre = n * step;
      let sum = 0;
      for (let m = Math.max(0, Math.ceil(centre - reach)); m <= Math.min(input.length - 1, centre + reach); m++) {
        const x = m - centre;
        const angle = Math.PI * cutoff * x;
        const sinc = angle === 0 ? 1 : Math.sin(angle) / angle;
        sum += input[m]! * sinc * (0.5 + 0.5 * Math.cos(Math.PI * x / reach));
      }
      output[n] = sum * cutoff * step;
    }
    return output;
  };
  return { channels: impulse.channels.map(resample), sampleRate };
}

/** Gaussian numbers from a 32-bit counter generator (the mixing steps of splitmix32), by Box and Muller. */
function gaussian(seed: number): () => number {
  let counter = Math.imul(seed, 0x9e3779b9) | 0;
  const uniform = () => {
    counter = (counter + 0x9e3779b9) | 0;
    let z = counter ^ (counter >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    z ^= z >>> 15;
    return ((z >>> 0) + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}
