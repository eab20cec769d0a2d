/**
 * What an engine and its child process say to each other, over fork's channel with `serialization: 'advanced'`.
 * The parent asks for one thing at a time; each request carries an id and gets exactly one answer with that id.
 */
import type { SerializedError } from '../errors.ts';
import type { ImageLimits, NetworkInput } from '../image/types.ts';
import type { Parsing, Timing } from '../parsing/types.ts';
import type { ParseOptions } from '../parsing/types.ts';
import type { KnownDigests } from '../store/digest.ts';

export interface LoadMessage {
  type: 'load';
  id: number;
  /** Folder of the converted model. */
  model: string;
  /** Digest that the model must have: the folder may have been replaced since the engine was made. */
  digest: string;
  /** Of its files, as far as they are known: those that are still the same are not read once more. */
  digests: KnownDigests;
  /** Threads of one inference, at least 1. */
  threads: number;
  /** `wasm`: onnxruntime's WebAssembly build, also where the native one is there. */
  provider?: 'wasm';
  /** Whether to parse a blank picture before it is ready. */
  warmUp: boolean;
}

export interface ParseMessage {
  type: 'parse';
  id: number;
  /** An encoded picture, or network input whose `source.image` was left out (empty). */
  image: Buffer | NetworkInput;
  options: ParseOptions;
  /** Of a picture that is decoded; absent: the default ones. */
  limits?: ImageLimits;
}

/** Finish what is running, then exit. */
export interface StopMessage {
  type: 'stop';
}

export type ParentMessage = LoadMessage | ParseMessage | StopMessage;

/** The part of a parsing that the child knows; the parent adds the rest. */
export type ChildParsing = Omit<Parsing, 'image' | 'model' | 'cached' | 'timing'> & {
  timing: Omit<Timing, 'queue' | 'total'>;
};

export interface ReadyMessage {
  type: 'ready';
  id: number;
  /** What executes the graph: 'cpu' or 'wasm'. */
  provider: string;
  /** Why it is not the faster 'cpu', and what helps. */
  fallback?: string;
  /** With the warm-up. */
  loadSeconds: number;
  /** Bytes of resident memory. */
  rss: number;
}

export interface ResultMessage {
  type: 'result';
  id: number;
  parsing: ChildParsing;
  /** Bytes of resident memory. */
  rss: number;
}

export interface ErrorMessage {
  type: 'error';
  id: number;
  error: SerializedError;
}

export type ChildMessage = ReadyMessage | ResultMessage | ErrorMessage;

/** The bytes of `view` as a Buffer, without a copy: what leaves an engine is plain data and Buffers. */
export function asBuffer(view: Uint8Array): Buffer {
  return Buffer.isBuffer(view) ? view : Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/**
 * True where `message` is meant as one of ours. Others do come through the channel and are no fault of the
 * child: under `node --watch` every child reports the files that it imports.
 */
export function isChildMessage(message: unknown): message is { type: ChildMessage['type'] } {
  return isRecord(message) && ['ready', 'result', 'error'].some((type) => type === message['type']);
}

/** True where a message of ours has all that its type promises. */
export function isWellFormed(message: { type: ChildMessage['type'] }): message is ChildMessage {
  const { id, provider, fallback, loadSeconds, error, parsing, rss }: Record<string, unknown> = {
    ...message,
  };
  if (!Number.isSafeInteger(id)) return false;
  if (message.type === 'ready') {
    const told = fallback === undefined || typeof fallback === 'string';
    return typeof provider === 'string' && told && typeof loadSeconds === 'number' && typeof rss === 'number';
  }
  if (message.type === 'error') return isRecord(error) && typeof error['message'] === 'string';
  return typeof rss === 'number' && isRecord(parsing) && isParsing(parsing);
}

/** True where `parsing` has all that a {@link ChildParsing} has to have, as far as a glance tells. */
export function isParsing(parsing: Record<string, unknown>): boolean {
  const { width, height, labelMap, personMap, doubtful, timing } = parsing;
  const pixels = Number(width) * Number(height);
  return (
    [labelMap, personMap].every((map) => map instanceof Uint8Array && map.byteLength === pixels) &&
    [parsing['labels'], parsing['persons'], parsing['parts']].every(Array.isArray) &&
    isRecord(doubtful) &&
    [doubtful['persons'], doubtful['parts']].every(Array.isArray) &&
    isRecord(timing) &&
    ['decode', 'preprocess', 'inference', 'postprocess'].every((stage) => typeof timing[stage] === 'number')
  );
}
