/** Conversion in a process of its own: whoever asks for it, Node-RED above all, stays responsive and small. */
import { fork, type ChildProcess } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { asM2fpError, deserializeError, M2fpError, type SerializedError } from '../errors.ts';
import { entryPoint } from '../paths.ts';
import { throwIfCancelled } from './cancel.ts';
import type { Conversion, ConvertOptions } from './convert.ts';
import { makeFolder } from './folders.ts';
import { partialPrefix } from './partial.ts';

/** Characters of the child's error output that are kept for the error text. */
const STDERR_TAIL = 4096;

/** What crosses the process boundary of {@link ConvertOptions}. */
export type ConvertRequest = Omit<ConvertOptions, 'onProgress' | 'signal'>;

export type ConvertMessage =
  | { type: 'progress'; share: number }
  | { type: 'done'; conversion: Conversion }
  | { type: 'error'; error: SerializedError };

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
    return await convertIn(start(entry), { ...request, out }, signal, onProgress);
  } finally {
    await leave();
  }
}

async function convertIn(
  child: ChildProcess,
  request: ConvertRequest,
  signal: AbortSignal | undefined,
  onProgress: ((share: number) => void) | undefined,
): Promise<Conversion> {
  const kill = () => void child.kill('SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  process.once('exit', kill);
  try {
    child.send(request, () => {
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
    process.off('exit', kill);
    await removePartial(request.out, child.pid);
  }
}

function start(entry: string): ChildProcess {
  try {
    return fork(entry, [], {
      // Flags of the parent such as --inspect would make the child fight for the same port.
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      windowsHide: true,
    });
  } catch (error) {
    throw asM2fpError(error, 'M2FP_ENGINE_UNAVAILABLE', 'The conversion process cannot be started');
  }
}

/** The child's last message, when it is gone: only then is everything that it had open closed. */
function answerOf(
  child: ChildProcess,
  onProgress: ((share: number) => void) | undefined,
): Promise<Exclude<ConvertMessage, { type: 'progress' }>> {
  return new Promise((fulfil, reject) => {
    let answer: Exclude<ConvertMessage, { type: 'progress' }> | undefined;
    let words = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-STDERR_TAIL);
    });
    child.on('message', (message: Partial<ConvertMessage>) => {
      // Others do come through the channel: under `node --watch` every child reports the files that it imports.
      if (message.type === 'progress') onProgress?.((message as { share: number }).share);
      else if (message.type === 'done' || message.type === 'error') {
        answer = message as Exclude<ConvertMessage, { type: 'progress' }>;
      }
    });
    child.on('error', (error) => {
      // Without a process id there is no process, and no 'close' will come.
      if (child.pid !== undefined) return;
      reject(asM2fpError(error, 'M2FP_ENGINE_UNAVAILABLE', 'The conversion process cannot be started'));
    });
    child.on('close', (code, signal) => {
      if (answer !== undefined) fulfil(answer);
      else reject(crash(code, signal, words.trim()));
    });
  });
}

function crash(code: number | null, signal: NodeJS.Signals | null, words: string): M2fpError {
  const end =
    signal === null
      ? `The conversion process exited with code ${code}.`
      : `The conversion process was ended by the signal ${signal}.`;
  const reason =
    signal === 'SIGKILL'
      ? ' That comes from outside, mostly because the system or container ran out of memory.'
      : '';
  const last = words === '' ? '' : ` Its last words: ${words}`;
  return new M2fpError('M2FP_ENGINE_CRASHED', `${end}${reason}${last}`);
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
