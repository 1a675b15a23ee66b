// Frequency-sparse problems: every kind of pattern in every mode that takes one, run on a device and judged against
// float64.
import {
  type ConvMode,
  type ConvPlanOptions,
  type Device,
  type DeviceTensor,
  type Dtype,
  type FrequencyPattern,
  UnsupportedError,
} from "../mod.ts";
import { conv, type ConvCase } from "./cases.ts";
import { binsOfClasses, sparseAll, sparseGrid } from "./oracle.ts";
import { makeData } from "./run_case.ts";
import { judgeRows, type Verdict } from "./tolerance.ts";

/** A problem, its pattern, and the bins it must keep, found out without the library. */
export interface SparseCase extends ConvCase {
  readonly pattern: FrequencyPattern;
  readonly candidate?: string;
  readonly kept: readonly boolean[];
}

// Blocks of `block` bins in which some bin is wanted.
function rounded(bins: number, block: number, wanted: (f: number) => boolean): boolean[] {
  const blocks = new Set<number>();
  for (let f = 0; f < bins; f++) if (wanted(f)) blocks.add(Math.floor(f / block));
  return Array.from({ length: bins }, (_, f) => blocks.has(Math.floor(f / block)));
}

/** Patterns of every kind for a mode and length, with what they keep. */
export function patterns(mode: ConvMode, length: number): { pattern: FrequencyPattern; kept: boolean[] }[] {
  const grid = sparseGrid(mode, length);
  const { bins, points } = grid;
  const at = (f: number) => mode === "circular" ? 2 * f / length : (2 * f + 1) / (2 * points); // of half the rate
  let usual = 1; // the default block
  while (usual < 64 && 128 * usual <= bins) usual *= 2;
  const every = (wanted: (f: number) => boolean) => Array.from({ length: bins }, (_, f) => wanted(f));
  const list: { pattern: FrequencyPattern; kept: boolean[] }[] = [
    { pattern: { lowest: 0.25 }, kept: rounded(bins, usual, (f) => f === 0 || at(f) <= 0.25) },
    { pattern: { lowest: 1e-9, blockBins: 1 }, kept: every((f) => f === 0) },
    { pattern: { lowest: 1 }, kept: every(() => true) },
    { pattern: { band: [0.3, 0.62], blockBins: 1 }, kept: rounded(bins, 1, (f) => at(f) >= 0.3 && at(f) <= 0.62) },
    { pattern: { band: [0.5, 1], blockBins: 3 }, kept: rounded(bins, 3, (f) => at(f) >= 0.5) },
    { pattern: { blocks: [0, 2], blockBins: 5 }, kept: every((f) => [0, 2].includes(Math.floor(f / 5))) },
    { pattern: { mask: every((f) => f % 11 === 3) }, kept: rounded(bins, usual, (f) => f % 11 === 3) },
    {
      pattern: { mask: Uint8Array.from(every((f) => f % 7 === 2), Number), blockBins: 2 },
      kept: rounded(bins, 2, (f) => f % 7 === 2),
    },
  ];
  for (const modulus of [2, 4, 16, 64, 256]) {
    if (points % modulus !== 0) continue;
    const low = [0, 1, modulus / 2, Math.floor(modulus / 3)].filter((c) => c < modulus);
    const classes = [...new Set(mode === "circular" ? low.flatMap((c) => [c, (modulus - c) % modulus]) : low)];
    list.push({ pattern: { classes, modulus }, kept: binsOfClasses(grid, classes, modulus) });
  }
  // A pattern that keeps nothing of so short a grid is an error, not a case.
  return list.filter(({ kept }) => kept.length > 14 && kept.includes(true));
}

/** The bins that a choice by energy keeps. */
export function keptBins(pattern: FrequencyPattern, mode: ConvMode, length: number): boolean[] {
  const grid = sparseGrid(mode, length);
  if ("classes" in pattern) return binsOfClasses(grid, pattern.classes, pattern.modulus);
  if (!("blocks" in pattern) || pattern.blockBins === undefined) throw new Error("a choice is of blocks or of classes");
  const { blocks, blockBins } = pattern;
  return Array.from({ length: grid.bins }, (_, f) => blocks.includes(Math.floor(f / blockBins)));
}

