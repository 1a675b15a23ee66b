/** The problems of the sweep: every size that is benchmarked, and where methods change places. */
import type { ConvPlanOptions, FrequencyPattern } from "../../mod.ts";

/** Kinds of numbers: the classes of precision that are documented. */
const classes = {
  float32: { dtype: "float32", kernelDtype: "float32", precision: "accurate" },
  "float16 fast": { dtype: "float16", kernelDtype: "float32", precision: "fast" },
  "float16 accurate": { dtype: "float16", kernelDtype: "float32", precision: "accurate" },
  bfloat16: { dtype: "bfloat16", kernelDtype: "float32", precision: "fast" },
} as const satisfies { [name: string]: ConvPlanOptions | Partial<ConvPlanOptions> };

type Kind = typeof classes[keyof typeof classes];
const both = { preGate: true, postGate: true };
const powers = (from: number, to: number) => Array.from({ length: Math.log2(to / from) + 1 }, (_, i) => from * 2 ** i);

// As the published tables have them: 64 x 768 rows where they fit, then what keeps the work at 4 * 10^8 samples.
const batchFor = (length: number) => length <= 8192 ? 64 : length <= 16384 ? 32 : 16;
const rows = (length: number) =>
  length <= 32768
    ? { batch: batchFor(length), channels: 768 }
    : { batch: 8, channels: Math.max(1, 3 * 2 ** 24 / length) };

