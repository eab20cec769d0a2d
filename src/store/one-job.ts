/**
 * A long job on a model in a process of its own: whoever asks for it, Node-RED above all, stays responsive and small,
 * and an abort ends it at any time. Its process calls `doOneJob` of `one-job-child.ts`.
 */
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Child, crash, startChild } from '../child-process.ts';
import { deserializeError, type SerializedError } from '../errors.ts';
import { throwIfCancelled } from './cancel.ts';
import { makeFolder } from './folders.ts';
import { partialPrefix } from './partial.ts';

type Answer<Result> = { type: 'done'; result: Result } | { type: 'error'; error: SerializedError };

/** What the process sends. */
export type JobMessage<Result> = { type: 'progress'; share: number } | Answer<Result>;

export interface JobOptions {
  /** Share of the job done, 0 to 1. */
  onProgress?: ((share: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Has the process `entry` do a job that makes the model folder `request.out`. An abort kills it; what it has made beside
 * `out` by then is removed.
 * @param name what users know the process by
 * @throws what the job throws; M2fpError M2FP_ENGINE_CRASHED with the exit code or signal where the process fails
 *   otherwise; M2FP_ENGINE_UNAVAILABLE where none can be started; M2FP_CANCELLED
 */
export async function jobInProcess<Request extends { out: string }, Result>(
  name: string,
  entry: string,
  request: Request,
  { signal, onProgress }: JobOptions,
): Promise<Result> {
  throwIfCancelled(signal);
  const out = resolve(request.out);
  // Here already: a child that is killed could not remove those that it made.
  const leave = await makeFolder(dirname(out));
  try {
    throwIfCancelled(signal);
    const child = startChild(name, entry);
    const kill = () => void child.process.kill('SIGKILL');
    signal?.addEventListener('abort', kill, { once: true });
    try {
      child.process.send({ ...request, out }, () => {
        // A child that cannot be reached is about to end, and its end is told.
      });
      const answer = await answerOf<Result>(name, child, onProgress);
      throwIfCancelled(signal);
      if (answer.type === 'error') throw deserializeError(answer.error, 'M2FP_ENGINE_CRASHED');
      return answer.result;
    } catch (error) {
      throwIfCancelled(signal);
      throw error;
    } finally {
      signal?.removeEventListener('abort', kill);
      await removePartial(out, child.process.pid);
    }
  } finally {
    await leave();
  }
}

/** The child's last message, when it is gone: only then is everything that it had open closed. */
async function answerOf<Result>(
  name: string,
  { process, ended }: Child,
  onProgress: JobOptions['onProgress'],
): Promise<Answer<Result>> {
  let answer: Answer<Result> | undefined;
  process.on('message', (message: Partial<JobMessage<Result>>) => {
    // Others do come through the channel: under `node --watch` every child reports the files that it imports.
    if (message.type === 'progress') onProgress?.((message as { share: number }).share);
    else if (message.type === 'done' || message.type === 'error') answer = message as Answer<Result>;
  });
  const end = await ended;
  if (answer === undefined) throw crash(name, end);
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
