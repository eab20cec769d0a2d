/** One request on its way through an engine: it settles exactly once, whoever comes first. */
import { M2fpError } from '../errors.ts';
import type { Clock } from '../clock.ts';
import type { Parsing } from '../parsing/types.ts';
import type { Picture } from './picture.ts';
import type { ParseOptions } from './types.ts';

export interface JobDescription {
  picture: Picture;
  options: ParseOptions;
  signal: AbortSignal | undefined;
  clock: Clock;
  /** Called when the signal cancels the job, after its promise was rejected. */
  onCancel: (job: Job) => void;
}

export class Job {
  readonly promise: Promise<Parsing>;
  readonly picture: Picture;
  readonly options: ParseOptions;
  /** When the request came, by the clock. */
  readonly since: number;
  /** When a process began with it, by the clock; null while it waits. */
  begun: number | null = null;
  readonly #clock: Clock;
  #ended: number | null = null;
  #resolve!: (parsing: Parsing) => void;
  #reject!: (error: unknown) => void;
  readonly #stopListening: () => void;

  constructor({ picture, options, signal, clock, onCancel }: JobDescription) {
    this.picture = picture;
    this.options = options;
    this.#clock = clock;
    this.since = clock.now();
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const cancel = () => {
      this.reject(new M2fpError('M2FP_CANCELLED', 'The request was cancelled.', { cause: signal?.reason }));
      onCancel(this);
    };
    signal?.addEventListener('abort', cancel, { once: true });
    this.#stopListening = () => signal?.removeEventListener('abort', cancel);
  }

  /** True once its caller has an answer, if only that of having cancelled: what still runs is for nobody. */
  get settled(): boolean {
    return this.#ended !== null;
  }

  /** Milliseconds in the line so far. */
  get queued(): number {
    return (this.begun ?? this.#ended ?? this.#clock.now()) - this.since;
  }

  resolve(parsing: Parsing): void {
    this.#settle();
    this.#resolve(parsing);
  }

  reject(error: unknown): void {
    this.#settle();
    this.#reject(error);
  }

  #settle(): void {
    this.#ended ??= this.#clock.now();
    this.#stopListening();
  }
}
