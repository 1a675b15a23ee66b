// What a table of constants would have chosen among the candidates of a sweep, and how well it predicts their times.
import { type FitSample, predictedMs, type Table } from "../../src/fit.ts";

/** A timed candidate of a sweep, or one that was too far from the best to be timed. */
export interface SweepLine extends FitSample {
  problem: string;
  candidate: string;
  medianMs: number;
  device: string;
  commit: string;
}

/**
 * The candidates in the lines of sweeps of one device. What several sweeps have timed has the geometric mean of their times: a call of a few
 * microseconds takes a fifth longer in one of them than in another.
 */
export function candidatesOf(...texts: string[]): SweepLine[] {
  const found = new Map<string, { line: SweepLine; times: number[] }>();
  for (const text of texts.flatMap((text) => text.split("\n"))) {
    if (text === "") continue;
    const line = JSON.parse(text);
    if (line.op !== "candidate" && line.op !== "untimed") continue;
    const { mode, dtype, precision, batch, channels, length, kernelLength, gates, frequencies } = line;
    const problem = [
      mode,
      dtype,
      precision,
      batch,
      channels,
      length,
      kernelLength,
      gates,
      ...(line.skip ? ["skip"] : []),
      frequencies,
    ].join(
      "/",
    );
    const id = `${problem} ${line.candidate}`;
    if (!found.has(id)) found.set(id, { line: { ...line, problem, measuredMs: Infinity }, times: [] });
    if (line.medianMs) found.get(id)!.times.push(line.medianMs);
  }
  const mean = (times: number[]) => Math.exp(times.reduce((sum, ms) => sum + Math.log(ms), 0) / times.length);
  const lines = [...found.values()].map(({ line, times }) =>
    times.length > 0 ? { ...line, measuredMs: mean(times) } : line
  );
  // A problem that failed before its first time says nothing.
  const timed = new Set(lines.filter(({ measuredMs }) => measuredMs < Infinity).map(({ problem }) => problem));
  const kept = lines.filter(({ problem }) => timed.has(problem));
  if (kept.length === 0) throw new Error("no candidate lines in these files");
  const devices = new Set(kept.map(({ device }) => device));
  if (devices.size > 1) throw new Error(`these lines are of several devices: ${[...devices].join(", ")}`);
  return kept;
}

/** The constants in a shipped table, a C++ header that fit_constants.ts has written. */
export function tableOf(header: string): Table {
  const entries = [...header.matchAll(/^\s*\{"([^"]+)", ([^}]+)\},$/gm)].map(([, name, value]) =>
    [name!, Number(value)] as const
  );
  if (entries.length === 0 || entries.some(([, value]) => !(value > 0))) {
    throw new Error("this is no table of constants");
  }
  return Object.fromEntries(entries);
}

/** A choice that is not the quickest candidate. */
export interface Miss {
  readonly ratio: number;
  readonly problem: string;
  readonly chosen: SweepLine;
  readonly best: SweepLine;
}

/** How well a table predicts and chooses. */
export interface Verdict {
  readonly problems: number;
  /** Choices that take more than 1.1 times as long as the best. */
  readonly wrong: readonly Miss[];
  /** The largest such ratio of all. */
  readonly worst: number;
  readonly times: number;
  /** Predictions more than 30 % off, the worst first, as a part of the measured time. */
  readonly off: readonly { readonly line: SweepLine; readonly ratio: number }[];
  /** How many of them are of a chosen candidate. */
  readonly offChosen: number;
}

/** Judges a table by the times of a sweep. */
export function judge(table: Table, lines: readonly SweepLine[]): Verdict {
  const problems = Map.groupBy(lines, ({ problem }) => problem);
  const wrong: Miss[] = [], chosenLines = new Set<SweepLine>();
  let worst = 1;
  for (const [problem, candidates] of problems) {
    const by = (cost: (line: SweepLine) => number) => candidates.reduce((a, b) => cost(b) < cost(a) ? b : a);
    const chosen = by((line) => predictedMs(table, line)), best = by((line) => line.measuredMs);
    const ratio = chosen.measuredMs / best.measuredMs;
    chosenLines.add(chosen);
    worst = Math.max(worst, ratio);
    if (!(ratio <= 1.1)) wrong.push({ ratio, problem, chosen, best });
  }
  const timed = lines.filter(({ measuredMs }) => measuredMs < Infinity);
  const off = timed.map((line) => ({ line, ratio: predictedMs(table, line) / line.measuredMs }))
    .filter(({ ratio }) => !(Math.abs(ratio - 1) <= 0.3))
    .sort((a, b) => Math.abs(Math.log(b.ratio)) - Math.abs(Math.log(a.ratio)));
  const offChosen = off.filter(({ line }) => chosenLines.has(line)).length;
  return { problems: problems.size, wrong, worst, times: timed.length, off, offChosen };
}
