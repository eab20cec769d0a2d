/**
 * What goes through Redis, as bytes: MessagePack, with a version first. Readers take nothing for granted, since anything
 * may lie under a key.
 */
import { promisify } from 'node:util';
import { deflate, inflate } from 'node:zlib';
import { Packr } from 'msgpackr';
import {
  deserializeError,
  M2fpError,
  type M2fpErrorCode,
  type SerializedError,
  serializeError,
} from '../../errors.ts';
import { isNetworkInput } from '../../image/network-input.ts';
import { asBuffer, type ChildParsing, isParsing } from '../protocol.ts';
import type { RemoteTask } from './link.ts';

/** Of the layout below. */
const VERSION = 2;

/** Bytes that an answer may have: several times the maps of the largest picture. */
const MAX_ANSWER = 512 * 2 ** 20;

const packr = new Packr({ useRecords: false });
const squeeze = promisify(deflate);
const expand = promisify(inflate);

/** What came of a task. */
export type Answer = { parsing: ChildParsing } | { error: M2fpError };

/** A task as bytes. Pictures are compressed already, so this is not. */
export function packTask({ digest, image, options }: RemoteTask): Buffer {
  return packr.pack({ v: VERSION, digest, image, options });
}

/**
 * The task in `bytes`; what its picture and options are worth, the engine finds out.
 * @throws {M2fpError} `M2FP_BAD_IMAGE` for anything else, `M2FP_ENGINE_UNAVAILABLE` for that of another version
 */
export function unpackTask(bytes: Buffer): RemoteTask {
  const { digest, image, options } = open(bytes, 'M2FP_BAD_IMAGE');
  const picture = image instanceof Uint8Array ? asBuffer(image) : image;
  const isPicture = Buffer.isBuffer(picture) || isNetworkInput(picture);
  if (typeof digest !== 'string' || !isPicture || !isRecord(options)) {
    throw new M2fpError('M2FP_BAD_IMAGE', 'What came through Redis is no picture to parse.');
  }
  return { digest, image: picture, options };
}

/**
 * An answer as bytes, deflated: label maps are a hundredth of their size then. Of an error its stack stays behind, which
 * would tell of folders on the worker's machine.
 */
export async function packAnswer(answer: { parsing: ChildParsing } | { error: unknown }): Promise<Buffer> {
  const content = 'error' in answer ? { error: withoutStack(answer.error) } : answer;
  return squeeze(packr.pack({ v: VERSION, ...content }), { level: 1 });
}

/**
 * The answer in `bytes`.
 * @throws {M2fpError} `M2FP_ENGINE_UNAVAILABLE` for anything else: the picture is not to blame
 */
export async function unpackAnswer(bytes: Buffer): Promise<Answer> {
  const content = await expand(bytes, { maxOutputLength: MAX_ANSWER }).catch(() => Buffer.alloc(0));
  const { parsing, error } = open(content, 'M2FP_ENGINE_UNAVAILABLE');
  if (isRecord(error) && typeof error['message'] === 'string') {
    return { error: deserializeError(error as unknown as SerializedError, 'M2FP_ENGINE_CRASHED') };
  }
  if (isRecord(parsing) && isParsing(parsing)) return { parsing: parsing as unknown as ChildParsing };
  throw new M2fpError('M2FP_ENGINE_UNAVAILABLE', 'What the worker answered is no parsing.');
}

function withoutStack(error: unknown): SerializedError {
  const { stack: _stack, ...plain } = serializeError(error);
  return plain;
}

function open(bytes: Buffer, unreadable: M2fpErrorCode): Record<string, unknown> {
  let content: unknown;
  try {
    content = packr.unpack(bytes);
  } catch {
    content = undefined;
  }
  if (!isRecord(content) || !Number.isInteger(content['v'])) {
    throw new M2fpError(unreadable, 'What came through Redis cannot be read.');
  }
  if (content['v'] !== VERSION) {
    throw new M2fpError(
      'M2FP_ENGINE_UNAVAILABLE',
      `What came through Redis has version ${String(content['v'])}; this package reads version ${VERSION}: ` +
        'install the same version of the package where Node-RED runs and where the workers run.',
    );
  }
  return content;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
