/** Bytes that came as numbers: arrays out of JSON, and objects with numbered entries. */
import { checkBytes } from '../limits.ts';
import type { ImageLimits } from '../types.ts';

/** Where the length is not told, memory is taken in steps of as many bytes. */
const FIRST_STEP = 64 * 1024;

/** -0 among them; below 0 are Java's bytes. */
const isByte = (value: unknown): value is number =>
  typeof value === 'number' && value >= -128 && value <= 255 && (value | 0) === value;

/** The first entry that is no byte; -1 where all are. Takes as long as {@link numbersToBytes}. */
export function indexOfNoByte(numbers: readonly unknown[]): number {
  for (let i = 0; i < numbers.length; i++) if (!isByte(numbers[i])) return i;
  return -1;
}

/**
 * The bytes that the numbers are, null where one of them is none: whole, from 0 to 255, or from -128 (Java's bytes). A
 * million take a few milliseconds.
 *
 * @param length of `numbers`; undefined where it ends with the first entry that is not there
 * @throws M2FP_IMAGE_TOO_LARGE more of them than bytes are allowed, before they are looked at where it can be known
 */
export function numbersToBytes(
  numbers: ArrayLike<unknown>,
  length: number | undefined,
  limits: ImageLimits,
): Buffer | null {
  if (length !== undefined) checkBytes(length, limits);
  let bytes = Buffer.allocUnsafe(length ?? FIRST_STEP);
  const end = length ?? Infinity;
  let at = 0;
  for (; at < end; at++) {
    const value = numbers[at];
    if (length === undefined && value === undefined) break;
    if (!isByte(value)) return null;
    if (at === bytes.length) {
      checkBytes(at + 1, limits);
      bytes = Buffer.concat([bytes], at * 2);
    }
    bytes[at] = value;
  }
  return bytes.subarray(0, at);
}
