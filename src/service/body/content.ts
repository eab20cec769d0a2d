/** What a request brings: a picture, and texts or values beside it; by what was sent rather than by what it is called. */
import { M2fpError } from '../../errors.ts';
import { MOST_FIELDS, readMultipart } from './multipart.ts';
import { checkJson } from './json-size.ts';

/** What a client says beside the picture. `texts`: of a form or an address; `values`: of JSON. */
export interface Content {
  /** In any form that `imageFromMessage` takes; undefined where there is none. */
  picture: unknown;
  texts: [name: string, text: string][];
  values: Record<string, unknown>;
}

/** Fields of forms that hold the picture as text. */
const PICTURE_NAMES: ReadonlySet<string> = new Set(['image', 'picture', 'photo', 'file', 'img']);

const URL_TEXT = /^\s*(?:https?|ftps?|file|s3|gs):/i;

/** `Content-Encoding` of what was compressed on the way. */
const COMPRESSED = /^(?:x-)?(?:gzip|deflate|compress|br|zstd)$/i;

/** @throws {M2fpError} `M2FP_UNSUPPORTED_FORMAT` for a body that was compressed */
export function checkEncoding(coding: unknown): void {
  if (typeof coding !== 'string' || !COMPRESSED.test(coding)) return;
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
  if (/^multipart\//i.test(type)) return contentOfForm(await readMultipart(body, type));
  const start = body
    .subarray(0, 100)
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart();
  if (/^[[{"]/.test(start)) return contentOfValue(parseJson(body));
  if (/x-www-form-urlencoded/i.test(type) && /^[\w.-]{1,40}=(?!=?\s*$)/.test(start)) {
    checkFields(body);
    return contentOfForm({ files: [], texts: [...new URLSearchParams(body.toString())] });
  }
  return { picture: checkAddress(body), texts: [], values: {} };
}

/** A form's files and fields. Where there is a file, the fields with a picture's name are options that nobody knows. */
export function contentOfForm({
  files,
  texts,
}: {
  files: readonly unknown[];
  texts: [string, string][];
}): Content {
  if (files.length > 0) return { picture: files, texts, values: {} };
  const field = texts.find(([name]) => PICTURE_NAMES.has(name.toLowerCase()));
  return {
    picture: checkAddress(field?.[1]),
    texts: texts.filter((text) => text !== field),
    values: {},
  };
}

/** JSON: the picture alone, or in `image` with options beside it. */
export function contentOfValue(value: unknown): Content {
  if (typeof value !== 'object' || value === null || !('image' in value))
    return { picture: checkAddress(value), texts: [], values: {} };
  const { image, ...values } = value as Record<string, unknown>;
  return { picture: checkAddress(image), texts: [], values };
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
    throw new M2fpError('M2FP_NO_IMAGE', `The body looks like JSON, but is none: ${reason}`, {
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
