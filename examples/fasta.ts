/** Sequences of bases: read from FASTA files, plain or gzipped, or made by a formula. */
import { readFile, UserError } from "./files.ts";

/** One record of a file, or a made sequence. */
export interface Sequence {
  /** What follows ">" in the file. */
  name: string;
  /** A code per base: its place in "ACGT", or 4 for a letter that stands for several of them (N, R, Y, ...). */
  codes: Uint8Array<ArrayBuffer>;
}

/** The four bases in the order of their codes. */
export const bases = "ACGT";
/** The code of a base that is not known for certain. */
export const unknownBase = 4;

// IUPAC letters. U is RNA's T; "-" (a gap) keeps its place, as the others that are not one base.
const codeOf = new Map<string, number>([
  ...[..."ACGT"].map((letter, code) => [letter, code] as [string, number]),
  ["U", 3],
  ...[..."RYSWKMBDHVN-"].map((letter) => [letter, unknownBase] as [string, number]),
]);

/** Reads FASTA text; `source` names it in error messages. */
export function parseFasta(text: string, source: string): Sequence[] {
  const records: { name: string; lines: string[]; count: number }[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim(); // files from elsewhere end their lines with CR LF
    if (line === "" || line.startsWith(";")) continue;
    if (line.startsWith(">")) {
      records.push({ name: line.slice(1).trim(), lines: [], count: 0 });
      continue;
    }
    const record = records.at(-1);
    if (!record) throw new UserError(`${source}:${index + 1}: a FASTA file begins with ">" and a name`);
    const letters = line.toUpperCase();
    for (const letter of letters) {
      if (!codeOf.has(letter)) {
        throw new UserError(`${source}:${index + 1}: "${letter}" is not a letter of a DNA or RNA sequence`);
      }
    }
    record.lines.push(letters);
    record.count += letters.length;
  }
  if (records.length === 0) throw new UserError(`${source} has no sequence`);
  return records.map(({ name, lines, count }) => {
    if (count === 0) throw new UserError(`${source}: the sequence "${name}" is empty`);
    const codes = new Uint8Array(count);
    let at = 0;
    for (const line of lines) for (const letter of line) codes[at++] = codeOf.get(letter)!;
    return { name, codes };
  });
}

/** Reads a FASTA file; one that begins with the two bytes of gzip is decompressed first. */
export async function readFasta(path: string): Promise<Sequence[]> {
  let bytes = await readFile(path);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    } catch (error) {
      throw new UserError(`${path} cannot be decompressed: ${(error as Error).message}`);
    }
  }
  return parseFasta(new TextDecoder().decode(bytes), path);
}

/** How far apart a made sequence resembles itself. */
export const plantedDistance = 10007;

/**
 * A sequence of any length by a formula: x[0] = 1, x[i + 1] = 1664525 x[i] + 1013904223 modulo 2^32. Base n is the top
 * two bits of x[2n + 1] as one of A, C, G, T; but where x[2n + 2] is less than 2^30 and n is 10007 or more, it is a
 * copy of base n - 10007. So the sequence resembles itself at a distance of 10007, with a correlation of 1/4.
 */
export function makeSequence(length: number): Sequence {
  const codes = new Uint8Array(length);
  let x = 1;
  const next = () => x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
  for (let n = 0; n < length; n++) {
    const base = next() >>> 30, copy = next() < 2 ** 30;
    codes[n] = copy && n >= plantedDistance ? codes[n - plantedDistance]! : base;
  }
  return { name: `${length} made bases`, codes };
}

/**
 * One row per base, A, C, G, T: 1 where it stands, 0 elsewhere, minus its frequency, so that a row's sum is 0. A letter
 * that stands for several bases is 0 in every row.
 */
export function indicatorRows(codes: Uint8Array): Float32Array<ArrayBuffer>[] {
  const counts = countBases(codes);
  const known = codes.length - counts[unknownBase]!;
  return [0, 1, 2, 3].map((base) => {
    const frequency = known > 0 ? counts[base]! / known : 0;
    return Float32Array.from(codes, (code) => code === unknownBase ? 0 : (code === base ? 1 : 0) - frequency);
  });
}

/** How often each code occurs: A, C, G, T, unknown. */
export function countBases(codes: Uint8Array): number[] {
  const counts = [0, 0, 0, 0, 0];
  for (const code of codes) counts[code]!++;
  return counts;
}
