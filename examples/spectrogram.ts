/** Short-time spectra of a sound, as decibels on a logarithmic frequency axis: what a spectrogram shows. */

/** Rows of a picture: `levels[row * columns + column]`, the highest frequency first. */
export interface Spectrogram {
  columns: number;
  rows: number;
  /** Decibels relative to a sine of full scale. */
  levels: Float32Array;
}

// 2048 samples are 46 ms at 44.1 kHz: long enough to part the harmonics of a voice, short enough to see syllables.
const frameLength = 2048;

/** Spectra at `columns` times from 0 to `seconds` and at `rows` frequencies from `lowHz` to `highHz`. */
export function spectrogram(
  samples: Float32Array,
  sampleRate: number,
  options: { seconds: number; columns: number; rows: number; lowHz: number; highHz: number },
): Spectrogram {
  const { seconds, columns, rows, lowHz, highHz } = options;
  const levels = new Float32Array(columns * rows);
  const window = Float64Array.from(
    { length: frameLength },
    (_, n) => 0.5 - 0.5 * Math.cos(2 * Math.PI * (n + 0.5) / frameLength),
  );
  const windowSum = frameLength / 2;
  const re = new Float64Array(frameLength), im = new Float64Array(frameLength);
  for (let column = 0; column < columns; column++) {
    const start = Math.round((column + 0.5) / columns * seconds * sampleRate - frameLength / 2);
    for (let n = 0; n < frameLength; n++) re[n] = (samples[start + n] ?? 0) * window[n]!;
    im.fill(0);
    fft(re, im);
    for (let row = 0; row < rows; row++) {
      // A row covers frequencies from `from` to `to`; where bins are wider than that, the nearest one is taken.
      const from = binAt((row + 1) / rows), to = binAt(row / rows);
      let power = 0;
      for (let bin = Math.round(from); bin <= Math.max(Math.round(from), Math.floor(to)); bin++) {
        power = Math.max(power, re[bin]! ** 2 + im[bin]! ** 2);
      }
      levels[row * columns + column] = 10 * Math.log10(power * (2 / windowSum) ** 2 + 1e-20);
    }
  }
  return { columns, rows, levels };

  /** The FFT bin at a height of the picture: 0 is the top. */
  function binAt(height: number): number {
    const hz = highHz * Math.pow(lowHz / highHz, height);
    return Math.min(frameLength / 2, hz / sampleRate * frameLength);
  }
}

/** In place, length a power of two. Small and plain; only the picture uses it. */
function fft(re: Float64Array, im: Float64Array): void {
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
  for (let half = 1; half < n; half *= 2) {
    for (let k = 0; k < half; k++) {
      const wr = Math.cos(Math.PI * k / half), wi = -Math.sin(Math.PI * k / half);
      for (let a = k; a < n; a += 2 * half) {
        const b = a + half;
        const xr = re[b]! * wr - im[b]! * wi, xi = re[b]! * wi + im[b]! * wr;
        re[b] = re[a]! - xr;
        im[b] = im[a]! - xi;
        re[a]! += xr;
        im[a]! += xi;
      }
    }
  }
}
