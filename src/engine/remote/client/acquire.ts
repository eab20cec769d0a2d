/**
 * Engines of workers on other machines, in the same registry as all others; and what a user is told of an address before
 * anything is parsed there.
 */
import { createHash } from 'node:crypto';
import { type Clock, systemClock } from '../../../clock.ts';
import { limitsFrom } from '../../../image/limits.ts';
import type { ModelManifest } from '../../../m2fp/manifest.ts';
import { type LineOptions, PooledEngine } from '../../queue/pooled-engine.ts';
import {
  type AcquireOptions,
  allEntries,
  type EngineLease,
  type Entry,
  keep,
  leaseOf,
  LINGER,
  reusable,
} from '../../registry.ts';
import type { TransportFactory, WorkerAddress, WorkerFacts, WorkerTransport } from './transport.ts';
import { DEFAULT_REMOTE_TIMEOUTS, type RemoteTimeouts } from './worker-monitor.ts';
import { RemotePool } from './remote-pool.ts';
import {
  checkWorkerAddress,
  completeRemoteOptions,
  CONNECT_TIMEOUT,
  type RemoteEngineOptions,
} from '../redis/settings.ts';
import { unavailable } from '../redis/errors.ts';

/** What tests replace. */
export interface RemoteRegistryInternals extends RemoteInternals {
  linger?: number;
  link?: TransportFactory;
}

/**
 * A share in the engine of the workers at an address: the one that exists where it has the model that they have now,
 * else a new one, which is open already. All options but the address hold for all who share it, those of the newest
 * lease.
 *
 * Throws M2FP_BAD_OPTION, and M2FP_ENGINE_UNAVAILABLE where nobody answers or nobody works there; a failure is not
 * remembered.
 */
export async function acquireRemoteEngine(
  options: RemoteEngineOptions,
  { owner, linger = LINGER, link, ...internals }: AcquireOptions & RemoteRegistryInternals = {},
): Promise<EngineLease> {
  const { address, connectTimeout, ...limits } = completeRemoteOptions(options);
  const live = { ...limits, idleUnload: 0 };
  const place = placeOf(address);
  const entry = known(place) ?? (await find());
  entry.engine.configure(live);
  return leaseOf(entry, owner, linger);

  async function find(): Promise<Entry<RemoteEngine>> {
    const { clock = systemClock } = internals;
    const found = await discover(address, { workerTimeout: connectTimeout, link, clock });
    // No await from here on: two callers at the same time must find the same entry.
    const { manifest } = found;
    const key = JSON.stringify(['remote', place, manifest.digest]);
    const existing = reusable<RemoteEngine>(key);
    if (existing !== undefined) {
      // It has been unloaded, or somebody was quicker.
      void found.link.close();
      return existing;
    }
    const engine = new RemoteEngine({ manifest, address, link: found.link, options: live }, internals);
    // The link is open: the engine takes it over as it is. What it says of itself tells of a failure.
    engine.load().catch(() => {});
    return keep({ key, digest: manifest.digest, place, engine, clock });
  }
}

/** The engine there, as far as its own link shows that it has the right model, or that nobody works at the moment. */
function known(place: string): Entry<RemoteEngine> | undefined {
  const there = allEntries()
    .filter((entry) => entry.place === place)
    .map(({ key }) => reusable<RemoteEngine>(key))
    .filter((entry) => entry !== undefined);
  return (['compatible', 'none'] as const)
    .map((availability) => there.find(({ engine }) => engine.availability === availability))
    .find((entry) => entry !== undefined);
}

/** Equal for those who may share a link. The password counts as a digest: a key is no place to keep one. */
function placeOf({ url, username, password, queue }: WorkerAddress): string {
  return JSON.stringify([url, username, createHash('sha256').update(password).digest('hex'), queue]);
}

export interface Discovery {
  /** Open. */
  link: WorkerTransport;
  /** Of the model that workers have; of the one that most slots have, where there are several. */
  manifest: ModelManifest;
  /** At least one. */
  workers: readonly WorkerFacts[];
}

export interface DiscoverOptions {
  /** Milliseconds that a first worker is waited for, from when there is a connection. */
  workerTimeout: number;
  /** Absent: the one through BullMQ on Redis. */
  link?: TransportFactory | undefined;
  clock?: Clock | undefined;
}

