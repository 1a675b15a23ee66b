import assert from "node:assert/strict";

import { checkFullConvolution } from "./check.ts";
import { generateHall, resampleImpulse } from "./impulse.ts";
import { readWav, type Sound, writeWav } from "./wav.ts";

const recording = decodeURIComponent(new URL("../node_modules/audio-lena/lena.wav", import.meta.url).pathname);
const script = new URL("reverb.ts", import.meta.url);

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "flashfftconv-reverb-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs the example as a person would. */
async function reverb(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--allow-read", "--allow-write", "--allow-ffi", "--allow-env"].concat(
      script.href,
      args,
    ),
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

function tone(channels: number, length: number, sampleRate: number): Sound {
  return {
    channels: Array.from(
      { length: channels },
      (_, c) => Float32Array.from({ length }, (_, n) => 0.8 * Math.sin(0.05 * (c + 1) * n + c)),
    ),
    sampleRate,
  };
}

// Half a step is rounding; the reader maps the lowest integer to -1, the writer -1 to the integer above it, which
// is up to one step more.
for (const [format, tolerance] of [["pcm16", 1.5 * 2 ** -15], ["pcm24", 1.5 * 2 ** -23], ["float32", 0]] as const) {
  Deno.test(`wav: ${format} is read as it was written`, () =>
    withFolder(async (folder) => {
      const sound = tone(2, 1001, 22050);
      await writeWav(`${folder}/a.wav`, sound, format);
      const back = await readWav(`${folder}/a.wav`);
      assert.equal(back.sampleRate, 22050);
      assert.equal(back.channels.length, 2);
      for (const [c, samples] of back.channels.entries()) {
        assert.equal(samples.length, 1001);
        samples.forEach((x, n) => assert.ok(Math.abs(x - sound.channels[c]![n]!) <= tolerance, `${c} ${n} ${x}`));
      }
    }));
}

Deno.test("impulse: the same seed gives the same hall, the channels differ, the direct sound comes first", () => {
  const options = { sampleRate: 8000, channels: 2, seconds: 0.5, reverbDb: 0, seed: 7 };
  const hall = generateHall(options);
  assert.deepEqual(hall, generateHall(options));
  assert.notDeepEqual(hall.channels[0], hall.channels[1]);
  assert.notDeepEqual(hall.channels[0], generateHall({ ...options, seed: 9 }).channels[0]);
  assert.equal(hall.channels[0]!.length, 4000);
  assert.equal(hall.channels[0]![0], 1);
  // 0 dB: the reverberation has the energy of the direct sound.
  const energy = hall.channels[0]!.reduce((sum, x) => sum + x * x, 0);
  assert.ok(Math.abs(energy - 2) < 1e-3, `${energy}`);
});

Deno.test("impulse: the hall decays by about 60 dB over its length", () => {
  const samples = generateHall({ sampleRate: 8000, channels: 1, seconds: 2, reverbDb: 0, seed: 1 }).channels[0]!;
  const level = (from: number, to: number) => {
    const part = samples.subarray(from * 8000, to * 8000);
    return 10 * Math.log10(part.reduce((sum, x) => sum + x * x, 0) / part.length);
  };
  // The lowest band, which lasts longest, loses 30 dB a second here; 6 dB either way covers the noise.
  const loss = level(1.2, 1.4) - level(1.7, 1.9);
  assert.ok(loss > 9 && loss < 21, `${loss} dB in half a second`);
});

Deno.test("impulse: resampling keeps a slow signal and its sum", () => {
  // A Gaussian bump far below both Nyquist frequencies: its samples at another rate are known exactly.
  const bump = (seconds: number) => Math.exp(-(((seconds - 0.05) / 0.004) ** 2));
  const make = (rate: number): Sound => ({
    channels: [Float32Array.from({ length: rate / 10 }, (_, n) => bump(n / rate))],
    sampleRate: rate,
  });
  for (const [from, to] of [[44100, 48000], [48000, 8000], [8000, 44100]] as const) {
    const got = resampleImpulse(make(from), to);
    const want = make(to).channels[0]!;
    assert.equal(got.channels[0]!.length, want.length);
    // Scaled by the ratio of the rates: a sum over samples stands for the same integral.
    want.forEach((x, n) => assert.ok(Math.abs(got.channels[0]![n]! * to / from - x) < 2e-3, `${from} ${to} ${n}`));
  }
});

Deno.test("check: float64 sums are recognised, wrong ones are not", () => {
  const u = Float32Array.of(1, 2, 3), k = Float32Array.of(1, 0, -1, 2);
  const y = Float32Array.of(1, 2, 2, 0, 1, 6);
  assert.equal(checkFullConvolution([u], [k], [y], 100).relativeError, 0);
  const shifted = Float32Array.of(0, 1, 2, 2, 0, 1);
  assert.ok(checkFullConvolution([u], [k], [shifted], 100).relativeError > 0.1);
  assert.ok(checkFullConvolution([u], [k], [new Float32Array(6)], 100).relativeError > 0.9);
  const poisoned = y.with(3, NaN);
  assert.ok(Number.isNaN(checkFullConvolution([u], [k], [poisoned], 100).relativeError));
});

