/** A picture out of whatever a message carries it in. */
import { M2fpError } from '../errors.ts';
import { isEncodedText, requireFormat, unsupported } from './format.ts';
import { checkBytes, DEFAULT_LIMITS } from './limits.ts';
import { isNetworkInput } from './network-input.ts';
import { isJsonBuffer } from './json-buffer.ts';
import type { ImageLimits } from './types.ts';

const FORMS =
  'Accepted are: a Buffer, a base64 string, a data URL (data:image/...;base64,...), an upload ({ buffer }), ' +
  'an array of uploads (msg.req.files), or an object with one of these in its property "image".';

/** Objects in objects (`{image: {buffer}}`, arrays of those) are followed this far; more would be a circle. */
const MAX_DEPTH = 4;

/** Errors of one value of an array after which the next is tried. */
const PASSED_OVER: ReadonlySet<string> = new Set(['M2FP_NO_IMAGE', 'M2FP_UNSUPPORTED_FORMAT']);

/** Longest property list that an error message shows. */
const SHOWN_PROPERTIES = 8;

function describe(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (value instanceof Uint8Array || value instanceof ArrayBuffer) return 'a Buffer of 0 bytes';
  if (typeof value === 'string') return 'an empty string';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array without a picture';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const names = Object.keys(value);
  if (names.length === 0) return 'an empty object';
  const shown = names.slice(0, SHOWN_PROPERTIES).map((name) => name.slice(0, 40));
  return `an object with the properties ${shown.join(', ')}${names.length > SHOWN_PROPERTIES ? ', ...' : ''}`;
}

function noImage(value: unknown): M2fpError {
  const isOnDisk = typeof value === 'object' && value !== null && 'path' in value && 'mimetype' in value;
  const hint = isOnDisk ? ' The upload was stored on disk: read its file first.' : '';
  return new M2fpError('M2FP_NO_IMAGE', `There is no picture here but ${describe(value)}.${hint} ${FORMS}`);
}

/**
 * Refuses base64 text that is over the limit whatever its line breaks are (one in 38 characters of MIME text is),
 * before it is copied or decoded.
 */
function checkEncodedLength(characters: number, limits: ImageLimits): void {
  checkBytes(Math.floor(characters * (0.75 / 1.1)), limits);
}

/** Bytes as they stand, or decoded where they are the text of a base64 string. */
function fromBytes(bytes: Buffer, limits: ImageLimits): Buffer {
  if (bytes.length === 0) throw noImage(bytes);
  if (isEncodedText(bytes)) {
    checkEncodedLength(bytes.length, limits);
    return fromText(bytes.toString('latin1'), limits);
  }
  checkBytes(bytes.length, limits);
  requireFormat(bytes);
  return bytes;
}

/** A base64 or base64url string, with or without a data URL's head, padding and line breaks. */
function fromText(text: string, limits: ImageLimits): Buffer {
  const head = /^\s*data:[^,]{0,200},/i.exec(text)?.[0];
  if (head !== undefined && !/;\s*base64\s*,$/i.test(head)) {
    throw new M2fpError(
      'M2FP_UNSUPPORTED_FORMAT',
      `The data URL is not base64-encoded: it begins with ${JSON.stringify(head.trim())}. ${FORMS}`,
    );
  }
  const encoded = head === undefined ? text : text.slice(head.length);
  checkEncodedLength(encoded.length, limits);
  if (/[^A-Za-z0-9+/_=\s-]/.test(encoded)) {
    if (head === undefined) throw unsupported(Buffer.from(text.slice(0, 4096)));
    throw new M2fpError('M2FP_BAD_IMAGE', 'The data URL holds characters that are not base64.');
  }
  const characters = encoded.replace(/[\s=]+/g, '');
  if (characters === '') throw noImage('');
  checkBytes(Math.floor(characters.length * 0.75), limits);
  const bytes = Buffer.from(characters, 'base64');
  // A word is base64 too: judge what it was meant to be, unless a data URL says that it is meant as base64.
  try {
    requireFormat(bytes);
  } catch (error) {
    throw head === undefined && characters.length < 64 ? unsupported(Buffer.from(text)) : error;
  }
  return bytes;
}

/** The first picture among several values; what else lies there (uploads of other kinds) is passed over. */
function fromArray(values: readonly unknown[], limits: ImageLimits, depth: number): Buffer {
  let first: unknown;
  for (const value of values) {
    try {
      return from(value, limits, depth);
    } catch (error) {
      if (!(error instanceof M2fpError && PASSED_OVER.has(error.code))) throw error;
      first ??= error;
    }
  }
  throw first ?? noImage(values);
}

function from(value: unknown, limits: ImageLimits, depth: number): Buffer {
  if (value instanceof Uint8Array) {
    return fromBytes(Buffer.from(value.buffer, value.byteOffset, value.byteLength), limits);
  }
  if (value instanceof ArrayBuffer) return fromBytes(Buffer.from(value), limits);
  if (typeof value === 'string') return fromText(value, limits);
  if (typeof value !== 'object' || value === null || depth >= MAX_DEPTH) throw noImage(value);
  if (Array.isArray(value)) return fromArray(value, limits, depth + 1);
  if (isJsonBuffer(value)) {
    checkBytes(value.data.length, limits);
    return fromBytes(Buffer.from(value.data), limits);
  }
  if (isNetworkInput(value)) return from(value.source?.image, limits, depth + 1);
  const inner =
    ('buffer' in value ? value.buffer : undefined) ?? ('image' in value ? value.image : undefined);
  if (inner === undefined || inner === null) throw noImage(value);
  return from(inner, limits, depth + 1);
}

/**
 * The encoded picture in `value`, whatever form it came in: a Buffer or Uint8Array; a base64 or base64url string; a
 * data URL; base64 text in a Buffer; an upload (`{buffer, mimetype, ...}`); an array of those, as `msg.req.files`
 * (its first picture); an object with any of these in `image`; a {@link NetworkInput}; a Buffer that went through
 * JSON. What it is is judged by its bytes alone. Where a Buffer came in, the result is or shares that memory: nobody
 * writes into it.
 *
 * @throws M2FP_NO_IMAGE nothing there; the message lists the accepted forms
 * @throws M2FP_UNSUPPORTED_FORMAT no picture, or one that is refused; the message says what was found
 * @throws M2FP_IMAGE_TOO_LARGE over `limits.maxBytes`; base64 is measured before it is decoded
 * @throws M2FP_BAD_IMAGE a data URL whose base64 is broken
 */
export function pictureFrom(value: unknown, limits: ImageLimits = DEFAULT_LIMITS): Buffer {
  return from(value, limits, 0);
}
