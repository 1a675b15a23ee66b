// Runs one case of tests/cases.ts on a device: inputs between NaN bands, the output poisoned with NaN and between
// bands that must be untouched, the result judged against float64.
import {
  type ConvPlan,
  type Device,
  type DeviceTensor,
  type Dtype,
  outputLength,
  type RowStrides,
  UnsupportedError,
} from "../mod.ts";
import { caseName, type ConvCase } from "./cases.ts";
import { convolveAll, expectedSize, type OracleInput } from "./oracle.ts";
import { gaussian } from "./random.ts";
import { type Rounded, rounded } from "./rounded.ts";
import { judge, type Verdict } from "./tolerance.ts";

/** The numbers of a case. */
export interface CaseData {
  readonly input: OracleInput;
  readonly u: Rounded;
  readonly k: Rounded;
  readonly preGate?: Rounded | undefined;
  readonly postGate?: Rounded | undefined;
  readonly skip?: Rounded | undefined;
}

/** Random numbers for a case, about 1 in size in every place. */
export function makeData(c: ConvCase, seed = 1): CaseData {
  const inputs = c.batch * c.channels * c.length;
  const outputs = c.batch * c.channels * outputLength(c.mode, c.length, c.kernelLength);
  const kernels = c.sharedKernel ? 1 : c.channels;
  const make = (count: number, n: number, dtype: Dtype, rms = 1) => rounded(gaussian(count, seed * 16 + n, rms), dtype);
  const reach = Math.min(c.length, c.kernelLength); // taps that meet a sample at once
  const u = make(inputs, 1, c.dtype);
  const k = make(kernels * c.kernelLength, 2, c.kernelDtype, 1 / Math.sqrt(reach));
  const preGate = c.preGate ? make(inputs, 3, c.dtype) : undefined;
  const postGate = c.postGate ? make(outputs, 4, c.dtype) : undefined;
  const skip = c.skip ? make(c.channels, 5, c.kernelDtype) : undefined;
  const input: OracleInput = {
    batch: c.batch,
    channels: c.channels,
    length: c.length,
    kernelLength: c.kernelLength,
    mode: c.mode,
    sharedKernel: c.sharedKernel,
    u: u.values,
    k: k.values,
    preGate: preGate?.values,
    postGate: postGate?.values,
    skip: skip?.values,
  };
  return { input, u, k, preGate, postGate, skip };
}

interface Solved {
  readonly problem: string;
  readonly data: CaseData;
  readonly reference: Float64Array;
  readonly size: Float64Array;
}

// The last problem and its result in float64: candidates, algorithms and precisions of one problem follow each other, and the
// float64 result takes longer than the rest of a case.
let last: Solved | undefined;

function solved(c: ConvCase): Solved {
  // What a plan may choose, and where rows lie, has nothing to do with the numbers.
  const problem = JSON.stringify({ ...c, algorithm: 0, candidate: 0, precision: 0, strided: 0, inPlace: 0 });
  if (last?.problem !== problem) {
    const data = makeData(c);
    last = { problem, data, reference: convolveAll(data.input), size: expectedSize(data.input) };
  }
  return last;
}

// Elements before and after each tensor: an odd number, so that vector loads meet an unaligned start.
const BAND = 37;
const POISON_BYTE = 0xff; // NaN in every dtype

interface Placed {
  readonly whole: DeviceTensor;
  readonly view: DeviceTensor;
}

// A tensor between bands of NaN; `gap` elements of NaN after each row.
function place(device: Device, shape: readonly number[], dtype: Dtype, gap: number): Placed {
  const [samples = 1, channels = 1, batch = 1] = [...shape].reverse();
  const row = samples + gap;
  const whole = device.empty([2 * BAND + row * channels * batch], dtype);
  whole.fillBytes(POISON_BYTE);
  const strides = [row * channels, row, 1].slice(3 - shape.length);
  return { whole, view: whole.view({ shape, strides, offset: BAND }) };
}

/** Result of a run: the output in float32, and what is wrong with it. */
export interface CaseResult {
  readonly y: Float32Array;
  readonly verdict: Verdict;
  readonly problem: string | undefined;
  /** The algorithm that was planned. */
  readonly plan: string;
}

function planFor(device: Device, c: ConvCase): ConvPlan {
  const [batch, channels] = [c.batch, c.channels];
  const samples = outputLength(c.mode, c.length, c.kernelLength);
  const strides = (row: number): RowStrides => [row * channels, row];
  return device.plan({
    batch,
    channels,
    length: c.length,
    kernelLength: c.kernelLength,
    mode: c.mode,
    dtype: c.dtype,
    kernelDtype: c.kernelDtype,
    precision: c.precision,
    algorithm: c.algorithm,
    ...(c.candidate !== undefined && { candidate: c.candidate }),
    preGate: c.preGate,
    postGate: c.postGate,
    skip: c.skip,
    sharedKernel: c.sharedKernel,
    ...(c.strided
      ? {
        strides: {
          u: strides(c.length + 3),
          preGate: strides(c.length + 1),
          postGate: strides(samples + 5),
          y: strides(samples + 7),
          ...(c.sharedKernel ? {} : { kernel: c.kernelLength + 2 }),
        },
      }
      : {}),
  });
}

