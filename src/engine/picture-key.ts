/** What makes two requests the same: equal bytes, read in the same way, by the same model. */
import { hash, createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isNetworkInput } from '../image/network-input.ts';
import type { InputRule } from '../m2fp/manifest.ts';
import { type Picture, ruleFor } from './picture.ts';
import type { ParseOptions } from './types.ts';

/** Hashing as many bytes takes some 3 ms; what is larger is hashed in slices, so that nothing else has to wait. */
const AT_ONCE = 4 * 1024 * 1024;
const SLICE = 1024 * 1024;

/** The bytes that the result depends on. */
export function bytesOf({ payload }: Picture): Buffer {
  return isNetworkInput(payload) ? payload.data : payload;
}

/**
 * All that the result depends on beside the bytes, as a text that is equal where it is. Sizes that the request
 * names are the same as the model's own.
 *
 * @param rule the model's
 */
export function formOf({ payload }: Picture, options: ParseOptions, rule: InputRule): string {
  const { shortSide: _short, longSide: _long, ...rest } = options;
  const others = Object.entries(rest).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (!isNetworkInput(payload)) return JSON.stringify(['picture', sorted(ruleFor(rule, options)), others]);
  const { width, height, crop, source } = payload;
  const size = [width, height, crop.x, crop.y, crop.width, crop.height, source.width, source.height];
  return JSON.stringify(['input', sorted(payload.rule), size, others]);
}

function sorted(rule: InputRule): [string, unknown][] {
  return Object.entries(rule).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

export function canHashAtOnce(bytes: Buffer): boolean {
  return bytes.length <= AT_ONCE;
}

/** SHA-256 as hex. */
export function digestOf(bytes: Buffer): string {
  return hash('sha256', bytes);
}

/**
 * The same, without blocking the event loop for more than a slice.
 * @returns null as soon as `given up` holds
 */
export async function digestInSlices(bytes: Buffer, givenUp: () => boolean): Promise<string | null> {
  const digest = createHash('sha256');
  for (let at = 0; at < bytes.length; at += SLICE) {
    if (givenUp()) return null;
    digest.update(bytes.subarray(at, at + SLICE));
    await nextTurn();
  }
  return digest.digest('hex');
}
