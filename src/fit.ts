// From measured times to the constants of the cost model: time = floor / efficiency + launches x latency.

/** One measured candidate, with what the model says of it. */
export interface FitSample {
  /** The candidate's name among the constants, a path from the general to the special. */
  readonly key: string;
  /** The slowest limits, before any efficiency. */
  readonly floorMs: number;
  /** Launches of a call. */
  readonly launches: number;
  /** The time of a call. */
  readonly measuredMs: number;
}

/** What was fitted: nanoseconds of a launch by family, and efficiencies by key. */
export interface Fit {
  readonly latency: ReadonlyMap<string, number>;
  readonly efficiency: ReadonlyMap<string, number>;
}

// A path whose efficiency differs by less from its parent's needs no entry of its own.
const worthAnEntry = 1.06;

const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf("/")));
/** The first step of a key. */
export const familyOf = (key: string): string => key.split("/")[0]!;
const digits = (value: number) => Number(value.toPrecision(4));

/** The middle one, or the geometric mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : Math.sqrt(sorted[middle - 1]! * sorted[middle]!);
}

/** The entry of KIND/KEY or of its nearest parent, as the library looks it up. */
export function nearest(constants: Readonly<Record<string, number>>, kind: string, key: string): number {
  for (let path = `${kind}/${key}`; path !== ""; path = parentOf(path)) {
    const value = constants[path];
    if (value !== undefined) return value;
  }
  return NaN;
}

/** The model's time of a sample. */
export function predictedMs(constants: Readonly<Record<string, number>>, sample: FitSample): number {
  const { key, floorMs, launches } = sample;
  return floorMs / nearest(constants, "efficiency", key) + launches * nearest(constants, "latency", key) * 1e-6;
}

/** The share of predictions that are within 30% of the times. */
export function shareWithin30(constants: Readonly<Record<string, number>>, samples: readonly FitSample[]): number {
  const close = samples.filter((s) => Math.abs(predictedMs(constants, s) / s.measuredMs - 1) <= 0.3);
  return close.length / Math.max(1, samples.length);
}

// What a family's keys say when its launches cost so much.
function efficienciesFor(samples: readonly FitSample[], latencyMs: number): Map<string, number> {
  const work = new Map<string, { efficiency: number; share: number }[]>();
  for (const { key, floorMs, launches, measuredMs } of samples) {
    const left = measuredMs - launches * latencyMs;
    work.set(key, [...(work.get(key) ?? []), { efficiency: floorMs / left, share: left / measuredMs }]);
  }
  // Samples that are work for the most part say more.
  return new Map([...work].map(([key, list]) => {
    const clear = list.filter(({ share }) => share > 0.5);
    return [key, median((clear.length > 0 ? clear : list).map((entry) => entry.efficiency))];
  }));
}

/**
 * Fits each family's latency and each key's efficiency. A key measured at several sizes tells them apart: the latency is
 * the one with which the times of all sizes come nearest to their predictions. Where nothing tells, it stays near
 * `usualLatency`.
 *
 * @param samples measured times
 * @param usualLatency nanoseconds of a launch, by family
 */
export function fit(samples: readonly FitSample[], usualLatency: (family: string) => number): Fit {
  const families = new Map<string, FitSample[]>();
  for (const s of samples) {
    if (!(s.measuredMs > 0 && s.floorMs > 0 && s.launches > 0)) continue;
    families.set(familyOf(s.key), [...(families.get(familyOf(s.key)) ?? []), s]);
  }
  const latency = new Map<string, number>(), efficiency = new Map<string, number>();
  for (const [family, list] of families) {
    const most = Math.min(...list.map((s) => s.measuredMs / s.launches));
    let best = { loss: Infinity, latencyMs: 0 };
    for (let share = 0.95; share > 0.001; share *= 0.93) {
      const latencyMs = share * most, found = efficienciesFor(list, latencyMs);
      let loss = 1e-3 * Math.log(latencyMs * 1e6 / usualLatency(family)) ** 2;
      for (const s of list) {
        const predicted = s.floorMs / found.get(s.key)! + s.launches * latencyMs;
        loss += Math.min(1, Math.log(predicted / s.measuredMs) ** 2); // one spoilt sample must not decide
      }
      if (loss < best.loss) best = { loss, latencyMs };
    }
    latency.set(family, best.latencyMs * 1e6);
    for (const [key, value] of efficienciesFor(list, best.latencyMs)) efficiency.set(key, value);
  }
  return { latency, efficiency };
}

/**
 * A short table of a fit: parents have the median of their children, for what was not measured, and a child has an
 * entry only where it differs.
 */
export function tableOf({ latency, efficiency }: Fit): Record<string, number> {
  const found = new Map<string, number[]>();
  for (const [key, value] of efficiency) {
    for (let path = `efficiency/${key}`; path !== ""; path = parentOf(path)) {
      found.set(path, [...(found.get(path) ?? []), value]);
    }
  }
  const table: Record<string, number> = {};
  for (const path of [...found.keys()].sort((a, b) => a.length - b.length)) {
    const value = median(found.get(path)!);
    const inherited = nearest(table, parentOf(path), "");
    if (Math.abs(Math.log(value / inherited)) < Math.log(worthAnEntry)) continue;
    table[path] = digits(value);
  }
  for (const [family, ns] of latency) table[`latency/${family}`] = digits(ns);
  if (latency.size > 0) table["latency"] = digits(median([...latency.values()]));
  return table;
}

/**
 * Brings shipped constants to a device: what was measured gets its own value, and the rest of the same family moves
 * as its measured members did.
 */
export function corrected(
  shipped: Readonly<Record<string, number>>,
  { latency, efficiency }: Fit,
): Record<string, number> {
  const constants: Record<string, number> = {};
  for (const family of latency.keys()) {
    const members = [...efficiency].filter(([key]) => familyOf(key) === family);
    const moved = median(members.map(([key, value]) => value / nearest(shipped, "efficiency", key)));
    constants[`efficiency/${family}`] = digits(moved * nearest(shipped, "efficiency", family));
    for (const [name, value] of Object.entries(shipped)) {
      if (name.startsWith(`efficiency/${family}/`)) constants[name] = digits(moved * value);
    }
    for (const [key, value] of members) constants[`efficiency/${key}`] = digits(value);
    constants[`latency/${family}`] = digits(latency.get(family)!);
  }
  return constants;
}
