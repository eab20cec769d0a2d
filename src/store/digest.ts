/** SHA-256 of files. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
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

/** So many files' digests are remembered: those of a dozen models. */
const REMEMBERED = 64;

/** Digests by the path and state of their file. */
export type KnownDigests = [state: string, digest: string][];

/** By path and state; the one asked for last at the end. A promise while it is being computed. */
const known = new Map<string, string | Promise<string>>();
let computed = 0;

/** How many files {@link fileDigest} has read, for tests. */
export const digestsComputed = (): number => computed;

/**
 * The SHA-256 of a regular file, computed once for each state of it: path, number, size, and the times of the last
 * change of contents and of the entry (which nobody can put back). Callers at the same time share the work, which
 * does not hold the event loop. Rejects with file system errors.
 */
export async function fileDigest(path: string): Promise<string> {
  const key = await stateOf(path);
  const digest = known.get(key) ?? compute(path, key);
  remember(key, digest);
  return digest;
}

/** What is known of the files in a folder, for another process: it need not read those that are still the same. */
export function digestsOf(folder: string): KnownDigests {
  return [...known].filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && folderOf(entry[0]) === folder,
  );
}

/** Takes over what another process found out, see {@link digestsOf}. */
export function learnDigests(digests: KnownDigests): void {
  for (const [state, digest] of digests) remember(state, digest);
}

function remember(key: string, digest: string | Promise<string>): void {
  known.delete(key);
  known.set(key, digest);
  for (const oldest of known.keys()) {
    if (known.size <= REMEMBERED) break;
    known.delete(oldest);
  }
}

async function compute(path: string, key: string): Promise<string> {
  computed++;
  try {
    const digest = await sha256File(path);
    // Of a file that was written to meanwhile nobody knows which state this is the digest of.
    if ((await stateOf(path)) !== key) known.delete(key);
    else if (known.has(key)) known.set(key, digest);
    return digest;
  } catch (error) {
    known.delete(key);
    throw error;
  }
}

async function stateOf(path: string): Promise<string> {
  const { ino, dev, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return JSON.stringify([path, ...[dev, ino, size, mtimeNs, ctimeNs].map(String)]);
}

const folderOf = (state: string): string => dirname((JSON.parse(state) as [string])[0]);
