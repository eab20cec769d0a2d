/** Checks of what preprocess hands to infer: it may have come through a file, a queue or a stranger's request. */
import { types } from 'node:util';
import { M2fpError } from '../errors.ts';
import type { InputRule } from '../m2fp/manifest.ts';
import { isJsonBuffer, type JsonBuffer } from './source/json-buffer.ts';
import { checkBytes, checkPixels, DEFAULT_LIMITS } from './limits.ts';
import { atOnce, inTurns, numbersToBytes, type Steps } from './source/numbers.ts';
import type { ImageLimits, NetworkInput } from './types.ts';

/** True where `value` says of itself that it is a network input; {@link checkNetworkInput} sees whether it is one. */
export function isNetworkInput(value: unknown): value is NetworkInput {
  return typeof value === 'object' && value !== null && (value as { type?: unknown }).type === 'm2fp-input';
}

function bad(what: string): M2fpError {
  return new M2fpError(
    'M2FP_BAD_IMAGE',
    `The network input is not usable: ${what}. Pass on what a preprocess node made, unchanged, or the picture itself.`,
  );
}

/** What is too large shows when it is compared with the size that it should have. */
const NO_LIMITS: ImageLimits = { maxBytes: Infinity, maxPixels: Infinity };

/** An object's properties; what is no object has none. */
function properties(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function integer(value: unknown, name: string, least: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value;
  throw bad(`${name} must be a whole number of at least ${least}`);
}

/** @param check is told how many bytes there are, before numbers are made bytes */
function bytes(value: unknown, name: string, check: (length: number) => void): Buffer {
  // Also that of another realm, as a function node makes it.
  if (types.isUint8Array(value)) {
    check(value.byteLength);
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  if (isJsonBuffer(value)) check(value.data.length);
  const data = atOnce(bytesOfJson(value));
  if (Buffer.isBuffer(data)) return data;
  throw bad(`${name} must be a Buffer`);
}

/** The bytes of a Buffer that went through JSON; anything else as it is. */
function* bytesOfJson(value: unknown): Steps<unknown> {
  if (!isJsonBuffer(value)) return value;
  const made = yield* numbersToBytes(value.data, value.data.length, NO_LIMITS);
  return Buffer.isBuffer(made) ? made : value;
}

/**
 * The same network input with Buffers again where it went through JSON, made while the event loop turns. Nothing is
 * checked: what has another number of bytes than it may have is left as it is, for {@link checkNetworkInput} to refuse.
 */
export async function withBuffers(input: NetworkInput, limits: ImageLimits): Promise<NetworkInput> {
  // What is no Buffer as JSON is not waited for: it may be a Promise.
  const isRight = (value: unknown, isLength: (length: number) => boolean): value is JsonBuffer =>
    isJsonBuffer(value) && isLength(value.data.length);
  const { width, height, data, source } = input as Partial<NetworkInput>;
  const image: unknown = properties(source)['image'];
  if (!isJsonBuffer(data) && !isJsonBuffer(image)) return input;
  return {
    ...input,
    data: isRight(data, (length) => length === width! * height! * 3)
      ? await inTurns(bytesOfJson(data))
      : data,
    source: {
      ...source,
      image: isRight(image, (length) => length <= limits.maxBytes)
        ? await inTurns(bytesOfJson(image))
        : image,
    },
  } as NetworkInput;
}

/** A rule in words, as it stands in messages. */
function describeRule(rule: InputRule): string {
  return rule.kind === 'short-side'
    ? `short side ${rule.shortSide}, long side at most ${rule.longSide}`
    : `canvas of ${rule.width} x ${rule.height}, padded with ${rule.pad}`;
}

/** True where two rules make the same input; `a` may be anything. */
function isSameRule(a: unknown, rule: InputRule): boolean {
  const other = properties(a);
  return Object.entries(rule).every(([name, value]) => other[name] === value);
}

/**
 * The network input in `value`, checked. Buffers that went through JSON are converted (in a new object); otherwise
 * the result is `value` itself where it is whole.
 *
 * @param rule the input rule of the model that shall take it
 * @throws M2FP_BAD_IMAGE names what is wrong: no network input, another model's rule, sizes that contradict each other
 * @throws M2FP_IMAGE_TOO_LARGE a source picture over `limits`: the result would be made at its size
 */
export function checkNetworkInput(
  value: unknown,
  rule: InputRule,
  limits: ImageLimits = DEFAULT_LIMITS,
): NetworkInput {
  if (!isNetworkInput(value)) throw bad('its property "type" is not "m2fp-input"');
  if (!isSameRule(value.rule, rule)) {
    throw bad(`it was made by another model's rule; this model takes: ${describeRule(rule)}`);
  }
  const width = integer(value.width, 'width', 1);
  const height = integer(value.height, 'height', 1);
  const [maxWidth, maxHeight] =
    rule.kind === 'canvas' ? [rule.width, rule.height] : [rule.longSide, rule.longSide];
  if (width > maxWidth || height > maxHeight) {
    throw bad(`${width} x ${height} is larger than its rule allows (${describeRule(rule)})`);
  }
  const crop = properties(value.crop);
  const x = integer(crop['x'], 'crop.x', 0);
  const y = integer(crop['y'], 'crop.y', 0);
  const cropWidth = integer(crop['width'], 'crop.width', 1);
  const cropHeight = integer(crop['height'], 'crop.height', 1);
  if (x + cropWidth > width || y + cropHeight > height) {
    throw bad(
      `crop (${cropWidth} x ${cropHeight} at ${x}, ${y}) does not lie inside the input of ${width} x ${height}`,
    );
  }
  const data = bytes(value.data, 'data', (length) => {
    if (length === width * height * 3) return;
    throw bad(`data has ${length} bytes, ${width} x ${height} x 3 are ${width * height * 3}`);
  });
  const source = properties(value.source);
  const image = bytes(source['image'], 'source.image', (length) => checkBytes(length, limits));
  const sourceWidth = integer(source['width'], 'source.width', 1);
  const sourceHeight = integer(source['height'], 'source.height', 1);
  checkPixels(sourceWidth, sourceHeight, limits);
  if (Buffer.isBuffer(value.data) && Buffer.isBuffer(source['image'])) return value;
  return { ...value, data, source: { image, width: sourceWidth, height: sourceHeight } };
}
