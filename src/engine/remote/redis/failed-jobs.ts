/** The notes that BullMQ keeps of jobs that failed. */
import type { Queue } from 'bullmq';

/** How long it can be seen that a job failed, where the event that told of it was lost. Seconds, and how many jobs. */
export const FAILED_KEPT = { age: 60, count: 100 };

/** Deletes those that are older: BullMQ does so only when the next one fails. Never rejects. */
export async function cleanFailed(queue: Queue): Promise<void> {
  // Redis may be lost, or take no changes; the next time will do.
  await queue.clean(1000 * FAILED_KEPT.age, FAILED_KEPT.count, 'failed').catch(() => {});
}
