/** What a message of an http in node brings, whether or not Node-RED has read the body. */
import type { IncomingMessage } from 'node:http';
import type { NodeMessageInFlow } from 'node-red';
import {
  checkEncoding,
  type Content,
  contentOf,
  contentOfForm,
  contentOfJson,
  contentOfValue,
} from '../../src/service/body/content.ts';
import { type BodyReader, isReadable } from '../../src/service/body/read-body.ts';
import { typeOfUnread } from './unread-bodies.ts';

/** What Express, Multer and body-parser add to a request. */
export type HttpRequest = IncomingMessage & {
  originalUrl?: string;
  files?: unknown;
  body?: unknown;
};

/** Bytes of a body that can hold some thousand names at the most. */
const SMALL_BODY = 64 * 1024;

/** The request of an http in node; undefined for a message from elsewhere. */
export function httpRequestOf(msg: NodeMessageInFlow): HttpRequest | undefined {
  const request = msg['req'] as Partial<HttpRequest> | undefined;
  return typeof request?.on === 'function' && typeof request.headers === 'object'
    ? (request as HttpRequest)
    : undefined;
}

/**
 * What the request says, and whether its values are known to have no more than some thousand names.
 * @throws {M2fpError} see {@link BodyReader.read} and {@link contentOf}
 */
export async function contentOfRequest(
  request: HttpRequest,
  payload: unknown,
  reader: BodyReader,
): Promise<{ content: Content; few: boolean }> {
  const unread = typeOfUnread(request);
  if (unread !== undefined && isReadable(request)) {
    checkEncoding(request.headers['content-encoding']);
    const body = await reader.read(request);
    if (unread !== '') request.headers['content-type'] = unread;
    return { content: await contentOf(body, unread), few: true };
  }
  const type = unread ?? request.headers['content-type'] ?? '';
  return {
    content: await contentThatWasRead(request, payload, type, reader),
    few: Number(request.headers['content-length']) <= SMALL_BODY || type.includes('urlencoded'),
  };
}

async function contentThatWasRead(
  { files, body }: HttpRequest,
  payload: unknown,
  type: string,
  reader: BodyReader,
): Promise<Content> {
  if (Array.isArray(files) && files.length > 0) return contentOfForm({ files, texts: textsIn(body) });
  if (typeof payload === 'string' || Buffer.isBuffer(payload)) {
    const bytes = Buffer.isBuffer(payload) ? payload : Buffer.from(payload);
    reader.check(bytes.length);
    return contentOf(bytes, type);
  }
  const isForm = /^multipart\/|x-www-form-urlencoded/i.test(type);
  const form = isForm ? contentOfForm({ files: [], texts: textsIn(payload) }) : undefined;
  // The text of a picture that was called a form is the name of its only field.
  if (form?.picture !== undefined) return form;
  return isForm ? contentOfValue(payload) : contentOfJson(payload);
}

function textsIn(fields: unknown): [string, string][] {
  if (typeof fields !== 'object' || fields === null) return [];
  return Object.entries(fields).flatMap(([name, value]): [string, string][] =>
    [value].flat().flatMap((text): [string, string][] => (typeof text === 'string' ? [[name, text]] : [])),
  );
}
