// Which device the tests of this process run on.
import { type Device, type DeviceOptions, type DeviceType, openDevice } from "../mod.ts";

/** "cpu", or what FLASHFFTCONV_TEST_DEVICE says. */
export const testDeviceType: DeviceType = Deno.env.get("FLASHFFTCONV_TEST_DEVICE") === "cuda" ? "cuda" : "cpu";

/** Opens that device. */
export function openTestDevice(options: DeviceOptions = {}): Device {
  return openDevice(testDeviceType, options);
}

/** The library file that the tests load; undefined: where the loader finds it by itself. */
export const libraryFile: string = Deno.env.get("FLASHFFTCONV_LIBRARY") ??
  decodeURIComponent(new URL("../build/libflashfftconv.so", import.meta.url).pathname);
