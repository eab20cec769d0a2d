/** Bytes that came as numbers: arrays out of JSON, and objects with numbered entries. */
import { setImmediate } from 'node:timers/promises';
import { checkBytes } from '../limits.ts';
import type { ImageLimits } from '../types.ts';

/** Numbers that are looked at between two turns of the event loop: some milliseconds. */
const PIECE = 100_000;

/** Work in pieces: after each of them others may have their turn. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** All of it at once. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** Piece by piece; the event loop turns in between. What comes in one piece never yields. */
export async function inTurns<T>(steps: Steps<T>): Promise<T> {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    await setImmediate();
  }
}

/** -0 among them; below 0 are Java's bytes. */
const isByte = (value: unknown): value is number =>
  typeof value === 'number' && value >= -128 && value <= 255 && (value | 0) === value;

/**
 * The bytes that the numbers are, or the place of the first one that is none: whole, from 0 to 255, or from -128 (Java's
 * bytes).
 *
 * @throws M2FP_IMAGE_TOO_LARGE more of them than bytes are allowed, before any of them is looked at
 */
export function* numbersToBytes(
  numbers: ArrayLike<unknown>,
  length: number,
  limits: ImageLimits,
): Steps<Buffer | number> {
  checkBytes(length, limits);
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; at += PIECE) {
    if (at > 0) yield;
    const wrong = copy(numbers, at, Math.min(at + PIECE, length), bytes);
    if (wrong !== -1) return wrong;
  }
  return bytes;
}

/** Copies the numbers `from` to `end`; the place of the first that is no byte, or -1. */
function copy(numbers: ArrayLike<unknown>, from: number, end: number, bytes: Buffer): number {
  for (let at = from; at < end; at++) {
    const value = numbers[at];
    if (!isByte(value)) return at;
    bytes[at] = value;
  }
  return -1;
}

/**
 * How many numbered entries an object has from 0 on, found by asking for some tens of them: its names are not listed,
 * which would take a second for a million. Where entries are missing in between, it is the place behind one of those
 * that are there.
 */
export function numberedEntries(object: object): number {
  let beyond = 1;
  while (beyond in object) beyond *= 2;
  let last = Math.floor(beyond / 2);
  while (beyond - last > 1) {
    const middle = Math.floor((last + beyond) / 2);
    if (middle in object) last = middle;
    else beyond = middle;
  }
  return beyond;
}
