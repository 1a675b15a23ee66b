import assert from "node:assert/strict";

import { makeSequence } from "./fasta.ts";
import { makeFilter, outputAt, project, tails, truncate } from "./hyena_block.ts";

const script = new URL("hyena.ts", import.meta.url);

/** Runs the example as a person would. */
async function hyena(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--allow-read", "--allow-ffi", "--allow-env"].concat(script.href, args),
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("hyena: filters have energy 1, and a cut one has what its tail leaves", () => {
  const filter = makeFilter(3, 500), cut = truncate(filter, 200), tail = tails(filter, 200);
  for (let c = 0; c < 3; c++) {
    const row = filter.h.subarray(c * 500, (c + 1) * 500);
    const energy = (taps: Float32Array) => taps.reduce((sum, x) => sum + x * x, 0);
    assert.ok(Math.abs(energy(row) - 1) < 1e-5);
    assert.deepEqual(cut.h.subarray(c * 200, (c + 1) * 200), row.subarray(0, 200));
    assert.ok(Math.abs(energy(row.subarray(0, 200)) + tail.energy[c]! - 1) < 1e-5);
    assert.ok(tail.magnitude[c]! >= Math.sqrt(tail.energy[c]!));
  }
});

Deno.test("hyena: the block is causal", () => {
  const length = 100, codes = makeSequence(length).codes, changed = codes.slice();
  changed[60] = (changed[60]! + 1) % 4;
  const filter = makeFilter(2, 50), before = project(codes, 2), after = project(changed, 2);
  const outputs = (p: typeof before) => Array.from({ length }, (_, n) => outputAt(filter, p, length, 1, n));
  const a = outputs(before), b = outputs(after);
  assert.deepEqual(a.slice(0, 60), b.slice(0, 60));
  assert.notDeepEqual(a.slice(60, 70), b.slice(60, 70));
});

for (const dtype of ["float32", "bfloat16"]) {
  Deno.test(`hyena: cutting the filter changes the output as computed, ${dtype}`, async () => {
    const { code, stdout, stderr } = await hyena("--bases=50000", "--taps=4096", "--channels=3", `--dtype=${dtype}`);
    assert.equal(code, 0, stderr);
    const rows = stdout.split("\n").filter((line) => / x \d+ .* ms /.test(line)).map((line) =>
      line.replace(/ ms/, "").trim().split(/ {2,}/).map((word) => Number(word.split(" x ")[0]))
    );
    assert.deepEqual(rows.map(([taps]) => taps), [4096, 2048, 1024, 512]);
    assert.deepEqual(rows[0]!.slice(3), [0, 0, 0, 0, 0], "nothing cut, nothing changed");
    for (const [i, [, , , energy, expected, change, largest, bound]] of rows.entries()) {
      if (i === 0) continue;
      assert.ok(energy! > rows[i - 1]![3]! && change! > rows[i - 1]![5]!, "more cut, more changed");
      assert.ok(change! > expected! / 3 && change! < expected! * 3, `${change} expected ${expected}`);
      assert.ok(largest! > 0 && largest! <= bound!, `${largest} above ${bound}`);
    }
  });
}

Deno.test("hyena: what the user can mend is said in a sentence", async () => {
  for (
    const [args, message] of [
      [["--taps=1"], /--taps must be a whole number from 8/],
      [["--dtype=float64"], /--dtype must be one of float32/],
      [["--device=tpu"], /--device must be one of auto, cuda, cpu/],
      [["--loud"], /loud/],
    ] as const
  ) {
    const { code, stderr } = await hyena(...args);
    assert.equal(code, 1, stderr);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n\s+at /, "a stack trace is for bugs");
  }
});
