// Which frequencies a sparse plan keeps: patterns in a caller's terms, as the blocks or classes that the library knows,
// and a choice by the energy of a kernel.
import { ENUMS } from "../ffi/layout.ts";
import { Struct } from "../ffi/struct.ts";
import { checkKeys, show, tagOf } from "./check.ts";
import { checkHostArray, type Dtype, exactDtypeOf, type HostArray } from "./dtype.ts";
import { DtypeError, InvalidArgumentError, ShapeError } from "./errors.ts";
import { codeOf, type ConvMode, modeCode } from "./mode.ts";
import { convDescriptor, type ResolvedOptions, resolveOptions } from "./problem.ts";
import type { Session } from "./session.ts";
import { checkCount } from "./shape.ts";

/**
 * Which frequencies of the kernel spectrum a plan keeps; the others count as zero, and work on them is skipped where the
 * transform allows it. The same for all channels. Frequencies are the bins of a grid that mode and length fix:
 *
 * - `circular`: bins f = 0 … P/2 at f/P cycles per sample, P = length, as of a real FFT of the row
 * - `causal`: bins f = 0 … N-1 at (f + ½)/2N cycles per sample, where N is the least power of two that is at least the
 *   length, and 256. The kernel that remains rings over 2N samples, also before its beginning: an output may then
 *   depend on later inputs
 *
 * {@link Device.frequencyBins} says how many bins there are. Other modes take no pattern. In terms of
 *
 * - `lowest`: every bin up to this fraction of half the sampling rate, above 0 and at most 1
 * - `band`: every bin between two such fractions
 * - `blocks`: blocks of `blockBins` neighbouring bins by number; the last block may be shorter
 * - `mask`: one element a bin; a block is kept where it has a bin that is kept
 * - `classes`: every index k of the complex transform with k mod `modulus` in the list, which a transform skips best
 *   (modulus 256 for 131072 points and more, float32 from 65536; on a GPU 16 and at most eight classes for 8192 to 32768,
 *   4 for 65536 in 16 bit; circular rows that are a power of two): for a class not in
 *   it, neither its rows are computed nor its memory touched. Of the others, those whose kept frequencies lie in a band of at most
 *   0.25 (0.12) of half the sampling rate, or 0.4 (0.19) with the lowest or the highest of all, are convolved at a half (a quarter) of
 *   that rate by several passes of a GPU (more than 131072 samples in 16 bit, a quarter more than 262144;
 *   float32 more than 32768; circular rows that are a power of two), where filters fold less than 2.2e-4 (fast class: 5e-4, float32: 5.5e-7) of any frequency into the band. What
 *   lies in at most 16 of the 64 equal parts of half the sampling rate, wherever these are (`blockBins`: a 64th of the bins), is convolved
 *   part by part at a 32nd of the rate (causal, up to 1048576 samples, in 16 bit up to 2097152; circular, up to 1048576 samples, a multiple
 *   of 256; where that is quicker, which it may be from 8192 samples on, in 16 bit from 32768); what lies in at most 304 of 1024
 *   parts, at a 512th of it (from 131072 samples on; circular: a multiple of 4096; in 16 bit on a GPU with 227 KB of shared memory a block). The rest
 *   keep frequencies of every class and save next to nothing; `plan.explain()` says how much. `modulus` must divide P or N. In
 *   causal mode index k = 1 … N/2 is bin 2k - 1 and index N - k is bin 2k (index 0: bin 0); in circular mode index k
 *   is bin min(k, P - k), so that classes c and modulus - c must both be in the list or both not
 *
 * All but `classes` are rounded outwards to blocks of `blockBins` bins; default: the largest power of two that makes
 * at least 64 blocks, and no more than 64.
 */
export type FrequencyPattern =
  | { readonly lowest: number; readonly blockBins?: number }
  | { readonly band: readonly [from: number, to: number]; readonly blockBins?: number }
  | { readonly blocks: readonly number[]; readonly blockBins?: number }
  | { readonly mask: readonly boolean[] | Uint8Array; readonly blockBins?: number }
  | { readonly classes: readonly number[]; readonly modulus: number };

