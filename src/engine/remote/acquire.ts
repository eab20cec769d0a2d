/** Engines of workers on other machines, in the same registry as all others. */
import { createHash } from 'node:crypto';
import { systemClock } from '../../clock.ts';
import {
  allEntries,
  type AcquireOptions,
  type EngineLease,
  type Entry,
  keep,
  leaseOf,
  LINGER,
  reusable,
} from '../registry.ts';
import { discover } from './discover.ts';
import type { LinkFactory, WorkerAddress } from './link.ts';
import { completeRemoteOptions, type RemoteEngineOptions } from './options.ts';
import { RemoteEngine, type RemoteInternals } from './remote-engine.ts';

/** What tests replace. */
export interface RemoteRegistryInternals extends RemoteInternals {
  linger?: number;
  link?: LinkFactory;
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
  const { address, connectPatience, ...limits } = completeRemoteOptions(options);
  const live = { ...limits, idleUnload: 0 };
  const place = placeOf(address);
  const entry = known(place) ?? (await find());
  entry.engine.configure(live);
  return leaseOf(entry, owner, linger);

  async function find(): Promise<Entry<RemoteEngine>> {
    const { clock = systemClock } = internals;
    const found = await discover(address, { patience: connectPatience, link, clock });
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
  return (['fitting', 'none'] as const)
    .map((prospect) => there.find(({ engine }) => engine.prospect === prospect))
    .find((entry) => entry !== undefined);
}

/** Equal for those who may share a link. The password counts as a digest: a key is no place to keep one. */
function placeOf({ url, username, password, queue }: WorkerAddress): string {
  return JSON.stringify([url, username, createHash('sha256').update(password).digest('hex'), queue]);
}
