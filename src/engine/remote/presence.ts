/** How workers tell of themselves, and clients learn of it. By Redis' clock alone: those of the machines may differ. */
import type { Redis } from 'ioredis';
import type { WorkerFacts } from './link.ts';
import type { Names } from './names.ts';
import type { Times } from './times.ts';

/** Tells of a worker, or tells it anew; it holds for {@link Times.presence}. */
export async function announce(redis: Redis, names: Names, facts: WorkerFacts, times: Times): Promise<void> {
  const { id } = facts;
  await redis
    .multi()
    .set(names.worker(id), JSON.stringify(facts), 'PX', times.presence)
    .sadd(names.workers, id)
    .exec();
}

/** Makes clients look at once. */
export async function spreadNews(redis: Redis, names: Names, id: string): Promise<void> {
  await redis.publish(names.news, id);
}

/** Takes back what {@link announce} told. */
export async function leave(redis: Redis, names: Names, id: string): Promise<void> {
  await redis.multi().del(names.worker(id)).srem(names.workers, id).publish(names.news, id).exec();
}

/** Those who live, in the order of their ids; the dead are forgotten. */
export async function readWorkers(redis: Redis, names: Names): Promise<WorkerFacts[]> {
  const ids = (await redis.smembers(names.workers)).toSorted();
  if (ids.length === 0) return [];
  const texts = await redis.mget(ids.map((id) => names.worker(id)));
  const dead = ids.filter((_, index) => texts[index] === null);
  // One that comes back to life is in the set again with its next word.
  if (dead.length > 0) await redis.srem(names.workers, dead);
  return texts.map((text) => factsIn(text)).filter((facts) => facts !== undefined);
}

/** What a worker told; undefined for anything else, that of other versions among it. */
function factsIn(text: string | null | undefined): WorkerFacts | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
  return isFacts(value) ? value : undefined;
}

function isFacts(value: unknown): value is WorkerFacts {
  if (typeof value !== 'object' || value === null) return false;
  const { id, host, version, provider, slots, threads, manifest } = value as Record<string, unknown>;
  return (
    [id, host, version, provider].every((text) => typeof text === 'string') &&
    [slots, threads].every((number) => Number.isSafeInteger(number) && Number(number) >= 1) &&
    typeof manifest === 'object' &&
    manifest !== null &&
    typeof (manifest as { digest?: unknown }).digest === 'string'
  );
}
