/** One request on its way through an engine: it settles exactly once, whoever comes first. */
import { M2fpError } from '../errors.ts';
import type { Parsing } from '../parsing/types.ts';
import type { Picture } from './picture.ts';
import type { ParseOptions } from './types.ts';

export interface JobDescription {
  picture: Picture;
  options: ParseOptions;
  signal: AbortSignal | undefined;
  /** When the request came, by the engine's clock. */
  since: number;
  /** Called when the signal cancels the job, after its promise was rejected. */
  onCancel: (job: Job) => void;
}

export class Job {
  readonly promise: Promise<Parsing>;
  readonly picture: Picture;
  readonly options: ParseOptions;
  readonly since: number;
  #resolve!: (parsing: Parsing) => void;
  #reject!: (error: unknown) => void;
  readonly #stopListening: () => void;

  constructor({ picture, options, signal, since, onCancel }: JobDescription) {
    this.picture = picture;
    this.options = options;
    this.since = since;
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

  resolve(parsing: Parsing): void {
    this.#stopListening();
    this.#resolve(parsing);
  }

  reject(error: unknown): void {
    this.#stopListening();
    this.#reject(error);
  }
}
