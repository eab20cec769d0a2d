/** The other end of `one-job.ts`: in the process that does the job. */
import { constants, setPriority } from 'node:os';
import { serializeError } from '../errors.ts';
import type { JobMessage, JobOptions } from './one-job.ts';

/** Progress is told in steps of this share: each message wakes the parent. */
const STEP = 0.01;

/**
 * Waits for the request, does the job at low priority, answers and ends. The job is aborted where the parent is gone.
 * @param title of the process, as the system lists it
 * @param isShort a job of some seconds keeps the priority of its parent
 */
export function doOneJob<Request, Result>(
  title: string,
  job: (request: Request & Required<JobOptions>) => Promise<Result>,
  isShort = false,
): void {
  process.title = title;
  try {
    if (!isShort) setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // A system that does not allow it runs the job like everything else.
  }
  const orphaned = new AbortController();
  // A terminal's Ctrl+C reaches every process of the group. The parent ends this one, or closes the channel.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  process.on('disconnect', () => orphaned.abort());

  const answer = async (request: Request): Promise<JobMessage<Result>> => {
    let told = 0;
    const onProgress = (share: number) => {
      if (share < 1 && share - told < STEP) return;
      told = share;
      void send({ type: 'progress', share });
    };
    try {
      return { type: 'done', result: await job({ ...request, onProgress, signal: orphaned.signal }) };
    } catch (error) {
      return { type: 'error', error: serializeError(error) };
    }
  };
  process.once('message', (request: Request) => {
    void (async () => {
      await send(await answer(request));
      if (process.connected) process.disconnect();
    })();
  });
}

/** Resolves when the message is on its way: an exit before that would lose it. */
function send(message: JobMessage<unknown>): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected) resolve();
    else process.send?.(message, undefined, undefined, () => resolve());
  });
}
