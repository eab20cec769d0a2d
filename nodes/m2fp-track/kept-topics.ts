/**
 * What a node has tracked, while it is deployed anew. A deploy of modified nodes or flows leaves other nodes alone, but a full
 * one stops them all and starts them again: people keep their numbers then, too.
 */
import { Topics } from '../../src/people/track/topics.ts';

/** Milliseconds; a deploy takes less. */
const KEPT = 30_000;

const kept = new Map<string, { topics: Topics; timer: NodeJS.Timeout }>();

/** What the node of this id has tracked just before, or nothing yet. */
export function takeTopics(id: string): Topics {
  const found = kept.get(id);
  if (found === undefined) return new Topics();
  clearTimeout(found.timer);
  kept.delete(id);
  return found.topics;
}

/** Keeps it for the node that takes this one's place. */
export function keepTopics(id: string, topics: Topics): void {
  clearTimeout(kept.get(id)?.timer);
  const timer = setTimeout(() => kept.delete(id), KEPT);
  timer.unref();
  kept.set(id, { topics, timer });
}
