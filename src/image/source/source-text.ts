/** Pictures that came as text: base64 in all its states, hex, and the characters of a binary string. */
import { M2fpError } from '../../errors.ts';
import {
  detectFormat,
  FORM_FIELD,
  HEAD_BYTES,
  HEX_START,
  isEncodedText,
  requireFormat,
  unsupported,
} from '../formats/format.ts';
import { checkBytes } from '../limits.ts';
import type { ImageLimits } from '../types.ts';

/** `data:image/png;base64,`, with any parameters. */
const DATA_URL = /^\s*data:[^,]{0,200},/i;

/** What Windows puts before text; its bytes may have become a character each. */
const BYTE_ORDER_MARK = /^(?:\ufeff|\xef\xbb\xbf)/;

/** The signatures that {@link detectFormat} knows, as characters. */
const BINARY_START =
  /^(?:\xff\xd8\xff|\x89PNG\r\n|RIFF.{4}WEBP|GIF8[79]a|II[*+]\0|MM\0[*+]|.{4}ftyp(?:avif|avis|mif1|msf1))/s;

/** Of base64 at least, whatever its line breaks are: one in 38 characters of MIME text is. */
const BYTES_PER_CHARACTER = 0.75 / 1.1;

/** Lines of text that was cut into lines have as many characters. */
const SHORTEST_LINE = 16;
const LONGEST_LINE = 1024;

const BLANK = 0x20;
const PLUS = 0x2b;
const MINUS = 0x2d;

const ZERO = 0x30;
const COLON = 0x3a;
const COMMA = 0x2c;

/** What stands for white space beyond ASCII where text is taken for bytes. */
const WIDE_BLANK = 0x80;

/** White space beyond ASCII, as `\s` has it. */
const isWideBlank = (code: number): boolean =>
  code === 0xa0 ||
  code === 0x1680 ||
  (code >= 0x2000 && code <= 0x200a) ||
  [0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff].includes(code);

const isLineBreak = (code: number): boolean => code === 0x0a || code === 0x0d;
/** White space of which nothing is known to have become of it: line breaks, and what a form never makes of a plus. */
const isBreak = (code: number): boolean => code >= 0x09 && code <= 0x0d;

/**
 * The bytes of the picture that `given` stands for, null where it is blank.
 *
 * @throws M2FP_UNSUPPORTED_FORMAT the text is no picture; the message says what it is
 * @throws M2FP_IMAGE_TOO_LARGE over `limits.maxBytes`; measured before it is decoded
 * @throws M2FP_BAD_IMAGE a data URL whose base64 is broken
 */
export function bytesOfText(given: string, limits: ImageLimits): Buffer | null {
  const text = given.replace(BYTE_ORDER_MARK, '');
  // A JSON text that was not parsed.
  if (text.startsWith('"') && text.endsWith('"') && isEncodedText(Buffer.from(text.slice(1, HEAD_BYTES)))) {
    return bytesOfText(text.slice(1, -1), limits);
  }
  const head = text.slice(0, HEAD_BYTES);
  if (HEX_START.test(head)) return fromHex(text, limits);
  // Whatever becomes of it, nothing of it is copied before.
  checkBytes(Math.floor(text.length * BYTES_PER_CHARACTER), limits);
  if (head.trim() === '') return text.trim() === '' ? null : fail(text);
  const url = DATA_URL.exec(head)?.[0];
  if (url !== undefined) return fromDataUrl(text, url, limits);
  // A picture's bytes, one character each.
  if (BINARY_START.test(head)) return fromBinaryString(text, limits);
  const field = FORM_FIELD.exec(head)?.[0] ?? '';
  if (field !== '' && isEncodedText(Buffer.from(head.slice(field.length)))) {
    return bytesOfText(withoutEscapes(text.slice(field.length).split('&', 1)[0]!), limits);
  }
  return fromBase64(text, limits);
}

function fail(text: string): never {
  throw unsupported(Buffer.from(text.slice(0, HEAD_BYTES)));
}

function fromDataUrl(text: string, head: string, limits: ImageLimits): Buffer | null {
  if (!/;\s*base64\s*,$/i.test(head)) {
    throw new M2fpError(
      'M2FP_UNSUPPORTED_FORMAT',
      `The data URL is not base64-encoded: it begins with ${JSON.stringify(head.trim())}. ` +
        'Accepted is data:image/...;base64,...',
    );
  }
  const encoded = withoutEscapes(text.slice(head.length));
  const hopeless = otherThanImage(encoded);
  if (hopeless !== null && !/[^A-Za-z0-9+/_=\s-]/.test(encoded.slice(0, HEAD_BYTES)))
    throw unsupported(hopeless);
  const bytes = decode(encoded, limits);
  if (bytes === null) {
    throw new M2fpError('M2FP_BAD_IMAGE', 'The data URL holds characters that are not base64.');
  }
  if (bytes.length === 0) return null;
  requireFormat(bytes);
  return bytes;
}

function fromBinaryString(text: string, limits: ImageLimits): Buffer {
  checkBytes(text.length, limits);
  if (/[^\0-\xff]/.test(text)) fail(text);
  const bytes = Buffer.from(text, 'latin1');
  requireFormat(bytes);
  return bytes;
}

function fromHex(text: string, limits: ImageLimits): Buffer {
  // With a separator behind each byte, a third of the characters are bytes; without, half of them.
  checkBytes(Math.floor(text.length / 4), limits);
  const digits = hexDigits(text.replace(/^\s*\\x/i, '')) ?? fail(text);
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) fail(text);
  checkBytes(digits.length / 2, limits);
  const bytes = Buffer.from(digits, 'hex');
  requireFormat(bytes);
  return bytes;
}

