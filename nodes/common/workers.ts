/** What is told of workers on other machines. */
import type { WorkerFacts } from '../../src/engine/remote/client/transport.ts';

/** Plain JSON. */
export type WorkerSeen = Omit<WorkerFacts, 'id' | 'manifest'>;

/** What messages and forms show of each worker, in the same order. */
export function workersSeen(workers: readonly WorkerFacts[]): WorkerSeen[] {
  return workers.map(({ id: _id, manifest: _manifest, ...seen }) => seen);
}
