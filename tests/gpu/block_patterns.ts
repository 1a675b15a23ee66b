/** Patterns of blocks, and which frequencies they keep. */
import type { FrequencyPattern } from "../../mod.ts";

/** Blocks of a part of the spectrum of `points` frequencies, a 64th if nothing is said. */
export function blocksOf(
  blocks: readonly number[],
  points: number,
  of = 64,
): { pattern: FrequencyPattern; kept: boolean[] } {
  const blockBins = points / of, wanted = new Set(blocks);
  return {
    pattern: { blocks, blockBins },
    kept: Array.from({ length: points }, (_, f) => wanted.has(Math.floor(f / blockBins))),
  };
}

/** The same of the circular grid of a period, where the block behind the last one is half the sampling rate alone. */
export function circularBlocksOf(
  blocks: readonly number[],
  period: number,
  of = 64,
): { pattern: FrequencyPattern; kept: boolean[] } {
  const blockBins = period / (2 * of), wanted = new Set(blocks);
  return {
    pattern: { blocks, blockBins },
    kept: Array.from({ length: period / 2 + 1 }, (_, f) => wanted.has(Math.floor(f / blockBins))),
  };
}
