/** The picture that a message brings. */
import type { Node, NodeAPI, NodeMessageInFlow } from 'node-red';
import { M2fpError } from '../../src/errors.ts';
import {
  type ImageLimits,
  isNetworkInput,
  type NetworkInput,
  imageFromMessage,
  withBuffers,
} from '../../src/image/index.ts';
import type { Stored } from '../../src/parsing/options/option-table.ts';
import { codeOf } from './failure.ts';
import { typedField } from './form-fields.ts';
import { evaluate } from './property.ts';

/** The TypedInput of the forms. */
export const IMAGE_FIELDS = typedField('picture', 'payload', {
  types: ['msg', 'flow', 'global', 'str', 'env'],
  required: true,
});
export type ImageConfig = Stored<typeof IMAGE_FIELDS>;

/**
 * The encoded picture. Where the property holds none, and the message comes from an HTTP In node that accepts
 * uploads, the first uploaded picture is taken.
 * @throws {M2fpError} as `imageFrom` does
 */
export async function imageOf(
  RED: NodeAPI,
  node: Node,
  msg: NodeMessageInFlow,
  config: ImageConfig,
  limits?: ImageLimits,
): Promise<Buffer> {
  return readImage(await valueOf(RED, node, msg, config), msg, limits);
}

/** The same, but what a preprocess node made is taken as it is. */
export async function networkInputOrImage(
  RED: NodeAPI,
  node: Node,
  msg: NodeMessageInFlow,
  config: ImageConfig,
  limits: ImageLimits,
): Promise<NetworkInput | Buffer> {
  const value = await valueOf(RED, node, msg, config);
  return isNetworkInput(value) ? withBuffers(value, limits) : readImage(value, msg, limits);
}

async function valueOf(
  RED: NodeAPI,
  node: Node,
  msg: NodeMessageInFlow,
  config: ImageConfig,
): Promise<unknown> {
  const { picture: value, pictureType: type } = config;
  try {
    return await evaluate(RED, node, msg, { value, type });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new M2fpError('M2FP_NO_IMAGE', `There is no picture in ${type}.${value}: ${reason}`, {
      cause: error,
    });
  }
}

async function readImage(value: unknown, msg: NodeMessageInFlow, limits?: ImageLimits): Promise<Buffer> {
  try {
    return await imageFromMessage(value, limits, isSmall(requestOf(msg, 'headers')));
  } catch (error) {
    if (codeOf(error) === 'M2FP_UNSUPPORTED_FORMAT') throw withEncoding(error as M2fpError, msg);
    const uploads = requestOf(msg, 'files');
    if (codeOf(error) !== 'M2FP_NO_IMAGE' || !Array.isArray(uploads) || uploads.length === 0) throw error;
    return imageFromMessage(uploads, limits);
  }
}

/** Names the compression of the request's body, which Node-RED undoes for JSON and forms but not for a picture. */
function withEncoding(error: M2fpError, msg: NodeMessageInFlow): M2fpError {
  const coding = (requestOf(msg, 'headers') as Record<string, unknown> | undefined)?.['content-encoding'];
  if (typeof coding !== 'string' || !/^(?:x-)?(?:gzip|deflate|compress|br|zstd)$/i.test(coding)) return error;
  return new M2fpError(
    'M2FP_UNSUPPORTED_FORMAT',
    `The body of the request is compressed (Content-Encoding: ${coding}): send the picture as it is, without that header.`,
    { cause: error },
  );
}

/** Of what lies in `msg.req`; undefined where a function node put something there that throws. */
function requestOf(msg: NodeMessageInFlow, property: 'headers' | 'files'): unknown {
  try {
    return (msg['req'] as Record<string, unknown> | null | undefined)?.[property];
  } catch {
    return undefined;
  }
}

/** Bytes of a body that can hold some thousand names at the most. */
const SMALL_BODY = 64 * 1024;

/** Whether a request's body can hold a few names only: Node-RED takes a thousand from a form, and any number from JSON. */
function isSmall(headers: unknown): boolean {
  const { 'content-type': type, 'content-length': length } = (headers ?? {}) as Record<string, unknown>;
  return String(type).startsWith('application/x-www-form-urlencoded') || Number(length) <= SMALL_BODY;
}
