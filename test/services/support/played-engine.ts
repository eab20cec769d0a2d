/** An engine that a test plays: it says when pictures come, and what becomes of them. */
import type { Engine, EngineInfo, EngineListener, ParseRequest } from '../../../src/engine/index.ts';
import { deserializeError, type M2fpError } from '../../../src/errors.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { bundled } from '../../support/bundled.ts';

/** Of the picture that the tests send, pixels. */
const SIZE = { width: 448, height: 448 };

/** A picture that the engine has. */
export interface PlayedJob {
  request: ParseRequest;
  /** Nobody is in the picture, unless the test says who. */
  resolve: (parsing?: Parsing) => void;
  reject: (error: unknown) => void;
  /** Resolves when it is not wanted any more. */
  aborted: Promise<void>;
}

export class PlayedEngine implements Engine {
  readonly #digest: string;
  readonly #listeners = new Set<EngineListener>();
  #failure: EngineInfo['failure'] = null;
  #taker!: (job: PlayedJob) => void;
  #nextJob!: Promise<PlayedJob>;

  constructor(digest = bundled.digest) {
    this.#digest = digest;
    this.#await();
  }

  /** The picture that comes next. */
  nextJob(): Promise<PlayedJob> {
    return this.#nextJob;
  }

  /**
   * Answers what comes by itself from now on.
   * @param parsingOf what is in a picture; undefined: nobody
   */
  answerAll(parsingOf: (request: ParseRequest) => Parsing | undefined = () => undefined): void {
    const answer = async (): Promise<never> => {
      for (;;) {
        const { request, resolve } = await this.#nextJob;
        resolve(parsingOf(request));
      }
    };
    void answer();
  }

  /** What waits fails with it, too. */
  get failure(): M2fpError | null {
    return this.#failure === null ? null : deserializeError(this.#failure, 'M2FP_ENGINE_CRASHED');
  }

  /** As after too many crashes. */
  giveUp(message: string): void {
    this.#failure = { name: 'M2fpError', code: 'M2FP_ENGINE_CRASHED', message };
    for (const listener of this.#listeners) listener(this.info());
  }

  load(): Promise<EngineInfo> {
    return Promise.resolve(this.info());
  }

  parse(request: ParseRequest): Promise<Parsing> {
    const { signal } = request;
    const taker = this.#taker;
    this.#await();
    return new Promise((resolve, reject) => {
      const aborted = new Promise<void>((tell) => {
        signal?.addEventListener('abort', () => {
          reject(signal.reason as Error);
          tell();
        });
      });
      taker({ request, resolve: (parsing = this.#parsing()) => resolve(parsing), reject, aborted });
    });
  }

  info(): EngineInfo {
    return {
      state: this.#failure === null ? 'ready' : 'failed',
      manifest: { ...bundled, digest: this.#digest },
      provider: 'cpu',
      fallback: null,
      loadSeconds: 1,
      waiting: 0,
      maxQueue: 32,
      cache: null,
      running: 0,
      threads: 1,
      processes: [{ pid: 1, state: 'ready', restarts: 0, rss: 1000 }],
      pid: 1,
      restarts: 0,
      failure: this.#failure,
      retryIn: null,
      disconnected: null,
    };
  }

  subscribe(listener: EngineListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  unload(): Promise<void> {
    return Promise.resolve();
  }

  restart(): Promise<EngineInfo> {
    return this.load();
  }

  replaceOlder(): void {}

  #await(): void {
    this.#nextJob = new Promise((resolve) => (this.#taker = resolve));
  }

  #parsing(): Parsing {
    return {
      image: Buffer.alloc(0),
      ...SIZE,
      labels: bundled.labels,
      labelMap: Buffer.alloc(SIZE.width * SIZE.height),
      personMap: Buffer.alloc(SIZE.width * SIZE.height),
      persons: [],
      parts: [],
      doubtful: { persons: [], parts: [] },
      model: { id: bundled.id, digest: this.#digest, precision: 'fp16', provider: 'cpu' },
      cached: false,
      timing: { queue: 0, decode: 1, preprocess: 1, inference: 1, postprocess: 1, total: 4 },
    };
  }
}
