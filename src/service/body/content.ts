/** What a request brings: a picture, and texts or values beside it; by what was sent rather than by what it is called. */
import { M2fpError } from '../../errors.ts';
import { detectFormat } from '../../image/formats/format.ts';
import { isJsonBuffer } from '../../image/source/json-buffer.ts';
import { MOST_FIELDS, readMultipart } from './multipart.ts';
import { checkJson } from './json-size.ts';

/** What a client says beside the picture. `texts`: of a form or an address; `values`: of JSON. */
export interface Content {
  /** In a form that `imageFromMessage` takes; undefined where there is none. */
  picture: unknown;
  texts: [name: string, text: string][];
  values: Record<string, unknown>;
}

/** Fields of forms that hold the picture as text. */
const PICTURE_NAMES: ReadonlySet<string> = new Set(['image', 'picture', 'photo', 'file', 'img']);

/** Characters: no picture has less base64. What is shorter in a field that is an option, too, is the option. */
const LEAST_TEXT = 40;

/** JSON that is neither text, list nor object. */
const JSON_LITERAL = /^(?:null|true|false|-?\d[\d.eE+-]*)$/;
/** Characters of the longest of them that is looked at, with blanks around it. */
const LONGEST_LITERAL = 100;

const URL_TEXT = /^\s*(?:https?|ftps?|file|s3|gs):/i;

