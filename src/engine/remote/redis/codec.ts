/**
 * What goes through Redis, as bytes: MessagePack, with a version first. Readers take nothing for granted, since anything
 * may lie under a key.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createInflate, deflate } from 'node:zlib';
import { Packr } from 'msgpackr';
import {
  deserializeError,
  M2fpError,
  type M2fpErrorCode,
  type SerializedError,
  serializeError,
} from '../../../errors.ts';
import { isNetworkInput } from '../../../image/network-input.ts';
import type { InputRule } from '../../../m2fp/manifest.ts';
import { MAX_SIDE } from '../../options.ts';
import { asBuffer, type ChildParsing } from '../../protocol.ts';
import { answerLimits, parsingFault, type ImageSize } from '../client/answer-check.ts';
import type { RemoteRequest } from '../client/transport.ts';
import { packFault, type PackLimits } from './packed.ts';

/** Of the layout below. */
const VERSION = 2;

/** What a request may have beside its picture, which is bytes: its options, and what network input tells of itself. */
const REQUEST_LIMITS: PackLimits = { entries: 200, depth: 3, text: 8192 };
/** Bytes of a request beside its picture. */
const REQUEST_OVERHEAD = 64 * 1024;

/** Bytes that are inflated or copied in one go. */
const PIECE = 2 ** 18;

/** Characters of an error's message: it may hold the last words of a process. */
const MAX_MESSAGE = 16 * 1024;

const packr = new Packr({ useRecords: false });
const squeeze = promisify(deflate);

/** What came of a request. */
export type Answer = { parsing: ChildParsing } | { error: M2fpError };

/** A request as bytes. Pictures are compressed already, so this is not. */
export function packRequest({ digest, image, options, trial }: RemoteRequest): Buffer {
  // MessagePack has no undefined; what is left out means the same.
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return packr.pack({ v: VERSION, digest, image, options: given, ...(trial && { trial }) });
}

/** Bytes that a request may have, for a model that takes input by this rule, and pictures of at most `maxBytes`. */
export function requestLimit(rule: InputRule, maxBytes: number): number {
  const pixels = rule.kind === 'canvas' ? rule.width * rule.height : MAX_SIDE ** 2;
  return Math.max(maxBytes, 3 * pixels) + REQUEST_OVERHEAD;
}

/**
 * The request in `bytes`; what its picture and options are worth, the engine finds out.
 * @throws {M2fpError} `M2FP_BAD_IMAGE` for anything else, `M2FP_ENGINE_UNAVAILABLE` for that of another version
 */
export function unpackRequest(bytes: Buffer): RemoteRequest {
  const { digest, image, options, trial } = open(bytes, REQUEST_LIMITS, 'M2FP_BAD_IMAGE');
  const input = image instanceof Uint8Array ? asBuffer(image) : image;
  const isInput = Buffer.isBuffer(input) || isNetworkInput(input);
  if (typeof digest !== 'string' || !isInput || !isRecord(options)) {
    throw new M2fpError('M2FP_BAD_IMAGE', 'What came through Redis is no picture to parse.');
  }
  return { digest, image: input, options, ...(trial === true && { trial }) };
}

/**
 * An answer as bytes, deflated: label maps are a hundredth of their size then. Of an error its stack stays behind, which
 * would tell of folders on the worker's machine.
 */
export async function packAnswer(answer: { parsing: ChildParsing } | { error: unknown }): Promise<Buffer> {
  const content = 'error' in answer ? { error: withoutStack(answer.error) } : answer;
  return squeeze(packr.pack({ v: VERSION, ...content }), { level: 1 });
}

/** Bytes that the answer about a picture of this size may have as it lies in Redis; null: about one that is none. */
export function answerLimit(size: ImageSize | null): number {
  const { bytes } = answerLimits(size);
  // What cannot be deflated grows by less than that.
  return Math.ceil(bytes * 1.001) + 1024;
}

/**
 * The answer in `bytes`, about a picture of the size `size`; null: it has none that can be read, and an error is the
 * only answer. Nothing is unpacked that such an answer cannot be, and others get their turn while it is looked through.
 * @throws {M2fpError} `M2FP_ENGINE_UNAVAILABLE` for anything else: the picture is not to blame
 */
export async function unpackAnswer(bytes: Buffer, size: ImageSize | null): Promise<Answer> {
  const limits = answerLimits(size);
  const content = await expand(bytes, limits.bytes);
  const { parsing, error } = open(content, limits, 'M2FP_ENGINE_UNAVAILABLE');
  if (isRecord(error)) return { error: errorIn(error) };
  const fault = size === null || !isRecord(parsing) ? 'there is none' : await parsingFault(parsing, size);
  if (fault === null) return { parsing: parsing as ChildParsing };
  throw new M2fpError('M2FP_ENGINE_UNAVAILABLE', `What the worker answered is no parsing: ${fault}.`);
}

/** What was deflated; nothing where that is damaged, or longer than `limit`. Others get their turn meanwhile. */
async function expand(bytes: Buffer, limit: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    const inflating = createInflate({ chunkSize: PIECE });
    inflating.end(bytes);
    for await (const piece of inflating as AsyncIterable<Buffer>) {
      length += piece.length;
      if (length > limit) return Buffer.alloc(0);
      pieces.push(piece);
    }
  } catch {
    return Buffer.alloc(0);
  }
  // As Buffer.concat does it, which for the maps of a large picture takes a tenth of a second in one go.
  const whole = Buffer.allocUnsafe(length);
  let at = 0;
  for (const piece of pieces) {
    if (at > 0) await nextTurn();
    at += piece.copy(whole, at);
  }
  return whole;
}

/** Only what an error of ours has: no stack, which may be anything. */
function errorIn({ code, message }: Record<string, unknown>): M2fpError {
  if (typeof message !== 'string' || message.length > MAX_MESSAGE) {
    throw new M2fpError(
      'M2FP_ENGINE_UNAVAILABLE',
      'What the worker answered is neither a parsing nor an error.',
    );
  }
  const plain = { name: 'M2fpError', message, ...(typeof code === 'string' && { code }) };
  return deserializeError(plain, 'M2FP_ENGINE_CRASHED');
}

function withoutStack(error: unknown): SerializedError {
  const { stack: _stack, message, ...plain } = serializeError(error);
  return { ...plain, message: message.slice(0, MAX_MESSAGE) };
}

/** What is packed in `bytes`; they are looked over before they are unpacked. */
function open(bytes: Buffer, limits: PackLimits, unreadable: M2fpErrorCode): Record<string, unknown> {
  const fault = packFault(bytes, limits);
  if (fault !== null) {
    throw new M2fpError(unreadable, `What came through Redis cannot be read: ${fault}.`);
  }
  let content: unknown;
  try {
    content = packr.unpack(bytes);
  } catch {
    content = undefined;
  }
  if (!isRecord(content) || !Number.isInteger(content['v'])) {
    throw new M2fpError(unreadable, 'What came through Redis cannot be read: it is something else.');
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
