/**
 * Measures the constants of the planner's cost model on a device and stores them where openDevice() finds them.
 *
 *     calibrate.ts [cpu|cuda|auto] [--file PATH] [--ordinal N] [--threads N] [--json]
 *
 * Default: the GPU where there is one, else the CPU; the file lies in the user's cache folder.
 */
import { calibrate, openDevice } from "../mod.ts";

const usage = "usage: calibrate.ts [cpu|cuda|auto] [--file PATH] [--ordinal N] [--threads N] [--json]";

function fail(message: string): never {
  console.error(`${message}\n${usage}`);
  Deno.exit(2);
}

let type: "cpu" | "cuda" | "auto" = "auto", file: string | undefined, json = false;
const numbers: { ordinal?: number; threads?: number } = {};
const args = [...Deno.args];
for (let arg = args.shift(); arg !== undefined; arg = args.shift()) {
  const value = () => args.shift() ?? fail(`${arg} needs a value`);
  if (arg === "cpu" || arg === "cuda" || arg === "auto") type = arg;
  else if (arg === "--file") file = value();
  else if (arg === "--ordinal" || arg === "--threads") {
    numbers[arg === "--ordinal" ? "ordinal" : "threads"] = Number(value());
  } else if (arg === "--json") json = true;
  else if (arg === "--help") {
    console.log(usage);
    Deno.exit(0);
  } else fail(`unknown argument ${arg}`);
}

// The file that is about to be replaced must not matter.
using device = openDevice(type, { ...numbers, constants: false });
const terminal = !json && Deno.stderr.isTerminal();
const encoder = new TextEncoder();
const result = await calibrate(device, {
  ...(file !== undefined && { file }),
  onProgress: (done) => {
    if (terminal) {
      Deno.stderr.writeSync(encoder.encode(`\r${device.name}: ${Math.round(100 * done)}%${done === 1 ? "\n" : ""}`));
    }
  },
});
if (json) console.log(JSON.stringify({ device: device.info, ...result }, null, 2));
else {
  const percent = (share: number) => `${Math.round(100 * share)}%`;
  console.log(
    `${device.name} (${device.info.instructionSet}): ${result.samples} candidates in ${result.seconds.toFixed(1)} s`,
  );
  console.log(`memory ${(result.constants["rate/device"]! / 1e9).toFixed(1)} GB/s`);
  console.log(
    `predicted to within 30%: ${percent(result.within30Before)} by the shipped constants with this bandwidth, ` +
      `${percent(result.within30After)} by the new ones`,
  );
  console.log(`written: ${result.path}`);
}
