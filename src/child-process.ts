/** Child processes of our own: how they begin, what they said last, how they ended; and none outlasts this process. */
import { type ChildProcess, fork, type ForkOptions, spawn } from 'node:child_process';
import { asM2fpError, M2fpError } from './errors.ts';

/** Characters of a child's error output that are kept. */
const STDERR_TAIL = 4096;

/** Children that live: killed when this process exits, also in the middle of their work. */
const living = new Set<ChildProcess>();

function killAll(): void {
  for (const child of living) {
    child.kill('SIGKILL');
    if (leaders.has(child)) signalGroup(child, 'SIGKILL');
  }
}

/** Of {@link living}, those that lead a process group of their own. */
const leaders = new WeakSet<ChildProcess>();

/** How a child ended that nobody here ended. */
export interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The end of its error output, trimmed. */
  words: string;
}

export interface Child {
  process: ChildProcess;
  /**
   * Resolves when the child is gone, and everything that it sent has been read.
   * @throws {M2fpError} `M2FP_ENGINE_UNAVAILABLE` where the system did not start it
   */
  ended: Promise<End>;
  /** The end of its error output so far, trimmed. */
  words(): string;
}

/** A program of which also those programs are ended that it has started: it may be a script around the one that was meant. */
export interface Program extends Child {
  /** To all of them, also where the first one is gone. */
  kill(signal: NodeJS.Signals): void;
  /** Reads no more: who holds a pipe open without saying anything holds nobody up. */
  hangUp(): void;
}

export interface ChildOptions extends Pick<ForkOptions, 'serialization' | 'timeout'> {
  args?: string[];
  /** Of Node.js. Those of this process are not the child's: with `--inspect`, both would want the same port. */
  execArgv?: string[];
}

/**
 * Starts `file` with a channel for messages.
 * @param name what users know it by, such as `engine process`
 * @throws {M2fpError} `M2FP_ENGINE_UNAVAILABLE` where the system cannot start a process
 */
export function startChild(name: string, file: string, options: ChildOptions = {}): Child {
  const { args = [], execArgv = [], ...rest } = options;
  const notStarted = (error: unknown): M2fpError =>
    asM2fpError(error, 'M2FP_ENGINE_UNAVAILABLE', `The ${name} cannot be started`);
  let child: ChildProcess;
  try {
    child = fork(file, args, {
      ...rest,
      execArgv,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      windowsHide: true,
    });
  } catch (error) {
    throw notStarted(error);
  }
  return watched(child, notStarted);
}

/**
 * Starts a program of the system, without a shell: its standard input and output are pipes.
 * @param file its name, looked for on the PATH, or its path
 * @throws the system's own error where it cannot be started, from here or from `ended`
 */
export function startProgram(file: string, args: readonly string[]): Child {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true });
  return watched(child, (error) => error);
}

/**
 * Starts a program that a user has named: whatever that starts in its turn is in its group, and ends with it.
 * @param file its name, looked for on the PATH, or its path
 * @throws the system's own error where it cannot be started, from here or from `ended`
 */
export function startGroup(file: string, args: readonly string[]): Program {
  const child = spawn(file, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
    // On Windows that would open a window, and there are no groups.
    detached: process.platform !== 'win32',
  });
  leaders.add(child);
  return {
    ...watched(child, (error) => error),
    kill: (signal) => {
      child.kill(signal);
      signalGroup(child, signal);
    },
    hangUp: () => {
      for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe?.destroy();
    },
  };
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined || process.platform === 'win32') return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left in it.
  }
}

/** Kills `child` when this process exits, and listens to what it says and how it ends. */
function watched(child: ChildProcess, notStarted: (error: unknown) => unknown): Child {
  // Before the folders go that they write to.
  if (living.size === 0) process.prependListener('exit', killAll);
  living.add(child);
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-STDERR_TAIL);
  });
  const ended = new Promise<End>((resolve, reject) => {
    // 'close' comes after 'exit', when the last answer and the last words have been read.
    child.on('close', (code, signal) => resolve({ code, signal, words: words.trim() }));
    child.on('error', (error) => {
      // Without a process id there is no process, and no 'close' will come.
      if (child.pid === undefined) reject(notStarted(error));
    });
  }).finally(() => {
    living.delete(child);
    if (living.size === 0) process.off('exit', killAll);
  });
  return { process: child, ended, words: () => words.trim() };
}

/** The error for a child that ended before it had done its work. */
export function crash(name: string, { code, signal, words }: End): M2fpError {
  const how = signal === null ? `exited with code ${code}` : `was ended by the signal ${signal}`;
  const reason =
    signal === 'SIGKILL'
      ? ' That comes from outside, mostly because the system or container ran out of memory.'
      : '';
  return crashed(`The ${name} ${how}.${reason}`, words);
}

/** The error for a child that is past use, with what it said last. */
export function crashed(what: string, words: string): M2fpError {
  return new M2fpError('M2FP_ENGINE_CRASHED', words === '' ? what : `${what} Its last words: ${words}`);
}
