/**
 * Fits the constants of the cost model to the lines of a sweep, and says how well they predict and choose.
 *
 *     fit_constants.ts SWEEP.jsonl [...] [--write cuda/planner/gpu_table.h --source TEXT] [--held-out] [--price N]
 *
 * With --write the shipped table of the GPU families is replaced; --source says on what it was measured. What the table
 * before says of candidates that no line is of (rows that wrap were set by lines of single calls) stays as it was.
 */
import { fit, type Table, unknownConstants } from "../../src/fit.ts";
import { candidatesOf, judge, type SweepLine, tableOf } from "./verdict.ts";

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

const samples = candidatesOf(...files.map((file) => Deno.readTextFileSync(file)));

/** Says how well a table predicts and chooses: how many choices and times it misses. */
function report(title: string, table: Table, list: readonly SweepLine[], details: boolean): number {
  const { problems, wrong, worst, times, off, offChosen } = judge(table, list);
  if (details) {
    for (const { ratio, problem, chosen, best } of wrong) {
      console.log(`${ratio.toFixed(2)} ${problem}: would choose ${chosen.candidate}, not ${best.candidate}`);
    }
    for (const { line, ratio } of off.slice(0, 15)) {
      console.log(`${line.problem} ${line.candidate}: predicted ${ratio.toFixed(2)} of ${line.measuredMs} ms`);
    }
  }
  console.log(
    `${title}: ${Object.keys(table).length} constants, ${times} times, ${
      (100 * (1 - off.length / times)).toFixed(2)
    }% ` +
      `within 30% (${off.length} are not, ${offChosen} of them chosen); of ${problems} problems ${wrong.length} chosen ` +
      `beyond 1.1, the worst ${worst.toFixed(2)}`,
  );
  return wrong.length + off.length;
}

// Few constants first; dearer ones only where they cannot tell all choices and times.
const prices = price === undefined ? [0.8, 0.6, 0.4, 0.2, 0.1] : [Number(price)];
let table: Table = {}, fewest = { misses: Infinity, price: 0 };
for (const price of prices) {
  const found = fit(samples, { price });
  const misses = report(`price ${price}`, found, samples, false);
  if (misses < fewest.misses) [table, fewest] = [found, { misses, price }];
  if (misses === 0) break;
}
if (heldOut) {
  // Every third problem is kept from the fit and then predicted: what the table knows of problems nobody measured.
  const held = new Set([...new Set(samples.map(({ problem }) => problem))].filter((_, i) => i % 3 === 2));
  const known = fit(samples.filter(({ problem }) => !held.has(problem)), { price: fewest.price });
  report("held out", known, samples.filter(({ problem }) => held.has(problem)), true);
}
report("fitted", table, samples, true);

if (target !== undefined) {
  const kept = unknownConstants(tableOf(Deno.readTextFileSync(target)), samples);
  for (const [name, value] of Object.entries(kept)) console.log(`kept, as no line knows it: ${name} ${value}`);
  const rows = Object.entries({ ...table, ...kept }).sort(([a], [b]) => a < b ? -1 : 1).map(([name, value]) =>
    `    {"${name}", ${value}},`
  );
  const { device, commit } = samples[0]!;
  Deno.writeTextFileSync(
    target,
    `// What the GPU families reach of the limits, and what their launches cost (constants.h), measured on ${
      source ?? `an ${device}`
    }:
// fitted to ${samples.length} times of a sweep at ${
      commit.slice(0, 12)
    } by bench/planner/fit_constants.ts. Do not edit.
${
      Object.keys(kept).length > 0
        ? `// Of the table before, as no line knows them: ${Object.keys(kept).join(", ")}.\n`
        : ""
    }#pragma once
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
