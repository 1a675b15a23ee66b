/** The problems of the sweep: every size that is benchmarked, and where methods change places. */
import type { ConvPlanOptions } from "../../mod.ts";

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
  for (const length of powers(256, 32768)) add(length, classes.bfloat16, { mode: "circular" });
  for (const length of [4, 16, 32, 64, 100, 128]) for (const kind of kinds) add(length, kind);
  for (const length of [1100, 1500, 3000, 5000, 6000, 10000, 12000, 20000, 24000]) {
    for (const kind of [classes.float32, classes["float16 accurate"], classes.bfloat16]) add(length, kind);
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
  for (const kernelLength of [4, 16, 32, 64, 128]) add(1024, classes.float32, { kernelLength });
  for (const length of [2 ** 20, 2 ** 22]) {
    for (const kernelLength of [16, 128, 512, 4096, 16384]) {
      for (const kind of kinds) add(length, kind, { kernelLength, batch: 1, channels: 2 ** 28 / length });
    }
  }
  for (const kernelLength of [1, 64, 512, 1000, 3000, 4096, 6000, 12000, 16384]) {
    for (const kind of [classes.float32, classes["float16 fast"], classes.bfloat16]) {
      const shape = { kernelLength, batch: 1, channels: 256 };
      if (kernelLength % 512 !== 0) add(2 ** 20, kind, shape);
      add(2 ** 20, kind, { ...shape, ...both });
    }
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

/** "all" or "lengths", for a type of device. */
export function sweepProblems(type: "cpu" | "cuda", set: string): ConvPlanOptions[] {
  return type === "cuda" ? gpuProblems(set) : cpuProblems(set);
}
