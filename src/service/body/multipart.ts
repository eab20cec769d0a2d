/** Forms with uploads (RFC 7578), taken apart by busboy. */
import { Busboy } from '@fastify/busboy';
import { setImmediate } from 'node:timers/promises';
import { M2fpError } from '../../errors.ts';

/** As many fields as Node-RED itself takes of a form. */
export const MOST_FIELDS = 1000;

/** More uploads than these are not looked at. */
const MOST_FILES = 100;
/** Bytes of a field that is no file: base64 of a picture may be one. */
const LONGEST_FIELD = Infinity;
/** Bytes that are taken apart at a time. */
const SLICE = 4 * 1024 * 1024;

export interface Form {
  /** The files that are not empty, as uploads. */
  files: { fieldname: string; buffer: Buffer; originalname: string; mimetype: string }[];
  texts: [name: string, text: string][];
}

/** @throws {M2fpError} `M2FP_NO_IMAGE` for a form that is broken, cut off, or has neither file nor field */
export async function readMultipart(body: Buffer, type: string): Promise<Form> {
  if (hasTooManyParts(body, type)) throw tooManyFields();
  const form: Form = { files: [], texts: [] };
  const parser = open(type);
  const failed: { reason?: unknown } = {};
  let tooMany = false;
  const closed = new Promise<void>((resolve) => {
    parser.on('error', (error) => {
      failed.reason ??= error;
      resolve();
    });
    parser.on('finish', resolve);
  });
  parser.on('file', (fieldname, stream, filename, _encoding, mimetype) => {
    const pieces: Buffer[] = [];
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('error', (error) => (failed.reason ??= error));
    stream.on('end', () => {
      const buffer = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
      if (buffer.length > 0)
        form.files.push({ fieldname: fieldname ?? '', buffer, originalname: filename ?? '', mimetype });
    });
  });
  parser.on('field', (name, value) => form.texts.push([name, value]));
  parser.on('fieldsLimit', () => (tooMany = true));
  for (let at = 0; at < body.length && failed.reason === undefined; at += SLICE) {
    if (at > 0) await setImmediate();
    parser.write(body.subarray(at, at + SLICE));
  }
  parser.end();
  await closed;
  if (tooMany) throw tooManyFields();
  if (form.files.length === 0 && form.texts.length === 0) {
    throw noImage('The upload holds no file: send the picture as a file of the form.', failed.reason);
  }
  if (failed.reason !== undefined) {
    throw noImage(
      'The upload is cut off or broken: its last boundary is missing. Send it again.',
      failed.reason,
    );
  }
  return form;
}

/**
 * Whether it has far more parts than are looked at. Asked first: busboy takes every part apart, also those beyond its
 * limits, and hundreds of thousands of tiny ones hold the event loop for seconds.
 */
function hasTooManyParts(body: Buffer, type: string): boolean {
  const { quoted, plain } = /;\s*boundary=(?:"(?<quoted>[^"]+)"|(?<plain>[^;\s]+))/i.exec(type)?.groups ?? {};
  const boundary = quoted ?? plain;
  if (boundary === undefined) return false;
  let parts = 0;
  for (let at = body.indexOf(`--${boundary}`); at >= 0; at = body.indexOf(`--${boundary}`, at + 1)) {
    // One more for the end.
    if (++parts > MOST_FIELDS + MOST_FILES + 1) return true;
  }
  return false;
}

const tooManyFields = (): M2fpError =>
  noImage(`The form has more than ${MOST_FIELDS} fields: send the picture as a file of it.`);

function open(type: string): Busboy {
  try {
    return new Busboy({
      headers: { 'content-type': type },
      // A picture may come without a file name.
      isPartAFile: (_name, contentType = 'text/plain', filename) =>
        filename !== undefined || !contentType.startsWith('text/'),
      limits: { files: MOST_FILES, fields: MOST_FIELDS, fieldSize: LONGEST_FIELD },
    });
  } catch (error) {
    const reason =
      error instanceof Error && /boundary/i.test(error.message)
        ? 'The upload says no boundary in its Content-Type: let the client make that header.'
        : 'The Content-Type of the upload cannot be read: let the client make that header.';
    throw noImage(reason, error);
  }
}

const noImage = (message: string, cause?: unknown): M2fpError =>
  new M2fpError('M2FP_NO_IMAGE', message, { cause });
