/** The notes that BullMQ keeps of jobs that failed. */
import type { Queue } from 'bullmq';

/** So long, milliseconds, it can be seen that a job failed, where the event that told of it was lost; and of so many. */
export const FAILED_KEPT = 60_000;
export const MAX_FAILED = 100;

/** Deletes those that are older: BullMQ does so only when the next one fails. Never rejects. */
export async function cleanFailed(queue: Queue): Promise<void> {
  // Redis may be lost, or take no changes; the next time will do.
  await queue.clean(FAILED_KEPT, MAX_FAILED, 'failed').catch(() => {});
}
