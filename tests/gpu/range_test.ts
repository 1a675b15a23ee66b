// The bounds of the two precision classes over the whole range of inputs: noise, pure tones, constants and impulses,
// from the smallest to the largest root mean square that the 16-bit types are promised for.
import assert from "node:assert/strict";
import type { ConvPlan, Device, Precision } from "../../mod.ts";
import { convolveAll } from "../oracle.ts";
import { gaussian, uniform } from "../random.ts";
import { rounded } from "../rounded.ts";
import { gpuTest, openGpu, smallerDevice } from "./availability.ts";

type Half = "float16" | "bfloat16";
type Class = Exclude<Precision, "default">;

const lengths = [256, 512, 1024, 2048, 4096, 8192, 16384, 32768];
const precisions: readonly Class[] = ["fast", "accurate"];
const batch = 2;
const channelsOf = (length: number) => Math.min(128, 2 ** 20 / length);

/** What each class promises (relative L2 against float64), and the powers of two that inputs of rms 0.7 are taken to. */
const promised: { readonly [H in Half]: { bound: Record<Class, (length: number) => number>; exponents: number[] } } = {
  float16: {
    bound: { fast: (length) => length <= 8192 ? 1.1e-3 : 1.4e-3, accurate: () => 6e-4 },
    exponents: [-6, 0, 10], // rms 0.011 to 720
  },
  bfloat16: {
    bound: { fast: (length) => length <= 8192 ? 2.0e-3 : 2.15e-3, accurate: () => 1.75e-3 },
    exponents: [-19, 0, 13], // rms 1.3e-6 to 5700
  },
};

// Rows of rms 0.7. An impulse of that rms would leave float16 at the long end; it stays below 58 * 2^10.
const shapes: Record<string, (length: number, row: number) => Float64Array> = {
  noise: (length, row) => gaussian(length, 100 + row, 0.7),
  tone: (length, row) => {
    const random = uniform(200 + row), frequency = random() / 2, phase = random();
    return Float64Array.from({ length }, (_, n) => 0.7 * Math.SQRT2 * Math.cos(2 * Math.PI * (frequency * n + phase)));
  },
  constant: (length, row) => {
    const random = uniform(300 + row);
    return new Float64Array(length).fill((random() < 0.5 ? -1 : 1) * (0.4 + 0.6 * random()));
  },
  impulse: (length, row) => {
    const random = uniform(400 + row), samples = new Float64Array(length);
    samples[Math.floor(random() * length / 2)] = Math.min(0.7 * Math.sqrt(length), 57) * (0.5 + random() / 2);
    return samples;
  },
};

/** Causal, in float64. Of inputs that are a constant or an impulse it is what is written here; of others an FFT. */
function referenceOf(shape: string, u: Float64Array, k: Float64Array, channels: number, length: number): Float64Array {
  if (shape !== "constant" && shape !== "impulse") {
    return convolveAll({ batch, channels, length, kernelLength: length, mode: "causal", sharedKernel: false, u, k });
  }
  const y = new Float64Array(u.length);
  for (let row = 0; row < batch * channels; row++) {
    const from = row * length, taps = k.subarray(row % channels * length, (row % channels + 1) * length);
    const first = u.subarray(from, from + length).findIndex((value) => value !== 0), size = u[from + first]!;
    let sum = 0;
    for (let n = first; n < length; n++) {
      sum = shape === "constant" ? sum + taps[n]! : taps[n - first]!;
      y[from + n] = size * sum;
    }
  }
  return y;
}

/** Relative L2 errors of a shape, by class and power of two; NaN where an output is not finite. */
async function errorsOf(device: Device, dtype: Half, shape: string, length: number) {
  const channels = channelsOf(length), rows = batch * channels;
  const base = new Float64Array(rows * length);
  for (let row = 0; row < rows; row++) base.set(shapes[shape]!(length, row), row * length);
  const u = rounded(base, dtype).values;
  const kernel = rounded(gaussian(channels * length, 7, 1 / Math.sqrt(length)), "float32");
  const reference = referenceOf(shape, u, kernel.values, channels, length);
  let size2 = 0;
  for (const r of reference) size2 += r * r;
  const errors: { precision: Class; exponent: number; error: number }[] = [];
  for (const precision of precisions) {
    using plan = device.plan({
      batch,
      channels,
      length,
      kernelLength: length,
      dtype,
      kernelDtype: "float32",
      precision,
      mode: "causal",
    });
    using taps = device.empty([channels, length], "float32");
    await taps.write(kernel.host);
    using spectrum = plan.spectrum(taps);
    using input = device.empty([batch, channels, length], dtype);
    using out = device.empty([batch, channels, length], dtype);
    for (const exponent of promised[dtype].exponents) {
      const scale = 2 ** exponent;
      await input.write(rounded(u.map((v) => v * scale), dtype).host);
      out.fillBytes(0xff); // NaN
      plan.forward(input, spectrum, { out });
      const y = await out.toFloat32Array();
      let error2 = 0;
      for (let i = 0; i < y.length; i++) error2 += (y[i]! / scale - reference[i]!) ** 2;
      errors.push({ precision, exponent, error: Math.sqrt(error2 / size2) });
    }
  }
  return errors;
}

