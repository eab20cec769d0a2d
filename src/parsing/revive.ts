/**
 * A parsing that went through JSON on its way, for example through MQTT or a context that lies on disk: its Buffers
 * came out as `{type: 'Buffer', data: [...]}`, as base64 text, or not at all.
 */
import { types } from 'node:util';
import { M2fpError } from '../errors.ts';
import { isJsonBuffer } from '../image/source/json-buffer.ts';
import { DEFAULT_LIMITS } from '../image/limits.ts';
import { forEachSlice } from '../image/slices.ts';
import { checkParsing, missingFields, readingError } from './check.ts';
import { isRecord, isWhole } from './options/options.ts';
import type { Parsing } from './types.ts';

/** Of a parsing these are Buffers. */
const BUFFERS = ['image', 'labelMap', 'personMap'] as const;

function noParsing(problem: string): M2fpError {
  return new M2fpError('M2FP_NO_PARSING', problem);
}

/**
 * The parsing that `value` is, with Buffers, also where it went through JSON; the same object where nothing had to be
 * made of it. The numbers of a Buffer are bounded, and are read in slices between turns of the event loop. What is not
 * there is not made up: without its `doubtful` nobody knows whom the network was not sure of, so that redact refuses it.
 *
 * @throws {M2fpError} `M2FP_NO_PARSING` for what is no parsing, or lost its pixels; the message says what to do
 */
export async function reviveParsing(value: unknown): Promise<Parsing> {
  try {
    return await revived(value);
  } catch (error) {
    throw readingError(error);
  }
}

async function revived(value: unknown): Promise<Parsing> {
  if (typeof value === 'string') {
    throw noParsing('The parsing is a text, not an object: put a json node before this node.');
  }
  let parsing: unknown = value;
  if (isRecord(value)) {
    const missing = missingFields(value);
    if (missing.length > 0) throw lost(missing, value);
    const { width, height } = value;
    // What has no such size is refused below, before its Buffers are looked at.
    const isSized = isWhole(width, 1, 2 ** 16) && isWhole(height, 1, 2 ** 16);
    if (isSized && BUFFERS.some((name) => !Buffer.isBuffer(value[name]))) {
      const pixels = width * height;
      parsing = {
        ...value,
        image: await bytesOf('image', value, 1, DEFAULT_LIMITS.maxBytes),
        labelMap: await bytesOf('labelMap', value, pixels, pixels),
        personMap: await bytesOf('personMap', value, pixels, pixels),
      };
    }
  }
  checkParsing(parsing);
  return parsing;
}

/** The bytes of a property, `least` to `most` of them. */
async function bytesOf(
  name: (typeof BUFFERS)[number],
  parsing: Record<string, unknown>,
  least: number,
  most: number,
): Promise<Buffer> {
  const value = parsing[name];
  if (Buffer.isBuffer(value)) return value;
  if (types.isUint8Array(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const bytes =
    typeof value === 'string'
      ? await fromBase64(value, most)
      : isJsonBuffer(value)
        ? await fromNumbers(value.data, most)
        : undefined;
  if (bytes === undefined || bytes.length < least) throw damaged(name, least, most);
  return bytes;
}

/** Undefined where it is none, or one of more than `most` bytes. */
async function fromBase64(text: string, most: number): Promise<Buffer | undefined> {
  const length = Buffer.byteLength(text, 'base64');
  if (length > most) return undefined;
  const bytes = Buffer.alloc(length);
  let at = 0;
  await forEachSlice(Math.ceil(text.length / 4), 4, (first, end) => {
    at += bytes.write(text.slice(4 * first, 4 * end), at, 'base64');
  });
  return at === length ? bytes : undefined;
}

/** Undefined where they are no bytes, or more than `most`. */
async function fromNumbers(numbers: readonly unknown[], most: number): Promise<Buffer | undefined> {
  if (numbers.length > most) return undefined;
  const bytes = Buffer.alloc(numbers.length);
  let isRight = true;
  await forEachSlice(numbers.length, 2, (first, end) => {
    for (let i = first; i < end && isRight; i++) {
      const number = numbers[i];
      isRight = isWhole(number, 0, 255);
      bytes[i] = number as number;
    }
  });
  return isRight ? bytes : undefined;
}

const KEEP =
  'Keep msg.parsing whole from infer to this node; where it must go through JSON, leave its Buffers as JSON.stringify ' +
  'writes them, or write them as base64 text.';

/** @param missing at least one */
function lost(missing: ReturnType<typeof missingFields>, parsing: Record<string, unknown>): M2fpError {
  const [first] = missing;
  if ('shares' in parsing) {
    return noParsing(
      `This is the summary of a parsing, as infer puts it into msg.payload, without pixels (no ${first}): ` +
        'this node needs msg.parsing.',
    );
  }
  // Of what has hardly anything of a parsing, check tells that it is none.
  if (missing.length > 4) checkParsing(parsing);
  const names = missing.join(', its ');
  return BUFFERS.some((name) => missing.includes(name))
    ? noParsing(`The parsing has lost its ${names} on the way, as through JSON without Buffers. ${KEEP}`)
    : noParsing(
        `The parsing has lost its ${names} on the way. Keep msg.parsing whole from infer to this node.`,
      );
}

function damaged(name: string, least: number, most: number): M2fpError {
  const bytes = least === most ? `${most} bytes` : `at most ${most} bytes`;
  return noParsing(
    `The ${name} of the parsing is neither a Buffer of ${bytes} nor what JSON makes of one. ${KEEP}`,
  );
}
