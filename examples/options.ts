/** The command line of an example: what the user got wrong is told in a sentence, with exit code 1. */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { FlashFFTConvError } from "../mod.ts";
import { UserError } from "./files.ts";

/** parseArgs() with --help, whose complaints end with the usage. */
export function parseCommand<T extends ParseArgsConfig>(usage: string, config: T): ReturnType<typeof parseArgs<T>> {
  if (config.args?.includes("--help")) {
    console.log(usage);
    Deno.exit(0);
  }
  try {
    return parseArgs(config);
  } catch (error) {
    throw new UserError(`${(error as Error).message}\n\n${usage}`);
  }
}

/** A number from `low` to `high`. */
export function number(name: string, text: string, low: number, high: number): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (!(value >= low && value <= high)) {
    throw new UserError(`--${name} must be a number from ${low} to ${high}, not "${text}"`);
  }
  return value;
}

/** A number from `low` to `high` without a fraction. */
export function whole(name: string, text: string, low: number, high: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(value >= low && value <= high)) {
    throw new UserError(`--${name} must be a whole number from ${low} to ${high}, not "${text}"`);
  }
  return value;
}

/** One of a few words. */
export function oneOf<T extends string>(name: string, text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (!found) throw new UserError(`--${name} must be one of ${choices.join(", ")}, not "${text}"`);
  return found;
}

/** Runs an example's main function. */
export async function runCommand(name: string, main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    // What the user can mend is told in a sentence; anything else is a bug and keeps its stack trace.
    if (!(error instanceof UserError || error instanceof FlashFFTConvError)) throw error;
    console.error(`${name}: ${error.message}`);
    Deno.exit(1);
  }
}
