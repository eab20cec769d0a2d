/** What things are called in Redis. */
import { M2fpError } from '../../errors.ts';

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
  task(id: string): string;
  /** What came of it, packed. */
  answer(id: string): string;
  /** What the worker `id` tells of itself, JSON. */
  worker(id: string): string;
  /** Set of the ids of all workers; some may be dead. */
  readonly workers: string;
  /** Channel that says when a worker has come, changed or left. */
  readonly news: string;
  /** Channel of the ids of jobs that nobody wants any more. */
  readonly recalls: string;
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
    task: (id) => `${prefix}:task:${id}`,
    answer: (id) => `${prefix}:answer:${id}`,
    worker: (id) => `${prefix}:worker:${id}`,
    workers: `${prefix}:workers`,
    news: `${prefix}:news`,
    recalls: `${prefix}:recalls`,
  };
}
