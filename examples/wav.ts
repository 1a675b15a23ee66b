/** WAV files in and out, with errors that say what is wrong with which file. */
import decode from "@audio/decode-wav";
import encodeWav from "@audio/encode-wav";

/** Decoded sound: one array of samples in -1 .. 1 per channel. */
export interface Sound {
  channels: Float32Array<ArrayBuffer>[];
  sampleRate: number;
}

/** What can be written: integer PCM of 16 or 24 bits, or 32-bit float. */
export type SampleFormat = "pcm16" | "pcm24" | "float32";

/** Something the user can mend; shown without a stack trace. */
export class UserError extends Error {}

const bitDepths: Record<SampleFormat, number> = { pcm16: 16, pcm24: 24, float32: 32 };

/** Reads 8, 16, 24, 32-bit PCM or 32, 64-bit float; any number of channels, any sample rate. */
export async function readWav(path: string): Promise<Sound> {
  const bytes = await Deno.readFile(path).catch((error: Error) => {
    throw new UserError(describeFileError("read", path, error));
  });
  let sound;
  try {
    sound = decode(bytes);
  } catch (error) {
    throw new UserError(`${path} cannot be decoded: ${(error as Error).message}. A RIFF WAV file is needed`);
  }
  const channels = sound.channelData as Float32Array<ArrayBuffer>[];
  if (!channels[0]?.length || !(sound.sampleRate > 0)) {
    throw new UserError(`${path} has no samples (${bytes.length} bytes; is it truncated?)`);
  }
  for (const [c, samples] of channels.entries()) {
    const bad = samples.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) throw new UserError(`${path} has the value ${samples[bad]} at sample ${bad} of channel ${c}`);
  }
  return { channels, sampleRate: sound.sampleRate };
}

/** Writes a complete file; integer formats clip outside -1 .. 1. */
export async function writeWav(path: string, { channels, sampleRate }: Sound, format: SampleFormat): Promise<void> {
  // RIFF sizes are 32 bits wide; the header takes 44 bytes.
  const dataBytes = channels.length * channels[0]!.length * bitDepths[format] / 8;
  if (dataBytes + 44 > 2 ** 32) {
    throw new UserError(`${path} would have ${(dataBytes / 2 ** 30).toFixed(1)} GiB; a WAV file holds less than 4 GiB`);
  }
  // The package's declaration forgets 24, which its code and documentation have.
  const encoder = await encodeWav({ sampleRate, bitDepth: bitDepths[format] as 16 });
  encoder.encode(channels);
  const bytes = encoder.flush();
  encoder.free();
  await writeFile(path, bytes);
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