/** The text without what stands between its bytes, and `0x` before each; null where it is not of ASCII. */
function hexDigits(text: string): string | null {
  const digits = Buffer.allocUnsafe(text.length);
  let length = 0;
  let isStart = true;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isBreak(code) || code === BLANK || code === COLON || code === COMMA) isStart = true;
    else if (code >= 0x80 && isWideBlank(code)) isStart = true;
    else if (code >= 0x80) return null;
    else if (isStart && code === ZERO && (text[at + 1] === 'x' || text[at + 1] === 'X')) {
      isStart = false;
      at++;
    } else {
      isStart = false;
      digits[length++] = code;
    }
  }
  return digits.toString('latin1', 0, length);
}

function fromBase64(text: string, limits: ImageLimits): Buffer | null {
  // Judged by its head: of megabytes of other text, no more is looked at.
  const hopeless = otherThanImage(text);
  if (hopeless !== null) return refuse(text, hopeless);
  const bytes = decode(withoutEscapes(text), limits);
  if (bytes === null) return fail(text);
  if (bytes.length === 0) return null;
  if (detectFormat(bytes) === null) return refuse(text, bytes);
  requireFormat(bytes);
  return bytes;
}

/** The first bytes of long base64 that are no picture's, whatever its blanks stand for; null where they may be. */
function otherThanImage(text: string): Buffer | null {
  if (text.length <= HEAD_BYTES) return null;
  const head = withoutEscapes(text.slice(0, HEAD_BYTES)).trim();
  const bytes = Buffer.from(head.replace(/\s+/g, ''), 'base64');
  const isImage = [bytes, Buffer.from(head.replaceAll(' ', '+'), 'base64')].some(
    (decoded) => detectFormat(decoded) !== null,
  );
  return isImage ? null : bytes;
}

/** A word is base64, too: what it was meant to be is told. */
function refuse(text: string, bytes: Buffer): never {
  const head = text.slice(0, HEAD_BYTES);
  const isBase64 = !/[^A-Za-z0-9+/_=\s-]/.test(head) && head.replace(/[\s=]+/g, '').length >= 64;
  if (!isBase64) fail(text);
  throw unsupported(bytes);
}

/** Text with `%2B` and its like, as they stand in forms and addresses, taken back; text with broken ones as it is. */
function withoutEscapes(text: string): string {
  if (!text.includes('%')) return text;
  try {
    // The head of a long text may end within one.
    return decodeURIComponent(text.replace(/%[0-9a-f]?$/i, ''));
  } catch {
    return text;
  }
}

/**
 * The bytes of base64 or base64url text, with or without padding, in lines or with blanks where a form made them of
 * `+`; null where other characters stand in it.
 * @throws M2FP_IMAGE_TOO_LARGE
 */
function decode(text: string, limits: ImageLimits): Buffer | null {
  if (!['\n', '\r', ' ', '\t'].some((blank) => text.includes(blank))) return strictly(text, limits);
  const joined = joinLines(text.trim());
  if (joined === null) return null;
  const arePluses = areBlanksPluses(joined);
  if (arePluses) for (let at = 0; at < joined.length; at++) if (joined[at] === BLANK) joined[at] = PLUS;
  const characters = arePluses ? joined : kept(joined, (code) => code !== BLANK && code !== WIDE_BLANK);
  return strictly(characters.toString('latin1'), limits);
}

/**
 * The characters of text, a byte each, without its line breaks, and the blanks behind them where all lines but the
 * first begin with some; null where it is not of ASCII. In one go: to replace each of millions of blanks takes seconds.
 */
function joinLines(text: string): Buffer | null {
  const isIndented = /[\r\n]/.test(text) && !/[\r\n](?![\r\n ])/.test(text);
  const bytes = Buffer.allocUnsafe(text.length);
  let length = 0;
  let isIndent = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isBreak(code)) isIndent = isIndented && isLineBreak(code);
    else if (code !== BLANK || !isIndent) {
      isIndent = false;
      if (code >= 0x80 && !isWideBlank(code)) return null;
      bytes[length++] = code < 0x80 ? code : WIDE_BLANK;
    }
  }
  return bytes.subarray(0, length);
}

/** The bytes for which `isKept` holds, in the same memory. */
function kept(bytes: Buffer, isKept: (code: number) => boolean): Buffer {
  let length = 0;
  for (let at = 0; at < bytes.length; at++) if (isKept(bytes[at]!)) bytes[length++] = bytes[at]!;
  return bytes.subarray(0, length);
}

/** What Node decodes of `text`, which it does leniently: null where it left something out. */
function strictly(text: string, limits: ImageLimits): Buffer | null {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const length = Math.floor(((text.length - padding) * 3) / 4);
  checkBytes(length, limits);
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === length ? bytes : null;
}

/**
 * Whether the blanks in base64 text were `+`, which a form's decoding makes of it: text that has a `+` or `-` of its
 * own was not decoded so, and lines joined by blanks have one length.
 */
function areBlanksPluses(text: Buffer): boolean {
  const first = text.indexOf(BLANK);
  if (first === -1 || text.includes(PLUS) || text.includes(MINUS)) return false;
  const second = text.indexOf(BLANK, first + 1);
  const isLine = first >= SHORTEST_LINE && first <= LONGEST_LINE && first % 4 === 0;
  return !(isLine && (second === -1 ? text.length - first - 1 <= first : second - first - 1 === first));
}
