/**
 * Requests and answers, which go by keys of our own: BullMQ hands out ids. Anything may lie under those keys, of any length:
 * Redis is asked for nothing that is longer than it can rightly be.
 */
import type { Redis } from 'ioredis';
import { M2fpError } from '../../../errors.ts';
import { runScript } from './script.ts';
import type { Names, Times } from './settings.ts';
import { sleep } from '../../../async.ts';
import { systemClock } from '../../../clock.ts';
import { refusalOf } from './address.ts';

/** A request; where it is longer than it can be, or no request, only its length or type. */
const FETCH = `
  local type = redis.call('TYPE', KEYS[1]).ok
  if type == 'none' then return { KEYS[1], false, false } end
  if type ~= 'string' then return { KEYS[1], false, 'a ' .. type } end
  local bytes = redis.call('STRLEN', KEYS[1])
  if bytes > tonumber(ARGV[1]) then return { KEYS[1], false, bytes } end
  return { KEYS[1], redis.call('GET', KEYS[1]), false }`;

/** Leaves an answer only where somebody still waits for it, and nothing of the picture. */
const DELIVER = `
  if redis.call('DEL', KEYS[1]) == 0 then return 0 end
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
  return 1`;

/**
 * The answer to a request, which Redis gives away once; where it is longer than it can be, or no answer, only its length or
 * type. Then whether Redis still has the request, whose time begins anew, and the job, and why the job failed.
 */
const COLLECT = `
  local answer, fault = false, false
  local type = redis.call('TYPE', KEYS[1]).ok
  if type == 'string' then
    local bytes = redis.call('STRLEN', KEYS[1])
    if bytes <= tonumber(ARGV[1]) then answer = redis.call('GET', KEYS[1]) else fault = bytes .. ' bytes' end
  elseif type ~= 'none' then
    fault = 'a ' .. type
  end
  if type ~= 'none' then redis.call('DEL', KEYS[1]) end
  local request, job = redis.call('PEXPIRE', KEYS[2], ARGV[2]), redis.call('EXISTS', KEYS[3])
  return { KEYS[1], answer, fault, request, job, redis.call('HGET', KEYS[3], 'failedReason') }`;

/** What has become of a request. */
export interface Collected {
  /** Null where there is none yet, or something else lies there. */
  answer: Buffer | null;
  /** What lies in place of the answer: its length or its type. */
  fault: string | null;
  /** Whether Redis still has the request and the job. */
  hasRequest: boolean;
  hasJob: boolean;
  /** Why BullMQ counts the job as failed. */
  failure: string | null;
}

/** Puts a request down, or puts it down again. */
export async function putRequest(
  redis: Redis,
  names: Names,
  id: string,
  request: Buffer,
  times: Times,
): Promise<void> {
  await redis.set(names.request(id), request, 'PX', times.request);
}

/**
 * @param limit bytes that it may have
 * @returns null where nobody wants it any more; `M2FP_IMAGE_TOO_LARGE` or `M2FP_BAD_IMAGE` where something else lies there
 */
export async function fetchRequest(
  redis: Redis,
  names: Names,
  id: string,
  limit: number,
): Promise<Buffer | M2fpError | null> {
  const [request, fault] = await runScript(redis, FETCH, [names.request(id)], limit);
  if (Buffer.isBuffer(request)) return request;
  if (typeof fault === 'number') {
    return new M2fpError(
      'M2FP_IMAGE_TOO_LARGE',
      `What came through Redis has ${fault} bytes, which is more than a picture may have.`,
    );
  }
  if (fault === null) return null;
  return new M2fpError('M2FP_BAD_IMAGE', 'What came through Redis is no picture to parse.');
}

/** Puts the answer down where somebody still waits for it, and takes the request away. */
async function deliver(redis: Redis, names: Names, id: string, answer: Buffer, times: Times): Promise<void> {
  await redis.eval(DELIVER, 2, names.request(id), names.answer(id), answer, times.answer);
}

/** Where answers go. */
export interface Mailbox {
  redis: Redis;
  url: string;
  names: Names;
  times: Times;
}

/**
 * The same, also where Redis takes no changes for a moment: else the picture's client waits until it is parsed once more, and others
 * behind it. Gives up when the job may be another worker's.
 */
export async function deliverPatiently(
  { redis, url, names, times }: Mailbox,
  id: string,
  answer: Buffer,
  signal: AbortSignal,
): Promise<void> {
  const end = systemClock.now() + times.lockDuration;
  for (;;) {
    try {
      return await deliver(redis, names, id, answer, times);
    } catch (error) {
      if (signal.aborted || systemClock.now() > end || refusalOf(error, url) === null) throw error;
    }
    await sleep(times.pulse);
  }
}

/** @param limit bytes that the answer may have */
export async function collect(
  redis: Redis,
  names: Names,
  id: string,
  limit: number,
  times: Times,
): Promise<Collected> {
  const keys = [names.answer(id), names.request(id), names.job(id)] as const;
  const reply = await runScript(redis, COLLECT, keys, limit, times.request);
  const [answer, fault, request, job, failure] = reply;
  return {
    answer: Buffer.isBuffer(answer) ? answer : null,
    fault: Buffer.isBuffer(fault) ? fault.toString() : null,
    hasRequest: request === 1,
    hasJob: job === 1,
    failure: Buffer.isBuffer(failure) ? failure.toString() : null,
  };
}
