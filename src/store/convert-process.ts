/** Conversion in a process of its own: whoever asks for it, Node-RED above all, stays responsive and small. */
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Child, crash, startChild } from '../child-process.ts';
import { deserializeError, type SerializedError } from '../errors.ts';
import { entryPoint } from '../paths.ts';
import { throwIfCancelled } from './cancel.ts';
import type { Conversion, ConvertOptions } from './convert.ts';
import { makeFolder } from './folders.ts';
import { partialPrefix } from './partial.ts';

/** What users know it by. */
const NAME = 'conversion process';

/** What crosses the process boundary of {@link ConvertOptions}. */
export type ConvertRequest = Omit<ConvertOptions, 'onProgress' | 'signal'>;

export type ConvertMessage = { type: 'progress'; share: number } | ConvertAnswer;

type ConvertAnswer = { type: 'done'; conversion: Conversion } | { type: 'error'; error: SerializedError };

export interface ConvertProcessOptions extends ConvertOptions {
  /** The program to run instead of ours, for tests. */
  entry?: string;
}

/**
 * Does what `convertCheckpoint` does, in a child process of low priority. An abort kills it.
 * @throws M2fpError as `convertCheckpoint` does; M2FP_ENGINE_CRASHED with the exit code or signal where the process
 *   fails otherwise; M2FP_ENGINE_UNAVAILABLE where none can be started; M2FP_CANCELLED
 */
export async function convertInProcess({
  entry = entryPoint('store/convert-child'),
  signal,
  onProgress,
  ...request
}: ConvertProcessOptions): Promise<Conversion> {
  throwIfCancelled(signal);
  const out = resolve(request.out);
  // Here already: a child that is killed could not remove those that it made.
  const leave = await makeFolder(dirname(out));
  try {
    throwIfCancelled(signal);
    return await convertIn(startChild(NAME, entry), { ...request, out }, signal, onProgress);
  } finally {
    await leave();
  }
}

async function convertIn(
  child: Child,
  request: ConvertRequest,
  signal: AbortSignal | undefined,
  onProgress: ((share: number) => void) | undefined,
): Promise<Conversion> {
  const { process } = child;
  const kill = () => void process.kill('SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  try {
    process.send(request, () => {
      // A child that cannot be reached is about to end, and its end is told.
    });
    const answer = await answerOf(child, onProgress);
    throwIfCancelled(signal);
    if (answer.type === 'error') throw deserializeError(answer.error, 'M2FP_ENGINE_CRASHED');
    return answer.conversion;
  } catch (error) {
    throwIfCancelled(signal);
    throw error;
  } finally {
    signal?.removeEventListener('abort', kill);
    await removePartial(request.out, process.pid);
  }
}

/** The child's last message, when it is gone: only then is everything that it had open closed. */
async function answerOf(
  { process, ended }: Child,
  onProgress: ((share: number) => void) | undefined,
): Promise<ConvertAnswer> {
  let answer: ConvertAnswer | undefined;
  process.on('message', (message: Partial<ConvertMessage>) => {
    // Others do come through the channel: under `node --watch` every child reports the files that it imports.
    if (message.type === 'progress') onProgress?.((message as { share: number }).share);
    else if (message.type === 'done' || message.type === 'error') answer = message as ConvertAnswer;
  });
  const end = await ended;
  if (answer === undefined) throw crash(NAME, end);
  return answer;
}

/** What a killed child could not remove itself. */
async function removePartial(out: string, pid: number | undefined): Promise<void> {
  if (pid === undefined) return;
  const prefix = basename(partialPrefix(out, pid));
  const names = await readdir(dirname(out)).catch(() => []);
  await Promise.all(
    names
      .filter((name) => name.startsWith(prefix))
      .map((name) => rm(join(dirname(out), name), { recursive: true, force: true })),
  );
}
