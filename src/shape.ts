// Checks of sizes and shapes, before anything reaches C.
import { show } from "./check.ts";
import { LimitExceededError, ShapeError } from "./errors.ts";

/** The most samples of an axis, kernel or batch that a plan takes: the C library's limit, 2^40. */
export const MAX_LENGTH: number = 2 ** 40;

// Every byte count must be an exact JavaScript number, with room for 4-byte elements.
const MAX_ELEMENTS = 2 ** 51;

/** A whole number of at least `least`. */
export function checkCount(name: string, value: number, limit: number = MAX_LENGTH, least = 1): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < least) {
    throw new ShapeError(`${name} is ${show(value)}; it must be a whole number, at least ${least}`);
  }
  if (value > limit) throw new LimitExceededError(`${name} is ${value}; the limit is ${limit}`);
  return value;
}

/** A shape of 1 to 3 axes, each at least 1; returns a copy that nobody can change. */
export function checkShape(name: string, shape: readonly number[]): readonly number[] {
  if (!Array.isArray(shape) || shape.length < 1 || shape.length > 3) {
    throw new ShapeError(
      `${name} is ${show(shape)}; it must have 1 to 3 axes: [length], [channels, length] or [batch, channels, length]`,
    );
  }
  for (const [axis, count] of shape.entries()) checkCount(`${name}[${axis}]`, count, MAX_ELEMENTS);
  if (elementsOf(shape) > MAX_ELEMENTS) {
    throw new LimitExceededError(`${name} is ${show(shape)}, more than the limit of 2^51 elements`);
  }
  return Object.freeze([...shape]);
}

/** The product of the axes. */
export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, count) => product * count, 1);
}

/** The strides, in elements, of a tensor without gaps. */
export function packedStrides(shape: readonly number[]): readonly number[] {
  const strides: number[] = new Array(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return Object.freeze(strides);
}

/** Elements from the first to one past the last. */
export function extentOf(shape: readonly number[], strides: readonly number[]): number {
  return shape.reduce((extent, count, axis) => extent + (count - 1) * strides[axis]!, 1);
}

/** Whether a tensor has no gaps; the stride of an axis of one element does not matter. */
export function isPacked(shape: readonly number[], strides: readonly number[]): boolean {
  const packed = packedStrides(shape);
  return shape.every((count, axis) => count === 1 || strides[axis] === packed[axis]);
}
