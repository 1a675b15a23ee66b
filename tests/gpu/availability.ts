// Whether the GPU tests can run here, said once in plain words, and the device they open.
import { type Device, type DeviceOptions, libraryInfo, LibraryNotFoundError, openDevice } from "../../mod.ts";

function reasonAgainst(): string {
  try {
    const cuda = libraryInfo().devices.find(({ type }) => type === "cuda")!;
    return cuda.count > 0 ? "" : cuda.reason;
  } catch (error) {
    // The other tests report a missing library; it is no reason to fail to load this file.
    if (error instanceof LibraryNotFoundError) return error.message;
    throw error;
  }
}

/** Why there is no GPU to test; empty where there is one. */
export const noGpu: string = reasonAgainst();
// One ignored test stands for all of them, so that no reader takes them for passed.
if (noGpu) Deno.test({ name: `gpu: left out: ${noGpu}`, ignore: true, fn() {} });

/** A test that exists only where there is a GPU. */
export function gpuTest(name: string, body: () => void | Promise<void>): void {
  if (!noGpu) Deno.test(`gpu: ${name}`, body);
}

const sharedKilobytes = Number(Deno.env.get("FLASHFFTCONV_TEST_SHARED_KB") ?? "0");
const override: DeviceOptions = {
  ...(Deno.env.get("FLASHFFTCONV_TEST_PORTABLE") === "1" ? { portable: true } : {}),
  ...(sharedKilobytes > 0 ? { sharedMemoryLimitBytes: sharedKilobytes * 1024 } : {}),
};
/** Whether the environment makes the GPU stand in for a smaller one. */
export const smallerDevice: boolean = Object.keys(override).length > 0;

/** Opens the GPU; the environment may make it stand in for a smaller one (see scripts/gpu_run.sh). */
export function openGpu(options: DeviceOptions = {}): Device {
  return openDevice("cuda", { ...override, ...options });
}