/**
 * Opens a link and waits until somebody works there. A link at which it fails is closed.
 *
 * @throws {M2fpError} `M2FP_ENGINE_UNAVAILABLE` where there is no connection, or nobody works
 */
export async function discover(
  address: WorkerAddress,
  { workerTimeout, link: factory, clock = systemClock }: DiscoverOptions,
): Promise<Discovery> {
  const link = (factory ?? (await defaultFactory()))(address);
  try {
    await link.open();
    // Nobody can come where nobody can tell of it.
    if (link.failure !== null) throw unavailable(address, link.failure);
    await someWorker(link, workerTimeout, clock);
    const { workers } = link;
    if (workers.length === 0) throw unavailable(address, link.failure);
    return { link, manifest: prevailing(workers), workers };
  } catch (error) {
    await link.close();
    throw error;
  }
}

/** Redis is loaded only where it is used. */
async function defaultFactory(): Promise<TransportFactory> {
  const { bullLink } = await import('./bull-link.ts');
  return bullLink;
}

/** Resolves when there is a worker, or the time is over. */
function someWorker(link: WorkerTransport, workerTimeout: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (link.workers.length > 0) end();
    };
    const end = (): void => {
      timer.cancel();
      unsubscribe();
      resolve();
    };
    const timer = clock.after(workerTimeout, end);
    const unsubscribe = link.subscribe(look);
    look();
  });
}

function prevailing(workers: readonly WorkerFacts[]): ModelManifest {
  const slotsOf = new Map<string, number>();
  for (const { manifest, slots } of workers) {
    slotsOf.set(manifest.digest, (slotsOf.get(manifest.digest) ?? 0) + slots);
  }
  const [best] = [...workers].toSorted(
    (a, b) => slotsOf.get(b.manifest.digest)! - slotsOf.get(a.manifest.digest)!,
  );
  return best!.manifest;
}

export interface RemoteDescription {
  /** Of the model that workers have; of the one that most slots have, where there are several. */
  manifest: ModelManifest;
  /** At least one. */
  workers: readonly WorkerFacts[];
}

export interface DescribeOptions {
  /** Milliseconds that a first worker is waited for; default 3000. */
  workerTimeout?: number;
  /** What tests replace. */
  link?: TransportFactory;
  clock?: Clock;
}

/**
 * Looks who works at the address, through a link of its own that is closed again.
 *
 * @throws {M2fpError} `M2FP_BAD_OPTION`; `M2FP_ENGINE_UNAVAILABLE` where nobody answers, or nobody works there
 */
export async function describeRemote(
  address: WorkerAddress,
  { workerTimeout = CONNECT_TIMEOUT, link: factory, clock }: DescribeOptions = {},
): Promise<RemoteDescription> {
  const { link, manifest, workers } = await discover(checkWorkerAddress(address), {
    workerTimeout,
    link: factory,
    clock,
  });
  await link.close();
  return { manifest, workers: [...workers] };
}

/** Options that an engine takes over while it runs. */
export interface RemoteLiveOptions extends LineOptions {
  /** Milliseconds from handing a picture over until it is answered; 0 = no limit. */
  timeout: number;
}

/** What tests replace. */
export interface RemoteInternals {
  clock?: Clock;
  timeouts?: Partial<RemoteTimeouts>;
}

export interface RemoteEngineSetup {
  /** Of the model that workers must have. */
  manifest: ModelManifest;
  address: WorkerAddress;
  link: WorkerTransport;
  options: RemoteLiveOptions;
}

export class RemoteEngine extends PooledEngine<RemoteLiveOptions> {
  readonly #pool: RemotePool;

  /** Opens nothing. */
  constructor({ manifest, address, link, options }: RemoteEngineSetup, internals: RemoteInternals = {}) {
    const { clock = systemClock } = internals;
    const timeouts = { ...DEFAULT_REMOTE_TIMEOUTS, ...internals.timeouts };
    let made!: RemotePool;
    super({
      manifest,
      options,
      clock,
      pool: (owner, live) =>
        (made = new RemotePool({
          link,
          address,
          manifest,
          timeout: () => live().timeout,
          maxPixels: () => limitsFrom(live()).maxPixels,
          timeouts,
          owner,
        })),
    });
    this.#pool = made;
  }

  /** Who could parse a picture that comes now; `unknown` where the link is not open. */
  get availability(): RemotePool['availability'] {
    return this.#pool.availability;
  }
}
