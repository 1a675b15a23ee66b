/**
 * The picture of the cost model: time per sample against the length of the sequence, a line for each order of the
 * decomposition, measured (solid, with points) and predicted (dashed). Made of the lines of a sweep.
 *
 *     plot_orders.ts SWEEP.jsonl OUT.svg [--dtype NAME] [--precision NAME]
 */
interface Line {
  op: string;
  mode: string;
  dtype: string;
  precision: string;
  batch: number;
  channels: number;
  length: number;
  kernelLength: number;
  gates: number;
  family: string;
  order: number;
  medianMs: number;
  predictedMs: number;
  device: string;
  commit: string;
}

const [input, output, ...rest] = Deno.args;
if (!input || !output) throw new Error("which file of a sweep, and which picture?");
const option = (name: string) => rest.includes(name) ? rest[rest.indexOf(name) + 1] : undefined;
const lines: Line[] = Deno.readTextFileSync(input).split("\n").filter(Boolean).map((text) => JSON.parse(text))
  .filter((line: Line) => line.op === "candidate" && line.mode === "causal" && line.gates === 0);
const dtype = option("--dtype") ?? (lines.some((line) => line.dtype === "float16") ? "float16" : "float32");
const precision = option("--precision") ?? (dtype === "float32" ? undefined : "fast");

// Of each length the call with the most work: there the launches do not count.
const wanted = lines.filter((line) =>
  line.dtype === dtype && (precision === undefined || line.precision === precision) && line.kernelLength === line.length
);
const work = (line: Line) => line.batch * line.channels * line.length;
const most = new Map<number, number>();
for (const line of wanted) most.set(line.length, Math.max(most.get(line.length) ?? 0, work(line)));

interface Point {
  length: number;
  measured: number;
  predicted: number;
}
const series = new Map<string, Point[]>();
for (const line of wanted) {
  if (work(line) !== most.get(line.length)) continue;
  const name = line.family === "direct" ? "direct" : `order ${line.order}`;
  const point = {
    length: line.length,
    measured: line.medianMs * 1e9 / work(line),
    predicted: line.predictedMs * 1e9 / work(line),
  };
  const points = series.get(name) ?? [];
  const same = points.find(({ length }) => length === point.length);
  // The best of each order.
  if (!same) points.push(point);
  else if (point.measured < same.measured) Object.assign(same, point);
  series.set(name, points.sort((a, b) => a.length - b.length));
}
if (series.size === 0) throw new Error(`no candidate lines of ${dtype} ${precision ?? ""} in ${input}`);

const width = 860, height = 520, left = 80, right = 150, top = 50, bottom = 60;
const all = [...series.values()].flat();
const lengths = all.map(({ length }) => length),
  costs = all.flatMap(({ measured, predicted }) => [measured, predicted]);
const low = { x: Math.log2(Math.min(...lengths)), y: Math.floor(Math.log10(Math.min(...costs))) };
const high = { x: Math.log2(Math.max(...lengths)), y: Math.ceil(Math.log10(Math.max(...costs))) };
const x = (length: number) =>
  left + (Math.log2(length) - low.x) / Math.max(1e-9, high.x - low.x) * (width - left - right);
const y = (cost: number) =>
  height - bottom - (Math.log10(cost) - low.y) / Math.max(1, high.y - low.y) * (height - top - bottom);
const at = (value: number) => value.toFixed(1);
const label = (length: number) =>
  length >= 2 ** 20 ? `${length / 2 ** 20}M` : length >= 1024 ? `${length / 1024}K` : String(length);
const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

const parts: string[] = [];
const text = (px: number, py: number, words: string, rest = "") =>
  parts.push(`<text x="${at(px)}" y="${at(py)}" ${rest}>${escape(words)}</text>`);
for (let e = Math.ceil(low.x); e <= high.x; e++) {
  const px = x(2 ** e);
  parts.push(`<line x1="${at(px)}" y1="${top}" x2="${at(px)}" y2="${height - bottom}" stroke="#ddd"/>`);
  if ((e - Math.ceil(low.x)) % 2 === 0) text(px, height - bottom + 18, label(2 ** e), 'text-anchor="middle"');
}
for (let e = low.y; e <= high.y; e++) {
  parts.push(`<line x1="${left}" y1="${at(y(10 ** e))}" x2="${width - right}" y2="${at(y(10 ** e))}" stroke="#ddd"/>`);
  text(left - 8, y(10 ** e) + 4, String(10 ** e), 'text-anchor="end"');
}
const colours = ["#555", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c564b"];
const names = [...series.keys()].sort();
for (const [index, name] of names.entries()) {
  const points = series.get(name)!, colour = colours[index % colours.length]!;
  const path = (value: (p: Point) => number) => points.map((p) => `${at(x(p.length))},${at(y(value(p)))}`).join(" ");
  parts.push(`<polyline points="${path((p) => p.measured)}" fill="none" stroke="${colour}" stroke-width="2"/>`);
  parts.push(
    `<polyline points="${
      path((p) => p.predicted)
    }" fill="none" stroke="${colour}" stroke-width="1" stroke-dasharray="5 4"/>`,
  );
  for (const p of points) {
    parts.push(`<circle cx="${at(x(p.length))}" cy="${at(y(p.measured))}" r="3" fill="${colour}"/>`);
  }
  const ly = top + 14 + 20 * index;
  parts.push(
    `<line x1="${width - right + 12}" y1="${ly - 4}" x2="${width - right + 36}" y2="${
      ly - 4
    }" stroke="${colour}" stroke-width="2"/>`,
  );
  text(width - right + 42, ly, name);
}
const first = wanted[0]!;
text(left, 22, `Cost against sequence length, by order of the decomposition`, 'font-size="15" font-weight="bold"');
text(
  left,
  40,
  `${first.device}, causal, ${dtype}${
    precision ? ` ${precision}` : ""
  }, kernel as long as the input; dashed: predicted`,
);
text((left + width - right) / 2, height - 18, "samples of a sequence", 'text-anchor="middle"');
text(
  0,
  0,
  "picoseconds per sample",
  `text-anchor="middle" transform="translate(20 ${(top + height - bottom) / 2}) rotate(-90)"`,
);
Deno.writeTextFileSync(
  output,
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ` +
    `font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n${
      parts.join("\n")
    }\n</svg>\n`,
);
console.log(`${output}: ${names.join(", ")}; ${all.length} points`);
