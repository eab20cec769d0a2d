/** Results of pictures that may come again. */
import type { CacheInfo } from '../types.ts';
import type { Parsing } from '../../parsing/types.ts';
import { clone } from './clone.ts';

/** What equal pictures have in common: all but the picture itself, of which each asker brings its own. */
export type KeptResult = Omit<Parsing, 'image' | 'cached' | 'timing'>;

/** A copy of what is kept of a parsing, so that its owner may change it. */
export function keptOf(parsing: Parsing): KeptResult {
  const { image: _image, cached: _cached, timing: _timing, ...rest } = parsing;
  return clone(rest);
}

interface Entry {
  result: KeptResult;
  bytes: number;
}

/** The results that were asked for last, as many as fit. */
export class ResultCache {
  #limit: number;
  /** By key, the one that was asked for last at the end. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  /** @param limit bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  info(): CacheInfo {
    return { entries: this.#entries.size, bytes: this.#bytes, limit: this.#limit };
  }

  /** A copy of the result; undefined where there is none. */
  get(key: string): KeptResult | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return clone(entry.result);
  }

  /** Keeps a copy, and drops those that were not asked for the longest; one larger than the limit is not kept. */
  set(key: string, parsing: Parsing): void {
    this.#delete(key);
    const result = keptOf(parsing);
    const bytes = bytesOf(key, result);
    if (bytes > this.#limit) return;
    this.#entries.set(key, { result, bytes });
    this.#bytes += bytes;
    this.#shrink();
  }

  /** @param limit bytes; what does not fit any more is dropped */
  resize(limit: number): void {
    this.#limit = limit;
    this.#shrink();
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  #shrink(): void {
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#limit) break;
      this.#delete(oldest);
    }
  }

  #delete(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}

/** Bytes in V8 without those of the properties, elements or characters: measured, within 10 % of a result's memory. */
const OBJECT = 40;
const ARRAY = 48;
const STRING = 24;
const FRACTION = 16;
const SLOT = 8;
/** A Buffer, without what it is a window into, and an entry of the map. */
const BUFFER = 200;
const ENTRY = 100;

/** Bytes that the process can give back when the entry goes. */
function bytesOf(key: string, result: KeptResult): number {
  const memories = new Set<ArrayBufferLike>();
  let sum = ENTRY + STRING + key.length + heapBytes(result, memories);
  for (const memory of memories) sum += memory.byteLength;
  return sum;
}

/**
 * Bytes of the value itself. Adds the memory behind each Buffer to `memories`: the Buffers that a child sends are
 * windows into one message, all of which lives as long as one of them does.
 */
function heapBytes(value: unknown, memories: Set<ArrayBufferLike>): number {
  if (typeof value === 'string') return STRING + value.length;
  if (typeof value === 'number' && !Number.isInteger(value)) return FRACTION;
  if (typeof value !== 'object' || value === null) return 0;
  if (ArrayBuffer.isView(value)) {
    memories.add(value.buffer);
    return BUFFER;
  }
  let sum = Array.isArray(value) ? ARRAY : OBJECT;
  for (const entry of Object.values(value)) sum += SLOT + heapBytes(entry, memories);
  return sum;
}