/** What {@link Device.pickFrequencies} has to know beside the kernel. */
export interface PickOptions {
  /** Samples of u in each row, as in the plan. */
  readonly length: number;
  /** "causal" (default) or "circular". */
  readonly mode?: ConvMode;
  /** How many kernels the array holds, one after the other; default 1. */
  readonly channels?: number;
  /** What the bits of the kernel are, where it is a Uint16Array. */
  readonly dtype?: Dtype;
  /** Choose among blocks of so many neighbouring bins; default as in {@link FrequencyPattern}. */
  readonly blockBins?: number;
  /** Choose among so many classes instead. */
  readonly modulus?: number;
  /** Keep one band of neighbouring blocks, which a transform skips better than scattered ones; not with `modulus`. */
  readonly contiguous?: boolean;
  /** Keep the strongest blocks (the strongest band), up to this fraction of all bins, at least one. Give this or `maxError`. */
  readonly keepFraction?: number;
  /** Keep as few blocks (as narrow a band) as this relative error allows. */
  readonly maxError?: number;
}

/** What {@link Device.pickFrequencies} chose. */
export interface FrequencyChoice {
  /** For the plan's `keepFrequencies`. */
  readonly keep: FrequencyPattern;
  /** The fraction of bins that are dropped. */
  readonly zeros: number;
  /**
   * The root of the energy that is dropped over all energy. By Parseval this is the relative root mean square error that
   * white noise as u sees in the mean over all outputs of the transform: those returned in circular mode; in causal
   * mode all 2N samples, of which the first are returned. Other inputs see more where they are strong.
   */
  readonly relativeError: number;
}

/** A pattern as the library takes it (module-internal). */
export interface KeptBlocks {
  readonly kind: number;
  readonly block: number;
  readonly keep: Uint8Array<ArrayBuffer>;
}

const { BLOCKS, CLASSES } = ENUMS.FFC_SPARSITY_;
const MOST_BLOCK_BINS = 64;
const FEWEST_BLOCKS = 64;
// A fraction that names a bin, or a share of them, exactly may come out of a division a little less or more.
const ROUNDING = 1e-12;

/** Bins of the grid (module-internal). */
export function binsOf(session: Session, mode: ConvMode, length: number): number {
  const bins = new BigInt64Array(1);
  const code = codeOf("mode", modeCode, mode);
  checkCount("length", length);
  session.lease.check(session.calls.ffc_frequency_bins(code, BigInt(length), bins, session.lease.error));
  return Number(bins[0]);
}

/** The blocks of a problem's pattern, if it has one (module-internal). */
export function keptBlocksOf(
  session: Session,
  { keepFrequencies, mode, length }: ResolvedOptions,
): KeptBlocks | undefined {
  if (keepFrequencies === "all") return undefined;
  return keptBlocks(keepFrequencies, mode, length, binsOf(session, mode, length));
}

/** The C descriptor of a pattern (module-internal). */
export function sparsityDescriptor(blocks: KeptBlocks): Uint8Array<ArrayBuffer> {
  return new Struct("ffc_sparsity").set("kind", blocks.kind).set("block", blocks.block)
    .set("keep_count", blocks.keep.length).bytes;
}

function fraction(name: string, value: number, least: number): number {
  if (typeof value !== "number" || !(value >= least && value <= 1)) {
    throw new InvalidArgumentError(`${name} is ${show(value)}; it must be a number from ${least} to 1`);
  }
  return value;
}

function positiveFraction(name: string, value: number): number {
  if (typeof value !== "number" || !(value > 0 && value <= 1)) {
    throw new InvalidArgumentError(`${name} is ${show(value)}; it must be a number above 0, at most 1`);
  }
  return value;
}

