/** What a request brings, checked and made ready for the way to the child process; and when two bring the same. */
import { hash } from 'node:crypto';
import { M2fpError } from '../errors.ts';
import { DEFAULT_LIMITS, checkBytes } from '../image/limits.ts';
import { checkNetworkInput, isNetworkInput } from '../image/network-input.ts';
import type { ImageLimits, NetworkInput } from '../image/types.ts';
import type { InputRule } from '../m2fp/manifest.ts';
import { checkParseOptions } from './options.ts';
import type { ParseOptions } from '../parsing/types.ts';

export interface InputImage {
  /** The encoded picture, the caller's own Buffer: it stays here and becomes `image` of the parsing. */
  source: Buffer;
  /** What the child gets. */
  payload: Buffer | NetworkInput;
}

const NO_BYTES = Buffer.alloc(0);

/** The model's rule with the sizes of the request; a `canvas` model has only the one size. */
export function ruleFor(rule: InputRule, { shortSide, longSide }: ParseOptions): InputRule {
  if (rule.kind === 'canvas') return rule;
  return { kind: rule.kind, shortSide: shortSide ?? rule.shortSide, longSide: longSide ?? rule.longSide };
}

/**
 * The rule that network input must come from. A `short-side` graph takes any size, so that preprocess may have
 * used sizes of its own; they count unless the request names others.
 */
function ruleOf(input: NetworkInput, rule: InputRule, options: ParseOptions): InputRule {
  // It may have come through a file or a queue: nothing in it is sure.
  const own: InputRule | undefined = input.rule;
  if (rule.kind === 'canvas' || own?.kind !== 'short-side') return rule;
  const { shortSide, longSide } = own;
  return ruleFor(rule, { ...checkParseOptions({ shortSide, longSide }), ...options });
}

/**
 * @param rule the model's
 * @throws M2FP_NO_IMAGE for anything but a Buffer or network input; M2FP_BAD_IMAGE and M2FP_BAD_OPTION where network
 *   input is not fit for the model; M2FP_IMAGE_TOO_LARGE
 */
export function checkImage(
  image: unknown,
  rule: InputRule,
  options: ParseOptions,
  limits: ImageLimits = DEFAULT_LIMITS,
): InputImage {
  if (Buffer.isBuffer(image)) {
    checkBytes(image.length, limits);
    return { source: image, payload: image };
  }
  if (!isNetworkInput(image)) {
    throw new M2fpError(
      'M2FP_NO_IMAGE',
      'There is no picture to parse: pass an encoded picture as a Buffer, or the output of preprocess.',
    );
  }
  const itsRule = ruleOf(image, rule, options);
  const { type, width, height, data, crop, source } = checkNetworkInput(image, itsRule, limits);
  // Field by field: what else hangs on the object has no business in the child, and may not even be sendable.
  const payload: NetworkInput = {
    type,
    width,
    height,
    data,
    crop: { x: crop.x, y: crop.y, width: crop.width, height: crop.height },
    rule: itsRule,
    source: { image: NO_BYTES, width: source.width, height: source.height },
  };
  return { source: source.image, payload };
}

/** Hashing as many bytes takes some 3 ms. */
const AT_ONCE = 4 * 2 ** 20;

/** The bytes that the result depends on. */
export function bytesOf({ payload }: InputImage): Buffer {
  return isNetworkInput(payload) ? payload.data : payload;
}

/**
 * All that the result depends on beside the bytes, as a text that is equal where it is. Sizes that the request
 * names are the same as the model's own.
 *
 * @param rule the model's
 */
export function variantOf({ payload }: InputImage, options: ParseOptions, rule: InputRule): string {
  const { shortSide: _short, longSide: _long, ...rest } = options;
  const others = sorted(rest);
  if (!isNetworkInput(payload)) return JSON.stringify(['picture', sorted(ruleFor(rule, options)), others]);
  const { width, height, crop, source } = payload;
  const size = [width, height, crop.x, crop.y, crop.width, crop.height, source.width, source.height];
  return JSON.stringify(['input', sorted(payload.rule), size, others]);
}

function sorted(entries: object): [string, unknown][] {
  return Object.entries(entries).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** SHA-256 as hex of what is hashed at once; of larger bytes a promise of it, worked out beside the event loop. */
export function digestOf(bytes: Buffer): string | Promise<string> {
  return bytes.length <= AT_ONCE ? hash('sha256', bytes) : digestBeside(bytes);
}

async function digestBeside(bytes: Buffer): Promise<string> {
  // Rejects for memory that is shared with another thread, which the type of a Buffer allows.
  return Buffer.from(await crypto.subtle.digest('SHA-256', bytes as Buffer<ArrayBuffer>)).toString('hex');
}
