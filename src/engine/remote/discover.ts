/** Who works at an address, and with which model. */
import { systemClock, type Clock } from '../../clock.ts';
import type { ModelManifest } from '../../m2fp/manifest.ts';
import type { LinkFactory, WorkerAddress, WorkerFacts, WorkerLink } from './link.ts';
import { unavailable } from './troubles.ts';

export interface Discovery {
  /** Open. */
  link: WorkerLink;
  /** Of the model that workers have; of the one that most places have, where there are several. */
  manifest: ModelManifest;
  /** At least one. */
  workers: readonly WorkerFacts[];
}

export interface DiscoverOptions {
  /** Milliseconds that a first worker is waited for, from when there is a connection. */
  patience: number;
  /** Absent: the one through BullMQ on Redis. */
  link?: LinkFactory | undefined;
  clock?: Clock | undefined;
}

/**
 * Opens a link and waits until somebody works there. A link at which it fails is closed.
 *
 * @throws {M2fpError} `M2FP_ENGINE_UNAVAILABLE` where there is no connection, or nobody works
 */
export async function discover(
  address: WorkerAddress,
  { patience, link: factory, clock = systemClock }: DiscoverOptions,
): Promise<Discovery> {
  const link = (factory ?? (await defaultFactory()))(address);
  try {
    await link.open();
    await someWorker(link, patience, clock);
    const { workers } = link;
    if (workers.length === 0) throw unavailable(address, link.failure);
    return { link, manifest: prevailing(workers), workers };
  } catch (error) {
    await link.close();
    throw error;
  }
}

/** Redis is loaded only where it is used. */
async function defaultFactory(): Promise<LinkFactory> {
  const { bullLink } = await import('./bull-link.ts');
  return bullLink;
}

/** Resolves when there is a worker, or the patience is over. */
function someWorker(link: WorkerLink, patience: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (link.workers.length > 0) end();
    };
    const end = (): void => {
      timer.cancel();
      unsubscribe();
      resolve();
    };
    const timer = clock.after(patience, end);
    const unsubscribe = link.subscribe(look);
    look();
  });
}

function prevailing(workers: readonly WorkerFacts[]): ModelManifest {
  const places = new Map<string, number>();
  for (const { manifest, slots } of workers) {
    places.set(manifest.digest, (places.get(manifest.digest) ?? 0) + slots);
  }
  const [best] = [...workers].toSorted(
    (a, b) => places.get(b.manifest.digest)! - places.get(a.manifest.digest)!,
  );
  return best!.manifest;
}