/** So many of `all` numbers, drawn at random, in order. */
function drawn(count: number, all: number): number[] {
  const order = Array.from({ length: all }, (_, i) => i);
  let state = 11;
  for (let i = all - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // Numerical Recipes' generator
    const j = Math.floor(state / 2 ** 32 * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order.slice(0, count).sort((a, b) => a - b);
}
// About 50, 75 and 91 per cent zeros.
const scattered = (count: number) => ({ classes: drawn(count, 256), modulus: 256 });
/** Blocks of a 1024th of the spectrum, in circular mode of its own grid. */
const fineBlocks = (length: number, count: 92 | 256, circular = false) => ({
  blocks: drawn(count, 1024),
  blockBins: length / (circular ? 2048 : 1024),
});
const every = (step: number) => ({
  classes: Array.from({ length: Math.ceil(256 / step) }, (_, i) => i * step),
  modulus: 256,
});
/** Blocks of a 64th of the spectrum: sixteen, or every third of these. */
const blocks = (length: number, step: 1 | 3) => ({
  blocks: [1, 3, 5, 9, 12, 18, 19, 20, 27, 33, 38, 41, 50, 55, 58, 62].filter((_, i) => i % step === 0),
  blockBins: length / 64,
});
const patterns: FrequencyPattern[] = [
  ...[scattered(128), scattered(64), scattered(23), every(2), every(4), every(11)],
  { lowest: 0.25 },
];

function gpuProblems(set: string): ConvPlanOptions[] {
  const list: ConvPlanOptions[] = [];
  const add = (length: number, kind: Kind, rest: Partial<ConvPlanOptions> = {}) =>
    list.push({ ...rows(length), length, kernelLength: length, ...kind, ...rest });
  const kinds: Kind[] = Object.values(classes);
  if (set === "lengths") {
    // Time per sample in steps of the square root of two: no size may fall off a cliff.
    for (let half = 0; half <= 18; half++) {
      const length = Math.round(32768 * 2 ** (half / 2));
      const channels = Math.max(1, Math.floor(3 * 2 ** 24 / length));
      for (const kind of [classes["float16 fast"], classes["float16 accurate"]]) {
        add(length, kind, { batch: 8, channels });
      }
    }
    return list;
  }
  for (const length of powers(256, 32768)) {
    for (const kind of kinds) for (const gates of [{}, both]) add(length, kind, gates);
  }
  for (const length of powers(256, 32768)) {
    for (const kind of [classes.float32, classes["float16 fast"], classes.bfloat16]) {
      add(length, kind, { mode: "circular" });
    }
  }
  for (const length of [4, 16, 32, 64, 100, 128]) for (const kind of kinds) add(length, kind);
  for (const length of [1100, 1500, 3000, 5000, 6000, 10000, 12000, 20000, 24000]) {
    for (const kind of [classes.float32, classes["float16 accurate"], classes.bfloat16]) add(length, kind);
  }
  // Rows of a whole number of 16 bytes that do not fill their transform, and rows that reach past it when they are shifted.
  for (const points of powers(256, 8192)) {
    for (const kind of kinds.slice(1)) {
      for (const length of [points - 8, points - 1]) for (const gates of [{}, both]) add(length, kind, gates);
    }
  }
  for (const length of powers(256, 32768)) {
    for (const [batch, channels] of [[1, 768], [4, 768], [1, 16], [64, 16]] as const) {
      for (const kind of [classes.float32, classes["float16 fast"], classes.bfloat16]) {
        add(length, kind, { batch, channels });
      }
    }
  }
  for (const length of powers(2 ** 16, 2 ** 24)) {
    for (const kind of length <= 2 ** 20 ? kinds : kinds.slice(1)) add(length, kind);
    if (length <= 2 ** 20) add(length, classes.bfloat16, both);
  }
  add(2 ** 20, classes.bfloat16, { batch: 1, channels: 256 });
  // Short kernels on long sequences; a length that tensor copies do not serve.
  for (const kernelLength of [4, 16, 32, 64, 128]) add(1024, classes.float32, { kernelLength });
  for (const length of [2 ** 20, 2 ** 22]) {
    for (const kernelLength of [16, 128, 512, 4096, 16384]) {
      for (const kind of kinds) add(length, kind, { kernelLength, batch: 1, channels: 2 ** 28 / length });
    }
    for (const kernelLength of [512, 4096, 16384]) {
      for (const kind of [classes["float16 fast"], classes.bfloat16]) {
        add(length, kind, { kernelLength, batch: 8, channels: 256 });
      }
      add(length, classes.bfloat16, { kernelLength, batch: 1, channels: 256, ...both });
      if (length === 2 ** 20) continue; // above, with as many channels
      for (const kind of kinds) add(length, kind, { kernelLength, batch: 1, channels: 256 });
    }
  }
  for (const kernelLength of [512, 4096, 16384]) {
    add(2 ** 20 + 8, classes["float16 fast"], { kernelLength, batch: 1, channels: 256 });
  }
  // Some of the frequencies, as bench/gpu has them: scattered classes and every so many of 256, and bands.
  for (const length of [4096, 8192, 16384, 32768, 2 ** 16, 2 ** 18, 2 ** 20, 2 ** 22]) {
    const sparse = length <= 32768
      ? [{ ...classes["float16 fast"], batch: 16 }, { ...classes.float32, batch: 16 }]
      : length === 2 ** 20
      ? [classes["float16 accurate"], classes.bfloat16, classes.float32]
      : [classes["float16 accurate"]];
    for (const kind of sparse) {
      add(length, kind);
      for (const keepFrequencies of patterns) add(length, kind, { keepFrequencies });
      // At a quarter of the sampling rate, and at a half of it in the middle of the spectrum.
      if (length > 2 ** 16) add(length, kind, { keepFrequencies: { lowest: 0.09 } });
      if (length !== 2 ** 20) continue;
      add(length, kind, { keepFrequencies: { band: [0.3, 0.55] } });
      if (kind === classes.float32) continue;
      for (const keepFrequencies of [blocks(length, 1), blocks(length, 3)]) {
        for (const shape of [{}, { batch: 1, channels: 256 }]) add(length, kind, { keepFrequencies, ...shape });
      }
    }
    for (const keepFrequencies of length > 2 ** 20 ? [] : [blocks(length, 1), blocks(length, 3)]) {
      const batch = length > 32768 ? 8 : 16;
      add(length, classes.float32, { keepFrequencies, batch });
      add(length, classes.float32, { keepFrequencies, batch, ...both });
      add(length, classes.float32, { keepFrequencies, batch: 1 });
    }
    // Circular, and with a skip term.
    for (const kind of length === 2 ** 20 ? kinds : length < 2 ** 20 && length > 4096 ? [classes.float32] : []) {
      const batch = length > 32768 ? 8 : 16;
      add(length, kind, { batch, mode: "circular" });
      for (const step of [1, 3] as const) {
        const { blocks: numbers } = blocks(length, step), circular = { blocks: numbers, blockBins: length / 128 };
        add(length, kind, { batch, mode: "circular", keepFrequencies: circular });
        add(length, kind, { batch, keepFrequencies: blocks(length, step), skip: true });
      }
    }
    // Whole rows that are left out, and bands at their own rate, beside a skip term.
    for (const kind of length === 2 ** 20 ? kinds.filter((k) => k !== classes.float32) : []) {
      for (const keepFrequencies of ["all", every(4), { lowest: 0.09 }, { band: [0.3, 0.55] }] as const) {
        add(length, kind, { keepFrequencies, skip: true });
      }
    }
    // Circular rows on their own frequencies.
    for (const kind of length === 2 ** 20 ? kinds : length === 2 ** 18 ? kinds.slice(0, 2) : []) {
      const symmetric = { classes: scattered(64).classes.flatMap((c) => c % 2 ? [c, 256 - c] : []), modulus: 256 };
      const bands = [{ lowest: 0.09 }, { band: [0.3, 0.55] }, { band: [0.45, 0.54] }] as const;
      if (length !== 2 ** 20) add(length, kind, { mode: "circular" });
      for (const keepFrequencies of [every(4), symmetric, ...bands]) {
        add(length, kind, { mode: "circular", keepFrequencies });
      }
    }
    if (length !== 2 ** 18 && length !== 2 ** 22) continue;
    for (
      const keepFrequencies of [{ lowest: 0.25 }, { lowest: 0.09 }, { band: [0.3, 0.55] }, {
        band: [0.45, 0.54],
      }] as const
    ) {
      add(length, classes.float32, { keepFrequencies });
    }
  }
  for (const length of powers(2 ** 14, 2 ** 21)) {
    if (length === 2 ** 20) continue;
    for (const kind of kinds.slice(1)) {
      add(length, kind);
      for (const keepFrequencies of [blocks(length, 1), blocks(length, 3)]) add(length, kind, { keepFrequencies });
    }
  }
  for (const length of powers(2 ** 17, 2 ** 22)) {
    for (const kind of kinds) {
      for (const count of [92, 256] as const) {
        const keepFrequencies = fineBlocks(length, count);
        add(length, kind, { keepFrequencies });
        if (length !== 2 ** 20) continue;
        add(length, kind, { keepFrequencies, batch: 1, channels: 256 });
        add(length, kind, { keepFrequencies, ...both });
        add(length, kind, { keepFrequencies, skip: true });
        add(length, kind, { keepFrequencies: fineBlocks(length, count, true), mode: "circular" });
      }
    }
  }
  // Few digits, and one slice of four.
  const few = (length: number, kind: Kind, gates: Partial<ConvPlanOptions> = {}) => {
    const batch = length <= 32768 ? 16 : 8;
    for (const keepFrequencies of [every(2), every(4)]) add(length, kind, { ...gates, batch, keepFrequencies });
  };
  for (const length of powers(4096, 2 ** 16)) few(length, classes["float16 accurate"]);
  for (const length of powers(4096, 32768)) {
    for (const kind of kinds) {
      add(length, kind, { mode: "circular", batch: 16 });
      few(length, kind, { mode: "circular" });
    }
  }
  few(8192, classes["float16 accurate"], both);
  few(2 ** 16, classes["float16 fast"]);
  few(2 ** 16, classes.bfloat16);
  for (const length of [2 ** 14, 2 ** 16]) {
    for (const kind of [classes["float16 fast"], classes.bfloat16]) few(length, kind, both);
  }
  for (const kernelLength of [1, 64, 512, 1000, 3000, 4096, 6000, 12000, 16384]) {
    for (const kind of [classes.float32, classes["float16 fast"], classes.bfloat16]) {
      const shape = { kernelLength, batch: 1, channels: 256 };
      if (kernelLength % 512 !== 0) add(2 ** 20, kind, shape);
      add(2 ** 20, kind, { ...shape, ...both });
    }
  }
  for (const kernelLength of [512, 4096, 6000, 16384]) {
    add(2 ** 20, classes["float16 accurate"], { kernelLength, batch: 1, channels: 256, ...both });
  }
  return list;
}

function cpuProblems(set: string): ConvPlanOptions[] {
  const list: ConvPlanOptions[] = [];
  const samples = 2 ** 18;
  if (set === "lengths") {
    for (let half = 0; half <= 10; half++) {
      const length = Math.round(8192 * 2 ** (half / 2));
      list.push({ channels: Math.max(1, Math.floor(samples / length)), length, kernelLength: length });
    }
    return list;
  }
  for (const length of powers(64, 2 ** 18)) list.push({ channels: samples / length, length, kernelLength: length });
  for (const length of [100, 1000, 10000]) {
    list.push({ channels: Math.floor(samples / length), length, kernelLength: length });
  }
  for (const kernelLength of [3, 16, 64, 1024]) list.push({ channels: 8, length: 32768, kernelLength });
  for (const length of [64, 1024, 16384]) list.push({ length, kernelLength: length });
  list.push({ channels: 64, length: 4096, kernelLength: 4096, dtype: "bfloat16", kernelDtype: "float32", ...both });
  return list;
}

/** What tells a problem from the others of a sweep. */
export function describe(problem: ConvPlanOptions) {
  const { mode = "causal", dtype = "float32", precision = "default", batch = 1, channels = 1, length, kernelLength } =
    problem;
  const skip = problem.skip ? { skip: true } : {};
  const gates = Number(problem.preGate ?? false) + Number(problem.postGate ?? false);
  const kept = problem.keepFrequencies ?? "all";
  const frequencies = typeof kept === "object" && "classes" in kept
    ? `${kept.classes.slice(0, 2)}..${kept.classes.length}of${kept.modulus}`
    : typeof kept === "object" && "blocks" in kept && kept.blocks.length > 16
    ? `blocks${kept.blocks.slice(0, 2)}..${kept.blocks.length}bins${kept.blockBins}`
    : JSON.stringify(kept).replace(/\W+/g, "");
  return { mode, dtype, precision, batch, channels, length, kernelLength, gates, ...skip, frequencies };
}

/** The same in one word. */
export const nameOf = (problem: ConvPlanOptions): string => Object.values(describe(problem)).join("/");

/** "all" or "lengths", for a type of device; each problem once. */
export function sweepProblems(type: "cpu" | "cuda", set: string): ConvPlanOptions[] {
  const list = type === "cuda" ? gpuProblems(set) : cpuProblems(set);
  return [...new Map(list.map((problem) => [nameOf(problem), problem])).values()];
}
