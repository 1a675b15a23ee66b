import { InternalError } from "./errors.ts";

/** A JSON value, as the library's planner writes it. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/** One launch of a candidate, or several alike: its limits in milliseconds, with the whole device busy. */
export interface PassExplanation {
  /** Launches of the device function. */
  readonly launches: number;
  /** Equal pieces of its work. */
  readonly units: number;
  /** How many of them the device works on at a time. */
  readonly slots: number;
  /** Rounds that it takes to fill and drain a pipeline, beside those of the units. */
  readonly filling: number;
  /** What device memory alone would take. */
  readonly deviceMs: number;
  /** The second-level cache. */
  readonly l2Ms: number;
  /** Shared memory. */
  readonly sharedMs: number;
  /** Tensor cores. */
  readonly tensorMs: number;
  /** The other arithmetic units. */
  readonly coreMs: number;
}

/** One way of running a problem, as the cost model sees it; amounts are those of one forward call. */
export interface CandidateExplanation {
  /** E.g. "fused-fp32/1024/32x32"; the option `candidate` of a plan forces it. */
  readonly name: string;
  /** "direct", "fused-mma", ...; see the README. */
  readonly family: string;
  /** The algorithm it belongs to. */
  readonly algorithm: string;
  /** False where the algorithm that was asked for leaves it out. */
  readonly usable: boolean;
  /** Whether the plan runs it. */
  readonly chosen: boolean;
  /** How many factors the transform is split into. */
  readonly order: number;
  /** The factors. */
  readonly radices: readonly number[];
  /** Points of one transform; 0 for a direct sum. */
  readonly transformLength: number;
  /** Transforms of a row. */
  readonly segments: number;
  /** Floating-point operations on tensor cores. */
  readonly tensorFlops: number;
  /** Floating-point operations elsewhere. */
  readonly coreFlops: number;
  /** Bytes between device memory and the chip. */
  readonly deviceBytes: number;
  /** Bytes through the second-level cache. */
  readonly l2Bytes: number;
  /** Bytes through shared memory. */
  readonly sharedBytes: number;
  /** Launches of device functions. */
  readonly launches: number;
  /** What each limit alone would take, in milliseconds. */
  readonly deviceMs: number;
  /** The second-level cache. */
  readonly l2Ms: number;
  /** Shared memory. */
  readonly sharedMs: number;
  /** Tensor cores. */
  readonly tensorMs: number;
  /** The other arithmetic units. */
  readonly coreMs: number;
  /** The slowest limit of each pass, summed, with unevenly filled rounds. */
  readonly floorMs: number;
  /** Not 0: the backend's own model of the work in place of the limits (the CPU's). */
  readonly modelMs: number;
  /** The part of that limit that the constants of the device say is reached. */
  readonly efficiency: number;
  /** What it is called among the constants: a path from the general to the special, whose parts have constants each. */
  readonly key: string;
  /** What the launches cost beside their work. */
  readonly latencyMs: number;
  /** floorMs / efficiency + latencyMs. */
  readonly predictedMs: number;
  /** The slowest limit. */
  readonly bottleneck: string;
  /** Why it was taken, or not. */
  readonly reason: string;
  /** Its launches, one after the other. */
  readonly passes: readonly PassExplanation[];
  /** From {@link ConvPlan.measure}: the median time of a call. */
  readonly measuredMs?: number;
  /** From {@link ConvPlan.measure}: why it could not be timed. */
  readonly failure?: string;
}

/** A family that offers nothing for a problem. */
export interface RefusalExplanation {
  /** "direct", "fused-mma", ... */
  readonly family: string;
  /** Why. */
  readonly reason: string;
}

/** What {@link ConvPlan.measure} adds to a candidate. */
export interface Measured {
  /** Median time of a call. */
  readonly measuredMs?: number;
  /** Why there is none. */
  readonly failure?: string;
}

// A table for people: the quickest candidates, and how many are left out.
const mostRows = 12;

/** Why a plan is as it is: as data, and as a table for people through `toString()`. */
export class PlanExplanation {
  /** What the planner said, as it said it. */
  readonly data: { readonly [key: string]: JsonValue };
  /** Every candidate, the least predicted time first. */
  readonly candidates: readonly CandidateExplanation[];
  /** The one the plan runs. */
  readonly chosen: CandidateExplanation;
  /** The families that offer nothing, and why. */
  readonly refused: readonly RefusalExplanation[];

