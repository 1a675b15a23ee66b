/** A JSON value, as the library's planner writes it. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/** Why a plan is as it is: as data, and as a table for people through `toString()`. */
export class PlanExplanation {
  /** What the planner said, as it said it. */
  readonly data: { readonly [key: string]: JsonValue };

  /** Wraps the planner's JSON object. */
  constructor(data: { readonly [key: string]: JsonValue }) {
    this.data = data;
  }

  /** The data, for JSON.stringify. */
  toJSON(): { readonly [key: string]: JsonValue } {
    return this.data;
  }

  /** A table of two columns; lists of objects become tables of their own. */
  toString(): string {
    return lines(this.data).join("\n");
  }
}

function isObject(value: JsonValue | undefined): value is { [key: string]: JsonValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function cell(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return "-";
  if (typeof value === "number") {
    return Number.isInteger(value) ? value.toLocaleString("en-US") : String(Number(value.toPrecision(4)));
  }
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return value;
  return Array.isArray(value) && !value.some(isObject) ? value.map(cell).join(" x ") : JSON.stringify(value);
}

function lines(data: { readonly [key: string]: JsonValue }): string[] {
  const result: string[] = [];
  const width = Math.max(0, ...Object.keys(data).map((key) => key.length));
  for (const [key, value] of Object.entries(data)) {
    const list = Array.isArray(value) ? value.filter(isObject) : [];
    if (isObject(value)) result.push(key, ...lines(value).map((line) => `  ${line}`));
    else if (Array.isArray(value) && list.length > 0) result.push(key, ...table(list).map((line) => `  ${line}`));
    else result.push(`${key.padEnd(width)}  ${cell(value)}`);
  }
  return result;
}

function table(rows: readonly { readonly [key: string]: JsonValue }[]): string[] {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = [columns, ...rows.map((row) => columns.map((column) => cell(row[column])))];
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
  return cells.map((row) => row.map((text, i) => text.padEnd(widths[i]!)).join("  ").trimEnd());
}