// The members of a list of blocks as bytes.
function listed(name: string, list: readonly number[], count: number): Uint8Array<ArrayBuffer> {
  if (!Array.isArray(list)) throw new InvalidArgumentError(`${name} is ${show(list)}; it must be an array of numbers`);
  if (list.length === 0) throw new InvalidArgumentError(`${name} is empty; at least one must be kept`);
  const keep = new Uint8Array(count);
  for (const [i, b] of list.entries()) {
    if (!Number.isInteger(b) || b < 0 || b >= count) {
      throw new InvalidArgumentError(`${name}[${i}] is ${show(b)}; it must be a whole number from 0 to ${count - 1}`);
    }
    keep[b] = 1;
  }
  return keep;
}

function blockSize(given: number | undefined, bins: number): number {
  if (given !== undefined) return checkCount("blockBins", given, bins);
  let block = 1;
  while (block < MOST_BLOCK_BINS && 2 * block * FEWEST_BLOCKS <= bins) block *= 2;
  return block;
}

function checkMask(mask: readonly boolean[] | Uint8Array, bins: number): void {
  const bytes = ArrayBuffer.isView(mask) && tagOf(mask) === "Uint8Array";
  if (!bytes && !Array.isArray(mask)) {
    throw new DtypeError(`mask is ${show(mask)}; it must be an array of booleans, or a Uint8Array of 0 and 1`);
  }
  if (mask.length !== bins) {
    throw new ShapeError(`mask has ${mask.length} elements; the grid of this mode and length has ${bins} bins`);
  }
  for (let f = 0; f < bins; f++) {
    const value: unknown = mask[f];
    if (bytes ? value !== 0 && value !== 1 : typeof value !== "boolean") {
      throw new DtypeError(`mask[${f}] is ${show(value)}; it must be ${bytes ? "0 or 1" : "true or false"}`);
    }
  }
}

const kinds = ["lowest", "band", "blocks", "mask", "classes"] as const;

/** Checks a pattern and rounds it to blocks (module-internal). */
export function keptBlocks(pattern: FrequencyPattern, mode: ConvMode, length: number, bins: number): KeptBlocks {
  const names = typeof pattern === "object" && pattern !== null && !Array.isArray(pattern)
    ? kinds.filter((kind) => kind in pattern)
    : [];
  if (names.length !== 1) {
    throw new InvalidArgumentError(
      `keepFrequencies is ${show(pattern)}${names.length > 1 ? ` with ${names.join(" and ")}` : ""}; it must be an ` +
        `object with one of ${kinds.join(", ")}`,
    );
  }
  checkKeys("keepFrequencies", pattern, new Set([names[0]!, "classes" in pattern ? "modulus" : "blockBins"]));
  if ("classes" in pattern) {
    const modulus = checkCount("modulus", pattern.modulus, mode === "circular" ? length : bins);
    return { kind: CLASSES, block: modulus, keep: listed("classes", pattern.classes, modulus) };
  }
  const block = blockSize(pattern.blockBins, bins), count = Math.ceil(bins / block);
  if ("blocks" in pattern) return { kind: BLOCKS, block, keep: listed("blocks", pattern.blocks, count) };
  const keep = new Uint8Array(count);
  if ("mask" in pattern) {
    checkMask(pattern.mask, bins);
    for (let f = 0; f < bins; f++) if (pattern.mask[f]) keep[Math.floor(f / block)] = 1;
    if (!keep.includes(1)) throw new InvalidArgumentError("mask drops every bin; at least one must be kept");
    return { kind: BLOCKS, block, keep };
  }
  let from = 0, to = 0;
  if ("band" in pattern) {
    if (!Array.isArray(pattern.band) || pattern.band.length !== 2) {
      throw new InvalidArgumentError(`band is ${show(pattern.band)}; it must be [from, to]`);
    }
    from = fraction("band[0]", pattern.band[0], 0);
    to = fraction("band[1]", pattern.band[1], 0);
    if (from > to) throw new InvalidArgumentError(`band is ${show(pattern.band)}; it must not end before it begins`);
  } else {
    to = positiveFraction("lowest", pattern.lowest);
  }
  // Bin f is at (f + half) / span of half the sampling rate.
  const [half, span] = mode === "circular" ? [0, length / 2] : [0.5, bins];
  const first = Math.max(0, Math.ceil(from * (1 - ROUNDING) * span - half));
  // A fraction so small that no bin lies below it keeps the lowest one.
  const lowest = "lowest" in pattern ? 0 : -1;
  const last = Math.min(bins - 1, Math.max(lowest, Math.floor(to * (1 + ROUNDING) * span - half)));
  if (first > last) {
    throw new InvalidArgumentError(`no bin lies in band ${show([from, to])}; bins are ${1 / span} apart`);
  }
  keep.fill(1, Math.floor(first / block), Math.floor(last / block) + 1);
  return { kind: BLOCKS, block, keep };
}