/** Cases over lengths: every pattern, the rest varied. */
export function sparseCases(
  mode: "causal" | "circular",
  lengths: readonly number[],
  dtypes: readonly Dtype[],
): SparseCase[] {
  let i = 0;
  return lengths.flatMap((length) =>
    patterns(mode, length).map(({ pattern, kept }) => {
      i++;
      const dtype = dtypes[i % dtypes.length]!;
      const given = conv({
        mode,
        length,
        kernelLength: [length, Math.ceil(length / 3), 1, 2 * length + 1][i % 4]!,
        dtype,
        kernelDtype: i % 5 === 1 ? "float32" : dtype,
        batch: 1 + i % 3,
        channels: 1 + i % 2,
        preGate: i % 3 === 1,
        postGate: i % 4 === 2,
        skip: i % 5 === 3,
        sharedKernel: i % 7 === 5,
      });
      return { ...given, pattern, kept };
    })
  );
}

/** Plan options of a case. */
export function sparseOptions(c: SparseCase): ConvPlanOptions {
  const { mode, dtype, kernelDtype, batch, channels, length, kernelLength, preGate, postGate, skip, sharedKernel } = c;
  const { algorithm, precision, pattern, candidate } = c;
  return {
    ...{ mode, dtype, kernelDtype, batch, channels, length, kernelLength, preGate, postGate, skip, sharedKernel },
    ...{ algorithm, precision, keepFrequencies: pattern },
    ...(candidate !== undefined && { candidate }),
  };
}

/** Runs a case; undefined where the device does not offer it. */
export async function runSparse(device: Device, c: SparseCase): Promise<Verdict | undefined> {
  using stack = new DisposableStack();
  let plan;
  try {
    plan = stack.use(device.plan(sparseOptions(c)));
  } catch (error) {
    if (error instanceof UnsupportedError) return undefined;
    throw error;
  }
  const data = makeData(c);
  const put = (host: Parameters<Device["tensor"]>[0], shape: number[], dtype: Dtype): DeviceTensor =>
    stack.use(device.tensor(host, { shape, dtype }));
  const rows = [c.batch, c.channels, c.length];
  const k = put(data.k.host, c.sharedKernel ? [c.kernelLength] : [c.channels, c.kernelLength], c.kernelDtype);
  const spectrum = stack.use(plan.spectrum(k));
  const out = stack.use(device.empty(rows, c.dtype));
  out.fillBytes(0xff);
  plan.forward(put(data.u.host, rows, c.dtype), spectrum, {
    out,
    ...(data.preGate && { preGate: put(data.preGate.host, rows, c.dtype) }),
    ...(data.postGate && { postGate: put(data.postGate.host, rows, c.dtype) }),
    ...(data.skip && { skip: put(data.skip.host, [c.channels], c.kernelDtype) }),
  });
  const { y, size } = sparseAll(data.input, c.kept);
  const how = {
    dtype: c.dtype,
    precision: plan.info.precision,
    device: device.type,
  } as const;
  const independent = Math.max(1, c.length * c.kept.filter(Boolean).length / c.kept.length);
  return judgeRows(await out.toFloat32Array(), y, size, c.length, 4 * c.length, how, independent);
}

/** Runs cases and throws one error that names every failed one. Returns how many ran. */
export async function runAllSparse(device: Device, cases: readonly SparseCase[]): Promise<number> {
  const failures: string[] = [];
  let ran = 0;
  for (const c of cases) {
    const verdict = await runSparse(device, c);
    if (!verdict) continue;
    ran++;
    if (!verdict.ok) {
      const pattern = "mask" in c.pattern ? "mask" : JSON.stringify(c.pattern);
      failures.push(
        `${c.mode} ${c.dtype} B${c.batch} H${c.channels} L${c.length} K${c.kernelLength} ${pattern}: relative L2 error ` +
          `${verdict.relL2.toExponential(2)}, allowed ${verdict.bound.toExponential(2)}; worst ${verdict.worst}`,
      );
    }
  }
  if (failures.length > 0) {
    throw new Error(`${failures.length} of ${cases.length} cases failed:\n  ${failures.slice(0, 20).join("\n  ")}`);
  }
  return ran;
}
