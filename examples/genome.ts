/**
 * How a whole genome resembles itself at every distance: its autocovariance, as one convolution at full length.
 *
 *     genome.ts [FILE.fa[.gz]] [options]
 *
 * With x_b[n] = 1 where base b stands at place n, else 0, minus the mean, the covariance at distance d is the sum over
 * the four bases and all n of x_b[n] x_b[n + d], divided by the length: a convolution of each row with itself reversed.
 * Genes show in it, because their codons give every third base another composition than its neighbours.
 */

import { convolve, type ConvPlan, type Device, libraryInfo, openDevice } from "../mod.ts";
import { checkFullConvolution, type CheckResult, errorBound } from "./check.ts";
import { bases, countBases, indicatorRows, makeSequence, readFasta, type Sequence, unknownBase } from "./fasta.ts";
import { UserError } from "./files.ts";
import { oneOf, parseCommand, runCommand, whole } from "./options.ts";

const lambdaFile = "/usr/share/doc/bowtie2/examples/reference/lambda_virus.fa.gz";

const usage = `usage: genome.ts [FILE.fa[.gz]] [options]

  --bases N         make a sequence of N bases instead of reading a file, 2 to 4194304 (fasta.ts has the formula)
  --device D        auto, cuda, cpu, or both: every device of this machine, and compare them (default both)
  --check-points N  distances per base to check in float64 (default 40)
  --help

FILE is the genome, read at its full length; its first record if there are several. Without FILE it is the lambda
phage, 48502 bases, from
  ${lambdaFile}
which is part of the Debian package bowtie2-examples: apt-get install bowtie2-examples`;

interface Run {
  device: string;
  rows: Float32Array[];
  seconds: number;
  plan: ConvPlan["info"];
  check: CheckResult;
}

async function main(): Promise<void> {
  const options = parseOptions(Deno.args);
  const sequence = options.bases ? makeSequence(options.bases) : await readGenome(options.file);
  const length = sequence.codes.length;
  if (length < 2) throw new UserError(`${sequence.name} has ${length} bases; two are the least`);
  if (length > 2 ** 22) {
    throw new UserError(`${sequence.name} has ${length} bases; 4194304 are the most, or the check takes minutes`);
  }
  const u = indicatorRows(sequence.codes);
  const k = u.map((row) => Float32Array.from(row, (x) => x / length).reverse());
  const counts = countBases(sequence.codes);
  // Minus its mean, a row that is the same everywhere is zero, and so is every covariance.
  if (counts.filter((count, code) => count > 0 && code !== unknownBase).length < 2) {
    throw new UserError(`${sequence.name} does not have two kinds of bases; nothing varies in it`);
  }
  const shown = [...bases].map((base, code) => `${base} ${counts[code]}`).join(", ");
  report("sequence", `${sequence.name}`);
  report("bases", `${length}: ${shown}, other ${counts[unknownBase]}`);

  const runs: Run[] = [];
  for (const type of devicesFor(options.device)) {
    using device = openDevice(type);
    runs.push(await runOn(device, u, k, options.checkPoints));
  }
  for (const { device, plan, seconds, check } of runs) {
    report("device", device);
    report("plan", `full, float32, ${plan.algorithm}, ${plan.segments} x ${plan.transformLength} points`);
    report("time", `${(1000 * seconds).toFixed(1)} ms, transfers included`);
    report("error", `${check.relativeError.toExponential(1)} relative to float64 sums at ${check.points} distances`);
    const bound = errorBound(plan.transformLength, length);
    // Written so that a NaN fails too.
    if (!(check.relativeError <= bound)) {
      throw new UserError(`the result is wrong: relative error ${check.relativeError}, at most ${bound} is possible`);
    }
  }
  const [first, second] = runs;
  if (first && second) {
    const difference = relativeDifference(first.rows, second.rows);
    report("devices", `differ by ${difference.toExponential(1)}, relative, over all distances`);
    const bound = errorBound(first.plan.transformLength, length) + errorBound(second.plan.transformLength, length);
    if (!(difference <= bound)) {
      throw new UserError(`the devices disagree: ${difference}, at most ${bound} is possible`);
    }
  }
  summarise(covariances(first!.rows, length));
}

async function readGenome(file: string | undefined): Promise<Sequence> {
  if (file === undefined && !await Deno.stat(lambdaFile).then(() => true, () => false)) {
    throw new UserError(
      `${lambdaFile} is not there, or Deno may not read it (--allow-read). It is part of the Debian package ` +
        "bowtie2-examples:\n  apt-get install bowtie2-examples\n" +
        "Where packages are installed without documentation: apt-get download bowtie2-examples, then\n" +
        "  dpkg -x bowtie2-examples_*.deb . and give the path of the file.\n" +
        "Any other FASTA file can be given instead, or --bases N for a made sequence",
    );
  }
  return (await readFasta(file ?? lambdaFile))[0]!;
}

