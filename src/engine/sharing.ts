/**
 * Equal pictures. Those in flight are parsed once, for all who ask, and results may be kept for later ones.
 *
 * Who asks for a picture that is in flight takes no place in the queue, so its queue options count only if it comes
 * to the front: the first one who asks computes, and where that one's own options end the request (dropped, busy),
 * the next one does.
 */
import { systemClock, type Clock } from '../clock.ts';
import { M2fpError } from '../errors.ts';
import type { ModelManifest } from '../m2fp/manifest.ts';
import type { Parsing } from '../parsing/types.ts';
import { Asker } from './asker.ts';
import { ResultCache, type CacheInfo, type KeptResult } from './cache.ts';
import { DroppedRequest, dropReasonOf } from './dropped.ts';
import { type EngineLabels, type Fate, type RequestEvent, requestEvents } from './events.ts';
import type { Picture } from './picture.ts';
import { bytesOf, canHashAtOnce, digestInSlices, digestOf, formOf } from './picture-key.ts';
import { plainCopy } from './plain-copy.ts';
import type { EngineOptions, ParseOptions, QueueOptions } from './types.ts';

/** A request that was checked. */
export interface SharedRequest {
  picture: Picture;
  options: ParseOptions;
  queue: Required<QueueOptions>;
  signal?: AbortSignal | undefined;
}

/**
 * Puts the request into the engine's queue. `signal` aborts when nobody waits for the result any more. It publishes
 * one event, however it ends; those of all others who share are published here, so that each request has one.
 */
export type Compute = (signal: AbortSignal) => Promise<Parsing>;

/** Those of the engine's options that concern what is shared. */
export type SharingOptions = Pick<Required<EngineOptions>, 'cacheSize' | 'maxQueue'>;

interface Request {
  asker: Asker;
  compute: Compute;
  bytes: Buffer;
  form: string;
  queue: Required<QueueOptions>;
  /** For the cache. */
  key: string | null;
  flight: Flight | null;
}

/** Requests for the same picture, of which the first one computes. */
interface Flight {
  bytes: Buffer;
  form: string;
  /** In the order that they came; those who have left are not among them. */
  requests: Set<Request>;
  /** Whose place in the queue it is; it may have left. */
  owner: Request;
  abort: AbortController;
}

type Outcome = { parsing: Parsing } | { error: unknown };

const MIB = 2 ** 20;

/** What one engine's requests go through before they come to its queue. */
export class ResultSharing {
  readonly #manifest: Pick<ModelManifest, 'digest' | 'input'>;
  readonly #labels: EngineLabels;
  readonly #clock: Clock;
  #maxQueue: number;
  #cache: ResultCache | null;
  readonly #flights = new Set<Flight>();
  /** The end of the line of pictures whose digest is being worked out. */
  #digesting: Promise<void> | null = null;

  constructor(
    manifest: Pick<ModelManifest, 'id' | 'digest' | 'input'>,
    { cacheSize, maxQueue }: SharingOptions,
    clock: Clock = systemClock,
  ) {
    this.#manifest = manifest;
    this.#labels = { model: manifest.id, digest: manifest.digest.slice(0, 12) };
    this.#clock = clock;
    this.#maxQueue = maxQueue;
    this.#cache = cacheSize > 0 ? new ResultCache(cacheSize * MIB) : null;
  }

  /** Takes over other options, with the results that are kept. */
  configure({ cacheSize, maxQueue }: SharingOptions): void {
    this.#maxQueue = maxQueue;
    if (cacheSize === 0) this.#cache = null;
    else if (this.#cache === null) this.#cache = new ResultCache(cacheSize * MIB);
    else this.#cache.resize(cacheSize * MIB);
  }

  /** How full the cache is; null where there is none. */
  info(): CacheInfo | null {
    return this.#cache?.info() ?? null;
  }

  /** Forgets the results. */
  clear(): void {
    this.#cache?.clear();
  }

  /**
   * The result: of the cache, of an equal picture in flight, or of `compute`. Where nothing is kept, and for most
   * pictures else, `compute` is called before this returns.
   *
   * @throws M2FP_CANCELLED when the signal aborts, {@link DroppedRequest}, and what `compute` throws
   */
  parse({ picture, options, queue, signal }: SharedRequest, compute: Compute): Promise<Parsing> {
    const asker = new Asker({
      picture,
      signal,
      now: () => this.#clock.now(),
      onLeave: () => this.#leave(request),
    });
    const request: Request = {
      asker,
      compute,
      bytes: bytesOf(picture),
      form: formOf(picture, options, this.#manifest.input),
      queue,
      key: null,
      flight: null,
    };
    if (signal?.aborted === true) {
      const cause = signal.reason as unknown;
      this.#fail(
        request,
        new M2fpError('M2FP_CANCELLED', 'The request was cancelled before it began.', { cause }),
      );
      return asker.promise;
    }
    // Bytes are compared with those of the few pictures in flight: their digest is only for the cache.
    if (this.#digesting !== null) this.#lookUpInTurn(request);
    else if (this.#cache === null) this.#join(request);
    else if (canHashAtOnce(request.bytes)) this.#lookUp(request, digestOf(request.bytes));
    else this.#lookUpInTurn(request);
    return asker.promise;
  }

  /** One after the other: a small picture does not overtake the larger one that the same camera sent before. */
  #lookUpInTurn(request: Request): void {
    const before = this.#digesting;
    const turn = async (): Promise<void> => {
      await before;
      const digest = await digestInSlices(request.bytes, () => request.asker.told);
      if (this.#digesting === mine) this.#digesting = null;
      if (digest !== null && !request.asker.told) this.#lookUp(request, digest);
    };
    const mine = turn();
    this.#digesting = mine;
  }

  #lookUp(request: Request, digest: string): void {
    request.key = [this.#manifest.digest, digest, request.form].join(' ');
    const kept = this.#cache?.get(request.key);
    if (kept === undefined) this.#join(request);
    else this.#answer(request, kept);
  }

  /** Where too many share already, the request goes its own way, and the queue decides. */
  #join(request: Request): void {
    const flight = this.#flightFor(request);
    if (flight !== undefined) {
      const touched = this.#replaceOlder(request);
      const joins = this.#hasRoom(request.queue);
      if (joins) {
        flight.requests.add(request);
        request.flight = flight;
      }
      for (const other of touched) this.#endWithout(other);
      if (joins) return;
    }
    const { bytes, form } = request;
    request.flight = {
      bytes,
      form,
      requests: new Set([request]),
      owner: request,
      abort: new AbortController(),
    };
    this.#flights.add(request.flight);
    void this.#fly(request.flight);
  }

  /** One with a lower priority would come later than the request's own place in the queue. */
  #flightFor({ bytes, form, queue: { priority } }: Request): Flight | undefined {
    return [...this.#flights].find(
      (flight) =>
        flight.form === form && flight.owner.queue.priority >= priority && flight.bytes.equals(bytes),
    );
  }

  /** Of the same camera only one waits, here as in the queue. Returns the flights of those that it replaced. */
  #replaceOlder({ queue: { policy, lane, key } }: Request): Flight[] {
    if (policy !== 'latest') return [];
    const touched: Flight[] = [];
    for (const older of this.#followers()) {
      const same = older.queue.policy === 'latest' && older.queue.lane === lane && older.queue.key === key;
      if (!same) continue;
      older.flight?.requests.delete(older);
      if (older.flight) touched.push(older.flight);
      this.#fail(older, new DroppedRequest('replaced'));
    }
    return touched;
  }