for (const dtype of ["float16", "bfloat16"] as const) {
  for (const shape of Object.keys(shapes)) {
    gpuTest(`range: ${shape} ${dtype}`, async () => {
      using device = openGpu();
      // A tone or a constant has its energy in a few frequencies, so its error is a mean over kernels, not over samples. That
      // of one kernel has a standard deviation of a fifth (where the kernel is weak at that frequency, roundings of the
      // samples are large beside the output); allowed is twice that of the mean.
      const concentrated = shape === "tone" || shape === "constant";
      const failures: string[] = [];
      for (const length of lengths) {
        const slack = concentrated ? 1 + 0.4 / Math.sqrt(channelsOf(length)) : 1;
        const worst: Record<Class, number> = { fast: 0, accurate: 0 };
        for (const { precision, exponent, error } of await errorsOf(device, dtype, shape, length)) {
          const bound = promised[dtype].bound[precision](length) * slack;
          if (!(error <= bound)) {
            failures.push(
              `${length} ${precision} at 2^${exponent}: ${error.toExponential(2)} > ${bound.toExponential(2)}`,
            );
          }
          if (!(error <= worst[precision])) worst[precision] = error;
        }
        console.log(
          `${shape} ${dtype} ${length}: ${precisions.map((c) => `${c} ${worst[c].toExponential(2)}`).join(", ")}`,
        );
      }
      assert.deepEqual(failures, []);
    });
  }
}

/** Every candidate on tensor cores, by force: which of them the planner prefers is not what is tested. */
function tensorCorePlans(device: Device, length: number, precision: Class): { name: string; plan: () => ConvPlan }[] {
  const problem = {
    channels: 2,
    length,
    kernelLength: length,
    precision,
    dtype: "float16",
    kernelDtype: "float32",
  } as const;
  using plan = device.plan(problem);
  return plan.explain().candidates.filter(({ name }) => /(^|\/)(fused-mma|mma)\//.test(name))
    .map(({ name }) => ({ name, plan: () => device.plan({ ...problem, candidate: name }) }));
}

// A tap at one of the last delays moves nearly all that it makes of a row behind the end of the outputs, and what is not seen
// must not overflow inside.
for (const precision of precisions) {
  gpuTest(`range: much larger behind the end of the outputs than in them, ${precision}`, async () => {
    using device = openGpu();
    const failures: string[] = [];
    const ran = new Set<string>();
    for (const length of [256, 1000, 1024, 4000, 4096, 8192, 12288, 16384, 32768, 65536, 131072]) {
      const plans = tensorCorePlans(device, length, precision);
      for (const delay of [length - 2, length - 4]) {
        // As large as leaves the outputs at a root mean square of 1000, and below 65504.
        const largest = Math.floor(Math.min(60, Math.sqrt(length / (length - delay))));
        for (
          const [tap, candidate] of [largest, -Math.ceil(largest / 2)].flatMap((tap) =>
            plans.map((one) => [tap, one] as const)
          )
        ) {
          using plan = candidate.plan();
          ran.add(candidate.name);
          const taps = new Float32Array(2 * length);
          taps[delay] = taps[length + delay] = tap;
          using spectrum = plan.spectrum(taps);
          // 1000 in the first channel; a tone of as much, at a frequency that is no bin, in the second.
          const u = Float64Array.from(
            { length: 2 * length },
            (_, n) => n < length ? 1000 : 1000 * Math.cos(2 * Math.PI * 0.1234 * n),
          );
          const samples = rounded(u, "float16");
          using input = device.tensor(samples.host, { shape: [1, 2, length], dtype: "float16" });
          using out = plan.forward(input, spectrum);
          const y = await out.toFloat32Array(), count = y.length / 2;
          for (let row = 0; row < 2; row++) {
            let error2 = 0, size2 = 0;
            for (let n = 0; n < count; n++) {
              const from = n - delay,
                exact = from >= 0 && from < length ? tap * samples.values[row * length + from]! : 0;
              error2 += (y[row * count + n]! - exact) ** 2;
            }
            for (let n = 0; n < length; n++) size2 += (tap * samples.values[row * length + n]!) ** 2;
            const error = Math.sqrt(error2 / size2);
            const bound = promised.float16.bound[precision](length) * (length > 32768 ? 1.4 : 1);
            if (!(error <= bound)) {
              failures.push(`${length}: ${tap} at ${delay}, row ${row}, ${candidate.name}: ${error}`);
            }
          }
        }
      }
    }
    // Of each way through tensor cores some have run; a smaller device may not have room for all.
    for (
      const way of smallerDevice ? [/^fused-mma\//] : [/^fused-mma\//, /^overlap-save\/mma\//, /^multi-pass\/mma\//]
    ) {
      assert.ok([...ran].some((name) => way.test(name)), `${way} of ${[...ran].join(", ")}`);
    }
    assert.deepEqual(failures, []);
  });
}
