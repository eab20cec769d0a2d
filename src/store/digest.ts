/** SHA-256 of files. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { throwIfCancelled } from './cancel.ts';

/** Bytes read at a time; hashing as many takes well under a millisecond. */
const CHUNK = 256 * 1024;

export interface DigestOptions {
  signal?: AbortSignal;
  /** Told the bytes hashed so far. */
  onProgress?: (bytes: number) => void;
}

/** The SHA-256 of a file as lower-case hex. Rejects with M2FP_CANCELLED, and with file system errors. */
export async function sha256File(file: string, { signal, onProgress }: DigestOptions = {}): Promise<string> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK }) as AsyncIterable<Buffer>) {
    throwIfCancelled(signal);
    hash.update(chunk);
    bytes += chunk.length;
    onProgress?.(bytes);
  }
  return hash.digest('hex');
}
