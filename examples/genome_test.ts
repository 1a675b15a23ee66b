import assert from "node:assert/strict";

import {
  countBases,
  indicatorRows,
  makeSequence,
  parseFasta,
  plantedDistance,
  readFasta,
  unknownBase,
} from "./fasta.ts";

const script = new URL("genome.ts", import.meta.url);
const fixture = decodeURIComponent(new URL("fixtures/tiny.fa", import.meta.url).pathname);

/** Runs the example as a person would. */
async function genome(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--allow-read", "--allow-ffi", "--allow-env"].concat(script.href, args),
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "flashfftconv-genome-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("fasta: records, comments, case, RNA, ambiguous letters, line ends", async () => {
  const [tiny, second, ...others] = await readFasta(fixture);
  assert.equal(others.length, 0);
  assert.equal(tiny!.name, "tiny one, with a name of several words");
  assert.deepEqual([...tiny!.codes], [0, 1, 2, 3, 0, 1, 2, 3, 3, unknownBase, unknownBase, unknownBase, 2]);
  assert.deepEqual(countBases(tiny!.codes), [2, 2, 3, 3, 3]);
  assert.equal(second!.name, "second");
  assert.deepEqual([...second!.codes], [3, 3, 3]);
  assert.deepEqual(parseFasta(">a\r\nAC\r\nGT\r\n", "x"), [{ name: "a", codes: Uint8Array.of(0, 1, 2, 3) }]);
});

Deno.test("fasta: a gzipped file reads like a plain one, a broken one says so", () =>
  withFolder(async (folder) => {
    const stream = new Blob([await Deno.readFile(fixture)]).stream().pipeThrough(new CompressionStream("gzip"));
    const packed = new Uint8Array(await new Response(stream).arrayBuffer());
    await Deno.writeFile(`${folder}/tiny.fa.gz`, packed);
    assert.deepEqual(await readFasta(`${folder}/tiny.fa.gz`), await readFasta(fixture));
    await Deno.writeFile(`${folder}/half.fa.gz`, packed.subarray(0, packed.length - 20));
    await assert.rejects(readFasta(`${folder}/half.fa.gz`), /half\.fa\.gz cannot be decompressed/);
  }));

Deno.test("fasta: errors name the file and the line", () => {
  const wrong: [text: string, message: RegExp][] = [
    ["", /^x has no sequence$/],
    ["ACGT\n", /^x:1: a FASTA file begins with ">"/],
    [">a\nACGT\nAC!T\n", /^x:3: "!" is not a letter/],
    [">protein\nMKVL\n", /^x:2: "L" is not a letter/],
    [">a\n>b\nAC\n", /^x: the sequence "a" is empty/],
  ];
  for (const [text, message] of wrong) assert.throws(() => parseFasta(text, "x"), { message });
});

Deno.test("fasta: rows sum to zero, and to one base in every known place", () => {
  const codes = Uint8Array.of(0, 0, 1, 2, unknownBase, 3, 3, 3);
  const rows = indicatorRows(codes);
  assert.deepEqual([...rows[0]!], [5 / 7, 5 / 7, -2 / 7, -2 / 7, 0, -2 / 7, -2 / 7, -2 / 7].map(Math.fround));
  for (const row of rows) assert.ok(Math.abs(row.reduce((sum, x) => sum + x, 0)) < 1e-6);
});

Deno.test("fasta: the made sequence is the one of the formula", () => {
  // By hand: x = 1, 1015568748, 1586005467, 2165703038, 3027450565, 217083232, 1587069247, ...
  assert.deepEqual([...makeSequence(3).codes], [0, 2, 0]);
  const { codes } = makeSequence(60000);
  let same = 0;
  for (let n = plantedDistance; n < codes.length; n++) same += Number(codes[n] === codes[n - plantedDistance]);
  // A quarter are copies, and a quarter of the rest are equal by chance.
  assert.ok(Math.abs(same / (codes.length - plantedDistance) - (1 / 4 + 3 / 16)) < 0.01);
  assert.deepEqual(codes.subarray(0, 1000), makeSequence(1000).codes);
});

Deno.test("genome: a made sequence resembles itself where the formula says", async () => {
  const { code, stdout, stderr } = await genome("--bases=100003", "--device=cpu");
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^bases +100003: A 2\d{4}, C 2\d{4}, G 2\d{4}, T 2\d{4}, other 0$/m);
  assert.match(stdout, /^error +\d\.\de-\d+ relative to float64 sums at 160 distances$/m);
  const far = /^far +the strongest beyond 100 is (\S+), at distance (\d+)$/m.exec(stdout);
  assert.equal(far?.[2], `${plantedDistance}`, stdout);
  assert.ok(Math.abs(Number(far[1]) - 0.25) < 0.02, stdout);
});

Deno.test("genome: a file given by its path", async () => {
  const { code, stdout, stderr } = await genome(fixture, "--device=cpu");
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^sequence +tiny one/m);
  assert.match(stdout, /^bases +13: A 2, C 2, G 3, T 3, other 3$/m);
});

Deno.test("genome: what the user can mend is said in a sentence", async () => {
  const cases: [args: string[], message: RegExp][] = [
    [["none.fa"], /none\.fa does not exist/],
    [["--bases=1"], /--bases must be a whole number from 2 to 4194304/],
    [["--bases=4194305"], /from 2 to 4194304/],
    [["a.fa", "--bases=10"], /usage: genome\.ts/],
    [["--device=tpu"], /--device must be one of auto, cuda, cpu, both/],
    [["--loud"], /loud/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await genome(...args);
    assert.equal(code, 1, stderr);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n\s+at /, "a stack trace is for bugs");
  }
});

Deno.test("genome: a sequence in which nothing varies has no correlation to show", () =>
  withFolder(async (folder) => {
    for (const letters of ["AAAAAAAA", "NNNNNN", "AANNAA"]) {
      await Deno.writeTextFile(`${folder}/one.fa`, `>one\n${letters}\n`);
      const { code, stdout, stderr } = await genome(`${folder}/one.fa`, "--device=cpu");
      assert.equal(code, 1, stdout);
      assert.match(stderr, /one does not have two kinds of bases/);
    }
  }));

Deno.test("genome: without a file it is the lambda phage, or the name of the package that has it", async () => {
  const { code, stdout, stderr } = await genome("--device=cpu");
  if (code !== 0) {
    assert.match(stderr, /lambda_virus\.fa\.gz is not there.*Debian package bowtie2-examples/s);
    return;
  }
  assert.match(stdout, /^bases +48502: A 12334, C 11362, G 12820, T 11986, other 0$/m);
  // Genes cover nearly all of it, so every third base is alike.
  const codons = /(\S+) at multiples of 3, (\S+) elsewhere/.exec(stdout)!;
  assert.ok(Number(codons[1]) > 3 * Number(codons[2]), stdout);
});
