/** Files in and out, and the kind of error that a person can mend. */

/** Something the user can mend; shown without a stack trace. */
export class UserError extends Error {}

/** Deno.readFile with an error text that says what is wrong with which file. */
export async function readFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return await Deno.readFile(path).catch((error: Error) => {
    throw new UserError(describeFileError("read", path, error));
  });
}

/** Deno.writeFile with the same kind of error text. */
export async function writeFile(path: string, bytes: Uint8Array): Promise<void> {
  await Deno.writeFile(path, bytes).catch((error: Error) => {
    throw new UserError(describeFileError("write", path, error));
  });
}

function describeFileError(verb: "read" | "write", path: string, error: Error): string {
  if (error instanceof Deno.errors.NotFound) {
    return verb === "read" ? `${path} does not exist` : `${path} cannot be written: its folder does not exist`;
  }
  if (error.name === "NotCapable") return `Deno may not ${verb} ${path}: add --allow-${verb}`;
  return `cannot ${verb} ${path}: ${error.message}`;
}
