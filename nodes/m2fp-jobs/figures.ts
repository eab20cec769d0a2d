/** What metrics tell of jobs. */
import type { Node } from 'node-red';
import { jobEvents, webhookEvents } from '../../src/engine/events.ts';
import { processMetrics } from '../../src/observe/metrics.ts';
import { nameOf } from '../common/refusals.ts';
import type { JobOffice, OfficeOptions } from './office.ts';

/** For the office of `node`: tells of each job and of each call. */
export function tellsOf(node: Node): Pick<OfficeOptions, 'onJob' | 'onCall'> {
  return {
    onJob: (what) => jobEvents.publish({ node: nameOf(node), what }),
    onCall: (outcome) => webhookEvents.publish({ node: nameOf(node), outcome }),
  };
}

/** Tells how the line is, until the function is called that it returns. */
export function showLine(node: Node, office: JobOffice): () => void {
  return processMetrics().watchJobs(nameOf(node), () => office.counts());
}