/** With a byte order mark or without. */
const UTF_16_JSON = /^(?:\xff\xfe)?[{["]\0|^(?:\xfe\xff)?\0[{["]/;

/** `Content-Encoding` of what was compressed on the way. */
const COMPRESSED = /^(?:x-)?(?:gzip|deflate|compress|br|zstd)$/i;

/** @throws {M2fpError} `M2FP_UNSUPPORTED_FORMAT` for a body that was compressed */
export function checkEncoding(coding: unknown): void {
  if (typeof coding !== 'string' || !coding.split(',').some((each) => COMPRESSED.test(each.trim()))) return;
  throw new M2fpError(
    'M2FP_UNSUPPORTED_FORMAT',
    `The body of the request is compressed (Content-Encoding: ${coding}): send the picture as it is, without that header.`,
  );
}

/**
 * What a body says. The type decides for multipart and for forms only: curl calls everything a form.
 * @param type `Content-Type`, blank where none was told
 * @throws {M2fpError} `M2FP_NO_IMAGE` for what is broken, or can hold no picture; `M2FP_IMAGE_TOO_LARGE` for large
 *   JSON that is no picture
 */
export async function contentOf(body: Buffer, type: string): Promise<Content> {
  // No form begins like a picture, whatever the client calls it.
  if (/^multipart\//i.test(type) && detectFormat(body) === null)
    return contentOfForm(await readMultipart(body, type));
  if (UTF_16_JSON.test(body.toString('latin1', 0, 4)))
    throw new M2fpError('M2FP_NO_IMAGE', 'The JSON is UTF-16: send it as UTF-8, which JSON is written in.');
  const start = body
    .subarray(0, 100)
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart();
  if (body.length < LONGEST_LITERAL) {
    if (start === '') return { picture: undefined, texts: [], values: {} };
    if (JSON_LITERAL.test(start.trimEnd())) throw noPictureIn('The JSON', parseJson(body));
  }
  if (/^[[{"]/.test(start)) return contentOfJson(parseJson(body));
  if (/x-www-form-urlencoded/i.test(type) && /^[\w.-]{1,40}=(?!=?\s*$)/.test(start)) {
    checkFields(body);
    return contentOfForm({ files: [], texts: [...new URLSearchParams(body.toString())] });
  }
  return { picture: checkAddress(body), texts: [], values: {} };
}

/** A file of a form, and the field that it came in. */
export interface FormFile {
  fieldname?: string;
  /** Bytes; 0 where a page's field was left blank. */
  size?: number;
}

/**
 * A form's only picture, whatever the field of a file is called, and the other fields.
 * @throws {M2fpError} `M2FP_NO_IMAGE` for more than one, of which nobody knows which is meant
 */
export function contentOfForm({
  files,
  texts,
}: {
  files: readonly FormFile[];
  texts: [string, string][];
}): Content {
  const uploads = files.filter(({ size }) => size !== 0);
  const pictures = texts.filter(([name, text]) => isPicture(name, text));
  const names = [...uploads.map(({ fieldname = '' }) => fieldname), ...pictures.map(([name]) => name)];
  if (names.length > 1) {
    const shown = names.slice(0, SHOWN_NAMES).map((name) => JSON.stringify(name.slice(0, SHOWN_LENGTH)));
    throw new M2fpError(
      'M2FP_NO_IMAGE',
      `The form holds ${names.length} files or pictures (${shown.join(', ')}): send one picture in each request.`,
    );
  }
  const options = texts.filter(([name, text]) => !isPicture(name, text) && !isBlankPicture(name, text));
  const picture = uploads.length > 0 ? uploads : checkAddress(pictures[0]?.[1]);
  return { picture, texts: options, values: {} };
}

const SHOWN_NAMES = 5;
const SHOWN_LENGTH = 40;

const hasPictureName = (name: string): boolean => PICTURE_NAMES.has(name.toLowerCase());

const isPicture = (name: string, text: string): boolean =>
  hasPictureName(name) && text.trim() !== '' && !(name === 'picture' && text.length < LEAST_TEXT);

const isBlankPicture = (name: string, text: string): boolean =>
  hasPictureName(name) && name !== 'picture' && text.trim() === '';

/** What the flow has instead of a request: the picture alone, or in `image` with options beside it. */
export function contentOfValue(value: unknown): Content {
  if (typeof value !== 'object' || value === null || !('image' in value))
    return { picture: checkAddress(value), texts: [], values: {} };
  const { image, ...values } = value as Record<string, unknown>;
  return { picture: checkAddress(image), texts: [], values };
}

/**
 * What a client says in JSON: the picture alone, or in `image` with options beside it. Nothing is looked for in lists or deeper
 * down, where it would be left out what else lies there.
 * @throws {M2fpError} `M2FP_NO_IMAGE`
 */
export function contentOfJson(value: unknown): Content {
  if (typeof value !== 'object' || value === null || !('image' in value))
    return { picture: pictureInJson('The JSON', value), texts: [], values: {} };
  const { image, ...values } = value as Record<string, unknown>;
  const other = Object.keys(values).find((name) => hasPictureName(name) && name !== 'picture');
  if (other !== undefined) {
    throw new M2fpError(
      'M2FP_NO_IMAGE',
      `The JSON holds "${other}" beside "image": send one picture in each request, in "image".`,
    );
  }
  return { picture: pictureInJson('"image" in the JSON', image), texts: [], values };
}

function pictureInJson(what: string, value: unknown): unknown {
  if (value === null || value === undefined || typeof value === 'string') return checkAddress(value);
  if (isBytes(value)) return value;
  throw noPictureIn(what, value);
}

/** The bytes of a file as JSON has them: a list, what Node.js makes of a Buffer, or what it makes of a Uint8Array. */
export function isBytes(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return false;
  return typeof (value as { 0?: unknown })[0] === 'number' || isJsonBuffer(value);
}

function noPictureIn(what: string, value: unknown): M2fpError {
  const kind =
    value === null ? 'null'
    : Array.isArray(value) ? `a list of ${value.length} values that are no bytes`
    : typeof value === 'object' ? 'an object that holds none in "image"'
    : `a ${typeof value}`; // prettier-ignore
  return new M2fpError('M2FP_NO_IMAGE', `${what} is ${kind}, and no picture.`);
}

/** Nobody makes this service ask other machines for something. @throws {M2fpError} `M2FP_NO_IMAGE` for an address */
function checkAddress<T>(picture: T): T {
  const start =
    typeof picture === 'string' ? picture.slice(0, 100)
    : Buffer.isBuffer(picture) ? picture.toString('latin1', 0, 100)
    : ''; // prettier-ignore
  if (!URL_TEXT.test(start)) return picture;
  throw fetchesNothing();
}

/** The error for whoever names an address in place of a picture. */
export function fetchesNothing(): M2fpError {
  return new M2fpError(
    'M2FP_NO_IMAGE',
    'This service fetches no pictures from addresses: send the picture itself, as the body of the request, as an upload, ' +
      'or as base64 in JSON.',
  );
}

function parseJson(body: Buffer): unknown {
  checkJson(body);
  try {
    // Windows puts a byte order mark before text.
    return JSON.parse(body.toString().replace(/^\uFEFF/, ''));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new M2fpError('M2FP_NO_IMAGE', `The body looks like JSON, but is none: ${reason}.`, {
      cause: error,
    });
  }
}

/** A picture is one field of a form: to take millions of them apart would hold everybody up. */
function checkFields(body: Buffer): void {
  let fields = 1;
  for (let at = body.indexOf('&'); at >= 0; at = body.indexOf('&', at + 1)) {
    if (++fields > MOST_FIELDS) {
      throw new M2fpError(
        'M2FP_NO_IMAGE',
        `The form has more than ${MOST_FIELDS} fields: send the picture in one of them, "image".`,
      );
    }
  }
}
