/** One of those who ask for the same picture: told exactly once, by whoever comes first. */
import { M2fpError } from '../errors.ts';
import type { Parsing, Timing } from '../parsing/types.ts';
import type { KeptResult } from './cache.ts';
import type { Picture } from './picture.ts';

export interface AskerDescription {
  picture: Picture;
  signal: AbortSignal | undefined;
  /** Milliseconds by the engine's clock. */
  now: () => number;
  /** Called when the signal cancels the asker, after its promise was rejected. */
  onLeave: (asker: Asker) => void;
}

export class Asker {
  readonly promise: Promise<Parsing>;
  readonly #picture: Picture;
  readonly #now: () => number;
  readonly #since: number;
  #resolve!: (parsing: Parsing) => void;
  #reject!: (error: unknown) => void;
  readonly #stopListening: () => void;
  #told = false;

  constructor({ picture, signal, now, onLeave }: AskerDescription) {
    this.#picture = picture;
    this.#now = now;
    this.#since = now();
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const leave = (): void => {
      this.reject(new M2fpError('M2FP_CANCELLED', 'The request was cancelled.', { cause: signal?.reason }));
      onLeave(this);
    };
    signal?.addEventListener('abort', leave, { once: true });
    this.#stopListening = () => signal?.removeEventListener('abort', leave);
  }

  get told(): boolean {
    return this.#told;
  }

  /** The result that was worked out for this very asker. */
  resolve(parsing: Parsing): void {
    this.#tell();
    this.#resolve(parsing);
  }

  /** A result of its own that was worked out for another one, who has left. */
  inherit(result: KeptResult, timing: Timing): void {
    const { source } = this.#picture;
    this.resolve({ image: source, ...result, cached: false, timing: { ...timing, total: this.#age() } });
  }

  /** A result of its own that cost nothing. */
  answer(result: KeptResult): void {
    const timing = { queue: 0, decode: 0, preprocess: 0, inference: 0, postprocess: 0, total: this.#age() };
    this.resolve({ image: this.#picture.source, ...result, cached: true, timing });
  }

  reject(error: unknown): void {
    this.#tell();
    this.#reject(error);
  }

  #age(): number {
    return this.#now() - this.#since;
  }

  #tell(): void {
    this.#told = true;
    this.#stopListening();
  }
}
