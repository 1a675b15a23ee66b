/**
 * Reads every file that git has or would add, and fails on what must not be published: paths of somebody's
 * machine and addresses of package registries. The lock file must not say where packages were downloaded.
 */
const decoder = new TextDecoder();

async function run(command: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  if (!success) throw new Error(`${command} ${args.join(" ")} failed: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

// Written in pieces, so that this file does not find itself.
const folders = ["work", "root", "home", "Users"].join("|");
const forbidden: [what: string, pattern: RegExp][] = [
  ["a path of a machine", new RegExp(`(?<![\\w.$}@-])/(?:${folders})/[\\w.-]+`)],
  ["a path in a temporary folder", new RegExp(`(?<![\\w.$}@-])/(?:var/)?${"tmp"}/[\\w.-]+`)],
  ["the host of a package registry", /\bregistry\.[a-z0-9-]+\.[a-z]+|\bdeb\.debian\.|\bnpm\.jsr\b|\bpypi\.org\b/i],
];
// The registry of this machine may be a mirror with a name of its own.
const host = new URL((await run("npm", "config", "get", "registry")).trim()).host;
forbidden.push(["the host of a package registry", new RegExp(host.replaceAll(".", "\\."))]);

const files = (await run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")).split("\0")
  .filter((path) => path !== "");
let found = 0, read = 0;
for (const path of files) {
  const bytes = await Deno.readFile(path).catch((error) => {
    // Deleted in the work tree, still known to git.
    if (error instanceof Deno.errors.NotFound) return new Uint8Array();
    throw error;
  });
  if (bytes.includes(0)) continue; // binary
  read++;
  for (const [index, line] of decoder.decode(bytes).split("\n").entries()) {
    for (const [what, pattern] of forbidden) {
      const match = pattern.exec(line);
      if (!match) continue;
      console.error(`${path}:${index + 1}: ${what}: ${match[0]}`);
      found++;
    }
  }
}
const lock = JSON.parse(await Deno.readTextFile("package-lock.json"));
for (const [name, entry] of Object.entries<{ resolved?: string }>(lock.packages)) {
  if (!entry.resolved) continue;
  console.error(`package-lock.json: ${name} has a download address; .npmrc tells npm to leave it out`);
  found++;
}
if (read === 0) throw new Error("git names no files: is this a checkout?");
console.log(`${read} files read, ${found} findings`);
Deno.exit(found > 0 ? 1 : 0);