/** The case with each candidate of the planner in turn. */
export function withCandidates(device: Device, c: ConvCase): ConvCase[] {
  using plan = planFor(device, c);
  return plan.explain().candidates.filter(({ usable }) => usable).map(({ name }) => ({ ...c, candidate: name }));
}

/**
 * Runs a case; undefined where the device does not offer the forced algorithm. `before` runs on the default stream
 * before the kernel's transform and again before the convolution.
 */
export async function runCase(
  device: Device,
  c: ConvCase,
  before: () => void = () => {},
): Promise<CaseResult | undefined> {
  using stack = new DisposableStack();
  let plan: ConvPlan;
  try {
    plan = stack.use(planFor(device, c));
  } catch (error) {
    if (error instanceof UnsupportedError && c.algorithm !== "auto") return undefined;
    throw error;
  }
  if (c.algorithm !== "auto" && plan.info.algorithm !== c.algorithm) {
    throw new Error(`${caseName(c)}: ${plan.info.algorithm} was planned instead`);
  }
  const { data, reference, size } = solved(c);
  const samples = outputLength(c.mode, c.length, c.kernelLength);
  const put = async (shape: number[], dtype: Dtype, gap: number, numbers?: Rounded): Promise<Placed> => {
    const placed = place(device, shape, dtype, c.strided ? gap : 0);
    stack.use(placed.whole);
    stack.use(placed.view);
    if (numbers) await placed.view.write(numbers.host);
    return placed;
  };
  const rows = [c.batch, c.channels];
  const u = await put([...rows, c.length], c.dtype, 3, data.u);
  const preGate = data.preGate && await put([...rows, c.length], c.dtype, 1, data.preGate);
  const postGate = data.postGate && await put([...rows, samples], c.dtype, 5, data.postGate);
  const kernelShape = c.sharedKernel ? [c.kernelLength] : [c.channels, c.kernelLength];
  const k = await put(kernelShape, c.kernelDtype, 2, data.k);
  const skip = data.skip && await put([c.channels], c.kernelDtype, 0, data.skip);
  const out = c.inPlace ? u : await put([...rows, samples], c.dtype, 7);
  if (c.inPlace && !plan.info.inPlace) return undefined;

  before();
  const spectrum = stack.use(plan.spectrum(k.view));
  before();
  plan.forward(u.view, spectrum, {
    out: out.view,
    ...(preGate && { preGate: preGate.view }),
    ...(postGate && { postGate: postGate.view }),
    ...(skip && { skip: skip.view }),
  });
  const y = await out.view.toFloat32Array();
  const whole = await out.whole.read();

  const how = {
    dtype: c.dtype,
    precision: plan.info.precision,
    device: device.type,
    // By force, several passes serve short rows too, in the classes of the long ones.
    points: plan.info.algorithm === "multi-pass" ? 2 * 65537 : undefined,
  };
  const verdict = judge(y, reference, data.input, how, size);
  return { y, verdict, problem: describe(verdict) ?? touched(whole, c, samples), plan: plan.info.algorithm };
}

function describe({ ok, relL2, bound, worst }: Verdict): string | undefined {
  if (ok) return undefined;
  return `relative L2 error ${relL2.toExponential(2)}, allowed ${
    bound.toExponential(2)
  }; worst sample at ${worst} of the limit`;
}

// Looks for a band or gap element that is not the poison any more.
function touched(whole: Float32Array | Uint16Array, c: ConvCase, samples: number): string | undefined {
  const words = whole instanceof Float32Array ? new Uint32Array(whole.buffer) : whole;
  const poison = whole instanceof Float32Array ? 0xffffffff : 0xffff;
  const row = samples + (c.strided ? (c.inPlace ? 3 : 7) : 0);
  const end = row * c.batch * c.channels;
  for (let i = 0; i < words.length; i++) {
    const at = i - BAND;
    const inside = at >= 0 && at < end && at % row < samples;
    if (!inside && words[i] !== poison) return `element ${at} of ${end}, outside the output's rows, was overwritten`;
  }
  return undefined;
}

/** Runs cases and throws one error that names every failed one. Returns how many ran, and were not offered. */
export async function runAll(device: Device, cases: readonly ConvCase[]): Promise<{ ran: number; skipped: number }> {
  const failures: string[] = [];
  let skipped = 0;
  for (const c of cases) {
    const result = await runCase(device, c);
    if (!result) skipped++;
    else if (result.problem) failures.push(`${caseName(c)}: ${result.problem}`);
  }
  if (failures.length > 0) {
    throw new Error(`${failures.length} of ${cases.length} cases failed:\n  ${failures.slice(0, 20).join("\n  ")}`);
  }
  return { ran: cases.length - skipped, skipped };
}
