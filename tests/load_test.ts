// Finding the native library: the documented order, and what is said where it cannot be opened. What depends on
// permissions runs in a process of its own.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as ffc from "../mod.ts";
import { ABI_VERSION } from "../ffi/layout.ts";
import { loadLibrary } from "../ffi/load.ts";
import type { NativeLibrary, OpenFailure, Runtime } from "../ffi/native.ts";
import { symbols } from "../ffi/symbols.ts";
import { libraryFile } from "./device.ts";

const root = decodeURIComponent(new URL("../", import.meta.url).pathname);
const mod = new URL("../mod.ts", import.meta.url).href;

// ------------------------------------------------------------------------------------------- a pretended runtime

interface World {
  libraries?: readonly string[]; // files that open well
  refused?: readonly string[]; // files that may not be opened
  env?: { readonly [name: string]: string } | null;
  files?: { readonly [path: string]: Uint8Array<ArrayBuffer> };
  abi?: number;
}

function pretend(world: World): Runtime & { readonly opened: string[] } {
  const opened: string[] = [];
  return {
    opened,
    os: "linux",
    arch: "x86_64",
    open(path): NativeLibrary | OpenFailure {
      opened.push(path);
      if (world.refused?.includes(path)) return { kind: "permission", reason: "Requires ffi access" };
      if (!world.libraries?.includes(path)) return { kind: "missing", reason: "No such file or directory" };
      const calls = { ffc_abi_version: () => world.abi ?? ABI_VERSION };
      return { path, calls: calls as unknown as NativeLibrary["calls"], close() {} };
    },
    mayOpen: (path) => !world.refused?.includes(path),
    env: (name) => world.env === null ? null : world.env?.[name],
    readFile: (path) => world.files?.[path],
    writeFile: () => false, // the search writes nothing
    exists: (path) => world.libraries?.includes(path) || world.refused?.includes(path) || false,
    openFlag: (path) => `--allow-ffi=${path}`,
  };
}

const moduleUrl = "file:///app/ffi/load.ts";
const find = (world: World, libraryPath?: string | URL) => {
  const runtime = pretend(world);
  const result = loadLibrary(runtime, moduleUrl, "0.1.0", libraryPath);
  return { result, opened: runtime.opened, path: "calls" in result ? result.path : undefined };
};

Deno.test("load: the order: option, variable, build folder, beside the module, npm package, cache", () => {
  const order = [
    "/app/build/libflashfftconv.so",
    "/app/libflashfftconv.so",
    "/app/node_modules/@flashfftconv/linux-x64/libflashfftconv.so",
  ];
  for (let first = 0; first < order.length; first++) {
    assert.equal(find({ libraries: order.slice(first) }).path, order[first]);
  }
  assert.equal(find({ libraries: [...order, "/env.so"], env: { FLASHFFTCONV_LIBRARY: "/env.so" } }).path, "/env.so");
  const env = { FLASHFFTCONV_LIBRARY: "/env.so" };
  assert.equal(find({ libraries: [...order, "/env.so", "/mine.so"], env }, "/mine.so").path, "/mine.so");
  assert.equal(find({ libraries: ["/a b.so"] }, new URL("file:///a%20b.so")).path, "/a b.so");
  assert.equal(find({ libraries: ["/a b.so"] }, "file:///a%20b.so").path, "/a b.so");
});

Deno.test("load: the option and the variable are final", () => {
  const build = "/app/build/libflashfftconv.so";
  for (
    const { result, opened } of [
      find({ libraries: [build] }, "/none.so"),
      find({ libraries: [build], env: { FLASHFFTCONV_LIBRARY: "/none.so" } }),
    ]
  ) {
    assert.ok("attempts" in result && result.attempts.length === 1 && result.attempts[0]!.path === "/none.so");
    assert.deepEqual(opened, ["/none.so"]);
  }
});

Deno.test("load: what may be opened goes before what would make the runtime ask", () => {
  const build = "/app/build/libflashfftconv.so", beside = "/app/libflashfftconv.so";
  const { path, opened } = find({ libraries: [beside], refused: [build] });
  assert.equal(path, beside);
  assert.ok(!opened.includes(build));
});