const pickOptionNames = new Set([
  ...["length", "mode", "channels", "dtype", "blockBins", "modulus", "contiguous", "keepFraction", "maxError"],
]);

// What is kept or dropped as one: a block or class, or on the circular grid a class and its mirror image.
interface Unit {
  readonly members: readonly number[];
  readonly energy: number;
  bins: number;
}

// What is asked for: as much as `fits` (byFraction), or as little as `isEnough` when that energy is dropped.
interface Wanted {
  readonly byFraction: boolean;
  readonly fits: (bins: number) => boolean;
  readonly isEnough: (dropped: number) => boolean;
}

interface Kept {
  readonly members: number[];
  readonly bins: number;
  readonly dropped: number;
}

function keptOf(units: readonly Unit[], dropped: number): Kept {
  const members = units.flatMap((unit) => unit.members).sort((a, b) => a - b);
  return { members, bins: units.reduce((sum, unit) => sum + unit.bins, 0), dropped };
}

// The strongest units, at least one.
function strongest(units: readonly Unit[], wanted: Wanted): Kept {
  const sorted = [...units].sort((a, b) => b.energy - a.energy);
  // dropped[i]: the energy of units i, i + 1, .. ; summed from the weakest, so that small ones count.
  const dropped = new Float64Array(sorted.length + 1);
  for (let i = sorted.length - 1; i >= 0; i--) dropped[i] = dropped[i + 1]! + sorted[i]!.energy;
  let kept = 1, bins = sorted[0]!.bins;
  const another = () => wanted.byFraction ? wanted.fits(bins + sorted[kept]!.bins) : !wanted.isEnough(dropped[kept]!);
  while (kept < sorted.length && another()) bins += sorted[kept++]!.bins;
  return keptOf(sorted.slice(0, kept), dropped[kept]!);
}

// Neighbours, at least one: the strongest band that fits, or of the narrowest that are enough the strongest.
function strongestBand(units: readonly Unit[], wanted: Wanted): Kept {
  const count = units.length, below = new Float64Array(count + 1), above = new Float64Array(count + 1);
  const binsBelow = new Float64Array(count + 1);
  for (let i = 0; i < count; i++) {
    below[i + 1] = below[i]! + units[i]!.energy;
    above[count - 1 - i] = above[count - i]! + units[count - 1 - i]!.energy;
    binsBelow[i + 1] = binsBelow[i]! + units[i]!.bins;
  }
  let best = { first: 0, end: 0, bins: Infinity, dropped: Infinity };
  for (let first = 0, end = 1; first < count; first++) {
    end = Math.max(end, first + 1);
    const bins = () => binsBelow[end]! - binsBelow[first]!, dropped = () => below[first]! + above[end]!;
    if (wanted.byFraction) {
      while (end < count && wanted.fits(binsBelow[end + 1]! - binsBelow[first]!)) end++;
    } else {
      while (end < count && !wanted.isEnough(dropped())) end++;
      if (!wanted.isEnough(dropped())) break; // nor from any later block on
    }
    const better = wanted.byFraction || bins() === best.bins ? dropped() < best.dropped : bins() < best.bins;
    if (better) best = { first, end, bins: bins(), dropped: dropped() };
  }
  return keptOf(units.slice(best.first, best.end), best.dropped);
}