Deno.test("reverb: a real recording in a generated hall, with a picture", () =>
  withFolder(async (folder) => {
    const { code, stdout, stderr } = await reverb(
      recording,
      `${folder}/out.wav`,
      "--seconds=2",
      "--format=pcm16",
      `--picture=${folder}/out.svg`,
    );
    assert.equal(code, 0, stderr);
    for (const word of ["device", "plan", "time", "error", "out.wav", "out.svg"]) {
      assert.match(stdout, new RegExp(word));
    }
    const before = await readWav(recording), after = await readWav(`${folder}/out.wav`);
    assert.equal(after.channels.length, 2);
    assert.equal(after.channels[0]!.length, before.channels[0]!.length + 2 * before.sampleRate - 1);
    const peak = Math.max(...after.channels.map((samples) => samples.reduce((m, x) => Math.max(m, Math.abs(x)), 0)));
    assert.ok(Math.abs(20 * Math.log10(peak) + 1) < 0.01, `peak ${peak}`);
    const svg = await Deno.readTextFile(`${folder}/out.svg`);
    assert.match(svg, /^<svg xmlns/);
    assert.equal(svg.match(/data:image\/png;base64,/g)?.length, 2);
  }));

Deno.test("reverb: stereo sound, mono impulse response of another rate, float output", () =>
  withFolder(async (folder) => {
    const sound = tone(2, 3000, 16000);
    const impulse: Sound = { channels: [Float32Array.from({ length: 700 }, (_, n) => 0.99 ** n)], sampleRate: 48000 };
    await writeWav(`${folder}/in.wav`, sound, "float32");
    await writeWav(`${folder}/impulse.wav`, impulse, "float32");
    const paths = [`${folder}/in.wav`, `${folder}/impulse.wav`, `${folder}/out.wav`];
    const { code, stderr } = await reverb(...paths, "--format=float32", "--device=cpu");
    assert.equal(code, 0, stderr);
    assert.match(stderr, /resampling the impulse response from 48000 to 16000 Hz/);
    const { channels } = await readWav(`${folder}/out.wav`);
    const k = resampleImpulse(impulse, 16000).channels[0]!;
    // The file is the convolution times one factor; the factor is taken from one sample and holds for all.
    const reference = (c: number, n: number) => k.reduce((sum, x, j) => sum + x * (sound.channels[c]![n - j] ?? 0), 0);
    const factor = channels[0]![100]! / reference(0, 100);
    for (const [c, samples] of channels.entries()) {
      assert.equal(samples.length, 3000 + k.length - 1);
      for (const n of [0, 1, 500, 2999, samples.length - 1]) {
        assert.ok(Math.abs(samples[n]! - factor * reference(c, n)) < 1e-5, `channel ${c}, sample ${n}`);
      }
    }
  }));

Deno.test("reverb: what the user can mend is said in a sentence", () =>
  withFolder(async (folder) => {
    const text = `${folder}/text.wav`, empty = `${folder}/empty.wav`, three = `${folder}/three.wav`;
    const two = `${folder}/two.wav`, short = `${folder}/short.wav`;
    await Deno.writeTextFile(text, "This is not a recording, whatever its name says.");
    await writeWav(empty, { channels: [new Float32Array(0)], sampleRate: 8000 }, "pcm16");
    await writeWav(three, tone(3, 10, 8000), "pcm16");
    await writeWav(two, tone(2, 10, 8000), "pcm16");
    await Deno.writeFile(short, (await Deno.readFile(two)).subarray(0, -6));
    const out = `${folder}/out.wav`;
    const cases: [args: string[], message: RegExp][] = [
      [[], /usage: reverb\.ts/],
      [[`${folder}/none.wav`, out], /none\.wav does not exist/],
      [[text, out], /text\.wav cannot be decoded: Not a WAV file/],
      [[empty, out], /empty\.wav has no samples/],
      [[short, out], /short\.wav is truncated: its header announces 40 bytes of sound and 34 are there/],
      [[three, two, out], /the recording has 3 channels and the impulse response 2/],
      [[two, `${folder}/no/such/out.wav`], /its folder does not exist/],
      [[two, out, "--seconds=-1"], /--seconds must be a number from 0\.1 to 60/],
      [[two, out, "--format=mp3"], /--format must be one of pcm16, pcm24, float32/],
      [[two, out, "--loud"], /loud/],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await reverb(...args);
      assert.equal(code, 1, stderr);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n\s+at /, "a stack trace is for bugs");
    }
  }));