Deno.test("load: the cache counts only with its SHA-256", () => {
  const file = "/cache/flashfftconv/0.1.0/libflashfftconv.so";
  const content = new Uint8Array([1, 2, 3]);
  const sum = new TextEncoder().encode(`${createHash("sha256").update(content).digest("hex")}  libflashfftconv.so\n`);
  const env = { XDG_CACHE_HOME: "/cache" };
  assert.equal(find({ libraries: [file], env, files: { [file]: content, [`${file}.sha256`]: sum } }).path, file);
  const cut = find({ libraries: [file], env, files: { [file]: content.slice(0, 2), [`${file}.sha256`]: sum } });
  assert.ok("attempts" in cut.result && /SHA-256/.test(cut.result.attempts.at(-1)!.reason));
  assert.ok(!cut.opened.includes(file));
  const bare = find({ libraries: [file], env, files: { [file]: content } });
  assert.ok("attempts" in bare.result && /\.sha256/.test(bare.result.attempts.at(-1)!.reason));
  const home = { HOME: "/their/home" };
  const other = "/their/home/.cache/flashfftconv/0.1.0/libflashfftconv.so";
  assert.equal(
    find({ libraries: [other], env: home, files: { [other]: content, [`${other}.sha256`]: sum } }).path,
    other,
  );
});

Deno.test("load: a failure lists every place, its reason and its remedy", () => {
  const { result } = find({ env: null });
  assert.ok("attempts" in result);
  const error = new ffc.LibraryNotFoundError(result.attempts);
  assert.equal(result.attempts.length, 5);
  for (const attempt of result.attempts) {
    assert.ok(attempt.reason && attempt.remedy, attempt.place);
    for (const text of [attempt.place, attempt.path, attempt.reason, attempt.remedy]) {
      assert.ok(error.message.includes(text));
    }
  }
  assert.match(error.message, /make lib/);
  assert.match(error.message, /--allow-env=FLASHFFTCONV_LIBRARY/);
});

// ------------------------------------------------------------------------------------------------ the real thing

Deno.test("load: a missing library", () => {
  assert.throws(() => ffc.openDevice("cpu", { libraryPath: "/nowhere/x.so" }), (error) => {
    assert.ok(error instanceof ffc.LibraryNotFoundError && error.code === "LIBRARY_NOT_FOUND");
    assert.equal(error.attempts.length, 1);
    assert.match(error.message, /option libraryPath: \/nowhere\/x\.so[^]*No such file[^]*existing library/);
    return true;
  });
});

Deno.test("load: a path that is none", () => {
  for (const libraryPath of ["", 5, null]) {
    const open = () => ffc.openDevice("cpu", { libraryPath: libraryPath as string });
    assert.throws(open, (error) => error instanceof ffc.InvalidArgumentError && /libraryPath is/.test(error.message));
  }
  const malformed = "file:///a%ZZ.so";
  assert.throws(() => ffc.openDevice("cpu", { libraryPath: malformed }), (error) => {
    assert.ok(error instanceof ffc.LibraryNotFoundError && error.message.includes(malformed));
    return true;
  });
});

