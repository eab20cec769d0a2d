/** One message after the other. */
import type { Work } from './input.ts';

/**
 * `work` that begins with a message when it has ended the one before: messages leave in the order in which they
 * came, and only one picture at a time lies decoded in memory. A message that was given up while it waited is not
 * worked on.
 */
export function inOrder(work: Work): Work {
  let last: Promise<unknown> = Promise.resolve();
  return (msg, signal) => {
    const turn = last.then(() => {
      signal.throwIfAborted();
      return work(msg, signal);
    });
    last = turn.catch(() => {});
    return turn;
  };
}
