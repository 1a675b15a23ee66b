/**
 * The forward passes of a speed run beside the peer's times at the same shapes, as a table of milliseconds and quotients.
 *
 *     against_peer.ts SPEED.jsonl PEERS.jsonl OUT.md
 *
 * Exits with 1 where a case is not faster than the peer's, or a large batch of float32 rows of 1024 samples and more not
 * twice as fast; also where a small batch of the one file has no partner in the other.
 */
interface Line {
  device: string;
  commit: string;
  peer?: string;
  op: string;
  mode: string;
  dtype: string;
  precision: "fast" | "accurate";
  batch: number;
  channels: number;
  length: number;
  kernelLength: number;
  gates: number;
  medianMs: number;
  enqueuedMs?: number;
  requested?: string;
  failure?: string;
}

const [speedFile, peerFile, output] = Deno.args;
if (!speedFile || !peerFile || !output) throw new Error("which lines of a speed run, of its peer, and which table?");
const read = (file: string): Line[] =>
  Deno.readTextFileSync(file).split("\n").filter(Boolean).map((text) => JSON.parse(text));

const shape = (l: Line) => [l.batch, l.channels, l.length, l.gates].join();
const problem = (l: Line) => `${shape(l)},${l.dtype}`;
const small = (l: Line) => l.batch <= 4 || l.channels === 16;
const required = (l: Line) => !small(l) && l.dtype === "float32" && l.length >= 1024 ? 2 : 1;

const all = read(speedFile).filter((l) =>
  l.op === "forward" && l.mode === "causal" && l.kernelLength === l.length && l.length <= 32768 &&
  (l.requested ?? "auto") === "auto"
);
const peers = new Map(read(peerFile).filter((l) => l.mode === "causal").map((l) => [problem(l), l]));
const failures = all.filter((l) => l.failure || !(l.medianMs > 0)).map((l) => `${problem(l)}: ${l.failure}`);
// The peer has no precision classes, and is not timed at every length.
const ours = all.filter((l) => peers.has(problem(l)));
for (const l of all) if (small(l) && !peers.has(problem(l))) failures.push(`${problem(l)}: the peer has no time`);
const measured = new Set(ours.map(problem));
for (const [key, l] of peers) if (small(l) && !measured.has(key)) failures.push(`${key}: measured for the peer only`);

const classes: [dtype: string, precision: Line["precision"]][] = [
  ["float32", "accurate"],
  ["float16", "fast"],
  ["float16", "accurate"],
  ["bfloat16", "fast"],
];
const ms = (time: number) => time.toFixed(time < 0.1 ? 4 : time < 10 ? 3 : 2);
const rows: string[] = [];
let least = Infinity;
const shapes = [...new Map(ours.map((l) => [shape(l), l])).values()].sort((a, b) =>
  a.batch * a.channels - b.batch * b.channels || a.gates - b.gates || a.length - b.length
);
for (const s of shapes) {
  const cells = classes.map(([dtype, precision]) => {
    const line = ours.find((l) => shape(l) === shape(s) && l.dtype === dtype && l.precision === precision);
    if (!line || !(line.medianMs > 0)) return "";
    const peer = peers.get(problem(line))!;
    const ratio = peer.medianMs / line.medianMs;
    if (small(line)) least = Math.min(least, ratio);
    if (ratio <= 1 || ratio < required(line)) {
      failures.push(
        `${problem(line)} ${precision}: ${ratio.toFixed(2)} times as fast`,
      );
    }
    return `${ms(line.medianMs)} / ${ms(peer.medianMs)} = **${ratio.toFixed(1)}**`;
  });
  rows.push(`| ${s.batch} x ${s.channels} | ${s.length} | ${s.gates} | ${cells.join(" | ")} |`);
}
if (rows.length === 0) throw new Error("the two files have no case in common");

const { device, commit } = ours[0]!;
const peer = peers.values().next().value!;
const otherRun = peer.commit === commit
  ? ""
  : `; timed in the run of ${peer.commit.slice(0, 7)}, on another device of this kind`;
Deno.writeTextFileSync(
  output,
  `<!-- deno-fmt-ignore-file -->

# Causal convolutions beside ${peer.peer}

${device}, spectrum precomputed. Each cell: milliseconds of this library (commit ${commit.slice(0, 7)}) / of the peer
(a real transform in float32 of twice the length, 16-bit samples converted on the way${otherRun}) = how many times as fast. Calls on
little data were timed 20 in a row: those of this library as enqueued one by one, the peer's replayed from a graph without
the host's share of their launches.

| B x H | L | gates | ${classes.map(([dtype, precision]) => `${dtype} ${precision}`).join(" | ")} |
| --- | --- | --- | ${classes.map(() => "---").join(" | ")} |
${rows.join("\n")}
`,
);
for (const failure of failures) console.error(failure);
console.log(
  `${rows.length} shapes; small batches at least ${least.toFixed(2)} times as fast; ${failures.length} findings`,
);
Deno.exit(failures.length ? 1 : 0);
