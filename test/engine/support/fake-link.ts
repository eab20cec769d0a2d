/** Workers in memory: a queue that tests fill with workers, and links to it that tests cut. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { M2fpError } from '../../../src/errors.ts';
import type {
  AnswerTerms,
  TransportFactory,
  RemoteRequest,
  WorkerAddress,
  WorkerFacts,
  WorkerTransport,
} from '../../../src/engine/remote/client/transport.ts';
import type { ChildParsing } from '../../../src/engine/protocol.ts';
import { MANIFEST } from './fakes.ts';
import { found, TIMING } from './found.ts';

export const ADDRESS: WorkerAddress = {
  url: 'redis://broker:6379',
  username: 'node-red',
  password: 'very secret',
  queue: 'people',
};

/** What a worker tells of itself, two slots for the model of the fakes. */
export function worker(facts: Partial<WorkerFacts> = {}): WorkerFacts {
  const { id = 'one' } = facts;
  return {
    id,
    host: `${id}.local`,
    pid: 4711,
    version: '0.1.0',
    manifest: MANIFEST,
    provider: 'cpu',
    fallback: null,
    threads: 4,
    slots: 2,
    loadSeconds: 1.5,
    rss: 3e8,
    ...facts,
  };
}

/** A picture that was handed over. */
export class RemoteJob {
  readonly request: RemoteRequest;
  readonly signal: AbortSignal;
  readonly terms: AnswerTerms | undefined;
  readonly promise: Promise<ChildParsing>;
  ended = false;
  #resolve!: (parsing: ChildParsing) => void;
  #reject!: (error: unknown) => void;

  constructor(request: RemoteRequest, signal: AbortSignal, terms: AnswerTerms | undefined) {
    this.request = request;
    this.terms = terms;
    this.signal = signal;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    signal.addEventListener('abort', () => this.fail(signal.reason), { once: true });
    if (signal.aborted) this.fail(signal.reason);
  }

  get text(): string {
    const { image } = this.request;
    return Buffer.isBuffer(image) ? image.toString().replace(/\0.*/, '') : 'network input';
  }

  answer(): void {
    this.ended = true;
    this.#resolve({ ...found(), labels: [this.text], timing: TIMING });
  }

  fail(error: unknown): void {
    this.ended = true;
    this.#reject(error);
  }
}

class FakeLink implements WorkerTransport {
  readonly address: WorkerAddress;
  readonly #workers: FakeWorkers;
  readonly listeners = new Set<() => void>();
  state: 'closed' | 'opening' | 'open' | 'closing' = 'closed';
  readonly own = new Set<RemoteJob>();
  #opening: Promise<void> | null = null;
  #settle: (error: M2fpError | null) => void = () => {};

  constructor(address: WorkerAddress, workers: FakeWorkers) {
    this.address = address;
    this.#workers = workers;
  }

  get workers(): readonly WorkerFacts[] {
    return this.state === 'open' && this.failure === null ? this.#workers.alive : [];
  }

  get silentFor(): number {
    return this.#workers.silentFor;
  }

  get failure(): M2fpError | null {
    return this.state === 'open' ? this.#workers.trouble : null;
  }

  open(): Promise<void> {
    if (this.state === 'open') return Promise.resolve();
    if (this.state === 'closing') throw new Error('the link is still closing');
    if (this.#opening === null) {
      this.#workers.opened++;
      this.state = 'opening';
      this.#opening = new Promise<void>((resolve, reject) => {
        this.#settle = (error) => (error === null ? resolve() : reject(error));
      });
    }
    const opening = this.#opening;
    if (!this.#workers.holdOpening) this.finishOpening();
    return opening;
  }

  finishOpening(): void {
    if (this.state === 'opening') this.#finish(this.#workers.trouble);
  }

  #finish(error: M2fpError | null): void {
    this.state = error === null ? 'open' : 'closed';
    this.#opening = null;
    this.#settle(error);
    if (error === null) this.notify();
  }

  async submit(request: RemoteRequest, signal: AbortSignal, terms?: AnswerTerms): Promise<ChildParsing> {
    if (this.state !== 'open') throw new Error('the link is not open');
    const job = new RemoteJob(request, signal, terms);
    this.own.add(job);
    this.#workers.take(job);
    return job.promise;
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async close(): Promise<void> {
    const closed = new M2fpError('M2FP_CANCELLED', 'The link was closed.');
    if (this.state === 'opening') this.#finish(closed);
    this.state = 'closing';
    for (const job of this.own) if (!job.ended) job.fail(closed);
    await nextTurn();
    this.state = 'closed';
  }

  notify(): void {
    for (const listener of this.listeners) listener();
  }
}

/** The workers of one queue, and all links to them. */
export class FakeWorkers {
  readonly links: FakeLink[] = [];
  /** In the order that they were handed over. */
  readonly jobs: RemoteJob[] = [];
  alive: WorkerFacts[];
  /** Milliseconds since one has told of itself. */
  silentFor = 0;
  /** Why there is no connection. */
  trouble: M2fpError | null = null;
  /** Whether `open` waits for {@link FakeWorkers.finishOpening}. */
  holdOpening = false;
  /** How often a link was opened. */
  opened = 0;
  /** Pictures that were handed over although all places for them were taken. */
  readonly excess: RemoteJob[] = [];

  constructor(...alive: WorkerFacts[]) {
    this.alive = alive;
  }

  readonly factory: TransportFactory = (address) => {
    const link = new FakeLink(address, this);
    this.links.push(link);
    return link;
  };

  /** Links that are open, or being opened. */
  get open(): FakeLink[] {
    return this.links.filter(({ state }) => state === 'open' || state === 'opening');
  }

  /** What workers have and have not answered yet. */
  get running(): RemoteJob[] {
    return this.jobs.filter(({ ended }) => !ended);
  }

  /** The texts of what runs. */
  get texts(): string[] {
    return this.running.map(({ text }) => text);
  }

  /** For links: what they hand over. */
  take(job: RemoteJob): void {
    const fitting = this.alive.filter(({ manifest }) => manifest.digest === job.request.digest);
    const places = this.trouble === null ? fitting.reduce((sum, { slots }) => sum + slots, 0) : 0;
    if (this.running.length >= places) this.excess.push(job);
    this.jobs.push(job);
  }

  /** From now on these work. */
  set(...alive: WorkerFacts[]): void {
    this.alive = alive;
    this.#notify();
  }

  /** The connection is lost for this reason; null: it is back. */
  cut(message: string | null): void {
    this.trouble = message === null ? null : new M2fpError('M2FP_ENGINE_UNAVAILABLE', message);
    this.#notify();
  }

  finishOpening(): void {
    for (const link of this.links) link.finishOpening();
  }

  #notify(): void {
    for (const link of this.links) if (link.state === 'open') link.notify();
  }
}
