/** Scripts that run in Redis, whose answers are taken only where they are to what was asked. */
import type { Redis } from 'ioredis';
import { M2fpError } from '../../../errors.ts';
import { dropConnection, OUT_OF_ORDER } from './replies.ts';

/** How often a script is run in all, each time on another connection. */
const MAX_TRIES = 3;

/**
 * What `script` returns, which begins with its first key: an answer that was lost on the way has all that come after it
 * taken for those to other commands, and the result of one picture must never become that of another.
 *
 * @param script Lua; returns a list, with KEYS[1] first
 * @returns what comes after that key; texts as bytes
 * @throws {M2fpError} `M2FP_ENGINE_UNAVAILABLE` where answers are to something else, again and again; what Redis says
 */
export async function runScript(
  redis: Redis,
  script: string,
  keys: readonly [string, ...string[]],
  ...args: (string | number | Buffer)[]
): Promise<unknown[]> {
  for (let tries = 1; ; tries++) {
    const reply: unknown = await redis.callBuffer('EVAL', script, keys.length, ...keys, ...args);
    if (Array.isArray(reply)) {
      const [key, ...rest] = reply as unknown[];
      if (Buffer.isBuffer(key) && key.equals(Buffer.from(keys[0]))) return rest;
    }
    if (tries === MAX_TRIES) break;
    dropConnection(redis, OUT_OF_ORDER);
  }
  throw new M2fpError('M2FP_ENGINE_UNAVAILABLE', 'Redis answers something else than it was asked for.');
}
