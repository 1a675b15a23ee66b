/**
 * Fits the constants of the cost model to the lines of a sweep, and says how well they predict and choose.
 *
 *     fit_constants.ts SWEEP.jsonl [...] [--write cuda/planner/gpu_table.h --source TEXT] [--held-out] [--price N]
 *
 * With --write the shipped table of the GPU families is replaced; --source says on what it was measured.
 */
import { fit, type FitSample, predictedMs, shareWithin30, type Table } from "../../src/fit.ts";

interface Line extends FitSample {
  problem: string;
  op: string;
  candidate: string;
  medianMs: number;
  device: string;
  commit: string;
}

const files: string[] = [];
let target: string | undefined, source: string | undefined, price: string | undefined, heldOut = false;
const args = [...Deno.args];
for (let arg = args.shift(); arg !== undefined; arg = args.shift()) {
  if (arg === "--write") target = args.shift();
  else if (arg === "--source") source = args.shift();
  else if (arg === "--price") price = args.shift();
  else if (arg === "--held-out") heldOut = true;
  else files.push(arg);
}
if (files.length === 0) throw new Error("which file of a sweep?");

const samples: Line[] = [];
for (const file of files) {
  for (const text of Deno.readTextFileSync(file).split("\n")) {
    if (text === "") continue;
    const line = JSON.parse(text);
    if (line.op !== "candidate" && line.op !== "untimed") continue;
    const { mode, dtype, precision, batch, channels, length, kernelLength, gates, frequencies } = line;
    const problem = [mode, dtype, precision, batch, channels, length, kernelLength, gates, frequencies].join("/");
    samples.push({ ...line, problem, measuredMs: line.medianMs ?? Infinity });
  }
}
// A problem that failed before its first time says nothing.
const timedProblems = new Set(samples.filter(({ measuredMs }) => measuredMs < Infinity).map(({ problem }) => problem));
for (let i = samples.length - 1; i >= 0; i--) if (!timedProblems.has(samples[i]!.problem)) samples.splice(i, 1);
if (samples.length === 0) throw new Error("no candidate lines in these files");
const devices = new Set(samples.map(({ device }) => device));
if (devices.size > 1) throw new Error(`these lines are of several devices: ${[...devices].join(", ")}`);

/** How well a table predicts and chooses: how many choices and times it misses. */
function judge(title: string, table: Table, list: readonly Line[], details: boolean): number {
  const problems = Map.groupBy(list, ({ problem }) => problem);
  const wrong: { ratio: number; text: string }[] = [], chosenLines = new Set<Line>();
  let worst = 1;
  for (const [problem, lines] of problems) {
    const by = (cost: (line: Line) => number) => lines.reduce((a, b) => cost(b) < cost(a) ? b : a);
    const chosen = by((line) => predictedMs(table, line)), best = by((line) => line.measuredMs);
    const ratio = chosen.measuredMs / best.measuredMs;
    chosenLines.add(chosen);
    worst = Math.max(worst, ratio);
    if (ratio > 1.1) wrong.push({ ratio, text: `${problem}: would choose ${chosen.candidate}, not ${best.candidate}` });
  }
  const timed = list.filter(({ measuredMs }) => measuredMs < Infinity);
  const off = timed.map((line) => ({ line, ratio: predictedMs(table, line) / line.measuredMs }))
    .filter(({ ratio }) => Math.abs(ratio - 1) > 0.3)
    .sort((a, b) => Math.abs(Math.log(b.ratio)) - Math.abs(Math.log(a.ratio)));
  if (details) {
    for (const { ratio, text } of wrong) console.log(`${ratio.toFixed(2)} ${text}`);
    for (const { line, ratio } of off.slice(0, 15)) {
      console.log(`${line.problem} ${line.candidate}: predicted ${ratio.toFixed(2)} of ${line.measuredMs} ms`);
    }
  }
  console.log(
    `${title}: ${Object.keys(table).length} constants, ${timed.length} times, ` +
      `${(100 * shareWithin30(table, list)).toFixed(2)}% within 30% (${off.length} are not, ` +
      `${off.filter(({ line }) => chosenLines.has(line)).length} of them chosen); of ${problems.size} problems ` +
      `${wrong.length} chosen beyond 1.1, the worst ${worst.toFixed(2)}`,
  );
  return wrong.length + off.length;
}

// Few constants first; dearer ones only where they cannot tell all choices and times.
const prices = price === undefined ? [0.6, 0.4, 0.2, 0.1] : [Number(price)];
let table: Table = {}, fewest = { misses: Infinity, price: 0 };
for (const price of prices) {
  const found = fit(samples, { price });
  const misses = judge(`price ${price}`, found, samples, false);
  if (misses < fewest.misses) [table, fewest] = [found, { misses, price }];
  if (misses === 0) break;
}
if (heldOut) {
  // Every third problem is kept from the fit and then predicted: what the table knows of problems nobody measured.
  const held = new Set([...new Set(samples.map(({ problem }) => problem))].filter((_, i) => i % 3 === 2));
  const known = fit(samples.filter(({ problem }) => !held.has(problem)), { price: fewest.price });
  judge("held out", known, samples.filter(({ problem }) => held.has(problem)), true);
}
judge("fitted", table, samples, true);

if (target !== undefined) {
  const rows = Object.entries(table).sort(([a], [b]) => a < b ? -1 : 1).map(([name, value]) =>
    `    {"${name}", ${value}},`
  );
  const device = [...devices][0], commit = samples[0]!.commit;
  Deno.writeTextFileSync(
    target,
    `// What the GPU families reach of the limits, and what their launches cost (constants.h), measured on ${
      source ?? `an ${device}`
    }:
// fitted to ${samples.length} times of a sweep at ${
      commit.slice(0, 12)
    } by bench/planner/fit_constants.ts. Do not edit.
#pragma once
#include "shipped_constant.h"

namespace ffc {

constexpr ShippedConstant gpuTable[] = {
${rows.join("\n")}
};

}  // namespace ffc
`,
  );
  console.log(`${target} written`);
}
