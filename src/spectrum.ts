import type { ConvPlan } from "./plan.ts";
import type { HostArray } from "./dtype.ts";
import { NativeObject, type Session } from "./session.ts";
import { type Stream, streamOf, type StreamOption } from "./stream.ts";
import type { DeviceTensor } from "./tensor.ts";

/** What a plan tells its spectra: how to bring a kernel onto the device and check it (module-internal). */
export interface KernelSource {
  readonly session: Session;
  readonly plan: bigint;
  /** Calls back with the place of the kernel on the device; a host array is uploaded for the time of the call. */
  place(
    kernel: DeviceTensor | HostArray,
    stream: Stream | undefined,
    compute: (buffer: bigint, offsetBytes: bigint) => void,
  ): void;
}

/** Makes the spectrum of a kernel (module-internal). */
export let createSpectrum: (
  plan: ConvPlan,
  source: KernelSource,
  kernel: DeviceTensor | HostArray,
  options: StreamOption,
) => KernelSpectrum;
/** The handle of a spectrum that was not disposed; undefined for anything else (module-internal). */
export let spectrumHandle: (spectrum: unknown) => bigint | undefined;

/**
 * The transformed kernel of a plan, reusable in any number of calls. Made by {@link ConvPlan.spectrum}. Its layout
 * is the plan's own business; its normalisation is such that {@link ConvPlan.forward} returns the plain sum.
 */
export class KernelSpectrum {
  /** The plan it was made for; no other plan can use it. */
  readonly plan: ConvPlan;
  readonly #source: KernelSource;
  readonly #native: NativeObject;

  private constructor(plan: ConvPlan, source: KernelSource) {
    this.plan = plan;
    this.#source = source;
    const { session } = source;
    const handle = session.create("spectrum", (c, h, e) => c.ffc_spectrum_create(source.plan, h, e));
    this.#native = new NativeObject(session, handle, "spectrum");
  }

  static {
    createSpectrum = (plan, source, kernel, options) => {
      const spectrum = new KernelSpectrum(plan, source);
      try {
        spectrum.recompute(kernel, options);
      } catch (error) {
        spectrum.dispose();
        throw error;
      }
      return spectrum;
    };
    spectrumHandle = (spectrum) => spectrum instanceof KernelSpectrum ? spectrum.#native.handle : undefined;
  }

  /** Device memory it takes. */
  get byteLength(): number {
    return this.plan.info.spectrumBytes;
  }

  /** True after dispose(), also of the device. */
  get disposed(): boolean {
    return this.#native.disposed;
  }

  /**
   * Transforms another kernel into this spectrum. Enqueued: calls enqueued earlier on the same stream still see the
   * old kernel, later ones the new kernel. A host array is copied at once, which waits for this earlier work; see
   * {@link ConvPlan.spectrum}.
   *
   * @param kernel (channels, kernelLength), or (kernelLength) where it is shared or there is one channel; a device
   *   tensor, or a host array that is copied before the call returns
   * @param options the stream to run on
   * @throws {ShapeError} if the kernel has another shape than the plan
   * @throws {DtypeError} if it has another element type than the plan's kernelDtype
   */
  recompute(kernel: DeviceTensor | HostArray, options: StreamOption = {}): void {
    const { session, handle } = this.#native;
    const lane = streamOf("a spectrum", session, options);
    this.#source.place(kernel, options.stream, (buffer, offset) => {
      session.lease.check(session.calls.ffc_spectrum_compute(handle, buffer, offset, lane, session.lease.error));
    });
  }

  /** Gives the memory back, once work in flight is done with it. Harmless when repeated. */
  dispose(): void {
    this.#native.dispose();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
