/** One request on its way through an engine: it settles exactly once, whoever comes first. */
import { M2fpError } from '../../errors.ts';
import type { Clock } from '../../clock.ts';
import type { Parsing } from '../../parsing/types.ts';
import type { KeptResult } from './cache.ts';
import { bytesOf, type InputImage } from '../input-image.ts';
import type { ParseOptions } from '../../parsing/types.ts';
import type { RequestLimits } from '../types.ts';

export interface JobDescription {
  image: InputImage;
  options: ParseOptions;
  /** All that the result depends on beside the picture's bytes, see `variantOf`. */
  variant: string;
  limits: RequestLimits;
  /** A warm-up or a check: workers do not count it either. */
  trial: boolean;
  signal: AbortSignal | undefined;
  clock: Clock;
  /** Called when the signal cancels the job, after its promise was rejected. */
  onCancel: (job: Job) => void;
}

/** See the top of the file; made when the request comes, and in line until a process or a kept result has it. */
export class Job {
  readonly promise: Promise<Parsing>;
  readonly image: InputImage;
  readonly options: ParseOptions;
  readonly variant: string;
  readonly limits: RequestLimits;
  readonly trial: boolean;
  /** When the request came, by the clock. */
  readonly since: number;
  /** When a process began with it, by the clock; null while it waits. */
  begun: number | null = null;
  /** Its key in the cache; null where there is none, and before it is known. */
  cacheKey: string | null = null;
  /** False while its key is worked out: it waits in line for that. */
  ready = true;
  /** The result of an equal picture that was parsed while this one waited: its own when its turn comes. */
  kept: KeptResult | null = null;
  readonly #clock: Clock;
  #ended: number | null = null;
  #resolve!: (parsing: Parsing) => void;
  #reject!: (error: unknown) => void;
  readonly #stopListening: () => void;

  constructor({ image, options, variant, limits, trial, signal, clock, onCancel }: JobDescription) {
    this.image = image;
    this.options = options;
    this.variant = variant;
    this.limits = limits;
    this.trial = trial;
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

  /** Whether the results of both are the same. */
  equals(other: Job): boolean {
    return this.variant === other.variant && bytesOf(this.image).equals(bytesOf(other.image));
  }

  resolve(parsing: Parsing): void {
    this.#settle();
    this.#resolve(parsing);
  }

  /** With a result of its own that cost nothing but the wait. */
  answer(result: KeptResult): void {
    const waited = this.#clock.now() - this.since;
    const stages = { decode: 0, preprocess: 0, inference: 0, postprocess: 0 };
    const timing = { queue: waited, ...stages, total: waited };
    this.resolve({ image: this.image.source, ...result, cached: true, timing });
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
