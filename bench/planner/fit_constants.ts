/**
 * Fits the constants of the cost model to the lines of a sweep, and says how well they predict and choose.
 *
 *     fit_constants.ts SWEEP.jsonl [...] [--write cuda/planner/gpu_table.h --source TEXT]
 *
 * With --write the shipped table of the GPU families is replaced; --source says on what it was measured.
 */
import { fit, type FitSample, predictedMs, shareWithin30, tableOf } from "../../src/fit.ts";

interface Line extends FitSample {
  op: string;
  candidate: string;
  medianMs: number;
  problem: string;
  device: string;
  commit: string;
}

const files: string[] = [];
let target: string | undefined, source: string | undefined;
const args = [...Deno.args];
for (let arg = args.shift(); arg !== undefined; arg = args.shift()) {
  if (arg === "--write") target = args.shift();
  else if (arg === "--source") source = args.shift();
  else files.push(arg);
}
if (files.length === 0) throw new Error("which file of a sweep?");

const samples: Line[] = [];
for (const file of files) {
  for (const text of Deno.readTextFileSync(file).split("\n")) {
    if (text === "") continue;
    const line = JSON.parse(text);
    if (line.op !== "candidate") continue;
    const { mode, dtype, precision, batch, channels, length, kernelLength, gates } = line;
    const problem = [mode, dtype, precision, batch, channels, length, kernelLength, gates].join("/");
    samples.push({ ...line, problem, measuredMs: line.medianMs });
  }
}
if (samples.length === 0) throw new Error("no candidate lines in these files");
const devices = new Set(samples.map(({ device }) => device));
if (devices.size > 1) throw new Error(`these lines are of several devices: ${[...devices].join(", ")}`);

const table = tableOf(fit(samples, () => 3000));
const problems = Map.groupBy(samples, ({ problem }) => problem);
let worst = { ratio: 1, text: "" }, beyond = 0;
for (const [problem, list] of problems) {
  const by = (cost: (line: Line) => number) => list.reduce((a, b) => cost(b) < cost(a) ? b : a);
  const chosen = by((line) => predictedMs(table, line)), best = by((line) => line.measuredMs);
  const ratio = chosen.measuredMs / best.measuredMs;
  if (ratio > 1.1) {
    beyond++;
    console.log(`${problem}: would choose ${chosen.candidate}, ${ratio.toFixed(2)} times ${best.candidate}`);
  }
  if (ratio > worst.ratio) worst = { ratio, text: `${problem}: ${chosen.candidate} instead of ${best.candidate}` };
}
const off = samples.map((line) => ({ line, ratio: predictedMs(table, line) / line.measuredMs }))
  .filter(({ ratio }) => Math.abs(ratio - 1) > 0.3);
for (
  const { line, ratio } of off.sort((a, b) => Math.abs(Math.log(b.ratio)) - Math.abs(Math.log(a.ratio))).slice(0, 15)
) {
  console.log(
    `${line.problem} ${line.candidate}: predicted ${ratio.toFixed(2)} times the measured ${line.measuredMs} ms`,
  );
}
console.log(
  `${samples.length} times, ${Object.keys(table).length} constants: ${
    (100 * shareWithin30(table, samples)).toFixed(1)
  }% ` +
    `within 30%; of ${problems.size} problems ${beyond} chosen beyond 1.1, the worst ${
      worst.ratio.toFixed(2)
    } (${worst.text})`,
);

if (target !== undefined) {
  const rows = Object.entries(table).sort(([a], [b]) => a < b ? -1 : 1).map(([name, value]) =>
    `    {"${name}", ${value}},`
  );
  const device = [...devices][0], commit = samples[0]!.commit;
  Deno.writeTextFileSync(
    target,
    `// Efficiencies and latencies (nanoseconds of a launch) of the GPU families, measured on ${
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
