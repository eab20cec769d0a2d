/** One child process with one loaded model: start, one request at a time, end. */
import { fork, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { asM2fpError, deserializeError, M2fpError } from '../../errors.ts';
import type { Clock, Timer } from '../../clock.ts';
import {
  isChildMessage,
  isWellFormed,
  type LoadMessage,
  type ParentMessage,
  type ParseMessage,
  type ReadyMessage,
  type ResultMessage,
} from '../protocol.ts';

/** Characters of the child's error output that are kept for the error text. */
const STDERR_TAIL = 4096;
/** A child that closed its channel is past use; this long it may take over its own exit. */
const EXIT_TIME = 1000;

/** Children that live: killed when this process exits, so that none outlasts it, not even in the middle of a run. */
const living = new Set<ChildProcess>();

function killAll(): void {
  for (const child of living) child.kill('SIGKILL');
}

export interface ProcessOptions {
  /** The file that the child runs. */
  entry: string;
  clock: Clock;
  /** Called once where the child ends, or becomes unusable, without having been told to. */
  onCrash: (error: M2fpError) => void;
}

interface Pending {
  id: number;
  /** Fulfils the request where the answer is of the kind that it expects; false where it is not. */
  accept: (answer: ReadyMessage | ResultMessage) => boolean;
  reject: (error: M2fpError) => void;
}

/** How a process ended that nobody here ended. */
function describeEnd(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === null) return `The engine process exited with code ${code}.`;
  const how = `The engine process was ended by the signal ${signal}.`;
  if (signal !== 'SIGKILL') return how;
  return `${how} That comes from outside, mostly because the system or container ran out of memory.`;
}

/**
 * Forks at once; `load` must come first and once, then `parse` any number of times, each after the one
 * before has been answered. The promise of a request always settles: with the answer, with the error that the
 * child reports, with the reason given to {@link EngineProcess.kill}, or with M2FP_ENGINE_CRASHED.
 */
export class EngineProcess {
  /** Resolves, never rejects, when the process is gone. */
  readonly ended: Promise<void>;

  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #onCrash: (error: M2fpError) => void;
  #pending: Pending | null = null;
  #lastId = 0;
  /** True once it was told to end: what happens then is no crash. */
  #dismissed = false;
  /** Why it takes no more requests, although it may not be gone yet. */
  #lost: M2fpError | null = null;
  #stderr = '';
  #killTimer: Timer | null = null;

