/** The jobs that a worker takes out of its queue, whatever has been written into BullMQ's records of them. */
import {
  type BackendFactory,
  createRedisBackend,
  type Processor,
  type RedisQueueBackend,
  Worker,
  type WorkerOptions,
} from 'bullmq';
import { FAILED_KEPT } from '../redis/failed-jobs.ts';

/** What a job's record is read for: its age, how often it was begun, and that workers before died over it. */
const FIELDS = ['timestamp', 'processedOn', 'ats', 'atm', 'attemptsMade', 'stc', 'defa'];

/** The rest is the same for all jobs of ours. No stack: it would tell of folders on the worker's machine. */
const SAME = {
  name: 'parse',
  data: '{}',
  opts: JSON.stringify({ removeOnComplete: true, removeOnFail: FAILED_KEPT, stackTraceLimit: 0 }),
};

/** BullMQ's scripts that hand out a job: its record first, then its id. */
const GIVING = ['moveToActive', 'moveToFinished'];

/**
 * A worker of BullMQ that takes no more out of a job's record than it needs. BullMQ itself would leave a job whose record
 * it cannot read lying for half a minute, and do what the records of others ask for: repeat them, or tell their parents.
 */
export function readJobs(name: string, work: Processor, options: WorkerOptions): Worker {
  return new Worker(name, work, options, tolerantBackend);
}

const tolerantBackend: BackendFactory<RedisQueueBackend> = (...given) => {
  const backend = createRedisBackend(...given);
  const run = backend.execCommand.bind(backend);
  backend.execCommand = async (client, script, args) => {
    const reply: unknown = await run(client, script, args);
    return GIVING.includes(script) ? withReadableRecord(reply) : reply;
  };
  return backend;
};

/** `reply` with a record that can be read, where it gives out a job. */
function withReadableRecord(reply: unknown): unknown {
  const [record, ...rest] = Array.isArray(reply) ? (reply as unknown[]) : [];
  if (!Array.isArray(record)) return reply;
  const kept = FIELDS.flatMap((field) => {
    const at = record.findIndex((name, index) => index % 2 === 0 && name === field);
    return at === -1 ? [] : [field, String(record[at + 1])];
  });
  return [[...kept, ...Object.entries(SAME).flat()], ...rest];
}