/** Chooses by energy; see {@link Device.pickFrequencies} (module-internal). */
export async function pickFrequencies(
  session: Session,
  kernel: HostArray,
  options: PickOptions,
): Promise<FrequencyChoice> {
  checkKeys("pickFrequencies", options, pickOptionNames);
  kernel = checkHostArray("kernel", kernel);
  const { keepFraction, maxError, modulus, contiguous = false } = options;
  if ((keepFraction === undefined) === (maxError === undefined)) {
    throw new InvalidArgumentError("give either keepFraction or maxError");
  }
  if (keepFraction !== undefined) positiveFraction("keepFraction", keepFraction);
  if (maxError !== undefined) fraction("maxError", maxError, 0);
  if (modulus !== undefined && options.blockBins !== undefined) {
    throw new InvalidArgumentError("give either modulus or blockBins");
  }
  if (typeof contiguous !== "boolean") {
    throw new InvalidArgumentError(`contiguous is ${show(contiguous)}; it must be true or false`);
  }
  if (modulus !== undefined && contiguous) {
    throw new InvalidArgumentError("classes have no neighbours: give either modulus or contiguous");
  }
  const channels = checkCount("channels", options.channels ?? 1);
  const length = checkCount("length", options.length);
  if (kernel.length === 0 || kernel.length % channels !== 0) {
    throw new ShapeError(
      `kernel has ${kernel.length} elements; it must hold a kernel for each of ${channels} channels`,
    );
  }
  const problem = resolveOptions({
    channels,
    length,
    kernelLength: kernel.length / channels,
    mode: options.mode,
    kernelDtype: exactDtypeOf("kernel", kernel, options.dtype),
  });
  const { mode } = problem;
  const bins = binsOf(session, mode, length);
  const blocks: KeptBlocks = modulus === undefined
    ? keptBlocks({ lowest: 1, blockBins: options.blockBins }, mode, length, bins)
    : keptBlocks({ classes: [0], modulus }, mode, length, bins);
  const count = blocks.keep.length;
  const energies = new Float64Array(count);
  const desc = convDescriptor(problem).bytes, sparsity = sparsityDescriptor(blocks);
  await session.wait(
    [],
    (c, e) => c.ffc_block_energies_async(desc, sparsity, kernel, energies, e),
    desc,
    sparsity,
    kernel,
    energies,
  );

  const units: Unit[] = [];
  const unitOf = new Int32Array(count);
  for (let b = 0; b < count; b++) {
    const mirror = modulus !== undefined && mode === "circular" ? (count - b) % count : b;
    if (mirror < b) continue;
    const members = mirror === b ? [b] : [b, mirror];
    for (const m of members) unitOf[m] = units.length;
    units.push({ members, energy: members.reduce((sum, m) => sum + energies[m]!, 0), bins: 0 });
  }
  for (let f = 0; f < bins; f++) {
    // Causal classes are of the same size; any numbering of the indices counts them right.
    units[unitOf[modulus === undefined ? Math.floor(f / blocks.block) : f % count]!]!.bins++;
  }
  const total = units.reduce((sum, { energy }) => sum + energy, 0);
  const errorOf = (dropped: number) => total > 0 ? Math.sqrt(dropped / total) : 0;
  const wanted: Wanted = {
    byFraction: keepFraction !== undefined,
    fits: (kept) => kept / bins <= keepFraction! * (1 + ROUNDING),
    isEnough: (dropped) => errorOf(dropped) <= maxError!,
  };
  const kept = contiguous ? strongestBand(units, wanted) : strongest(units, wanted);
  return {
    keep: modulus === undefined
      ? { blocks: kept.members, blockBins: blocks.block }
      : { classes: kept.members, modulus },
    zeros: 1 - kept.bins / bins,
    relativeError: errorOf(kept.dropped),
  };
}
