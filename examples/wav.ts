/** WAV files in and out, with errors that say what is wrong with which file. */
import decode from "@audio/decode-wav";
import encodeWav from "@audio/encode-wav";

import { readFile, UserError, writeFile } from "./files.ts";

/** Decoded sound: one array of samples in -1 .. 1 per channel. */
export interface Sound {
  channels: Float32Array<ArrayBuffer>[];
  sampleRate: number;
}

/** What can be written: integer PCM of 16 or 24 bits, or 32-bit float. */
export type SampleFormat = "pcm16" | "pcm24" | "float32";

const bitDepths: Record<SampleFormat, number> = { pcm16: 16, pcm24: 24, float32: 32 };

/** Reads 8, 16, 24, 32-bit PCM or 32, 64-bit float; any number of channels, any sample rate. */
export async function readWav(path: string): Promise<Sound> {
  const bytes = await readFile(path);
  let sound;
  try {
    sound = decode(bytes);
  } catch (error) {
    throw new UserError(`${path} cannot be decoded: ${(error as Error).message}. A RIFF WAV file is needed`);
  }
  checkComplete(path, bytes);
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

/** The decoder takes what is there; a recording that ends early should not pass for a whole one. */
function checkComplete(path: string, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // RIFF size WAVE, then chunks: a name of four letters, a size, so many bytes and one more if that is odd.
  for (let at = 12; at + 8 <= bytes.length;) {
    const name = String.fromCharCode(...bytes.subarray(at, at + 4)), size = view.getUint32(at + 4, true);
    const there = bytes.length - at - 8;
    // Programs that write to a pipe do not know the size and leave 0 or the largest number.
    if (name === "data" && size !== 0xffffffff && size > there) {
      throw new UserError(`${path} is truncated: its header announces ${size} bytes of sound and ${there} are there`);
    }
    if (name === "data") return;
    at += 8 + size + size % 2;
  }
}