  #hasRoom({ lane, limit }: Required<QueueOptions>): boolean {
    const followers = this.#followers();
    const lanesOwn = followers.filter(({ queue }) => queue.lane === lane).length;
    return followers.length < this.#maxQueue && lanesOwn < limit;
  }

  /** Who waits without a place in the queue. */
  #followers(): Request[] {
    return [...this.#flights].flatMap(({ requests, owner }) =>
      [...requests].filter((request) => request !== owner),
    );
  }

  /** Never rejects. */
  async #fly(flight: Flight): Promise<void> {
    for (;;) {
      const [owner] = flight.requests;
      if (owner === undefined) break;
      flight.owner = owner;
      const outcome = await settle(owner.compute, flight.abort.signal);
      if ('error' in outcome && concernsOneOnly(outcome.error)) {
        // One that had left before is counted by how its place in the queue ended.
        if (flight.requests.delete(owner)) owner.asker.reject(outcome.error);
        continue;
      }
      this.#flights.delete(flight);
      this.#land(flight, outcome);
      return;
    }
    this.#flights.delete(flight);
  }

  /** What was computed, and its event, belongs to the first one who is still there. */
  #land({ requests, owner }: Flight, outcome: Outcome): void {
    const [heir] = requests;
    if (heir !== undefined && heir !== owner) this.#publish('cancelled', false, 'M2FP_CANCELLED');
    if ('error' in outcome) {
      for (const request of requests) {
        if (request === heir) request.asker.reject(outcome.error);
        else this.#fail(request, outcome.error);
      }
      return;
    }
    const { image: _image, cached: _cached, timing, ...result } = outcome.parsing;
    if (owner.key !== null) this.#cache?.set(owner.key, outcome.parsing);
    for (const request of requests) {
      if (request !== heir) this.#answer(request, plainCopy(result));
      else if (request === owner) request.asker.resolve(outcome.parsing);
      else request.asker.inherit(plainCopy(result), timing);
    }
  }

  /** The signal has cancelled the request; its promise is settled. */
  #leave(request: Request): void {
    const { flight } = request;
    // The owner is counted when its computation ends.
    if (flight?.owner !== request) this.#publish('cancelled', false, 'M2FP_CANCELLED');
    flight?.requests.delete(request);
    if (flight) this.#endWithout(flight);
  }

  /** Where nobody waits for the result any more, it is not computed. */
  #endWithout(flight: Flight): void {
    if (flight.requests.size > 0) return;
    // At once, so that whoever asks next does not share what ends here.
    this.#flights.delete(flight);
    flight.abort.abort();
  }

  #answer({ asker }: Request, result: KeptResult): void {
    asker.answer(result);
    this.#publish('completed', true);
  }

  #fail({ asker }: Request, error: unknown): void {
    asker.reject(error);
    this.#publish(fateOf(error), false, error instanceof M2fpError ? error.code : undefined);
  }

  #publish(fate: Fate, cached: boolean, code?: RequestEvent['code']): void {
    requestEvents.publish({
      engine: this.#labels,
      fate,
      ...(code !== undefined && { code }),
      cached,
      queue: 0,
    });
  }
}

async function settle(compute: Compute, signal: AbortSignal): Promise<Outcome> {
  try {
    return { parsing: await compute(signal) };
  } catch (error) {
    return { error };
  }
}

/** How the queue ended a request by that request's own options: the others have theirs. */
function concernsOneOnly(error: unknown): boolean {
  return dropReasonOf(error) !== undefined || (error instanceof M2fpError && error.code === 'M2FP_BUSY');
}

function fateOf(error: unknown): Fate {
  const dropped = dropReasonOf(error);
  if (dropped !== undefined) return dropped;
  return error instanceof M2fpError && error.code === 'M2FP_CANCELLED' ? 'cancelled' : 'failed';
}
