/**
 * Runs every part of the test suite, or the parts named as arguments, and prints "N passed, N failed" last.
 * A part that fails, crashes or runs no test at all makes the whole run fail; the other parts still run.
 */
const root = decodeURIComponent(new URL("../", import.meta.url).pathname);
const build = Deno.env.get("BUILD") || "build";
const nvcc = Deno.env.get("NVCC") ?? "";
const jobs = Deno.env.get("JOBS") || "2";
const reports = `${root}${build}/test`;
const deno = Deno.execPath();

interface Count {
  passed: number;
  failed: number;
}

interface Part {
  name: string;
  /** Why a part does not apply here, or nothing. */
  skip?: string;
  run(): Promise<Count>;
}

const parts: Part[] = [
  {
    name: "gate",
    run: () =>
      runChecks([
        ["formatting", deno, "fmt", "--check"],
        ["lint", deno, "lint"],
        ["types", deno, "check", "."],
        ["types in documentation", deno, "check", "--doc", "mod.ts", "README.md"],
        ["documentation", deno, "doc", "--lint", "mod.ts"],
        ["package", deno, "publish", "--dry-run", "--allow-dirty"],
        ["tree", deno, "run", "-A", "scripts/check_tree.ts"],
      ]),
  },
  { name: "native", run: () => runNative("native-test") },
  { name: "engine", run: () => runNative("engine-test") },
  { name: "emulation", run: () => runNative("mma-emulation") },
  { name: "asan", run: () => runNative("native-asan") },
  { name: "tsan", run: () => runNative("native-tsan") },
  { name: "deno", run: () => runDenoTests("deno", []) },
  { name: "doc", run: () => runDenoTests("doc", ["--doc", "mod.ts", "src", "README.md"]) },
  {
    name: "spills",
    skip: nvcc ? undefined : "built without CUDA",
    run: () => runChecks([["register spills", deno, "run", "-A", "scripts/check_spills.ts", build]]),
  },
];

/** One test per command: its exit status. */
async function runChecks(checks: [name: string, ...command: string[]][]): Promise<Count> {
  const count = { passed: 0, failed: 0 };
  for (const [name, ...command] of checks) {
    const { success } = await execute(command);
    console.log(`  ${success ? "ok  " : "FAIL"} ${name}`);
    success ? count.passed++ : count.failed++;
  }
  return count;
}

/** A make target that runs drivers; each ends with "NAME: N checks passed, N failed" and is one test. */
async function runNative(target: string): Promise<Count> {
  const { success, output } = await execute(["make", `-j${jobs}`, `BUILD=${build}`, `NVCC=${nvcc}`, target]);
  const count = { passed: 0, failed: 0 };
  for (const [, passed, failed] of output.matchAll(/^\w+: (\d+) checks passed, (\d+) failed/gm)) {
    Number(passed) > 0 && Number(failed) === 0 ? count.passed++ : count.failed++;
  }
  return withExitStatus(count, success);
}

async function runDenoTests(name: string, args: string[]): Promise<Count> {
  const junit = `${reports}/${name}.xml`;
  await Deno.remove(junit).catch(() => {}); // an old report must not stand for this run
  const { success } = await execute([deno, "test", "-A", "--quiet", `--junit-path=${junit}`, ...args]);
  const xml = await Deno.readTextFile(junit).catch(() => "");
  const head = /<testsuites[^>]*>/.exec(xml)?.[0] ?? "";
  const attribute = (key: string) => Number(new RegExp(` ${key}="(\\d+)"`).exec(head)?.[1] ?? 0);
  const failed = attribute("failures") + attribute("errors");
  const skipped = xml.match(/<skipped/g)?.length ?? 0; // ignored tests have not passed
  return withExitStatus({ passed: attribute("tests") - failed - skipped, failed }, success);
}

/** A crash after the last test, or before the first, is a failure too. */
function withExitStatus(count: Count, success: boolean): Count {
  return success || count.failed > 0 ? count : { ...count, failed: 1 };
}

/** Runs a command in the root; shows its output as it comes and returns it. */
async function execute(command: string[]): Promise<{ success: boolean; output: string }> {
  const env = { ...Deno.env.toObject() };
  // Constants that somebody measured on this machine must not decide what is tested.
  env.FLASHFFTCONV_CONSTANTS = "off";
  // This process is a child of make: its flags and job pipe are not for the makes started here.
  for (const name of ["MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES"]) delete env[name];
  const [program, ...args] = command as [string, ...string[]];
  const child = new Deno.Command(program, { args, cwd: root, env, clearEnv: true, stdout: "piped", stderr: "piped" })
    .spawn();
  let output = "";
  const show = async (stream: ReadableStream<Uint8Array>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      output += text;
      Deno.stdout.writeSync(new TextEncoder().encode(text));
    }
  };
  const [status] = await Promise.all([child.status, show(child.stdout), show(child.stderr)]);
  return { success: status.success, output };
}

await Deno.mkdir(reports, { recursive: true });
const unknown = Deno.args.filter((name) => !parts.some((part) => part.name === name));
if (unknown.length > 0) {
  console.error(`no such part: ${unknown.join(", ")}; there are: ${parts.map(({ name }) => name).join(", ")}`);
  Deno.exit(2);
}

const total: Count = { passed: 0, failed: 0 };
const table: string[] = [];
for (const { name, skip, run } of parts) {
  if (Deno.args.length > 0 && !Deno.args.includes(name)) continue;
  if (skip) {
    table.push(`  ${name.padEnd(8)} left out: ${skip}`);
    continue;
  }
  console.log(`\n== ${name}`);
  const begin = performance.now();
  const count = await run();
  // No test is no success: a renamed folder or target would otherwise pass for ever.
  if (count.passed + count.failed === 0) count.failed = 1;
  total.passed += count.passed;
  total.failed += count.failed;
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  table.push(`  ${name.padEnd(8)} ${count.passed} passed, ${count.failed} failed, ${seconds} s`);
}
console.log(`\n== summary\n${table.join("\n")}`);
const line = `${total.passed} passed, ${total.failed} failed`;
await Deno.writeTextFile(`${reports}/summary.txt`, `${line}\n`);
console.log(line);
Deno.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);