  /**
   * Wraps the planner's JSON object.
   *
   * @param data what the planner said
   * @param measured times by the names of candidates
   * @throws {InternalError} if it is not an explanation
   */
  constructor(data: JsonValue, measured: ReadonlyMap<string, Measured> = new Map()) {
    const list = isObject(data) && Array.isArray(data.candidates) ? data.candidates.filter(isObject) : [];
    const candidates = list.map((entry) => ({ ...entry, ...measured.get(String(entry.name)) }));
    const chosen = candidates.find((entry) => "chosen" in entry && entry.chosen === true);
    if (!isObject(data) || !chosen) throw new InternalError("the planner's explanation is none");
    this.data = { ...data, candidates: candidates as JsonValue[] };
    this.candidates = candidates as unknown as CandidateExplanation[];
    this.chosen = chosen as unknown as CandidateExplanation;
    this.refused = (Array.isArray(data.refused) ? data.refused : []) as unknown as RefusalExplanation[];
  }

  /** The data, for JSON.stringify. */
  toJSON(): { readonly [key: string]: JsonValue } {
    return this.data;
  }

  /** What was decided, then a table of the candidates, then who refused and why. */
  toString(): string {
    const facts = Object.entries(this.data).filter(([key]) => key !== "candidates" && key !== "refused");
    const width = Math.max(0, ...facts.map(([key]) => key.length));
    const lines = facts.map(([key, value]) =>
      `${key.padEnd(width)}  ${key === "sparsity" && isObject(value) ? sparsityLine(value) : cell(value)}`
    );
    const shown = this.candidates.filter((c, i) => i < mostRows || c.chosen || c.measuredMs !== undefined);
    lines.push("candidates", ...table(shown.map(rowOf)).map((line) => `  ${line}`));
    const left = this.candidates.length - shown.length;
    if (left > 0) lines.push(`  and ${left} more, slower by prediction`);
    if (this.refused.length > 0) lines.push("refused");
    for (const { family, reason } of this.refused) lines.push(`  ${family}: ${reason}`);
    return lines.join("\n");
  }
}

function rowOf(c: CandidateExplanation): { [column: string]: string } {
  const timed = c.measuredMs !== undefined || c.failure !== undefined;
  return {
    "": c.chosen ? ">" : c.usable ? " " : "-",
    candidate: c.name,
    segments: String(c.segments),
    "tensor FLOP": amount(c.tensorFlops),
    "other FLOP": amount(c.coreFlops),
    "device B": amount(c.deviceBytes),
    "L2 B": amount(c.l2Bytes),
    "shared B": amount(c.sharedBytes),
    "predicted ms": c.predictedMs.toPrecision(3),
    ...(timed && {
      "measured ms": c.measuredMs?.toPrecision(3) ?? "failed",
      "predicted / measured": c.measuredMs ? (c.predictedMs / c.measuredMs).toFixed(2) : "-",
    }),
    bottleneck: c.bottleneck,
    why: c.failure ?? c.reason,
  };
}

// What a pattern drops, and how much of the work the chosen method really leaves out.
function sparsityLine(s: { [key: string]: JsonValue }): string {
  const of = (part: JsonValue | undefined, all: JsonValue | undefined) =>
    typeof part === "number" && typeof all === "number" && all > 0 ? part / all : 0;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const flops = of(s.rowFlopsSkipped, s.rowFlops), bytes = of(s.rowBytesSkipped, s.rowBytes);
  // A filter bank may compute more than what it leaves out: what it saves are bytes.
  const skips = flops < 0 ? `computes ${percent(-flops)} more than` : `skips ${percent(flops)} of`;
  const also = flops < 0 ? "and skips " : "and ";
  return `${percent(Number(s.zeros))} zeros; ${skips} ${amount(Number(s.rowFlops))} FLOP ${also}` +
    `${percent(bytes)} of ${amount(Number(s.rowBytes))} B a row` +
    (flops + bytes === 0 && Number(s.zeros) > 0 ? " (no digit of the transform is without a kept frequency)" : "");
}

function isObject(value: JsonValue | undefined): value is { [key: string]: JsonValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** 12.3 G, three digits. */
function amount(value: number): string {
  if (value === 0) return "-";
  const step = Math.max(0, Math.min(5, Math.floor(Math.log10(value) / 3)));
  return `${(value / 1000 ** step).toPrecision(3)}${["", " k", " M", " G", " T", " P"][step]}`;
}

function cell(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return "-";
  if (typeof value === "number") {
    return Number.isInteger(value) ? value.toLocaleString("en-US") : String(Number(value.toPrecision(4)));
  }
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return value;
  return Array.isArray(value) && !value.some(isObject) ? value.map(cell).join(" x ") : JSON.stringify(value);
}

function table(rows: readonly { readonly [key: string]: string }[]): string[] {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = [columns, ...rows.map((row) => columns.map((column) => row[column] ?? "-"))];
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
  return cells.map((row) => row.map((text, i) => text.padEnd(widths[i]!)).join("  ").trimEnd());
}