  /** Throws M2FP_ENGINE_UNAVAILABLE where the system cannot start a process. */
  constructor({ entry, clock, onCrash }: ProcessOptions) {
    this.#clock = clock;
    this.#onCrash = onCrash;
    try {
      this.#child = fork(entry, [], {
        // Flags of the parent such as --inspect would make the child fight for the same port.
        execArgv: [],
        serialization: 'advanced',
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        windowsHide: true,
      });
    } catch (error) {
      throw asM2fpError(error, 'M2FP_ENGINE_UNAVAILABLE', 'The engine process cannot be started');
    }
    this.ended = new Promise((resolve) => this.#observe(this.#child, resolve));
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  /** False from the moment that it ends, is told to end, or stops making sense. */
  get usable(): boolean {
    const { connected, exitCode, signalCode } = this.#child;
    return connected && exitCode === null && signalCode === null && !this.#dismissed && this.#lost === null;
  }

  /** Loads the model. */
  load(message: Omit<LoadMessage, 'type' | 'id'>): Promise<ReadyMessage> {
    return this.#request({ type: 'load', ...message }, (answer) => (answer.type === 'ready' ? answer : null));
  }

  /** Parses one picture. */
  parse(message: Omit<ParseMessage, 'type' | 'id'>): Promise<ResultMessage> {
    return this.#request({ type: 'parse', ...message }, (answer) =>
      answer.type === 'result' ? answer : null,
    );
  }

  /** Asks it to end after the running request; one that still runs after `grace` milliseconds is killed. */
  stop(grace: number, reason: M2fpError): void {
    if (this.#dismissed) return;
    this.#dismissed = true;
    this.#ref(true);
    this.#post({ type: 'stop' });
    this.#killAfter(grace, () => reason);
  }

  /** Ends it at once, whatever it does; the running request fails with `reason`. */
  kill(reason: M2fpError): void {
    this.#dismissed = true;
    this.#child.kill('SIGKILL');
    this.#lose(reason);
  }

  #observe(child: ChildProcess, resolve: () => void): void {
    if (living.size === 0) process.on('exit', killAll);
    living.add(child);
    const finish = (error: M2fpError) => {
      this.#killTimer?.cancel();
      living.delete(child);
      if (living.size === 0) process.off('exit', killAll);
      this.#lose(error);
      resolve();
    };
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_TAIL);
    });
    child.on('message', (message) => this.#receive(message));
    child.on('disconnect', () => this.#killAfter(EXIT_TIME, this.#silence));
    // 'close' comes after 'exit', when the last answer and the last words have been read.
    child.on('close', (code, signal) => finish(this.#crash(describeEnd(code, signal))));
    child.on('error', (error) => {
      // Without a process id there is no process, and no 'close' will come.
      if (child.pid !== undefined) return;
      finish(asM2fpError(error, 'M2FP_ENGINE_UNAVAILABLE', 'The engine process cannot be started'));
    });
  }

  readonly #silence = (): M2fpError => this.#crash('The engine process closed its channel and was killed.');

  #crash(what: string): M2fpError {
    const words = this.#stderr.trim();
    return new M2fpError('M2FP_ENGINE_CRASHED', words === '' ? what : `${what} Its last words: ${words}`);
  }

  #request<T>(
    message: Omit<LoadMessage, 'id'> | Omit<ParseMessage, 'id'>,
    pick: (answer: ReadyMessage | ResultMessage) => T | null,
  ): Promise<T> {
    if (this.#lost !== null) return Promise.reject(this.#lost);
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      const accept: Pending['accept'] = (answer) => {
        const picked = pick(answer);
        if (picked !== null) resolve(picked);
        return picked !== null;
      };
      this.#pending = { id, accept, reject };
      this.#ref(true);
      try {
        this.#post({ ...message, id });
      } catch (error) {
        // What cannot be serialised was not sent: the child knows nothing of it and stays usable.
        this.#takePending()?.reject(
          asM2fpError(error, 'M2FP_BAD_IMAGE', 'The picture cannot be sent to the engine'),
        );
      }
    });
  }

  /** Throws where the message cannot be serialised. A child that cannot be reached is about to end. */
  #post(message: ParentMessage): void {
    if (!this.#child.connected) return;
    this.#child.send(message, (error) => {
      if (error !== null) this.#killAfter(EXIT_TIME, this.#silence);
    });
  }

  #receive(message: unknown): void {
    if (!isChildMessage(message) || this.#lost !== null) return;
    const pending = this.#pending;
    if (pending === null || !isWellFormed(message) || message.id !== pending.id) {
      this.#break(message.type);
    } else if (message.type === 'error') {
      this.#takePending();
      pending.reject(deserializeError(message.error, 'M2FP_ENGINE_CRASHED'));
    } else if (pending.accept(message)) {
      this.#takePending();
    } else {
      this.#break(message.type);
    }
  }

  /** A child that has lost the thread cannot be trusted with the next picture. */
  #break(type: string): void {
    this.#child.kill('SIGKILL');
    this.#lose(
      this.#crash(`The engine process sent a message of type "${type}" out of turn and was killed.`),
    );
  }

  /** Tells the owner first, so that it does not give the next request to a lost child. */
  #lose(error: M2fpError): void {
    if (this.#lost !== null) return;
    this.#lost = error;
    this.#ref(true);
    if (!this.#dismissed) this.#onCrash(error);
    this.#takePending()?.reject(error);
  }

  #takePending(): Pending | null {
    const pending = this.#pending;
    this.#pending = null;
    if (!this.#dismissed && this.#lost === null) this.#ref(false);
    return pending;
  }

  #killAfter(ms: number, reason: () => M2fpError): void {
    if (!living.has(this.#child)) return;
    this.#killTimer?.cancel();
    this.#killTimer = this.#clock.after(ms, () => {
      this.#child.kill('SIGKILL');
      this.#lose(reason());
    });
  }

  /** An idle child does not keep this process alive; one with work, or on its way out, does. */
  #ref(busy: boolean): void {
    const { channel, stderr } = this.#child;
    const pipe = stderr instanceof Socket ? stderr : null;
    for (const handle of [this.#child, channel, pipe]) {
      if (busy) handle?.ref();
      else handle?.unref();
    }
  }
}
