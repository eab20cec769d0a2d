/**
 * A long job on a model in a process of its own: whoever asks for it, Node-RED above all, stays responsive and small,
 * and an abort ends it at any time. Its process calls `doOneJob` of `one-job-child.ts`.
 */
import { resolve } from 'node:path';
import { type Child, crash, startChild } from '../child-process.ts';
import { deserializeError, type SerializedError } from '../errors.ts';
import { throwIfCancelled } from './cancel.ts';
import { writeBeside } from './write-beside.ts';

type Answer<Result> = { type: 'done'; result: Result } | { type: 'error'; error: SerializedError };

/** What the process sends. */
export type JobMessage<Result> = { type: 'progress'; share: number } | Answer<Result>;

export interface JobOptions {
  /** Share of the job done, 0 to 1. */
  onProgress?: ((share: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** What a process is asked for that makes a model: it writes the files into the empty folder `into`. */
export type Into<Request> = Request & { into: string };

/**
 * Has the process `entry` do a job. An abort kills it.
 * @param name what users know the process by
 * @throws what the job throws; M2fpError M2FP_ENGINE_CRASHED with the exit code or signal where the process fails
 *   otherwise; M2FP_ENGINE_UNAVAILABLE where none can be started; M2FP_CANCELLED
 */
export async function jobInProcess<Request extends object, Result>(
  name: string,
  entry: string,
  request: Request,
  { signal, onProgress }: JobOptions,
): Promise<Result> {
  throwIfCancelled(signal);
  const child = startChild(name, entry);
  const kill = () => void child.process.kill('SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  try {
    child.process.send(request, () => {
      // A child that cannot be reached is about to end, and its end is told.
    });
    const answer = await answerOf<Result>(name, child, onProgress);
    if (answer.type === 'error') throw deserializeError(answer.error, 'M2FP_ENGINE_CRASHED');
    return answer.result;
  } catch (error) {
    throwIfCancelled(signal);
    throw error;
  } finally {
    signal?.removeEventListener('abort', kill);
  }
}

/**
 * Has the process `entry` make the model folder `request.out`: beside it, from where this process moves it to its place.
 * Wherever an abort or a crash meets it, nothing of it is left.
 * @throws as {@link jobInProcess} and {@link writeBeside} do
 */
export function modelInProcess<Request extends { out: string }, Result>(
  name: string,
  entry: string,
  request: Request,
  options: JobOptions,
): Promise<Result> {
  const { out, ...rest } = request;
  return writeBeside(out, options.signal, (into) => {
    const whole = { ...rest, out: resolve(out), into };
    return jobInProcess<typeof whole, Result>(name, entry, whole, options);
  });
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