function devicesFor(choice: Choice): ("auto" | "cuda" | "cpu")[] {
  if (choice !== "both") return [choice];
  const cuda = libraryInfo().devices.find(({ type }) => type === "cuda");
  if (cuda && cuda.count > 0) return ["cpu", "cuda"];
  console.error(`only the CPU: ${cuda?.reason ?? "the library knows no other device"}`);
  return ["cpu"];
}

async function runOn(device: Device, u: Float32Array[], k: Float32Array[], checkPoints: number): Promise<Run> {
  const channels = u.length, length = u[0]!.length;
  using plan = device.plan({ channels, length, kernelLength: length, mode: "full" });
  const begin = performance.now();
  const all = await convolve(concatenate(u), concatenate(k), { shape: [1, channels, length], mode: "full", device });
  const seconds = (performance.now() - begin) / 1000;
  const rows = u.map((_, c) => all.subarray(c * (2 * length - 1), (c + 1) * (2 * length - 1)));
  return {
    device: `${device.type}: ${device.name}`,
    rows,
    seconds,
    plan: plan.info,
    check: checkFullConvolution(u, k, rows, checkPoints),
  };
}

/** The sum over the bases, at distances 0 to length - 1: distance 0 lies in the middle of the convolution. */
function covariances(rows: Float32Array[], length: number): Float64Array {
  const sum = new Float64Array(length);
  for (const row of rows) for (let d = 0; d < length; d++) sum[d]! += row[length - 1 + d]!;
  return sum;
}

function summarise(covariance: Float64Array): void {
  // Relative to distance 0, and per pair of places that are so far apart.
  const length = covariance.length;
  const correlation = covariance.map((x, d) => x / covariance[0]! * length / (length - d));
  const near = [...correlation.subarray(1, 13)].map((x) => x.toFixed(4)).join(" ");
  report("near", `correlation at distances 1 to 12: ${near}`);
  // The last tenth has too few pairs to mean anything.
  const last = Math.floor(0.9 * length);
  const mean = (keep: (d: number) => boolean) => {
    const kept = [...correlation.subarray(0, Math.min(301, last))].filter((_, d) => d > 0 && keep(d));
    return kept.reduce((sum, x) => sum + x, 0) / kept.length;
  };
  if (last > 300) {
    const [third, others] = [mean((d) => d % 3 === 0), mean((d) => d % 3 !== 0)];
    report(
      "codons",
      `mean correlation up to 300: ${third.toFixed(5)} at multiples of 3, ${others.toFixed(5)} elsewhere`,
    );
  }
  let best = Math.min(100, last);
  for (let d = best; d < last; d++) if (correlation[d]! > correlation[best]!) best = d;
  report("far", `the strongest beyond 100 is ${correlation[best]!.toFixed(4)}, at distance ${best}`);
}

function relativeDifference(a: Float32Array[], b: Float32Array[]): number {
  let difference = 0, size = 0;
  for (const [r, row] of a.entries()) {
    for (let n = 0; n < row.length; n++) {
      difference += (row[n]! - b[r]![n]!) ** 2;
      size += row[n]! ** 2;
    }
  }
  return Math.sqrt(difference / size);
}

function concatenate(rows: Float32Array[]): Float32Array<ArrayBuffer> {
  const all = new Float32Array(rows.length * rows[0]!.length);
  rows.forEach((row, r) => all.set(row, r * row.length));
  return all;
}

function report(name: string, text: string): void {
  console.log(`${name.padEnd(10)} ${text}`);
}

const choices = ["auto", "cuda", "cpu", "both"] as const;
type Choice = typeof choices[number];

function parseOptions(args: string[]): { file?: string; bases?: number; device: Choice; checkPoints: number } {
  const { values, positionals } = parseCommand(usage, {
    args,
    allowPositionals: true,
    options: {
      bases: { type: "string" },
      device: { type: "string", default: "both" },
      "check-points": { type: "string", default: "40" },
    },
  });
  if (positionals.length > 1 || (positionals.length === 1 && values.bases !== undefined)) throw new UserError(usage);
  return {
    file: positionals[0],
    bases: values.bases === undefined ? undefined : whole("bases", values.bases, 2, 2 ** 22),
    device: oneOf("device", values.device, choices),
    checkPoints: whole("check-points", values["check-points"], 2, 1e6),
  };
}

if (import.meta.main) await runCommand("genome", main);
