/**
 * Reads the compiler's resource reports (build/obj/ .ptxas files) and fails if a device function spills registers
 * to local memory. Exceptions stand in allowed_spills.json, each with its reason:
 *
 *     [{ "function": "part of the demangled name", "arch": "sm_80", "maxBytes": 64, "reason": "..." }]
 *
 * An exception that no report needs any more is an error as well: the list stays true.
 *
 *     check_spills.ts [build folder] [--list]     --list prints registers and spills of every function
 */
interface Report {
  file: string;
  arch: string;
  /** Mangled at first, demangled before it is compared or shown. */
  name: string;
  spillBytes: number;
  registers: number;
}

interface Exception {
  function: string;
  arch?: string;
  maxBytes: number;
  reason: string;
}

/** The lines that `ptxas -v` writes: a function and its architecture, its spills, its registers. */
export function parseReports(file: string, text: string): Report[] {
  const reports: Report[] = [];
  let current: Report | undefined;
  for (const line of text.split("\n")) {
    const entry = /Compiling entry function '([^']+)' for '([^']+)'/.exec(line);
    if (entry) {
      current = { file, name: entry[1]!, arch: entry[2]!, spillBytes: -1, registers: -1 };
      reports.push(current);
    }
    const spill = /(\d+) bytes spill stores, (\d+) bytes spill loads/.exec(line);
    // Functions that are called, not inlined, have reports of their own within the entry's: the worst counts.
    if (spill && current) current.spillBytes = Math.max(current.spillBytes, Number(spill[1]) + Number(spill[2]));
    const used = /Used (\d+) registers/.exec(line);
    if (used && current) current.registers = Number(used[1]);
  }
  const incomplete = reports.find(({ spillBytes, registers }) => spillBytes < 0 || registers < 0);
  if (incomplete) throw new Error(`${file}: no spill figures for ${incomplete.name} (${incomplete.arch})`);
  return reports;
}

async function demangle(names: string[]): Promise<string[]> {
  const child = new Deno.Command("c++filt", { stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  writer.write(new TextEncoder().encode(names.join("\n") + "\n"));
  writer.close();
  const { success, stdout } = await child.output();
  if (!success) throw new Error("c++filt failed (apt-get install binutils)");
  return new TextDecoder().decode(stdout).trimEnd().split("\n");
}

async function* findReports(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* findReports(path);
    else if (entry.name.endsWith(".ptxas")) yield path;
  }
}

function exists(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}

async function main(): Promise<number> {
  const list = Deno.args.includes("--list");
  const build = Deno.args.find((arg) => !arg.startsWith("--")) ?? "build";
  const reports: Report[] = [];
  for await (const path of findReports(`${build}/obj`)) {
    // A report may outlive its source file, like the object beside it.
    const source = path.slice(`${build}/obj/`.length).replace(/\.o\.ptxas$/, "");
    if (!await exists(source)) continue;
    reports.push(...parseReports(path, await Deno.readTextFile(path)));
  }
  if (reports.length === 0) throw new Error(`no device function in the .ptxas files of ${build}/obj`);
  for (const [i, name] of (await demangle(reports.map(({ name }) => name))).entries()) reports[i]!.name = name;

  const exceptions: Exception[] = JSON.parse(
    await Deno.readTextFile(new URL("allowed_spills.json", import.meta.url)),
  );
  const used = new Set<Exception>();
  let failures = 0;
  for (const { file, arch, name, spillBytes, registers } of reports) {
    if (list) console.log(`${arch} ${String(registers).padStart(3)} registers ${spillBytes} bytes spilled  ${name}`);
    if (spillBytes === 0) continue;
    const exception = exceptions.find((e) => name.includes(e.function) && (e.arch ?? arch) === arch);
    if (exception) used.add(exception);
    if (exception && spillBytes <= exception.maxBytes) continue;
    const allowed = exception ? ` (${exception.maxBytes} are allowed)` : "";
    console.error(`${file}: ${arch}: ${spillBytes} bytes spilled${allowed}, ${registers} registers: ${name}`);
    failures++;
  }
  const archs = new Set(reports.map(({ arch }) => arch));
  for (const exception of exceptions) {
    // A build for fewer architectures says nothing about the others.
    if (used.has(exception) || (exception.arch && !archs.has(exception.arch))) continue;
    console.error(`allowed_spills.json: "${exception.function}" does not spill any more; remove the exception`);
    failures++;
  }
  console.log(`${reports.length} device functions (${[...archs].join(", ")}), ${failures} findings`);
  return failures > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main());
