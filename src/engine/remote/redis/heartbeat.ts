/** How workers tell of themselves, and clients learn of it. By Redis' clock alone: those of the machines may differ. */
import type { Redis } from 'ioredis';
import { parseManifest } from '../../../store/manifest.ts';
import { MAX_SIDE } from '../../options.ts';
import type { WorkerFacts } from '../client/transport.ts';
import { runScript } from './script.ts';
import type { Names, Times } from './settings.ts';

/** Workers of a queue that are looked at. */
const MAX_WORKERS = 250;
/** Bytes of what one tells: the names of 254 labels and the digests of its files are some 15 kB. */
const MAX_FACTS = 32 * 1024;
/** Bytes of what all tell together: as much is read within some 20 ms. */
const MAX_ALL_FACTS = 2 * 2 ** 20;
/** Objects and lists inside each other: the worker, its manifest, its files, one of them, and one to spare. */
const MAX_DEPTH = 5;
/** Characters of a text in it. */
const MAX_TEXT = 500;

/**
 * What the workers tell, of no more of them and no longer texts than allowed. The dead, and what is no worker, are
 * forgotten: one that comes back to life is in the set again with its next word.
 */
const READ = `
  local texts, left, longest = {}, tonumber(ARGV[4]), 0
  for _, id in ipairs(redis.call('SRANDMEMBER', KEYS[1], ARGV[2])) do
    local key = ARGV[1] .. id
    if #id > 100 or redis.call('TYPE', key).ok ~= 'string' or redis.call('STRLEN', key) > tonumber(ARGV[3]) then
      redis.call('SREM', KEYS[1], id)
    else
      local text = redis.call('GET', key)
      left = left - #text
      if left < 0 then break end
      table.insert(texts, text)
      longest = math.max(longest, redis.call('PTTL', key))
    end
  end
  return { KEYS[1], texts, longest }`;

/** Tells of a worker, or tells it anew; it holds for {@link Times.lifetime}. */
export async function register(redis: Redis, names: Names, facts: WorkerFacts, times: Times): Promise<void> {
  const { id } = facts;
  await results(
    redis.multi().set(names.worker(id), JSON.stringify(facts), 'PX', times.lifetime).sadd(names.workers, id),
  );
}

/** Makes clients look at once. */
export async function notify(redis: Redis, names: Names, id: string): Promise<void> {
  await redis.publish(names.news, id);
}

/** Takes back what {@link register} told. */
export async function unregister(redis: Redis, names: Names, id: string): Promise<void> {
  await redis.multi().del(names.worker(id)).srem(names.workers, id).publish(names.news, id).exec();
}

/** Who works. */
export interface Presence {
  /** Those who live, in the order of their ids; what else is said to be one is left out. */
  workers: WorkerFacts[];
  /** Milliseconds since one of them has told of itself. */
  silentFor: number;
}

export async function readWorkers(redis: Redis, names: Names, times: Times): Promise<Presence> {
  const limits = [MAX_WORKERS, MAX_FACTS, MAX_ALL_FACTS];
  const [texts, left] = await runScript(redis, READ, [names.workers], names.worker(''), ...limits);
  const workers = (Array.isArray(texts) ? (texts as unknown[]) : [])
    .map(factsIn)
    .filter((facts) => facts !== undefined)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return { workers, silentFor: Math.max(0, times.lifetime - Number(left)) };
}

/** The results of a transaction; its first error is thrown. */
async function results(transaction: { exec(): Promise<[Error | null, unknown][] | null> }): Promise<void> {
  for (const [error] of (await transaction.exec()) ?? []) if (error !== null) throw error;
}

/** What a worker told; undefined for anything else, that of other versions among it. */
function factsIn(text: unknown): WorkerFacts | undefined {
  if (!Buffer.isBuffer(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text.toString());
    if (typeof value !== 'object' || value === null || !isShallow(value, MAX_DEPTH)) return undefined;
    return completeFacts(value);
  } catch {
    return undefined;
  }
}

/** Only what is known of a worker, each of the right kind: it is shown, compared and counted with. Throws where it is not. */
function completeFacts(value: Partial<Record<keyof WorkerFacts, unknown>>): WorkerFacts | undefined {
  const { id, host, pid, version, provider, fallback, threads, slots, loadSeconds, rss } = value;
  if (![id, host, version, provider].every(isText) || !(fallback === null || isText(fallback)))
    return undefined;
  if (![threads, slots].every((count) => isCount(count, 1, 1024)) || !isCount(pid, 0, 2 ** 32))
    return undefined;
  if (![loadSeconds, rss].every((amount) => amount === null || isAmount(amount))) return undefined;
  const manifest = parseManifest(JSON.stringify(value.manifest), 'what the worker told');
  if (![manifest.id, manifest.digest, ...manifest.labels].every(isText)) return undefined;
  const { kind: _kind, ...sizes } = manifest.input;
  if (!Object.values(sizes).every((size) => isAmount(size) && size <= MAX_SIDE)) return undefined;
  const facts = { id, host, pid, version, manifest, provider, fallback, threads, slots, loadSeconds, rss };
  return facts as WorkerFacts;
}

/** Whether nothing lies deeper in `value` than so many objects and lists. */
function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((entry) => isShallow(entry, depth - 1));
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length <= MAX_TEXT;
}

function isCount(value: unknown, least: number, most: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}

function isAmount(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
