// Numbers as a device sees them.
import {
  bfloat16BitsToFloat32,
  type Dtype,
  float16BitsToFloat32,
  float32ToBfloat16Bits,
  float32ToFloat16Bits,
} from "../mod.ts";

/** Host numbers as the device will see them: rounded to the dtype, in its own form and as float64. */
export interface Rounded {
  readonly values: Float64Array;
  readonly host: Float32Array | Uint16Array;
}

/** Rounds to a dtype. */
export function rounded(values: Float64Array, dtype: Dtype): Rounded {
  const f32 = Float32Array.from(values);
  if (dtype === "float32") return { values: Float64Array.from(f32), host: f32 };
  const half = dtype === "float16";
  const host = half ? float32ToFloat16Bits(f32) : float32ToBfloat16Bits(f32);
  return { values: Float64Array.from(half ? float16BitsToFloat32(host) : bfloat16BitsToFloat32(host)), host };
}
