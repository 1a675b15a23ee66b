/** A check that knows nothing of FFTs: some output samples again, as the sum that defines them, in float64. */

/** How far sampled outputs are from their float64 sums. */
export interface CheckResult {
  points: number;
  /** Root of (sum of squared differences / sum of squared references). */
  relativeError: number;
  maxError: number;
}

/**
 * full(u, k)[n] = sum over j of k[j] u[n - j], compared with `y[row][n]` at `points` positions of every row:
 * the first, the last, and random ones from a fixed sequence.
 */
export function checkFullConvolution(
  u: Float32Array[],
  k: Float32Array[],
  y: Float32Array[],
  points: number,
): CheckResult {
  let difference = 0, reference = 0, maxError = 0;
  let random = 1;
  for (const [row, out] of y.entries()) {
    const signal = u[row]!, kernel = k[row]!;
    for (let p = 0; p < points; p++) {
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0; // Numerical Recipes' generator: plenty to pick positions
      const n = p === 0 ? 0 : p === 1 ? out.length - 1 : Math.floor(random / 2 ** 32 * out.length);
      let sum = 0;
      for (let j = Math.max(0, n - signal.length + 1); j <= Math.min(kernel.length - 1, n); j++) {
        sum += kernel[j]! * signal[n - j]!;
      }
      const error = out[n]! - sum;
      difference += error * error;
      reference += sum * sum;
      maxError = Math.max(maxError, Math.abs(error));
    }
  }
  // Silence in, silence out: nothing to be relative to.
  const relativeError = reference > 0 ? Math.sqrt(difference / reference) : Math.sqrt(difference);
  return { points: points * y.length, relativeError, maxError };
}

/**
 * The largest relative error that correct float32 arithmetic may show. A transform of N points rounds by about one
 * unit (2^-24) in each of its log2(N) stages, forwards and back; 4 leaves room for the product and the kernel's own
 * rounding. A direct sum (transformLength 0) rounds once for each term. Wrong samples are off by 1, a shift by one
 * sample by 0.1 and more.
 */
export function errorBound(transformLength: number, kernelLength: number): number {
  return 2 ** -24 * (transformLength > 0 ? 4 * Math.log2(transformLength) : 1 + kernelLength);
}
