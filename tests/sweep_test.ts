// What is said of the planner on an H200, by the committed sweeps that force every candidate and the shipped constants: no GPU
// is needed to look. The constants were fitted to these sweeps (cuda/design/planner.md says what others have said of them):
// the test finds kernels' costs or constants that have been changed since.
import assert from "node:assert/strict";
import { candidatesOf, judge, tableOf } from "../bench/planner/verdict.ts";

const file = (path: string) => new URL(`../${path}`, import.meta.url);

async function committedSweep(name: string): Promise<string> {
  const packed = await Deno.open(file(`bench/results/${name}.jsonl.gz`));
  return await new Response(packed.readable.pipeThrough(new DecompressionStream("gzip"))).text();
}

Deno.test("planner: the shipped constants choose within 1.1 of the best and predict within 30 % on the committed sweeps", async () => {
  const table = tableOf(await Deno.readTextFile(file("cuda/planner/gpu_table.h")));
  const lines = candidatesOf(await committedSweep("h200-sweep"), await committedSweep("h200-sweep-again"));
  const { problems, wrong, times, off, offChosen } = judge(table, lines);
  assert.ok(problems >= 500 && times >= 4000, `${problems} problems, ${times} times`);
  assert.deepEqual(
    wrong.map(({ ratio, problem, chosen, best }) =>
      `${problem}: ${chosen.candidate} takes ${ratio.toFixed(2)} times ${best.candidate}`
    ),
    [],
  );
  // Of the candidates that are not chosen, a few in a thousand may be further off.
  const descriptions = off.map(({ line, ratio }) => `${line.problem} ${line.candidate}: ${ratio.toFixed(2)}`).join(
    "\n",
  );
  assert.ok(offChosen === 0 && off.length <= 0.005 * times, descriptions);

  // A table that knows less must be found out.
  const { efficiency: _, ...rest } = table;
  const poor = judge({ ...rest, efficiency: 0.3 }, lines);
  assert.ok(poor.off.length > times / 2);
});
