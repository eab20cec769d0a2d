/** The way to workers through BullMQ on Redis. */
import { Listeners } from '../../../async.ts';
import { M2fpError } from '../../../errors.ts';
import { DEFAULT_LIMITS } from '../../../image/limits.ts';
import type { ChildParsing } from '../../protocol.ts';
import { misfit } from './answer-fit.ts';
import type { BullClient } from './bull-client.ts';
import type {
  AnswerTerms,
  TransportFactory,
  RemoteRequest,
  WorkerAddress,
  WorkerFacts,
  WorkerTransport,
} from './transport.ts';
import { TIMES, type Times } from '../redis/settings.ts';

/** A link to the workers of a queue on a Redis. */
export const bullLink: TransportFactory = (address) => new BullLink(address);

/** What lives only while it is open is in a {@link BullClient}; with it, its libraries are loaded. */
export class BullLink implements WorkerTransport {
  readonly #address: WorkerAddress;
  readonly #times: Times;
  readonly #listeners = new Listeners<void>();
  #client: BullClient | null = null;
  #opening: { promise: Promise<void>; abort: AbortController } | null = null;

  constructor(address: WorkerAddress, times: Partial<Times> = {}) {
    this.#address = address;
    this.#times = { ...TIMES, ...times };
  }

  get workers(): readonly WorkerFacts[] {
    return this.#client?.workers ?? [];
  }

  get silentFor(): number {
    return this.#client?.silentFor ?? 0;
  }

  get failure(): M2fpError | null {
    return this.#client?.failure ?? null;
  }

  open(): Promise<void> {
    if (this.#client !== null) return Promise.resolve();
    if (this.#opening === null) {
      const abort = new AbortController();
      const promise = this.#open(abort.signal).finally(() => (this.#opening = null));
      this.#opening = { promise, abort };
    }
    return this.#opening.promise;
  }

  async submit(
    request: RemoteRequest,
    signal: AbortSignal,
    { maxPixels = DEFAULT_LIMITS.maxPixels, model }: AnswerTerms = {},
  ): Promise<ChildParsing> {
    signal.throwIfAborted();
    if (this.#client === null)
      throw new M2fpError('M2FP_ENGINE_UNAVAILABLE', 'There is no connection to workers yet.');
    const parsing = await this.#client.submit(request, signal, maxPixels);
    const fault = model === undefined ? null : misfit(parsing, request, model);
    if (fault === null) return parsing;
    throw new M2fpError(
      'M2FP_ENGINE_UNAVAILABLE',
      `What the worker answered does not fit what was asked: ${fault}.`,
    );
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    const opening = this.#opening;
    opening?.abort.abort(
      new M2fpError('M2FP_CANCELLED', 'The connection to the workers was closed while it was made.'),
    );
    const client = this.#client;
    this.#client = null;
    await client?.close();
    await opening?.promise.catch(() => {});
  }

  async #open(signal: AbortSignal): Promise<void> {
    const { BullClient } = await import('./bull-client.ts');
    const client = await BullClient.open(this.#address, this.#times, () => this.#listeners.notify(), signal);
    if (signal.aborted) await client.close();
    signal.throwIfAborted();
    this.#client = client;
    this.#listeners.notify();
  }
}
