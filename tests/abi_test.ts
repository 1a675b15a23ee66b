// The TypeScript tables against C: the header's text, the exported symbols, and what a C compiler makes of it.
import assert from "node:assert/strict";
import { ABI_VERSION, ENUMS, STATUS, type StructLayout, STRUCTS } from "../ffi/layout.ts";
import { symbols } from "../ffi/symbols.ts";
import { libraryFile } from "./device.ts";

const root = decodeURIComponent(new URL("../", import.meta.url).pathname);
const header = Deno.readTextFileSync(`${root}cuda/include/flashfftconv.h`)
  .replace(/\/\*[\s\S]*?\*\//g, " ").replace(/^#.*$/gm, "");

async function run(command: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd: root, env }).output();
  if (!success) throw new Error(`${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

const handles = ["context", "buffer", "stream", "event", "plan", "spectrum"].map((name) => `ffc_${name}`);
const scalars: { readonly [type: string]: string } = {
  ffc_status: "i32",
  int32_t: "i32",
  uint32_t: "u32",
  int64_t: "i64",
  uint64_t: "u64",
  size_t: "usize",
  ...Object.fromEntries(handles.map((name) => [name, "u64"])),
};

function ffiType(declaration: string): string {
  if (declaration.includes("*")) return "buffer";
  const type = declaration.trim().split(/\s+/)[0]!;
  const known = scalars[type];
  if (!known) throw new Error(`unknown C type in "${declaration}"`);
  return known;
}

/** Every FFC_API function of the header: its result and parameters as FFI types. */
function parsedFunctions(): { [name: string]: { result: string; parameters: string[] } } {
  const found: { [name: string]: { result: string; parameters: string[] } } = {};
  for (const [, result, name, list] of header.matchAll(/FFC_API\s+(\w+)\s+(\w+)\s*\(([^)]*)\)\s*;/g)) {
    const parameters = list!.trim() === "void" ? [] : list!.split(",").map(ffiType);
    found[name!] = { result: ffiType(result!), parameters };
  }
  return found;
}

/** Every enum constant of the header; the rules of C for values that are left out included. */
function parsedEnums(): { [name: string]: number } {
  const found: { [name: string]: number } = {};
  for (const [, list] of header.matchAll(/enum\s*\{([^}]*)\}/g)) {
    let next = 0;
    for (const item of list!.split(",").map((text) => text.trim()).filter(Boolean)) {
      const [, name, value] = /^(\w+)(?:\s*=\s*(-?\d+))?$/.exec(item) ?? assert.fail(`cannot read enum item "${item}"`);
      next = value === undefined ? next : Number(value);
      found[name!] = next++;
    }
  }
  return found;
}

const tableEnums: { [name: string]: number } = { ...STATUS };
for (const [prefix, group] of Object.entries(ENUMS)) {
  for (const [name, value] of Object.entries(group)) tableEnums[prefix + name] = value;
}

Deno.test("abi: functions equal the header's, both ways: names, arity, types, results", () => {
  const declared = parsedFunctions();
  assert.ok(Object.keys(declared).length >= 30, "the parser found too few functions");
  const table: typeof declared = {};
  for (const [key, symbol] of Object.entries(symbols)) {
    const nonblocking = "nonblocking" in symbol;
    assert.equal(nonblocking, key.endsWith("_async"), key);
    const name = "name" in symbol ? symbol.name : key;
    if (nonblocking) assert.equal(key, `${name}_async`);
    const entry = { result: symbol.result, parameters: [...symbol.parameters] };
    if (table[name]) assert.deepEqual(entry, table[name], `${name} and its non-blocking twin differ`);
    table[name] = entry;
  }
  assert.deepEqual(table, declared);
});

Deno.test("abi: enums and the version equal the header's, both ways", () => {
  assert.deepEqual(tableEnums, parsedEnums());
  const text = Deno.readTextFileSync(`${root}cuda/include/flashfftconv.h`);
  assert.equal(Number(/#define FFC_ABI_VERSION (\d+)/.exec(text)?.[1]), ABI_VERSION);
});

Deno.test("abi: the library exports exactly the table", async () => {
  const lines = (await run("nm", ["-D", "--defined-only", libraryFile])).trim().split("\n");
  // "0000000000001130 T name", with "@@VERSION" behind where symbols are versioned; A lines name those versions.
  const exported = lines.map((line) => line.split(/\s+/)).filter(([, kind]) => kind !== "A")
    .map(([, , name]) => name!.split("@")[0]!);
  const wanted = Object.entries(symbols).map(([key, symbol]) => "name" in symbol ? symbol.name : key);
  assert.deepEqual(exported.sort(), [...new Set<string>(wanted)].sort());
});

interface Probe {
  abiVersion: number;
  enums: { [name: string]: number };
  structs: {
    [name: string]: { size: number; align: number; fields: { [name: string]: { offset: number; size: number } } };
  };
}

const typeBytes = { i32: 4, u32: 4, i64: 8, u64: 8, char: 1 } as const;

Deno.test("abi: structs and enums equal what a C compiler makes of the header", async () => {
  const build = libraryFile.includes("/") ? libraryFile.slice(0, libraryFile.lastIndexOf("/")) : "build";
  const text = await run("make", ["-s", "abi-probe", `BUILD=${build}`], { MAKEFLAGS: "" });
  const probe: Probe = JSON.parse(text);
  assert.equal(probe.abiVersion, ABI_VERSION);
  assert.deepEqual(probe.enums, tableEnums);
  const layouts: { readonly [name: string]: StructLayout } = STRUCTS;
  assert.deepEqual(Object.keys(probe.structs).sort(), Object.keys(layouts).sort());
  for (const [name, { size, fields }] of Object.entries(layouts)) {
    const mine = Object.fromEntries(
      Object.entries(fields).map((
        [field, { offset, type, count = 1 }],
      ) => [field, { offset, size: typeBytes[type] * count }]),
    );
    assert.deepEqual(
      { size, fields: mine },
      { size: probe.structs[name]!.size, fields: probe.structs[name]!.fields },
      name,
    );
  }
});

Deno.test("abi: the probe leaves no struct or field of the header out", () => {
  const layouts: { readonly [name: string]: StructLayout } = STRUCTS;
  const seen: string[] = [];
  for (const [, tag, body, name] of header.matchAll(/typedef struct (\w+)\s*\{([^}]*)\}\s*(\w+)\s*;/g)) {
    assert.equal(tag, name);
    const fields = body!.split(";").map((text) => text.trim()).filter(Boolean)
      .flatMap((line) => line.replace(/^\w+\s+/, "").split(",").map((field) => field.trim().replace(/\[.*\]/, "")));
    assert.deepEqual(Object.keys(layouts[name!]?.fields ?? {}), fields, name);
    seen.push(name!);
  }
  assert.deepEqual(seen.sort(), Object.keys(layouts).sort());
});
