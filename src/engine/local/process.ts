/** One child process with one loaded model: start, one request at a time, end. */
import { Socket } from 'node:net';
import { type Child, crash, crashed, startChild } from '../../child-process.ts';
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

/** What users know it by. */
const NAME = 'engine process';
/** A child that closed its channel is past use; this long it may take over its own exit. */
const EXIT_TIME = 1000;

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

/**
 * Forks at once; `load` must come first and once, then `parse` any number of times, each after the one
 * before has been answered. The promise of a request always settles: with the answer, with the error that the
 * child reports, with the reason given to {@link EngineProcess.kill}, or with M2FP_ENGINE_CRASHED.
 */
export class EngineProcess {
  /** Resolves, never rejects, when the process is gone. */
  readonly ended: Promise<void>;

  readonly #child: Child;
  readonly #clock: Clock;
  readonly #onCrash: (error: M2fpError) => void;
  #pending: Pending | null = null;
  #lastId = 0;
  /** True once it was told to end: what happens then is no crash. */
  #dismissed = false;
  /** Why it takes no more requests, although it may not be gone yet. */
  #lost: M2fpError | null = null;
  #killTimer: Timer | null = null;
  #gone = false;

  /** Throws M2FP_ENGINE_UNAVAILABLE where the system cannot start a process. */
  constructor({ entry, clock, onCrash }: ProcessOptions) {
    this.#clock = clock;
    this.#onCrash = onCrash;
    this.#child = startChild(NAME, entry, { serialization: 'advanced' });
    const { process } = this.#child;
    process.on('message', (message) => this.#receive(message));
    process.on('disconnect', () => this.#killAfter(EXIT_TIME, this.#silence));
    this.ended = this.#child.ended
      .then(
        (end) => crash(NAME, end),
        (error: M2fpError) => error,
      )
      .then((error) => {
        this.#gone = true;
        this.#killTimer?.cancel();
        this.#lose(error);
        return undefined;
      });
  }

  get pid(): number | null {
    return this.#child.process.pid ?? null;
  }

  /** False from the moment that it ends, is told to end, or stops making sense. */
  get usable(): boolean {
    const { connected, exitCode, signalCode } = this.#child.process;
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

  /** Asks it to end after the running request; one that still runs after `shutdownGrace` milliseconds is killed. */
  stop(shutdownGrace: number, reason: M2fpError): void {
    if (this.#dismissed) return;
    this.#dismissed = true;
    this.#ref(true);
    this.#post({ type: 'stop' });
    this.#killAfter(shutdownGrace, () => reason);
  }

  /** Ends it at once, whatever it does; the running request fails with `reason`. */
  kill(reason: M2fpError): void {
    this.#dismissed = true;
    this.#child.process.kill('SIGKILL');
    this.#lose(reason);
  }

  readonly #silence = (): M2fpError => this.#crash('The engine process closed its channel and was killed.');

  #crash(what: string): M2fpError {
    return crashed(what, this.#child.words());
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
    const { process } = this.#child;
    if (!process.connected) return;
    process.send(message, (error) => {
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
    this.#child.process.kill('SIGKILL');
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
    if (this.#gone) return;
    this.#killTimer?.cancel();
    this.#killTimer = this.#clock.after(ms, () => {
      this.#child.process.kill('SIGKILL');
      this.#lose(reason());
    });
  }

  /** An idle child does not keep this process alive; one with work, or on its way out, does. */
  #ref(busy: boolean): void {
    const { process } = this.#child;
    const { channel, stderr } = process;
    const pipe = stderr instanceof Socket ? stderr : null;
    for (const handle of [process, channel, pipe]) {
      if (busy) handle?.ref();
      else handle?.unref();
    }
  }
}
