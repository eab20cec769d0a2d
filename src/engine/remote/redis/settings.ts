/**
 * What can be set, and what things are called: options of callers, names in Redis, times.
 *
 * Two things go through Redis. BullMQ has the queue: which picture is whose turn, which worker has it, for how long without
 * a word (the lock), and what becomes of it where that worker dies (stalled jobs). What a job is about goes by keys of our
 * own, since BullMQ takes JSON only: the picture (`request`), what came of it (`answer`), what workers tell of themselves
 * (`worker`, `workers`), and two channels, `news` of workers and `cancelled` of pictures that nobody wants any more.
 */
import { M2fpError } from '../../../errors.ts';
import { badOption } from '../../../parsing/options/options.ts';
import { valuesOf, whole } from '../../../parsing/options/option-table.ts';
import { LINE_OPTIONS, MAX_TIMEOUT } from '../../options.ts';
import { redisAddress } from './address.ts';
import type { WorkerAddress } from '../client/transport.ts';

export interface RemoteEngineOptions {
  address: WorkerAddress;
  /** Requests that may wait here in all; one more is refused with M2FP_BUSY. */
  maxQueue?: number;
  /** Milliseconds from handing a picture over until it is answered; 0 = no limit. */
  timeout?: number;
  /** MiB of results that are kept here for equal pictures; 0 = none. */
  cacheSize?: number;
  /** Bytes that an encoded picture may have; what it may have of pixels is the workers' own limit, too. */
  maxBytes?: number;
  maxPixels?: number;
  /** Milliseconds that a worker is waited for when an engine is acquired and there is none; default 3000. */
  connectTimeout?: number;
}

/** Milliseconds that a first worker is waited for. */
export const CONNECT_TIMEOUT = 3000;

const REMOTE_OPTIONS = { ...LINE_OPTIONS, connectTimeout: whole(0, MAX_TIMEOUT, CONNECT_TIMEOUT) };

/** The options in full. @throws {M2fpError} `M2FP_BAD_OPTION` */
export function completeRemoteOptions({
  address,
  ...options
}: RemoteEngineOptions): Required<RemoteEngineOptions> {
  return { address: checkWorkerAddress(address), ...valuesOf(REMOTE_OPTIONS, options) };
}

/** The address without a slash at the end of its url, as equal ones are one. Throws M2FP_BAD_OPTION. */
export function checkWorkerAddress(address: WorkerAddress): WorkerAddress {
  const { url, username, password, queue } = address;
  for (const [name, value] of Object.entries({ url, username, password, queue })) {
    if (typeof value !== 'string') throw badOption(name, value, 'a text');
  }
  // What stands before an @ may be a password: that is never repeated.
  if (url.includes('@')) {
    throw bad(
      'The option url must not contain a user name or a password: enter them in their own fields, and the address as redis://HOST:PORT.',
    );
  }
  redisAddress(address);
  namesOf(queue);
  return { url: url.replace(/\/$/, ''), username, password, queue };
}

function bad(text: string): M2fpError {
  return new M2fpError('M2FP_BAD_OPTION', text);
}

/** Longest name of a queue, characters. */
const MAX_QUEUE_NAME = 64;

/** BullMQ's name of its only queue below our prefix. */
const JOBS = 'jobs';

/** The keys and channels of one queue of workers. */
export interface Names {
  /** What BullMQ puts before its own keys, and the name of the queue that it has there. */
  readonly prefix: string;
  readonly jobs: string;
  /** Stream of what becomes of BullMQ's jobs. */
  readonly events: string;
  /** BullMQ's record of a job. */
  job(id: string): string;
  /** The picture of a job, packed. */
  request(id: string): string;
  /** What came of it, packed. */
  answer(id: string): string;
  /** What the worker `id` tells of itself, JSON. */
  worker(id: string): string;
  /** Set of the ids of all workers; some may be dead. */
  readonly workers: string;
  /** Channel that says when a worker has come, changed or left. */
  readonly news: string;
  /** Channel of the ids of jobs that nobody wants any more. */
  readonly cancelled: string;
  /** Under which nothing lies: to write there, only where something is there, changes nothing, and shows whether it may be. */
  readonly pulse: string;
}

/**
 * All begin with the same hash tag: what one transaction or script touches lies on one node of a Redis Cluster. Channels
 * are not divided by database number as keys are; two queues of one name in two databases hear each other, which does no
 * harm, since ids are never used twice and news only make their reader look.
 *
 * @throws {M2fpError} `M2FP_BAD_OPTION` for a name that is none
 */
export function namesOf(queue: string): Names {
  if (!/^[\w.-]+$/.test(queue) || queue.length > MAX_QUEUE_NAME) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `The queue's name must be 1 to ${MAX_QUEUE_NAME} letters, digits, ".", "_" or "-", not ${JSON.stringify(queue)}.`,
    );
  }
  const prefix = `{m2fp:${queue}}`;
  return {
    prefix,
    jobs: JOBS,
    events: `${prefix}:${JOBS}:events`,
    job: (id) => `${prefix}:${JOBS}:${id}`,
    request: (id) => `${prefix}:request:${id}`,
    answer: (id) => `${prefix}:answer:${id}`,
    worker: (id) => `${prefix}:worker:${id}`,
    workers: `${prefix}:workers`,
    news: `${prefix}:news`,
    cancelled: `${prefix}:cancelled`,
    pulse: `${prefix}:pulse`,
  };
}

/** Milliseconds; tests have shorter ones. */
export interface Times {
  /** A connection that is not there by then is refused. */
  connect: number;
  /** A connection that answers nothing for so long while something was asked is lost. A picture is sent in that time. */
  silence: number;
  /** The same of a connection on which nothing large is sent; BullMQ has Redis wait up to ten seconds there. */
  briefSilence: number;
  /** How often it is looked whether answers still come, and to what was asked. */
  verify: number;
  /** How often Redis is asked for a word, and to take one; where two come and go without one, it counts as away until it gives it. */
  pulse: number;
  /** How often a worker tells of itself, and how long that holds. */
  heartbeat: number;
  lifetime: number;
  /** How often a client looks after its workers and its jobs. */
  check: number;
  /** How long the picture of a job stays in Redis when its client looks after it no more. */
  request: number;
  /** How long an answer waits to be taken. */
  answer: number;
  /** How long a job is its worker's without a word of that worker, and how often the others look for such jobs. */
  lockDuration: number;
  stalled: number;
  /** What running pictures get to finish when a worker is told to stop. */
  shutdownGrace: number;
  /** The longest pause between two attempts to get a lost connection back. */
  retry: number;
}

export const TIMES: Readonly<Times> = {
  connect: 5000,
  silence: 60_000,
  briefSilence: 15_000,
  verify: 5000,
  pulse: 750,
  heartbeat: 5000,
  lifetime: 15_000,
  check: 5000,
  request: 60_000,
  answer: 60_000,
  lockDuration: 10_000,
  stalled: 5000,
  shutdownGrace: 15_000,
  retry: 1000,
};