async function compile(source: string, name: string): Promise<string> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/${name}`;
  const child = new Deno.Command("g++", { args: ["-shared", "-fPIC", "-x", "c", "-", "-o", path], stdin: "piped" })
    .spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(source));
  await writer.close();
  const { success } = await child.status;
  assert.ok(success, "g++ failed");
  return path;
}

Deno.test("load: a file that is no library, and a library that is another one", async () => {
  const text = await Deno.makeTempFile({ suffix: ".so" });
  await Deno.writeTextFile(text, "not a library");
  const foreign = await compile("int something_else(void) { return 1; }", "other.so");
  for (const [libraryPath, words] of [[text, /invalid|too short|ELF/], [foreign, /ffc_/]] as const) {
    assert.throws(() => ffc.openDevice("cpu", { libraryPath }), (error) => {
      assert.ok(error instanceof ffc.LibraryNotFoundError);
      assert.equal(error.attempts[0]!.kind, "unusable");
      assert.match(error.message, words);
      assert.match(error.message, /make lib/);
      return true;
    });
    await Deno.remove(libraryPath);
  }
});

Deno.test("load: another ABI version", async () => {
  const names = new Set<string>(Object.entries(symbols).map(([key, symbol]) => "name" in symbol ? symbol.name : key));
  const source = [...names].map((name) => `int ${name}(void) { return ${name === "ffc_abi_version" ? 77 : 0}; }`).join(
    "\n",
  );
  const libraryPath = await compile(source, "libflashfftconv.so");
  assert.throws(() => ffc.openDevice("cpu", { libraryPath }), (error) => {
    assert.ok(error instanceof ffc.AbiMismatchError && error.code === "FFC_ABI_MISMATCH");
    assert.match(error.message, new RegExp(`version 77.*version ${ABI_VERSION}.*make lib`));
    return true;
  });
  await Deno.remove(libraryPath);
});

async function script(body: string, flags: string[], env: Record<string, string> = {}) {
  const code = `import * as ffc from ${JSON.stringify(mod)};\n${body}`;
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--quiet", ...flags, `data:application/typescript,${encodeURIComponent(code)}`],
    cwd: root,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { success, out: decode(stdout), err: decode(stderr) };
}

const convolveOnce = (options = "") =>
  `console.log((await ffc.convolve(Float32Array.of(1, 2), Float32Array.of(1, 1), { device: "cpu"${options} })).join());`;

Deno.test("load: importing the module needs no permission and loads nothing", async () => {
  const { success, out, err } = await script(`console.log(ffc.outputLength("full", 4, 3));`, []);
  assert.ok(success, err);
  assert.equal(out, "6");
});

Deno.test("load: a path-scoped --allow-ffi is enough for everything", async () => {
  const body = `
    const libraryPath = ${JSON.stringify(libraryFile)};
    using device = ffc.openDevice("auto", { libraryPath });
    using plan = device.plan({ length: 4, kernelLength: 2 });
    using spectrum = plan.spectrum(Float32Array.of(1, 1));
    using u = device.tensor(Float32Array.of(1, 2, 3, 4));
    using stream = device.stream();
    using y = plan.forward(u, spectrum, { stream });
    using event = device.event();
    event.record(stream);
    await event.synchronize();
    String(plan.explain());
    device.memory();
    try { device.empty([-1]); } catch {}
    try { device.empty([2 ** 48]); } catch (error) { console.log(error.code); }
    console.log((await y.read({ stream })).join());
    ${convolveOnce(", libraryPath, onProgress: () => {}")}`;
  const { out, err } = await script(body, [`--allow-ffi=${libraryFile}`]);
  assert.equal(out, "FFC_OUT_OF_MEMORY\n1,3,5,7\n1,3", err);
});

Deno.test("load: without --allow-ffi the error names the flag", async () => {
  const body = `try { ffc.openDevice("cpu", { libraryPath: ${JSON.stringify(libraryFile)} }); }
    catch (error) { console.log(error.name, error.code, error.flag, error instanceof ffc.PermissionError); }
    try { ffc.openDevice(); } catch (error) { console.log(error.name, error.attempts.length, error.message.includes("--allow-ffi=")); }`;
  const { out, err } = await script(body, []);
  assert.equal(out, `PermissionError PERMISSION_DENIED --allow-ffi=${libraryFile} true\nPermissionError 5 true`, err);
});

Deno.test("load: FLASHFFTCONV_LIBRARY counts where reading it is granted, and is not asked for elsewhere", async () => {
  const env = { FLASHFFTCONV_LIBRARY: "/nowhere/y.so" };
  const body = `try { ffc.openDevice("cpu"); console.log("opened"); }
    catch (error) { console.log(error.name, error.attempts[0].path, error.attempts[0].reason); }`;
  const granted = await script(body, ["--allow-ffi", "--allow-env=FLASHFFTCONV_LIBRARY"], env);
  assert.match(granted.out, /^LibraryNotFoundError \/nowhere\/y\.so .*No such file/, granted.err);
  const denied = await script(body, ["--allow-ffi"], env);
  assert.match(denied.out, /^opened$|not looked at/, denied.err); // found in build/, or not there
  const right = await script(convolveOnce(), ["--allow-ffi", "--allow-env=FLASHFFTCONV_LIBRARY"], {
    FLASHFFTCONV_LIBRARY: libraryFile,
  });
  assert.equal(right.out, "1,3", right.err);
});

Deno.test("load: the library says what it is, and has the module's version", async () => {
  const info = ffc.libraryInfo({ libraryPath: libraryFile });
  const config: { version: string } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  assert.equal(info.version, config.version);
  assert.equal(info.abiVersion, ABI_VERSION);
  assert.equal(info.path, libraryFile);
  assert.ok(info.backends.includes("cpu"));
  assert.deepEqual(info.devices.find(({ type }) => type === "cpu"), { type: "cpu", count: 1, reason: "" });
  const { VERSION } = await import("../src/library.ts");
  assert.equal(VERSION, config.version);
});
