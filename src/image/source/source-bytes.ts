/** Pictures with something in front of them: an HTTP answer's head, a part's headers, stray line breaks. */
import { M2fpError } from '../../errors.ts';
import { detectFormat, isEncodedText, requireFormat, unsupported } from '../formats/format.ts';
import { checkBytes } from '../limits.ts';
import { bytesOfText } from './source-text.ts';
import type { ImageLimits } from '../types.ts';

/** Longest head of an HTTP answer or of a part, bytes: servers allow no more either. */
const MAX_HEAD = 64 * 1024;

/** White space and zero bytes before a picture are passed over up to here. */
const MAX_STRAY = 64;

/** What stands around a text of JSON that was not parsed. */
const QUOTE = 0x22;

/** What Windows puts before text in UTF-8. */
const BYTE_ORDER_MARK = Buffer.from('efbbbf', 'hex');

const STRAY = new Set([0x00, 0x09, 0x0a, 0x0d, 0x20]);

/** FF D8 FF and 89 50 4E 47, each byte taken as a character and written as UTF-8. */
const WIDENED = ['c3bfc398c3bf', 'c289504e47'].map((hex) => Buffer.from(hex, 'hex'));

/**
 * The picture in bytes that came: as they stand; behind stray line breaks, the head of an HTTP answer or the headers of
 * a part; or decoded where they are text. Null where there is none. Shares the memory of `given` where it can.
 *
 * @throws M2FP_UNSUPPORTED_FORMAT, M2FP_IMAGE_TOO_LARGE, M2FP_BAD_IMAGE
 */
export function imageBytes(given: Buffer, limits: ImageLimits): Buffer | null {
  const bytes = given.subarray(0, 3).equals(BYTE_ORDER_MARK) ? given.subarray(3) : given;
  if (bytes.length === 0) return null;
  const isQuoted = bytes[0] === QUOTE && isEncodedText(bytes.subarray(1));
  if (isQuoted || isEncodedText(bytes)) {
    // Base64 of the limit is longer than it, and measured again when it is known to be base64.
    checkBytes(Math.floor(bytes.length * (0.75 / 1.1)), limits);
    return bytesOfText(bytes.toString('latin1'), limits);
  }
  if (detectFormat(bytes) === null) {
    const inner = withoutStray(bytes) ?? withoutHead(bytes) ?? narrowed(bytes, limits);
    if (inner !== null) return imageBytes(inner, limits);
  }
  checkBytes(bytes.length, limits);
  requireFormat(bytes);
  return bytes;
}

/** What follows a few blanks, line breaks, or zero bytes, where that is a picture. */
function withoutStray(bytes: Buffer): Buffer | null {
  let at = 0;
  while (at < MAX_STRAY && STRAY.has(bytes[at]!)) at++;
  const rest = bytes.subarray(at);
  return at > 0 && detectFormat(rest) !== null ? rest : null;
}

/** The body behind the head of an HTTP answer, or of one part of a multipart stream (MJPEG). */
function withoutHead(bytes: Buffer): Buffer | null {
  const start = bytes.toString('latin1', 0, MAX_HEAD);
  const status = /^\s*(?:HTTP|RTSP|ICY)\/?[\d.]* (\d{3})[^\r\n]*\r?\n/.exec(start);
  if (status === null && !/^\s*(--[^\r\n]{1,200}\r?\n)?[A-Za-z][\w-]{0,60}:[^\r\n]*\r?\n/.test(start))
    return null;
  const end = /\r?\n\r?\n/.exec(start);
  if (end === null) return null;
  const head = start.slice(0, end.index).toLowerCase();
  // A form's upload belongs to the node that takes forms apart: its other fields would be lost.
  if (head.includes('content-disposition: form-data')) return null;
  if (status !== null) checkAnswer(status[1]!, head);
  const body = bytes.subarray(end.index + end[0].length);
  const length = Number(/(?:^|\n)content-length:\s*(\d{1,12})\s*(?:\r|\n|$)/.exec(head)?.[1] ?? body.length);
  const whole = length > 0 && length < body.length ? body.subarray(0, length) : body;
  if (detectFormat(whole) !== null) return whole;
  // A stream's first part within an answer.
  return status !== null && /\n(content-type:\s*multipart)/.test(head) && whole.length > 0 ? whole : null;
}

function checkAnswer(status: string, head: string): void {
  const coding = /\n(?:content|transfer)-encoding:\s*(gzip|deflate|br|zstd|chunked)/.exec(head)?.[1];
  const what =
    !status.startsWith('2') ? `with the status ${status}, so it holds no picture`
    : coding !== undefined ? `whose body is encoded (${coding})`
    : undefined; // prettier-ignore
  if (what === undefined) return;
  throw new M2fpError(
    'M2FP_UNSUPPORTED_FORMAT',
    `This is a whole HTTP answer ${what}. Fetch the picture with an http request node that returns a binary buffer.`,
  );
}

/** Bytes that were taken for characters and written as UTF-8, as `Buffer.from(binaryString)` does: nothing is lost. */
function narrowed(bytes: Buffer, limits: ImageLimits): Buffer | null {
  if (!WIDENED.some((start) => bytes.subarray(0, start.length).equals(start))) return null;
  checkBytes(Math.floor(bytes.length / 2), limits);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
  if (/[^\0-\xff]/.test(text)) throw unsupported(bytes);
  return Buffer.from(text, 'latin1');
}
