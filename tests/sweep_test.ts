// What is said of the planner on an H200, by the committed sweep that forces every candidate and the shipped constants: no GPU
// is needed to look.
import assert from "node:assert/strict";
import { candidatesOf, judge, tableOf } from "../bench/planner/verdict.ts";

const file = (path: string) => new URL(`../${path}`, import.meta.url);

async function committedSweep(): Promise<string> {
  const packed = await Deno.open(file("bench/results/h200-sweep.jsonl.gz"));
  return await new Response(packed.readable.pipeThrough(new DecompressionStream("gzip"))).text();
}

Deno.test("planner: the shipped constants choose within 1.1 of the best and predict within 30 % on the committed sweep", async () => {
  const table = tableOf(await Deno.readTextFile(file("cuda/planner/gpu_table.h")));
  const lines = candidatesOf(await committedSweep());
  const { problems, wrong, times, off } = judge(table, lines);
  assert.ok(problems >= 500 && times >= 4000, `${problems} problems, ${times} times`);
  assert.deepEqual(
    wrong.map(({ ratio, problem, chosen, best }) =>
      `${problem}: ${chosen.candidate} takes ${ratio.toFixed(2)} times ${best.candidate}`
    ),
    [],
  );
  assert.deepEqual(off.map(({ line, ratio }) => `${line.problem} ${line.candidate}: ${ratio.toFixed(2)}`), []);

  // A table that knows less must be found out.
  const { efficiency: _, ...rest } = table;
  const poor = judge({ ...rest, efficiency: 0.3 }, lines);
  assert.ok(poor.off.length > times / 2);
});
