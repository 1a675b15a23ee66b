// From measured times to the constants of the cost model (cuda/planner/candidate.h has it in words):
//
//     time = sum over passes [ launches x latency + limits x (rounds + extra) x slots / units / efficiency ]
//     rounds = ceil(units / slots), extra = fill x (1 + filling) x rounds / (rounds + 4)
//     limits = ((device / e)^4 + (l2 / e)^4 + (shared / e)^4 + (issue / e)^4)^(1/4), e the part of each that is reached
//
// where latency, fill, efficiency and each e are products of the constants of a candidate's traits.

/** One launch of a candidate, or several alike: its limits in milliseconds, with the whole device busy. */
export interface FitPass {
  /** Launches of the device function. */
  readonly launches: number;
  /** Equal pieces of its work. */
  readonly units: number;
  /** How many of them the device works on at a time. */
  readonly slots: number;
  /** Rounds of a pipeline beside the one that every work has. */
  readonly filling: number;
  /** Device memory. */
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

/** One measured candidate, with what the model says of it. */
export interface FitSample {
  /** The candidate's name among the constants, a path from the general to the special. */
  readonly key: string;
  /** Its launches. */
  readonly passes: readonly FitPass[];
  /** A backend's own model of the work in place of the limits; 0: none. */
  readonly modelMs: number;
  /** The time of a call; Infinity: not timed, as it was predicted to be far from the best of its problem. */
  readonly measuredMs: number;
  /** What was computed: candidates of one problem are compared. */
  readonly problem?: string;
}

/** Constants by name. */
export type Table = Readonly<Record<string, number>>;

const limits = ["device", "l2", "shared", "issue"] as const;
/** Kinds of fitted constants: the first step of their names. */
export const fittedKinds = ["latency", "fill", "efficiency", ...limits] as const;
type Kind = typeof fittedKinds[number];
const sharpness = 4;
// A pipeline needs some rounds before memory and arithmetic overlap as they do later: extra rounds grow up to `fill`.
const rampRounds = 4;
const digits = (value: number) => Number(value.toPrecision(3));

/** The first step of a key. */
export const familyOf = (key: string): string => key.split("/")[0]!;

/**
 * What a key has in common with others: every path that leads to it, and one step of it anywhere in its family or in the
 * first two steps.
 */
export function traitsOf(key: string): string[] {
  const steps = key.split("/"), traits: string[] = [];
  for (let i = 1; i <= steps.length; i++) traits.push(steps.slice(0, i).join("/"));
  for (let from = 1; from <= 2; from++) {
    for (let i = from + 1; i < steps.length; i++) traits.push(`${steps.slice(0, from).join("/")}/*/${steps[i]}`);
  }
  return traits;
}

/** The product of the constants that a kind has for a key, as the library makes it. */
export function product(constants: Table, kind: string, key: string): number {
  let value = constants[kind] ?? 1;
  for (const trait of traitsOf(key)) value *= constants[`${kind}/${trait}`] ?? 1;
  return value;
}

/** The constants of a table that are of candidates none of which is among the samples: a fit to these cannot find them. */
export function unknownConstants(table: Table, samples: readonly FitSample[]): Table {
  const known = new Set(samples.flatMap(({ key }) => traitsOf(key)));
  const traitOf = (name: string) => name.slice(name.indexOf("/") + 1);
  return Object.fromEntries(Object.entries(table).filter(([name]) => name.includes("/") && !known.has(traitOf(name))));
}

/** The model's time of a sample. */
export function predictedMs(constants: Table, sample: FitSample): number {
  const of = (kind: Kind) => product(constants, kind, sample.key);
  return timeOf(sample, fittedKinds.map(of));
}

// The time, and in `slopes` (one for each kind) how its logarithm follows theirs.
function timeOf(sample: FitSample, values: readonly number[], slopes?: number[]): number {
  const [latency, fill, efficiency, device, l2, shared, issue] = values as [
    ...[number, number, number, number, number, number, number],
  ];
  let time = 0;
  slopes?.fill(0);
  for (const pass of sample.passes) {
    const launches = pass.launches * latency * 1e-6;
    const rounds = Math.ceil(pass.units / pass.slots);
    const extra = fill * (1 + pass.filling) * rounds / (rounds + rampRounds);
    const parts = [
      pass.deviceMs / device,
      pass.l2Ms / l2,
      pass.sharedMs / shared,
      (pass.tensorMs + pass.coreMs) / issue,
    ];
    const sum = parts.reduce((all, part) => all + part ** sharpness, 0);
    const work = sample.modelMs > 0
      ? 0
      : sum ** (1 / sharpness) * (rounds + extra) * pass.slots / pass.units / efficiency;
    time += launches + work;
    if (!slopes) continue;
    slopes[0]! += launches;
    slopes[1]! += work * extra / (rounds + extra);
    slopes[2]! -= work;
    for (const [i, part] of parts.entries()) slopes[3 + i]! -= sum > 0 ? work * part ** sharpness / sum : 0;
  }
  time += sample.modelMs / efficiency;
  if (slopes) {
    slopes[2]! -= sample.modelMs / efficiency;
    for (let i = 0; i < slopes.length; i++) slopes[i]! /= time;
  }
  return time;
}

/** The share of predictions that are within 30% of the times. */
export function shareWithin30(constants: Table, samples: readonly FitSample[]): number {
  const timed = samples.filter(({ measuredMs }) => measuredMs < Infinity);
  const close = timed.filter((s) => Math.abs(predictedMs(constants, s) / s.measuredMs - 1) <= 0.3);
  return close.length / Math.max(1, timed.length);
}

/** How a fit is done. */
export interface FitOptions {
  /** How much an error that a constant explains must weigh for it to be used; default 0.02. */
  readonly price?: number;
  /** Constants to begin with; default: general ones. */
  readonly start?: Table;
  /** Only constants of these names and those of `start` move; default: all traits of the samples. */
  readonly allow?: (name: string) => boolean;
}

const general: Table = {
  ...{ latency: 3000, fill: 1, efficiency: 0.6 },
  ...{ device: 1, l2: 1, shared: 1, issue: 1 },
};
// Logarithms of constants: an exception below the first is hardly one, below the second none.
const small = 0.05, least = 0.004;
// Steps of the fit; after the first few it is known which constants there will be.
const stages = 80, settled = 30;
// Candidates that are so close to the best one count as well chosen; the others must be predicted slower by a margin.
const goodChoice = 1.06, margin = 0.015, untimedMargin = Math.log(1.5);

interface Entry {
  readonly row: number;
  readonly value: number;
}

/**
 * Fits constants: least squares of the logarithms, in which each constant that is not 1 costs (so that few are), and in
 * which a problem whose best candidates are not predicted to be the quickest counts as an error like others.
 */
export function fit(samples: readonly FitSample[], options: FitOptions = {}): Table {
  const list = samples.filter((s) => s.measuredMs > 0);
  const { price = 0.02, start = general } = options;
  // Traits as numbers; `at[i][k]` are those of sample i and kind k.
  const names: string[] = [], numbers = new Map<string, number>();
  const numberOf = (name: string): number => {
    let found = numbers.get(name);
    if (found === undefined) {
      numbers.set(name, found = names.length);
      names.push(name);
    }
    return found;
  };
  const allowed = (name: string) => !name.includes("/") || name in start || (options.allow?.(name) ?? true);
  const at = list.map(({ key }) =>
    fittedKinds.map((kind) =>
      [kind, ...traitsOf(key).filter((t) => kindTakes(kind, t)).map((trait) => `${kind}/${trait}`)].filter(allowed)
        .map(numberOf)
    )
  );
  const origin = Float64Array.from(names, (name) => Math.log(start[name] ?? 1));
  const theta = origin.slice();
  const cost = Float64Array.from(names, (name) => name.includes("/") ? price * dearness(name) : 0.01 * price);
  const problems = Map.groupBy(list.map((_, i) => i), (i) => list[i]!.problem ?? String(i));
  const logTime = new Float64Array(list.length), measured = list.map(({ measuredMs }) => Math.log(measuredMs));
  const slopes = list.map(() => fittedKinds.map(() => 0));
  const evaluateOne = (i: number) => {
    const values = at[i]!.map((traits) => Math.exp(traits.reduce((sum, t) => sum + theta[t]!, 0)));
    logTime[i] = Math.log(timeOf(list[i]!, values, slopes[i]));
  };
  const evaluate = () => {
    for (let i = 0; i < list.length; i++) evaluateOne(i);
  };
  // The fit weighs all errors; in the end exceptions of single keys are made where a choice or a time is still missed and
  // nothing else suffers.
  const lastWord = () => {
    const byKey = Map.groupBy(list.map((_, i) => i), (i) => list[i]!.key);
    const problemOf = list.map(({ problem }, i) => problems.get(problem ?? String(i))!);
    const faultsAround = (members: Iterable<number>) => {
      const around = new Set<readonly number[]>();
      let faults = 0;
      for (const i of members) {
        around.add(problemOf[i]!);
        faults += errorFault(list[i]!, logTime[i]!);
      }
      for (const problem of around) faults += choiceFault(list, problem, logTime);
      return faults;
    };
    const tryKey = (key: string) => {
      const members = byKey.get(key)!;
      let now = faultsAround(members);
      for (const kind of ["efficiency", "latency"] as const) {
        const j = numbers.get(`${kind}/${key}`);
        if (j === undefined) continue;
        const before = theta[j]!;
        let best = { cost: now - 1e-3, value: before };
        for (let tried = -24; tried <= 24; tried++) {
          theta[j] = before + 0.01 * tried;
          for (const i of members) evaluateOne(i);
          const cost = faultsAround(members) + 0.2 * Math.abs(0.01 * tried);
          if (tried !== 0 && cost < best.cost) best = { cost, value: theta[j]! };
        }
        theta[j] = best.value;
        for (const i of members) evaluateOne(i);
        now = faultsAround(members);
      }
    };
    for (let round = 0; round < 4; round++) {
      for (const members of problems.values()) {
        if (choiceFault(list, members, logTime) > 0) {
          const chosen = members.reduce((a, b) => logTime[b]! < logTime[a]! ? b : a);
          const quickest = members.reduce((a, b) => list[b]!.measuredMs < list[a]!.measuredMs ? b : a);
          for (const i of [chosen, quickest]) tryKey(list[i]!.key);
        }
        for (const i of members) if (errorFault(list[i]!, logTime[i]!) > 0) tryKey(list[i]!.key);
      }
    }
  };
  const insistence = list.map(() => 4);
  let best = { faults: Infinity, theta };
  for (let stage = 0; stage <= stages; stage++) {
    evaluate();
    const faults = faultsOf(list, problems, logTime) +
      0.01 * theta.filter((t, j) => Math.abs(t - origin[j]!) > least).length;
    if (stage >= settled && faults <= best.faults) best = { faults, theta: theta.slice() };
    if (stage === stages) break;
    // Rows of the linear problem: residual and weight; columns by constant.
    const residual: number[] = [], weight: number[] = [];
    const columns = names.map((): Entry[] => []);
    const addTo = (row: number, i: number, sign: number) => {
      for (const [k, traits] of at[i]!.entries()) {
        const value = sign * slopes[i]![k]!;
        if (Math.abs(value) > 1e-4) { for (const t of traits) columns[t]!.push({ row, value }); }
      }
    };
    for (let i = 0; i < list.length; i++) {
      if (measured[i] === Infinity) continue;
      const r = logTime[i]! - measured[i]!;
      // Errors of 30% are to be avoided more than many small ones.
      weight.push(1 + Math.min(20, (Math.abs(r) / 0.15) ** 4));
      addTo(residual.push(r) - 1, i, 1);
    }
    for (const members of problems.values()) {
      if (members.length < 2) continue;
      const bestMs = Math.min(...members.map((i) => list[i]!.measuredMs));
      const good = members.filter((i) => list[i]!.measuredMs <= goodChoice * bestMs)
        .reduce((a, b) => logTime[b]! < logTime[a]! ? b : a);
      for (const i of members) {
        const over = Math.log(list[i]!.measuredMs / bestMs);
        const wanted = over === Infinity ? untimedMargin : Math.min(margin, over / 2),
          lead = logTime[i]! - logTime[good]!;
        if (list[i]!.measuredMs <= goodChoice * bestMs || lead >= wanted) continue;
        // Who insists on being chosen wrongly weighs more from stage to stage.
        insistence[i] = Math.min(3000, insistence[i]! * 1.25);
        weight.push(insistence[i]! * Math.min(1, over / 0.1));
        const row = residual.push(lead - wanted) - 1;
        addTo(row, i, 1);
        addTo(row, good, -1);
      }
    }
    // Coordinate descent on sum of weight x residual^2 / 2 + cost x |theta - origin|, each step bounded.
    const damping = 0.05;
    const step = new Float64Array(names.length);
    // What has proved large costs little more, what is near nothing is driven to it: few constants, unbiased ones.
    const toll = cost.map((c, j) => stage < 10 ? c : c * 1.1 * small / (Math.abs(theta[j]! - origin[j]!) + small));
    for (let round = 0; round < 12; round++) {
      let most = 0;
      for (let j = 0; j < names.length; j++) {
        const column = columns[j]!;
        let curvature = damping, slope = damping * step[j]!;
        for (const { row, value } of column) {
          curvature += weight[row]! * value * value;
          slope += weight[row]! * value * residual[row]!;
        }
        const now = theta[j]! + step[j]!;
        const free = now - slope / curvature - origin[j]!, shrunk = Math.max(0, Math.abs(free) - toll[j]! / curvature);
        let next = origin[j]! + Math.sign(free) * shrunk;
        next = Math.min(theta[j]! + 0.25, Math.max(theta[j]! - 0.25, next));
        const change = next - now;
        if (change === 0) continue;
        most = Math.max(most, Math.abs(change));
        step[j] = next - theta[j]!;
        for (const { row, value } of column) residual[row]! += value * change;
      }
      if (most < 1e-4) break;
    }
    for (let j = 0; j < names.length; j++) theta[j]! += step[j]!;
  }
  theta.set(best.theta);
  evaluate();
  lastWord();
  const table: Record<string, number> = { ...start };
  for (const [j, name] of names.entries()) {
    if (Math.abs(theta[j]! - origin[j]!) <= least) continue;
    const value = digits(Math.exp(theta[j]!));
    if (value !== 1 || name in start) table[name] = value;
  }
  return table;
}

// How badly the predictions miss what is wanted: a choice beyond 1.08 of the best, an error beyond 25%.
function choiceFault(list: readonly FitSample[], members: readonly number[], logTime: Float64Array): number {
  let chosen = members[0]!, best = Infinity;
  for (const i of members) {
    if (logTime[i]! < logTime[chosen]!) chosen = i;
    best = Math.min(best, list[i]!.measuredMs);
  }
  const over = best === Infinity ? 0 : Math.min(1, Math.log(list[chosen]!.measuredMs / best));
  return over <= Math.log(1.08) ? 0 : 0.1 + 10 * (over - Math.log(1.08)) + (over > Math.log(1.1) ? 1 : 0);
}

function errorFault({ measuredMs }: FitSample, logTime: number): number {
  if (measuredMs === Infinity) return 0;
  const error = Math.abs(Math.expm1(logTime - Math.log(measuredMs)));
  return error <= 0.25 ? 0 : 10 * (error - 0.25) + (error > 0.3 ? 1 : 0);
}

function faultsOf(list: readonly FitSample[], problems: ReadonlyMap<string, readonly number[]>, logTime: Float64Array) {
  let faults = 0;
  for (const members of problems.values()) faults += choiceFault(list, members, logTime);
  for (const [i, sample] of list.entries()) faults += errorFault(sample, logTime[i]!);
  return faults;
}

// Limits, latencies and fill belong to families and their kinds; efficiencies to all traits.
function kindTakes(kind: Kind, trait: string): boolean {
  return kind === "efficiency" || kind === "latency" || (!trait.includes("*") && trait.split("/").length <= 3);
}

// What tells more keys apart costs more.
function dearness(name: string): number {
  const steps = name.split("/").length - 1;
  return name.includes("*") ? 1 : 0.5 + 0.25 * steps;
}
